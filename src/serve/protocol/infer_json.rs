//! The JSON part of an inference request, read as it goes by.

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::datatype::{Datatype, n_elements};
use super::elements::{self, Flat};
use super::infer::{Parameters, RequestedOutput, Scalar};
use super::reading::{Key, Maybe, Reading};

/// What the JSON part says.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) id: Option<String>,
    pub(super) parameters: Parameters,
    pub(super) inputs: Vec<Draft>,
    pub(super) outputs: Vec<RequestedOutput>,
    pub(super) binary_output: bool,
}

/// An input whose values may still be among the bytes behind the JSON.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) datatype: Datatype,
    pub(super) shape: Vec<u64>,
    pub(super) data: Data,
}

#[derive(Debug)]
pub(super) enum Data {
    Json(Flat),
    Binary(usize),
}

/// Declares a visitor that is its own seed and reads one JSON type.
macro_rules! seed {
    ($name:ident, $deserialize:ident, $value:ty) => {
        impl<'de> DeserializeSeed<'de> for $name<'_, '_> {
            type Value = $value;

            fn deserialize<D: de::Deserializer<'de>>(self, r: D) -> Result<$value, D::Error> {
                r.$deserialize(self)
            }
        }
    };
}

/// The request's object.
pub(super) struct Head<'a, 'b> {
    pub(super) reading: &'b Reading<'a>,
}

seed!(Head, deserialize_map, Parsed);

impl<'de> Visitor<'de> for Head<'_, '_> {
    type Value = Parsed;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parsed, A::Error> {
        let reading = self.reading;
        let mut parsed = Parsed::default();
        let mut given: Vec<&str> = Vec::with_capacity(4);
        let mut choices = Vec::new();
        while let Some(key) = map.next_key_seed(Key(&["inputs", "outputs", "id", "parameters"]))? {
            let Some(key) = key else {
                Reading::skip(&mut map)?;
                continue;
            };
            reading.once(given.contains(&key), key)?;
            given.push(key);
            match key {
                "inputs" => {
                    reading.expect("`inputs`", "a list of objects");
                    parsed.inputs = map.next_value_seed(Inputs { reading })?;
                }
                "outputs" => {
                    reading.expect("`outputs`", "a list of objects");
                    choices = map.next_value_seed(Maybe(Outputs { reading }))?.unwrap_or_default();
                }
                "id" => parsed.id = reading.optional_text(&mut map, "`id`")?,
                _ => {
                    reading.expect("`parameters`", "an object of strings, numbers and booleans");
                    let own = map.next_value_seed(Maybe(Flags { reading }))?;
                    parsed.parameters = own.unwrap_or_default();
                }
            }
        }
        if !given.contains(&"inputs") {
            return Err(reading.bad("the request has no `inputs`"));
        }
        parsed.binary_output = match parsed.parameters.take("binary_data_output") {
            None => false,
            Some(Scalar::Bool(choice)) => choice,
            Some(_) => return Err(reading.bad("`binary_data_output` has to be true or false")),
        };
        let by_default = parsed.binary_output;
        parsed.outputs = choices
            .into_iter()
            .map(|(name, choice, parameters)| RequestedOutput {
                name,
                is_binary: choice.unwrap_or(by_default),
                parameters,
            })
            .collect();
        Ok(parsed)
    }
}

struct Inputs<'a, 'b> {
    reading: &'b Reading<'a>,
}

seed!(Inputs, deserialize_seq, Vec<Draft>);

impl<'de> Visitor<'de> for Inputs<'_, '_> {
    type Value = Vec<Draft>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("inputs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Draft>, A::Error> {
        let reading = self.reading;
        let mut inputs = Vec::new();
        loop {
            reading.expect("an input", "an object");
            let Some(input) = list.next_element_seed(Input { reading, input: inputs.len() })?
            else {
                return Ok(inputs);
            };
            if inputs.len() == reading.limits.max_inputs {
                return Err(reading.bad(format!("more than {} inputs", inputs.len())));
            }
            inputs.push(input);
        }
    }
}

struct Input<'a, 'b> {
    reading: &'b Reading<'a>,
    input: usize,
}

seed!(Input, deserialize_map, Draft);

impl<'de> Visitor<'de> for Input<'_, '_> {
    type Value = Draft;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an input")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Draft, A::Error> {
        const KEYS: &[&str] = &["name", "shape", "datatype", "parameters", "data"];
        let Self { reading, input } = self;
        let (mut name, mut datatype, mut flat) = (None, None, None);
        let mut shape: Option<Vec<u64>> = None;
        let mut parameters: Option<Parameters> = None;
        while let Some(key) = map.next_key_seed(Key(KEYS))? {
            match key {
                Some("name") => {
                    reading.once(name.is_some(), "name")?;
                    name = Some(reading.text(&mut map, "`name` of an input")?);
                }
                Some("shape") => {
                    reading.once(shape.is_some(), "shape")?;
                    reading.expect("`shape`", "a list of whole numbers, none below 0");
                    shape = Some(map.next_value_seed(Shape { reading })?);
                }
                Some("datatype") => {
                    reading.once(datatype.is_some(), "datatype")?;
                    let text = reading.text(&mut map, "`datatype`")?;
                    datatype = Some(Datatype::named(&text).ok_or_else(|| {
                        reading.bad(format!("`datatype` of input {input} is not a known type"))
                    })?);
                }
                Some("parameters") => {
                    reading.once(parameters.is_some(), "parameters")?;
                    reading.expect("`parameters`", "an object of strings, numbers and booleans");
                    let own = map.next_value_seed(Maybe(Flags { reading }))?;
                    parameters = Some(own.unwrap_or_default());
                }
                Some("data") => {
                    reading.once(flat.is_some(), "data")?;
                    let about = shape.as_deref().and_then(n_elements).unwrap_or(0).min(256);
                    let mut values = Flat::new(datatype, about);
                    reading.expect("`data`", "a list of values");
                    map.next_value_seed(elements::Data {
                        reading,
                        flat: &mut values,
                        depth: 0,
                        input,
                    })?;
                    flat = Some(values);
                }
                _ => Reading::skip(&mut map)?,
            }
        }
        let lacks = |field: &str| reading.bad(format!("input {input} has no `{field}`"));
        let name = name.ok_or_else(|| lacks("name"))?;
        let shape = shape.ok_or_else(|| lacks("shape"))?;
        let datatype = datatype.ok_or_else(|| lacks("datatype"))?;
        let size = match parameters.and_then(|mut p| p.take("binary_data_size")) {
            None => None,
            Some(Scalar::Int(size)) if size >= 0 => {
                Some(usize::try_from(size).unwrap_or(usize::MAX))
            }
            Some(_) => {
                let fault = format!("`binary_data_size` of input {input} has to be a whole number");
                return Err(reading.bad(fault));
            }
        };
        let data = match (flat, size) {
            (Some(flat), None) => Data::Json(flat),
            (None, Some(size)) => Data::Binary(size),
            (None, None) => return Err(lacks("data")),
            (Some(_), Some(_)) => {
                let fault = format!("input {input} has both `data` and `binary_data_size`");
                return Err(reading.bad(fault));
            }
        };
        Ok(Draft { name, datatype, shape, data })
    }
}

struct Shape<'a, 'b> {
    reading: &'b Reading<'a>,
}

seed!(Shape, deserialize_seq, Vec<u64>);

impl<'de> Visitor<'de> for Shape<'_, '_> {
    type Value = Vec<u64>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a shape")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<u64>, A::Error> {
        let mut shape = Vec::with_capacity(4);
        while let Some(dim) = list.next_element()? {
            if shape.len() == self.reading.limits.max_depth {
                return Err(self.reading.bad(format!("more than {} dimensions", shape.len())));
            }
            shape.push(dim);
        }
        Ok(shape)
    }
}

/// An output, whether it says to be binary, and what else it says.
type Choice = (String, Option<bool>, Parameters);

struct Outputs<'a, 'b> {
    reading: &'b Reading<'a>,
}

seed!(Outputs, deserialize_seq, Vec<Choice>);

impl<'de> Visitor<'de> for Outputs<'_, '_> {
    type Value = Vec<Choice>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("outputs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Choice>, A::Error> {
        let mut outputs = Vec::new();
        while let Some(output) = list.next_element_seed(Output { reading: self.reading })? {
            if outputs.len() == self.reading.limits.max_inputs {
                return Err(self.reading.bad(format!("more than {} outputs", outputs.len())));
            }
            outputs.push(output);
        }
        Ok(outputs)
    }
}

struct Output<'a, 'b> {
    reading: &'b Reading<'a>,
}

seed!(Output, deserialize_map, Choice);

impl<'de> Visitor<'de> for Output<'_, '_> {
    type Value = Choice;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an output")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Choice, A::Error> {
        let reading = self.reading;
        let mut name = None;
        let mut parameters: Option<Parameters> = None;
        while let Some(key) = map.next_key_seed(Key(&["name", "parameters"]))? {
            match key {
                Some("name") => {
                    reading.once(name.is_some(), "name")?;
                    name = Some(reading.text(&mut map, "`name` of an output")?);
                }
                Some(_) => {
                    reading.once(parameters.is_some(), "parameters")?;
                    reading.expect("`parameters`", "an object of strings, numbers and booleans");
                    let own = map.next_value_seed(Maybe(Flags { reading }))?;
                    parameters = Some(own.unwrap_or_default());
                }
                None => Reading::skip(&mut map)?,
            }
        }
        let name = name.ok_or_else(|| reading.bad("an output has no `name`"))?;
        let mut parameters = parameters.unwrap_or_default();
        let choice = match parameters.take("binary_data") {
            None => None,
            Some(Scalar::Bool(choice)) => Some(choice),
            Some(_) => return Err(reading.bad("`binary_data` has to be true or false")),
        };
        Ok((name, choice, parameters))
    }
}

/// Flat parameters.
pub(super) struct Flags<'a, 'b> {
    pub(super) reading: &'b Reading<'a>,
}

seed!(Flags, deserialize_map, Parameters);

impl<'de> Visitor<'de> for Flags<'_, '_> {
    type Value = Parameters;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parameters, A::Error> {
        let limits = self.reading.limits;
        let mut parameters = Parameters::default();
        while let Some(key) = map.next_key::<String>()? {
            if parameters.0.len() == limits.max_inputs.min(256) || key.len() > limits.max_name {
                return Err(self.reading.bad("too many `parameters`, or too long a name"));
            }
            self.reading.once(parameters.get(&key).is_some(), &key)?;
            parameters.0.push((key, map.next_value_seed(OneScalar { reading: self.reading })?));
        }
        Ok(parameters)
    }
}

struct OneScalar<'a, 'b> {
    reading: &'b Reading<'a>,
}

seed!(OneScalar, deserialize_any, Scalar);

impl Visitor<'_> for OneScalar<'_, '_> {
    type Value = Scalar;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a scalar")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
        Ok(i64::try_from(value).map_or(Scalar::Number(value as f64), Scalar::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar::Number(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Scalar, E> {
        if value.len() > self.reading.limits.max_name.saturating_mul(16) {
            return Err(self.reading.bad("a text in `parameters` is too long"));
        }
        Ok(Scalar::Text(value.to_owned()))
    }
}
