//! What a network looks at as nodes: columns of a table become one scaled row of cells.

use super::graph::{Attribute, Data, Dim, Elem, Graph, Value};

/// One cell of the input: `(value - offset) / scale`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cell<'a> {
    /// The column it is read from.
    pub(super) column: &'a str,
    /// Codes that count as missing.
    pub(super) codes: Vec<f64>,
    /// What replaces a missing value, unscaled.
    pub(super) fill: f64,
    /// Taken off the value.
    pub(super) offset: f64,
    /// Divides what is left.
    pub(super) scale: f64,
}

/// All cells side by side, (rows, cells) in f32, from one named input for each column.
pub(super) fn scaled(graph: &mut Graph, cells: &[Cell]) -> Value {
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

/// A matrix of the recipe in the precision of networks.
pub(super) fn cast(graph: &mut Graph, value: &Value) -> Value {
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
