//! What is wrong with a table, or good to know of it, each with a remedy where there is one.
//!
//! Findings are read from the profiles; only duplicate rows, columns that repeat another one and
//! the order of dates need a look at the values themselves.

mod column;
mod duplicates;
mod redundant;
mod target;
#[cfg(test)]
mod tests;
mod text;
mod time;

use serde::Serialize;

use super::{ColumnProfile, Error, Kind, Role, Table, Target};
use crate::jobs::Ctx;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// A model would be worse for it.
    Warn,
    /// A model would be worthless or misleading.
    Bad,
}

/// What sort of thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A column that gives the target away.
    Leak,
    /// A target with a single class or value.
    OneClass,
    /// A target without a value in some rows.
    MissingTarget,
    /// A target one of whose classes is rare.
    Imbalance,
    /// Rows that repeat an earlier one.
    Duplicates,
    /// Numbers that look like codes for "missing".
    SpecialCodes,
    /// Values that are missing.
    Missing,
    /// A column with a single value.
    Constant,
    /// A column with almost a single value.
    NearConstant,
    /// A column that names the rows.
    Identifier,
    /// A category of many levels.
    Cardinality,
    /// A column that says the same as another one.
    Redundant,
    /// Numbers far away from the others.
    Outliers,
    /// Dates that are not in order.
    TimeOrder,
    /// Dates that are yet to come.
    FutureDates,
    /// Stretches of time without rows.
    Gaps,
    /// A number of few values, which may be a category.
    FewValues,
    /// Personal data.
    Personal,
    /// Attributes that the law protects.
    Protected,
}

/// Something found in a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What sort of thing it is.
    pub kind: FindingKind,
    /// The column it is about, if it is about one.
    pub column: Option<String>,
    /// What was found, in a sentence with its numbers.
    pub text: String,
    /// What can be done about it.
    pub remedy: Option<Remedy>,
}

/// What can be done about a finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Remedy {
    /// What it does, in a few words that follow "press Enter to".
    pub label: String,
    /// What it does, for the program.
    pub action: RemedyAction,
}

/// A change to roles, kinds, recipe or rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RemedyAction {
    /// Give a column another role.
    SetRole(String, Role),
    /// Give a column another kind.
    SetKind(String, Kind),
    /// Take these codes of a column as missing; they are all its codes, old ones too.
    Special(String, Vec<String>),
    /// Fill what is missing in a column.
    Impute(String),
    /// Cut the far-out values of a column.
    Winsorise(String),
    /// Drop rows that repeat an earlier one.
    DropDuplicates,
    /// Weigh the classes of the target so that each counts the same.
    ClassWeight,
    /// Test on the latest rows, by the time in this column.
    TimeSplit(String),
    /// Merge the rare levels of a column.
    RareLevels(String),
    /// Keep a column out of the features because it knows the target.
    KeepOut(String),
}

impl Finding {
    fn new(severity: Severity, kind: FindingKind, text: impl Into<String>) -> Self {
        Self { severity, kind, column: None, text: text.into(), remedy: None }
    }

    fn of(self, column: &str) -> Self {
        Self { column: Some(column.to_owned()), ..self }
    }

    fn remedy(self, label: impl Into<String>, action: RemedyAction) -> Self {
        Self { remedy: Some(Remedy { label: label.into(), action }), ..self }
    }
}

/// Everything found, what matters most first. `profiles` are those of the same table; the target is
/// looked at on `rows` if they are given.
pub fn findings(
    table: &Table,
    profiles: &[ColumnProfile],
    target: Option<&Target>,
    rows: Option<&[u32]>,
    ctx: &Ctx,
) -> Result<Vec<Finding>, Error> {
    const STEPS: usize = 4;
    let mut found = column::findings(table, profiles, target);
    if let Some(target) = target {
        found.extend(target::findings(table, target, rows)?);
    }
    ctx.step(1, STEPS, vec![])?;
    found.extend(duplicates::finding(table, ctx)?);
    ctx.step(2, STEPS, vec![])?;
    found.extend(redundant::findings(table, target)?);
    ctx.step(3, STEPS, vec![])?;
    found.extend(time::findings(table)?);
    ctx.step(4, STEPS, vec![])?;
    found.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.kind.cmp(&b.kind)));
    Ok(found)
}
