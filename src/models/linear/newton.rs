//! Logistic regression by iteratively reweighted least squares.
//!
//! Each step of Newton's method is a weighted least squares problem; it is reduced to a triangle
//! and solved by linfa-linear. From coefficients of 0 all curvatures are 1/4, so that the first
//! step is the plain regression of the classes, which also finds collinear columns.

use super::design::Design;
use super::error::Error;
use super::lanes::{add_scaled, max_abs};
use super::params::Params;
use super::pass::{Loss, Method, curvature};
use super::record::{Record, half_penalty, with_penalty};
use super::reduce::reduce;
use super::{Fit, Inference, Problem, Warning, final_model, inference, separation};
use crate::jobs::Ctx;

/// After so many halvings a step is as good as none.
const HALVINGS: usize = 30;
/// With more rows than this, a sample of them is fitted first.
const MANY: usize = 200_000;
/// The sample: every so many-th chunk.
const EVERY: usize = 16;
/// From steps of this length on errors square; the loss before such a step is that of the optimum.
const SHORT: f64 = 1e-4;
/// By then Newton's method has settled, unless the optimum lies at infinity.
const SETTLED: usize = 5;

/// Fits to the optimum, or to where it is clear that there is none.
pub(super) fn fit(
    mut design: Design,
    mut warnings: Vec<Warning>,
    problem: &Problem,
    valid: Option<&Problem>,
    params: &Params,
    ctx: &Ctx,
) -> Result<Fit, Error> {
    let mut record = Record::new(Loss::Logistic, valid, params.max_iter, ctx);
    let alpha = params.alpha;
    let first_penalties = |design: &Design| design.penalties(4.0 * alpha, params.standardize);
    let reduced = reduce(&mut design, 0.5, first_penalties, ctx)?;
    if !reduced.dropped.is_empty() {
        warnings.push(Warning::Collinear { columns: reduced.dropped });
    }
    let penalties = design.penalties(alpha, params.standardize);
    let mut beta = vec![0.0; design.n_unknowns()];
    let mut loss = std::f64::consts::LN_2 * design.total_weight;
    let mut objective = loss;
    let mut step: Vec<f64> =
        reduced.triangle.solve_last()?.into_iter().map(|value| 4.0 * value).collect();
    record.add(&design, 0, &beta, loss, None)?;
    if MANY < design.y.len() {
        step = sampled_start(&design, step, &penalties, reduced.method, ctx)?;
    }
    let mut size = max_abs(&step);
    let mut triangle = None;
    let mut ending = None;
    for iteration in 1..=params.max_iter {
        let before = objective;
        let mut halvings = 0;
        let pass = loop {
            let mut candidate = beta.clone();
            add_scaled(&mut candidate, 1.0, &step);
            let pass =
                curvature(&design, Loss::Logistic, &candidate, &penalties, reduced.method, ctx)?;
            let reached = pass.loss + half_penalty(&penalties, &candidate);
            if reached <= objective * (1.0 + 1e-12) || halvings == HALVINGS {
                (beta, objective, loss) = (candidate, reached, pass.loss);
                break pass;
            }
            halvings += 1;
            for value in &mut step {
                *value *= 0.5;
            }
        };
        let downhill = with_penalty(pass.downhill, &penalties, &beta);
        record.add(&design, iteration, &beta, loss, Some(&downhill))?;
        if alpha == 0.0 && pass.n_wrong == 0 {
            ending = Some(Ending::Separated { direction: beta.clone(), complete: true });
            break;
        }
        triangle = pass.curvature;
        let next = triangle.as_ref().map(|r| r.solve(r.solve_transposed(&downhill)));
        let Some(Ok(next)) = next else {
            // The curvature has vanished: every row is as good as certain.
            if alpha == 0.0 && separation::is_separating(&design, &step, ctx)? {
                ending = Some(Ending::Separated { direction: step.clone(), complete: false });
            }
            break;
        };
        step = next;
        let old_size = std::mem::replace(&mut size, max_abs(&step));
        // Errors square with each step, so that with many rows the one after is known beforehand.
        // Standard errors come from the place before the step, and are given one step more.
        let is_known = alpha != 0.0 && MANY < design.y.len() && size < SHORT;
        let left = if is_known { (size / old_size).powi(2).min(1.0) * size } else { size };
        if left <= params.tol * (1.0 + max_abs(&beta)) {
            add_scaled(&mut beta, 1.0, &step);
            ending = Some(Ending::Converged);
            break;
        }
        if SETTLED <= iteration && 0.5 * old_size < size {
            if alpha == 0.0 && separation::is_separating(&design, &step, ctx)? {
                ending = Some(Ending::Separated { direction: step.clone(), complete: false });
                break;
            }
            if (before - objective).abs() <= 1e-15 * objective {
                // As close as rounding lets it come.
                ending = Some(Ending::Converged);
                break;
            }
        }
    }

    let iterations = record.steps.len() - 1;
    let converged = matches!(ending, Some(Ending::Converged));
    let (intercept, coefficients) =
        final_model::confirm(&design, problem, params, &beta, converged, ctx)?;
    let mut fit = Fit::start(&design, intercept, coefficients, warnings);
    fit.describe_logistic(&design, loss, alpha);
    fit.converged = converged;
    fit.iterations = iterations;
    fit.history = record.steps;
    match ending {
        Some(Ending::Converged) => {
            fit.inference = match triangle {
                _ if 0.0 < alpha => Inference::penalised(alpha),
                _ if design.has_class_weights() => Inference::class_weights(),
                _ if !problem.weights_are_counts() => Inference::row_weights(),
                Some(triangle) => inference::of_logistic(&design, &fit, &triangle),
                None => Inference::not_converged(),
            };
        }
        Some(Ending::Separated { direction, complete }) => {
            fit.warnings.push(separation::warning(&design, problem, &direction, complete));
            fit.inference = Inference::separated();
        }
        None => fit.warnings.push(Warning::NotConverged {
            iterations,
            remedy: "raise `max_iter`, or set `alpha` above 0",
        }),
    }
    Ok(fit)
}

/// Coefficients near the optimum, from a sample of the rows; never worse on it than `beta`.
fn sampled_start(
    design: &Design,
    mut beta: Vec<f64>,
    penalties: &[f64],
    method: Method,
    ctx: &Ctx,
) -> Result<Vec<f64>, Error> {
    let sample = design.thinned(EVERY);
    let share = 1.0 / EVERY as f64;
    // A light pull to 0 keeps levels that the sample has hardly seen from running away.
    let pull = 1e-3 * share * design.total_weight;
    let penalties: Vec<f64> = (0..beta.len())
        .zip(penalties)
        .map(|(j, own)| own * share + if design.first() <= j { pull } else { 0.0 })
        .collect();
    let (mut candidate, mut objective) = (beta.clone(), f64::INFINITY);
    loop {
        let pass = curvature(&sample, Loss::Logistic, &candidate, &penalties, method, ctx)?;
        let reached = pass.loss + half_penalty(&penalties, &candidate);
        if objective <= reached {
            return Ok(beta);
        }
        let is_near = objective - reached < 1e-6 * objective;
        objective = reached;
        beta.clone_from(&candidate);
        let downhill = with_penalty(pass.downhill, &penalties, &beta);
        let step = pass.curvature.map(|r| r.solve(r.solve_transposed(&downhill)));
        match step {
            Some(Ok(step)) if !is_near => add_scaled(&mut candidate, 1.0, &step),
            _ => return Ok(beta),
        }
    }
}

/// Why the iterations came to an end before their limit.
enum Ending {
    Converged,
    Separated { direction: Vec<f64>, complete: bool },
}
