//! Models: what there is to choose from, how it is set, fitted, and asked for scores.
//!
//! The [`CATALOG`] lists every kind with its parameters; [`check`] turns what was typed into
//! [`Settings`], and [`fit`] turns those and a matrix into a [`Predictor`]. A [`Model`] is a
//! predictor together with its fitted recipe, so that it takes a table as it comes. One file or
//! folder holds one family. The room knows neither splits nor screens.

mod averages;
mod catalog;
mod contract;
mod error;
mod fit;
pub mod foreign;
mod formula;
pub mod linear;
mod model;
pub mod network;
mod row;
mod score;
mod settings;

pub use averages::{Averages, Near};
pub(crate) use averages::{means, nearest};
pub use catalog::{CATALOG, KindInfo, ParamInfo, ParamKind, kind};
pub use contract::{Field, FieldKind, FieldRefusal, MissingPolicy, REQUIRED, contract, warning};
pub use error::{Error, FieldError};
pub use fit::{Aim, Fitted, Step, fit};
pub use formula::{Formula, FormulaTerm};
pub use model::{Link, Model, Predictor};
pub use row::{NeedsWindow, RowInput, RowScorer, weigh};
pub use score::scores_of;
pub use settings::{Settings, check};
