//! A walk over the bytes of an ONNX file before anything is decoded: a decoder makes structs of
//! hundreds of bytes out of two, so the memory that it will take is counted first. Nesting is refused
//! here too, since a decoder recurses. Field numbers are those of `onnx.proto3`.

use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorAnnotation, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto, tensor_proto,
    tensor_shape_proto, type_proto,
};

use super::limits::at_most;
use super::{Error, Limits};

/// The messages that are walked into.
#[derive(Clone, Copy)]
enum Message {
    Model,
    OperatorSet,
    Graph,
    Node,
    Attribute,
    Tensor,
    Segment,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    Dimension,
    Annotation,
    Entry,
}

impl Message {
    /// Bytes of its struct.
    fn size(self) -> usize {
        match self {
            Self::Model => size_of::<ModelProto>(),
            Self::OperatorSet => size_of::<OperatorSetIdProto>(),
            Self::Graph => size_of::<GraphProto>(),
            Self::Node => size_of::<NodeProto>(),
            Self::Attribute => size_of::<AttributeProto>(),
            Self::Tensor => size_of::<TensorProto>(),
            Self::Segment => size_of::<tensor_proto::Segment>(),
            Self::ValueInfo => size_of::<ValueInfoProto>(),
            Self::Type => size_of::<TypeProto>(),
            Self::TensorType => size_of::<type_proto::Tensor>(),
            Self::Shape => size_of::<TensorShapeProto>(),
            Self::Dimension => size_of::<tensor_shape_proto::Dimension>(),
            Self::Annotation => size_of::<TensorAnnotation>(),
            Self::Entry => size_of::<StringStringEntryProto>(),
        }
    }
}

/// What a part with a length of its own is.
enum Part {
    Message(Message),
    /// Numbers without a length of their own, each of as many bytes.
    Fixed,
    /// Numbers of 1 to 10 bytes each.
    Varints,
    /// The content of a tensor or a text attribute, which the limit of the file bounds.
    Bytes,
    /// The name of a node, an operator, a value or a constant.
    Name,
    /// A remark, or anything that is not known.
    Text,
}

/// What a growing list takes for each of its bytes: it doubles when it is full.
const SPARE: usize = 2;

/// What an allocation takes besides its content.
const ALLOCATION: usize = 16;

/// Counts the bytes of memory that a file takes once it is decoded, and returns an upper bound.
///
/// # Errors
///
/// When the bytes are no such messages, would take too much memory, a name or text is too long,
/// there are too many nodes or constants, or functions, training, sparse tensors or graphs within nodes are
/// used.
pub(super) fn scan(bytes: &[u8], limits: &Limits) -> Result<u64, Error> {
    let mut scan = Scan { limits, n_bytes: 0, n_nodes: 0, n_constants: 0 };
    scan.walk(bytes, Message::Model)?;
    Ok(scan.n_bytes)
}

struct Scan<'a> {
    limits: &'a Limits,
    n_bytes: u64,
    n_nodes: u64,
    n_constants: u64,
}

impl Scan<'_> {
    fn walk(&mut self, mut rest: &[u8], message: Message) -> Result<(), Error> {
        while !rest.is_empty() {
            let key = varint(&mut rest)?;
            let (field, wire) = (key >> 3, key & 7);
            match wire {
                0 => {
                    varint(&mut rest)?;
                }
                1 => {
                    take(&mut rest, 8)?;
                }
                5 => {
                    take(&mut rest, 4)?;
                }
                2 => {
                    let length = varint(&mut rest)?;
                    let part = take(&mut rest, length)?;
                    self.enter(part, message, field)?;
                    continue;
                }
                _ => return Err(broken(format!("wire type `{wire}`"))),
            }
            // It may be one of a list.
            self.charge(SPARE * size_of::<i64>())?;
        }
        Ok(())
    }

    fn enter(&mut self, part: &[u8], message: Message, field: u64) -> Result<(), Error> {
        match (message, field) {
            (Message::Graph, 1) => {
                self.n_nodes += 1;
                at_most("nodes", self.n_nodes, self.limits.n_nodes)?;
            }
            (Message::Graph, 5) => {
                self.n_constants += 1;
                at_most("constants", self.n_constants, self.limits.n_nodes)?;
            }
            _ => {}
        }
        match kind(message, field)? {
            Part::Message(inner) => {
                self.charge(SPARE * inner.size())?;
                self.walk(part, inner)
            }
            Part::Fixed => self.charge(SPARE * part.len()),
            Part::Varints => {
                let n = part.iter().filter(|byte| **byte < 0x80).count();
                self.charge(SPARE * size_of::<i64>() * n)
            }
            Part::Bytes => self.charge_content(part),
            Part::Name => {
                at_most("bytes in one name", part.len(), self.limits.n_name_bytes)?;
                self.charge_content(part)
            }
            Part::Text => {
                at_most("bytes in one text", part.len(), self.limits.n_text_bytes)?;
                self.charge_content(part)
            }
        }
    }

    fn charge_content(&mut self, part: &[u8]) -> Result<(), Error> {
        self.charge(SPARE * size_of::<Vec<u8>>() + ALLOCATION + part.len())
    }

    fn charge(&mut self, n_bytes: usize) -> Result<(), Error> {
        self.n_bytes += n_bytes as u64;
        at_most("bytes once it is decoded", self.n_bytes, self.limits.n_decoded_bytes)
    }
}

/// What a part with a length of its own is, by its field number.
fn kind(message: Message, field: u64) -> Result<Part, Error> {
    use Message::{
        Annotation, Attribute, Dimension, Entry, Graph, Model, Node, OperatorSet, Segment, Shape,
        Tensor, TensorType, Type, ValueInfo,
    };
    Ok(match (message, field) {
        (Model, 7) => Part::Message(Graph),
        (Model, 8) => Part::Message(OperatorSet),
        (Model, 14) | (Tensor, 13) | (Annotation, 2) => Part::Message(Entry),
        (Model, 20) => return Err(refused("training steps", "export the model for inference")),
        (Model, 25) => {
            return Err(refused("functions of its own", "inline them with `onnx.inliner`"));
        }
        (Graph, 1) => Part::Message(Node),
        (Graph, 5) | (Attribute, 5 | 10) => Part::Message(Tensor),
        (Graph, 11..=13) => Part::Message(ValueInfo),
        (Graph, 14) => Part::Message(Annotation),
        (Graph, 15) | (Attribute, 22 | 23) => {
            return Err(refused("sparse tensors", "write them as plain ones"));
        }
        (Node, 5) => Part::Message(Attribute),
        (Attribute, 6 | 11) => {
            return Err(refused("graphs within nodes", "export without If, Loop and Scan"));
        }
        (ValueInfo, 2) | (Attribute, 15) => Part::Message(Type),
        (Type, 1) => Part::Message(TensorType),
        (TensorType, 2) => Part::Message(Shape),
        (Shape, 1) => Part::Message(Dimension),
        (Tensor, 3) => Part::Message(Segment),
        (Attribute, 7) | (Tensor, 4 | 10) => Part::Fixed,
        (Attribute, 8) | (Tensor, 1 | 5 | 7 | 11) => Part::Varints,
        (Attribute, 4) | (Tensor, 9) => Part::Bytes,
        (Node, 1..=4 | 7) | (Attribute | ValueInfo, 1) | (Tensor, 8) => Part::Name,
        _ => Part::Text,
    })
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> Result<&'a [u8], Error> {
    let length = usize::try_from(length).map_err(|_| broken(format!("length `{length}`")))?;
    let (part, after) = rest
        .split_at_checked(length)
        .ok_or_else(|| broken(format!("it ends within a part of `{length}` bytes")))?;
    *rest = after;
    Ok(part)
}

fn varint(rest: &mut &[u8]) -> Result<u64, Error> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(broken("a number of more than 64 bits".into()))
}

fn broken(why: String) -> Error {
    Error::NotOnnx { why }
}

fn refused(what: &'static str, hint: &'static str) -> Error {
    Error::Refused { what, name: "onnx".into(), hint }
}
