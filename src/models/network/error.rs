//! Why a network was refused or its training stopped, in words for a person.

use crate::jobs::Cancelled;
use crate::nn::spec::Mistake;

/// Why there is no trained network.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The work was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The network cannot be.
    #[error("layer {}: {}\nhint: {}", .0.layer + 1, .0.what, .0.hint)]
    Mistake(Mistake),
    /// There are not rows enough to learn from.
    #[error("a network cannot learn from {rows} row{}\nhint: keep back fewer rows, or shorten the window", if *.rows == 1 { "" } else { "s" })]
    TooFewRows {
        /// Rows to train on.
        rows: usize,
    },
    /// A classifier was given one class.
    #[error(
        "all training rows are of one class\nhint: choose a target with two classes, or a split that leaves both in the training rows"
    )]
    OneClass,
    /// There is nothing to explain.
    #[error(
        "the target is the same in every training row\nhint: choose a target that varies in the training rows"
    )]
    ConstantTarget,
    /// A value one cannot compute with.
    #[error(
        "the input of {rows} row {row} holds a value that is no number\nhint: add `impute` to the recipe, or leave out such columns"
    )]
    NotFinite {
        /// Training or validation.
        rows: &'static str,
        /// Which of these rows, from 1.
        row: usize,
    },
    /// Weights ran away.
    #[error(
        "training diverged in epoch {epoch}: {what} (`learning_rate` = {rate:e})\nhint: use a smaller `learning_rate`, such as {:e}, or set `clip_norm` to 1", tidy((rate / 10.0).min(0.01))
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// What happened.
        what: String,
        /// The rate of that step.
        rate: f64,
    },
    /// It would not fit into memory.
    #[error(
        "the network would take {} MB to train, and {} MB may be used\nhint: make `batch_size` or the network smaller", bytes >> 20, budget >> 20
    )]
    TooLarge {
        /// Bytes it would take.
        bytes: u64,
        /// Bytes that may be used.
        budget: u64,
    },
}

/// One significant digit, so that a hint reads well.
fn tidy(value: f64) -> f64 {
    let power = 10_f64.powf(value.abs().max(1e-300).log10().floor());
    (value / power).round() * power
}
