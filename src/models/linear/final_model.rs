//! The optimum as a model of linfa-logistic.
//!
//! Without weights linfa starts from our optimum on the same matrix, and finds that there is
//! nothing left to do. Where its objective is another one, because of weights, or where the scaled
//! matrix would have to be copied at great cost, it takes the coefficients as they are.

use linfa::traits::Fit as _;
use linfa::{DatasetBase, ParamGuard};
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, ArrayView2, ShapeBuilder};

use super::Problem;
use super::design::{Chunk, Design};
use super::error::{Error, guarded};
use super::params::Params;
use super::pass::{Loss, slope};
use super::record::half_penalty;
use crate::jobs::Ctx;

/// The largest scaled copy that is made for a confirmation, in numbers.
const LARGEST_COPY: usize = 1 << 21;

/// Intercept and coefficients, on the scale of the matrix, of linfa's model at the optimum `beta`.
pub(super) fn confirm(
    design: &Design,
    problem: &Problem,
    params: &Params,
    beta: &[f64],
    converged: bool,
    ctx: &Ctx,
) -> Result<(f64, Vec<f64>), Error> {
    let own = design.unscale(beta);
    let compact = |(intercept, all): &(f64, Vec<f64>)| {
        (*intercept, design.places().iter().map(|place| all[*place]).collect::<Vec<_>>())
    };
    let raw = params.alpha == 0.0 || !params.standardize;
    let whole = design.columns().len() == design.n_features();
    let small = design.y.len() * design.columns().len() <= LARGEST_COPY;
    if design.is_weighted() || !converged || !(raw && whole || small) {
        let (intercept, coefficients) = compact(&own);
        let held = held(design, intercept, coefficients)?;
        return Ok(spread(design, held));
    }
    ctx.note("confirming the optimum");
    // Scaled columns and their coefficients, or those of the matrix itself.
    let copy;
    let (x, (intercept, mut initial)) = if !raw {
        copy = scaled(design);
        let intercept = if design.has_intercept() { beta[0] } else { 0.0 };
        (copy.view(), (intercept, beta[design.first()..].to_vec()))
    } else if whole {
        (problem.x.view(), compact(&own))
    } else {
        copy = columns_of(design);
        (copy.view(), compact(&own))
    };
    if design.has_intercept() {
        initial.push(intercept);
    }
    let initial = Array1::from(initial) * Sign::of(design).factor();
    let model = LogisticRegression::default()
        .alpha(params.alpha)
        .with_intercept(design.has_intercept())
        .gradient_tolerance(tolerance(design, raw))
        .max_iterations(20)
        .initial_params(initial.clone());
    let linfa = run(model, x, design)?;
    if linfa.untouched(&initial) {
        return Ok(own);
    }
    // linfa went on from our optimum; it is asked whether that was for the better.
    let theirs = if raw {
        design.scale(linfa.intercept, &linfa.coefficients)
    } else {
        let intercept = design.has_intercept().then_some(linfa.intercept);
        intercept.into_iter().chain(linfa.coefficients).collect()
    };
    let penalties = design.penalties(params.alpha, params.standardize);
    let objective = |beta: &[f64]| -> Result<f64, Error> {
        let pass = slope(design, Loss::Logistic, beta, ctx)?;
        Ok(pass.loss + half_penalty(&penalties, beta))
    };
    if objective(&theirs)? < objective(beta)? { Ok(design.unscale(&theirs)) } else { Ok(own) }
}

/// What linfa's model says, with the sign that belongs to class 1.
pub(super) struct Found {
    pub(super) intercept: f64,
    pub(super) coefficients: Vec<f64>,
}

impl Found {
    fn untouched(&self, initial: &Array1<f64>) -> bool {
        let same = |a: f64, b: &f64| a.abs() == b.abs();
        self.coefficients.iter().zip(initial).all(|(a, b)| same(*a, b))
            && initial.get(self.coefficients.len()).is_none_or(|b| same(self.intercept, b))
    }
}

/// Which class linfa takes as positive: the more frequent one, the first seen in a tie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Same,
    Flipped,
}

impl Sign {
    pub(super) fn of(design: &Design) -> Self {
        let positive = design.y.iter().filter(|y| 0.5 < **y).count();
        let negative = design.y.len() - positive;
        let first = design.y.first().is_some_and(|y| 0.5 < *y);
        if negative < positive || negative == positive && first {
            Self::Same
        } else {
            Self::Flipped
        }
    }

    pub(super) fn factor(self) -> f64 {
        match self {
            Self::Same => 1.0,
            Self::Flipped => -1.0,
        }
    }
}

/// linfa's tolerance for the gradient of the summed loss: 1e-4 of the mean loss for a column of
/// the size 1, as in scikit-learn.
fn tolerance(design: &Design, raw: bool) -> f64 {
    let size = if raw {
        design.moments().iter().fold(1.0_f64, |size, m| size.max(m.mean.hypot(m.std)))
    } else {
        1.0
    };
    1e-4 * design.total_weight * size
}

/// Fits on `x`, and reads from the model which class it calls positive.
pub(super) fn run(
    model: LogisticRegression<f64>,
    x: ArrayView2<f64>,
    design: &Design,
) -> Result<Found, Error> {
    let classes: Array1<bool> = design.y.iter().map(|y| 0.5 < *y).collect();
    run_on(model, &DatasetBase::new(x, classes))
}

fn run_on(
    model: LogisticRegression<f64>,
    dataset: &DatasetBase<ArrayView2<f64>, Array1<bool>>,
) -> Result<Found, Error> {
    let model = guarded(|| model.check())?;
    let fitted = guarded(|| model.fit(dataset))?;
    let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
    let coefficients: Vec<f64> = fitted.params().iter().map(|value| sign * value).collect();
    let intercept = sign * fitted.intercept();
    if coefficients.iter().chain([&intercept]).all(|value| value.is_finite()) {
        Ok(Found { intercept, coefficients })
    } else {
        Err(Error::Linfa("the coefficients are not finite".into()))
    }
}

/// linfa's model with given coefficients: no iterations, on two rows that name the classes.
fn held(design: &Design, intercept: f64, coefficients: Vec<f64>) -> Result<Found, Error> {
    let x = Array2::zeros((2, coefficients.len()));
    let mut initial = coefficients;
    if design.has_intercept() {
        initial.push(intercept);
    }
    let model = LogisticRegression::default()
        .alpha(0.0)
        .with_intercept(design.has_intercept())
        .initial_params(Array1::from(initial))
        .max_iterations(0);
    let dataset = DatasetBase::new(x.view(), Array1::from(vec![true, false]));
    run_on(model, &dataset)
}

/// Coefficients of the columns left, among those of all columns.
fn spread(design: &Design, found: Found) -> (f64, Vec<f64>) {
    let mut all = vec![0.0; design.n_features()];
    for (place, value) in design.places().iter().zip(found.coefficients) {
        all[*place] = value;
    }
    (found.intercept, all)
}

/// The columns left, as a matrix of their own.
pub(super) fn columns_of(design: &Design) -> Array2<f64> {
    let shape = (design.y.len(), design.columns().len());
    Array2::from_shape_vec(shape.f(), design.columns().concat())
        .expect("all columns have one value for each row")
}

/// The scaled columns, without the column of ones.
pub(super) fn scaled(design: &Design) -> Array2<f64> {
    let (n, k) = (design.y.len(), design.n_unknowns());
    let mut chunk = Chunk { x: vec![0.0; n * k], stride: n };
    design.fill(0..n, &mut chunk);
    let columns = chunk.x.split_off(design.first() * n);
    Array2::from_shape_vec((n, k - design.first()).f(), columns)
        .expect("all columns have one value for each row")
}
