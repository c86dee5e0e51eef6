//! The gallery: something to open.

use ratatui::layout::Rect;

use super::{Canvas, Role, ViewState, below, note_page, row, word};
use crate::ui::action::Action as A;
use crate::ui::app::App;
use crate::ui::widgets::{Pane, line, text};

pub(super) fn draw(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect) {
    let focused = app.overlays.is_empty();
    let pane = Pane {
        title: "Open",
        right: "Enter opens · :open PATH for any other file",
        focused,
        ..Pane::default()
    };
    let inner = pane.render(area, canvas.buf, canvas.theme);
    let intro =
        "Load a table, configure a model, watch it train, compare, explain: all from the keyboard.";
    let used = if inner.height > 16 { canvas.paragraph(inner, intro, Role::Dim) + 1 } else { 0 };
    let list = below(inner, used);
    let items = app.gallery.items();
    // Headings are lines of their own, so the list is laid out before it is scrolled.
    let mut lines: Vec<Option<usize>> = Vec::new();
    let mut headings: Vec<(usize, &str)> = Vec::new();
    let mut last = "";
    for (i, (heading, _)) in items.iter().enumerate() {
        if *heading != last {
            if !lines.is_empty() {
                lines.push(None);
            }
            headings.push((lines.len(), heading));
            lines.push(None);
            last = heading;
        }
        lines.push(Some(i));
    }
    note_page(state, focused, list.height);
    let free = list.height.saturating_sub(lines.len() as u16 + 1);
    if free >= 7 {
        first_steps(canvas, below(list, lines.len() as u16 + 1));
    }
    let at = lines.iter().position(|l| *l == Some(app.gallery.row)).unwrap_or(0);
    let height = usize::from(list.height).max(1);
    let first = if at <= 2 { 0 } else { at };
    state.gallery = state.gallery.min(first.saturating_sub(1)).max((at + 1).saturating_sub(height));
    let names = items.iter().map(|(_, i)| text::width(&i.name)).max().unwrap_or(0).min(28);
    let sizes = items.iter().map(|(_, i)| text::width(&i.size)).max().unwrap_or(0);
    for (k, content) in lines.iter().enumerate().skip(state.gallery).take(height) {
        let place = row(list, (k - state.gallery) as u16);
        if let Some((_, heading)) = headings.iter().find(|(at, _)| *at == k) {
            line::rule(heading, place, canvas.buf, canvas.theme);
        }
        let Some(i) = content else { continue };
        let (_, item) = &items[*i];
        let chosen = *i == app.gallery.row;
        let mark = if chosen { "▸ " } else { "  " };
        let strong = if chosen { Role::Selected } else { Role::Strong };
        let name = text::fit(&text::cut_middle(&item.name, names), names);
        canvas.words(
            place,
            &[
                word(mark, Role::Accent),
                word(name, strong),
                word(format!("  {}  ", text::fit_right(&item.size, sizes)), Role::Dim),
                word(item.about.clone(), Role::Text),
            ],
        );
    }
}

/// What to do next, where there is room for it.
fn first_steps(canvas: &mut Canvas<'_>, area: Rect) {
    line::rule("first steps", row(area, 0), canvas.buf, canvas.theme);
    let key = |action| crate::ui::keymap::key_of(action).map_or(String::new(), |k| k.to_string());
    let steps = [
        (
            "Enter".to_owned(),
            "opens the chosen table; its columns, findings and rows stand in the Data pane",
        ),
        (
            key(A::Train),
            "trains with the proposed target; the figures stand in the Evaluation pane",
        ),
        (key(A::TrainAll), "trains every kind of model"),
        (key(A::Compare), "compares the runs, with intervals and tests"),
        (key(A::Palette), "finds any action by its words"),
        (key(A::Help), "lists the keys of the place you are in"),
    ];
    for (i, (key, what)) in steps.into_iter().enumerate() {
        let words =
            [word(text::fit_right(&key, 7), Role::Key), word(format!("  {what}"), Role::Dim)];
        canvas.words(row(area, 1 + i as u16), &words);
    }
}
