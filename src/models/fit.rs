//! Fitting: checked settings and a matrix in, a predictor out.

use super::linear::{self, Inference, Problem, ValidParams};
use super::settings::Settings;
use super::{Error, Link, Predictor};
use crate::jobs::{Ctx, Sheet};

/// A predictor, and what became known while it was fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// From matrix to score.
    pub predictor: Predictor,
    /// Standard errors on the scale of the matrix, or why there are none; nothing for a kind that
    /// has no coefficients.
    pub inference: Option<Inference>,
    /// What a person should know.
    pub warnings: Vec<linear::Warning>,
    /// How the fit went, a sentence each; nothing to worry about.
    pub notes: Vec<String>,
    /// How the layers of a network are at its end; empty for other families.
    pub sheet: Sheet,
    /// The loss at each step.
    pub history: Vec<Step>,
    /// Whether the fit met its tolerance.
    pub converged: bool,
    /// Iterations taken.
    pub iterations: usize,
}

/// One iteration or epoch of a fit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// Counted from 0, the state before the first step.
    pub iteration: usize,
    /// Mean squared error or mean log-loss of the training rows, without any penalty.
    pub loss: f64,
    /// The same of the validation rows, when there are any.
    pub valid_loss: Option<f64>,
    /// Accuracy on the training rows, of classes.
    pub metric: Option<f64>,
    /// The same on the validation rows.
    pub valid_metric: Option<f64>,
    /// Length of a step.
    pub learning_rate: Option<f64>,
    /// Size of the gradient.
    pub grad_norm: Option<f64>,
    /// Seconds since the fit began.
    pub seconds: Option<f64>,
}

impl From<linear::Step> for Step {
    fn from(step: linear::Step) -> Self {
        Self {
            iteration: step.iteration,
            loss: step.loss,
            valid_loss: step.valid_loss,
            grad_norm: step.grad_norm,
            ..Self::default()
        }
    }
}

/// What a model is to tell of each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// A number.
    Number,
    /// The probability of an event; the target is 1 where it happened, else 0.
    Event,
    /// The probability of each of so many classes; the target is the index of the class.
    Classes(usize),
}

/// Fits what the settings say; the loss of `valid` is only watched.
pub fn fit(
    settings: &Settings,
    aim: Aim,
    problem: &Problem,
    valid: Option<&Problem>,
    ctx: &Ctx,
) -> Result<Fitted, Error> {
    match settings {
        // A network is fitted by `network::fit`, which sees more than a matrix.
        Settings::Baseline | Settings::Network(_) => Ok(baseline(aim, problem)),
        Settings::Linear(params) => {
            let params = params.clone().check().map_err(|errors| Error::Fields {
                kind: "linear",
                fields: errors
                    .into_iter()
                    .map(|error| super::FieldError {
                        field: error.field.to_owned(),
                        message: error.message,
                        hint: String::new(),
                    })
                    .collect(),
            })?;
            match aim {
                Aim::Classes(n) => several_classes(&params, n, problem, valid, ctx),
                Aim::Number | Aim::Event => linear_family(&params, problem, valid, ctx),
            }
        }
    }
}

/// The weighted mean of the target, or the share of each class.
fn baseline(aim: Aim, problem: &Problem) -> Fitted {
    let weight = |row: usize| problem.weights.map_or(1.0, |weights| weights[row]);
    let total: f64 = (0..problem.y.len()).map(weight).sum();
    let share = |sum: f64| if total > 0.0 { sum / total } else { 0.0 };
    let predictor = if let Aim::Classes(n_classes) = aim {
        let mut sums = vec![0.0; n_classes];
        for (row, class) in problem.y.iter().enumerate() {
            sums[*class as usize] += weight(row);
        }
        Predictor::Shares(sums.into_iter().map(share).collect())
    } else {
        let sum = problem.y.iter().enumerate().map(|(row, y)| weight(row) * y).sum();
        Predictor::Constant(share(sum))
    };
    Fitted {
        predictor,
        inference: None,
        warnings: Vec::new(),
        history: Vec::new(),
        notes: Vec::new(),
        sheet: Sheet::default(),
        converged: true,
        iterations: 1,
    }
}

fn several_classes(
    params: &ValidParams,
    n_classes: usize,
    problem: &Problem,
    valid: Option<&Problem>,
    ctx: &Ctx,
) -> Result<Fitted, Error> {
    let fit = linear::fit_classes(problem, n_classes, valid, params, ctx)?;
    Ok(Fitted {
        predictor: Predictor::Softmax {
            intercepts: fit.intercepts,
            coefficients: fit.coefficients,
        },
        inference: None,
        warnings: fit.warnings,
        history: fit.history.into_iter().map(Into::into).collect(),
        notes: Vec::new(),
        sheet: Sheet::default(),
        converged: fit.converged,
        iterations: fit.iterations,
    })
}

fn linear_family(
    params: &ValidParams,
    problem: &Problem,
    valid: Option<&Problem>,
    ctx: &Ctx,
) -> Result<Fitted, Error> {
    let fit = linear::fit(problem, valid, params, ctx)?;
    let link = match params.get().family {
        linear::Family::Logistic => Link::Logit,
        linear::Family::Linear | linear::Family::Ridge => Link::Identity,
    };
    Ok(Fitted {
        predictor: Predictor::Linear {
            intercept: fit.intercept,
            coefficients: fit.coefficients,
            link,
        },
        inference: Some(fit.inference),
        warnings: fit.warnings,
        history: fit.history.into_iter().map(Into::into).collect(),
        notes: Vec::new(),
        sheet: Sheet::default(),
        converged: fit.converged,
        iterations: fit.iterations,
    })
}
