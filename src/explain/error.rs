//! Why a row cannot be explained.

use crate::data;
use crate::features;
use crate::jobs::Cancelled;
use crate::models;

/// A row could not be explained.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such method.
    #[error("no method `{name}`\nhint: {hint}")]
    NoMethod {
        /// What was asked for.
        name: String,
        /// The nearest name, or all of them.
        hint: String,
    },
    /// The method does not fit the model.
    #[error("`{method}` cannot explain this model: {why}\nhint: {hint}")]
    NotThisModel {
        /// The method.
        method: &'static str,
        /// What is in the way.
        why: String,
        /// What would do.
        hint: &'static str,
    },
    /// The table has no such row.
    #[error("there is no row {row}\nhint: the table has rows 1 to {n_rows}")]
    NoRow {
        /// The 1-based row that was asked for.
        row: u32,
        /// Rows of the table.
        n_rows: usize,
    },
    /// The model has no such class.
    #[error("the model has no score for a class `{class}`\nhint: it has one for {known}")]
    NoClass {
        /// What was asked for.
        class: String,
        /// Its classes.
        known: String,
    },
    /// A model without any input.
    #[error("a `{kind}` says the same of every row, so there is nothing to explain")]
    Constant {
        /// The kind, as the catalog names it.
        kind: String,
    },
    /// The recipe refused the table.
    #[error(transparent)]
    Features(#[from] features::Error),
    /// The model refused.
    #[error(transparent)]
    Model(#[from] models::Error),
    /// The table refused.
    #[error(transparent)]
    Data(#[from] data::Error),
    /// The work was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}
