//! What lies over the panes.

use ratatui::layout::{Position, Rect};

use super::{Canvas, Role, ViewState, below, network, row, rows, word};
use crate::ui::action::Scope;
use crate::ui::app::{App, Overlay, PageLine};
use crate::ui::keymap;
use crate::ui::widgets::{Dialog, Pane, centred, clear, text};

pub(super) fn draw(
    app: &App,
    state: &mut ViewState,
    canvas: &mut Canvas<'_>,
    area: Rect,
) -> Option<Position> {
    match app.overlays.last()? {
        Overlay::Network(editor) => network::draw(editor, state, canvas, area),
        Overlay::Rows(view) => {
            rows::draw(view, state, canvas, area);
            None
        }
        Overlay::Help { scopes, scroll } => {
            page(canvas, area, "Keys", &help(scopes), *scroll, state);
            None
        }
        Overlay::Page { title, lines, scroll } => {
            page(canvas, area, title, lines, *scroll, state);
            None
        }
        Overlay::Secret { lines, .. } => {
            page(canvas, area, "A key was made", lines, 0, state);
            None
        }
        Overlay::Confirm { title, text, .. } => {
            let keys = [("y", "yes"), ("n", "no")];
            Dialog { title, text, keys: &keys }.render(area, canvas.buf, canvas.theme);
            None
        }
        Overlay::Picker { title, picker, .. } => {
            let widest =
                picker.choices().iter().map(|c| text::width(&c.label) + text::width(&c.note) + 8);
            let width = widest.max().unwrap_or(30).clamp(36, 76) as u16;
            let height =
                (picker.choices().len() as u16 + 3).clamp(5, area.height.saturating_sub(2));
            let place = centred(area, width + 4, height);
            clear(place, canvas.buf);
            let pane = Pane { title, focused: true, ..Pane::default() };
            let inner = pane.render(place, canvas.buf, canvas.theme);
            picker.clone().render("/", inner, canvas.buf, canvas.theme)
        }
        Overlay::Prompt { title, hint, field, error, .. } => {
            let width = (area.width.saturating_sub(4)).min(96);
            let error = error.as_deref().unwrap_or_default();
            let lines = text::wrap(error, usize::from(width).saturating_sub(8));
            let place = centred(area, width, lines.len().max(1) as u16 + 5);
            clear(place, canvas.buf);
            let pane = Pane { title, focused: true, ..Pane::default() };
            let inner = pane.render(place, canvas.buf, canvas.theme);
            let x = canvas.words(row(inner, 0), &[word("▸ ", Role::Accent)]);
            let line = Rect { x, width: inner.right().saturating_sub(x), ..row(inner, 0) };
            let cursor = field.render("", line, canvas.buf, canvas.theme);
            canvas.paragraph(Rect { height: 1, ..below(inner, 2) }, hint, Role::Dim);
            for (i, line) in lines.into_iter().enumerate().filter(|_| !error.is_empty()) {
                let mark = if i == 0 { "✗ " } else { "  " };
                let words = [word(format!("{mark}{line}"), Role::Bad)];
                canvas.words(row(inner, 3 + i as u16), &words);
            }
            cursor
        }
        Overlay::Palette { field, selected } => palette(app, canvas, area, field, *selected),
    }
}

fn palette(
    app: &App,
    canvas: &mut Canvas<'_>,
    area: Rect,
    field: &crate::ui::widgets::TextField,
    selected: usize,
) -> Option<Position> {
    let entries = app.palette_entries(field.text().trim_start());
    let width = area.width.saturating_sub(4).min(100);
    let height = area.height.saturating_sub(2).min(18);
    let place = Rect { y: area.y + 1, ..centred(area, width, height) };
    let place = place.intersection(area);
    clear(place, canvas.buf);
    let right = format!("{} of them", entries.len());
    let pane = Pane { title: "Command", right: &right, focused: true, ..Pane::default() };
    let inner = pane.render(place, canvas.buf, canvas.theme);
    let x = canvas.words(row(inner, 0), &[word(": ", Role::Accent)]);
    let line = Rect { x, width: inner.right().saturating_sub(x), ..row(inner, 0) };
    let cursor = field.render("type to search, or write a command", line, canvas.buf, canvas.theme);
    let list = below(inner, 1);
    let room = usize::from(list.height);
    let first = (selected + 1).saturating_sub(room);
    let names = 26.min(usize::from(inner.width) / 2);
    for (k, entry) in entries.iter().enumerate().skip(first).take(room) {
        let chosen = k == selected;
        let name = if entry.usage.is_empty() {
            entry.name.clone()
        } else {
            format!("{} {}", entry.name, entry.usage)
        };
        let words = [
            word(if chosen { "▸ " } else { "  " }, Role::Accent),
            word(text::fit(&name, names), if chosen { Role::Selected } else { Role::Strong }),
            word(format!("  {}", entry.about), if chosen { Role::Text } else { Role::Dim }),
        ];
        let place = row(list, (k - first) as u16);
        canvas.words(Rect { width: place.width.saturating_sub(8), ..place }, &words);
        canvas.words_right(place, &[word(entry.key.clone(), Role::Key)]);
    }
    cursor
}

/// Every key of these scopes, innermost first.
fn help(scopes: &[Scope]) -> Vec<PageLine> {
    let mut lines = Vec::new();
    for scope in scopes {
        lines.push(PageLine::Heading(scope.title().to_owned()));
        for binding in keymap::rows(*scope) {
            let keys: Vec<String> = binding.keys.iter().map(ToString::to_string).collect();
            lines.push(PageLine::Pair(keys.join(" "), binding.about.to_owned()));
        }
    }
    lines
}

fn page(
    canvas: &mut Canvas<'_>,
    area: Rect,
    title: &str,
    lines: &[PageLine],
    scroll: usize,
    state: &mut ViewState,
) {
    let width = area.width.saturating_sub(4).min(104);
    let room = usize::from(width.saturating_sub(4));
    let names = lines.iter().filter_map(|l| match l {
        PageLine::Pair(name, _) => Some(text::width(name)),
        _ => None,
    });
    let names = names.max().unwrap_or(0).min(room / 3).max(4);
    let mut out: Vec<Vec<(String, Role)>> = Vec::new();
    for content in lines {
        match content {
            PageLine::Heading(heading) => {
                if !out.is_empty() {
                    out.push(vec![]);
                }
                out.push(vec![word(heading.clone(), Role::Title)]);
            }
            PageLine::Pair(name, value) => {
                let wrapped = text::wrap(value, room.saturating_sub(names + 2).max(8));
                for (i, part) in wrapped.into_iter().enumerate() {
                    let name = if i == 0 { text::fit(name, names) } else { text::fit("", names) };
                    out.push(vec![
                        word(name, Role::Key),
                        word("  ", Role::Text),
                        word(part, Role::Text),
                    ]);
                }
            }
            PageLine::Text(words) => {
                out.extend(text::wrap(words, room).into_iter().map(|l| vec![word(l, Role::Text)]));
            }
            PageLine::Fixed(words) => out.push(vec![word(words.clone(), Role::Text)]),
        }
    }
    let height = (out.len() as u16).saturating_add(2).min(area.height);
    let place = centred(area, width, height);
    clear(place, canvas.buf);
    let shown = usize::from(height.saturating_sub(2));
    let first = scroll.min(out.len().saturating_sub(shown));
    let right = if out.len() > shown {
        format!("{}–{} of {}", first + 1, first + shown, out.len())
    } else {
        String::new()
    };
    let pane = Pane { title, right: &right, focused: true, ..Pane::default() };
    let inner = pane.render(place, canvas.buf, canvas.theme);
    state.page = shown.max(1);
    state.scroll_end = out.len().saturating_sub(shown);
    for (i, words) in out.iter().skip(first).take(shown).enumerate() {
        canvas.words(row(inner, i as u16), words);
    }
}
