//! The input contract: which columns a model asks for, and what it takes in them.

use crate::data::{Kind, truth_of};
use crate::features::reference::Shape;
use crate::features::sight::FittedSight;
use crate::features::{Encoding, Given, Input, Misfit, Remark};

use super::Model;

/// What is said of a field that has no value and needs one.
pub const REQUIRED: &str = "a value is required";

/// What a column has to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Numbers.
    Number,
    /// One of several levels.
    Level,
    /// Dates, such as `2024-12-31`.
    Date,
    /// True or false.
    Truth,
}

impl FieldKind {
    /// The word for it in documents and errors.
    pub fn word(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Level => "level",
            Self::Date => "date",
            Self::Truth => "boolean",
        }
    }
}

/// A column that a model asks for, as training saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The name of the column.
    pub name: String,
    /// What it has to hold.
    pub kind: FieldKind,
    /// The smallest number in training.
    pub min: Option<f64>,
    /// The largest number in training.
    pub max: Option<f64>,
    /// The levels that training saw, in their order.
    pub levels: Vec<String>,
    /// The share of the training rows in which it was missing.
    pub missing: f64,
}

/// What becomes of a missing value in a column that had none in training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingPolicy {
    /// The row is refused; columns that had missing values in training take them.
    #[default]
    AsTrained,
    /// It is filled as the recipe fills, in any column.
    Fill,
    /// Missing values are refused in every column.
    Refuse,
}

/// The columns that a model asks for: those of its recipe, then those that only a network looks at.
pub fn contract(model: &Model) -> Vec<Field> {
    let recipe = &model.recipe;
    let mut fields: Vec<Field> = recipe
        .inputs
        .iter()
        .map(|input| Field {
            name: input.name.clone(),
            kind: match (input.encoding, input.kind) {
                (_, Kind::Boolean) if is_truth(input) => FieldKind::Truth,
                (Encoding::Number, _) => FieldKind::Number,
                (Encoding::Date, _) => FieldKind::Date,
                (Encoding::Levels, _) => FieldKind::Level,
            },
            min: input.min,
            max: input.max,
            levels: input.levels.iter().map(|level| level.name.clone()).collect(),
            missing: input.missing,
        })
        .collect();
    for name in model.sight.iter().flat_map(FittedSight::columns) {
        if fields.iter().all(|field| field.name != name) {
            let [min, max] = seen_in_training(model, name);
            fields.push(Field {
                name: name.to_owned(),
                kind: FieldKind::Number,
                min,
                max,
                levels: Vec::new(),
                missing: 0.0,
            });
        }
    }
    fields
}

/// The least and the largest value of a column that only a network looks at.
fn seen_in_training(model: &Model, name: &str) -> [Option<f64>; 2] {
    let columns = model.reference.iter().flat_map(|reference| &reference.columns);
    match columns.into_iter().find(|column| column.name == name).map(|column| &column.shape) {
        Some(Shape::Numbers { sample, .. }) => [sample.first().copied(), sample.last().copied()],
        _ => [None; 2],
    }
}

/// Whether a column of two values is one of true and false, rather than of other words for them.
fn is_truth(input: &Input) -> bool {
    let mut levels = input.levels.iter();
    input.encoding == Encoding::Number || levels.all(|level| truth_of(&level.name).is_some())
}

/// Why a row was refused: which field, and what is the matter with it. The value itself is never
/// told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field `{field}`: {what}")]
pub struct FieldRefusal {
    /// The name of the column.
    pub field: String,
    /// What is the matter, without the value.
    pub what: String,
}

/// No number that is asked about is larger than this, unless training saw such.
const LARGEST: f64 = 1e18;
/// Nor is it so many times as large as the largest of training.
const TIMES: f64 = 1e3;

impl Field {
    /// The largest number that is taken, of either sign: far beyond it a score would not be finite.
    pub fn largest(&self) -> f64 {
        let seen = self.min.unwrap_or(0.0).abs().max(self.max.unwrap_or(0.0).abs());
        LARGEST.max((TIMES * seen).min(f64::MAX))
    }

    /// Whether a missing value is taken under this policy.
    pub fn takes_missing(&self, policy: MissingPolicy) -> bool {
        match policy {
            MissingPolicy::Fill => true,
            MissingPolicy::AsTrained => self.missing > 0.0,
            MissingPolicy::Refuse => false,
        }
    }

    pub(super) fn refuse(&self, misfit: Misfit) -> FieldRefusal {
        let what = match misfit {
            Misfit::NoNumber => "a number is expected".to_owned(),
            Misfit::NoDate => "a date such as `2024-12-31` is expected".to_owned(),
            Misfit::NoLevel => format!("one of its {} known levels is expected", self.levels.len()),
            Misfit::NoMissing => REQUIRED.to_owned(),
            Misfit::TooLarge => {
                format!("a number from -{0:e} to {0:e} is expected", self.largest())
            }
        };
        FieldRefusal { field: self.name.clone(), what }
    }

    /// A value is of another sort than the column: not one that could be read as such.
    pub(super) fn fits(&self, given: Given<'_>) -> Result<(), Misfit> {
        match (self.kind, given) {
            (FieldKind::Number, Given::Truth(_)) => Err(Misfit::NoNumber),
            (FieldKind::Date, Given::Truth(_)) => Err(Misfit::NoDate),
            _ => Ok(()),
        }
    }
}

/// Whether a remark is worth a warning to the caller.
pub fn warning(field: &Field, remark: Remark) -> Option<String> {
    let what = match remark {
        Remark::Usual => return None,
        Remark::Missing if field.missing > 0.0 => return None,
        Remark::Missing => "missing, as it never was in training, and filled",
        Remark::Unseen => "training never saw this level",
        Remark::Below => "below every value in training",
        Remark::Above => "above every value in training",
    };
    Some(format!("field `{}`: {what}", field.name))
}
