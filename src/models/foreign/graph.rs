//! The part of a graph that leads to one output: which output that is, and the nodes it needs.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension;
use tract_onnx::pb::{GraphProto, NodeProto, ValueInfoProto, type_proto};

use super::check::{ML, called};
use super::{Datatype, Error, ForeignInput, ForeignOutput, Limits, limits::at_most};

/// The output that is scored, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    /// The graph's own name for it.
    pub(super) output: String,
    /// The value it is read from: its own, or what goes into the table of a `ZipMap`.
    pub(super) value: String,
    /// The names of the classes where a node tells them, in the order of the columns.
    pub(super) classes: Vec<String>,
}

/// What goes in, constants left out.
pub(super) fn inputs(graph: &GraphProto, limits: &Limits) -> Result<Vec<ForeignInput>, Error> {
    let constants: HashSet<&str> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
    let free = graph.input.iter().filter(|input| !constants.contains(input.name.as_str()));
    let mut inputs = Vec::new();
    let mut n_features = 0_usize;
    for info in free {
        let (datatype, shape) = kind(info);
        let input = ForeignInput { name: info.name.clone(), datatype, shape };
        let refuse = |why: &str, hint| {
            Err(Error::Input { input: input.name.clone(), why: why.to_owned(), hint })
        };
        match datatype {
            Datatype::F32 | Datatype::F64 | Datatype::I32 | Datatype::I64 => {}
            Datatype::Text => {
                return refuse(
                    "it takes text",
                    "convert the model after its text columns are encoded",
                );
            }
            _ => return refuse("its datatype is not supported", "convert with float inputs"),
        }
        if input.shape.is_empty() {
            return refuse("its shape is unknown", "convert with the shape (rows, columns)");
        }
        let Some(width) = input.width() else {
            return refuse(
                "only the number of rows may be open",
                "convert with a fixed number of columns",
            );
        };
        at_most("axes of an input", input.shape.len(), limits.n_axes)?;
        at_most("columns", width, limits.n_features)?;
        n_features += width;
        inputs.push(input);
    }
    at_most("columns", n_features, limits.n_features)?;
    if n_features == 0 {
        return Err(Error::Graph { why: "it has no inputs".into() });
    }
    Ok(inputs)
}

/// What comes out; a table of classes counts as text.
pub(super) fn outputs(graph: &GraphProto) -> Vec<ForeignOutput> {
    let told = |info: &ValueInfoProto| {
        let (datatype, shape) = kind(info);
        ForeignOutput { name: info.name.clone(), datatype, shape }
    };
    graph.output.iter().map(told).collect()
}

fn kind(info: &ValueInfoProto) -> (Datatype, Vec<Option<usize>>) {
    let Some(type_proto::Value::TensorType(tensor)) =
        info.r#type.as_ref().and_then(|kind| kind.value.as_ref())
    else {
        return (Datatype::Other, Vec::new());
    };
    let datatype = match DataType::try_from(tensor.elem_type) {
        Ok(DataType::Float) => Datatype::F32,
        Ok(DataType::Double) => Datatype::F64,
        Ok(DataType::Float16) => Datatype::F16,
        Ok(DataType::Int32) => Datatype::I32,
        Ok(DataType::Int64) => Datatype::I64,
        Ok(DataType::Bool) => Datatype::Bool,
        Ok(DataType::String) => Datatype::Text,
        _ => Datatype::Other,
    };
    let dims = tensor.shape.iter().flat_map(|shape| &shape.dim);
    let length = |dim: &tract_onnx::pb::tensor_shape_proto::Dimension| match dim.value {
        Some(dimension::Value::DimValue(length)) if 0 < length => usize::try_from(length).ok(),
        _ => None,
    };
    (datatype, dims.map(length).collect())
}

/// The output called `wanted`, or else the one that tells most: a table of probabilities, one that
/// is called so, any of real numbers, any of whole ones.
pub(super) fn choose(graph: &GraphProto, wanted: Option<&str>) -> Result<Chosen, Error> {
    let makers = makers(graph)?;
    let outputs = outputs(graph);
    let rank = |output: &ForeignOutput| {
        let maker = makers.get(output.name.as_str());
        if maker.is_some_and(|node| is_zipmap(node)) {
            return Some(0);
        }
        match output.datatype {
            Datatype::F16 | Datatype::F32 | Datatype::F64 => {
                Some(if output.name.to_lowercase().contains("prob") { 1 } else { 2 })
            }
            Datatype::I32 | Datatype::I64 => Some(3),
            Datatype::Bool | Datatype::Text | Datatype::Other => None,
        }
    };
    let usable = outputs.iter().filter(|output| wanted.is_none_or(|name| output.name == name));
    let best =
        usable.filter_map(|output| Some((rank(output)?, output))).min_by_key(|(rank, _)| *rank);
    let Some((_, output)) = best else {
        let names: Vec<_> = outputs.iter().map(|output| format!("`{}`", output.name)).collect();
        return Err(Error::Output {
            found: names.join(", "),
            hint: "convert with an output of numbers, such as the probabilities",
        });
    };
    let mut value = output.name.clone();
    let mut classes = Vec::new();
    // Follows the value back through nodes that keep its columns, to a node that names the classes.
    for _ in 0..16 {
        let Some(node) = makers.get(value.as_str()) else { break };
        if classes.is_empty() {
            classes = class_labels(node);
        }
        let keeps =
            is_zipmap(node) || matches!(node.op_type.as_str(), "Identity" | "Normalizer" | "Cast");
        let Some(source) = node.input.first().filter(|_| keeps) else { break };
        value.clone_from(source);
    }
    let mut value = output.name.clone();
    if let Some(node) = makers.get(value.as_str()).filter(|node| is_zipmap(node)) {
        let source = node.input.first();
        value.clone_from(source.ok_or(Error::Graph { why: "a `ZipMap` without input".into() })?);
    }
    Ok(Chosen { output: output.name.clone(), value, classes })
}

fn is_zipmap(node: &NodeProto) -> bool {
    node.domain == ML && node.op_type == "ZipMap"
}

/// The names of classes that a node of `ai.onnx.ml` carries.
fn class_labels(node: &NodeProto) -> Vec<String> {
    let labels = node.attribute.iter().filter(|a| a.name.starts_with("classlabels_"));
    let told = labels.map(|a| {
        if a.r#type == AttributeType::Strings as i32 {
            a.strings.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect()
        } else {
            a.ints.iter().map(ToString::to_string).collect()
        }
    });
    told.max_by_key(Vec::len).unwrap_or_default()
}

/// The node that makes each value; two must not make the same.
fn makers(graph: &GraphProto) -> Result<HashMap<&str, &NodeProto>, Error> {
    let mut makers = HashMap::new();
    for node in &graph.node {
        for output in node.output.iter().filter(|output| !output.is_empty()) {
            if makers.insert(output.as_str(), node).is_some() {
                return Err(Error::Graph { why: format!("two nodes make `{output}`") });
            }
        }
    }
    Ok(makers)
}

/// The graph with only what `value` needs, each node after those it needs, and `value` as its one
/// output; shapes that the file claims for values on the way are dropped.
///
/// # Errors
///
/// When a value is missing, made twice, or needs itself.
pub(super) fn part(graph: &GraphProto, value: &str) -> Result<GraphProto, Error> {
    let makers = makers(graph)?;
    let mut given: HashSet<&str> = graph.input.iter().map(|input| input.name.as_str()).collect();
    given.extend(graph.initializer.iter().map(|tensor| tensor.name.as_str()));
    let mut sorted: Vec<&NodeProto> = Vec::new();
    let mut opened: HashSet<*const NodeProto> = HashSet::new();
    let mut closed: HashSet<*const NodeProto> = HashSet::new();
    let mut used: HashSet<&str> = HashSet::new();
    let mut stack = vec![(value, false)];
    while let Some((name, is_done)) = stack.pop() {
        used.insert(name);
        if given.contains(name) {
            continue;
        }
        let Some(&node) = makers.get(name) else {
            return Err(Error::Graph { why: format!("nothing makes `{name}`") });
        };
        if is_done {
            if closed.insert(node) {
                sorted.push(node);
            }
        } else if !closed.contains(&std::ptr::from_ref(node)) {
            if !opened.insert(node) {
                return Err(Error::Graph { why: format!("node `{}` needs itself", called(node)) });
            }
            stack.push((name, true));
            let needed = node.input.iter().filter(|input| !input.is_empty());
            stack.extend(
                needed
                    .filter(|input| !is_closed(input, &makers, &closed))
                    .map(|i| (i.as_str(), false)),
            );
        }
    }
    let node = sorted.into_iter().cloned().collect();
    let input = graph.input.iter().filter(|input| used.contains(input.name.as_str()));
    let constants: HashSet<&str> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
    let initializer = graph.initializer.iter().filter(|t| used.contains(t.name.as_str()));
    Ok(GraphProto {
        node,
        name: graph.name.clone(),
        initializer: initializer.cloned().collect(),
        input: input.filter(|input| !constants.contains(input.name.as_str())).cloned().collect(),
        output: vec![ValueInfoProto { name: value.to_owned(), ..ValueInfoProto::default() }],
        ..GraphProto::default()
    })
}

fn is_closed(
    name: &str,
    makers: &HashMap<&str, &NodeProto>,
    closed: &HashSet<*const NodeProto>,
) -> bool {
    makers.get(name).is_some_and(|node| closed.contains(&std::ptr::from_ref(*node)))
}
