//! What is read from the log, and what is erased.

use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use serde::Serialize;
use serde_json::Value;

use super::{LAYOUT, PredictionLog, Seal, labels, layout_of, packed};
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
    /// The alias that was asked for.
    pub alias: Option<String>,
    /// The public id of the key.
    pub key: String,
    /// The hash of whom it is about.
    pub subject: Option<String>,
    /// The prediction that it shadows.
    pub shadow_of: Option<String>,
    /// How long it took, in microseconds.
    pub micros: u32,
    /// The score; nothing where it cannot be decrypted.
    pub score: Option<f64>,
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

const COLUMNS: &str = "p.id, p.at_ms, p.model, p.version, p.alias, p.key, p.subject, p.shadow_of, \
                       p.micros, p.score, p.decision, p.payload, p.sealed, l.value, l.sealed, \
                       s.names";

const TABLES: &str = "predictions p LEFT JOIN labels l ON l.id = p.id \
                      LEFT JOIN column_sets s ON s.id = p.columns";

fn logged(row: &Row<'_>, seal: &Seal) -> rusqlite::Result<Logged> {
    let id: String = row.get(0)?;
    let (bytes, is_sealed): (Vec<u8>, bool) = (row.get(11)?, row.get(12)?);
    let (score, decision, inputs) = if is_sealed {
        let opened = seal.open(&id, &bytes);
        let all = opened.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        all.map_or((None, String::new(), Value::Null), |(score, decision, inputs)| {
            (score, decision, inputs)
        })
    } else {
        let decision: Option<String> = row.get(10)?;
        let inputs = inputs(row.get(15)?, &bytes);
        (row.get(9)?, decision.unwrap_or_default(), inputs)
    };
    let label: Option<Vec<u8>> = row.get(13)?;
    let is_label_sealed = row.get::<_, Option<bool>>(14)?.unwrap_or(false);
    Ok(Logged {
        at_ms: row.get(1)?,
        model: row.get(2)?,
        version: row.get(3)?,
        alias: row.get(4)?,
        key: row.get(5)?,
        subject: row.get(6)?,
        shadow_of: row.get(7)?,
        micros: row.get(8)?,
        score,
        decision,
        inputs,
        label: label.and_then(|bytes| labels::opened(seal, &id, bytes, is_label_sealed)),
        id,
    })
}

/// What a plain row keeps of its inputs, which are packed where their names stand elsewhere.
pub(super) fn inputs(names: Option<String>, bytes: &[u8]) -> Value {
    match names {
        Some(names) => packed::unpack(&names, bytes),
        None => serde_json::from_slice(bytes).unwrap_or(Value::Null),
    }
}

/// Deletes a part of the predictions older than a moment with their labels, and says whether that
/// was the last part; labels of that age that belong to no prediction go with it.
pub(super) fn purge_part(connection: &Connection, oldest_ms: i64) -> rusqlite::Result<bool> {
    const PART: u32 = 2_000;
    let transaction = connection.unchecked_transaction()?;
    let old = "SELECT id FROM predictions WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2";
    let sql = format!("DELETE FROM labels WHERE id IN ({old})");
    transaction.execute(&sql, params![oldest_ms, PART])?;
    let sql = format!("DELETE FROM predictions WHERE id IN ({old})");
    let n = transaction.execute(&sql, params![oldest_ms, PART])?;
    let is_last = n < PART as usize;
    if is_last {
        let sql = "DELETE FROM labels WHERE at_ms < ? AND id NOT IN (SELECT id FROM predictions)";
        transaction.execute(sql, [oldest_ms])?;
    }
    transaction.commit()?;
    Ok(is_last)
}

impl PredictionLog {
    /// The model and version that made a prediction, once it is written.
    pub fn made_by(&self, id: &str) -> Result<Option<(String, u32)>, Error> {
        let sql = "SELECT model, version FROM predictions WHERE id = ?";
        self.run(|connection| {
            let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
            connection.prepare_cached(sql)?.query_row([id], row).optional()
        })
    }

    /// Erases everything that is kept of a subject, and returns how many predictions that were.
    ///
    /// What this process has handed in is written first; another process may still have a
    /// fraction of a second's worth in its queue.
    pub fn erase(&self, subject: &str) -> Result<usize, Error> {
        self.erase_hash(&self.subject(subject))
    }

    /// Erases likewise, by the hash under which the subject is known.
    pub fn erase_hash(&self, hash: &str) -> Result<usize, Error> {
        self.flush();
        self.run(|connection| {
            let transaction = connection.unchecked_transaction()?;
            let own = "SELECT id FROM predictions WHERE subject = ?1";
            let sql = format!("DELETE FROM labels WHERE id IN ({own})");
            transaction.execute(&sql, [hash])?;
            let n = transaction.execute("DELETE FROM predictions WHERE subject = ?1", [hash])?;
            transaction.commit()?;
            // What was erased is to leave the journal too; a reader may hold it for a moment.
            let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            Ok(n)
        })
    }

    /// The predictions of a model between two moments, oldest first.
    pub fn window(
        &self,
        model: &str,
        version: Option<u32>,
        [from_ms, to_ms]: [i64; 2],
        limit: u32,
    ) -> Result<Vec<Logged>, Error> {
        let which = "p.model = ?1 AND (?2 IS NULL OR p.version = ?2) AND p.at_ms >= ?3 \
                     AND p.at_ms <= ?4 ORDER BY p.at_ms, p.id LIMIT ?5";
        self.rows(which, params![model, version, from_ms, to_ms, limit])
    }

    /// The predictions of a model between two moments, oldest first, behind the one of this moment
    /// and id.
    pub fn window_after(
        &self,
        model: &str,
        [from_ms, to_ms]: [i64; 2],
        after: Option<(i64, &str)>,
        limit: u32,
    ) -> Result<Vec<Logged>, Error> {
        let (at_ms, id) = after.unwrap_or((i64::MIN, ""));
        let which = "p.model = ?1 AND p.at_ms >= ?2 AND p.at_ms <= ?3 \
                     AND (p.at_ms, p.id) > (?4, ?5) ORDER BY p.at_ms, p.id LIMIT ?6";
        self.rows(which, params![model, from_ms.max(at_ms), to_ms, at_ms, id, limit])
    }

    /// The latest predictions of all models, newest first.
    pub fn latest(&self, n: u32) -> Result<Vec<Logged>, Error> {
        self.rows("TRUE ORDER BY p.at_ms DESC LIMIT ?1", [n])
    }

    /// The prediction of this id, once it is written.
    pub fn prediction(&self, id: &str) -> Result<Option<Logged>, Error> {
        Ok(self.rows("p.id = ?1", [id])?.pop())
    }

    /// The predictions whose labels have arrived between two moments, the latest of them, by the
    /// time of arrival.
    pub fn labelled(
        &self,
        model: &str,
        version: u32,
        [from_ms, to_ms]: [i64; 2],
        limit: u32,
    ) -> Result<Vec<Labelled>, Error> {
        // Of the labels to their predictions, and not the other way: `+` keeps SQLite from looking
        // through all predictions of the version for those few that have a label.
        let which = "+p.model = ?1 AND +p.version = ?2 AND l.at_ms > ?3 AND l.at_ms <= ?4 \
                     ORDER BY l.at_ms DESC LIMIT ?5";
        let rows = self.rows(which, params![model, version, from_ms, to_ms, limit])?;
        let labelled =
            |row: Logged| Some(Labelled { at_ms: row.at_ms, score: row.score?, label: row.label? });
        Ok(rows.into_iter().rev().filter_map(labelled).collect())
    }

    /// How many predictions and labels there are.
    pub fn size(&self) -> Result<(u64, u64), Error> {
        self.run(|connection| {
            let count = |table: &str| {
                let sql = format!("SELECT count(*) FROM {table}");
                connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
            };
            Ok((count("predictions")?, count("labels")?))
        })
    }

    fn rows(&self, which: &str, params: impl Params) -> Result<Vec<Logged>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE {which}");
        // A newer program may have come to the file since it was opened.
        let layout = self.run(layout_of)?;
        if layout > LAYOUT {
            return Err(Error::Newer { path: self.path.clone(), found: layout, known: LAYOUT });
        }
        self.run(|connection| {
            let mut query = connection.prepare_cached(&sql)?;
            query.query_map(params, |row| logged(row, &self.seal))?.collect()
        })
    }
}
