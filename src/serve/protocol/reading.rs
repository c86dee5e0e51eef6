//! Reading JSON without a tree: what the visitors share while a body goes by.

use std::cell::{Cell, RefCell};

use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, Visitor};

use super::limits::Limits;
use super::refusal::{Refusal, shown};

/// Where the reader stands, what it hopes for, and the refusal it found.
///
/// Messages of serde hold the value that was wrong; they are never passed on. A visitor leaves
/// its own refusal here, or says beforehand which field it reads and what that has to be.
pub(super) struct Reading<'a> {
    pub(super) limits: &'a Limits,
    /// Values read up to here, in all inputs together.
    pub(super) n_elements: Cell<usize>,
    field: Cell<&'static str>,
    wanted: Cell<&'static str>,
    refusal: RefCell<Option<Refusal>>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            n_elements: Cell::new(0),
            field: Cell::new("the body"),
            wanted: Cell::new("a JSON object"),
            refusal: RefCell::new(None),
        }
    }

    /// Says what is read next: should its type be wrong, the refusal will tell this.
    pub(super) fn expect(&self, field: &'static str, wanted: &'static str) {
        self.field.set(field);
        self.wanted.set(wanted);
    }

    /// Stops the reading with a refusal.
    pub(super) fn stop<E: de::Error>(&self, refusal: Refusal) -> E {
        *self.refusal.borrow_mut() = Some(refusal);
        E::custom("refused")
    }

    /// Stops the reading with 400.
    pub(super) fn bad<E: de::Error>(&self, message: impl Into<String>) -> E {
        self.stop(Refusal::bad_request(message))
    }

    /// Counts one more value, up to the limit.
    #[inline]
    pub(super) fn count<E: de::Error>(&self) -> Result<(), E> {
        let n = self.n_elements.get() + 1;
        if n > self.limits.max_elements {
            let most = self.limits.max_elements;
            return Err(self.stop(Refusal::too_large(format!("more than {most} values"))));
        }
        self.n_elements.set(n);
        Ok(())
    }

    /// Reads the whole body with a seed.
    pub(super) fn read<'de, S: DeserializeSeed<'de>>(
        &self,
        body: &'de [u8],
        seed: S,
    ) -> Result<S::Value, Refusal> {
        read_json(body, seed).map_err(|error| self.refuse(&error))
    }

    fn refuse(&self, error: &serde_json::Error) -> Refusal {
        if let Some(refusal) = self.refusal.borrow_mut().take() {
            return refusal;
        }
        let (line, column) = (error.line(), error.column());
        Refusal::bad_request(if error.is_data() {
            let (field, wanted) = (self.field.get(), self.wanted.get());
            format!("{field} has to be {wanted}, at line {line} column {column}")
        } else if error.is_eof() {
            "the body ends before its JSON does".to_owned()
        } else {
            format!("the body is not valid JSON at line {line} column {column}")
        })
    }

    /// The next value as text of a bounded length.
    pub(super) fn text<'de, A: MapAccess<'de>>(
        &self,
        map: &mut A,
        field: &'static str,
    ) -> Result<String, A::Error> {
        self.expect(field, "a string");
        let text: String = map.next_value()?;
        self.bounded(text, field)
    }

    /// The next value as text of a bounded length, unless it is `null`.
    pub(super) fn optional_text<'de, A: MapAccess<'de>>(
        &self,
        map: &mut A,
        field: &'static str,
    ) -> Result<Option<String>, A::Error> {
        self.expect(field, "a string");
        let text: Option<String> = map.next_value()?;
        text.map(|text| self.bounded(text, field)).transpose()
    }

    fn bounded<E: de::Error>(&self, text: String, field: &str) -> Result<String, E> {
        if text.len() > self.limits.max_name {
            let most = self.limits.max_name;
            return Err(self.bad(format!("{field} is longer than {most} bytes")));
        }
        Ok(text)
    }

    /// Refuses a field that was given before.
    pub(super) fn once<E: de::Error>(&self, is_given: bool, field: &str) -> Result<(), E> {
        if is_given { Err(self.bad(format!("`{}` is given twice", shown(field)))) } else { Ok(()) }
    }

    /// Passes over a value nobody asked for.
    pub(super) fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
        map.next_value::<IgnoredAny>().map(drop)
    }
}

/// Reads a text with a seed; nothing may follow.
///
/// Every number becomes the float nearest to what is written: `serde_json` is built to do so, since
/// a score must not depend on the way a row came in. What is asked for is nested 128 deep at most,
/// and whatever nobody asks for is passed over without recursion.
///
/// # Errors
///
/// When it is no JSON, or the seed wants something else. The message may hold what was sent.
pub fn read_json<'de, S: DeserializeSeed<'de>>(
    text: &'de [u8],
    seed: S,
) -> Result<S::Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = seed.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// A value that may be `null`, which stands for none.
pub(super) struct Maybe<S>(pub(super) S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Maybe<S> {
    type Value = Option<S::Value>;

    fn deserialize<D: de::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_option(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for Maybe<S> {
    type Value = Option<S::Value>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: de::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        self.0.deserialize(reader).map(Some)
    }
}

/// Which of some names a key is; `None` for any other. Allocates nothing.
pub(super) struct Key(pub(super) &'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<&'static str>;

    fn deserialize<D: de::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().copied().find(|name| *name == key))
    }
}
