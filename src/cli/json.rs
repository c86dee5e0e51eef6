//! Pieces of the JSON that several commands answer with. Undefined is null.

use serde_json::{Map, Value, json};

use super::classes::Several;
use crate::metrics::{Estimate, METRICS};
use crate::train::{Coefficient, Dataset, Metrics, Run};

/// Metrics in the order of the one table of metrics, whatever order they are kept in.
pub(super) fn in_order(metrics: &Metrics) -> Vec<(&str, &Estimate)> {
    let place = |name: &str| METRICS.iter().position(|m| m.name == name).unwrap_or(METRICS.len());
    let mut all: Vec<_> = metrics.iter().map(|(name, e)| (name.as_str(), e)).collect();
    all.sort_by_key(|(name, _)| place(name));
    all
}

/// Metrics as plain numbers.
pub(super) fn numbers(metrics: &Metrics) -> Value {
    let pairs = in_order(metrics).into_iter();
    Value::Object(pairs.map(|(name, e)| (name.to_owned(), json!(e.value))).collect())
}

/// The intervals of those metrics that have one.
pub(super) fn intervals(metrics: &Metrics) -> Value {
    let known = in_order(metrics).into_iter().filter(|(_, e)| e.low.is_some() || e.high.is_some());
    let pair = |e: &Estimate| json!({ "low": e.low, "high": e.high });
    Value::Object(known.map(|(name, e)| (name.to_owned(), pair(e))).collect())
}

/// Metrics with their intervals.
pub(super) fn estimates(metrics: &Metrics) -> Value {
    let pairs = in_order(metrics).into_iter();
    Value::Object(pairs.map(|(name, e)| (name.to_owned(), estimate(e))).collect())
}

/// A value with its interval.
pub(super) fn estimate(e: &Estimate) -> Value {
    json!({ "value": e.value, "low": e.low, "high": e.high })
}

/// The table that was worked on.
pub(super) fn dataset(d: &Dataset) -> Value {
    json!({ "path": d.path, "rows": d.rows, "columns": d.columns, "sha256": d.sha256 })
}

/// The metrics of every part of the table that a run has, each part turned into JSON by `turn`.
pub(super) fn parts(run: &Run, turn: fn(&Metrics) -> Value) -> Value {
    let parts =
        [("train", Some(&run.train)), ("valid", run.valid.as_ref()), ("test", run.test.as_ref())];
    let there = parts.into_iter().chain([("cv", run.cv.as_ref())]);
    let pairs = there.filter_map(|(part, metrics)| Some((part.to_owned(), turn(metrics?))));
    Value::Object(pairs.collect())
}

/// A run in full, without its scores.
pub(super) fn run(run: &Run) -> anyhow::Result<Map<String, Value>> {
    let question = &run.experiment.question;
    let [train_rows, valid_rows, test_rows] = run.split_rows;
    let coefficient = |c: &Coefficient| serde_json::to_value(c);
    let value = json!({
        "run_id": run.id.0,
        "model": run.model.kind,
        "parameters": run.experiment.model.set,
        "task": run.task,
        "target": run.model.target,
        "positive": question.positive,
        "classes": run.model.classes,
        "dataset": dataset(&run.dataset),
        "split": {
            "method": run.experiment.split.method,
            "seed": run.experiment.split.seed,
            "train_rows": train_rows,
            "valid_rows": valid_rows,
            "test_rows": test_rows,
        },
        "metrics": parts(run, numbers),
        "intervals": parts(run, intervals),
        "folds": run.folds,
        "threshold": run.threshold,
        "converged": run.converged,
        "iterations": run.iterations,
        "fit_seconds": run.fit_seconds,
        "intercept": run.intercept.as_ref().map(|c| c.value),
        "intercept_inference": run.intercept.as_ref().map(coefficient).transpose()?,
        "coefficients": run.coefficients.iter().map(coefficient).collect::<Result<Vec<_>, _>>()?,
        "no_inference": run.no_inference,
        "fit_notes": run.notes,
        "warnings": run.warnings,
        "experiment": run.experiment,
    });
    match value {
        Value::Object(mut map) => {
            if let Some((part, several)) = Several::of_run(run) {
                several.tell(&mut map);
                map.insert("measured_on".into(), json!(part));
            }
            Ok(map)
        }
        _ => anyhow::bail!("a run is not an object"),
    }
}
