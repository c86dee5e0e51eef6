//! Decisions about what is in service, as data: carried out, rehearsed, told in a sentence.

use rusqlite::Transaction;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Actor, Refusal, Split, alias, approval, audit, settings, versions};

/// What can be decided about what is in service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// Remove an alias.
    RemoveAlias {
        /// The name.
        name: String,
        /// The alias.
        alias: String,
    },
    /// Give the challenger a share of the requests.
    Split {
        /// The name.
        name: String,
        /// The share.
        split: Split,
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
    /// Ask no second person any more.
    ApproveNoMore,
}

impl Done {
    /// The name that it is about; empty for the whole workspace.
    pub fn name(&self) -> &str {
        match self {
            Self::Promote { name, .. }
            | Self::Rollback { name, .. }
            | Self::RemoveAlias { name, .. }
            | Self::Split { name, .. }
            | Self::Retire { name, .. }
            | Self::Restore { name, .. } => name,
            Self::ApproveNoMore => "",
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
            Self::RemoveAlias { name, alias } => format!("remove alias `{alias}` of `{name}`"),
            Self::Split { name, split } => {
                format!("give the challenger of `{name}` {} % of it", 100.0 * split.challenger)
            }
            Self::Retire { name, version } => format!("retire version {version} of `{name}`"),
            Self::Restore { name, version } => format!("restore version {version} of `{name}`"),
            Self::ApproveNoMore => "ask no second person any more".into(),
        }
    }

    pub(super) fn carry_out(
        &self,
        transaction: &Transaction<'_>,
        actor: &Actor,
        why: &str,
    ) -> Result<i64, Refusal> {
        match self {
            Self::Promote { name, version, alias } => {
                alias::point(transaction, "promote", name, (*version, alias), actor, why)
            }
            Self::Rollback { name, alias } => {
                alias::roll_back(transaction, name, alias, actor, why)
            }
            Self::RemoveAlias { name, alias } => {
                alias::remove(transaction, name, alias, actor, why)
            }
            Self::Split { name, split } => {
                settings::set_split(transaction, name, *split, actor, why)
            }
            Self::Retire { name, version } => {
                versions::set_retired(transaction, name, *version, true, actor, why)
            }
            Self::Restore { name, version } => {
                versions::set_retired(transaction, name, *version, false, actor, why)
            }
            Self::ApproveNoMore => {
                settings::set_setting(transaction, approval::SETTING, "off", actor, why)
            }
        }
    }

    /// What would come of it, without doing it.
    pub(super) fn rehearse(
        &self,
        transaction: &Transaction<'_>,
        actor: &Actor,
    ) -> Result<Value, Refusal> {
        transaction.execute_batch("SAVEPOINT rehearsal")?;
        let outcome = self.carry_out(transaction, actor, "").and_then(|seq| seen(transaction, seq));
        transaction.execute_batch("ROLLBACK TO rehearsal; RELEASE rehearsal")?;
        outcome
    }
}

/// What an event says that it changed.
pub(super) fn seen(transaction: &Transaction<'_>, seq: i64) -> Result<Value, Refusal> {
    let event = audit::at(transaction, seq)?;
    Ok(json!({ "before": event.before, "after": event.after }))
}
