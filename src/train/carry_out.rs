//! An experiment carried out: split, fit, score, measure.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::asked::{Answer, Asked, layout_of};
use super::background::{averages, reference};
use super::coefficients::{coefficients, no_inference};
use super::folds::cross_validate;
use super::measure::{measure, measure_training, threshold_on};
use super::resolve::{resolve, target_of};
use super::{Dataset, Error, Experiment, Metrics, Point, Run, RunId, Scores};
use crate::data::{self, Split, Table, Task};
use crate::features::Plan;
use crate::features::sight::Layout;
use crate::jobs::Ctx;
use crate::models::{Model, Predictor};

/// A model tells training from other rows by more than this in AUC or R²: it may overfit.
const OVERFIT: f64 = 0.1;
/// A class with a smaller share than this is called rare.
const RARE_CLASS: f64 = 0.05;

/// Divides the rows as a resolved experiment asks.
pub fn split_of(table: &Table, experiment: &Experiment, ctx: &Ctx) -> Result<Split, Error> {
    let target = target_of(table, experiment);
    let mut split = data::split(table, &experiment.split, target.as_ref(), ctx)?;
    if let Some(layout) = layout_of(table, experiment)? {
        keep_usable(table, &layout, experiment, &mut split)?;
    }
    Ok(split)
}

/// Leaves out the rows that have too few rows before them for a window.
fn keep_usable(
    table: &Table,
    layout: &Layout,
    experiment: &Experiment,
    split: &mut Split,
) -> Result<(), Error> {
    if layout.along.is_none() {
        return Ok(());
    }
    let usable = layout.usable(table)?;
    let n = |split: &Split| split.train.len() + split.valid.len() + split.test.len();
    let before = n(split);
    for part in [&mut split.train, &mut split.valid, &mut split.test] {
        part.retain(|row| usable[*row as usize]);
    }
    let out = before - n(split);
    split.left_out += out;
    if out > 0 {
        split.notes.push(format!(
            "{out} rows are left out: a window of {} looks back further than they can",
            layout.width
        ));
    }
    split.notes.splice(0..0, layout.warning(experiment.split.method));
    if split.train.is_empty() {
        let what = format!("no training row has the {} rows before it", layout.history());
        return Err(Error::question(what, "make `window` or `stride` smaller"));
    }
    Ok(())
}

/// The size of the matrix of training and validation rows, known before it is made.
pub fn plan(
    table: &Table,
    experiment: &Experiment,
    split: &Split,
    ctx: &Ctx,
) -> Result<Plan, Error> {
    let asked = Asked::new(table, experiment)?;
    asked.plan(split, ctx)
}

/// Carries out an experiment, after resolving it.
///
/// Recipe and model see the training rows only. The threshold is chosen on out-of-fold scores or
/// on the validation rows, or else follows from the costs; never from the test rows.
///
/// # Errors
///
/// When the experiment makes no sense on this table, the fit fails, or `ctx` is cancelled.
pub fn run(table: &Table, experiment: &Experiment, ctx: &Ctx) -> Result<Run, Error> {
    let (experiment, _) = resolve(table, experiment)?;
    let asked = Asked::new(table, &experiment)?;
    let split = split_of(table, &experiment, ctx)?;
    let out_of_fold = match experiment.cv {
        0 => None,
        k => Some(cross_validate(&asked, &split.train, k + 1, ctx)?),
    };
    ctx.note("fitting");
    let own = match experiment.cv {
        0 => ctx.clone(),
        k => ctx.part(k, k + 1),
    };
    let Answer { mut model, fitted, train, valid, seconds, means } =
        asked.fit(&split.train, &split.valid, &own)?;
    ctx.note("measuring");
    let outputs = model.outputs(table, Some(&split.test), &ctx.silent())?;
    let test = asked.scores(&split.test).told(&outputs);

    if model.task == Task::Binary {
        let chosen_on = match &out_of_fold {
            Some(out_of_fold) => Some(&out_of_fold.scores),
            None => Some(&valid).filter(|valid| !valid.rows.is_empty()),
        };
        let best = chosen_on.and_then(|scores| threshold_on(scores, experiment.costs));
        model.threshold = best.unwrap_or(model.threshold);
    }
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    let created = since_1970.map_or(0, |since| since.as_secs() as i64);
    if !means.is_empty() {
        let rows = &split.train;
        let averages = averages(&model, means, table, rows, &train, created, &ctx.silent())?;
        model.averages = Some(averages);
    }
    let seed = experiment.split.seed;
    let of_train = measure_training(&model, &train, model.threshold, seed, ctx)?;
    let measured = |scores: &Scores| -> Result<Option<Metrics>, Error> {
        if scores.rows.is_empty() {
            return Ok(None);
        }
        Ok(Some(measure(&model, scores, model.threshold, seed, ctx)?))
    };
    let (of_valid, of_test) = (measured(&valid)?, measured(&test)?);

    let mut warnings = split.notes.clone();
    warnings.extend(model.recipe.warning());
    warnings.extend(fitted.warnings.iter().map(ToString::to_string));
    let (folds, cv, oof_scores) = match out_of_fold {
        Some(out) => {
            warnings.extend(out.warnings);
            (out.folds, Some(out.metrics), Some(out.scores))
        }
        None => (Vec::new(), None, None),
    };
    warnings.extend(imbalance(&model, &train));
    let elsewhere = cv.as_ref().or(of_valid.as_ref()).or(of_test.as_ref());
    warnings.extend(elsewhere.and_then(|elsewhere| overfit(&model, &of_train, elsewhere)));

    let (intercept, coefficients) = coefficients(&model, &fitted);
    let point = |step: &crate::models::Step| Point {
        step: step.iteration as f64,
        loss: Some(step.loss),
        valid_loss: step.valid_loss,
        metric: step.metric,
        valid_metric: step.valid_metric,
        learning_rate: step.learning_rate,
        grad_norm: step.grad_norm,
        seconds: step.seconds,
    };
    let seen = [
        ("test", Some(&test)),
        ("out of fold", oof_scores.as_ref()),
        ("valid", Some(&valid)),
        ("train", Some(&train)),
    ];
    let reference = reference(&model, table, &split.train, seen, created, &ctx.silent())?;
    model.reference = Some(Arc::new(reference));
    let kept = |scores: Scores| (!scores.rows.is_empty()).then_some(scores);
    let run = Run {
        id: RunId::default(),
        created,
        dataset: Dataset {
            path: name_of(table, &experiment),
            rows: table.n_rows(),
            columns: table.n_columns(),
            sha256: table.origin.sha256.clone(),
        },
        task: model.task,
        split_rows: [split.train.len(), split.valid.len(), split.test.len()],
        train: of_train,
        valid: of_valid,
        test: of_test,
        cv,
        folds,
        train_scores: train,
        valid_scores: kept(valid),
        test_scores: kept(test),
        oof_scores,
        threshold: model.threshold,
        history: fitted.history.iter().map(point).collect(),
        sheet: fitted.sheet.clone(),
        converged: fitted.converged,
        iterations: fitted.iterations,
        intercept,
        coefficients,
        no_inference: no_inference(&fitted),
        notes: fitted.notes.clone(),
        warnings,
        fit_seconds: seconds,
        experiment: experiment.clone(),
        model,
    };
    Ok(run)
}

fn name_of(table: &Table, experiment: &Experiment) -> String {
    let path = experiment.data.path.to_string_lossy();
    if path.is_empty() { table.origin.label.clone() } else { path.into_owned() }
}

fn imbalance(model: &Model, train: &Scores) -> Option<String> {
    if model.task == Task::Multiclass {
        return unseen(&model.classes, train);
    }
    let [negative, positive] = model.classes.as_slice() else { return None };
    let share = train.truth.iter().sum::<f64>() / train.truth.len() as f64;
    let (rare, share) = if share < 0.5 { (positive, share) } else { (negative, 1.0 - share) };
    (share < RARE_CLASS).then(|| {
        format!(
            "only {:.1} % of the training rows are `{rare}`, so accuracy tells little",
            100.0 * share
        )
    })
}

/// The classes that no training row has.
fn unseen(classes: &[String], train: &Scores) -> Option<String> {
    let is_unseen = |place: usize| !train.truth.contains(&(place as f64));
    let named: Vec<String> = classes
        .iter()
        .enumerate()
        .filter(|(place, _)| is_unseen(*place))
        .map(|(_, class)| format!("`{class}`"))
        .collect();
    (!named.is_empty())
        .then(|| format!("no training row is {}, so that is never predicted", named.join(" or ")))
}

fn overfit(model: &Model, train: &Metrics, elsewhere: &Metrics) -> Option<String> {
    let remedy = match model.predictor {
        Predictor::Network(_) => {
            "use a smaller network, `dropout`, `weight_decay`, or validation rows with `patience`"
        }
        _ => "use fewer features, or a larger penalty (`alpha` of ridge and logistic)",
    };
    let names: &[&str] =
        if model.task == Task::Multiclass { &["accuracy"] } else { &["roc_auc", "r2"] };
    names.iter().find_map(|name| {
        let value = |metrics: &Metrics| metrics.get(*name).and_then(|estimate| estimate.value);
        let (here, there) = (value(train)?, value(elsewhere)?);
        let label = crate::metrics::metric(name)?.label;
        (here - there > OVERFIT).then(|| {
            format!(
                "{label} is {here:.3} on the training rows and {there:.3} on others: it may \
                 overfit\nhint: {remedy}"
            )
        })
    })
}
