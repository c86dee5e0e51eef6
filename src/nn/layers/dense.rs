//! The dense layer: every output is a weighted sum of all inputs.

use std::ops::Range;

use super::{add_positions, lines};
use crate::nn::Real;
use crate::nn::batch::Batch;
use crate::nn::product::{Grid, Into, product};

/// `y = x W + b` for a row `x` of `n_in` values, with the kernel `W` (inputs, outputs).
///
/// Backward, with `d = ∂L/∂y`: `∂L/∂W = xᵀ d`, `∂L/∂b = Σ d`, `∂L/∂x = d Wᵀ`.
#[derive(Clone, Debug)]
pub(in crate::nn) struct Dense {
    pub(in crate::nn) n_in: usize,
    pub(in crate::nn) n_out: usize,
    pub(in crate::nn) kernel: Range<usize>,
    pub(in crate::nn) bias: Option<Range<usize>>,
}

impl Dense {
    pub(in crate::nn) fn forward<F: Real>(
        &self,
        params: &[F],
        input: &Batch<F>,
        output: &mut Batch<F>,
        n_rows: usize,
    ) {
        let bias = self.bias.clone().map(|bias| &params[bias]);
        if let Some(bias) = bias {
            (0..n_rows).for_each(|idx| output.row_mut(idx).copy_from_slice(bias));
        }
        let into = if bias.is_some() { Into::Add } else { Into::Replace };
        let to = rows(output, n_rows);
        let from = rows(input, n_rows);
        let kernel = Grid::new(0, self.n_in, self.n_out, self.n_out);
        product(
            (&mut output.values, to),
            (&input.values, from),
            (&params[self.kernel.clone()], kernel),
            into,
        );
    }

    /// The kernel as the gradient of the input needs it: outputs before inputs. It is turned once
    /// a step, and not anew by every product.
    pub(in crate::nn) fn flip<F: Real>(&self, params: &[F], flipped: &mut [F]) {
        lines::to_lines(&params[self.kernel.clone()], self.n_out, flipped, 0, self.n_in);
    }

    pub(in crate::nn) fn backward<F: Real>(
        &self,
        flipped: &[F],
        input: &Batch<F>,
        d: &Batch<F>,
        grads: &mut [F],
        d_input: Option<(&mut Batch<F>, Into)>,
        n_rows: usize,
    ) {
        let of_d = rows(d, n_rows);
        let kernel = Grid::new(0, self.n_in, self.n_out, self.n_out);
        let inputs = rows(input, n_rows).transposed();
        product(
            (&mut grads[self.kernel.clone()], kernel),
            (&input.values, inputs),
            (&d.values, of_d),
            Into::Replace,
        );
        if let Some(bias) = self.bias.clone() {
            let sums = &mut grads[bias];
            sums.fill(F::ZERO);
            (0..n_rows).for_each(|idx| add_positions(sums, d.row(idx)));
        }
        if let Some((d_input, into)) = d_input {
            let to = rows(d_input, n_rows);
            let kernel = Grid::new(0, self.n_out, self.n_in, self.n_in);
            product((&mut d_input.values, to), (&d.values, of_d), (flipped, kernel), into);
        }
    }
}

/// The rows of a batch as a matrix.
fn rows<F: Real>(batch: &Batch<F>, n_rows: usize) -> Grid {
    let geometry = batch.geometry;
    Grid::new(geometry.lead(), n_rows, geometry.shape.len(), geometry.pitch())
}
