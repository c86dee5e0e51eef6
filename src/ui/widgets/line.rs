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
