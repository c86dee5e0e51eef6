//! Counters of live rows in the bins of a reference, cheap enough for every request.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{ColumnReference, Shape, bin_of};
use crate::rng::{Rng, Seed, stream};

/// So many values of a column, and so many scores, are kept of a window as they are.
pub const KEPT: usize = 5_000;

/// What a window has shown of a column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnWindow {
    /// Rows.
    pub n: u64,
    /// Rows in which it was missing.
    pub missing: u64,
    /// Rows with a level that training never saw.
    pub unseen: u64,
    /// Rows below every value of the reference.
    pub below: u64,
    /// Rows above every value of the reference.
    pub above: u64,
    /// Rows in each bin, or at each level, of the reference.
    pub counts: Vec<u64>,
    /// Values as they are: all of them, or a random choice where there are too many.
    pub sample: Vec<f64>,
}

impl ColumnWindow {
    /// Nothing yet, for a column of this shape.
    pub fn new(shape: &Shape) -> Self {
        Self { counts: vec![0; shape.counts().len()], ..Self::default() }
    }

    /// Rows in which it was not missing.
    pub fn known(&self) -> u64 {
        self.n - self.missing
    }
}

/// What a window has shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WindowCounts {
    /// Rows.
    pub n: u64,
    /// One for each column of the reference, in its order.
    pub columns: Vec<ColumnWindow>,
    /// Scores: all of them, or a random choice where there are too many.
    pub scores: Vec<f64>,
}

/// A random choice of at most so many of the numbers that come by, each as likely as any other
/// (Vitter, 1985, algorithm R). The same numbers in the same order give the same choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Reservoir {
    most: usize,
    seen: u64,
    kept: Vec<f64>,
    rng: Rng,
}

impl Reservoir {
    /// An empty one with room for `most` numbers.
    pub fn new(most: usize, seed: Seed, name: &str) -> Self {
        Self { most, seen: 0, kept: Vec::new(), rng: stream(seed, name) }
    }

    /// How many numbers came by.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// The numbers that were kept, in no particular order.
    pub fn kept(&self) -> &[f64] {
        &self.kept
    }

    /// Takes in a number.
    pub fn add(&mut self, value: f64) {
        self.seen += 1;
        if self.kept.len() < self.most {
            self.kept.push(value);
            return;
        }
        let place = self.rng.below(self.seen as usize);
        if let Some(slot) = self.kept.get_mut(place) {
            *slot = value;
        }
    }

    /// Takes in what another one has kept, so that each number of either was as likely to stay.
    pub fn merge(&mut self, other: &Self) {
        let total = self.seen + other.seen;
        if self.kept.len() + other.kept.len() <= self.most {
            self.kept.extend(&other.kept);
            self.seen = total;
            return;
        }
        let (mut own, mut theirs) = (std::mem::take(&mut self.kept), other.kept.clone());
        self.rng.shuffle(&mut own);
        self.rng.shuffle(&mut theirs);
        let (mut own_left, mut left) = (self.seen, total);
        while self.kept.len() < self.most && left > 0 {
            let from_own = (self.rng.below(left as usize) as u64) < own_left;
            let Some(value) = (if from_own { own.pop() } else { theirs.pop() }) else { break };
            self.kept.push(value);
            own_left -= u64::from(from_own);
            left -= 1;
        }
        self.seen = total;
    }
}

/// Counts the live values of one column in the bins of its reference.
///
/// ```
/// use karat::features::reference::{ColumnCount, ColumnReference};
/// use karat::rng::Seed;
///
/// let income = ColumnReference::of_numbers("income", (0..100).map(f64::from).collect());
/// let mut count = ColumnCount::new(&income, Seed(1));
/// count.add_number(5.0);
/// count.add_number(200.0);
/// count.add_number(f64::NAN);
/// let seen = count.window();
/// assert_eq!((seen.n, seen.missing, seen.above, seen.counts[0]), (3, 1, 1, 1));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnCount {
    window: ColumnWindow,
    kept: Reservoir,
    bins: Arc<Bins>,
}

/// Where a value belongs.
#[derive(Debug, PartialEq)]
enum Bins {
    Numbers { edges: Vec<f64>, least: f64, most: f64 },
    Levels(HashMap<String, usize>),
}

impl ColumnCount {
    /// Nothing yet, for a column with this reference.
    pub fn new(reference: &ColumnReference, seed: Seed) -> Self {
        let bins = match &reference.shape {
            Shape::Numbers { edges, sample, .. } => Bins::Numbers {
                edges: edges.clone(),
                least: sample.first().copied().unwrap_or(f64::NEG_INFINITY),
                most: sample.last().copied().unwrap_or(f64::INFINITY),
            },
            Shape::Levels { names, .. } => Bins::Levels(
                names.iter().enumerate().map(|(place, name)| (name.clone(), place)).collect(),
            ),
        };
        Self {
            window: ColumnWindow::new(&reference.shape),
            kept: Reservoir::new(KEPT, seed, &reference.name),
            bins: Arc::new(bins),
        }
    }

    /// Nothing yet, for the same column: bins are shared with those of before.
    #[must_use]
    pub fn anew(&self, seed: Seed, name: &str) -> Self {
        let counts = vec![0; self.window.counts.len()];
        Self {
            window: ColumnWindow { counts, ..ColumnWindow::default() },
            kept: Reservoir::new(self.kept.most, seed, name),
            bins: Arc::clone(&self.bins),
        }
    }

    /// Takes in a number; NaN is missing. A number is no level, and counts as an unseen one.
    pub fn add_number(&mut self, value: f64) {
        self.window.n += 1;
        if value.is_nan() {
            self.window.missing += 1;
            return;
        }
        let Bins::Numbers { edges, least, most } = &*self.bins else {
            self.window.unseen += 1;
            return;
        };
        self.window.counts[bin_of(edges, value)] += 1;
        self.window.below += u64::from(value < *least);
        self.window.above += u64::from(*most < value);
        self.kept.add(value);
    }

    /// Takes in a level. Where numbers are expected it is as good as missing.
    pub fn add_level(&mut self, level: Option<&str>) {
        self.window.n += 1;
        match (&*self.bins, level) {
            (Bins::Levels(places), Some(level)) => match places.get(level) {
                Some(place) => self.window.counts[*place] += 1,
                None => self.window.unseen += 1,
            },
            _ => self.window.missing += 1,
        }
    }

    /// Takes in what another counter of the same column has counted.
    ///
    /// # Panics
    /// If the other one counts a column with other bins.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.bins, other.bins, "only counts in the same bins add up");
        let (own, theirs) = (&mut self.window, &other.window);
        own.n += theirs.n;
        own.missing += theirs.missing;
        own.unseen += theirs.unseen;
        own.below += theirs.below;
        own.above += theirs.above;
        for (own, theirs) in own.counts.iter_mut().zip(&theirs.counts) {
            *own += theirs;
        }
        self.kept.merge(&other.kept);
    }

    /// What has been counted so far.
    pub fn window(&self) -> ColumnWindow {
        ColumnWindow { sample: self.kept.kept.clone(), ..self.window.clone() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers() -> ColumnReference {
        ColumnReference::of_numbers("x", (0..1000).map(|i| f64::from(i * 37 % 101)).collect())
    }

    proptest! {
        #[test]
        fn merged_counts_are_those_of_all_rows(values in prop::collection::vec(-50.0..200.0, 0..300), cut in 0_usize..300) {
            let cut = cut.min(values.len());
            let count = |values: &[f64]| {
                let mut count = ColumnCount::new(&numbers(), Seed(1));
                values.iter().for_each(|value| count.add_number(*value));
                count
            };
            let mut parts = count(&values[..cut]);
            parts.merge(&count(&values[cut..]));
            let mut parts = parts.window();
            let mut whole = count(&values).window();
            parts.sample.sort_by(f64::total_cmp);
            whole.sample.sort_by(f64::total_cmp);
            prop_assert_eq!(parts, whole);
        }
    }

    #[test]
    fn a_level_of_no_training_row_is_unseen() {
        let names = ["rent".to_owned(), "own".to_owned()];
        let column = ColumnReference::of_levels("home", &names, [0, 1, 1].into_iter());
        let mut count = ColumnCount::new(&column, Seed(1));
        [Some("own"), Some("boat"), None].map(|level| count.add_level(level));
        count.add_number(3.0);
        let seen = count.window();
        assert_eq!((seen.n, seen.missing, seen.unseen), (4, 1, 2));
        assert_eq!(seen.counts, [0, 1]);
        assert_eq!(count.anew(Seed(1), "home").window().n, 0);
    }

    #[test]
    fn a_reservoir_keeps_every_number_equally_often() {
        let mut sum = 0.0;
        for seed in 0..20 {
            let mut first = Reservoir::new(100, Seed(seed), "a");
            let mut second = Reservoir::new(100, Seed(seed), "b");
            (0..900).for_each(|i| first.add(f64::from(i)));
            (900..1000).for_each(|i| second.add(f64::from(i)));
            first.merge(&second);
            assert_eq!((first.kept().len(), first.seen()), (100, 1000));
            sum += first.kept().iter().sum::<f64>() / 2_000.0;
        }
        // The mean of 2,000 draws from 0..1000 has a standard error of 6.5.
        assert!((sum - 499.5).abs() < 25.0, "{sum}");
    }
}
