//! Numbers in a square: correlations and confusion.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::numbers;
use crate::ui::widgets::text;

/// Marks behind a number, by how far it is from nought.
pub(super) const LEVELS: [char; 5] = [' ', '▁', '▃', '▅', '▇'];

/// A matrix of values from −1 to 1, with names: correlations.
///
/// Each cell has the number, a mark as high as it is strong, and a colour for the sign.
#[derive(Debug, Clone)]
pub struct HeatMatrix<'a> {
    /// The names of rows and columns alike.
    pub names: &'a [String],
    /// The values row by row; `None` is undefined.
    pub values: &'a [Vec<Option<f64>>],
    /// The row and column that the cursor is on, if any.
    pub selected: Option<(usize, usize)>,
    /// The first row and column that are shown.
    pub offset: (usize, usize),
}

impl HeatMatrix<'_> {
    /// The width of one column of numbers.
    const CELL: usize = 7;

    /// How many rows and columns of the matrix an area can show.
    pub fn capacity(&self, area: Rect) -> (usize, usize) {
        let columns = usize::from(area.width).saturating_sub(self.name_width(area)) / Self::CELL;
        (usize::from(area.height.saturating_sub(1)), columns)
    }

    /// Draws names at the left, numbers of the columns above, and as many cells as fit.
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let names = self.name_width(area);
        let (rows, columns) = self.capacity(area);
        let quiet = theme.style(Role::Dim);
        for (k, column) in (self.offset.1..self.names.len()).take(columns).enumerate() {
            let at = area.x + (names + k * Self::CELL) as u16;
            let chosen = self.selected.is_some_and(|(_, selected)| selected == column);
            let style = if chosen { theme.style(Role::Strong) } else { quiet };
            buf.set_string(
                at,
                area.y,
                text::fit_right(&(column + 1).to_string(), Self::CELL - 1),
                style,
            );
        }
        for (k, row) in (self.offset.0..self.names.len()).take(rows).enumerate() {
            let y = area.y + 1 + k as u16;
            let chosen = self.selected.is_some_and(|(selected, _)| selected == row);
            let style = if chosen { theme.style(Role::Strong) } else { Style::new() };
            let name = format!("{:>2} {}", row + 1, self.names[row]);
            buf.set_string(area.x, y, text::fit(&name, names - 1), style);
            for (k, column) in (self.offset.1..self.names.len()).take(columns).enumerate() {
                let value = self.values.get(row).and_then(|values| values.get(column)).copied();
                let at = area.x + (names + k * Self::CELL) as u16;
                self.draw_cell((row, column), value.flatten(), (at, y), buf, theme);
            }
        }
    }

    fn draw_cell(
        &self,
        cell: (usize, usize),
        value: Option<f64>,
        at: (u16, u16),
        buf: &mut Buffer,
        theme: &Theme,
    ) {
        let strength = value.map_or(0.0, |value| value.abs().min(1.0));
        let level = LEVELS[((strength * 5.0) as usize).min(LEVELS.len() - 1)];
        let role = match value {
            _ if cell.0 == cell.1 => Role::Dim,
            None => Role::Guess,
            Some(value) if value.abs() < 0.2 => Role::Dim,
            Some(value) if value < 0.0 => Role::SeriesB,
            Some(_) => Role::SeriesA,
        };
        let mut style = theme.style(role);
        if strength >= 0.6 && cell.0 != cell.1 {
            style = style.add_modifier(Modifier::BOLD);
        }
        let number = text::fit_right(&numbers::optional(value, 2), Self::CELL - 2);
        buf.set_string(at.0 + Self::CELL as u16 - 1, at.1, level.to_string(), theme.style(role));
        let style = if self.selected == Some(cell) { theme.style(Role::Cursor) } else { style };
        buf.set_string(at.0 + 1, at.1, number, style);
    }

    fn name_width(&self, area: Rect) -> usize {
        let widest = self.names.iter().map(|name| text::width(name)).max().unwrap_or(0) + 4;
        widest.min(usize::from(area.width) / 3).max(6)
    }
}

/// Actual against predicted classes, in counts.
#[derive(Debug, Clone)]
pub struct ConfusionGrid<'a> {
    /// The names of the classes, in the order of rows and columns.
    pub classes: &'a [String],
    /// Counts (or weights), one row for each actual class.
    pub counts: &'a [Vec<f64>],
    /// The actual and predicted class that the cursor is on, if any.
    pub selected: Option<(usize, usize)>,
}

impl ConfusionGrid<'_> {
    /// The cells that the grid would like to have: width and height.
    pub fn wanted(&self) -> (u16, u16) {
        let (names, cell) = self.widths(200);
        let n = self.classes.len();
        ((names + n * cell) as u16, (n + 2) as u16)
    }

    /// Draws the grid, as many classes of it as fit.
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let area = area.intersection(buf.area);
        let n = self.classes.len();
        if area.is_empty() || n == 0 {
            return;
        }
        let (names, cell) = self.widths(usize::from(area.width));
        let columns = n.min(usize::from(area.width).saturating_sub(names) / cell.max(1));
        let quiet = theme.style(Role::Dim);
        let roomy = usize::from(area.height) > n + 1;
        let mut y = area.y;
        if roomy {
            let room = usize::from(area.width).saturating_sub(names);
            let title = text::fit_right("predicted", (columns * cell).max(9).min(room));
            buf.set_string(area.x + names as u16, y, title, quiet);
            y += 1;
        }
        buf.set_string(area.x, y, text::fit("actual", names), quiet);
        for (k, class) in self.classes.iter().take(columns).enumerate() {
            let at = area.x + (names + k * cell) as u16;
            let title = text::fit_right(&text::cut(class, cell - 1), cell);
            buf.set_string(at, y, title, Style::new());
        }
        for (row, class) in self.classes.iter().enumerate() {
            y += 1;
            if y >= area.bottom() {
                break;
            }
            buf.set_string(area.x, y, text::fit(class, names), Style::new());
            for column in 0..columns {
                let count = self.counts.get(row).and_then(|counts| counts.get(column));
                let role = match count {
                    _ if self.selected == Some((row, column)) => Role::Cursor,
                    Some(count) if *count == 0.0 => Role::Dim,
                    _ if row == column => Role::Good,
                    _ => Role::Warn,
                };
                let number = count.map_or_else(|| numbers::NONE.to_owned(), |n| whole(*n));
                let at = area.x + (names + column * cell) as u16;
                let lead = cell.saturating_sub(text::width(&number)) as u16;
                let number = text::cut(&number, cell);
                buf.set_string(at + lead, y, number, theme.style(role));
            }
        }
    }

    /// The width of the names and of each column.
    fn widths(&self, room: usize) -> (usize, usize) {
        let widest = self.classes.iter().map(|class| text::width(class)).max().unwrap_or(0);
        let names = (widest.max(6) + 1).min((room / 3).max(4));
        let counts = self.counts.iter().flatten().map(|count| whole(*count).len()).max();
        let n = self.classes.len().max(1);
        let wanted = widest.max(counts.unwrap_or(0)).max(5) + 2;
        (names, wanted.min(room.saturating_sub(names) / n).max(counts.unwrap_or(0) + 1).max(4))
    }
}

/// A count without decimals, a weight with one.
pub(super) fn whole(count: f64) -> String {
    numbers::fixed(count, usize::from(count.fract() != 0.0 && count < 1e5))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(draw: impl Fn(Rect, &mut Buffer), width: u16, height: u16) -> Vec<String> {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        draw(buf.area, &mut buf);
        let rows = buf.content.chunks(usize::from(width.max(1)));
        rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>())
            .map(|row| row.trim_end().to_owned())
            .collect()
    }

    #[test]
    fn confusion_reads_actual_down_and_predicted_across() {
        let classes = ["good".to_owned(), "bad".to_owned()];
        let counts = [vec![1108.0, 32.0], vec![19.0, 41.0]];
        let grid = ConfusionGrid { classes: &classes, counts: &counts, selected: Some((1, 0)) };
        let (width, height) = grid.wanted();
        let lines = drawn(|area, buf| grid.render(area, buf, &Theme::default()), width, height);
        let wanted = [
            "            predicted",
            "actual    good    bad",
            "good     1,108     32",
            "bad         19     41",
        ];
        assert_eq!(lines, wanted);
    }

    #[test]
    fn correlations_show_number_and_strength() {
        let names = ["age".to_owned(), "amount".to_owned()];
        let values = [vec![Some(1.0), Some(-0.7)], vec![Some(-0.7), None]];
        let matrix = HeatMatrix { names: &names, values: &values, selected: None, offset: (0, 0) };
        let lines = drawn(|area, buf| matrix.render(area, buf, &Theme::default()), 40, 3);
        assert_eq!(
            lines,
            ["               1      2", " 1 age      1.00▇ −0.70▅", " 2 amount  −0.70▅     –"]
        );
    }

    proptest! {
        #[test]
        fn grids_of_any_size_fit_any_area(n in 0usize..12, rows in 0usize..12, width in 0u16..60, height in 0u16..14, value in any::<f64>()) {
            let names: Vec<String> = (0..n).map(|i| "表x".repeat(i)).collect();
            let values = vec![vec![Some(value); rows]; rows];
            let counts = vec![vec![value; rows]; rows];
            drawn(|area, buf| {
                HeatMatrix { names: &names, values: &values, selected: Some((1, 1)), offset: (rows / 2, 0) }.render(area, buf, &Theme::default());
                ConfusionGrid { classes: &names, counts: &counts, selected: Some((0, 1)) }.render(area, buf, &Theme::default());
            }, width, height);
        }
    }
}
