//! How far two samples of numbers are apart: Kolmogorov and Smirnov, and Wasserstein.
//!
//! Samples are ascending; in one with a NaN nothing is ascending, and nothing is measured.

/// The largest distance of the two empirical distribution functions.
pub fn ks(a: &[f64], b: &[f64]) -> Option<f64> {
    let mut largest = 0.0_f64;
    walk(a, b, |below_a, below_b, _| largest = largest.max((below_a - below_b).abs()))?;
    Some(largest)
}

/// The area between the two empirical distribution functions, in the unit of the numbers: what
/// `scipy.stats.wasserstein_distance` gives. `None` for infinite numbers as well.
pub fn wasserstein(a: &[f64], b: &[f64]) -> Option<f64> {
    let mut area = 0.0;
    walk(a, b, |below_a, below_b, width| area += (below_a - below_b).abs() * width)?;
    Some(area).filter(|area| area.is_finite() && b.last().is_some_and(|most| most.is_finite()))
}

/// Calls with the shares at or below each distinct value and the way to the next one.
fn walk(a: &[f64], b: &[f64], mut step: impl FnMut(f64, f64, f64)) -> Option<()> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let at = next(a, i).min(next(b, j));
        let before = (i, j);
        while i < a.len() && a[i] <= at {
            i += 1;
        }
        while j < b.len() && b[j] <= at {
            j += 1;
        }
        if (i, j) == before {
            return None;
        }
        let after = next(a, i).min(next(b, j));
        let width = if after.is_finite() { after - at } else { 0.0 };
        step(i as f64 / a.len() as f64, j as f64 / b.len() as f64, width);
    }
    Some(())
}

fn next(sorted: &[f64], at: usize) -> f64 {
    sorted.get(at).copied().unwrap_or(f64::INFINITY)
}

/// P(D ≥ d) for samples of `n` and `m` rows from the same continuous distribution, counted over
/// all lattice paths (Hodges, 1958), as `scipy.stats.ks_2samp(method="exact")` does. With ties it
/// errs on the side of caution. The work grows with `n · m · d`.
pub fn ks_p_exact(d: f64, n: usize, m: usize) -> f64 {
    let (n, m) = (n.max(m), n.min(m));
    if m == 0 {
        return 1.0;
    }
    let g = gcd(n, m);
    let (ng, mg) = ((n / g) as i64, (m / g) as i64);
    // The distance in the smallest steps that there are.
    let h = (d * (ng * m as i64) as f64).round() as i64;
    if h == 0 {
        return 1.0;
    }
    // The probability that a path to (i, j) has left the corridor; outside of it is 1.
    let mut left = vec![1.0; m + 1];
    let first = ((h + ng - 1) / ng).min(m as i64 + 1) as usize;
    left[..first].fill(0.0);
    for i in 1..=n as i64 {
        let low = (((mg * i - h).div_euclid(ng)) + 1).clamp(0, m as i64);
        let high = (mg * i + h + ng - 1).div_euclid(ng).min(m as i64 + 1);
        if high <= low {
            return 1.0;
        }
        let mut value = if low == 0 { 0.0 } else { 1.0 };
        for j in low..high {
            let cell = &mut left[j as usize];
            value = (*cell * i as f64 + value * j as f64) / (i + j) as f64;
            *cell = value;
        }
    }
    left[m].clamp(0.0, 1.0)
}

/// P(D ≥ d) by the limiting distribution (Kolmogorov, 1933) with the correction of Vrbik (2018):
/// within one per cent of the exact one from some dozens of rows.
pub fn ks_p_asymptotic(d: f64, n: f64, m: f64) -> f64 {
    let rows = n * m / (n + m);
    let plain = d * rows.sqrt();
    let x = plain + 1.0 / (6.0 * rows.sqrt()) + (plain - 1.0) / (4.0 * rows);
    if x < 0.2 {
        return 1.0;
    }
    let mut p = 0.0;
    for k in 1..=60 {
        let k = f64::from(k);
        let term = (-2.0 * k * k * x * x).exp();
        p += if k % 2.0 == 1.0 { term } else { -term };
    }
    (2.0 * p).clamp(0.0, 1.0)
}

/// P(D ≥ d), exact for samples of at most 10,000 rows, as scipy and evidently choose, unless it is
/// below [`LEAST`]: there the limit is as good, and the exact one takes longest.
pub fn ks_p(d: f64, n: usize, m: usize) -> f64 {
    let limit = ks_p_asymptotic(d, n as f64, m as f64);
    if n.max(m) > 10_000 || limit < LEAST { limit } else { ks_p_exact(d, n, m) }
}

/// A probability below which no digit is told.
const LEAST: f64 = 1e-12;

fn gcd(mut a: usize, mut b: usize) -> usize {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::close;
    use crate::monitor::fixtures::{number, numbers, sorted};

    #[test]
    fn samples_are_compared_as_scipy_and_evidently_do() {
        for case in numbers() {
            let (a, b) = (sorted(&case["reference"]), sorted(&case["window"]));
            let d = ks(&a, &b).unwrap();
            close(d, number(&case["ks"]), 1e-12);
            let p = ks_p(d, a.len(), b.len());
            close(p, number(&case["ks_p"]), 1e-9);
            close(p, number(&case["evidently_ks_p"]), 1e-9);
            close(wasserstein(&a, &b).unwrap(), number(&case["wasserstein"]), 1e-9);
            let p = ks_p_asymptotic(d, a.len() as f64, b.len() as f64);
            // scipy rounds the effective rows to a whole number.
            close(p, number(&case["ks_asymptotic_p"]), 1e-2);
        }
    }

    #[test]
    fn the_limit_is_near_the_exact_probability_where_alarms_are_raised() {
        for d in [0.05, 0.06, 0.08] {
            let (exact, limit) =
                (ks_p_exact(d, 2_000, 1_500), ks_p_asymptotic(d, 2_000.0, 1_500.0));
            assert!((limit / exact - 1.0).abs() < 0.1, "{d}: {limit} is not {exact}");
        }
    }

    #[test]
    fn where_the_limit_stands_in_the_exact_probability_is_as_small() {
        for (n, m) in [(50, 50), (200, 1_000), (800, 5_000), (31, 9_000)] {
            let first = (1..=1_000)
                .map(|step| f64::from(step) / 1_000.0)
                .find(|d| ks_p_asymptotic(*d, n as f64, m as f64) < LEAST);
            let Some(d) = first else { continue };
            assert!(ks_p_exact(d, n, m) <= LEAST, "{n} {m} {d} {}", ks_p_exact(d, n, m));
        }
    }

    #[test]
    fn nothing_is_not_compared() {
        assert_eq!((ks(&[], &[1.0]), wasserstein(&[1.0], &[])), (None, None));
        assert_eq!(ks_p(0.3, 0, 10), 1.0);
    }

    #[test]
    fn what_is_no_number_ends_the_comparison() {
        for wrong in [&[f64::NAN][..], &[1.0, f64::NAN], &[f64::NAN, 1.0]] {
            assert_eq!((ks(wrong, &[1.0]), wasserstein(&[1.0], wrong)), (None, None), "{wrong:?}");
        }
        let far = [f64::NEG_INFINITY, 0.0, f64::INFINITY];
        assert_eq!(ks(&far, &far), Some(0.0));
    }
}
