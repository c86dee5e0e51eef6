//! The frame of a pane: quiet, and bold where the keyboard is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::line;
use crate::ui::widgets::text;

/// A frame with a title, tabs and a note at its right.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pane<'a> {
    /// The number whose key chooses the pane.
    pub number: Option<u8>,
    /// What the pane shows.
    pub title: &'a str,
    /// The views that the pane can turn to; none for a pane with one view.
    pub tabs: &'a [&'a str],
    /// Which of the tabs is in front.
    pub tab: usize,
    /// A note at the right end of the upper edge.
    pub right: &'a str,
    /// Whether the keyboard is here.
    pub focused: bool,
}

impl Pane<'_> {
    /// The room inside the frame, with a blank column at both sides.
    pub fn inner(area: Rect) -> Rect {
        Rect {
            x: area.x + area.width.min(2),
            y: area.y + area.height.min(1),
            width: area.width.saturating_sub(4),
            height: area.height.saturating_sub(2),
        }
    }

    /// Draws the frame and returns the room inside.
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme) -> Rect {
        let area = area.intersection(buf.area);
        if area.width < 2 || area.height < 2 {
            return Rect { width: 0, height: 0, ..area };
        }
        let (corners, across, down) = if self.focused {
            (["┏", "┓", "┗", "┛"], "━", "┃")
        } else {
            (["╭", "╮", "╰", "╯"], "─", "│")
        };
        let style = theme.style(if self.focused { Role::Focus } else { Role::Border });
        let (left, right) = (area.left(), area.right() - 1);
        let (top, bottom) = (area.top(), area.bottom() - 1);
        for x in left + 1..right {
            buf[(x, top)].set_symbol(across).set_style(style);
            buf[(x, bottom)].set_symbol(across).set_style(style);
        }
        for y in top + 1..bottom {
            buf[(left, y)].set_symbol(down).set_style(style);
            buf[(right, y)].set_symbol(down).set_style(style);
        }
        for ((x, y), corner) in
            [(left, top), (right, top), (left, bottom), (right, bottom)].into_iter().zip(corners)
        {
            buf[(x, y)].set_symbol(corner).set_style(style);
        }
        self.draw_title(
            Rect { x: left + 2, width: area.width.saturating_sub(4), height: 1, ..area },
            buf,
            theme,
        );
        Self::inner(area)
    }

    fn draw_title(&self, line: Rect, buf: &mut Buffer, theme: &Theme) {
        let number = self.number.map(|number| format!("{number} ")).unwrap_or_default();
        let title = if self.focused { Role::Title } else { Role::TitleIdle };
        let mut words: Vec<(&str, Role)> = Vec::new();
        if !self.title.is_empty() {
            words.extend([
                (" ", title),
                (number.as_str(), title),
                (self.title, title),
                (" ", title),
            ]);
        }
        // Tabs at the left give way until the one in front is in sight.
        let room = usize::from(line.width).saturating_sub(text::width(self.title) + 7);
        let taken = |first: usize| -> usize {
            self.tabs[first..=self.tab.min(self.tabs.len() - 1)]
                .iter()
                .map(|t| text::width(t) + 2)
                .sum()
        };
        let first = (0..self.tabs.len()).find(|f| *f >= self.tab || taken(*f) <= room).unwrap_or(0);
        for (i, tab) in self.tabs.iter().enumerate().skip(first) {
            words.push((if i == first { "  " } else { " " }, Role::Text));
            words.push((tab, if i == self.tab { Role::Tab } else { Role::TitleIdle }));
            words.push((" ", Role::Text));
        }
        let wanted: usize = words.iter().map(|(word, _)| text::width(word)).sum();
        unstyle(Rect { width: line.width.min(wanted as u16), ..line }, buf);
        let end = line::words(&words, line, buf, theme);
        let wanted = text::width(self.right) as u16 + 2;
        if !self.right.is_empty() && line.right() > end + wanted {
            let quiet = Role::TitleIdle;
            unstyle(Rect { x: line.right() - wanted, width: wanted, ..line }, buf);
            line::words_right(&[(" ", quiet), (self.right, quiet), (" ", quiet)], line, buf, theme);
        }
    }
}

/// Takes the frame's style off a place, for words would inherit it.
fn unstyle(place: Rect, buf: &mut Buffer) {
    buf.set_style(place.intersection(buf.area), Style::reset());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(pane: Pane<'_>, width: u16, height: u16) -> Vec<String> {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        pane.render(buf.area, &mut buf, &Theme::default());
        let cells = buf.content.chunks(usize::from(width.max(1)));
        cells.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect()).collect()
    }

    #[test]
    fn the_frame_of_the_focus_is_heavy() {
        let pane =
            Pane { number: Some(1), title: "Data", tabs: &["columns", "sql"], ..Pane::default() };
        let lines = drawn(Pane { focused: true, ..pane }, 40, 3);
        assert_eq!(lines[0], "┏━ 1 Data   columns  sql ━━━━━━━━━━━━━━┓");
        assert_eq!(lines[2], format!("┗{}┛", "━".repeat(38)));
        assert!(drawn(pane, 40, 3)[0].starts_with("╭─ 1 Data "));
    }

    #[test]
    fn titles_give_way_where_there_is_no_room() {
        let pane = Pane { title: "Evaluation", right: "200 test rows", ..Pane::default() };
        assert_eq!(drawn(pane, 12, 2)[0], "╭─ Evalua…─╮");
        assert!(drawn(pane, 40, 2)[0].ends_with(" 200 test rows ─╮"));
        for (width, height) in [(0, 0), (1, 1), (2, 1), (2, 2), (3, 5)] {
            drawn(pane, width, height);
        }
    }
}
