//! The experiment: the whole question in one TOML file.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::data::{Overrides, SplitSpec, Step, Task};
use crate::features::Recipe;

/// The version of the file format that this program writes.
pub const VERSION: u32 = 1;

/// Which table, and how it is read and derived.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataSpec {
    /// The file, `-` for standard input, or `sample:NAME` for a sample within the program.
    pub path: PathBuf,
    /// The digest the file had when the experiment was written; a different one is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The delimiter, when it is not the one found by looking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// Whether the first line names the columns, when that is not found by looking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// What was done to the table after reading, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// What a person said about the columns.
    pub columns: Overrides,
}

/// What is to be predicted from what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Question {
    /// The column to predict; proposed when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The class that counts as positive, of two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
    /// Regression or classification, when not inferred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// Only these features, when not empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// Not these features.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
    /// Whether protected attributes may be features.
    pub use_protected: bool,
}

/// Which model, with which parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelSpec {
    /// The kind, as the catalog names it.
    pub kind: String,
    /// The parameters that differ from their defaults, as typed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
}

impl Default for ModelSpec {
    fn default() -> Self {
        Self { kind: "logistic".into(), set: BTreeMap::new() }
    }
}

/// What a decision costs when it is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Costs {
    /// Of calling a negative positive: a good customer turned away.
    pub false_positive: f64,
    /// Of calling a positive negative: a loan that is not paid back.
    pub false_negative: f64,
}

impl Default for Costs {
    fn default() -> Self {
        Self { false_positive: 1.0, false_negative: 1.0 }
    }
}

/// The whole question; the answer is a [`super::Run`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Experiment {
    /// The version of the format.
    pub version: u32,
    /// Which table.
    pub data: DataSpec,
    /// What is to be predicted.
    pub question: Question,
    /// Which rows train and which test.
    pub split: SplitSpec,
    /// Folds of cross-validation; 0 for none.
    pub cv: usize,
    /// How columns become a matrix.
    pub recipe: Recipe,
    /// Which model.
    pub model: ModelSpec,
    /// The costs that choose the threshold.
    pub costs: Costs,
}

impl Default for Experiment {
    fn default() -> Self {
        Self {
            version: VERSION,
            data: DataSpec::default(),
            question: Question::default(),
            split: SplitSpec::default(),
            cv: 0,
            recipe: Recipe::default(),
            model: ModelSpec::default(),
            costs: Costs::default(),
        }
    }
}
