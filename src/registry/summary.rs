//! A run at a glance, without its scores and its model.

use std::collections::BTreeMap;

use crate::data::Task;
use crate::train::{Dataset, Metrics, Run, RunId};

/// What a list of runs shows of each.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSummary {
    /// The name under which the whole run can be loaded.
    pub id: RunId,
    /// Seconds since 1970, UTC.
    pub created: i64,
    /// The kind of model, as the catalog names it.
    pub model: String,
    /// The parameters that differ from their defaults, as typed.
    pub set: BTreeMap<String, String>,
    /// The column it predicts.
    pub target: String,
    /// Regression or classification.
    pub task: Task,
    /// What it was trained on.
    pub dataset: Dataset,
    /// Rows in training, validation and test.
    pub split_rows: [usize; 3],
    /// Metrics on the training rows.
    pub train: Metrics,
    /// Metrics on the validation rows, when there are any.
    pub valid: Option<Metrics>,
    /// Metrics on the test rows, when there are any.
    pub test: Option<Metrics>,
    /// Metrics over the folds, when it was cross-validated.
    pub cv: Option<Metrics>,
    /// The decision threshold it was trained with.
    pub threshold: f64,
    /// Time of the fit alone.
    pub fit_seconds: f64,
    /// How many warnings it carries.
    pub n_warnings: usize,
    /// What a person wrote about it; the one thing that may change.
    pub note: String,
}

impl RunSummary {
    /// The summary of a run, without a note.
    pub fn of(run: &Run) -> Self {
        Self {
            id: run.id.clone(),
            created: run.created,
            model: run.model.kind.clone(),
            set: run.experiment.model.set.clone(),
            target: run.model.target.clone(),
            task: run.task,
            dataset: run.dataset.clone(),
            split_rows: run.split_rows,
            train: run.train.clone(),
            valid: run.valid.clone(),
            test: run.test.clone(),
            cv: run.cv.clone(),
            threshold: run.threshold,
            fit_seconds: run.fit_seconds,
            n_warnings: run.warnings.len(),
            note: String::new(),
        }
    }

    /// The metrics that say most about rows the model has not seen, and on which rows they were
    /// measured: `test`, else `cv`, else `valid`, else `train`.
    pub fn headline(&self) -> (&'static str, &Metrics) {
        let parts = [("test", &self.test), ("cv", &self.cv), ("valid", &self.valid)];
        let held_out = parts.into_iter().find_map(|(name, m)| m.as_ref().map(|m| (name, m)));
        held_out.unwrap_or(("train", &self.train))
    }

    /// The model with those parameters that are not at their defaults: `ridge alpha=0.1`.
    pub fn label(&self) -> String {
        let short = |value: &String| match value.char_indices().nth(24) {
            Some((end, _)) => format!("{}…", &value[..end]),
            None => value.clone(),
        };
        let set = self.set.iter().map(|(key, value)| format!(" {key}={}", short(value)));
        set.fold(self.model.clone(), |label, part| label + &part)
    }
}
