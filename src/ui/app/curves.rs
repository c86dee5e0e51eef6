//! The curves of a training, each quantity apart and ready to be drawn.

use crate::train::Point;

/// So many points of a curve are kept as they are; longer ones are thinned.
const MOST_POINTS: usize = 200_000;

/// Thinning leaves the extremes of so many points beside each other.
const BUCKET: usize = 8;

/// A point of a curve: a step, and what was measured there.
pub type Spot = (f64, f64);

/// What the chart of a training can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quantity {
    /// What is minimised.
    #[default]
    Loss,
    /// Accuracy, or R² of a regression.
    Metric,
    /// How long the steps downhill are.
    LearningRate,
    /// How steep it still is.
    GradNorm,
}

impl Quantity {
    /// All of them, in the order in which a key turns through them.
    pub const ALL: [Self; 4] = [Self::Loss, Self::Metric, Self::LearningRate, Self::GradNorm];
}

/// The rows on which something was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Those that were trained on.
    Train,
    /// Those held back for watching.
    Valid,
}

/// What was measured during a training, step by step.
///
/// Very long curves are thinned in a way that keeps every peak and every valley.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    tracks: [Vec<Spot>; 6],
    best: Option<Spot>,
    last_step: Option<f64>,
}

impl Curves {
    /// The curves of a run.
    pub fn of(history: &[Point]) -> Self {
        let mut curves = Self::default();
        for point in history {
            curves.push(point);
        }
        curves
    }

    /// Adds what was measured at one step. A step before the last one begins all curves anew, as
    /// the next fold or candidate does.
    pub fn push(&mut self, point: &Point) {
        if self.last_step.is_some_and(|last| point.step < last) {
            *self = Self::default();
        }
        self.last_step = Some(point.step);
        let measured = [
            point.loss,
            point.valid_loss,
            point.metric,
            point.valid_metric,
            point.learning_rate,
            point.grad_norm,
        ];
        for (track, value) in self.tracks.iter_mut().zip(measured) {
            let Some(value) = value else { continue };
            if track.len() >= MOST_POINTS {
                *track = thinned(track);
            }
            track.push((point.step, value));
        }
        if let Some(value) = point.valid_loss.filter(|v| v.is_finite())
            && self.best.is_none_or(|(_, best)| value < best)
        {
            self.best = Some((point.step, value));
        }
    }

    /// One curve, in order of its steps; NaN where it broke off.
    pub fn track(&self, quantity: Quantity, side: Side) -> &[Spot] {
        let at = match (quantity, side) {
            (Quantity::Loss, Side::Train) => 0,
            (Quantity::Loss, Side::Valid) => 1,
            (Quantity::Metric, Side::Train) => 2,
            (Quantity::Metric, Side::Valid) => 3,
            (Quantity::LearningRate, Side::Train) => 4,
            (Quantity::GradNorm, Side::Train) => 5,
            // Neither depends on the rows.
            (Quantity::LearningRate | Quantity::GradNorm, Side::Valid) => return &[],
        };
        &self.tracks[at]
    }

    /// The curve on which the cursor walks: that of the training rows, where there is one.
    pub fn main(&self, quantity: Quantity) -> &[Spot] {
        let own = self.track(quantity, Side::Train);
        if own.is_empty() { self.track(quantity, Side::Valid) } else { own }
    }

    /// The curve by which runs are compared: that of the validation rows, where there is one.
    pub fn judged(&self, quantity: Quantity) -> &[Spot] {
        let own = self.track(quantity, Side::Valid);
        if own.is_empty() { self.track(quantity, Side::Train) } else { own }
    }

    /// The latest value of a curve.
    pub fn last(&self, quantity: Quantity, side: Side) -> Option<f64> {
        self.track(quantity, side).last().map(|(_, value)| *value)
    }

    /// The step with the least validation loss, and that loss.
    pub fn best(&self) -> Option<Spot> {
        self.best
    }

    /// The step that was measured last.
    pub fn last_step(&self) -> Option<f64> {
        self.last_step
    }
}

/// About a third of the points: of each few the least and the greatest, and one gap if there is
/// one. The ends stay.
fn thinned(track: &[Spot]) -> Vec<Spot> {
    let Some((first, rest)) = track.split_first() else { return Vec::new() };
    let (middle, last) = rest.split_at(rest.len().saturating_sub(BUCKET));
    let mut kept = Vec::with_capacity(track.len() / 2);
    kept.push(*first);
    for bucket in middle.chunks(BUCKET) {
        let numbers = || bucket.iter().enumerate().filter(|(_, (_, y))| y.is_finite());
        let by = |a: &(usize, &Spot), b: &(usize, &Spot)| a.1.1.total_cmp(&b.1.1);
        let gap = bucket.iter().position(|(_, y)| !y.is_finite());
        let ends = [numbers().min_by(by), numbers().max_by(by)];
        let mut places: Vec<usize> =
            ends.into_iter().flatten().map(|(at, _)| at).chain(gap).collect();
        places.sort_unstable();
        places.dedup();
        kept.extend(places.into_iter().map(|at| bucket[at]));
    }
    kept.extend_from_slice(last);
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(step: usize, loss: f64, valid: Option<f64>) -> Point {
        Point {
            step: step as f64,
            loss: Some(loss),
            valid_loss: valid,
            learning_rate: Some(0.1),
            ..Point::default()
        }
    }

    #[test]
    fn each_quantity_has_its_own_curve() {
        let history = [point(1, 0.7, None), point(2, 0.5, Some(0.6)), point(3, 0.4, Some(0.65))];
        let curves = Curves::of(&history);
        assert_eq!(curves.track(Quantity::Loss, Side::Valid), [(2.0, 0.6), (3.0, 0.65)]);
        assert_eq!(curves.judged(Quantity::Loss).len(), 2);
        assert_eq!(curves.main(Quantity::LearningRate).len(), 3);
        assert!(curves.main(Quantity::Metric).is_empty());
        assert_eq!((curves.best(), curves.last_step()), (Some((2.0, 0.6)), Some(3.0)));
        assert_eq!(curves.last(Quantity::Loss, Side::Train), Some(0.4));
    }

    #[test]
    fn the_next_fold_begins_anew() {
        let mut curves = Curves::of(&[point(1, 0.7, Some(0.1)), point(2, 0.5, None)]);
        curves.push(&point(0, 0.9, None));
        assert_eq!(curves.track(Quantity::Loss, Side::Train), [(0.0, 0.9)]);
        assert_eq!(curves.best(), None);
    }

    #[test]
    fn a_very_long_curve_keeps_its_spike() {
        let mut curves = Curves::default();
        for step in 0..3 * MOST_POINTS {
            let loss = if step == 12_345 { 99.0 } else { 0.5 };
            curves.push(&point(step, loss, None));
        }
        let track = curves.main(Quantity::Loss);
        assert!(track.len() <= MOST_POINTS, "{}", track.len());
        assert!(track.contains(&(12_345.0, 99.0)));
        assert_eq!(track.first(), Some(&(0.0, 0.5)));
        assert_eq!(track.last(), Some(&((3 * MOST_POINTS - 1) as f64, 0.5)));
        assert!(track.windows(2).all(|two| two[0].0 < two[1].0));
    }

    proptest! {
        #[test]
        fn thinning_keeps_the_extremes(values in proptest::collection::vec(any::<f64>(), 0..200)) {
            let track: Vec<Spot> = values.iter().enumerate().map(|(x, y)| (x as f64, *y)).collect();
            let ends = |track: &[Spot]| {
                let numbers = track.iter().map(|s| s.1).filter(|y| y.is_finite());
                numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |e, y| (e.0.min(y), e.1.max(y)))
            };
            let kept = thinned(&track);
            prop_assert_eq!(ends(&track), ends(&kept));
            prop_assert!(kept.len() <= track.len());
        }
    }
}
