//! Everything on disk: the runs of a workspace, the session, the command log, and model files.
//!
//! This is the only room that knows how the workspace folder is laid out: `karat.db` (which runs
//! there are), `runs/<id>/` (experiment, results, scores, model), `session.json` and
//! `history.jsonl`, all readable by their owner alone. Two processes may use a folder at once, and
//! nothing half-written is ever visible: folders and files are written beside their place and
//! moved there, and the database speaks of them only afterwards. Where nothing can be written a
//! [`Registry`] works in memory, and says so. The room knows nothing of screens and servers.

mod database;
mod error;
mod manifest;
mod model_file;
mod run_folder;
mod shelf;
pub mod store;
mod summary;
mod tensors;

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fs::{self, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use error::Error;
pub use model_file::{LoadedModel, load_model, model_bytes, parse as parse_model, save_model};
pub use shelf::{Aside, Unfinished};
pub use summary::RunSummary;

use crate::data::nearest;
use crate::files;
use crate::jobs::MemoryShelf;
use crate::train::{Run, RunId};
use database::{Database, Found};

const DATABASE: &str = "karat.db";
const RUNS: &str = "runs";
const SESSION: &str = "session.json";
const HISTORY: &str = "history.jsonl";

/// What is kept of a workspace, in its folder or in memory.
#[derive(Debug)]
pub struct Registry {
    home: Home,
    database: Database,
}

#[derive(Debug)]
enum Home {
    Folder(PathBuf),
    Memory { reason: String, kept: Mutex<Kept>, shelf: Arc<MemoryShelf> },
}

/// What would stand in files.
#[derive(Debug, Default)]
struct Kept {
    runs: HashMap<RunId, Run>,
    session: Option<serde_json::Value>,
    history: Vec<String>,
}

impl Registry {
    /// Whether there is a workspace in this folder; asking does not make one.
    pub fn exists(dir: &Path) -> bool {
        dir.join(DATABASE).is_file()
    }

    /// Opens the workspace in a folder, and makes it when there is none.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written, or was written by a newer version.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let runs = dir.join(RUNS);
        files::create_private_dir(&runs)?;
        let ignore = dir.join(".gitignore");
        if !ignore.exists() {
            // Tables and what was learnt from them do not belong into a repository.
            files::write(&ignore, b"*\n")?;
        }
        let (database, found) = Database::open(&dir.join(DATABASE))?;
        let registry = Self { home: Home::Folder(dir.to_owned()), database };
        run_folder::tidy(&runs);
        if found == Found::Nothing {
            registry.find_again(&runs)?;
        }
        Ok(registry)
    }

    /// Opens the workspace in a folder or, where that fails, one in memory together with a
    /// sentence that says so.
    ///
    /// # Panics
    ///
    /// If a database cannot be made in memory either.
    pub fn open_or_memory(dir: &Path) -> (Self, Option<String>) {
        match Self::open(dir) {
            Ok(registry) => (registry, None),
            Err(error) => {
                let text = crate::jobs::error_text(&error);
                let (reason, hint) = text.split_once("\nhint: ").unwrap_or((&text, ""));
                let mut notice = format!("{reason}; runs are kept in memory until karat ends");
                if !hint.is_empty() {
                    notice = format!("{notice}\nhint: {hint}");
                }
                (Self::in_memory(reason), Some(notice))
            }
        }
    }

    /// A workspace that ends with the program.
    ///
    /// # Panics
    ///
    /// If there is no memory for an empty database.
    pub fn in_memory(reason: impl Into<String>) -> Self {
        let database = Database::in_memory().expect("an empty database fits into memory");
        let home =
            Home::Memory { reason: reason.into(), kept: Mutex::default(), shelf: Arc::default() };
        Self { home, database }
    }

    /// Why nothing is kept beyond the end of the program; `None` when it is.
    pub fn memory_reason(&self) -> Option<&str> {
        match &self.home {
            Home::Folder(_) => None,
            Home::Memory { reason, .. } => Some(reason),
        }
    }

    /// The folder of the workspace, when it has one.
    pub fn dir(&self) -> Option<&Path> {
        match &self.home {
            Home::Folder(dir) => Some(dir),
            Home::Memory { .. } => None,
        }
    }

    /// Keeps a run under an id of its own, which no other run has had or will have.
    pub fn keep(&self, mut run: Run) -> Result<(Run, RunSummary), Error> {
        let number = self.database.next_number()?;
        run.id = RunId(format!("r{number:04}"));
        match &self.home {
            Home::Folder(dir) => run_folder::write(&dir.join(RUNS), &run)?,
            Home::Memory { kept, .. } => {
                lock(kept).runs.insert(run.id.clone(), run.clone());
            }
        }
        let summary = RunSummary::of(&run);
        self.database.insert(number, &summary)?;
        Ok((run, summary))
    }

    /// Every run at a glance, oldest first.
    pub fn list(&self) -> Result<Vec<RunSummary>, Error> {
        self.database.list()
    }

    /// The id that a person means by `r0007`, `r7` or `7`.
    pub fn find(&self, typed: &str) -> Result<RunId, Error> {
        let exact = RunId(typed.to_owned());
        if self.database.has(&exact)? {
            return Ok(exact);
        }
        let ids: Vec<RunId> = self.list()?.into_iter().map(|run| run.id).collect();
        let digits = typed.strip_prefix('r').unwrap_or(typed);
        let meant: Option<u64> = digits.parse().ok();
        if let Some(id) = ids.iter().find(|id| meant.is_some() && number(&id.0) == meant) {
            return Ok(id.clone());
        }
        let hint = match (nearest(typed, ids.iter().map(|id| id.0.as_str())), ids.last()) {
            (Some(near), _) => format!("did you mean `{near}`? `karat runs list` shows them all"),
            (None, Some(last)) => {
                format!("the latest is `{last}`; `karat runs list` shows them all")
            }
            (None, None) => "there are none yet; `karat train` makes one".into(),
        };
        Err(Error::NoRun { id: typed.to_owned(), hint })
    }

    /// The whole run.
    pub fn load(&self, id: &RunId) -> Result<Run, Error> {
        let id = self.find(&id.0)?;
        match &self.home {
            Home::Folder(dir) => run_folder::read(&dir.join(RUNS), &id),
            Home::Memory { kept, .. } => lock(kept).runs.get(&id).cloned().ok_or_else(|| {
                Error::NoRun { id: id.0.clone(), hint: "it was deleted meanwhile".into() }
            }),
        }
    }

    /// The model of a run, with what is told of its origin.
    pub fn load_model(&self, id: &RunId) -> Result<LoadedModel, Error> {
        let id = self.find(&id.0)?;
        if let Some(path) = self.artifact(&id) {
            return load_model(&path);
        }
        let run = self.load(&id)?;
        model_file::parse(Path::new(&id.0), &model_file::bytes(&run)?)
    }

    /// The model file of a run, when the workspace is a folder.
    pub fn artifact(&self, id: &RunId) -> Option<PathBuf> {
        Some(self.dir()?.join(RUNS).join(&id.0).join(run_folder::MODEL))
    }

    /// Deletes a run for good; its id is not given again.
    pub fn delete(&self, id: &RunId) -> Result<(), Error> {
        let id = self.find(&id.0)?;
        if let Home::Folder(dir) = &self.home {
            // A version in service could not be trained again without its run.
            let models = store::Store::open(dir)?.models()?;
            let mut versions = models.into_iter().flat_map(|model| model.versions);
            if let Some(own) = versions.find(|own| !own.retired && own.run == id.0) {
                return Err(Error::Denied {
                    what: format!("run `{id}` is behind version {} of `{}`", own.version, own.name),
                    hint: format!(
                        "`karat runs retire {} --version {}` takes it out of service first",
                        own.name, own.version
                    ),
                });
            }
        }
        self.database.delete(&id)?;
        match &self.home {
            Home::Folder(dir) => run_folder::remove(&dir.join(RUNS), &id),
            Home::Memory { kept, .. } => {
                lock(kept).runs.remove(&id);
                Ok(())
            }
        }
    }

    /// Writes a note to a run, in place of the one before.
    pub fn note(&self, id: &RunId, text: &str) -> Result<(), Error> {
        let id = self.find(&id.0)?;
        self.database.note(&id, text).map(drop)
    }

    /// Keeps what the screen wants to find again, in place of what was kept before.
    pub fn save_session(&self, session: &serde_json::Value) -> Result<(), Error> {
        match &self.home {
            Home::Folder(dir) => {
                let bytes = serde_json::to_vec_pretty(session)
                    .map_err(|e| Error::Store { what: "the session", cause: e.to_string() })?;
                Ok(files::write(&dir.join(SESSION), &bytes)?)
            }
            Home::Memory { kept, .. } => {
                lock(kept).session = Some(session.clone());
                Ok(())
            }
        }
    }

    /// What was kept of the last session; `None` when there was none, or its file is damaged.
    pub fn load_session(&self) -> Option<serde_json::Value> {
        match &self.home {
            Home::Folder(dir) => serde_json::from_slice(&fs::read(dir.join(SESSION)).ok()?).ok(),
            Home::Memory { kept, .. } => lock(kept).session.clone(),
        }
    }

    /// Adds a line to the command log.
    pub fn append_history(&self, line: &str) -> Result<(), Error> {
        let line = line.trim_end_matches('\n');
        match &self.home {
            Home::Folder(dir) => {
                let path = dir.join(HISTORY);
                append(&path, line).map_err(|cause| Error::write(&path, cause))
            }
            Home::Memory { kept, .. } => {
                lock(kept).history.push(line.to_owned());
                Ok(())
            }
        }
    }

    /// The lines of the command log, oldest first.
    pub fn history(&self) -> Result<Vec<String>, Error> {
        match &self.home {
            Home::Folder(dir) => {
                let path = dir.join(HISTORY);
                match fs::read(&path) {
                    Ok(bytes) => Ok(lines(&bytes)),
                    Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(vec![]),
                    Err(cause) => Err(Error::read(&path, cause)),
                }
            }
            Home::Memory { kept, .. } => Ok(lock(kept).history.clone()),
        }
    }

    /// Makes the runs known whose folders are there although the database is new.
    fn find_again(&self, runs: &Path) -> Result<(), Error> {
        for (number, id) in run_folder::scan(runs) {
            // A run that cannot be read is left where it is.
            if let Ok(run) = run_folder::read(runs, &id) {
                self.database.insert(number, &RunSummary::of(&run))?;
            }
        }
        Ok(())
    }
}

/// The number in an id of the form `r0007`.
fn number(id: &str) -> Option<u64> {
    let digits = id.strip_prefix('r').filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
    digits.parse().ok()
}

/// Appends a line in one write, after closing a line that a crash left open.
fn append(path: &Path, line: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    let open_line = if last == [b'\n'] { "" } else { "\n" };
    file.write_all(format!("{open_line}{line}\n").as_bytes())
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    // Every change under the lock is a single insertion or removal.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
