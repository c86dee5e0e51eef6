//! What a network looks at: columns, and the rows before them, as one channels-last tensor.
//!
//! [`layout`] finds out from names and values (or takes from a person's words, [`SightSpec`])
//! which columns are the steps of a series, the pixels of an image, or the channels of a window
//! over rows in the order of time, and says what it took. [`fit`] learns mean and spread of each
//! channel on the training rows, and a [`FittedSight`] makes the tensor
//! `(rows, height, width, channels)` of any table that has the columns. A window never sees a row
//! after its own.

mod detect;
mod fitted;
mod row;
mod spec;
mod take;
#[cfg(test)]
mod tests;
mod words;

pub use fitted::{FittedChannel, FittedSight, fit};
pub use spec::{Along, Change, Channel, InputKind, Layout, SightSpec};
pub use take::layout;

use super::Error;

/// The error for words or columns that no tensor can be made of.
fn refuse(what: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::Sight { what: what.into(), hint: hint.into() }
}
