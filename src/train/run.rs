//! The run: an experiment carried out. It never changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Experiment;
use crate::data::Task;
use crate::jobs::Sheet;
use crate::metrics::Estimate;
use crate::models::Model;

/// Names a run within its workspace: `r0001` and counting, never used twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// The table a run was trained on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// What the experiment calls it.
    pub path: String,
    /// Rows, before any are left out.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Digest of the file.
    pub sha256: String,
}

/// Scores of some rows with the truth beside them, so that any metric can be computed later and
/// any number opened down to its rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    /// 1-based rows of the source.
    pub rows: Vec<u32>,
    /// The truth: the target, 1 for the positive class, or the index of the class among several.
    pub truth: Vec<f64>,
    /// The prediction, the score of the positive class, or the index of the predicted class among
    /// several.
    pub score: Vec<f64>,
    /// The probability of each of several classes, one row after the other; empty for anything
    /// else.
    pub probability: Vec<f64>,
    /// How much each row counts.
    pub weight: Option<Vec<f64>>,
    /// The fold each row was tested in, for out-of-fold scores.
    pub fold: Option<Vec<u8>>,
}

/// Metrics by name.
pub type Metrics = BTreeMap<String, Estimate>;

/// One step of an iterative fit, or one row of a search, as the Training pane draws it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Iteration or epoch, from 0.
    pub step: f64,
    /// Training loss: mean squared error or mean log-loss, without the penalty.
    pub loss: Option<f64>,
    /// The same on the validation rows.
    pub valid_loss: Option<f64>,
    /// A metric on the training rows: accuracy, or R² of a regression.
    pub metric: Option<f64>,
    /// The same metric on the validation rows.
    pub valid_metric: Option<f64>,
    /// The learning rate of this step.
    pub learning_rate: Option<f64>,
    /// Length of the gradient.
    pub grad_norm: Option<f64>,
    /// Seconds since the fit began.
    pub seconds: Option<f64>,
}

/// One coefficient on the scale of the original columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Coefficient {
    /// The column of the matrix: `age`, `purpose = car`, `income is missing`.
    pub feature: String,
    /// The column of the table that it came from.
    pub column: String,
    /// The coefficient.
    pub value: f64,
    /// Standard error, where it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std_error: Option<f64>,
    /// t or z statistic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistic: Option<f64>,
    /// p-value, two-sided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// Lower end of the 95 % interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end of the 95 % interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// The class it speaks for, when there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// `exp(value)`, for logistic regression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub odds_ratio: Option<f64>,
    /// Why the coefficient is not what it seems: collinear with others, or constant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An experiment carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its name; empty until the registry has kept it.
    pub id: RunId,
    /// The question, with everything that was inferred filled in.
    pub experiment: Experiment,
    /// Seconds since 1970, UTC.
    pub created: i64,
    /// What it was trained on.
    pub dataset: Dataset,
    /// Regression or classification.
    pub task: Task,
    /// Rows in training, validation and test.
    pub split_rows: [usize; 3],
    /// Metrics on the training rows.
    pub train: Metrics,
    /// Metrics on the validation rows, when there are any.
    pub valid: Option<Metrics>,
    /// Metrics on the test rows, when there are any.
    pub test: Option<Metrics>,
    /// Metrics over the folds, when cross-validated: mean, with the interval of Nadeau and Bengio.
    pub cv: Option<Metrics>,
    /// Metrics of each fold, in order.
    pub folds: Vec<BTreeMap<String, Option<f64>>>,
    /// Scores of the training rows.
    pub train_scores: Scores,
    /// Scores of the validation rows.
    pub valid_scores: Option<Scores>,
    /// Scores of the test rows.
    pub test_scores: Option<Scores>,
    /// Out-of-fold scores.
    pub oof_scores: Option<Scores>,
    /// The decision threshold, and on which scores it was chosen.
    pub threshold: f64,
    /// The loss at each step.
    pub history: Vec<Point>,
    /// How the parts of the model were when the fit ended, such as the layers of a network; empty
    /// for models without parts.
    pub sheet: Sheet,
    /// Whether the fit met its tolerance.
    pub converged: bool,
    /// Iterations taken.
    pub iterations: usize,
    /// The intercept, when the family has one.
    pub intercept: Option<Coefficient>,
    /// The coefficients, when the family has them; of several classes those of each class, its
    /// intercept first, which belongs to no column.
    pub coefficients: Vec<Coefficient>,
    /// Why standard errors are not shown, when they are not.
    pub no_inference: Option<String>,
    /// How the fit went, a sentence each; nothing to worry about.
    pub notes: Vec<String>,
    /// What a person should know, a sentence each.
    pub warnings: Vec<String>,
    /// Time of the fit alone.
    pub fit_seconds: f64,
    /// The fitted model.
    pub model: Model,
}
