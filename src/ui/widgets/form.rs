//! Rows of a name, a value and what the value may be.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::field::TextField;
use crate::ui::widgets::line;
use crate::ui::widgets::text;

/// One line of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormRow {
    /// A rule with a heading set into it.
    Section(String),
    /// A value that can be chosen or typed.
    Entry {
        /// What it is called.
        label: String,
        /// What it is at present.
        value: String,
        /// Its range, unit or meaning.
        hint: String,
        /// Why it cannot stay as it is.
        error: Option<String>,
        /// Whether it differs from its default.
        changed: bool,
    },
    /// Words between entries.
    Note(String, Role),
}

impl FormRow {
    /// An entry that stands as it is by default.
    pub fn entry(
        label: impl Into<String>,
        value: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let (label, value, hint) = (label.into(), value.into(), hint.into());
        Self::Entry { label, value, hint, error: None, changed: false }
    }
}

/// Rows of which one can be chosen and edited in place.
#[derive(Debug, Clone, Copy)]
pub struct Form<'a> {
    /// The lines, from above.
    pub rows: &'a [FormRow],
    /// The chosen row, if any.
    pub selected: Option<usize>,
    /// Whether the keyboard is here.
    pub focused: bool,
    /// The field that stands in the place of the chosen value while it is being typed.
    pub editing: Option<&'a TextField>,
    /// The first row in view.
    pub offset: usize,
}

impl Form<'_> {
    /// The first row to show so that the chosen one is in view, starting from the present one.
    pub fn scrolled(&self, height: u16) -> usize {
        let height = usize::from(height).max(1);
        let selected = self.selected.unwrap_or(0);
        let offset = self.offset.min(self.rows.len().saturating_sub(height));
        // A heading above the chosen row stays with it.
        let with_heading = selected.saturating_sub(usize::from(
            selected > 0 && matches!(self.rows.get(selected - 1), Some(FormRow::Section(_))),
        ));
        offset.min(with_heading).max((selected + 1).saturating_sub(height))
    }

    /// Draws the rows in view; returns where the cursor is while a value is being typed.
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme) -> Option<Position> {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return None;
        }
        let (labels, values) = self.widths(usize::from(area.width));
        let mut cursor = None;
        let rows = self.rows.iter().enumerate().skip(self.scrolled(area.height));
        for (y, (i, row)) in (area.y..area.bottom()).zip(rows) {
            let line = Rect { y, height: 1, ..area };
            match row {
                FormRow::Section(title) => line::rule(title, line, buf, theme),
                FormRow::Note(note, role) => {
                    line::words(&[(" ", *role), (note, *role)], line, buf, theme);
                }
                FormRow::Entry { label, value, hint, error, changed } => {
                    let chosen = self.selected == Some(i);
                    let style = match (chosen, self.focused) {
                        (true, true) => theme.style(Role::Selected),
                        (true, false) => theme.style(Role::SelectedIdle),
                        _ => Style::new(),
                    };
                    let editing = self.editing.filter(|_| chosen);
                    if chosen && editing.is_none() {
                        buf.set_style(line, style);
                    }
                    if chosen {
                        buf.set_string(line.x, y, "▸", style);
                    }
                    let label = text::fit(label, labels);
                    buf.set_string(line.x + 1, y, &label, style);
                    let at = line.x + 1 + labels as u16 + 1;
                    let room = usize::from(line.right().saturating_sub(at));
                    // A value with nothing behind it may run on to the edge.
                    let alone = hint.is_empty() && error.is_none();
                    let values = if alone { room } else { values.min(room) };
                    let place = Rect { x: at, width: values as u16, ..line };
                    let plain = chosen && self.focused;
                    if let Some(field) = editing {
                        cursor = field.render("", place, buf, theme);
                    } else {
                        let role = match (error, changed) {
                            (Some(_), _) => Role::Bad,
                            (None, true) => Role::Strong,
                            (None, false) => Role::Text,
                        };
                        let style = if plain { style } else { theme.style(role) };
                        buf.set_string(at, y, text::cut(value, usize::from(place.width)), style);
                    }
                    let after = at + place.width + 2;
                    if after < line.right() {
                        let rest = usize::from(line.right() - after);
                        let (words, role) = match error {
                            Some(error) => (format!("✗ {error}"), Role::Bad),
                            None => (clauses(hint, rest).to_owned(), Role::Dim),
                        };
                        let style =
                            if plain && editing.is_none() { style } else { theme.style(role) };
                        buf.set_string(after, y, text::cut(&words, rest), style);
                    }
                }
            }
        }
        cursor
    }

    /// The widths of the names and of the values.
    fn widths(&self, room: usize) -> (usize, usize) {
        let entries = self.rows.iter().filter_map(|row| match row {
            FormRow::Entry { label, value, hint, .. } => Some((label, value, hint)),
            FormRow::Section(_) | FormRow::Note(..) => None,
        });
        let (mut labels, mut values) = (0, 8);
        for (label, value, hint) in entries {
            labels = labels.max(text::width(label));
            if !hint.is_empty() {
                values = values.max(text::width(value));
            }
        }
        let labels = labels.min(room / 3);
        let rest = room.saturating_sub(labels + 2);
        (labels, values.min(rest / 2).max(8.min(rest)))
    }
}

/// As many clauses of a hint, parted by dots, as there is room for: a whole one tells more than two
/// of which the second is cut.
fn clauses(hint: &str, room: usize) -> &str {
    let ends = hint.match_indices(" · ").map(|(at, _)| at).chain([hint.len()]);
    let fits = ends.filter(|end| text::width(&hint[..*end]) <= room);
    fits.last().map_or(hint, |end| &hint[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<FormRow> {
        vec![
            FormRow::entry("kind", "logistic regression", ""),
            FormRow::Section("parameters".into()),
            FormRow::entry("alpha", "1.0", "0 … 1e6"),
            FormRow::Entry {
                label: "weights".into(),
                value: "nane".into(),
                hint: String::new(),
                error: Some("none or balanced".into()),
                changed: true,
            },
        ]
    }

    fn drawn(form: &Form<'_>, width: u16, height: u16) -> (Vec<String>, Option<Position>) {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        let cursor = form.render(buf.area, &mut buf, &Theme::default());
        let rows = buf.content.chunks(usize::from(width.max(1)));
        let lines = rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect());
        (lines.collect(), cursor)
    }

    #[test]
    fn names_values_and_hints_line_up() {
        let rows = rows();
        let form = Form { rows: &rows, selected: Some(2), focused: true, editing: None, offset: 0 };
        let (lines, _) = drawn(&form, 40, 4);
        assert_eq!(lines[0].trim_end(), " kind    logistic regression");
        assert!(lines[1].starts_with("─ parameters ───"), "{lines:#?}");
        assert_eq!(lines[2].trim_end(), "▸alpha   1.0       0 … 1e6");
        assert_eq!(lines[3].trim_end(), " weights nane      ✗ none or balanced");
    }

    #[test]
    fn a_value_is_edited_where_it_stands() {
        let rows = rows();
        let field = TextField::with("0.5");
        let form = Form {
            rows: &rows,
            selected: Some(2),
            focused: true,
            editing: Some(&field),
            offset: 0,
        };
        let (lines, cursor) = drawn(&form, 40, 4);
        assert!(lines[2].starts_with("▸alpha   0.5 "), "{lines:#?}");
        assert_eq!(cursor, Some(Position::new(12, 2)));
        for (width, height) in [(0, 0), (1, 1), (5, 2), (14, 3)] {
            drawn(&form, width, height);
        }
    }

    #[test]
    fn the_chosen_row_stays_in_view_with_its_heading() {
        let rows = rows();
        let form = Form { rows: &rows, selected: Some(2), focused: true, editing: None, offset: 3 };
        assert_eq!(form.scrolled(2), 1);
        assert_eq!(Form { selected: Some(3), offset: 0, ..form }.scrolled(2), 2);
    }
}
