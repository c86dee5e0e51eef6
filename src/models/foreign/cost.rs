//! What a graph costs to run, counted before its constants are computed and before it is run: the
//! memory of its tensors, and the products that it sums up, since they are what takes time.

use tract_onnx::pb::GraphProto;
use tract_onnx::prelude::{TDim, TractResult, TypedFact, TypedModel, TypedNode};
use tract_onnx::tract_core::ops::cnn::{Conv, MaxPool, PoolSpec, SumPool};
use tract_onnx::tract_core::ops::gru_seq::GruSeq;
use tract_onnx::tract_core::ops::konst::Const;
use tract_onnx::tract_core::ops::scan::{Scan, iteration_count};

use super::limits::Tensors;
use super::rewrite::ints;
use super::{Error, Limits};

/// Bytes of a constant that the runtime keeps once it has computed it from smaller ones; a larger
/// one it computes again whenever it has replaced another node.
const KEPT_BYTES: u64 = 4 << 20;

/// Fails when a tensor is too large, or all of them are together.
pub(super) fn check_tensors(model: &TypedModel, limits: &Limits) -> Result<(), Error> {
    let mut tensors = Tensors::new(limits);
    for node in model.nodes() {
        for outlet in &node.outputs {
            tensors.add(n_elements(&outlet.fact), outlet.fact.datum_type.size_of())?;
        }
        if let Some(scan) = node.op_as::<Scan>() {
            check_tensors(&scan.body, limits)?;
        }
        tensors.add_bytes(n_unrolled(model, node).saturating_mul(4))?;
    }
    Ok(())
}

/// The multiply-adds of a run and of preparing it, about right where there are many and else an
/// upper bound.
pub(super) fn n_multiply_adds(model: &TypedModel) -> TractResult<u64> {
    let mut sum = 0_u64;
    let mut repeated = 0_u64;
    let mut n_constant = 0_u64;
    let mut is_constant = vec![false; model.nodes().len()];
    for node in model.nodes() {
        let n = of_node(model, node)?;
        sum = sum.saturating_add(n);
        let is_known = |input: usize| is_constant.get(input).is_some_and(|known| *known);
        let from_constants =
            !node.inputs.is_empty() && node.inputs.iter().all(|i| is_known(i.node));
        if from_constants {
            n_constant += 1;
            let n_bytes = |fact: &TypedFact| {
                n_elements(fact).saturating_mul(fact.datum_type.size_of() as u64)
            };
            if node.outputs.iter().any(|outlet| KEPT_BYTES < n_bytes(&outlet.fact)) {
                repeated = repeated.saturating_add(n);
            }
        }
        if let Some(known) = is_constant.get_mut(node.id) {
            *known = from_constants || node.op_is::<Const>();
        }
    }
    Ok(sum.saturating_add(repeated.saturating_mul(n_constant)))
}

/// The most nodes of trees that a row can pass in a graph.
pub(super) fn n_tree_nodes(graph: &GraphProto) -> u64 {
    let trees = graph.node.iter().filter(|node| node.op_type.starts_with("TreeEnsemble"));
    trees.map(|node| ints(node, "nodes_nodeids").len() as u64).sum()
}

fn of_node(model: &TypedModel, node: &TypedNode) -> TractResult<u64> {
    let (inputs, outputs) = model.node_facts(node.id)?;
    let n = |facts: &[&TypedFact]| {
        facts.iter().fold(0_u64, |sum, fact| sum.saturating_add(n_elements(fact)))
    };
    let (n_in, n_out) = (n(&inputs), n(&outputs));
    let mut told = 0_u64;
    for (cost, n) in node.op.cost(&inputs)? {
        if cost.is_compute() {
            told = told.saturating_add(count(&n));
        }
    }
    // What the runtime tells no cost of.
    let inner = if let Some(pool) = node.op_as::<MaxPool>() {
        n_out.saturating_mul(of_kernel(&pool.pool_spec))
    } else if let Some(pool) = node.op_as::<SumPool>() {
        n_out.saturating_mul(of_kernel(&pool.pool_spec))
    } else if let Some(scan) = node.op_as::<Scan>() {
        let n_steps = iteration_count(&scan.input_mapping, &inputs);
        n_steps.as_ref().map_or(u64::MAX, count).saturating_mul(n_multiply_adds(&scan.body)?)
    } else if node.op_is::<GruSeq>() {
        // Each step of each row passes through all weights, which are inputs as well.
        let n_steps = inputs[0].shape.iter().take(2).map(count).fold(1, u64::saturating_mul);
        n_steps.saturating_mul(n(&inputs[1..]))
    } else if node.op.name() == "Lrn" {
        n_out.saturating_mul(inputs[0].shape.get(1).map_or(1, count))
    } else {
        0
    };
    Ok(told.saturating_add(inner).saturating_add(n_in).saturating_add(n_out))
}

fn of_kernel(pool: &PoolSpec) -> u64 {
    pool.kernel_shape.iter().fold(1, |product, length| product.saturating_mul(*length as u64))
}

/// Numbers of the matrix that a convolution of several rows is unrolled into; that of a single one
/// is not where it would be large.
fn n_unrolled(model: &TypedModel, node: &TypedNode) -> u64 {
    let Some(conv) = node.op_as::<Conv>() else { return 0 };
    let input = node.inputs.first().and_then(|input| model.outlet_fact(*input).ok());
    let (Some(input), Some(output)) = (input, node.outputs.first()) else { return 0 };
    let spec = &conv.pool_spec;
    if !spec.data_format.has_n() || input.shape.first().map(count) == Some(1) {
        return 0;
    }
    let n_points = n_elements(&output.fact) / (spec.output_channels as u64).max(1);
    let n_columns = of_kernel(spec).saturating_mul(spec.input_channels as u64);
    n_points.saturating_mul(n_columns)
}

/// How many elements a value has; the most there can be where that is not known.
fn n_elements(fact: &TypedFact) -> u64 {
    fact.shape.iter().map(count).fold(1, u64::saturating_mul)
}

/// The same for a length or a count.
fn count(n: &TDim) -> u64 {
    n.as_i64().and_then(|n| u64::try_from(n).ok()).unwrap_or(u64::MAX)
}
