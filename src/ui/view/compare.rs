//! The Compare screen.

use ratatui::layout::Rect;

use super::{Canvas, Role, ViewState, below, classes, note_page, plots, row, word};
use crate::data::Task;
use crate::metrics::{Estimate, Metric, metric};
use crate::train;
use crate::ui::app::{App, EvalTab};
use crate::ui::plot::Dash;
use crate::ui::widgets::{Cell, Column, DataTable, Pane, line, numbers, text};
use crate::workspace::Side;

pub(super) fn draw(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect) {
    let focused = app.overlays.is_empty();
    let label = app.compare.metric.and_then(metric).map_or("", |m| m.label);
    let title = format!("Leaderboard by {label}");
    let pane = Pane { title: &title, right: "m other metrics", focused, ..Pane::default() };
    let inner = pane.render(area, canvas.buf, canvas.theme);
    let Some(comparison) = app.compare.comparison.clone() else {
        let text = if app.jobs.is_idle() { "nothing to compare" } else { "comparing …" };
        canvas.paragraph(inner, text, Role::Dim);
        return;
    };
    let n = comparison.leaderboard.len();
    let wanted = n as u16 + 2;
    let list = Rect { height: wanted.min(inner.height * 3 / 5).max(4).min(inner.height), ..inner };
    note_page(state, focused, list.height);
    leaderboard(app, state, canvas, list, focused, &comparison);
    let rest = below(inner, list.height);
    let used = canvas.paragraph(
        Rect { height: rest.height.min(3), ..rest },
        &comparison.sentence,
        Role::Strong,
    );
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    let others = comparison.n_tests();
    let method = comparison.leaderboard.iter().find_map(|r| r.method);
    let method = method.map_or(String::new(), |m| format!("{m} · "));
    let method = format!(
        "{method}Holm over {others} comparison{} · {} row{} in common",
        plural(others),
        numbers::count(comparison.rows_shared),
        plural(comparison.rows_shared)
    );
    let left_out = app.workspace.runs_here().count().saturating_sub(n);
    let left_out = match left_out {
        0 => String::new(),
        _ => format!("  · {left_out} run{} on another question left out", plural(left_out)),
    };
    let needed = 22 + text::width(&left_out) as u16;
    let legend =
        [word("◆", Role::Accent), word(format!(" yardstick  ● marked{left_out}"), Role::Dim)];
    let x = canvas.words(row(rest, used), &[word(format!("{method}   "), Role::Dim)]);
    let beside = Rect { x, width: rest.right().saturating_sub(x), ..row(rest, used) };
    // Where it does not fit beside the method it stands below.
    let fits = beside.width >= needed;
    canvas.words(if fits { beside } else { row(rest, used + 1) }, &legend);
    let below_it = below(rest, used + if fits { 2 } else { 3 });
    if below_it.height >= 6 {
        overlay(app, canvas, below_it);
    }
}

fn leaderboard(
    app: &App,
    state: &mut ViewState,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focused: bool,
    comparison: &train::Comparison,
) {
    let task = comparison
        .leaderboard
        .first()
        .and_then(|r| app.workspace.run(&r.id))
        .map_or(Task::Binary, |r| r.task);
    let shown: &[&str] = match task {
        Task::Regression => &["rmse", "mae", "r2"],
        Task::Binary => &["roc_auc", "ks", "brier", "log_loss"],
        Task::Multiclass => &["accuracy", "macro_f1", "log_loss", "top_2_accuracy"],
    };
    let ranked = app.compare.metric.unwrap_or(shown[0]);
    let mut names: Vec<&str> = vec![ranked];
    names.extend(shown.iter().copied().filter(|n| *n != ranked));
    let mut heads = vec![Column::left("  run"), Column::left("model").widths(22, 40)];
    for (i, name) in names.iter().enumerate() {
        let label = metric(name).map_or(*name, |m| m.label);
        heads.push(Column::right(label).priority(if i == 0 { 0 } else { 3 + i as u8 }));
        if i == 0 {
            heads.push(Column::right("95 %").priority(2));
        }
    }
    heads.extend([
        Column::right("difference"),
        Column::right("95 % of it").priority(1),
        Column::right("p (Holm)"),
        Column::left("verdict"),
        Column::right("fit").priority(8),
    ]);
    let digits = |name: &str, v: f64| {
        if metric(name).is_none_or(Metric::is_unitless) {
            numbers::fixed(v, 3)
        } else {
            numbers::significant(v, 5)
        }
    };
    let cells = |i: usize| {
        let entry = comparison.leaderboard.get(i)?;
        let is_yardstick = entry.is_yardstick;
        let marked = app.training.marked.contains(&entry.id);
        let mark = if is_yardstick {
            "◆"
        } else if marked {
            "●"
        } else {
            " "
        };
        let mut cells = vec![
            Cell::new(
                format!("{mark} {}", entry.id),
                if is_yardstick { Role::Accent } else { Role::Text },
            ),
            Cell::new(entry.label.clone(), Role::Strong),
        ];
        for (i, name) in names.iter().enumerate() {
            let found: Option<Estimate> = entry.metrics.get(*name).copied();
            let value = found.and_then(|e| e.value);
            cells.push(Cell::new(
                value.map_or(numbers::NONE.into(), |v| digits(name, v)),
                if i == 0 { Role::Strong } else { Role::Text },
            ));
            if i == 0 {
                let range = found.and_then(|e| e.low.zip(e.high));
                cells.push(Cell::new(
                    range.map_or(String::new(), |(l, h)| {
                        format!("{}–{}", digits(name, l), digits(name, h))
                    }),
                    Role::Dim,
                ));
            }
        }
        if is_yardstick {
            cells.extend([
                Cell::new("yardstick", Role::Accent),
                Cell::new("", Role::Dim),
                Cell::new("", Role::Dim),
                Cell::new("", Role::Dim),
            ]);
        } else {
            let diff = entry.diff.and_then(|d| d.value);
            let range = entry.diff.and_then(|d| d.low.zip(d.high));
            let (look, said) = match entry.verdict {
                Some("better") => (Role::Good, "better"),
                Some("worse") => (Role::Bad, "worse"),
                Some(other) => (Role::Dim, other),
                None => (Role::Dim, numbers::NONE),
            };
            cells.extend([
                Cell::new(diff.map_or(numbers::NONE.into(), |d| numbers::signed(d, 3)), Role::Text),
                Cell::new(
                    range.map_or(String::new(), |(l, h)| {
                        format!("{} to {}", numbers::signed(l, 3), numbers::signed(h, 3))
                    }),
                    Role::Dim,
                ),
                Cell::new(entry.p_holm.map_or(numbers::NONE.into(), numbers::p_value), Role::Dim),
                Cell::new(said, look),
            ]);
        }
        cells.push(Cell::new(numbers::duration(entry.fit_seconds), Role::Dim));
        Some(cells)
    };
    state.leaderboard.selected = app.compare.row;
    DataTable {
        columns: &heads,
        rows: Some(comparison.leaderboard.len()),
        row: &cells,
        focused,
        cell_cursor: false,
        frozen: 0,
        footer: true,
        empty: "nothing to compare",
    }
    .render(area, canvas.buf, canvas.theme, &mut state.leaderboard);
}

/// Curves laid over each other, and what differs between the experiments.
fn overlay(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(yardstick) = app.yardstick() else { return };
    let mut ids = vec![yardstick.clone()];
    ids.extend(app.training.marked.iter().filter(|m| **m != yardstick).cloned());
    if let Some(chosen) = app.compared().filter(|c| !ids.contains(c)) {
        ids.push(chosen);
    }
    ids.truncate(4);
    let runs: Vec<_> = ids.iter().filter_map(|id| app.workspace.run(id)).collect();
    let Some(first) = runs.first() else { return };
    let left = Rect { width: area.width * 9 / 20, ..area };
    let right = Rect {
        x: area.x + left.width + 2,
        width: area.width.saturating_sub(left.width + 2),
        ..area
    };
    if first.task == Task::Binary {
        let found: Vec<_> = runs
            .iter()
            .filter_map(|run| {
                let side = Side::of(run).first().copied()?;
                let assessment = app.workspace.assessments.get(&(run.id.clone(), side))?;
                Some((format!("{} {}", run.id, run.model.kind), assessment.roc.clone()))
            })
            .collect();
        let dash = |i: usize| if i == 0 { Dash::Solid } else { Dash::Dotted };
        let named: Vec<plots::Named<'_>> = found
            .iter()
            .enumerate()
            .map(|(i, (name, points))| (name.as_str(), Role::series(i), dash(i), points.as_slice()))
            .collect();
        plots::curves(canvas, left, EvalTab::Roc, &named, None, None);
    }
    if first.task == Task::Multiclass {
        let found: Vec<_> = runs
            .iter()
            .filter_map(|run| {
                let side = Side::of(run).first().copied()?;
                let assessment = app.workspace.assessments.get(&(run.id.clone(), side))?;
                Some((run.id.to_string(), assessment.several.as_ref()?))
            })
            .collect();
        classes::side_by_side(&first.model.classes, &found, canvas, left);
    }
    let other =
        app.compared().filter(|id| *id != yardstick).and_then(|id| app.workspace.run(&id).cloned());
    let Some(other) = other else {
        line::rule("what differs", row(right, 0), canvas.buf, canvas.theme);
        canvas.paragraph(
            below(right, 1),
            "Move to another run to see how it differs from the yardstick.",
            Role::Dim,
        );
        return;
    };
    line::rule(
        &format!("what differs: {yardstick} → {}", other.id),
        row(right, 0),
        canvas.buf,
        canvas.theme,
    );
    let differences = train::experiment_diff(&first.experiment, &other.experiment);
    if differences.is_empty() {
        canvas.words(row(right, 1), &[word("the same experiment", Role::Dim)]);
    }
    for (i, (field, from, to)) in differences.iter().enumerate() {
        let words = [
            word(text::fit(field, 20), Role::Dim),
            word(format!(" {from} → "), Role::Text),
            word(to.clone(), Role::Strong),
        ];
        canvas.words(row(right, 1 + i as u16), &words);
    }
}
