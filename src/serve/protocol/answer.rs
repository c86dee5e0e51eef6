//! The answer to an inference request, in JSON or with binary tensors.

use bytes::Bytes;
use serde::Serialize;

use super::datatype::{Datatype, n_elements};
use super::infer::Parameters;
use super::refusal::Refusal;

/// What is sent back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InferResponse {
    /// The model that answered.
    pub model_name: String,
    /// The version that answered.
    pub model_version: Option<String>,
    /// The caller's id, or one of our own: clients require it.
    pub id: String,
    /// What else there is to say, flat.
    pub parameters: Parameters,
    /// The outputs, in order.
    pub outputs: Vec<OutTensor>,
}

/// One output.
#[derive(Clone, Debug, PartialEq)]
pub struct OutTensor {
    /// What it is called.
    pub name: String,
    /// The length of every dimension.
    pub shape: Vec<u64>,
    /// The elements, in row-major order; they decide the datatype.
    pub values: OutValues,
    /// Whether it travels behind the JSON.
    pub is_binary: bool,
    /// What else there is to say of it.
    pub parameters: Parameters,
}

/// The elements of an output.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are those of the datatypes")]
pub enum OutValues {
    Fp64(Vec<f64>),
    Fp32(Vec<f32>),
    Int64(Vec<i64>),
    Int32(Vec<i32>),
    Bool(Vec<bool>),
    Bytes(Vec<String>),
}

/// An answer ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The header [`HEADER_LENGTH`](super::HEADER_LENGTH), if tensors follow the JSON.
    pub header_length: Option<usize>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The content type: a client only decodes JSON when it is exactly this.
    pub fn content_type(&self) -> &'static str {
        if self.header_length.is_some() { "application/octet-stream" } else { "application/json" }
    }
}

impl OutValues {
    /// The datatype to be told.
    pub fn datatype(&self) -> Datatype {
        match self {
            Self::Fp64(_) => Datatype::Fp64,
            Self::Fp32(_) => Datatype::Fp32,
            Self::Int64(_) => Datatype::Int64,
            Self::Int32(_) => Datatype::Int32,
            Self::Bool(_) => Datatype::Bool,
            Self::Bytes(_) => Datatype::Bytes,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Fp64(values) => values.len(),
            Self::Fp32(values) => values.len(),
            Self::Int64(values) => values.len(),
            Self::Int32(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::Bytes(values) => values.len(),
        }
    }

    fn first_not_finite(&self) -> Option<usize> {
        match self {
            Self::Fp64(values) => values.iter().position(|v| !v.is_finite()),
            Self::Fp32(values) => values.iter().position(|v| !v.is_finite()),
            _ => None,
        }
    }

    fn json(&self, into: &mut Vec<u8>) {
        match self {
            Self::Fp64(values) => json(into, values),
            Self::Fp32(values) => json(into, values),
            Self::Int64(values) => json(into, values),
            Self::Int32(values) => json(into, values),
            Self::Bool(values) => json(into, values),
            Self::Bytes(values) => json(into, values),
        }
    }

    fn binary(&self, into: &mut Vec<u8>) {
        match self {
            Self::Fp64(values) => into.extend(values.iter().flat_map(|v| v.to_le_bytes())),
            Self::Fp32(values) => into.extend(values.iter().flat_map(|v| v.to_le_bytes())),
            Self::Int64(values) => into.extend(values.iter().flat_map(|v| v.to_le_bytes())),
            Self::Int32(values) => into.extend(values.iter().flat_map(|v| v.to_le_bytes())),
            Self::Bool(values) => into.extend(values.iter().map(|v| u8::from(*v))),
            Self::Bytes(values) => {
                for text in values {
                    into.extend((text.len() as u32).to_le_bytes());
                    into.extend(text.as_bytes());
                }
            }
        }
    }
}

impl InferResponse {
    /// The bytes to send.
    ///
    /// # Errors
    /// 422 if an output that travels as JSON is not finite: JSON has no word for it, and a `null`
    /// would pass for a value. Binary outputs may be anything.
    pub fn write(&self) -> Result<Answer, Refusal> {
        let values: usize = self.outputs.iter().map(|output| output.values.len()).sum();
        let mut body = Vec::with_capacity(256 + values * 12);
        let mut tensors = Vec::new();
        body.extend(b"{\"model_name\":");
        json(&mut body, &self.model_name);
        if let Some(version) = &self.model_version {
            body.extend(b",\"model_version\":");
            json(&mut body, version);
        }
        body.extend(b",\"id\":");
        json(&mut body, &self.id);
        if !self.parameters.is_empty() {
            body.extend(b",\"parameters\":");
            json(&mut body, &self.parameters);
        }
        body.extend(b",\"outputs\":[");
        for (i, output) in self.outputs.iter().enumerate() {
            if i > 0 {
                body.push(b',');
            }
            output.write(&mut body, &mut tensors)?;
        }
        body.extend(b"]}");
        let any_binary = self.outputs.iter().any(|output| output.is_binary);
        let header_length = any_binary.then_some(body.len());
        body.append(&mut tensors);
        Ok(Answer { header_length, body: body.into() })
    }
}

impl OutTensor {
    fn write(&self, body: &mut Vec<u8>, tensors: &mut Vec<u8>) -> Result<(), Refusal> {
        let Self { name, shape, values, .. } = self;
        if n_elements(shape) != Some(values.len()) {
            let n = values.len();
            return Err(Refusal::internal(format!(
                "output `{name}` has {n} values, not its shape"
            )));
        }
        body.extend(b"{\"name\":");
        json(body, name);
        body.extend(b",\"shape\":");
        json(body, shape);
        body.extend(b",\"datatype\":\"");
        body.extend(values.datatype().name().as_bytes());
        body.push(b'"');
        if self.is_binary {
            let start = tensors.len();
            values.binary(tensors);
            let mut parameters = self.parameters.clone();
            parameters.take("binary_data_size");
            let size = super::infer::Scalar::Int((tensors.len() - start) as i64);
            parameters.0.push(("binary_data_size".to_owned(), size));
            body.extend(b",\"parameters\":");
            json(body, &parameters);
        } else {
            if let Some(at) = values.first_not_finite() {
                return Err(Refusal::unprocessable(format!("output {name}[{at}] is not finite")));
            }
            if !self.parameters.is_empty() {
                body.extend(b",\"parameters\":");
                json(body, &self.parameters);
            }
            body.extend(b",\"data\":");
            values.json(body);
        }
        body.push(b'}');
        Ok(())
    }
}

fn json<T: Serialize + ?Sized>(into: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(into, value).expect("lists of scalars are always JSON");
}
