//! Personal data found and marked, and attributes that the law protects named.
//!
//! A column is personal by what its values are, with its name as a hint: `telephone` with "yes"
//! and "none" holds no telephone numbers, and `field_7` with e-mail addresses is personal. A
//! column is protected mostly by its name, in English, German, French or Spanish.

mod names;
mod personal;
mod protected;
mod values;
mod words;

use polars::prelude::*;

use super::{Kind, Levels, Role, Table};

/// How many rows are looked at, evenly spread over the table.
const LOOKED_AT: usize = 1000;

/// Marks personal and protected columns. Personal ones get the role `ignored`; protected ones
/// keep theirs, since [`Column::is_feature`](super::Column::is_feature) leaves them out.
pub fn mark(table: &mut Table) {
    let rows = spread(table.n_rows());
    for idx in 0..table.columns.len() {
        let name = table.columns[idx].name.clone();
        let words = words::split(&name);
        let values = text(table, &name, &rows);
        let personal = personal::find(&words, &values);
        let protected = match personal {
            Some(_) => None,
            None => protected::find(&words, &distinct(&values)),
        };
        let column = &mut table.columns[idx];
        if let Some(sort) = personal {
            column.personal = Some(sort);
            column.role = Role::Ignored;
        }
        if protected.is_some() && column.kind != Kind::Identifier {
            column.protected = protected;
        }
    }
}

/// Some positions out of `n`, evenly spread, with the first and without repetition.
fn spread(n: usize) -> Vec<u32> {
    let taken = n.min(LOOKED_AT);
    (0..taken).map(|i| (i * n / taken) as u32).collect()
}

/// The values of a column as they are written, without missing ones; empty for columns whose type
/// cannot hold personal data.
fn text(table: &Table, name: &str, rows: &[u32]) -> Vec<String> {
    let Ok(column) = table.frame.column(name) else { return vec![] };
    if !(column.dtype().is_string() || column.dtype().is_integer()) {
        return vec![];
    }
    let idx = IdxCa::from_vec("idx".into(), rows.to_vec());
    let Ok(looked_at) = column.take(&idx) else { return vec![] };
    let series = looked_at.as_materialized_series();
    let Ok(levels) = super::convert::levels(series, &[]) else { return vec![] };
    let known = levels.codes.iter().filter(|code| **code != Levels::MISSING);
    known.map(|code| levels.names[*code as usize].trim().to_owned()).collect()
}

fn distinct(values: &[String]) -> Vec<String> {
    let mut levels: Vec<String> = values.iter().map(|v| words::plain(v)).collect();
    levels.sort_unstable();
    levels.dedup();
    levels
}

#[cfg(test)]
mod tests;
