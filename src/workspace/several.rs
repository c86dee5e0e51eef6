//! What the Evaluation pane draws of several classes, computed once on a job's thread.

use std::collections::BTreeMap;

use crate::metrics::{ByClass, ClassConfusion, ClassMeasures, Family, METRICS, Scored, row_loss};
use crate::train::{Run, Scores};

/// So many of the worst rows are kept.
const MOST_ROWS: usize = 1000;

/// Several classes on one side of a run's split.
#[derive(Clone, Debug)]
pub struct Several {
    /// True against predicted classes.
    pub confusion: ClassConfusion,
    /// Each class, in order.
    pub measures: Vec<ClassMeasures>,
    /// The pairs of a true and a predicted class that are taken for each other, the most frequent
    /// first.
    pub errors: Vec<(usize, usize)>,
    /// Places among the scores with their loss, the largest first.
    pub worst: Vec<(usize, f64)>,
    /// By the name of a metric: what the shares of the classes in the training rows would give for
    /// every row.
    pub baseline: BTreeMap<&'static str, f64>,
}

/// In what order the classes are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClassOrder {
    /// As the target has them.
    #[default]
    Listed,
    /// The lowest F1 first.
    F1,
    /// The lowest precision first.
    Precision,
    /// The lowest recall first.
    Recall,
    /// The fewest rows first.
    Support,
}

impl ClassOrder {
    /// Every order, as one goes through them.
    pub const ALL: [Self; 5] =
        [Self::Listed, Self::F1, Self::Precision, Self::Recall, Self::Support];

    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            Self::Listed => "as the target has them",
            Self::F1 => "lowest F1 first",
            Self::Precision => "lowest precision first",
            Self::Recall => "lowest recall first",
            Self::Support => "fewest rows first",
        }
    }

    /// The order after this one.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|order| *order == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }
}

impl Several {
    /// The places of the classes in this order; what is undefined comes last.
    pub fn order(&self, by: ClassOrder) -> Vec<usize> {
        let key = |class: &usize| {
            let own = &self.measures[*class];
            let value = match by {
                ClassOrder::Listed => return *class as f64,
                ClassOrder::F1 => own.f1,
                ClassOrder::Precision => own.precision,
                ClassOrder::Recall => own.recall,
                ClassOrder::Support => Some(own.support),
            };
            value.unwrap_or(f64::INFINITY)
        };
        let mut order: Vec<usize> = (0..self.measures.len()).collect();
        order.sort_by(|a, b| key(a).total_cmp(&key(b)));
        order
    }

    /// The class that the rows of a class are taken for most often.
    pub fn taken_for(&self, truth: usize) -> Option<usize> {
        self.errors.iter().find(|(own, _)| *own == truth).map(|(_, called)| *called)
    }

    /// Nothing unless the rows have several classes and can be measured.
    pub(super) fn of(run: &Run, scores: &Scores) -> Option<Self> {
        let scored = scores.scored(run.threshold);
        let confusion = ClassConfusion::of(&scored)?;
        let n = confusion.n_classes;
        let pairs = (0..n).flat_map(|truth| (0..n).map(move |called| (truth, called)));
        let is_error = |(truth, called): &(usize, usize)| {
            truth != called && 0.0 < confusion.at(*truth, *called)
        };
        let mut errors: Vec<(usize, usize)> = pairs.filter(is_error).collect();
        let size = |pair: &(usize, usize)| confusion.at(pair.0, pair.1);
        errors.sort_by(|a, b| size(b).total_cmp(&size(a)));
        Some(Self {
            measures: confusion.classes(),
            errors,
            worst: worst(scores),
            baseline: baseline(run, &scored, n),
            confusion,
        })
    }
}

fn worst(scores: &Scores) -> Vec<(usize, f64)> {
    let loss = |place: usize| {
        let own = scores.probabilities(place).get(scores.truth[place] as usize);
        row_loss(own.copied().unwrap_or(0.0))
    };
    let mut rows: Vec<(usize, f64)> =
        (0..scores.rows.len()).map(|place| (place, loss(place))).collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    rows.truncate(MOST_ROWS);
    rows
}

/// The metrics of the shares that the classes have in the training rows.
fn baseline(run: &Run, scored: &Scored, n_classes: usize) -> BTreeMap<&'static str, f64> {
    let mut shares = vec![0.0; n_classes];
    let weights = run.train_scores.weight.as_deref();
    for (row, class) in run.train_scores.truth.iter().enumerate() {
        if let Some(share) = shares.get_mut(*class as usize) {
            *share += weights.map_or(1.0, |weights| weights[row]);
        }
    }
    let total: f64 = shares.iter().sum();
    for share in &mut shares {
        *share /= total;
    }
    let most = shares.iter().copied().fold(0.0, f64::max);
    let largest = shares.iter().position(|share| *share == most).unwrap_or(0);
    let n_rows = scored.truth.len();
    let predicted = vec![largest as f64; n_rows];
    let probability = shares.repeat(n_rows);
    let same = Scored {
        score: &predicted,
        by_class: Some(ByClass { probability: &probability, n_classes }),
        ..*scored
    };
    let metrics = METRICS.iter().filter(|metric| metric.is_of(Family::Classes));
    metrics.filter_map(|metric| Some((metric.name, (metric.compute)(&same)?))).collect()
}
