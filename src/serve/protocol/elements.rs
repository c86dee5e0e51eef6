//! The `data` of a JSON input, nested or flat, while it goes by.

use serde::de::{self, DeserializeSeed, SeqAccess, Visitor};

use super::datatype::Datatype;
use super::reading::Reading;
use super::refusal::{Refusal, shown};
use super::tensor::{Tensor, Values};

/// The doubles that are also every integer of their size end here.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// An element before the tensor's type is known.
#[derive(Clone, Debug)]
enum Element {
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Bool(bool),
    Text(Box<str>),
    Null,
}

/// The elements of one input, and how they were nested.
#[derive(Debug)]
pub(super) struct Flat {
    /// `None` while `data` stands before `datatype`: then `early` holds the elements.
    typed: Option<(Datatype, Values)>,
    early: Vec<Element>,
    nulls: Vec<usize>,
    len: usize,
    /// The length of the lists at every depth.
    dims: Vec<Option<usize>>,
    /// How deep the elements stand.
    leaf: Option<usize>,
    is_ragged: bool,
}

impl Flat {
    /// Room for the elements of a tensor whose type may be known, and about how many there are.
    pub(super) fn new(datatype: Option<Datatype>, about: usize) -> Self {
        Self {
            typed: datatype.map(|datatype| (datatype, room(datatype, about))),
            early: Vec::new(),
            nulls: Vec::new(),
            len: 0,
            dims: Vec::new(),
            leaf: None,
            is_ragged: false,
        }
    }

    /// The finished tensor, once count, nesting and shape agree.
    pub(super) fn into_tensor(
        self,
        name: String,
        datatype: Datatype,
        shape: Vec<u64>,
        n_elements: usize,
    ) -> Result<Tensor, Refusal> {
        let refuse =
            |what: String| Refusal::bad_request(format!("input `{}` {what}", shown(&name)));
        let (len, nested) = (self.len, self.dims.len() > 1);
        if len != n_elements {
            return Err(refuse(format!("has {len} elements, its shape has {n_elements}")));
        }
        let dims = self.dims.iter().map(|dim| dim.unwrap_or(0) as u64);
        if nested && (self.is_ragged || !dims.eq(shape.iter().copied().take(self.dims.len()))) {
            return Err(refuse("is not nested as its shape says".to_owned()));
        }
        if nested && n_elements > 0 && self.dims.len() != shape.len() {
            return Err(refuse("is not nested as its shape says".to_owned()));
        }
        let mut nulls = self.nulls;
        let values = if let Some((_, values)) = self.typed {
            values
        } else {
            let mut values = room(datatype, len);
            for (i, element) in self.early.into_iter().enumerate() {
                match push(datatype, &mut values, element) {
                    Ok(true) => {}
                    Ok(false) => nulls.push(i),
                    Err(fault) => return Err(refuse(format!("element {i} {fault}"))),
                }
            }
            values
        };
        Ok(Tensor { name, datatype, shape, values, nulls })
    }

    #[inline]
    fn add(&mut self, element: Element) -> Result<(), String> {
        if let Some((datatype, values)) = &mut self.typed {
            match push(*datatype, values, element) {
                Ok(true) => {}
                Ok(false) => self.nulls.push(self.len),
                Err(fault) => return Err(format!("element {} {fault}", self.len)),
            }
        } else {
            self.early.push(element);
        }
        self.len += 1;
        Ok(())
    }
}

fn room(datatype: Datatype, about: usize) -> Values {
    match datatype {
        Datatype::Bool => Values::Bools(Vec::with_capacity(about)),
        Datatype::Int64 => Values::Signed(Vec::with_capacity(about)),
        Datatype::Uint64 => Values::Unsigned(Vec::with_capacity(about)),
        Datatype::Bytes => Values::Texts(Vec::with_capacity(about)),
        _ => Values::Numbers(Vec::with_capacity(about)),
    }
}

/// Appends one element, coerced; `Ok(false)` if it is null, or what is wrong with it.
#[inline]
fn push(datatype: Datatype, values: &mut Values, element: Element) -> Result<bool, String> {
    let wrong = || Err(format!("is not a value of {}", datatype.name()));
    if let Element::Null = element {
        match values {
            Values::Numbers(values) => values.push(f64::NAN),
            Values::Signed(values) => values.push(0),
            Values::Unsigned(values) => values.push(0),
            Values::Bools(values) => values.push(false),
            Values::Texts(values) => values.push(Box::default()),
            Values::Binary(_) => return wrong(),
        }
        return Ok(false);
    }
    match (values, element) {
        (Values::Numbers(values), Element::Float(value)) if datatype == Datatype::Fp64 => {
            values.push(value);
        }
        (Values::Numbers(values), Element::Signed(value)) if datatype == Datatype::Fp64 => {
            values.push(value as f64);
        }
        (Values::Numbers(values), Element::Unsigned(value)) if datatype == Datatype::Fp64 => {
            values.push(value as f64);
        }
        (Values::Numbers(values), Element::Float(value)) if datatype == Datatype::Fp32 => {
            values.push(single(value)?);
        }
        (Values::Numbers(values), Element::Signed(value)) if datatype == Datatype::Fp32 => {
            values.push(f64::from(value as f32));
        }
        (Values::Numbers(values), Element::Unsigned(value)) if datatype == Datatype::Fp32 => {
            values.push(f64::from(value as f32));
        }
        (Values::Numbers(values), element) => values.push(whole(datatype, &element)? as f64),
        (Values::Signed(values), element) => values.push(whole(datatype, &element)? as i64),
        (Values::Unsigned(values), element) => values.push(whole(datatype, &element)? as u64),
        (Values::Bools(values), Element::Bool(value)) => values.push(value),
        (Values::Texts(values), Element::Text(value)) => values.push(value),
        _ => return wrong(),
    }
    Ok(true)
}

/// A number as FP32 holds it.
fn single(value: f64) -> Result<f64, String> {
    let rounded = value as f32;
    if rounded.is_finite() { Ok(rounded.into()) } else { Err("is out of range of FP32".to_owned()) }
}

/// An element of an integer type, within its bounds.
fn whole(datatype: Datatype, element: &Element) -> Result<i128, String> {
    let name = datatype.name();
    let Some((least, greatest)) = datatype.bounds() else {
        return Err(match datatype {
            Datatype::Fp16 | Datatype::Bf16 => format!("cannot be {name} in JSON, send it binary"),
            _ => format!("is not a value of {name}"),
        });
    };
    let value = match element {
        Element::Signed(value) => i128::from(*value),
        Element::Unsigned(value) => i128::from(*value),
        Element::Float(value) if value.fract() != 0.0 => {
            return Err(format!("has a fraction, {name} has none"));
        }
        // Beyond this, a literal such as 1e17 is refused rather than guessed at.
        Element::Float(value) if value.abs() <= EXACT => *value as i128,
        Element::Float(_) => return Err(format!("is out of range of {name}")),
        _ => return Err(format!("is not a value of {name}")),
    };
    if (least..=greatest).contains(&value) {
        Ok(value)
    } else {
        Err(format!("is out of range of {name}"))
    }
}

/// Reads a list, or an element, at some depth.
pub(super) struct Data<'a, 'b> {
    pub(super) reading: &'b Reading<'a>,
    pub(super) flat: &'b mut Flat,
    pub(super) depth: usize,
    /// Which input of the request this is, for messages.
    pub(super) input: usize,
}

impl Data<'_, '_> {
    #[inline]
    fn leaf<E: de::Error>(self, element: Element) -> Result<(), E> {
        if self.flat.leaf != Some(self.depth) {
            if self.depth == 0 {
                return Err(self.reading.bad(format!("`data` of input {} is no list", self.input)));
            }
            self.flat.is_ragged |= self.flat.leaf.is_some() || self.flat.dims.len() > self.depth;
            self.flat.leaf = Some(self.depth);
        }
        self.reading.count()?;
        let input = self.input;
        self.flat
            .add(element)
            .map_err(|fault| self.reading.bad(format!("`data` of input {input}: {fault}")))
    }
}

impl<'de> DeserializeSeed<'de> for Data<'_, '_> {
    type Value = ();

    #[inline]
    fn deserialize<D: de::Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Data<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { reading, flat, depth, input } = self;
        if depth == reading.limits.max_depth {
            let fault = format!("`data` of input {input} is nested deeper than {depth}");
            return Err(reading.bad(fault));
        }
        if flat.dims.len() == depth {
            flat.dims.push(None);
            flat.is_ragged |= flat.leaf.is_some_and(|leaf| leaf <= depth);
        }
        let mut n = 0;
        while list
            .next_element_seed(Data { reading, flat: &mut *flat, depth: depth + 1, input })?
            .is_some()
        {
            n += 1;
        }
        let dim = flat.dims[depth].get_or_insert(n);
        flat.is_ragged |= *dim != n;
        Ok(())
    }

    #[inline]
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.leaf(Element::Float(value))
    }

    #[inline]
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.leaf(Element::Unsigned(value))
    }

    #[inline]
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.leaf(Element::Signed(value))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.leaf(Element::Bool(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        self.leaf(Element::Text(value.into()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.leaf(Element::Null)
    }
}
