//! A walk over the bytes of an ONNX file before anything is decoded: a decoder makes structs of two
//! bytes each, so the parts are counted first. Nesting is refused here too, since a decoder
//! recurses. Field numbers are those of `onnx.proto3`.

use super::limits::at_most;
use super::{Error, Limits};

/// The messages that are walked into.
#[derive(Clone, Copy)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Other,
}

/// Counts the parts of a file.
///
/// # Errors
///
/// When the bytes are no such messages, there are too many parts, a text is too long, or functions,
/// training, sparse tensors or graphs within nodes are used.
pub(super) fn scan(bytes: &[u8], limits: &Limits) -> Result<(), Error> {
    let mut n_parts = 0;
    walk(bytes, Message::Model, limits, &mut n_parts)
}

fn walk(
    mut rest: &[u8],
    message: Message,
    limits: &Limits,
    n_parts: &mut u64,
) -> Result<(), Error> {
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
                *n_parts += 1;
                at_most("parts", *n_parts, limits.n_parts)?;
                enter(part, message, field, limits, n_parts)?;
            }
            _ => return Err(broken(format!("wire type `{wire}`"))),
        }
    }
    Ok(())
}

/// What a part with a length of its own is, by its field number.
fn enter(
    part: &[u8],
    message: Message,
    field: u64,
    limits: &Limits,
    n_parts: &mut u64,
) -> Result<(), Error> {
    use Message::{Attribute, Graph, Model, Node, Other, Tensor};
    let inner = match (message, field) {
        (Model, 7) => Graph,
        (Model, 20) => return Err(refused("training steps", "export the model for inference")),
        (Model, 25) => {
            return Err(refused("functions of its own", "inline them with `onnx.inliner`"));
        }
        (Graph, 1) => Node,
        (Graph, 5) | (Attribute, 5 | 10) => Tensor,
        (Graph, 15) | (Attribute, 22 | 23) => {
            return Err(refused("sparse tensors", "write them as plain ones"));
        }
        (Node, 5) => Attribute,
        (Attribute, 6 | 11) => {
            return Err(refused("graphs within nodes", "export without If, Loop and Scan"));
        }
        (Model, 8 | 14) | (Graph, 11..=14) => Other,
        // Numbers and the bytes of constants, which the limit of the file bounds.
        (Attribute, 4 | 7 | 8) | (Tensor, 1 | 4..=7 | 9..=11) => return Ok(()),
        _ => return at_most("bytes in one text", part.len(), limits.n_text_bytes),
    };
    walk(part, inner, limits, n_parts)
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
