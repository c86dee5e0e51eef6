//! Operators of `ai.onnx.ml` in terms of standard ones, as their definitions say. The runtime lacks
//! most of them.

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

use super::check::{ML, refused};
use super::{Error, Limits, trees};

/// Writes every node of `ai.onnx.ml` that the runtime lacks in terms of standard operators.
pub(super) fn rewrite(graph: &mut GraphProto, opset: i64, limits: &Limits) -> Result<(), Error> {
    let mut writer = Writer { opset, ..Writer::default() };
    for node in std::mem::take(&mut graph.node) {
        if node.domain != ML {
            writer.nodes.push(node);
            continue;
        }
        match node.op_type.as_str() {
            "Scaler" => scaler(&mut writer, &node)?,
            "Imputer" => imputer(&mut writer, &node)?,
            "Binarizer" => binarizer(&mut writer, &node)?,
            "OneHotEncoder" => one_hot(&mut writer, &node)?,
            "FeatureVectorizer" => vectorizer(&mut writer, &node)?,
            "LinearRegressor" => linear_regressor(&mut writer, &node)?,
            "LinearClassifier" => linear_classifier(&mut writer, &node)?,
            "TreeEnsembleRegressor" => trees::regressor(&mut writer, &node, limits)?,
            "TreeEnsembleClassifier" => trees::classifier(&mut writer, &node, limits)?,
            _ => writer.nodes.push(node),
        }
    }
    graph.node = writer.nodes;
    graph.initializer.append(&mut writer.constants);
    Ok(())
}

/// What the nodes of `ai.onnx.ml` become.
#[derive(Default)]
pub(super) struct Writer {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
    opset: i64,
}

impl Writer {
    fn name(&self) -> String {
        format!("karat.{}.{}", self.nodes.len(), self.constants.len())
    }

    pub(super) fn floats(&mut self, dims: &[usize], values: &[f32]) -> String {
        let name = self.name();
        let dims = dims.iter().map(|dim| *dim as i64).collect();
        let float_data = values.to_vec();
        let data_type = DataType::Float as i32;
        let tensor = TensorProto { name: name.clone(), dims, data_type, float_data, ..TensorProto::default() };
        self.constants.push(tensor);
        name
    }

    pub(super) fn ints(&mut self, values: &[i64]) -> String {
        let name = self.name();
        let dims = vec![values.len() as i64];
        let int64_data = values.to_vec();
        let data_type = DataType::Int64 as i32;
        let tensor = TensorProto { name: name.clone(), dims, data_type, int64_data, ..TensorProto::default() };
        self.constants.push(tensor);
        name
    }

    pub(super) fn push(&mut self, node: NodeProto) {
        self.nodes.push(node);
    }

    /// Adds a node and returns the value it makes.
    pub(super) fn node(&mut self, op: &str, input: &[&str], attributes: &[(&str, i64)]) -> String {
        let name = self.name();
        let attribute = attributes.iter().map(|(name, i)| AttributeProto {
            name: (*name).to_owned(),
            r#type: AttributeType::Int as i32,
            i: *i,
            ..AttributeProto::default()
        });
        self.nodes.push(NodeProto {
            name: name.clone(),
            op_type: op.to_owned(),
            input: input.iter().map(|name| (*name).to_owned()).collect(),
            output: vec![name.clone()],
            attribute: attribute.collect(),
            ..NodeProto::default()
        });
        name
    }

    /// The first input of a node as real numbers of single precision.
    pub(super) fn source(&mut self, node: &NodeProto) -> Result<String, Error> {
        let [source] = node.input.as_slice() else {
            return Err(refused(node, "it takes one input".into(), HINT));
        };
        Ok(self.to_float(source))
    }

    fn to_float(&mut self, value: &str) -> String {
        self.node("Cast", &[value], &[("to", DataType::Float as i64)])
    }

    /// Lets the n-th output of a node be `value`.
    pub(super) fn give(&mut self, node: &NodeProto, n: usize, value: &str) {
        if let Some(output) = node.output.get(n).filter(|output| !output.is_empty()) {
            self.nodes.push(NodeProto {
                name: format!("karat.give.{output}"),
                op_type: "Identity".into(),
                input: vec![value.to_owned()],
                output: vec![output.clone()],
                ..NodeProto::default()
            });
        }
    }

    /// Gives the scores (rows, classes) of a classifier as its second output, and the index of the
    /// largest as its first, which nothing but a label can come from.
    pub(super) fn give_scores(&mut self, node: &NodeProto, scores: &str) {
        let label = self.node("ArgMax", &[scores], &[("axis", 1), ("keepdims", 0)]);
        self.give(node, 0, &label);
        self.give(node, 1, scores);
    }

    /// What `post_transform` makes of scores (rows, classes).
    pub(super) fn transformed(&mut self, node: &NodeProto, scores: &str) -> Result<String, Error> {
        match text(node, "post_transform").as_str() {
            "" | "NONE" => Ok(scores.to_owned()),
            "LOGISTIC" => Ok(self.node("Sigmoid", &[scores], &[])),
            "SOFTMAX" => Ok(self.node("Softmax", &[scores], &[("axis", 1)])),
            other => Err(refused(node, format!("post_transform `{other}`"), HINT)),
        }
    }

    /// Two columns from one: `1 - value` and `value`.
    pub(super) fn with_complement(&mut self, value: &str) -> String {
        let one = self.floats(&[1, 1], &[1.0]);
        let complement = self.node("Sub", &[&one, value], &[]);
        self.node("Concat", &[&complement, value], &[("axis", 1)])
    }

    /// Two columns from one: `-value` and `value`.
    pub(super) fn with_negative(&mut self, value: &str) -> String {
        let negative = self.node("Neg", &[value], &[]);
        self.node("Concat", &[&negative, value], &[("axis", 1)])
    }
}

/// What helps against most of what is refused here.
pub(super) const HINT: &str = "convert with plain operators, or rebuild the model as a network";

fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

pub(super) fn floats<'a>(node: &'a NodeProto, name: &str) -> &'a [f32] {
    attribute(node, name).map_or(&[], |attribute| &attribute.floats)
}

pub(super) fn ints<'a>(node: &'a NodeProto, name: &str) -> &'a [i64] {
    attribute(node, name).map_or(&[], |attribute| &attribute.ints)
}

pub(super) fn int(node: &NodeProto, name: &str) -> Option<i64> {
    attribute(node, name).map(|attribute| attribute.i)
}

pub(super) fn texts<'a>(node: &'a NodeProto, name: &str) -> &'a [Vec<u8>] {
    attribute(node, name).map_or(&[], |attribute| &attribute.strings)
}

pub(super) fn text(node: &NodeProto, name: &str) -> String {
    let bytes = attribute(node, name).map_or(&[][..], |attribute| &attribute.s);
    String::from_utf8_lossy(bytes).into_owned()
}

pub(super) fn has(node: &NodeProto, name: &str) -> bool {
    attribute(node, name).is_some()
}

/// `(x - offset) * scale`.
fn scaler(writer: &mut Writer, node: &NodeProto) -> Result<(), Error> {
    let mut x = writer.source(node)?;
    for (name, operator) in [("offset", "Sub"), ("scale", "Mul")] {
        let values = floats(node, name);
        if !values.is_empty() {
            let values = writer.floats(&[values.len()], values);
            x = writer.node(operator, &[&x, &values], &[]);
        }
    }
    writer.give(node, 0, &x);
    Ok(())
}

/// Another value where there is the one to be replaced, which is mostly NaN.
fn imputer(writer: &mut Writer, node: &NodeProto) -> Result<(), Error> {
    let values = floats(node, "imputed_value_floats");
    if values.is_empty() {
        return Err(refused(node, "it imputes whole numbers".into(), "convert with float inputs"));
    }
    let x = writer.source(node)?;
    let replaced = attribute(node, "replaced_value_float").map_or(0.0, |attribute| attribute.f);
    let is_replaced = if replaced.is_nan() {
        writer.node("IsNaN", &[&x], &[])
    } else {
        let replaced = writer.floats(&[1], &[replaced]);
        writer.node("Equal", &[&x, &replaced], &[])
    };
    let values = writer.floats(&[values.len()], values);
    let filled = writer.node("Where", &[&is_replaced, &values, &x], &[]);
    writer.give(node, 0, &filled);
    Ok(())
}

/// One above the threshold, else zero.
fn binarizer(writer: &mut Writer, node: &NodeProto) -> Result<(), Error> {
    let x = writer.source(node)?;
    let threshold = attribute(node, "threshold").map_or(0.0, |attribute| attribute.f);
    let threshold = writer.floats(&[1], &[threshold]);
    let is_above = writer.node("Greater", &[&x, &threshold], &[]);
    let number = writer.to_float(&is_above);
    writer.give(node, 0, &number);
    Ok(())
}

/// A last axis with one for each category; an unknown one gives zeros, also where the standard
/// would have it fail.
fn one_hot(writer: &mut Writer, node: &NodeProto) -> Result<(), Error> {
    let categories = ints(node, "cats_int64s").to_vec();
    if categories.is_empty() {
        let hint = "convert the model without its text columns";
        return Err(refused(node, "it looks up texts".into(), hint));
    }
    let x = writer.source(node)?;
    let x = writer.node("Cast", &[&x], &[("to", DataType::Int64 as i64)]);
    let open = if writer.opset < 13 {
        let open = writer.node("Unsqueeze", &[&x], &[]);
        let axes = AttributeProto {
            name: "axes".into(),
            r#type: AttributeType::Ints as i32,
            ints: vec![-1],
            ..AttributeProto::default()
        };
        writer.nodes.last_mut().expect("one was just added").attribute.push(axes);
        open
    } else {
        let axis = writer.ints(&[-1]);
        writer.node("Unsqueeze", &[&x, &axis], &[])
    };
    let categories = writer.ints(&categories);
    let is_equal = writer.node("Equal", &[&open, &categories], &[]);
    let number = writer.to_float(&is_equal);
    writer.give(node, 0, &number);
    Ok(())
}

/// All inputs side by side.
fn vectorizer(writer: &mut Writer, node: &NodeProto) -> Result<(), Error> {
    if node.input.is_empty() {
        return Err(refused(node, "it takes nothing".into(), HINT));
    }
    let inputs: Vec<String> = node.input.iter().map(|input| writer.to_float(input)).collect();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let matrix = writer.node("Concat", &inputs, &[("axis", 1)]);
    writer.give(node, 0, &matrix);
    Ok(())
}

/// The matrix product with coefficients (outputs, columns), plus the intercepts.
fn scores(writer: &mut Writer, node: &NodeProto, n_outputs: usize) -> Result<String, Error> {
    let (coefficients, intercepts) = (floats(node, "coefficients"), floats(node, "intercepts"));
    if n_outputs == 0 || coefficients.is_empty() || coefficients.len() % n_outputs != 0 {
        let why = format!("`{}` coefficients for `{n_outputs}` outputs", coefficients.len());
        return Err(refused(node, why, HINT));
    }
    if !intercepts.is_empty() && intercepts.len() != n_outputs {
        let why = format!("`{}` intercepts for `{n_outputs}` outputs", intercepts.len());
        return Err(refused(node, why, HINT));
    }
    let n_columns = coefficients.len() / n_outputs;
    let transposed: Vec<f32> = (0..coefficients.len())
        .map(|idx| coefficients[idx % n_outputs * n_columns + idx / n_outputs])
        .collect();
    let x = writer.source(node)?;
    let weights = writer.floats(&[n_columns, n_outputs], &transposed);
    let product = writer.node("MatMul", &[&x, &weights], &[]);
    if intercepts.is_empty() {
        return Ok(product);
    }
    let intercepts = writer.floats(&[1, n_outputs], intercepts);
    Ok(writer.node("Add", &[&product, &intercepts], &[]))
}

fn linear_regressor(writer: &mut Writer, node: &NodeProto) -> Result<(), Error> {
    let n_targets = int(node, "targets").unwrap_or(1).try_into().unwrap_or(0);
    let scores = scores(writer, node, n_targets)?;
    let scores = writer.transformed(node, &scores)?;
    writer.give(node, 0, &scores);
    Ok(())
}

fn linear_classifier(writer: &mut Writer, node: &NodeProto) -> Result<(), Error> {
    let n_labels = n_labels(node, "classlabels_ints");
    let n_rows = match floats(node, "intercepts").len() {
        0 => n_labels,
        n_intercepts => n_intercepts,
    };
    let scores = scores(writer, node, n_rows)?;
    let scores = if n_rows == 1 && n_labels == 2 {
        match text(node, "post_transform").as_str() {
            "" | "NONE" => writer.with_complement(&scores),
            "LOGISTIC" => {
                let share = writer.node("Sigmoid", &[&scores], &[]);
                writer.with_complement(&share)
            }
            other => return Err(refused(node, format!("post_transform `{other}` of one score"), HINT)),
        }
    } else {
        writer.transformed(node, &scores)?
    };
    writer.give_scores(node, &scores);
    Ok(())
}

/// How many classes a classifier names.
pub(super) fn n_labels(node: &NodeProto, ints_name: &str) -> usize {
    ints(node, ints_name).len().max(texts(node, "classlabels_strings").len())
}
