//! How far two distributions over the same cells are apart: pure functions of counts.
//!
//! A cell is `(rows of the reference, rows of the window)`. Each function is `None` where either
//! side has no rows at all.

use crate::metrics::information_value;

/// Rows of the reference and of the window in one bin or at one level.
pub type Cell = (f64, f64);

/// The population stability index, the sum of (a - e) ln(a / e) over the cells (Lewis, 1994);
/// as the PSI of a characteristic it is called CSI.
///
/// Where a cell is empty on one side, half a row is added to every cell of either side, so that
/// it stays finite.
///
/// ```
/// let psi = karat::monitor::distance::psi(&[(50.0, 40.0), (50.0, 60.0)]).unwrap();
/// assert!((psi - 0.1 * 1.5_f64.ln()).abs() < 1e-12);
/// ```
pub fn psi(cells: &[Cell]) -> Option<f64> {
    information_value(cells).map(|iv| iv.value)
}

/// The other meaning of CSI: how far the mean score moves because rows moved between the bins of
/// one characteristic, the sum of (a - e) · points (Siddiqi, 2006). Over all characteristics of a
/// scorecard it adds up to the whole change of the mean score.
///
/// # Panics
/// If there are not as many points as cells.
pub fn shift_in_points(cells: &[Cell], points: &[f64]) -> Option<f64> {
    assert_eq!(cells.len(), points.len(), "every bin has its points");
    Some(shares(cells)?.zip(points).map(|((e, a), points)| (a - e) * points).sum())
}

/// The Jensen-Shannon distance to base 2, from 0 to 1: the square root of the divergence (Lin,
/// 1991; Endres and Schindelin, 2003).
pub fn jensen_shannon(cells: &[Cell]) -> Option<f64> {
    let part = |share: f64, middle: f64| {
        if share > 0.0 { share * (share / middle).log2() } else { 0.0 }
    };
    let divergence: f64 = shares(cells)?
        .map(|(e, a)| {
            let middle = f64::midpoint(e, a);
            part(e, middle) + part(a, middle)
        })
        .sum();
    Some((divergence / 2.0).max(0.0).sqrt())
}

/// The Hellinger distance, from 0 to 1.
pub fn hellinger(cells: &[Cell]) -> Option<f64> {
    let common: f64 = shares(cells)?.map(|(e, a)| (e * a).sqrt()).sum();
    Some((1.0 - common.clamp(0.0, 1.0)).sqrt())
}

/// The total variation distance: the share of rows that would have to move.
pub fn total_variation(cells: &[Cell]) -> Option<f64> {
    Some(shares(cells)?.map(|(e, a)| (e - a).abs()).sum::<f64>() / 2.0)
}

/// The largest change of any one share. Of many levels it shows what happens to a single one,
/// which the sums above would drown.
pub fn l_infinity(cells: &[Cell]) -> Option<f64> {
    Some(shares(cells)?.map(|(e, a)| (e - a).abs()).fold(0.0, f64::max))
}

fn shares(cells: &[Cell]) -> Option<impl Iterator<Item = Cell>> {
    let (e, a) = cells.iter().fold((0.0, 0.0), |(e, a), cell| (e + cell.0, a + cell.1));
    (e > 0.0 && a > 0.0).then(|| cells.iter().map(move |cell| (cell.0 / e, cell.1 / a)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::samples::close;
    use crate::monitor::fixtures::{cells, levels, number};

    #[test]
    fn distances_are_those_of_scipy_evidently_and_nannyml() {
        for case in levels() {
            let cells = cells(&case);
            close(jensen_shannon(&cells).unwrap(), number(&case["js"]), 1e-9);
            // Evidently takes the natural logarithm.
            let natural = jensen_shannon(&cells).unwrap() * std::f64::consts::LN_2.sqrt();
            close(natural, number(&case["evidently_js"]), 1e-9);
            close(hellinger(&cells).unwrap(), number(&case["hellinger"]), 1e-9);
            close(total_variation(&cells).unwrap(), number(&case["tv"]), 1e-9);
            close(l_infinity(&cells).unwrap(), number(&case["l_infinity"]), 1e-9);
            if let Some(expected) = case["psi"].as_f64() {
                close(psi(&cells).unwrap(), expected, 1e-9);
            }
        }
    }

    #[test]
    fn points_tell_the_shift_of_the_mean_score() {
        let cells = [(60.0, 30.0), (40.0, 70.0)];
        close(shift_in_points(&cells, &[10.0, 30.0]).unwrap(), 24.0 - 18.0, 1e-12);
    }

    #[test]
    fn nothing_has_no_distance() {
        assert_eq!(psi(&[(0.0, 3.0)]), None);
        assert_eq!(jensen_shannon(&[(3.0, 0.0)]), None);
        assert_eq!(total_variation(&[]), None);
    }

    proptest! {
        #[test]
        fn distances_stay_in_range(counts in prop::collection::vec((0_u32..50, 0_u32..50), 1..20)) {
            let cells: Vec<Cell> = counts.iter().map(|(e, a)| (f64::from(*e), f64::from(*a))).collect();
            for distance in [jensen_shannon, hellinger, total_variation, l_infinity] {
                if let Some(value) = distance(&cells) {
                    prop_assert!((0.0..=1.0 + 1e-12).contains(&value), "{}", value);
                }
            }
            prop_assert!(psi(&cells).is_none_or(|psi| psi >= 0.0 && psi.is_finite()));
        }
    }
}
