//! Named models and everything that is decided about them: versions, aliases, keys, alerts, and
//! the log of who decided what.
//!
//! All of it lies in the database of the workspace. Every change writes its event into the log in
//! the same transaction ([`Change`]), and each event is chained to the one before by its hash, so
//! that neither can be there without the other and nothing can be altered unnoticed. Files of
//! models lie under their digest and are checked whenever they are read.

mod actor;
mod alerts;
mod approval;
mod audit;
mod keys;
mod keyring;
mod models;
mod name;
mod secret;
mod settings;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use actor::{Actor, Via};
pub use alerts::{Alert, AlertState, Retrain, StoredWindow};
pub use approval::{Done, Pending};
pub use audit::{Event, EventFilter, Held};
pub use keyring::{Keyring, Refused, matches};
pub use keys::{Key, KeySpec, NewKey, Scope};
pub use models::{NamedModel, NewVersion, Version};
pub use name::{ModelName, check_alias};

use super::Error;

/// How long a process waits for another that writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The folder of model files in the workspace, each named by its digest.
const FILES: &str = "models";

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS model_versions (
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        digest TEXT NOT NULL,
        run TEXT NOT NULL,
        kind TEXT NOT NULL,
        task TEXT NOT NULL,
        target TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        by TEXT NOT NULL,
        note TEXT NOT NULL DEFAULT '',
        tags TEXT NOT NULL DEFAULT '{}',
        retired INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (name, version)
    );
    CREATE TABLE IF NOT EXISTS model_aliases (
        name TEXT NOT NULL,
        alias TEXT NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (name, alias)
    );
    CREATE TABLE IF NOT EXISTS model_settings (
        name TEXT PRIMARY KEY,
        settings TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS audit (
        seq INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        who TEXT NOT NULL,
        via TEXT NOT NULL,
        action TEXT NOT NULL,
        model TEXT NOT NULL,
        subject TEXT NOT NULL,
        before TEXT NOT NULL,
        after TEXT NOT NULL,
        why TEXT NOT NULL,
        prev TEXT NOT NULL,
        hash TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS audit_of_model ON audit (model, action, subject, at_ms);
    CREATE TABLE IF NOT EXISTS audit_head (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        n INTEGER NOT NULL,
        hash TEXT NOT NULL
    );
    CREATE TRIGGER IF NOT EXISTS audit_stays BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
    CREATE TRIGGER IF NOT EXISTS audit_is_final BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
    CREATE TABLE IF NOT EXISTS pending (
        id INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        who TEXT NOT NULL,
        via TEXT NOT NULL,
        what TEXT NOT NULL,
        why TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS api_keys (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        hash TEXT NOT NULL,
        scopes TEXT NOT NULL,
        models TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        by TEXT NOT NULL,
        expires_ms INTEGER,
        revoked_ms INTEGER,
        rate_per_second REAL,
        burst REAL,
        daily_requests INTEGER,
        daily_rows INTEGER,
        old_hash TEXT,
        old_until_ms INTEGER,
        last_used_ms INTEGER
    );
    CREATE TABLE IF NOT EXISTS alerts (
        id INTEGER PRIMARY KEY,
        model TEXT NOT NULL,
        version INTEGER NOT NULL,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        value REAL NOT NULL,
        threshold REAL NOT NULL,
        sentence TEXT NOT NULL,
        first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        state TEXT NOT NULL,
        by TEXT NOT NULL DEFAULT '',
        by_ms INTEGER
    );
    CREATE TABLE IF NOT EXISTS windows (
        model TEXT NOT NULL,
        version INTEGER NOT NULL,
        to_ms INTEGER NOT NULL,
        report TEXT NOT NULL,
        PRIMARY KEY (model, version, to_ms)
    );
    CREATE TABLE IF NOT EXISTS retrain (
        model TEXT PRIMARY KEY,
        job TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS workspace_settings (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    );
";

/// The registry of named models of a workspace.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// Where model files lie; none for a store in memory.
    folder: Option<PathBuf>,
    connection: Mutex<Connection>,
}

/// A decision on its way into the log, together with what it changes.
struct Change<'a> {
    actor: &'a Actor,
    action: &'static str,
    model: &'a str,
    /// The version, alias or key that it is about.
    subject: String,
    before: serde_json::Value,
    after: serde_json::Value,
    why: &'a str,
}

impl Store {
    /// Opens the store of the workspace in this folder, and makes it when there is none.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        // The registry makes the file with the right mode, and knows whether it may use WAL.
        drop(super::Registry::open(dir)?);
        let path = dir.join(super::DATABASE);
        let connection = Connection::open(&path);
        Self::prepare(path, connection, Some(dir.join(FILES)))
    }

    /// A store that ends with the program, for tests.
    pub fn in_memory() -> Result<Self, Error> {
        Self::prepare(PathBuf::from("memory"), Connection::open_in_memory(), None)
    }

    fn prepare(
        path: PathBuf,
        connection: rusqlite::Result<Connection>,
        folder: Option<PathBuf>,
    ) -> Result<Self, Error> {
        let failed = |cause| Error::Database { path: path.clone(), cause };
        let connection = connection.map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch(&format!("BEGIN IMMEDIATE;{TABLES}COMMIT;")).map_err(failed)?;
        Ok(Self { folder, connection: Mutex::new(connection), path })
    }

    /// A number that changes whenever another connection has changed anything.
    pub fn data_version(&self) -> Result<i64, Error> {
        self.read(|connection| connection.query_row("PRAGMA data_version", [], |row| row.get(0)))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic under the lock has rolled its transaction back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, cause: rusqlite::Error) -> Error {
        Error::Database { path: self.path.clone(), cause }
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        work(&self.lock()).map_err(|cause| self.failed(cause))
    }

    /// Does all of `work`, or nothing of it.
    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Error> {
        let mut connection = self.lock();
        let carry_out = || {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        carry_out().map_err(|refusal: Refusal| match refusal {
            Refusal::Database(cause) => self.failed(cause),
            Refusal::Said(error) => error,
        })
    }
}

/// Why a change was not made.
enum Refusal {
    Database(rusqlite::Error),
    Said(Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(cause: rusqlite::Error) -> Self {
        Self::Database(cause)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Said(error)
    }
}

/// Milliseconds since 1970.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Text from outside without control characters, and not longer than a paragraph.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(500).collect()
}

fn deny(what: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::Denied { what: what.into(), hint: hint.into() }
}
