//! The history of an iterative fit, told while it is made.

use super::design::Design;
use super::lanes::max_abs;
use super::pass::Loss;
use super::score::mean_loss;
use super::{Problem, Step};
use crate::jobs::{Cancelled, Ctx};

/// Keeps each step and reports it.
pub(super) struct Record<'a, 'b> {
    pub(super) steps: Vec<Step>,
    loss: Loss,
    valid: Option<&'a Problem<'b>>,
    total: usize,
    ctx: &'a Ctx,
}

impl<'a, 'b> Record<'a, 'b> {
    /// An empty history of at most `total` steps.
    pub(super) fn new(
        loss: Loss,
        valid: Option<&'a Problem<'b>>,
        total: usize,
        ctx: &'a Ctx,
    ) -> Self {
        Self { steps: Vec::new(), loss, valid, total, ctx }
    }

    /// Adds a step: the summed loss at `beta`, and the direction downhill with the penalty where
    /// it is known.
    pub(super) fn add(
        &mut self,
        design: &Design,
        iteration: usize,
        beta: &[f64],
        loss: f64,
        downhill: Option<&[f64]>,
    ) -> Result<(), Cancelled> {
        let loss = loss / design.total_weight;
        let valid_loss = self.valid.and_then(|valid| {
            let (intercept, coefficients) = design.unscale(beta);
            mean_loss(valid, self.loss, intercept, &coefficients)
        });
        let grad_norm = downhill.map(|downhill| max_abs(downhill) / design.total_weight);
        self.steps.push(Step { iteration, loss, valid_loss, grad_norm });
        let mut measured = vec![("loss", loss)];
        measured.extend(valid_loss.map(|loss| ("valid_loss", loss)));
        measured.extend(grad_norm.map(|norm| ("grad_norm", norm)));
        self.ctx.step(iteration, self.total, measured)
    }
}

/// Takes the pull of the penalty off the direction downhill.
pub(super) fn with_penalty(mut downhill: Vec<f64>, penalties: &[f64], beta: &[f64]) -> Vec<f64> {
    for ((slope, penalty), beta) in downhill.iter_mut().zip(penalties).zip(beta) {
        *slope -= penalty * beta;
    }
    downhill
}

/// Half the penalised squares, as they stand in the sum of log-losses.
pub(super) fn half_penalty(penalties: &[f64], beta: &[f64]) -> f64 {
    penalties.iter().zip(beta).map(|(penalty, beta)| 0.5 * penalty * beta * beta).sum()
}
