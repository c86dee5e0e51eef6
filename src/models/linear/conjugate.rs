//! Newton's method for several classes, each step found by conjugate gradients.
//!
//! The Hessian is never formed: its product with a direction costs two passes over the rows, so
//! that the number of columns and classes does not matter to the memory. Steps are solved the more
//! exactly the closer the optimum is (Dembo, Eisenstat and Steihaug, 1982).

use super::lanes::{add_scaled, dot, max_abs};
use super::softmax::{Place, Softmax};
use crate::jobs::{Cancelled, Ctx};

/// After so many halvings a step is as good as none.
const HALVINGS: usize = 30;
/// The most products with the Hessian for one step.
const PRODUCTS: usize = 300;

/// A step taken, or that there is none which is any better.
pub(super) enum Moved {
    To(Vec<f64>, Place),
    Nowhere,
}

/// One step of Newton's method from `beta`.
pub(super) fn step(
    problem: &Softmax,
    beta: &[f64],
    place: &Place,
    ctx: &Ctx,
) -> Result<Moved, Cancelled> {
    let direction = direction(problem, place, ctx)?;
    let slope = dot(&direction, &place.gradient);
    let mut length = 1.0;
    for _ in 0..HALVINGS {
        let mut candidate = beta.to_vec();
        add_scaled(&mut candidate, length, &direction);
        let reached = problem.at(&candidate, ctx)?;
        // Near the optimum the fall is smaller than the rounding of the sum.
        let slack = 1e-14 * place.objective.abs();
        if reached.objective <= place.objective + 1e-4 * length * slope + slack {
            let is_progress = reached.objective < place.objective
                || max_abs(&reached.gradient) < max_abs(&place.gradient);
            return Ok(if is_progress { Moved::To(candidate, reached) } else { Moved::Nowhere });
        }
        length *= 0.5;
    }
    Ok(Moved::Nowhere)
}

/// Where Newton's method goes: the solution of Hessian times direction = downhill, as exact as
/// it is worth.
fn direction(problem: &Softmax, place: &Place, ctx: &Ctx) -> Result<Vec<f64>, Cancelled> {
    let diagonal = problem.diagonal(place);
    let scaled = |residual: &[f64]| -> Vec<f64> {
        residual.iter().zip(&diagonal).map(|(r, d)| r / d).collect()
    };
    let mut residual: Vec<f64> = place.gradient.iter().map(|g| -g).collect();
    let size = dot(&residual, &residual).sqrt();
    let enough = size * (size / problem.total_weight).sqrt().min(0.1);
    let mut direction = vec![0.0; residual.len()];
    let mut preconditioned = scaled(&residual);
    let mut search = preconditioned.clone();
    let mut length = dot(&residual, &preconditioned);
    for _ in 0..PRODUCTS {
        let along = problem.along(place, &search, ctx)?;
        let curvature = dot(&search, &along);
        if curvature <= 1e-300 {
            break;
        }
        let step = length / curvature;
        add_scaled(&mut direction, step, &search);
        add_scaled(&mut residual, -step, &along);
        if dot(&residual, &residual).sqrt() <= enough {
            break;
        }
        preconditioned = scaled(&residual);
        let next = dot(&residual, &preconditioned);
        let factor = next / length;
        length = next;
        for (search, own) in search.iter_mut().zip(&preconditioned) {
            *search = own + factor * *search;
        }
    }
    if direction.iter().all(|value| *value == 0.0) {
        direction = scaled(&place.gradient.iter().map(|g| -g).collect::<Vec<_>>());
    }
    Ok(direction)
}
