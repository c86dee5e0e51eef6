//! What a network looks at as nodes: columns of a table become one scaled row of cells.

use super::graph::{Attribute, Data, Dim, Elem, Graph, Value};
use super::network::Inputs;
use super::prepare;
use crate::export::{Error, Refusal};
use crate::features::sight::FittedSight;
use crate::models::Model;

/// What the network of a model looks at, from one named input for each column of the table.
pub(super) fn inputs(graph: &mut Graph, model: &Model) -> Result<Inputs, Error> {
    let Some(sight) = &model.sight else {
        let matrix = prepare::matrix(graph, &model.recipe)?;
        return Ok(Inputs { main: cast(graph, &matrix), statics: None });
    };
    if let Some(along) = &sight.layout.along {
        let reason = "windows reach to earlier rows, and a graph looks at each row by itself";
        let refusal = Refusal { column: along.time.clone(), reason: reason.to_owned() };
        return Err(Error::Recipe { refusals: vec![refusal] });
    }
    prepare::check(&model.recipe)?;
    let main = scaled(graph, &cells(sight));
    let statics = if model.recipe.outputs.is_empty() {
        None
    } else {
        let matrix = prepare::matrix(graph, &model.recipe)?;
        Some(cast(graph, &matrix))
    };
    Ok(Inputs { main, statics })
}

/// One cell of the input: `(value - offset) / scale`.
#[derive(Clone, Debug, PartialEq)]
struct Cell<'a> {
    /// The column it is read from.
    column: &'a str,
    /// Codes that count as missing.
    codes: Vec<f64>,
    /// What replaces a missing value, unscaled.
    fill: f64,
    /// Taken off the value.
    offset: f64,
    /// Divides what is left.
    scale: f64,
}

/// The cells position by position, the channels of a position side by side.
fn cells(sight: &FittedSight) -> Vec<Cell<'_>> {
    let channels = || sight.layout.channels.iter().zip(&sight.channels);
    let positions = sight.layout.height * sight.layout.width;
    let of = |position: usize| {
        channels().map(move |(channel, fitted)| {
            let column = channel.columns[position].as_str();
            let codes = sight.special.iter().filter(|(name, _)| name == column);
            let codes = codes.flat_map(|(_, codes)| codes).filter_map(|code| code.parse().ok());
            let (fill, offset, scale) = (fitted.fill, fitted.offset, fitted.scale);
            Cell { column, codes: codes.collect(), fill, offset, scale }
        })
    };
    (0..positions).flat_map(of).collect()
}

/// All cells side by side, (rows, cells) in f32, from one named input for each column.
fn scaled(graph: &mut Graph, cells: &[Cell]) -> Value {
    let columns: Vec<Value> = cells.iter().map(|cell| column(graph, cell.column)).collect();
    let columns: Vec<&Value> = columns.iter().collect();
    let raw = graph.node_with("Concat", &columns, &[("axis", Attribute::Int(1))]);
    // Infinity less itself is NaN, so that this is NaN for all that is no finite number.
    let none = graph.node("Sub", &[&raw, &raw]);
    let none = cast(graph, &none);
    let mut missing = graph.node("IsNaN", &[&none]);
    let most_codes = cells.iter().map(|cell| cell.codes.len()).max().unwrap_or(0);
    for nth in 0..most_codes {
        // NaN equals nothing.
        let codes = row(graph, cells.iter().map(|c| c.codes.get(nth).copied().unwrap_or(f64::NAN)));
        let is_code = graph.node("Equal", &[&raw, &codes]);
        missing = graph.node("Or", &[&missing, &is_code]);
    }
    let fills = row(graph, cells.iter().map(|cell| cell.fill));
    let offsets = row(graph, cells.iter().map(|cell| cell.offset));
    let scales = row(graph, cells.iter().map(|cell| cell.scale));
    let known = graph.node("Where", &[&missing, &fills, &raw]);
    let moved = graph.node("Sub", &[&known, &offsets]);
    let scaled = graph.node("Div", &[&moved, &scales]);
    cast(graph, &scaled)
}

/// The same values in the precision of networks.
fn cast(graph: &mut Graph, value: &Value) -> Value {
    graph.node_with("Cast", &[value], &[("to", Attribute::Int(Elem::Float as i64))])
}

fn column(graph: &mut Graph, name: &str) -> Value {
    let about = "a number; NaN where missing";
    graph.input(name, Elem::Double, &[Dim::Rows, Dim::Fixed(1)], about)
}

fn row(graph: &mut Graph, values: impl Iterator<Item = f64>) -> Value {
    let values: Vec<f64> = values.collect();
    graph.constant(&[1, values.len()], Data::Doubles(&values))
}
