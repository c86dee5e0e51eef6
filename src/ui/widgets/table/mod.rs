//! A table that is drawn from the rows in view alone, however long it is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::line;
use crate::ui::widgets::numbers;
use crate::ui::widgets::text;

/// On which side the texts of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// Words.
    #[default]
    Left,
    /// Numbers.
    Right,
}

/// One column: its heading and how it behaves where room is short.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Column {
    /// The heading, with its unit.
    pub title: String,
    /// The side its texts stand on.
    pub align: Align,
    /// Nought is never dropped; of the others the highest goes first.
    pub priority: u8,
    /// The least width to which it may be cut before columns are dropped.
    pub min: u16,
    /// The greatest width it takes however long its texts are; nought is no limit.
    pub max: u16,
    /// Whether its texts are drawings, which keep their look in the chosen row.
    pub is_drawn: bool,
}

impl Column {
    /// A column of words.
    pub fn left(title: impl Into<String>) -> Self {
        Self { title: title.into(), min: 10, max: 32, ..Self::default() }
    }

    /// A column of numbers, which are never cut.
    pub fn right(title: impl Into<String>) -> Self {
        Self { title: title.into(), align: Align::Right, ..Self::default() }
    }

    /// The column, to be dropped before those of lower priority.
    #[must_use]
    pub fn priority(mut self, priority: u8) -> Self {
        self.priority = priority;
        self
    }

    /// The column, of drawings: bars and courses.
    #[must_use]
    pub fn drawn(mut self) -> Self {
        self.is_drawn = true;
        self
    }

    /// The column, between these widths.
    #[must_use]
    pub fn widths(mut self, min: u16, max: u16) -> Self {
        (self.min, self.max) = (min, max);
        self
    }
}

/// A text with its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// What stands in the cell; it is cleaned when drawn.
    pub text: String,
    /// What it means.
    pub role: Role,
}

impl Cell {
    /// A text that means something beyond itself.
    pub fn new(text: impl Into<String>, role: Role) -> Self {
        Self { text: text.into(), role }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Role::Text)
    }
}

/// Where a person is in a table; it outlives the frames.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableState {
    /// The chosen row, from nought.
    pub selected: usize,
    /// The first row in view.
    pub offset: usize,
    /// The column of the cursor, from nought.
    pub column: usize,
    /// The first column in view after the frozen ones.
    pub first_column: usize,
    /// How many rows the last frame had room for: the length of a page.
    pub page: usize,
    /// How many rows the table had in the last frame.
    pub rows: usize,
    /// The widths so far, which only grow, so that scrolling does not make columns jump.
    widths: Vec<usize>,
    /// What the widths were measured for.
    titles: Vec<String>,
}

impl TableState {
    /// Moves the choice by rows, stopping at the ends.
    pub fn move_by(&mut self, rows: isize) {
        let last = self.rows.saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(rows).min(last);
    }

    /// Moves the choice by pages, less one row that stays in view.
    pub fn move_pages(&mut self, pages: isize) {
        let page = self.page.saturating_sub(1).max(1) as isize;
        self.move_by(pages.saturating_mul(page));
    }

    /// Moves the cursor by columns, stopping at the ends.
    pub fn move_columns(&mut self, by: isize, columns: usize) {
        self.column = self.column.saturating_add_signed(by).min(columns.saturating_sub(1));
    }
}

/// A table over rows that are asked for when they are in view.
pub struct DataTable<'a> {
    /// The columns, from left to right.
    pub columns: &'a [Column],
    /// How many rows there are; `None` while they are still being counted.
    pub rows: Option<usize>,
    /// The cells of a row, from nought; `None` for a row that is not there or not yet read.
    pub row: &'a dyn Fn(usize) -> Option<Vec<Cell>>,
    /// Whether the keyboard is here.
    pub focused: bool,
    /// Whether one cell of the chosen row is marked, not the whole row alone.
    pub cell_cursor: bool,
    /// How many columns at the left stay when the others scroll.
    pub frozen: usize,
    /// Whether the last line says `row 1 of 21` when not all rows are in view.
    pub footer: bool,
    /// What is said where there is no row.
    pub empty: &'a str,
}

/// A column in view: which, where, how wide.
struct Place {
    column: usize,
    x: u16,
    width: usize,
}

/// The blanks between two columns.
const GAP: usize = 2;

impl DataTable<'_> {
    /// Draws heading, rows in view and footer, and keeps the choice in view.
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme, state: &mut TableState) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let total = self.rows.unwrap_or(usize::MAX);
        let mut height = usize::from(area.height).saturating_sub(1);
        let footer = self.footer && height > 3 && total > height;
        height -= usize::from(footer);
        scroll(state, total, height);
        let visible: Vec<Vec<Cell>> =
            (state.offset..total.min(state.offset + height)).map_while(self.row).collect();
        state.rows = self.rows.unwrap_or(state.offset + visible.len());
        state.page = height;
        let places = self.places(area, &visible, state);
        self.draw_header(area, &places, buf, theme, state);
        if visible.is_empty() {
            let mut lines = text::wrap(self.empty, usize::from(area.width));
            text::cut_lines(&mut lines, height, usize::from(area.width));
            for (y, line) in (area.y + 1..area.bottom()).zip(lines) {
                buf.set_string(area.x, y, line, theme.style(Role::Dim));
            }
            return;
        }
        for (i, cells) in visible.iter().enumerate() {
            let y = area.y + 1 + i as u16;
            let line = Rect { y, height: 1, ..area };
            self.draw_row(
                cells,
                state.offset + i == state.selected,
                line,
                &places,
                buf,
                theme,
                state,
            );
        }
        if footer {
            let line = Rect { y: area.bottom() - 1, height: 1, ..area };
            let below = self.rows.map(|rows| rows.saturating_sub(state.offset + visible.len()));
            let more = match below {
                Some(0) => String::new(),
                Some(rows) => format!("… {} more", numbers::count(rows)),
                None => "… more".to_owned(),
            };
            let of = self.rows.map_or_else(|| "many".to_owned(), numbers::count);
            let at = format!("row {} of {of}", numbers::count(state.selected + 1));
            line::words(&[(" ", Role::Dim), (&more, Role::Dim)], line, buf, theme);
            line::words_right(&[(&at, Role::Dim)], line, buf, theme);
        }
    }

    /// Which columns are in view, where, and how wide.
    fn places(&self, area: Rect, visible: &[Vec<Cell>], state: &mut TableState) -> Vec<Place> {
        self.measure(visible, state);
        let n = self.columns.len();
        let frozen = self.frozen.min(n);
        let room = usize::from(area.width).saturating_sub(1);
        let natural = |i: usize| {
            let max = usize::from(self.columns[i].max);
            let wanted = state.widths[i];
            if max > 0 { wanted.min(max.max(text::width(&self.columns[i].title))) } else { wanted }
        };
        let scrolls = self.cell_cursor || state.first_column > 0;
        let mut chosen: Vec<usize> = (0..n).collect();
        if scrolls {
            state.first_column = self.first_column(frozen, room, state, &natural);
            chosen.retain(|i| *i < frozen || *i >= state.first_column);
        }
        let least = |i: usize| match self.columns[i].min {
            0 => natural(i),
            min => natural(i).min(usize::from(min)),
        };
        let sum = |chosen: &[usize], width: &dyn Fn(usize) -> usize| {
            chosen.iter().map(|i| width(*i) + GAP).sum::<usize>().saturating_sub(GAP)
        };
        while !scrolls && sum(&chosen, &least) > room {
            let droppable =
                chosen.iter().enumerate().filter(|(_, i)| self.columns[**i].priority > 0);
            let Some((at, _)) = droppable.max_by_key(|(_, i)| self.columns[**i].priority) else {
                break;
            };
            chosen.remove(at);
        }
        // Columns that may be cut give up their surplus in turn, the widest first.
        let mut widths: Vec<usize> = chosen.iter().map(|i| natural(*i)).collect();
        let mut over = sum(&chosen, &natural).saturating_sub(room);
        while over > 0 && !scrolls {
            let widest = (0..chosen.len())
                .filter(|k| widths[*k] > least(chosen[*k]))
                .max_by_key(|k| widths[*k]);
            let Some(k) = widest else { break };
            widths[k] -= 1;
            over -= 1;
        }
        let mut places = Vec::new();
        let mut x = 1;
        for (column, width) in chosen.into_iter().zip(widths) {
            if x >= usize::from(area.width) {
                break;
            }
            let left = usize::from(area.width) - x;
            // Half a number is a wrong number; of a word some letters are enough.
            if width > left && !places.is_empty() {
                let words = self.columns[column].align == Align::Left;
                if !words || left < 5 {
                    break;
                }
            }
            let width = width.min(left);
            places.push(Place { column, x: area.x + x as u16, width });
            x += width + GAP;
        }
        places
    }

    /// The first scrolled column with which the cursor's column is in view.
    fn first_column(
        &self,
        frozen: usize,
        room: usize,
        state: &TableState,
        natural: &dyn Fn(usize) -> usize,
    ) -> usize {
        let column = state.column.min(self.columns.len().saturating_sub(1));
        let fixed: usize = (0..frozen).map(|i| natural(i) + GAP).sum();
        if column < frozen {
            return frozen;
        }
        let mut first = state.first_column.max(frozen);
        first = first.min(column);
        let used =
            |first: usize| fixed + (first..=column).map(|i| natural(i) + GAP).sum::<usize>() - GAP;
        while first < column && used(first) > room {
            first += 1;
        }
        first
    }

    /// Lets the widths grow to what is in view.
    fn measure(&self, visible: &[Vec<Cell>], state: &mut TableState) {
        let same = state.titles.len() == self.columns.len()
            && state.titles.iter().zip(self.columns).all(|(old, new)| *old == new.title);
        if !same {
            state.titles = self.columns.iter().map(|column| column.title.clone()).collect();
            state.widths = state.titles.iter().map(|title| text::width(title)).collect();
        }
        for cells in visible {
            for (width, cell) in state.widths.iter_mut().zip(cells) {
                *width = (*width).max(text::width(&cell.text));
            }
        }
    }

    fn draw_header(
        &self,
        area: Rect,
        places: &[Place],
        buf: &mut Buffer,
        theme: &Theme,
        state: &TableState,
    ) {
        for place in places {
            let column = &self.columns[place.column];
            let title = fit(&column.title, place.width, column.align);
            let here = self.cell_cursor && self.focused && place.column == state.column;
            let role = if here { Role::Tab } else { Role::Dim };
            let blanks = title.len() - title.trim_start().len();
            buf.set_string(place.x + blanks as u16, area.y, title.trim(), theme.style(role));
        }
        let last = places.last().map_or(0, |place| place.column + 1);
        if last < self.columns.len() && self.cell_cursor && area.width > 2 {
            buf.set_string(area.right() - 1, area.y, "▸", theme.style(Role::Dim));
        }
        let end = places.last().map_or(area.x, |place| place.x + place.width as u16);
        if places.len() < self.columns.len() && !self.cell_cursor && end < area.right() {
            buf.set_string(area.right() - 1, area.y, "…", theme.style(Role::Dim));
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one line of one frame; a struct would be no clearer"
    )]
    fn draw_row(
        &self,
        cells: &[Cell],
        selected: bool,
        line: Rect,
        places: &[Place],
        buf: &mut Buffer,
        theme: &Theme,
        state: &TableState,
    ) {
        let row = match (selected, self.focused) {
            (true, true) => Some(theme.style(Role::Selected)),
            (true, false) => Some(theme.style(Role::SelectedIdle)),
            (false, _) => None,
        };
        if let Some(style) = row {
            buf.set_style(line, style);
            buf.set_string(line.x, line.y, "▸", style);
        }
        for place in places {
            let Some(cell) = cells.get(place.column) else { continue };
            let shown = fit(&cell.text, place.width, self.columns[place.column].align);
            let is_drawn = self.columns[place.column].is_drawn && !cell.text.is_empty();
            let style = match row {
                Some(_) if self.focused && self.cell_cursor && place.column == state.column => {
                    theme
                        .style(Role::Cursor)
                        .bg(ratatui::style::Color::Reset)
                        .fg(ratatui::style::Color::Reset)
                }
                // A bar turned inside out, or in the colour of the choice, tells nothing.
                Some(style) if is_drawn && !paints(style) => theme.style(cell.role),
                Some(style) if self.focused => style,
                Some(style) => theme.style(cell.role).patch(style),
                None => theme.style(cell.role),
            };
            // A gap parts a drawing from a choice that is shown by turning colours round.
            if row.is_some_and(|style| !paints(style)) && is_drawn && place.x > line.x {
                buf[(place.x - 1, line.y)].set_style(Style::reset());
            }
            buf.set_string(place.x, line.y, shown, Style::reset().patch(style));
        }
    }
}

/// Whether a choice is shown by a ground of its own, on which drawings can be read as they are.
fn paints(style: Style) -> bool {
    style.bg.is_some_and(|ground| ground != Color::Reset)
        && !style.add_modifier.contains(Modifier::REVERSED)
}

/// Brings offset and choice into the table.
fn scroll(state: &mut TableState, total: usize, height: usize) {
    state.selected = state.selected.min(total.saturating_sub(1));
    let height = height.max(1);
    if state.selected < state.offset {
        state.offset = state.selected;
    } else if state.selected >= state.offset + height {
        state.offset = state.selected + 1 - height;
    }
    state.offset = state.offset.min(total.saturating_sub(height));
}

fn fit(shown: &str, width: usize, align: Align) -> String {
    match align {
        Align::Left => text::fit(shown, width),
        Align::Right => text::fit_right(shown, width),
    }
}

#[cfg(test)]
mod tests;
