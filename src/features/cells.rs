//! One column of a table as the recipe looks at it.

use super::calendar;
use super::fitted::{Encoding, Input, Output, Source};
use super::groups::Groups;
use super::{Error, Unseen};
use crate::data::{Levels, Table};

/// The group of levels that are too rare, or that training never saw.
pub(super) const OTHER: &str = "other";
/// The group of missing values.
pub(super) const MISSING: &str = "missing";

/// The values of some rows.
pub(super) enum Cells {
    /// Numbers, NaN where missing.
    Numbers(Vec<f64>),
    /// Which of `groups` each row belongs to; [`Levels::MISSING`] for none of them.
    Groups {
        /// The groups in their order: kept levels, `other`, `missing`.
        groups: Vec<String>,
        /// One for each row.
        codes: Vec<u32>,
    },
}

impl Cells {
    /// Reads the values of a column at these rows.
    pub(super) fn read(
        table: &Table,
        input: &Input,
        unseen: Unseen,
        rows: &[u32],
    ) -> Result<Self, Error> {
        match input.encoding {
            Encoding::Number | Encoding::Date => {
                Ok(Self::Numbers(numbers(table, &input.name, &input.special, rows)?))
            }
            Encoding::Levels => {
                let levels = levels(table, &input.name, &input.special)?;
                let groups = Groups::of(input, unseen);
                let codes = assign(table, input, &levels, &groups, unseen, rows)?;
                Ok(Self::Groups { groups: groups.names, codes })
            }
        }
    }

    /// Writes one column of the matrix.
    pub(super) fn write(&self, output: &Output, into: &mut [f64]) {
        let place = |raw: f64| (raw - output.offset) / output.scale;
        let flag = |is: bool| place(if is { 1.0 } else { 0.0 });
        match (self, &output.source) {
            (Self::Numbers(values), source) => {
                for (cell, value) in into.iter_mut().zip(values) {
                    *cell = match source {
                        Source::Number { fill, low, high } => {
                            place(clamped(*value, *fill, *low, *high))
                        }
                        Source::Missing => flag(value.is_nan()),
                        Source::Month { month } => {
                            flag(!value.is_nan() && calendar::month(*value) == *month)
                        }
                        Source::Weekday { weekday } => {
                            flag(!value.is_nan() && calendar::weekday(*value) == *weekday)
                        }
                        Source::Level { .. } => flag(false),
                    };
                }
            }
            (Self::Groups { groups, codes }, Source::Level { level }) => {
                let code = groups.iter().position(|group| group == level).map(|at| at as u32);
                for (cell, of_row) in into.iter_mut().zip(codes) {
                    *cell = flag(Some(*of_row) == code);
                }
            }
            (Self::Groups { .. }, _) => into.fill(flag(false)),
        }
    }
}

/// A number as the matrix has it, before it is scaled.
pub(super) fn clamped(value: f64, fill: f64, low: Option<f64>, high: Option<f64>) -> f64 {
    if value.is_nan() {
        return fill;
    }
    let value = low.map_or(value, |low| value.max(low));
    high.map_or(value, |high| value.min(high))
}

/// Numbers at these rows; the given codes are missing too.
pub(super) fn numbers(
    table: &Table,
    name: &str,
    special: &[String],
    rows: &[u32],
) -> Result<Vec<f64>, Error> {
    let values = table.numbers(name)?;
    let codes: Vec<f64> = special.iter().filter_map(|code| code.parse().ok()).collect();
    let value = |row: &u32| {
        let value = values[*row as usize];
        if codes.contains(&value) { f64::NAN } else { value }
    };
    Ok(rows.iter().map(value).collect())
}

/// Levels of all rows; the given codes are missing too.
pub(super) fn levels(table: &Table, name: &str, special: &[String]) -> Result<Levels, Error> {
    let mut levels = table.levels(name)?;
    if levels.names.iter().any(|level| special.contains(level)) {
        let missing: Vec<bool> = levels.names.iter().map(|level| special.contains(level)).collect();
        for code in &mut levels.codes {
            if missing.get(*code as usize) == Some(&true) {
                *code = Levels::MISSING;
            }
        }
    }
    Ok(levels)
}

/// The groups of an input: kept levels, then `other` and `missing` where training had them.
pub(super) fn groups(input: &Input) -> Vec<String> {
    let kept = input.levels.iter().filter(|level| !level.merged);
    let mut groups: Vec<String> = kept.map(|level| level.name.clone()).collect();
    let mut add = |name: &str, had: bool| {
        if had && groups.iter().all(|group| group != name) {
            groups.push(name.to_owned());
        }
    };
    add(OTHER, input.levels.iter().any(|level| level.merged));
    add(MISSING, input.missing > 0.0);
    groups
}

fn assign(
    table: &Table,
    input: &Input,
    levels: &Levels,
    groups: &Groups,
    unseen: Unseen,
    rows: &[u32],
) -> Result<Vec<u32>, Error> {
    // Where each level of this table goes; `None` for one that training never saw.
    let goes: Vec<Option<u32>> = levels
        .names
        .iter()
        .map(|name| groups.of_level(input.levels.iter().find(|level| level.name == *name)?))
        .collect();
    let mut codes = Vec::with_capacity(rows.len());
    for row in rows {
        let code = levels.codes[*row as usize];
        let group = match code {
            Levels::MISSING => groups.missing,
            code => goes[code as usize].or(groups.unseen),
        };
        codes.push(match group {
            Some(group) => group,
            None if unseen == Unseen::Error => {
                let level = levels.names.get(code as usize);
                return Err(Error::Unseen {
                    column: input.name.clone(),
                    level: level.map_or(MISSING.to_owned(), |level| format!("`{level}`")),
                    row: table.rows()[*row as usize],
                });
            }
            None => Levels::MISSING,
        });
    }
    Ok(codes)
}
