//! What is read from the log, and what is added or erased later.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::Value;

use super::{PredictionLog, Seal};
use crate::registry::Error;

/// A prediction as it was kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Logged {
    /// Its id.
    pub id: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The model.
    pub model: String,
    /// Its version.
    pub version: u32,
    /// The public id of the key.
    pub key: String,
    /// The hash of whom it is about.
    pub subject: Option<String>,
    /// The score.
    pub score: f64,
    /// What it was called.
    pub decision: String,
    /// What was kept of the inputs; null where they cannot be decrypted.
    pub inputs: Value,
    /// The label that has arrived.
    pub label: Option<String>,
}

/// A score with the label that belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// When it was predicted, in milliseconds since 1970.
    pub at_ms: i64,
    /// The score.
    pub score: f64,
    /// The label, as it was sent.
    pub label: String,
}

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

const COLUMNS: &str = "p.id, p.at_ms, p.model, p.version, p.key, p.subject, p.score, p.decision, \
                       p.inputs, p.sealed, l.value";

fn logged(row: &Row<'_>, seal: &Seal) -> rusqlite::Result<Logged> {
    let id: String = row.get(0)?;
    let (bytes, is_sealed): (Vec<u8>, bool) = (row.get(8)?, row.get(9)?);
    let bytes = if is_sealed { seal.open(&id, &bytes) } else { Some(bytes) };
    let inputs = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Ok(Logged {
        id,
        at_ms: row.get(1)?,
        model: row.get(2)?,
        version: row.get(3)?,
        key: row.get(4)?,
        subject: row.get(5)?,
        score: row.get(6)?,
        decision: row.get(7)?,
        inputs: inputs.unwrap_or(Value::Null),
        label: row.get(10)?,
    })
}

/// Deletes predictions older than a moment, with their labels.
pub(super) fn purge(connection: &Connection, oldest_ms: i64) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM labels WHERE id IN (SELECT id FROM predictions WHERE at_ms < ?)";
    connection.execute(sql, [oldest_ms])?;
    connection.execute("DELETE FROM predictions WHERE at_ms < ?", [oldest_ms])
}

impl PredictionLog {
    /// Keeps the label of a prediction, which may not have been written yet.
    pub fn label(&self, id: &str, value: &str, at_ms: i64) -> Result<Recorded, Error> {
        let connection = self.lock();
        let work = || {
            let sql = "INSERT INTO labels (id, value, at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
            if connection.prepare_cached(sql)?.execute(params![id, value, at_ms])? > 0 {
                return Ok(Recorded::New);
            }
            let sql = "SELECT value FROM labels WHERE id = ?";
            let before: String = connection.query_row(sql, [id], |row| row.get(0))?;
            Ok(if before == value { Recorded::Same } else { Recorded::Conflict })
        };
        work().map_err(|cause| self.failed(cause))
    }

    /// The model and version that made a prediction, once it is written.
    pub fn made_by(&self, id: &str) -> Result<Option<(String, u32)>, Error> {
        let sql = "SELECT model, version FROM predictions WHERE id = ?";
        let connection = self.lock();
        let found = connection
            .prepare_cached(sql)
            .and_then(|mut query| {
                query.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            });
        found.map_err(|cause| self.failed(cause))
    }

    /// Erases everything that is kept of a subject, and returns how many predictions that were.
    pub fn erase(&self, subject: &str) -> Result<usize, Error> {
        let hash = self.subject(subject);
        let connection = self.lock();
        let work = || {
            let sql = "DELETE FROM labels WHERE id IN (SELECT id FROM predictions WHERE subject = ?)";
            connection.execute(sql, [&hash])?;
            connection.execute("DELETE FROM predictions WHERE subject = ?", [&hash])
        };
        work().map_err(|cause| self.failed(cause))
    }

    /// Deletes predictions made before a moment, and returns how many those were.
    pub fn purge(&self, oldest_ms: i64) -> Result<usize, Error> {
        purge(&self.lock(), oldest_ms).map_err(|cause| self.failed(cause))
    }

    /// The predictions of a model between two moments, oldest first.
    pub fn between(
        &self,
        model: &str,
        version: Option<u32>,
        [from_ms, to_ms]: [i64; 2],
        limit: u32,
    ) -> Result<Vec<Logged>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM predictions p LEFT JOIN labels l ON l.id = p.id \
             WHERE p.model = ?1 AND (?2 IS NULL OR p.version = ?2) AND p.at_ms >= ?3 \
             AND p.at_ms <= ?4 ORDER BY p.at_ms, p.id LIMIT ?5"
        );
        let connection = self.lock();
        let work = || {
            let mut query = connection.prepare_cached(&sql)?;
            let row = |row: &Row<'_>| logged(row, &self.seal);
            query
                .query_map(params![model, version, from_ms, to_ms, limit], row)?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        work().map_err(|cause| self.failed(cause))
    }

    /// The latest predictions that have a label, oldest first.
    pub fn labelled(&self, model: &str, version: u32, limit: u32) -> Result<Vec<Labelled>, Error> {
        let sql = "SELECT p.at_ms, p.score, l.value FROM predictions p JOIN labels l ON l.id = p.id \
                   WHERE p.model = ? AND p.version = ? ORDER BY p.at_ms DESC LIMIT ?";
        let connection = self.lock();
        let work = || {
            let mut query = connection.prepare_cached(sql)?;
            let row = |row: &Row<'_>| {
                Ok(Labelled { at_ms: row.get(0)?, score: row.get(1)?, label: row.get(2)? })
            };
            query.query_map(params![model, version, limit], row)?.collect::<rusqlite::Result<Vec<_>>>()
        };
        let mut labelled = work().map_err(|cause| self.failed(cause))?;
        labelled.reverse();
        Ok(labelled)
    }

    /// How many predictions and labels there are.
    pub fn size(&self) -> Result<(u64, u64), Error> {
        let connection = self.lock();
        let count = |table: &str| {
            let sql = format!("SELECT count(*) FROM {table}");
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
        };
        let work = || Ok((count("predictions")?, count("labels")?));
        work().map_err(|cause| self.failed(cause))
    }
}
