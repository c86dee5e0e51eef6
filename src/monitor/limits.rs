//! Limits that come from the reference itself: how far windows of the same size scatter when
//! nothing has changed.

use std::collections::HashMap;

use serde::Serialize;

use super::methods::{Method, Pair, Scale};
use crate::features::reference::{ColumnReference, ColumnWindow, KEPT, Shape, bin_of};
use crate::metrics::{Metric, Scored};
use crate::rng::{Rng, Seed, stream};

/// So many windows are drawn where the reference has no chunks of its own.
const DRAWN: usize = 100;
/// Below this number of chunks their scatter says little.
const FEWEST: usize = 30;

/// Mean and scatter of a number over windows in which nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Limits {
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation (divisor n).
    pub sd: f64,
    /// Three standard deviations below the mean.
    pub low: f64,
    /// Three standard deviations above it.
    pub high: f64,
}

impl Limits {
    /// Mean ± 3 standard deviations, as nannyml's `StandardDeviationThreshold`; NaN is passed
    /// over, and without any number there are no limits.
    ///
    /// ```
    /// let limits = karat::monitor::limits::Limits::of(&[1.0, 3.0]).unwrap();
    /// assert_eq!((limits.low, limits.high), (-1.0, 5.0));
    /// ```
    pub fn of(values: &[f64]) -> Option<Self> {
        let known: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        let n = known.len() as f64;
        let mean = known.iter().sum::<f64>() / n;
        let sd = (known.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
        (!known.is_empty()).then_some(Self {
            mean,
            sd,
            low: mean - 3.0 * sd,
            high: mean + 3.0 * sd,
        })
    }

    /// The same with a larger scatter.
    fn widened(self, by: f64) -> Self {
        let sd = self.sd * by;
        Self { sd, low: self.mean - 3.0 * sd, high: self.mean + 3.0 * sd, ..self }
    }
}

/// The limits of distances, remembered by the size of the window: they cost a hundred windows each.
#[derive(Clone, Debug, Default)]
pub(super) struct DistanceLimits {
    known: HashMap<(Option<usize>, usize), Option<Limits>>,
}

impl DistanceLimits {
    /// Those of the column at this place, or of the scores, for windows of `m` rows; computed for
    /// at most that many, so that nearby sizes share them.
    pub(super) fn of(
        &mut self,
        place: Option<usize>,
        column: &ColumnReference,
        method: &Method,
        m: u64,
        seed: Seed,
    ) -> Option<Limits> {
        // No more are ever compared.
        let m = rounded_down(m.min(KEPT as u64) as usize);
        let new = || of_distance(column, method, m as u64, seed);
        *self.known.entry((place, m)).or_insert_with(new)
    }
}

/// To three binary digits: at most a quarter less.
pub(super) fn rounded_down(n: usize) -> usize {
    let digits = usize::BITS - n.leading_zeros();
    let rest = digits.saturating_sub(3);
    n >> rest << rest
}

/// Limits of a distance for windows of `m` rows; the upper one is the one that counts. `None` for
/// p-values, which need none.
///
/// Windows are drawn from the reference. Both sides scatter in truth, and a distance depends on
/// their sizes through 1/n + 1/m alone: windows of n·m / (n + m) rows make up for the reference
/// being held fixed.
fn of_distance(column: &ColumnReference, method: &Method, m: u64, seed: Seed) -> Option<Limits> {
    if method.scale == Scale::PValue || column.known() == 0 || m == 0 {
        return None;
    }
    let n = column.known() as f64;
    let rows = ((n * m as f64 / (n + m as f64)).ceil() as usize).clamp(1, KEPT);
    let mut rng = stream(seed, &format!("limits of {}", column.name));
    let values: Vec<f64> = (0..DRAWN)
        .filter_map(|_| (method.compute)(&Pair::new(column, &drawn(column, rows, &mut rng))))
        .collect();
    Limits::of(&values)
}

/// A window of so many rows like those of the reference.
fn drawn(column: &ColumnReference, rows: usize, rng: &mut Rng) -> ColumnWindow {
    let mut window = ColumnWindow::new(&column.shape);
    window.n = rows as u64;
    match &column.shape {
        Shape::Numbers { edges, sample, .. } => {
            window.sample = (0..rows).map(|_| sample[rng.below(sample.len())]).collect();
            for value in &window.sample {
                window.counts[bin_of(edges, *value)] += 1;
            }
        }
        Shape::Levels { counts, .. } => {
            let mut upto = 0;
            let sums: Vec<u64> = counts
                .iter()
                .map(|count| {
                    upto += count;
                    upto
                })
                .collect();
            for _ in 0..rows {
                let at = rng.below(upto as usize) as u64;
                window.counts[sums.partition_point(|sum| *sum <= at)] += 1;
            }
        }
    }
    window
}

/// Limits of a metric for windows of `m` rows: over the reference's own chunks, in their order, if
/// there are at least thirty, and over rows drawn without replacement otherwise. They are widened
/// by the scatter of the reference itself, which is the larger the fewer rows it has.
pub fn of_metric(metric: &Metric, scored: &Scored, m: usize, seed: Seed) -> Option<Limits> {
    let n = scored.truth.len();
    if n < 2 || m == 0 {
        return None;
    }
    let on = |truth: &[f64], score: &[f64]| {
        (metric.compute)(&Scored { truth, score, weight: None, by_class: None, ..*scored })
    };
    let (per_m, per_n) = (1.0 / m as f64, 1.0 / n as f64);
    if n / m >= FEWEST {
        let chunks = scored.truth.chunks_exact(m).zip(scored.score.chunks_exact(m));
        let values: Vec<f64> = chunks.filter_map(|(truth, score)| on(truth, score)).collect();
        return Limits::of(&values).map(|limits| limits.widened((1.0 + per_n / per_m).sqrt()));
    }
    // Rows drawn twice would flatter a metric such as KS. Half of the rows at most leave enough
    // for the draws to differ; how much less they do than fresh rows is known.
    let k = m.min(n / 2);
    let mut rng = stream(seed, metric.name);
    let mut order: Vec<usize> = (0..n).collect();
    let draws = (0..DRAWN).filter_map(|_| {
        for place in 0..k {
            let other = place + rng.below(n - place);
            order.swap(place, other);
        }
        let pick = |from: &[f64]| order[..k].iter().map(|row| from[*row]).collect::<Vec<f64>>();
        on(&pick(scored.truth), &pick(scored.score))
    });
    let values: Vec<f64> = draws.collect();
    let by = (per_m + per_n) / (1.0 / k as f64 - per_n);
    Limits::of(&values).map(|limits| limits.widened(by.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::metric;
    use crate::monitor::methods::{Kind, METHODS};

    #[test]
    fn sizes_are_rounded_down_by_a_quarter_at_most() {
        for n in 1..3_000 {
            let rounded = rounded_down(n);
            assert!(rounded <= n && 3 * n <= 4 * rounded + 3, "{n}: {rounded}");
        }
        assert_eq!((rounded_down(0), rounded_down(1_000)), (0, 896));
    }

    #[test]
    fn distances_of_unchanged_windows_stay_within() {
        let mut rng = stream(Seed(5), "rows");
        let column = ColumnReference::of_numbers("x", (0..4_000).map(|_| rng.normal()).collect());
        for method in METHODS.iter().filter(|method| method.applies_to.contains(&Kind::Numbers)) {
            let Some(limits) = of_distance(&column, method, 500, Seed(1)) else { continue };
            let within = (0..100).filter(|_| {
                let mut window = ColumnWindow::new(&column.shape);
                window.n = 500;
                window.sample = (0..500).map(|_| rng.normal()).collect();
                let Shape::Numbers { edges, .. } = &column.shape else { panic!() };
                for value in &window.sample {
                    window.counts[bin_of(edges, *value)] += 1;
                }
                (method.compute)(&Pair::new(&column, &window)).unwrap() <= limits.high
            });
            assert!(within.count() >= 95, "{}", method.name);
        }
    }

    #[test]
    fn metrics_of_unchanged_windows_stay_within() {
        let mut rng = stream(Seed(6), "rows");
        let mut draw = |n: usize| -> (Vec<f64>, Vec<f64>) {
            let p: Vec<f64> = (0..n).map(|_| rng.uniform()).collect();
            let y = p.iter().map(|p| f64::from(u8::from(rng.uniform() < *p))).collect();
            (y, p)
        };
        let (y, p) = draw(2_000);
        let auc = metric("roc_auc").unwrap();
        for m in [50, 150, 500] {
            let limits = of_metric(auc, &Scored::new(&y, &p), m, Seed(1)).unwrap();
            let within = (0..100).filter(|_| {
                let (y, p) = draw(m);
                let value = (auc.compute)(&Scored::new(&y, &p)).unwrap();
                (limits.low..=limits.high).contains(&value)
            });
            assert!(within.count() >= 96, "{m}");
        }
    }
}
