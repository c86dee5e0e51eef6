//! How far the predictions of a regression are likely to be off on rows whose truth is not known
//! yet.
//!
//! The idea is nannyml's direct loss estimation: a second model learns the size of the error.
//! Theirs is a boosted forest on all features; this one knows the prediction alone and takes the
//! mean error of reference rows with similar predictions, so numbers are not equal to theirs.

use super::cbpe::Estimated;

/// What the estimate cannot know. It stands wherever the estimate does.
pub const LIMITS: &str = "An estimate from the predictions alone: the mean error of reference rows \
    with similar predictions. It sees that more rows fall where the model errs more, and nothing \
    else: neither concept drift nor features that the prediction does not show.";

/// Groups of similar predictions, and the fewest rows in one.
const GROUPS: usize = 20;
const LEAST: usize = 25;

/// What has been learnt from rows with known truth.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectLoss {
    /// Where one group ends and the next begins.
    edges: Vec<f64>,
    /// Mean absolute and mean squared error of each group.
    errors: Vec<(f64, f64)>,
    /// Standard deviations of both over all rows.
    scatter: (f64, f64),
}

impl DirectLoss {
    /// Learns from predictions with their truth; `None` for less than 25 rows.
    pub fn fit(scores: &[f64], truth: &[f64]) -> Option<Self> {
        let mut rows: Vec<(f64, f64)> = scores
            .iter()
            .zip(truth)
            .map(|(score, truth)| (*score, (truth - score).abs()))
            .collect();
        rows.retain(|(score, error)| score.is_finite() && error.is_finite());
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let n_groups = (rows.len() / LEAST).min(GROUPS);
        let mut edges: Vec<f64> = Vec::new();
        for group in 1..n_groups {
            let edge = rows[rows.len() * group / n_groups].0;
            if rows[0].0 < edge && edges.last().is_none_or(|last| *last < edge) {
                edges.push(edge);
            }
        }
        let mut sums = vec![(0.0, 0.0, 0.0); edges.len() + 1];
        for (score, error) in &rows {
            let sum = &mut sums[edges.partition_point(|edge| edge <= score)];
            *sum = (sum.0 + error, sum.1 + error * error, sum.2 + 1.0);
        }
        let errors = sums.iter().map(|(mae, mse, n)| (mae / n, mse / n)).collect();
        let scatter = |power: i32| {
            let n = rows.len() as f64;
            let mean = rows.iter().map(|row| row.1.powi(power)).sum::<f64>() / n;
            let squares: f64 = rows.iter().map(|row| (row.1.powi(power) - mean).powi(2)).sum();
            (squares / n).sqrt()
        };
        (n_groups > 0).then(|| Self { edges, errors, scatter: (scatter(1), scatter(2)) })
    }

    /// The errors to be expected for these predictions; nothing without any.
    pub fn estimate(&self, scores: &[f64]) -> Vec<Estimated> {
        let known = || scores.iter().filter(|score| score.is_finite());
        let n = known().count() as f64;
        if n == 0.0 {
            return Vec::new();
        }
        let (mut mae, mut mse) = (0.0, 0.0);
        for score in known() {
            let error = self.errors[self.edges.partition_point(|edge| edge <= score)];
            (mae, mse) = (mae + error.0 / n, mse + error.1 / n);
        }
        let estimated = |metric, value: f64, sampling_error: f64| Estimated {
            metric,
            value,
            sampling_error,
            low: (value - 3.0 * sampling_error).max(0.0),
            high: value + 3.0 * sampling_error,
        };
        let (mae_error, mse_error) = (self.scatter.0 / n.sqrt(), self.scatter.1 / n.sqrt());
        let rmse = mse.sqrt();
        // The error of a square root, by its slope.
        let rmse_error = if rmse > 0.0 { mse_error / (2.0 * rmse) } else { 0.0 };
        vec![
            estimated("mae", mae, mae_error),
            estimated("mse", mse, mse_error),
            estimated("rmse", rmse, rmse_error),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Scored, metric};
    use crate::rng::{Seed, stream};

    #[test]
    fn more_rows_where_the_model_errs_more_are_noticed() {
        let mut rng = stream(Seed(3), "direct loss");
        let mut draw = |n: usize, from: f64| -> (Vec<f64>, Vec<f64>) {
            let scores: Vec<f64> = (0..n).map(|_| from + (10.0 - from) * rng.uniform()).collect();
            let truth = scores.iter().map(|score| score + score * rng.normal()).collect();
            (scores, truth)
        };
        let (scores, truth) = draw(4_000, 0.0);
        let model = DirectLoss::fit(&scores, &truth).unwrap();
        for from in [0.0, 6.0] {
            let (scores, truth) = draw(3_000, from);
            for estimated in model.estimate(&scores) {
                let compute = metric(estimated.metric).unwrap().compute;
                let real = compute(&Scored::new(&truth, &scores)).unwrap();
                let off = (estimated.value / real - 1.0).abs();
                assert!(off < 0.1, "{estimated:?} is not {real}");
            }
        }
        assert_eq!(DirectLoss::fit(&[1.0], &[1.0]), None);
        assert!(model.estimate(&[f64::NAN]).is_empty());
    }
}
