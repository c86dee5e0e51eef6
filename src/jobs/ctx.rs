//! What work is given: a way to report, and a way to learn that it should stop.

use std::{fmt, sync::Arc, thread, time::Duration};

use crate::jobs::{CancelToken, Cancelled, Part, Progress, Report, Sheet, Shelf, Wish};

/// The link between work and whoever waits for it. Work takes `&Ctx` and nothing else of this
/// room; it may be shared between threads, and a clone speaks for the same job.
#[derive(Clone)]
pub struct Ctx {
    cancel: CancelToken,
    sink: Arc<dyn Fn(Report) + Send + Sync>,
    parts: Vec<Part>,
    shelf: Option<Arc<dyn Shelf>>,
}

impl Ctx {
    /// A context that reports to nobody and is never cancelled, for tests and scripts.
    pub fn quiet() -> Self {
        Self::with(|_| ())
    }

    /// A context that passes every report to `sink`, on the thread that reports.
    pub fn with(sink: impl Fn(Report) + Send + Sync + 'static) -> Self {
        Self::new(CancelToken::default(), sink)
    }

    /// A context that stops when `cancel` says so and passes every report to `sink`.
    pub fn new(cancel: CancelToken, sink: impl Fn(Report) + Send + Sync + 'static) -> Self {
        Self { cancel, sink: Arc::new(sink), parts: Vec::new(), shelf: None }
    }

    /// The same context with a place where unfinished work is put aside.
    #[must_use]
    pub fn on(&self, shelf: Arc<dyn Shelf>) -> Self {
        Self { shelf: Some(shelf), ..self.clone() }
    }

    /// Where unfinished work is put aside, if anywhere.
    pub fn shelf(&self) -> Option<&dyn Shelf> {
        self.shelf.as_deref()
    }

    /// Reports progress, rests for as long as that is wished, and returns [`Cancelled`] if the job
    /// has been asked to stop.
    ///
    /// Call it once per unit of work (an epoch, a fold, a permuted column) and pass the error on
    /// with `?`: that one line feeds the progress bar and honours the keys for pause and cancel.
    pub fn step(
        &self,
        done: usize,
        total: usize,
        measured: Vec<(&'static str, f64)>,
    ) -> Result<(), Cancelled> {
        let own = if total == 0 { 0.0 } else { (done as f64 / total as f64).min(1.0) };
        let fraction = self
            .parts
            .iter()
            .rev()
            .fold(own, |inner, part| (part.index as f64 + inner) / part.count as f64);
        let parts = self.parts.clone();
        (self.sink)(Report::Step(Progress { done, total, fraction, parts, measured }));
        self.rest().map(drop)
    }

    /// Returns [`Cancelled`] if the job has been asked to stop. For inner loops with nothing to
    /// report.
    pub fn check(&self) -> Result<(), Cancelled> {
        self.cancel.check()
    }

    /// Rests for as long as that is wished, then tells what is wished instead: to go on or to
    /// finish early. [`Cancelled`] if the job has been asked to stop.
    pub fn rest(&self) -> Result<Wish, Cancelled> {
        const NAP: Duration = Duration::from_millis(20);
        loop {
            match self.cancel.wish() {
                Wish::Rest => thread::sleep(NAP),
                Wish::Stop => return Err(Cancelled),
                wish => return Ok(wish),
            }
        }
    }

    /// What is wished of the job at present.
    pub fn wish(&self) -> Wish {
        self.cancel.wish()
    }

    /// Tells how the parts of the work are.
    pub fn sheet(&self, sheet: Sheet) {
        (self.sink)(Report::Sheet(sheet));
    }

    /// Names the phase that begins, in words for a person: "reading", or "finishing a fit that
    /// cannot be interrupted".
    pub fn note(&self, text: impl Into<String>) {
        (self.sink)(Report::Note(text.into()));
    }

    /// The token that stops this job, to be handed to code that knows no context.
    pub fn cancel_token(&self) -> CancelToken {
        self.cancel.clone()
    }

    /// The context for part `index` (from 0) of `count` equal parts of this work: its steps fill
    /// that part of the whole. Parts may be divided again.
    ///
    /// # Panics
    /// If there is no such part.
    #[must_use]
    pub fn part(&self, index: usize, count: usize) -> Self {
        assert!(index < count, "part {index} of {count} does not exist");
        let mut parts = self.parts.clone();
        parts.push(Part { index, count });
        Self { parts, ..self.clone() }
    }

    /// A context that is cancelled with this one but tells nothing, for inner work whose steps
    /// would only confuse.
    #[must_use]
    pub fn silent(&self) -> Self {
        Self { sink: Arc::new(|_| ()), parts: Vec::new(), ..self.clone() }
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx")
            .field("cancel", &self.cancel)
            .field("parts", &self.parts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn reports_of(work: impl FnOnce(&Ctx)) -> Vec<Report> {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&heard);
        work(&Ctx::with(move |report| sink.lock().unwrap().push(report)));
        let heard = heard.lock().unwrap();
        heard.clone()
    }

    fn fraction(work: impl FnOnce(&Ctx)) -> f64 {
        match reports_of(work).as_slice() {
            [Report::Step(progress)] => progress.fraction,
            other => panic!("one step was expected: {other:?}"),
        }
    }

    #[test]
    fn a_part_fills_its_share_of_the_whole() {
        assert_eq!(fraction(|ctx| ctx.step(1, 4, vec![]).unwrap()), 0.25);
        assert_eq!(fraction(|ctx| ctx.part(1, 2).step(1, 2, vec![]).unwrap()), 0.75);
        let nested = |ctx: &Ctx| ctx.part(1, 2).part(0, 2).step(2, 2, vec![]).unwrap();
        assert_eq!(fraction(nested), 0.75);
    }

    #[test]
    fn no_steps_in_all_are_no_progress() {
        assert_eq!(fraction(|ctx| ctx.step(0, 0, vec![]).unwrap()), 0.0);
        assert_eq!(fraction(|ctx| ctx.step(9, 3, vec![]).unwrap()), 1.0);
    }

    #[test]
    fn a_cancelled_context_still_reports_its_last_step() {
        let reports = reports_of(|ctx| {
            ctx.note("fitting");
            ctx.cancel_token().cancel();
            assert_eq!(ctx.part(0, 2).step(1, 2, vec![("loss", 0.5)]), Err(Cancelled));
            assert_eq!(ctx.check(), Err(Cancelled));
        });
        let progress = Progress {
            done: 1,
            total: 2,
            fraction: 0.25,
            parts: vec![Part { index: 0, count: 2 }],
            measured: vec![("loss", 0.5)],
        };
        assert_eq!(reports, [Report::Note("fitting".into()), Report::Step(progress)]);
    }

    #[test]
    fn a_context_can_be_shared_between_threads() {
        fn shared<T: Send + Sync>(_: &T) {}
        shared(&Ctx::quiet());
    }
}
