//! Verbs: what a person can do to the workspace, each with the line of text that says it.

use crate::data::{Ahead, Kind, Role};
use crate::train::{RunId, Search};

/// One thing a person does that changes something. A verb is data: it is written to the command
/// log as a line ([`Verb::line`]), read back from it ([`super::parse`]), and replayed.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// Open a file, a sample (`sample:NAME`) or an experiment (`.toml`).
    Open(String),
    /// Predict this column.
    Target(String),
    /// Count this class as positive.
    Positive(String),
    /// Give a column a role.
    Role(String, Role),
    /// Say what a column's values are.
    Kind(String, Kind),
    /// Declare codes that stand for missing; none takes the declaration back.
    Special(String, Vec<String>),
    /// Declare a column protected, or not.
    Protected(String, bool),
    /// Declare a column personal, or not.
    Personal(String, bool),
    /// Let protected attributes be features, or not.
    UseProtected(bool),
    /// Choose the kind of model.
    Model(String),
    /// Set a parameter of the model; an empty value gives the default back.
    Set(String, String),
    /// Set a field of the split: `method`, `test`, `valid`, `seed`, `group`, `time`, `from`, `cv`.
    Split(String, String),
    /// Set a field of the recipe.
    Recipe(String, String),
    /// Set what a wrong decision costs: `false_positive`, `false_negative`.
    Cost(String, f64),
    /// Add a computed column.
    Compute(String, String),
    /// Add a column that tells what becomes of another one some rows later, and predict it.
    Ahead(Ahead),
    /// Replace the table by the result of a query.
    Sql(String),
    /// Keep only the rows for which an expression holds.
    Keep(String),
    /// Drop rows that repeat an earlier one.
    Dedupe,
    /// Show only the rows for which an expression holds; empty shows all.
    Filter(String),
    /// Sort the rows on the screen: column, and whether the largest come first.
    Sort(String, bool),
    /// Hide a column on the screen.
    Hide(String),
    /// Show every hidden column and the file's own order.
    ShowAll,
    /// Keep the first columns in sight while scrolling sideways.
    Freeze(usize),
    /// Call a row positive above this score, for one run.
    Threshold(RunId, f64),
    /// Compare the others with this run.
    Yardstick(RunId),
    /// Write a note to a run.
    Note(RunId, String),
    /// Train with the settings as they are.
    Train,
    /// Train with the settings as they are, cross-validated over so many folds.
    CrossValidate(usize),
    /// Train every kind in the catalog.
    TrainAll,
    /// Train over a grid of penalties.
    Sweep,
    /// Search over several parameters.
    Tune(Search),
    /// Go on with the training that was interrupted last.
    Resume,
    /// Forget what was interrupted.
    Forget,
    /// Delete a run for good.
    Delete(RunId),
    /// Write the model of a run to a file.
    Save(RunId, String),
    /// Write the experiment to a file.
    Export(String),
    /// Carry out the lines of a saved command log.
    Replay(String),
    /// Take back the latest change.
    Undo,
    /// Bring back what was taken back.
    Redo,
}

impl Verb {
    /// The line that says it, which [`super::parse`] reads back.
    pub fn line(&self) -> String {
        let on = |b: &bool| if *b { "on" } else { "off" };
        match self {
            Self::Open(path) => format!("open {path}"),
            Self::Target(name) => format!("target {name}"),
            Self::Positive(value) => format!("positive {value}"),
            Self::Role(name, role) => format!("role {}={role}", quote(name)),
            Self::Kind(name, kind) => format!("kind {}={kind}", quote(name)),
            Self::Special(name, codes) => format!("special {}={}", quote(name), codes.join(",")),
            Self::Protected(name, b) => format!("protected {}={}", quote(name), on(b)),
            Self::Personal(name, b) => format!("personal {}={}", quote(name), on(b)),
            Self::UseProtected(b) => format!("use-protected {}", on(b)),
            Self::Model(kind) => format!("model {kind}"),
            Self::Set(key, value) => format!("set {key}={value}"),
            Self::Split(key, value) => format!("split {key}={value}"),
            Self::Recipe(key, value) => format!("recipe {key}={value}"),
            Self::Cost(key, value) => format!("cost {key}={value}"),
            Self::Compute(name, expr) => format!("compute {} = {expr}", quote(name)),
            Self::Ahead(ahead) => format!("ahead {ahead}"),
            Self::Sql(query) => format!("sql {query}"),
            Self::Keep(expr) => format!("keep {expr}"),
            Self::Dedupe => "dedupe".into(),
            Self::Filter(expr) => format!("filter {expr}").trim_end().into(),
            Self::Sort(name, true) => format!("sort -{name}"),
            Self::Sort(name, false) => format!("sort {name}"),
            Self::Hide(name) => format!("hide {name}"),
            Self::ShowAll => "show-all".into(),
            Self::Freeze(n) => format!("freeze {n}"),
            Self::Threshold(run, value) => format!("threshold {run}={value}"),
            Self::Yardstick(run) => format!("yardstick {run}"),
            Self::Note(run, text) => format!("note {run}={text}"),
            Self::Train => "train".into(),
            Self::CrossValidate(k) => format!("cross-validate {k}"),
            Self::TrainAll => "train-all".into(),
            Self::Sweep => "sweep".into(),
            Self::Tune(search) => format!("tune {search}"),
            Self::Resume => "resume".into(),
            Self::Forget => "forget".into(),
            Self::Delete(run) => format!("delete {run}"),
            Self::Save(run, path) => format!("save {run}={path}"),
            Self::Export(path) => format!("export {path}").trim_end().into(),
            Self::Replay(path) => format!("replay {path}"),
            Self::Undo => "undo".into(),
            Self::Redo => "redo".into(),
        }
    }

    /// Whether `u` takes it back. What was trained, written or deleted stays so.
    pub fn is_undoable(&self) -> bool {
        !matches!(
            self,
            Self::Train
                | Self::CrossValidate(_)
                | Self::TrainAll
                | Self::Sweep
                | Self::Tune(_)
                | Self::Resume
                | Self::Forget
                | Self::Delete(_)
                | Self::Note(..)
                | Self::Save(..)
                | Self::Export(_)
                | Self::Replay(_)
                | Self::Undo
                | Self::Redo
        )
    }

    /// Whether a later verb of the same sort replaces this one in the log, as a held arrow key
    /// makes a hundred of them.
    pub fn is_replaced_by(&self, later: &Self) -> bool {
        match (self, later) {
            (Self::Threshold(a, _), Self::Threshold(b, _)) => a == b,
            (Self::Freeze(_), Self::Freeze(_)) => true,
            _ => false,
        }
    }
}

/// A name as it is written before `=`: in backticks when it holds a `=` or a backtick.
fn quote(name: &str) -> String {
    if name.contains(['=', '`']) { format!("`{}`", name.replace('`', "``")) } else { name.into() }
}
