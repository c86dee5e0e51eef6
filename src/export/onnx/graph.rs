//! A graph as it is put together: inputs, constants and nodes, each value with a name of its own.

use std::collections::HashSet;

use prost::Message;

use super::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto,
    ValueInfoProto,
};
use super::{Exported, Port};

/// The version of the format. The comparison of texts needs operator set 19, which goes with 9.
const IR_VERSION: i64 = 9;
/// The version of the standard's operators: read by onnxruntime from 1.15 on, and by tract.
const OPSET: i64 = 19;

/// The name of a value that flows through the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value(String);

/// What a tensor holds, with the numbers of the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Elem {
    /// f32.
    Float = 1,
    /// i64.
    Long = 7,
    /// Text.
    Text = 8,
    /// f64.
    Double = 11,
}

/// The length of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dim {
    /// One for each row that is scored.
    Rows,
    /// The same for every call.
    Fixed(usize),
}

/// The values of a constant, row by row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Data<'a> {
    /// f32.
    Floats(&'a [f32]),
    /// f64.
    Doubles(&'a [f64]),
    /// i64.
    Longs(&'a [i64]),
    /// Texts.
    Texts(&'a [String]),
}

/// A setting of a node.
#[derive(Clone, Debug)]
pub(super) enum Attribute {
    /// One number.
    Float(f32),
    /// One whole number.
    Int(i64),
    /// Several whole numbers.
    Ints(Vec<i64>),
}

/// The graph so far.
#[derive(Debug, Default)]
pub(super) struct Graph {
    proto: GraphProto,
    taken: HashSet<String>,
    n_inner: usize,
}

impl Graph {
    /// An input that callers name; one that is there already is taken again.
    pub(super) fn input(&mut self, name: &str, elem: Elem, dims: &[Dim], about: &str) -> Value {
        if self.taken.insert(name.to_owned()) {
            self.proto.input.push(port(name, elem, dims, about));
        }
        Value(name.to_owned())
    }

    /// Values that are part of the model.
    pub(super) fn constant(&mut self, dims: &[usize], data: Data) -> Value {
        let name = self.name("constant");
        let mut tensor = TensorProto {
            dims: dims.iter().map(|n| *n as i64).collect(),
            name: name.clone(),
            ..TensorProto::default()
        };
        let mut raw = |elem: Elem, bytes: Vec<u8>| {
            tensor.data_type = elem as i32;
            tensor.raw_data = Some(bytes);
        };
        match data {
            Data::Floats(v) => raw(Elem::Float, v.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Data::Doubles(v) => raw(Elem::Double, v.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Data::Longs(v) => raw(Elem::Long, v.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Data::Texts(texts) => {
                tensor.data_type = Elem::Text as i32;
                tensor.string_data = texts.iter().map(|text| text.clone().into_bytes()).collect();
            }
        }
        self.proto.initializer.push(tensor);
        Value(name)
    }

    /// The value of an operator on other values.
    pub(super) fn node(&mut self, op: &str, inputs: &[&Value]) -> Value {
        self.node_with(op, inputs, &[])
    }

    /// The value of an operator that has settings.
    pub(super) fn node_with(
        &mut self,
        op: &str,
        inputs: &[&Value],
        attributes: &[(&str, Attribute)],
    ) -> Value {
        let name = self.name(&op.to_lowercase());
        self.proto.node.push(NodeProto {
            input: inputs.iter().map(|value| value.0.clone()).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: op.to_owned(),
            attribute: attributes.iter().map(|(name, value)| attribute(name, value)).collect(),
        });
        Value(name)
    }

    /// Gives a value to the caller under this name, or under one with `_` at its end where an
    /// input has taken it; returns the name.
    pub(super) fn output(&mut self, name: &str, value: &Value, elem: Elem, dims: &[Dim]) -> String {
        let mut name = name.to_owned();
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        self.proto.node.push(NodeProto {
            input: vec![value.0.clone()],
            output: vec![name.clone()],
            name: format!("/{name}"),
            op_type: "Identity".to_owned(),
            attribute: Vec::new(),
        });
        self.proto.output.push(port(&name, elem, dims, ""));
        name
    }

    /// The file, with what is known of its inputs and outputs.
    pub(super) fn finish(
        mut self,
        name: &str,
        about: &str,
        remarks: &[(&str, String)],
        notes: Vec<String>,
    ) -> Exported {
        name.clone_into(&mut self.proto.name);
        let inputs = self.proto.input.iter().map(read_port).collect();
        let outputs = self.proto.output.iter().map(read_port).collect();
        let model = ModelProto {
            ir_version: IR_VERSION,
            producer_name: env!("CARGO_PKG_NAME").to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            doc_string: about.to_owned(),
            graph: Some(self.proto),
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
            metadata_props: remarks
                .iter()
                .map(|(key, value)| StringStringEntryProto {
                    key: (*key).to_owned(),
                    value: value.clone(),
                })
                .collect(),
        };
        Exported { bytes: model.encode_to_vec(), inputs, outputs, notes }
    }

    /// A name that no other value has; the slash keeps it apart from the names of columns.
    fn name(&mut self, what: &str) -> String {
        loop {
            self.n_inner += 1;
            let name = format!("/{what}_{}", self.n_inner);
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

fn port(name: &str, elem: Elem, dims: &[Dim], about: &str) -> ValueInfoProto {
    let dim = |dim: &Dim| match dim {
        Dim::Rows => DimensionProto { dim_param: Some("N".to_owned()), dim_value: None },
        Dim::Fixed(n) => DimensionProto { dim_value: Some(*n as i64), dim_param: None },
    };
    let shape = TensorShapeProto { dim: dims.iter().map(dim).collect() };
    let tensor_type = TensorTypeProto { elem_type: elem as i32, shape: Some(shape) };
    ValueInfoProto {
        name: name.to_owned(),
        kind: Some(TypeProto { tensor_type: Some(tensor_type) }),
        doc_string: about.to_owned(),
    }
}

/// A port in the words of people.
fn read_port(port: &ValueInfoProto) -> Port {
    let tensor = port.kind.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let elem = tensor.map_or(0, |tensor| tensor.elem_type);
    let kinds = [(Elem::Float, "f32"), (Elem::Long, "i64"), (Elem::Text, "text")];
    let known = kinds.iter().find(|(kind, _)| *kind as i32 == elem);
    let dims = tensor.and_then(|tensor| tensor.shape.as_ref()).map_or(&[][..], |shape| &shape.dim);
    Port {
        name: port.name.clone(),
        holds: known.map_or("f64", |(_, word)| word),
        width: dims.iter().filter_map(|dim| dim.dim_value).map(|n| n as usize).product(),
    }
}

fn attribute(name: &str, value: &Attribute) -> AttributeProto {
    // The numbers that the standard gives the kinds of attributes.
    const FLOAT: i32 = 1;
    const INT: i32 = 2;
    const INTS: i32 = 7;
    let mut proto = AttributeProto { name: name.to_owned(), ..AttributeProto::default() };
    match value {
        Attribute::Float(f) => (proto.f, proto.kind) = (Some(*f), FLOAT),
        Attribute::Int(i) => (proto.i, proto.kind) = (Some(*i), INT),
        Attribute::Ints(ints) => (proto.ints, proto.kind) = (ints.clone(), INTS),
    }
    proto
}
