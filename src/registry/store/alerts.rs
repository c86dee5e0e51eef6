//! What monitoring found: windows, alerts, and when a model is to be trained again.

use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Actor, Change, Store, deny, now_ms, plain};
use crate::registry::Error;

/// How an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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

/// A window of monitoring, as it was stored.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoredWindow {
    /// The model.
    pub model: String,
    /// Its version.
    pub version: u32,
    /// When it ended, in milliseconds since 1970.
    pub to_ms: i64,
    /// What was found, in JSON.
    pub report: Value,
}

/// When and how a model is trained again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retrain {
    /// The model.
    pub model: String,
    /// Every so many hours; by alerts alone when not given.
    pub every_hours: Option<f64>,
    /// Whether an alert starts it.
    pub on_alert: bool,
    /// The table with new data, in place of the one that the run was trained on.
    pub data: Option<String>,
    /// Promote the candidate when it is better beyond chance; else a person decides.
    pub promote_if_better: bool,
    /// When it ran last, in milliseconds since 1970.
    pub last_ms: Option<i64>,
    /// What came of it, in a sentence.
    pub last: String,
}

/// Windows of a version that are kept.
const WINDOWS: i64 = 500;

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
    /// Raises an alert, or notes that one still stands; true when it is new.
    pub fn raise(
        &self,
        model: &str,
        version: u32,
        kind: &str,
        subject: &str,
        [value, threshold]: [f64; 2],
        sentence: &str,
    ) -> Result<bool, Error> {
        let now = now_ms();
        self.write(|transaction| {
            let sql = "UPDATE alerts SET last_ms = ?, value = ?, sentence = ? WHERE model = ? AND \
                       version = ? AND kind = ? AND subject = ? AND state != 'resolved'";
            let n = transaction
                .execute(sql, params![now, value, sentence, model, version, kind, subject])?;
            if n > 0 {
                return Ok(false);
            }
            let sql = "INSERT INTO alerts (model, version, kind, subject, value, threshold, \
                       sentence, first_ms, last_ms, state) VALUES (?,?,?,?,?,?,?,?,?,'firing')";
            transaction.execute(
                sql,
                params![model, version, kind, subject, value, threshold, sentence, now, now],
            )?;
            Ok(true)
        })
    }

    /// Resolves the alerts of a version that are not among those that still stand.
    pub fn resolve_others(
        &self,
        model: &str,
        version: u32,
        standing: &[(String, String)],
    ) -> Result<usize, Error> {
        let open = self.alerts(true)?;
        let over = |own: &&Alert| {
            let is_own = own.model == model && own.version == version;
            is_own && !standing.iter().any(|(kind, of)| *kind == own.kind && *of == own.subject)
        };
        let over: Vec<i64> = open.iter().filter(over).map(|own| own.id).collect();
        self.write(|transaction| {
            for id in &over {
                let sql = "UPDATE alerts SET state = 'resolved', last_ms = ? WHERE id = ?";
                transaction.execute(sql, params![now_ms(), id])?;
            }
            Ok(over.len())
        })
    }

    /// Alerts, newest first; only those that stand, or all.
    pub fn alerts(&self, only_open: bool) -> Result<Vec<Alert>, Error> {
        let condition = if only_open { "WHERE state != 'resolved'" } else { "" };
        let sql = format!("SELECT {COLUMNS} FROM alerts {condition} ORDER BY first_ms DESC, id DESC LIMIT 1000");
        self.read(|connection| connection.prepare_cached(&sql)?.query_map([], alert)?.collect())
    }

    /// Notes that someone has taken notice of an alert.
    pub fn acknowledge(&self, id: i64, actor: &Actor, why: &str) -> Result<(), Error> {
        self.write(|transaction| {
            let sql = format!("SELECT {COLUMNS} FROM alerts WHERE id = ?");
            let own = transaction.query_row(&sql, [id], alert).optional()?;
            let own = own.ok_or_else(|| {
                deny(format!("there is no alert {id}"), "`karat monitor alerts` lists them")
            })?;
            if own.state == AlertState::Firing {
                let sql = "UPDATE alerts SET state = 'acknowledged', by = ?, by_ms = ? WHERE id = ?";
                transaction.execute(sql, params![plain(&actor.who), now_ms(), id])?;
            }
            Change {
                actor,
                action: "acknowledge",
                model: &own.model,
                subject: id.to_string(),
                before: json!(own.state.word()),
                after: json!("acknowledged"),
                why,
            }
            .log(transaction)?;
            Ok(())
        })
    }

    /// Keeps what a window showed.
    pub fn keep_window(
        &self,
        model: &str,
        version: u32,
        to_ms: i64,
        report: &Value,
    ) -> Result<(), Error> {
        self.write(|transaction| {
            let sql = "INSERT OR REPLACE INTO windows (model, version, to_ms, report) VALUES (?,?,?,?)";
            transaction.execute(sql, params![model, version, to_ms, report.to_string()])?;
            let sql = "DELETE FROM windows WHERE model = ?1 AND version = ?2 AND to_ms <= (SELECT \
                       to_ms FROM windows WHERE model = ?1 AND version = ?2 ORDER BY to_ms DESC \
                       LIMIT 1 OFFSET ?3)";
            transaction.execute(sql, params![model, version, WINDOWS])?;
            Ok(())
        })
    }

    /// The latest windows of a version, oldest first; of all versions when none is given.
    pub fn windows(
        &self,
        model: &str,
        version: Option<u32>,
        limit: u32,
    ) -> Result<Vec<StoredWindow>, Error> {
        let sql = "SELECT model, version, to_ms, report FROM windows WHERE model = ?1 AND \
                   (?2 IS NULL OR version = ?2) ORDER BY to_ms DESC LIMIT ?3";
        let mut windows = self.read(|connection| {
            let row = |row: &Row<'_>| {
                let text: String = row.get(3)?;
                Ok(StoredWindow {
                    model: row.get(0)?,
                    version: row.get(1)?,
                    to_ms: row.get(2)?,
                    report: serde_json::from_str(&text).unwrap_or_default(),
                })
            };
            let mut query = connection.prepare_cached(sql)?;
            query.query_map(params![model, version, limit], row)?.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        windows.reverse();
        Ok(windows)
    }

    /// When and how models are trained again.
    pub fn retrainings(&self) -> Result<Vec<Retrain>, Error> {
        let texts: Vec<String> = self.read(|connection| {
            let mut query = connection.prepare_cached("SELECT job FROM retrain ORDER BY model")?;
            query.query_map([], |row| row.get(0))?.collect()
        })?;
        Ok(texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
    }

    /// Sets when and how a model is trained again; `why` may be empty for what the schedule notes
    /// itself.
    pub fn set_retraining(&self, job: &Retrain, actor: &Actor, why: &str) -> Result<(), Error> {
        self.write(|transaction| {
            let sql = "SELECT job FROM retrain WHERE model = ?";
            let before: Option<String> =
                transaction.query_row(sql, [&job.model], |row| row.get(0)).optional()?;
            let sql = "INSERT OR REPLACE INTO retrain (model, job) VALUES (?, ?)";
            transaction.execute(sql, [&job.model, &json!(job).to_string()])?;
            let before = before.and_then(|text| serde_json::from_str(&text).ok());
            let (before, after) = (before.unwrap_or(Value::Null), json!(job));
            let model = &job.model;
            Change { actor, action: "retraining", model, subject: String::new(), before, after, why }
                .log(transaction)?;
            Ok(())
        })
    }
}
