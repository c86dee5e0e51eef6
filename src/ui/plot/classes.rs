//! The confusion matrix of many classes, which scrolls.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::grid::{LEVELS, whole};
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::text;

/// Actual against predicted classes, in counts, of as many classes as there are.
///
/// Each cell has the count and a mark that is the higher the larger its share of the row is, so
/// that it reads without colour; what is right stands out from what is wrong.
#[derive(Debug, Clone)]
pub struct ClassGrid<'a> {
    /// The names of the classes, in the order of rows and columns.
    pub classes: &'a [String],
    /// Counts (or weights), one line of the matrix after the other.
    pub counts: &'a [f64],
    /// The actual and predicted class that the cursor is on, if any.
    pub selected: Option<(usize, usize)>,
    /// The first row and column that are shown.
    pub offset: (usize, usize),
}

/// Where there is room, columns stand so far apart.
const ROOMY: usize = 6;
/// A column has no longer name than this.
const LONGEST: usize = 12;

impl ClassGrid<'_> {
    /// How many rows and columns of the matrix an area can show.
    pub fn capacity(&self, area: Rect) -> (usize, usize) {
        let (names, cell) = self.widths(area);
        let columns = usize::from(area.width).saturating_sub(names) / cell;
        (usize::from(area.height.saturating_sub(2)), columns)
    }

    /// The offset nearest to the present one with which the cursor is in view.
    pub fn scrolled(&self, area: Rect) -> (usize, usize) {
        let n = self.classes.len();
        let (rows, columns) = self.capacity(area);
        let along = |offset: usize, at: usize, room: usize| {
            let room = room.max(1);
            let least = (at + 1).saturating_sub(room);
            offset.clamp(least, at.max(least)).min(n.saturating_sub(room))
        };
        match self.selected {
            Some((row, column)) => {
                (along(self.offset.0, row, rows), along(self.offset.1, column, columns))
            }
            None => self.offset,
        }
    }

    /// Draws names at the left and above, and as many cells as fit.
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let area = area.intersection(buf.area);
        let n = self.classes.len();
        if area.is_empty() || n == 0 {
            return;
        }
        let (names, cell) = self.widths(area);
        let (rows, columns) = self.capacity(area);
        let quiet = theme.style(Role::Dim);
        let shown = (self.offset.1, (self.offset.1 + columns).min(n));
        let more = |from: usize, to: usize, [both, before, behind]: [&'static str; 3]| match (
            0 < from,
            to < n,
        ) {
            (true, true) => both,
            (true, false) => before,
            (false, true) => behind,
            (false, false) => "",
        };
        let lines = (self.offset.0, (self.offset.0 + rows).min(n));
        let title = format!("predicted{}", more(shown.0, shown.1, [" ◂▸", " ◂", " ▸"]));
        let room = usize::from(area.width).saturating_sub(names);
        let title = text::fit_right(&title, ((shown.1 - shown.0) * cell).max(9).min(room));
        buf.set_string(area.x + names as u16, area.y, title, quiet);
        if area.height < 2 {
            return;
        }
        buf.set_string(
            area.x,
            area.y + 1,
            text::fit(&format!("actual{}", more(lines.0, lines.1, [" ▴▾", " ▴", " ▾"])), names),
            quiet,
        );
        let chosen = |is: bool| if is { theme.style(Role::Strong) } else { quiet };
        for (k, column) in (shown.0..shown.1).enumerate() {
            let at = area.x + (names + k * cell) as u16;
            let name = text::fit_right(&text::cut(&self.classes[column], cell - 2), cell - 1);
            let is_here = self.selected.is_some_and(|(_, selected)| selected == column);
            buf.set_string(at, area.y + 1, name, chosen(is_here));
        }
        for (k, row) in (self.offset.0..n).take(rows).enumerate() {
            let y = area.y + 2 + k as u16;
            let is_here = self.selected.is_some_and(|(selected, _)| selected == row);
            let style = if is_here { theme.style(Role::Strong) } else { Style::new() };
            buf.set_string(area.x, y, text::fit(&self.classes[row], names - 1), style);
            let line = self.counts.get(row * n..(row + 1) * n).unwrap_or_default();
            let total: f64 = line.iter().sum();
            for (k, column) in (shown.0..shown.1).enumerate() {
                let at = (area.x + (names + k * cell) as u16, y);
                let count = line.get(column).copied();
                self.draw_cell((row, column), count, total, at, cell, buf, theme);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one cell of one frame")]
    fn draw_cell(
        &self,
        place: (usize, usize),
        count: Option<f64>,
        total: f64,
        at: (u16, u16),
        cell: usize,
        buf: &mut Buffer,
        theme: &Theme,
    ) {
        let count = count.unwrap_or(0.0);
        let share = if 0.0 < total { (count / total).clamp(0.0, 1.0) } else { 0.0 };
        // Even one row of many is something else than none.
        let level = if share == 0.0 { 0 } else { 1 + (share * 3.999) as usize };
        let role = match count {
            0.0 => Role::Dim,
            _ if place.0 == place.1 => Role::Good,
            _ => Role::Warn,
        };
        let number = if count == 0.0 { "·".to_owned() } else { whole(count) };
        let number = text::fit_right(&text::cut(&number, cell - 2), cell - 2);
        let style = theme.style(if self.selected == Some(place) { Role::Cursor } else { role });
        buf.set_string(at.0 + 1, at.1, number, style);
        buf.set_string(at.0 + cell as u16 - 1, at.1, LEVELS[level].to_string(), theme.style(role));
    }

    /// The width of the names and of each column: names are cut before columns are left out.
    fn widths(&self, area: Rect) -> (usize, usize) {
        let room = usize::from(area.width);
        let widest = self.classes.iter().map(|class| text::width(class)).max().unwrap_or(0);
        let names = (widest.max(6) + 1).min((room / 3).max(4)).max(2);
        let digits = self.counts.iter().map(|count| text::width(&whole(*count))).max();
        let least = digits.unwrap_or(1).max(2) + 2;
        let wanted = (widest.min(LONGEST) + 2).max(least).max(ROOMY);
        let fair = room.saturating_sub(names) / self.classes.len().max(1);
        // Where they do not all fit anyway, names are worth more than one column more.
        let cell = if least <= fair { wanted.min(fair) } else { wanted.min(ROOMY + 2).max(least) };
        (names, cell)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(grid: &ClassGrid<'_>, width: u16, height: u16) -> Vec<String> {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        grid.render(buf.area, &mut buf, &Theme::default());
        let rows = buf.content.chunks(usize::from(width.max(1)));
        rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>())
            .map(|row| row.trim_end().to_owned())
            .collect()
    }

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("c{i}")).collect()
    }

    #[test]
    fn shares_read_without_colour() {
        let classes = names(3);
        let counts = [35.0, 0.0, 0.0, 3.0, 30.0, 1.0, 0.0, 18.0, 18.0];
        let grid = ClassGrid { classes: &classes, counts: &counts, selected: None, offset: (0, 0) };
        let lines = drawn(&grid, 40, 5);
        let wanted = [
            "                predicted",
            "actual    c0    c1    c2",
            "c0        35▇    ·     ·",
            "c1         3▁   30▇    1▁",
            "c2         ·    18▃   18▃",
        ];
        assert_eq!(lines, wanted);
    }

    #[test]
    fn the_cursor_stays_in_view() {
        let classes = names(100);
        let counts = vec![7.0; 10_000];
        let area = Rect::new(0, 0, 40, 12);
        let mut grid =
            ClassGrid { classes: &classes, counts: &counts, selected: None, offset: (0, 0) };
        for at in [(99, 0), (0, 99), (50, 50), (51, 50), (0, 0)] {
            grid.selected = Some(at);
            grid.offset = grid.scrolled(area);
            let lines = drawn(&grid, 40, 12);
            let (row, column) = (format!("c{}", at.0), format!("c{}", at.1));
            assert!(lines[1].split_whitespace().any(|name| name == column), "{lines:#?}");
            let has_row = |line: &String| line.split_whitespace().next() == Some(row.as_str());
            assert!(lines[2..].iter().any(has_row), "{lines:#?}");
        }
    }

    proptest! {
        #[test]
        fn matrices_of_any_size_fit_any_area(
            n in 0usize..12,
            held in 0usize..12,
            width in 0u16..60,
            height in 0u16..14,
            value in any::<f64>(),
            at in (0usize..14, 0usize..14),
        ) {
            let classes: Vec<String> = (0..n).map(|i| "表x".repeat(i)).collect();
            let counts = vec![value; held * held];
            let mut grid =
                ClassGrid { classes: &classes, counts: &counts, selected: Some(at), offset: at };
            grid.offset = grid.scrolled(Rect::new(0, 0, width, height));
            drawn(&grid, width, height);
        }
    }
}
