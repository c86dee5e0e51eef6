//! Tests over folds, over decisions, and over many comparisons at once.

use serde::Serialize;

use crate::metrics::distribution::{chi2_p, student_p, student_quantile};
use crate::metrics::{LEVEL, Scored, is_positive};

/// The mean difference of two models over folds, with what may be said about it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CorrectedT {
    /// Mean of the differences.
    pub mean: f64,
    /// Its corrected standard error.
    pub se: f64,
    /// The mean over its standard error; none if every fold gave the same difference.
    pub t: Option<f64>,
    /// Degrees of freedom, one less than there are folds.
    pub df: f64,
    /// Two-sided p-value of no difference.
    pub p: Option<f64>,
    /// Lower end of the 95 % interval of the mean.
    pub low: Option<f64>,
    /// Upper end of it.
    pub high: Option<f64>,
}

/// The corrected resampled t-test (Nadeau and Bengio, 2003) of differences over folds.
///
/// Folds share training rows, and so the usual t-test finds differences where there are none; the
/// correction adds `test_over_train`, the rows of a test fold over those of its training part,
/// which is 1 / (k - 1) for k folds. `None` for fewer than two differences or a missing one.
pub fn nadeau_bengio(diffs: &[f64], test_over_train: f64) -> Option<CorrectedT> {
    if diffs.len() < 2 || !diffs.iter().all(|diff| diff.is_finite()) {
        return None;
    }
    let k = diffs.len() as f64;
    let mean = diffs.iter().sum::<f64>() / k;
    let variance = diffs.iter().map(|diff| (diff - mean) * (diff - mean)).sum::<f64>() / (k - 1.0);
    let spread = diffs.iter().any(|diff| *diff != diffs[0]);
    let se = if spread { ((1.0 / k + test_over_train) * variance).sqrt() } else { 0.0 };
    let df = k - 1.0;
    let t = (0.0 < se).then(|| mean / se);
    let half = t.and_then(|_| Some(se * student_quantile(f64::midpoint(1.0, LEVEL), df)?));
    Some(CorrectedT {
        mean,
        se,
        t,
        df,
        p: t.and_then(|t| student_p(t, df)),
        low: half.map(|half| mean - half),
        high: half.map(|half| mean + half),
    })
}

/// P-values adjusted for there being several (Holm, 1979), in the order given: each may be
/// compared with the level as if it were the only one.
///
/// ```
/// let adjusted = karat::metrics::holm(&[0.01, 0.04, 0.03]);
/// assert_eq!(adjusted, [0.03, 0.06, 0.06]);
/// ```
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (rank, idx) in order.into_iter().enumerate() {
        largest = largest.max(p_values[idx] * (p_values.len() - rank) as f64).min(1.0);
        adjusted[idx] = largest;
    }
    adjusted
}

/// What [`mcnemar`] finds out about two classifiers on the same rows, in the four usual forms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct McNemar {
    /// The statistic (b - c)² / (b + c).
    pub chi2: f64,
    /// Its p-value.
    pub p: f64,
    /// The statistic with Edwards' correction, (|b - c| - 1)² / (b + c).
    pub corrected: f64,
    /// Its p-value.
    pub corrected_p: f64,
    /// Exact two-sided p-value of the binomial distribution; it errs on the side of caution.
    pub exact_p: f64,
    /// The exact p-value less half of the probability of what was seen; to be preferred
    /// (Fagerland, Lydersen and Laake, 2013).
    pub mid_p: f64,
}

/// How often only the first, and only the second of two classifiers is right, of two classes each
/// cut at its own threshold. Rows without weight or with a missing number are passed over.
///
/// # Panics
/// If the two do not have the same truth, row by row.
pub fn discordant(a: &Scored, b: &Scored) -> (u64, u64) {
    assert!(a.truth == b.truth, "paired models share their rows");
    let right = |scored: &Scored, idx: usize| match scored.by_class {
        Some(_) => scored.truth[idx] == scored.score[idx],
        None => is_positive(scored.truth[idx]) == (scored.threshold <= scored.score[idx]),
    };
    let mut only = (0, 0);
    for idx in 0..a.truth.len() {
        let missing = [a.truth[idx], a.score[idx], b.score[idx]].iter().any(|v| v.is_nan());
        if missing || a.weight(idx) == 0.0 {
            continue;
        }
        match (right(a, idx), right(b, idx)) {
            (true, false) => only.0 += 1,
            (false, true) => only.1 += 1,
            _ => {}
        }
    }
    only
}

/// Tests whether two classifiers err equally often (1947), from the rows that only the first (`b`) and
/// only the second (`c`) has right; `None` if there are no such rows.
pub fn mcnemar(b: u64, c: u64) -> Option<McNemar> {
    let n = b + c;
    if n == 0 {
        return None;
    }
    let distance = b.abs_diff(c) as f64;
    let chi2 = distance * distance / n as f64;
    let corrected = (distance - 1.0).max(0.0).powi(2) / n as f64;
    // The terms of the binomial distribution, in logarithms: 2^n overflows soon.
    let mut log_term = -(n as f64) * std::f64::consts::LN_2;
    let (mut tail, mut last) = (0.0, 0.0);
    for i in 0..=b.min(c) {
        if 0 < i {
            log_term += ((n - i + 1) as f64 / i as f64).ln();
        }
        last = log_term.exp();
        tail += last;
    }
    let (exact_p, mid_p) = ((2.0 * tail).min(1.0), (2.0 * tail - last).min(1.0));
    let (p, corrected_p) = (chi2_p(chi2, 1.0)?, chi2_p(corrected, 1.0)?);
    Some(McNemar { chi2, p, corrected, corrected_p, exact_p, mid_p })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::close;

    #[test]
    fn the_correction_tempers_the_usual_test() {
        let diffs = [0.02, 0.01, 0.0, 0.02, 0.01, 0.0, 0.03, 0.0, 0.01, 0.01];
        let naive = nadeau_bengio(&diffs, 0.0).unwrap();
        close(naive.t.unwrap(), 3.497_993, 5e-7);
        close(naive.p.unwrap(), 0.006_745, 5e-7);
        let corrected = nadeau_bengio(&diffs, 1.0 / 9.0).unwrap();
        close(corrected.t.unwrap(), 2.407_484, 5e-7);
        close(corrected.p.unwrap(), 0.039_411, 5e-7);
        close(corrected.mean, 0.011, 1e-15);
        let half = 2.262_157_162_798_205 * corrected.se;
        close(corrected.low.unwrap(), 0.011 - half, 1e-12);
    }

    #[test]
    fn equal_differences_have_no_spread() {
        let same = nadeau_bengio(&[0.1, 0.1, 0.1], 0.5).unwrap();
        assert_eq!((same.se, same.t, same.p, same.low), (0.0, None, None, None));
        assert_eq!(nadeau_bengio(&[0.1], 0.5), None);
        assert_eq!(nadeau_bengio(&[0.1, f64::NAN], 0.5), None);
    }

    #[test]
    fn p_values_are_adjusted_as_statsmodels_does() {
        // multipletests([.01, .04, .03, .005], method="holm")
        for (got, expected) in holm(&[0.01, 0.04, 0.03, 0.005]).iter().zip([0.03, 0.06, 0.06, 0.02])
        {
            close(*got, expected, 1e-15);
        }
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn mcnemar_in_its_four_forms() {
        let test = mcnemar(85, 57).unwrap();
        close(test.chi2, 5.521_127, 5e-7);
        close(test.corrected, 5.133_803, 5e-7);
        close(test.exact_p, 0.023_125_73, 5e-9);
        close(test.mid_p, 0.018_891_14, 5e-9);
        assert_eq!(mcnemar(0, 0), None);
        let even = mcnemar(3, 3).unwrap();
        assert_eq!((even.chi2, even.exact_p), (0.0, 1.0));
        assert!(mcnemar(100_000, 99_000).unwrap().exact_p > 0.0);
    }

    #[test]
    fn only_rows_on_which_the_models_differ_count() {
        let truth = [1.0, 1.0, 0.0, 0.0];
        let a = Scored::new(&truth, &[0.9, 0.9, 0.1, 0.9]);
        let b = Scored { threshold: 0.3, ..Scored::new(&truth, &[0.4, 0.1, 0.4, 0.2]) };
        assert_eq!(discordant(&a, &b), (2, 1));
    }
}
