//! Settings: of the workspace, and of how a model is served.

use rusqlite::{Connection, OptionalExtension, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Actor, Change, Refusal, Store, alias, deny, label, models, name};
use crate::registry::Error;

/// Which share of the requests the challenger answers in place of the champion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Split {
    /// The share, from 0 to 1.
    pub challenger: f64,
    /// Whether the same caller or subject always gets the same one.
    pub sticky: bool,
}

impl Split {
    pub(super) fn of(settings: &Value) -> Self {
        let found = settings.get(SPLIT).cloned();
        found.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
    }
}

const SPLIT: &str = "split";

impl Store {
    /// A setting of the workspace.
    pub fn setting(&self, name: &str) -> Result<Option<String>, Error> {
        self.read(|connection| setting(connection, name))
    }

    /// Changes a setting of the workspace.
    ///
    /// # Errors
    ///
    /// For the second person, which [`Store::set_approval`] sets.
    pub fn set_setting(
        &self,
        name: &str,
        value: &str,
        actor: &Actor,
        why: &str,
    ) -> Result<i64, Error> {
        if name == super::approval::SETTING {
            let what = format!("`{name}` is not set like other settings");
            return Err(deny(what, "`karat runs pending --require on|off` sets it"));
        }
        self.write(|transaction| set_setting(transaction, name, value, actor, why))
    }

    /// Sets how a name is served: some keys of its settings, such as the policy for missing values
    /// or a daily limit; null removes a key, and the others stay.
    pub fn set_settings(
        &self,
        name: &str,
        set: &Value,
        actor: &Actor,
        why: &str,
    ) -> Result<i64, Error> {
        let Some(set) = set.as_object().filter(|set| !set.contains_key(SPLIT)) else {
            return Err(deny(
                format!("this is not how settings of `{}` are written", label(name)),
                "write an object, and give the share of the challenger with `karat runs split`",
            ));
        };
        self.write(|transaction| {
            let before = of_model(transaction, name)?;
            let mut after = before.clone();
            if let Some(after) = after.as_object_mut() {
                after.extend(set.clone());
                after.retain(|_, value| !value.is_null());
            }
            keep(transaction, name, &after)?;
            let subject = String::new();
            Change { actor, action: "settings", model: name, subject, before, after, why }
                .log(transaction)
        })
    }
}

pub(super) fn setting(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT value FROM workspace_settings WHERE name = ?";
    connection.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()
}

pub(super) fn set_setting(
    transaction: &Transaction<'_>,
    name: &str,
    value: &str,
    actor: &Actor,
    why: &str,
) -> Result<i64, Refusal> {
    let before = setting(transaction, name)?;
    let sql = "INSERT OR REPLACE INTO workspace_settings (name, value) VALUES (?, ?)";
    transaction.execute(sql, [name, value])?;
    let (subject, before, after) = (name.to_owned(), json!(before), json!(value));
    Change { actor, action: "setting", model: "", subject, before, after, why }.log(transaction)
}

/// The split of a model as it is set.
pub(super) fn split(transaction: &Transaction<'_>, name: &str) -> Result<Split, Refusal> {
    Ok(Split::of(&of_model(transaction, name)?))
}

/// Gives the challenger its share.
pub(super) fn set_split(
    transaction: &Transaction<'_>,
    name: &str,
    split: Split,
    actor: &Actor,
    why: &str,
) -> Result<i64, Refusal> {
    if !(0.0..=1.0).contains(&split.challenger) {
        let what = format!("`{}` is no share of the requests", split.challenger);
        return Err(deny(what, "give a number from 0 to 1, for example `0.1`").into());
    }
    let mut settings = of_model(transaction, name)?;
    if split.challenger > 0.0 && !alias::is_set(transaction, name, name::CHALLENGER)? {
        let hint = format!("`karat runs promote RUN --name {name} --alias challenger` makes one");
        return Err(deny(format!("model `{name}` has no challenger"), hint).into());
    }
    let before = json!(Split::of(&settings));
    settings[SPLIT] = json!(split);
    keep(transaction, name, &settings)?;
    let (subject, after) = (String::new(), json!(split));
    Change { actor, action: "split", model: name, subject, before, after, why }.log(transaction)
}

fn of_model(transaction: &Transaction<'_>, name: &str) -> Result<Value, Refusal> {
    models::check_known(transaction, name)?;
    let sql = "SELECT settings FROM model_settings WHERE name = ?";
    let text: Option<String> = transaction.query_row(sql, [name], |row| row.get(0)).optional()?;
    let found = text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(found.filter(Value::is_object).unwrap_or_else(|| json!({})))
}

fn keep(transaction: &Transaction<'_>, name: &str, settings: &Value) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO model_settings (name, settings) VALUES (?, ?)";
    transaction.execute(sql, [name, &settings.to_string()]).map(drop)
}
