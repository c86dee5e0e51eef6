//! A list to choose from, narrowed by typing: the palette, files, columns, model kinds.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::field::TextField;
use crate::ui::widgets::fuzzy;
use crate::ui::widgets::line;
use crate::ui::widgets::text;

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// What it is called, and what typing searches first.
    pub label: String,
    /// What it does or is; searched as well.
    pub note: String,
    /// What stands at the right: its key, its state.
    pub right: String,
    /// Why it cannot be chosen at present; such entries are shown, dimmed, with their reason.
    pub disabled: Option<String>,
}

impl Choice {
    /// An entry with a note.
    pub fn new(label: impl Into<String>, note: impl Into<String>) -> Self {
        Self { label: label.into(), note: note.into(), ..Self::default() }
    }
}

/// A list with a search line; which entries are shown follows from what is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picker {
    /// The search line.
    pub query: TextField,
    choices: Vec<Choice>,
    /// Entries found, best first, with the letters of the label that matched.
    found: Vec<(usize, Vec<usize>)>,
    selected: usize,
    offset: usize,
    page: usize,
}

impl Picker {
    /// A list of which all entries are shown, the first one chosen.
    pub fn new(choices: Vec<Choice>) -> Self {
        let mut picker = Self { choices, ..Self::default() };
        picker.search();
        picker
    }

    /// The entries, in the order in which they were given.
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// The index of the chosen entry among [`Self::choices`]; `None` where nothing is found.
    pub fn chosen(&self) -> Option<usize> {
        self.found.get(self.selected).map(|(i, _)| *i)
    }

    /// Puts the choice on an entry, if it is shown.
    pub fn choose(&mut self, index: usize) {
        if let Some(at) = self.found.iter().position(|(i, _)| *i == index) {
            self.selected = at;
        }
    }

    /// How many entries are shown.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether no entry is shown.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Moves the choice by entries, going round at the ends.
    pub fn move_by(&mut self, by: isize) {
        let n = self.found.len() as isize;
        if n > 0 {
            self.selected = (self.selected as isize + by).rem_euclid(n) as usize;
        }
    }

    /// Takes a key in: moves the choice or edits the search; false if it has no use for it.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let page = self.page.saturating_sub(1).max(1);
        match key.code {
            KeyCode::Up => self.move_by(-1),
            KeyCode::Down => self.move_by(1),
            KeyCode::Char('p' | 'k') if ctrl => self.move_by(-1),
            KeyCode::Char('n' | 'j') if ctrl => self.move_by(1),
            KeyCode::PageUp => self.selected = self.selected.saturating_sub(page),
            KeyCode::PageDown => {
                self.selected = (self.selected + page).min(self.found.len().saturating_sub(1));
            }
            _ => {
                let before = self.query.text().to_owned();
                let used = self.query.key(key);
                if self.query.text() != before {
                    self.search();
                }
                return used;
            }
        }
        true
    }

    /// Puts a pasted text into the search.
    pub fn paste(&mut self, pasted: &str) {
        self.query.insert(pasted);
        self.search();
    }

    /// Draws the search line behind a prompt and the entries below; returns where the cursor is.
    pub fn render(
        &mut self,
        prompt: &str,
        area: Rect,
        buf: &mut Buffer,
        theme: &Theme,
    ) -> Option<Position> {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return None;
        }
        let search = Rect { height: 1, ..area };
        let x = line::words(&[(prompt, Role::Accent), (" ", Role::Text)], search, buf, theme);
        let count = format!(" {} of {}", self.found.len(), self.choices.len());
        let end = line::words_right(&[(&count, Role::Dim)], search, buf, theme);
        let field = Rect { x, width: end.saturating_sub(x), ..search };
        let cursor = self.query.render("type to search", field, buf, theme);
        let list = Rect { y: area.y + 1, height: area.height - 1, ..area };
        self.page = usize::from(list.height);
        self.keep_in_view();
        if self.found.is_empty() && !list.is_empty() {
            line::words(&[("  nothing like that here", Role::Dim)], list, buf, theme);
        }
        let widest = self.choices.iter().map(|choice| text::width(&choice.label)).max();
        let labels = widest.unwrap_or(0).min(usize::from(area.width) / 2);
        for (k, (i, letters)) in self.found.iter().enumerate().skip(self.offset).take(self.page) {
            let row = Rect { y: list.y + (k - self.offset) as u16, height: 1, ..list };
            draw_choice(&self.choices[*i], letters, k == self.selected, labels, row, buf, theme);
        }
        cursor
    }

    fn keep_in_view(&mut self) {
        self.selected = self.selected.min(self.found.len().saturating_sub(1));
        let page = self.page.max(1);
        if self.selected < self.offset {
            self.offset = self.selected;
        } else if self.selected >= self.offset + page {
            self.offset = self.selected + 1 - page;
        }
        self.offset = self.offset.min(self.found.len().saturating_sub(page));
    }

    fn search(&mut self) {
        let query = self.query.text();
        let mut found: Vec<(i32, usize, Vec<usize>)> = Vec::new();
        for (i, choice) in self.choices.iter().enumerate() {
            if let Some(hit) = fuzzy::find(query, &choice.label) {
                found.push((hit.score + 12, i, hit.at));
            } else if let Some(hit) =
                fuzzy::find(query, &format!("{} {}", choice.label, choice.note))
            {
                let label = choice.label.chars().count();
                found.push((
                    hit.score / 2,
                    i,
                    hit.at.into_iter().filter(|at| *at < label).collect(),
                ));
            }
        }
        found.sort_by_key(|(score, ..)| std::cmp::Reverse(*score));
        self.found = found.into_iter().map(|(_, i, at)| (i, at)).collect();
        self.selected = 0;
    }
}

fn draw_choice(
    choice: &Choice,
    letters: &[usize],
    selected: bool,
    labels: usize,
    row: Rect,
    buf: &mut Buffer,
    theme: &Theme,
) {
    let off = choice.disabled.is_some();
    let base = match (selected, off) {
        (true, _) => theme.style(Role::Selected),
        (false, true) => theme.style(Role::Dim),
        (false, false) => Style::new(),
    };
    buf.set_style(row, base);
    let width = usize::from(row.width);
    let mark = if selected { "▸ " } else { "  " };
    buf.set_string(row.x, row.y, text::cut(mark, width), base);
    if width < 4 {
        return;
    }
    let labels = labels.min(width - 2);
    let mut x = row.x + 2;
    for (i, c) in text::fit(&choice.label, labels).chars().enumerate() {
        let found = letters.contains(&i) && !selected && !off;
        let style = if found { theme.style(Role::Match) } else { base };
        buf.set_string(x, row.y, c.to_string(), style);
        x += text::width(c.encode_utf8(&mut [0; 4])) as u16;
    }
    let right = format!(" {}", choice.right);
    let right_cells = if choice.right.is_empty() { 0 } else { text::width(&right) };
    let room = width.saturating_sub(2 + labels + 2 + right_cells);
    let note =
        choice.disabled.as_ref().map_or_else(|| choice.note.clone(), |why| format!("– {why}"));
    let quiet = if selected { base } else { theme.style(Role::Dim) };
    buf.set_string(x + 2.min(row.right().saturating_sub(x)), row.y, text::cut(&note, room), quiet);
    if right_cells > 0 && width > labels + 2 + right_cells {
        let style = if selected { base } else { theme.style(Role::Key) };
        buf.set_string(row.right() - right_cells as u16, row.y, &right, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn palette() -> Picker {
        Picker::new(vec![
            Choice { right: "Enter".into(), ..Choice::new("train", "fit the model") },
            Choice { disabled: Some("no run yet".into()), ..Choice::new("compare", "runs") },
            Choice::new("target NAME", "the column to predict"),
        ])
    }

    fn drawn(picker: &mut Picker, width: u16, height: u16) -> Vec<String> {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        picker.render(":", buf.area, &mut buf, &Theme::default());
        let rows = buf.content.chunks(usize::from(width.max(1)));
        rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect()).collect()
    }

    #[test]
    fn typing_narrows_the_list_and_arrows_go_round() {
        let mut picker = palette();
        assert_eq!((picker.len(), picker.chosen()), (3, Some(0)));
        picker.move_by(-1);
        assert_eq!(picker.chosen(), Some(2));
        picker.paste("colu");
        assert_eq!((picker.len(), picker.chosen()), (1, Some(2)), "found by its note");
        picker.query.set("");
        picker.paste("zzz");
        assert!(picker.is_empty() && picker.chosen().is_none());
    }

    #[test]
    fn what_cannot_be_done_stays_in_the_list_with_its_reason() {
        let lines = drawn(&mut palette(), 50, 4);
        assert!(
            lines[0].starts_with(": type to search") && lines[0].ends_with("3 of 3"),
            "{lines:#?}"
        );
        assert!(lines[1].starts_with("▸ train") && lines[1].trim_end().ends_with("Enter"));
        assert!(lines[2].contains("– no run yet"), "{lines:#?}");
        for (width, height) in [(0, 0), (1, 1), (3, 2), (9, 3)] {
            drawn(&mut palette(), width, height);
        }
    }
}
