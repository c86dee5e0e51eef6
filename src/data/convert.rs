//! From polars' columns to plain values: numbers, levels, and text for a person.

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
    let numeric = series.dtype().is_primitive_numeric();
    let text = if series.dtype().is_float() {
        // Whole numbers that a missing value turned into floats keep their short name.
        let names = floats(series).into_iter().map(|v| (!v.is_nan()).then(|| v.to_string()));
        StringChunked::from_iter_options(series.name().clone(), names).into_series()
    } else {
        series.cast(&DataType::String)?
    };
    let text = text.str()?;
    let is_missing = |v: &str| v.is_empty() || special.iter().any(|s| s == v);
    let mut names: Vec<&str> = {
        let mut seen = std::collections::HashSet::new();
        text.iter().flatten().filter(|v| !is_missing(v) && seen.insert(*v)).collect()
    };
    if numeric {
        let number = |v: &str| v.parse::<f64>().unwrap_or(f64::NAN);
        names.sort_by(|a, b| number(a).total_cmp(&number(b)));
    } else {
        names.sort_unstable();
    }
    let index: std::collections::HashMap<&str, u32> =
        names.iter().enumerate().map(|(i, n)| (*n, i as u32)).collect();
    let code = |v: Option<&str>| v.and_then(|v| index.get(v)).copied().unwrap_or(Levels::MISSING);
    Ok(Levels {
        codes: text.iter().map(code).collect(),
        names: names.into_iter().map(str::to_owned).collect(),
    })
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
