//! What a model keeps of its training besides its weights: the averages that explanations start
//! from, and the reference against which drift is measured.

use super::{Error, Scores};
use crate::data::{Table, Task};
use crate::features::reference::{ColumnReference, Reference, SCORES, ScoreReference};
use crate::jobs::Ctx;
use crate::models::{Averages, FieldKind, Model, Near, contract, means, nearest};

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

/// What columns and scores were like. Columns are those of the training rows; scores those of rows
/// the model has not been fitted on, as far as there are any.
pub(super) fn reference(
    model: &Model,
    table: &Table,
    rows: &[u32],
    scores: [(&'static str, Option<&Scores>); 4],
    made: i64,
    ctx: &Ctx,
) -> Result<Reference, Error> {
    let step = rows.len().div_ceil(MOST_ROWS).max(1);
    let rows: Vec<u32> = rows.iter().copied().step_by(step).collect();
    let mut columns = Vec::new();
    for field in contract(model) {
        ctx.check()?;
        let name = &field.name;
        // The column by which windows are grouped may hold words, whatever the model takes it for.
        let is_level = field.kind == FieldKind::Level || !field.levels.is_empty();
        let values = if is_level { None } else { table.numbers(name).ok() };
        if let Some(values) = values {
            let own = rows.iter().map(|row| values[*row as usize]).collect();
            columns.push(ColumnReference::of_numbers(name, own));
        } else {
            let levels = table.levels(name)?;
            let codes = rows.iter().map(|row| levels.codes[*row as usize]);
            columns.push(ColumnReference::of_levels(name, &levels.names, codes));
        }
    }
    let known = scores
        .into_iter()
        .find_map(|(name, own)| own.filter(|own| !own.score.is_empty()).map(|own| (name, own)));
    let scores = known.map_or_else(ScoreReference::default, |(name, own)| {
        let both = own.score.iter().zip(&own.truth).filter(|(s, t)| s.is_finite() && t.is_finite());
        let both: Vec<(f64, f64)> = both.map(|(score, truth)| (*score, *truth)).collect();
        let step = both.len().div_ceil(SCORES).max(1);
        let (scores, truth) = both.into_iter().step_by(step).unzip();
        ScoreReference { rows: name.to_owned(), scores, truth }
    });
    Ok(Reference { columns, scores, made })
}
