//! Fitting a recipe: everything it learns, it learns from the training rows.

use super::calendar::{self, MONTHS, WEEKDAYS};
use super::cells::{self, clamped, groups};
use super::fitted::{Encoding, FittedRecipe, Input, Level, Output, Source};
use super::{Dates, Error, Impute, Recipe, Scale};
use crate::data::{Column, Kind, Levels, Table};
use crate::jobs::Ctx;
use crate::metrics::quantile;

/// Fits the recipe for these features on these rows, and on no others.
///
/// # Errors
///
/// When a feature is not there or cannot be one, or when none of them varies.
pub fn fit(
    table: &Table,
    recipe: &Recipe,
    features: &[String],
    rows: &[u32],
    ctx: &Ctx,
) -> Result<FittedRecipe, Error> {
    if rows.is_empty() {
        return Err(Error::NoRows);
    }
    if features.is_empty() {
        return Err(Error::NoFeatures { why: String::new() });
    }
    let mut fitted = FittedRecipe { recipe: recipe.clone(), ..FittedRecipe::default() };
    for name in features {
        ctx.check()?;
        let column = table.expect_column(name)?;
        let Some(encoding) = encoding(table, column, recipe)? else { continue };
        let (input, outputs) = match encoding {
            Encoding::Levels => fit_levels(table, column, recipe, rows)?,
            Encoding::Number | Encoding::Date => {
                fit_numbers(table, column, encoding, recipe, rows)?
            }
        };
        if outputs.is_empty() {
            fitted.constant.push(name.clone());
        } else {
            fitted.inputs.push(input);
            fitted.outputs.extend(outputs);
        }
    }
    if fitted.outputs.is_empty() {
        let why = fitted.warning().map_or(String::new(), |warning| format!(": {warning}"));
        return Err(Error::NoFeatures { why });
    }
    Ok(fitted)
}

/// How a feature is looked at; `None` for a date that the recipe drops.
fn encoding(table: &Table, column: &Column, recipe: &Recipe) -> Result<Option<Encoding>, Error> {
    Ok(Some(match column.kind {
        Kind::Number => Encoding::Number,
        Kind::Boolean if table.is_numeric(&column.name) => Encoding::Number,
        Kind::Boolean | Kind::Category => Encoding::Levels,
        Kind::Datetime if recipe.dates == Dates::Drop => return Ok(None),
        Kind::Datetime => Encoding::Date,
        kind @ (Kind::Text | Kind::Identifier) => {
            return Err(Error::NotAFeature { column: column.name.clone(), kind });
        }
    }))
}

fn empty_input(column: &Column, encoding: Encoding, n_missing: usize, n_rows: usize) -> Input {
    Input {
        name: column.name.clone(),
        kind: column.kind,
        encoding,
        special: column.special.clone(),
        missing: n_missing as f64 / n_rows as f64,
        min: None,
        max: None,
        mean: None,
        levels: Vec::new(),
    }
}

fn fit_levels(
    table: &Table,
    column: &Column,
    recipe: &Recipe,
    rows: &[u32],
) -> Result<(Input, Vec<Output>), Error> {
    let levels = cells::levels(table, &column.name, &column.special)?;
    let mut counts = vec![0_usize; levels.names.len()];
    let mut n_missing = 0;
    for row in rows {
        match levels.codes[*row as usize] {
            Levels::MISSING => n_missing += 1,
            code => counts[code as usize] += 1,
        }
    }
    let mut input = empty_input(column, Encoding::Levels, n_missing, rows.len());
    for (name, count) in levels.names.into_iter().zip(counts) {
        let share = count as f64 / rows.len() as f64;
        if count > 0 {
            let merged = share < recipe.rare && name != cells::OTHER;
            input.levels.push(Level { name, share, merged });
        }
    }
    // The first group is the reference: all others are told apart from it.
    let outputs = groups(&input).into_iter().skip(1).map(|level| Output {
        name: format!("{} = {level}", column.name),
        column: column.name.clone(),
        source: Source::Level { level },
        offset: 0.0,
        scale: 1.0,
    });
    let outputs = outputs.collect();
    Ok((input, outputs))
}

fn fit_numbers(
    table: &Table,
    column: &Column,
    encoding: Encoding,
    recipe: &Recipe,
    rows: &[u32],
) -> Result<(Input, Vec<Output>), Error> {
    let values = cells::numbers(table, &column.name, &column.special, rows)?;
    let mut known: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    let n_missing = values.len() - known.len();
    let mut input = empty_input(column, encoding, n_missing, rows.len());
    if known.is_empty() {
        return Ok((input, Vec::new()));
    }
    let (min, max) = range(known.iter().copied());
    input.min = Some(min);
    input.max = Some(max);
    input.mean = Some(mean(&known));

    let (mut low, mut high) = (None, None);
    if recipe.winsorise > 0.0 && encoding == Encoding::Number {
        known.sort_unstable_by(f64::total_cmp);
        low = quantile(&known, recipe.winsorise);
        high = quantile(&known, 1.0 - recipe.winsorise);
        for value in &mut known {
            *value = clamped(*value, 0.0, low, high);
        }
    }
    let fill = match recipe.impute {
        Impute::Mean => mean(&known),
        Impute::Median => median(&mut known),
        Impute::MostFrequent => most_frequent(&mut known),
        Impute::Constant => recipe.constant,
    };
    drop(known);
    let mut outputs = Vec::new();
    let mut add = |suffix: &str, source: Source, (offset, scale): (f64, f64)| {
        let (name, column) = (format!("{}{suffix}", column.name), column.name.clone());
        outputs.push(Output { name, column, source, offset, scale });
    };
    let filled = || values.iter().map(|value| clamped(*value, fill, low, high));
    let (smallest, largest) = range(filled());
    if smallest != largest {
        add("", Source::Number { fill, low, high }, scaling(filled, recipe.scale));
    }
    if recipe.missing_indicator && n_missing > 0 {
        add(" is missing", Source::Missing, (0.0, 1.0));
    }
    if encoding == Encoding::Date && recipe.dates == Dates::Parts {
        let known = || values.iter().filter(|value| !value.is_nan());
        for (month, name) in MONTHS.iter().enumerate().filter(present(known(), calendar::month)) {
            add(&format!(" month = {name}"), Source::Month { month }, (0.0, 1.0));
        }
        let weekdays = WEEKDAYS.iter().enumerate();
        for (weekday, name) in weekdays.filter(present(known(), calendar::weekday)) {
            add(&format!(" weekday = {name}"), Source::Weekday { weekday }, (0.0, 1.0));
        }
    }
    Ok((input, outputs))
}

/// Lets through the parts of the calendar that the days have, but the first of them: that is the
/// reference.
fn present<'a>(
    days: impl Iterator<Item = &'a f64>,
    part: fn(f64) -> usize,
) -> impl FnMut(&(usize, &&'static str)) -> bool {
    let mut has = [false; 12];
    days.for_each(|day| has[part(*day)] = true);
    if let Some(first) = has.iter().position(|has| *has) {
        has[first] = false;
    }
    move |(idx, _)| has[*idx]
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), v| (min.min(v), max.max(v)))
}

/// The median of at least one value, found without sorting them all.
fn median(values: &mut [f64]) -> f64 {
    let is_odd = values.len() % 2 == 1;
    let (below, middle, _) = values.select_nth_unstable_by(values.len() / 2, f64::total_cmp);
    if is_odd {
        return *middle;
    }
    let low = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    low + 0.5 * (*middle - low)
}

/// The most frequent value; the smallest among equals.
fn most_frequent(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let runs = values.chunk_by(|a, b| a == b);
    let longest = runs.fold(&[][..], |best, run| if run.len() > best.len() { run } else { best });
    longest.first().copied().unwrap_or_default()
}

/// Offset and scale of values that are not all the same.
fn scaling<I: Iterator<Item = f64>>(values: impl Fn() -> I, scale: Scale) -> (f64, f64) {
    let standard = || {
        let n = values().count() as f64;
        let mean = values().sum::<f64>() / n;
        let squares = values().map(|value| (value - mean) * (value - mean)).sum::<f64>();
        (mean, (squares / n).sqrt())
    };
    match scale {
        Scale::None => (0.0, 1.0),
        Scale::Standard => standard(),
        Scale::MinMax => {
            let (min, max) = range(values());
            (min, max - min)
        }
        Scale::Robust => {
            let mut sorted: Vec<f64> = values().collect();
            sorted.sort_unstable_by(f64::total_cmp);
            let at = |share| quantile(&sorted, share).unwrap_or_default();
            let spread = at(0.75) - at(0.25);
            // Where most rows share one value there is no interquartile range.
            (at(0.5), if spread > 0.0 { spread } else { standard().1 })
        }
    }
}
