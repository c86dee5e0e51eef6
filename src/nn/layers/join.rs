//! Nodes that only pass values on: the sum of two, one beside the other, and all in a row.

use super::put;
use crate::nn::Real;
use crate::nn::batch::Batch;
use crate::nn::product::Into;

/// The sum of two nodes, as at the end of a residual block: `y = F(x) + x` (He et al., 2016).
pub(in crate::nn) fn add_forward<F: Real>(
    one: &Batch<F>,
    other: &Batch<F>,
    output: &mut Batch<F>,
    n_rows: usize,
) {
    for idx in 0..n_rows {
        let pairs = one.row(idx).iter().zip(other.row(idx));
        output.row_mut(idx).iter_mut().zip(pairs).for_each(|(sum, (one, other))| {
            *sum = *one + *other;
        });
    }
}

/// The gradient goes to both as it is.
pub(in crate::nn) fn add_back<F: Real>(
    d: &Batch<F>,
    d_input: &mut Batch<F>,
    into: Into,
    n_rows: usize,
) {
    (0..n_rows).for_each(|idx| put(d_input.row_mut(idx), d.row(idx), into));
}

/// One node beside the other.
pub(in crate::nn) fn join_forward<F: Real>(
    one: &Batch<F>,
    other: &Batch<F>,
    output: &mut Batch<F>,
    n_rows: usize,
) {
    for idx in 0..n_rows {
        let (first, second) = output.row_mut(idx).split_at_mut(one.geometry.shape.len());
        first.copy_from_slice(one.row(idx));
        second.copy_from_slice(other.row(idx));
    }
}

/// Each gets its part of the gradient, which begins at `start`.
pub(in crate::nn) fn join_back<F: Real>(
    d: &Batch<F>,
    start: usize,
    d_input: &mut Batch<F>,
    into: Into,
    n_rows: usize,
) {
    let n = d_input.geometry.shape.len();
    (0..n_rows).for_each(|idx| put(d_input.row_mut(idx), &d.row(idx)[start..start + n], into));
}

/// All values of a node in a row; the way back is the same.
pub(in crate::nn) fn flatten_back<F: Real>(
    from: &Batch<F>,
    to: &mut Batch<F>,
    into: Into,
    n_rows: usize,
) {
    (0..n_rows).for_each(|idx| put(to.row_mut(idx), from.row(idx), into));
}
