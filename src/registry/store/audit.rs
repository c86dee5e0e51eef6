//! The log of decisions: append-only, each event chained to the one before by its hash.

use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::Serialize;
use serde_json::Value;

use super::{Change, Refusal, Store, now_ms, plain};
use crate::files::sha256_hex;
use crate::registry::Error;

/// One decision.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// Its number, from 1 without gaps.
    pub seq: i64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who decided.
    pub who: String,
    /// By what way.
    pub via: String,
    /// What was done.
    pub action: String,
    /// The model that it is about; empty for keys and settings.
    pub model: String,
    /// The version, alias or key that it is about.
    pub subject: String,
    /// How it was before.
    pub before: Value,
    /// How it was afterwards.
    pub after: Value,
    /// Why, in the words of whoever decided.
    pub why: String,
    /// The hash of the event before.
    pub prev: String,
    /// The hash over all of the above.
    pub hash: String,
}

/// Which events are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only of this model.
    pub model: Option<String>,
    /// Only with this action.
    pub action: Option<String>,
    /// Not before, in milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Not after.
    pub to_ms: Option<i64>,
    /// The latest so many; all when not given.
    pub limit: Option<u32>,
}

/// A version behind an alias at a moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// The version.
    pub version: u32,
    /// The digest of its file.
    pub digest: String,
    /// The event that made it so.
    pub event: Event,
}

/// The hash before the first event.
const NONE: &str = "";

const COLUMNS: &str =
    "seq, at_ms, who, via, action, model, subject, before, after, why, prev, hash";

/// The hash of an event: over its fields in order, each with its length before it.
fn hash_of(seq: i64, at_ms: i64, texts: [&str; 9]) -> String {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&seq.to_le_bytes());
    bytes.extend_from_slice(&at_ms.to_le_bytes());
    for text in texts {
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    sha256_hex(&bytes)
}

impl Change<'_> {
    /// Writes the event into the log, in the transaction of what it tells, and returns its number.
    pub(super) fn log(self, transaction: &Transaction<'_>) -> Result<i64, Refusal> {
        let head: Option<(i64, String)> = transaction
            .query_row("SELECT n, hash FROM audit_head", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (n, prev) = head.unwrap_or((0, NONE.to_owned()));
        let (seq, at_ms) = (n + 1, now_ms());
        let (who, why) = (plain(&self.actor.who), plain(self.why));
        let (via, before, after) =
            (self.actor.via.text(), self.before.to_string(), self.after.to_string());
        let texts = [
            &who as &str,
            &via,
            self.action,
            self.model,
            &self.subject,
            &before,
            &after,
            &why,
            &prev,
        ];
        let hash = hash_of(seq, at_ms, texts);
        let sql = format!("INSERT INTO audit ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)");
        transaction.prepare_cached(&sql)?.execute(params![
            seq, at_ms, who, via, self.action, self.model, self.subject, before, after, why, prev, hash
        ])?;
        let sql = "INSERT OR REPLACE INTO audit_head (one, n, hash) VALUES (1, ?, ?)";
        transaction.prepare_cached(sql)?.execute(params![seq, hash])?;
        Ok(seq)
    }
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let json = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(Event {
        seq: row.get(0)?,
        at_ms: row.get(1)?,
        who: row.get(2)?,
        via: row.get(3)?,
        action: row.get(4)?,
        model: row.get(5)?,
        subject: row.get(6)?,
        before: json(row.get(7)?),
        after: json(row.get(8)?),
        why: row.get(9)?,
        prev: row.get(10)?,
        hash: row.get(11)?,
    })
}

impl Store {
    /// The decisions that match, oldest first.
    pub fn events(&self, filter: &EventFilter) -> Result<Vec<Event>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM audit WHERE (?1 IS NULL OR model = ?1) \
             AND (?2 IS NULL OR action = ?2) AND (?3 IS NULL OR at_ms >= ?3) \
             AND (?4 IS NULL OR at_ms <= ?4) ORDER BY seq DESC LIMIT ?5"
        );
        let limit = filter.limit.map_or(-1, i64::from);
        let mut events = self.read(|connection| {
            let mut query = connection.prepare_cached(&sql)?;
            let own = params![filter.model, filter.action, filter.from_ms, filter.to_ms, limit];
            let rows = query.query_map(own, event)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        events.reverse();
        Ok(events)
    }

    /// Checks every event and the chain between them, and returns how many there are.
    ///
    /// # Errors
    ///
    /// Names the first event that was altered, is missing, or does not follow from the one before.
    pub fn verify(&self) -> Result<u64, Error> {
        let broken = |seq: i64, what: &str| Error::Denied {
            what: format!("the audit log was tampered with: event {seq} {what}"),
            hint: "compare it with a backup of `karat.db`; what follows cannot be trusted".into(),
        };
        let (all, head) = self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM audit ORDER BY seq");
            let mut query = connection.prepare(&sql)?;
            let raw = |row: &Row<'_>| {
                let texts: Vec<String> =
                    (2..12).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?;
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, texts))
            };
            let all = query.query_map([], raw)?.collect::<rusqlite::Result<Vec<_>>>()?;
            let head: Option<(i64, String)> = connection
                .query_row("SELECT n, hash FROM audit_head", [], |r| Ok((r.get(0)?, r.get(1)?)))
                .optional()?;
            Ok((all, head))
        })?;
        let mut prev = NONE.to_owned();
        for (place, (seq, at_ms, texts)) in all.iter().enumerate() {
            let expected = place as i64 + 1;
            if *seq != expected {
                return Err(broken(expected, "is missing"));
            }
            let fields: [&str; 9] = std::array::from_fn(|at| texts[at].as_str());
            if texts[8] != prev {
                return Err(broken(*seq, "does not follow from the one before"));
            }
            if hash_of(*seq, *at_ms, fields) != texts[9] {
                return Err(broken(*seq, "was altered"));
            }
            prev.clone_from(&texts[9]);
        }
        let (n, hash) = head.unwrap_or((0, NONE.to_owned()));
        if n != all.len() as i64 {
            return Err(broken(all.len() as i64 + 1, "is missing"));
        }
        if hash != prev {
            return Err(broken(n, "is not the one that was written last"));
        }
        Ok(all.len() as u64)
    }

    /// The version that stood behind an alias at a moment.
    pub fn live_at(&self, model: &str, alias: &str, at_ms: i64) -> Result<Option<Held>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM audit WHERE model = ? AND action IN ('promote', 'rollback', \
             'remove alias') AND subject = ? AND at_ms <= ? ORDER BY at_ms DESC, seq DESC LIMIT 1"
        );
        let found = self.read(|connection| {
            connection.prepare_cached(&sql)?.query_row(params![model, alias, at_ms], event).optional()
        })?;
        let Some(event) = found else { return Ok(None) };
        let Some(version) = event.after["version"].as_u64().map(|version| version as u32) else {
            return Ok(None);
        };
        let digest = event.after["digest"].as_str().unwrap_or_default().to_owned();
        Ok(Some(Held { version, digest, event }))
    }
}
