//! Dropout.

use crate::nn::Real;
use crate::nn::batch::Batch;
use crate::nn::product::Into;

/// While training, each value is left out with the probability `rate`, and what stays is divided
/// by `1 − rate`, so that the expected value is kept (Srivastava et al., 2014). Backward the
/// gradient goes through the values that stayed.
#[derive(Clone, Debug)]
pub(in crate::nn) struct Dropout {
    pub(in crate::nn) rate: f64,
}

impl Dropout {
    /// Which values stay, for so many rows.
    pub(in crate::nn) fn memory(n_values: usize, n_rows: usize) -> usize {
        n_values * n_rows
    }

    /// `chance` belongs to this layer and this step; with `first`, the place of the shard's first
    /// row in the batch, it tells what stays whichever thread asks.
    pub(in crate::nn) fn forward<F: Real>(
        &self,
        chance: u64,
        first: usize,
        input: &Batch<F>,
        output: &mut Batch<F>,
        memory: &mut [u32],
        n_rows: usize,
    ) {
        let n = input.geometry.shape.len();
        let kept = F::of(1.0 / (1.0 - self.rate));
        let least = (self.rate * 2_f64.powi(32)) as u64;
        for idx in 0..n_rows {
            let start = mix(chance ^ mix((first + idx) as u64));
            let values = input.row(idx).iter().zip(output.row_mut(idx));
            let places = memory[idx * n..(idx + 1) * n].iter_mut().enumerate();
            for ((from, to), (place, stays)) in values.zip(places) {
                let draw = mix(start.wrapping_add(place as u64)) >> 32;
                *stays = u32::from(draw >= least);
                *to = if draw >= least { *from * kept } else { F::ZERO };
            }
        }
    }

    pub(in crate::nn) fn backward<F: Real>(
        &self,
        d: &Batch<F>,
        memory: &[u32],
        d_input: &mut Batch<F>,
        into: Into,
        n_rows: usize,
    ) {
        let n = d.geometry.shape.len();
        let kept = F::of(1.0 / (1.0 - self.rate));
        for idx in 0..n_rows {
            let stays = &memory[idx * n..(idx + 1) * n];
            for ((to, d), stays) in d_input.row_mut(idx).iter_mut().zip(d.row(idx)).zip(stays) {
                let part = if *stays == 1 { *d * kept } else { F::ZERO };
                *to = if into == Into::Add { *to + part } else { part };
            }
        }
    }
}

/// Bits without a pattern from any number (the finaliser of splitmix64, Steele et al., 2014).
pub(in crate::nn) fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
