//! The layers, one file each: what they compute, and how the gradient goes back through them.
//!
//! Every layer works on the rows of one shard of a batch. `forward` makes the values of a node from
//! those of its input. `backward` gets `d`, the gradient of the loss with respect to its values, and
//! makes the gradient of its weights and, where anyone wants it, that of its input.

mod activation;
mod batch_norm;
mod conv;
mod dense;
mod direct;
mod dropout;
mod embed;
mod finish;
mod join;
mod layer_norm;
mod lines;
mod pool;
mod toom;
mod windows;

pub(super) use activation::{Activation, sigmoid};
pub(super) use batch_norm::{BatchNorm, Moments, Sums};
pub(super) use conv::Conv;
pub(super) use dense::Dense;
pub(super) use dropout::{Dropout, mix};
pub(super) use embed::Embed;
pub(super) use finish::Finish;
pub(super) use join::{add_back, add_forward, flatten_back, join_back, join_forward};
pub(super) use layer_norm::LayerNorm;
pub(super) use pool::Pool;
pub(super) use toom::Toom;

use super::Real;
use super::product::Into;
use super::wide::{Loop, widely};

/// `to = from`, or `to += from`.
#[inline]
fn put<F: Real>(to: &mut [F], from: &[F], into: Into) {
    match into {
        Into::Replace => to.copy_from_slice(from),
        Into::Add => to.iter_mut().zip(from).for_each(|(to, from)| *to += *from),
    }
}

/// Channels below which several positions are taken together, so that loops are not too short.
const FEW: usize = 32;

/// Room for the channels of several positions.
const WIDE: usize = 4 * FEW;

/// The sums over positions of each channel are added to `sums`.
fn add_positions<F: Real>(sums: &mut [F], values: &[F]) {
    widely(AddPositions(sums, values));
}

struct AddPositions<'a, F>(&'a mut [F], &'a [F]);

impl<F: Real> Loop for AddPositions<'_, F> {
    #[inline(always)]
    fn run(self) {
        let Self(sums, values) = self;
        let n = sums.len();
        if n >= FEW {
            for position in values.chunks_exact(n) {
                sums.iter_mut().zip(position).for_each(|(sum, value)| *sum += *value);
            }
            return;
        }
        let mut wide = [F::ZERO; WIDE];
        let wide = &mut wide[..WIDE / n * n];
        let groups = values.chunks_exact(wide.len());
        let rest = groups.remainder();
        for group in groups {
            wide.iter_mut().zip(group).for_each(|(sum, value)| *sum += *value);
        }
        for position in wide.chunks_exact(n).chain(rest.chunks_exact(n)) {
            sums.iter_mut().zip(position).for_each(|(sum, value)| *sum += *value);
        }
    }
}

/// Adds the bias of each channel to every position of a row.
fn add_bias<F: Real>(values: &mut [F], bias: &[F]) {
    widely(AddBias(values, bias));
}

struct AddBias<'a, F>(&'a mut [F], &'a [F]);

impl<F: Real> Loop for AddBias<'_, F> {
    #[inline(always)]
    fn run(self) {
        let Self(values, bias) = self;
        let n = bias.len();
        let mut wide = [F::ZERO; WIDE];
        let bias = if n < FEW {
            let wide = &mut wide[..WIDE / n * n];
            wide.chunks_exact_mut(n).for_each(|position| position.copy_from_slice(bias));
            &*wide
        } else {
            bias
        };
        for group in values.chunks_mut(bias.len()) {
            group.iter_mut().zip(bias).for_each(|(value, bias)| *value += *bias);
        }
    }
}
