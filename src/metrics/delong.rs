//! The spread of an AUC, and of the difference of two on the same rows (DeLong, DeLong and
//! Clarke-Pearson, 1988), in O(n log n) by midranks (Sun and Xu, 2014).

use serde::Serialize;

use crate::metrics::distribution::{normal_p, normal_quantile};
use crate::metrics::{LEVEL, is_positive};

/// Two AUCs on the same rows, compared. It holds for test rows: on the rows that nested models
/// were fitted to, the difference does not follow this distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DeLong {
    /// AUC of the first scores.
    pub auc_a: f64,
    /// AUC of the second ones.
    pub auc_b: f64,
    /// The first less the second.
    pub diff: f64,
    /// Standard error of the difference; 0 if both order every pair alike.
    pub se: f64,
    /// The difference over its standard error; none if that is 0.
    pub z: Option<f64>,
    /// Two-sided p-value of no difference.
    pub p: Option<f64>,
    /// Lower end of the 95 % interval of the difference.
    pub low: Option<f64>,
    /// Upper end of it.
    pub high: Option<f64>,
}

/// An AUC with its standard error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AucInterval {
    /// The AUC itself.
    pub auc: f64,
    /// Its standard error.
    pub se: f64,
    /// Lower end of its interval, not below 0; none when the standard error is 0, since rows that
    /// are all in order say nothing about the spread.
    pub low: Option<f64>,
    /// Upper end of it, not above 1.
    pub high: Option<f64>,
}

/// Compares the AUCs of two scores of the same rows; `None` with fewer than two rows of either
/// class, or when a number is missing.
///
/// ```
/// use karat::metrics::delong;
///
/// let truth = [0., 0., 0., 1., 1., 1.];
/// let test = delong(&truth, &[1., 2., 4., 3., 5., 6.], &[2., 1., 5., 3., 4., 6.]).unwrap();
/// assert!((test.auc_a - 8.0 / 9.0).abs() < 1e-12 && 0.05 < test.p.unwrap());
/// ```
pub fn delong(truth: &[f64], a: &[f64], b: &[f64]) -> Option<DeLong> {
    let (of_a, of_b) = (Placements::of(truth, a)?, Placements::of(truth, b)?);
    let diff = of_a.auc - of_b.auc;
    // The variance of the difference is taken of the differences of the placements: subtracting
    // variances and covariances would leave rounding where there is none.
    let less = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>();
    let positives = less(&of_a.positives, &of_b.positives);
    let negatives = less(&of_a.negatives, &of_b.negatives);
    let se = standard_error(&positives, &negatives);
    let z = (0.0 < se).then(|| diff / se);
    let half = z.map(|_| half_width(se, LEVEL));
    Some(DeLong {
        auc_a: of_a.auc,
        auc_b: of_b.auc,
        diff,
        se,
        z,
        p: z.map(normal_p),
        low: half.map(|half| diff - half),
        high: half.map(|half| diff + half),
    })
}

/// The AUC of `score` with an interval that covers `level`, on the assumption that it is normally
/// distributed; `None` as for [`delong`].
pub fn auc_interval(truth: &[f64], score: &[f64], level: f64) -> Option<AucInterval> {
    let Placements { auc, positives, negatives } = Placements::of(truth, score)?;
    let se = standard_error(&positives, &negatives);
    let half = (0.0 < se).then(|| half_width(se, level));
    Some(AucInterval {
        auc,
        se,
        low: half.map(|half| (auc - half).max(0.0)),
        high: half.map(|half| (auc + half).min(1.0)),
    })
}

/// How each row stands against the other class.
struct Placements {
    auc: f64,
    /// For each positive row the share of negative ones below it, ties counting one half.
    positives: Vec<f64>,
    /// For each negative row the share of positive ones above it.
    negatives: Vec<f64>,
}

impl Placements {
    fn of(truth: &[f64], score: &[f64]) -> Option<Self> {
        assert_eq!(truth.len(), score.len(), "truth and score belong to the same rows");
        if truth.iter().chain(score).any(|value| value.is_nan()) {
            return None;
        }
        let of_class = |positive| {
            let rows = truth.iter().zip(score).filter(move |row| is_positive(*row.0) == positive);
            rows.map(|row| *row.1).collect::<Vec<f64>>()
        };
        let (positives, negatives) = (of_class(true), of_class(false));
        let (m, n) = (positives.len(), negatives.len());
        if m < 2 || n < 2 {
            return None;
        }
        let all: Vec<f64> = positives.iter().chain(&negatives).copied().collect();
        let among_all = midranks(&all);
        // A rank among all less that among its own class counts the other class below it.
        let below = |rows: &[f64], own: &[f64], others: usize| -> Vec<f64> {
            rows.iter().zip(own).map(|(all, own)| (all - own) / others as f64).collect()
        };
        let positives = below(&among_all[..m], &midranks(&positives), n);
        let negatives = below(&among_all[m..], &midranks(&negatives), m);
        let auc = positives.iter().sum::<f64>() / m as f64;
        Some(Self { auc, positives, negatives: negatives.iter().map(|v| 1.0 - v).collect() })
    }
}

/// The rank of every value from 1 on, tied values sharing the mean of theirs.
fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = before as f64 + (tied.len() + 1) as f64 / 2.0;
        for idx in tied {
            ranks[*idx] = rank;
        }
        before += tied.len();
    }
    ranks
}

fn standard_error(positives: &[f64], negatives: &[f64]) -> f64 {
    (variance(positives) / positives.len() as f64 + variance(negatives) / negatives.len() as f64)
        .sqrt()
}

fn variance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    // What is left of equal values by rounding alone is nothing.
    let noise = (f64::EPSILON * 8.0).powi(2) * values.len() as f64;
    if squares <= noise { 0.0 } else { squares / (values.len() - 1) as f64 }
}

fn half_width(se: f64, level: f64) -> f64 {
    normal_quantile(f64::midpoint(1.0, level)) * se
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::samples::{OTHER, SCORE, TRUTH, close};

    #[test]
    fn the_difference_is_that_of_the_definition() {
        // With psi = (x > z) + (x == z) / 2 for all pairs and v, w its row and column means:
        // S = np.cov(v_a, v_b) / 6 + np.cov(w_a, w_b) / 6
        let test = delong(&TRUTH, &SCORE, &OTHER).unwrap();
        close(test.auc_a, 0.708_333_333_333_333_4, 1e-15);
        close(test.auc_b, 0.722_222_222_222_222_2, 1e-15);
        close(test.diff, -0.013_888_888_888_888_84, 1e-15);
        close(test.se, 0.184_884_014_358_819_3, 1e-15);
        close(test.z.unwrap(), -0.075_122_172_877_172_36, 1e-14);
        close(test.p.unwrap(), 0.940_117_506_264_259_9, 1e-14);
        close(test.low.unwrap(), -0.376_254_898_349_360_9, 1e-12);
        close(test.high.unwrap(), 0.348_477_120_571_583_2, 1e-12);
        let single = auc_interval(&TRUTH, &SCORE, 0.95).unwrap();
        close(single.se, 0.158_844_205_061_064_42, 1e-15);
        close(single.high.unwrap(), 1.0, 0.0);
    }

    #[test]
    fn equal_orders_leave_nothing_to_test() {
        let stretched = SCORE.map(|score| 7.0 * score - 3.0);
        let test = delong(&TRUTH, &SCORE, &stretched).unwrap();
        assert_eq!((test.diff, test.se, test.z, test.p, test.low), (0.0, 0.0, None, None, None));
        let perfect = auc_interval(&TRUTH, &TRUTH, 0.95).unwrap();
        assert_eq!((perfect.auc, perfect.se, perfect.low, perfect.high), (1.0, 0.0, None, None));
    }

    #[test]
    fn too_few_rows_of_a_class_have_no_spread() {
        assert_eq!(delong(&[0., 0., 1.], &[0.1, 0.2, 0.3], &[0.3, 0.2, 0.1]), None);
        assert_eq!(auc_interval(&[0., 0., 1., 1.], &[0.1, 0.2, f64::NAN, 1.0], 0.95), None);
    }

    proptest! {
        #[test]
        fn swapping_the_models_turns_the_difference_round(
            rows in prop::collection::vec((0_i32..8, 0_i32..8), 4..40)
        ) {
            let truth: Vec<f64> = (0..rows.len()).map(|idx| (idx % 2) as f64).collect();
            let a: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
            let b: Vec<f64> = rows.iter().map(|row| f64::from(row.1)).collect();
            let one = delong(&truth, &a, &b).unwrap();
            let other = delong(&truth, &b, &a).unwrap();
            prop_assert_eq!(one.diff, -other.diff);
            prop_assert!((one.se - other.se).abs() < 1e-14);
            prop_assert!(one.p.is_none_or(|p| (0.0..=1.0).contains(&p)));
        }
    }
}
