//! Filling in what an experiment leaves open, and refusing what makes no sense on its table.

use std::collections::HashSet;

use super::asked::check_network;
use super::{Error, Experiment};
use crate::data::{self, Column, Kind, Method, Role, Table, Target, Task, nearest};
use crate::features::Scale;
use crate::models::{self, KindInfo};

/// Whole numbers are classes only if there are so many rows for each of them, on average.
const ROWS_A_CLASS: usize = 10;
/// No more classes can be told apart.
const MOST_CLASSES: usize = 1000;

/// The experiment with target, task, positive class and split method filled in, and a sentence on
/// each thing that was inferred.
///
/// # Errors
///
/// When the target, the model or the features cannot be what they are said to be; the nearest
/// name is given.
pub fn resolve(table: &Table, experiment: &Experiment) -> Result<(Experiment, Vec<String>), Error> {
    let mut experiment = experiment.clone();
    let mut notes = Vec::new();
    let kind = models::kind(&experiment.model.kind)?;
    models::check(kind.name, &experiment.model.set)?;
    let target = target(table, &experiment, &mut notes)?;
    experiment.question.target = Some(target.clone());
    let task = task(table, &experiment, &target, kind, &mut notes)?;
    experiment.question.task = Some(task);
    experiment.question.positive = positive(table, &experiment, &target, task, &mut notes)?;
    check_truth(table, &experiment)?;
    split(table, &mut experiment, task, &mut notes)?;
    check_numbers(&experiment)?;
    if experiment.cv == 1 || experiment.cv > 50 {
        let what = format!("`{}` folds are not possible", experiment.cv);
        return Err(Error::question(what, "choose 0 for none, or 2 to 50 folds"));
    }
    if features_of(table, &experiment)?.is_empty() && kind.name != "baseline" {
        let what = "no feature is left";
        return Err(Error::question(what, "give more columns the role feature, or drop fewer"));
    }
    let is_network = kind.param("network").is_some();
    if is_network && experiment.recipe.scale == Scale::None {
        // Columns of different size would each need a learning rate of their own.
        experiment.recipe.scale = Scale::Standard;
        notes.push("numbers are scaled to mean 0 and deviation 1, as a network needs".into());
    }
    notes.extend(left_out(table, &experiment));
    notes.extend(check_network(table, &experiment)?);
    Ok((experiment, notes))
}

/// Refuses numbers that no file should hold; the split checks its own.
fn check_numbers(experiment: &Experiment) -> Result<(), Error> {
    let (recipe, costs) = (&experiment.recipe, experiment.costs);
    let checks = [
        ("recipe.rare", recipe.rare, 0.5, "a share from 0 to 0.5"),
        ("recipe.winsorise", recipe.winsorise, 0.25, "a share from 0 to 0.25"),
        ("recipe.constant", recipe.constant.abs(), f64::MAX, "a finite number"),
        ("costs.false_positive", costs.false_positive, f64::MAX, "a cost of 0 or more"),
        ("costs.false_negative", costs.false_negative, f64::MAX, "a cost of 0 or more"),
    ];
    for (name, value, most, range) in checks {
        if !(0.0..=most).contains(&value) {
            let what = format!("`{name}` cannot be `{value}`");
            return Err(Error::question(what, format!("give it {range}")));
        }
    }
    Ok(())
}

/// What a resolved experiment predicts; nothing before a target is known.
pub fn target_of(_table: &Table, experiment: &Experiment) -> Option<Target> {
    let question = &experiment.question;
    Some(Target {
        name: question.target.clone()?,
        positive: question.positive.clone(),
        task: question.task?,
    })
}

/// The columns that a resolved experiment learns from, in the order of the table or as listed.
///
/// # Errors
///
/// When a feature is not there, or no word of a person can make it one.
pub fn features_of(table: &Table, experiment: &Experiment) -> Result<Vec<String>, Error> {
    check_features(table, experiment)?;
    let (question, split) = (&experiment.question, &experiment.split);
    let is_target = |name: &str| Some(name) == question.target.as_deref();
    let by_split = match split.method {
        Method::Group => split.group.as_deref(),
        Method::Time => split.time.as_deref(),
        Method::Random | Method::Stratified | Method::Sklearn => None,
    };
    let mut features: Vec<String> = if question.features.is_empty() {
        let columns = table.columns.iter().filter(|column| {
            // A column that was proposed as the target is a feature once another one is named.
            let mut column = (*column).clone();
            if column.role == Role::Target && !is_target(&column.name) {
                column.role = Role::Feature;
            }
            let is_taken = is_target(&column.name) || Some(column.name.as_str()) == by_split;
            column.is_feature(question.use_protected) && !is_taken
        });
        columns.map(|column| column.name.clone()).collect()
    } else {
        let may = |name: &&String| {
            let barred = |column: &Column| {
                let is_protected = column.protected.is_some() && column.role_guessed;
                column.personal.is_some()
                    || column.ahead.is_some()
                    || is_protected && !question.use_protected
            };
            table.column(name).is_some_and(|column| !barred(column)) && !is_target(name)
        };
        question.features.iter().filter(may).cloned().collect()
    };
    let mut seen = HashSet::new();
    features.retain(|name| !question.drop.contains(name) && seen.insert(name.clone()));
    Ok(features)
}

/// Refuses features that are not there, or that no word of a person can make features.
fn check_features(table: &Table, experiment: &Experiment) -> Result<(), Error> {
    let question = &experiment.question;
    for name in question.features.iter().chain(&question.drop) {
        table.expect_column(name)?;
    }
    for name in &question.features {
        let what = if Some(name) == question.target.as_ref() {
            "is the target"
        } else if table.expect_column(name)?.personal.is_some() {
            "holds personal data"
        } else if table.expect_column(name)?.ahead.is_some() {
            "is known only later"
        } else {
            continue;
        };
        let what = format!("`{name}` {what} and cannot be a feature");
        return Err(Error::question(what, "take it off the list of features"));
    }
    Ok(())
}

fn target(
    table: &Table,
    experiment: &Experiment,
    notes: &mut Vec<String>,
) -> Result<String, Error> {
    if let Some(name) = &experiment.question.target {
        table.expect_column(name)?;
        return Ok(name.clone());
    }
    let Some(column) = table.with_role(Role::Target) else {
        let columns: Vec<_> = table.columns.iter().map(|c| c.name.as_str()).collect();
        let hint = format!("name one of {}", columns.join(", "));
        return Err(Error::question("no target is named, and none can be proposed", hint));
    };
    if column.role_guessed {
        notes.push(format!("target `{}` was proposed, since none was named", column.name));
    }
    Ok(column.name.clone())
}

/// How many distinct values a column has, missing ones not counted.
fn distinct(table: &Table, name: &str) -> Result<usize, Error> {
    if table.is_numeric(name) {
        let values = table.numbers(name)?;
        let values = values.iter().filter(|value| !value.is_nan()).map(|value| value.to_bits());
        return Ok(values.collect::<HashSet<_>>().len());
    }
    Ok(table.levels(name)?.names.len())
}

fn task(
    table: &Table,
    experiment: &Experiment,
    target: &str,
    kind: &KindInfo,
    notes: &mut Vec<String>,
) -> Result<Task, Error> {
    let question = &experiment.question;
    let n_distinct = distinct(table, target)?;
    if n_distinct == 0 {
        let what = format!("the target `{target}` has no value in any row");
        return Err(Error::question(what, "choose another target"));
    }
    let is_number = table.is_numeric(target) || table.allows(target, Kind::Datetime);
    let infer = || -> Result<Task, Error> {
        let inferred = data::task_of(table, target, question.positive.as_deref())?;
        let several_numbers = inferred == Task::Multiclass && is_number;
        let few_rows = table.n_rows() < ROWS_A_CLASS * n_distinct;
        let no_classes = !kind.can(Task::Multiclass) || few_rows;
        let as_number = several_numbers && kind.can(Task::Regression) && no_classes;
        Ok(if as_number { Task::Regression } else { inferred })
    };
    let task = match question.task {
        Some(task) => task,
        None => infer()?,
    };
    if question.task.is_none() {
        notes.push(match task {
            Task::Regression => format!("`{target}` is taken as a number: regression"),
            Task::Binary => format!("`{target}` is taken as one of two classes: binary"),
            Task::Multiclass => format!("`{target}` has {n_distinct} classes: multiclass"),
        });
    }
    if n_distinct == 1 {
        let what = format!("the target `{target}` has the same value in every row");
        return Err(Error::question(what, "choose a target that varies"));
    }
    if task == Task::Multiclass && (n_distinct > MOST_CLASSES || table.n_rows() < 2 * n_distinct) {
        let what = format!("`{target}` has {n_distinct} classes in {} rows", table.n_rows());
        let hint = "choose a target with fewer classes, or name the positive class to tell it \
                    from all others";
        return Err(Error::question(what, hint));
    }
    if kind.can(task) && (is_number || task != Task::Regression) {
        return Ok(task);
    }
    if task == Task::Multiclass {
        return Err(Error::question(
            format!("`{}` knows no classes, but `{target}` has {n_distinct}", kind.name),
            "use `logistic`, or name the positive class to tell it from all others",
        ));
    }
    let others = models::CATALOG.iter().filter(|other| other.can(task) && other.name != "baseline");
    let others: Vec<_> = others.map(|other| format!("`{}`", other.name)).collect();
    Err(match task {
        Task::Regression if !is_number => Error::question(
            format!("the target `{target}` does not hold numbers, so it cannot be regressed on"),
            "use `logistic` on classes, or choose a numeric target",
        ),
        _ => Error::question(
            format!(
                "`{}` tells classes apart, but `{target}` holds {n_distinct} different numbers",
                kind.name
            ),
            format!("use {}, or choose a target with two values", others.join(" or ")),
        ),
    })
}

fn positive(
    table: &Table,
    experiment: &Experiment,
    target: &str,
    task: Task,
    notes: &mut Vec<String>,
) -> Result<Option<String>, Error> {
    if task != Task::Binary {
        return Ok(None);
    }
    let levels = table.levels(target)?.names;
    if let Some(asked) = &experiment.question.positive {
        let number = |text: &str| text.trim().parse::<f64>().ok();
        let is_same = |level: &&String| {
            *level == asked || number(level).is_some() && number(level) == number(asked)
        };
        if let Some(level) = levels.iter().find(is_same) {
            return Ok(Some(level.clone()));
        }
        let hint = match nearest(asked, levels.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the classes are {}", levels.join(", ")),
        };
        return Err(Error::question(format!("`{target}` has no class `{asked}`"), hint));
    }
    let Some(positive) = data::positive_class(table, target)? else {
        let what = format!("`{target}` has {} values, not two classes", levels.len());
        let hint = "name the positive class to tell it from all others, or use `linear`";
        return Err(Error::question(what, hint));
    };
    notes.push(format!("class `{positive}` of `{target}` counts as positive"));
    Ok(Some(positive))
}

fn check_truth(table: &Table, experiment: &Experiment) -> Result<(), Error> {
    let Some(target) = target_of(table, experiment) else { return Ok(()) };
    let truth = target.truth(table)?;
    let mut known = truth.iter().filter(|value| !value.is_nan());
    let first = known.next();
    if known.all(|value| Some(value) == first) {
        let what = format!("the target `{}` has the same value in every row", target.name);
        return Err(Error::question(what, "choose a target that varies"));
    }
    Ok(())
}

fn split(
    table: &Table,
    experiment: &mut Experiment,
    task: Task,
    notes: &mut Vec<String>,
) -> Result<(), Error> {
    let by_hand = |role: Role| table.with_role(role).filter(|column| !column.role_guessed);
    let target = experiment.question.target.as_deref().and_then(|name| table.column(name));
    let ahead = target.and_then(|column| column.ahead.as_ref());
    let spec = &mut experiment.split;
    if spec.method == Method::Stratified {
        if let Some(ahead) = ahead {
            spec.method = Method::Time;
            spec.time = spec.time.take().or_else(|| ahead.time.clone());
            let (name, n) = (&ahead.name, ahead.horizon);
            let rows = if n == 1 { "row" } else { "rows" };
            notes.push(format!("`{name}` looks {n} {rows} ahead, so the latest rows test"));
        } else if spec.time.is_some() || spec.test_from.is_some() || by_hand(Role::Time).is_some() {
            spec.method = Method::Time;
            notes.push("a time column is named, so the latest rows test".into());
        } else if spec.group.is_some() || by_hand(Role::Group).is_some() {
            spec.method = Method::Group;
            notes.push("a group column is named, so whole groups test".into());
        } else if task == Task::Regression {
            spec.method = Method::Random;
        }
    }
    let of_role = |role: Role| table.with_role(role).map(|column| column.name.clone());
    match spec.method {
        Method::Time if spec.time.is_none() => spec.time = of_role(Role::Time),
        Method::Group if spec.group.is_none() => spec.group = of_role(Role::Group),
        _ => {}
    }
    for name in spec.time.iter().chain(&spec.group) {
        table.expect_column(name)?;
    }
    let lacks = match spec.method {
        Method::Time if spec.time.is_none() => "time",
        Method::Group if spec.group.is_none() => "group",
        _ => return Ok(()),
    };
    let what = format!("a split by {lacks} needs a {lacks} column");
    Err(Error::question(what, format!("name one, or give a column the role {lacks}")))
}

/// Sentences on columns that the law or good manners keep out.
fn left_out(table: &Table, experiment: &Experiment) -> Vec<String> {
    let question = &experiment.question;
    let named = |is: &dyn Fn(&Column) -> bool| {
        let names = table.columns.iter().filter(|column| {
            is(column)
                && Some(&column.name) != question.target.as_ref()
                && !question.drop.contains(&column.name)
                && (question.features.is_empty() || question.features.contains(&column.name))
        });
        names.map(|column| format!("`{}`", column.name)).collect::<Vec<_>>().join(", ")
    };
    let protected = named(&|column| {
        column.protected.is_some()
            && column.is_feature(true)
            && !column.is_feature(question.use_protected)
    });
    let personal = named(&|column| column.personal.is_some());
    let mut notes = Vec::new();
    if !protected.is_empty() {
        notes.push(format!("left out as protected by law: {protected}"));
    }
    if !personal.is_empty() {
        notes.push(format!("left out as personal data: {personal}"));
    }
    notes
}
