//! How large constants may become. The runtime computes what depends on no input while it prepares a
//! model, so a file of a few bytes could ask for more memory than there is; bounds of the sizes are
//! computed first.

use std::collections::HashMap;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use super::check::{n_elements, refused};
use super::limits::at_most;
use super::{Error, Limits};

/// What is known of a value that depends on no input.
#[derive(Clone, Copy)]
struct Bound {
    /// Most elements.
    n: u64,
    /// The largest element and the product of all, each at least 1, of whole numbers.
    numbers: Option<(u64, u64)>,
}

/// Fails when a value that depends on no input may have more elements than allowed.
///
/// `longest` is the longest axis of any input.
pub(super) fn check(graph: &GraphProto, longest: u64, limits: &Limits) -> Result<(), Error> {
    let named = graph.initializer.iter().map(|tensor| (tensor.name.as_str(), of_constant(tensor)));
    let mut bounds: HashMap<&str, Bound> = named.collect();
    for node in &graph.node {
        let known = of_node(node, &bounds, longest, limits)?;
        if let Some(bound) = known {
            at_most("elements of a constant", bound.n, limits.n_elements)?;
            bounds.extend(node.output.iter().map(|output| (output.as_str(), bound)));
        }
    }
    Ok(())
}

fn of_constant(tensor: &TensorProto) -> Bound {
    let n = n_elements(&tensor.dims).unwrap_or(u64::MAX);
    if tensor.data_type != DataType::Int64 as i32 || 64 < n {
        return Bound { n, numbers: None };
    }
    let raw = tensor.raw_data.chunks_exact(8);
    let raw = raw.map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap_or_default()));
    Bound { n, numbers: Some(of_numbers(raw.chain(tensor.int64_data.iter().copied()))) }
}

fn of_numbers(numbers: impl Iterator<Item = i64>) -> (u64, u64) {
    numbers.fold((1, 1_u64), |(largest, product), number| {
        let number = number.unsigned_abs().max(1);
        (largest.max(number), product.saturating_mul(number))
    })
}

/// The bound of what a node makes, nothing where it depends on an input.
fn of_node(
    node: &NodeProto,
    bounds: &HashMap<&str, Bound>,
    longest: u64,
    limits: &Limits,
) -> Result<Option<Bound>, Error> {
    let operator = node.op_type.as_str();
    if operator == "Constant" {
        let tensor = node.attribute.iter().find_map(|attribute| attribute.t.as_ref());
        let ints = node.attribute.iter().find(|attribute| !attribute.ints.is_empty());
        return Ok(Some(match (tensor, ints) {
            (Some(tensor), _) => of_constant(tensor),
            (None, Some(ints)) => Bound {
                n: ints.ints.len() as u64,
                numbers: Some(of_numbers(ints.ints.iter().copied())),
            },
            (None, None) => {
                let n = node.attribute.iter().map(|attribute| attribute.floats.len()).max();
                let single = node.attribute.first().map_or(0, |attribute| attribute.i);
                let numbers = Some(of_numbers([single].into_iter()));
                Bound { n: n.unwrap_or(0).max(1) as u64, numbers }
            }
        }));
    }
    if operator == "Shape" {
        return Ok(Some(Bound { n: 8, numbers: Some((longest, limits.n_elements)) }));
    }
    let inputs = node.input.iter().filter(|input| !input.is_empty());
    let Some(inputs) =
        inputs.map(|input| bounds.get(input.as_str()).copied()).collect::<Option<Vec<Bound>>>()
    else {
        return Ok(None);
    };
    let product = |bounds: &[Bound]| {
        bounds.iter().fold(1_u64, |product, bound| product.saturating_mul(bound.n.max(1)))
    };
    let bound = match operator {
        "Identity" | "Cast" | "Squeeze" | "Unsqueeze" | "Reshape" | "Slice" | "Flatten" => {
            Bound { n: inputs.first().map_or(1, |bound| bound.n), ..inputs.first().copied().unwrap_or(ONE) }
        }
        "Concat" => Bound {
            n: inputs.iter().fold(0, |sum, bound| sum.saturating_add(bound.n)),
            numbers: inputs.iter().try_fold((1, 1_u64), |(largest, product), bound| {
                let (own, own_product) = bound.numbers?;
                Some((largest.max(own), product.saturating_mul(own_product)))
            }),
        },
        "Gather" => Bound {
            n: product(&inputs),
            numbers: inputs.first().and_then(|bound| bound.numbers).and_then(|(largest, _)| {
                let n = inputs.get(1)?.n.min(64);
                Some((largest, (0..n).fold(1, |product: u64, _| product.saturating_mul(largest))))
            }),
        },
        "ConstantOfShape" | "Expand" | "Tile" | "Pad" => {
            let shape = if operator == "ConstantOfShape" { inputs.first() } else { inputs.get(1) };
            let Some((largest, factor)) = shape.and_then(|bound| bound.numbers) else {
                let hint = "export with fixed shapes, or simplify the file with `onnxsim`";
                return Err(refused(node, "its shape is computed".into(), hint));
            };
            let factor = if operator == "Pad" {
                let n = shape.map_or(0, |bound| bound.n.min(64));
                (0..n).fold(1, |product: u64, _| product.saturating_mul(largest + 1))
            } else {
                factor
            };
            let n = if operator == "ConstantOfShape" { 1 } else { inputs[0].n.max(1) };
            Bound { n: n.saturating_mul(factor), numbers: None }
        }
        _ => Bound { n: product(&inputs), numbers: None },
    };
    Ok(Some(bound))
}

/// A single unknown number.
const ONE: Bound = Bound { n: 1, numbers: None };
