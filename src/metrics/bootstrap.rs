//! Intervals: DeLong's for the AUC, percentiles of resampled rows for everything else.
//!
//! Rows are resampled without regard to their class: how many are positive is a matter of chance
//! too, and holding it fixed would make the interval of an accuracy far too short. Each resample
//! has a random stream of its own, and all metrics are computed on the same ones. Of a large
//! sample, resamples are smaller than the sample and the spread is scaled accordingly (Bickel,
//! Götze and van Zwet, 1997), so that the cost hardly grows with the rows.

use serde::Serialize;

use crate::jobs::{Cancelled, Ctx, each};
use crate::metrics::delong::auc_interval;
use crate::metrics::{ByClass, LEVEL, Metric, Scored, is_positive, quantile};
use crate::rng::{Seed, stream};

/// A metric with the interval that it may be expected in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// The metric on these rows; none where it is undefined.
    pub value: Option<f64>,
    /// Lower end of the interval; none where too little is known for one.
    pub low: Option<f64>,
    /// Upper end of it.
    pub high: Option<f64>,
}

/// One metric with an interval that covers `level`, usually [`LEVEL`]. For several metrics of the
/// same rows [`estimates`] costs less.
///
/// ```
/// use karat::metrics::{LEVEL, Scored, estimate, metric};
/// use karat::rng::Seed;
///
/// let scored = Scored::new(&[1.0, 2.0, 3.0, 4.0], &[1.1, 1.8, 3.3, 3.6]);
/// let mae = estimate(metric("mae").unwrap(), &scored, LEVEL, Seed(1));
/// assert!(mae.low < mae.value && mae.value < mae.high);
/// ```
pub fn estimate(metric: &Metric, scored: &Scored, level: f64, seed: Seed) -> Estimate {
    let estimates = estimates(&[metric], scored, level, seed, &Ctx::quiet());
    estimates.map_or(Estimate::default(), |estimates| estimates[0])
}

/// Several metrics of the same rows, each with an interval that covers `level`, in the order asked
/// for.
pub fn estimates(
    metrics: &[&Metric],
    scored: &Scored,
    level: f64,
    seed: Seed,
    ctx: &Ctx,
) -> Result<Vec<Estimate>, Cancelled> {
    let values: Vec<Option<f64>> = metrics.iter().map(|m| (m.compute)(scored)).collect();
    let resampled = |idx: &usize| {
        let by_formula = interval_method(metrics[*idx], scored.weight.is_some()) == DELONG;
        // The largest of many differences is biased upwards in every resample: an interval of KS
        // would not even hold its own value.
        values[*idx].is_some() && !by_formula && metrics[*idx].name != "ks"
    };
    let open: Vec<usize> = (0..metrics.len()).filter(resampled).collect();
    let mut estimates: Vec<Estimate> = metrics
        .iter()
        .zip(&values)
        .map(|(metric, value)| Estimate { value: *value, ..by_delong(metric, scored, level) })
        .collect();
    if open.is_empty() {
        return Ok(estimates);
    }
    let (plan, sorted) = (Plan::new(scored, seed), Sorted::new(scored));
    let draws = each(plan.n_resamples, |k| {
        ctx.check()?;
        let drawn = sorted.drawn(&plan.counts(k));
        Ok(open.iter().map(|idx| drawn.compute(metrics[*idx])).collect::<Vec<_>>())
    });
    let draws: Vec<Vec<Option<f64>>> = draws.into_iter().collect::<Result<_, Cancelled>>()?;
    for (place, idx) in open.into_iter().enumerate() {
        let Some(value) = values[idx] else { continue };
        let drawn = draws.iter().filter_map(|draw| draw[place]);
        let scaled = drawn.map(|drawn| plan.scaled(value, drawn)).collect();
        let interval = plan.percentiles(scaled, level);
        estimates[idx].low = interval.map(|(low, _)| low);
        estimates[idx].high = interval.map(|(_, high)| high);
    }
    Ok(estimates)
}

/// How the interval of a metric is made, in words for a person.
pub fn interval_method(metric: &Metric, weighted: bool) -> &'static str {
    match metric.name {
        "roc_auc" | "gini" if !weighted => DELONG,
        "ks" => "none: the bootstrap of a maximum is biased",
        _ => "bootstrap, percentiles of 1,000 resamples (fewer for large samples)",
    }
}

const DELONG: &str = "DeLong";

/// The interval by formula, for the metrics that have one.
fn by_delong(metric: &Metric, scored: &Scored, level: f64) -> Estimate {
    if interval_method(metric, scored.weight.is_some()) != DELONG {
        return Estimate::default();
    }
    let Some(auc) = auc_interval(scored.truth, scored.score, level) else {
        return Estimate::default();
    };
    let end =
        |end: Option<f64>| end.map(|end| if metric.name == "gini" { 2.0 * end - 1.0 } else { end });
    Estimate { value: None, low: end(auc.low), high: end(auc.high) }
}

/// Two models on the same rows, compared by one metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// The metric of the first less that of the second.
    pub diff: f64,
    /// Lower end of the 95 % interval of the difference.
    pub low: Option<f64>,
    /// Upper end of it.
    pub high: Option<f64>,
    /// Two-sided p-value: twice the share of resamples on the rarer side of no difference,
    /// counting the sample itself as one of them, so that it is never 0.
    pub p: Option<f64>,
}

/// Compares two models by resampling the rows they share; each may have a threshold of its own.
/// `None` where the metric is undefined for either.
///
/// # Panics
/// If the two do not have the same truth, row by row.
pub fn paired_bootstrap(
    metric: &Metric,
    a: &Scored,
    b: &Scored,
    seed: Seed,
    ctx: &Ctx,
) -> Result<Option<Paired>, Cancelled> {
    assert!(a.truth == b.truth && a.weight == b.weight, "paired models share their rows");
    let Some((of_a, of_b)) = (metric.compute)(a).zip((metric.compute)(b)) else { return Ok(None) };
    let diff = of_a - of_b;
    let plan = Plan::new(a, seed);
    let (a, b) = (Sorted::new(a), Sorted::new(b));
    let draws = each(plan.n_resamples, |k| {
        ctx.check()?;
        let counts = plan.counts(k);
        let (of_a, of_b) = (a.drawn(&counts).compute(metric), b.drawn(&counts).compute(metric));
        Ok(of_a.zip(of_b).map(|(of_a, of_b)| of_a - of_b))
    });
    let draws: Vec<Option<f64>> = draws.into_iter().collect::<Result<_, Cancelled>>()?;
    let draws: Vec<f64> =
        draws.into_iter().flatten().map(|drawn| plan.scaled(diff, drawn)).collect();
    let n = draws.len() as f64;
    let not_above = draws.iter().filter(|drawn| **drawn <= 0.0).count() as f64;
    let not_below = draws.iter().filter(|drawn| 0.0 <= **drawn).count() as f64;
    let p = (2.0 * (1.0 + not_above.min(not_below)) / (n + 1.0)).min(1.0);
    let interval = plan.percentiles(draws, LEVEL);
    Ok(Some(Paired {
        diff,
        low: interval.map(|(low, _)| low),
        high: interval.map(|(_, high)| high),
        p: interval.map(|_| p),
    }))
}

/// Which rows are drawn how often.
struct Plan {
    /// Rows that exist, those of weight 0 among them.
    n_rows: usize,
    /// Rows that are drawn from.
    rows: Vec<u32>,
    n_drawn: usize,
    /// By how much a smaller resample spreads more than one of full size.
    scale: f64,
    n_resamples: usize,
    seed: Seed,
}

/// Up to so many rows, resamples are as large as the sample.
const FULL_SIZE: usize = 20_000;
/// The rarer class keeps about so many rows in a resample, if it has them.
const RARE: usize = 500;
/// Rows drawn in all resamples together.
const EFFORT: usize = 20_000_000;

impl Plan {
    fn new(scored: &Scored, seed: Seed) -> Self {
        let n_rows = scored.truth.len();
        let counted = |idx: &u32| scored.weight(*idx as usize) != 0.0;
        let rows: Vec<u32> = (0..n_rows as u32).filter(counted).collect();
        let truth = || rows.iter().map(|idx| scored.truth[*idx as usize]);
        let n = rows.len();
        let rarest = if truth().all(|truth| truth == 0.0 || truth == 1.0) {
            let positives = truth().filter(|truth| is_positive(*truth)).count();
            positives.min(n - positives).max(1)
        } else {
            n
        };
        let with_enough_of_it = (RARE as f64 * n as f64 / rarest as f64) as usize;
        let n_drawn = FULL_SIZE.max(with_enough_of_it).min(n);
        let scale = (n_drawn as f64 / n.max(1) as f64).sqrt();
        // Each class of several is put in order on its own.
        let n_orders = scored.by_class.map_or(1, |by_class| by_class.n_classes);
        let n_resamples = (EFFORT / (n_drawn * n_orders).max(1)).clamp(200, 1_000);
        Self { n_rows, rows, n_drawn, scale, n_resamples, seed }
    }

    /// How often each row is in resample `k`.
    fn counts(&self, k: usize) -> Vec<u32> {
        let mut rng = stream(self.seed, &format!("bootstrap {k}"));
        let mut counts = vec![0; self.n_rows];
        for _ in 0..self.n_drawn {
            counts[self.rows[rng.below(self.rows.len())] as usize] += 1;
        }
        counts
    }

    fn scaled(&self, value: f64, drawn: f64) -> f64 {
        value + self.scale * (drawn - value)
    }

    /// The middle `level` of the values, unless the metric was mostly undefined or there is but
    /// one row, and so nothing to vary.
    fn percentiles(&self, mut values: Vec<f64>, level: f64) -> Option<(f64, f64)> {
        if self.rows.len() < 2 || values.len() < self.n_resamples.div_ceil(2) {
            return None;
        }
        values.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - level) / 2.0;
        quantile(&values, tail).zip(quantile(&values, 1.0 - tail))
    }
}

/// The rows by falling score, so that resamples need not be sorted again.
struct Sorted<'a> {
    scored: Scored<'a>,
    order: Vec<u32>,
}

impl<'a> Sorted<'a> {
    fn new(scored: &Scored<'a>) -> Self {
        let mut order: Vec<u32> = (0..scored.score.len() as u32).collect();
        let score = |idx: &u32| scored.score[*idx as usize];
        order.sort_by(|a, b| score(b).total_cmp(&score(a)));
        Self { scored: *scored, order }
    }

    fn drawn(&self, counts: &[u32]) -> Drawn {
        let n_classes = self.scored.by_class.map_or(0, |by_class| by_class.n_classes);
        let mut drawn = Drawn { threshold: self.scored.threshold, n_classes, ..Drawn::default() };
        for row in &self.order {
            let idx = *row as usize;
            if 0 < counts[idx] {
                drawn.truth.push(self.scored.truth[idx]);
                drawn.score.push(self.scored.score[idx]);
                drawn.weight.push(f64::from(counts[idx]) * self.scored.weight(idx));
                if let Some(ByClass { probability, n_classes }) = self.scored.by_class {
                    let of_row = idx * n_classes..(idx + 1) * n_classes;
                    drawn.probability.extend_from_slice(&probability[of_row]);
                }
            }
        }
        drawn
    }
}

/// The rows of a resample, each once, with its count in its weight.
#[derive(Default)]
struct Drawn {
    truth: Vec<f64>,
    score: Vec<f64>,
    weight: Vec<f64>,
    threshold: f64,
    /// Of each class, when there are several.
    probability: Vec<f64>,
    n_classes: usize,
}

impl Drawn {
    fn compute(&self, metric: &Metric) -> Option<f64> {
        (metric.compute)(&Scored {
            truth: &self.truth,
            score: &self.score,
            weight: Some(&self.weight),
            threshold: self.threshold,
            by_class: (0 < self.n_classes)
                .then_some(ByClass { probability: &self.probability, n_classes: self.n_classes }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::{OTHER, SCORE, TRUTH, WEIGHT, close, several};
    use crate::metrics::{Family, METRICS, metric};

    #[test]
    fn every_defined_metric_lies_in_its_interval() {
        let of = |family| {
            let all = METRICS.iter().filter(move |m| m.is_of(family) && m.name != "ks");
            all.collect::<Vec<_>>()
        };
        let binary = Scored { threshold: 0.4, ..Scored::new(&TRUTH, &SCORE) };
        for (family, scored) in [
            (Family::Binary, binary),
            (Family::Binary, Scored { weight: Some(&WEIGHT), ..binary }),
            (Family::Regression, binary),
            (Family::Classes, several::plain()),
            (Family::Classes, several::weighted()),
        ] {
            let all = of(family);
            let estimates = estimates(&all, &scored, LEVEL, Seed(1), &Ctx::quiet()).unwrap();
            for (metric, estimate) in all.iter().zip(estimates) {
                let Estimate { value: Some(value), low: Some(low), high: Some(high) } = estimate
                else {
                    panic!("{}: {estimate:?}", metric.name);
                };
                assert!(
                    low <= value && value <= high && low < high,
                    "{}: {estimate:?}",
                    metric.name
                );
                assert_eq!(super::estimate(metric, &scored, LEVEL, Seed(1)), estimate);
            }
        }
    }

    #[test]
    fn the_auc_has_the_interval_of_delong_and_the_gini_twice_that() {
        let scored = Scored::new(&TRUTH, &OTHER);
        let auc = estimate(metric("roc_auc").unwrap(), &scored, LEVEL, Seed(1));
        let gini = estimate(metric("gini").unwrap(), &scored, LEVEL, Seed(1));
        close(
            auc.low.unwrap(),
            0.722_222_222_222_222_2 - 1.959_963_984_540_054 * 0.160_054_003_232_088_15,
            1e-12,
        );
        close(gini.low.unwrap(), 2.0 * auc.low.unwrap() - 1.0, 1e-15);
        assert_eq!(auc.high, Some(1.0));
    }

    #[test]
    fn the_interval_of_a_mean_is_about_that_of_the_formula() {
        let mut rng = stream(Seed(3), "errors");
        let truth: Vec<f64> = (0..400).map(|_| rng.normal()).collect();
        let score = vec![0.0; 400];
        let mae = estimate(metric("mae").unwrap(), &Scored::new(&truth, &score), LEVEL, Seed(3));
        let values: Vec<f64> = truth.iter().map(|value| value.abs()).collect();
        let mean = values.iter().sum::<f64>() / 400.0;
        let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 399.0).sqrt();
        let half = 1.96 * sd / 20.0;
        close(mae.low.unwrap(), mean - half, 0.15 * half);
        close(mae.high.unwrap(), mean + half, 0.15 * half);
    }

    #[test]
    fn the_interval_of_an_accuracy_is_about_that_of_a_share() {
        let truth: Vec<f64> = (0..400).map(|idx| f64::from(u8::from(idx % 4 == 0))).collect();
        let score = vec![0.0; 400];
        let accuracy = metric("accuracy").unwrap();
        let estimate = estimate(accuracy, &Scored::new(&truth, &score), LEVEL, Seed(3));
        let half = 1.96 * (0.75_f64 * 0.25 / 400.0).sqrt();
        close(estimate.low.unwrap(), 0.75 - half, 0.15 * half);
        close(estimate.high.unwrap(), 0.75 + half, 0.15 * half);
    }

    #[test]
    fn smaller_resamples_are_scaled_to_the_sample() {
        let every =
            |n| -> Vec<f64> { (0..100_000).map(|idx| f64::from(u8::from(idx % n == 0))).collect() };
        let plan = |truth: &[f64]| Plan::new(&Scored::new(truth, truth), Seed(1));
        let common = plan(&every(10));
        assert_eq!((common.n_drawn, common.n_resamples), (20_000, 1_000));
        close(common.scale, 0.2_f64.sqrt(), 1e-12);
        let rare = plan(&every(100));
        assert_eq!((rare.n_drawn, rare.n_resamples), (50_000, 400));
        assert_eq!(rare.counts(3).iter().sum::<u32>(), 50_000);
        let numbers: Vec<f64> = (0..100_000).map(f64::from).collect();
        assert_eq!(plan(&numbers).n_drawn, 20_000);
    }

    #[test]
    fn too_little_to_vary_has_no_interval() {
        let one = Scored::new(&[1.0], &[0.5]);
        let mse = estimate(metric("mse").unwrap(), &one, LEVEL, Seed(1));
        assert_eq!(mse, Estimate { value: Some(0.25), low: None, high: None });
        let none = estimate(metric("recall").unwrap(), &Scored::new(&[], &[]), LEVEL, Seed(1));
        assert_eq!(none, Estimate::default());
    }

    #[test]
    fn paired_models_are_compared_on_the_same_rows() {
        let (a, b) = (Scored::new(&TRUTH, &TRUTH), Scored::new(&TRUTH, &OTHER));
        let brier = metric("brier").unwrap();
        let compare =
            |a, b| paired_bootstrap(brier, a, b, Seed(1), &Ctx::quiet()).unwrap().unwrap();
        let better = compare(&a, &b);
        assert!(better.high.unwrap() < 0.0 && better.p.unwrap() < 0.01, "{better:?}");
        let turned = compare(&b, &a);
        close(turned.diff, -better.diff, 0.0);
        close(turned.low.unwrap(), -better.high.unwrap(), 1e-12);
        let same = compare(&b, &b);
        assert_eq!((same.diff, same.low, same.p), (0.0, Some(0.0), Some(1.0)));
    }

    #[test]
    fn a_bootstrap_can_be_cancelled() {
        let ctx = Ctx::quiet();
        ctx.cancel_token().cancel();
        let scored = Scored::new(&TRUTH, &SCORE);
        let brier = metric("brier").unwrap();
        assert_eq!(estimates(&[brier], &scored, LEVEL, Seed(1), &ctx), Err(Cancelled));
        assert_eq!(paired_bootstrap(brier, &scored, &scored, Seed(1), &ctx), Err(Cancelled));
    }
}
