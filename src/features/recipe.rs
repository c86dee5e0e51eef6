//! The recipe: how columns become a matrix, before anything is fitted.

use serde::{Deserialize, Serialize};

/// What replaces a missing number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impute {
    /// The mean of the training rows.
    Mean,
    /// The median of the training rows.
    #[default]
    Median,
    /// The most frequent value of the training rows.
    MostFrequent,
    /// The value of [`Recipe::constant`].
    Constant,
}

/// What a level that training never saw, or saw too rarely, becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unseen {
    /// The level `other`, into which rare levels are merged; all dummies 0 when there is none.
    #[default]
    Other,
    /// The level that stands for a missing value.
    Missing,
    /// An error that names the level and the row.
    Error,
}

/// How numbers are scaled before the model sees them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// As they are; the linear families scale for themselves.
    #[default]
    None,
    /// Mean 0, standard deviation 1 (divisor n).
    Standard,
    /// Smallest 0, largest 1.
    MinMax,
    /// Median 0, interquartile range 1.
    Robust,
}

/// What becomes of a date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dates {
    /// Left out.
    Drop,
    /// Days since 1970.
    Days,
    /// Days since 1970, month and weekday (as categories).
    #[default]
    Parts,
}

/// The preparation steps, unfitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recipe {
    /// What replaces a missing number.
    pub impute: Impute,
    /// The value for [`Impute::Constant`].
    pub constant: f64,
    /// Whether a column that has missing values gets a 0/1 column `NAME is missing` beside it.
    pub missing_indicator: bool,
    /// Levels with a smaller share of the training rows than this are merged into `other`.
    pub rare: f64,
    /// What an unseen level becomes.
    pub unseen: Unseen,
    /// How numbers are scaled.
    pub scale: Scale,
    /// What becomes of dates.
    pub dates: Dates,
    /// Numbers are cut at this quantile and its mirror image; 0 leaves them.
    pub winsorise: f64,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            impute: Impute::default(),
            constant: 0.0,
            missing_indicator: true,
            rare: 0.01,
            unseen: Unseen::default(),
            scale: Scale::default(),
            dates: Dates::default(),
            winsorise: 0.0,
        }
    }
}
