//! The column that tells series apart, found by their dates.

use std::collections::HashSet;

use crate::data::{Kind, Table};

/// The one category whose levels are series of their own: a moment comes several times in the
/// table, as a day of prices does, but only once for each of them.
pub(super) fn column(table: &Table, time: usize) -> Option<usize> {
    const FEWEST_ROWS: usize = 20;
    let time = &table.columns[time].name;
    let times: Vec<u64> = table.numbers(time).ok()?.into_iter().map(f64::to_bits).collect();
    if times.len() < FEWEST_ROWS || !repeats(times.iter().map(|time| (*time, 0))) {
        return None;
    }
    let mut groups = (0..table.columns.len()).filter(|at| {
        let column = &table.columns[*at];
        if column.kind != Kind::Category || column.personal.is_some() {
            return false;
        }
        let Ok(levels) = table.levels(&column.name) else { return false };
        levels.names.len() * 2 <= times.len() && !repeats(times.iter().copied().zip(levels.codes))
    });
    match (groups.next(), groups.next()) {
        (Some(at), None) => Some(at),
        _ => None,
    }
}

/// Whether a key comes twice.
fn repeats(mut keys: impl Iterator<Item = (u64, u32)>) -> bool {
    let mut seen = HashSet::new();
    keys.any(|key| !seen.insert(key))
}
