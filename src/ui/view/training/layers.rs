//! The parts of a model with their figures, such as the layers of a network.

use ratatui::layout::Rect;

use crate::ui::app::{App, Row};
use crate::ui::view::{Canvas, Role, ViewState, note_page};
use crate::ui::widgets::{Cell, Column, DataTable, numbers};

pub(super) fn draw(
    app: &App,
    state: &mut ViewState,
    canvas: &mut Canvas<'_>,
    area: Rect,
    row: &Row,
    focused: bool,
) {
    let Some(sheet) = app.sheet(row) else {
        let text = match row {
            Row::Done(id) if app.workspace.run(id).is_none() => {
                "Enter reads this run back from the workspace."
            }
            Row::Running(_) => "The figures of the layers come with the first epoch of a network.",
            _ => {
                "This model has no layers. Networks show weights and gradients of each layer here."
            }
        };
        canvas.paragraph(area, text, Role::Dim);
        return;
    };
    note_page(state, focused, area.height);
    let mut columns = vec![Column::left("layer").widths(8, 26)];
    columns.extend(sheet.headings.iter().enumerate().map(|(i, heading)| {
        // Where room is short the last figures go first.
        Column::right(heading.as_ref()).priority(i.min(200) as u8)
    }));
    let cells = |i: usize| {
        let (name, figures) = sheet.lines.get(i)?;
        let mut cells = vec![Cell::new(name.as_str(), Role::Text)];
        cells.extend((0..sheet.headings.len()).map(|k| match figures.get(k) {
            Some(value) if value.is_finite() => Cell::new(figure(*value), Role::Text),
            Some(value) if value.is_infinite() => Cell::new("∞", Role::Bad),
            _ => Cell::new(numbers::NONE, Role::Guess),
        }));
        Some(cells)
    };
    state.layers.selected = app.training.layer;
    DataTable {
        columns: &columns,
        rows: Some(sheet.lines.len()),
        row: &cells,
        focused,
        cell_cursor: false,
        frozen: 1,
        footer: true,
        empty: "",
    }
    .render(area, canvas.buf, canvas.theme, &mut state.layers);
}

/// Counts in full, everything else in three digits, so that a column reads calmly.
fn figure(value: f64) -> String {
    if value.fract() == 0.0 && (0.0..1e12).contains(&value) {
        numbers::count(value as usize)
    } else {
        numbers::significant(value, 3)
    }
}
