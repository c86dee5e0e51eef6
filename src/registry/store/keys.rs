//! Keys to the server: made, shown once, turned, revoked.

use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::json;

use super::{
    Actor, Change, Keyring, Refusal, Scope, Store, deny, label, matches, now_ms, plain, secret,
};
use crate::registry::Error;

/// A key without its secret.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Key {
    /// The public part of it.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// Patterns of the models that it may know of, with `*` and `?`.
    pub models: Vec<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
    /// By whom.
    pub by: String,
    /// From when on it is refused.
    pub expires_ms: Option<i64>,
    /// When it was revoked.
    pub revoked_ms: Option<i64>,
    /// Requests a second in the long run.
    pub rate_per_second: Option<f64>,
    /// Requests at once after a rest.
    pub burst: Option<f64>,
    /// Requests a day.
    pub daily_requests: Option<u64>,
    /// Rows a day.
    pub daily_rows: Option<u64>,
    /// When it was used last.
    pub last_used_ms: Option<i64>,
    /// The digest of the secret, and of the one before it until then.
    #[serde(skip)]
    pub(super) hash: String,
    #[serde(skip)]
    pub(super) old: Option<(String, i64)>,
}

impl Key {
    /// Whether it may be used for this; no scope stands for another.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether it may know of this model; of others it is told that they do not exist.
    pub fn knows(&self, model: &str) -> bool {
        self.models.iter().any(|pattern| matches(pattern, model))
    }
}

/// What a new key is to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeySpec {
    /// What it is called.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// Patterns of models; all when there are none.
    pub models: Vec<String>,
    /// From when on it is refused, in milliseconds since 1970.
    pub expires_ms: Option<i64>,
    /// Requests a second in the long run.
    pub rate_per_second: Option<f64>,
    /// Requests at once after a rest.
    pub burst: Option<f64>,
    /// Requests a day.
    pub daily_requests: Option<u64>,
    /// Rows a day.
    pub daily_rows: Option<u64>,
}

/// A key that was just made, with the secret that nobody will see again.
#[derive(Clone, Debug, PartialEq)]
pub struct NewKey {
    /// What is kept of it.
    pub key: Key,
    /// The whole key, as it has to be presented.
    pub shown: String,
}

/// A key has at most so many patterns.
const PATTERNS: usize = 100;

const COLUMNS: &str = "id, name, hash, scopes, models, created_ms, by, expires_ms, revoked_ms, \
                       rate_per_second, burst, daily_requests, daily_rows, old_hash, old_until_ms, \
                       last_used_ms";

fn key(row: &Row<'_>) -> rusqlite::Result<Key> {
    let words = |text: String| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let scopes: String = row.get(3)?;
    let old_hash: Option<String> = row.get(13)?;
    let old_until: Option<i64> = row.get(14)?;
    let count = |at| row.get::<_, Option<i64>>(at).map(|n| n.map(i64::cast_unsigned));
    Ok(Key {
        id: row.get(0)?,
        name: row.get(1)?,
        hash: row.get(2)?,
        scopes: scopes.split(',').filter_map(|word| Scope::parse(word).ok()).collect(),
        models: words(row.get(4)?),
        created_ms: row.get(5)?,
        by: row.get(6)?,
        expires_ms: row.get(7)?,
        revoked_ms: row.get(8)?,
        rate_per_second: row.get(9)?,
        burst: row.get(10)?,
        daily_requests: count(11)?,
        daily_rows: count(12)?,
        old: old_hash.zip(old_until),
        last_used_ms: row.get(15)?,
    })
}

impl Store {
    /// Makes a key, for a reason.
    pub fn create_key(&self, spec: &KeySpec, actor: &Actor, why: &str) -> Result<NewKey, Error> {
        spec.check()?;
        let (id, own) = (random(secret::ID)?, random(secret::SECRET)?);
        let mut scopes = spec.scopes.clone();
        scopes.sort_unstable();
        scopes.dedup();
        let models =
            if spec.models.is_empty() { vec!["*".to_owned()] } else { spec.models.clone() };
        let key = Key {
            name: label(&spec.name),
            scopes,
            models,
            created_ms: now_ms(),
            by: plain(&actor.who),
            expires_ms: spec.expires_ms,
            revoked_ms: None,
            rate_per_second: spec.rate_per_second,
            burst: spec.burst,
            daily_requests: spec.daily_requests,
            daily_rows: spec.daily_rows,
            last_used_ms: None,
            hash: secret::stored(&own),
            old: None,
            id: id.clone(),
        };
        self.write(|transaction| {
            let words: Vec<&str> = key.scopes.iter().map(|scope| scope.word()).collect();
            let sql = format!("INSERT INTO api_keys ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,NULL,?,?,?,?,NULL,NULL,NULL)");
            transaction.execute(
                &sql,
                params![
                    key.id,
                    key.name,
                    key.hash,
                    words.join(","),
                    key.models.join(","),
                    key.created_ms,
                    key.by,
                    key.expires_ms,
                    key.rate_per_second,
                    key.burst,
                    key.daily_requests.map(signed),
                    key.daily_rows.map(signed),
                ],
            )?;
            Change {
                actor,
                action: "create key",
                model: "",
                subject: key.id.clone(),
                before: json!(null),
                after: json!({
                    "name": key.name,
                    "scopes": words,
                    "models": key.models,
                    "expires_ms": key.expires_ms,
                    "rate_per_second": key.rate_per_second,
                    "burst": key.burst,
                    "daily_requests": key.daily_requests,
                    "daily_rows": key.daily_rows,
                }),
                why,
            }
            .log(transaction)?;
            Ok(())
        })?;
        Ok(NewKey { shown: secret::key(&id, &own), key })
    }

    /// Every key, oldest first.
    pub fn keys(&self) -> Result<Vec<Key>, Error> {
        self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM api_keys ORDER BY created_ms, id");
            connection.prepare_cached(&sql)?.query_map([], key)?.collect()
        })
    }

    /// What a server needs to tell good keys from others.
    pub fn keyring(&self) -> Result<Keyring, Error> {
        Ok(Keyring::new(self.keys()?))
    }

    /// Refuses a key from this moment on.
    pub fn revoke_key(&self, id: &str, actor: &Actor, why: &str) -> Result<(), Error> {
        self.write(|transaction| {
            let own = find(transaction, id)?;
            if own.revoked_ms.is_some() {
                return Err(deny(
                    format!("key `{}` is revoked already", own.id),
                    "nothing is to be done",
                )
                .into());
            }
            let sql = "UPDATE api_keys SET revoked_ms = ?, old_hash = NULL WHERE id = ?";
            transaction.execute(sql, params![now_ms(), own.id])?;
            let (before, after) = (json!("good"), json!("revoked"));
            Change { actor, action: "revoke key", model: "", subject: own.id, before, after, why }
                .log(transaction)?;
            Ok(())
        })
    }

    /// Gives a key another secret; the old one stays good for so long.
    pub fn rotate_key(
        &self,
        id: &str,
        grace_ms: i64,
        actor: &Actor,
        why: &str,
    ) -> Result<NewKey, Error> {
        let own = random(secret::SECRET)?;
        let key = self.write(|transaction| {
            let key = find(transaction, id)?;
            if key.revoked_ms.is_some() {
                return Err(deny(format!("key `{}` is revoked", key.id), "make a new one").into());
            }
            let until = now_ms().saturating_add(grace_ms.max(0));
            let sql =
                "UPDATE api_keys SET old_hash = hash, old_until_ms = ?, hash = ? WHERE id = ?";
            transaction.execute(sql, params![until, secret::stored(&own), key.id])?;
            Change {
                actor,
                action: "rotate key",
                model: "",
                subject: key.id.clone(),
                before: json!(null),
                after: json!({ "old_until_ms": until }),
                why,
            }
            .log(transaction)?;
            Ok(key)
        })?;
        Ok(NewKey { shown: secret::key(&key.id, &own), key })
    }

    /// Notes when keys were used last.
    pub fn touch_keys(&self, used: &[(String, i64)]) -> Result<(), Error> {
        self.write(|transaction| {
            let sql =
                "UPDATE api_keys SET last_used_ms = max(coalesce(last_used_ms, 0), ?) WHERE id = ?";
            let mut query = transaction.prepare_cached(sql)?;
            for (id, at_ms) in used {
                query.execute(params![at_ms, id])?;
            }
            Ok(())
        })
    }
}

impl KeySpec {
    fn check(&self) -> Result<(), Error> {
        if self.scopes.is_empty() {
            return Err(deny("a key needs a scope", "for example `--scope infer,explain`"));
        }
        let is_pattern = |c: char| c.is_ascii_alphanumeric() || "._-*?".contains(c);
        let is_good = |p: &str| (1..=100).contains(&p.len()) && p.chars().all(is_pattern);
        if let Some(wrong) = self.models.iter().find(|pattern| !is_good(pattern)) {
            return Err(deny(
                format!("`{}` is no pattern of models", label(wrong)),
                "write names, with `*` for any letters and `?` for one",
            ));
        }
        if self.models.len() > PATTERNS {
            let what = format!("a key has at most {PATTERNS} patterns of models");
            return Err(deny(what, "use `*` for names that begin alike"));
        }
        let is_bad = |n: Option<f64>| n.is_some_and(|n| !(n.is_finite() && n > 0.0));
        if is_bad(self.rate_per_second) || is_bad(self.burst) {
            return Err(deny("a rate has to be a number above 0", "for example `--rate 100`"));
        }
        if self.expires_ms.is_some_and(|at| at <= now_ms()) {
            return Err(deny(
                "a key cannot expire in the past",
                "for example `--expires 90`, in days",
            ));
        }
        Ok(())
    }
}

/// A limit as the database holds it, where more than it can hold is no limit.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn random(n: usize) -> Result<String, Error> {
    secret::random(n)
        .map_err(|e| deny(format!("the system gives no random numbers: {e}"), "try again"))
}

/// The key that a person means by its id or, where it is the only one so called, its name.
fn find(transaction: &rusqlite::Transaction<'_>, asked: &str) -> Result<Key, Refusal> {
    let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE id = ?");
    if let Some(found) = transaction.query_row(&sql, [asked], key).optional()? {
        return Ok(found);
    }
    let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE name = ? AND revoked_ms IS NULL");
    let mut query = transaction.prepare(&sql)?;
    let mut named = query.query_map([asked], key)?.collect::<rusqlite::Result<Vec<_>>>()?;
    match named.len() {
        1 => Ok(named.remove(0)),
        0 => {
            Err(deny(format!("there is no key `{}`", label(asked)), "`karat keys list` shows them")
                .into())
        }
        n => {
            Err(deny(format!("{n} keys are called `{}`", label(asked)), "name it by its id").into())
        }
    }
}
