//! A model made elsewhere as a run: measured on a table where there is one, so that it can be
//! compared, explained and watched like one of our own.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::background::reference;
use super::evaluate::classes_of as classes_of_rows;
use super::measure::measure;
use super::{Dataset, Error, Experiment, Metrics, Run, RunId, Scores};
use crate::data::{Kind, Table, Target, Task};
use crate::features::{Encoding, FittedRecipe, Input, Output, Source};
use crate::jobs::{Ctx, Sheet};
use crate::models::foreign::{Apply, ForeignModel, OutputKind};
use crate::models::{Model, Predictor};

/// What a person says of a model that does not say it itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// The column it predicts.
    pub target: Option<String>,
    /// Its classes in the order of its outputs; for two the negative one first.
    pub classes: Vec<String>,
    /// Regression or classification, where its output does not tell.
    pub task: Option<Task>,
    /// The names of its columns, in their order.
    pub features: Vec<String>,
}

/// Makes a run of a model made elsewhere; with a table its scores, metrics and reference are taken
/// from it.
///
/// # Errors
///
/// When names and outputs do not fit together, or the table lacks a column.
pub fn import(
    foreign: ForeignModel,
    asked: &Import,
    path: &str,
    table: Option<&Table>,
    ctx: &Ctx,
) -> Result<Run, Error> {
    let (foreign, task) = settled(foreign, asked)?;
    let features =
        if asked.features.is_empty() { foreign.feature_names() } else { asked.features.clone() };
    if features.len() != foreign.n_features() {
        return Err(Error::question(
            format!(
                "{} columns are named, and the model takes {}",
                features.len(),
                foreign.n_features()
            ),
            "name all of them with `--features`, in the order in which it takes them",
        ));
    }
    let classes = classes_of(&foreign, asked, task)?;
    let target = asked.target.clone().unwrap_or_else(|| "target".into());
    let mut experiment = Experiment::default();
    experiment.model.kind = "onnx".into();
    experiment.question.target = Some(target.clone());
    experiment.question.task = Some(task);
    experiment.question.features.clone_from(&features);
    let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs() as i64);
    let mut model = Model {
        kind: "onnx".into(),
        task,
        target: target.clone(),
        classes: classes.clone(),
        threshold: 0.5,
        recipe: recipe(&features),
        sight: None,
        predictor: Predictor::Foreign(Box::new(foreign)),
        averages: None,
        reference: None,
        protected: Vec::new(),
    };
    let mut dataset = Dataset { path: path.to_owned(), ..Dataset::default() };
    let (mut test, mut test_scores, mut rows) = (None, None, 0);
    if let Some(table) = table {
        dataset = Dataset {
            path: table.origin.label.clone(),
            rows: table.n_rows(),
            columns: table.n_columns(),
            sha256: table.origin.sha256.clone(),
        };
        let outputs = model.outputs(table, None, ctx)?;
        if table.column(&target).is_some() {
            known(&classes, table, &target, task)?;
            let positive = classes.get(1).cloned().filter(|_| task == Task::Binary);
            let truth = match task {
                Task::Multiclass => classes_of_rows(&model, table)?,
                _ => Target { name: target.clone(), positive, task }.truth(table)?,
            };
            let scores = Scores { rows: table.rows(), truth, ..Scores::default() }.told(&outputs);
            let seed = experiment.split.seed;
            test = Some(measure(&model, &scores, model.threshold, seed, ctx)?);
            rows = scores.rows.len();
            test_scores = Some(scores);
        }
        let all: Vec<u32> = (0..table.n_rows() as u32).collect();
        let seen = [("test", test_scores.as_ref()), ("", None), ("", None), ("", None)];
        let reference = reference(&model, table, &all, seen, created, ctx)?;
        for (input, own) in model.recipe.inputs.iter_mut().zip(&reference.columns) {
            input.missing = own.missing as f64 / own.n.max(1) as f64;
            if let crate::features::reference::Shape::Numbers { sample, mean, .. } = &own.shape {
                (input.min, input.max) = (sample.first().copied(), sample.last().copied());
                input.mean = Some(*mean);
            }
        }
        model.reference = Some(Arc::new(reference));
    }
    Ok(Run {
        id: RunId::default(),
        experiment,
        created,
        dataset,
        task,
        split_rows: [0, 0, rows],
        train: Metrics::new(),
        valid: None,
        test,
        cv: None,
        folds: Vec::new(),
        train_scores: Scores::default(),
        valid_scores: None,
        test_scores,
        oof_scores: None,
        threshold: model.threshold,
        history: Vec::new(),
        sheet: Sheet::default(),
        converged: true,
        iterations: 0,
        intercept: None,
        coefficients: Vec::new(),
        no_inference: None,
        notes: vec![format!("imported from {path}; karat did not train it")],
        warnings: Vec::new(),
        fit_seconds: 0.0,
        model,
    })
}

/// The task, and the model with what its outputs need to be probabilities.
fn settled(foreign: ForeignModel, asked: &Import) -> Result<(ForeignModel, Task), Error> {
    let wrong =
        |error: crate::models::foreign::Error| Error::from(crate::models::Error::from(error));
    let several = |n: usize| if n == 2 { Task::Binary } else { Task::Multiclass };
    let (found, apply) = match foreign.output_kind() {
        OutputKind::Probability => (Task::Binary, Apply::None),
        OutputKind::Classes(_) => (Task::Multiclass, Apply::None),
        OutputKind::Number if asked.task == Some(Task::Binary) || asked.classes.len() == 2 => {
            (Task::Binary, Apply::Sigmoid)
        }
        OutputKind::Number => (Task::Regression, Apply::None),
        OutputKind::Scores(n) => (several(n), Apply::Softmax),
    };
    let foreign =
        if apply == Apply::None { foreign } else { foreign.applying(apply).map_err(wrong)? };
    if let Some(task) = asked.task.filter(|task| *task != found) {
        return Err(Error::question(
            format!("its output is of another sort than `{}`", task.word()),
            "leave out `--task`",
        ));
    }
    Ok((foreign, found))
}

fn classes_of(foreign: &ForeignModel, asked: &Import, task: Task) -> Result<Vec<String>, Error> {
    let n = match task {
        Task::Regression => return Ok(Vec::new()),
        Task::Binary => 2,
        Task::Multiclass => foreign.n_outputs(),
    };
    let classes = if !asked.classes.is_empty() {
        asked.classes.clone()
    } else if foreign.classes.len() == n {
        foreign.classes.clone()
    } else {
        (0..n).map(|class| class.to_string()).collect()
    };
    if classes.len() == n {
        return Ok(classes);
    }
    Err(Error::question(
        format!("{} classes are named, and the model tells {n} apart", classes.len()),
        "name all of them with `--classes`, for two the negative one first",
    ))
}

/// Refuses a table whose target holds other classes than the model tells apart: figures would be
/// taken from rows that are all wrong.
fn known(classes: &[String], table: &Table, target: &str, task: Task) -> Result<(), Error> {
    if task == Task::Regression {
        return Ok(());
    }
    let levels = table.levels(target)?.names;
    let Some(strange) = levels.iter().find(|level| !classes.contains(level)) else {
        return Ok(());
    };
    let names = |all: &[String]| all.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>();
    Err(Error::question(
        format!(
            "the model tells {} apart, and `{target}` holds `{strange}`",
            names(classes).join(" and ")
        ),
        if levels.len() == classes.len() {
            format!(
                "name its classes in the order of the model's outputs, such as `--classes {}`{}",
                levels.join(","),
                if task == Task::Binary { ", the negative one first" } else { "" }
            )
        } else {
            format!("`{target}` holds {} classes; leave out `--data`", levels.len())
        },
    ))
}

/// The columns as they are: a stranger's model has its own preparation inside.
fn recipe(features: &[String]) -> FittedRecipe {
    let input = |name: &String| Input {
        name: name.clone(),
        kind: Kind::Number,
        encoding: Encoding::Number,
        special: Vec::new(),
        missing: 0.0,
        min: None,
        max: None,
        mean: None,
        levels: Vec::new(),
    };
    let output = |name: &String| Output {
        name: name.clone(),
        column: name.clone(),
        source: Source::Number { fill: f64::NAN, low: None, high: None },
        offset: 0.0,
        scale: 1.0,
    };
    FittedRecipe {
        inputs: features.iter().map(input).collect(),
        outputs: features.iter().map(output).collect(),
        ..FittedRecipe::default()
    }
}
