//! The profile of categories, truth values, text and identifiers.

use polars::prelude::*;

use super::ColumnProfile;
use super::rows::Looked;
use crate::data::{Column, Error, Kind, Levels, Table, convert};

const BARS: usize = 12;
const TOP: usize = 10;

/// Fills in the profile and returns the levels of all rows, if all rows were looked at.
pub(super) fn fill(
    profile: &mut ColumnProfile,
    table: &Table,
    column: &Column,
    looked: &Looked,
) -> Result<Option<Levels>, Error> {
    let levels = match &looked.sample {
        None => table.levels(&column.name)?,
        Some(rows) => at(table, column, rows)?,
    };
    let (counts, missing) = counts(&levels);
    profile.distinct = levels.names.len();
    profile.missing = match looked.sample {
        None => missing,
        Some(_) => count_missing(table, column)?,
    };
    let order = by_count(&counts);
    profile.top = order
        .iter()
        .take(TOP)
        .filter(|i| counts[**i] > 1)
        .map(|i| (levels.names[*i].clone(), counts[*i]))
        .collect();
    if !matches!(column.kind, Kind::Identifier | Kind::Text) {
        bars(profile, &levels, &counts, &order);
    }
    Ok(looked.sample.is_none().then_some(levels))
}

/// The levels at some rows only.
pub(super) fn at(table: &Table, column: &Column, rows: &[u32]) -> Result<Levels, Error> {
    let idx = IdxCa::from_vec("idx".into(), rows.to_vec());
    let taken = table.frame.column(&column.name)?.take(&idx)?;
    convert::levels(taken.as_materialized_series(), &column.special)
}

/// How many rows have each level, and how many none.
pub(super) fn counts(levels: &Levels) -> (Vec<usize>, usize) {
    let mut counts = vec![0; levels.names.len()];
    let mut missing = 0;
    for code in &levels.codes {
        match counts.get_mut(*code as usize) {
            Some(count) => *count += 1,
            None => missing += 1,
        }
    }
    (counts, missing)
}

/// The levels from the most to the least frequent.
pub(super) fn by_count(counts: &[usize]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(counts[*i]));
    order
}

/// A bar for each level in its order, or for the most frequent ones and one for all others.
fn bars(profile: &mut ColumnProfile, levels: &Levels, counts: &[usize], order: &[usize]) {
    let shown = if order.len() <= BARS { order.len() } else { BARS - 1 };
    let mut kept = order[..shown].to_vec();
    if shown == order.len() {
        kept.sort_unstable();
    }
    profile.histogram = kept.iter().map(|i| counts[*i] as u32).collect();
    profile.labels = kept.iter().map(|i| levels.names[*i].clone()).collect();
    if shown < order.len() {
        let others = order[shown..].iter().map(|i| counts[*i] as u32).sum();
        profile.histogram.push(others);
        profile.labels.push(format!("{} others", order.len() - shown));
    }
}

/// The missing values of all rows, counted without building levels.
fn count_missing(table: &Table, column: &Column) -> Result<usize, Error> {
    let stored = table.frame.column(&column.name)?;
    let series = stored.as_materialized_series();
    if let Ok(text) = series.str() {
        let is_missing = |v: Option<&str>| {
            v.is_none_or(|v| v.is_empty() || column.special.iter().any(|code| code == v))
        };
        return Ok(text.iter().filter(|v| is_missing(*v)).count());
    }
    match table.numbers(&column.name) {
        Ok(values) => Ok(values.iter().filter(|v| v.is_nan()).count()),
        Err(_) => Ok(series.null_count()),
    }
}
