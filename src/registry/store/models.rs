//! Named models as they are read: a name with its versions, and where aliases point.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Refusal, Split, Store, deny, label, name};
use crate::data::nearest;
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

impl NamedModel {
    /// The version that `asked`, a number such as `2` or `v2` or an alias, names; the champion when
    /// nothing is asked.
    ///
    /// Without a champion there is none: any rule by which another version stepped in would put a
    /// version in service that nobody has promoted.
    pub fn version(&self, asked: Option<&str>) -> Option<&Version> {
        let asked = asked.unwrap_or(name::CHAMPION);
        let number = |text: &str| text.parse().ok();
        let written = || asked.strip_prefix('v').and_then(number);
        let number = number(asked).or_else(|| self.aliases.get(asked).copied()).or_else(written)?;
        self.versions.iter().find(|version| version.version == number)
    }

    /// What share of the requests the challenger answers.
    pub fn split(&self) -> Split {
        Split::of(&self.settings)
    }
}

pub(super) const COLUMNS: &str =
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

/// The version of this number, without its aliases.
pub(super) fn find(connection: &Connection, name: &str, number: u32) -> Result<Version, Refusal> {
    let sql = format!("SELECT {COLUMNS} FROM model_versions WHERE name = ? AND version = ?");
    let found =
        connection.prepare_cached(&sql)?.query_row(params![name, number], version).optional()?;
    found.ok_or_else(|| no_version(connection, name, &number.to_string()).into())
}

/// Refuses a name without versions.
pub(super) fn check_known(connection: &Connection, name: &str) -> Result<(), Refusal> {
    let sql = "SELECT 1 FROM model_versions WHERE name = ? LIMIT 1";
    let found = connection.prepare_cached(sql)?.query_row([name], |_| Ok(())).optional()?;
    found.ok_or_else(|| no_version(connection, name, "").into())
}

pub(super) fn no_version(connection: &Connection, name: &str, asked: &str) -> Error {
    let sql = "SELECT max(version) FROM model_versions WHERE name = ?";
    let last: Option<u32> = connection.query_row(sql, [name], |row| row.get(0)).unwrap_or(None);
    match last {
        None => deny(format!("there is no model `{}`", label(name)), near(connection, name)),
        Some(last) if asked == name::CHAMPION => deny(
            format!("model `{name}` has no champion, which answers where no version is named"),
            format!("`karat runs promote v{last} --name {name}` makes version {last} the champion"),
        ),
        Some(last) => deny(
            format!("model `{name}` has no version or alias `{}`", label(asked)),
            format!("its latest version is {last}; `karat runs registered {name}` lists them"),
        ),
    }
}

/// What may have been meant by a name that there is none of.
fn near(connection: &Connection, name: &str) -> String {
    let known = || -> rusqlite::Result<Vec<String>> {
        let mut query = connection.prepare("SELECT DISTINCT name FROM model_versions")?;
        query.query_map([], |row| row.get(0))?.collect()
    };
    // Without the names there is still something to say.
    let known = known().unwrap_or_default();
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`? `karat runs registered` lists them all"),
        None if known.is_empty() => "`karat runs promote RUN --name NAME` makes the first".into(),
        None => "`karat runs registered` lists them; `karat runs promote RUN --name NAME` adds one"
            .into(),
    }
}

impl Store {
    /// Every named model.
    pub fn models(&self) -> Result<Vec<NamedModel>, Error> {
        self.view(|transaction| Ok(named(transaction, None)?))
    }

    /// One named model; nothing where there is none of this name.
    pub fn model(&self, name: &str) -> Result<Option<NamedModel>, Error> {
        self.view(|transaction| Ok(named(transaction, Some(name))?.pop()))
    }

    /// The named model.
    ///
    /// # Errors
    ///
    /// When there is none of this name; the nearest one is named.
    pub fn known(&self, name: &str) -> Result<NamedModel, Error> {
        self.model(name)?.ok_or_else(|| no_version(&self.lock(), name, ""))
    }

    /// The version that `asked`, a number or an alias, names; the champion when nothing is asked.
    pub fn version(&self, name: &str, asked: Option<&str>) -> Result<Version, Error> {
        let found = self.model(name)?;
        let found = found.and_then(|model| model.version(asked).cloned());
        found.ok_or_else(|| no_version(&self.lock(), name, asked.unwrap_or(name::CHAMPION)))
    }
}

fn named(connection: &Connection, only: Option<&str>) -> rusqlite::Result<Vec<NamedModel>> {
    let which = "WHERE ?1 IS NULL OR name = ?1";
    let sql = format!("SELECT {COLUMNS} FROM model_versions {which} ORDER BY name, version");
    let mut query = connection.prepare_cached(&sql)?;
    let mut models: Vec<NamedModel> = Vec::new();
    for own in query.query_map([only], version)? {
        let own = own?;
        match models.last_mut() {
            Some(model) if model.name == own.name => model.versions.push(own),
            _ => models.push(NamedModel {
                name: own.name.clone(),
                versions: vec![own],
                aliases: BTreeMap::new(),
                settings: json!({}),
            }),
        }
    }
    let champion = name::CHAMPION;
    let sql = format!(
        "SELECT name, alias, version FROM model_aliases {which} \
         ORDER BY alias <> '{champion}', alias"
    );
    let mut query = connection.prepare_cached(&sql)?;
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    for found in query.query_map([only], row)? {
        let (name, alias, number): (String, String, u32) = found?;
        if let Ok(at) = models.binary_search_by(|model| model.name.cmp(&name)) {
            let versions = &mut models[at].versions;
            if let Some(own) = versions.iter_mut().find(|own| own.version == number) {
                own.aliases.push(alias.clone());
            }
            models[at].aliases.insert(alias, number);
        }
    }
    let sql = format!("SELECT name, settings FROM model_settings {which}");
    let mut query = connection.prepare_cached(&sql)?;
    for found in query.query_map([only], |row| Ok((row.get(0)?, row.get(1)?)))? {
        let (name, settings): (String, String) = found?;
        if let Ok(at) = models.binary_search_by(|model| model.name.cmp(&name)) {
            models[at].settings = serde_json::from_str(&settings).unwrap_or_else(|_| json!({}));
        }
    }
    Ok(models)
}
