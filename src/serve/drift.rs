//! Windows of what was seen, measured against the reference; alerts that come of them; and models
//! trained again when it is time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::metrics::{OfDrift, OfPerformance};
use super::served::Served;
use super::server::Server;
use super::{Error, tell};
use crate::data::{Table, Target, Task};
use crate::features::reference::{
    ColumnCount, ColumnReference, ColumnWindow, Shape, WindowCounts, bin_of,
};
use crate::features::{Cell, Encoding, Given, RowRecipe};
use crate::jobs::{self, Ctx};
use crate::metrics::Family;
use crate::models::{self, Model, Predictor};
use crate::monitor::{Outcomes, Policy, Watch, Window, WindowReport};
use crate::registry::Registry;
use crate::registry::store::{Actor, Retrain, now_ms};
use crate::rng::Seed;
use crate::workspace::{Rule, forget_nights, period_ms, retrain, write_night};

/// Rows of a window where the model's settings say nothing else.
const ROWS: usize = 1_000;
/// A window that is not full ends after this time, in milliseconds ...
const LONGEST_MS: i64 = 3_600_000;
/// ... if it has so many rows.
const FEWEST: u64 = 200;
/// Labels that performance is measured on, at most.
const LABELS: u32 = 5_000;
/// ... and at least.
const FEWEST_LABELS: usize = 50;

/// So often windows are looked at.
const EVERY: Duration = Duration::from_secs(1);
/// After so many times the time that it took the next look follows, so that measuring never takes
/// more than a fiftieth of a processor.
const REST: u32 = 49;

/// Looks at windows until the server stops. It has a thread of its own, so that a revoked key does
/// not wait for a measurement.
pub(super) fn watch(server: &Arc<Server>, stopped: &watch::Receiver<bool>) {
    let mut pause = EVERY;
    while !*stopped.borrow() {
        thread::sleep(pause);
        let begun = Instant::now();
        look(server);
        pause = EVERY.max(begun.elapsed() * REST);
    }
}

/// Ends the windows that are full and measures them, and trains again what is due.
fn look(server: &Arc<Server>) {
    let models = server.models.load_full();
    for named in models.by_name.values() {
        for served in named.versions.values() {
            if let Some((counts, from_ms)) = full(served) {
                let report = measured(server, served, &counts, from_ms);
                if let Some(report) = report {
                    keep(server, served, &report);
                }
            }
        }
    }
    train_again(server);
    nightly(server);
}

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Writes the predictions of a day that is over to files for analysis, and forgets those that are
/// too old. What is to be encrypted is not written again in the clear.
fn nightly(server: &Arc<Server>) {
    let yesterday = now_ms() / DAY_MS - 1;
    if server.log.is_none() || server.day.swap(yesterday, Ordering::AcqRel) >= yesterday {
        return;
    }
    let own = Arc::clone(server);
    let work = move || {
        let (Some(log), Some(reader)) = (&own.log, &own.log_reader) else { return };
        let workspace = &own.options.workspace;
        forget_nights(workspace, yesterday - i64::from(own.options.log_days));
        if log.is_sealed() {
            return;
        }
        log.flush();
        let names: Vec<String> = own.models.load().by_name.keys().cloned().collect();
        if let Err(error) = write_night(workspace, reader, &names, yesterday) {
            own.trouble(format!("the files of the night: {error}"));
        }
    };
    if jobs::background("nightly", work).is_err() {
        server.trouble("the files of the night were not written: there is no thread".into());
    }
}

/// Rows that a window of a version takes.
pub(super) fn rows_of_window(served: &Served) -> u64 {
    served.policy.window.unwrap_or(ROWS).max(50) as u64
}

/// The counts of a window that has ended.
fn full(served: &Served) -> Option<(WindowCounts, i64)> {
    served.model().reference.as_ref()?;
    let rows = rows_of_window(served);
    served.turn(|window| {
        let is_old = now_ms() - window.started_ms() > LONGEST_MS && window.n() >= FEWEST;
        window.n() >= rows || is_old
    })
}

/// A watch over a model; nothing without a reference.
fn watch_over(model: &Model) -> Option<Watch> {
    let reference = model.reference.as_deref()?.clone();
    let family = match model.task {
        Task::Regression => Family::Regression,
        Task::Binary => Family::Binary,
        Task::Multiclass => Family::Classes,
    };
    let columns: Vec<ColumnReference> = reference.columns.clone();
    let mut watch = Watch::new(reference, family, model.threshold, Policy::default(), Seed(1))
        .with_classes(&model.classes);
    for column in &columns {
        if let Some(points) = points(model, column) {
            watch = watch.with_points(&column.name, points);
        }
    }
    Some(watch)
}

/// What each bin or level of a column adds to the score of a linear model, on average.
fn points(model: &Model, column: &ColumnReference) -> Option<Vec<f64>> {
    let Predictor::Linear { coefficients, .. } = &model.predictor else { return None };
    let recipe = RowRecipe::new(&model.recipe);
    let inputs = &model.recipe.inputs;
    let place = inputs.iter().position(|input| input.name == column.name)?;
    let empty: Vec<Cell> = inputs
        .iter()
        .map(|input| match input.encoding {
            Encoding::Levels => Cell::Group(None),
            Encoding::Number | Encoding::Date => Cell::Number(f64::NAN),
        })
        .collect();
    let mut row = vec![0.0; recipe.n_outputs()];
    let mut worth = |given: Given<'_>| {
        let mut cells = empty.clone();
        (cells[place], _) = recipe.take(place, given).ok()?;
        recipe.make(&cells, &mut row);
        let own = model.recipe.outputs.iter().zip(coefficients).zip(&row);
        let own = own.filter(|((output, _), _)| output.column == column.name);
        Some(own.map(|((_, coefficient), value)| coefficient * value).sum::<f64>())
    };
    match &column.shape {
        Shape::Levels { names, .. } => names.iter().map(|name| worth(Given::Text(name))).collect(),
        Shape::Numbers { edges, counts, sample, mean, .. } => (0..counts.len())
            .map(|bin| {
                let own: Vec<f64> =
                    sample.iter().copied().filter(|value| bin_of(edges, *value) == bin).collect();
                let middle = own.iter().sum::<f64>() / own.len() as f64;
                worth(Given::Number(if own.is_empty() { *mean } else { middle }))
            })
            .collect(),
    }
}

/// The rows of a table as windows, measured against what a model was trained on; the target, where
/// the table has it, tells how good the model was.
///
/// # Errors
///
/// When the model keeps no reference, or the table lacks a column.
pub fn watch_table(
    model: &Model,
    table: &Table,
    rows: Option<usize>,
    ctx: &Ctx,
) -> Result<Vec<WindowReport>, Error> {
    let none = Error::NoReference { kind: model.kind.clone() };
    let mut watch = watch_over(model).ok_or(none)?;
    let reference = model.reference.clone().unwrap_or_default();
    let scores = model.score(table, None, ctx)?;
    let truth = table.column(&model.target).map(|_| {
        let positive = model.classes.get(1).cloned().filter(|_| model.task == Task::Binary);
        Target { name: model.target.clone(), positive, task: model.task }.truth(table)
    });
    let truth = truth.transpose().map_err(Error::from)?;
    let n_rows = table.n_rows();
    let size = rows.unwrap_or(n_rows).clamp(1, n_rows.max(1));
    let mut windows: Vec<WindowCounts> = Vec::new();
    let n_windows = n_rows.div_ceil(size);
    for start in 0..n_windows {
        let n = (n_rows - start * size).min(size) as u64;
        let own = scores[start * size..].iter().take(size).copied().filter(|s| s.is_finite());
        let columns = reference.columns.iter().map(|own| ColumnWindow::new(&own.shape)).collect();
        windows.push(WindowCounts { n, columns, scores: own.collect() });
    }
    for (at, column) in reference.columns.iter().enumerate() {
        ctx.check().map_err(models::Error::from)?;
        let mut counter = ColumnCount::new(column, Seed(1));
        let mut end = |row: usize, counter: &mut ColumnCount| {
            if (row + 1).is_multiple_of(size) || row + 1 == n_rows {
                windows[row / size].columns[at] = counter.window();
                *counter = ColumnCount::new(column, Seed(1));
            }
        };
        if let Shape::Numbers { .. } = column.shape {
            let values = table.numbers(&column.name).map_err(Error::from)?;
            for (row, value) in values.into_iter().enumerate() {
                counter.add_number(value);
                end(row, &mut counter);
            }
        } else {
            let levels = table.levels(&column.name).map_err(Error::from)?;
            for (row, code) in levels.codes.iter().enumerate() {
                counter.add_level(levels.names.get(*code as usize).map(String::as_str));
                end(row, &mut counter);
            }
        }
    }
    let mut reports = Vec::new();
    for (at, counts) in windows.iter().enumerate() {
        let range = at * size..(at * size + size).min(n_rows);
        let (mut own, mut known) = (Vec::new(), Vec::new());
        for row in range.clone() {
            let told = truth.as_ref().map_or(f64::NAN, |truth| truth[row]);
            if told.is_finite() && scores[row].is_finite() && model.task != Task::Multiclass {
                own.push(scores[row]);
                known.push(told);
            }
        }
        let outcomes = (!own.is_empty()).then(|| Outcomes { scores: &own, truth: &known });
        let (from_ms, to_ms) = (range.start as i64, range.end as i64);
        reports.push(watch.look(&Window { from_ms, to_ms, counts, outcomes }));
    }
    Ok(reports)
}

fn measured(
    server: &Server,
    served: &Served,
    counts: &WindowCounts,
    from_ms: i64,
) -> Option<WindowReport> {
    let now = now_ms();
    let since = [served.labels_from_ms.load(Ordering::Relaxed), now];
    let labelled = server
        .log_reader
        .as_ref()
        .and_then(|log| log.labelled(&served.name, served.version, since, LABELS).ok())
        .unwrap_or_default();
    let model = served.model();
    let (mut scores, mut truth) = (Vec::new(), Vec::new());
    for own in &labelled {
        let told = match (model.task, model.classes.as_slice()) {
            (Task::Regression, _) => own.label.parse().ok(),
            (Task::Binary, [negative, positive]) => {
                if own.label == *positive {
                    Some(1.0)
                } else {
                    (own.label == *negative).then_some(0.0)
                }
            }
            _ => None,
        };
        if let Some(told) = told {
            scores.push(own.score);
            truth.push(told);
        }
    }
    // Fewer labels wait for others to come.
    let is_enough = scores.len() >= FEWEST_LABELS;
    if is_enough {
        served.labels_from_ms.store(now, Ordering::Relaxed);
    }
    let outcomes = is_enough.then(|| Outcomes { scores: &scores, truth: &truth });
    let mut watch = served.watch.lock().unwrap_or_else(PoisonError::into_inner);
    if watch.is_none() {
        *watch = watch_over(served.model());
    }
    let window = Window { from_ms, to_ms: now, counts, outcomes };
    watch.as_mut().map(|watch| watch.look(&window))
}

/// Keeps a report, tells Prometheus, and raises or resolves alerts.
fn keep(server: &Arc<Server>, served: &Served, report: &WindowReport) {
    let (name, version) = (&served.name, served.version);
    let value = serde_json::to_value(report).unwrap_or(Value::Null);
    if let Err(error) = server.store.keep_window(name, version, report.to_ms, &value) {
        server.trouble(error.to_string());
    }
    for column in report.columns.iter().chain(&report.score) {
        let of = |method: &str| OfDrift {
            model: name.clone(),
            version,
            feature: column.name.clone(),
            method: method.to_owned(),
        };
        if let Some(psi) = column.psi {
            server.metrics.drift.get_or_create(&of("psi")).set(psi);
        }
        if let Some(value) = column.value {
            server.metrics.drift.get_or_create(&of(column.method)).set(value);
        }
    }
    let families = [
        (&server.metrics.estimated, &report.estimated),
        (&server.metrics.realised, &report.realised),
    ];
    for (family, all) in families {
        for own in all {
            let of = OfPerformance { model: name.clone(), version, metric: own.metric.to_owned() };
            if let Some(value) = own.value {
                family.get_or_create(&of).set(value);
            }
        }
    }
    let mut standing = Vec::new();
    let mut news = Vec::new();
    for alarm in &report.alarms {
        let kind = alarm.kind.word().to_owned();
        let values = [alarm.value, alarm.threshold];
        let about = (kind.as_str(), alarm.subject.as_str());
        match server.store.raise(name, version, about, values, &alarm.sentence) {
            Ok(raised) if raised.is_new => news.push(json!({
                "id": raised.id,
                "model": name,
                "version": version,
                "kind": kind,
                "subject": alarm.subject,
                "value": alarm.value,
                "threshold": alarm.threshold,
                "sentence": alarm.sentence,
                "at_ms": report.to_ms,
            })),
            Ok(_) => {}
            Err(error) => server.trouble(error.to_string()),
        }
        standing.push((kind, alarm.subject.clone()));
    }
    if let Err(error) = server.store.resolve_others(name, version, &standing) {
        server.trouble(error.to_string());
    }
    if !news.is_empty() {
        tell::deliver(server, news);
        server.alarmed.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
    }
}

/// Whether a model is being trained again at this moment: one at a time.
static BUSY: AtomicBool = AtomicBool::new(false);

/// Trains again what its schedule or an alert says.
fn train_again(server: &Arc<Server>) {
    let alarmed: Vec<String> =
        std::mem::take(&mut *server.alarmed.lock().unwrap_or_else(PoisonError::into_inner));
    let jobs = match server.store.retrainings() {
        Ok(jobs) => jobs,
        Err(error) => {
            server.trouble(error.to_string());
            server.alarmed.lock().unwrap_or_else(PoisonError::into_inner).extend(alarmed);
            return;
        }
    };
    let now = now_ms();
    let is_due = |job: &&Retrain| {
        let by_time = period_ms(&job.schedule).is_some_and(|period| {
            job.next_ms.map_or_else(
                || job.last_ms.is_none_or(|last| now >= last + period),
                |next| now >= next,
            )
        });
        by_time || job.on_alert && alarmed.contains(&job.model)
    };
    let due: Vec<&Retrain> = jobs.iter().filter(is_due).collect();
    let Some((first, others)) = due.split_first() else { return };
    let waiting = |all: &[&Retrain]| {
        let asked = all.iter().filter(|job| alarmed.contains(&job.model));
        let names: Vec<String> = asked.map(|job| job.model.clone()).collect();
        server.alarmed.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
    };
    // What an alert asked for is not forgotten while another model is trained.
    let Some(busy) = Busy::begin() else { return waiting(&due) };
    waiting(others);
    let next_ms = period_ms(&first.schedule).map(|period| now + period);
    if !server.store.claim_retraining(first, next_ms).unwrap_or(false) {
        return;
    }
    let (own, job) = (Arc::clone(server), (*first).clone());
    let work = move || {
        let _busy = busy;
        carry_out(&own, &job);
    };
    if jobs::service("retraining", work).is_err() {
        server.trouble(format!("`{}` is not trained again: there is no thread", first.model));
    }
}

/// That a model is being trained again; it ends however the training does.
struct Busy;

impl Busy {
    fn begin() -> Option<Self> {
        (!BUSY.swap(true, Ordering::AcqRel)).then_some(Self)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.store(false, Ordering::Release);
    }
}

fn carry_out(server: &Arc<Server>, job: &Retrain) {
    let actor = Actor::schedule();
    let outcome =
        Registry::open(&server.options.workspace).map_err(|e| e.to_string()).and_then(|registry| {
            let rule = Rule::parse(&job.rule);
            let data = job.data.as_deref();
            retrain(&registry, &server.store, &job.model, data, rule, &actor, &Ctx::quiet())
                .map_err(|error| error.to_string())
        });
    let (candidate, last) = match outcome {
        Ok(told) => {
            let news = json!({
                "model": told.name,
                "version": told.candidate,
                "kind": "candidate",
                "subject": told.run_id,
                "sentence": told.sentence,
                "promoted": told.promoted,
                "at_ms": now_ms(),
            });
            tell::deliver(server, vec![news]);
            let end = match (told.promoted, told.pending) {
                (true, _) => "it is the champion now".to_owned(),
                (false, Some(id)) => format!("decision {id} waits for a second person"),
                (false, None) => "a person decides".to_owned(),
            };
            (Some(told.candidate), format!("version {}: {} {end}", told.candidate, told.sentence))
        }
        Err(error) => {
            let first = error.lines().next().unwrap_or_default();
            server.trouble(format!("training `{}` again: {first}", job.model));
            (None, format!("failed: {first}"))
        }
    };
    let noted = server.store.note_retraining(&job.model, now_ms(), candidate, &last, &actor);
    if let Err(error) = noted {
        server.trouble(error.to_string());
    }
}
