//! Rows that repeat an earlier one.

use std::hash::{DefaultHasher, Hash, Hasher};

use polars::prelude::*;

use super::text::{count, counted, percent};
use super::{Error, Finding, FindingKind, RemedyAction, Severity, Table};
use crate::jobs::{Ctx, each};

/// Rows are hashed in blocks of this length.
const BLOCK: usize = 1 << 16;

pub(super) fn finding(table: &Table, ctx: &Ctx) -> Result<Option<Finding>, Error> {
    let n = repeated(table, ctx)?;
    let rows = table.n_rows();
    // A few narrow columns repeat by nature.
    if n == 0 || (table.n_columns() < 4 && n * 10 > rows) {
        return Ok(None);
    }
    let text = format!(
        "{} of {} ({}) {} an earlier one in every column",
        count(n),
        counted(rows, "row", "rows"),
        percent(n, rows),
        if n == 1 { "repeats" } else { "repeat" }
    );
    let finding = Finding::new(Severity::Warn, FindingKind::Duplicates, text)
        .remedy("drop the repeated rows", RemedyAction::DropDuplicates);
    Ok(Some(finding))
}

/// How many rows are equal to an earlier one, by 64-bit hashes of all visible columns: in ten
/// million rows two different ones share a hash once in 370,000 tables.
pub(super) fn repeated(table: &Table, ctx: &Ctx) -> Result<usize, Error> {
    let rows = table.n_rows();
    let mut columns = Vec::with_capacity(table.n_columns());
    for column in &table.columns {
        let series = table.frame.column(&column.name)?.as_materialized_series();
        columns.push(series.to_physical_repr().into_owned());
    }
    let blocks = each(rows.div_ceil(BLOCK), |block| {
        ctx.check()?;
        let start = block * BLOCK;
        let mut hashes = vec![0; BLOCK.min(rows - start)];
        for column in &columns {
            add(&mut hashes, &column.slice(start as i64, BLOCK))?;
        }
        Ok::<_, Error>(hashes)
    });
    let mut hashes = Vec::with_capacity(rows);
    for block in blocks {
        hashes.extend(block?);
    }
    hashes.sort_unstable();
    let different = hashes.chunk_by(|a, b| a == b).count();
    Ok(rows - different)
}

/// Mixes the values of one column into the hashes of its rows.
fn add(hashes: &mut [u64], series: &Series) -> Result<(), Error> {
    let dtype = series.dtype();
    if let Ok(text) = series.str() {
        mix_all(hashes, text.iter().map(|v| v.map(hash_text)));
    } else if dtype.is_float() {
        let values = series.cast(&DataType::Float64)?;
        // 0.0 and -0.0 are equal.
        mix_all(hashes, values.f64()?.iter().map(|v| v.map(|v| (v + 0.0).to_bits())));
    } else if *dtype == DataType::UInt64 {
        mix_all(hashes, series.u64()?.iter());
    } else if dtype.is_integer() || dtype.is_bool() {
        let values = series.cast(&DataType::Int64)?;
        mix_all(hashes, values.i64()?.iter().map(|v| v.map(|v| v as u64)));
    } else {
        let values = series.cast(&DataType::String)?;
        mix_all(hashes, values.str()?.iter().map(|v| v.map(hash_text)));
    }
    Ok(())
}

fn mix_all(hashes: &mut [u64], values: impl Iterator<Item = Option<u64>>) {
    for (hash, value) in hashes.iter_mut().zip(values) {
        *hash = mix(*hash, value.unwrap_or(0x9d39_247e_3377_6d41));
    }
}

/// Two numbers stirred into one (after wyhash: the halves of a 128-bit product, folded).
fn mix(hash: u64, value: u64) -> u64 {
    let left = u128::from(hash ^ 0xa076_1d64_78bd_642f);
    let product =
        left * u128::from(value.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xe703_7ed1_a0b4_28db);
    (product >> 64) as u64 ^ product as u64 ^ value.rotate_left(32)
}

fn hash_text(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
