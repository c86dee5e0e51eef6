//! One column of the matrix as an expression: what the recipe makes of a value, in SQL.

use std::fmt::Write as _;

use super::Dialect;
use crate::data::Kind;
use crate::features::{Encoding, FittedRecipe, Input, Level, Output, Source};

/// The intercept and one term for each column of the matrix that counts.
pub(super) fn weighted(
    recipe: &FittedRecipe,
    dialect: Dialect,
    intercept: f64,
    coefficients: &[f64],
) -> String {
    let mut text = dialect.first(intercept);
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
            (offset, scale) => {
                format!("(({raw} - {}) / {})", dialect.number(offset), dialect.number(scale))
            }
        };
        let _ = write!(text, "\n    + {} * {placed}", dialect.number(*coefficient));
    }
    text
}

fn flag(dialect: Dialect, condition: &str) -> String {
    let [yes, no] = [1.0, 0.0].map(|value| dialect.number(value));
    format!("(CASE WHEN {condition} THEN {yes} ELSE {no} END)")
}

/// What a column of the matrix is before it is scaled.
fn raw(recipe: &FittedRecipe, dialect: Dialect, input: &Input, output: &Output) -> String {
    let column = format!("t.{}", dialect.name(&input.name));
    if input.encoding == Encoding::Levels {
        let Source::Level { level } = &output.source else { return dialect.number(0.0) };
        return flag(dialect, &is_group(recipe, dialect, input, level));
    }
    let is_date = input.encoding == Encoding::Date;
    let value = if is_date { dialect.days(&column) } else { dialect.as_double(&column) };
    let mut missing = dialect.is_nothing(&column);
    if !is_date {
        let _ = write!(missing, " OR {}", dialect.is_not_finite(&value));
        let codes = input.special.iter().filter_map(|code| code.parse().ok());
        let codes: Vec<String> = codes.map(|code| dialect.number(code)).collect();
        if !codes.is_empty() {
            let _ = write!(missing, " OR {value} IN ({})", codes.join(", "));
        }
    }
    match &output.source {
        Source::Number { fill, low, high } => {
            let mut text = format!("(CASE WHEN {missing} THEN {}", dialect.number(*fill));
            if let Some(low) = low {
                let _ = write!(text, " WHEN {value} < {0} THEN {0}", dialect.number(*low));
            }
            if let Some(high) = high {
                let _ = write!(text, " WHEN {value} > {0} THEN {0}", dialect.number(*high));
            }
            text + &format!(" ELSE {value} END)")
        }
        Source::Missing => flag(dialect, &missing),
        Source::Month { month: part } | Source::Weekday { weekday: part } => {
            flag(dialect, &format!("{} = {part}", dialect.part(&column, &output.source)))
        }
        Source::Level { .. } => dialect.number(0.0),
    }
}

/// How the levels of a column are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    /// As texts.
    Texts,
    /// As numbers: the same one is written `1`, `1.0` or `1.00` by different types of columns.
    Numbers,
    /// As true and false, which some databases keep as 1 and 0.
    Truths,
}

impl Sort {
    fn of(input: &Input) -> Self {
        let all = |is: fn(&str) -> bool| input.levels.iter().all(|level| is(&level.name));
        if input.kind == Kind::Boolean && all(|name| name == "true" || name == "false") {
            Self::Truths
        } else if !input.levels.is_empty() && all(|name| number_of(name).is_some()) {
            Self::Numbers
        } else {
            Self::Texts
        }
    }
}

/// The number that a level is, if it is written as numbers are: `01` is a text.
fn number_of(name: &str) -> Option<f64> {
    let value: f64 = name.parse().ok()?;
    (value.is_finite() && value.to_string() == name).then_some(value)
}

/// The condition under which a column holds one of these levels.
fn is_among(dialect: Dialect, sort: Sort, column: &str, names: &[&str]) -> String {
    let text = dialect.as_text(column);
    let list = |names: &[&str]| {
        names.iter().map(|name| dialect.quoted(name)).collect::<Vec<_>>().join(", ")
    };
    let (mut numbers, mut truths, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for name in names.iter().copied() {
        match (sort, number_of(name), name) {
            (Sort::Numbers, Some(number), _) => numbers.push(number),
            (Sort::Truths, _, "true") => truths.extend(["true", "1"]),
            (Sort::Truths, _, "false") => truths.extend(["false", "0"]),
            _ => texts.push(name),
        }
    }
    let mut cases = Vec::new();
    if !numbers.is_empty() {
        cases.push(dialect.is_number_among(column, &numbers));
    }
    if !truths.is_empty() {
        cases.push(format!("LOWER({text}) IN ({})", list(&truths)));
    }
    if !texts.is_empty() {
        cases.push(format!("{text} IN ({})", list(&texts)));
    }
    cases.join(" OR ")
}

/// The condition under which a value belongs to this group of levels.
fn is_group(recipe: &FittedRecipe, dialect: Dialect, input: &Input, group: &str) -> String {
    let groups = recipe.groups(input);
    let own = groups.names.iter().position(|name| name == group).map(|at| at as u32);
    let column = format!("t.{}", dialect.name(&input.name));
    let sort = Sort::of(input);
    let is_among = |names: &[&str]| is_among(dialect, sort, &column, names);
    let mut nothing: Vec<&str> = input.special.iter().map(String::as_str).collect();
    if sort == Sort::Numbers {
        nothing.extend(dialect.not_finite_texts());
    }
    let mut missing = format!("{column} IS NULL OR {} = ''", dialect.as_text(&column));
    if !nothing.is_empty() {
        let _ = write!(missing, " OR {}", is_among(&nothing));
    }
    let known: Vec<&str> = input.levels.iter().map(|level| &level.name as &str).collect();
    let is_own = |level: &&Level| groups.of_level(level) == own;
    let levels: Vec<&str> =
        input.levels.iter().filter(is_own).map(|level| &level.name as &str).collect();
    let mut cases = Vec::new();
    if groups.missing == own {
        cases.push(format!("({missing})"));
    }
    if !levels.is_empty() {
        cases.push(format!("(NOT ({missing}) AND ({}))", is_among(&levels)));
    }
    if groups.unseen == own {
        let is_unseen = if known.is_empty() {
            String::new()
        } else {
            format!(" AND NOT ({})", is_among(&known))
        };
        cases.push(format!("(NOT ({missing}){is_unseen})"));
    }
    if cases.is_empty() { "1 = 0".into() } else { cases.join(" OR ") }
}
