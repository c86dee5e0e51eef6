//! The settings of an experiment as rows of a form: what each is called, what it may be, and the
//! verb that sets it.

use super::{Error, Verb, Workspace};
use crate::data::{Method, Role, Task};
use crate::features::{Dates, Impute, Scale, Unseen};
use crate::models;

/// One row of the form in the Model pane.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The heading it stands under.
    pub group: &'static str,
    /// What it is called.
    pub label: String,
    /// Its value as text.
    pub value: String,
    /// Whether nobody has changed it.
    pub is_default: bool,
    /// What it may be, when that is a short list.
    pub choices: Vec<String>,
    /// What it may be, in words: `0 … 1e6`.
    pub range: String,
    /// What it does.
    pub about: String,
    /// How it is set.
    pub setter: Setter,
}

/// How a field is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setter {
    /// The column to predict.
    Target,
    /// The positive class.
    Positive,
    /// The kind of model.
    Model,
    /// Whether protected attributes may be features.
    UseProtected,
    /// A field of the split.
    Split(&'static str),
    /// A field of the recipe.
    Recipe(&'static str),
    /// A parameter of the model.
    Set(String),
    /// What a wrong decision costs.
    Cost(&'static str),
}

impl Field {
    /// The verb that gives the field this value.
    pub fn verb(&self, value: &str) -> Verb {
        let value = value.trim().to_owned();
        match &self.setter {
            Setter::Target => Verb::Target(value),
            Setter::Positive => Verb::Positive(value),
            Setter::Model => Verb::Model(value),
            Setter::UseProtected => Verb::UseProtected(value == "yes"),
            Setter::Split(key) => Verb::Split((*key).into(), value),
            Setter::Recipe(key) => Verb::Recipe((*key).into(), value),
            Setter::Set(key) => Verb::Set(key.clone(), value),
            Setter::Cost(key) => Verb::Cost((*key).into(), value.parse().unwrap_or(f64::NAN)),
        }
    }
}

/// Every setting of the experiment as it stands, in the order of the form.
pub fn fields(workspace: &Workspace) -> Vec<Field> {
    let Some(table) = &workspace.now.table else { return vec![] };
    let question = workspace.question();
    let typed = &workspace.now.experiment;
    let columns: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
    let task = question.question.task;
    let mut rows = Form::default();

    rows.group = "model";
    let kinds = models::CATALOG.iter().map(|k| k.name.to_owned()).collect();
    let kind = models::kind(&question.model.kind).ok();
    let about = kind.map_or(String::new(), |k| k.about.to_owned());
    rows.choice("kind", &question.model.kind, false, kinds, about, Setter::Model);
    let target = question.question.target.clone().unwrap_or_default();
    let accepted = typed.question.target.is_some();
    rows.choice("target", &target, !accepted, columns.clone(), "the column to predict", Setter::Target);
    if task == Some(Task::Binary) {
        let positive = question.question.positive.clone().unwrap_or_default();
        let levels = table.levels(&target).map(|l| l.names).unwrap_or_default();
        let guessed = typed.question.positive.is_none();
        rows.choice("positive", &positive, guessed, levels, "the class that is scored", Setter::Positive);
    }
    if table.columns.iter().any(|c| c.protected.is_some()) {
        let value = if question.question.use_protected { "yes" } else { "no" };
        let about = "may sex, age, nationality or marital state be features?";
        let choices = ["no", "yes"].map(str::to_owned).to_vec();
        rows.choice("use protected", value, value == "no", choices, about, Setter::UseProtected);
    }

    rows.group = "parameters";
    let solver = question.model.set.get("solver").map_or("", String::as_str);
    for param in kind.map_or(&[][..], |k| k.params) {
        let descends = matches!(solver, "gd" | "sgd");
        let unused = match param.name {
            "learning_rate" | "epochs" => !descends,
            "batch_size" => solver != "sgd",
            "max_iter" | "tol" => descends,
            _ => false,
        };
        if unused && !question.model.set.contains_key(param.name) {
            continue;
        }
        let value = question.model.set.get(param.name).map_or(param.default, String::as_str);
        let choices = param.choices();
        rows.rows.push(Field {
            group: rows.group,
            label: param.name.to_owned(),
            value: value.to_owned(),
            is_default: value == param.default,
            choices,
            range: param.range.to_owned(),
            about: param.about.to_owned(),
            setter: Setter::Set(param.name.to_owned()),
        });
    }

    rows.group = "split";
    let split = &question.split;
    let methods = Method::ALL.iter().map(|m| m.word().to_owned()).collect();
    let about = match split.method {
        Method::Random => "rows drawn at random",
        Method::Stratified => "drawn at random within each class",
        Method::Group => "no group on both sides",
        Method::Time => "the latest rows test; no look into the future",
        Method::Sklearn => "the rows of scikit-learn's train_test_split",
    };
    let default = crate::data::SplitSpec::default();
    rows.choice("method", split.method.word(), split.method == default.method, methods, about, Setter::Split("method"));
    if split.method == Method::Group {
        let group = split.group.clone().unwrap_or_default();
        rows.choice("group", &group, false, columns.clone(), "rows of one group stay together", Setter::Split("group"));
    }
    if split.method == Method::Time {
        let time = split.time.clone().unwrap_or_default();
        rows.choice("time", &time, false, columns, "orders the rows", Setter::Split("time"));
        let from = split.test_from.clone().unwrap_or_default();
        rows.text("test from", &from, from.is_empty(), "a date", "test on everything from this date on", Setter::Split("from"));
    }
    rows.text("test", &split.test.to_string(), split.test == default.test, "0 … 0.9", "share of rows kept back to test", Setter::Split("test"));
    rows.text("validation", &split.valid.to_string(), split.valid == default.valid, "0 … 0.9", "share of rows to watch and choose the threshold on", Setter::Split("valid"));
    rows.text("folds", &question.cv.to_string(), question.cv == 0, "0, 2 … 50", "folds of cross-validation; 0 for none", Setter::Split("cv"));
    rows.text("seed", &split.seed.to_string(), split.seed == default.seed, "whole", "the same seed gives the same run", Setter::Split("seed"));

    rows.group = "recipe";
    let recipe = &question.recipe;
    let usual = crate::features::Recipe::default();
    let about = "what replaces a missing number";
    rows.choice("missing", word(recipe.impute), recipe.impute == usual.impute, words(&IMPUTE), about, Setter::Recipe("impute"));
    if recipe.impute == Impute::Constant {
        rows.text("constant", &recipe.constant.to_string(), recipe.constant == 0.0, "a number", "replaces a missing number", Setter::Recipe("constant"));
    }
    let indicator = if recipe.missing_indicator { "yes" } else { "no" };
    rows.choice("indicator", indicator, recipe.missing_indicator, vec!["yes".into(), "no".into()], "a 0/1 column beside it that says so", Setter::Recipe("indicator"));
    rows.text("rare", &recipe.rare.to_string(), recipe.rare == usual.rare, "0 … 0.5", "levels with a smaller share become `other`", Setter::Recipe("rare"));
    rows.choice("unseen", word(recipe.unseen), recipe.unseen == usual.unseen, words(&UNSEEN), "what a level never seen in training becomes", Setter::Recipe("unseen"));
    rows.choice("scale", word(recipe.scale), recipe.scale == usual.scale, words(&SCALE), "how numbers are scaled; linear models do it for themselves", Setter::Recipe("scale"));
    rows.text("winsorise", &recipe.winsorise.to_string(), recipe.winsorise == 0.0, "0 … 0.25", "cut numbers at this quantile and its mirror image", Setter::Recipe("winsorise"));
    if table.columns.iter().any(|c| c.kind == crate::data::Kind::Datetime) {
        rows.choice("dates", word(recipe.dates), recipe.dates == usual.dates, words(&DATES), "what becomes of dates", Setter::Recipe("dates"));
    }

    if task == Some(Task::Binary) {
        rows.group = "costs";
        let (fp, fn_) = (question.costs.false_positive, question.costs.false_negative);
        rows.text("false positive", &fp.to_string(), fp == 1.0, "≥ 0", "what a wrong alarm costs", Setter::Cost("false_positive"));
        rows.text("false negative", &fn_.to_string(), fn_ == 1.0, "≥ 0", "what a missed positive costs", Setter::Cost("false_negative"));
    }
    rows.rows
}

#[derive(Default)]
struct Form {
    group: &'static str,
    rows: Vec<Field>,
}

impl Form {
    fn choice(&mut self, label: &str, value: &str, is_default: bool, choices: Vec<String>, about: impl Into<String>, setter: Setter) {
        self.rows.push(Field {
            group: self.group,
            label: label.into(),
            value: value.into(),
            is_default,
            choices,
            range: String::new(),
            about: about.into(),
            setter,
        });
    }

    fn text(&mut self, label: &str, value: &str, is_default: bool, range: &str, about: &str, setter: Setter) {
        self.choice(label, value, is_default, vec![], about, setter);
        if let Some(row) = self.rows.last_mut() {
            row.range = range.into();
        }
    }
}

const IMPUTE: [(Impute, &str); 4] = [
    (Impute::Median, "median"),
    (Impute::Mean, "mean"),
    (Impute::MostFrequent, "most_frequent"),
    (Impute::Constant, "constant"),
];
const UNSEEN: [(Unseen, &str); 3] =
    [(Unseen::Other, "other"), (Unseen::Missing, "missing"), (Unseen::Error, "error")];
const SCALE: [(Scale, &str); 4] = [
    (Scale::None, "none"),
    (Scale::Standard, "standard"),
    (Scale::MinMax, "min_max"),
    (Scale::Robust, "robust"),
];
const DATES: [(Dates, &str); 3] =
    [(Dates::Parts, "parts"), (Dates::Days, "days"), (Dates::Drop, "drop")];

/// A value of one of the recipe's lists, with its word.
trait Listed: Copy + PartialEq + 'static {
    const LIST: &'static [(Self, &'static str)];
}
impl Listed for Impute {
    const LIST: &'static [(Self, &'static str)] = &IMPUTE;
}
impl Listed for Unseen {
    const LIST: &'static [(Self, &'static str)] = &UNSEEN;
}
impl Listed for Scale {
    const LIST: &'static [(Self, &'static str)] = &SCALE;
}
impl Listed for Dates {
    const LIST: &'static [(Self, &'static str)] = &DATES;
}

fn word<T: Listed>(value: T) -> &'static str {
    T::LIST.iter().find(|(v, _)| *v == value).map_or("", |(_, w)| w)
}

fn words<T>(list: &[(T, &str)]) -> Vec<String> {
    list.iter().map(|(_, w)| (*w).to_owned()).collect()
}

fn pick<T: Listed>(key: &str, text: &str) -> Result<T, Error> {
    let found = T::LIST.iter().find(|(_, w)| *w == text).map(|(v, _)| *v);
    found.ok_or_else(|| wrong(key, text, &format!("one of {}", words(T::LIST).join(", "))))
}

fn wrong(key: &str, value: &str, want: &str) -> Error {
    Error::Command { what: format!("`{key}` cannot be `{value}`"), hint: format!("give it {want}") }
}

fn share(key: &str, value: &str, most: f64) -> Result<f64, Error> {
    match value.parse::<f64>() {
        Ok(share) if (0.0..=most).contains(&share) => Ok(share),
        _ => Err(wrong(key, value, &format!("a share from 0 to {most}"))),
    }
}

/// Takes a kind of model that can do what the target asks, where the chosen one cannot.
pub(super) fn suit_kind(workspace: &mut Workspace) {
    let Some(table) = workspace.now.table.clone() else { return };
    let experiment = &mut workspace.now.experiment;
    let mut probe = experiment.clone();
    probe.model = crate::train::ModelSpec { kind: "baseline".into(), ..Default::default() };
    let Ok((resolved, _)) = crate::train::resolve(&table, &probe) else { return };
    let Some(task) = resolved.question.task else { return };
    if models::kind(&experiment.model.kind).is_ok_and(|kind| !kind.can(task)) {
        let kind = if task == Task::Regression { "linear" } else { "logistic" };
        experiment.model = crate::train::ModelSpec { kind: kind.into(), ..Default::default() };
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
            let levels = table.levels(&target)?.names;
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
            table.expect_column(name)?;
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
    workspace.derive()?;
    if matches!(verb, Verb::Target(_) | Verb::Kind(..)) {
        suit_kind(workspace);
    }
    Ok(())
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
        "method" => spec.method = value.parse().map_err(|_| {
            let words: Vec<_> = Method::ALL.iter().map(|m| m.word()).collect();
            wrong(key, value, &format!("one of {}", words.join(", ")))
        })?,
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
                "impute", "constant", "indicator", "rare", "unseen", "scale", "dates", "winsorise",
            ];
            return Err(unknown("recipe", key, &known));
        }
    }
    Ok(())
}
