//! What the columns of a table are and what they are for: guesses, marked as guesses, and what a
//! person said instead.

mod group;
mod naming;

use polars::prelude::{AnyValue, DataType, NamedFrom, Series};

use self::naming::{Naming, naming};
use super::parse::{Habit, Missing, Reading, infer, missing, number};
use super::{Column, Error, Kind, Overrides, Personal, Protected, Role, Table, privacy};

/// Guesses kind and role of every column anew, and finds personal data and protected attributes.
pub fn describe(table: &mut Table) {
    let looks: Vec<Look> = table.columns.iter().map(|c| Look::at(table, &c.name)).collect();
    let n_rows = table.n_rows();
    for (column, look) in table.columns.iter_mut().zip(&looks) {
        column.kind = kind_of(look, n_rows);
        column.kind_guessed = true;
        column.role = match column.kind {
            Kind::Identifier => Role::Id,
            Kind::Text => Role::Text,
            _ => Role::Feature,
        };
        column.role_guessed = true;
    }
    privacy::mark(table);
    if let Some(at) = time_column(table) {
        table.columns[at].role = Role::Time;
        if let Some(at) = group::column(table, at) {
            table.columns[at].role = Role::Group;
        }
    }
    if let Some(at) = target_column(table, &looks) {
        table.columns[at].role = Role::Target;
    }
}

/// The kind of the column at this place, as a guess.
pub(super) fn kind_at(table: &Table, at: usize) -> Kind {
    kind_of(&Look::at(table, &table.columns[at].name), table.n_rows())
}

/// What is looked at to tell kinds apart.
struct Look {
    dtype: DataType,
    /// Values that are not missing.
    n: usize,
    /// Distinct values among them; for numbers only as far as [`Look::ENOUGH`], or in full where
    /// the name is that of an identifier.
    n_distinct: usize,
    /// The distinct texts, if there are at most two.
    words: Vec<String>,
    mean_words: f64,
    naming: Naming,
}

impl Look {
    const ENOUGH: usize = 3;

    fn at(table: &Table, name: &str) -> Self {
        let Ok(column) = table.frame.column(name) else {
            return Self {
                dtype: DataType::Null,
                n: 0,
                n_distinct: 0,
                words: vec![],
                mean_words: 0.0,
                naming: Naming::No,
            };
        };
        let series = column.as_materialized_series();
        let n_missing = series.null_count();
        let n = series.len() - n_missing;
        let mut words = Vec::new();
        let (mut n_words, mut n_sampled) = (0_usize, 0_usize);
        let naming = naming(table, name);
        let n_distinct = if let Ok(text) = series.str() {
            for value in text.iter().flatten().take(10_000) {
                n_words += value.split_whitespace().count();
                n_sampled += 1;
            }
            let n_distinct = series.n_unique().unwrap_or(0) - usize::from(n_missing > 0);
            if n_distinct <= 2 {
                for value in text.iter().flatten() {
                    if !words.iter().any(|w| w == value) {
                        words.push(value.to_owned());
                        if words.len() == n_distinct {
                            break;
                        }
                    }
                }
            }
            n_distinct
        } else if naming != Naming::No && series.dtype().is_integer() {
            series.n_unique().unwrap_or(0) - usize::from(n_missing > 0)
        } else {
            few_distinct(series)
        };
        let mean_words = if n_sampled == 0 { 0.0 } else { n_words as f64 / n_sampled as f64 };
        Self { dtype: series.dtype().clone(), n, n_distinct, words, mean_words, naming }
    }

    fn is_binary(&self) -> bool {
        self.n_distinct == 2
    }
}

/// The number of distinct values, counted no further than needed to tell two from many.
fn few_distinct(series: &Series) -> usize {
    let mut seen: Vec<AnyValue> = Vec::new();
    for value in series.iter().filter(|v| !v.is_null()) {
        if !seen.contains(&value) {
            seen.push(value);
            if seen.len() == Look::ENOUGH {
                break;
            }
        }
    }
    seen.len()
}

/// Pairs of opposite words, in lower case.
const OPPOSITES: &[[&str; 2]] = &[
    ["yes", "no"],
    ["y", "n"],
    ["true", "false"],
    ["t", "f"],
    ["ja", "nein"],
    ["j", "n"],
    ["oui", "non"],
    ["si", "no"],
    ["sí", "no"],
    ["on", "off"],
];

/// Whether a word says yes or no, in one of the languages and spellings that are known.
pub fn truth_word(word: &str) -> Option<bool> {
    let word = word.to_lowercase();
    let side = |pair: &[&str; 2]| pair.iter().position(|own| *own == word);
    OPPOSITES.iter().find_map(side).map(|side| side == 0)
}

fn kind_of(look: &Look, n_rows: usize) -> Kind {
    let unique = look.n == n_rows && look.n_distinct == n_rows;
    match &look.dtype {
        DataType::Boolean => Kind::Boolean,
        dtype if dtype.is_temporal() => Kind::Datetime,
        DataType::String => {
            let words: Vec<String> = look.words.iter().map(|w| w.to_lowercase()).collect();
            let among = |pair: &&[&str; 2]| words.iter().all(|w| pair.contains(&w.as_str()));
            let share = look.n_distinct as f64 / look.n.max(1) as f64;
            if look.n_distinct == 2 && OPPOSITES.iter().any(|pair| among(&pair)) {
                Kind::Boolean
            } else if look.n >= 20 && share > 0.3 && look.mean_words >= 4.0 {
                Kind::Text
            } else if (unique && n_rows >= 20)
                || (look.naming == Naming::Surely && share > 0.5 && look.n > 1)
                || (look.naming == Naming::Perhaps && unique && n_rows > 1)
            {
                Kind::Identifier
            } else {
                Kind::Category
            }
        }
        dtype if dtype.is_integer() => {
            let mostly = look.n_distinct * 2 > look.n && look.n_distinct > 1;
            match look.naming {
                Naming::Surely if mostly => Kind::Identifier,
                Naming::Perhaps if unique && n_rows > 2 => Kind::Identifier,
                _ => Kind::Number,
            }
        }
        _ => Kind::Number,
    }
}

/// The one column with dates, unless it tells of birth.
fn time_column(table: &Table) -> Option<usize> {
    let mut dates = table.columns.iter().enumerate().filter(|(_, c)| {
        let name = c.name.to_lowercase();
        let birth = ["birth", "dob", "geburt", "naissance", "nacimiento"];
        c.kind == Kind::Datetime && c.personal.is_none() && !birth.iter().any(|b| name.contains(b))
    });
    match (dates.next(), dates.next()) {
        (Some((at, _)), None) => Some(at),
        _ => None,
    }
}

/// Names of columns that are predicted, and how sure that is.
const TARGETS: &[(&str, f64)] = &[
    ("target", 3.0),
    ("label", 3.0),
    ("digit", 3.0),
    ("y", 3.0),
    ("class", 3.0),
    ("credit_risk", 3.0),
    ("creditability", 3.0),
    ("loan_status", 3.0),
    ("mis_status", 3.0),
    ("seriousdlqin2yrs", 3.0),
    ("default_payment_next_month", 3.0),
    ("good_bad", 3.0),
    ("goodbad", 3.0),
    ("bad_flag", 3.0),
    ("default_flag", 3.0),
    ("is_default", 3.0),
    ("is_fraud", 3.0),
    ("is_bad", 3.0),
    ("default", 2.0),
    ("defaulted", 2.0),
    ("status", 2.0),
    ("bad", 2.0),
    ("churn", 2.0),
    ("churned", 2.0),
    ("exited", 2.0),
    ("outcome", 2.0),
    ("risk", 2.0),
    ("fraud", 2.0),
    ("response", 2.0),
    ("survived", 2.0),
    ("bankrupt", 2.0),
    ("approved", 2.0),
];

/// The column that is most likely to be predicted: by name, then the last one with two levels,
/// then the last one; in a file without names always the last one.
fn target_column(table: &Table, looks: &[Look]) -> Option<usize> {
    let n = table.columns.len();
    if n < 2 {
        return None;
    }
    let fit = |at: usize| {
        let column = &table.columns[at];
        column.personal.is_none()
            && matches!(column.kind, Kind::Number | Kind::Category | Kind::Boolean)
            && column.role == Role::Feature
    };
    if table.origin.headerless {
        return (0..n).rev().find(|at| fit(*at));
    }
    let mut best: Option<(f64, usize)> = None;
    for at in (0..n).filter(|at| fit(*at)) {
        let name: String = table.columns[at]
            .name
            .to_lowercase()
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '_' })
            .collect();
        let Some((_, sure)) = TARGETS.iter().find(|(word, _)| *word == name) else { continue };
        let binary = if looks[at].is_binary() { 2.0 } else { 0.0 };
        let last = if at + 1 == n { 2.0 } else { 0.0 };
        let score = sure + binary + last;
        if best.is_none_or(|(known, _)| score > known) {
            best = Some((score, at));
        }
    }
    let plain = |at: &usize| {
        let column = &table.columns[*at];
        fit(*at) && column.protected.is_none() && looks[*at].naming != Naming::Surely
    };
    best.map(|(_, at)| at)
        .or_else(|| (0..n).rev().find(|at| plain(at) && looks[*at].is_binary()))
        .or_else(|| (0..n).rev().find(plain))
}

/// Lets what a person said win over every guess. A kind that the stored values do not allow is
/// reached by reading them anew.
///
/// # Errors
///
/// When a column is not there, or its values make no sense as the kind asked for.
pub fn apply_overrides(table: &mut Table, overrides: &Overrides) -> Result<(), Error> {
    for (name, codes) in &overrides.special {
        if name == "*" {
            table.columns.iter_mut().for_each(|c| c.special.clone_from(codes));
        }
    }
    for (name, codes) in overrides.special.iter().filter(|(name, _)| *name != "*") {
        column_mut(table, name)?.special.clone_from(codes);
    }
    for (name, codes) in &overrides.special {
        let said = |name: &str| overrides.kinds.iter().any(|(own, _)| own == name);
        if !codes.is_empty() && name != "*" && !said(name) {
            numbers_but_for_codes(table, name)?;
        }
    }
    for (name, personal) in &overrides.personal {
        let column = column_mut(table, name)?;
        if *personal {
            column.personal = column.personal.or(Some(Personal::Name));
            if column.role_guessed {
                column.role = Role::Ignored;
            }
        } else if column.personal.take().is_some()
            && column.role_guessed
            && column.role == Role::Ignored
        {
            column.role = match column.kind {
                Kind::Identifier => Role::Id,
                Kind::Text => Role::Text,
                _ => Role::Feature,
            };
        }
    }
    for (name, protected) in &overrides.protected {
        let column = column_mut(table, name)?;
        column.protected =
            if *protected { column.protected.or(Some(Protected::Other)) } else { None };
    }
    for (name, kind) in &overrides.kinds {
        set_kind(table, name, *kind)?;
    }
    for (name, role) in &overrides.roles {
        table.expect_column(name)?;
        if matches!(role, Role::Target | Role::Time | Role::Weight | Role::Group) {
            for other in table.columns.iter_mut().filter(|c| c.role == *role && c.name != *name) {
                other.role = if other.ahead.is_some() { Role::Ignored } else { Role::Feature };
            }
        }
        let column = column_mut(table, name)?;
        column.role = *role;
        column.role_guessed = false;
    }
    Ok(())
}

fn column_mut<'a>(table: &'a mut Table, name: &str) -> Result<&'a mut Column, Error> {
    match table.columns.iter().position(|c| c.name == name) {
        Some(at) => Ok(&mut table.columns[at]),
        None => Err(Error::no_column(name, &table.columns)),
    }
}

/// Gives a kind to a column, and other values where the kind needs them.
fn set_kind(table: &mut Table, name: &str, kind: Kind) -> Result<(), Error> {
    table.expect_column(name)?;
    if !table.allows(name, kind) {
        let series = table.frame.column(name)?.as_materialized_series().clone();
        let special = table.column(name).map_or(&[][..], |column| &column.special);
        let values = match kind {
            Kind::Number => to_numbers(&series, special),
            _ => to_dates(&series),
        };
        let values = values.map_err(|value| {
            let masked = table.column(name).is_some_and(Column::is_masked);
            let shown = if masked { "a value".to_owned() } else { format!("`{value}`") };
            let what = if kind == Kind::Number { "number" } else { "date" };
            Error::Query {
                what: format!("column `{name}` cannot be a {kind}: {shown} is no {what}"),
                hint: format!(
                    "clean the values first, or say that they mean missing: \
                     `--special '{name}={}'`",
                    if masked { "CODE" } else { &value }
                ),
            }
        })?;
        table.frame.with_column(values.into())?;
    } else if kind == Kind::Number && table.frame.column(name)?.dtype().is_bool() {
        let values = table.frame.column(name)?.cast(&DataType::Int64)?;
        table.frame.with_column(values)?;
    } else if kind == Kind::Boolean {
        let n = table.levels(name)?.names.len();
        if n > 2 {
            return Err(Error::Query {
                what: format!("column `{name}` cannot be a boolean: it has {n} levels"),
                hint: "a boolean has two levels; make it a category".to_owned(),
            });
        }
    }
    let column = column_mut(table, name)?;
    let was = std::mem::replace(&mut column.kind, kind);
    column.kind_guessed = false;
    if column.role_guessed && was != kind {
        match (kind, column.role) {
            (Kind::Identifier, Role::Feature | Role::Text) => column.role = Role::Id,
            (Kind::Text, Role::Feature | Role::Id) => column.role = Role::Text,
            (_, Role::Id | Role::Text | Role::Time) if kind != Kind::Datetime => {
                column.role = Role::Feature;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Makes a column of words one of numbers, where nothing but its codes for missing was in the way.
fn numbers_but_for_codes(table: &mut Table, name: &str) -> Result<(), Error> {
    let is_text = table.frame.column(name)?.dtype().is_string();
    // A word that is left is no mistake here: the column stays what it was.
    if is_text
        && column_mut(table, name)?.kind_guessed
        && set_kind(table, name, Kind::Number).is_ok()
    {
        column_mut(table, name)?.kind_guessed = true;
    }
    Ok(())
}

/// Words that keep a column of numbers from being one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strays {
    /// The words, each with how many values it is.
    pub words: Vec<(String, usize)>,
    /// Values that are not missing.
    pub n: usize,
}

/// The few words in a column of text that are no numbers, if nearly all others are.
pub fn strays(table: &Table, column: &Column) -> Option<Strays> {
    /// More different words than these are no slips.
    const MOST: usize = 5;
    /// One of so many values may be a word.
    const ONE_OF: usize = 20;
    let series = table.frame.column(&column.name).ok()?.as_materialized_series();
    if column.is_masked() {
        return None;
    }
    let text = series.str().ok()?;
    let (mut n, mut words) = (0, Vec::<(String, usize)>::new());
    for value in text.iter().flatten().map(str::trim) {
        if missing(value) != Missing::No || column.special.iter().any(|code| code == value) {
            continue;
        }
        n += 1;
        if plain_number(value).is_some() {
            continue;
        }
        match words.iter().position(|(word, _)| word == value) {
            Some(at) => words[at].1 += 1,
            None if words.len() == MOST => return None,
            None => words.push((value.to_owned(), 1)),
        }
    }
    let n_words: usize = words.iter().map(|(_, n)| n).sum();
    (n_words > 0 && n_words * ONE_OF <= n).then_some(Strays { words, n })
}

/// A number without grouping or currency. Words such as 007 are names until a person says that they
/// are numbers.
fn plain_number(text: &str) -> Option<f64> {
    number::decimal(text).or_else(|| text.trim().parse().ok().filter(|v: &f64| v.is_finite()))
}

/// The values as numbers, codes for missing as missing, or the first one that is none.
fn to_numbers(series: &Series, special: &[String]) -> Result<Series, String> {
    let text = series.cast(&DataType::String).map_err(|e| e.to_string())?;
    let text = text.str().map_err(|e| e.to_string())?;
    let is_code = |v: &str| special.iter().any(|code| code == v.trim());
    let missing = |v: &str| if is_code(v) { Missing::Always } else { missing(v) };
    let present = || text.iter().flatten().filter(|v| missing(v) == Missing::No);
    let found = infer("", present, Habit::default()).map(|u| u.reading);
    let parse = |v: &str| match found {
        Some(Reading::Formatted(format)) => format.parse(v),
        _ => plain_number(v),
    };
    let mut values = Vec::with_capacity(text.len());
    for value in text.iter() {
        values.push(match value {
            Some(v) if missing(v) == Missing::No => Some(parse(v).ok_or_else(|| v.to_owned())?),
            _ => None,
        });
    }
    Ok(Series::new(series.name().clone(), values))
}

/// The values as dates, or the first one that is none.
fn to_dates(series: &Series) -> Result<Series, String> {
    use super::parse::date;
    let text = series.cast(&DataType::String).map_err(|e| e.to_string())?;
    let text = text.str().map_err(|e| e.to_string())?;
    let present = || text.iter().flatten().filter(|v| missing(v) == Missing::No);
    let found = infer("date", present, Habit::default()).map(|u| u.reading);
    let Some(Reading::Date(order) | Reading::Datetime(order)) = found else {
        return Err(present()
            .find(|v| date::Order::ALL.iter().all(|o| date::parse(v, *o).is_none()))
            .or_else(|| present().next())
            .unwrap_or("nothing")
            .to_owned());
    };
    let stamps = text.iter().map(|v| v.and_then(|v| date::parse(v, order)).map(|s| s.ms));
    let stamps: Vec<Option<i64>> = stamps.collect();
    let unit = polars::prelude::TimeUnit::Milliseconds;
    let moments = Series::new(series.name().clone(), stamps).cast(&DataType::Datetime(unit, None));
    let moments = moments.map_err(|e| e.to_string())?;
    if matches!(found, Some(Reading::Date(_))) {
        return moments.cast(&DataType::Date).map_err(|e| e.to_string());
    }
    Ok(moments)
}

#[cfg(test)]
mod tests;
