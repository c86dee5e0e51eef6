//! A place where reports wait for a receiver that looks less often than the job speaks.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::jobs::{Progress, Report, Sheet};

/// Everything that was reported since the receiver last looked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fresh {
    /// The latest step; those before it are out of date.
    pub latest: Option<Progress>,
    /// Every step that measured something, in order, so that curves lose no point.
    pub measured: Vec<Progress>,
    /// The latest phase.
    pub note: Option<String>,
    /// How the parts of the work are.
    pub sheet: Option<Sheet>,
}

/// The reports of one job that have not been looked at. Clones share the same place.
///
/// The job's sink calls [`Slot::put`] and wakes the receiver only when that returns true, so that
/// a thousand steps between two frames are one message.
///
/// ```
/// use karat::jobs::{Report, Slot};
///
/// let slot = Slot::default();
/// assert!(slot.put(Report::Note("reading".into())));
/// assert!(!slot.put(Report::Note("fitting".into())));
/// assert_eq!(slot.take().note.as_deref(), Some("fitting"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Slot(Arc<Mutex<Fresh>>);

impl Slot {
    /// Adds a report; true if the slot was empty, that is if the receiver has to be woken.
    pub fn put(&self, report: Report) -> bool {
        let mut fresh = self.lock();
        let was_empty = fresh.latest.is_none() && fresh.note.is_none() && fresh.sheet.is_none();
        match report {
            Report::Step(progress) => {
                if !progress.measured.is_empty() {
                    fresh.measured.push(progress.clone());
                }
                fresh.latest = Some(progress);
            }
            Report::Note(text) => fresh.note = Some(text),
            Report::Sheet(sheet) => fresh.sheet = Some(sheet),
        }
        was_empty
    }

    /// Takes everything out and leaves the slot empty.
    pub fn take(&self) -> Fresh {
        mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Fresh> {
        // No invariant spans two statements under the lock, so a panic cannot have broken one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::jobs::Ctx;

    #[test]
    fn the_latest_progress_wins_and_every_measurement_is_kept() {
        let slot = Slot::default();
        let wakes = Arc::new(Mutex::new(Vec::new()));
        let (sink, woken) = (slot.clone(), Arc::clone(&wakes));
        let ctx = Ctx::with(move |report| woken.lock().unwrap().push(sink.put(report)));
        ctx.step(1, 3, vec![("loss", 0.9)]).unwrap();
        ctx.step(2, 3, vec![("loss", 0.7)]).unwrap();
        ctx.step(3, 3, vec![]).unwrap();
        let fresh = slot.take();
        assert_eq!(fresh.latest.map(|progress| progress.done), Some(3));
        let losses: Vec<f64> = fresh.measured.iter().map(|step| step.measured[0].1).collect();
        assert_eq!(losses, [0.9, 0.7]);
        assert_eq!(*wakes.lock().unwrap(), [true, false, false]);
        assert_eq!(slot.take(), Fresh::default());
    }
}
