//! Models for other programs: written out in formats that run without karat.
//!
//! [`onnx()`] writes a model together with its recipe as an ONNX graph of standard operators, and
//! [`sql()`] a linear one as a statement. What
//! a format cannot say is refused with the column and the reason, never left out in silence. The
//! room knows models and their recipes, and neither files nor screens.

mod error;
pub mod mlmodel;
mod onnx;
mod sql;

pub use error::{Error, Refusal};
pub use onnx::{Exported, Port, Scope, onnx, onnx_network};
pub use sql::{Dialect, sql};
