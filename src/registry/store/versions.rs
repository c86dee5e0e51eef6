//! Versions: registered, read back, described, and taken out of service.

use std::fs;
use std::path::Path;
use std::sync::PoisonError;

use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::{Value, json};

use super::approval::needs_approval;
use super::models::{self, COLUMNS, find};
use super::{
    Actor, Change, Home, ModelName, Refusal, Store, Version, alias, deny, label, name, now_ms,
    plain,
};
use crate::files::{self, sha256_hex};
use crate::registry::Error;

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

/// A version has at most so many tags.
const TAGS: usize = 50;

impl Store {
    /// Makes a model file the next version of a name. Its bytes lie under their digest before the
    /// database speaks of them; those that lie there already are not written again.
    ///
    /// The first version of a name is its champion at once, unless the workspace asks for a second
    /// person; no later one changes what answers.
    pub fn register(
        &self,
        name: &ModelName,
        bytes: &[u8],
        about: &NewVersion,
        actor: &Actor,
        why: &str,
    ) -> Result<Version, Error> {
        let digest = sha256_hex(bytes);
        match &self.home {
            Home::Folder(folder) => keep(folder, &digest, bytes)?,
            Home::Memory(kept) => {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.insert(digest.clone(), bytes.to_owned());
            }
        }
        let model = name.as_str();
        self.write(|transaction| {
            // Versions are never deleted, so that their numbers are not given twice.
            let sql = "SELECT coalesce(max(version), 0) + 1 FROM model_versions WHERE name = ?";
            let number: u32 = transaction.query_row(sql, [model], |row| row.get(0))?;
            let sql = format!(
                "INSERT INTO model_versions ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,'','{{}}',0)"
            );
            let NewVersion { run, kind, task, target } = about;
            transaction.execute(
                &sql,
                params![
                    model,
                    number,
                    digest,
                    run,
                    kind,
                    task,
                    target,
                    now_ms(),
                    plain(&actor.who)
                ],
            )?;
            let mut own = find(transaction, model, number)?;
            Change {
                actor,
                action: "register",
                model,
                subject: number.to_string(),
                before: Value::Null,
                after: json!({ "version": number, "digest": digest, "run": run, "kind": kind }),
                why,
            }
            .log(transaction)?;
            if number == 1 && !needs_approval(transaction)? {
                let to = (number, name::CHAMPION);
                alias::point(transaction, "promote", &own.name, to, actor, why)?;
                own.aliases.push(name::CHAMPION.to_owned());
            }
            Ok(own)
        })
    }

    /// The bytes of a model file, which are those that were registered.
    ///
    /// # Errors
    ///
    /// When the file is not there or its digest is another.
    pub fn bytes_of(&self, digest: &str) -> Result<Vec<u8>, Error> {
        if digest.len() != 64 || !digest.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(deny(
                format!("`{}` is no digest of a model file", label(digest)),
                "a digest has 64 hexadecimal digits",
            ));
        }
        let bytes = match &self.home {
            Home::Folder(folder) => {
                let path = folder.join(file(digest));
                fs::read(&path).map_err(|cause| Error::read(&path, cause))?
            }
            Home::Memory(kept) => {
                let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.get(digest).cloned().ok_or_else(|| {
                    deny(format!("there is no model file `{}`", short(digest)), "register it again")
                })?
            }
        };
        if sha256_hex(&bytes) == digest {
            return Ok(bytes);
        }
        Err(deny(
            format!("model file `{}` is altered", short(digest)),
            format!(
                "put `models/{}` back from a backup, or register the model again",
                file(digest)
            ),
        ))
    }

    /// Writes a note to a version, in place of the one before.
    pub fn annotate(
        &self,
        name: &str,
        number: u32,
        note: &str,
        actor: &Actor,
    ) -> Result<i64, Error> {
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
        let key = label(key);
        if key.is_empty() {
            return Err(deny(
                "a tag needs a name",
                "for example `karat runs tag credit@2 owner=risk`",
            ));
        }
        self.write(|transaction| {
            let mut own = find(transaction, name, number)?;
            let before = own.tags.clone();
            match value {
                Some(value) => own.tags.insert(key.clone(), plain(value)),
                None => own.tags.remove(&key),
            };
            if own.tags.len() > TAGS {
                let what = format!("version {number} of `{name}` has {TAGS} tags already");
                return Err(deny(what, "remove one first").into());
            }
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
}

fn file(digest: &str) -> String {
    format!("{digest}.karat")
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

fn keep(folder: &Path, digest: &str, bytes: &[u8]) -> Result<(), Error> {
    files::create_private_dir(folder)?;
    let path = folder.join(file(digest));
    let is_there = fs::read(&path).is_ok_and(|there| sha256_hex(&there) == digest);
    if !is_there {
        files::write(&path, bytes)?;
    }
    Ok(())
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
    let before = models::find(transaction, name, number)?;
    let words = |retired| if retired { "retired" } else { "in service" };
    if before.retired == retired {
        let what = format!("version {number} of `{name}` is {} already", words(retired));
        return Err(deny(what, "nothing is to be done").into());
    }
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
    Change {
        actor,
        action: if retired { "retire" } else { "restore" },
        model: name,
        subject: number.to_string(),
        before: json!(words(before.retired)),
        after: json!(words(retired)),
        why,
    }
    .log(transaction)
}
