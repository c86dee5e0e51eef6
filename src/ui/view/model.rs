//! The Model pane: the form.

use ratatui::layout::Rect;

use super::{Canvas, Role, ViewState, chrome, note_page, row, word};
use crate::ui::app::App;
use crate::ui::widgets::{Form, FormRow, Pane, numbers};
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
    // Two lines at the foot say what follows from the settings.
    let foot = if inner.height >= 8 { 3 } else { 0 };
    let list = Rect { height: inner.height - foot, ..inner };
    let mut rows = Vec::new();
    let mut group = "";
    let mut selected = 0;
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
            _ => format!("{} · {}", field.range, field.about),
        };
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
        outlook(app, canvas, Rect { y: list.bottom(), height: foot, ..inner });
    }
}

/// What follows from the settings: features, rows, size.
fn outlook(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(survey) = &app.workspace.survey else {
        canvas.words(row(area, 1), &[word("looking at the table …", Role::Dim)]);
        return;
    };
    if let Err(error) = &survey.resolved {
        let (text, hint) = error.split_once("\nhint: ").unwrap_or((error, ""));
        canvas.words(row(area, 1), &[word("✗ ", Role::Bad), word(text, Role::Text)]);
        canvas.words(row(area, 2), &[word(hint, Role::Accent)]);
        return;
    }
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
        let valid =
            if valid > 0 { format!(" │ {}", numbers::count(valid)) } else { String::new() };
        words.push(word(
            format!(" · {}{valid} │ {}", numbers::count(train), numbers::count(test)),
            Role::Dim,
        ));
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
