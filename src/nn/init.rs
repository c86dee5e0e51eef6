//! Where the weights begin.

use super::Real;
use super::plan::{Plan, Start};
use crate::rng::{Seed, stream};

/// Draws all weights from the stream `init` of the seed, in the order of the layers.
pub(super) fn draw<F: Real>(plan: &Plan, seed: Seed) -> Vec<F> {
    let mut rng = stream(seed, "init");
    let mut params = Vec::with_capacity(plan.n_params);
    for weights in &plan.weights {
        let mut value = || match weights.start {
            Start::Zero => 0.0,
            Start::One => 1.0,
            Start::Normal => rng.normal(),
            Start::He { fan_in } => rng.normal() * (2.0 / fan_in as f64).sqrt(),
            Start::Xavier { fan_in, fan_out } => {
                (2.0 * rng.uniform() - 1.0) * (6.0 / (fan_in + fan_out) as f64).sqrt()
            }
        };
        params.extend((0..weights.range.len()).map(|_| F::of(value())));
    }
    params
}

/// The running figures of batch norms before anything was seen: mean 0, variance 1.
pub(super) fn state<F: Real>(plan: &Plan) -> Vec<F> {
    let mut state = vec![F::ZERO; plan.n_state];
    for norm in plan.batch_norms() {
        state[norm.state + norm.n_channels..norm.state + 2 * norm.n_channels].fill(F::ONE);
    }
    state
}
