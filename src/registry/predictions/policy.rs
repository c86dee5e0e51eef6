//! What of a column is kept.

use serde::{Deserialize, Serialize};

/// What becomes of the values of a column in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnPolicy {
    /// They are kept as they are.
    #[default]
    Keep,
    /// A keyed hash of them is kept: equal values can be told, and nothing else.
    Hash,
    /// They are left out.
    Drop,
}

/// The columns of a model with what is kept of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Their names.
    pub names: Vec<String>,
    /// What is kept of each.
    pub policies: Vec<ColumnPolicy>,
}

/// A value on its way into the log.
#[derive(Clone, Debug, PartialEq)]
pub enum LoggedValue {
    /// Nothing.
    Missing,
    /// A number.
    Number(f64),
    /// True or false.
    Truth(bool),
    /// A word.
    Text(Box<str>),
}
