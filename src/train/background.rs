//! What a model keeps of its training besides its weights: the averages that explanations start
//! from, and the reference against which drift is measured.

use std::sync::Arc;

use super::{Error, Scores};
use crate::data::{Table, Task};
use crate::features::Encoding;
use crate::features::reference::Reference;
use crate::features::sight::FittedSight;
use crate::jobs::Ctx;
use crate::models::{Averages, Model, Near, means, nearest};

/// Rows that the reference looks at, evenly spaced over the training rows: more tell nothing else.
const MOST_ROWS: usize = 100_000;

/// The averages of a linear model over its training rows, whose means are known already.
pub(super) fn averages(
    model: &Model,
    all: Vec<f64>,
    table: &Table,
    rows: &[u32],
    scores: &Scores,
    made: i64,
    ctx: &Ctx,
) -> Result<Averages, Error> {
    let mut near = [None, None];
    if model.task == Task::Binary {
        let places = nearest(&scores.score, model.threshold);
        for (near, places) in near.iter_mut().zip(places) {
            if places.is_empty() {
                continue;
            }
            let own: Vec<u32> = places.iter().map(|at| rows[*at]).collect();
            let weights: Option<Vec<f64>> =
                scores.weight.as_ref().map(|w| places.iter().map(|at| w[*at]).collect());
            let x = model.recipe.matrix(table, &own, ctx)?;
            let score = |at: &usize| scores.score[*at];
            *near = Some(Near {
                means: means(x.view(), weights.as_deref()),
                n: places.len(),
                low: places.iter().map(score).fold(f64::INFINITY, f64::min),
                high: places.iter().map(score).fold(f64::NEG_INFINITY, f64::max),
            });
        }
    }
    let [below, above] = near;
    Ok(Averages { all, n: rows.len(), below, above, made })
}
