//! Gradient descent, on all rows at once or on shuffled batches, on scaled columns.

use super::design::{Chunk, Design};
use super::error::Error;
use super::lanes::{add_scaled, dot, max_abs};
use super::params::{Family, Params, Solver};
use super::pass::{Loss, Pass, residual_at, slope};
use super::record::{Record, with_penalty};
use super::{Fit, Inference, Problem, Warning};
use crate::jobs::{Cancelled, Ctx, Wish};
use crate::rng::stream;

/// A loss this many times that of the start will not come back.
const HOPELESS: f64 = 4.0;
/// Nor will one that stays above that of the start for so many epochs.
const PATIENCE: usize = 5;
/// A gradient that has fallen to this share of the first one is near enough not to warn.
const NEAR: f64 = 1e-3;
/// Batches between two looks at the cancel token.
const BATCHES: usize = 64;

/// Descends from 0 (for numbers: from their mean) for as many epochs as allowed.
pub(super) fn fit(
    design: &Design,
    warnings: Vec<Warning>,
    valid: Option<&Problem>,
    params: &Params,
    ctx: &Ctx,
) -> Result<Fit, Error> {
    let loss = if params.family == Family::Logistic { Loss::Logistic } else { Loss::Squared };
    let unit = if loss == Loss::Logistic { 1.0 } else { design.target.std };
    let penalties = design.penalties(params.alpha, params.standardize);
    let mut record = Record::new(loss, valid, params.epochs, ctx);
    let mut beta = vec![0.0; design.n_unknowns()];
    let learning_rate = params.learning_rate.or(params.solver.learning_rate()).unwrap_or(0.1);
    let mut batches = Batches::new(design, loss, params, learning_rate);
    let mut above = 0;
    let (mut pass, mut first_slope) = (slope(design, loss, &beta, ctx)?, 0.0);
    let start = pass.loss;
    let mut converged = false;
    for epoch in 0..=params.epochs {
        if 0 < epoch {
            match params.solver {
                Solver::Sgd => batches.run(epoch, &mut beta, &penalties, ctx)?,
                _ => step_downhill(design, learning_rate, &mut beta, pass, &penalties),
            }
            pass = slope(design, loss, &beta, ctx)?;
        }
        above = if start < pass.loss { above + 1 } else { 0 };
        if !pass.loss.is_finite() || HOPELESS * start < pass.loss || PATIENCE <= above {
            return Err(Error::Diverged { epoch, learning_rate });
        }
        let downhill = with_penalty(pass.downhill.clone(), &penalties, &beta);
        record.add(design, epoch, &beta, pass.loss, Some(&downhill))?;
        let steepest = max_abs(&downhill) / design.total_weight;
        if epoch == 0 {
            first_slope = steepest;
        }
        converged = steepest <= NEAR * first_slope;
        if steepest <= params.tol * unit {
            converged = true;
            break;
        }
        if ctx.wish() == Wish::Finish {
            break;
        }
    }

    let (intercept, coefficients) = design.unscale(&beta);
    let mut fit = Fit::start(design, intercept, coefficients, warnings);
    match loss {
        Loss::Squared => fit.describe_squares(design, pass.loss, params.alpha),
        Loss::Logistic => fit.describe_logistic(design, pass.loss, params.alpha),
    }
    fit.converged = converged;
    fit.iterations = record.steps.len() - 1;
    fit.history = record.steps;
    fit.inference = Inference::WhyNot(
        "gradient descent comes near the optimum without meeting it, so standard errors do not hold"
            .into(),
    );
    if !converged {
        let remedy = "raise `epochs`, or change `learning_rate`";
        fit.warnings.push(Warning::NotConverged { iterations: fit.iterations, remedy });
    }
    Ok(fit)
}

/// One step along the whole gradient.
fn step_downhill(
    design: &Design,
    learning_rate: f64,
    beta: &mut [f64],
    pass: Pass,
    penalties: &[f64],
) {
    let downhill = with_penalty(pass.downhill, penalties, beta);
    add_scaled(beta, learning_rate / design.total_weight, &downhill);
}

/// Shuffled batches, epoch after epoch.
struct Batches<'a> {
    design: &'a Design<'a>,
    loss: Loss,
    params: &'a Params,
    learning_rate: f64,
    rng: crate::rng::Rng,
    order: Vec<u32>,
    chunk: Chunk,
}

impl<'a> Batches<'a> {
    fn new(design: &'a Design, loss: Loss, params: &'a Params, learning_rate: f64) -> Self {
        let is_used = params.solver == Solver::Sgd;
        let n_rows = if is_used { design.y.len() } else { 0 };
        let stride = params.batch_size.min(n_rows);
        Self {
            design,
            loss,
            params,
            learning_rate,
            rng: stream(params.seed, "shuffle"),
            order: (0..n_rows as u32).collect(),
            chunk: Chunk { x: vec![0.0; stride * design.n_unknowns()], stride },
        }
    }

    /// One epoch. The rate falls along half a cosine, so that the noise of the batches dies out.
    fn run(
        &mut self,
        epoch: usize,
        beta: &mut [f64],
        penalties: &[f64],
        ctx: &Ctx,
    ) -> Result<(), Cancelled> {
        let design = self.design;
        self.rng.shuffle(&mut self.order);
        let n_batches = self.order.len().div_ceil(self.chunk.stride);
        let all = (self.params.epochs * n_batches) as f64;
        // Weights count relative to their mean; the penalty is spread over the rows.
        let mean_weight = design.total_weight / design.y.len() as f64;
        let mut residuals = Vec::new();
        for (idx, rows) in self.order.chunks(self.chunk.stride).enumerate() {
            if idx % BATCHES == 0 {
                ctx.check()?;
            }
            let done = ((epoch - 1) * n_batches + idx) as f64 / all;
            let rate = self.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
            design.gather(rows, &mut self.chunk);
            residuals.clear();
            residuals.resize(rows.len(), 0.0);
            let columns = || self.chunk.x.chunks(self.chunk.stride);
            for (value, column) in beta.iter().zip(columns()) {
                add_scaled(&mut residuals, *value, column);
            }
            for (residual, row) in residuals.iter_mut().zip(rows) {
                let row = *row as usize;
                let y = design.y[row] - design.centre;
                *residual = design.weight(row) * residual_at(self.loss, *residual, y);
            }
            let scale = rate / (rows.len() as f64 * mean_weight);
            let shrink = rate / design.total_weight;
            for ((value, penalty), column) in beta.iter_mut().zip(penalties).zip(columns()) {
                let slope = dot(&column[..rows.len()], &residuals);
                *value += scale * slope - shrink * penalty * *value;
            }
        }
        Ok(())
    }
}
