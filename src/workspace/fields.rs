//! The settings of an experiment as rows of a form: what each is called, what it may be, and the
//! verb that sets it.

use super::choices::{DATES, IMPUTE, SCALE, UNSEEN, word, words};
use super::{Verb, Workspace};
use crate::data::{Method, Task};
use crate::features::Impute;
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

    let mut rows = Form { group: "model", rows: vec![] };
    let kinds = models::CATALOG.iter().map(|k| k.name.to_owned()).collect();
    let kind = models::kind(&question.model.kind).ok();
    let about = kind.map_or(String::new(), |k| k.about.to_owned());
    rows.choice("kind", &question.model.kind, false, kinds, about, Setter::Model);
    let target = question.question.target.clone().unwrap_or_default();
    let accepted = typed.question.target.is_some();
    rows.choice(
        "target",
        &target,
        !accepted,
        columns.clone(),
        "the column to predict",
        Setter::Target,
    );
    let unresolved = workspace.survey.as_ref().is_some_and(|s| s.resolved.is_err());
    let levels = workspace.survey.as_ref().map(|s| s.classes.clone()).unwrap_or_default();
    if task == Some(Task::Binary) || (unresolved && levels.len() > 2) {
        let positive = question.question.positive.clone().unwrap_or_default();
        let guessed = typed.question.positive.is_none();
        rows.choice(
            "positive",
            &positive,
            guessed,
            levels,
            "the class that is scored",
            Setter::Positive,
        );
    } else if task == Some(Task::Multiclass) {
        let about = "all classes are told apart; name one to tell it from all others";
        rows.choice("positive", "all", true, levels, about, Setter::Positive);
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
    rows.choice(
        "method",
        split.method.word(),
        split.method == default.method,
        methods,
        about,
        Setter::Split("method"),
    );
    if split.method == Method::Group {
        let group = split.group.clone().unwrap_or_default();
        rows.choice(
            "group",
            &group,
            false,
            columns.clone(),
            "rows of one group stay together",
            Setter::Split("group"),
        );
    }
    if split.method == Method::Time {
        let time = split.time.clone().unwrap_or_default();
        rows.choice("time", &time, false, columns, "orders the rows", Setter::Split("time"));
        let from = split.test_from.clone().unwrap_or_default();
        rows.text(
            "test from",
            &from,
            from.is_empty(),
            "a date",
            "test on everything from this date on",
            Setter::Split("from"),
        );
    }
    rows.text(
        "test",
        &split.test.to_string(),
        split.test == default.test,
        "0 … 0.9",
        "share of rows kept back to test",
        Setter::Split("test"),
    );
    rows.text(
        "validation",
        &split.valid.to_string(),
        split.valid == default.valid,
        "0 … 0.9",
        "share of rows to watch and choose the threshold on",
        Setter::Split("valid"),
    );
    rows.text(
        "folds",
        &question.cv.to_string(),
        question.cv == 0,
        "0, 2 … 50",
        "folds of cross-validation; 0 for none",
        Setter::Split("cv"),
    );
    rows.text(
        "seed",
        &split.seed.to_string(),
        split.seed == default.seed,
        "whole",
        "the same seed gives the same run",
        Setter::Split("seed"),
    );

    rows.group = "recipe";
    let recipe = &question.recipe;
    let usual = crate::features::Recipe::default();
    let about = "what replaces a missing number";
    rows.choice(
        "missing",
        word(recipe.impute),
        recipe.impute == usual.impute,
        words(&IMPUTE),
        about,
        Setter::Recipe("impute"),
    );
    if recipe.impute == Impute::Constant {
        rows.text(
            "constant",
            &recipe.constant.to_string(),
            recipe.constant == 0.0,
            "a number",
            "replaces a missing number",
            Setter::Recipe("constant"),
        );
    }
    let indicator = if recipe.missing_indicator { "yes" } else { "no" };
    rows.choice(
        "indicator",
        indicator,
        recipe.missing_indicator,
        vec!["yes".into(), "no".into()],
        "a 0/1 column beside it that says so",
        Setter::Recipe("indicator"),
    );
    rows.text(
        "rare",
        &recipe.rare.to_string(),
        recipe.rare == usual.rare,
        "0 … 0.5",
        "levels with a smaller share become `other`",
        Setter::Recipe("rare"),
    );
    rows.choice(
        "unseen",
        word(recipe.unseen),
        recipe.unseen == usual.unseen,
        words(&UNSEEN),
        "what a level never seen in training becomes",
        Setter::Recipe("unseen"),
    );
    rows.choice(
        "scale",
        word(recipe.scale),
        recipe.scale == usual.scale,
        words(&SCALE),
        "how numbers are scaled; linear models do it for themselves",
        Setter::Recipe("scale"),
    );
    rows.text(
        "winsorise",
        &recipe.winsorise.to_string(),
        recipe.winsorise == 0.0,
        "0 … 0.25",
        "cut numbers at this quantile and its mirror image",
        Setter::Recipe("winsorise"),
    );
    if table.columns.iter().any(|c| c.kind == crate::data::Kind::Datetime) {
        rows.choice(
            "dates",
            word(recipe.dates),
            recipe.dates == usual.dates,
            words(&DATES),
            "what becomes of dates",
            Setter::Recipe("dates"),
        );
    }

    if task == Some(Task::Binary) {
        rows.group = "costs";
        let (fp, fn_) = (question.costs.false_positive, question.costs.false_negative);
        rows.text(
            "false positive",
            &fp.to_string(),
            fp == 1.0,
            "≥ 0",
            "what a wrong alarm costs",
            Setter::Cost("false_positive"),
        );
        rows.text(
            "false negative",
            &fn_.to_string(),
            fn_ == 1.0,
            "≥ 0",
            "what a missed positive costs",
            Setter::Cost("false_negative"),
        );
    }
    rows.rows
}

struct Form {
    group: &'static str,
    rows: Vec<Field>,
}

impl Form {
    fn choice(
        &mut self,
        label: &str,
        value: &str,
        is_default: bool,
        choices: Vec<String>,
        about: impl Into<String>,
        setter: Setter,
    ) {
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

    fn text(
        &mut self,
        label: &str,
        value: &str,
        is_default: bool,
        range: &str,
        about: &str,
        setter: Setter,
    ) {
        self.choice(label, value, is_default, vec![], about, setter);
        if let Some(row) = self.rows.last_mut() {
            row.range = range.into();
        }
    }
}
