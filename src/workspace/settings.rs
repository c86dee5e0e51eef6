//! The verbs that change a setting, each checked before anything is changed.

use super::choices::pick;
use super::{Error, Verb, Workspace};
use crate::data::{Method, Role};
use crate::features::Impute;
use crate::models;

/// A setting cannot have this value; the hint says which it can.
pub(super) fn wrong(key: &str, value: &str, want: &str) -> Error {
    Error::Command { what: format!("`{key}` cannot be `{value}`"), hint: format!("give it {want}") }
}

fn share(key: &str, value: &str, most: f64) -> Result<f64, Error> {
    match value.parse::<f64>() {
        Ok(share) if (0.0..=most).contains(&share) => Ok(share),
        _ => Err(wrong(key, value, &format!("a share from 0 to {most}"))),
    }
}

/// Carries out a verb that changes a setting.
pub(super) fn apply(workspace: &mut Workspace, verb: &Verb) -> Result<(), Error> {
    let table = std::sync::Arc::clone(workspace.table()?);
    let experiment = &mut workspace.now.experiment;
    let said = &mut experiment.data.columns;
    match verb {
        Verb::Target(name) => {
            table.expect_column(name)?;
            experiment.question.target = Some(name.clone());
            experiment.question.positive = None;
            said.roles.retain(|column, role| *role != Role::Target && column != name);
        }
        Verb::Positive(value) => {
            let question = workspace.question();
            let target = question.question.target.clone().unwrap_or_default();
            let known = workspace.survey.as_ref().filter(|s| s.resolved.is_ok());
            let levels = match known {
                Some(survey) => survey.classes.clone(),
                None => table.levels(&target)?.names,
            };
            if !levels.contains(value) {
                let want = format!("one of {}", levels.join(", "));
                return Err(wrong("positive", value, &want));
            }
            let experiment = &mut workspace.now.experiment;
            experiment.question.target = Some(target);
            experiment.question.positive = Some(value.clone());
        }
        Verb::Role(name, Role::Target) => return apply(workspace, &Verb::Target(name.clone())),
        Verb::Role(name, role) => {
            table.expect_column(name)?;
            if experiment.question.target.as_ref() == Some(name) {
                experiment.question.target = None;
            }
            if matches!(role, Role::Time | Role::Weight | Role::Group) {
                said.roles.retain(|_, r| r != role);
            }
            said.roles.insert(name.clone(), *role);
            match role {
                Role::Time => {
                    experiment.split.method = Method::Time;
                    experiment.split.time = Some(name.clone());
                }
                Role::Group => {
                    experiment.split.method = Method::Group;
                    experiment.split.group = Some(name.clone());
                }
                _ => {}
            }
        }
        Verb::Kind(name, kind) => {
            table.expect_column(name)?;
            said.kinds.insert(name.clone(), *kind);
        }
        Verb::Special(name, codes) => {
            if table.expect_column(name)?.is_masked() {
                return Err(wrong(
                    name,
                    "personal data",
                    "another column: this one is kept out of everything",
                ));
            }
            if codes.is_empty() {
                said.special.remove(name);
            } else {
                said.special.insert(name.clone(), codes.clone());
            }
        }
        Verb::Protected(name, is) => {
            table.expect_column(name)?;
            said.protected.insert(name.clone(), *is);
        }
        Verb::Personal(name, is) => {
            table.expect_column(name)?;
            said.personal.insert(name.clone(), *is);
        }
        Verb::UseProtected(is) => experiment.question.use_protected = *is,
        Verb::Model(kind) => {
            let info = models::kind(kind)?;
            experiment.model.kind.clone_from(kind);
            experiment.model.set.retain(|key, _| info.params.iter().any(|p| p.name == key));
        }
        Verb::Set(key, value) => {
            let mut set = experiment.model.set.clone();
            if value.is_empty() {
                set.remove(key);
            } else {
                set.insert(key.clone(), value.clone());
            }
            models::check(&experiment.model.kind, &set)?;
            experiment.model.set = set;
        }
        Verb::Split(key, value) => split(experiment, &table, key, value)?,
        Verb::Recipe(key, value) => recipe(experiment, key, value)?,
        Verb::Cost(key, value) => {
            if !value.is_finite() || *value < 0.0 {
                return Err(wrong(key, &value.to_string(), "a cost of 0 or more"));
            }
            match key.as_str() {
                "false_positive" => experiment.costs.false_positive = *value,
                "false_negative" => experiment.costs.false_negative = *value,
                _ => return Err(unknown("cost", key, &["false_positive", "false_negative"])),
            }
        }
        _ => {}
    }
    workspace.derive()
}

fn unknown(what: &str, key: &str, known: &[&str]) -> Error {
    let hint = match crate::data::nearest(key, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", known.join(", ")),
    };
    Error::Command { what: format!("no {what} setting `{key}`"), hint }
}

fn split(
    experiment: &mut crate::train::Experiment,
    table: &crate::data::Table,
    key: &str,
    value: &str,
) -> Result<(), Error> {
    let spec = &mut experiment.split;
    let optional = |value: &str| (!value.is_empty()).then(|| value.to_owned());
    match key {
        "method" => {
            spec.method = value.parse().map_err(|_| {
                let words: Vec<_> = Method::ALL.iter().map(|m| m.word()).collect();
                wrong(key, value, &format!("one of {}", words.join(", ")))
            })?;
        }
        "test" => spec.test = share(key, value, 0.9)?,
        "valid" => spec.valid = share(key, value, 0.9)?,
        "seed" => {
            spec.seed = value.parse().map_err(|_| wrong(key, value, "a whole number from 0"))?;
        }
        "group" | "time" => {
            table.expect_column(value)?;
            if key == "group" {
                spec.group = optional(value);
                spec.method = Method::Group;
            } else {
                spec.time = optional(value);
                spec.method = Method::Time;
            }
        }
        "from" => {
            spec.test_from = optional(value);
            spec.method = Method::Time;
        }
        "cv" => {
            experiment.cv = match value.parse() {
                Ok(k @ (0 | 2..=50)) => k,
                _ => return Err(wrong(key, value, "0, or 2 to 50 folds")),
            };
        }
        _ => {
            let known = ["method", "test", "valid", "seed", "group", "time", "from", "cv"];
            return Err(unknown("split", key, &known));
        }
    }
    if experiment.split.test + experiment.split.valid > 0.95 {
        return Err(wrong(key, value, "shares that leave rows to train on"));
    }
    Ok(())
}

fn recipe(experiment: &mut crate::train::Experiment, key: &str, value: &str) -> Result<(), Error> {
    let recipe = &mut experiment.recipe;
    match key {
        "impute" => recipe.impute = pick(key, value)?,
        "unseen" => recipe.unseen = pick(key, value)?,
        "scale" => recipe.scale = pick(key, value)?,
        "dates" => recipe.dates = pick(key, value)?,
        "rare" => recipe.rare = share(key, value, 0.5)?,
        "winsorise" => recipe.winsorise = share(key, value, 0.25)?,
        "constant" => {
            recipe.constant = value.parse().map_err(|_| wrong(key, value, "a number"))?;
            recipe.impute = Impute::Constant;
        }
        "indicator" => {
            recipe.missing_indicator = match value {
                "yes" | "on" | "true" => true,
                "no" | "off" | "false" => false,
                _ => return Err(wrong(key, value, "yes or no")),
            };
        }
        _ => {
            let known = [
                "impute",
                "constant",
                "indicator",
                "rare",
                "unseen",
                "scale",
                "dates",
                "winsorise",
            ];
            return Err(unknown("recipe", key, &known));
        }
    }
    Ok(())
}
