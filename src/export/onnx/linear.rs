//! A linear predictor as nodes.

use super::graph::{Attribute, Data, Graph, Value};
use crate::models::Link;

/// The intercept and the weighted sum of the columns, (rows, 1) in f64.
pub(super) fn score(
    graph: &mut Graph,
    matrix: &Value,
    intercept: f64,
    coefficients: &[f64],
) -> Value {
    let weights = graph.constant(&[coefficients.len(), 1], Data::Doubles(coefficients));
    let sum = graph.node("MatMul", &[matrix, &weights]);
    let intercept = graph.constant(&[1, 1], Data::Doubles(&[intercept]));
    graph.node("Add", &[&sum, &intercept])
}

/// The scores of several classes, (rows, classes) in f64.
pub(super) fn scores(
    graph: &mut Graph,
    matrix: &Value,
    intercepts: &[f64],
    coefficients: &[Vec<f64>],
) -> Value {
    let n_columns = coefficients.first().map_or(0, Vec::len);
    let weights: Vec<f64> =
        (0..n_columns).flat_map(|column| coefficients.iter().map(move |own| own[column])).collect();
    let weights = graph.constant(&[n_columns, intercepts.len()], Data::Doubles(&weights));
    let sums = graph.node("MatMul", &[matrix, &weights]);
    let intercepts = graph.constant(&[1, intercepts.len()], Data::Doubles(intercepts));
    graph.node("Add", &[&sums, &intercepts])
}

/// From the scores of several classes to their probabilities, in f64; written out, since tract has
/// the operator `Softmax` for f32 alone.
pub(super) fn softmax(graph: &mut Graph, scores: &Value) -> Value {
    let axes = graph.constant(&[1], Data::Longs(&[1]));
    let keep = [("keepdims", Attribute::Int(1))];
    let most = graph.node_with("ReduceMax", &[scores, &axes], &keep);
    let below = graph.node("Sub", &[scores, &most]);
    let exponents = graph.node("Exp", &[&below]);
    let sum = graph.node_with("ReduceSum", &[&exponents, &axes], &keep);
    graph.node("Div", &[&exponents, &sum])
}

/// From the score to the prediction, in f64.
///
/// The operator `Sigmoid` would do, but tract has it for f32 alone, and the threshold is compared
/// with every digit.
pub(super) fn linked(graph: &mut Graph, score: Value, link: Link) -> Value {
    match link {
        Link::Identity => score,
        Link::Logit => {
            let minus = graph.node("Neg", &[&score]);
            let odds_against = graph.node("Exp", &[&minus]);
            let one = graph.constant(&[1, 1], Data::Doubles(&[1.0]));
            let sum = graph.node("Add", &[&odds_against, &one]);
            graph.node("Reciprocal", &[&sum])
        }
    }
}
