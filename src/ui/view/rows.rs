//! Rows of a table as cells, wherever rows are shown.

use ratatui::layout::Rect;

use super::{Canvas, Role, ViewState, note_page, portrait};
use crate::data::{Kind, Sort, Table};
use crate::ui::app::RowsView;
use crate::ui::widgets::{Align, Cell, Column, DataTable, Pane, numbers, text};

/// The heads of the row number and of these columns.
pub(super) fn heads(table: &Table, names: &[String], sort: Option<&Sort>) -> Vec<Column> {
    let mut heads = vec![Column::right("row")];
    for name in names {
        let arrow = match sort {
            Some(s) if s.column == *name => {
                if s.descending {
                    " ↓"
                } else {
                    " ↑"
                }
            }
            _ => "",
        };
        let is_number =
            table.is_numeric(name) && table.column(name).is_none_or(|c| c.kind != Kind::Category);
        let most = if is_number { 16 } else { 24 };
        let title = format!("{}{arrow}", text::cut(name, most));
        let mut head = if is_number { Column::right(title) } else { Column::left(title) };
        if head.align == Align::Left {
            head = head.widths(10, 24);
        }
        heads.push(head);
    }
    heads
}

/// The cells of one row, its number first.
pub(super) fn cells(
    table: &Table,
    position: usize,
    number: Option<u32>,
    names: &[String],
    search: Option<&str>,
) -> Vec<Cell> {
    let needle = search.map(str::to_lowercase);
    let mut cells =
        vec![Cell::new(number.map_or(String::new(), |n| numbers::count(n as usize)), Role::Dim)];
    cells.extend(names.iter().map(|name| {
        let masked = table.column(name).is_some_and(crate::data::Column::is_masked);
        match table.text(position, name) {
            None => Cell::new(numbers::NONE, Role::Guess),
            Some(value) => {
                let found =
                    needle.as_ref().is_some_and(|n| !masked && value.to_lowercase().contains(n));
                let role = if masked {
                    Role::Dim
                } else if found {
                    Role::Match
                } else {
                    Role::Text
                };
                Cell::new(value, role)
            }
        }
    }));
    cells
}

/// The rows behind a number, over everything else.
pub(super) fn draw(view: &RowsView, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect) {
    let plural = if view.rows.len() == 1 { "" } else { "s" };
    let right = format!("{} row{plural}", numbers::count(view.rows.len()));
    crate::ui::widgets::clear(area, canvas.buf);
    let pane = Pane { title: &view.title, right: &right, focused: true, ..Pane::default() };
    let inner = pane.render(area, canvas.buf, canvas.theme);
    let sight = view.seen_by.as_ref().and_then(|run| run.model.sight.as_ref());
    let place = sight.and_then(|sight| Some((sight, portrait::beside(sight, inner)?)));
    match (place, view.rows.get(view.row)) {
        (Some((sight, (left, right))), Some(row)) => {
            list(view, state, canvas, left);
            let number = view.table.rows().get(row.position as usize).copied();
            let why = view.why.as_deref().filter(|why| Some(why.row) == number);
            portrait::draw(sight, &view.table, row.position, why, canvas, right);
        }
        _ => list(view, state, canvas, inner),
    }
}

/// The rows with what is told of them, each number beside the columns of its row.
fn list(view: &RowsView, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect) {
    note_page(state, true, area.height);
    let names: Vec<String> = view.table.columns.iter().map(|c| c.name.clone()).collect();
    let mut heads = heads(&view.table, &names, None);
    for (i, title) in view.heads.iter().enumerate() {
        heads.insert(1 + i, Column::right(*title).widths(0, 20));
    }
    let cells = |i: usize| {
        let row = view.rows.get(i)?;
        let position = row.position as usize;
        let mut cells = cells(&view.table, position, view.table.row_number(position), &names, None);
        let told = row.told.iter().map(|text| Cell::new(text.as_str(), Role::Strong));
        cells.splice(1..1, told);
        Some(cells)
    };
    let n_told = view.heads.len();
    state.rows.selected = view.row;
    state.rows.column = view.column + 1 + n_told;
    DataTable {
        columns: &heads,
        rows: Some(view.rows.len()),
        row: &cells,
        focused: true,
        cell_cursor: false,
        frozen: 1 + n_told,
        footer: true,
        empty: "no rows",
    }
    .render(area, canvas.buf, canvas.theme, &mut state.rows);
}
