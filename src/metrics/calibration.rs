//! Whether probabilities mean what they say.

use serde::Serialize;

use crate::metrics::distribution::wilson;
use crate::metrics::groups::{effective_rows, equal_mass};
use crate::metrics::probability::probabilities;
use crate::metrics::{LEVEL, Scored, is_positive};

/// How rows are put into bins by their probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binning {
    /// Bins hold the same number of rows, or the same weight.
    EqualMass,
    /// Bins are equally wide between 0 and 1.
    EqualWidth,
}

/// Rows with probabilities alike: what was promised, and what happened.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// How many rows it has.
    pub rows: usize,
    /// How much they weigh.
    pub weight: f64,
    /// Mean of their probabilities.
    pub predicted: f64,
    /// Share of them that is positive.
    pub observed: f64,
    /// Lower end of Wilson's 95 % interval of that share; by effective rows if they have weights.
    pub low: f64,
    /// Upper end of it.
    pub high: f64,
}

/// Compares probabilities with what happened in up to `n_bins` bins, lowest first; empty bins are
/// left out, and all are if the scores are not probabilities.
pub fn calibration(scored: &Scored, n_bins: usize, binning: Binning) -> Vec<CalibrationBin> {
    let Some(scored) = probabilities(scored) else { return Vec::new() };
    let groups = match binning {
        Binning::EqualMass => equal_mass(scored, n_bins, |a, b| a.total_cmp(&b)),
        Binning::EqualWidth => equal_width(scored, n_bins),
    };
    groups.iter().filter(|rows| !rows.is_empty()).map(|rows| bin(scored, rows)).collect()
}

/// The expected calibration error: the mean distance of promise and share over the bins, by
/// weight (Naeini, Cooper and Hauskrecht, 2015). It depends on the bins.
pub fn expected_calibration_error(bins: &[CalibrationBin]) -> Option<f64> {
    let total: f64 = bins.iter().map(|bin| bin.weight).sum();
    let errors = bins.iter().map(|bin| bin.weight * (bin.predicted - bin.observed).abs());
    (0.0 < total).then(|| errors.sum::<f64>() / total)
}

/// How the log-odds that were promised relate to those that happened (Cox, 1958).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CoxCalibration {
    /// Intercept of a logistic regression of what happened on the promised log-odds; 0 is right.
    pub intercept: f64,
    /// Its slope: 1 is right, less means that the probabilities are too extreme.
    pub slope: f64,
    /// Intercept if the slope is held at 1: by how much the log-odds are too low on the whole.
    pub in_the_large: f64,
}

/// Fits the calibration line by Newton's method; `None` when a class is absent, the scores are
/// not probabilities, or they separate the classes, so that no finite slope is best.
pub fn cox_calibration(scored: &Scored) -> Option<CoxCalibration> {
    let rows: Vec<(f64, f64, f64)> = probabilities(scored)?
        .rows()
        .map(|(truth, p, weight)| {
            let p = p.clamp(1e-12, 1.0 - 1e-12);
            (f64::from(u8::from(is_positive(truth))), (p / (1.0 - p)).ln(), weight)
        })
        .collect();
    let in_the_large = newton(&rows, [0.0, 1.0], Slope::Held)?;
    let line = newton(&rows, in_the_large, Slope::Free)?;
    Some(CoxCalibration { intercept: line[0], slope: line[1], in_the_large: in_the_large[0] })
}

#[derive(Clone, Copy)]
enum Slope {
    Held,
    Free,
}

/// Maximises the likelihood of a line in the log-odds, halving steps that lead down.
fn newton(rows: &[(f64, f64, f64)], start: [f64; 2], slope: Slope) -> Option<[f64; 2]> {
    let mut line = start;
    let mut likelihood = log_likelihood(rows, line);
    for _ in 0..100 {
        let (mut gradient, mut hessian) = ([0.0; 2], [0.0; 3]);
        for (truth, x, weight) in rows {
            let p = logistic(line[0] + line[1] * x);
            let (residual, spread) = (weight * (truth - p), weight * p * (1.0 - p));
            gradient[0] += residual;
            gradient[1] += residual * x;
            hessian[0] += spread;
            hessian[1] += spread * x;
            hessian[2] += spread * x * x;
        }
        let step = match slope {
            Slope::Held => [gradient[0] / hessian[0], 0.0],
            Slope::Free => {
                let determinant = hessian[0] * hessian[2] - hessian[1] * hessian[1];
                [
                    (hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant,
                    (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant,
                ]
            }
        };
        let size = step[0].abs().max(step[1].abs());
        if !size.is_finite() || 1e4 < line[0].abs().max(line[1].abs()) {
            return None;
        }
        if size < 1e-11 * (1.0 + line[0].abs().max(line[1].abs())) {
            return Some(line);
        }
        let mut share = 1.0;
        loop {
            let next = [line[0] + share * step[0], line[1] + share * step[1]];
            let next_likelihood = log_likelihood(rows, next);
            // So close to the top a step is lost in rounding, and is taken on trust.
            if likelihood - 1e-12 * likelihood.abs() <= next_likelihood {
                (line, likelihood) = (next, next_likelihood);
                break;
            }
            share /= 2.0;
            if share < 1e-10 {
                return None;
            }
        }
    }
    None
}

fn log_likelihood(rows: &[(f64, f64, f64)], line: [f64; 2]) -> f64 {
    let term = |z: f64| -(-z.abs()).exp().ln_1p() + z.min(0.0);
    rows.iter()
        .map(|(truth, x, weight)| {
            let z = line[0] + line[1] * x;
            weight * if *truth == 1.0 { term(z) } else { term(-z) }
        })
        .sum()
}

fn logistic(z: f64) -> f64 {
    if 0.0 <= z { 1.0 / (1.0 + (-z).exp()) } else { z.exp() / (1.0 + z.exp()) }
}

fn equal_width(scored: &Scored, n_bins: usize) -> Vec<Vec<usize>> {
    let mut groups = vec![Vec::new(); n_bins];
    for (idx, score) in scored.score.iter().enumerate() {
        if let Some(last) = n_bins.checked_sub(1).filter(|_| scored.weight(idx) != 0.0) {
            groups[((score * n_bins as f64) as usize).min(last)].push(idx);
        }
    }
    groups
}

fn bin(scored: &Scored, rows: &[usize]) -> CalibrationBin {
    let (mut weight, mut predicted, mut positives) = (0.0, 0.0, 0.0);
    for idx in rows {
        let w = scored.weight(*idx);
        weight += w;
        predicted += w * scored.score[*idx];
        if is_positive(scored.truth[*idx]) {
            positives += w;
        }
    }
    let observed = positives / weight;
    let (low, high) = wilson(observed, effective_rows(scored, rows), LEVEL);
    CalibrationBin { rows: rows.len(), weight, predicted: predicted / weight, observed, low, high }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::{SCORE, TRUTH, WEIGHT, close};

    #[test]
    fn bins_hold_what_was_promised_and_what_happened() {
        let bins = calibration(&Scored::new(&TRUTH, &SCORE), 3, Binning::EqualMass);
        let expected = [(0.2, 0.25), (0.3875, 0.5), (0.6375, 0.75)];
        for (bin, (predicted, observed)) in bins.iter().zip(expected) {
            assert_eq!(bin.rows, 4);
            close(bin.predicted, predicted, 1e-15);
            close(bin.observed, observed, 1e-15);
            assert!(bin.low < observed && observed < bin.high, "{bin:?}");
        }
        let error = (0.05 + 0.1125 + 0.1125) / 3.0;
        close(expected_calibration_error(&bins).unwrap(), error, 1e-15);
    }

    #[test]
    fn equally_wide_bins_may_be_empty() {
        let bins = calibration(&Scored::new(&TRUTH, &SCORE), 4, Binning::EqualWidth);
        assert_eq!(bins.iter().map(|bin| bin.rows).collect::<Vec<_>>(), [3, 5, 3, 1]);
        let bins = calibration(&Scored::new(&[0.0, 1.0], &[0.0, 1.0]), 5, Binning::EqualWidth);
        assert_eq!(bins.iter().map(|bin| bin.observed).collect::<Vec<_>>(), [0.0, 1.0]);
        assert!(calibration(&Scored::new(&[0.0], &[3.0]), 5, Binning::EqualMass).is_empty());
        assert_eq!(expected_calibration_error(&[]), None);
    }

    #[test]
    fn the_calibration_line_is_that_of_statsmodels() {
        // GLM(y, add_constant(logit(s)), Binomial(), freq_weights=w); the first also with offset
        let scored = Scored::new(&TRUTH, &SCORE);
        let line = cox_calibration(&scored).unwrap();
        close(line.intercept, 0.470_924_12, 5e-9);
        close(line.slope, 1.049_123_87, 5e-9);
        close(line.in_the_large, 0.446_705_45, 5e-9);
        let weighted = Scored { weight: Some(&WEIGHT), ..scored };
        let line = cox_calibration(&weighted).unwrap();
        close(line.intercept, 0.062_591_69, 5e-9);
        close(line.slope, 1.228_527_32, 5e-9);
    }

    #[test]
    fn no_line_fits_separated_classes() {
        assert_eq!(cox_calibration(&Scored::new(&[0., 0., 1., 1.], &[0.1, 0.2, 0.7, 0.8])), None);
        assert_eq!(cox_calibration(&Scored::new(&[1., 1.], &[0.1, 0.2])), None);
        assert_eq!(cox_calibration(&Scored::new(&[0., 1., 1.], &[0.3, 0.3, 0.3])), None);
    }
}
