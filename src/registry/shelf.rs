//! Unfinished trainings, put aside in the workspace.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Home, Registry};
use crate::files;
use crate::jobs::Shelf;
use crate::train::Experiment;

const UNFINISHED: &str = "unfinished";

/// The folder that unfinished trainings are put aside in.
struct FolderShelf(PathBuf);

impl Shelf for FolderShelf {
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let kept = files::create_private_dir(&self.0)
            .and_then(|()| files::write(&self.0.join(name), bytes));
        kept.map_err(|error| crate::jobs::error_text(&error))
    }

    fn take(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.0.join(name)).ok()
    }

    fn forget(&self, name: &str) {
        // What is not there is forgotten already.
        let _ = fs::remove_file(self.0.join(name));
    }
}

/// A shelf that forgets what is finished only once its outcome is safe: whoever is killed in between
/// goes on where the training was put aside last.
pub struct Aside {
    shelf: Arc<dyn Shelf>,
    finished: Mutex<Vec<String>>,
}

impl Aside {
    /// Forgets what was finished up to now: it is kept elsewhere, or is of no use to anyone.
    pub fn settle(&self) {
        for name in self.lock().drain(..) {
            self.shelf.forget(&name);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.finished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf for Aside {
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        self.lock().retain(|finished| finished != name);
        self.shelf.put(name, bytes)
    }

    fn take(&self, name: &str) -> Option<Vec<u8>> {
        self.shelf.take(name)
    }

    fn forget(&self, name: &str) {
        self.lock().push(name.to_owned());
    }
}

/// A training that was put aside and has not gone on.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfinished {
    /// Its name on the shelf.
    pub name: String,
    /// What was being trained.
    pub experiment: Experiment,
    /// Seconds since 1970 when it was last put aside.
    pub at: i64,
}

impl Registry {
    /// Where trainings of this workspace are put aside; without a folder, until the program ends.
    /// Once their runs are kept, [`Aside::settle`] has to be called.
    pub fn shelf(&self) -> Arc<Aside> {
        let shelf: Arc<dyn Shelf> = match &self.home {
            Home::Folder(dir) => Arc::new(FolderShelf(dir.join(UNFINISHED))),
            Home::Memory { shelf, .. } => Arc::clone(shelf) as Arc<dyn Shelf>,
        };
        Arc::new(Aside { shelf, finished: Mutex::default() })
    }

    /// The trainings that were put aside, the latest first.
    pub fn unfinished(&self) -> Vec<Unfinished> {
        let Some(dir) = self.dir() else { return Vec::new() };
        let mut all: Vec<Unfinished> = found(&dir.join(UNFINISHED)).collect();
        all.sort_by_key(|unfinished| std::cmp::Reverse(unfinished.at));
        all
    }

    /// Forgets a training that was put aside.
    pub fn forget_unfinished(&self, name: &str) {
        let Some(dir) = self.dir() else { return };
        let shelf = FolderShelf(dir.join(UNFINISHED));
        shelf.forget(name);
        shelf.forget(&format!("{name}.toml"));
    }
}

fn found(folder: &Path) -> impl Iterator<Item = Unfinished> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let path = entry.path();
        let name = path.file_name()?.to_str()?.strip_suffix(".toml")?.to_owned();
        let aside = fs::metadata(path.with_extension("")).ok()?;
        let experiment = Experiment::from_toml(&fs::read_to_string(&path).ok()?).ok()?;
        let at = aside.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(Unfinished { name, experiment, at: at.as_secs() as i64 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_finished_stays_until_its_outcome_is_safe() {
        let dir = tempfile::tempdir().unwrap();
        let registry = Registry::open(dir.path()).unwrap();
        let shelf = registry.shelf();
        shelf.put("one", b"1").unwrap();
        shelf.put("two", b"2").unwrap();
        shelf.forget("one");
        shelf.forget("two");
        // Taken up once more.
        shelf.put("two", b"3").unwrap();
        let of_others = || ["one", "two"].map(|name| registry.shelf().take(name).is_some());
        assert_eq!(of_others(), [true, true]);
        shelf.settle();
        assert_eq!(of_others(), [false, true]);
    }
}
