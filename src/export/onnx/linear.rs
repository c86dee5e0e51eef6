//! A linear predictor as nodes.

use super::graph::{Data, Graph, Value};
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
