//! A line of text that is being typed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthChar;

use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::text;

/// An editable line with a cursor and a memory of earlier lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextField {
    text: String,
    /// The cursor, in bytes, always between two characters.
    cursor: usize,
    history: Vec<String>,
    /// Which earlier line is shown, counted back from the last, and what was typed before.
    recalled: Option<(usize, String)>,
}

impl TextField {
    /// A field that holds a text already, the cursor behind it.
    pub fn with(text: impl Into<String>) -> Self {
        let mut field = Self::default();
        field.set(text);
        field
    }

    /// What has been typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Replaces what has been typed and puts the cursor behind it.
    pub fn set(&mut self, text: impl Into<String>) {
        self.text = text.into();
        self.cursor = self.text.len();
    }

    /// Gives the field earlier lines, oldest first, for the arrow keys.
    pub fn set_history(&mut self, lines: Vec<String>) {
        self.history = lines;
        self.recalled = None;
    }

    /// Empties the field, remembers its line, and returns it.
    pub fn submit(&mut self) -> String {
        let line = std::mem::take(&mut self.text);
        self.cursor = 0;
        self.recalled = None;
        if !line.trim().is_empty() && self.history.last() != Some(&line) {
            self.history.push(line.clone());
        }
        line
    }

    /// Puts a text in at the cursor; line ends become spaces, other control characters vanish.
    pub fn insert(&mut self, pasted: &str) {
        let clean: String = pasted
            .replace("\r\n", "\n")
            .chars()
            .map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c })
            .filter(|c| !text::dangerous(*c))
            .collect();
        self.text.insert_str(self.cursor, &clean);
        self.cursor += clean.len();
    }

    /// Takes a key in; false if the field has no use for it.
    ///
    /// Arrows, Home, End, Backspace, Delete; Ctrl-A, E, B, F; Ctrl-W and Ctrl-U delete a word
    /// and all before the cursor, Ctrl-K all after it; Ctrl or Alt with arrows go by words; up
    /// and down, or Ctrl-P and Ctrl-N, go through earlier lines if there are any.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            KeyCode::Char('a') if ctrl => self.cursor = 0,
            KeyCode::Char('e') if ctrl => self.cursor = self.text.len(),
            KeyCode::Char('b') if alt => self.cursor = self.word_before(),
            KeyCode::Char('f') if alt => self.cursor = self.word_after(),
            KeyCode::Char('b') if ctrl => self.cursor = self.before(),
            KeyCode::Char('f') if ctrl => self.cursor = self.after(),
            KeyCode::Char('w') if ctrl => self.delete(self.word_before(), self.cursor),
            KeyCode::Backspace if ctrl || alt => self.delete(self.word_before(), self.cursor),
            KeyCode::Char('u') if ctrl => self.delete(0, self.cursor),
            KeyCode::Char('k') if ctrl => self.delete(self.cursor, self.text.len()),
            KeyCode::Char('h') if ctrl => self.delete(self.before(), self.cursor),
            KeyCode::Char('d') if ctrl => self.delete(self.cursor, self.after()),
            KeyCode::Char('d') if alt => self.delete(self.cursor, self.word_after()),
            KeyCode::Char('p') if ctrl => return self.recall(1),
            KeyCode::Char('n') if ctrl => return self.recall(-1),
            KeyCode::Char(c) if !ctrl && !alt => self.insert(c.encode_utf8(&mut [0; 4])),
            KeyCode::Backspace => self.delete(self.before(), self.cursor),
            KeyCode::Delete => self.delete(self.cursor, self.after()),
            KeyCode::Left if ctrl || alt => self.cursor = self.word_before(),
            KeyCode::Right if ctrl || alt => self.cursor = self.word_after(),
            KeyCode::Left => self.cursor = self.before(),
            KeyCode::Right => self.cursor = self.after(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            KeyCode::Up => return self.recall(1),
            KeyCode::Down => return self.recall(-1),
            _ => return false,
        }
        true
    }

    /// Draws the part of the text around the cursor into one line; returns where the cursor is.
    ///
    /// The placeholder stands there, dimmed, while nothing has been typed.
    pub fn render(
        &self,
        placeholder: &str,
        area: Rect,
        buf: &mut Buffer,
        theme: &Theme,
    ) -> Option<Position> {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return None;
        }
        let room = usize::from(area.width);
        if self.text.is_empty() {
            let note = text::fit(placeholder, room);
            buf.set_string(area.x, area.y, note, theme.style(Role::Dim));
            return Some(Position::new(area.x, area.y));
        }
        let before = &self.text[..self.cursor];
        // The cursor needs a cell of its own, and two of context where there are some.
        let mut start = before.len();
        let mut used = 0;
        for (at, c) in before.char_indices().rev() {
            let wide = c.width().unwrap_or(0);
            if used + wide + 1 > room {
                break;
            }
            used += wide;
            start = at;
        }
        let shown = text::fit(&self.text[start..], room);
        let shown = if start > 0 {
            format!("…{}", shown.chars().skip(1).collect::<String>())
        } else {
            shown
        };
        buf.set_string(area.x, area.y, text::fit(&shown, room), theme.style(Role::Text));
        Some(Position::new(area.x + used as u16, area.y))
    }

    fn delete(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
    }

    fn recall(&mut self, back: isize) -> bool {
        let at = self.recalled.as_ref().map_or(0, |(at, _)| *at);
        let wanted = at.saturating_add_signed(back);
        if wanted > self.history.len() || wanted == at {
            return false;
        }
        let typed = match self.recalled.take() {
            Some((_, typed)) => typed,
            None => self.text.clone(),
        };
        if wanted == 0 {
            self.set(typed);
        } else {
            self.set(self.history[self.history.len() - wanted].clone());
            self.recalled = Some((wanted, typed));
        }
        true
    }

    fn before(&self) -> usize {
        self.text[..self.cursor].char_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.text[self.cursor..].chars().next().map_or(self.cursor, |c| self.cursor + c.len_utf8())
    }

    fn word_before(&self) -> usize {
        let head = self.text[..self.cursor].trim_end_matches(|c: char| !c.is_alphanumeric());
        head.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').len()
    }

    fn word_after(&self) -> usize {
        let tail = &self.text[self.cursor..];
        let word = tail.trim_start_matches(|c: char| !c.is_alphanumeric());
        let rest = word.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
        self.text.len() - rest.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn press(field: &mut TextField, code: KeyCode, modifiers: KeyModifiers) -> bool {
        field.key(KeyEvent::new(code, modifiers))
    }

    #[test]
    fn words_are_deleted_whole() {
        let mut field = TextField::with("model logistic ");
        press(&mut field, KeyCode::Char('w'), KeyModifiers::CONTROL);
        assert_eq!(field.text(), "model ");
        field.insert("a\r\nb\u{1b}");
        assert_eq!(field.text(), "model a b");
    }

    #[test]
    fn earlier_lines_come_back_and_so_does_what_was_being_typed() {
        let mut field = TextField::default();
        for line in ["train", "compare"] {
            field.set(line);
            assert_eq!(field.submit(), line);
        }
        field.set("sa");
        assert!(press(&mut field, KeyCode::Up, KeyModifiers::NONE));
        assert_eq!(field.text(), "compare");
        press(&mut field, KeyCode::Up, KeyModifiers::NONE);
        assert_eq!(field.text(), "train");
        assert!(!press(&mut field, KeyCode::Up, KeyModifiers::NONE));
        press(&mut field, KeyCode::Down, KeyModifiers::NONE);
        press(&mut field, KeyCode::Down, KeyModifiers::NONE);
        assert_eq!(field.text(), "sa");
    }

    #[test]
    fn a_long_line_scrolls_with_its_cursor() {
        let field = TextField::with("0123456789");
        let mut buf = Buffer::empty(Rect::new(0, 0, 6, 1));
        let at = field.render("", buf.area, &mut buf, &Theme::default());
        let line: String = buf.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!((line.as_str(), at), ("…6789 ", Some(Position::new(5, 0))));
    }

    proptest! {
        #[test]
        fn no_keys_break_the_cursor(keys in proptest::collection::vec((0usize..14, any::<char>(), 0u8..8), 0..60)) {
            let mut field = TextField::default();
            let mut buf = Buffer::empty(Rect::new(0, 0, 7, 1));
            for (which, c, modifiers) in keys {
                let code = [
                    KeyCode::Char(c), KeyCode::Char('w'), KeyCode::Char('u'), KeyCode::Char('k'), KeyCode::Left,
                    KeyCode::Right, KeyCode::Home, KeyCode::End, KeyCode::Backspace, KeyCode::Delete, KeyCode::Up,
                    KeyCode::Down, KeyCode::Char('d'), KeyCode::Char('表'),
                ][which];
                press(&mut field, code, KeyModifiers::from_bits_truncate(modifiers));
                prop_assert!(field.text().is_char_boundary(field.cursor));
                let at = field.render("", buf.area, &mut buf, &Theme::default());
                prop_assert!(at.is_some_and(|at| at.x < 7));
            }
        }
    }
}
