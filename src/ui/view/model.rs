//! The Model pane: the form.

use ratatui::layout::Rect;

use super::{Canvas, Role, ViewState, below, chrome, note_page, row, word};
use crate::ui::app::App;
use crate::ui::widgets::{Form, FormRow, Pane, numbers, text};
use crate::workspace::fields;

pub(super) fn draw(
    app: &App,
    state: &mut ViewState,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focused: bool,
) {
    let library =
        crate::models::kind(&app.workspace.question().model.kind).map_or("", |k| k.library);
    let pane = Pane { number: Some(2), title: "Model", right: library, focused, ..Pane::default() };
    let inner = pane.render(area, canvas.buf, canvas.theme);
    let fields = fields(&app.workspace);
    if fields.is_empty() {
        canvas.paragraph(inner, "The model's settings stand here once a table is open.", Role::Dim);
        return;
    }
    // The lines at the foot say all of the chosen field, and what follows from the settings.
    let said = if inner.height >= 12 { 2 } else { u16::from(inner.height >= 10) };
    let foot = if inner.height >= 8 { 3 + said } else { 0 };
    let list = Rect { height: inner.height - foot, ..inner };
    let mut rows = Vec::new();
    let mut group = "";
    let mut selected = 0;
    let mut chosen = String::new();
    for (i, field) in fields.iter().enumerate() {
        if field.group != group {
            if !group.is_empty() {
                rows.push(FormRow::Section(field.group.to_owned()));
            }
            group = field.group;
        }
        if i == app.model.field {
            selected = rows.len();
        }
        let value = if field.value.is_empty() { numbers::NONE } else { &field.value };
        let hint = match (field.label.as_str(), field.is_default) {
            ("target" | "positive", true) => format!("proposed · {}", field.about),
            _ if field.range.is_empty() => field.about.clone(),
            _ => format!("{} · {}", field.range.replace(" … ", " to "), field.about),
        };
        if i == app.model.field {
            chosen.clone_from(&hint);
        }
        rows.push(FormRow::Entry {
            label: field.label.clone(),
            value: value.to_owned(),
            hint,
            error: None,
            changed: !field.is_default
                && !matches!(field.label.as_str(), "kind" | "target" | "positive"),
        });
    }
    note_page(state, focused, list.height);
    let mut form = Form {
        rows: &rows,
        selected: Some(selected),
        focused,
        editing: None,
        offset: state.fields,
    };
    state.fields = form.scrolled(list.height);
    form.offset = state.fields;
    form.render(list, canvas.buf, canvas.theme);
    let hidden = rows.len().saturating_sub(state.fields + usize::from(list.height));
    if hidden > 0 && foot > 0 {
        let words = [word(format!("▾ {hidden} more below"), Role::Dim)];
        canvas.words(Rect { y: list.bottom(), height: 1, ..inner }, &words);
    }
    if foot > 0 {
        let foot = Rect { y: list.bottom(), height: foot, ..inner };
        outlook(app, &chosen, said, canvas, foot);
    }
}

/// All that is known of the chosen field in `said` lines, then what follows from the settings:
/// features, rows, size.
fn outlook(app: &App, chosen: &str, said: u16, canvas: &mut Canvas<'_>, area: Rect) {
    let error = app.workspace.survey.as_ref().and_then(|s| s.resolved.as_ref().err());
    if let Some(error) = error {
        let (text, hint) = error.split_once("\nhint: ").unwrap_or((error, ""));
        let place = below(area, 1);
        let lines = place.height.saturating_sub(u16::from(!hint.is_empty()));
        let used =
            canvas.paragraph(Rect { height: lines, ..place }, &format!("✗ {text}"), Role::Bad);
        canvas.paragraph(below(place, used), hint, Role::Accent);
        return;
    }
    canvas.paragraph(Rect { height: said, ..below(area, 1) }, chosen, Role::Dim);
    let area = below(area, said);
    let Some(survey) = &app.workspace.survey else {
        canvas.words(row(area, 1), &[word("looking at the table …", Role::Dim)]);
        return;
    };
    let mut words = vec![word(chrome::question_features(app), Role::Text)];
    if let Some(table) = &app.workspace.now.table {
        let use_protected = app.workspace.question().question.use_protected;
        let left_out =
            table.columns.iter().filter(|c| c.protected.is_some() && !c.is_feature(use_protected));
        let n = left_out.filter(|c| c.role == crate::data::Role::Feature).count();
        if n > 0 {
            words.push(word(format!(" · {n} protected ◆ out"), Role::Warn));
        }
    }
    if let Some([train, valid, test]) = survey.split_rows {
        let parts = [(train, "train"), (valid, "valid"), (test, "test")];
        let parts = parts.iter().filter(|(n, name)| *n > 0 || *name == "train");
        let line = |named: bool| {
            let say = |(n, name): &(usize, &str)| {
                if named { format!("{} {name}", numbers::count(*n)) } else { numbers::count(*n) }
            };
            format!(" · {}", parts.clone().map(say).collect::<Vec<_>>().join(" │ "))
        };
        let used: usize = words.iter().map(|(w, _)| text::width(w)).sum();
        let fits = used + text::width(&line(true)) <= usize::from(area.width);
        words.push(word(line(fits), Role::Dim));
    }
    canvas.words(row(area, 1), &words);
    if let Some(size) = &survey.size {
        let text = format!("{} columns to fit · {}", size.columns, numbers::bytes(size.bytes));
        canvas.words(row(area, 2), &[word(text, Role::Dim)]);
    }
    canvas.words_right(
        row(area, 2),
        &[
            word("t", Role::Key),
            word(" train  ", Role::Dim),
            word("A", Role::Key),
            word(" train all ", Role::Dim),
        ],
    );
}
