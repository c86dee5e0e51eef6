//! The stored form of runs and their metrics.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::number::{Exact, exact, plain};
use crate::jobs::Sheet;
use crate::metrics::Estimate;
use crate::models::Model;
use crate::registry::RunSummary;
use crate::train::{Coefficient, Dataset, Experiment, Metrics, Point, Run, RunId, Scores};

/// A value with its interval.
#[derive(Serialize, Deserialize)]
pub(in crate::registry) struct StoredEstimate {
    value: Option<Exact>,
    low: Option<Exact>,
    high: Option<Exact>,
}

/// Metrics by name.
pub(in crate::registry) type StoredMetrics = BTreeMap<String, StoredEstimate>;

pub(in crate::registry) fn store_metrics(metrics: &Metrics) -> StoredMetrics {
    let store = |e: &Estimate| StoredEstimate {
        value: exact(e.value),
        low: exact(e.low),
        high: exact(e.high),
    };
    metrics.iter().map(|(name, estimate)| (name.clone(), store(estimate))).collect()
}

pub(in crate::registry) fn read_metrics(stored: StoredMetrics) -> Metrics {
    let read = |e: StoredEstimate| Estimate {
        value: plain(e.value),
        low: plain(e.low),
        high: plain(e.high),
    };
    stored.into_iter().map(|(name, estimate)| (name, read(estimate))).collect()
}

/// The table that was trained on.
#[derive(Serialize, Deserialize)]
pub(in crate::registry) struct StoredDataset {
    path: String,
    rows: usize,
    columns: usize,
    sha256: String,
}

impl From<&Dataset> for StoredDataset {
    fn from(d: &Dataset) -> Self {
        Self { path: d.path.clone(), rows: d.rows, columns: d.columns, sha256: d.sha256.clone() }
    }
}

impl From<StoredDataset> for Dataset {
    fn from(d: StoredDataset) -> Self {
        Self { path: d.path, rows: d.rows, columns: d.columns, sha256: d.sha256 }
    }
}

#[derive(Serialize, Deserialize)]
struct StoredPoint {
    step: Exact,
    loss: Option<Exact>,
    valid_loss: Option<Exact>,
    #[serde(default)]
    metric: Option<Exact>,
    #[serde(default)]
    valid_metric: Option<Exact>,
    #[serde(default)]
    learning_rate: Option<Exact>,
    #[serde(default)]
    grad_norm: Option<Exact>,
    #[serde(default)]
    seconds: Option<Exact>,
}

/// The figures of the parts of a model.
#[derive(Default, Serialize, Deserialize)]
struct StoredSheet {
    headings: Vec<String>,
    lines: Vec<(String, Vec<Exact>)>,
}

impl From<&Sheet> for StoredSheet {
    fn from(sheet: &Sheet) -> Self {
        let figures = |figures: &[f64]| figures.iter().copied().map(Exact).collect();
        Self {
            headings: sheet.headings.iter().map(ToString::to_string).collect(),
            lines: sheet.lines.iter().map(|(name, f)| (name.clone(), figures(f))).collect(),
        }
    }
}

impl From<StoredSheet> for Sheet {
    fn from(sheet: StoredSheet) -> Self {
        let figures = |figures: Vec<Exact>| figures.into_iter().map(f64::from).collect();
        Self {
            headings: sheet.headings.into_iter().map(Into::into).collect(),
            lines: sheet.lines.into_iter().map(|(name, f)| (name, figures(f))).collect(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct StoredCoefficient {
    feature: String,
    column: String,
    value: Exact,
    std_error: Option<Exact>,
    statistic: Option<Exact>,
    p: Option<Exact>,
    low: Option<Exact>,
    high: Option<Exact>,
    #[serde(default)]
    class: Option<String>,
    odds_ratio: Option<Exact>,
    note: Option<String>,
}

impl From<&Coefficient> for StoredCoefficient {
    fn from(c: &Coefficient) -> Self {
        Self {
            feature: c.feature.clone(),
            column: c.column.clone(),
            value: Exact(c.value),
            std_error: exact(c.std_error),
            statistic: exact(c.statistic),
            p: exact(c.p),
            low: exact(c.low),
            high: exact(c.high),
            class: c.class.clone(),
            odds_ratio: exact(c.odds_ratio),
            note: c.note.clone(),
        }
    }
}

impl From<StoredCoefficient> for Coefficient {
    fn from(c: StoredCoefficient) -> Self {
        Self {
            feature: c.feature,
            column: c.column,
            value: c.value.0,
            std_error: plain(c.std_error),
            statistic: plain(c.statistic),
            p: plain(c.p),
            low: plain(c.low),
            high: plain(c.high),
            class: c.class,
            odds_ratio: plain(c.odds_ratio),
            note: c.note,
        }
    }
}

/// What `run.json` holds; experiment, model and scores stand in files of their own beside it.
#[derive(Serialize, Deserialize)]
pub(in crate::registry) struct StoredRun {
    /// The version of this format.
    pub(in crate::registry) format: u32,
    id: String,
    created: i64,
    dataset: StoredDataset,
    task: String,
    split_rows: [usize; 3],
    train: StoredMetrics,
    valid: Option<StoredMetrics>,
    test: Option<StoredMetrics>,
    cv: Option<StoredMetrics>,
    folds: Vec<BTreeMap<String, Option<Exact>>>,
    threshold: Exact,
    history: Vec<StoredPoint>,
    #[serde(default)]
    sheet: StoredSheet,
    converged: bool,
    iterations: usize,
    intercept: Option<StoredCoefficient>,
    coefficients: Vec<StoredCoefficient>,
    no_inference: Option<String>,
    #[serde(default)]
    notes: Vec<String>,
    warnings: Vec<String>,
    fit_seconds: Exact,
    /// The digests of the files beside it.
    pub(in crate::registry) digests: BTreeMap<String, String>,
}

/// Scores by the part of the table that they belong to.
pub(in crate::registry) struct Parts {
    pub(in crate::registry) train: Scores,
    pub(in crate::registry) valid: Option<Scores>,
    pub(in crate::registry) test: Option<Scores>,
    pub(in crate::registry) oof: Option<Scores>,
}

impl StoredRun {
    pub(in crate::registry) fn new(run: &Run, digests: BTreeMap<String, String>) -> Self {
        let numbers = |fold: &BTreeMap<String, Option<f64>>| {
            fold.iter().map(|(name, value)| (name.clone(), exact(*value))).collect()
        };
        let point = |p: &Point| StoredPoint {
            step: Exact(p.step),
            loss: exact(p.loss),
            valid_loss: exact(p.valid_loss),
            metric: exact(p.metric),
            valid_metric: exact(p.valid_metric),
            learning_rate: exact(p.learning_rate),
            grad_norm: exact(p.grad_norm),
            seconds: exact(p.seconds),
        };
        Self {
            format: super::FORMAT,
            id: run.id.0.clone(),
            created: run.created,
            dataset: (&run.dataset).into(),
            task: run.task.word().into(),
            split_rows: run.split_rows,
            train: store_metrics(&run.train),
            valid: run.valid.as_ref().map(store_metrics),
            test: run.test.as_ref().map(store_metrics),
            cv: run.cv.as_ref().map(store_metrics),
            folds: run.folds.iter().map(numbers).collect(),
            threshold: Exact(run.threshold),
            history: run.history.iter().map(point).collect(),
            sheet: (&run.sheet).into(),
            converged: run.converged,
            iterations: run.iterations,
            intercept: run.intercept.as_ref().map(Into::into),
            coefficients: run.coefficients.iter().map(Into::into).collect(),
            no_inference: run.no_inference.clone(),
            notes: run.notes.clone(),
            warnings: run.warnings.clone(),
            fit_seconds: Exact(run.fit_seconds),
            digests,
        }
    }

    /// The run, together with what stands in the files beside `run.json`.
    pub(in crate::registry) fn into_run(
        self,
        experiment: Experiment,
        model: Model,
        scores: Parts,
    ) -> Result<Run, String> {
        let numbers = |fold: BTreeMap<String, Option<Exact>>| {
            fold.into_iter().map(|(name, value)| (name, plain(value))).collect()
        };
        let point = |p: StoredPoint| Point {
            step: p.step.0,
            loss: plain(p.loss),
            valid_loss: plain(p.valid_loss),
            metric: plain(p.metric),
            valid_metric: plain(p.valid_metric),
            learning_rate: plain(p.learning_rate),
            grad_norm: plain(p.grad_norm),
            seconds: plain(p.seconds),
        };
        Ok(Run {
            id: RunId(self.id),
            experiment,
            created: self.created,
            dataset: self.dataset.into(),
            task: self.task.parse()?,
            split_rows: self.split_rows,
            train: read_metrics(self.train),
            valid: self.valid.map(read_metrics),
            test: self.test.map(read_metrics),
            cv: self.cv.map(read_metrics),
            folds: self.folds.into_iter().map(numbers).collect(),
            train_scores: scores.train,
            valid_scores: scores.valid,
            test_scores: scores.test,
            oof_scores: scores.oof,
            threshold: self.threshold.0,
            history: self.history.into_iter().map(point).collect(),
            sheet: self.sheet.into(),
            converged: self.converged,
            iterations: self.iterations,
            intercept: self.intercept.map(Into::into),
            coefficients: self.coefficients.into_iter().map(Into::into).collect(),
            no_inference: self.no_inference,
            notes: self.notes,
            warnings: self.warnings,
            fit_seconds: self.fit_seconds.0,
            model,
        })
    }
}

/// What the database holds of a run.
#[derive(Serialize, Deserialize)]
pub(in crate::registry) struct StoredSummary {
    id: String,
    created: i64,
    model: String,
    set: BTreeMap<String, String>,
    target: String,
    task: String,
    dataset: StoredDataset,
    split_rows: [usize; 3],
    train: StoredMetrics,
    valid: Option<StoredMetrics>,
    test: Option<StoredMetrics>,
    cv: Option<StoredMetrics>,
    threshold: Exact,
    fit_seconds: Exact,
    n_warnings: usize,
}

impl From<&RunSummary> for StoredSummary {
    fn from(s: &RunSummary) -> Self {
        Self {
            id: s.id.0.clone(),
            created: s.created,
            model: s.model.clone(),
            set: s.set.clone(),
            target: s.target.clone(),
            task: s.task.word().into(),
            dataset: (&s.dataset).into(),
            split_rows: s.split_rows,
            train: store_metrics(&s.train),
            valid: s.valid.as_ref().map(store_metrics),
            test: s.test.as_ref().map(store_metrics),
            cv: s.cv.as_ref().map(store_metrics),
            threshold: Exact(s.threshold),
            fit_seconds: Exact(s.fit_seconds),
            n_warnings: s.n_warnings,
        }
    }
}

impl StoredSummary {
    /// The summary, with the note that stands beside it in the database.
    pub(in crate::registry) fn into_summary(self, note: String) -> Result<RunSummary, String> {
        Ok(RunSummary {
            id: RunId(self.id),
            created: self.created,
            model: self.model,
            set: self.set,
            target: self.target,
            task: self.task.parse()?,
            dataset: self.dataset.into(),
            split_rows: self.split_rows,
            train: read_metrics(self.train),
            valid: self.valid.map(read_metrics),
            test: self.test.map(read_metrics),
            cv: self.cv.map(read_metrics),
            threshold: self.threshold.0,
            fit_seconds: self.fit_seconds.0,
            n_warnings: self.n_warnings,
            note,
        })
    }
}
