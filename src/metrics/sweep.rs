//! Every threshold at once: rows are sorted a single time, and what a threshold does to them is
//! then looked up.

use serde::Serialize;

use crate::metrics::steps::steps;
use crate::metrics::{Confusion, Scored};

/// The confusion matrix at every threshold, made once and asked as often as a key repeats.
///
/// ```
/// use karat::metrics::{Scored, Sweep};
///
/// let sweep = Sweep::new(&Scored::new(&[0., 1., 0., 1.], &[0.1, 0.4, 0.6, 0.8])).unwrap();
/// assert_eq!(sweep.at(0.5).precision(), Some(0.5));
/// assert_eq!(sweep.at(0.7).precision(), Some(1.0));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// Distinct scores, highest first.
    scores: Vec<f64>,
    /// Weight of positive and negative rows at or above each of them.
    above: Vec<(f64, f64)>,
}

/// The threshold at which the errors cost the least.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BestThreshold {
    /// From this score on, the positive class is to be predicted. It lies half-way between two
    /// scores, and above all of them if it is best to say no to everybody.
    pub threshold: f64,
    /// What all errors cost there.
    pub cost: f64,
    /// What a row costs there, on average.
    pub cost_per_row: f64,
}

impl Sweep {
    /// Sorts the rows; `None` for rows that cannot be measured.
    pub fn new(scored: &Scored) -> Option<Self> {
        let steps = steps(scored)?;
        let (mut positives, mut negatives) = (0.0, 0.0);
        let above = steps.iter().map(|step| {
            positives += step.positives;
            negatives += step.negatives;
            (positives, negatives)
        });
        let above = above.collect();
        Some(Self { scores: steps.iter().map(|step| step.score).collect(), above })
    }

    /// The confusion matrix at `threshold`, in O(log n).
    pub fn at(&self, threshold: f64) -> Confusion {
        self.cells(self.scores.partition_point(|score| threshold <= *score))
    }

    /// The distinct scores, highest first: between two of them a threshold changes nothing.
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// The cheapest threshold for a price of each false positive and each false negative; among
    /// equals the one that flags the fewest. To be chosen on validation or out-of-fold scores:
    /// on the test rows it would promise too much.
    pub fn best(&self, cost_fp: f64, cost_fn: f64) -> BestThreshold {
        let cost = |n_flagged: usize| self.cells(n_flagged).cost(cost_fp, cost_fn);
        let mut best = 0;
        for n_flagged in 1..=self.scores.len() {
            if cost(n_flagged) < cost(best) {
                best = n_flagged;
            }
        }
        let total = self.cells(best).total();
        let cost = cost(best);
        BestThreshold { threshold: self.between(best), cost, cost_per_row: cost / total }
    }

    /// A threshold that flags the `n` highest distinct scores and no other.
    fn between(&self, n: usize) -> f64 {
        match (n.checked_sub(1).map(|above| self.scores[above]), self.scores.get(n)) {
            (Some(above), Some(below)) => {
                let middle = below + (above - below) / 2.0;
                // Between neighbouring numbers there is no middle; infinite ones have none either.
                if *below < middle && middle < above { middle } else { above }
            }
            (Some(lowest), None) => lowest,
            (None, highest) => highest.map_or(f64::INFINITY, |highest| highest.next_up()),
        }
    }

    /// The cells if the `n` highest distinct scores are called positive.
    fn cells(&self, n: usize) -> Confusion {
        let (positives, negatives) = self.above.last().copied().unwrap_or_default();
        let (tp, fp) = n.checked_sub(1).map_or((0.0, 0.0), |last| self.above[last]);
        // Sums of weights in another order may leave a little less than nothing.
        Confusion { tn: (negatives - fp).max(0.0), fp, fn_: (positives - tp).max(0.0), tp }
    }
}

/// The cheapest threshold of these rows for a price of each kind of error, as [`Sweep::best`].
pub fn best_threshold(scored: &Scored, cost_fp: f64, cost_fn: f64) -> Option<BestThreshold> {
    Sweep::new(scored).map(|sweep| sweep.best(cost_fp, cost_fn))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::{SCORE, TRUTH, WEIGHT, close};

    #[test]
    fn looking_up_gives_what_counting_gives() {
        for idx in 0..=110 {
            let threshold = f64::from(idx) / 100.0;
            let weight = Some(WEIGHT.as_slice());
            let scored = Scored { weight, threshold, ..Scored::new(&TRUTH, &SCORE) };
            let counted = Confusion::of(&scored).unwrap();
            assert_eq!(Sweep::new(&scored).unwrap().at(threshold), counted, "at {threshold}");
        }
    }

    #[test]
    fn the_best_threshold_costs_the_least_of_all() {
        let scored = Scored::new(&TRUTH, &SCORE);
        for (cost_fp, cost_fn) in [(1.0, 1.0), (1.0, 5.0), (5.0, 1.0), (0.0, 1.0), (1.0, 0.0)] {
            let best = best_threshold(&scored, cost_fp, cost_fn).unwrap();
            let cost = |threshold| {
                Confusion::of(&Scored { threshold, ..scored }).unwrap().cost(cost_fp, cost_fn)
            };
            close(cost(best.threshold), best.cost, 0.0);
            close(best.cost_per_row, best.cost / 12.0, 1e-15);
            for idx in 0..=100 {
                assert!(best.cost <= cost(f64::from(idx) / 100.0), "{cost_fp} {cost_fn} {best:?}");
            }
        }
    }

    #[test]
    fn saying_no_to_everybody_is_a_threshold_too() {
        let best = best_threshold(&Scored::new(&[1.0, 0.0], &[0.2, 0.9]), 9.0, 1.0).unwrap();
        assert!(0.9 < best.threshold, "{best:?}");
        close(best.cost, 1.0, 0.0);
    }

    #[test]
    fn a_threshold_lies_between_two_scores() {
        let best = best_threshold(&Scored::new(&[0.0, 1.0], &[0.2, 0.8]), 1.0, 1.0).unwrap();
        assert_eq!((best.threshold, best.cost), (0.5, 0.0));
    }
}
