//! One column of a window against its reference: every number, and the tests behind an alarm.

use serde::Serialize;

use super::counts::{Rate, chi2_quantile, homogeneity};
use super::distance;
use super::limits::Limits;
use super::methods::{Method, Pair};
use crate::features::reference::{ColumnReference, ColumnWindow, Shape};
use crate::metrics::distribution::chi2_p;

/// How a column of a window differs from the reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnDrift {
    /// The column.
    pub name: String,
    /// Rows of the window.
    pub n: u64,
    /// Rows of the reference.
    pub n_reference: u64,
    /// The name of the method that was chosen.
    pub method: &'static str,
    /// What it measured; none where nothing was known on one side.
    pub value: Option<f64>,
    /// The method's threshold.
    pub threshold: f64,
    /// Whether the value is past it.
    pub is_past: bool,
    /// What the method measures in windows of this size without drift, drawn from the reference:
    /// the upper limit is to a distance what `psi_null` is to PSI. None for p-values.
    pub limits: Option<Limits>,
    /// Population stability index over the frozen bins; the first meaning of CSI.
    pub psi: Option<f64>,
    /// What PSI stays below in 95 of 100 windows without drift: the 95 % quantile of chi² with one
    /// degree of freedom less than bins, times 1/n + 1/m.
    pub psi_null: Option<f64>,
    /// The probability of such a PSI without drift, by the same approximation.
    pub psi_p: Option<f64>,
    /// The bins or levels that PSI was computed over.
    pub bins: usize,
    /// Jensen-Shannon distance to base 2, over bins or levels.
    pub js: Option<f64>,
    /// Hellinger distance.
    pub hellinger: Option<f64>,
    /// Total variation distance.
    pub total_variation: Option<f64>,
    /// Largest change of one share.
    pub l_infinity: Option<f64>,
    /// Wasserstein distance in standard deviations of the reference, of numbers.
    pub wasserstein: Option<f64>,
    /// Kolmogorov's and Smirnov's distance, of numbers.
    pub ks: Option<f64>,
    /// Its p-value.
    pub ks_p: Option<f64>,
    /// P-value of the homogeneity of both sides over bins or levels.
    pub chi2_p: Option<f64>,
    /// How far the mean score moved because of this column, if its bins have points; the second
    /// meaning of CSI.
    pub points: Option<f64>,
    /// Share of missing values.
    pub missing: Option<Rate>,
    /// Share of levels that training never saw; in the reference that of levels seen only once,
    /// which is how often a further row would have had an unseen one (Good, 1953).
    pub unseen: Option<Rate>,
    /// Share below every value of the reference.
    pub below: Option<Rate>,
    /// Share above every value of the reference.
    pub above: Option<Rate>,
    /// The tests that can raise an alarm.
    pub tests: Vec<Test>,
    /// The smallest p-value of them, corrected for all tests of all columns.
    pub p: Option<f64>,
    /// Whether the column raised an alarm.
    pub alarm: bool,
    /// The names of bins or levels, for a drawing; of very many the last stands for all others.
    pub bin_names: Vec<String>,
    /// The share of the reference in each.
    pub expected: Vec<f64>,
    /// The share of the window in each.
    pub actual: Vec<f64>,
}

/// What about a column a test looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// The distribution of the known values.
    Distribution,
    /// Missing values.
    Missing,
    /// Levels that training never saw.
    Unseen,
    /// Values beyond all of training.
    OutOfRange,
}

/// One test of one column.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Test {
    /// What it looks at.
    pub aspect: Aspect,
    /// Its name.
    pub name: &'static str,
    /// Its p-value.
    pub p: f64,
    /// The same, corrected for all tests of all columns of the model (Holm, 1979).
    pub adjusted: f64,
}

/// Compares a column. P-values are not corrected yet, and nothing is an alarm.
pub fn compare(
    reference: &ColumnReference,
    window: &ColumnWindow,
    method: &Method,
    points: Option<&[f64]>,
) -> ColumnDrift {
    let pair = Pair::new(reference, window);
    let cells = &pair.cells;
    let value = (method.compute)(&pair);
    let (n, m) = (reference.known(), window.known());
    let psi = distance::psi(cells);
    // Bins that are empty on both sides do not count.
    let bins = cells.iter().filter(|(e, a)| *e > 0.0 || *a > 0.0).count();
    let (df, scale) = (bins.saturating_sub(1) as f64, 1.0 / n as f64 + 1.0 / m as f64);
    let (ks, ks_p) = pair.ks().unzip();
    let (seen, others) = cells.split_at(reference.shape.counts().len().min(cells.len()));
    let chi2_p = homogeneity(seen, others.first().copied().unwrap_or_default());
    let missing = Rate::of(reference.missing, reference.n, window.missing, window.n);
    let (mut unseen, mut below, mut above) = (None, None, None);
    match &reference.shape {
        Shape::Levels { counts, .. } => {
            let once = counts.iter().filter(|count| **count == 1).count() as u64;
            unseen = Rate::of(once, n, window.unseen, m);
        }
        Shape::Numbers { .. } => {
            below = Rate::of(0, n, window.below, m);
            above = Rate::of(0, n, window.above, m);
        }
    }
    let mut tests = Vec::new();
    let mut test = |aspect, name, p: Option<f64>| {
        tests.extend(p.map(|p| Test { aspect, name, p, adjusted: p }));
    };
    test(Aspect::Distribution, "ks", ks_p);
    test(Aspect::Distribution, "chi2", chi2_p);
    test(Aspect::Missing, "missing", missing.map(|rate| rate.change_p()));
    test(Aspect::Unseen, "unseen", unseen.map(|rate| rate.rise_p));
    test(Aspect::OutOfRange, "below", below.map(|rate| rate.rise_p));
    test(Aspect::OutOfRange, "above", above.map(|rate| rate.rise_p));
    let wasserstein = super::methods::method("wasserstein").and_then(|own| (own.compute)(&pair));
    ColumnDrift {
        name: reference.name.clone(),
        n: window.n,
        n_reference: reference.n,
        method: method.name,
        value,
        threshold: method.threshold,
        is_past: value.is_some_and(|value| method.is_past(value, method.threshold)),
        limits: None,
        psi,
        psi_null: psi.and_then(|_| chi2_quantile(0.95, df)).map(|quantile| quantile * scale),
        psi_p: psi.and_then(|psi| if df > 0.0 { self::chi2_p(psi / scale, df) } else { None }),
        bins,
        js: distance::jensen_shannon(cells),
        hellinger: distance::hellinger(cells),
        total_variation: distance::total_variation(cells),
        l_infinity: distance::l_infinity(cells),
        wasserstein,
        ks,
        ks_p,
        chi2_p,
        points: points.and_then(|points| {
            // A level that training never saw has the points of the first one, which are none.
            let mut points = points.to_vec();
            points.resize(points.len().max(cells.len()), 0.0);
            (points.len() == cells.len()).then(|| distance::shift_in_points(cells, &points))?
        }),
        missing,
        unseen,
        below,
        above,
        tests,
        p: None,
        alarm: false,
        bin_names: bin_names(&reference.shape, cells.len()),
        expected: shares(cells.iter().map(|cell| cell.0)),
        actual: shares(cells.iter().map(|cell| cell.1)),
    }
}

/// So many bins or levels are drawn; where there are more, the last stands for all others.
const MOST_BINS: usize = 40;
const OTHERS: &str = "all others";

fn bin_names(shape: &Shape, n_cells: usize) -> Vec<String> {
    let mut names: Vec<String> = match shape {
        Shape::Levels { names, .. } => names.clone(),
        Shape::Numbers { edges, .. } => {
            let number = |value: f64| {
                format!("{value:.4}").trim_end_matches('0').trim_end_matches('.').to_owned()
            };
            let name = |bin: usize| match (bin.checked_sub(1).map(|at| edges[at]), edges.get(bin)) {
                (None, Some(high)) => format!("below {}", number(*high)),
                (Some(low), Some(high)) => format!("{} to {}", number(low), number(*high)),
                (Some(low), None) => format!("from {}", number(low)),
                (None, None) => "all".to_owned(),
            };
            (0..=edges.len()).map(name).collect()
        }
    };
    names.resize(n_cells, "unseen".to_owned());
    if names.len() > MOST_BINS {
        names.truncate(MOST_BINS - 1);
        names.push(OTHERS.to_owned());
    }
    names
}

fn shares(counts: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut counts: Vec<f64> = counts.collect();
    let total: f64 = counts.iter().sum();
    if counts.len() > MOST_BINS {
        let others: f64 = counts.drain(MOST_BINS - 1..).sum();
        counts.push(others);
    }
    let share = |count: &f64| if total > 0.0 { count / total } else { 0.0 };
    counts.iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::reference::ColumnCount;
    use crate::metrics::samples::close;
    use crate::monitor::methods::choose;
    use crate::rng::Seed;

    #[test]
    fn the_null_of_psi_is_that_of_yurdakul_and_naranjo() {
        let column = ColumnReference::of_numbers("x", (0..1_000).map(f64::from).collect());
        let mut count = ColumnCount::new(&column, Seed(1));
        (0..1_000).for_each(|i| count.add_number(f64::from(i)));
        let drift = compare(&column, &count.window(), choose(&column), None);
        close(drift.psi_null.unwrap(), 0.0338, 5e-5);
        assert_eq!((drift.bins, drift.psi, drift.psi_p), (10, Some(0.0), Some(1.0)));
        assert_eq!(drift.ks_p, Some(1.0));
    }

    #[test]
    fn very_many_levels_are_drawn_with_a_cell_for_all_others() {
        let names: Vec<String> = (0..100).map(|k| format!("level {k:02}")).collect();
        let column = ColumnReference::of_levels("x", &names, (0..1_000).map(|i| i % 100));
        let mut count = ColumnCount::new(&column, Seed(1));
        for name in &names[..50] {
            count.add_level(Some(name));
        }
        count.add_level(Some("new"));
        let drift = compare(&column, &count.window(), choose(&column), None);
        assert_eq!(drift.bin_names.len(), MOST_BINS);
        assert_eq!(drift.bin_names.last().map(String::as_str), Some(OTHERS));
        for shares in [&drift.expected, &drift.actual] {
            assert_eq!(shares.len(), MOST_BINS);
            close(shares.iter().sum::<f64>(), 1.0, 1e-12);
        }
        close(drift.expected[MOST_BINS - 1], 0.61, 1e-12);
    }

    #[test]
    fn a_window_without_rows_says_nothing() {
        let column = ColumnReference::of_numbers("x", (0..100).map(f64::from).collect());
        let window = ColumnWindow::new(&column.shape);
        let drift = compare(&column, &window, choose(&column), None);
        assert_eq!((drift.value, drift.psi, drift.missing), (None, None, None));
        assert!(drift.tests.is_empty() && !drift.is_past);
    }

    #[test]
    fn unseen_levels_are_weighed_against_those_seen_once() {
        let names: Vec<String> = (0..50).map(|k| k.to_string()).collect();
        // Thirty levels of one row each: a further row is often a new level.
        let codes = (0..1_000).map(|i| if i < 30 { 20 + i } else { i % 20 });
        let column = ColumnReference::of_levels("x", &names, codes);
        let mut count = ColumnCount::new(&column, Seed(1));
        for i in 0..500 {
            count.add_level(Some(if i < 15 { "new" } else { "3" }));
        }
        let drift = compare(&column, &count.window(), choose(&column), None);
        assert!(drift.unseen.unwrap().rise_p > 0.3, "{:?}", drift.unseen);
    }
}
