//! Logs as others use them: the command log as lines that can be done again, and the prediction
//! log as a table for analysis.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Error, Verb, parse};
use crate::data::{self, OpenOptions};
use crate::jobs::Ctx;
use crate::registry::store::log::PredictionLog;

/// One line of the command log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Seconds since 1970, UTC.
    pub at: i64,
    /// The command, as it can be typed again.
    pub line: String,
}

/// The commands of a saved log: lines as they are typed, or the entries that the registry keeps.
/// Remarks, which begin with `#`, are left out.
///
/// # Errors
///
/// When the file cannot be read, or a line is no command; the line is named.
pub fn read_log(path: &str) -> Result<Vec<Verb>, Error> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::Command {
        what: format!("cannot read `{path}`: {e}"),
        hint: "name a file with one command a line, such as .karat/history.jsonl".into(),
    })?;
    let mut verbs = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let line = match serde_json::from_str::<Entry>(line) {
            Ok(entry) => entry.line,
            Err(_) => line.trim().to_owned(),
        };
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let verb = parse(&line).map_err(|error| Error::Command {
            what: format!("line {} of `{path}`: {}", i + 1, error.to_string().replace('\n', "; ")),
            hint: "mend the line, or put # before it".into(),
        })?;
        if matches!(verb, Verb::Replay(_)) {
            return Err(Error::Command {
                what: format!("line {} of `{path}` replays a log", i + 1),
                hint: "a log cannot replay another; put # before the line".into(),
            });
        }
        verbs.push(verb);
    }
    Ok(verbs)
}

/// Writes the predictions of a model between two moments, in milliseconds since 1970, to a file of
/// the format that its name says, and returns how many there are; none writes no file.
///
/// # Errors
///
/// When the log cannot be read or the file cannot be written.
pub fn export_log(
    log: &PredictionLog,
    name: &str,
    between: [i64; 2],
    out: &Path,
) -> Result<usize, Error> {
    let rows = log.window(name, None, between, u32::MAX)?;
    if rows.is_empty() {
        return Ok(0);
    }
    let mut lines = String::new();
    for row in &rows {
        let mut object: Map<String, Value> = [
            ("prediction_id", json!(row.id)),
            ("at", json!(row.at_ms)),
            ("version", json!(row.version)),
            ("key", json!(row.key)),
            ("subject", json!(row.subject)),
            ("score", json!(row.score)),
            ("decision", json!(row.decision)),
            ("label", json!(row.label)),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
        if let Some(inputs) = row.inputs.as_object() {
            object.extend(inputs.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        lines += &Value::Object(object).to_string();
        lines.push('\n');
    }
    let options = OpenOptions::default();
    let table = data::open_bytes("log.ndjson", lines.as_bytes(), &options, &Ctx::quiet())?;
    data::write(&table, &[], out)?;
    Ok(rows.len())
}
