//! What is checked on the decoded file: sets of operators, constants, and that nothing lies outside
//! of the file.

use std::collections::HashMap;

use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::{ModelProto, NodeProto, TensorProto};

use super::limits::at_most;
use super::operators::{MACHINE_LEARNING, STANDARD, remedy};
use super::{Error, Limits};

/// The domain of the operators for classical models.
pub(super) const ML: &str = "ai.onnx.ml";

/// Checks the whole file and returns the version of the standard operators.
pub(super) fn file(model: &ModelProto, limits: &Limits) -> Result<i64, Error> {
    let graph = model.graph.as_ref().ok_or(Error::NotOnnx { why: "it holds no graph".into() })?;
    let mut opset = 0;
    for import in &model.opset_import {
        if is_standard(&import.domain) {
            opset = import.version;
        }
    }
    let (oldest, newest) = limits.opset;
    if !(oldest..=newest).contains(&opset) {
        return Err(Error::Refused {
            what: "operator set",
            name: opset.to_string(),
            hint: "convert with `target_opset=18`",
        });
    }
    let mut n_bytes = 0;
    let mut n_compared = 0_u64;
    let mut alike: HashMap<(i32, &[i64]), u64> = HashMap::new();
    let attributes = graph.node.iter().flat_map(|node| &node.attribute);
    let inner = attributes.flat_map(|attribute| attribute.t.iter().chain(&attribute.tensors));
    for tensor in graph.initializer.iter().chain(inner) {
        at_most("axes of a constant", tensor.dims.len(), limits.n_axes)?;
        let n_own_bytes = constant(tensor)?;
        n_bytes += n_own_bytes;
        at_most("bytes of constants", n_bytes, limits.n_constant_bytes)?;
        // The runtime compares each with all before it, to keep one of those that are equal.
        let n_before = alike.entry((tensor.data_type, &tensor.dims)).or_default();
        n_compared = n_compared.saturating_add(n_before.saturating_mul(n_own_bytes));
        at_most("bytes of constants to compare", n_compared, limits.n_compared_bytes)?;
        *n_before += 1;
    }
    for node in &graph.node {
        let domain = node.domain.as_str();
        if !is_standard(domain) && domain != ML {
            return Err(Error::Refused {
                what: "operators of the domain",
                name: domain.to_owned(),
                hint: "export with standard operators only",
            });
        }
        if node.attribute.iter().any(|attribute| !attribute.ref_attr_name.is_empty()) {
            return Err(Error::Graph { why: format!("node `{}` is of a function", called(node)) });
        }
    }
    Ok(opset)
}

/// Attributes that tell a length for each axis, or name axes.
const LENGTHS: &[&str] =
    &["axes", "dilations", "ends", "kernel_shape", "pads", "perm", "starts", "strides"];

/// The largest length of a window, a step or a margin.
const LONGEST: u64 = 1 << 31;

/// The largest area that a window covers.
const WIDEST: u64 = 1 << 20;

/// Checks that each of the nodes can be run.
pub(super) fn operators(nodes: &[NodeProto], limits: &Limits) -> Result<(), Error> {
    for node in nodes {
        let is_ml = node.domain == ML;
        let known = if is_ml { MACHINE_LEARNING } else { STANDARD };
        if !known.contains(&node.op_type.as_str()) {
            let (why, hint) = remedy(&node.op_type);
            return Err(refused(node, why.to_owned(), hint));
        }
        for equation in node.attribute.iter().filter(|a| a.name == "equation") {
            at_most("letters in an equation", equation.s.len(), limits.n_name_bytes)?;
        }
        for attribute in node.attribute.iter().filter(|a| LENGTHS.contains(&a.name.as_str())) {
            let lengths = || attribute.ints.iter().map(|length| length.unsigned_abs());
            at_most("lengths in an attribute", lengths().count(), 2 * limits.n_axes)?;
            if attribute.name == "kernel_shape" {
                let area = lengths().fold(1, u64::saturating_mul);
                at_most("places in a window", area, WIDEST)?;
            }
            // The largest number there is stands for the end of an axis.
            if !matches!(attribute.name.as_str(), "starts" | "ends") {
                at_most("places in a step or a margin", lengths().max().unwrap_or(0), LONGEST)?;
            }
        }
    }
    Ok(())
}

/// The error that refuses a node.
pub(super) fn refused(node: &NodeProto, why: String, hint: &'static str) -> Error {
    let operator = if is_standard(&node.domain) {
        node.op_type.clone()
    } else {
        format!("{}.{}", node.domain, node.op_type)
    };
    Error::Operator { operator, node: called(node), why, hint }
}

/// The name of a node, or of what it makes.
pub(super) fn called(node: &NodeProto) -> String {
    let made = node.output.iter().find(|name| !name.is_empty()).cloned().unwrap_or_default();
    if node.name.is_empty() { made } else { node.name.clone() }
}

fn is_standard(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

/// How many elements a shape has, if that can be counted.
pub(super) fn n_elements(dims: &[i64]) -> Option<u64> {
    dims.iter().try_fold(1_u64, |product, dim| product.checked_mul(u64::try_from(*dim).ok()?))
}

/// The bytes of a constant, after checking that shape and content agree.
fn constant(tensor: &TensorProto) -> Result<u64, Error> {
    let broken = |why: String| Error::Tensor { tensor: tensor.name.clone(), why };
    let is_outside = tensor.data_location == Some(DataLocation::External as i32);
    if is_outside || !tensor.external_data.is_empty() {
        return Err(Error::Refused {
            what: "data outside of the file in tensor",
            name: tensor.name.clone(),
            hint: "save with `onnx.save(model, path, save_as_external_data=False)`",
        });
    }
    if tensor.segment.is_some() {
        return Err(broken("it is a segment of another".into()));
    }
    let n = n_elements(&tensor.dims)
        .ok_or_else(|| broken(format!("its shape `{:?}` has no size", tensor.dims)))?;
    let datatype = DataType::try_from(tensor.data_type).unwrap_or(DataType::Undefined);
    let (width, typed) = match datatype {
        DataType::Float => (4, tensor.float_data.len()),
        DataType::Double => (8, tensor.double_data.len()),
        DataType::Int64 => (8, tensor.int64_data.len()),
        DataType::Uint64 => (8, tensor.uint64_data.len().max(tensor.int64_data.len())),
        DataType::Int32 | DataType::Uint32 => (4, tensor.int32_data.len()),
        DataType::Int16 | DataType::Uint16 | DataType::Float16 => (2, tensor.int32_data.len()),
        DataType::Int8 | DataType::Uint8 | DataType::Bool => (1, tensor.int32_data.len()),
        DataType::String => (24, tensor.string_data.len()),
        _ => return Err(broken(format!("its datatype `{}` is not supported", tensor.data_type))),
    };
    let n_bytes = n
        .checked_mul(width)
        .ok_or_else(|| broken(format!("its shape `{:?}` has no size", tensor.dims)))?;
    let raw = tensor.raw_data.len();
    if datatype == DataType::String && raw != 0 {
        return Err(broken("texts as raw bytes".into()));
    }
    if raw == 0 && typed as u64 != n {
        return Err(broken(format!(
            "its shape `{:?}` has `{n}` values, not `{typed}`",
            tensor.dims
        )));
    }
    if raw != 0 && raw as u64 != n_bytes {
        return Err(broken(format!(
            "its shape `{:?}` has `{n_bytes}` bytes, not `{raw}`",
            tensor.dims
        )));
    }
    Ok(n_bytes)
}
