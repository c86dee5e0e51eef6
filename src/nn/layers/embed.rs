//! Embedding.

use std::ops::Range;

use crate::nn::Real;
use crate::nn::batch::Batch;

/// A learned vector in place of a whole number: `y = E[x]` with the vectors `E` (levels, width).
/// Numbers outside the levels, and those that are none, take the nearest level. Backward each
/// vector gets the gradients of the places where it stood; a whole number has none.
#[derive(Clone, Debug)]
pub(in crate::nn) struct Embed {
    pub(in crate::nn) levels: usize,
    pub(in crate::nn) width: usize,
    pub(in crate::nn) table: Range<usize>,
}

impl Embed {
    fn place<F: Real>(&self, value: F) -> usize {
        // NaN becomes 0.
        let level = value.f64().round().clamp(0.0, (self.levels - 1) as f64) as usize;
        self.table.start + level * self.width
    }

    pub(in crate::nn) fn forward<F: Real>(
        &self,
        params: &[F],
        input: &Batch<F>,
        output: &mut Batch<F>,
        n_rows: usize,
    ) {
        for idx in 0..n_rows {
            let values = output.row_mut(idx).chunks_exact_mut(self.width);
            for (to, value) in values.zip(input.row(idx)) {
                to.copy_from_slice(&params[self.place(*value)..][..self.width]);
            }
        }
    }

    pub(in crate::nn) fn backward<F: Real>(
        &self,
        input: &Batch<F>,
        d: &Batch<F>,
        grads: &mut [F],
        n_rows: usize,
    ) {
        grads[self.table.clone()].fill(F::ZERO);
        for idx in 0..n_rows {
            for (d, value) in d.row(idx).chunks_exact(self.width).zip(input.row(idx)) {
                let to = &mut grads[self.place(*value)..][..self.width];
                to.iter_mut().zip(d).for_each(|(to, d)| *to += *d);
            }
        }
    }
}
