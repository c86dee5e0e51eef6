//! Neural networks as models: from typed parameters to a trained network that scores.
//!
//! [`Params`] say which network (in words, see [`crate::nn::spec`]) and how it is trained;
//! [`fit`] trains it epoch by epoch, watches the validation rows, keeps the best weights, puts
//! itself aside every few seconds, and goes on exactly where it was when it is started again. The
//! room `nn` does the arithmetic; here it meets targets, classes and jobs.

mod checkpoint;
mod error;
mod feed;
mod finder;
mod fit;
mod fitted;
mod params;
mod ready;
mod record;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use feed::Seen;
pub use fit::fit;
pub use fitted::FittedNetwork;
pub use params::{LossKind, Optimizer, Params, Rate, ScheduleKind};
pub(super) use ready::read;
pub use ready::{DEFAULTS, ready_made};
