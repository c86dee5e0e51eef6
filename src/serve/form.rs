//! Requests in karat's own form: rows as JSON objects by column name, or as CSV with a header.
//!
//! One object is one row; an array of objects, or `{"rows": [...]}`, holds several. What is asked
//! for besides scores stands beside `rows`, or beside the columns of a single row as long as no
//! column has that name.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::csv::csv;
use super::protocol::{Limits, Refusal, read_json, shown};
use super::sent::{Cell, Sent};

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ScoreForm {
    pub(super) rows: Sent,
    pub(super) reasons: bool,
    pub(super) explain: bool,
    pub(super) id: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) background: Option<String>,
}

/// Letters of an id or a subject.
pub(super) const LONGEST: usize = 100;
/// The name under which a request, or a row of it, says whom it is about.
pub(super) const SUBJECT: &str = "subject";

/// Reads a request of either kind.
pub(super) fn parse(
    content_type: Option<&str>,
    body: &[u8],
    places: &HashMap<String, usize>,
    limits: &Limits,
) -> Result<ScoreForm, Refusal> {
    let kind = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("text/csv") {
        return csv(body, places, limits);
    }
    let reading = Reading { places, limits, refusal: RefCell::default() };
    let mut form = ScoreForm::default();
    form.rows.n_columns = places.len();
    let read = read_json(body, Top { reading: &reading, form: &mut form });
    match (read, reading.refusal.into_inner()) {
        (_, Some(refusal)) => Err(refusal),
        // The place, but never what stands there.
        (Err(error), None) => Err(Refusal::bad_request(format!(
            "the body is not the JSON that is expected (line {}, column {}): an object with the \
             columns of a row, an array of such objects, or {{\"rows\": [...]}}",
            error.line(),
            error.column()
        ))),
        (Ok(()), None) if form.rows.n_rows == 0 => {
            Err(Refusal::bad_request("the request has no row"))
        }
        (Ok(()), None) => Ok(form),
    }
}

pub(super) struct Reading<'a> {
    pub(super) places: &'a HashMap<String, usize>,
    pub(super) limits: &'a Limits,
    /// Why reading stopped, where that is not the fault of the JSON.
    pub(super) refusal: RefCell<Option<Refusal>>,
}

impl Reading<'_> {
    fn stop<E: de::Error>(&self, refusal: Refusal) -> E {
        *self.refusal.borrow_mut() = Some(refusal);
        E::custom("refused")
    }

    fn bad<E: de::Error>(&self, what: impl Into<String>) -> E {
        self.stop(Refusal::bad_request(what))
    }

    /// Room for one more row.
    pub(super) fn begin<E: de::Error>(&self, sent: &mut Sent) -> Result<(), E> {
        let n = sent.cells.len() + sent.n_columns;
        if n > self.limits.max_elements {
            let most = self.limits.max_elements;
            return Err(
                self.stop(Refusal::too_large(format!("more than {most} values in one request")))
            );
        }
        sent.cells.resize(n, Cell::Missing);
        sent.n_rows += 1;
        Ok(())
    }
}

/// The whole body.
struct Top<'a, 'b> {
    reading: &'a Reading<'a>,
    form: &'b mut ScoreForm,
}

impl<'de> DeserializeSeed<'de> for Top<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { reading, form } = self;
        while seq.next_element_seed(RowSeed { reading, sent: &mut form.rows })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { reading, form } = self;
        // Whether cells of a single row stood in the object itself, and whether rows did.
        let (mut is_row, mut has_rows) = (false, false);
        let mut seen = Seen::default();
        while let Some(key) = map.next_key_seed(KeySeed(reading))? {
            match key {
                Key::Place(place) => {
                    if has_rows {
                        return Err(reading.bad("columns stand either in `rows` or beside it"));
                    }
                    if !is_row {
                        is_row = true;
                        reading.begin(&mut form.rows)?;
                    }
                    seen.mark(place, reading)?;
                    form.rows.cells[place] = map.next_value_seed(CellSeed(reading))?;
                }
                Key::Other(name) => match name.as_str() {
                    "rows" | "row" if is_row || has_rows => {
                        return Err(reading.bad("columns stand either in `rows` or beside it"));
                    }
                    "rows" | "row" => {
                        has_rows = true;
                        map.next_value_seed(RowsSeed { reading, sent: &mut form.rows })?;
                    }
                    "reasons" => form.reasons = map.next_value_seed(Truth(reading, "reasons"))?,
                    "explain" => form.explain = map.next_value_seed(Truth(reading, "explain"))?,
                    "id" => form.id = map.next_value_seed(Text(reading, "id"))?,
                    "subject" => form.subject = map.next_value_seed(Text(reading, "subject"))?,
                    "background" => {
                        form.background = map.next_value_seed(Text(reading, "background"))?;
                    }
                    name => {
                        form.rows.note(name);
                        map.next_value::<IgnoredAny>()?;
                    }
                },
            }
        }
        Ok(())
    }
}

/// Which columns of a row were there already.
#[derive(Default)]
struct Seen(Vec<u64>);

impl Seen {
    fn mark<E: de::Error>(&mut self, place: usize, reading: &Reading<'_>) -> Result<(), E> {
        if self.0.len() <= place / 64 {
            self.0.resize(place / 64 + 1, 0);
        }
        let (word, bit) = (&mut self.0[place / 64], 1 << (place % 64));
        if *word & bit != 0 {
            let name = reading.places.iter().find(|(_, own)| **own == place);
            let name = name.map_or("", |(name, _)| name);
            return Err(reading.bad(format!("field `{}` is there twice", shown(name))));
        }
        *word |= bit;
        Ok(())
    }
}

/// A key of an object.
enum Key {
    Place(usize),
    Other(String),
}

struct KeySeed<'a>(&'a Reading<'a>);

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
        match self.0.places.get(name) {
            Some(place) => Ok(Key::Place(*place)),
            None => Ok(Key::Other(name.to_owned())),
        }
    }
}

/// One row or an array of rows.
struct RowsSeed<'a, 'b> {
    reading: &'a Reading<'a>,
    sent: &'b mut Sent,
}

impl<'de> DeserializeSeed<'de> for RowsSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { reading, sent } = self;
        while seq.next_element_seed(RowSeed { reading, sent: &mut *sent })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        RowSeed { reading: self.reading, sent: self.sent }.visit_map(map)
    }
}

/// One row.
struct RowSeed<'a, 'b> {
    reading: &'a Reading<'a>,
    sent: &'b mut Sent,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the columns of a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { reading, sent } = self;
        reading.begin(sent)?;
        let start = sent.cells.len() - sent.n_columns;
        let mut seen = Seen::default();
        while let Some(key) = map.next_key_seed(KeySeed(reading))? {
            match key {
                Key::Place(place) => {
                    seen.mark(place, reading)?;
                    sent.cells[start + place] = map.next_value_seed(CellSeed(reading))?;
                }
                Key::Other(name) if name == SUBJECT => {
                    let row = sent.n_rows - 1;
                    if let Some(subject) = map.next_value_seed(Text(reading, SUBJECT))? {
                        sent.subjects.push((row, subject.into()));
                    }
                }
                Key::Other(name) => {
                    sent.note(&name);
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// One value.
struct CellSeed<'a>(&'a Reading<'a>);

impl<'de> DeserializeSeed<'de> for CellSeed<'_> {
    type Value = Cell;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cell, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CellSeed<'_> {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a text, true, false or null")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Cell, E> {
        Ok(Cell::Missing)
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Cell, E> {
        Ok(Cell::Truth(truth))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Cell, E> {
        Ok(Cell::Number(number))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Cell, E> {
        // What a float cannot hold exactly stays as it was written.
        let exact = number.unsigned_abs() <= 1 << 53;
        Ok(if exact {
            Cell::Number(number as f64)
        } else {
            Cell::Written(number.to_string().into())
        })
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Cell, E> {
        let exact = number <= 1 << 53;
        Ok(if exact {
            Cell::Number(number as f64)
        } else {
            Cell::Written(number.to_string().into())
        })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Cell, E> {
        Ok(Cell::Text(text.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Cell, A::Error> {
        Err(self.0.bad("a value is an object; a row has plain values only"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Cell, A::Error> {
        Err(self.0.bad("a value is an array; a row has plain values only"))
    }
}

/// True or false, under this name.
struct Truth<'a>(&'a Reading<'a>, &'static str);

impl<'de> DeserializeSeed<'de> for Truth<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        let cell = CellSeed(self.0).deserialize(deserializer)?;
        match cell {
            Cell::Truth(truth) => Ok(truth),
            _ => Err(self.0.bad(format!("`{}` is true or false", self.1))),
        }
    }
}

/// A text, under this name.
struct Text<'a>(&'a Reading<'a>, &'static str);

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match CellSeed(self.0).deserialize(deserializer)? {
            Cell::Missing => Ok(None),
            Cell::Text(text) if text.chars().count() <= LONGEST => Ok(Some(text.into())),
            Cell::Text(_) => {
                Err(self.0.bad(format!("`{}` has more than {LONGEST} letters", self.1)))
            }
            _ => Err(self.0.bad(format!("`{}` is a text", self.1))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn places() -> HashMap<String, usize> {
        [("age", 0), ("job", 1)].map(|(name, at)| (name.to_owned(), at)).into()
    }

    fn json(body: &str) -> Result<ScoreForm, Refusal> {
        parse(Some("application/json"), body.as_bytes(), &places(), &Limits::default())
    }

    #[test]
    fn one_row_several_rows_and_an_envelope_are_understood() {
        let (age, job) = (Cell::Number(30.0), Cell::Text("clerk".into()));
        let one = json(r#"{"age": 30, "job": "clerk", "reasons": true}"#).unwrap();
        assert_eq!(one.rows.cells, [age.clone(), job.clone()]);
        assert!(one.reasons && !one.explain);
        let several = json(r#"[{"job": "clerk", "age": 30}, {"age": null}]"#).unwrap();
        assert_eq!(several.rows.cells, [age.clone(), job.clone(), Cell::Missing, Cell::Missing]);
        let envelope = r#"{"id": "a-1", "rows": [{"age": 30, "job": "clerk", "x": {"y": []}}]}"#;
        let form = json(envelope).unwrap();
        assert_eq!((&form.rows.cells, form.id.as_deref()), (&vec![age, job], Some("a-1")));
        assert_eq!(form.rows.unknown, ["x"]);
        assert_eq!(json(r#"{"row": {"age": true}}"#).unwrap().rows.cells[0], Cell::Truth(true));
    }

    #[test]
    fn what_is_no_request_is_refused_without_its_values() {
        for (body, expected) in [
            ("", "not the JSON"),
            ("[]", "no row"),
            ("{\"rows\": []}", "no row"),
            ("{\"age\": 12345,}", "not the JSON"),
            ("{\"age\": 12345, \"age\": 2}", "`age` is there twice"),
            ("{\"age\": [12345]}", "an array"),
            ("{\"age\": 1, \"rows\": []}", "either in `rows`"),
            ("{\"rows\": [12345]}", "not the JSON"),
            ("{\"age\": NaN}", "not the JSON"),
            ("{\"age\": 1, \"reasons\": 12345}", "true or false"),
            ("{\"age\": 1} 12345", "not the JSON"),
        ] {
            let refusal = json(body).unwrap_err();
            assert_eq!(refusal.status, 400, "{body}");
            assert!(refusal.message.contains(expected), "{body}: {}", refusal.message);
            assert!(!refusal.message.contains("12345"), "{}", refusal.message);
        }
        let few = Limits { max_elements: 3, ..Limits::default() };
        let body = br#"[{"age": 1}, {"age": 2}]"#;
        assert_eq!(parse(None, body, &places(), &few).unwrap_err().status, 413);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..200), is_csv: bool) {
            let kind = if is_csv { "text/csv" } else { "application/json" };
            let _ = parse(Some(kind), &body, &places(), &Limits::default());
        }
    }
}
