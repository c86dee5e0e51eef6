//! The axes of a plot: lines, ticks and numbers in cells.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::plot::scale::Axis;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::text;

/// The parts of the area, in cells.
pub(super) struct Layout {
    pub(super) legend: Option<Rect>,
    pub(super) plot: Rect,
    /// The width of the numbers at the left.
    pub(super) labels: u16,
    /// Whether there is a line for the numbers below.
    pub(super) numbers: bool,
    pub(super) axes: bool,
}

/// Draws the line below the plot, its ticks and numbers, and its name where it fits.
pub(super) fn draw_x_axis(
    layout: &Layout,
    axis: &Axis,
    name: &str,
    buf: &mut Buffer,
    theme: &Theme,
) {
    let plot = layout.plot;
    let row = plot.bottom();
    let quiet = theme.style(Role::Border);
    buf.set_string(plot.x - 1, row, "└", quiet);
    for x in plot.left()..plot.right() {
        buf.set_string(x, row, "─", quiet);
    }
    let most = usize::from(plot.width / 9).clamp(2, 12);
    // Along steps and epochs, which are whole, fractions would say nothing.
    let span = axis.high - axis.low;
    let whole = axis.low.fract() == 0.0 && axis.high.fract() == 0.0 && span >= 3.0;
    let ticks = axis.ticks(if whole && span < most as f64 { span as usize + 1 } else { most });
    let mut labels = LabelLine::new(plot.width);
    for (tick, label) in ticks.iter().zip(axis.labels(&ticks)) {
        let Some(place @ 0.0..=1.0) = axis.place(*tick) else { continue };
        let at = cell(place, plot.width);
        buf.set_string(plot.x + at, row, "┬", quiet);
        labels.put_around(at, &label);
    }
    let dim = theme.style(Role::Dim);
    let name = text::clean(name);
    if layout.numbers {
        labels.put_last(&name);
        buf.set_string(plot.x, row + 1, labels.finish(), dim);
    } else if !name.is_empty() {
        let name = text::cut(&format!(" {name}"), usize::from(plot.width));
        buf.set_string(plot.right() - text::width(&name) as u16, row, &name, dim);
    }
}

/// Draws the line at the left of the plot, its ticks and numbers.
pub(super) fn draw_y_axis(layout: &Layout, axis: &Axis, buf: &mut Buffer, theme: &Theme) {
    let plot = layout.plot;
    let quiet = theme.style(Role::Border);
    for y in plot.top()..plot.bottom() {
        buf.set_string(plot.x - 1, y, "│", quiet);
    }
    let ticks = axis.ticks(y_ticks(plot.height));
    let mut last_row = None;
    for (tick, label) in ticks.iter().zip(axis.labels(&ticks)) {
        let Some(place @ 0.0..=1.0) = axis.place(*tick) else { continue };
        let row = plot.bottom() - 1 - cell(place, plot.height);
        if last_row == Some(row) {
            continue;
        }
        last_row = Some(row);
        let label = text::fit_right(&label, usize::from(layout.labels));
        buf.set_string(plot.x - 2 - layout.labels, row, label, theme.style(Role::Dim));
        buf.set_string(plot.x - 1, row, "┤", quiet);
    }
}

/// How many numbers a y axis of that height has room for.
pub(super) fn y_ticks(height: u16) -> usize {
    usize::from(height / 2).clamp(2, 8)
}

/// The cell on an axis of that many at which a place from nought to one lies.
pub(super) fn cell(place: f64, cells: u16) -> u16 {
    ((place * f64::from(cells)) as u16).min(cells.saturating_sub(1))
}

/// The line below an axis, filled from the left, in which no label touches another.
struct LabelLine {
    cells: Vec<char>,
}

impl LabelLine {
    fn new(width: u16) -> Self {
        Self { cells: vec![' '; usize::from(width)] }
    }

    /// Puts a number below its tick, if there is room.
    fn put_around(&mut self, at: u16, label: &str) {
        let long = label.chars().count();
        let Some(most) = self.cells.len().checked_sub(long) else { return };
        let start = usize::from(at).saturating_sub(long / 2).min(most);
        if self.is_free(start, long) {
            self.put(start, label);
        }
    }

    /// Puts a name into the last gap that is wide enough; numbers in the middle make room for it,
    /// and without room beside the first and the last number there is no name.
    fn put_last(&mut self, name: &str) {
        let name = text::cut(name, self.cells.len() / 2);
        // One cell for each character, so that the line can be built of them.
        let long = name.chars().count();
        if long == 0 || text::width(&name) != long {
            return;
        }
        let most = self.cells.len() - long;
        let free = |line: &Self| (0..=most).rev().find(|start| line.is_free(*start, long));
        let start = free(self).or_else(|| {
            let from = self.cells.iter().position(|c| *c != ' ')?;
            let from = from + self.cells[from..].iter().position(|c| *c == ' ')?;
            let to = self.cells.iter().rposition(|c| *c != ' ')?;
            let to = self.cells[..to].iter().rposition(|c| *c == ' ')?;
            if to < from + long + 1 {
                return None;
            }
            self.cells[from..=to].fill(' ');
            free(self)
        });
        let Some(start) = start else { return };
        // In the gap before the last number the name stands in the middle.
        let gap = (0..start).rev().take_while(|start| self.is_free(*start, long)).count();
        let start = if start == most { start } else { start - gap / 2 };
        self.put(start, &name);
    }

    fn finish(self) -> String {
        self.cells.into_iter().collect()
    }

    /// Whether a stretch and the cells beside it are blank.
    fn is_free(&self, start: usize, long: usize) -> bool {
        let end = (start + long + 1).min(self.cells.len());
        self.cells[start.saturating_sub(1)..end].iter().all(|c| *c == ' ')
    }

    fn put(&mut self, start: usize, label: &str) {
        for (cell, c) in self.cells[start..].iter_mut().zip(label.chars()) {
            *cell = c;
        }
    }
}
