//! Columns that say the same as another one.

use super::{Error, Finding, FindingKind, Kind, RemedyAction, Role, Severity, Table, Target};
use crate::data::profile::{pearson, spread};

/// So many rows, evenly spread, are compared.
const ROWS: usize = 5000;
/// From this correlation on, two numbers say the same.
const SAME: f64 = 0.999;
/// Wider tables are compared in their first columns only.
const COLUMNS: usize = 300;

pub(super) fn findings(table: &Table, target: Option<&Target>) -> Result<Vec<Finding>, Error> {
    let table = table.take(&spread(table.n_rows(), ROWS))?;
    let is_in = |name: &str, role: Role| {
        role == Role::Feature && target.is_none_or(|target| target.name != name)
    };
    let mut numbers = Vec::new();
    let mut levels = Vec::new();
    for column in table.columns.iter().filter(|c| is_in(&c.name, c.role) && !c.is_masked()) {
        let name = column.name.as_str();
        match column.kind {
            Kind::Number if table.allows(name, Kind::Number) => {
                let values = table.numbers(name)?;
                numbers.push((name, values));
            }
            Kind::Category | Kind::Boolean => {
                let levels_of = table.levels(name)?;
                if levels_of.names.len() > 1 {
                    levels.push((name, first_seen(&levels_of.codes)));
                }
            }
            _ => {}
        }
    }
    numbers.truncate(COLUMNS);
    let mut found = Vec::new();
    for (j, (name, values)) in numbers.iter().enumerate() {
        let twin = numbers[..j].iter().find_map(|(other, others)| {
            let r = pearson(values, others).filter(|r| r.abs() > SAME)?;
            is_known_together(values, others).then_some((other, r))
        });
        if let Some((other, r)) = twin {
            let text = if numbers_equal(values, &numbers, other) {
                format!("`{name}` is the same as `{other}`")
            } else {
                format!("`{name}` follows `{other}` with a correlation of {r:.4}")
            };
            found.push(finding(name, text));
        }
    }
    for (j, (name, codes)) in levels.iter().enumerate() {
        if let Some((other, _)) = levels[..j].iter().find(|(_, others)| others == codes) {
            found.push(finding(
                name,
                format!("`{name}` divides the rows exactly as `{other}` does"),
            ));
        }
    }
    Ok(found)
}

fn finding(name: &str, text: String) -> Finding {
    Finding::new(Severity::Warn, FindingKind::Redundant, text)
        .of(name)
        .remedy("leave it out", RemedyAction::SetRole(name.to_owned(), Role::Ignored))
}

fn numbers_equal(values: &[f64], numbers: &[(&str, Vec<f64>)], other: &str) -> bool {
    numbers.iter().find(|(name, _)| *name == other).is_some_and(|(_, others)| {
        values.iter().zip(others).all(|(a, b)| a == b || a.is_nan() && b.is_nan())
    })
}

/// Whether enough rows know both numbers for a correlation to mean that they are the same.
fn is_known_together(x: &[f64], y: &[f64]) -> bool {
    let both = x.iter().zip(y).filter(|(x, y)| !x.is_nan() && !y.is_nan()).count();
    both >= 10 && both * 2 >= x.len()
}

/// Codes in the order in which they first appear, so that only the division of rows counts.
fn first_seen(codes: &[u32]) -> Vec<u32> {
    let mut seen = std::collections::HashMap::new();
    codes
        .iter()
        .map(|code| {
            let next = seen.len() as u32;
            *seen.entry(*code).or_insert(next)
        })
        .collect()
}
