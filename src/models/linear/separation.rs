//! Classes that some columns tell apart without error: then the likelihood grows for ever along a
//! direction, and no finite coefficients are best (Albert and Anderson, 1984).

use ndarray::ArrayView1;

use super::design::Design;
use super::lanes::{add_scaled, max_abs};
use super::score::score_rows;
use super::{Problem, Warning};
use crate::jobs::{Cancelled, Ctx};

/// How far a row may lie on the wrong side, beside the row that lies farthest on the right side.
/// Newton's steps settle on the direction while the rest of them fades.
const SLACK: f64 = 1e-3;
/// Columns with at least this share in the direction are named.
const NAMED: f64 = 0.1;

/// Whether along `direction` some rows move towards their class for ever and none away from it.
pub(super) fn is_separating(
    design: &Design,
    direction: &[f64],
    ctx: &Ctx,
) -> Result<bool, Cancelled> {
    let start = || (0.0_f64, 0.0_f64);
    let blocks = design.blocks(direction.len(), ctx, start, |(worst, best), chunk, rows| {
        design.fill(rows.clone(), chunk);
        let mut scores = vec![0.0; rows.len()];
        for (value, column) in direction.iter().zip(chunk.x.chunks(chunk.stride)) {
            add_scaled(&mut scores, *value, column);
        }
        for (row, score) in rows.zip(scores) {
            if 0.0 < design.weight(row) {
                let margin = if 0.5 < design.y[row] { score } else { -score };
                *worst = worst.min(margin);
                *best = best.max(margin);
            }
        }
    })?;
    let worst = blocks.iter().fold(0.0_f64, |worst, block| worst.min(block.0));
    let best = blocks.iter().fold(0.0_f64, |best, block| best.max(block.1));
    Ok(0.0 < best && -worst <= SLACK * best)
}

/// Says that the classes are separated along `direction`, and by which columns: those that alone
/// set the rows apart, else those that have the greatest part in the direction.
pub(super) fn warning(
    design: &Design,
    problem: &Problem,
    direction: &[f64],
    complete: bool,
) -> Warning {
    let (intercept, coefficients) = design.unscale(direction);
    let scores = score_rows(problem.x, intercept, &coefficients);
    let limit = SLACK * max_abs(&scores);
    let is_apart = |row: usize| {
        if complete { 0.5 < design.y[row] } else { limit < scores[row].abs() }
    };
    let alone = (0..problem.x.ncols())
        .filter(|place| sets_apart(design, problem.x.column(*place), is_apart))
        .map(|place| problem.names[place].clone());
    let mut columns: Vec<String> = alone.collect();
    if columns.is_empty() {
        let largest = max_abs(&direction[design.first()..]);
        let named = (design.first()..design.n_unknowns())
            .filter(|unknown| NAMED * largest <= direction[*unknown].abs());
        columns = named.filter_map(|unknown| design.name(unknown)).cloned().collect();
    }
    Warning::Separation { columns, complete }
}

/// Whether in one column all values of the rows that are apart lie above, or all below, those of
/// the others.
fn sets_apart(design: &Design, column: ArrayView1<f64>, is_apart: impl Fn(usize) -> bool) -> bool {
    let mut ranges = [(f64::INFINITY, f64::NEG_INFINITY); 2];
    for (row, value) in column.iter().enumerate() {
        if 0.0 < design.weight(row) {
            let (low, high) = &mut ranges[usize::from(is_apart(row))];
            *low = low.min(*value);
            *high = high.max(*value);
        }
    }
    let [others, apart] = ranges;
    others.1 < apart.0 || apart.1 < others.0
}
