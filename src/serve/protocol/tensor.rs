//! One input as it came: its name, its type, its shape, and its values.

use std::borrow::Cow;

use bytes::Bytes;

use super::datatype::Datatype;
use super::refusal::{Refusal, shown};

/// One input of an inference request; values and shape agree.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// What the caller calls it.
    pub name: String,
    /// The type of the elements.
    pub datatype: Datatype,
    /// The length of every dimension, outermost first.
    pub shape: Vec<u64>,
    /// The elements, in row-major order.
    pub values: Values,
    /// Where `data` held `null`, rising. There the values are NaN, 0, false or empty.
    pub nulls: Vec<usize>,
}

/// The elements of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// The bytes of the request itself, little-endian, not copied; their length is checked.
    Binary(Bytes),
    /// Of every numeric type but the two below; FP32 is rounded as its binary form would be.
    Numbers(Vec<f64>),
    /// Of INT64.
    Signed(Vec<i64>),
    /// Of UINT64.
    Unsigned(Vec<u64>),
    /// Of BOOL.
    Bools(Vec<bool>),
    /// Of BYTES.
    Texts(Vec<Box<str>>),
}

impl Tensor {
    /// How many elements there are.
    pub fn n_elements(&self) -> usize {
        match &self.values {
            Values::Binary(bytes) => match self.datatype.width() {
                Some(width) => bytes.len() / width,
                None => Elements(bytes).count(),
            },
            Values::Numbers(values) => values.len(),
            Values::Signed(values) => values.len(),
            Values::Unsigned(values) => values.len(),
            Values::Bools(values) => values.len(),
            Values::Texts(values) => values.len(),
        }
    }

    /// Whether an element was `null`: whether that means "missing" is for the model to say.
    pub fn has_null(&self) -> bool {
        !self.nulls.is_empty()
    }

    /// The elements as numbers: BOOL as 0 and 1, `null` as NaN. BYTES is refused.
    ///
    /// # Errors
    /// 400 if the elements are texts.
    pub fn numbers(&self) -> Result<Cow<'_, [f64]>, Refusal> {
        if let Values::Numbers(values) = &self.values {
            return Ok(Cow::Borrowed(values));
        }
        let mut numbers = Vec::new();
        self.numbers_into(&mut numbers)?;
        Ok(Cow::Owned(numbers))
    }

    /// Appends the elements as numbers, as [`Tensor::numbers`] gives them.
    pub fn numbers_into(&self, into: &mut Vec<f64>) -> Result<(), Refusal> {
        let start = into.len();
        match &self.values {
            Values::Binary(bytes) if self.datatype.decode(bytes, into) => {}
            Values::Binary(_) | Values::Texts(_) => {
                let name = shown(&self.name);
                return Err(Refusal::bad_request(format!("input `{name}` has to be numeric")));
            }
            Values::Numbers(values) => into.extend_from_slice(values),
            Values::Signed(values) => into.extend(values.iter().map(|v| *v as f64)),
            Values::Unsigned(values) => into.extend(values.iter().map(|v| *v as f64)),
            Values::Bools(values) => into.extend(values.iter().map(|v| f64::from(u8::from(*v)))),
        }
        for i in &self.nulls {
            into[start + i] = f64::NAN;
        }
        Ok(())
    }

    /// The elements of a BYTES tensor as texts; `null` is empty.
    ///
    /// # Errors
    /// 400 if the elements are not texts, or not UTF-8.
    pub fn texts(&self) -> Result<Vec<&str>, Refusal> {
        let name = || shown(&self.name);
        match &self.values {
            Values::Texts(texts) => Ok(texts.iter().map(|text| &**text).collect()),
            Values::Binary(bytes) if self.datatype == Datatype::Bytes => Elements(bytes)
                .enumerate()
                .map(|(i, element)| {
                    std::str::from_utf8(element).map_err(|_| {
                        Refusal::bad_request(format!("input `{}`[{i}] is not UTF-8", name()))
                    })
                })
                .collect(),
            _ => Err(Refusal::bad_request(format!("input `{}` has to be BYTES", name()))),
        }
    }

    /// A tensor of the request's own bytes, once their length is what type and shape say.
    pub(super) fn binary(
        name: String,
        datatype: Datatype,
        shape: Vec<u64>,
        n_elements: usize,
        bytes: Bytes,
    ) -> Result<Self, Refusal> {
        let refuse =
            |what: String| Err(Refusal::bad_request(format!("input `{}` {what}", shown(&name))));
        match datatype.width() {
            Some(width) => {
                if n_elements.checked_mul(width) != Some(bytes.len()) {
                    let (got, kind) = (bytes.len(), datatype.name());
                    return refuse(format!(
                        "has {got} bytes, its shape has {n_elements} elements of {kind}"
                    ));
                }
            }
            None => match whole_elements(&bytes) {
                None => return refuse("ends within an element".to_owned()),
                Some(n) if n != n_elements => {
                    return refuse(format!("has {n} elements, its shape has {n_elements}"));
                }
                Some(_) => {}
            },
        }
        Ok(Self { name, datatype, shape, values: Values::Binary(bytes), nulls: Vec::new() })
    }
}

/// The elements of a binary BYTES tensor: each says its length in four bytes.
struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let (element, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        self.0 = rest;
        Some(element)
    }
}

/// How many elements a binary BYTES tensor has; `None` if the last one is cut off.
fn whole_elements(bytes: &[u8]) -> Option<usize> {
    let mut elements = Elements(bytes);
    let n = elements.by_ref().count();
    elements.0.is_empty().then_some(n)
}
