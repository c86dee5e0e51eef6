//! The second person that some workspaces ask for: requests, and how they are answered.

use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::decision::{Done, seen};
use super::person::{is_known, is_same, who_scheduled};
use super::{Actor, Change, Refusal, Split, Store, Via, deny, now_ms, plain, settings};
use crate::registry::Error;

/// What came of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out, as this event of the log.
    CarriedOut(i64),
    /// It waits for a second person, under this number.
    Waits(i64),
}

impl Outcome {
    /// The number under which it waits for a second person, if it does.
    pub fn waits(self) -> Option<i64> {
        match self {
            Self::CarriedOut(_) => None,
            Self::Waits(id) => Some(id),
        }
    }
}

/// A decision that waits for a second person.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pending {
    /// Its number.
    pub id: i64,
    /// When it was asked for, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who asked; of a schedule also for whom.
    pub who: String,
    /// What would be done.
    pub done: Done,
    /// Why.
    pub why: String,
}

/// What is stored of a request: what is to be done, and what would have come of it then.
#[derive(Serialize, Deserialize)]
struct Asked {
    #[serde(flatten)]
    done: Done,
    #[serde(default)]
    seen: Value,
    /// The person for whom a schedule asks, and by what way that one set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set_by: Option<(String, String)>,
}

impl Asked {
    fn set_by(&self) -> Option<Actor> {
        let (who, via) = self.set_by.as_ref()?;
        Some(Actor { who: who.clone(), via: Via::parse(via) })
    }
}

/// A request that nobody has answered by then is forgotten.
const EXPIRES_MS: i64 = 7 * 86_400_000;

/// The setting that asks for a second person.
pub(super) const SETTING: &str = "approval";

impl Store {
    /// Whether decisions wait for a second person.
    pub fn needs_approval(&self) -> Result<bool, Error> {
        self.read(needs_approval)
    }

    /// Sets whether they do; that they no longer do is itself such a decision.
    pub fn set_approval(&self, on: bool, actor: &Actor, why: &str) -> Result<Outcome, Error> {
        if on {
            let set = |transaction: &Transaction<'_>| {
                settings::set_setting(transaction, SETTING, "on", actor, why)
            };
            return self.write(set).map(Outcome::CarriedOut);
        }
        self.decide(&Done::ApproveNoMore, actor, why)
    }

    /// Does it or, where the workspace asks for a second person, asks for one. What could not be
    /// done is refused at once.
    pub fn decide(&self, done: &Done, actor: &Actor, why: &str) -> Result<Outcome, Error> {
        self.write(|transaction| {
            if !needs_approval(transaction)? {
                return done.carry_out(transaction, actor, why).map(Outcome::CarriedOut);
            }
            expire(transaction)?;
            check_known(transaction, actor)?;
            let set_by = match actor.via {
                Via::Schedule => who_scheduled(transaction, done.name())?,
                Via::Login | Via::Key(_) => None,
            };
            let asked = Asked {
                seen: done.rehearse(transaction, actor)?,
                set_by: set_by.map(|own| (own.who, own.via.text())),
                done: done.clone(),
            };
            let sql = "INSERT INTO pending (at_ms, who, via, what, why) VALUES (?, ?, ?, ?, ?)";
            let (who, via, what) = (plain(&actor.who), actor.via.text(), json!(asked).to_string());
            transaction.execute(sql, params![now_ms(), who, via, what, plain(why)])?;
            let id = transaction.last_insert_rowid();
            log(transaction, "ask approval", id, done, Value::Null, actor, why)?;
            Ok(Outcome::Waits(id))
        })
    }

    /// Points an alias to a version.
    pub fn promote(
        &self,
        name: &str,
        version: u32,
        alias: &str,
        actor: &Actor,
        why: &str,
    ) -> Result<Outcome, Error> {
        let (name, alias) = (name.to_owned(), alias.to_owned());
        self.decide(&Done::Promote { name, version, alias }, actor, why)
    }

    /// Points an alias to the version that it pointed to before.
    pub fn rollback(
        &self,
        name: &str,
        alias: &str,
        actor: &Actor,
        why: &str,
    ) -> Result<Outcome, Error> {
        self.decide(&Done::Rollback { name: name.into(), alias: alias.into() }, actor, why)
    }

    /// Removes an alias.
    pub fn remove_alias(
        &self,
        name: &str,
        alias: &str,
        actor: &Actor,
        why: &str,
    ) -> Result<Outcome, Error> {
        self.decide(&Done::RemoveAlias { name: name.into(), alias: alias.into() }, actor, why)
    }

    /// Gives the challenger a share of the requests.
    pub fn set_split(
        &self,
        name: &str,
        split: Split,
        actor: &Actor,
        why: &str,
    ) -> Result<Outcome, Error> {
        self.decide(&Done::Split { name: name.into(), split }, actor, why)
    }

    /// Takes a version out of service.
    pub fn retire(
        &self,
        name: &str,
        version: u32,
        actor: &Actor,
        why: &str,
    ) -> Result<Outcome, Error> {
        self.decide(&Done::Retire { name: name.into(), version }, actor, why)
    }

    /// Takes a version back into service.
    pub fn restore(
        &self,
        name: &str,
        version: u32,
        actor: &Actor,
        why: &str,
    ) -> Result<Outcome, Error> {
        self.decide(&Done::Restore { name: name.into(), version }, actor, why)
    }

    /// The decisions that wait, oldest first.
    pub fn pending(&self) -> Result<Vec<Pending>, Error> {
        let since = now_ms() - EXPIRES_MS;
        self.read(|connection| {
            let sql = "SELECT id, at_ms, who, what, why FROM pending WHERE at_ms > ? ORDER BY id";
            let mut query = connection.prepare_cached(sql)?;
            let row = |row: &Row<'_>| {
                let what: String = row.get(3)?;
                // A newer version may know more that can be decided.
                let asked: Result<Asked, _> = serde_json::from_str(&what);
                let Ok(Asked { done, set_by, .. }) = asked else { return Ok(None) };
                let (id, at_ms, who, why) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(4)?);
                let who = match set_by {
                    Some((person, _)) => format!("{who} for {person}"),
                    None => who,
                };
                Ok(Some(Pending { id, at_ms, who, done, why }))
            };
            query.query_map([since], row)?.filter_map(Result::transpose).collect()
        })
    }

    /// Carries out what someone else asked for.
    ///
    /// # Errors
    ///
    /// When it may be the same person, or the one who set the schedule that asked; when nothing
    /// waits under this number; or when what would come of it is not what the one who asked has
    /// seen.
    pub fn approve(&self, id: i64, actor: &Actor, why: &str) -> Result<Done, Error> {
        self.write(|transaction| {
            expire(transaction)?;
            check_known(transaction, actor)?;
            let (asker, reason, asked) = take(transaction, id)?;
            for one in [Some(asker.clone()), asked.set_by()].into_iter().flatten() {
                if is_same(transaction, &one, actor)? {
                    let what =
                        format!("`{}` asked for this, so someone else has to approve it", one.who);
                    return Err(deny(what, "log in as another person").into());
                }
            }
            let Asked { done, seen: expected, .. } = asked;
            let before = json!({ "asked_by": asker.who, "why": reason });
            log(transaction, "approve", id, &done, before, actor, why)?;
            let why = format!("{reason} (approved by {})", actor.who);
            let seq = done.carry_out(transaction, &asker, &why)?;
            if seen(transaction, seq)? != expected {
                let what = format!("since request {id} was made, things have changed");
                return Err(deny(what, "reject it, look at how things are, and ask again").into());
            }
            Ok(done)
        })
    }

    /// Refuses what someone asked for, or takes back what one asked for oneself.
    pub fn reject(&self, id: i64, actor: &Actor, why: &str) -> Result<Done, Error> {
        self.write(|transaction| {
            expire(transaction)?;
            let (asker, reason, Asked { done, .. }) = take(transaction, id)?;
            let before = json!({ "asked_by": asker.who, "why": reason });
            log(transaction, "reject", id, &done, before, actor, why)?;
            Ok(done)
        })
    }
}

pub(super) fn needs_approval(connection: &rusqlite::Connection) -> rusqlite::Result<bool> {
    Ok(settings::setting(connection, SETTING)?.as_deref() == Some("on"))
}

fn log(
    transaction: &Transaction<'_>,
    action: &'static str,
    id: i64,
    done: &Done,
    before: Value,
    actor: &Actor,
    why: &str,
) -> Result<i64, Refusal> {
    let (subject, after) = (id.to_string(), json!(done));
    Change { actor, action, model: done.name(), subject, before, after, why }.log(transaction)
}

/// Takes a request out of the table: who asked, why, and for what.
fn take(transaction: &Transaction<'_>, id: i64) -> Result<(Actor, String, Asked), Refusal> {
    let sql = "DELETE FROM pending WHERE id = ? RETURNING who, via, what, why";
    let row = |row: &Row<'_>| {
        let via: String = row.get(1)?;
        let asker = Actor { who: row.get(0)?, via: Via::parse(&via) };
        Ok((asker, row.get(3)?, row.get::<_, String>(2)?))
    };
    let none =
        || deny(format!("no decision `{id}` waits"), "`karat runs pending` lists those that do");
    let found = transaction.prepare_cached(sql)?.query_row([id], row).optional()?;
    let (asker, why, what) = found.ok_or_else(none)?;
    let asked = serde_json::from_str(&what).map_err(|_| {
        deny(format!("decision `{id}` is of a kind that is not known"), "use the newer karat")
    })?;
    Ok((asker, why, asked))
}

/// Refuses whoever cannot be told from another person.
fn check_known(transaction: &Transaction<'_>, actor: &Actor) -> Result<(), Refusal> {
    if is_known(transaction, actor)? {
        return Ok(());
    }
    let what = format!("`{}` is nobody that a second person can be told from", plain(&actor.who));
    Err(deny(what, "give a key, or do it at the terminal").into())
}

/// Forgets requests that nobody answered within a week.
fn expire(transaction: &Transaction<'_>) -> Result<(), Refusal> {
    let sql = "SELECT id FROM pending WHERE at_ms <= ? ORDER BY id";
    let mut query = transaction.prepare_cached(sql)?;
    let since = now_ms() - EXPIRES_MS;
    let over: Vec<i64> =
        query.query_map([since], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for id in &over {
        let sql = "DELETE FROM pending WHERE id = ? RETURNING who, what";
        let (who, what): (String, String) =
            transaction.query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let before: Value = serde_json::from_str(&what).unwrap_or_default();
        let model = before["name"].as_str().unwrap_or("").to_owned();
        Change {
            actor: &Actor::schedule(),
            action: "expire",
            model: &model,
            subject: id.to_string(),
            before: json!({ "asked_by": who, "request": before }),
            after: Value::Null,
            why: "nobody answered within a week",
        }
        .log(transaction)?;
    }
    Ok(())
}
