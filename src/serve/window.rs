//! What a version has seen since the last window: counts in the reference's bins, and samples.

use std::mem;
use std::sync::atomic::Ordering;

use super::served::Served;
use crate::data::truth_word;
use crate::features::reference::{ColumnWindow, Reference, Shape, WindowCounts, bin_of};
use crate::features::{Cell, Given, Remark};
use crate::models::RowScorer;
use crate::registry::store::now_ms;

/// So many values of a column, and so many scores, are kept of a window as they are.
const SAMPLE: usize = 5_000;
/// Rows of one request that are counted; more would cost more than they tell.
const COUNTED: usize = 1_000;
/// Once a window has so many rows, and as many as it is to have, only every other row of a request
/// is counted, every third after twice as many, and so on: its shares are known well enough.
const PLENTY: u64 = 10_000;

/// How the fields of a model are counted.
#[derive(Debug)]
pub(super) struct Window {
    counts: WindowCounts,
    started_ms: i64,
}

/// What one request has shown, gathered without a lock.
pub(super) struct Seen {
    n_fields: usize,
    n_rows: usize,
    /// Every so many rows one is counted.
    every: usize,
    /// Where to begin with changing places.
    start: usize,
    /// The next row that is.
    next: usize,
    /// Whether the row at hand is.
    counts: bool,
    /// For each row and field a number or a level.
    cells: Vec<Counted>,
    scores: Vec<f64>,
}

enum Counted {
    Missing,
    Number(f64),
    Level(Box<str>),
}

impl Seen {
    /// Room for the rows of a request, of which one in `thinned` is counted, or fewer.
    pub(super) fn new(n_fields: usize, n_rows: usize, [thinned, start]: [usize; 2]) -> Self {
        let every = n_rows.div_ceil(COUNTED).max(thinned).max(1);
        let n = n_fields * n_rows.div_ceil(every);
        Self {
            n_fields,
            n_rows,
            every,
            start,
            next: one_of([0, start], every, n_rows),
            counts: false,
            cells: Vec::with_capacity(n),
            scores: Vec::new(),
        }
    }

    /// Begins with a row of the request, the next one each time, and says whether it is one of
    /// those that are counted.
    pub(super) fn begin(&mut self, row: usize) -> bool {
        self.counts = row == self.next;
        if self.counts {
            self.next = one_of([row / self.every + 1, self.start], self.every, self.n_rows);
        }
        self.counts
    }

    /// Takes in a value of the row at hand.
    #[inline]
    pub(super) fn cell(&mut self, cell: Cell, given: Given<'_>, what: Remark) {
        if !self.counts {
            return;
        }
        self.cells.push(match (cell, given) {
            _ if what == Remark::Missing => Counted::Missing,
            (Cell::Number(value), _) => Counted::Number(value),
            (Cell::Group(_), Given::Text(text) | Given::Written(text)) => {
                Counted::Level(text.into())
            }
            (Cell::Group(_), Given::Number(number)) => {
                Counted::Level((number + 0.0).to_string().into())
            }
            (Cell::Group(_), Given::Truth(truth)) => Counted::Level(truth.to_string().into()),
            (Cell::Group(_), Given::Missing) => Counted::Missing,
        });
    }

    pub(super) fn score(&mut self, score: f64) {
        if self.scores.len() < COUNTED {
            self.scores.push(score);
        }
    }
}

/// Of each block of rows the one that is counted: another place in each, so that what repeats
/// within a request, or is sorted in it, is not always met at the same place.
fn one_of([block, start]: [usize; 2], every: usize, n_rows: usize) -> usize {
    /// Odd, and its bits are as good as random (Fibonacci hashing; Knuth, 1973).
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let first = block * every;
    let n = every.min(n_rows.saturating_sub(first)).max(1);
    let place = ((block + start) as u64 + 1).wrapping_mul(FACTOR) >> 32;
    first + place as usize % n
}

impl Window {
    pub(super) fn new(scorer: &RowScorer) -> Self {
        Self { counts: empty(scorer), started_ms: now_ms() }
    }

    /// Rows so far.
    pub(super) fn n(&self) -> u64 {
        self.counts.n
    }

    /// When it began, in milliseconds since 1970.
    pub(super) fn started_ms(&self) -> i64 {
        self.started_ms
    }

    /// Ends it and begins the next one.
    fn turn(&mut self, scorer: &RowScorer) -> (WindowCounts, i64) {
        let started = mem::replace(&mut self.started_ms, now_ms());
        (mem::replace(&mut self.counts, empty(scorer)), started)
    }

    fn take_in(&mut self, seen: Seen, reference: Option<&Reference>) {
        let Some(reference) = reference else {
            self.counts.n += seen.n_rows as u64;
            return;
        };
        if seen.n_fields > 0 {
            for row in seen.cells.chunks_exact(seen.n_fields) {
                let own = self.counts.columns.iter_mut().zip(&reference.columns).zip(row);
                for ((column, reference), cell) in own {
                    count(column, &reference.shape, cell);
                }
                self.counts.n += 1;
            }
        }
        let room = SAMPLE.saturating_sub(self.counts.scores.len());
        self.counts.scores.extend(seen.scores.into_iter().take(room));
    }
}

/// Counts of nothing yet, in the order of the fields.
fn empty(scorer: &RowScorer) -> WindowCounts {
    let columns = scorer.model.reference.as_ref().map_or(Vec::new(), |reference| {
        reference.columns.iter().map(|own| ColumnWindow::new(&own.shape)).collect()
    });
    WindowCounts { columns, ..WindowCounts::default() }
}

fn count(column: &mut ColumnWindow, shape: &Shape, cell: &Counted) {
    column.n += 1;
    match (shape, cell) {
        (_, Counted::Missing) | (Shape::Numbers { .. }, Counted::Level(_)) => column.missing += 1,
        (Shape::Numbers { edges, sample, .. }, Counted::Number(value)) => {
            column.counts[bin_of(edges, *value)] += 1;
            column.below += u64::from(sample.first().is_some_and(|least| value < least));
            column.above += u64::from(sample.last().is_some_and(|most| value > most));
            if column.sample.len() < SAMPLE {
                column.sample.push(*value);
            }
        }
        (Shape::Levels { names, .. }, Counted::Level(level)) => {
            let place = names.iter().position(|name| **name == **level);
            match place.or_else(|| by_truth(names, level)) {
                Some(place) => column.counts[place] += 1,
                None => column.unseen += 1,
            }
        }
        (Shape::Levels { .. }, Counted::Number(_)) => column.unseen += 1,
    }
}

/// The place of the level that stands for a truth value, where it is another word, such as `yes`.
fn by_truth(names: &[String], level: &str) -> Option<usize> {
    let truth = match level {
        "true" | "1" => true,
        "false" | "0" => false,
        _ => return None,
    };
    names.iter().position(|name| truth_word(name) == Some(truth))
}

impl Served {
    /// Counts what a request has shown.
    pub(super) fn take_in(&self, seen: Seen) {
        let mut window = self.window.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        window.take_in(seen, self.model().reference.as_deref());
        self.in_window.store(window.n(), Ordering::Relaxed);
    }

    /// One in so many rows of a request is counted, and where to begin with changing places.
    pub(super) fn thinned(&self) -> [usize; 2] {
        let plenty = PLENTY.max(self.policy.window.unwrap_or(0) as u64);
        let n = self.in_window.load(Ordering::Relaxed);
        [1 + (n / plenty) as usize, n as usize]
    }

    /// Ends the window and begins the next one, if it is `full`.
    pub(super) fn turn(&self, full: impl FnOnce(&Window) -> bool) -> Option<(WindowCounts, i64)> {
        let mut window = self.window.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !full(&window) {
            return None;
        }
        self.in_window.store(0, Ordering::Relaxed);
        Some(window.turn(&self.scorer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_thinned_evenly_and_never_to_nothing() {
        for (n_rows, thinned, n) in
            [(1, 1, 1), (1_000, 1, 1_000), (2_500, 1, 834), (1_000, 4, 250), (3, 9, 1)]
        {
            let mut seen = Seen::new(2, n_rows, [thinned, 7]);
            let counted = (0..n_rows).filter(|row| seen.begin(*row)).count();
            assert_eq!(counted, n, "{n_rows} {thinned}");
        }
    }

    #[test]
    fn rows_that_repeat_are_all_met() {
        let mut seen = Seen::new(2, 20_000, [1, 0]);
        let mut met = [0; 20];
        (0..20_000).filter(|row| seen.begin(*row)).for_each(|row| met[row % 20] += 1);
        assert!(met.iter().all(|n| (25..=75).contains(n)), "{met:?}");
    }
}
