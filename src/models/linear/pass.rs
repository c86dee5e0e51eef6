//! One pass over all rows: the loss, its gradient, and its curvature where asked for.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ShapeBuilder};

use super::design::{Chunk, Design};
use super::lanes::{add_scaled, dot};
use super::triangle::Triangle;
use crate::jobs::{Cancelled, Ctx};

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// The squared residual; its gradient is taken of the half.
    Squared,
    /// The negative log-likelihood of a class.
    Logistic,
}

/// How the triangle of a weighted least squares problem is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// From the Gram matrix: fast, for columns that are far from collinear.
    Gram,
    /// By reflections: exact, for small or ill-conditioned problems.
    Reflections,
}

/// The loss at a point, summed over the rows with their weights and without penalty.
pub(super) struct Pass {
    pub(super) loss: f64,
    /// Of the loss, downhill: its negative gradient.
    pub(super) downhill: Vec<f64>,
    /// Rows that the sign of the score puts into the wrong class.
    pub(super) n_wrong: usize,
    /// Triangle of the curvature with the penalties; `None` if not asked for or singular.
    pub(super) curvature: Option<Triangle>,
}

/// Loss and gradient at `beta`.
pub(super) fn slope(
    design: &Design,
    loss: Loss,
    beta: &[f64],
    ctx: &Ctx,
) -> Result<Pass, Cancelled> {
    let k = design.n_unknowns();
    let blocks = design.blocks(
        k,
        ctx,
        || Sums::new(k, None),
        |sums, chunk, rows| {
            sums.take_in(design, loss, beta, chunk, rows);
            for (j, sum) in sums.downhill.iter_mut().enumerate() {
                *sum += dot(&chunk.x[j * chunk.stride..][..sums.residual.len()], &sums.residual);
            }
        },
    )?;
    let sums = Sums::merged(blocks);
    Ok(Pass { loss: sums.loss, downhill: sums.downhill, n_wrong: sums.n_wrong, curvature: None })
}

/// Loss, gradient and curvature at `beta`.
pub(super) fn curvature(
    design: &Design,
    loss: Loss,
    beta: &[f64],
    penalties: &[f64],
    method: Method,
    ctx: &Ctx,
) -> Result<Pass, Cancelled> {
    let k = design.n_unknowns();
    match method {
        Method::Gram => {
            let blocks = design.blocks(
                k,
                ctx,
                || Sums::new(k, Some(k + 1)),
                |sums, chunk, rows| {
                    sums.take_in(design, loss, beta, chunk, rows);
                    sums.add_gram(chunk, k);
                },
            )?;
            let sums = Sums::merged(blocks);
            let mut gram = sums.gram;
            let downhill = gram.split_off(k * k);
            for (j, penalty) in penalties.iter().enumerate() {
                gram[j * k + j] += penalty;
            }
            let curvature = Triangle::of_gram(&gram, k);
            Ok(Pass { loss: sums.loss, downhill, n_wrong: sums.n_wrong, curvature })
        }
        Method::Reflections => {
            let start = || (Sums::new(k, None), Triangle::empty(k));
            let blocks = design.blocks(k, ctx, start, |(sums, triangle), chunk, rows| {
                sums.take_in(design, loss, beta, chunk, rows);
                let m = sums.residual.len();
                let roots: Vec<f64> = sums.curvature.iter().map(|c| c.sqrt()).collect();
                for (sum, column) in sums.downhill.iter_mut().zip(chunk.x.chunks_mut(chunk.stride))
                {
                    *sum += dot(&column[..m], &sums.residual);
                    column.iter_mut().zip(&roots).for_each(|(value, root)| *value *= root);
                }
                triangle.absorb(&mut chunk.x, chunk.stride, m);
            })?;
            let (sums, triangles): (Vec<_>, Vec<_>) = blocks.into_iter().unzip();
            let sums = Sums::merged(sums);
            let mut triangle = Triangle::empty(k);
            for other in triangles {
                triangle.merge(other);
            }
            triangle.absorb_penalties(penalties);
            let curvature = (0..k).all(|j| triangle.at(j, j) != 0.0).then_some(triangle);
            Ok(Pass { loss: sums.loss, downhill: sums.downhill, n_wrong: sums.n_wrong, curvature })
        }
    }
}

/// What one block of rows comes to, and room for the chunk at hand.
struct Sums {
    loss: f64,
    n_wrong: usize,
    downhill: Vec<f64>,
    /// Columns times weighted columns and residual, column-major; empty if not asked for.
    gram: Vec<f64>,
    /// Columns of the chunk times their curvature, and the residual last.
    weighted: Vec<f64>,
    residual: Vec<f64>,
    curvature: Vec<f64>,
}

impl Sums {
    fn new(k: usize, gram_columns: Option<usize>) -> Self {
        Self {
            loss: 0.0,
            n_wrong: 0,
            downhill: vec![0.0; k],
            gram: vec![0.0; k * gram_columns.unwrap_or(0)],
            weighted: Vec::new(),
            residual: Vec::new(),
            curvature: Vec::new(),
        }
    }

    /// Fills the chunk, and `residual` and `curvature` with it.
    fn take_in(
        &mut self,
        design: &Design,
        loss: Loss,
        beta: &[f64],
        chunk: &mut Chunk,
        rows: Range<usize>,
    ) {
        design.fill(rows.clone(), chunk);
        self.residual.clear();
        self.residual.resize(rows.len(), 0.0);
        for (value, column) in beta.iter().zip(chunk.x.chunks(chunk.stride)) {
            add_scaled(&mut self.residual, *value, column);
        }
        self.curvature.resize(rows.len(), 0.0);
        let weighted = design.is_weighted();
        let slots = self.residual.iter_mut().zip(&mut self.curvature);
        for (row, (z, curvature)) in rows.zip(slots) {
            let point = at_point(loss, *z, design.y[row] - design.centre);
            let weight = if weighted { design.weight(row) } else { 1.0 };
            self.loss += weight * point.loss;
            self.n_wrong += usize::from(point.wrong && 0.0 < weight);
            *z = weight * point.residual;
            *curvature = weight * point.curvature;
        }
    }

    fn add_gram(&mut self, chunk: &Chunk, k: usize) {
        let (m, stride) = (self.residual.len(), chunk.stride);
        self.weighted.resize(stride * (k + 1), 0.0);
        let mut targets = self.weighted.chunks_mut(stride);
        for (column, target) in chunk.x.chunks(stride).zip(targets.by_ref().take(k)) {
            for ((to, value), curvature) in target.iter_mut().zip(column).zip(&self.curvature) {
                *to = value * curvature;
            }
        }
        if let Some(last) = targets.next() {
            last[..m].copy_from_slice(&self.residual);
        }
        add_product(&chunk.x, &self.weighted, stride, m, &mut self.gram, k);
    }

    fn merged(blocks: Vec<Self>) -> Self {
        let mut blocks = blocks.into_iter();
        let first = blocks.next().expect("a design has rows");
        blocks.fold(first, |mut all, block| {
            all.loss += block.loss;
            all.n_wrong += block.n_wrong;
            add_scaled(&mut all.downhill, 1.0, &block.downhill);
            add_scaled(&mut all.gram, 1.0, &block.gram);
            all
        })
    }
}

/// Adds `transpose(a) * b` to `sum`, all column-major; `a` and `b` have columns of `m` numbers,
/// `stride` apart, and `a` has `k` of them.
pub(super) fn add_product(
    a: &[f64],
    b: &[f64],
    stride: usize,
    m: usize,
    sum: &mut Vec<f64>,
    k: usize,
) {
    let n = sum.len() / k;
    let view = |data, columns: usize| {
        ArrayView2::from_shape((m, columns).strides((1, stride)), data)
            .expect("a chunk has room for its columns")
    };
    let mut product = Array2::from_shape_vec((k, n).f(), std::mem::take(sum))
        .expect("the sum has room for each pair of columns");
    general_mat_mul(1.0, &view(a, k).t(), &view(b, n), 1.0, &mut product);
    *sum = product.into_raw_vec_and_offset().0;
}

/// The loss of one row and its derivatives by the score.
struct Point {
    loss: f64,
    residual: f64,
    curvature: f64,
    wrong: bool,
}

#[inline]
fn at_point(loss: Loss, z: f64, y: f64) -> Point {
    match loss {
        Loss::Squared => {
            let residual = y - z;
            Point { loss: residual * residual, residual, curvature: 1.0, wrong: true }
        }
        Loss::Logistic => {
            // All of it from exp of a number that is not positive, which cannot overflow.
            let small = (-z.abs()).exp();
            let share = 1.0 / (1.0 + small);
            let positive = 0.5 < y;
            let margin = if positive { z } else { -z };
            let missing = if 0.0 <= margin { small * share } else { share };
            Point {
                loss: small.ln_1p() + (-margin).max(0.0),
                residual: if positive { missing } else { -missing },
                curvature: small * share * share,
                wrong: margin <= 0.0,
            }
        }
    }
}

/// The loss of a row with the score `z` and the target `y`.
#[inline]
pub(super) fn loss_at(loss: Loss, z: f64, y: f64) -> f64 {
    at_point(loss, z, y).loss
}

/// The residual of a row, whose product with the columns leads downhill.
#[inline]
pub(super) fn residual_at(loss: Loss, z: f64, y: f64) -> f64 {
    at_point(loss, z, y).residual
}
