//! The prediction log: what was answered, kept beside the registry in a file of its own.
//!
//! Whoever answers never waits for it: predictions go into a queue of bounded length, and what
//! does not fit is counted and dropped. One thread writes them in batches; a process that is
//! killed loses what is in the queue and at most one batch. Columns are kept, hashed or left out
//! as the policy of the model says; subjects are known by a keyed hash alone, by which all that is
//! kept of a person can be erased. Rows can be encrypted at rest.

mod labels;
mod packed;
mod policy;
mod read;
mod seal;
mod sealing;
#[cfg(test)]
mod tests;
mod write;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    time::Instant,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use labels::{LONGEST_ID, Recorded};
pub use policy::{ColumnPolicy, Columns, LogPolicy, LoggedValue};
pub use read::{Labelled, Logged};
pub use seal::Seal;

use crate::registry::Error;

const NAME: &str = "predictions.db";

/// The layout of the tables that this version knows.
const LAYOUT: u32 = 3;

// `score` and `decision` are in the payload of sealed rows. A payload is packed where `columns` says
// which values it has, and otherwise JSON, as it is in sealed rows and was before the third layout.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS predictions (
        id TEXT PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        model TEXT NOT NULL,
        version INTEGER NOT NULL,
        alias TEXT,
        key TEXT NOT NULL,
        subject TEXT,
        shadow_of TEXT,
        micros INTEGER NOT NULL,
        score REAL,
        decision TEXT,
        payload BLOB NOT NULL,
        sealed INTEGER NOT NULL,
        columns INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS column_sets (id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE);
    CREATE INDEX IF NOT EXISTS predictions_of_model ON predictions (model, version, at_ms);
    CREATE INDEX IF NOT EXISTS predictions_in_time ON predictions (at_ms);
    CREATE INDEX IF NOT EXISTS predictions_of_subject ON predictions (subject)
        WHERE subject IS NOT NULL;
    CREATE TABLE IF NOT EXISTS labels (
        id TEXT PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        value BLOB NOT NULL,
        sealed INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS labels_in_time ON labels (at_ms);
    PRAGMA user_version = 3;
";

/// So long the writer gives way once it was asked to, in milliseconds.
const WAY_MS: u64 = 200;

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
    /// The alias that was asked for.
    pub alias: Option<Arc<str>>,
    /// The public id of the key.
    pub key: Arc<str>,
    /// Whom it is about, as the caller calls them; only the hash is kept.
    pub subject: Option<String>,
    /// The prediction that this one shadows, which was answered in its place.
    pub shadow_of: Option<String>,
    /// How long it took, in microseconds.
    pub micros: u32,
    /// The score: the prediction, the probability, or the index of the class.
    pub score: f64,
    /// What it was called.
    pub decision: Arc<str>,
    /// The columns that stand behind `inputs`, with what is kept of each.
    pub columns: Arc<Columns>,
    /// The values, one for each column.
    pub inputs: Vec<LoggedValue>,
}

/// How a log is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// Predictions older than so many days are deleted.
    pub days: u32,
    /// So many wait to be written; more are dropped.
    pub queue: usize,
    /// Whether scores, decisions, inputs and labels are encrypted, with a key that lies in the
    /// workspace: from now on, and what is there already by and by.
    pub encrypt: bool,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { days: 90, queue: 8_192, encrypt: false }
    }
}

/// Predictions since the log was opened, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// They are in the file.
    pub written: u64,
    /// They did not fit into the queue.
    pub dropped: u64,
    /// The file did not take them.
    pub failed: u64,
}

/// The log, open for reading and, once started, for predictions.
#[derive(Debug)]
pub struct PredictionLog {
    path: PathBuf,
    connection: Mutex<Connection>,
    seal: Seal,
    encrypt: bool,
    queue: Option<SyncSender<write::Order>>,
    /// So many fit into the queue.
    most: usize,
    counts: Arc<Counts>,
}

#[derive(Debug)]
struct Counts {
    start: Instant,
    /// In the queue.
    waiting: AtomicU64,
    /// Until when the writer is to leave the processor to others, in milliseconds since the start.
    way_until_ms: AtomicU64,
    written: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
}

impl Counts {
    fn new() -> Self {
        let none = || AtomicU64::new(0);
        let (waiting, way_until_ms) = (none(), none());
        let start = Instant::now();
        Self { start, waiting, way_until_ms, written: none(), dropped: none(), failed: none() }
    }

    /// Milliseconds since the start, which no clock that is set changes.
    fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }
}

impl PredictionLog {
    /// Whether a workspace has one.
    pub fn exists(dir: &Path) -> bool {
        dir.join(NAME).is_file()
    }

    /// Opens the log of a workspace for reading, and for labels and erasure. It is sealed from the
    /// first time on that `encrypt` says so.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or its rows were written with another secret than there is.
    pub fn open(dir: &Path, encrypt: bool) -> Result<Self, Error> {
        Ok(Self::opened(dir, encrypt)?.0)
    }

    /// The same, with what is to be sealed of a log that is.
    fn opened(dir: &Path, encrypt: bool) -> Result<(Self, sealing::Rest), Error> {
        let path = dir.join(NAME);
        let connection = connect(&path)?;
        let seal = Seal::of_log(dir, &path, &connection)?;
        let rest = sealing::settle(&connection, encrypt)
            .map_err(|cause| Error::Database { path: path.clone(), cause })?;
        let encrypt = rest.is_some();
        let (connection, counts) = (Mutex::new(connection), Arc::new(Counts::new()));
        let own = Self { path, connection, seal, encrypt, queue: None, most: 0, counts };
        Ok((own, rest.unwrap_or(sealing::Rest::Nothing)))
    }

    /// Opens the log of a workspace, and has its writer run by `spawn` on a thread of that name.
    ///
    /// # Errors
    ///
    /// When the file cannot be written, or the thread cannot be started.
    pub fn start(
        dir: &Path,
        options: &LogOptions,
        spawn: impl FnOnce(&str, Box<dyn FnOnce() + Send>) -> io::Result<()>,
    ) -> Result<Self, Error> {
        let (mut log, rest) = Self::opened(dir, options.encrypt)?;
        let (queue, orders) = sync_channel(options.queue.max(1));
        let writer = write::Writer {
            connection: connect(&log.path)?,
            seal: log.seal.clone(),
            encrypt: log.encrypt,
            sets: Vec::new(),
            rest,
            days: options.days,
            counts: Arc::clone(&log.counts),
        };
        spawn("prediction log", Box::new(move || writer.work(&orders)))
            .map_err(|cause| Error::write(&log.path, cause))?;
        log.queue = Some(queue);
        log.most = options.queue.max(1);
        Ok(log)
    }

    /// Whether rows are encrypted.
    pub fn is_sealed(&self) -> bool {
        self.encrypt
    }

    /// Hands so many predictions in, without waiting; false where they had to be dropped. They are
    /// made by the thread that writes, so that whoever answers has nothing to do with it.
    pub fn offer(
        &self,
        n: usize,
        make: impl FnOnce(&mut Vec<Prediction>) + Send + 'static,
    ) -> bool {
        let (waiting, n_rows) = (&self.counts.waiting, n as u64);
        // Counted first, so that the writer never takes out what is not counted.
        let fits = |own: u64| Some(own + n_rows).filter(|own| *own <= self.most as u64);
        let is_counted = waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok();
        let order = || write::Order::Predictions(n_rows, Box::new(make));
        let is_taken =
            is_counted && self.queue.as_ref().is_some_and(|queue| queue.try_send(order()).is_ok());
        if is_counted && !is_taken {
            waiting.fetch_sub(n_rows, Ordering::Relaxed);
        }
        if !is_taken {
            self.drop_rows(n_rows);
        }
        is_taken
    }

    /// How many predictions the queue has room for.
    pub fn room(&self) -> usize {
        self.most.saturating_sub(self.counts.waiting.load(Ordering::Relaxed) as usize)
    }

    /// Has the writer take no more than a fifth of a processor for a moment, since whoever answers
    /// has too much to do; what then finds no room is dropped and counted.
    pub fn give_way(&self) {
        self.counts.way_until_ms.store(self.counts.now_ms() + WAY_MS, Ordering::Relaxed);
    }

    /// Counts rows that are not offered at all, because a request had too many of them.
    pub fn drop_rows(&self, n: u64) {
        self.counts.dropped.fetch_add(n, Ordering::Relaxed);
    }

    /// Waits until everything that was handed in before is written, which is soon.
    pub fn flush(&self) {
        let Some(queue) = &self.queue else { return };
        let (done, wait) = sync_channel(1);
        if queue.send(write::Order::Flush(done)).is_ok() {
            // A writer that is gone has nothing left to write.
            let _ = wait.recv();
        }
    }

    /// What became of the predictions since the log was opened.
    pub fn counts(&self) -> LogCounts {
        let of = |n: &AtomicU64| n.load(Ordering::Relaxed);
        LogCounts {
            written: of(&self.counts.written),
            dropped: of(&self.counts.dropped),
            failed: of(&self.counts.failed),
        }
    }

    /// The hash under which a subject is known.
    pub fn subject(&self, subject: &str) -> String {
        self.seal.hash(subject)
    }

    fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        work(&self.lock()).map_err(|cause| Error::Database { path: self.path.clone(), cause })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic under the lock has rolled its transaction back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(path: &Path) -> Result<Connection, Error> {
    let connection = super::connect(path)?;
    let prepare = || {
        connection.set_prepared_statement_cache_capacity(32);
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        // Pages that are written again and again go into the file once, and not every time.
        connection.pragma_update(None, "wal_autocheckpoint", 8_192)?;
        // What was erased is overwritten, and does not stay in free pages.
        connection.pragma_update(None, "secure_delete", "ON")?;
        if layout_of(&connection)? < LAYOUT {
            let transaction =
                Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
            // Another process may have been faster.
            let layout = layout_of(&transaction)?;
            if (1..LAYOUT).contains(&layout) {
                transaction.execute("ALTER TABLE predictions ADD COLUMN columns INTEGER", [])?;
            }
            if layout < LAYOUT {
                transaction.execute_batch(TABLES)?;
            }
            transaction.commit()?;
        }
        layout_of(&connection)
    };
    let layout = prepare().map_err(|cause| Error::Database { path: path.to_owned(), cause })?;
    if layout > LAYOUT {
        return Err(Error::Newer { path: path.to_owned(), found: layout, known: LAYOUT });
    }
    Ok(connection)
}

fn layout_of(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}
