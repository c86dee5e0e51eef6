//! Whether a model still sees what it was trained on, and is still as good: drift of columns and
//! scores, performance with and without the truth, and the alerts that come of them.
//!
//! A [`Watch`] holds the [`Reference`](crate::features::reference::Reference) that was frozen at
//! training. [`Watch::look`] compares a [`Window`] of counts and scores with it and gives a
//! [`WindowReport`]; its [`Alarm`]s are what becomes of it, and who is told is decided elsewhere.
//!
//! How often it cries wolf is set and not found out: every test of every column is corrected so
//! that a window in which nothing has changed is called drifted with at most the probability of
//! the [`Policy`]. The distances that other programs know ([`METHODS`]) say how large a difference
//! is, and have thresholds of their own. The room is pure: it knows no table, no file, no clock and
//! no server.

mod calibration;
pub mod cbpe;
mod column;
pub mod counts;
pub mod direct_loss;
pub mod distance;
#[cfg(test)]
mod fixtures;
mod isotonic;
pub mod limits;
mod methods;
mod performance;
#[cfg(test)]
mod tests;
pub mod two_samples;
mod watch;

pub use column::{Aspect, ColumnDrift, Test, compare};
pub use methods::{Kind, METHODS, Method, Pair, Scale, choose, method};
pub use performance::{MetricLimits, Outcomes, Performance, realised, watched};
pub use watch::{Alarm, AlarmKind, Demand, Policy, Watch, Window, WindowReport};
