//! The command log as lines that can be done again.

use serde::{Deserialize, Serialize};

use super::{Error, Verb, parse};

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
