//! A linear model with its recipe as one SQL statement, so that a database can score where the
//! rows are.

use std::fmt::Write as _;

use super::Error;
use crate::features::{Encoding, FittedRecipe, Input, Output, Source, Unseen};
use crate::models::{Link, Model, Predictor};

/// The language of a database, where it differs from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    #[default]
    Sqlite,
    /// `PostgreSQL`.
    Postgres,
    /// `DuckDB`.
    Duckdb,
    /// Spark, and engines that speak its language.
    Spark,
}

impl Dialect {
    fn double(self) -> &'static str {
        match self {
            Self::Sqlite => "REAL",
            Self::Postgres => "DOUBLE PRECISION",
            Self::Duckdb | Self::Spark => "DOUBLE",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => "TEXT",
            Self::Duckdb => "VARCHAR",
            Self::Spark => "STRING",
        }
    }

    fn name(self, name: &str) -> String {
        match self {
            Self::Spark => format!("`{}`", name.replace('`', "``")),
            _ => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    fn quoted(self, text: &str) -> String {
        let text = text.replace('\'', "''");
        // Spark takes a backslash for the beginning of a special character.
        let text = if self == Self::Spark { text.replace('\\', "\\\\") } else { text };
        format!("'{text}'")
    }

    /// Days since 1970 of a date or a moment.
    fn days(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("(julianday({column}) - 2440587.5)"),
            Self::Postgres => {
                format!("(EXTRACT(EPOCH FROM CAST({column} AS TIMESTAMP)) / 86400.0)")
            }
            Self::Duckdb => format!("(epoch(CAST({column} AS TIMESTAMP)) / 86400.0)"),
            Self::Spark => format!("(unix_timestamp(CAST({column} AS TIMESTAMP)) / 86400.0)"),
        }
    }

    /// The month from 0 for January, or the weekday from 0 for Monday.
    fn part(self, column: &str, source: &Source) -> String {
        let is_month = matches!(source, Source::Month { .. });
        match (self, is_month) {
            (Self::Sqlite, true) => format!("(CAST(strftime('%m', {column}) AS INTEGER) - 1)"),
            (Self::Sqlite, false) => {
                format!("((CAST(strftime('%w', {column}) AS INTEGER) + 6) % 7)")
            }
            (Self::Postgres | Self::Duckdb, true) => {
                format!("(EXTRACT(MONTH FROM CAST({column} AS TIMESTAMP)) - 1)")
            }
            (Self::Postgres | Self::Duckdb, false) => {
                format!("(EXTRACT(ISODOW FROM CAST({column} AS TIMESTAMP)) - 1)")
            }
            (Self::Spark, true) => format!("(month({column}) - 1)"),
            (Self::Spark, false) => format!("weekday({column})"),
        }
    }
}

/// The statement that adds the model's scores to the rows of `table`.
///
/// Regression gives `prediction`; two classes `score` (log-odds, of a logistic model),
/// `probability` and `prediction`; several classes `probability_CLASS` each.
///
/// # Errors
///
/// When the model is no linear one, or refuses unseen levels, which SQL cannot.
pub fn sql(model: &Model, dialect: Dialect, table: &str) -> Result<String, Error> {
    if model.sight.is_some() {
        return Err(refuse(model, "a network is no expression"));
    }
    if model.recipe.recipe.unseen == Unseen::Error
        && model.recipe.inputs.iter().any(|input| input.encoding == Encoding::Levels)
    {
        return Err(refuse(model, "its recipe refuses levels that training never saw"));
    }
    let scores: Vec<String> = match &model.predictor {
        Predictor::Linear { intercept, coefficients, .. } => {
            vec![weighted(&model.recipe, dialect, *intercept, coefficients)]
        }
        Predictor::Softmax { intercepts, coefficients } => intercepts
            .iter()
            .zip(coefficients)
            .map(|(intercept, own)| weighted(&model.recipe, dialect, *intercept, own))
            .collect(),
        Predictor::Constant(_) | Predictor::Shares(_) => {
            return Err(refuse(model, "it says the same of every row"));
        }
        _ => return Err(refuse(model, "it is no linear model")),
    };
    let n = scores.len();
    let own = |class: usize| if n == 1 { "score".to_owned() } else { format!("score_{class}") };
    let mut text = String::from("WITH scored AS (\n  SELECT t.*");
    for (class, score) in scores.iter().enumerate() {
        let _ = write!(text, ",\n    {score}\n      AS {}", dialect.name(&own(class)));
    }
    let _ = write!(text, "\n  FROM {} AS t\n)\nSELECT scored.*", dialect.name(table));
    let called =
        |expression: &str, name: &str| format!(",\n  {expression} AS {}", dialect.name(name));
    match (&model.predictor, model.classes.as_slice()) {
        (Predictor::Linear { link, .. }, [negative, positive]) => {
            let score = dialect.name("score");
            // Both branches keep the exponent below zero, so that nothing overflows.
            let probability = match link {
                Link::Identity => score.clone(),
                Link::Logit => format!(
                    "(CASE WHEN {score} >= 0 THEN 1.0 / (1.0 + EXP(-{score})) \
                     ELSE EXP({score}) / (1.0 + EXP({score})) END)"
                ),
            };
            text += &called(&probability, "probability");
            let decision = format!(
                "(CASE WHEN {probability} >= {} THEN {} ELSE {} END)",
                number(model.threshold),
                dialect.quoted(positive),
                dialect.quoted(negative)
            );
            text += &called(&decision, "prediction");
        }
        (Predictor::Softmax { .. }, classes) => {
            for (class, name) in classes.iter().enumerate() {
                let others: Vec<String> = (0..n)
                    .map(|other| {
                        let far = format!(
                            "{} - {}",
                            dialect.name(&own(other)),
                            dialect.name(&own(class))
                        );
                        // What is so far ahead leaves nothing for this class.
                        format!("EXP(CASE WHEN {far} > 700 THEN 700 ELSE {far} END)")
                    })
                    .collect();
                let share = format!("(1.0 / ({}))", others.join(" + "));
                text += &called(&share, &format!("probability_{name}"));
            }
        }
        _ => text += &called(&dialect.name("score"), "prediction"),
    }
    text += "\nFROM scored\n";
    Ok(text)
}

fn refuse(model: &Model, why: &'static str) -> Error {
    Error::NoSql { kind: model.kind.clone(), why }
}

/// A number as SQL reads it, always with a point or an exponent.
fn number(value: f64) -> String {
    if value == f64::NEG_INFINITY { "-1e308".into() } else { format!("{value:?}") }
}

/// The intercept and one term for each column of the matrix that counts.
fn weighted(
    recipe: &FittedRecipe,
    dialect: Dialect,
    intercept: f64,
    coefficients: &[f64],
) -> String {
    let mut text = number(intercept);
    for (output, coefficient) in recipe.outputs.iter().zip(coefficients) {
        if *coefficient == 0.0 {
            continue;
        }
        let Some(input) = recipe.inputs.iter().find(|input| input.name == output.column) else {
            continue;
        };
        let raw = raw(recipe, dialect, input, output);
        let placed = match (output.offset, output.scale) {
            (0.0, 1.0) => raw,
            (offset, scale) => format!("(({raw} - {}) / {})", number(offset), number(scale)),
        };
        let _ = write!(text, "\n    + {} * {placed}", number(*coefficient));
    }
    text
}

fn flag(condition: &str) -> String {
    format!("(CASE WHEN {condition} THEN 1.0 ELSE 0.0 END)")
}

/// What a column of the matrix is before it is scaled.
fn raw(recipe: &FittedRecipe, dialect: Dialect, input: &Input, output: &Output) -> String {
    let column = format!("t.{}", dialect.name(&input.name));
    if input.encoding == Encoding::Levels {
        let Source::Level { level } = &output.source else { return "0.0".into() };
        return flag(&is_group(recipe, dialect, input, level));
    }
    let codes: Vec<String> =
        input.special.iter().filter_map(|code| code.parse().ok()).map(number).collect();
    let mut missing = format!("{column} IS NULL");
    if !codes.is_empty() && input.encoding == Encoding::Number {
        let _ = write!(missing, " OR {column} IN ({})", codes.join(", "));
    }
    match &output.source {
        Source::Number { fill, low, high } => {
            let value = match input.encoding {
                Encoding::Date => dialect.days(&column),
                _ => format!("CAST({column} AS {})", dialect.double()),
            };
            let mut text = format!("(CASE WHEN {missing} THEN {}", number(*fill));
            if let Some(low) = low {
                let _ = write!(text, " WHEN {value} < {0} THEN {0}", number(*low));
            }
            if let Some(high) = high {
                let _ = write!(text, " WHEN {value} > {0} THEN {0}", number(*high));
            }
            text + &format!(" ELSE {value} END)")
        }
        Source::Missing => flag(&missing),
        Source::Month { month: part } | Source::Weekday { weekday: part } => {
            flag(&format!("{} = {part}", dialect.part(&column, &output.source)))
        }
        Source::Level { .. } => "0.0".into(),
    }
}

/// The condition under which a value belongs to this group of levels.
fn is_group(recipe: &FittedRecipe, dialect: Dialect, input: &Input, group: &str) -> String {
    let groups = recipe.groups(input);
    let own = groups.names.iter().position(|name| name == group).map(|at| at as u32);
    let column = format!("CAST(t.{} AS {})", dialect.name(&input.name), dialect.text());
    let list = |names: &[&String]| {
        names.iter().map(|name| dialect.quoted(name)).collect::<Vec<_>>().join(", ")
    };
    let special: Vec<&String> = input.special.iter().collect();
    let mut missing = format!("{column} IS NULL OR {column} = ''");
    if !special.is_empty() {
        let _ = write!(missing, " OR {column} IN ({})", list(&special));
    }
    let is_own = |level: &&crate::features::Level| groups.of_level(level) == own;
    let known: Vec<&String> = input.levels.iter().map(|level| &level.name).collect();
    let levels: Vec<&String> =
        input.levels.iter().filter(is_own).map(|level| &level.name).collect();
    let mut cases = Vec::new();
    if groups.missing == own {
        cases.push(format!("({missing})"));
    }
    if !levels.is_empty() {
        cases.push(format!("(NOT ({missing}) AND {column} IN ({}))", list(&levels)));
    }
    if groups.unseen == own {
        cases.push(format!("(NOT ({missing}) AND {column} NOT IN ({}))", list(&known)));
    }
    if cases.is_empty() { "1 = 0".into() } else { cases.join(" OR ") }
}
