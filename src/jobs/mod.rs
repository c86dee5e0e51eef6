//! Work that takes longer than a frame.
//!
//! A job runs on its own named thread, says how far it has come through a [`Ctx`], and ends with
//! exactly one [`Outcome`], which is its last word even when the work panics. All threads of the
//! program are started here: [`spawn`] for work, [`each`] for work on several processors,
//! [`Team`] for threads that
//! stay together, for the steps of a training or the layers of a row, [`service`] for threads that
//! live as long as the program. The room knows nothing of training, the disk, or any screen.
//!
//! ```
//! use karat::jobs::{Cancelled, Ctx};
//!
//! fn sum(ctx: &Ctx, numbers: &[f64]) -> Result<f64, Cancelled> {
//!     let mut sum = 0.0;
//!     for (idx, number) in numbers.iter().enumerate() {
//!         sum += number;
//!         ctx.step(idx + 1, numbers.len(), vec![("sum", sum)])?;
//!     }
//!     Ok(sum)
//! }
//! assert_eq!(sum(&Ctx::quiet(), &[1.0, 2.0]), Ok(3.0));
//! ```

mod apart;
mod cancel;
mod ctx;
mod each;
mod error_text;
mod history;
mod shelf;
mod slot;
mod spawn;
mod standby;
mod team;

use std::borrow::Cow;

pub use cancel::{CancelToken, Cancelled, Wish};
pub use ctx::Ctx;
pub use each::each;
pub use error_text::error_text;
pub use history::{Curve, History};
pub use shelf::{MemoryShelf, Shelf};
pub use slot::{Fresh, Slot};
pub use spawn::{JobHandle, background, service, spawn};
pub use team::Team;

/// Identifies a job for as long as the program runs. News of an older job is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// How far a job has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Steps finished so far, of the part that is being worked on.
    pub done: usize,
    /// Steps in all, of that part.
    pub total: usize,
    /// The share of the whole job that is finished, from 0 to 1.
    pub fraction: f64,
    /// Where in the job this part lies, outermost first; empty for a job that is not divided.
    pub parts: Vec<Part>,
    /// Values measured at this step, by the name of the metric.
    pub measured: Vec<(&'static str, f64)>,
}

/// One of several equal parts of a job, such as a fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Part {
    /// Which part this is, counted from 0.
    pub index: usize,
    /// How many parts there are.
    pub count: usize,
}

/// What a running job tells about itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// It has come further.
    Step(Progress),
    /// It has entered a phase, named for a person: "reading", "fitting fold 2 of 5".
    Note(String),
    /// How its parts are at this moment, such as the layers of a network; a new sheet takes the
    /// place of the one before.
    Sheet(Sheet),
}

/// A small table of figures: one line for each part of what a job works on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    /// What the figures are, in the order of the columns.
    pub headings: Vec<Cow<'static, str>>,
    /// What each line is about, and its figures; NaN where there is none.
    pub lines: Vec<(String, Vec<f64>)>,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<T> {
    /// The work returned a value.
    Done(T),
    /// The work stopped because it was asked to.
    Cancelled,
    /// The work failed, or panicked; the text is meant for a person.
    Failed(String),
}

/// News of a job, as its sink receives it.
#[derive(Clone, Debug, PartialEq)]
pub enum News<T> {
    /// The job is running, and tells where it is.
    Report(Report),
    /// The job has ended. Nothing follows.
    Ended(Outcome<T>),
}
