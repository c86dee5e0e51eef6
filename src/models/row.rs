//! Scoring rows in hand, without a table: the one scorer again, for whoever has to answer at once.

use ndarray::ArrayView2;

use super::contract::{Field, FieldRefusal, MissingPolicy, contract};
use super::linear::{sigmoid, softmax};
use super::{Link, Model, Predictor};
use crate::features::{Cell, Given, Misfit, Remark, RowRecipe};

/// Where the values of a network's tensor come from.
#[derive(Clone, Debug)]
struct Seen {
    /// For each cell the place of its field.
    fields: Vec<usize>,
    /// For each field the codes that count as missing.
    special: Vec<Vec<f64>>,
}

/// A model made ready to score rows one by one.
///
/// It gives what [`Model::outputs`] gives for the same values: bit for bit for linear families, and
/// for networks as well, since both use the same kernels for every batch.
#[derive(Clone, Debug)]
pub struct RowScorer {
    /// The model.
    pub model: std::sync::Arc<Model>,
    /// What it asks of a row, in the order in which rows are given.
    pub fields: Vec<Field>,
    recipe: RowRecipe,
    seen: Option<Seen>,
}

/// A row taken in: what the model looks at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowInput {
    /// The row of the matrix.
    pub matrix: Vec<f64>,
    /// What a network looks at besides it.
    pub tensor: Vec<f32>,
    cells: Vec<Cell>,
}

/// A model cannot score rows one by one: it looks at the rows before each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the model looks at a window of rows, which a single row does not have")]
pub struct NeedsWindow;

impl RowScorer {
    /// Makes a model ready.
    ///
    /// # Errors
    ///
    /// When it looks at windows of rows.
    pub fn new(model: std::sync::Arc<Model>) -> Result<Self, NeedsWindow> {
        let fields = contract(&model);
        let recipe = RowRecipe::new(&model.recipe);
        let seen = match &model.sight {
            None => None,
            Some(sight) => {
                let cells = sight.cells().ok_or(NeedsWindow)?;
                let place = |name: &str| fields.iter().position(|field| field.name == name);
                let codes = |field: &Field| {
                    let own = sight.special.iter().filter(|(name, _)| *name == field.name);
                    own.flat_map(|(_, codes)| codes).filter_map(|c| c.parse().ok()).collect()
                };
                Some(Seen {
                    fields: cells.into_iter().filter_map(place).collect(),
                    special: fields.iter().map(codes).collect(),
                })
            }
        };
        Ok(Self { model, fields, recipe, seen })
    }

    /// How many numbers each row of the matrix has.
    pub fn n_columns(&self) -> usize {
        self.recipe.n_outputs()
    }

    /// Takes in a row, one value for each field, and tells `remark` what is worth counting in each.
    ///
    /// # Errors
    ///
    /// Names the first field whose value does not fit.
    pub fn take(
        &self,
        given: &[Given<'_>],
        policy: MissingPolicy,
        input: &mut RowInput,
        mut remark: impl FnMut(usize, Cell, Remark),
    ) -> Result<(), FieldRefusal> {
        input.cells.clear();
        let n = self.recipe.n_inputs();
        for (place, (given, field)) in given.iter().zip(&self.fields).enumerate() {
            // Nearly every value goes this way.
            if place < n
                && let Given::Number(value) = *given
                && self.recipe.is_usual(place, value)
            {
                input.cells.push(Cell::Number(value));
                remark(place, Cell::Number(value), Remark::Usual);
                continue;
            }
            let taken = if place < n {
                field.fits(*given).and_then(|()| self.recipe.take(place, *given))
            } else {
                self.take_number(place, *given)
            };
            let (cell, what) = taken.map_err(|misfit| field.refuse(misfit))?;
            if let Cell::Number(value) = cell
                && value.abs() > field.largest()
            {
                return Err(field.refuse(Misfit::TooLarge));
            }
            if what == Remark::Missing && !field.takes_missing(policy) {
                return Err(field.refuse(Misfit::NoMissing));
            }
            input.cells.push(cell);
            remark(place, cell, what);
        }
        input.matrix.resize(self.recipe.n_outputs(), 0.0);
        self.recipe.make(&input.cells, &mut input.matrix);
        input.tensor.clear();
        if let (Some(seen), Some(sight)) = (&self.seen, &self.model.sight) {
            let value = |(place, field): (usize, &usize)| {
                let value = match input.cells.get(*field) {
                    Some(Cell::Number(value)) => *value,
                    _ => f64::NAN,
                };
                sight.cell(place, value)
            };
            input.tensor.extend(seen.fields.iter().enumerate().map(value));
        }
        Ok(())
    }

    /// A value that only a network looks at.
    fn take_number(&self, place: usize, given: Given<'_>) -> Result<(Cell, Remark), Misfit> {
        let value = match given {
            Given::Missing => f64::NAN,
            Given::Number(value) => value,
            Given::Truth(_) | Given::Text(_) => return Err(Misfit::NoNumber),
            Given::Written(text) if text.trim().is_empty() => f64::NAN,
            Given::Written(text) => text.trim().parse().map_err(|_| Misfit::NoNumber)?,
        };
        let codes = self.seen.as_ref().map(|seen| seen.special[place].as_slice());
        if !value.is_finite() || codes.is_some_and(|codes| codes.contains(&value)) {
            return Ok((Cell::Number(f64::NAN), Remark::Missing));
        }
        let field = &self.fields[place];
        let remark = match (field.min, field.max) {
            (Some(min), _) if value < min => Remark::Below,
            (_, Some(max)) if value > max => Remark::Above,
            _ => Remark::Usual,
        };
        Ok((Cell::Number(value), remark))
    }

    /// Everything that the model tells of a row: the probability of each of several classes, else
    /// the one score. Returns the linear score behind it, of models that have one.
    pub fn outputs(&self, input: &RowInput, outputs: &mut Vec<f64>) -> Option<f64> {
        outputs.clear();
        match &self.model.predictor {
            Predictor::Constant(value) => outputs.push(*value),
            Predictor::Shares(shares) => outputs.extend(shares),
            Predictor::Linear { intercept, coefficients, link } => {
                let score = weigh(*intercept, coefficients, &input.matrix);
                outputs.push(if *link == Link::Logit { sigmoid(score) } else { score });
                return Some(score);
            }
            Predictor::Softmax { intercepts, coefficients } => {
                let own = intercepts.iter().zip(coefficients);
                outputs.extend(own.map(|(from, weights)| weigh(*from, weights, &input.matrix)));
                softmax(outputs);
            }
            other => {
                let n = input.matrix.len();
                let x = ArrayView2::from_shape((1, n), &input.matrix).expect("one row");
                outputs.extend(other.outputs(x, &input.tensor));
            }
        }
        None
    }

    /// The one score of a row's outputs: the only one, or the index of the largest.
    pub fn score(outputs: &[f64]) -> f64 {
        if let [one] = outputs {
            return *one;
        }
        let mut best = 0;
        for (class, value) in outputs.iter().enumerate() {
            if outputs[best] < *value {
                best = class;
            }
        }
        best as f64
    }
}

/// The linear score: the intercept, then one product after the other, as `score_rows` has it.
pub fn weigh(intercept: f64, coefficients: &[f64], row: &[f64]) -> f64 {
    let mut score = intercept;
    for (coefficient, value) in coefficients.iter().zip(row) {
        score += coefficient * value;
    }
    score
}
