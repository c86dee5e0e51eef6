//! Layer normalisation.

use std::ops::Range;

use super::batch_norm::EPSILON;
use crate::nn::Real;
use crate::nn::batch::Batch;
use crate::nn::product::Into;

/// The channels of each position brought to mean 0 and variance 1, then scaled and shifted (Ba,
/// Kiros and Hinton, 2016): as [`super::BatchNorm`], with the sums over the channels of a position.
#[derive(Clone, Debug)]
pub(in crate::nn) struct LayerNorm {
    pub(in crate::nn) n_channels: usize,
    pub(in crate::nn) scale: Range<usize>,
    pub(in crate::nn) shift: Range<usize>,
}

impl LayerNorm {
    fn moments<F: Real>(x: &[F]) -> (F, F) {
        let n = F::of(x.len() as f64);
        let sum = x.iter().fold(F::ZERO, |sum, x| sum + *x);
        let mean = sum / n;
        let squares = x.iter().fold(F::ZERO, |sum, x| sum + (*x - mean) * (*x - mean));
        (mean, F::ONE / (squares / n + F::of(EPSILON)).sqrt())
    }

    pub(in crate::nn) fn forward<F: Real>(
        &self,
        params: &[F],
        input: &Batch<F>,
        output: &mut Batch<F>,
        n_rows: usize,
    ) {
        let n = self.n_channels;
        let (scale, shift) = (&params[self.scale.clone()], &params[self.shift.clone()]);
        for idx in 0..n_rows {
            let positions = input.row(idx).chunks_exact(n);
            for (x, y) in positions.zip(output.row_mut(idx).chunks_exact_mut(n)) {
                let (mean, inverse) = Self::moments(x);
                for j in 0..n {
                    y[j] = (x[j] - mean) * inverse * scale[j] + shift[j];
                }
            }
        }
    }

    pub(in crate::nn) fn backward<F: Real>(
        &self,
        params: &[F],
        input: &Batch<F>,
        d: &Batch<F>,
        grads: &mut [F],
        mut d_input: Option<(&mut Batch<F>, Into)>,
        n_rows: usize,
    ) {
        let n = self.n_channels;
        let share = F::ONE / F::of(n as f64);
        let scale = &params[self.scale.clone()];
        grads[self.scale.clone()].fill(F::ZERO);
        grads[self.shift.clone()].fill(F::ZERO);
        for idx in 0..n_rows {
            let positions = input.row(idx).chunks_exact(n).zip(d.row(idx).chunks_exact(n));
            for (at, (x, d)) in positions.enumerate() {
                let (mean, inverse) = Self::moments(x);
                let hat = |j: usize| (x[j] - mean) * inverse;
                let (mut sum, mut sum_hat) = (F::ZERO, F::ZERO);
                for j in 0..n {
                    grads[self.shift.start + j] += d[j];
                    grads[self.scale.start + j] += d[j] * hat(j);
                    sum += d[j] * scale[j];
                    sum_hat += d[j] * scale[j] * hat(j);
                }
                let Some((d_input, into)) = &mut d_input else { continue };
                let to = &mut d_input.row_mut(idx)[at * n..(at + 1) * n];
                for j in 0..n {
                    let part = inverse * (d[j] * scale[j] - (sum + hat(j) * sum_hat) * share);
                    to[j] = if *into == Into::Add { to[j] + part } else { part };
                }
            }
        }
    }
}
