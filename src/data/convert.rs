//! From polars' columns to plain values: numbers, levels, and text for a person.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use polars::prelude::*;

use super::{Error, Levels, Personal};

const MS_PER_DAY: f64 = 86_400_000.0;

/// The values as numbers; missing ones are NaN.
pub(super) fn numbers(series: &Series, name: &str) -> Result<Vec<f64>, Error> {
    let dtype = series.dtype();
    if dtype.is_primitive_numeric() || dtype.is_bool() || dtype.is_decimal() || dtype.is_null() {
        return Ok(floats(&series.cast(&DataType::Float64)?));
    }
    if dtype.is_temporal() {
        if *dtype == DataType::Date {
            return Ok(floats(&series.cast(&DataType::Int32)?.cast(&DataType::Float64)?));
        }
        let ms = series.cast(&DataType::Datetime(TimeUnit::Milliseconds, None))?;
        let ms = floats(&ms.cast(&DataType::Int64)?.cast(&DataType::Float64)?);
        return Ok(ms.into_iter().map(|v| v / MS_PER_DAY).collect());
    }
    Err(Error::NotNumeric { column: name.to_owned() })
}

fn floats(series: &Series) -> Vec<f64> {
    series
        .f64()
        .map(|c| c.iter().map(|v| v.filter(|v| v.is_finite()).unwrap_or(f64::NAN)).collect())
        .unwrap_or_default()
}

/// The values as sorted levels.
pub(super) fn levels(series: &Series, special: &[String]) -> Result<Levels, Error> {
    let dtype = series.dtype();
    if dtype.is_integer() {
        let whole = series.cast(&DataType::Int64)?;
        return Ok(number_levels(whole.i64()?.iter(), special, i64::cmp));
    }
    if dtype.is_float() {
        // Bits, because floats cannot be keys; 0 and -0 are one level.
        let bits = |v: f64| (!v.is_nan()).then(|| (v + 0.0).to_bits());
        let values = floats(series).into_iter().map(bits);
        let by_value = |a: &Bits, b: &Bits| f64::from_bits(a.0).total_cmp(&f64::from_bits(b.0));
        return Ok(number_levels(values.map(|v| v.map(Bits)), special, by_value));
    }
    let text = series.cast(&DataType::String)?;
    let text = text.str()?;
    let is_missing = |v: &str| v.is_empty() || special.iter().any(|s| s == v);
    let mut names: Vec<&str> = {
        let mut seen = HashSet::new();
        text.iter().flatten().filter(|v| seen.insert(*v) && !is_missing(v)).collect()
    };
    names.sort_unstable();
    let index: HashMap<&str, u32> = names.iter().enumerate().map(|(i, n)| (*n, i as u32)).collect();
    let code = |v: Option<&str>| v.and_then(|v| index.get(v)).copied().unwrap_or(Levels::MISSING);
    Ok(Levels {
        codes: text.iter().map(code).collect(),
        names: names.into_iter().map(str::to_owned).collect(),
    })
}

/// A float as a key, written as the number it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Bits(u64);

impl std::fmt::Display for Bits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f64::from_bits(self.0).fmt(f)
    }
}

/// The levels of numbers, smallest first: only the different ones are written as text.
fn number_levels<T: Copy + Eq + Hash + ToString>(
    values: impl Iterator<Item = Option<T>>,
    special: &[String],
    order: impl Fn(&T, &T) -> Ordering,
) -> Levels {
    let mut index: HashMap<T, u32> = HashMap::new();
    let mut found: Vec<T> = Vec::new();
    let mut codes: Vec<u32> = values
        .map(|value| match value {
            None => Levels::MISSING,
            Some(value) => *index.entry(value).or_insert_with(|| {
                found.push(value);
                found.len() as u32 - 1
            }),
        })
        .collect();
    let mut kept: Vec<(u32, T, String)> = found
        .into_iter()
        .enumerate()
        .map(|(code, value)| (code as u32, value, value.to_string()))
        .filter(|(_, _, name)| !special.contains(name))
        .collect();
    kept.sort_by(|a, b| order(&a.1, &b.1));
    let mut rank = vec![Levels::MISSING; index.len()];
    for (place, (code, ..)) in kept.iter().enumerate() {
        rank[*code as usize] = place as u32;
    }
    for code in codes.iter_mut().filter(|code| **code != Levels::MISSING) {
        *code = rank[*code as usize];
    }
    Levels { names: kept.into_iter().map(|(_, _, name)| name).collect(), codes }
}

/// A value as a person reads it; `None` when missing.
pub(super) fn text(value: &AnyValue) -> Option<String> {
    match value {
        AnyValue::Null => None,
        AnyValue::String(s) => (!s.is_empty()).then(|| (*s).to_owned()),
        AnyValue::StringOwned(s) => (!s.is_empty()).then(|| s.to_string()),
        AnyValue::Float64(v) if v.is_nan() => None,
        AnyValue::Float64(v) => Some(v.to_string()),
        AnyValue::Float32(v) if v.is_nan() => None,
        AnyValue::Float32(v) => Some(v.to_string()),
        other => Some(other.to_string().trim_matches('"').to_owned()),
    }
}

/// A personal value with all but a hint of it hidden.
pub(super) fn mask(text: &str, sort: Personal) -> String {
    match sort {
        Personal::Card | Personal::Iban | Personal::Phone => {
            let n = text.chars().count();
            let tail: String = text.chars().skip(n.saturating_sub(2)).collect();
            format!("••••{tail}")
        }
        Personal::Name | Personal::Email | Personal::Address => "••••".to_owned(),
    }
}
