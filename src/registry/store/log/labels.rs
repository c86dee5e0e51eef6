//! Labels: what turned out to be true, often long after the prediction.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::{PredictionLog, Seal};
use crate::registry::Error;
use crate::registry::store::{deny, label, plain};

/// The id of a prediction has no more bytes than this.
pub const LONGEST_ID: usize = 100;

/// What became of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Recorded {
    /// It was kept.
    New,
    /// The same one was there already.
    Same,
    /// Another one was there, which stays.
    Conflict,
}

impl PredictionLog {
    /// Keeps the label of a prediction, which may not have been written yet. Sending it again
    /// changes nothing.
    pub fn label(&self, id: &str, value: &str, at_ms: i64) -> Result<Recorded, Error> {
        if id.is_empty() || id.len() > LONGEST_ID || id.chars().any(char::is_control) {
            return Err(deny(
                format!("`{}` is no id of a prediction", label(id)),
                "give the id that came with the prediction",
            ));
        }
        let value = plain(value);
        let value_kept = if self.encrypt {
            let failed = || deny("the label cannot be encrypted", "try again");
            self.seal.seal(id, value.as_bytes()).ok_or_else(failed)?
        } else {
            value.clone().into_bytes()
        };
        self.run(|connection| {
            let sql = "INSERT INTO labels (id, at_ms, value, sealed) VALUES (?, ?, ?, ?) \
                       ON CONFLICT DO NOTHING";
            let own = params![id, at_ms, value_kept, self.encrypt];
            if connection.prepare_cached(sql)?.execute(own)? > 0 {
                return Ok(Recorded::New);
            }
            let before = find(connection, id, &self.seal)?;
            let is_same = before.as_deref() == Some(&value as &str);
            Ok(if is_same { Recorded::Same } else { Recorded::Conflict })
        })
    }

    /// The label of a prediction, once it has arrived.
    pub fn label_of(&self, id: &str) -> Result<Option<String>, Error> {
        self.run(|connection| find(connection, id, &self.seal))
    }
}

fn find(connection: &Connection, id: &str, seal: &Seal) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT value, sealed FROM labels WHERE id = ?";
    let found: Option<(Vec<u8>, bool)> = connection
        .prepare_cached(sql)?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.and_then(|(bytes, is_sealed)| opened(seal, id, bytes, is_sealed)))
}

/// The text of a label; nothing where it cannot be decrypted.
pub(super) fn opened(seal: &Seal, id: &str, bytes: Vec<u8>, is_sealed: bool) -> Option<String> {
    let bytes = if is_sealed { seal.open(id, &bytes)? } else { bytes };
    String::from_utf8(bytes).ok()
}
