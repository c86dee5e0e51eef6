//! A fitted recipe as nodes: from the columns of a table to the matrix that a predictor takes.

use super::graph::{Attribute, Data, Dim, Elem, Graph, Value};
use crate::export::{Error, Refusal};
use crate::features::{Encoding, FittedRecipe, Input, Output, Source, Unseen};

/// One column of values for each row.
const COLUMN: &[Dim] = &[Dim::Rows, Dim::Fixed(1)];

/// What of a recipe has no counterpart among the standard operators; every column is named.
pub(super) fn check(recipe: &FittedRecipe) -> Result<(), Error> {
    let mut refusals: Vec<Refusal> = Vec::new();
    for input in &recipe.inputs {
        let has_parts = recipe.outputs.iter().any(|output| {
            output.column == input.name
                && matches!(output.source, Source::Month { .. } | Source::Weekday { .. })
        });
        let reason = match input.encoding {
            Encoding::Date if has_parts => "the month or weekday of a date",
            Encoding::Levels if recipe.recipe.unseen == Unseen::Error => {
                "a graph cannot refuse a row for a level that training never saw"
            }
            _ => continue,
        };
        refusals.push(Refusal { column: input.name.clone(), reason: reason.to_owned() });
    }
    if refusals.is_empty() { Ok(()) } else { Err(Error::Recipe { refusals }) }
}

/// What a person should know of the inputs.
pub(super) fn notes(recipe: &FittedRecipe) -> Vec<String> {
    let has = |encoding: Encoding| recipe.inputs.iter().any(|input| input.encoding == encoding);
    let mut notes = Vec::new();
    if has(Encoding::Levels) {
        notes.push(
            "categories are inputs of text, written as karat shows them; an empty text is missing"
                .to_owned(),
        );
    }
    if has(Encoding::Date) {
        notes.push("dates are inputs of days since 1970-01-01".to_owned());
    }
    notes
}

/// Adds one named input for each column and returns the matrix (rows, columns) in f64.
pub(super) fn matrix(graph: &mut Graph, recipe: &FittedRecipe) -> Result<Value, Error> {
    check(recipe)?;
    let mut parts = Vec::new();
    for outputs in recipe.outputs.chunk_by(|a, b| a.column == b.column) {
        let Some(input) = recipe.inputs.iter().find(|input| input.name == outputs[0].column) else {
            continue;
        };
        match input.encoding {
            Encoding::Number | Encoding::Date => numbers(graph, input, outputs, &mut parts),
            Encoding::Levels => parts.push(levels(graph, recipe, input, outputs)),
        }
    }
    let matrix = if let [only] = parts.as_slice() {
        only.clone()
    } else {
        let all: Vec<&Value> = parts.iter().collect();
        graph.node_with("Concat", &all, &[("axis", Attribute::Int(1))])
    };
    Ok(scaled(graph, matrix, &recipe.outputs))
}

/// The named input of a column.
fn column(graph: &mut Graph, input: &Input) -> Value {
    let (elem, about) = match input.encoding {
        Encoding::Number => (Elem::Double, "a number; NaN where missing"),
        Encoding::Date => (Elem::Double, "days since 1970-01-01; NaN where missing"),
        Encoding::Levels => (Elem::Text, "one of several texts; empty where missing"),
    };
    graph.input(&input.name, elem, COLUMN, about)
}

fn scalar(graph: &mut Graph, value: f64) -> Value {
    graph.constant(&[1, 1], Data::Doubles(&[value]))
}

/// The same values in f64.
pub(super) fn as_doubles(graph: &mut Graph, value: &Value) -> Value {
    graph.node_with("Cast", &[value], &[("to", Attribute::Int(Elem::Double as i64))])
}

/// Columns that look at a number: filled where missing, cut at both ends, or 1 where missing.
fn numbers(graph: &mut Graph, input: &Input, outputs: &[Output], parts: &mut Vec<Value>) {
    let raw = column(graph, input);
    // tract knows NaN among f32 only; the cast keeps it.
    let single = graph.node_with("Cast", &[&raw], &[("to", Attribute::Int(Elem::Float as i64))]);
    let mut missing = graph.node("IsNaN", &[&single]);
    for code in input.special.iter().filter_map(|code| code.parse::<f64>().ok()) {
        let code = scalar(graph, code);
        let is_code = graph.node("Equal", &[&raw, &code]);
        missing = graph.node("Or", &[&missing, &is_code]);
    }
    for output in outputs {
        parts.push(match output.source {
            Source::Number { fill, low, high } => {
                let fill = scalar(graph, fill);
                let mut known = raw.clone();
                for (op, bound) in [("Max", low), ("Min", high)] {
                    if let Some(bound) = bound {
                        let bound = scalar(graph, bound);
                        known = graph.node(op, &[&known, &bound]);
                    }
                }
                graph.node("Where", &[&missing, &fill, &known])
            }
            // Parts of dates were refused, and numbers have no levels.
            Source::Missing
            | Source::Level { .. }
            | Source::Month { .. }
            | Source::Weekday { .. } => as_doubles(graph, &missing),
        });
    }
}

/// Columns that are 1 at a level: the text is compared with every text that is known, and a matrix
/// of 0 and 1 says to which column each of them belongs.
///
/// A column that takes what was never seen begins at 1 and loses it to every text that belongs
/// elsewhere.
fn levels(graph: &mut Graph, recipe: &FittedRecipe, input: &Input, outputs: &[Output]) -> Value {
    let raw = column(graph, input);
    let groups = recipe.groups(input);
    let mut texts = Vec::new();
    let mut goes = Vec::new();
    for level in &input.levels {
        texts.push(level.name.clone());
        goes.push(groups.of_level(level));
    }
    for missing in std::iter::once("").chain(input.special.iter().map(String::as_str)) {
        texts.push(missing.to_owned());
        goes.push(groups.missing);
    }
    let name = |group: Option<u32>| group.map(|group| groups.names[group as usize].as_str());
    let flag = |is: bool| if is { 1.0 } else { 0.0 };
    let mut belongs = vec![0.0; texts.len() * outputs.len()];
    let mut start = vec![0.0; outputs.len()];
    for (place, output) in outputs.iter().enumerate() {
        let Source::Level { level } = &output.source else { continue };
        start[place] = flag(name(groups.unseen) == Some(level.as_str()));
        for (text, goes) in goes.iter().enumerate() {
            let is_here = flag(name(*goes) == Some(level.as_str()));
            belongs[text * outputs.len() + place] = is_here - start[place];
        }
    }
    let n_texts = texts.len();
    let texts = graph.constant(&[1, n_texts], Data::Texts(&texts));
    let equal = graph.node("Equal", &[&raw, &texts]);
    let equal = as_doubles(graph, &equal);
    let belongs = graph.constant(&[n_texts, outputs.len()], Data::Doubles(&belongs));
    let flags = graph.node("MatMul", &[&equal, &belongs]);
    if start.iter().all(|start| *start == 0.0) {
        return flags;
    }
    let start = graph.constant(&[1, outputs.len()], Data::Doubles(&start));
    graph.node("Add", &[&flags, &start])
}

/// `(raw - offset) / scale`, where any column has an offset or a scale.
fn scaled(graph: &mut Graph, mut matrix: Value, outputs: &[Output]) -> Value {
    let offsets: Vec<f64> = outputs.iter().map(|output| output.offset).collect();
    let scales: Vec<f64> = outputs.iter().map(|output| output.scale).collect();
    for (op, values, idle) in [("Sub", offsets, 0.0), ("Div", scales, 1.0)] {
        if values.iter().any(|value| *value != idle) {
            let values = graph.constant(&[1, values.len()], Data::Doubles(&values));
            matrix = graph.node(op, &[&matrix, &values]);
        }
    }
    matrix
}
