//! When and how models are trained again, and what came of it.

use rusqlite::{Connection, OptionalExtension, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Actor, Change, Refusal, Store, deny, label, plain};
use crate::registry::Error;

/// When and how a model is trained again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retrain {
    /// The model.
    pub model: String,
    /// When, in the words of the schedule, such as `every 24h`; empty for alerts alone.
    pub schedule: String,
    /// Whether an alert starts it.
    pub on_alert: bool,
    /// What becomes of the candidate, in the words of the rule, such as `promote if better`.
    pub rule: String,
    /// The table with new data, in place of the one that the run was trained on.
    pub data: Option<String>,
    /// When it ran last, in milliseconds since 1970.
    pub last_ms: Option<i64>,
    /// When it runs next.
    pub next_ms: Option<i64>,
    /// The version that came of it last.
    pub candidate: Option<u32>,
    /// What came of it, in a sentence.
    pub last: String,
}

impl Store {
    /// When and how models are trained again.
    pub fn retrainings(&self) -> Result<Vec<Retrain>, Error> {
        self.read(|connection| {
            let mut query = connection.prepare_cached("SELECT job FROM retrain ORDER BY model")?;
            let jobs = query.query_map([], |row| row.get::<_, String>(0))?;
            // A job of a newer version is passed over.
            jobs.filter_map(|text| text.map(|text| serde_json::from_str(&text).ok()).transpose())
                .collect()
        })
    }

    /// Sets when and how a model is trained again.
    pub fn set_retraining(&self, job: &Retrain, actor: &Actor, why: &str) -> Result<i64, Error> {
        let job = Retrain {
            schedule: label(&job.schedule),
            rule: plain(&job.rule),
            last: plain(&job.last),
            ..job.clone()
        };
        self.write(|transaction| {
            super::models::check_known(transaction, &job.model)?;
            let before = find(transaction, &job.model)?;
            keep(transaction, &job)?;
            log(transaction, &job.model, [json!(before), json!(job)], actor, why)
        })
    }

    /// Takes a training on, if it is still to be done in this way, and says when the next one is
    /// due: of several processes that see it due one carries it out.
    pub fn claim_retraining(&self, job: &Retrain, next_ms: Option<i64>) -> Result<bool, Error> {
        self.write(|transaction| {
            let found = find(transaction, &job.model)?.filter(|found| found == job);
            let Some(found) = found else { return Ok(false) };
            keep(transaction, &Retrain { next_ms, ..found })?;
            Ok(true)
        })
    }

    /// Notes what came of training a model again, unless nobody wants it trained any more; how and
    /// when it is trained stays as it was set meanwhile.
    pub fn note_retraining(
        &self,
        model: &str,
        last_ms: i64,
        candidate: Option<u32>,
        last: &str,
        actor: &Actor,
    ) -> Result<(), Error> {
        self.write(|transaction| {
            let Some(before) = find(transaction, model)? else { return Ok(()) };
            let after = Retrain {
                last_ms: Some(last_ms),
                candidate: candidate.or(before.candidate),
                last: plain(last),
                ..before.clone()
            };
            keep(transaction, &after)?;
            log(transaction, model, [json!(before), json!(after)], actor, "carried out")?;
            Ok(())
        })
    }

    /// Trains a model no more.
    pub fn remove_retraining(&self, model: &str, actor: &Actor, why: &str) -> Result<i64, Error> {
        self.write(|transaction| {
            let before = find(transaction, model)?;
            if transaction.execute("DELETE FROM retrain WHERE model = ?", [model])? == 0 {
                let what = format!("model `{}` is not trained again", label(model));
                return Err(deny(what, "nothing is to be done").into());
            }
            log(transaction, model, [json!(before), Value::Null], actor, why)
        })
    }
}

fn keep(connection: &Connection, job: &Retrain) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO retrain (model, job) VALUES (?, ?)";
    connection.execute(sql, [&job.model, &json!(job).to_string()]).map(drop)
}

fn find(connection: &Connection, model: &str) -> rusqlite::Result<Option<Retrain>> {
    let sql = "SELECT job FROM retrain WHERE model = ?";
    let text: Option<String> = connection.query_row(sql, [model], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

fn log(
    transaction: &Transaction<'_>,
    model: &str,
    [before, after]: [Value; 2],
    actor: &Actor,
    why: &str,
) -> Result<i64, Refusal> {
    let subject = String::new();
    Change { actor, action: "retraining", model, subject, before, after, why }.log(transaction)
}
