//! Tests of counts: whether a share, or a whole distribution, is the same in reference and window.

use serde::Serialize;
use statrs::function::gamma::ln_gamma;

use super::distance::Cell;
use crate::metrics::distribution::{chi2_p, normal_p};

/// A share in the reference and in the window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// Share in the reference.
    pub reference: f64,
    /// Share in the window.
    pub window: f64,
    /// The z statistic of the two proportions with pooled variance, positive for a rise; none
    /// where both are 0 or 1.
    pub z: Option<f64>,
    /// Its two-sided p-value.
    pub z_p: Option<f64>,
    /// Fisher's exact probability of a rise as large as this one. It also holds for a handful of
    /// rows, where z would cry wolf; alarms go by it.
    pub rise_p: f64,
    /// The exact probability of a fall as large as this one.
    pub fall_p: f64,
}

impl Rate {
    /// Of `k` among `n` rows of the reference, and `l` among `m` rows of the window; `None` without
    /// rows.
    pub fn of(k: u64, n: u64, l: u64, m: u64) -> Option<Self> {
        if n == 0 || m == 0 {
            return None;
        }
        let (reference, window) = (k as f64 / n as f64, l as f64 / m as f64);
        let pooled = (k + l) as f64 / (n + m) as f64;
        let sd = (pooled * (1.0 - pooled) * (1.0 / n as f64 + 1.0 / m as f64)).sqrt();
        let z = (sd > 0.0).then(|| (window - reference) / sd);
        let (fall_p, rise_p) = fisher(k, n, l, m);
        Some(Self { reference, window, z, z_p: z.map(normal_p), rise_p, fall_p })
    }

    /// The exact probability of a change as large as this one, in whichever direction.
    pub fn change_p(&self) -> f64 {
        (2.0 * self.rise_p.min(self.fall_p)).min(1.0)
    }
}

/// Fisher's exact test (1934): the probabilities that, of all `k + l` marked rows, at most and at
/// least `l` fall into the window.
fn fisher(k: u64, n: u64, l: u64, m: u64) -> (f64, f64) {
    let ln_choose = |n: u64, k: u64| {
        ln_gamma(n as f64 + 1.0) - ln_gamma(k as f64 + 1.0) - ln_gamma((n - k) as f64 + 1.0)
    };
    let marked = k + l;
    let (least, most) = (marked.saturating_sub(n), marked.min(m));
    let start = (ln_choose(m, l) + ln_choose(n, k) - ln_choose(n + m, marked)).exp();
    // From one term to the next is a ratio, in either direction.
    let ratio_up = |x: u64| {
        let (x, marked, n, m) = (x as f64, marked as f64, n as f64, m as f64);
        (marked - x) * (m - x) / ((x + 1.0) * (n - marked + x + 1.0))
    };
    let (mut at_least, mut term) = (start, start);
    for x in l..most {
        term *= ratio_up(x);
        at_least += term;
        if term < at_least * 1e-17 {
            break;
        }
    }
    let (mut at_most, mut term) = (start, start);
    for x in (least..l).rev() {
        term /= ratio_up(x);
        at_most += term;
        if term < at_most * 1e-17 {
            break;
        }
    }
    (at_most.min(1.0), at_least.min(1.0))
}

/// Pearson's test (1900) whether both sides have the same distribution, as of a contingency table.
/// Cells in which fewer than five rows are expected on either side are taken together (Cochran,
/// 1954), since the approximation does not hold for them; so are the `others`, whose levels were
/// not known beforehand: rows at rare levels are as likely to be at a level of their own in one
/// side as in the other. `None` if less than two cells are left.
pub fn homogeneity(cells: &[Cell], others: Cell) -> Option<f64> {
    let (n, m) = totals(cells);
    let (n, m) = (n + others.0, m + others.1);
    if n <= 0.0 || m <= 0.0 {
        return None;
    }
    let least = n.min(m) / (n + m);
    let mut kept: Vec<Cell> = Vec::new();
    let mut rare = others;
    for cell in cells {
        if (cell.0 + cell.1) * least < 5.0 {
            rare = (rare.0 + cell.0, rare.1 + cell.1);
        } else {
            kept.push(*cell);
        }
    }
    if (rare.0 + rare.1) * least >= 5.0 {
        kept.push(rare);
    } else if let Some(smallest) =
        kept.iter_mut().min_by(|a, b| (a.0 + a.1).total_cmp(&(b.0 + b.1)))
    {
        *smallest = (smallest.0 + rare.0, smallest.1 + rare.1);
    }
    let chi2: f64 = kept
        .iter()
        .map(|(e, a)| {
            let (in_n, in_m) = ((e + a) * n / (n + m), (e + a) * m / (n + m));
            (e - in_n).powi(2) / in_n + (a - in_m).powi(2) / in_m
        })
        .sum();
    (kept.len() > 1).then(|| chi2_p(chi2, (kept.len() - 1) as f64)).flatten()
}

/// Pearson's test whether the window has exactly the shares of the reference, which is taken to be
/// without error: `scipy.stats.chisquare`, as evidently calls it. It rejects too often unless the
/// reference is much larger than the window.
pub fn goodness_of_fit(cells: &[Cell]) -> Option<f64> {
    let (n, m) = totals(cells);
    if n <= 0.0 || m <= 0.0 {
        return None;
    }
    let used = || cells.iter().filter(|(e, a)| *e > 0.0 || *a > 0.0);
    if used().any(|(e, _)| *e == 0.0) {
        return Some(0.0);
    }
    let chi2: f64 = used().map(|(e, a)| (a - e * m / n).powi(2) / (e * m / n)).sum();
    let df = used().count() - 1;
    if df == 0 { Some(1.0) } else { chi2_p(chi2, df as f64) }
}

/// The value that a chi-squared number with `df` degrees of freedom stays below with probability
/// `p`.
pub fn chi2_quantile(p: f64, df: f64) -> Option<f64> {
    if !(0.0 < p && p < 1.0 && df > 0.0) {
        return None;
    }
    let (mut low, mut high) = (0.0, df.max(1.0));
    while 1.0 - p < chi2_p(high, df)? {
        (low, high) = (high, 2.0 * high);
    }
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if 1.0 - p < chi2_p(middle, df)? {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(f64::midpoint(low, high))
}

fn totals(cells: &[Cell]) -> Cell {
    cells.iter().fold((0.0, 0.0), |(e, a), cell| (e + cell.0, a + cell.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::close;
    use crate::monitor::fixtures::{cells, levels, number, proportions};

    #[test]
    fn shares_are_compared_as_scipy_does() {
        for case in proportions() {
            let table: Vec<u64> = (0..4).map(|k| case["table"][k].as_u64().unwrap()).collect();
            let rate = Rate::of(table[0], table[1], table[2], table[3]).unwrap();
            close(rate.rise_p, number(&case["greater"]), 1e-9);
            close(rate.fall_p, number(&case["less"]), 1e-9);
            assert_eq!(rate.z.is_some(), case["z"].is_f64());
            if let Some(z) = rate.z {
                close(z, number(&case["z"]), 1e-9);
            }
        }
        assert_eq!(Rate::of(0, 0, 1, 1), None);
    }

    #[test]
    fn counts_are_compared_as_scipy_and_evidently_do() {
        for case in levels() {
            let cells = cells(&case);
            close(goodness_of_fit(&cells).unwrap(), number(&case["chi2_p"]), 1e-9);
            if cells.iter().all(|(e, a)| *e > 20.0 && *a > 20.0) {
                close(
                    homogeneity(&cells, (0.0, 0.0)).unwrap(),
                    number(&case["contingency_p"]),
                    1e-9,
                );
            }
            if cells.len() == 2 {
                let [(a, c), (b, d)] = [cells[0], cells[1]];
                let rate = Rate::of(b as u64, (a + b) as u64, d as u64, (c + d) as u64).unwrap();
                close(rate.z_p.unwrap(), number(&case["z_p"]), 1e-9);
            }
        }
    }

    #[test]
    fn rare_levels_are_taken_together() {
        let mut cells = vec![(500.0, 500.0); 2];
        cells.extend([(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]);
        assert!(homogeneity(&cells, (0.0, 2.0)).unwrap() > 0.7);
        assert_eq!(homogeneity(&[(10.0, 10.0)], (0.0, 0.0)), None);
    }

    #[test]
    fn quantiles_are_those_of_scipy() {
        // chi2.ppf(.95, [3, 9, 19])
        close(chi2_quantile(0.95, 3.0).unwrap(), 7.814_727_903_251_179, 1e-9);
        close(chi2_quantile(0.95, 9.0).unwrap(), 16.918_977_604_620_448, 1e-9);
        close(chi2_quantile(0.95, 19.0).unwrap(), 30.143_527_205_646_16, 1e-9);
        assert_eq!(chi2_quantile(0.95, 0.0), None);
    }
}
