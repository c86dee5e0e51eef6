//! The dense layer: every output is a weighted sum of all inputs.

use std::ops::Range;

use super::{add_positions, lines};
use crate::jobs::Team;
use crate::nn::Real;
use crate::nn::batch::Batch;
use crate::nn::few::FewRows;
use crate::nn::product::{Grid, Into, product};

/// The most parts of a row,
const MOST_PARTS: usize = 4;
/// each of which has about as many weights at least.
const WORTH: usize = 1 << 16;

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
        (scratch, team): (&mut [F], Option<&Team>),
    ) {
        if n_rows == 1 {
            self.one_row(params, input.row(0), output.row_mut(0), scratch, team);
            return;
        }
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

    /// Parts of a single row, whatever the number of threads.
    fn n_parts(&self) -> usize {
        (self.n_in * self.n_out / WORTH).clamp(1, MOST_PARTS)
    }

    /// Room for the sums of the parts of a row.
    pub(in crate::nn) fn scratch(&self) -> usize {
        self.n_parts() * self.n_out
    }

    /// A single row. A large kernel is taken in parts, each of which is nearly always the same
    /// thread's, and so stays in its cache.
    fn one_row<F: Real>(
        &self,
        params: &[F],
        row: &[F],
        made: &mut [F],
        scratch: &mut [F],
        team: Option<&Team>,
    ) {
        let (kernel, n_out) = (&params[self.kernel.clone()], self.n_out);
        let depth = self.n_in.div_ceil(self.n_parts()).max(1);
        let n_parts = self.n_in.div_ceil(depth);
        let mut rooms = scratch.chunks_exact_mut(n_out);
        let mut sums: [&mut [F]; MOST_PARTS] =
            std::array::from_fn(|_| rooms.next().unwrap_or_default());
        let sums = &mut sums[..n_parts];
        let multiply = |part: usize, c: &mut [F]| {
            let first = part * depth;
            let (a, b) = (&row[first..self.n_in.min(first + depth)], &kernel[first * n_out..]);
            let (size, into) = ([1, a.len(), n_out], Into::Replace);
            FewRows { c, c_step: n_out, a, a_step: depth, b, b_step: n_out, size, into, next: &[] }
                .compute();
        };
        match team {
            Some(team) => team.share(sums, |part, c| multiply(part, c)),
            None => sums.iter_mut().enumerate().for_each(|(part, c)| multiply(part, c)),
        }
        match &self.bias {
            Some(bias) => made.copy_from_slice(&params[bias.clone()]),
            None => made.fill(F::ZERO),
        }
        for sums in sums {
            made.iter_mut().zip(&**sums).for_each(|(to, sum)| *to += *sum);
        }
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
