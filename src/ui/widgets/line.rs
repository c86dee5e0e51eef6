//! One line of words in several roles: titles, footers of keys, messages.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::text;

/// A piece of a line with its meaning.
pub type Word<'a> = (&'a str, Role);

/// Writes words one after the other into the first line of the area and returns where they end.
///
/// What does not fit is cut with a `…`. The words carry their own spaces.
pub fn words(words: &[Word<'_>], area: Rect, buf: &mut Buffer, theme: &Theme) -> u16 {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return area.x;
    }
    let mut x = area.x;
    for (word, role) in words {
        let room = usize::from(area.right() - x);
        if room == 0 {
            break;
        }
        let word = text::cut(word, room);
        buf.set_string(x, area.y, &word, theme.style(*role));
        x += text::width(&word) as u16;
    }
    x
}

/// Like [`words`], ending at the right edge of the area; returns where they begin.
pub fn words_right(words: &[Word<'_>], area: Rect, buf: &mut Buffer, theme: &Theme) -> u16 {
    let wanted: usize = words.iter().map(|(word, _)| text::width(&text::clean(word))).sum();
    let start = area.right().saturating_sub(wanted as u16).max(area.x);
    let rest = Rect { x: start, width: area.right() - start, ..area };
    self::words(words, rest, buf, theme);
    start
}

/// The keys of this place, as many as fit, best first: `↑↓ move  r role  ? keys`.
///
/// The last `always` of them stay on even where those before have to go.
pub fn keys(keys: &[(&str, &str)], always: usize, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let cells = |(key, what): &(&str, &str)| text::width(key) + text::width(what) + 3;
    let (first, last) = keys.split_at(keys.len().saturating_sub(always));
    let mut room = usize::from(area.width).saturating_sub(last.iter().map(cells).sum());
    let fitting = first.iter().take_while(|key| {
        let wanted = cells(key);
        let fits = wanted <= room;
        room = room.saturating_sub(wanted);
        fits
    });
    let mut x = area.x;
    for (key, what) in fitting.chain(last) {
        let rest = Rect { x, width: area.right().saturating_sub(x), ..area };
        let spaced = format!(" {what}  ");
        x = words(&[(key, Role::Key), (&spaced, Role::Dim)], rest, buf, theme);
    }
}

/// A quiet line across the area, with words set into it: `─ recipe ─────`.
pub fn rule(title: &str, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return;
    }
    let line = "─".repeat(usize::from(area.width));
    buf.set_string(area.x, area.y, line, theme.style(Role::Border));
    if !title.is_empty() && area.width > 6 {
        let title = format!(" {} ", text::cut(title, usize::from(area.width) - 5));
        buf.set_string(area.x + 1, area.y, title, theme.style(Role::Dim));
    }
}

/// A message of the program: `text` may hold a second line, its `hint: ...`.
///
/// Its mark tells the kind of message without colours: `✓` good, `⚠` warning, `✗` error.
pub fn message(role: Role, text: &str, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let mark = match role {
        Role::Good => "✓ ",
        Role::Warn => "⚠ ",
        Role::Bad => "✗ ",
        _ => "",
    };
    let (first, hint) = text.split_once('\n').unwrap_or((text, ""));
    let hint = hint.lines().collect::<Vec<_>>().join(" ");
    let gap = if hint.is_empty() { "" } else { "  " };
    let main = if matches!(role, Role::Bad) { Role::Strong } else { Role::Text };
    words(&[(mark, role), (first, main), (gap, main), (&hint, Role::Dim)], area, buf, theme);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(width: u16, draw: impl Fn(Rect, &mut Buffer, &Theme)) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, 1));
        draw(buf.area, &mut buf, &Theme::default());
        buf.content.iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn help_stays_when_other_keys_have_to_go() {
        let list = [("↑↓", "move"), ("r", "role"), ("f", "filter"), ("?", "keys"), ("q", "quit")];
        let footer = |width| drawn(width, |area, buf, theme| keys(&list, 2, area, buf, theme));
        assert_eq!(footer(50).trim_end(), "↑↓ move  r role  f filter  ? keys  q quit");
        assert_eq!(footer(40).trim_end(), "↑↓ move  r role  ? keys  q quit");
        assert_eq!(footer(5), "? ke…");
        assert_eq!(footer(0), "");
    }

    #[test]
    fn messages_have_a_mark_and_their_hint_behind_them() {
        let text = "unknown column `agee`\nhint: did you mean `age`?";
        let line = drawn(60, |area, buf, theme| message(Role::Bad, text, area, buf, theme));
        assert_eq!(line.trim_end(), "✗ unknown column `agee`  hint: did you mean `age`?");
    }

    #[test]
    fn words_end_where_the_area_ends() {
        let said = [("karat", Role::Title), (" german_credit.csv", Role::Text)];
        let line = |right| {
            drawn(12, move |area, buf, theme| {
                if right {
                    words_right(&said, area, buf, theme);
                } else {
                    words(&said, area, buf, theme);
                }
            })
        };
        assert_eq!(line(false), "karat germa…");
        assert_eq!(line(true), "karat germa…");
        assert_eq!(
            drawn(9, |area, buf, theme| {
                words_right(&[("ab", Role::Text)], area, buf, theme);
            }),
            "       ab"
        );
    }
}
