//! Several experiments in a row: a sweep over one parameter, and every kind in the catalog.

use std::time::{Duration, Instant};

use super::asked::suits;
use super::resolve::resolve;
use super::{Error, Experiment, Run, run};
use crate::data::Table;
use crate::jobs::{Ctx, Wish};
use crate::models::{self, CATALOG};

/// The penalties that a sweep tries when none are given: 1e-4 to 1e4, one for each power of ten.
pub fn alphas() -> Vec<String> {
    (-4..=4).map(|power| 10_f64.powi(power).to_string()).collect()
}

/// Folds of a sweep that was asked for without folds or validation rows: the test rows must not
/// choose among the values.
const SWEEP_FOLDS: usize = 5;

/// Carries out the experiment once for each value of a parameter; each run is handed out as soon
/// as it is there.
///
/// # Errors
///
/// Before anything is fitted when the parameter or a value is not known to the model.
pub fn sweep(
    table: &Table,
    experiment: &Experiment,
    param: &str,
    values: &[String],
    ctx: &Ctx,
    out: &mut dyn FnMut(Run),
) -> Result<(), Error> {
    let with = |value: &String| {
        let mut experiment = experiment.clone();
        experiment.model.set.insert(param.to_owned(), value.clone());
        if experiment.cv == 0 && experiment.split.valid == 0.0 {
            experiment.cv = SWEEP_FOLDS;
        }
        experiment
    };
    for value in values {
        let with = with(value);
        models::check(&with.model.kind, &with.model.set)?;
    }
    for (idx, value) in values.iter().enumerate() {
        ctx.note(format!("{param} = {value}"));
        out(run(table, &with(value), &ctx.part(idx, values.len()))?);
    }
    Ok(())
}

/// Carries out the experiment with every kind of model that can answer it, with its defaults,
/// until the budget is spent; each run is handed out as soon as it is there.
///
/// # Errors
///
/// When cancelled, or when no kind at all could be fitted; a kind that fails alone is passed over.
pub fn every_kind(
    table: &Table,
    experiment: &Experiment,
    budget: Duration,
    ctx: &Ctx,
    out: &mut dyn FnMut(Run),
) -> Result<(), Error> {
    let start = Instant::now();
    let with = |kind: &str| {
        let mut experiment = experiment.clone();
        kind.clone_into(&mut experiment.model.kind);
        experiment.model.set.clear();
        experiment
    };
    let (resolved, _) = resolve(table, &with("baseline"))?;
    let task = resolved.question.task;
    let kinds: Vec<_> =
        CATALOG.iter().filter(|kind| task.is_some_and(|task| kind.can(task))).collect();
    let kinds: Vec<_> =
        kinds.into_iter().filter(|kind| suits(table, &resolved, kind.name)).collect();
    let mut first_error = None;
    let mut n_done = 0;
    for (idx, kind) in kinds.iter().enumerate() {
        if n_done > 0 && start.elapsed() > budget {
            ctx.note(format!("the time is up before `{}`", kind.name));
            break;
        }
        if n_done > 0 && ctx.rest()? == Wish::Finish {
            break;
        }
        ctx.check()?;
        ctx.note(kind.label);
        let mut asked = with(kind.name);
        asked.question.task = task;
        match run(table, &asked, &ctx.part(idx, kinds.len())) {
            Ok(run) => {
                n_done += 1;
                out(run);
            }
            Err(error) => {
                ctx.check()?;
                ctx.note(format!("`{}` was passed over: {error}", kind.name));
                first_error.get_or_insert(error);
            }
        }
    }
    match first_error {
        Some(error) if n_done == 0 => Err(error),
        _ => Ok(()),
    }
}
