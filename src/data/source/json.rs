//! JSON objects into fields: one a line, or in an array; objects within objects are flattened to
//! `outer.inner`, arrays stay as they are written.

use serde_json::{Map, Value};

/// Gives every field of the object on this line to `take`; a missing value is `None`.
pub(super) fn fields(line: &str, mut take: impl FnMut(&str, Option<&str>)) -> Result<(), String> {
    match serde_json::from_str::<Value>(line.trim()) {
        Ok(Value::Object(map)) => {
            flatten("", &map, &mut take);
            Ok(())
        }
        Ok(_) => Err("a JSON object is expected".to_owned()),
        Err(err) => Err(format!("no valid JSON ({err})")),
    }
}

fn flatten(prefix: &str, map: &Map<String, Value>, take: &mut impl FnMut(&str, Option<&str>)) {
    for (key, value) in map {
        let joined;
        let key = if prefix.is_empty() {
            key.as_str()
        } else {
            joined = format!("{prefix}.{key}");
            &joined
        };
        match value {
            Value::Null => take(key, None),
            Value::Bool(true) => take(key, Some("true")),
            Value::Bool(false) => take(key, Some("false")),
            Value::Number(number) => take(key, Some(&number.to_string())),
            Value::String(text) => take(key, Some(text)),
            Value::Array(_) => take(key, Some(&value.to_string())),
            Value::Object(inner) => flatten(key, inner, take),
        }
    }
}

/// The keys of the first objects, in order of appearance.
pub(super) fn keys(text: &str, limit: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut known = std::collections::HashSet::new();
    for line in text.lines().filter(|l| !l.trim().is_empty()).take(limit) {
        let _ = fields(line, |key, _| {
            if known.insert(key.to_owned()) {
                names.push(key.to_owned());
            }
        });
    }
    names
}

/// What a text that may be JSON holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One object a line.
    Lines,
    /// An array of objects, or objects over several lines.
    Whole,
}

/// Whether the text is JSON, by its beginning.
pub(super) fn shape(text: &str) -> Option<Shape> {
    let start = text.trim_start();
    if let Some(rest) = start.strip_prefix('[') {
        return rest.trim_start().starts_with('{').then_some(Shape::Whole);
    }
    if !start.starts_with('{') {
        return None;
    }
    let line = start.lines().next().unwrap_or_default();
    if fields(line, |_, _| ()).is_ok() {
        return Some(Shape::Lines);
    }
    let rest = start[1..].trim_start();
    (rest.starts_with('"') || rest.starts_with('}')).then_some(Shape::Whole)
}

/// The objects of an array as one line each. Stops where an object is not complete.
pub(super) fn lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut depth, mut start, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' => {
                if depth == 0 {
                    start = at;
                }
                depth += 1;
            }
            b'}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    // Within strings line ends are escaped, so these are mere layout.
                    out.extend(
                        text[start..=at].chars().map(|c| if c.is_control() { ' ' } else { c }),
                    );
                    out.push('\n');
                }
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_flattened() {
        let mut seen = Vec::new();
        fields(r#"{"a":1,"b":{"c":"x","d":null},"e":[1,2]}"#, |k, v| {
            seen.push((k.to_owned(), v.map(str::to_owned)));
        })
        .unwrap();
        let expect = |k: &str, v: &str| (k.to_owned(), Some(v.to_owned()));
        assert_eq!(
            seen,
            [expect("a", "1"), expect("b.c", "x"), ("b.d".to_owned(), None), expect("e", "[1,2]")]
        );
    }

    #[test]
    fn an_array_becomes_lines() {
        let text = "[\n {\"a\": \"}\\\"{\",\n \"b\": {\"c\": 1}},\n {\"a\": 2}\n]";
        assert_eq!(shape(text), Some(Shape::Whole));
        assert_eq!(lines(text).lines().count(), 2);
        assert_eq!(keys(&lines(text), 10), ["a", "b.c"]);
        assert_eq!(shape("{\"a\":1}\n{\"a\":2}"), Some(Shape::Lines));
        assert_eq!(shape("a,b\n1,2"), None);
    }
}
