//! The prediction log: what was answered, kept beside the registry in a file of its own.
//!
//! Whoever answers never waits for it: predictions go into a queue of bounded length, and what
//! does not fit is counted and dropped. One thread writes them in batches. Columns are kept,
//! hashed or left out as the policy of the model says; subjects are known by a keyed hash alone,
//! by which all that is kept of a person can be erased. Rows can be encrypted at rest.

mod policy;
mod read;
mod seal;
#[cfg(test)]
mod tests;
mod write;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

pub use policy::{ColumnPolicy, Columns, LoggedValue};
pub use read::{Labelled, Logged, Recorded};
pub use seal::Seal;

use super::Error;
use crate::jobs;

const NAME: &str = "predictions.db";

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS predictions (
        id TEXT PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        model TEXT NOT NULL,
        version INTEGER NOT NULL,
        key TEXT NOT NULL,
        subject TEXT,
        score REAL NOT NULL,
        decision TEXT NOT NULL,
        inputs BLOB NOT NULL,
        sealed INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS predictions_of_model ON predictions (model, version, at_ms);
    CREATE INDEX IF NOT EXISTS predictions_of_subject ON predictions (subject) WHERE subject IS NOT NULL;
    CREATE TABLE IF NOT EXISTS labels (
        id TEXT PRIMARY KEY,
        value TEXT NOT NULL,
        at_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
";

/// What a prediction was, on its way into the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Its id, by which a label finds it.
    pub id: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The model.
    pub model: Arc<str>,
    /// Its version.
    pub version: u32,
    /// The public id of the key.
    pub key: String,
    /// Whom it is about, as the caller calls them; only its hash is kept.
    pub subject: Option<String>,
    /// The score: the prediction, the probability, or the index of the class.
    pub score: f64,
    /// What it was called.
    pub decision: String,
    /// The columns that stand behind `inputs`, with what is kept of each.
    pub columns: Arc<Columns>,
    /// The values, one for each column.
    pub inputs: Vec<LoggedValue>,
}

/// How a log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// Predictions older than so many days are deleted.
    pub days: u32,
    /// So many wait to be written; more are dropped.
    pub queue: usize,
    /// Whether inputs are encrypted, with a key that lies in the workspace.
    pub encrypt: bool,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { days: 90, queue: 16_384, encrypt: false }
    }
}

/// The log, open for reading and writing.
#[derive(Debug)]
pub struct PredictionLog {
    path: PathBuf,
    connection: Mutex<Connection>,
    seal: Seal,
    queue: Option<SyncSender<write::Order>>,
    counts: Arc<Counts>,
}

/// How many predictions went which way.
#[derive(Debug, Default)]
struct Counts {
    written: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
}

impl PredictionLog {
    /// Whether a workspace has one.
    pub fn exists(dir: &Path) -> bool {
        dir.join(NAME).is_file()
    }

    /// Opens the log of a workspace for reading, and for labels and erasure.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(NAME);
        let failed = |cause| Error::Database { path: path.clone(), cause };
        let mut options = std::fs::OpenOptions::new();
        options.read(true).append(true).create(true);
        // The files that SQLite puts beside the database take on its mode.
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path).map_err(|cause| Error::write(&path, cause))?;
        let connection = Connection::open(&path).map_err(failed)?;
        connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(failed)?;
        if !super::database::is_on_a_network(&path) {
            // A refusal leaves the rollback journal, which serves as well.
            let _ = connection.pragma_update(None, "journal_mode", "WAL");
        }
        connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
        connection.execute_batch(TABLES).map_err(failed)?;
        let seal = Seal::of(dir)?;
        Ok(Self {
            connection: Mutex::new(connection),
            seal,
            queue: None,
            counts: Arc::default(),
            path,
        })
    }

    /// Opens the log of a workspace, and starts the thread that writes to it.
    pub fn start(dir: &Path, options: &LogOptions) -> Result<Self, Error> {
        let mut log = Self::open(dir)?;
        let failed = |cause| Error::Database { path: log.path.clone(), cause };
        let connection = Connection::open(&log.path).map_err(failed)?;
        connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(failed)?;
        connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
        let (queue, orders) = sync_channel(options.queue.max(1));
        let writer = write::Writer {
            connection,
            seal: log.seal.clone(),
            encrypt: options.encrypt,
            days: options.days,
            counts: Arc::clone(&log.counts),
        };
        jobs::service("prediction log", move || writer.work(&orders))
            .map_err(|cause| Error::write(&log.path, cause))?;
        log.queue = Some(queue);
        Ok(log)
    }

    /// Hands a prediction in; false where it had to be dropped.
    pub fn offer(&self, prediction: Prediction) -> bool {
        let order = write::Order::Prediction(Box::new(prediction));
        let taken = match &self.queue {
            Some(queue) => match queue.try_send(order) {
                Ok(()) => true,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
            },
            None => false,
        };
        if !taken {
            self.drop_rows(1);
        }
        taken
    }

    /// Counts rows that are not offered at all, because a request had too many of them.
    pub fn drop_rows(&self, n: u64) {
        self.counts.dropped.fetch_add(n, Ordering::Relaxed);
    }

    /// Waits until everything that was handed in before is written.
    pub fn flush(&self) {
        let Some(queue) = &self.queue else { return };
        let (done, wait) = sync_channel(1);
        if queue.send(write::Order::Flush(done)).is_ok() {
            // A writer that is gone has nothing left to write.
            let _ = wait.recv();
        }
    }

    /// Predictions written and dropped since the log was opened.
    pub fn counts(&self) -> (u64, u64) {
        let of = |n: &AtomicU64| n.load(Ordering::Relaxed);
        (of(&self.counts.written), of(&self.counts.dropped) + of(&self.counts.failed))
    }

    /// The hash under which a subject is known.
    pub fn subject(&self, subject: &str) -> String {
        self.seal.hash(subject)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic under the lock has rolled its transaction back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, cause: rusqlite::Error) -> Error {
        Error::Database { path: self.path.clone(), cause }
    }
}
