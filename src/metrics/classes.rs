//! Several classes: the confusion matrix of any size, and what is read from it.
//!
//! A class that is never predicted has no precision, and one that no row belongs to no recall;
//! means over the classes leave out what is undefined instead of calling it 0.

use serde::Serialize;

use crate::metrics::{Scored, ratio};

/// The confusion matrix of any number of classes, in rows or in weights of rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassConfusion {
    /// How many classes there are.
    pub n_classes: usize,
    /// The cells, one line for each true class: `(truth, predicted)`.
    pub cells: Vec<f64>,
}

/// How well one class of several is told from all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ClassMeasures {
    /// Share of the rows called this class that belong to it.
    pub precision: Option<f64>,
    /// Share of its rows that are called so.
    pub recall: Option<f64>,
    /// Harmonic mean of both: 2 TP / (2 TP + FP + FN).
    pub f1: Option<f64>,
    /// Rows that belong to it, or their weights.
    pub support: f64,
    /// Rows that are called so, or their weights.
    pub predicted: f64,
}

impl ClassConfusion {
    /// Counts the rows; `None` for rows that cannot be measured or have no several classes.
    pub fn of(scored: &Scored) -> Option<Self> {
        let n_classes = scored.by_class?.n_classes;
        let mut cells = vec![0.0; n_classes * n_classes];
        for (truth, predicted, weight) in scored.sound()?.rows() {
            cells[truth as usize * n_classes + predicted as usize] += weight;
        }
        Some(Self { n_classes, cells })
    }

    /// The rows of class `truth` that are called `predicted`.
    pub fn at(&self, truth: usize, predicted: usize) -> f64 {
        self.cells[truth * self.n_classes + predicted]
    }

    /// Rows that belong to a class.
    pub fn support(&self, class: usize) -> f64 {
        (0..self.n_classes).map(|predicted| self.at(class, predicted)).sum()
    }

    /// Rows that are called a class.
    pub fn predicted(&self, class: usize) -> f64 {
        (0..self.n_classes).map(|truth| self.at(truth, class)).sum()
    }

    /// Everything that was counted.
    pub fn total(&self) -> f64 {
        self.cells.iter().sum()
    }

    /// Rows whose class is right.
    pub fn right(&self) -> f64 {
        (0..self.n_classes).map(|class| self.at(class, class)).sum()
    }

    /// Share of rows whose class is right.
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.right(), self.total())
    }

    /// Every class, in order.
    pub fn classes(&self) -> Vec<ClassMeasures> {
        (0..self.n_classes).map(|class| self.class(class)).collect()
    }

    fn class(&self, class: usize) -> ClassMeasures {
        let (right, support) = (self.at(class, class), self.support(class));
        let predicted = self.predicted(class);
        ClassMeasures {
            precision: ratio(right, predicted),
            recall: ratio(right, support),
            f1: ratio(2.0 * right, support + predicted),
            support,
            predicted,
        }
    }

    /// Agreement beyond that of chance (Cohen, 1960).
    fn kappa(&self) -> Option<f64> {
        let total = self.total();
        let share = |class| self.support(class) * self.predicted(class) / (total * total);
        let by_chance: f64 = (0..self.n_classes).map(share).sum();
        ratio(self.accuracy()? - by_chance, 1.0 - by_chance)
    }

    /// The correlation of truth and prediction (Gorodkin, 2004).
    fn correlation(&self) -> Option<f64> {
        let (total, classes) = (self.total(), self.classes());
        let sum = |of: &dyn Fn(&ClassMeasures) -> f64| classes.iter().map(of).sum::<f64>();
        let joint = self.right() * total - sum(&|c| c.support * c.predicted);
        let of_truth = total * total - sum(&|c| c.support * c.support);
        let of_predicted = total * total - sum(&|c| c.predicted * c.predicted);
        ratio(joint, (of_truth * of_predicted).sqrt())
    }
}

/// The mean over the classes for which there is a value.
fn mean_of(scored: &Scored, of: fn(&ClassMeasures) -> Option<f64>) -> Option<f64> {
    let classes = ClassConfusion::of(scored)?.classes();
    let values: Vec<f64> = classes.iter().filter_map(of).collect();
    ratio(values.iter().sum(), values.len() as f64)
}

pub(super) fn accuracy(scored: &Scored) -> Option<f64> {
    ClassConfusion::of(scored)?.accuracy()
}

pub(super) fn macro_precision(scored: &Scored) -> Option<f64> {
    mean_of(scored, |class| class.precision)
}

pub(super) fn macro_recall(scored: &Scored) -> Option<f64> {
    mean_of(scored, |class| class.recall)
}

pub(super) fn macro_f1(scored: &Scored) -> Option<f64> {
    mean_of(scored, |class| class.f1)
}

pub(super) fn weighted_f1(scored: &Scored) -> Option<f64> {
    let confusion = ClassConfusion::of(scored)?;
    let share = |class: &ClassMeasures| class.f1.map_or(0.0, |f1| f1 * class.support);
    ratio(confusion.classes().iter().map(share).sum(), confusion.total())
}

pub(super) fn cohen_kappa(scored: &Scored) -> Option<f64> {
    ClassConfusion::of(scored)?.kappa()
}

pub(super) fn mcc(scored: &Scored) -> Option<f64> {
    ClassConfusion::of(scored)?.correlation()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::{close, several};

    #[test]
    fn each_class_is_measured_as_scikit_learn_does() {
        // confusion_matrix(t, p, sample_weight=w); precision_recall_fscore_support(t, p,
        // sample_weight=w, zero_division=nan) of sklearn 1.9 on `metrics::samples::several`.
        let confusion = ClassConfusion::of(&several::weighted()).unwrap();
        assert_eq!(confusion.cells, several::CONFUSION);
        let classes = confusion.classes();
        for (class, [precision, recall, f1, support]) in classes.iter().zip(several::CLASSES) {
            close(class.precision.unwrap_or(-1.0), precision, 1e-15);
            close(class.recall.unwrap(), recall, 1e-15);
            close(class.f1.unwrap(), f1, 1e-15);
            close(class.support, support, 1e-15);
        }
    }

    #[test]
    fn a_class_that_nobody_has_or_names_is_left_out_of_the_means() {
        let truth = [0.0, 1.0, 1.0];
        let probability = [0.9, 0.1, 0.0, 0.2, 0.8, 0.0, 0.7, 0.3, 0.0];
        let scored = Scored::of_classes(&truth, &[0.0, 1.0, 0.0], &probability, 3);
        let last = ClassConfusion::of(&scored).unwrap().classes()[2];
        assert_eq!(last, ClassMeasures::default());
        close(macro_recall(&scored).unwrap(), 0.75, 1e-15);
        close(macro_precision(&scored).unwrap(), 0.75, 1e-15);
        let one = Scored::of_classes(&[0.0], &[0.0], &[1.0, 0.0, 0.0], 3);
        assert_eq!((cohen_kappa(&one), mcc(&one)), (None, None));
    }

    #[test]
    fn an_index_that_is_no_class_is_not_measured() {
        let probability = [0.5, 0.5, 0.0, 1.0];
        for truth in [[0.0, 2.0], [0.5, 1.0], [-1.0, 0.0], [f64::NAN, 0.0]] {
            let scored = Scored::of_classes(&truth, &[0.0, 1.0], &probability, 2);
            assert_eq!(ClassConfusion::of(&scored), None, "{truth:?}");
        }
    }
}
