//! Linear, ridge and logistic regression, fitted through linfa.
//!
//! linfa's own fits copy the matrix or go over it far too often, know no weights and cannot be
//! watched or stopped. Here the rows are reduced, chunk by chunk on all processors, to a triangle
//! of the size of the coefficients; linfa-linear solves the triangle, alone for least squares and
//! within Newton's method for logistic regression, whose optimum is then handed to linfa-logistic
//! as the final model. Several classes are fitted by Newton's method with conjugate gradients, from
//! where linfa-logistic comes to. Chunks and sums have a fixed order, so that a fit is the same bit for bit
//! whatever the number of threads.
//!
//! The room knows matrices and names of columns; it knows nothing of tables or recipes.
//!
//! ```
//! use karat::jobs::Ctx;
//! use karat::models::linear::{Family, Params, Problem, fit};
//! use ndarray::{Array2, ShapeBuilder};
//!
//! let x = Array2::from_shape_vec((4, 1).f(), vec![1.0, 2.0, 3.0, 4.0]).unwrap();
//! let names = ["age".to_string()];
//! let problem = Problem { x: x.view(), y: &[3.0, 5.0, 7.0, 9.0], weights: None, names: &names };
//! let params = Params::new(Family::Linear).check().unwrap();
//! let line = fit(&problem, None, &params, &Ctx::quiet()).unwrap();
//! assert!((line.intercept - 1.0).abs() < 1e-12 && (line.coefficients[0] - 2.0).abs() < 1e-12);
//! ```

mod closed;
mod conjugate;
mod descent;
mod design;
mod distribution;
mod error;
mod final_model;
mod inference;
mod lanes;
mod lbfgs;
mod moments;
mod multinomial;
mod newton;
mod params;
mod pass;
mod record;
mod reduce;
mod score;
mod separation;
mod softmax;
#[cfg(test)]
mod tests;
mod triangle;
mod warning;
mod workers;

use ndarray::{Array2, ArrayView2, Axis, ShapeBuilder};

use crate::jobs::Ctx;

use design::Design;
use workers::Workers;

pub use error::Error;
pub use inference::{CoefficientStats, Inference, OddsRatio};
pub use multinomial::{MultinomialFit, fit_classes};
pub use params::{ClassWeight, Family, FieldError, Params, Solver, ValidParams};
pub use score::{score_rows, sigmoid};
pub(super) use softmax::softmax;
pub use warning::Warning;

/// What is to be fitted: features, target, and how much each row counts.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// Features (rows, columns). Column-major is fast; any other order is copied first.
    pub x: ArrayView2<'a, f64>,
    /// The target: numbers, 0 and 1 for logistic regression, or the indices of several classes.
    pub y: &'a [f64],
    /// How precise each row is (analytic weights): they multiply the loss of a row and enter the
    /// information matrix, while the residual variance still divides by the number of rows less
    /// the number of coefficients. Rows of weight 0 do not count.
    pub weights: Option<&'a [f64]>,
    /// What the columns are called, for messages.
    pub names: &'a [String],
}

impl Problem<'_> {
    /// Whether every weight is whole, so that a row stands for so many rows like it.
    fn weights_are_counts(&self) -> bool {
        self.weights.is_none_or(|weights| weights.iter().all(|weight| weight.fract() == 0.0))
    }
}

/// One iteration or epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Counted from 0, the state before the first step.
    pub iteration: usize,
    /// Mean squared error or mean log-loss of the training rows, without the penalty.
    pub loss: f64,
    /// The same of the validation rows, when there are any.
    pub valid_loss: Option<f64>,
    /// Largest component of the gradient of the mean loss with penalty, on scaled columns.
    pub grad_norm: Option<f64>,
}

/// A fitted linear score, and what is known about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The score of a row of zeros; 0 when none was fitted.
    pub intercept: f64,
    /// One for each column of the matrix, on its scale; 0 for columns that were left out.
    pub coefficients: Vec<f64>,
    /// Standard errors and what follows from them, or why there are none.
    pub inference: Inference,
    /// What a person should know.
    pub warnings: Vec<Warning>,
    /// The way to the optimum; empty for the closed form.
    pub history: Vec<Step>,
    /// Whether the optimum was met within the tolerance.
    pub converged: bool,
    /// Iterations or epochs taken; 1 for the closed form.
    pub iterations: usize,
    /// Rows with a weight above 0.
    pub n: usize,
    /// Sum of the weights, those of the classes included; `n` without weights.
    pub weight_sum: f64,
    /// Coefficients that were estimated, the intercept included.
    pub rank: usize,
    /// Mean squared error or mean log-loss of the training rows, without the penalty.
    pub loss: f64,
    /// Of the normal distribution with the variance `rss / n`, or of the classes.
    pub log_likelihood: f64,
    /// Residual sum of squares, or twice the negative log-likelihood of the classes.
    pub deviance: f64,
    /// The deviance of a model with the intercept alone (without one: of the score 0).
    pub null_deviance: f64,
    /// Akaike's criterion; as in R, the variance of a linear model counts as a parameter. `None`
    /// under a penalty or class weights.
    pub aic: Option<f64>,
    /// Residual variance with the divisor `n - rank`; `None` for classifiers, under a penalty, and
    /// when no degree of freedom is left.
    pub sigma2: Option<f64>,
}

/// Fits what `params` say, and reports the loss at each step.
///
/// `valid` holds rows that are only watched: their loss stands in the history of the iterative
/// solvers.
///
/// # Errors
/// When there is nothing to be learned from the rows, a descent diverges, or `ctx` is cancelled.
pub fn fit(
    problem: &Problem,
    valid: Option<&Problem>,
    params: &ValidParams,
    ctx: &Ctx,
) -> Result<Fit, Error> {
    fit_with(problem, valid, params, Workers::for_numbers(problem.x.len()), ctx)
}

fn fit_with(
    problem: &Problem,
    valid: Option<&Problem>,
    params: &ValidParams,
    workers: Workers,
    ctx: &Ctx,
) -> Result<Fit, Error> {
    if let Some(copy) = column_major(problem.x) {
        let problem = Problem { x: copy.view(), ..*problem };
        return fit_with(&problem, valid, params, workers, ctx);
    }
    if let Some(valid) = valid {
        valid.check_shape()?;
        expect("validation columns", problem.x.ncols(), valid.x.ncols())?;
    }
    let params = params.get();
    let (design, mut warnings) = Design::new(problem, params, workers, ctx)?;
    let unpenalised = params.alpha == 0.0 && matches!(params.solver, Solver::Closed | Solver::Irls);
    if unpenalised && design.n_rows < design.n_unknowns() {
        let (rows, unknowns) = (design.n_rows, design.n_unknowns());
        return Err(Error::TooFewRows { rows, unknowns });
    }
    if params.class_weight != ClassWeight::None {
        warnings.push(Warning::ClassWeights);
    }
    match params.solver {
        Solver::Closed => closed::fit(design, warnings, params, ctx),
        Solver::Irls => newton::fit(design, warnings, problem, valid, params, ctx),
        Solver::Lbfgs => lbfgs::fit(design, warnings, problem, valid, params, ctx),
        Solver::Gd | Solver::Sgd => descent::fit(&design, warnings, valid, params, ctx),
    }
}

/// A copy with one column after the other, unless the matrix has that order already.
fn column_major(x: ArrayView2<f64>) -> Option<Array2<f64>> {
    x.columns().into_iter().any(|column| column.to_slice().is_none()).then(|| {
        let mut copy = Array2::zeros(x.dim().f());
        copy.assign(&x);
        copy
    })
}

impl<'a> Problem<'a> {
    /// The columns as slices, once all lengths agree.
    fn check_shape(&self) -> Result<Vec<&'a [f64]>, Error> {
        let (n_rows, n_columns) = self.x.dim();
        expect("rows", n_rows, self.y.len())?;
        expect("rows", n_rows, self.weights.map_or(n_rows, <[f64]>::len))?;
        expect("columns", n_columns, self.names.len())?;
        if n_rows == 0 {
            return Err(Error::NoRows);
        }
        let column = |j| self.x.index_axis_move(Axis(1), j).to_slice();
        Ok((0..n_columns).filter_map(column).collect())
    }
}

fn expect(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::Shape { what, expected, found }) }
}
