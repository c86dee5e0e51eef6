//! Drawing: from the state of the screen to its cells.
//!
//! [`draw`] takes the state as it is; only scroll offsets change, and they live in [`ViewState`].

mod chrome;
mod classes;
mod compare;
mod data;
mod eval_tables;
mod evaluation;
mod explain;
mod gallery;
mod model;
mod monitor;
mod network;
mod overlay;
mod plots;
mod portrait;
mod rows;
mod serve;
mod training;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::app::{App, Pane, Screen};
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::{Cell, Column, DataTable, TableState, line, text};

/// The smallest terminal on which something can be shown.
const LEAST: (u16, u16) = (40, 12);

/// From this size on all four panes are in sight.
const ALL_PANES: (u16, u16) = (120, 36);

/// Where every list is scrolled to.
#[derive(Debug, Default)]
pub struct ViewState {
    columns: TableState,
    table: TableState,
    answer: TableState,
    findings: TableState,
    runs: TableState,
    layers: TableState,
    deciles: TableState,
    coefficients: TableState,
    classes: TableState,
    worst: TableState,
    /// The first row and column of the confusion matrix of several classes.
    confusion: (usize, usize),
    leaderboard: TableState,
    contributions: TableState,
    served: [TableState; 4],
    monitored: [TableState; 4],
    rows: TableState,
    gallery: usize,
    network: usize,
    fields: usize,
    pair: (usize, usize),
    /// How far the page that is shown can be scrolled.
    pub scroll_end: usize,
    /// How many rows the list with the keyboard shows: the length of a page.
    pub page: usize,
}

/// What a pane's drawing is given.
struct Canvas<'a> {
    buf: &'a mut Buffer,
    theme: &'a Theme,
}

impl Canvas<'_> {
    /// Words in the first line of an area, the first fitting ones.
    fn words(&mut self, area: Rect, words: &[(String, Role)]) -> u16 {
        if area.is_empty() {
            return area.x;
        }
        let words: Vec<(&str, Role)> = words.iter().map(|(t, r)| (t.as_str(), *r)).collect();
        line::words(&words, area, self.buf, self.theme)
    }

    /// Words that end at the right edge of an area's first line.
    fn words_right(&mut self, area: Rect, words: &[(String, Role)]) {
        if area.is_empty() {
            return;
        }
        let words: Vec<(&str, Role)> = words.iter().map(|(t, r)| (t.as_str(), *r)).collect();
        line::words_right(&words, area, self.buf, self.theme);
    }

    /// Text broken into lines; returns how many it took. What does not fit leaves a `…`.
    fn paragraph(&mut self, area: Rect, paragraph: &str, role: Role) -> u16 {
        let mut lines = text::wrap(paragraph, usize::from(area.width));
        text::cut_lines(&mut lines, usize::from(area.height), usize::from(area.width));
        let n = lines.len();
        for (i, words) in lines.into_iter().enumerate() {
            self.words(row(area, i as u16), &[(words, role)]);
        }
        n as u16
    }

    /// Lines of words; where there is no room for all, the last one in sight says how many go.
    fn lines(&mut self, area: Rect, lines: &[Vec<(String, Role)>]) {
        let room = usize::from(area.height);
        let shown = if lines.len() > room { room.saturating_sub(1) } else { lines.len() };
        for (i, words) in lines.iter().take(shown).enumerate() {
            self.words(row(area, i as u16), words);
        }
        if shown < lines.len() {
            let more = format!(" … {} more lines", lines.len() - shown);
            self.words(row(area, shown as u16), &[word(more, Role::Dim)]);
        }
    }
}

/// A list of which one row is chosen.
struct List<'a> {
    /// Its columns.
    columns: &'a [Column],
    /// How many rows there are.
    n: usize,
    /// The cells of a row.
    cells: &'a dyn Fn(usize) -> Option<Vec<Cell>>,
    /// What is said when there is none.
    empty: &'a str,
    /// The chosen row.
    selected: usize,
    /// Whether it has the keyboard.
    focused: bool,
}

impl List<'_> {
    /// Draws it; `place` is where it is scrolled to.
    fn draw(
        &self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        state: &mut ViewState,
        place: fn(&mut ViewState) -> &mut TableState,
    ) {
        note_page(state, self.focused, area.height);
        let place = place(state);
        place.selected = self.selected;
        DataTable {
            columns: self.columns,
            rows: Some(self.n),
            row: self.cells,
            focused: self.focused,
            cell_cursor: false,
            frozen: 0,
            footer: true,
            empty: self.empty,
        }
        .render(area, canvas.buf, canvas.theme, place);
    }
}

/// The `i`th line of an area; empty below its end.
fn row(area: Rect, i: u16) -> Rect {
    if i >= area.height {
        return Rect { height: 0, width: 0, ..area };
    }
    Rect { y: area.y + i, height: 1, ..area }
}

/// The lines of an area from the `i`th on.
fn below(area: Rect, i: u16) -> Rect {
    let i = i.min(area.height);
    Rect { y: area.y + i, height: area.height - i, ..area }
}

/// A word with its role.
fn word(text: impl Into<String>, role: Role) -> (String, Role) {
    (text.into(), role)
}

/// Draws one frame.
pub fn draw(app: &App, state: &mut ViewState, frame: &mut Frame<'_>) {
    let area = frame.area();
    let mut canvas = Canvas { buf: frame.buffer_mut(), theme: &app.theme };
    let cursor = paint(app, state, &mut canvas, area);
    app.theme.translate(frame.buffer_mut());
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}

fn paint(
    app: &App,
    state: &mut ViewState,
    canvas: &mut Canvas<'_>,
    area: Rect,
) -> Option<ratatui::layout::Position> {
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let text = format!("karat needs {} × {} characters", LEAST.0, LEAST.1);
        canvas.paragraph(area, &text, Role::Text);
        return None;
    }
    chrome::header(app, canvas, row(area, 0));
    let body = Rect { y: area.y + 1, height: area.height - 3, ..area };
    match app.screen {
        Screen::Gallery => gallery::draw(app, state, canvas, body),
        Screen::Compare => compare::draw(app, state, canvas, body),
        Screen::Explain => explain::draw(app, state, canvas, body),
        Screen::Serve => serve::draw(app, state, canvas, body),
        Screen::Monitor => monitor::draw(app, state, canvas, body),
        Screen::Workbench => workbench(app, state, canvas, body, area),
    }
    if area.height >= 3 {
        chrome::message(app, canvas, row(area, area.height - 2));
        chrome::footer(app, canvas, row(area, area.height - 1));
    }
    overlay::draw(app, state, canvas, body)
}

fn workbench(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, body: Rect, all: Rect) {
    let roomy = all.width >= ALL_PANES.0 && all.height >= ALL_PANES.1;
    if app.zoomed {
        return pane(app, state, canvas, app.focus, body, true);
    }
    if !roomy {
        let lines = 3.min(body.height.saturating_sub(8));
        let front = Rect { height: body.height - lines, ..body };
        pane(app, state, canvas, app.focus, front, true);
        let others = Pane::ALL.into_iter().filter(|p| *p != app.focus);
        for (i, other) in others.enumerate().take(usize::from(lines)) {
            chrome::summary(app, canvas, other, row(body, front.height + i as u16));
        }
        return;
    }
    let left = body.width * 11 / 20;
    let top = body.height * 11 / 20;
    let (right, bottom) = (body.width - left, body.height - top);
    let places = [
        Rect { width: left, height: top, ..body },
        Rect { x: body.x + left, width: right, height: top, ..body },
        Rect { y: body.y + top, width: left, height: bottom, ..body },
        Rect { x: body.x + left, y: body.y + top, width: right, height: bottom },
    ];
    for (which, place) in Pane::ALL.into_iter().zip(places) {
        pane(app, state, canvas, which, place, which == app.focus);
    }
}

fn pane(
    app: &App,
    state: &mut ViewState,
    canvas: &mut Canvas<'_>,
    which: Pane,
    area: Rect,
    focused: bool,
) {
    let focused = focused && app.overlays.is_empty();
    match which {
        Pane::Data => data::draw(app, state, canvas, area, focused),
        Pane::Model => model::draw(app, state, canvas, area, focused),
        Pane::Training => training::draw(app, state, canvas, area, focused),
        Pane::Evaluation => evaluation::draw(app, state, canvas, area, focused),
    }
}

/// Notes how long a page is, when the list has the keyboard.
fn note_page(state: &mut ViewState, focused: bool, height: u16) {
    if focused {
        state.page = usize::from(height).saturating_sub(1).max(1);
    }
}
