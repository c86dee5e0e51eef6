//! Named models: numbered versions, and aliases that point to them.

use std::collections::BTreeMap;
use std::fs;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Actor, Change, ModelName, Refusal, Store, check_alias, deny, now_ms, plain};
use crate::files::{self, sha256_hex};
use crate::registry::Error;

/// A version of a named model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Version {
    /// The name.
    pub name: String,
    /// Its number, from 1; no number is ever given twice.
    pub version: u32,
    /// The digest of its file.
    pub digest: String,
    /// The run it came from.
    pub run: String,
    /// The kind of model.
    pub kind: String,
    /// Regression or classification.
    pub task: String,
    /// The column it predicts.
    pub target: String,
    /// When it was registered, in milliseconds since 1970.
    pub created_ms: i64,
    /// By whom.
    pub by: String,
    /// What a person wrote about it.
    pub note: String,
    /// Free tags.
    pub tags: BTreeMap<String, String>,
    /// Whether it is out of service for good, unless it is restored.
    pub retired: bool,
    /// The aliases that point to it.
    pub aliases: Vec<String>,
}

/// A name with all its versions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NamedModel {
    /// The name.
    pub name: String,
    /// Its versions, oldest first.
    pub versions: Vec<Version>,
    /// Where aliases point.
    pub aliases: BTreeMap<String, u32>,
    /// How it is served, as it was set.
    pub settings: Value,
}

/// What is told of a version when it is registered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewVersion {
    /// The run it comes from.
    pub run: String,
    /// The kind of model.
    pub kind: String,
    /// Regression or classification.
    pub task: String,
    /// The column it predicts.
    pub target: String,
}

const COLUMNS: &str =
    "name, version, digest, run, kind, task, target, created_ms, by, note, tags, retired";

fn version(row: &Row<'_>) -> rusqlite::Result<Version> {
    let tags: String = row.get(10)?;
    Ok(Version {
        name: row.get(0)?,
        version: row.get(1)?,
        digest: row.get(2)?,
        run: row.get(3)?,
        kind: row.get(4)?,
        task: row.get(5)?,
        target: row.get(6)?,
        created_ms: row.get(7)?,
        by: row.get(8)?,
        note: row.get(9)?,
        tags: serde_json::from_str(&tags).unwrap_or_default(),
        retired: row.get(11)?,
        aliases: Vec::new(),
    })
}

fn find(connection: &Connection, name: &str, number: u32) -> Result<Version, Refusal> {
    let sql = format!("SELECT {COLUMNS} FROM model_versions WHERE name = ? AND version = ?");
    let found =
        connection.prepare_cached(&sql)?.query_row(params![name, number], version).optional()?;
    found.ok_or_else(|| no_version(connection, name, &number.to_string()).into())
}

fn no_version(connection: &Connection, name: &str, asked: &str) -> Error {
    let sql = "SELECT max(version) FROM model_versions WHERE name = ?";
    let last: Option<u32> = connection.query_row(sql, [name], |row| row.get(0)).unwrap_or(None);
    match last {
        None => deny(
            format!("there is no model `{}`", plain(name)),
            "`karat runs registered` lists them; `karat runs promote RUN --name NAME` adds one",
        ),
        Some(last) => deny(
            format!("model `{name}` has no version or alias `{}`", plain(asked)),
            format!("its latest version is {last}; `karat runs registered {name}` lists them"),
        ),
    }
}

/// The version behind an alias.
pub(super) fn behind(connection: &Connection, name: &str, alias: &str) -> rusqlite::Result<Option<u32>> {
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
    number: u32,
    alias: &str,
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

/// The version that an alias pointed to before the one it points to.
pub(super) fn before(transaction: &Transaction<'_>, name: &str, alias: &str) -> Result<u32, Refusal> {
    let now = behind(transaction, name, alias)?;
    let none = || deny(
        format!("alias `{}` of `{}` never pointed to another version", plain(alias), plain(name)),
        format!("`karat runs audit --name {name}` shows where it pointed"),
    );
    let sql = "SELECT before FROM audit WHERE model = ? AND subject = ? \
               AND action IN ('promote', 'rollback') ORDER BY seq DESC";
    let mut query = transaction.prepare_cached(sql)?;
    let texts = query.query_map([name, alias], |row| row.get::<_, String>(0))?;
    for text in texts {
        let value: Value = serde_json::from_str(&text?).unwrap_or_default();
        let number = value["version"].as_u64().map(|n| n as u32);
        if let Some(number) = number.filter(|number| Some(*number) != now) {
            return Ok(number);
        }
    }
    Err(none().into())
}

/// Takes a version out of service, or back into it.
pub(super) fn set_retired(
    transaction: &Transaction<'_>,
    name: &str,
    number: u32,
    retired: bool,
    actor: &Actor,
    why: &str,
) -> Result<i64, Refusal> {
    let before = find(transaction, name, number)?;
    let sql = "SELECT alias FROM model_aliases WHERE name = ? AND version = ? LIMIT 1";
    let alias: Option<String> = transaction
        .prepare_cached(sql)?
        .query_row(params![name, number], |row| row.get(0))
        .optional()?;
    if let Some(alias) = alias.filter(|_| retired) {
        return Err(deny(
            format!("version {number} of `{name}` is the `{alias}`"),
            "point the alias to another version first",
        )
        .into());
    }
    let sql = "UPDATE model_versions SET retired = ? WHERE name = ? AND version = ?";
    transaction.prepare_cached(sql)?.execute(params![retired, name, number])?;
    let (action, state) = if retired { ("retire", "retired") } else { ("restore", "in service") };
    let was = if before.retired { "retired" } else { "in service" };
    Change {
        actor,
        action,
        model: name,
        subject: number.to_string(),
        before: json!(was),
        after: json!(state),
        why,
    }
    .log(transaction)
}

impl Store {
    /// Makes a model file the next version of a name. Its bytes lie under their digest before the
    /// database speaks of them.
    pub fn register(
        &self,
        name: &ModelName,
        bytes: &[u8],
        about: &NewVersion,
        actor: &Actor,
        why: &str,
    ) -> Result<Version, Error> {
        let digest = sha256_hex(bytes);
        if let Some(folder) = &self.folder {
            files::create_private_dir(folder)?;
            let path = folder.join(format!("{digest}.karat"));
            if fs::read(&path).map_or(true, |there| sha256_hex(&there) != digest) {
                files::write(&path, bytes)?;
            }
        }
        let name = name.as_str();
        self.write(|transaction| {
            let sql = "SELECT coalesce(max(version), 0) + 1 FROM model_versions WHERE name = ?";
            let number: u32 = transaction.query_row(sql, [name], |row| row.get(0))?;
            let sql = format!(
                "INSERT INTO model_versions ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,'','{{}}',0)"
            );
            let NewVersion { run, kind, task, target } = about;
            transaction.execute(
                &sql,
                params![name, number, digest, run, kind, task, target, now_ms(), plain(&actor.who)],
            )?;
            let own = find(transaction, name, number)?;
            Change {
                actor,
                action: "register",
                model: name,
                subject: number.to_string(),
                before: Value::Null,
                after: json!({ "version": number, "digest": digest, "run": run, "kind": kind }),
                why,
            }
            .log(transaction)?;
            Ok(own)
        })
    }

    /// The bytes of a model file, which are those that were registered.
    ///
    /// # Errors
    ///
    /// When the file is not there or its digest is another.
    pub fn bytes_of(&self, digest: &str) -> Result<Vec<u8>, Error> {
        let Some(folder) = &self.folder else {
            return Err(deny("a workspace in memory keeps no model files", "give it a folder"));
        };
        let path = folder.join(format!("{digest}.karat"));
        let bytes = fs::read(&path).map_err(|cause| Error::read(&path, cause))?;
        if sha256_hex(&bytes) == digest {
            return Ok(bytes);
        }
        Err(Error::altered(&path, "its digest is not that of its name"))
    }

    /// Every named model.
    pub fn models(&self) -> Result<Vec<NamedModel>, Error> {
        let (versions, aliases, settings) = self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM model_versions ORDER BY name, version");
            let versions: Vec<Version> =
                connection.prepare_cached(&sql)?.query_map([], version)?.collect::<Result<_, _>>()?;
            let sql = "SELECT name, alias, version FROM model_aliases ORDER BY alias";
            let aliases: Vec<(String, String, u32)> = connection
                .prepare_cached(sql)?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<Result<_, _>>()?;
            let sql = "SELECT name, settings FROM model_settings";
            let settings: BTreeMap<String, String> = connection
                .prepare_cached(sql)?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            Ok((versions, aliases, settings))
        })?;
        let mut models: Vec<NamedModel> = Vec::new();
        for mut own in versions {
            let of_own = aliases.iter().filter(|(name, ..)| *name == own.name);
            own.aliases = of_own
                .clone()
                .filter(|(_, _, number)| *number == own.version)
                .map(|(_, alias, _)| alias.clone())
                .collect();
            if models.last().is_none_or(|model| model.name != own.name) {
                models.push(NamedModel {
                    name: own.name.clone(),
                    versions: Vec::new(),
                    aliases: of_own.map(|(_, alias, number)| (alias.clone(), *number)).collect(),
                    settings: settings
                        .get(&own.name)
                        .and_then(|text| serde_json::from_str(text).ok())
                        .unwrap_or_else(|| json!({})),
                });
            }
            if let Some(model) = models.last_mut() {
                model.versions.push(own);
            }
        }
        Ok(models)
    }

    /// The version that `number` or an alias names; the champion, else the latest in service, when
    /// neither is given.
    pub fn version(&self, name: &str, asked: Option<&str>) -> Result<Version, Error> {
        let models = self.models()?;
        let missing = |asked: &str| no_version(&self.lock(), name, asked);
        let Some(model) = models.into_iter().find(|model| model.name == name) else {
            return Err(missing(""));
        };
        let number = match asked {
            Some(asked) => match asked.parse() {
                Ok(number) => number,
                Err(_) => *model.aliases.get(asked).ok_or_else(|| missing(asked))?,
            },
            None => {
                let latest = model.versions.iter().rev().find(|version| !version.retired);
                let latest = latest.map(|version| version.version);
                *model.aliases.get("champion").or(latest.as_ref()).ok_or_else(|| missing(""))?
            }
        };
        let found = model.versions.into_iter().find(|version| version.version == number);
        found.ok_or_else(|| missing(&number.to_string()))
    }

    /// Removes an alias.
    pub fn remove_alias(&self, name: &str, alias: &str, actor: &Actor, why: &str) -> Result<i64, Error> {
        self.write(|transaction| {
            let Some(number) = behind(transaction, name, alias)? else {
                return Err(no_version(transaction, name, alias).into());
            };
            let before = find(transaction, name, number)?;
            let sql = "DELETE FROM model_aliases WHERE name = ? AND alias = ?";
            transaction.execute(sql, [name, alias])?;
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
        })
    }

    /// Writes a note to a version, in place of the one before.
    pub fn annotate(&self, name: &str, number: u32, note: &str, actor: &Actor) -> Result<i64, Error> {
        let note = plain(note);
        self.write(|transaction| {
            let before = find(transaction, name, number)?;
            let sql = "UPDATE model_versions SET note = ? WHERE name = ? AND version = ?";
            transaction.execute(sql, params![note, name, number])?;
            Change {
                actor,
                action: "note",
                model: name,
                subject: number.to_string(),
                before: json!(before.note),
                after: json!(note),
                why: "",
            }
            .log(transaction)
        })
    }

    /// Sets a tag of a version, or removes it.
    pub fn tag(
        &self,
        name: &str,
        number: u32,
        key: &str,
        value: Option<&str>,
        actor: &Actor,
    ) -> Result<i64, Error> {
        let key = plain(key);
        self.write(|transaction| {
            let mut own = find(transaction, name, number)?;
            let before = own.tags.clone();
            match value {
                Some(value) => own.tags.insert(key.clone(), plain(value)),
                None => own.tags.remove(&key),
            };
            let sql = "UPDATE model_versions SET tags = ? WHERE name = ? AND version = ?";
            transaction.execute(sql, params![json!(own.tags).to_string(), name, number])?;
            Change {
                actor,
                action: "tag",
                model: name,
                subject: number.to_string(),
                before: json!(before),
                after: json!(own.tags),
                why: "",
            }
            .log(transaction)
        })
    }

    /// Sets how a name is served: some keys of its settings, the others stay.
    pub fn set_settings(&self, name: &str, set: &Value, actor: &Actor, why: &str) -> Result<i64, Error> {
        self.write(|transaction| {
            if transaction
                .query_row("SELECT 1 FROM model_versions WHERE name = ?", [name], |_| Ok(()))
                .optional()?
                .is_none()
            {
                return Err(no_version(transaction, name, "").into());
            }
            let sql = "SELECT settings FROM model_settings WHERE name = ?";
            let text: Option<String> =
                transaction.query_row(sql, [name], |row| row.get(0)).optional()?;
            let before: Value =
                text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_else(|| json!({}));
            let mut after = before.clone();
            if let (Some(after), Some(set)) = (after.as_object_mut(), set.as_object()) {
                after.extend(set.clone());
            }
            let sql = "INSERT OR REPLACE INTO model_settings (name, settings) VALUES (?, ?)";
            transaction.execute(sql, [name, &after.to_string()])?;
            Change { actor, action: "settings", model: name, subject: String::new(), before, after, why }
                .log(transaction)
        })
    }
}
