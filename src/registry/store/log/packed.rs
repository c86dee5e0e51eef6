//! The values of a row in as few bytes as they take: most of what a log costs is to write it out.

use serde_json::{Map, Number, Value};

use super::policy::{ColumnPolicy, Columns, Kept, LoggedValue, hashed};

const MISSING: u8 = 0;
const NUMBER: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
const TEXT: u8 = 4;

/// The names of the columns that are kept, as a list in JSON.
pub(super) fn names(columns: &Columns) -> String {
    let kept = columns.names.iter().zip(&columns.policies);
    let kept = kept.filter(|(_, policy)| **policy != ColumnPolicy::Drop).map(|(name, _)| name);
    kept.cloned().collect::<Value>().to_string()
}

/// What is kept of a row, in the order of [`names`]: for each value a byte that says what it is, then
/// the eight bytes of a number, or the length of a text in four bytes with the text.
pub(super) fn pack(kept: &Kept<'_>) -> Vec<u8> {
    let Kept { columns: Columns { names, policies }, values, seal } = kept;
    let mut bytes = Vec::with_capacity(9 * values.len());
    let text = |bytes: &mut Vec<u8>, text: &str| {
        bytes.push(TEXT);
        bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    };
    for ((name, policy), value) in names.iter().zip(policies).zip(*values) {
        match (policy, value) {
            (ColumnPolicy::Drop, _) => {}
            (_, LoggedValue::Missing) => bytes.push(MISSING),
            (ColumnPolicy::Hash, value) => text(&mut bytes, &hashed(name, value, seal)),
            (_, LoggedValue::Number(number)) => {
                bytes.push(NUMBER);
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            (_, LoggedValue::Truth(truth)) => bytes.push(if *truth { TRUE } else { FALSE }),
            (_, LoggedValue::Text(own)) => text(&mut bytes, own),
        }
    }
    bytes
}

/// The values by name; null where the bytes are none of a row.
pub(super) fn unpack(names: &str, bytes: &[u8]) -> Value {
    let names: Vec<String> = serde_json::from_str(names).unwrap_or_default();
    let mut rest = bytes;
    let mut values = Map::with_capacity(names.len());
    for name in names {
        let Some((value, left)) = first(rest) else { return Value::Null };
        values.insert(name, value);
        rest = left;
    }
    if rest.is_empty() { Value::Object(values) } else { Value::Null }
}

/// The first value, and what follows it.
fn first(bytes: &[u8]) -> Option<(Value, &[u8])> {
    let (kind, rest) = bytes.split_first()?;
    Some(match *kind {
        MISSING => (Value::Null, rest),
        NUMBER => {
            let (number, rest) = rest.split_first_chunk()?;
            (Number::from_f64(f64::from_le_bytes(*number)).map_or(Value::Null, Value::Number), rest)
        }
        FALSE | TRUE => (Value::Bool(*kind == TRUE), rest),
        TEXT => {
            let (length, rest) = rest.split_first_chunk()?;
            let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            (Value::from(std::str::from_utf8(text).ok()?), rest)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_row_is_null() {
        let row = [&[NUMBER][..], &1.5_f64.to_le_bytes(), &[TEXT, 2, 0, 0, 0], b"ab"].concat();
        assert_eq!(unpack(r#"["x","y"]"#, &row), json!({ "x": 1.5, "y": "ab" }));
        for n in 0..row.len() {
            assert_eq!(unpack(r#"["x","y"]"#, &row[..n]), Value::Null, "{n}");
        }
        assert_eq!(unpack(r#"["x"]"#, &row), Value::Null);
        assert_eq!(unpack(r#"["x"]"#, &[9]), Value::Null);
        assert_eq!(unpack(r#"["x"]"#, &[TEXT, 255, 255, 255, 255, b'a']), Value::Null);
    }
}
