//! Aliases: words such as `champion` that point to a version, and where they pointed before.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::{Value, json};

use super::models::{check_known, find, no_version};
use super::{Actor, Change, Refusal, Split, Version, check_alias, deny, label, name, settings};

/// The version behind an alias.
fn behind(connection: &Connection, name: &str, alias: &str) -> rusqlite::Result<Option<u32>> {
    let sql = "SELECT version FROM model_aliases WHERE name = ? AND alias = ?";
    connection.prepare_cached(sql)?.query_row([name, alias], |row| row.get(0)).optional()
}

fn told(version: Option<&Version>) -> Value {
    version.map_or(Value::Null, |v| json!({ "version": v.version, "digest": v.digest }))
}

/// Points an alias to a version.
pub(super) fn point(
    transaction: &Transaction<'_>,
    action: &'static str,
    name: &str,
    (number, alias): (u32, &str),
    actor: &Actor,
    why: &str,
) -> Result<i64, Refusal> {
    check_alias(alias)?;
    let after = find(transaction, name, number)?;
    if after.retired {
        return Err(deny(
            format!("version {number} of `{name}` is retired"),
            format!("`karat runs restore {name} --version {number}` brings it back first"),
        )
        .into());
    }
    let before = behind(transaction, name, alias)?;
    let before = before.map(|number| find(transaction, name, number)).transpose()?;
    let sql = "INSERT OR REPLACE INTO model_aliases (name, alias, version) VALUES (?, ?, ?)";
    transaction.prepare_cached(sql)?.execute(params![name, alias, number])?;
    Change {
        actor,
        action,
        model: name,
        subject: alias.to_owned(),
        before: told(before.as_ref()),
        after: told(Some(&after)),
        why,
    }
    .log(transaction)
}

/// Points an alias to the version that it pointed to before the one it points to.
pub(super) fn roll_back(
    transaction: &Transaction<'_>,
    name: &str,
    alias: &str,
    actor: &Actor,
    why: &str,
) -> Result<i64, Refusal> {
    let number = before(transaction, name, alias)?;
    point(transaction, "rollback", name, (number, alias), actor, why)
}

/// The version that an alias pointed to before; the last one, where it points nowhere.
fn before(transaction: &Transaction<'_>, name: &str, alias: &str) -> Result<u32, Refusal> {
    check_known(transaction, name)?;
    let now = behind(transaction, name, alias)?;
    let sql = "SELECT before FROM audit WHERE model = ? AND subject = ? AND action IN \
               ('promote', 'rollback', 'remove alias') ORDER BY seq DESC";
    let mut query = transaction.prepare_cached(sql)?;
    for text in query.query_map([name, alias], |row| row.get::<_, String>(0))? {
        let value: Value = serde_json::from_str(&text?).unwrap_or_default();
        let number = value["version"].as_u64().and_then(|number| u32::try_from(number).ok());
        if let Some(number) = number.filter(|number| Some(*number) != now) {
            return Ok(number);
        }
    }
    Err(deny(
        format!("alias `{}` of `{}` never pointed to another version", label(alias), label(name)),
        format!("`karat runs audit --name {}` shows where it pointed", label(name)),
    )
    .into())
}

/// Removes an alias; without a challenger nothing is left for it.
pub(super) fn remove(
    transaction: &Transaction<'_>,
    name: &str,
    alias: &str,
    actor: &Actor,
    why: &str,
) -> Result<i64, Refusal> {
    let Some(number) = behind(transaction, name, alias)? else {
        return Err(no_version(transaction, name, alias).into());
    };
    let before = find(transaction, name, number)?;
    let sql = "DELETE FROM model_aliases WHERE name = ? AND alias = ?";
    transaction.execute(sql, [name, alias])?;
    if alias == name::CHALLENGER {
        let split = settings::split(transaction, name)?;
        if split.challenger > 0.0 {
            let nothing = Split { challenger: 0.0, ..split };
            settings::set_split(transaction, name, nothing, actor, why)?;
        }
    }
    Change {
        actor,
        action: "remove alias",
        model: name,
        subject: alias.to_owned(),
        before: told(Some(&before)),
        after: Value::Null,
        why,
    }
    .log(transaction)
}

/// Whether an alias points anywhere.
pub(super) fn is_set(connection: &Connection, name: &str, alias: &str) -> rusqlite::Result<bool> {
    behind(connection, name, alias).map(|found| found.is_some())
}
