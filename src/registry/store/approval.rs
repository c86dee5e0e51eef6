//! Decisions about what is in service, and the second person that some workspaces ask for.

use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Actor, Change, Refusal, Store, deny, models, now_ms, plain};
use crate::registry::Error;

/// What can be done to versions in service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Done {
    /// Point an alias to a version.
    Promote {
        /// The name.
        name: String,
        /// The version.
        version: u32,
        /// The alias.
        alias: String,
    },
    /// Point an alias to the version that it pointed to before.
    Rollback {
        /// The name.
        name: String,
        /// The alias.
        alias: String,
    },
    /// Take a version out of service.
    Retire {
        /// The name.
        name: String,
        /// The version.
        version: u32,
    },
    /// Take it back into service.
    Restore {
        /// The name.
        name: String,
        /// The version.
        version: u32,
    },
}

impl Done {
    /// The name that it is about.
    pub fn name(&self) -> &str {
        match self {
            Self::Promote { name, .. }
            | Self::Rollback { name, .. }
            | Self::Retire { name, .. }
            | Self::Restore { name, .. } => name,
        }
    }

    /// In a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::Promote { name, version, alias } => {
                format!("make version {version} of `{name}` its `{alias}`")
            }
            Self::Rollback { name, alias } => {
                format!("point `{alias}` of `{name}` to the version before")
            }
            Self::Retire { name, version } => format!("retire version {version} of `{name}`"),
            Self::Restore { name, version } => format!("restore version {version} of `{name}`"),
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
    /// Who asked.
    pub who: String,
    /// What would be done.
    pub done: Done,
    /// Why.
    pub why: String,
}

/// A request that nobody has answered by then is forgotten.
const EXPIRES_MS: i64 = 7 * 86_400_000;

const SETTING: &str = "approval";

impl Store {
    /// Whether decisions wait for a second person.
    pub fn needs_approval(&self) -> Result<bool, Error> {
        Ok(self.setting(SETTING)?.as_deref() == Some("on"))
    }

    /// Sets whether they do.
    pub fn set_approval(&self, on: bool, actor: &Actor, why: &str) -> Result<i64, Error> {
        self.set_setting(SETTING, if on { "on" } else { "off" }, actor, why)
    }

    /// Does it or, where the workspace asks for a second person, asks for one; returns the number
    /// of the request then.
    pub fn decide(&self, done: &Done, actor: &Actor, why: &str) -> Result<Option<i64>, Error> {
        if !self.needs_approval()? {
            return self.write(|transaction| carry_out(transaction, done, actor, why)).map(|_| None);
        }
        self.write(|transaction| {
            let sql = "INSERT INTO pending (at_ms, who, via, what, why) VALUES (?, ?, ?, ?, ?)";
            let what = json!(done).to_string();
            transaction.execute(
                sql,
                params![now_ms(), plain(&actor.who), actor.via.text(), what, plain(why)],
            )?;
            let id = transaction.last_insert_rowid();
            let change = Change {
                actor,
                action: "ask approval",
                model: done.name(),
                subject: id.to_string(),
                before: Value::Null,
                after: json!(done),
                why,
            };
            change.log(transaction)?;
            Ok(Some(id))
        })
    }

    /// The decisions that wait, oldest first.
    pub fn pending(&self) -> Result<Vec<Pending>, Error> {
        let since = now_ms() - EXPIRES_MS;
        let rows = self.read(|connection| {
            let sql = "SELECT id, at_ms, who, what, why FROM pending WHERE at_ms > ? ORDER BY id";
            let mut query = connection.prepare_cached(sql)?;
            let row = |row: &rusqlite::Row<'_>| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?, row.get(4)?))
            };
            query.query_map([since], row)?.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        let pending = |(id, at_ms, who, what, why): (_, _, _, String, _)| {
            Some(Pending { id, at_ms, who, done: serde_json::from_str(&what).ok()?, why })
        };
        Ok(rows.into_iter().filter_map(pending).collect())
    }

    /// Carries out what someone else asked for.
    ///
    /// # Errors
    ///
    /// When it is the same person, or nothing waits under this number.
    pub fn approve(&self, id: i64, actor: &Actor, why: &str) -> Result<Done, Error> {
        self.answer(id, actor, why, true)
    }

    /// Refuses what someone asked for.
    pub fn reject(&self, id: i64, actor: &Actor, why: &str) -> Result<Done, Error> {
        self.answer(id, actor, why, false)
    }

    fn answer(&self, id: i64, actor: &Actor, why: &str, yes: bool) -> Result<Done, Error> {
        let since = now_ms() - EXPIRES_MS;
        self.write(|transaction| {
            let sql = "SELECT who, via, what, why FROM pending WHERE id = ? AND at_ms > ?";
            let found: Option<(String, String, String, String)> = transaction
                .query_row(sql, [id, since], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))
                .optional()?;
            let none = || {
                deny(format!("no decision {id} waits"), "`karat runs pending` lists those that do")
            };
            let (asker, via, what, reason) = found.ok_or_else(none)?;
            let done: Done = serde_json::from_str(&what).map_err(|_| none())?;
            let is_same = person(&asker) == person(&actor.who) || via == actor.via.text() && via != "login";
            if yes && is_same {
                return Err(deny(
                    format!("`{asker}` asked for this, so someone else has to approve it"),
                    "log in as another person",
                )
                .into());
            }
            transaction.execute("DELETE FROM pending WHERE id = ?", [id])?;
            Change {
                actor,
                action: if yes { "approve" } else { "reject" },
                model: done.name(),
                subject: id.to_string(),
                before: json!({ "asked_by": asker, "why": reason }),
                after: json!(done),
                why,
            }
            .log(transaction)?;
            if yes {
                let why = format!("{reason} (approved by {})", actor.who);
                let asker = Actor { who: asker, via: actor.via.clone() };
                carry_out(transaction, &done, &asker, &why)?;
            }
            Ok(done)
        })
    }
}

/// The login without the address it came from.
fn person(who: &str) -> &str {
    who.split(" from ").next().unwrap_or(who)
}

fn carry_out(
    transaction: &rusqlite::Transaction<'_>,
    done: &Done,
    actor: &Actor,
    why: &str,
) -> Result<i64, Refusal> {
    match done {
        Done::Promote { name, version, alias } => {
            models::point(transaction, "promote", name, *version, alias, actor, why)
        }
        Done::Rollback { name, alias } => {
            let version = models::before(transaction, name, alias)?;
            models::point(transaction, "rollback", name, version, alias, actor, why)
        }
        Done::Retire { name, version } => {
            models::set_retired(transaction, name, *version, true, actor, why)
        }
        Done::Restore { name, version } => {
            models::set_retired(transaction, name, *version, false, actor, why)
        }
    }
}
