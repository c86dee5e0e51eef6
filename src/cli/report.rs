//! A run as text for a person.

use std::fmt::Write as _;

use super::classes::Several;
use super::console::Console;
use super::json::in_order;
use super::text::{self, TextTable};
use crate::data::Task;
use crate::metrics::{Estimate, METRICS};
use crate::train::{Coefficient, Metrics, Run};

/// How many coefficients are shown where more would bury the rest.
const FEW: usize = 12;

/// How much of a run is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// The largest coefficients only.
    Short,
    /// Everything.
    Full,
}

/// What a run found, in a screenful.
pub(super) fn run(run: &Run, depth: Depth, console: &Console) -> String {
    let mut out = heading(run);
    out += "\n\n";
    out += &metrics(run, console);
    if let Some((part, several)) = Several::of_run(run) {
        let _ = writeln!(out, "\neach class ({part})");
        out += &several.text(console);
    }
    // Every class has coefficients of its own, which would bury the rest.
    if !run.coefficients.is_empty() && (depth == Depth::Full || run.intercept.is_some()) {
        out.push('\n');
        out += &coefficients(run, depth, console);
    }
    out
}

/// The name by which a person knows a metric.
pub(super) fn label(name: &str) -> &str {
    METRICS.iter().find(|m| m.name == name).map_or(name, |m| m.label)
}

/// An interval, or nothing where there is none.
pub(super) fn interval(e: &Estimate) -> String {
    match (e.low, e.high) {
        (Some(low), Some(high)) => format!("{} – {}", text::metric(low), text::metric(high)),
        _ => String::new(),
    }
}

/// A table with a line for each metric and a column for each part.
pub(super) fn metric_table(
    parts: &[(&str, &Metrics)],
    with_interval: &Metrics,
    console: &Console,
) -> String {
    let titles: Vec<String> = parts.iter().map(|(part, _)| format!(">{part}")).collect();
    let mut header = vec!["metric"];
    header.extend(titles.iter().map(String::as_str));
    let last = parts.last().map_or("", |(part, _)| *part);
    let heading = format!("95 % ({last})");
    header.push(&heading);
    let mut table = TextTable::new(&header);
    for (name, estimate) in in_order(with_interval) {
        let mut row = vec![label(name).to_owned()];
        for (_, metrics) in parts {
            row.push(text::maybe(metrics.get(name).and_then(|e| e.value)));
        }
        row.push(interval(estimate));
        table.row(row);
    }
    table.render(console.width, console.bold)
}

fn heading(run: &Run) -> String {
    let set = run.experiment.model.set.iter().map(|(key, value)| format!(" {key}={value}"));
    let model = set.fold(run.model.kind.clone(), |label, part| label + &part);
    let mut out = format!("{model} · target {} ({})", run.model.target, run.task);
    if let (Task::Binary, Some(positive)) = (run.task, run.model.classes.last()) {
        let _ = write!(out, " · positive {positive}");
    }
    let _ = write!(out, " · {}", run.dataset.path);
    let names = ["train", "validation", "test"];
    let rows: Vec<String> = names
        .iter()
        .zip(run.split_rows)
        .filter(|(_, n)| *n > 0)
        .map(|(name, n)| format!("{} {name}", text::count(n)))
        .collect();
    let split = &run.experiment.split;
    let _ = write!(out, "\n{} rows · {} split, seed {}", rows.join(", "), split.method, split.seed);
    let n_folds = run.folds.len();
    if n_folds > 0 {
        let _ = write!(out, " · {n_folds} folds");
    }
    let seen = run.model.sight.as_ref().map_or(0, |sight| sight.layout.cells());
    let _ = write!(out, " · {} columns", run.model.recipe.outputs.len() + seen);
    let _ = write!(out, " · fitted in {}", text::seconds(run.fit_seconds));
    if run.task == Task::Binary {
        let _ = write!(out, " · threshold {}", text::number(run.threshold));
    }
    text::sanitise(&out)
}

fn metrics(run: &Run, console: &Console) -> String {
    let parts = [
        ("train", Some(&run.train)),
        ("valid", run.valid.as_ref()),
        ("cv", run.cv.as_ref()),
        ("test", run.test.as_ref()),
    ];
    let there: Vec<_> = parts.into_iter().filter_map(|(part, m)| Some((part, m?))).collect();
    let last = there.last().map_or(&run.train, |(_, metrics)| metrics);
    metric_table(&there, last, console)
}

fn coefficients(run: &Run, depth: Depth, console: &Console) -> String {
    // A statistic can be compared across features; without one the order of the table stands.
    let mut all: Vec<&Coefficient> = run.coefficients.iter().collect();
    if depth == Depth::Short {
        let size = |c: &&Coefficient| -c.statistic.unwrap_or(0.0).abs();
        all.sort_by(|a, b| size(a).total_cmp(&size(b)));
    }
    let n_shown = if depth == Depth::Short { FEW.min(all.len()) } else { all.len() };
    let mut table = TextTable::new(&[
        "class",
        "feature",
        ">coefficient",
        ">std. error",
        ">statistic",
        ">p",
        "95 %",
        ">odds ratio",
        "note",
    ])
    .optional(&["statistic", "std. error", "95 %"]);
    for c in run.intercept.iter().chain(all[..n_shown].iter().copied()) {
        let between = match (c.low, c.high) {
            (Some(low), Some(high)) => format!("{} – {}", text::number(low), text::number(high)),
            _ => String::new(),
        };
        table.row([
            c.class.clone().unwrap_or_default(),
            c.feature.clone(),
            text::number(c.value),
            c.std_error.map_or(String::new(), text::number),
            c.statistic.map_or(String::new(), |t| format!("{t:.2}")),
            c.p.map_or(String::new(), text::p_value),
            between,
            c.odds_ratio.map_or(String::new(), text::number),
            c.note.clone().unwrap_or_default(),
        ]);
    }
    let mut out = table.render(console.width, console.bold);
    let n_hidden = all.len() - n_shown;
    if n_hidden > 0 {
        let id = &run.id;
        let _ = writeln!(out, "… and {n_hidden} more: karat runs show {id}");
    }
    if let Some(why) = &run.no_inference {
        let _ = writeln!(out, "no standard errors: {}", text::sanitise(why));
    }
    out
}
