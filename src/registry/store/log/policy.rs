//! What of a column is kept.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use super::Seal;

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

/// What is kept of the columns of a model, as a person sets it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogPolicy {
    /// Of the columns that are not named.
    pub others: ColumnPolicy,
    /// By column.
    pub columns: BTreeMap<String, ColumnPolicy>,
}

impl LogPolicy {
    /// The policy of each of these columns.
    pub fn columns(&self, names: &[String]) -> Columns {
        let of = |name: &String| self.columns.get(name).copied().unwrap_or(self.others);
        Columns { policies: names.iter().map(of).collect(), names: names.to_vec() }
    }
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

/// What is kept of the values of a row, by column. It writes itself, since a row in between would
/// cost more than the database does.
pub(super) struct Kept<'a> {
    pub(super) columns: &'a Columns,
    pub(super) values: &'a [LoggedValue],
    pub(super) seal: &'a Seal,
}

impl Serialize for Kept<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Columns { names, policies } = self.columns;
        let mut kept = serializer.serialize_map(None)?;
        for ((name, policy), value) in names.iter().zip(policies).zip(self.values) {
            match (policy, value) {
                (ColumnPolicy::Drop, _) => {}
                (ColumnPolicy::Hash, value) if *value != LoggedValue::Missing => {
                    kept.serialize_entry(name, &hashed(name, value, self.seal))?;
                }
                (_, LoggedValue::Missing) => kept.serialize_entry(name, &())?,
                (_, LoggedValue::Number(number)) => kept.serialize_entry(name, number)?,
                (_, LoggedValue::Truth(truth)) => kept.serialize_entry(name, truth)?,
                (_, LoggedValue::Text(text)) => kept.serialize_entry(name, text)?,
            }
        }
        kept.end()
    }
}

/// The hash of a value with its column, so that equal values of two columns cannot be told.
pub(super) fn hashed(column: &str, value: &LoggedValue, seal: &Seal) -> String {
    let value = match value {
        LoggedValue::Missing => String::new(),
        LoggedValue::Number(number) => number.to_string(),
        LoggedValue::Truth(truth) => truth.to_string(),
        LoggedValue::Text(text) => text.to_string(),
    };
    seal.hash(&format!("{column}\0{value}"))
}
