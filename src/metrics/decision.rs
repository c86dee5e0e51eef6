//! What comes of a threshold: the four cells of the confusion matrix and what is read from them.

use serde::Serialize;

use crate::metrics::{Scored, is_positive, ratio};

/// The confusion matrix, in rows or in weights of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Confusion {
    /// Negative rows that are called negative.
    pub tn: f64,
    /// Negative rows that are called positive.
    pub fp: f64,
    /// Positive rows that are called negative.
    #[serde(rename = "fn")]
    pub fn_: f64,
    /// Positive rows that are called positive.
    pub tp: f64,
}

impl Confusion {
    /// Counts the rows at the threshold: from it on, a score is called positive. `None` for rows
    /// that cannot be measured.
    pub fn of(scored: &Scored) -> Option<Self> {
        let mut cells = Self::default();
        for (truth, score, weight) in scored.sound()?.rows() {
            let cell = match (is_positive(truth), scored.threshold <= score) {
                (false, false) => &mut cells.tn,
                (false, true) => &mut cells.fp,
                (true, false) => &mut cells.fn_,
                (true, true) => &mut cells.tp,
            };
            *cell += weight;
        }
        Some(cells)
    }

    /// Everything that was counted.
    pub fn total(&self) -> f64 {
        self.tn + self.fp + self.fn_ + self.tp
    }

    /// Share of rows whose class is right.
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.tn + self.tp, self.total())
    }

    /// Share of positive rows among those called positive.
    pub fn precision(&self) -> Option<f64> {
        ratio(self.tp, self.tp + self.fp)
    }

    /// Share of the positive rows that are called positive; the true positive rate.
    pub fn recall(&self) -> Option<f64> {
        ratio(self.tp, self.tp + self.fn_)
    }

    /// Share of the negative rows that are called negative.
    pub fn specificity(&self) -> Option<f64> {
        ratio(self.tn, self.tn + self.fp)
    }

    /// Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN).
    pub fn f1(&self) -> Option<f64> {
        ratio(2.0 * self.tp, 2.0 * self.tp + self.fp + self.fn_)
    }

    /// Share of the rows that are called positive.
    pub fn flagged(&self) -> Option<f64> {
        ratio(self.tp + self.fp, self.total())
    }

    /// What the errors cost together, each kind at its price.
    pub fn cost(&self, cost_fp: f64, cost_fn: f64) -> f64 {
        self.fp * cost_fp + self.fn_ * cost_fn
    }
}

pub(super) fn accuracy(scored: &Scored) -> Option<f64> {
    Confusion::of(scored)?.accuracy()
}

pub(super) fn precision(scored: &Scored) -> Option<f64> {
    Confusion::of(scored)?.precision()
}

pub(super) fn recall(scored: &Scored) -> Option<f64> {
    Confusion::of(scored)?.recall()
}

pub(super) fn f1(scored: &Scored) -> Option<f64> {
    Confusion::of(scored)?.f1()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::close;

    #[test]
    fn a_score_at_the_threshold_is_positive() {
        let scored = Scored::new(&[1.0, 0.0, 1.0], &[0.5, 0.4, 0.4]);
        let cells = Confusion::of(&scored).unwrap();
        assert_eq!(cells, Confusion { tn: 1.0, fp: 0.0, fn_: 1.0, tp: 1.0 });
    }

    #[test]
    fn a_model_that_never_says_yes_has_no_precision() {
        let cells = Confusion { tn: 5.0, fp: 0.0, fn_: 2.0, tp: 0.0 };
        assert_eq!((cells.precision(), cells.recall(), cells.f1()), (None, Some(0.0), Some(0.0)));
        let no_positives = Confusion { fn_: 0.0, ..cells };
        assert_eq!((no_positives.recall(), no_positives.f1()), (None, None));
        assert_eq!(no_positives.specificity(), Some(1.0));
    }

    #[test]
    fn the_scorecard_on_german_credit_at_its_cut_off() {
        // Published counts of a card on all 1,000 rows, declined below 520 points.
        let cells = Confusion { tn: 417.0, fp: 283.0, fn_: 62.0, tp: 238.0 };
        close(cells.precision().unwrap(), 0.456_813_82, 5e-9);
        close(cells.recall().unwrap(), 0.793_333_33, 5e-9);
        close(cells.f1().unwrap(), 0.579_780_76, 5e-9);
        close(cells.cost(1.0, 5.0), 593.0, 0.0);
    }
}
