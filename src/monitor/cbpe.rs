//! How good a classifier is likely to be on rows whose truth is not known yet: confidence-based
//! performance estimation, as nannyml 0.13.1 does it.
//!
//! A calibrated probability p of a row that is called positive is a true positive with
//! probability p and a false one with 1 - p. Summed over the rows this gives the confusion matrix
//! to be expected, and from it the metrics.

use serde::Serialize;

use super::calibration::calibrate;
use super::isotonic::Isotonic;
use crate::metrics::Confusion;

/// What the estimate cannot know. It stands wherever the estimate does.
pub const LIMITS: &str = "An estimate from the scores alone. It holds while only the mix of rows \
    changes: it cannot see that the same row now ends differently (concept drift), is wrong for \
    rows unlike any in training, and never says less than 50 % accuracy at a threshold of 0.5.";

/// The band around an estimate is so many sampling errors wide to either side.
const BAND: f64 = 3.0;

/// A metric as it is likely to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimated {
    /// The name of the metric, as in the list of metrics.
    pub metric: &'static str,
    /// The expected value.
    pub value: f64,
    /// How far it would scatter between windows of this size by chance alone.
    pub sampling_error: f64,
    /// Three sampling errors below, but within what the metric can be.
    pub low: f64,
    /// Three sampling errors above.
    pub high: f64,
}

/// What has been learnt from rows with known truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Cbpe {
    threshold: f64,
    isotonic: Option<Isotonic>,
    /// For each metric the standard deviation of a row's part, and the share of rows with one.
    scatter: [(&'static str, f64, f64); 5],
}

impl Cbpe {
    /// Learns from scores with their truth (0 or 1); from the threshold on, a row is called
    /// positive. `None` if a class is absent or a score is no probability.
    pub fn fit(scores: &[f64], truth: &[f64], threshold: f64) -> Option<Self> {
        let n = scores.len() as f64;
        let n_positive = truth.iter().filter(|y| **y > 0.5).count() as f64;
        let sound = scores.iter().all(|p| (0.0..=1.0).contains(p));
        if !sound || n_positive == 0.0 || n_positive == n {
            return None;
        }
        let rows = scores.iter().zip(truth);
        let called = |p: f64| threshold <= p;
        let hits = |keep: fn(bool, bool) -> bool| -> (f64, f64) {
            // The standard deviation of "right" over some rows, and how many of all these are.
            let mut counts = (0.0, 0.0);
            for (p, y) in rows.clone().filter(|(p, y)| keep(called(**p), **y > 0.5)) {
                counts.0 += 1.0;
                counts.1 += f64::from(u8::from(called(*p) == (*y > 0.5)));
            }
            let right = counts.1 / counts.0;
            ((right * (1.0 - right)).sqrt(), counts.0 / n)
        };
        let (f1_std, f1_share) = hits(|called, is| called || is);
        let tp = rows.clone().filter(|(p, y)| called(**p) && **y > 0.5).count() as f64;
        let relevant = f1_share * n;
        let f1_factor = relevant / ((relevant - tp) * 0.5 + tp);
        let (auc_std, auc_share) = auc_scatter(scores, truth);
        let (precision, recall, accuracy) =
            (hits(|called, _| called), hits(|_, is| is), hits(|_, _| true));
        Some(Self {
            threshold,
            isotonic: calibrate(scores, truth),
            scatter: [
                ("roc_auc", auc_std, auc_share),
                ("accuracy", accuracy.0, 1.0),
                ("precision", precision.0, precision.1),
                ("recall", recall.0, recall.1),
                ("f1", f1_std * f1_factor, f1_share),
            ],
        })
    }

    /// Whether scores are calibrated before they are taken for probabilities.
    pub fn calibrates(&self) -> bool {
        self.isotonic.is_some()
    }

    /// The confusion matrix to be expected for these scores.
    pub fn confusion(&self, scores: &[f64]) -> Confusion {
        let mut cells = Confusion::default();
        for score in scores.iter().filter(|score| !score.is_nan()) {
            let p = self.probability(*score);
            if self.threshold <= *score {
                cells.tp += p;
                cells.fp += 1.0 - p;
            } else {
                cells.fn_ += p;
                cells.tn += 1.0 - p;
            }
        }
        cells
    }

    /// The metrics to be expected for these scores. What is undefined is left out.
    pub fn estimate(&self, scores: &[f64]) -> Vec<Estimated> {
        let n = scores.iter().filter(|score| !score.is_nan()).count() as f64;
        let cells = self.confusion(scores);
        let value = |metric| match metric {
            "roc_auc" => self.auc(scores),
            "accuracy" => cells.accuracy(),
            "precision" => cells.precision(),
            "recall" => cells.recall(),
            _ => cells.f1(),
        };
        let estimated = self.scatter.iter().filter_map(|(metric, std, share)| {
            let (value, sampling_error) = (value(metric)?, std / (n * share).sqrt());
            let low = (value - BAND * sampling_error).max(0.0);
            let high = (value + BAND * sampling_error).min(1.0);
            sampling_error.is_finite().then_some(Estimated {
                metric,
                value,
                sampling_error,
                low,
                high,
            })
        });
        estimated.collect()
    }

    fn probability(&self, score: f64) -> f64 {
        self.isotonic.as_ref().map_or(score, |isotonic| isotonic.at(score))
    }

    /// The area under the curve of the expected true and false positive rates.
    fn auc(&self, scores: &[f64]) -> Option<f64> {
        let mut sorted: Vec<f64> = scores.iter().copied().filter(|score| !score.is_nan()).collect();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let (mut tp, mut fp, mut area) = (0.0, 0.0, 0.0);
        let round = |sum: f64| (sum * 1e5).round_ties_even() / 1e5;
        let (mut last_tp, mut last_fp) = (0.0, 0.0);
        for score in sorted {
            let p = self.probability(score);
            (tp, fp) = (tp + p, fp + 1.0 - p);
            let (next_tp, next_fp) = (round(tp), round(fp));
            area += (next_fp - last_fp) * f64::midpoint(last_tp, next_tp);
            (last_tp, last_fp) = (next_tp, next_fp);
        }
        (last_tp > 0.0 && last_fp > 0.0).then(|| area / (last_tp * last_fp))
    }
}

/// The scatter of the AUC as a Mann-Whitney statistic: the standard deviation, over the rows of
/// the rarer class, of the share of the other rows that score less; and the share of that class.
fn auc_scatter(scores: &[f64], truth: &[f64]) -> (f64, f64) {
    let n_positive = truth.iter().filter(|y| **y > 0.5).count();
    let flipped = n_positive * 2 > truth.len();
    let mut rows: Vec<(f64, bool)> = scores
        .iter()
        .zip(truth)
        .map(|(p, y)| if flipped { (1.0 - p, *y <= 0.5) } else { (*p, *y > 0.5) })
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n_rare = rows.iter().filter(|row| row.1).count() as f64;
    let n_other = rows.len() as f64 - n_rare;
    // The lowest row of all is passed over, as nannyml passes over it.
    let ranks = rows.iter().enumerate().skip(1).filter(|(_, row)| row.1);
    let below: Vec<f64> =
        ranks.enumerate().map(|(k, (rank, _))| (rank - k) as f64 / n_other).collect();
    let mean = below.iter().sum::<f64>() / below.len() as f64;
    let squares: f64 = below.iter().map(|share| (share - mean).powi(2)).sum();
    ((squares / below.len() as f64).sqrt(), n_rare / rows.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::close;
    use crate::monitor::fixtures::{cbpe, list, number};

    #[test]
    fn estimates_are_those_of_nannyml() {
        let mut calibrated = 0;
        for case in cbpe() {
            let (scores, truth) = (list(&case["scores"]), list(&case["truth"]));
            let cbpe = Cbpe::fit(&scores, &truth, number(&case["threshold"])).unwrap();
            assert_eq!(
                cbpe.calibrates(),
                case["calibrated"].as_bool().unwrap(),
                "{}",
                case["name"]
            );
            calibrated += usize::from(cbpe.calibrates());
            for estimated in cbpe.estimate(&list(&case["window"])) {
                let expected = &case["metrics"][estimated.metric];
                close(estimated.value, number(&expected["value"]), 1e-6);
                // Of the AUC it depends on the order of equal scores, which numpy leaves open.
                close(estimated.sampling_error, number(&expected["sampling_error"]), 1e-5);
                close(estimated.low, number(&expected["low"]), 3e-5);
                close(estimated.high, number(&expected["high"]), 3e-5);
            }
        }
        assert!(0 < calibrated && calibrated < cbpe().len(), "both ways are tried");
    }

    #[test]
    fn one_class_alone_teaches_nothing() {
        assert_eq!(Cbpe::fit(&[0.1, 0.9], &[1.0, 1.0], 0.5), None);
        assert_eq!(Cbpe::fit(&[0.1, 1.9], &[1.0, 0.0], 0.5), None);
        let cbpe = Cbpe::fit(&[0.1, 0.9, 0.4], &[0.0, 1.0, 1.0], 0.5).unwrap();
        assert!(cbpe.estimate(&[]).is_empty());
    }
}
