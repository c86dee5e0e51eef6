//! Cross-validation: recipe and model fitted anew in every fold, each row scored by a model that
//! never saw it.

use std::collections::BTreeMap;

use super::asked::Asked;
use super::measure::{metrics_of, threshold_by_costs, threshold_on};
use super::{Error, Metrics, Scores};
use crate::data::{self, Fold, Method};
use crate::jobs::Ctx;
use crate::metrics::{Estimate, nadeau_bengio};
use crate::models::Model;
use crate::models::linear::Warning;

/// What came out of all folds.
pub(super) struct OutOfFold {
    pub(super) scores: Scores,
    pub(super) folds: Vec<BTreeMap<String, Option<f64>>>,
    pub(super) metrics: Metrics,
    pub(super) warnings: Vec<String>,
}

/// Cross-validates on the rows at `positions`; fold i is part i of `n_parts` of the work.
pub(super) fn cross_validate(
    asked: &Asked,
    positions: &[u32],
    n_parts: usize,
    ctx: &Ctx,
) -> Result<OutOfFold, Error> {
    let (experiment, k) = (asked.experiment, asked.experiment.cv);
    let spec = &experiment.split;
    let folds = data::folds(asked.table, spec, k, positions, Some(&asked.target))?;
    let mut answers = Vec::new();
    let mut warnings = Vec::new();
    let mut model = None;
    for (idx, fold) in folds.iter().enumerate() {
        ctx.note(format!("fitting fold {} of {k}", idx + 1));
        let answer = asked.fit(&fold.train, &[], &ctx.part(idx, n_parts))?;
        let outputs = answer.model.outputs(asked.table, Some(&fold.test), &ctx.silent())?;
        let scores = asked.scores(&fold.test).told(&outputs);
        let said = answer.fitted.warnings.iter().filter(|warning| {
            matches!(
                warning,
                Warning::Separation { .. }
                    | Warning::ClassesSeparated
                    | Warning::NotConverged { .. }
            )
        });
        warnings.extend(said.map(|warning| format!("fold {} of {k}: {warning}", idx + 1)));
        answers.push(scores);
        model = Some(answer.model);
    }
    let model = model.ok_or_else(|| Error::question("there are no folds", "choose 2 or more"))?;
    let by_fold = |(idx, scores): (usize, &Scores)| {
        let others = others(&answers, idx, spec.method);
        let threshold = others.and_then(|others| threshold_on(&others, experiment.costs));
        let threshold = threshold.unwrap_or_else(|| threshold_by_costs(experiment.costs));
        values(&model, scores, threshold)
    };
    let values: Vec<_> = answers.iter().enumerate().map(by_fold).collect();
    let metrics = over_folds(&model, &values, ratio(&folds));
    let every: Vec<_> = answers.iter().enumerate().collect();
    Ok(OutOfFold { scores: joined(&every), folds: values, metrics, warnings })
}

/// The metrics of one fold.
fn values(model: &Model, scores: &Scores, threshold: f64) -> BTreeMap<String, Option<f64>> {
    let scored = scores.scored(threshold);
    let value = |metric: &&'static crate::metrics::Metric| {
        (metric.name.to_owned(), (metric.compute)(&scored))
    };
    metrics_of(model).iter().map(value).collect()
}

/// The scores on which the threshold of a fold may be chosen: of all other folds, or of the
/// earlier ones when rows are ordered in time.
fn others(answers: &[Scores], idx: usize, method: Method) -> Option<Scores> {
    let may = |other: usize| if method == Method::Time { other < idx } else { other != idx };
    let others: Vec<_> = answers.iter().enumerate().filter(|(other, _)| may(*other)).collect();
    (!others.is_empty()).then(|| joined(&others))
}

/// The scores of several folds, one after the other.
fn joined(folds: &[(usize, &Scores)]) -> Scores {
    let mut all = Scores::default();
    let mut numbers = Vec::new();
    for (idx, fold) in folds {
        all.rows.extend(&fold.rows);
        all.truth.extend(&fold.truth);
        all.score.extend(&fold.score);
        all.probability.extend(&fold.probability);
        if let Some(weight) = &fold.weight {
            all.weight.get_or_insert_default().extend(weight);
        }
        numbers.extend(std::iter::repeat_n(*idx as u8, fold.rows.len()));
    }
    all.fold = Some(numbers);
    all
}

/// Rows of a test fold over those of its training part, on average.
fn ratio(folds: &[Fold]) -> f64 {
    let of_fold = |fold: &Fold| fold.test.len() as f64 / fold.train.len().max(1) as f64;
    folds.iter().map(of_fold).sum::<f64>() / folds.len() as f64
}

/// The mean of each metric with the interval of Nadeau and Bengio (2003); nothing where a fold
/// has no value.
fn over_folds(
    model: &Model,
    folds: &[BTreeMap<String, Option<f64>>],
    test_over_train: f64,
) -> Metrics {
    let estimate = |metric: &&'static crate::metrics::Metric| {
        let values: Option<Vec<f64>> =
            folds.iter().map(|fold| fold.get(metric.name).copied().flatten()).collect();
        let corrected = values.and_then(|values| nadeau_bengio(&values, test_over_train));
        let estimate = corrected.map_or(Estimate::default(), |corrected| Estimate {
            value: Some(corrected.mean),
            low: corrected.low,
            high: corrected.high,
        });
        (metric.name.to_owned(), estimate)
    };
    metrics_of(model).iter().map(estimate).collect()
}
