//! The database: which runs there are, and the number that the next one gets.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::manifest::StoredSummary;
use super::{Error, RunSummary};
use crate::files;
use crate::train::RunId;

/// The layout of the tables that this version knows.
const LAYOUT: u32 = 1;

/// How long a process waits for another that writes.
const PATIENCE: Duration = Duration::from_secs(10);

const TABLES: &str = "
    CREATE TABLE counter (name TEXT PRIMARY KEY, next INTEGER NOT NULL);
    INSERT INTO counter VALUES ('run', 1);
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        number INTEGER NOT NULL,
        summary TEXT NOT NULL,
        note TEXT NOT NULL DEFAULT ''
    );
    PRAGMA user_version = 1;
";

/// A connection to the database, shared by the threads of this process.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    connection: Mutex<Connection>,
}

/// Whether the tables were there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Another process, or an earlier one, made them.
    Tables,
    /// They have just been made.
    Nothing,
}

impl Database {
    /// Opens the file, readable by its owner alone, and makes the tables if it is empty.
    pub(super) fn open(path: &Path) -> Result<(Self, Found), Error> {
        // The files that SQLite puts beside the database take on its mode.
        files::make_private(path)?;
        Self::prepare(path, Connection::open(path), is_on_a_network(path))
    }

    /// A database that ends with the program.
    pub(super) fn in_memory() -> Result<Self, Error> {
        let connection = Connection::open_in_memory();
        Self::prepare(Path::new("memory"), connection, true).map(|(database, _)| database)
    }

    fn prepare(
        path: &Path,
        connection: rusqlite::Result<Connection>,
        is_remote: bool,
    ) -> Result<(Self, Found), Error> {
        let failed = |cause| Error::Database { path: path.to_owned(), cause };
        let mut connection = connection.map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        if !is_remote {
            // A refusal, such as from a process that opens it at this moment, leaves the
            // rollback journal, which serves as well.
            let _ = connection.pragma_update(None, "journal_mode", "WAL");
        }
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let layout: u32 =
            transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
        if layout > LAYOUT {
            return Err(Error::Newer { path: path.to_owned(), found: layout, known: LAYOUT });
        }
        if layout == 0 {
            transaction.execute_batch(TABLES).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        let found = if layout == 0 { Found::Nothing } else { Found::Tables };
        Ok((Self { path: path.to_owned(), connection: Mutex::new(connection) }, found))
    }

    /// A number that no run has had before, whatever becomes of this one.
    pub(super) fn next_number(&self) -> Result<u64, Error> {
        self.write(|transaction| {
            let sql = "UPDATE counter SET next = next + 1 WHERE name = 'run' RETURNING next - 1";
            transaction.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
        })
    }

    /// Makes a run known, and sees to it that its number is not given again.
    pub(super) fn insert(&self, number: u64, summary: &RunSummary) -> Result<(), Error> {
        let stored = serde_json::to_string(&StoredSummary::from(summary))
            .map_err(|e| Error::Store { what: "a run", cause: e.to_string() })?;
        let number = number.cast_signed();
        self.write(|transaction| {
            let sql = "INSERT OR REPLACE INTO runs (id, number, summary, note) VALUES (?, ?, ?, ?)";
            transaction.execute(sql, params![summary.id.0, number, stored, summary.note])?;
            let sql = "UPDATE counter SET next = max(next, ? + 1) WHERE name = 'run'";
            transaction.execute(sql, [number]).map(drop)
        })
    }

    /// Every run, oldest first; those that a newer version wrote in its own way are passed over.
    pub(super) fn list(&self) -> Result<Vec<RunSummary>, Error> {
        let connection = self.lock();
        let read = || {
            let mut query =
                connection.prepare("SELECT summary, note FROM runs ORDER BY number, id")?;
            let rows = query
                .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        let rows = read().map_err(|cause| self.failed(cause))?;
        let summary = |(summary, note): (String, String)| {
            let stored: StoredSummary = serde_json::from_str(&summary).ok()?;
            stored.into_summary(note).ok()
        };
        Ok(rows.into_iter().filter_map(summary).collect())
    }

    /// Whether the run is known.
    pub(super) fn has(&self, id: &RunId) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM runs WHERE id = ?";
        let found = self.lock().query_row(sql, [&id.0], |_| Ok(())).optional();
        found.map(|row| row.is_some()).map_err(|cause| self.failed(cause))
    }

    /// Writes a note to a run; false when there is no such run.
    pub(super) fn note(&self, id: &RunId, text: &str) -> Result<bool, Error> {
        self.write(|transaction| {
            let sql = "UPDATE runs SET note = ? WHERE id = ?";
            transaction.execute(sql, params![text, id.0]).map(|n| n > 0)
        })
    }

    /// Forgets a run.
    pub(super) fn delete(&self, id: &RunId) -> Result<(), Error> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM runs WHERE id = ?", [&id.0]).map(drop)
        })
    }

    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let mut connection = self.lock();
        let carry_out = || {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        carry_out().map_err(|cause| self.failed(cause))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic under the lock has rolled its transaction back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, cause: rusqlite::Error) -> Error {
        Error::Database { path: self.path.clone(), cause }
    }
}

/// Whether the file lies on another machine, where the shared memory of WAL does not reach.
pub(super) fn is_on_a_network(path: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    file_system(&mounts, &path).is_some_and(|name| {
        let networks = [
            "nfs", "cifs", "smb", "fuse.", "9p", "ceph", "lustre", "gpfs", "beegfs", "afs",
            "gluster",
        ];
        networks.iter().any(|n| name.starts_with(n))
    })
}

/// The name of the file system that `path` lies on, from a list such as `/proc/self/mounts`.
fn file_system<'a>(mounts: &'a str, path: &Path) -> Option<&'a str> {
    let mounted = |line: &'a str| {
        let mut words = line.split(' ').skip(1);
        let folder = words.next()?.replace("\\040", " ");
        let name = words.next()?;
        path.starts_with(&folder).then_some((folder.len(), name))
    };
    // Of two mounts on one folder the later one is seen.
    mounts.lines().filter_map(mounted).max_by_key(|(depth, _)| *depth).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_mount_holds_the_file() {
        let mounts = "/dev/sda1 / ext4 rw 0 0\nserver:/home /home nfs4 rw 0 0\n\
                      tmpfs /home/ann/a\\040b tmpfs rw 0 0\n";
        let check = |path: &str, expected| {
            assert_eq!(file_system(mounts, Path::new(path)), Some(expected), "{path}");
        };
        check("/srv/karat.db", "ext4");
        check("/home/ann/.karat/karat.db", "nfs4");
        check("/home/ann/a b/karat.db", "tmpfs");
        assert_eq!(file_system("", Path::new("/srv")), None);
    }

    #[test]
    fn numbers_are_never_given_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("karat.db");
        let (one, found) = Database::open(&path).unwrap();
        assert_eq!(found, Found::Nothing);
        let (other, found) = Database::open(&path).unwrap();
        assert_eq!(found, Found::Tables);
        let numbers = [&one, &other, &one].map(|db| db.next_number().unwrap());
        assert_eq!(numbers, [1, 2, 3]);
    }

    #[test]
    fn a_layout_of_the_future_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("karat.db");
        drop(Database::open(&path).unwrap());
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
        let text = Database::open(&path).unwrap_err().to_string();
        assert!(text.contains("newer karat: it has format 9"), "{text}");
    }

    #[test]
    fn rubbish_is_no_database() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("karat.db");
        crate::files::write(&path, &[b'x'; 5000]).unwrap();
        let text = Database::open(&path).unwrap_err().to_string();
        assert!(text.contains("it is damaged\nhint: move it away"), "{text}");
    }
}
