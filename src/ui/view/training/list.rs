//! The list of what runs, what waits and what is done.

use ratatui::layout::Rect;

use super::{chart, progress};
use crate::data::Task;
use crate::metrics::metric;
use crate::train::usual_metric;
use crate::ui::app::{App, Quantity, Row, Side};
use crate::ui::view::{Canvas, Role, ViewState, note_page};
use crate::ui::widgets::{Cell, Column, DataTable, numbers};

pub(super) fn draw(
    app: &App,
    state: &mut ViewState,
    canvas: &mut Canvas<'_>,
    area: Rect,
    rows: &[Row],
    focused: bool,
) {
    note_page(state, focused, area.height);
    state.runs.selected = app.training.row;
    let columns = [
        Column::left(" run"),
        Column::left("model").widths(22, 40),
        Column::left("state").widths(4, 20).priority(4),
        Column::right("loss").priority(3),
        Column::right("test"),
        Column::right("time").priority(2),
    ];
    let cells = |i: usize| rows.get(i).map(|r| cells_of(app, r));
    DataTable {
        columns: &columns,
        rows: Some(rows.len()),
        row: &cells,
        focused,
        cell_cursor: false,
        frozen: 0,
        footer: true,
        empty: "",
    }
    .render(area, canvas.buf, canvas.theme, &mut state.runs);
}

fn cells_of(app: &App, row: &Row) -> Vec<Cell> {
    let plain = |text: String, role| Cell::new(text, role);
    match row {
        Row::Queued(i) => {
            let label = app.jobs.queue.get(*i).map_or(String::new(), crate::workspace::Work::label);
            vec![
                plain("  …".into(), Role::Dim),
                plain(label, Role::Dim),
                plain("queued".into(), Role::Dim),
                plain(String::new(), Role::Dim),
                plain(String::new(), Role::Dim),
                plain(String::new(), Role::Dim),
            ]
        }
        Row::Running(i) => {
            let job = &app.jobs.running[*i];
            let loss = job.curves.last(Quantity::Loss, Side::Train);
            let (state, role) = progress::state(job);
            let left = job
                .time_left(app.now)
                .map_or(String::new(), |s| format!("~{}", numbers::duration(s)));
            let label = if job.note.is_empty() {
                job.label.clone()
            } else {
                format!("{} · {}", job.label, job.note)
            };
            vec![
                plain("  ▸".into(), Role::Accent),
                plain(label, Role::Strong),
                plain(state, role),
                plain(
                    loss.map_or(numbers::NONE.into(), |l| numbers::significant(l, 4)),
                    Role::Text,
                ),
                plain(String::new(), Role::Text),
                plain(left, Role::Dim),
            ]
        }
        Row::Done(id) => {
            let Some(run) = app.workspace.runs.iter().find(|r| r.id == *id) else { return vec![] };
            // The sign of a marked run is that of its curve, in the same colour.
            let look = app.training.marked.place(id).map(chart::look);
            let yardstick = app.workspace.now.yardstick.as_ref() == Some(id);
            let sign = look.map_or(if yardstick { '◆' } else { ' ' }, |(_, sign)| sign);
            let shown = app.shown().is_some_and(|s| s.id == *id);
            let loaded = app.workspace.run(id);
            let loss = app.curves_of(id).and_then(|c| c.last(Quantity::Loss, Side::Train));
            let (side, metrics) = run.headline();
            // The head says test; figures of other rows say so themselves.
            let rows = if side == "test" { String::new() } else { format!(" {side}") };
            let name = usual_metric(run.task);
            let measured = metric(name).map_or(name, |m| m.label);
            let value = metrics.get(name).and_then(|e| e.value);
            let n_folds = loaded.map_or(0, |r| r.folds.len());
            let state = match (&run.cv, run.n_warnings) {
                (_, n) if n > 0 => "⚠ warning".to_owned(),
                (Some(_), _) if n_folds > 0 => format!("{n_folds} folds"),
                (Some(_), _) => "folds".to_owned(),
                _ => "done".to_owned(),
            };
            let role = if run.n_warnings > 0 { Role::Warn } else { Role::Dim };
            let label = if run.note.is_empty() {
                run.label()
            } else {
                format!("{} · {}", run.label(), run.note)
            };
            vec![
                plain(
                    format!("{sign} {id}"),
                    look.map_or(if shown { Role::Accent } else { Role::Text }, |(role, _)| role),
                ),
                plain(label, if shown { Role::Strong } else { Role::Text }),
                plain(state, role),
                plain(
                    loss.map_or(numbers::NONE.into(), |l| numbers::significant(l, 4)),
                    Role::Text,
                ),
                plain(
                    value.map_or(numbers::NONE.into(), |v| {
                        let figure = if run.task == Task::Regression {
                            numbers::significant(v, 4)
                        } else {
                            numbers::fixed(v, 3)
                        };
                        format!("{measured} {figure}{rows}")
                    }),
                    Role::Strong,
                ),
                plain(numbers::duration(run.fit_seconds), Role::Dim),
            ]
        }
    }
}
