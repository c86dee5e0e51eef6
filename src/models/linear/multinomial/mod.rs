//! Logistic regression of several classes.
//!
//! linfa-logistic's `MultiLogisticRegression` makes the start, a few iterations at a time so that
//! it can be watched and stopped, on columns that are scaled and clipped: its softmax takes off
//! the largest score of all rows instead of each row's own, and loses rows that lie far from it.
//! It knows no weights either, and does not say whether it met its optimum. So Newton's method on
//! the exact softmax goes on from there until the gradient is within the tolerance.
//!
//! Every class has coefficients of its own, with the penalty `alpha / 2` on their squares and none
//! on the intercepts. What all classes could share is determined by nothing: over the classes the
//! coefficients of a column add up to 0, and so do the intercepts, as in scikit-learn.

use linfa::traits::Fit as _;
use linfa::{DatasetBase, ParamGuard};
use linfa_logistic::MultiLogisticRegression;
use ndarray::{Array1, Array2};

use super::conjugate::{self, Moved};
use super::design::Design;
use super::error::{Error, guarded};
use super::final_model::scaled;
use super::lanes::max_abs;
use super::params::{Params, Solver};
use super::score::score_rows;
use super::softmax::{Place, Softmax};
use super::workers::Workers;
use super::{ClassWeight, Problem, Step, ValidParams, Warning, column_major};
use crate::jobs::Ctx;

/// Iterations of linfa between two looks at the loss.
const AT_ONCE: usize = 10;
/// linfa is called so often at most; what is left is done here.
const CALLS: usize = 5;
/// linfa is left when a call makes the objective fall by less than this share of it.
const WORTH: f64 = 0.01;
/// linfa's start is worth no larger copy of the columns than this, in numbers.
const LARGEST_COPY: usize = 1 << 21;
/// Scaled values beyond this are cut for linfa.
const CLIP: f64 = 10.0;
/// A gradient of the mean loss below this is an optimum where nothing better can be found.
const ROUNDING: f64 = 1e-6;

/// Coefficients of several classes, and what is known about them.
#[derive(Clone, Debug, PartialEq)]
pub struct MultinomialFit {
    /// The intercept of each class; minus infinity for one that no row has, which makes its
    /// probability 0.
    pub intercepts: Vec<f64>,
    /// For each class one coefficient for each column of the matrix, on its scale.
    pub coefficients: Vec<Vec<f64>>,
    /// What a person should know.
    pub warnings: Vec<Warning>,
    /// The way to the optimum.
    pub history: Vec<Step>,
    /// Whether the optimum was met within the tolerance.
    pub converged: bool,
    /// Iterations of linfa and of Newton's method together.
    pub iterations: usize,
    /// Mean log-loss of the training rows, without the penalty.
    pub loss: f64,
}

/// Fits the probabilities of `n_classes` classes; the target holds their indices, from 0.
///
/// # Errors
/// When there is nothing to be learned from the rows, or `ctx` is cancelled.
///
/// ```
/// use karat::jobs::Ctx;
/// use karat::models::linear::{Family, Params, Problem, fit_classes};
/// use ndarray::{Array2, ShapeBuilder};
///
/// let x = Array2::from_shape_vec((6, 1).f(), vec![0.0, 1.0, 4.0, 5.0, 8.0, 9.0]).unwrap();
/// let y = [0.0, 0.0, 1.0, 1.0, 2.0, 2.0];
/// let names = ["size".to_string()];
/// let problem = Problem { x: x.view(), y: &y, weights: None, names: &names };
/// let params = Params::new(Family::Logistic).check().unwrap();
/// let fit = fit_classes(&problem, 3, None, &params, &Ctx::quiet()).unwrap();
/// assert!(fit.converged && fit.coefficients[0][0] < 0.0 && 0.0 < fit.coefficients[2][0]);
/// ```
pub fn fit_classes(
    problem: &Problem,
    n_classes: usize,
    valid: Option<&Problem>,
    params: &ValidParams,
    ctx: &Ctx,
) -> Result<MultinomialFit, Error> {
    let workers = Workers::for_numbers(problem.x.len());
    fit_with(problem, n_classes, valid, params, workers, ctx)
}

fn fit_with(
    problem: &Problem,
    n_classes: usize,
    valid: Option<&Problem>,
    params: &ValidParams,
    workers: Workers,
    ctx: &Ctx,
) -> Result<MultinomialFit, Error> {
    if let Some(copy) = column_major(problem.x) {
        let problem = Problem { x: copy.view(), ..*problem };
        return fit_with(&problem, n_classes, valid, params, workers, ctx);
    }
    let params = params.get();
    if matches!(params.solver, Solver::Gd | Solver::Sgd) {
        return Err(Error::SolverClasses { solver: params.solver });
    }
    problem.check_shape()?;
    let classes = Classes::of(problem, n_classes, params)?;
    // The design looks at columns and weights; the classes it sees are one against the others.
    let first = classes.present[0] as f64;
    let against: Vec<f64> = problem.y.iter().map(|y| f64::from(u8::from(*y == first))).collect();
    let plain = Params { class_weight: ClassWeight::None, ..params.clone() };
    let seen = Problem { x: problem.x.view(), y: &against, ..*problem };
    let (design, mut warnings) = Design::new(&seen, &plain, workers, ctx)?;
    if params.class_weight != ClassWeight::None {
        warnings.push(Warning::ClassWeights);
    }
    let penalties = design.penalties(params.alpha, params.standardize);
    let softmax = Softmax {
        design: &design,
        class: &classes.of_row,
        weight: &classes.weight,
        n_classes: classes.present.len(),
        penalties: &penalties,
        total_weight: classes.weight.iter().sum(),
    };
    let watch = Watch { valid, classes: &classes, n_classes, ctx };
    let mut way = Way::start(&softmax, &watch, params, ctx)?;
    let is_known_to_linfa = problem.weights.is_none() && params.class_weight == ClassWeight::None;
    let is_plain = params.standardize || params.alpha == 0.0;
    let is_small = problem.y.len() * design.columns().len() <= LARGEST_COPY;
    if is_known_to_linfa && is_plain && is_small {
        way.by_linfa(&softmax, &watch, params)?;
    }
    way.by_newton(&softmax, &watch, params)?;
    warnings.extend(way.remark(params.alpha));
    let (intercepts, coefficients) = watch.unscaled(&softmax, &way.beta);
    Ok(MultinomialFit {
        intercepts,
        coefficients,
        warnings,
        converged: way.converged,
        iterations: way.iterations,
        loss: way.place.loss / softmax.total_weight,
        history: way.history,
    })
}

/// Which classes there are among the rows.
struct Classes {
    /// Those with a row that counts, in order.
    present: Vec<usize>,
    /// The place among them of each row's class.
    of_row: Vec<usize>,
    /// How much each row counts, its class included.
    weight: Vec<f64>,
}

impl Classes {
    fn of(problem: &Problem, n_classes: usize, params: &Params) -> Result<Self, Error> {
        let is_class = |y: f64| y.fract() == 0.0 && (0.0..n_classes as f64).contains(&y);
        if let Some(row) = problem.y.iter().position(|y| !is_class(*y)) {
            return Err(Error::NoClass { row: row + 1, value: problem.y[row], n_classes });
        }
        let mut weight = problem.weights.map_or_else(|| vec![1.0; problem.y.len()], <[_]>::to_vec);
        let mut totals = vec![0.0; n_classes];
        for (y, weight) in problem.y.iter().zip(&weight) {
            totals[*y as usize] += weight;
        }
        let present: Vec<usize> = (0..n_classes).filter(|class| 0.0 < totals[*class]).collect();
        if present.len() < 2 {
            return Err(Error::OneClass);
        }
        let all: f64 = totals.iter().sum();
        match params.class_weight {
            ClassWeight::None => {}
            ClassWeight::Balanced => {
                for (y, weight) in problem.y.iter().zip(&mut weight) {
                    let total = totals[*y as usize];
                    *weight *= if 0.0 < total { all / (present.len() as f64 * total) } else { 0.0 };
                }
            }
            ClassWeight::Given { .. } => return Err(Error::PairOfWeights { n_classes }),
        }
        let place = |y: &f64| present.binary_search(&(*y as usize)).unwrap_or(0);
        Ok(Self { of_row: problem.y.iter().map(place).collect(), present, weight })
    }
}

/// What is looked at after each step.
struct Watch<'a, 'b> {
    valid: Option<&'a Problem<'b>>,
    classes: &'a Classes,
    n_classes: usize,
    ctx: &'a Ctx,
}

impl Watch<'_, '_> {
    /// Intercepts and coefficients of all classes on the scale of the matrix.
    fn unscaled(&self, softmax: &Softmax, beta: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
        let mut intercepts = vec![f64::NEG_INFINITY; self.n_classes];
        let mut coefficients = vec![vec![0.0; softmax.design.n_features()]; self.n_classes];
        for (place, class) in self.classes.present.iter().enumerate() {
            let own: Vec<f64> =
                beta.chunks_exact(softmax.n_classes).map(|unknown| unknown[place]).collect();
            (intercepts[*class], coefficients[*class]) = softmax.design.unscale(&own);
        }
        let present = &self.classes.present;
        let n = present.len() as f64;
        if softmax.design.has_intercept() {
            let mean = present.iter().map(|class| intercepts[*class]).sum::<f64>() / n;
            for class in present {
                intercepts[*class] -= mean;
            }
        }
        let mean = |column: usize| {
            present.iter().map(|class| coefficients[*class][column]).sum::<f64>() / n
        };
        let means: Vec<f64> = (0..softmax.design.n_features()).map(mean).collect();
        for class in present {
            for (coefficient, mean) in coefficients[*class].iter_mut().zip(&means) {
                *coefficient -= mean;
            }
        }
        (intercepts, coefficients)
    }

    /// The mean log-loss of the validation rows.
    fn valid_loss(&self, softmax: &Softmax, beta: &[f64]) -> Option<f64> {
        let valid = self.valid?;
        let (intercepts, coefficients) = self.unscaled(softmax, beta);
        let scores: Vec<Vec<f64>> = intercepts
            .iter()
            .zip(&coefficients)
            .map(|(intercept, own)| score_rows(valid.x, *intercept, own))
            .collect();
        let (mut sum, mut total) = (0.0, 0.0);
        let mut row_scores = vec![0.0; self.n_classes];
        for (row, y) in valid.y.iter().enumerate() {
            row_scores.iter_mut().zip(&scores).for_each(|(to, scores)| *to = scores[row]);
            super::softmax::softmax(&mut row_scores);
            let weight = valid.weights.map_or(1.0, |weights| weights[row]);
            sum += weight * -row_scores.get(*y as usize)?.clamp(f64::EPSILON, 1.0).ln();
            total += weight;
        }
        Some(sum / total).filter(|mean| mean.is_finite())
    }
}

/// Where the fit is, and how it came there.
struct Way {
    beta: Vec<f64>,
    place: Place,
    history: Vec<Step>,
    iterations: usize,
    converged: bool,
    /// Whether every row has the right class, so that without a penalty there is no optimum.
    is_separated: bool,
}

impl Way {
    fn start(softmax: &Softmax, watch: &Watch, params: &Params, ctx: &Ctx) -> Result<Self, Error> {
        let beta = vec![0.0; softmax.n_unknowns()];
        let place = softmax.at(&beta, ctx)?;
        let mut way = Self {
            beta,
            place,
            history: Vec::new(),
            iterations: 0,
            converged: false,
            is_separated: false,
        };
        way.tell(softmax, watch, params)?;
        Ok(way)
    }

    /// The largest component of the gradient of the mean loss.
    fn slope(&self, softmax: &Softmax) -> f64 {
        max_abs(&self.place.gradient) / softmax.total_weight
    }

    fn tell(&mut self, softmax: &Softmax, watch: &Watch, params: &Params) -> Result<(), Error> {
        let loss = self.place.loss / softmax.total_weight;
        let valid_loss = watch.valid_loss(softmax, &self.beta);
        let grad_norm = Some(self.slope(softmax));
        self.history.push(Step { iteration: self.iterations, loss, valid_loss, grad_norm });
        let mut measured = vec![("loss", loss)];
        measured.extend(valid_loss.map(|loss| ("valid_loss", loss)));
        Ok(watch.ctx.step(self.iterations, params.max_iter, measured)?)
    }

    /// Lets linfa go on for as long as that makes the exact objective fall.
    fn by_linfa(&mut self, softmax: &Softmax, watch: &Watch, params: &Params) -> Result<(), Error> {
        let design = softmax.design;
        let mut x = scaled(design);
        x.mapv_inplace(|value| value.clamp(-CLIP, CLIP));
        let dataset = DatasetBase::new(x.view(), Array1::from(softmax.class.to_vec()));
        for _ in 0..CALLS {
            let at_once = AT_ONCE.min(params.max_iter - self.iterations);
            if at_once == 0 || self.slope(softmax) <= params.tol {
                break;
            }
            let model = MultiLogisticRegression::default()
                .alpha(params.alpha)
                .with_intercept(design.has_intercept())
                .gradient_tolerance(params.tol * softmax.total_weight)
                .max_iterations(at_once as u64)
                .initial_params(self.in_linfas_order(softmax));
            // Whatever stops linfa stops nothing else: the exact method goes on from here.
            let Ok(model) = guarded(|| model.check()) else { break };
            let Ok(fitted) = guarded(|| model.fit(&dataset)) else { break };
            let mut beta: Vec<f64> = Vec::with_capacity(self.beta.len());
            if design.has_intercept() {
                beta.extend(fitted.intercept());
            }
            beta.extend(fitted.params().iter());
            if beta.len() != self.beta.len() || !beta.iter().all(|value| value.is_finite()) {
                break;
            }
            let place = softmax.at(&beta, watch.ctx)?;
            if self.place.objective <= place.objective {
                break;
            }
            let fall = 1.0 - place.objective / self.place.objective;
            (self.beta, self.place) = (beta, place);
            self.iterations += at_once;
            self.tell(softmax, watch, params)?;
            if fall < WORTH {
                break;
            }
        }
        Ok(())
    }

    /// The unknowns as linfa has them, the intercepts last.
    fn in_linfas_order(&self, softmax: &Softmax) -> Array2<f64> {
        let (k, first) = (softmax.n_classes, softmax.design.first());
        let (intercepts, coefficients) = self.beta.split_at(first * k);
        let values = [coefficients, intercepts].concat();
        Array2::from_shape_vec((softmax.design.n_unknowns(), k), values)
            .expect("one number for unknown and class")
    }

    /// Goes to the optimum of the exact objective.
    fn by_newton(
        &mut self,
        softmax: &Softmax,
        watch: &Watch,
        params: &Params,
    ) -> Result<(), Error> {
        loop {
            if params.alpha == 0.0 && self.place.n_wrong == 0 {
                self.is_separated = true;
                return Ok(());
            }
            if self.slope(softmax) <= params.tol {
                self.converged = true;
                return Ok(());
            }
            if params.max_iter <= self.iterations {
                return Ok(());
            }
            match conjugate::step(softmax, &self.beta, &self.place, watch.ctx)? {
                Moved::To(beta, place) => (self.beta, self.place) = (beta, place),
                Moved::Nowhere => {
                    self.converged = self.slope(softmax) <= ROUNDING.max(params.tol);
                    return Ok(());
                }
            }
            self.iterations += 1;
            self.tell(softmax, watch, params)?;
        }
    }

    fn remark(&self, alpha: f64) -> Option<Warning> {
        if self.is_separated {
            return Some(Warning::ClassesSeparated);
        }
        let remedy = if alpha == 0.0 {
            "raise `max_iter`, or set `alpha` above 0"
        } else {
            "raise `max_iter`, or `alpha`"
        };
        (!self.converged).then_some(Warning::NotConverged { iterations: self.iterations, remedy })
    }
}

#[cfg(test)]
mod tests;
