//! A box over the screen that asks or tells.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::line;
use crate::ui::widgets::pane::Pane;
use crate::ui::widgets::text;

/// A framed box in the middle, as large as its text.
#[derive(Debug, Clone, Copy)]
pub struct Dialog<'a> {
    /// What it is about.
    pub title: &'a str,
    /// What it says; lines are broken where they are too long.
    pub text: &'a str,
    /// The keys that answer it, with what they do.
    pub keys: &'a [(&'a str, &'a str)],
}

impl Dialog<'_> {
    /// Clears its place and draws the box; returns the room of its text.
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme) -> Rect {
        let area = area.intersection(buf.area);
        let room = usize::from(area.width).saturating_sub(6).min(76);
        let lines = text::wrap(self.text, room);
        let keys: usize =
            self.keys.iter().map(|(key, what)| text::width(key) + text::width(what) + 3).sum();
        let widest = lines.iter().map(|line| text::width(line)).max().unwrap_or(0);
        let width = widest.max(keys).max(text::width(self.title) + 2).max(24) + 4;
        let footer = if self.keys.is_empty() { 0 } else { 2 };
        let place = centred(area, width as u16, (lines.len() + 2 + footer) as u16);
        clear(place, buf);
        let pane = Pane { title: self.title, focused: true, ..Pane::default() };
        let inner = pane.render(place, buf, theme);
        for (y, line) in (inner.top()..inner.bottom()).zip(&lines) {
            buf.set_string(
                inner.x,
                y,
                text::cut(line, usize::from(inner.width)),
                theme.style(Role::Text),
            );
        }
        if footer > 0 && inner.height > 0 {
            let below = Rect { y: inner.bottom() - 1, height: 1, ..inner };
            line::keys(self.keys, self.keys.len(), below, buf, theme);
        }
        Rect { height: inner.height.saturating_sub(footer as u16), ..inner }
    }
}

/// A rectangle of at most that size in the middle of the area.
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}

/// Takes everything out of a place, so that a box can lie over it.
pub fn clear(place: Rect, buf: &mut Buffer) {
    let place = place.intersection(buf.area);
    for y in place.top()..place.bottom() {
        for x in place.left()..place.right() {
            buf[(x, y)].reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_box_lies_in_the_middle_over_what_was_there() {
        let mut buf = Buffer::with_lines(vec!["x".repeat(40); 9]);
        let dialog = Dialog {
            title: "Leave?",
            text: "Run 4 stops.",
            keys: &[("Enter", "leave"), ("Esc", "stay")],
        };
        dialog.render(buf.area, &mut buf, &Theme::default());
        let lines: Vec<String> = (buf.content.chunks(40))
            .map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect())
            .collect();
        assert_eq!(lines[2], "xxxxxx┏━ Leave? ━━━━━━━━━━━━━━━━━┓xxxxxx");
        assert_eq!(lines[3], "xxxxxx┃ Run 4 stops.             ┃xxxxxx");
        assert_eq!(lines[5], "xxxxxx┃ Enter leave  Esc stay    ┃xxxxxx");
    }

    #[test]
    fn small_screens_show_what_fits() {
        for (width, height) in [(0, 0), (1, 1), (4, 3), (10, 4), (24, 2)] {
            let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
            let dialog = Dialog { title: "Help", text: "a\nb\nc", keys: &[("Esc", "close")] };
            dialog.render(buf.area, &mut buf, &Theme::default());
        }
    }
}
