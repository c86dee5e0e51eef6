//! Logistic regression by linfa-logistic's own L-BFGS, a few iterations at a time.
//!
//! linfa tells nothing while it works and cannot be stopped, so that it is called again and again
//! from where it was. Its memory of the curvature is lost each time; the optimum is the same.

use linfa_logistic::LogisticRegression;
use ndarray::Array1;

use super::design::Design;
use super::error::Error;
use super::final_model::{Sign, columns_of, run, scaled};
use super::lanes::max_abs;
use super::params::Params;
use super::pass::{Loss, Method, curvature, slope};
use super::record::{Record, half_penalty, with_penalty};
use super::reduce::reduce;
use super::{Fit, Inference, Problem, Warning, inference, newton};
use crate::jobs::Ctx;

/// Iterations between two looks at the loss.
const AT_ONCE: usize = 5;
/// A step of Newton's method that is longer than this did not start at the optimum.
const FAR: f64 = 0.1;

/// Fits until the gradient is within the tolerance, or no longer falls.
pub(super) fn fit(
    mut design: Design,
    mut warnings: Vec<Warning>,
    problem: &Problem,
    valid: Option<&Problem>,
    params: &Params,
    ctx: &Ctx,
) -> Result<Fit, Error> {
    if design.is_weighted() {
        return Err(Error::LbfgsWeights);
    }
    let mut record = Record::new(Loss::Logistic, valid, params.max_iter, ctx);
    let alpha = params.alpha;
    if alpha == 0.0 {
        let none = |design: &Design| design.penalties(0.0, true);
        let reduced = reduce(&mut design, 0.5, none, ctx)?;
        if !reduced.dropped.is_empty() {
            warnings.push(Warning::Collinear { columns: reduced.dropped });
        }
    }
    let penalties = design.penalties(alpha, params.standardize);
    // Without a penalty the scale is free, and scaled columns are reached in fewer iterations.
    let on_scaled = params.standardize || alpha == 0.0;
    let copy;
    let x = if on_scaled {
        copy = scaled(&design);
        copy.view()
    } else if design.columns().len() < design.n_features() {
        copy = columns_of(&design);
        copy.view()
    } else {
        problem.x.view()
    };
    let sign = Sign::of(&design).factor();
    let mut beta = vec![0.0; design.n_unknowns()];
    let mut pass = slope(&design, Loss::Logistic, &beta, ctx)?;
    let mut objective = pass.loss;
    let mut downhill = pass.downhill.clone();
    record.add(&design, 0, &beta, pass.loss, Some(&downhill))?;
    let mut iteration = 0;
    let slack = |tol: f64| tol * design.total_weight;
    while iteration < params.max_iter && slack(params.tol) < max_abs(&downhill) {
        let at_once = AT_ONCE.min(params.max_iter - iteration);
        let initial = Array1::from(linfa_order(&design, &beta, on_scaled)) * sign;
        let model = LogisticRegression::default()
            .alpha(alpha)
            .with_intercept(design.has_intercept())
            .gradient_tolerance(slack(params.tol))
            .max_iterations(at_once as u64)
            .initial_params(initial);
        let found = run(model, x, &design)?;
        let next = if on_scaled {
            let intercept = design.has_intercept().then_some(found.intercept);
            intercept.into_iter().chain(found.coefficients).collect()
        } else {
            design.scale(found.intercept, &found.coefficients)
        };
        iteration += at_once;
        beta = next;
        pass = slope(&design, Loss::Logistic, &beta, ctx)?;
        downhill = with_penalty(pass.downhill.clone(), &penalties, &beta);
        record.add(&design, iteration, &beta, pass.loss, Some(&downhill))?;
        if alpha == 0.0 && pass.n_wrong == 0 {
            break;
        }
        let reached = pass.loss + half_penalty(&penalties, &beta);
        if objective - reached <= 1e-14 * objective {
            break;
        }
        objective = reached;
    }

    // A search along a line sees the loss, which cannot show a gradient below the root of its
    // rounding.
    let mut converged = max_abs(&downhill) <= slack(params.tol.max(1e-6));
    let mut triangle = None;
    if alpha == 0.0 {
        let method = Method::Reflections;
        triangle = curvature(&design, Loss::Logistic, &beta, &penalties, method, ctx)?.curvature;
        let step = triangle.as_ref().map(|r| r.solve(r.solve_transposed(&downhill)));
        // A flat place may also be the way to infinity.
        converged &= matches!(step, Some(Ok(step)) if max_abs(&step) < FAR);
    }
    let (intercept, coefficients) = design.unscale(&beta);
    let mut fit = Fit::start(&design, intercept, coefficients, warnings);
    fit.describe_logistic(&design, pass.loss, alpha);
    fit.iterations = iteration;
    fit.history = record.steps;
    fit.converged = converged;
    if !converged {
        let remedy = "raise `max_iter`, or use solver `irls`";
        let reason = match separation(design, problem, params, ctx)? {
            Some(separation) => {
                fit.inference = Inference::separated();
                separation
            }
            None => Warning::NotConverged { iterations: iteration, remedy },
        };
        fit.warnings.push(reason);
    } else if 0.0 < alpha {
        fit.inference = Inference::penalised(alpha);
    } else if !problem.weights_are_counts() {
        fit.inference = Inference::row_weights();
    } else if let Some(triangle) = triangle {
        fit.inference = inference::of_logistic(&design, &fit, &triangle);
    }
    Ok(fit)
}

/// What Newton's method finds to be separated, which L-BFGS alone does not see.
fn separation(
    design: Design,
    problem: &Problem,
    params: &Params,
    ctx: &Ctx,
) -> Result<Option<Warning>, Error> {
    if 0.0 < params.alpha {
        return Ok(None);
    }
    let fit = newton::fit(design, Vec::new(), problem, None, params, &ctx.silent())?;
    Ok(fit.warnings.into_iter().find(|warning| matches!(warning, Warning::Separation { .. })))
}

/// Coefficients in linfa's order, the intercept last, on the scale of its matrix.
fn linfa_order(design: &Design, beta: &[f64], on_scaled: bool) -> Vec<f64> {
    let (intercept, mut coefficients) = if on_scaled {
        (beta[0], beta[design.first()..].to_vec())
    } else {
        let (intercept, all) = design.unscale(beta);
        (intercept, design.places().iter().map(|place| all[*place]).collect())
    };
    if design.has_intercept() {
        coefficients.push(intercept);
    }
    coefficients
}
