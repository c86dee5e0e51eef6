//! The whole problem reduced to the triangle of its columns and its target.

use std::ops::Range;

use super::design::{Chunk, Design};
use super::error::Error;
use super::pass::{Method, add_product};
use super::triangle::Triangle;
use crate::jobs::{Cancelled, Ctx};

/// Up to so many numbers reflections cost nothing that one could feel.
const SMALL: usize = 1 << 18;
/// The Gram matrix loses twice the digits of the condition number; beyond this it is not used.
const WELL_CONDITIONED: f64 = 1e4;
/// What is left of a column beside the columns before it, if it is to count as independent.
const INDEPENDENT: f64 = 1e-10;

/// Triangle of scaled columns and target, and how it was made.
pub(super) struct Reduced {
    /// The unknowns first, the target last; penalties are taken in as rows.
    pub(super) triangle: Triangle,
    pub(super) method: Method,
    /// Names of columns that depend on others and were dropped from the design.
    pub(super) dropped: Vec<String>,
}

/// Reduces the design, with `centre` taken off the target, and drops from it the columns that
/// cannot be told from those before them.
pub(super) fn reduce(
    design: &mut Design,
    centre: f64,
    penalty: impl Fn(&Design) -> Vec<f64>,
    ctx: &Ctx,
) -> Result<Reduced, Error> {
    let k = design.n_unknowns();
    let penalties = penalty(design);
    let mut method = Method::Reflections;
    let mut triangle = None;
    if SMALL < design.y.len() * (k + 1) {
        triangle = by_gram(design, centre, &penalties, ctx)?.filter(is_good);
        if triangle.is_some() {
            method = Method::Gram;
        }
    }
    let mut triangle = match triangle {
        Some(triangle) => triangle,
        None => by_reflections(design, centre, &penalties, ctx)?,
    };
    let mut kept = triangle.independent(k, INDEPENDENT);
    let mut dropped = Vec::new();
    if kept.len() < k {
        dropped = design.keep(&kept);
        kept.push(k);
        triangle = triangle.select(&kept);
        if SMALL < design.y.len() * (k + 1) && is_good(&triangle) {
            method = Method::Gram;
        }
    }
    Ok(Reduced { triangle, method, dropped })
}

/// Whether the Gram matrix of these columns keeps enough digits, of the unknowns and of what the
/// target has beside them.
fn is_good(triangle: &Triangle) -> bool {
    let last = triangle.size() - 1;
    let target = triangle.column(last);
    let whole = target.iter().map(|value| value * value).sum::<f64>().sqrt();
    whole < WELL_CONDITIONED * target[last].abs() && triangle.condition(last) < WELL_CONDITIONED
}

fn by_gram(
    design: &Design,
    centre: f64,
    penalties: &[f64],
    ctx: &Ctx,
) -> Result<Option<Triangle>, Cancelled> {
    let size = design.n_unknowns() + 1;
    let start = || vec![0.0; size * size];
    let blocks = design.blocks(size, ctx, start, |gram, chunk, rows| {
        let m = rows.len();
        fill_with_target(design, centre, rows, chunk);
        add_product(&chunk.x, &chunk.x, chunk.stride, m, gram, size);
    })?;
    let mut gram = start();
    for block in blocks {
        gram.iter_mut().zip(block).for_each(|(sum, value)| *sum += value);
    }
    for (j, penalty) in penalties.iter().enumerate() {
        gram[j * size + j] += penalty;
    }
    Ok(Triangle::of_gram(&gram, size))
}

fn by_reflections(
    design: &Design,
    centre: f64,
    penalties: &[f64],
    ctx: &Ctx,
) -> Result<Triangle, Cancelled> {
    let size = design.n_unknowns() + 1;
    let start = || Triangle::empty(size);
    let blocks = design.blocks(size, ctx, start, |triangle, chunk, rows| {
        let m = rows.len();
        fill_with_target(design, centre, rows, chunk);
        triangle.absorb(&mut chunk.x, chunk.stride, m);
    })?;
    let mut triangle = start();
    for block in blocks {
        triangle.merge(block);
    }
    triangle.absorb_penalties(penalties);
    Ok(triangle)
}

/// Scaled columns and the centred target behind them, each row times the root of its weight.
fn fill_with_target(design: &Design, centre: f64, rows: Range<usize>, chunk: &mut Chunk) {
    design.fill(rows.clone(), chunk);
    let target = &mut chunk.x[design.n_unknowns() * chunk.stride..];
    for (to, y) in target.iter_mut().zip(&design.y[rows.clone()]) {
        *to = y - centre;
    }
    if design.is_weighted() {
        let roots: Vec<f64> = rows.map(|row| design.weight(row).sqrt()).collect();
        for column in chunk.x.chunks_mut(chunk.stride) {
            column.iter_mut().zip(&roots).for_each(|(value, root)| *value *= root);
        }
    }
}
