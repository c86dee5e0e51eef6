//! The families of models as subjects: the only place that knows what they are.

use ndarray::{Array2, ArrayView2};

use super::network::NetworkSubject;
use super::permutation::N_PAIRS;
use super::{Error, Explainer, Layout, Space, Subject, fitting};
use crate::data::Table;
use crate::features::reference::Shape;
use crate::features::{Encoding, FittedRecipe, Output, Source};
use crate::jobs::Ctx;
use crate::models::foreign::ForeignModel;
use crate::models::{Link, Model, Predictor, linear, scores_of};
use crate::nn::Loss;
use crate::rng::{Seed, stream};

/// One output of the model as a subject over [`inputs`]: that of the class at this place, where
/// each of several has one.
pub(super) fn subject(model: &Model, class: usize) -> Result<Box<dyn Subject + '_>, Error> {
    let linear = |intercept: f64, coefficients| Linear {
        intercept,
        coefficients,
        reference: match &model.averages {
            Some(averages) => averages.all.clone(),
            None => training_means(&model.recipe),
        },
    };
    Ok(match &model.predictor {
        Predictor::Constant(_) | Predictor::Shares(_) => {
            return Err(Error::Constant { kind: model.kind.clone() });
        }
        Predictor::Linear { intercept, coefficients, .. } => {
            Box::new(linear(*intercept, coefficients))
        }
        Predictor::Softmax { intercepts, coefficients } => {
            Box::new(linear(intercepts[class], &coefficients[class]))
        }
        Predictor::Foreign(foreign) => Box::new(Foreign {
            model: foreign,
            out: if foreign.n_outputs() == 1 { 0 } else { class },
            background: background(model),
        }),
        Predictor::Network(fitted) => {
            let out = if fitted.network().n_out == 1 { 0 } else { class };
            let subject = NetworkSubject::new(fitted.network(), out);
            Box::new(subject.in_unit(fitted.scale, fitted.offset))
        }
    })
}

/// What the model sees of a row: what a network looks at, then the columns of the matrix.
pub(super) fn inputs(
    model: &Model,
    table: &Table,
    position: u32,
    ctx: &Ctx,
) -> Result<Vec<f64>, Error> {
    let mut inputs = Vec::new();
    if let Some(sight) = &model.sight {
        inputs.extend(sight.tensor(table, &[position], ctx)?.into_iter().map(f64::from));
    }
    if !model.recipe.outputs.is_empty() {
        inputs.extend(model.recipe.matrix(table, &[position], ctx)?.iter());
    }
    Ok(inputs)
}

/// The predicted one of several classes.
pub(super) fn best_class(model: &Model, inputs: &[f64]) -> usize {
    let n = inputs.len() - model.recipe.outputs.len();
    let seen: Vec<f32> = inputs[..n].iter().map(|value| *value as f32).collect();
    let x = ArrayView2::from_shape((1, inputs.len() - n), &inputs[n..]).expect("one row");
    scores_of(&model.predictor.outputs(x, &seen)).first().map_or(0, |best| *best as usize)
}

/// The surest method that fits a model.
pub(super) fn usual(model: &Model) -> Result<&'static Explainer, Error> {
    fitting(model).into_iter().next().ok_or_else(|| Error::Constant { kind: model.kind.clone() })
}

/// The scale of a model's score.
pub(super) fn space(model: &Model) -> Space {
    match &model.predictor {
        Predictor::Linear { link: Link::Logit, .. } => Space::LogOdds,
        Predictor::Softmax { .. } => Space::ClassScore,
        // What a stranger tells is all that is known of it.
        Predictor::Linear { .. }
        | Predictor::Constant(_)
        | Predictor::Shares(_)
        | Predictor::Foreign(_) => Space::Value,
        Predictor::Network(fitted) => match fitted.loss {
            Loss::BinaryCrossEntropy => Space::LogOdds,
            Loss::SoftmaxCrossEntropy => Space::ClassScore,
            Loss::Squared | Loss::Huber { .. } => Space::Value,
        },
    }
}

/// A weighted sum of the columns; for classes on the scale of log-odds.
struct Linear<'a> {
    intercept: f64,
    coefficients: &'a [f64],
    reference: Vec<f64>,
}

impl Subject for Linear<'_> {
    fn layout(&self) -> Layout {
        Layout::flat(self.coefficients.len())
    }

    fn reference(&self) -> Vec<f64> {
        self.reference.clone()
    }

    fn scores(&self, rows: ArrayView2<f64>) -> Vec<f64> {
        linear::score_rows(rows, self.intercept, self.coefficients)
    }

    fn gradients(&self, rows: ArrayView2<f64>) -> Option<Array2<f64>> {
        Some(Array2::from_shape_fn(rows.dim(), |(_, i)| self.coefficients[i]))
    }

    fn coefficients(&self) -> Option<Vec<f64>> {
        Some(self.coefficients.to_vec())
    }
}

/// What a model made elsewhere tells, as it tells it: a number or a probability.
struct Foreign<'a> {
    model: &'a ForeignModel,
    out: usize,
    background: Array2<f64>,
}

impl Subject for Foreign<'_> {
    fn layout(&self) -> Layout {
        Layout::flat(self.model.n_features())
    }

    fn reference(&self) -> Vec<f64> {
        self.background.row(0).to_vec()
    }

    fn background(&self) -> Array2<f64> {
        self.background.clone()
    }

    fn scores(&self, rows: ArrayView2<f64>) -> Vec<f64> {
        match self.model.outputs(rows) {
            Ok(outputs) => outputs.column(self.out).to_vec(),
            Err(_) => vec![f64::NAN; rows.nrows()],
        }
    }

    fn gradients(&self, _: ArrayView2<f64>) -> Option<Array2<f64>> {
        None
    }
}

/// Rows made of the values that each column had in the reference, drawn one column at a time; a
/// single row of zeros where there is no reference.
fn background(model: &Model) -> Array2<f64> {
    let n_columns = model.recipe.outputs.len();
    let Some(reference) = &model.reference else { return Array2::zeros((1, n_columns)) };
    let mut rows = Array2::zeros((N_PAIRS, n_columns));
    for (output, mut column) in model.recipe.outputs.iter().zip(rows.columns_mut()) {
        let own = reference.columns.iter().find(|own| own.name == output.column);
        let Some(Shape::Numbers { sample, .. }) = own.map(|own| &own.shape) else { continue };
        let mut rng = stream(Seed(7), &output.name);
        for cell in &mut column {
            let raw = sample.get(rng.below(sample.len().max(1))).copied();
            *cell = (raw.unwrap_or(0.0) - output.offset) / output.scale;
        }
    }
    rows
}

/// The mean of each column of the matrix over the training rows, as far as the recipe kept it:
/// where numbers are cut at their ends the mean before the cut stands for it, and a month or
/// weekday is measured from the first one.
fn training_means(recipe: &FittedRecipe) -> Vec<f64> {
    recipe
        .outputs
        .iter()
        .map(|output| (mean(recipe, output) - output.offset) / output.scale)
        .collect()
}

fn mean(recipe: &FittedRecipe, output: &Output) -> f64 {
    let Some(input) = recipe.inputs.iter().find(|input| input.name == output.column) else {
        return 0.0;
    };
    match &output.source {
        Source::Number { fill, low, high } => {
            let known = input.mean.unwrap_or(*fill);
            let known = low.map_or(known, |low| known.max(low));
            let known = high.map_or(known, |high| known.min(high));
            known + input.missing * (fill - known)
        }
        Source::Missing => input.missing,
        Source::Level { level } if input.encoding == Encoding::Levels => {
            let groups = recipe.groups(input);
            let is_here = |group: Option<u32>| {
                group.is_some_and(|group| groups.names[group as usize] == *level)
            };
            let seen = input.levels.iter().filter(|seen| is_here(groups.of_level(seen)));
            let missing = if is_here(groups.missing) { input.missing } else { 0.0 };
            seen.map(|seen| seen.share).sum::<f64>() + missing
        }
        Source::Level { .. } | Source::Month { .. } | Source::Weekday { .. } => 0.0,
    }
}
