//! How good a model was on rows whose truth has become known.

use std::collections::HashMap;

use serde::Serialize;

use super::limits::{Limits, of_metric, rounded_down};
use crate::metrics::{Better, Family, Metric, Scored, metric};
use crate::rng::Seed;

/// Scores whose truth has become known, and the truth beside each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcomes<'a> {
    /// The scores.
    pub scores: &'a [f64],
    /// 1 or 0, or the number that was predicted.
    pub truth: &'a [f64],
}

/// A metric of a window and what it was in the reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Performance {
    /// The name of the metric, as in the list of metrics.
    pub metric: &'static str,
    /// Its value; none where it is undefined, as the AUC of a single class.
    pub value: Option<f64>,
    /// Its value over the whole reference.
    pub reference: Option<f64>,
    /// Where it stays as long as nothing changes, for windows of this size.
    pub limits: Option<Limits>,
    /// The lower and the upper end of what sampling alone explains; for estimates only.
    pub band: Option<(f64, f64)>,
    /// Whether it is worse than the limits allow.
    pub alarm: bool,
}

/// The limits of metrics, remembered by the size of the window: they cost a hundred windows each.
#[derive(Clone, Debug, Default)]
pub struct MetricLimits {
    known: HashMap<(&'static str, usize), Option<Limits>>,
}

impl MetricLimits {
    /// The limits for windows of `n` rows, computed for at most that many, so that nearby sizes
    /// share them. Smaller windows scatter more: the limits are wide rather than narrow.
    pub fn of(
        &mut self,
        metric: &Metric,
        reference: &Scored,
        n: usize,
        seed: Seed,
    ) -> Option<Limits> {
        let n = rounded_down(n);
        let new = || of_metric(metric, reference, n, seed);
        *self.known.entry((metric.name, n)).or_insert_with(new)
    }
}

impl Performance {
    /// A value with its limits in the reference.
    pub(super) fn of(
        name: &str,
        value: Option<f64>,
        reference: &Scored,
        n: usize,
        limits: &mut MetricLimits,
        seed: Seed,
    ) -> Option<Self> {
        let metric = metric(name)?;
        let limits = limits.of(metric, reference, n, seed);
        let alarm = value.zip(limits).is_some_and(|(value, limits)| match metric.better {
            Better::Higher => value < limits.low,
            Better::Lower => limits.high < value,
        });
        let reference = (metric.compute)(reference);
        Some(Self { metric: metric.name, value, reference, limits, band: None, alarm })
    }

    /// The limit on the worse side.
    pub fn threshold(&self) -> Option<f64> {
        let better = metric(self.metric)?.better;
        self.limits.map(|limits| if better == Better::Higher { limits.low } else { limits.high })
    }
}

/// The metrics that are watched.
pub fn watched(family: Family) -> &'static [&'static str] {
    match family {
        Family::Binary => {
            &["roc_auc", "ks", "log_loss", "brier", "accuracy", "precision", "recall", "f1"]
        }
        Family::Regression => &["mae", "rmse", "mse", "r2"],
        Family::Classes => &[],
    }
}

/// The metrics of rows whose truth has become known, each with its limits.
pub fn realised(
    family: Family,
    outcomes: Outcomes,
    reference: &Scored,
    limits: &mut MetricLimits,
    seed: Seed,
) -> Vec<Performance> {
    let Outcomes { scores, truth } = outcomes;
    let scored = Scored { truth, score: scores, weight: None, by_class: None, ..*reference };
    let measured = watched(family).iter().filter_map(|name| {
        let value =
            metric(name).filter(|_| !truth.is_empty()).and_then(|own| (own.compute)(&scored));
        Performance::of(name, value, reference, truth.len(), limits, seed)
    });
    measured.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::METRICS;

    #[test]
    fn every_watched_metric_exists() {
        for family in [Family::Binary, Family::Regression] {
            for name in watched(family) {
                assert!(METRICS.iter().any(|own| own.name == *name && own.is_of(family)), "{name}");
            }
        }
    }
}
