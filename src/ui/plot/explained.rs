//! A series with what each step adds to a score above it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::curve::draw_curve;
use super::line::Dash;
use super::picture::sign;
use super::scale::Axis;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::numbers;
use crate::ui::widgets::text;

/// One or several channels of a series, and above them the contribution of each step.
///
/// What adds stands above a middle line and what takes away hangs below it, so that the sign reads
/// without colour. Both parts share their steps: what is above a stretch of the curve belongs to it.
#[derive(Debug, Clone)]
pub struct ExplainedSeries<'a> {
    /// The channels with their names, each with one value a step.
    pub channels: &'a [(&'a str, &'a [f64])],
    /// One contribution for each step.
    pub contributions: &'a [f64],
    /// What the contributions add to: `P(class = 2)`.
    pub label: &'a str,
}

impl ExplainedSeries<'_> {
    /// Draws contributions and channels into the area, as much as it has room for.
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let area = area.intersection(buf.area);
        let n_steps = self.contributions.len();
        if area.is_empty() || n_steps == 0 {
            return;
        }
        let values = self.channels.iter().flat_map(|(_, values)| values.iter().copied());
        let axis = Axis::around(values, false, 0.0);
        let margin = margin(axis.as_ref(), area);
        let heading = u16::from(area.height >= 4);
        if heading > 0 {
            self.draw_heading(Rect { height: 1, ..area }, buf, theme);
        }
        let rest = area.height - heading;
        let above = if rest >= 6 { rest / 3 } else { 1.min(rest) };
        let strip = Rect {
            x: area.x + margin,
            y: area.y + heading,
            width: area.width - margin,
            height: above,
        };
        if above >= 2 {
            self.draw_bars(strip, buf, theme);
        } else {
            self.draw_signs(strip, buf, theme);
        }
        let plot = Rect { y: strip.bottom(), height: rest - above, ..strip };
        if let Some(axis) = axis.filter(|_| !plot.is_empty()) {
            self.draw_channels(plot, &axis, buf, theme);
            if margin > 0 {
                draw_ends(Rect { x: area.x, width: margin, ..plot }, &axis, buf, theme);
            }
        }
    }

    fn draw_heading(&self, line: Rect, buf: &mut Buffer, theme: &Theme) {
        let names: Vec<&str> = self.channels.iter().map(|(name, _)| *name).collect();
        let heading = format!("above: what each step adds to {}", self.label);
        let width = usize::from(line.width);
        buf.set_string(line.x, line.y, text::cut(&heading, width), theme.style(Role::Dim));
        let mut at = line.x + text::width(&text::cut(&heading, width)) as u16;
        for (idx, name) in names.iter().enumerate() {
            let name = format!("  {}", text::clean(name));
            let room = usize::from(line.right().saturating_sub(at));
            let name = text::cut(&name, room);
            buf.set_string(at, line.y, &name, theme.style(Role::series(idx)));
            at += text::width(&name) as u16;
        }
    }

    /// Contributions as dots from a middle line.
    fn draw_bars(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let mut canvas = Canvas::new(area, theme.glyphs);
        let (columns, rows) = (canvas.width(), canvas.height());
        let sums = self.sums(columns);
        let most = sums.iter().map(|sum| sum.abs()).fold(0.0, f64::max);
        let middle = rows / 2;
        for (x, sum) in sums.iter().enumerate() {
            canvas.dot(x, middle, Role::Border);
            let share = if most > 0.0 { sum / most } else { 0.0 };
            if share > 0.0 {
                let n = (share * middle as f64).round() as usize;
                canvas.column(x, middle - n, middle, Role::SeriesA, |_, _| true);
            } else if share < 0.0 {
                let room = rows - 1 - middle;
                let n = (-share * room as f64).round() as usize;
                canvas.column(x, middle, middle + n, Role::SeriesB, |_, _| true);
            }
        }
        canvas.paint(buf, theme);
    }

    /// Contributions as one mark a cell, where there is but one line.
    fn draw_signs(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        if area.is_empty() {
            return;
        }
        let sums = self.sums(usize::from(area.width));
        let most = sums.iter().map(|sum| sum.abs()).fold(0.0, f64::max);
        for (x, sum) in sums.iter().enumerate() {
            let (symbol, role) = sign(*sum, most);
            buf[(area.x + x as u16, area.y)].set_char(symbol).set_style(theme.style(role));
        }
    }

    /// The strongest contribution within each column; a step that is wider than a column fills all
    /// of its columns.
    fn sums(&self, columns: usize) -> Vec<f64> {
        let n_steps = self.contributions.len();
        let strongest = |x: usize| {
            let from = x * n_steps / columns;
            let to = ((x + 1) * n_steps / columns).max(from + 1).min(n_steps);
            let own = self.contributions[from..to].iter().copied().filter(|v| v.is_finite());
            own.fold(0.0, |best: f64, v| if v.abs() > best.abs() { v } else { best })
        };
        (0..columns).map(strongest).collect()
    }

    fn draw_channels(&self, area: Rect, axis: &Axis, buf: &mut Buffer, theme: &Theme) {
        let mut canvas = Canvas::new(area, theme.glyphs);
        let n_steps = self.contributions.len() as f64;
        // Each step stands in the middle of its share of the width, as above.
        let x_axis = Axis { low: -0.5, high: n_steps - 0.5, log: false };
        for (idx, (_, values)) in self.channels.iter().enumerate() {
            let points: Vec<(f64, f64)> =
                values.iter().enumerate().map(|(step, value)| (step as f64, *value)).collect();
            let dash = if idx == 0 { Dash::Solid } else { Dash::Dotted };
            draw_curve(&mut canvas, &x_axis, axis, &points, Role::series(idx), dash);
        }
        canvas.paint(buf, theme);
    }
}

/// Room for the numbers at the left, where there is any to spare.
fn margin(axis: Option<&Axis>, area: Rect) -> u16 {
    let Some(axis) = axis.filter(|_| area.width >= 30 && area.height >= 5) else { return 0 };
    let ends = [axis.low, axis.high].map(|end| text::width(&numbers::significant(end, 3)));
    (ends[0].max(ends[1]) as u16 + 1).min(area.width / 4)
}

/// The largest and the smallest value beside the curve.
fn draw_ends(area: Rect, axis: &Axis, buf: &mut Buffer, theme: &Theme) {
    let width = usize::from(area.width.saturating_sub(1));
    for (value, y) in [(axis.high, area.y), (axis.low, area.bottom() - 1)] {
        let number = text::fit_right(&numbers::significant(value, 3), width);
        buf.set_string(area.x, y, number, theme.style(Role::Dim));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::theme::{Glyphs, Tier};

    fn drawn(series: &ExplainedSeries, size: (u16, u16), glyphs: Glyphs) -> Vec<String> {
        let theme = Theme::new(Tier::None, glyphs);
        let mut buf = Buffer::empty(Rect::new(0, 0, size.0, size.1));
        series.render(buf.area, &mut buf, &theme);
        theme.translate(&mut buf);
        let rows = buf.content.chunks(usize::from(size.0.max(1)));
        rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>())
            .map(|row| row.trim_end().to_owned())
            .collect()
    }

    #[test]
    fn what_adds_stands_above_the_line_and_what_takes_away_below() {
        let values = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        let contributions = [0.0, 2.0, 2.0, 0.0, 0.0, -2.0, -2.0, 0.0];
        let channels = [("x", &values[..])];
        let series =
            ExplainedSeries { channels: &channels, contributions: &contributions, label: "y" };
        let lines = drawn(&series, (16, 10), Glyphs::Ascii);
        assert!(lines[0].starts_with("above: what eac"), "{lines:?}");
        assert_eq!(lines[1..4], ["  ****", "..****....oooo..", "          oooo"]);
        let ends = [lines[4].trim_start(), lines[9].trim_start()];
        assert!(
            ends.iter().all(|end| end.starts_with('*')),
            "the curve fills its part: {lines:#?}"
        );
        assert!(lines[4].starts_with("          "), "it ends at the right: {lines:#?}");
        let flat = drawn(&series, (16, 1), Glyphs::Ascii);
        assert_eq!(flat, ["..####....====.."]);
    }

    #[test]
    fn numbers_stand_beside_the_curve_where_there_is_room() {
        let values = [-1.5, 0.0, 20.0];
        let channels = [("bill", &values[..])];
        let series =
            ExplainedSeries { channels: &channels, contributions: &[1.0, 0.0, -1.0], label: "y" };
        let lines = drawn(&series, (40, 9), Glyphs::Braille);
        assert!(lines[0].contains("bill"), "{lines:#?}");
        assert!(lines.iter().any(|line| line.starts_with("  20")), "{lines:#?}");
        assert!(lines[8].starts_with("−1.5"), "{lines:#?}");
    }

    proptest! {
        #[test]
        fn series_of_any_length_fit_any_area(
            n in 0usize..200, size in (0u16..60, 0u16..20), value in any::<f64>(),
        ) {
            let values: Vec<f64> = (0..n).map(|i| if i % 5 == 0 { value } else { i as f64 }).collect();
            let channels = [("表x", &values[..]), ("b", &values[..n / 2])];
            let series =
                ExplainedSeries { channels: &channels, contributions: &values, label: "y" };
            for glyphs in [Glyphs::Braille, Glyphs::Block, Glyphs::Ascii] {
                drawn(&series, size, glyphs);
            }
        }
    }
}
