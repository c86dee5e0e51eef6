//! Rows divided into training, validation and test, and into folds.
//!
//! Rows are named by their position in the table. A division depends on the values, the
//! [`SplitSpec`] and its seed, and on nothing else. Rows whose target is missing are left out.

mod draw;
mod folds;
mod order;
mod purge;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use folds::{Fold, folds};

use super::{Error, Role, Table, Target, Task};
use crate::jobs::Ctx;

/// How rows are divided.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Drawn at random.
    Random,
    /// Drawn at random within each class of the target; a number as target is drawn from as with
    /// [`Method::Random`].
    #[default]
    Stratified,
    /// Whole groups are drawn, so that no customer is on both sides.
    Group,
    /// The latest rows test, so that nothing of the future is known in training.
    Time,
    /// Exactly the rows of scikit-learn's `train_test_split`, in its order.
    Sklearn,
}
super::schema::words!(Method {
    Random = "random",
    Stratified = "stratified",
    Group = "group",
    Time = "time",
    Sklearn = "sklearn",
});

/// How rows are to be divided, as an experiment says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SplitSpec {
    /// How rows are drawn.
    pub method: Method,
    /// The share of rows kept back to test; 0 trains on every row.
    pub test: f64,
    /// The share of rows kept back to watch training and to choose the threshold on.
    pub valid: f64,
    /// From which every draw follows.
    pub seed: u64,
    /// The column whose groups stay together; without it the one with the role `group`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The column that orders the rows in time; without it the one with the role `time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The first moment of the test: a date, or a number where time is one. It wins over `test`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_from: Option<String>,
}

impl Default for SplitSpec {
    fn default() -> Self {
        Self {
            method: Method::default(),
            test: 0.2,
            valid: 0.0,
            seed: 42,
            group: None,
            time: None,
            test_from: None,
        }
    }
}

/// The positions of the rows in each part. Rows ascend within a part, except that `time` keeps
/// them in the order of time and `sklearn` in the order of scikit-learn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Rows that models are fitted to.
    pub train: Vec<u32>,
    /// Rows to watch training and to choose the threshold on; may be empty.
    pub valid: Vec<u32>,
    /// Rows kept back to test; empty when every row trains.
    pub test: Vec<u32>,
    /// How many rows are in no part, because their target or their time is missing, or because
    /// their target looks into a later part.
    pub left_out: usize,
    /// What a person should know of the division, a sentence each.
    pub notes: Vec<String>,
}

/// Divides the rows of a table.
///
/// # Errors
///
/// When a part would be empty or lack a class, or when a column that is needed is not there.
pub fn split(
    table: &Table,
    spec: &SplitSpec,
    target: Option<&Target>,
    ctx: &Ctx,
) -> Result<Split, Error> {
    check_shares(spec)?;
    ctx.check()?;
    let truth = target.map(|t| t.truth(table)).transpose()?;
    let is_known = |i: &u32| truth.as_ref().is_none_or(|t| !t[*i as usize].is_nan());
    let rows: Vec<u32> = (0..table.n_rows() as u32).filter(is_known).collect();
    ctx.check()?;
    let mut notes = Vec::new();
    if let Some(target) = target {
        let n = table.n_rows() - rows.len();
        note_left_out(&mut notes, n, &target.name);
        if rows.is_empty() {
            return Err(Error::Split {
                what: format!("no row has a value of the target `{}`", target.name),
                hint: "choose another target".into(),
            });
        }
    }
    let mut split = match spec.method {
        Method::Random => draw::random(rows, spec)?,
        Method::Stratified => match (target, &truth) {
            (Some(target), Some(truth)) if target.task != Task::Regression => {
                draw::stratified(table, target, truth, &rows, spec)?
            }
            _ => draw::random(rows, spec)?,
        },
        Method::Group => draw::grouped(table, group_column(table, spec)?, &rows, spec)?,
        Method::Time => {
            let name = time_column(table, spec)?;
            let times = order::times(table, name)?;
            let (order, n_missing) = order::sorted(&times, &rows);
            note_left_out(&mut notes, n_missing, name);
            let mut split = order::split(table, name, &times, &order, spec)?;
            purge::purge(table, target, &times, &mut split)?;
            split
        }
        Method::Sklearn => draw::sklearn(&rows, spec)?,
    };
    notes.splice(0..0, purge::shout(table, target, spec));
    split.left_out = table.n_rows() - split.train.len() - split.valid.len() - split.test.len();
    notes.append(&mut split.notes);
    split.notes = notes;
    Ok(split)
}

fn note_left_out(notes: &mut Vec<String>, n: usize, column: &str) {
    match n {
        0 => {}
        1 => notes.push(format!("1 row without a value of `{column}` is left out")),
        n => notes.push(format!("{n} rows without a value of `{column}` are left out")),
    }
}

fn check_shares(spec: &SplitSpec) -> Result<(), Error> {
    for (name, share) in [("test", spec.test), ("validation", spec.valid)] {
        if !(0.0..1.0).contains(&share) {
            return Err(Error::Split {
                what: format!("a {name} share of `{share}` is not between 0 and 1"),
                hint: "0.2 keeps one row in five back".into(),
            });
        }
    }
    if spec.test + spec.valid >= 1.0 {
        return Err(Error::Split {
            what: format!(
                "`{}` for test and `{}` for validation leave no rows to train on",
                spec.test, spec.valid
            ),
            hint: "the two shares together must stay below 1".into(),
        });
    }
    Ok(())
}

fn group_column<'a>(table: &'a Table, spec: &'a SplitSpec) -> Result<&'a str, Error> {
    let by_role = || table.with_role(Role::Group).map(|c| c.name.as_str());
    let name = spec.group.as_deref().or_else(by_role).ok_or_else(|| Error::Split {
        what: "the split by group has no column that names the groups".into(),
        hint: "give a column the role `group`, such as the customer's number".into(),
    })?;
    table.expect_column(name)?;
    Ok(name)
}

fn time_column<'a>(table: &'a Table, spec: &'a SplitSpec) -> Result<&'a str, Error> {
    let by_role = || table.with_role(Role::Time).map(|c| c.name.as_str());
    let name = spec.time.as_deref().or_else(by_role).ok_or_else(|| Error::Split {
        what: "the split by time has no column that orders the rows".into(),
        hint: "give a date column the role `time`, or choose another method".into(),
    })?;
    table.expect_column(name)?;
    Ok(name)
}

fn too_few(n: usize) -> Error {
    let rows = if n == 1 { "1 row is".to_owned() } else { format!("{n} rows are") };
    Error::Split {
        what: format!("{rows} too few to divide"),
        hint: "`test` 0 trains on every row".into(),
    }
}
