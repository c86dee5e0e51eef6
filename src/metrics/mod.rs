//! How good a model is, and whether another is better: pure functions over slices of numbers.
//!
//! [`METRICS`] is the one list of what can be measured; the leaderboard, the command line and the
//! screens are read from it, each with its definition. Beside it stand the curves and tables that
//! a classifier is judged by ([`roc`], [`gains`], [`calibration`], [`deciles`], [`Sweep`], and [`ClassConfusion`] for several
//! classes), the intervals ([`estimates`]) and the tests that compare two models on the same rows ([`delong`],
//! [`paired_bootstrap`]) or over folds ([`nadeau_bengio`]), corrected by [`holm`] when there are
//! many.
//!
//! Rows may have weights everywhere. What is undefined is `None`: the AUC of a single class, the
//! precision of a model that never says yes, or any metric of numbers that are not numbers. The
//! room knows neither tables nor models.
//!
//! ```
//! use karat::metrics::{Scored, metric};
//!
//! let truth = [0., 0., 1., 0., 0., 1., 0., 1., 1., 1.];
//! let score = [0.1, 0.2, 0.2, 0.3, 0.4, 0.4, 0.4, 0.5, 0.6, 0.9];
//! let auc = metric("roc_auc").and_then(|auc| (auc.compute)(&Scored::new(&truth, &score)));
//! assert!((auc.unwrap() - 0.82).abs() < 1e-12);
//! ```

mod bootstrap;
mod calibration;
mod class_probability;
mod classes;
mod curves;
mod deciles;
mod decision;
mod delong;
pub mod distribution;
mod groups;
mod information;
mod probability;
mod ranking;
mod regression;
mod resampled;
mod steps;
mod sweep;
mod table;

pub use bootstrap::{Estimate, Paired, estimate, estimates, interval_method, paired_bootstrap};
pub use calibration::{
    Binning, CalibrationBin, CoxCalibration, calibration, cox_calibration,
    expected_calibration_error,
};
pub use class_probability::row_loss;
pub use classes::{ClassConfusion, ClassMeasures};
pub use curves::{GainPoint, PrecisionRecallPoint, RocPoint, gains, precision_recall, roc};
pub use deciles::{Decile, deciles};
pub use decision::Confusion;
pub use delong::{AucInterval, DeLong, auc_interval, delong};
pub use information::{InformationValue, auc_of_column, information_value};
pub use regression::{Histogram, Summary, histogram, quantile, residuals, summary};
pub use resampled::{CorrectedT, McNemar, discordant, holm, mcnemar, nadeau_bengio};
pub use sweep::{BestThreshold, Sweep, best_threshold};
pub use table::{Better, Family, METRICS, Metric, metric};

/// The coverage of every interval for which no other is asked: 95 %.
pub const LEVEL: f64 = 0.95;

/// What happened, and what a model said about it, row by row.
///
/// All slices are equally long; a metric panics if they are not, because rows would be mixed up.
#[derive(Clone, Copy, Debug)]
pub struct Scored<'a> {
    /// The truth: 1 for the positive class and 0 for the other, the index of the class among
    /// several, or the number to be predicted.
    pub truth: &'a [f64],
    /// The model's word: the probability of the positive class, any score that rises with it, the
    /// index of the predicted class among several, or a predicted number.
    pub score: &'a [f64],
    /// How much each row counts; without it every row counts 1. A row of weight 0 does not exist.
    pub weight: Option<&'a [f64]>,
    /// From this score on, the positive class is predicted.
    pub threshold: f64,
    /// The probability of each class, for several classes alone.
    pub by_class: Option<ByClass<'a>>,
}

/// The probabilities of several classes.
#[derive(Clone, Copy, Debug)]
pub struct ByClass<'a> {
    /// One after the other: `(rows, classes)`.
    pub probability: &'a [f64],
    /// How many classes there are, those without a row included.
    pub n_classes: usize,
}

impl<'a> Scored<'a> {
    /// Rows that all count the same, cut at 0.5.
    pub fn new(truth: &'a [f64], score: &'a [f64]) -> Self {
        Self { truth, score, weight: None, threshold: 0.5, by_class: None }
    }

    /// Rows of several classes that all count the same: the index of the true and of the
    /// predicted class, and the probability of each, `(rows, classes)`.
    pub fn of_classes(
        truth: &'a [f64],
        predicted: &'a [f64],
        probability: &'a [f64],
        n_classes: usize,
    ) -> Self {
        let by_class = Some(ByClass { probability, n_classes });
        Self { by_class, ..Self::new(truth, predicted) }
    }

    /// How much row `idx` counts.
    fn weight(&self, idx: usize) -> f64 {
        self.weight.map_or(1.0, |weight| weight[idx])
    }

    /// Truth, score and weight of every row that counts.
    fn rows(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let rows = self.truth.iter().zip(self.score).enumerate();
        rows.map(|(idx, (truth, score))| (*truth, *score, self.weight(idx)))
            .filter(|(_, _, weight)| *weight != 0.0)
    }

    /// The same rows if they can be measured at all: something counts, and no truth, score or
    /// weight is missing.
    fn sound(&self) -> Option<&Self> {
        assert_eq!(self.truth.len(), self.score.len(), "truth and score belong to the same rows");
        if let Some(weight) = self.weight {
            assert_eq!(self.truth.len(), weight.len(), "truth and weight belong to the same rows");
        }
        let mut total = 0.0;
        for (truth, score, weight) in self.rows() {
            if truth.is_nan() || score.is_nan() || !(0.0 < weight && weight.is_finite()) {
                return None;
            }
            total += weight;
        }
        (0.0 < total && self.has_classes()).then_some(self)
    }

    /// Whether truth and prediction are classes, where there are several.
    fn has_classes(&self) -> bool {
        let Some(ByClass { probability, n_classes }) = self.by_class else { return true };
        let n_values = self.truth.len() * n_classes;
        assert_eq!(probability.len(), n_values, "every row has a probability of every class");
        let is_class =
            |value: &f64| value.fract() == 0.0 && (0.0..n_classes as f64).contains(value);
        self.rows().all(|(truth, predicted, _)| is_class(&truth) && is_class(&predicted))
            && !probability.iter().any(|p| p.is_nan())
    }

    /// The weighted mean of `value` over truth and score; `None` for rows that cannot be measured
    /// and for a mean that is not a finite number.
    fn mean(&self, value: impl Fn(f64, f64) -> f64) -> Option<f64> {
        let (mut sum, mut total) = (0.0, 0.0);
        for (truth, score, weight) in self.sound()?.rows() {
            sum += weight * value(truth, score);
            total += weight;
        }
        Some(sum / total).filter(|mean| mean.is_finite())
    }
}

/// Whether a row belongs to the positive class.
fn is_positive(truth: f64) -> bool {
    0.5 < truth
}

/// The ratio, unless it is that of nothing to nothing.
fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole != 0.0).then(|| part / whole).filter(|ratio| ratio.is_finite())
}

#[cfg(test)]
pub(crate) mod samples {
    //! Rows with ties and uneven weights that several tests share, made up.

    pub(crate) const TRUTH: [f64; 12] = [0., 0., 1., 0., 0., 1., 0., 1., 1., 1., 0., 1.];
    pub(crate) const SCORE: [f64; 12] =
        [0.1, 0.2, 0.2, 0.3, 0.4, 0.4, 0.4, 0.5, 0.6, 0.9, 0.55, 0.35];
    pub(crate) const OTHER: [f64; 12] =
        [0.3, 0.1, 0.4, 0.2, 0.6, 0.3, 0.5, 0.2, 0.8, 0.7, 0.1, 0.4];
    pub(crate) const WEIGHT: [f64; 12] = [1., 2., 0.5, 1., 3., 1., 1., 2., 1., 0.5, 2., 1.5];

    pub(crate) mod several {
        //! Four classes, of which one is never predicted.

        use super::WEIGHT;
        use crate::metrics::Scored;

        pub(crate) const TRUTH: [f64; 12] = [0., 1., 2., 3., 2., 1., 0., 3., 1., 2., 2., 0.];
        pub(crate) const PREDICTED: [f64; 12] = [0., 1., 2., 2., 2., 1., 1., 2., 2., 0., 2., 0.];
        #[rustfmt::skip]
        pub(crate) const PROBABILITY: [f64; 48] = [
            0.6, 0.2, 0.1, 0.1,      0.3, 0.4, 0.2, 0.1,      0.1, 0.2, 0.5, 0.2,
            0.1, 0.3, 0.4, 0.2,      0.2, 0.1, 0.35, 0.35,    0.25, 0.45, 0.2, 0.1,
            0.08, 0.5, 0.3, 0.12,    0.2, 0.2, 0.32, 0.28,    0.05, 0.15, 0.7, 0.1,
            0.4, 0.1, 0.3, 0.2,      0.1, 0.1, 0.65, 0.15,    0.55, 0.15, 0.2, 0.1,
        ];
        #[rustfmt::skip]
        pub(crate) const CONFUSION: [f64; 16] = [
            2.5, 1.0, 0.0, 0.0,
            0.0, 3.0, 1.0, 0.0,
            0.5, 0.0, 5.5, 0.0,
            0.0, 0.0, 3.0, 0.0,
        ];
        /// Precision, recall, F1 and support; -1 where undefined.
        pub(crate) const CLASSES: [[f64; 4]; 4] = [
            [0.833_333_333_333_333_4, 0.714_285_714_285_714_3, 0.769_230_769_230_769_3, 3.5],
            [0.75, 0.75, 0.75, 4.0],
            [0.578_947_368_421_052_7, 0.916_666_666_666_666_6, 0.709_677_419_354_838_7, 6.0],
            [-1.0, 0.0, 0.0, 3.0],
        ];

        pub(crate) fn plain() -> Scored<'static> {
            Scored::of_classes(&TRUTH, &PREDICTED, &PROBABILITY, 4)
        }

        pub(crate) fn weighted() -> Scored<'static> {
            Scored { weight: Some(&WEIGHT), ..plain() }
        }
    }

    #[track_caller]
    pub(crate) fn close(got: f64, expected: f64, tolerance: f64) {
        assert!((got - expected).abs() <= tolerance, "{got} is not {expected}");
    }
}
