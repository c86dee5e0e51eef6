//! Named models and everything that is decided about them: versions, aliases, keys, alerts, the
//! log of who decided what, and the log of what was predicted.
//!
//! All but the predictions lies in the database of the workspace. Every change writes its event
//! into the log in the same transaction ([`Change`]), and each event is chained to the one before
//! by its hash, so that neither can be there without the other and nothing can be altered
//! unnoticed. Files of models lie under their digest and are checked whenever they are read.
//! Several processes use a workspace at once. The part knows no tables, no server and no screen.

mod actor;
mod alerts;
mod alias;
mod approval;
mod audit;
mod chain;
mod decision;
mod erasure;
mod keyring;
mod keys;
pub mod log;
mod models;
mod name;
mod person;
mod retrain;
mod scope;
mod secret;
mod settings;
mod tables;
mod versions;
mod windows;

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use actor::{Actor, Via};
pub use alerts::{Alert, AlertState, Raised};
pub use approval::{Outcome, Pending};
pub use audit::{Event, EventFilter, Held};
pub use chain::Verdict;
pub use decision::Done;
pub use keyring::{Keyring, Refused, covers, matches};
pub use keys::{Key, KeySpec, NewKey};
pub use models::{NamedModel, Version};
pub use name::{ModelName, check_alias};
pub use retrain::Retrain;
pub use scope::Scope;
pub use settings::Split;
pub use versions::NewVersion;
pub use windows::StoredWindow;

use super::Error;
use crate::files;

/// How long a process waits for another that writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The folder of model files in the workspace, each named by its digest.
const FILES: &str = "models";

/// The registry of named models of a workspace.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    home: Home,
    connection: Mutex<Connection>,
    n_own: AtomicU64,
}

/// Where model files are.
#[derive(Debug)]
enum Home {
    Folder(PathBuf),
    Memory(Mutex<HashMap<String, Vec<u8>>>),
}

/// Tells two states of the store apart; equal as long as nobody has changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataVersion {
    others: i64,
    own: u64,
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
    ///
    /// # Errors
    ///
    /// When the folder cannot be written, or the database is damaged.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        files::create_private_dir(dir)?;
        let path = dir.join(super::DATABASE);
        let connection = connect(&path)?;
        let failed = |cause| Error::Database { path: path.clone(), cause };
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        Self::prepare(path, connection, Home::Folder(dir.join(FILES)))
    }

    /// A store that ends with the program.
    pub fn in_memory() -> Result<Self, Error> {
        let path = PathBuf::from("memory");
        let connection = Connection::open_in_memory()
            .map_err(|cause| Error::Database { path: path.clone(), cause })?;
        Self::prepare(path, connection, Home::Memory(Mutex::default()))
    }

    fn prepare(path: PathBuf, mut connection: Connection, home: Home) -> Result<Self, Error> {
        connection.set_prepared_statement_cache_capacity(64);
        tables::prepare(&mut connection)
            .map_err(|cause| Error::Database { path: path.clone(), cause })?;
        Ok(Self { home, connection: Mutex::new(connection), n_own: AtomicU64::new(0), path })
    }

    /// Which state the store is in: asked often and cheaply, it tells a server within the second
    /// that this or another process has changed something.
    pub fn data_version(&self) -> Result<DataVersion, Error> {
        let others = self
            .read(|connection| connection.query_row("PRAGMA data_version", [], |row| row.get(0)))?;
        Ok(DataVersion { others, own: self.n_own.load(Ordering::Acquire) })
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

    /// Reads what belongs together in one transaction, so that no other process comes between.
    fn view<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Error> {
        self.transact(TransactionBehavior::Deferred, work)
    }

    /// Does all of `work`, or nothing of it.
    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Error> {
        let value = self.transact(TransactionBehavior::Immediate, work)?;
        self.n_own.fetch_add(1, Ordering::Release);
        Ok(value)
    }

    fn transact<T>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Error> {
        let mut connection = self.lock();
        let carry_out = || {
            let transaction = connection.transaction_with_behavior(behavior)?;
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

/// A connection to a database file, which is readable by its owner alone.
fn connect(path: &Path) -> Result<Connection, Error> {
    // The files that SQLite puts beside the database take on its mode.
    files::make_private(path)?;
    let failed = |cause| Error::Database { path: path.to_owned(), cause };
    let connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    if !super::database::is_on_a_network(path) {
        // A refusal leaves the rollback journal, which serves as well.
        let _ = connection.pragma_update(None, "journal_mode", "WAL");
    }
    Ok(connection)
}

/// Milliseconds since 1970, UTC.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// The longest reason, note or sentence that is kept, in characters.
const PARAGRAPH: usize = 500;
/// The longest name that is kept, in characters.
const LABEL: usize = 100;

/// Text from outside as it can be shown: without control characters and without those that turn
/// the direction of writing, and not longer than a paragraph.
fn plain(text: &str) -> String {
    clean(text, PARAGRAPH)
}

/// A name from outside, likewise.
fn label(text: &str) -> String {
    clean(text, LABEL)
}

fn clean(text: &str, limit: usize) -> String {
    let steers = |c: char| {
        matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    let space = |c: char| if c.is_whitespace() { ' ' } else { c };
    let kept = text.chars().map(space).filter(|c| !c.is_control() && !steers(*c));
    kept.take(limit).collect::<String>().trim().to_owned()
}

fn deny(what: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::Denied { what: what.into(), hint: hint.into() }
}
