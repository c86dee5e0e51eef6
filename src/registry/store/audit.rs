//! The log of decisions: written in the transaction of what it tells, read by model, action and
//! time.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;
use serde_json::Value;

use super::{Change, Refusal, Store, chain, deny, now_ms, plain};
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

impl Event {
    /// The version that it is about: the one behind the alias afterwards, or before where there is
    /// none any more.
    pub fn version(&self) -> Option<u32> {
        let of = |value: &Value| value["version"].as_u64().and_then(|n| n.try_into().ok());
        of(&self.after).or_else(|| of(&self.before)).or_else(|| match &self.action as &str {
            "retire" | "restore" | "tag" | "note" => self.subject.parse().ok(),
            _ => None,
        })
    }

    /// The alias that it moved.
    pub fn alias(&self) -> Option<&str> {
        MOVES.contains(&(&self.action as &str)).then_some(&self.subject as &str)
    }
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

/// The actions that move an alias, whose name is the subject of the event.
pub(super) const MOVES: [&str; 3] = ["promote", "rollback", "remove alias"];

/// All columns, in the order of the hash.
pub(super) const COLUMNS: &str =
    "seq, at_ms, who, via, action, model, subject, before, after, why, prev, hash";

/// A clock that was set back by less than this does not turn the order of events around.
const SET_BACK_MS: i64 = 3_600_000;

impl Change<'_> {
    /// Writes the event into the log, in the transaction of what it tells, and returns its number.
    pub(super) fn log(self, transaction: &Transaction<'_>) -> Result<i64, Refusal> {
        let (n, prev) = chain::head(transaction)?;
        let sql = "SELECT at_ms FROM audit WHERE seq = ?";
        let last: Option<i64> =
            transaction.prepare_cached(sql)?.query_row([n], |row| row.get(0)).optional()?;
        let now = now_ms();
        let at_ms = last.filter(|last| last - now < SET_BACK_MS).map_or(now, |last| last.max(now));
        self.log_at(transaction, n + 1, at_ms, &prev)
    }

    fn log_at(
        self,
        transaction: &Transaction<'_>,
        seq: i64,
        at_ms: i64,
        prev: &str,
    ) -> Result<i64, Refusal> {
        let (who, why) = (plain(&self.actor.who), plain(self.why));
        let via = self.actor.via.text();
        let (before, after) = (self.before.to_string(), self.after.to_string());
        let (action, model, subject) = (self.action, self.model, &self.subject as &str);
        let texts = [&who as &str, &via, action, model, subject, &before, &after, &why, prev];
        let hash = chain::hash_of(seq, at_ms, texts.map(str::as_bytes));
        let sql = format!("INSERT INTO audit ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)");
        transaction.prepare_cached(&sql)?.execute(params![
            seq, at_ms, who, via, action, model, subject, before, after, why, prev, hash
        ])?;
        chain::set_head(transaction, seq, &hash)?;
        Ok(seq)
    }
}

pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
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

/// The event of this number.
pub(super) fn at(connection: &Connection, seq: i64) -> rusqlite::Result<Event> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE seq = ?");
    connection.prepare_cached(&sql)?.query_row([seq], event)
}

/// The events with one of these actions on a subject, oldest first.
pub(super) fn told(
    connection: &Connection,
    model: &str,
    subject: &str,
    actions: &[&str],
) -> rusqlite::Result<Vec<Event>> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE model = ? AND subject = ? ORDER BY seq");
    let mut query = connection.prepare_cached(&sql)?;
    let all = query.query_map([model, subject], event)?;
    let mut events = all.collect::<rusqlite::Result<Vec<_>>>()?;
    events.retain(|event| actions.contains(&&*event.action));
    Ok(events)
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

    /// The version that stood behind an alias at a moment.
    ///
    /// # Errors
    ///
    /// When the event that tells it was altered.
    pub fn live_at(&self, model: &str, alias: &str, at_ms: i64) -> Result<Option<Held>, Error> {
        let found = self.read(|connection| last_move(connection, model, alias, at_ms))?;
        found.map_or(Ok(None), held)
    }
}

fn is_move() -> String {
    format!("action IN ('{}')", MOVES.join("', '"))
}

/// The last event up to a moment that moved an alias: found from the end of the index, without
/// looking at those before.
pub(super) fn last_move(
    connection: &Connection,
    model: &str,
    alias: &str,
    at_ms: i64,
) -> rusqlite::Result<Option<Event>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM audit WHERE model = ? AND subject = ? AND at_ms <= ? AND {} \
         ORDER BY at_ms DESC, seq DESC LIMIT 1",
        is_move()
    );
    connection.prepare_cached(&sql)?.query_row(params![model, alias, at_ms], event).optional()
}

/// What an event says of its alias; nothing where it was removed.
fn held(event: Event) -> Result<Option<Held>, Error> {
    if !chain::is_whole(&event) {
        return Err(chain::broken(event.seq, "was altered"));
    }
    if event.after.is_null() {
        return Ok(None);
    }
    let number = event.after["version"].as_u64().and_then(|number| u32::try_from(number).ok());
    let digest = event.after["digest"].as_str().map(str::to_owned);
    match number.zip(digest) {
        Some((version, digest)) => Ok(Some(Held { version, digest, event })),
        None => Err(deny(
            format!("event {} of the audit log names no version", event.seq),
            "a newer karat may have written it",
        )),
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::registry::store::Actor;

    /// Writes many promotions, one a second from the first second of 1970 on.
    pub(in crate::registry::store) fn promotions(store: &Store, n: i64, actor: &Actor) {
        store
            .write(|transaction| {
                for seq in 1..=n {
                    let (_, prev) = chain::head(transaction)?;
                    let change = Change {
                        actor,
                        action: "promote",
                        model: if seq % 10 == 0 { "other" } else { "pd" },
                        subject: if seq % 3 == 0 { "shadow" } else { "champion" }.into(),
                        before: Value::Null,
                        after: serde_json::json!({ "version": seq, "digest": format!("{seq:064x}") }),
                        why: "because",
                    };
                    change.log_at(transaction, seq, seq * 1000, &prev)?;
                }
                Ok(())
            })
            .unwrap();
    }
}
