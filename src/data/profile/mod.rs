//! What a column holds: how much is missing, its levels or quantiles, its shape, and what it says
//! about the target.
//!
//! Up to a million rows are looked at one by one. In larger tables quantiles, levels, shape and
//! the relation to the target come from 200,000 rows spread evenly over the table, which is said
//! in [`ColumnProfile::sampled`]; what is missing, the extremes, mean and spread are always those
//! of all rows. Values of personal columns are never shown.

mod label;
mod levels;
mod numbers;
mod relation;
mod rows;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;

pub use label::number_text;
pub use relation::{Bin, Measure, Relation};

pub(in crate::data) use relation::{MISSING, cramers_v, pearson};
pub(in crate::data) use rows::spread;

use super::{Column, Error, Kind, Table, Target};
use crate::jobs::{Ctx, each};

use relation::Basis;
use rows::Looked;

/// What one column holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnProfile {
    /// The column.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
    /// Rows of the table.
    pub rows: usize,
    /// Rows without a value, special codes among them.
    pub missing: usize,
    /// Different values, without the missing one.
    pub distinct: usize,
    /// The smallest number; of dates the first, in days since 1970.
    pub min: Option<f64>,
    /// The largest number.
    pub max: Option<f64>,
    /// The mean of the numbers.
    pub mean: Option<f64>,
    /// The standard deviation, with the divisor n - 1.
    pub sd: Option<f64>,
    /// The third standardised moment: above 0 for a long tail to the right.
    pub skew: Option<f64>,
    /// The quantiles 1, 5, 25, 50, 75, 95 and 99 %, interpolated linearly.
    pub quantiles: Option<[f64; 7]>,
    /// How many numbers are 0.
    pub zeros: usize,
    /// The most frequent values and how many rows have each; empty if none comes twice.
    pub top: Vec<(String, usize)>,
    /// The shape in up to twelve bars: equally wide bins, or the levels.
    pub histogram: Vec<u32>,
    /// What each bar of the histogram stands for.
    pub labels: Vec<String>,
    /// How many numbers lie far out.
    pub outliers: Option<Outliers>,
    /// Numbers that look like codes for "missing" and how many rows have each: -999, or -1 where
    /// all others are 0 and above.
    pub codes: Vec<(String, usize)>,
    /// Out of how many rows all but `missing`, `zeros` and the moments were taken, if not all.
    pub sampled: Option<usize>,
    /// What the column says about the target; none for the target itself and without one.
    pub relation: Option<Relation>,
}

/// Numbers further than three times the interquartile range from the quartiles, which Tukey
/// (1977) called "far out".
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Outliers {
    /// Smaller numbers lie far out.
    pub low: f64,
    /// Larger numbers lie far out.
    pub high: f64,
    /// How many do.
    pub n: usize,
}

impl ColumnProfile {
    fn new(column: &Column, rows: usize) -> Self {
        Self {
            name: column.name.clone(),
            kind: column.kind,
            rows,
            missing: 0,
            distinct: 0,
            min: None,
            max: None,
            mean: None,
            sd: None,
            skew: None,
            quantiles: None,
            zeros: 0,
            top: vec![],
            histogram: vec![],
            labels: vec![],
            outliers: None,
            codes: vec![],
            sampled: None,
            relation: None,
        }
    }

    /// Everything that would show a value.
    fn without_values(self, column: &Column) -> Self {
        let Self { rows, missing, distinct, sampled, .. } = self;
        Self { missing, distinct, sampled, ..Self::new(column, rows) }
    }
}

/// Profiles every visible column, in the order of the table.
///
/// With `training_rows`, the relation to the target is taken from those positions only.
pub fn profile(
    table: &Table,
    target: Option<&Target>,
    training_rows: Option<&[u32]>,
    ctx: &Ctx,
) -> Result<Vec<ColumnProfile>, Error> {
    let looked = Looked::at(table.n_rows());
    let basis = target.map(|t| Basis::new(table, t, training_rows)).transpose()?;
    let n = table.columns.len();
    let done = AtomicUsize::new(0);
    let profiles = each(n, |idx| {
        ctx.check()?;
        let profile = one(table, &table.columns[idx], &looked, basis.as_ref())?;
        ctx.step(done.fetch_add(1, Ordering::Relaxed) + 1, n, vec![])?;
        Ok(profile)
    });
    profiles.into_iter().collect()
}

/// Profiles one column.
pub fn profile_column(
    table: &Table,
    name: &str,
    target: Option<&Target>,
    training_rows: Option<&[u32]>,
) -> Result<ColumnProfile, Error> {
    let column = table.expect_column(name)?;
    let basis = target.map(|t| Basis::new(table, t, training_rows)).transpose()?;
    one(table, column, &Looked::at(table.n_rows()), basis.as_ref())
}

fn one(
    table: &Table,
    column: &Column,
    looked: &Looked,
    basis: Option<&Basis>,
) -> Result<ColumnProfile, Error> {
    let mut profile = ColumnProfile::new(column, table.n_rows());
    profile.sampled = looked.sampled();
    let basis = basis.filter(|b| b.concerns(column));
    let is_scalar = matches!(column.kind, Kind::Number | Kind::Datetime);
    if is_scalar && table.allows(&column.name, column.kind) {
        let values = table.numbers(&column.name)?;
        numbers::fill(&mut profile, &values, looked);
        profile.relation = basis.map(|b| b.of_numbers(&values, column.kind));
    } else {
        let codes = levels::fill(&mut profile, table, column, looked)?;
        profile.relation = match basis {
            Some(basis) => Some(basis.of_levels(table, column, codes)?),
            None => None,
        };
    }
    Ok(if column.is_masked() { profile.without_values(column) } else { profile })
}
