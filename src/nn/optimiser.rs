//! How weights follow their gradient downhill.

use serde::{Deserialize, Serialize};

use super::Real;

/// A rule by which weights move, with `g` the gradient and `η` the learning rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum Rule {
    /// `w ← w − η g` (Robbins and Monro, 1951); with all rows in one batch, gradient descent
    /// (Cauchy, 1847).
    Sgd,
    /// `v ← μ v + g`, `w ← w − η v` (Polyak, 1964).
    Momentum {
        /// μ.
        momentum: f64,
    },
    /// The same, looking ahead: `w ← w − η (g + μ v)` (Nesterov, 1983, as Sutskever et al., 2013).
    Nesterov {
        /// μ.
        momentum: f64,
    },
    /// Steps measured by running moments of the gradient, with β₁ = 0.9 and β₂ = 0.999 (Kingma and
    /// Ba, 2015).
    Adam,
    /// The same, with weight decay apart from the gradient (Loshchilov and Hutter, 2019).
    AdamW,
}

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// One step for some of the weights.
pub(super) struct Move<'a, F> {
    pub(super) params: &'a mut [F],
    pub(super) first: &'a mut [F],
    pub(super) second: &'a mut [F],
    pub(super) grads: &'a [F],
    /// 1 where weight decay pulls, else 0; empty when it does not pull at all.
    pub(super) decays: &'a [F],
}

/// What a step is made with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    pub(super) rule: Rule,
    pub(super) rate: f64,
    pub(super) weight_decay: f64,
    /// Gradients are multiplied by this, so that they are no longer than allowed.
    pub(super) clip: f64,
    /// Which step this is, from 1.
    pub(super) step: u64,
}

impl Rule {
    /// How many running figures it keeps for each weight.
    pub(super) fn n_moments(self) -> usize {
        match self {
            Self::Sgd => 0,
            Self::Momentum { .. } | Self::Nesterov { .. } => 1,
            Self::Adam | Self::AdamW => 2,
        }
    }
}

/// Moves some weights by one step.
pub(super) fn advance<F: Real>(pace: &Pace, part: Move<'_, F>) {
    let Move { params, first, second, grads, decays } = part;
    let (rate, clip, decay) = (F::of(pace.rate), F::of(pace.clip), F::of(pace.weight_decay));
    let pulls = |idx: usize| decays.get(idx).map_or(F::ZERO, |pulls| *pulls * decay);
    // Decay within the gradient is the gradient of `½ λ w²`.
    let slope = |idx: usize, w: F| grads[idx] * clip + pulls(idx) * w;
    match pace.rule {
        Rule::Sgd => {
            for (idx, w) in params.iter_mut().enumerate() {
                *w -= rate * slope(idx, *w);
            }
        }
        Rule::Momentum { momentum } => {
            let momentum = F::of(momentum);
            for (idx, (w, v)) in params.iter_mut().zip(first).enumerate() {
                *v = momentum * *v + slope(idx, *w);
                *w -= rate * *v;
            }
        }
        Rule::Nesterov { momentum } => {
            let momentum = F::of(momentum);
            for (idx, (w, v)) in params.iter_mut().zip(first).enumerate() {
                let g = slope(idx, *w);
                *v = momentum * *v + g;
                *w -= rate * (g + momentum * *v);
            }
        }
        Rule::Adam | Rule::AdamW => {
            let apart = pace.rule == Rule::AdamW;
            let step = pace.step.min(i32::MAX as u64) as i32;
            let (one, two) = (1.0 - BETA_1.powi(step), 1.0 - BETA_2.powi(step));
            let (length, root) = (F::of(pace.rate / one), F::of(1.0 / two.sqrt()));
            let (b1, b2, epsilon) = (F::of(BETA_1), F::of(BETA_2), F::of(EPSILON));
            let moments = first.iter_mut().zip(second);
            for (idx, (w, (m, v))) in params.iter_mut().zip(moments).enumerate() {
                let g = if apart { grads[idx] * clip } else { slope(idx, *w) };
                *m = b1 * *m + (F::ONE - b1) * g;
                *v = b2 * *v + (F::ONE - b2) * g * g;
                let pull = if apart { rate * pulls(idx) * *w } else { F::ZERO };
                *w -= length * *m / (v.sqrt() * root + epsilon) + pull;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three steps on `½ (3 w₀² + w₁²)` from (1, −2) at the rate 0.1.
    fn descend(rule: Rule, weight_decay: f64) -> [f64; 2] {
        let (mut params, mut first, mut second) = ([1.0, -2.0], [0.0; 2], [0.0; 2]);
        for step in 1..=3 {
            let grads = [3.0 * params[0], params[1]];
            let pace = Pace { rule, rate: 0.1, weight_decay, clip: 1.0, step };
            let part = Move {
                params: &mut params,
                first: &mut first,
                second: &mut second,
                grads: &grads,
                decays: &[1.0, 1.0],
            };
            advance(&pace, part);
        }
        params
    }

    #[test]
    fn steps_are_those_of_torch() {
        // torch.optim.{SGD, Adam, AdamW} in double precision, weight_decay as given
        for (rule, weight_decay, expected) in [
            (Rule::Sgd, 0.0, [0.343, -1.458]),
            (Rule::Sgd, 0.1, [0.328_509, -1.409_938]),
            (Rule::Momentum { momentum: 0.9 }, 0.0, [-0.278, -0.972]),
            (Rule::Nesterov { momentum: 0.9 }, 0.0, [-0.348_173, -0.654_642]),
            (Rule::Adam, 0.0, [0.701_586_272, -1.700_623_393]),
            (Rule::AdamW, 0.1, [0.675_101_221, -1.644_368_684]),
        ] {
            let got = descend(rule, weight_decay);
            for (got, expected) in got.iter().zip(expected) {
                assert!((got - expected).abs() < 1e-8, "{rule:?} {got} {expected}");
            }
        }
    }
}
