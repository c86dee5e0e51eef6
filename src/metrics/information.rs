//! What a single column says about a target of two classes.

use serde::Serialize;

use crate::metrics::Scored;
use crate::metrics::ranking::roc_auc;

/// The information value of a column in bins.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InformationValue {
    /// Sum over the bins of (share of goods - share of bads) times their weight of evidence.
    pub value: f64,
    /// Weight of evidence of each bin, ln(share of all goods / share of all bads): positive bins
    /// are safer than the whole (Siddiqi, 2006).
    pub woe: Vec<f64>,
    /// Whether a bin lacked goods or bads, so that half a row of each was added to every bin.
    pub smoothed: bool,
}

/// The information value and weights of evidence of bins with so many goods and bads each;
/// `None` without any goods or any bads.
///
/// Without empty cells the counts are taken as they are. Otherwise 0.5 is added to every count
/// and the shares are taken of the larger totals, which is said by `smoothed`. Bins with neither
/// goods nor bads are not counted, and have the weight 0.
///
/// ```
/// use karat::metrics::information_value;
///
/// let iv = information_value(&[(30.0, 10.0), (10.0, 30.0)]).unwrap();
/// assert!((iv.value - 3.0_f64.ln()).abs() < 1e-12 && iv.woe[0] > 0.0);
/// ```
pub fn information_value(bins: &[(f64, f64)]) -> Option<InformationValue> {
    let in_use = |bin: &&(f64, f64)| 0.0 < bin.0 || 0.0 < bin.1;
    let (goods, bads) =
        bins.iter().fold((0.0, 0.0), |(goods, bads), bin| (goods + bin.0, bads + bin.1));
    if !(0.0 < goods && 0.0 < bads) {
        return None;
    }
    let smoothed = bins.iter().filter(in_use).any(|bin| bin.0 <= 0.0 || bin.1 <= 0.0);
    let added = if smoothed { 0.5 } else { 0.0 };
    let added_in_all = added * bins.iter().filter(in_use).count() as f64;
    let mut value = 0.0;
    let woe = bins.iter().map(|bin| {
        if !in_use(&bin) {
            return 0.0;
        }
        let good = (bin.0 + added) / (goods + added_in_all);
        let bad = (bin.1 + added) / (bads + added_in_all);
        let woe = (good / bad).ln();
        value += (good - bad) * woe;
        woe
    });
    let woe = woe.collect();
    Some(InformationValue { value, woe, smoothed })
}

/// The AUC of a column taken as a score: how well its values alone tell the classes apart. Below
/// one half small values mean the positive class. Missing values (NaN) are passed over; `None`
/// if that leaves a single class.
pub fn auc_of_column(values: &[f64], truth: &[f64], weight: Option<&[f64]>) -> Option<f64> {
    let known = || (0..values.len()).filter(|idx| !values[*idx].is_nan() && !truth[*idx].is_nan());
    let pick = |from: &[f64]| -> Vec<f64> { known().map(|idx| from[idx]).collect() };
    let weight = weight.map(pick);
    roc_auc(&Scored { weight: weight.as_deref(), ..Scored::new(&pick(truth), &pick(values)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::{SCORE, TRUTH, close};

    #[test]
    fn the_status_of_german_credit_has_its_published_value() {
        let status = [(139.0, 135.0), (164.0, 105.0), (49.0, 14.0), (348.0, 46.0)];
        let iv = information_value(&status).unwrap();
        close(iv.value, 0.666_011_503_4, 5e-11);
        for (woe, expected) in iv.woe.iter().zip([-0.818_099, -0.401_392, 0.405_465, 1.176_263]) {
            close(*woe, expected, 5e-7);
        }
        assert!(!iv.smoothed);
    }

    #[test]
    fn an_empty_cell_is_smoothed_and_said() {
        let iv = information_value(&[(10.0, 0.0), (5.0, 5.0), (0.0, 0.0)]).unwrap();
        assert!(iv.smoothed);
        close(iv.woe[0], ((10.5 / 16.0) / (0.5_f64 / 6.0)).ln(), 1e-15);
        close(iv.woe[2], 0.0, 0.0);
        assert!(iv.value.is_finite());
        assert_eq!(information_value(&[(10.0, 0.0)]), None);
        assert_eq!(information_value(&[]), None);
    }

    #[test]
    fn missing_values_say_nothing() {
        let mut holes = SCORE.to_vec();
        let mut truth = TRUTH.to_vec();
        holes.push(f64::NAN);
        truth.push(1.0);
        let expected = roc_auc(&Scored::new(&TRUTH, &SCORE));
        assert_eq!(auc_of_column(&holes, &truth, None), expected);
        assert_eq!(auc_of_column(&[f64::NAN; 2], &[0.0, 1.0], None), None);
    }
}
