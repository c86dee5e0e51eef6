//! Plots in text cells: curves, bars, intervals and matrices, each a plain struct or function.
//!
//! They know numbers and roles, and neither models nor tables. Undefined values are gaps; no
//! input and no area, however small, makes them panic.

mod axes;
mod bars;
mod canvas;
mod classes;
mod curve;
mod explained;
mod grid;
mod line;
mod picture;
mod scale;

pub use self::bars::{Histogram, bar, gauge, interval, signed_bar, sparkline};
pub use self::canvas::letter;
pub use self::classes::ClassGrid;
pub use self::explained::ExplainedSeries;
pub use self::grid::{ConfusionGrid, HeatMatrix};
pub use self::line::{Dash, LinePlot, Reading, Reference, Series};
pub use self::picture::{Picture, SignedMap, sign_legend};
pub use self::scale::{Axis, nice_ticks};
