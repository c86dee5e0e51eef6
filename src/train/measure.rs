//! Measuring scores: which metrics belong to a question, and where the threshold lies.

use ndarray::Array2;

use super::{Costs, Metrics, Run, Scores};
use crate::data::Task;
use crate::jobs::{Cancelled, Ctx};
use crate::metrics::{
    self, ByClass, Estimate, Family, LEVEL, METRICS, Metric, Scored, best_threshold,
};
use crate::models::{Link, Model, Predictor, scores_of};
use crate::rng::Seed;

impl Scores {
    /// The scores as the metrics take them, cut at `threshold`.
    pub fn scored(&self, threshold: f64) -> Scored<'_> {
        let weight = self.weight.as_deref();
        let by_class = (!self.probability.is_empty())
            .then(|| ByClass { probability: &self.probability, n_classes: self.n_classes() });
        Scored { truth: &self.truth, score: &self.score, weight, threshold, by_class }
    }

    /// How many classes have a probability; 0 unless there are several.
    pub fn n_classes(&self) -> usize {
        self.probability.len() / self.rows.len().max(1)
    }

    /// The probability of each class of the row at a place; empty unless there are several.
    pub fn probabilities(&self, place: usize) -> &[f64] {
        let n_classes = self.n_classes();
        &self.probability[place * n_classes..(place + 1) * n_classes]
    }

    /// The same rows with what a model tells of them, (rows, outputs).
    #[must_use]
    pub fn told(self, outputs: &Array2<f64>) -> Self {
        let score = scores_of(outputs);
        let several = outputs.ncols() > 1;
        let probability = if several { outputs.iter().copied().collect() } else { Vec::new() };
        Self { score, probability, ..self }
    }

    /// Those of some rows alone.
    #[must_use]
    pub fn only(&self, is_kept: impl Fn(u32) -> bool) -> Self {
        let places: Vec<usize> =
            (0..self.rows.len()).filter(|at| is_kept(self.rows[*at])).collect();
        let pick = |all: &[f64]| places.iter().map(|at| all[*at]).collect::<Vec<_>>();
        let n = self.probability.len() / self.rows.len().max(1);
        let classes = |at: &usize| self.probability[at * n..(at + 1) * n].iter().copied();
        Self {
            rows: places.iter().map(|at| self.rows[*at]).collect(),
            truth: pick(&self.truth),
            score: pick(&self.score),
            probability: places.iter().flat_map(classes).collect(),
            weight: self.weight.as_deref().map(pick),
            fold: self.fold.as_ref().map(|fold| places.iter().map(|at| fold[*at]).collect()),
        }
    }
}

/// The metrics that belong to a model: those of its task, and for a fitted number on a yes/no
/// target both kinds.
pub fn metrics_of(model: &Model) -> Vec<&'static Metric> {
    let fits_numbers = matches!(&model.predictor, Predictor::Linear { link: Link::Identity, .. });
    let belongs = |metric: &&Metric| match model.task {
        Task::Regression => metric.is_of(Family::Regression),
        Task::Binary => {
            metric.is_of(Family::Binary) || fits_numbers && metric.is_of(Family::Regression)
        }
        Task::Multiclass => metric.is_of(Family::Classes),
    };
    METRICS.iter().filter(belongs).collect()
}

/// The metric that runs are ranked by when no other is asked for.
pub fn usual_metric(task: Task) -> &'static str {
    match task {
        Task::Regression => "rmse",
        Task::Binary => "roc_auc",
        Task::Multiclass => "accuracy",
    }
}

/// Every metric that models of a task can have, those included that a fitted number on a yes/no
/// target adds.
pub fn metrics_for(task: Task) -> Vec<&'static Metric> {
    let belongs = |metric: &&Metric| match task {
        Task::Regression => metric.is_of(Family::Regression),
        Task::Binary => metric.is_of(Family::Binary) || metric.is_of(Family::Regression),
        Task::Multiclass => metric.is_of(Family::Classes),
    };
    METRICS.iter().filter(belongs).collect()
}

/// From this many training rows on their metrics come without intervals: resampling would take
/// longer than the fit, to say how sure one is of rows that the model has seen.
const MANY_TRAINING_ROWS: usize = 50_000;

/// The model's metrics on the rows it was trained on.
pub(super) fn measure_training(
    model: &Model,
    scores: &Scores,
    threshold: f64,
    seed: u64,
    ctx: &Ctx,
) -> Result<Metrics, Cancelled> {
    if scores.rows.len() < MANY_TRAINING_ROWS {
        return measure(model, scores, threshold, seed, ctx);
    }
    let scored = scores.scored(threshold);
    let mut metrics = Metrics::new();
    for metric in metrics_of(model) {
        ctx.check()?;
        let value = (metric.compute)(&scored);
        metrics.insert(metric.name.to_owned(), Estimate { value, ..Estimate::default() });
    }
    Ok(metrics)
}

/// Each of the model's metrics with its interval.
pub(super) fn measure(
    model: &Model,
    scores: &Scores,
    threshold: f64,
    seed: u64,
    ctx: &Ctx,
) -> Result<Metrics, Cancelled> {
    let asked = metrics_of(model);
    let scored = scores.scored(threshold);
    let estimates = metrics::estimates(&asked, &scored, LEVEL, Seed(seed), ctx)?;
    Ok(asked.iter().map(|metric| metric.name.to_owned()).zip(estimates).collect())
}

/// The threshold that is right for a true probability at these costs.
pub(super) fn threshold_by_costs(costs: Costs) -> f64 {
    let share = costs.false_positive / (costs.false_positive + costs.false_negative);
    if share.is_finite() { share } else { 0.5 }
}

/// The cheapest threshold on these scores, which must not be those of test rows.
pub(super) fn threshold_on(scores: &Scores, costs: Costs) -> Option<f64> {
    if !scores.probability.is_empty() {
        return None;
    }
    let best = best_threshold(&scores.scored(0.5), costs.false_positive, costs.false_negative)?;
    best.threshold.is_finite().then_some(best.threshold)
}

impl Run {
    /// On what the threshold was chosen, in words.
    pub fn threshold_chosen_on(&self) -> &'static str {
        match (&self.oof_scores, &self.valid_scores) {
            (Some(_), _) => "the out-of-fold scores",
            (None, Some(_)) => "the validation rows",
            (None, None) => "the costs alone",
        }
    }
}
