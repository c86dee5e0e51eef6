//! One row of a table explained, in the words of its columns.

use std::collections::HashMap;

use super::{Attribution, Error, Explainer, Layout, explainer, families};
use crate::data::{Table, Task};
use crate::jobs::Ctx;
use crate::models::Model;

/// What is to be explained, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The row of the source, counted from 1.
    pub row: u32,
    /// The name of a method; the surest one that fits the model when it is not given.
    pub method: Option<String>,
    /// The class whose score is explained; the predicted one of several, and the positive one of
    /// two, when it is not given.
    pub class: Option<String>,
}

/// The scale on which contributions add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// The predicted number, or the raw score of a linear model on classes.
    Value,
    /// The logarithm of the odds of the positive class.
    LogOdds,
    /// The score of one of several classes; the exponents of all are in proportion to the
    /// probabilities.
    ClassScore,
}

impl Space {
    /// The word for it on screen and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::LogOdds => "log_odds",
            Self::ClassScore => "class_score",
        }
    }
}

/// What one column of the table adds to the score.
#[derive(Clone, Debug, PartialEq)]
pub struct Attributed {
    /// The column.
    pub feature: String,
    /// What the row has there, as a person reads it; `None` where it is missing.
    pub text: Option<String>,
    /// The same as a number, where it is one.
    pub number: Option<f64>,
    /// What it adds: of all columns of the matrix that come from it.
    pub contribution: f64,
}

/// A row explained.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The row of the source, counted from 1.
    pub row: u32,
    /// How it was explained.
    pub method: &'static Explainer,
    /// The scale of base, score and contributions.
    pub space: Space,
    /// The class whose score it is, of a classifier.
    pub class: Option<String>,
    /// The score without any contribution.
    pub base: f64,
    /// The score of the row.
    pub score: f64,
    /// What base and contributions leave of the score; 0 but for rounding where the method is
    /// complete.
    pub remainder: f64,
    /// One for each column of the table that the model uses, in the order of the recipe.
    pub attributions: Vec<Attributed>,
    /// How the inputs of the model lie, for a drawing.
    pub layout: Layout,
    /// The inputs as the model sees them, in the order of the layout.
    pub inputs: Vec<f64>,
    /// The contribution of each of them.
    pub contributions: Vec<f64>,
}

/// Explains one row.
///
/// # Errors
///
/// When there is no such row or method, the method does not fit the model, or the table lacks
/// columns.
pub fn explain(
    model: &Model,
    table: &Table,
    request: &Request,
    ctx: &Ctx,
) -> Result<Explanation, Error> {
    let no_row = Error::NoRow { row: request.row, n_rows: table.n_rows() };
    let Some(Some(position)) = table.positions_of(&[request.row]).first().copied() else {
        return Err(no_row);
    };
    let inputs = families::inputs(model, table, position, ctx)?;
    let own = table.take(&[position])?;
    let told = |name: &str| -> Result<Told, Error> {
        let number = if own.is_numeric(name) { own.numbers(name)?.first().copied() } else { None };
        let number = number.filter(|number| number.is_finite());
        Ok(Told { text: own.text(0, name), number })
    };
    explain_inputs(model, inputs, request, &told, ctx)
}

/// Explains what the model sees of one row: its tensor, then its row of the matrix. `told` gives
/// what the row has in a column.
///
/// # Errors
///
/// When there is no such method, or it does not fit the model.
pub fn explain_inputs(
    model: &Model,
    inputs: Vec<f64>,
    request: &Request,
    told: &dyn Fn(&str) -> Result<Told, Error>,
    ctx: &Ctx,
) -> Result<Explanation, Error> {
    let class = match &request.class {
        Some(name) => asked_class(model, name)?,
        None if model.task == Task::Multiclass => families::best_class(model, &inputs),
        None => model.classes.len().saturating_sub(1),
    };
    let subject = families::subject(model, class)?;
    let method = match &request.method {
        Some(name) => explainer(name)?,
        None => families::usual(model)?,
    };
    let Attribution { base, score, contributions } = (method.explain)(&*subject, &inputs, ctx)?;
    let remainder = score - base - contributions.iter().sum::<f64>();
    Ok(Explanation {
        row: request.row,
        method,
        space: families::space(model),
        class: model.classes.get(class).cloned(),
        base,
        score,
        remainder,
        attributions: by_column(model, &inputs, &contributions, told)?,
        layout: subject.layout(),
        inputs,
        contributions,
    })
}

/// The place of a class that has a score of its own.
fn asked_class(model: &Model, name: &str) -> Result<usize, Error> {
    // Of two classes only the positive one has a score.
    let known = match model.task {
        Task::Binary => &model.classes[model.classes.len().saturating_sub(1)..],
        Task::Multiclass | Task::Regression => &model.classes[..],
    };
    let first = model.classes.len() - known.len();
    known.iter().position(|class| class == name).map(|at| first + at).ok_or_else(|| {
        let known = known.iter().map(|class| format!("`{class}`")).collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { "none".to_owned() } else { known };
        Error::NoClass { class: name.to_owned(), known }
    })
}

/// Contributions to what the model sees, summed by the column of the table they come from, in the
/// order in which the model sees them. A step of a window that lies before the row has a name of
/// its own.
fn by_column(
    model: &Model,
    inputs: &[f64],
    contributions: &[f64],
    in_table: &dyn Fn(&str) -> Result<Told, Error>,
) -> Result<Vec<Attributed>, Error> {
    let mut attributed: Vec<Attributed> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut add =
        |feature: String, value: &dyn Fn(&str) -> Result<Told, Error>, contribution: f64| {
            if let Some(place) = places.get(&feature) {
                attributed[*place].contribution += contribution;
                return Ok(());
            }
            let Told { text, number } = value(&feature)?;
            places.insert(feature.clone(), attributed.len());
            attributed.push(Attributed { feature, text, number, contribution });
            Ok::<(), Error>(())
        };
    let mut seen = 0;
    if let Some(sight) = &model.sight {
        let [height, width, n_channels] = sight.shape();
        seen = height * width * n_channels;
        for (place, contribution) in contributions[..seen].iter().enumerate() {
            let at = [place / n_channels / width, place / n_channels % width, place % n_channels];
            let in_window = |_: &str| -> Result<Told, Error> {
                let number = sight.unscaled(at[2], inputs[place] as f32);
                // As many digits as the network sees.
                Ok(Told { text: Some((number as f32).to_string()), number: Some(number) })
            };
            let is_window = sight.layout.along.is_some();
            let value: &dyn Fn(&str) -> Result<Told, Error> =
                if is_window { &in_window } else { in_table };
            add(sight.name(at), value, *contribution)?;
        }
    }
    for (output, contribution) in model.recipe.outputs.iter().zip(&contributions[seen..]) {
        add(output.column.clone(), in_table, *contribution)?;
    }
    Ok(attributed)
}

/// What a row has in a column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// As a person reads it; `None` where it is missing.
    pub text: Option<String>,
    /// As a number, where it is one.
    pub number: Option<f64>,
}
