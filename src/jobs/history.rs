//! What a job has told since it began, in the shape that curves are drawn from.

use crate::jobs::{Fresh, Part, Progress};

/// One measured quantity of one part of a job, step by step.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The metric's name.
    pub name: &'static str,
    /// The part it was measured in, outermost first; empty for a job that is not divided.
    pub parts: Vec<Part>,
    /// Steps done, and the value after them.
    pub points: Vec<(f64, f64)>,
}

/// All that is known of a job on its way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The latest step, whose fraction never falls even if parts report out of order.
    pub latest: Option<Progress>,
    /// The latest phase.
    pub note: Option<String>,
    /// Curves in the order in which they began.
    pub curves: Vec<Curve>,
}

impl History {
    /// Takes in what a [`Slot`](crate::jobs::Slot) held.
    pub fn add(&mut self, fresh: Fresh) {
        for step in fresh.measured {
            for (name, value) in step.measured {
                // The curve that is being drawn is most likely the last one.
                let known =
                    self.curves.iter().rposition(|c| c.name == name && c.parts == step.parts);
                let idx = known.unwrap_or_else(|| {
                    let parts = step.parts.clone();
                    self.curves.push(Curve { name, parts, points: Vec::new() });
                    self.curves.len() - 1
                });
                self.curves[idx].points.push((step.done as f64, value));
            }
        }
        if let Some(mut latest) = fresh.latest {
            let so_far = self.latest.as_ref().map_or(0.0, |progress| progress.fraction);
            latest.fraction = latest.fraction.max(so_far);
            self.latest = Some(latest);
        }
        self.note = fresh.note.or(self.note.take());
    }

    /// The share of the job that is finished, from 0 to 1.
    pub fn fraction(&self) -> f64 {
        self.latest.as_ref().map_or(0.0, |progress| progress.fraction)
    }

    /// Seconds that are left if the job goes on as it did for the `elapsed` seconds since it
    /// began; `None` before there is anything to judge by.
    pub fn seconds_left(&self, elapsed: f64) -> Option<f64> {
        let fraction = self.fraction();
        (0.0 < fraction).then(|| elapsed * (1.0 - fraction) / fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::{Ctx, Slot};

    #[test]
    fn every_fold_has_its_own_curve() {
        let slot = Slot::default();
        let sink = slot.clone();
        let ctx = Ctx::with(move |report| {
            sink.put(report);
        });
        let mut history = History::default();
        for fold in 0..2 {
            for epoch in 1..=3 {
                let losses = vec![("loss", 1.0 / epoch as f64), ("valid", 2.0 / epoch as f64)];
                ctx.part(fold, 2).step(epoch, 3, losses).unwrap();
            }
            history.add(slot.take());
        }
        let names: Vec<_> = history.curves.iter().map(|c| (c.name, c.parts[0].index)).collect();
        assert_eq!(names, [("loss", 0), ("valid", 0), ("loss", 1), ("valid", 1)]);
        assert_eq!(history.curves[2].points, [(1.0, 1.0), (2.0, 0.5), (3.0, 1.0 / 3.0)]);
        assert_eq!(history.fraction(), 1.0);
    }

    #[test]
    fn the_time_left_follows_the_time_taken() {
        let mut history = History::default();
        assert_eq!(history.seconds_left(5.0), None);
        let at =
            |fraction| Progress { done: 1, total: 4, fraction, parts: vec![], measured: vec![] };
        history.add(Fresh { latest: Some(at(0.25)), ..Fresh::default() });
        assert_eq!(history.seconds_left(5.0), Some(15.0));
        history.add(Fresh { latest: Some(at(0.1)), ..Fresh::default() });
        assert_eq!(history.fraction(), 0.25, "it never falls");
    }
}
