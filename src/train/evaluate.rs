//! A model measured on a table that it was not trained on.

use super::measure::measure;
use super::{Error, Metrics, Scores};
use crate::data::{Table, Target, Task};
use crate::jobs::Ctx;
use crate::models::Model;
use crate::rng::Seed;

/// How a model does on a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Regression or classification.
    pub task: Task,
    /// Rows with a target, which are those that were measured.
    pub rows: usize,
    /// Each metric with its interval.
    pub metrics: Metrics,
    /// The scores beside the truth.
    pub scores: Scores,
}

/// Scores the rows of a table that have a target, and measures them.
///
/// # Errors
///
/// When the table lacks the target, one of its classes is unknown to the model, or a column is
/// missing.
pub fn evaluate(model: &Model, table: &Table, ctx: &Ctx) -> Result<Evaluation, Error> {
    table.expect_column(&model.target)?;
    let truth = match model.task {
        Task::Multiclass => classes_of(model, table)?,
        Task::Regression | Task::Binary => {
            check_classes(model, table)?;
            let positive = model.classes.last().cloned();
            Target { name: model.target.clone(), positive, task: model.task }.truth(table)?
        }
    };
    let rows = 0..table.n_rows() as u32;
    let rows: Vec<u32> = rows.filter(|row| !truth[*row as usize].is_nan()).collect();
    if rows.is_empty() {
        let what = format!("the target `{}` has no value in any row", model.target);
        return Err(Error::question(what, "evaluate on a table where the outcome is known"));
    }
    let source = table.rows();
    let weights = super::asked::weights(table, &truth, &source)?;
    let at = |values: &[f64]| rows.iter().map(|row| values[*row as usize]).collect();
    let scores = Scores {
        rows: rows.iter().map(|row| source[*row as usize]).collect(),
        truth: at(&truth),
        weight: weights.as_deref().map(at),
        ..Scores::default()
    };
    let scores = known(scores.told(&model.outputs(table, Some(&rows), ctx)?));
    if scores.rows.is_empty() {
        let what = "no row has enough rows before it for a window";
        return Err(Error::question(what, "evaluate on a longer table"));
    }
    let metrics = measure(model, &scores, model.threshold, Seed::default().0, ctx)?;
    Ok(Evaluation { task: model.task, rows: scores.rows.len(), metrics, scores })
}

/// Without the rows that a model could not tell anything of, such as those too early for a window.
fn known(scores: Scores) -> Scores {
    let n_classes = scores.n_classes();
    let is_known = |place: usize| match n_classes {
        0 => !scores.score[place].is_nan(),
        _ => !scores.probabilities(place)[0].is_nan(),
    };
    let places: Vec<usize> = (0..scores.rows.len()).filter(|place| is_known(*place)).collect();
    if places.len() == scores.rows.len() {
        return scores;
    }
    let at = |values: &[f64]| places.iter().map(|place| values[*place]).collect();
    let own = |place: &usize| scores.probability[place * n_classes..][..n_classes].to_vec();
    Scores {
        rows: places.iter().map(|place| scores.rows[*place]).collect(),
        truth: at(&scores.truth),
        score: at(&scores.score),
        probability: places.iter().flat_map(own).collect(),
        weight: scores.weight.as_deref().map(at),
        fold: None,
    }
}

/// The place of every row's class among those of the model, which may be others, or stand in
/// another order, than those of the table; NaN where it is missing.
pub(super) fn classes_of(model: &Model, table: &Table) -> Result<Vec<f64>, Error> {
    let levels = table.levels(&model.target)?;
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let place = |level: &String| {
        let same = model.classes.iter().position(|class| class == level);
        let same_number = || {
            let wanted = number(level)?;
            model.classes.iter().position(|class| number(class) == Some(wanted))
        };
        same.or_else(same_number).ok_or_else(|| {
            Error::question(
                format!("the target `{}` has the class `{level}`, which is new", model.target),
                format!("the model knows {}", quoted(&model.classes)),
            )
        })
    };
    let places = levels.names.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let truth = |code: u32| places.get(code as usize).map_or(f64::NAN, |place| *place as f64);
    Ok(levels.codes.into_iter().map(truth).collect())
}

/// The first few classes.
fn quoted(classes: &[String]) -> String {
    const SHOWN: usize = 10;
    let names: Vec<String> = classes.iter().take(SHOWN).map(|class| format!("`{class}`")).collect();
    let more = classes.len().saturating_sub(SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    names.join(", ") + &more
}

/// A class that the model does not know would silently count as the negative one.
fn check_classes(model: &Model, table: &Table) -> Result<(), Error> {
    let [negative, positive] = model.classes.as_slice() else { return Ok(()) };
    if *negative == format!("not {positive}") {
        return Ok(());
    }
    let levels = table.levels(&model.target)?.names;
    match levels.iter().find(|level| *level != negative && *level != positive) {
        None => Ok(()),
        Some(level) => Err(Error::question(
            format!("the target `{}` has the class `{level}`, which is new", model.target),
            format!("the model knows `{negative}` and `{positive}`"),
        )),
    }
}
