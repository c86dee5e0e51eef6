//! Measuring scores: which metrics belong to a question, and where the threshold lies.

use super::{Costs, Metrics, Run, Scores};
use crate::data::Task;
use crate::jobs::{Cancelled, Ctx};
use crate::metrics::{self, Estimate, Family, LEVEL, METRICS, Metric, Scored, best_threshold};
use crate::models::{Link, Model, Predictor};
use crate::rng::Seed;

impl Scores {
    /// The scores as the metrics take them, cut at `threshold`.
    pub fn scored(&self, threshold: f64) -> Scored<'_> {
        let weight = self.weight.as_deref();
        Scored { truth: &self.truth, score: &self.score, weight, threshold }
    }
}

/// The metrics that belong to a model: those of its task, and for a fitted number on a yes/no
/// target both kinds.
pub fn metrics_of(model: &Model) -> Vec<&'static Metric> {
    let fits_numbers = matches!(&model.predictor, Predictor::Linear { link: Link::Identity, .. });
    let belongs = |metric: &&Metric| match (metric.family, model.task) {
        (Family::Regression, Task::Regression) | (Family::Binary, Task::Binary) => true,
        (Family::Regression, Task::Binary) => fits_numbers,
        _ => false,
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
