//! An inference request of the Open Inference Protocol v2, in JSON or with binary tensors.

use std::collections::HashSet;

use bytes::Bytes;
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::datatype::{Datatype, n_elements};
use super::infer_json::{Data, Draft, Head};
use super::limits::Limits;
use super::reading::Reading;
use super::refusal::{Refusal, shown};
use super::tensor::Tensor;

/// The header that says how many bytes of a body are JSON; the rest are tensors.
pub const HEADER_LENGTH: &str = "inference-header-content-length";

/// What somebody wants inferred.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InferRequest {
    /// The caller's id, to be sent back.
    pub id: Option<String>,
    /// The caller's parameters, but those of the binary extension.
    pub parameters: Parameters,
    /// The inputs, in the order they came; none if the request is raw.
    pub inputs: Vec<Tensor>,
    /// The outputs asked for; empty means all.
    pub outputs: Vec<RequestedOutput>,
    /// Whether outputs are sent binary unless they say otherwise.
    pub binary_output: bool,
    /// The whole body, if it is the one input of the model (a header length of 0).
    pub raw: Option<Bytes>,
}

/// An output somebody asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestedOutput {
    /// The name of the output.
    pub name: String,
    /// Whether it is to be sent binary.
    pub is_binary: bool,
    /// Its parameters, but `binary_data`.
    pub parameters: Parameters,
}

/// Flat parameters, in the order they came; in JSON an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters(pub Vec<(String, Scalar)>);

/// A value that is not nested.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Scalar {
    Bool(bool),
    Int(i64),
    Number(f64),
    Text(String),
}

impl Parameters {
    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&Scalar> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a value out.
    pub(super) fn take(&mut self, name: &str) -> Option<Scalar> {
        let at = self.0.iter().position(|(key, _)| key == name)?;
        Some(self.0.remove(at).1)
    }
}

impl Serialize for Parameters {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        let mut map = writer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl InferRequest {
    /// Whether the caller wants this output.
    pub fn wants(&self, output: &str) -> bool {
        self.outputs.is_empty() || self.outputs.iter().any(|o| o.name == output)
    }

    /// Whether the caller wants this output binary.
    pub fn wants_binary(&self, output: &str) -> bool {
        let asked = self.outputs.iter().find(|o| o.name == output);
        asked.map_or(self.binary_output, |o| o.is_binary)
    }

    /// Makes the input of a raw request, for a model with one input of that type and shape, of
    /// which one dimension may be -1. Does nothing to a request that is not raw.
    pub fn settle_raw(
        &mut self,
        name: &str,
        datatype: Datatype,
        shape: &[i64],
    ) -> Result<(), Refusal> {
        let Some(bytes) = self.raw.take() else {
            return Ok(());
        };
        let refuse = |what: &str| Err(Refusal::bad_request(format!("a raw request {what}")));
        let Some(width) = datatype.width() else {
            if shape.iter().any(|dim| *dim != 1 && *dim != -1) {
                return refuse("of BYTES is for models with one element");
            }
            let length = u32::try_from(bytes.len())
                .map_err(|_| Refusal::too_large("a raw element is longer than 4 GB"))?;
            let framed = [&length.to_le_bytes(), &bytes[..]].concat();
            let shape = vec![1; shape.len()];
            let tensor = Tensor::binary(name.to_owned(), datatype, shape, 1, framed.into())?;
            self.inputs.push(tensor);
            return Ok(());
        };
        if shape.iter().filter(|dim| **dim < 0).count() > 1 {
            return refuse("is for models with at most one variable dimension");
        }
        let fixed: Vec<u64> = shape.iter().filter_map(|dim| u64::try_from(*dim).ok()).collect();
        let per_step = n_elements(&fixed).and_then(|n| n.checked_mul(width)).unwrap_or(0);
        if per_step == 0 || !bytes.len().is_multiple_of(per_step) {
            let (got, name) = (bytes.len(), shown(name));
            return refuse(&format!("has {got} bytes, input `{name}` takes {per_step} a step"));
        }
        let steps = bytes.len() / per_step;
        let shape: Vec<u64> =
            shape.iter().map(|dim| u64::try_from(*dim).unwrap_or(steps as u64)).collect();
        let n = bytes.len() / width;
        self.inputs.push(Tensor::binary(name.to_owned(), datatype, shape, n, bytes)?);
        Ok(())
    }
}

/// Reads a request; `header_length` is the header [`HEADER_LENGTH`], if it was sent.
pub fn parse_infer(
    header_length: Option<&str>,
    body: Bytes,
    limits: &Limits,
) -> Result<InferRequest, Refusal> {
    let header = header_length.map(|text| split_at(text, body.len())).transpose()?;
    if header == Some(0) {
        return Ok(InferRequest { raw: Some(body), binary_output: true, ..Default::default() });
    }
    let split = header.unwrap_or(body.len());
    let reading = Reading::new(limits);
    let head = reading.read(&body[..split], Head { reading: &reading })?;
    let mut request = InferRequest {
        id: head.id,
        parameters: head.parameters,
        outputs: head.outputs,
        binary_output: head.binary_output,
        ..Default::default()
    };
    if head.inputs.is_empty() {
        return Err(Refusal::bad_request("`inputs` is empty"));
    }
    let mut tensors = body.slice(split..);
    let mut n_values = reading.n_elements.get();
    request.inputs.reserve(head.inputs.len());
    for draft in head.inputs {
        let tensor = settle(draft, &mut tensors, &mut n_values, limits)?;
        request.inputs.push(tensor);
    }
    if !tensors.is_empty() {
        let n = tensors.len();
        return Err(Refusal::bad_request(format!("{n} bytes follow the last input")));
    }
    unlike("input", request.inputs.iter().map(|input| input.name.as_str()))?;
    unlike("output", request.outputs.iter().map(|output| output.name.as_str()))?;
    Ok(request)
}

/// Where the JSON ends.
fn split_at(text: &str, len: usize) -> Result<usize, Refusal> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let Some(n) = text.parse::<i32>().ok().filter(|_| is_number) else {
        return Err(Refusal::bad_request(format!("`{HEADER_LENGTH}` has to be a whole number")));
    };
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    if n > len {
        let message = format!("`{HEADER_LENGTH}` is {n}, the body has {len} bytes");
        return Err(Refusal::bad_request(message));
    }
    Ok(n)
}

/// Joins an input with its values.
fn settle(
    draft: Draft,
    tensors: &mut Bytes,
    n_values: &mut usize,
    limits: &Limits,
) -> Result<Tensor, Refusal> {
    let Draft { name, datatype, shape, data } = draft;
    let refuse = |what: &str| Refusal::bad_request(format!("input `{}` {what}", shown(&name)));
    let n = n_elements(&shape).ok_or_else(|| refuse("has a shape that is too large"))?;
    match data {
        Data::Json(flat) => flat.into_tensor(name, datatype, shape, n),
        Data::Binary(size) => {
            *n_values = n_values.saturating_add(n);
            if *n_values > limits.max_elements {
                let most = limits.max_elements;
                return Err(Refusal::too_large(format!("more than {most} values")));
            }
            if size > tensors.len() {
                let lacking = size - tensors.len();
                return Err(refuse(&format!("lacks {lacking} of its {size} bytes")));
            }
            Tensor::binary(name, datatype, shape, n, tensors.split_to(size))
        }
    }
}

/// Refuses names that come twice.
fn unlike<'a>(what: &str, names: impl ExactSizeIterator<Item = &'a str>) -> Result<(), Refusal> {
    if names.len() < 2 {
        return Ok(());
    }
    let mut seen = HashSet::with_capacity(names.len());
    for name in names {
        if !seen.insert(name) {
            let name = shown(name);
            return Err(Refusal::bad_request(format!("{what} `{name}` is given twice")));
        }
    }
    Ok(())
}
