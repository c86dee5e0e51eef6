//! From columns to a matrix: impute, encode, scale, cut, always as learned from training rows.
//!
//! A [`Recipe`] says how. [`fit`] looks at the training rows and gives a [`FittedRecipe`], which
//! is the input contract of a model and makes a column-major matrix of any table that has its
//! columns. How large the matrix will be is known before ([`Plan`]), and one that would not fit
//! into memory is refused. The room knows nothing of models.

mod calendar;
mod cells;
mod error;
mod fit;
mod fitted;
mod groups;
mod matrix;
mod plan;
mod recipe;
#[path = "frozen.rs"]
pub mod reference;
mod row;
pub mod sight;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use fit::fit;
pub use fitted::{Encoding, FittedRecipe, Input, Level, Output, Source};
pub use groups::Groups;
pub use plan::{Plan, memory_budget};
pub use recipe::{Dates, Impute, Recipe, Scale, Unseen};
pub use row::{Cell, Given, Misfit, Remark, RowRecipe};
