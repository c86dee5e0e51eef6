//! Alerts: what a person should look at, who has, and whether it is over.

use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::json;

use super::{Actor, Change, Store, deny, label, now_ms, plain};
use crate::registry::Error;

/// How an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Nobody has taken notice.
    Firing,
    /// Someone has.
    Acknowledged,
    /// What raised it is over.
    Resolved,
}

impl AlertState {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "firing" => Self::Firing,
            "acknowledged" => Self::Acknowledged,
            _ => Self::Resolved,
        }
    }
}

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alert {
    /// Its number.
    pub id: i64,
    /// The model.
    pub model: String,
    /// Its version.
    pub version: u32,
    /// What kind of alert it is, such as `drift`.
    pub kind: String,
    /// The column or metric.
    pub subject: String,
    /// What was measured.
    pub value: f64,
    /// What it should not pass.
    pub threshold: f64,
    /// In a sentence.
    pub sentence: String,
    /// When it was raised, in milliseconds since 1970.
    pub first_ms: i64,
    /// When it was seen last.
    pub last_ms: i64,
    /// How it stands.
    pub state: AlertState,
    /// Who took notice.
    pub by: String,
    /// When.
    pub by_ms: Option<i64>,
}

/// An alert that was raised, or stood already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raised {
    /// Its number.
    pub id: i64,
    /// Whether nobody has been told of it yet.
    pub is_new: bool,
}

const COLUMNS: &str = "id, model, version, kind, subject, value, threshold, sentence, first_ms, \
                       last_ms, state, by, by_ms";

fn alert(row: &Row<'_>) -> rusqlite::Result<Alert> {
    Ok(Alert {
        id: row.get(0)?,
        model: row.get(1)?,
        version: row.get(2)?,
        kind: row.get(3)?,
        subject: row.get(4)?,
        value: row.get(5)?,
        threshold: row.get(6)?,
        sentence: row.get(7)?,
        first_ms: row.get(8)?,
        last_ms: row.get(9)?,
        state: AlertState::parse(&row.get::<_, String>(10)?),
        by: row.get(11)?,
        by_ms: row.get(12)?,
    })
}

impl Store {
    /// Raises an alert, or notes that one still stands: there is one at a time of a kind for a
    /// column of a version. The column counts as it is called, however much of its name is shown.
    pub fn raise(
        &self,
        model: &str,
        version: u32,
        (kind, subject): (&str, &str),
        [value, threshold]: [f64; 2],
        sentence: &str,
    ) -> Result<Raised, Error> {
        let (now, shown, sentence) = (now_ms(), label(subject), plain(sentence));
        self.write(|transaction| {
            let sql = "UPDATE alerts SET last_ms = ?, value = ?, threshold = ?, sentence = ? \
                       WHERE model = ? AND version = ? AND kind = ? AND identity = ? \
                       AND state != 'resolved' RETURNING id";
            let own = params![now, value, threshold, sentence, model, version, kind, subject];
            let known = transaction.prepare_cached(sql)?.query_row(own, |row| row.get(0));
            if let Some(id) = known.optional()? {
                return Ok(Raised { id, is_new: false });
            }
            let sql = "INSERT INTO alerts (model, version, kind, identity, subject, value, \
                       threshold, sentence, first_ms, last_ms, state) \
                       VALUES (?,?,?,?,?,?,?,?,?,?,'firing')";
            transaction.prepare_cached(sql)?.execute(params![
                model, version, kind, subject, shown, value, threshold, sentence, now, now
            ])?;
            Ok(Raised { id: transaction.last_insert_rowid(), is_new: true })
        })
    }

    /// Notes that what raised an alert is over, as a person says.
    pub fn resolve(&self, id: i64, actor: &Actor, why: &str) -> Result<(), Error> {
        self.answer_alert(id, AlertState::Resolved, actor, why)
    }

    /// Notes that someone has taken notice of an alert.
    pub fn acknowledge(&self, id: i64, actor: &Actor, why: &str) -> Result<(), Error> {
        self.answer_alert(id, AlertState::Acknowledged, actor, why)
    }

    fn answer_alert(
        &self,
        id: i64,
        state: AlertState,
        actor: &Actor,
        why: &str,
    ) -> Result<(), Error> {
        self.write(|transaction| {
            let sql = format!("SELECT {COLUMNS} FROM alerts WHERE id = ?");
            let own = transaction.query_row(&sql, [id], alert).optional()?;
            let own = own.ok_or_else(|| {
                deny(format!("there is no alert `{id}`"), "`karat monitor alerts` lists them")
            })?;
            if own.state >= state {
                let what = format!("alert `{id}` is {} already", own.state.word());
                return Err(deny(what, "nothing is to be done").into());
            }
            let sql = "UPDATE alerts SET state = ?, by = ?, by_ms = ? WHERE id = ?";
            let own_row = params![state.word(), plain(&actor.who), now_ms(), id];
            transaction.execute(sql, own_row)?;
            Change {
                actor,
                action: if state == AlertState::Resolved { "resolve" } else { "acknowledge" },
                model: &own.model,
                subject: id.to_string(),
                before: json!(own.state.word()),
                after: json!(state.word()),
                why,
            }
            .log(transaction)?;
            Ok(())
        })
    }

    /// Resolves the alerts of a version that are not among those that still stand, each told by
    /// its kind and its column.
    pub fn resolve_others(
        &self,
        model: &str,
        version: u32,
        standing: &[(String, String)],
    ) -> Result<usize, Error> {
        self.write(|transaction| {
            let sql = "SELECT id, kind, identity FROM alerts WHERE model = ? AND version = ? \
                       AND state != 'resolved'";
            let mut query = transaction.prepare_cached(sql)?;
            let row = |row: &Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)));
            let open = query.query_map(params![model, version], row)?;
            let mut over: Vec<(i64, (String, String))> = open.collect::<rusqlite::Result<_>>()?;
            over.retain(|(_, about)| !standing.contains(about));
            for (id, _) in &over {
                let sql = "UPDATE alerts SET state = 'resolved', last_ms = ? WHERE id = ?";
                transaction.prepare_cached(sql)?.execute(params![now_ms(), id])?;
            }
            Ok(over.len())
        })
    }

    /// Alerts, newest first; only those that stand, or all.
    pub fn alerts(&self, only_open: bool) -> Result<Vec<Alert>, Error> {
        let condition = if only_open { "WHERE state != 'resolved'" } else { "" };
        let sql = format!(
            "SELECT {COLUMNS} FROM alerts {condition} ORDER BY first_ms DESC, id DESC LIMIT 1000"
        );
        self.read(|connection| connection.prepare_cached(&sql)?.query_map([], alert)?.collect())
    }
}
