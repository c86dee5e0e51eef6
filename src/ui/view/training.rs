//! The Training pane: the list of runs, and the curve of the chosen one.

use ratatui::layout::Rect;

use super::{Canvas, Role, ViewState, note_page};
use crate::data::Task;
use crate::metrics::metric;
use crate::train::{Point, usual_metric};
use crate::ui::app::{App, Row};
use crate::ui::plot::{self, Dash, LinePlot, Series};
use crate::ui::widgets::{Cell, Column, DataTable, Pane, numbers};

pub(super) fn draw(
    app: &App,
    state: &mut ViewState,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focused: bool,
) {
    let right = if app.jobs.queue.is_empty() {
        String::new()
    } else {
        format!("{} queued", app.jobs.queue.len())
    };
    let pane =
        Pane { number: Some(3), title: "Training", right: &right, focused, ..Pane::default() };
    let inner = pane.render(area, canvas.buf, canvas.theme);
    let rows = app.training_rows();
    if rows.is_empty() {
        let text = "No run yet. t trains with the settings of the Model pane, A trains every kind of model and compares them.";
        canvas.paragraph(inner, text, Role::Dim);
        return;
    }
    let wanted = rows.len() as u16 + 1;
    let list_height = wanted.clamp(3, (inner.height / 2).max(3)).min(inner.height);
    let list = Rect { height: list_height, ..inner };
    note_page(state, focused, list.height);
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
    .render(list, canvas.buf, canvas.theme, &mut state.runs);
    let rest = Rect { y: list.bottom(), height: inner.height - list.height, ..inner };
    if rest.height >= 4 {
        curve(app, canvas, rest);
    }
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
            let loss = job.curve.last().and_then(|p| p.loss);
            let state =
                if job.stopping { "finishing".to_owned() } else { plot::gauge(job.fraction, 16) };
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
                plain(state, Role::Accent),
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
            let marked = if app.training.marked.contains(id) { "●" } else { " " };
            let yardstick =
                if app.workspace.now.yardstick.as_ref() == Some(id) { "◆" } else { marked };
            let shown = app.shown().is_some_and(|s| s.id == *id);
            let loaded = app.workspace.run(id);
            let loss = loaded.and_then(|r| r.history.last()).and_then(|p| p.loss);
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
                plain(format!("{yardstick} {id}"), if shown { Role::Accent } else { Role::Text }),
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

fn curve(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let points = app.curve();
    let pick = |f: fn(&Point) -> Option<f64>| -> Vec<(f64, f64)> {
        points.iter().map(|p| (p.step, f(p).unwrap_or(f64::NAN))).collect()
    };
    let (loss, valid) = (pick(|p| p.loss), pick(|p| p.valid_loss));
    let drawable = |c: &[(f64, f64)]| c.iter().filter(|(_, y)| y.is_finite()).count();
    if drawable(&loss) < 2 && drawable(&valid) < 2 {
        let text = match app.training_rows().get(app.training.row) {
            Some(Row::Done(id)) if app.workspace.run(id).is_none() => {
                "Enter reads this run back from the workspace."
            }
            Some(Row::Running(_)) => "The curve begins with the second step.",
            Some(Row::Done(_)) => {
                "Solved in closed form: there is no curve. Set solver to gd or sgd to watch the loss fall."
            }
            _ => "",
        };
        canvas.paragraph(super::below(area, 1), text, Role::Dim);
        return;
    }
    let mut series =
        vec![Series { name: "train", role: Role::Train, points: &loss, dash: Dash::Solid }];
    if drawable(&valid) > 0 {
        series.push(Series {
            name: "valid",
            role: Role::Valid,
            points: &valid,
            dash: Dash::Dotted,
        });
    }
    LinePlot {
        series,
        x_label: "iteration",
        y_label: if app.training.log { "loss (log)" } else { "loss" },
        log_y: app.training.log,
        cursor: app.training.cursor,
        legend: true,
        ..LinePlot::default()
    }
    .render(area, canvas.buf, canvas.theme);
}
