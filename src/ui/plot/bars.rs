//! Bars in a line of text: sparklines, gauges, intervals; and histograms of several lines.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::numbers;
use crate::ui::widgets::text;

/// Heights of a cell in eighths, lowest first.
const UP: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Widths of a cell in eighths, narrowest first.
const ACROSS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// A small histogram or course in one line, at most `cells` wide: `▂█▅▃▂▁▁`.
///
/// More values than cells are gathered, each cell showing the greatest of its share. Values that
/// are no numbers leave a blank. The highest bar stays below the full cell, so that sparklines of
/// neighbouring rows do not touch.
pub fn sparkline(values: &[f64], cells: usize) -> String {
    let highest = values.iter().copied().filter(|v| v.is_finite()).fold(0.0f64, f64::max);
    let n = cells.min(values.len());
    (0..n)
        .map(|i| {
            let share = &values[i * values.len() / n..((i + 1) * values.len() / n).max(1)];
            let value = share.iter().copied().filter(|v| v.is_finite()).fold(f64::NAN, f64::max);
            if value.is_nan() {
                ' '
            } else if highest <= 0.0 {
                UP[0]
            } else {
                UP[((value.max(0.0) / highest * 7.0).ceil() as usize).clamp(1, 7) - 1]
            }
        })
        .collect()
}

/// A bar without a frame, exactly `cells` wide, full at a share of one.
pub fn bar(share: f64, cells: usize) -> String {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let eighths = (share * cells as f64 * 8.0).round() as usize;
    let mut out: String = std::iter::repeat_n('█', eighths / 8).collect();
    if !eighths.is_multiple_of(8) {
        out.push(ACROSS[eighths % 8 - 1]);
    }
    text::fit(&out, cells)
}

/// How far a piece of work has come, exactly `cells` wide: `▕██████▍   ▏ 62 %`.
pub fn gauge(share: f64, cells: usize) -> String {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    // Never 100 % before it is done.
    let percent = (share * 100.0).floor();
    let inner = cells.saturating_sub(7);
    if inner < 3 {
        return text::fit_right(&format!("{percent} %"), cells);
    }
    format!("▕{}▏{percent:>3} %", bar(share, inner))
}

/// A value with its interval on a scale, exactly `cells` wide: `▕   ──●── ▏`.
pub fn interval(value: f64, bounds: Option<(f64, f64)>, scale: (f64, f64), cells: usize) -> String {
    let inner = cells.saturating_sub(2);
    let (from, to) = scale;
    let place = |v: f64| {
        let place = (v - from) / (to - from);
        place
            .is_finite()
            .then(|| (place.clamp(0.0, 1.0) * (inner.max(1) - 1) as f64).round() as usize)
    };
    if inner == 0 {
        return text::fit("", cells);
    }
    let mut line = vec![' '; inner];
    if let Some((Some(low), Some(high))) = bounds.map(|(low, high)| (place(low), place(high))) {
        line[low.min(high)..=high.max(low)].fill('─');
    }
    if let Some(at) = place(value) {
        line[at] = '●';
    }
    format!("▕{}▏", line.into_iter().collect::<String>())
}

/// A bar from a middle line, to the right for positive values, exactly `cells` wide.
///
/// `most` is the value at which it is full.
pub fn signed_bar(value: f64, most: f64, cells: usize) -> String {
    let half = cells.saturating_sub(1) / 2;
    let share = if most > 0.0 { (value / most).clamp(-1.0, 1.0) } else { 0.0 };
    let n = if share.is_finite() { (share.abs() * half as f64).round() as usize } else { 0 };
    let (left, right) = if share < 0.0 { (n, 0) } else { (0, n) };
    let line = format!("{}{}│{}", " ".repeat(half - left), "█".repeat(left), "█".repeat(right));
    text::fit(&line, cells)
}

/// Counts by bin as upright bars, with the ends of the scale below.
#[derive(Debug, Clone)]
pub struct Histogram<'a> {
    /// One count for each bin, from left to right.
    pub counts: &'a [f64],
    /// Where the first bin begins and the last one ends.
    pub range: Option<(f64, f64)>,
    /// What is counted, written between the ends of the scale.
    pub label: &'a str,
    /// The meaning of the bars.
    pub role: Role,
    /// The bin that stands out, if any.
    pub selected: Option<usize>,
}

impl Histogram<'_> {
    /// Draws the bars over the whole area, its last line for the scale where there are three.
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let scale = area.height >= 3;
        let rows = area.height - u16::from(scale);
        let highest = self.counts.iter().copied().filter(|v| v.is_finite()).fold(0.0, f64::max);
        let n = self.counts.len();
        let width = usize::from(area.width);
        if n == 0 || highest <= 0.0 {
            let note = text::fit_centre("nothing to count yet", width);
            buf.set_string(area.x, area.y + area.height / 2, note, theme.style(Role::Dim));
            return;
        }
        for column in 0..width {
            let bins = column * n / width..((column + 1) * n / width).max(column * n / width + 1);
            let chosen = self.selected.is_some_and(|bin| bins.contains(&bin));
            let count = self.counts[bins].iter().copied().fold(0.0, f64::max);
            let eighths = (count / highest * f64::from(rows) * 8.0).round() as usize;
            let eighths = if count > 0.0 { eighths.max(1) } else { 0 };
            let style = theme.style(if chosen { Role::Strong } else { self.role });
            for row in 0..usize::from(rows) {
                let fill = eighths.saturating_sub(row * 8).min(8);
                if fill == 0 {
                    break;
                }
                let at = (area.x + column as u16, area.y + rows - 1 - row as u16);
                buf[at].set_char(UP[fill - 1]).set_style(style);
            }
        }
        if scale {
            self.draw_scale(Rect { y: area.bottom() - 1, height: 1, ..area }, buf, theme);
        }
    }

    fn draw_scale(&self, line: Rect, buf: &mut Buffer, theme: &Theme) {
        let width = usize::from(line.width);
        let style = theme.style(Role::Dim);
        let (low, high) = self.range.map_or_else(Default::default, |(low, high)| {
            (numbers::significant(low, 3), numbers::significant(high, 3))
        });
        let (low, high) = (text::cut(&low, width / 3), text::cut(&high, width / 3));
        let middle = width - text::width(&low) - text::width(&high);
        let label = text::fit_centre(self.label, middle);
        buf.set_string(line.x, line.y, format!("{low}{label}{high}"), style);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sparklines_show_shape_and_keep_peaks() {
        assert_eq!(sparkline(&[1.0, 2.0, 4.0, 8.0], 8), "▁▂▄▇");
        assert_eq!(sparkline(&[0.0, 0.0, 9.0, 0.0, 0.0, 0.0], 3), "▁▇▁");
        assert_eq!(sparkline(&[f64::NAN, 1.0], 2), " ▇");
        assert_eq!(sparkline(&[0.0, 0.0], 2), "▁▁");
        assert_eq!(sparkline(&[], 5), "");
    }

    #[test]
    fn a_gauge_is_not_full_before_the_end() {
        assert_eq!(gauge(0.62, 18), "▕██████▉    ▏ 62 %");
        assert!(gauge(0.9999, 18).ends_with(" 99 %"));
        assert!(gauge(1.0, 18).ends_with("100 %"));
        assert_eq!(gauge(0.5, 6), "  50 %");
    }

    #[test]
    fn an_interval_shows_value_and_bounds_on_its_scale() {
        assert_eq!(interval(0.8, Some((0.7, 0.9)), (0.5, 1.0), 13), "▕    ──●──  ▏");
        assert_eq!(interval(f64::NAN, None, (0.0, 1.0), 5), "▕   ▏");
    }

    #[test]
    fn signed_bars_grow_from_the_middle() {
        assert_eq!(signed_bar(1.0, 1.0, 7), "   │███");
        assert_eq!(signed_bar(-0.7, 1.0, 7), " ██│   ");
    }

    #[test]
    fn a_histogram_fills_its_area_and_keeps_small_counts_visible() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 12, 4));
        let counts = [1.0, 1000.0, 500.0];
        let histogram = Histogram {
            counts: &counts,
            range: Some((-1.0, 2.0)),
            label: "error",
            role: Role::SeriesA,
            selected: None,
        };
        histogram.render(buf.area, &mut buf, &Theme::default());
        let lines: Vec<String> = (buf.content.chunks(12))
            .map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect())
            .collect();
        assert_eq!(lines, ["    ████    ", "    ████▄▄▄▄", "▁▁▁▁████████", "−1  error  2"]);
    }

    proptest! {
        #[test]
        fn bars_have_exactly_their_width(value in any::<f64>(), low in any::<f64>(), cells in 0usize..50) {
            prop_assert_eq!(text::width(&bar(value, cells)), cells);
            prop_assert_eq!(text::width(&gauge(value, cells)), cells);
            prop_assert_eq!(text::width(&interval(value, Some((low, value)), (low, 1.0), cells)), cells);
            prop_assert_eq!(text::width(&signed_bar(value, low, cells)), cells);
        }
    }
}
