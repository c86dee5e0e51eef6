//! Linear and ridge regression in one go.

use super::design::Design;
use super::error::Error;
use super::inference;
use super::params::Params;
use super::reduce::reduce;
use super::{Fit, Inference, Warning};
use crate::jobs::Ctx;

/// Fits by the triangle of columns and target, which linfa-linear solves.
pub(super) fn fit(
    mut design: Design,
    mut warnings: Vec<Warning>,
    params: &Params,
    ctx: &Ctx,
) -> Result<Fit, Error> {
    ctx.step(0, 1, Vec::new())?;
    let penalties = |design: &Design| design.penalties(params.alpha, params.standardize);
    let centre = design.centre;
    let reduced = reduce(&mut design, centre, penalties, ctx)?;
    if !reduced.dropped.is_empty() {
        warnings.push(Warning::Collinear { columns: reduced.dropped });
    }
    let triangle = reduced.triangle;
    let k = design.n_unknowns();
    let beta = triangle.solve_last()?;
    let penalty: f64 = penalties(&design).iter().zip(&beta).map(|(p, b)| p * b * b).sum();
    let rss = (triangle.at(k, k).powi(2) - penalty).max(0.0);
    let (intercept, coefficients) = design.unscale(&beta);

    let mut fit = Fit::start(&design, intercept, coefficients, warnings);
    fit.describe_squares(&design, rss, params.alpha);
    fit.inference = if params.alpha == 0.0 {
        inference::of_squares(&design, &fit, &triangle)
    } else {
        Inference::penalised(params.alpha)
    };
    fit.converged = true;
    fit.iterations = 1;
    ctx.step(1, 1, vec![("loss", fit.loss)])?;
    Ok(fit)
}
