//! The fitted recipe: what it asks of a table, and the columns it makes.

use serde::{Deserialize, Serialize};

use super::{Plan, Recipe};
use crate::data::Kind;

/// How a column of the table is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// As a number.
    Number,
    /// As one of several levels.
    Levels,
    /// As days since 1970 and, where the recipe says so, month and weekday.
    Date,
}

/// A level that training saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// The value.
    pub name: String,
    /// Its share of the training rows.
    pub share: f64,
    /// Whether it was too rare to be kept, and is `other` now.
    pub merged: bool,
}

/// What the recipe asks of one column, and what that column was like in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The column's name.
    pub name: String,
    /// What it held in training.
    pub kind: Kind,
    /// How it is looked at.
    pub encoding: Encoding,
    /// Codes that count as missing.
    pub special: Vec<String>,
    /// The share of the training rows in which it was missing.
    pub missing: f64,
    /// The smallest value in training, of numbers and dates.
    pub min: Option<f64>,
    /// The largest value in training.
    pub max: Option<f64>,
    /// The mean of the values in training.
    pub mean: Option<f64>,
    /// The levels that training saw, in their order; empty for numbers.
    pub levels: Vec<Level>,
}

/// What of a value a column of the matrix looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "source")]
pub enum Source {
    /// The number itself (days since 1970 for a date).
    Number {
        /// What replaces a missing one.
        fill: f64,
        /// Smaller numbers are cut to this one.
        low: Option<f64>,
        /// Larger numbers are cut to this one.
        high: Option<f64>,
    },
    /// 1 where the value is missing, else 0.
    Missing,
    /// 1 at this level, else 0.
    Level {
        /// The level; `other` also stands for the levels merged into it, `missing` for no value.
        level: String,
    },
    /// 1 in this month, else 0.
    Month {
        /// From 0 for January.
        month: usize,
    },
    /// 1 on this day of the week, else 0.
    Weekday {
        /// From 0 for Monday.
        weekday: usize,
    },
}

/// One column of the matrix: its values are `(raw - offset) / scale`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// What it is called: `age`, `purpose = car`, `income is missing`.
    pub name: String,
    /// The column of the table that it comes from.
    pub column: String,
    /// What is looked at.
    pub source: Source,
    /// Taken off the raw value.
    pub offset: f64,
    /// Divides what is left.
    pub scale: f64,
}

/// The recipe with everything it learned from the training rows; replayed on any other table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FittedRecipe {
    /// The steps.
    pub recipe: Recipe,
    /// The input contract: one entry for each column it needs.
    pub inputs: Vec<Input>,
    /// The columns it makes, in their order; those of one input stand together.
    pub outputs: Vec<Output>,
    /// Features that do not vary in the training rows and were left out.
    pub constant: Vec<String>,
}

impl FittedRecipe {
    /// The names of the columns it makes.
    pub fn names(&self) -> Vec<String> {
        self.outputs.iter().map(|output| output.name.clone()).collect()
    }

    /// The size of its matrix for so many rows.
    pub fn plan(&self, n_rows: usize) -> Plan {
        Plan::new(n_rows, self.outputs.len())
    }

    /// What was left out and why, as a sentence; nothing when nothing was.
    pub fn warning(&self) -> Option<String> {
        let (verb, names) = match self.constant.as_slice() {
            [] => return None,
            [_] => ("does", &self.constant),
            _ => ("do", &self.constant),
        };
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        Some(format!(
            "{} {verb} not vary in the training rows and {} left out",
            names.join(", "),
            if names.len() == 1 { "was" } else { "were" }
        ))
    }
}
