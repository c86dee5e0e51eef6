//! A linear model with its recipe as one SQL statement, so that a database can score where the
//! rows are.

mod column;
mod dialect;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use super::Error;
use crate::features::{Encoding, Unseen};
use crate::models::{Link, Model, Predictor};
use column::weighted;
pub use dialect::Dialect;

/// The exponential of more than this leaves the range of a double, and of less than minus this
/// some databases refuse it.
const FAR: f64 = 700.0;

/// The statement that adds the model's scores to the rows of `table`.
///
/// Regression gives `prediction`; two classes `score` (log-odds, of a logistic model),
/// `probability` and `prediction`; several classes `probability_CLASS` each and `prediction`. What
/// cannot be scored is NULL. The columns of the table come first, then those that begin with
/// `__karat_score`, which the others are made of: their name is no column that the model knows.
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
    let own = free(model);
    // A class that cannot be has no score.
    let mut scores: Vec<(String, Option<String>)> = Vec::new();
    match &model.predictor {
        Predictor::Linear { intercept, coefficients, .. } => {
            let score = weighted(&model.recipe, dialect, *intercept, coefficients);
            scores.push((dialect.name(&own), Some(score)));
        }
        Predictor::Softmax { intercepts, coefficients } => {
            for (class, (intercept, of_class)) in intercepts.iter().zip(coefficients).enumerate() {
                let score = || weighted(&model.recipe, dialect, *intercept, of_class);
                let score = intercept.is_finite().then(score);
                scores.push((dialect.name(&format!("{own}_{class}")), score));
            }
        }
        Predictor::Constant(_) | Predictor::Shares(_) => {
            return Err(refuse(model, "it says the same of every row"));
        }
        _ => return Err(refuse(model, "it is no linear model")),
    }
    let scored = if table.eq_ignore_ascii_case("scored") { "karat_scored" } else { "scored" };
    let mut text = format!("WITH {scored} AS (\n  SELECT t.*");
    for (name, score) in &scores {
        if let Some(score) = score {
            let _ = write!(text, ",\n    {score}\n      AS {name}");
        }
    }
    let _ = write!(text, "\n  FROM {} AS t\n)\nSELECT {scored}.*", dialect.name(table));
    let mut add = |expression: &str, name: &str| {
        let _ = write!(text, ",\n  {expression} AS {}", dialect.name(name));
    };
    match (&model.predictor, model.classes.as_slice()) {
        (Predictor::Linear { link, .. }, [negative, positive]) => {
            let score = &scores[0].0;
            let probability = match link {
                Link::Identity => score.clone(),
                Link::Logit => logistic(dialect, score),
            };
            add(score, "score");
            add(&probability, "probability");
            add(
                &format!(
                    "(CASE WHEN {probability} >= {threshold} THEN {} WHEN {probability} < \
                     {threshold} THEN {} END)",
                    dialect.quoted(positive),
                    dialect.quoted(negative),
                    threshold = dialect.number(model.threshold),
                ),
                "prediction",
            );
        }
        (Predictor::Softmax { .. }, classes) => {
            let possible: Vec<(&str, &str)> = scores
                .iter()
                .zip(classes)
                .filter_map(|((name, score), class)| {
                    score.as_ref().map(|_| (name as &str, class as &str))
                })
                .collect();
            for ((name, score), class) in scores.iter().zip(classes) {
                let share = match score {
                    Some(_) => share(dialect, name, &possible),
                    None => dialect.number(0.0),
                };
                add(&share, &format!("probability_{class}"));
            }
            add(&largest(dialect, &possible), "prediction");
        }
        _ => add(&scores[0].0, "prediction"),
    }
    let _ = writeln!(text, "\nFROM {scored}");
    Ok(text)
}

fn refuse(model: &Model, why: &'static str) -> Error {
    Error::NoSql { kind: model.kind.clone(), why }
}

/// The beginning of the names of scores within the statement: no column that the model reads or
/// the statement adds begins like it, however large its letters are.
fn free(model: &Model) -> String {
    let inputs = model.recipe.inputs.iter().map(|input| &input.name);
    let known: Vec<String> =
        inputs.chain([&model.target]).map(|name| name.to_lowercase()).collect();
    let mut name = "__karat_score".to_owned();
    while known.iter().any(|own| own.starts_with(&name)) {
        name.insert(0, '_');
    }
    name
}

/// The logistic function of a score. Both branches keep the exponent below zero, so that nothing
/// overflows, and above [`FAR`] below it, so that nothing underflows.
fn logistic(dialect: Dialect, score: &str) -> String {
    let [one, far, near] = [1.0, FAR, -FAR].map(|value| dialect.number(value));
    let down = format!("EXP(CASE WHEN {score} > {far} THEN {near} ELSE -{score} END)");
    let up = format!("EXP(CASE WHEN {score} < {near} THEN {near} ELSE {score} END)");
    format!("(CASE WHEN {score} >= 0 THEN {one} / ({one} + {down}) ELSE {up} / ({one} + {up}) END)")
}

/// The probability of the class with this score among those that can be.
fn share(dialect: Dialect, own: &str, all: &[(&str, &str)]) -> String {
    let [one, far, near] = [1.0, FAR, -FAR].map(|value| dialect.number(value));
    let parts: Vec<String> = all
        .iter()
        .map(|(other, _)| {
            // What is so far ahead leaves nothing for this class, and what is so far behind
            // takes nothing from it.
            format!(
                "EXP(CASE WHEN {other} - {own} > {far} THEN {far} \
                 WHEN {other} - {own} < {near} THEN {near} ELSE {other} - {own} END)"
            )
        })
        .collect();
    format!("({one} / ({}))", parts.join(" + "))
}

/// The class with the largest score, the first among equals.
fn largest(dialect: Dialect, all: &[(&str, &str)]) -> String {
    let mut text = "(CASE".to_owned();
    for (own, class) in all {
        let others = all.iter().filter(|(other, _)| other != own);
        let behind: Vec<String> = others.map(|(other, _)| format!("{own} >= {other}")).collect();
        let condition =
            if behind.is_empty() { format!("{own} IS NOT NULL") } else { behind.join(" AND ") };
        let _ = write!(text, " WHEN {condition} THEN {}", dialect.quoted(class));
    }
    text + " END)"
}
