//! What can go wrong between a table and a matrix.

use crate::data;
use crate::data::Kind;
use crate::jobs::Cancelled;

/// A table could not be turned into a matrix.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The table lacks columns that the recipe was fitted on.
    #[error("the table has no column {}\nhint: {hint}", quoted(names))]
    MissingColumns {
        /// All of them.
        names: Vec<String>,
        /// The nearest name, or which columns there are.
        hint: String,
    },
    /// A column cannot be a feature as it is.
    #[error(
        "column `{column}` is {kind} and cannot be a feature\nhint: leave it out, or set its kind to category or number"
    )]
    NotAFeature {
        /// Which column.
        column: String,
        /// What it holds.
        kind: Kind,
    },
    /// A level that training never saw, under the policy that this is an error.
    #[error(
        "row {row}: column `{column}` is {level}, which training never saw\nhint: set `unseen` to `other` or `missing`"
    )]
    Unseen {
        /// Which column.
        column: String,
        /// The level in backticks, or `missing`.
        level: String,
        /// The 1-based row of the source.
        row: u32,
    },
    /// No column is left to learn from.
    #[error("no feature is left{why}\nhint: choose other features, or use `baseline`")]
    NoFeatures {
        /// Why, with a colon before it; empty when none was given.
        why: String,
    },
    /// There are no rows to fit the recipe on.
    #[error("there are no training rows\nhint: keep back fewer rows to test")]
    NoRows,
    /// The matrix would not fit into memory.
    #[error(
        "{rows} rows x {columns} columns would take {} MB, and {} MB may be used\nhint: leave out columns with many levels, raise `rare`, or take fewer rows",
        bytes >> 20,
        budget >> 20
    )]
    TooLarge {
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
        /// Bytes it would take.
        bytes: u64,
        /// Bytes that may be used.
        budget: u64,
    },
    /// Columns or rows cannot become what a network looks at.
    #[error("{what}\nhint: {hint}")]
    Sight {
        /// What is wrong with them.
        what: String,
        /// What to do.
        hint: String,
    },
    /// The table refused.
    #[error(transparent)]
    Data(#[from] data::Error),
    /// The work was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
