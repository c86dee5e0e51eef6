//! The workspace as commands use it: where runs go, and where models come from.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::bail;

use super::Shared;
use super::console::Console;
use crate::data::nearest;
use crate::registry::{self, LoadedModel, Registry};
use crate::train::Run;
use crate::workspace::Entry;

/// The workspace that runs are kept in; in memory, with a word about it, where none can be
/// written.
pub(super) fn open(shared: &Shared, console: &Console) -> Registry {
    let (registry, notice) = Registry::open_or_memory(&shared.workspace());
    if let Some(notice) = notice {
        console.note(&notice);
    }
    registry
}

/// The workspace if there is one; a command that only looks makes none.
pub(super) fn existing(shared: &Shared) -> anyhow::Result<Option<Registry>> {
    let dir = shared.workspace();
    Ok(if Registry::exists(&dir) { Some(Registry::open(&dir)?) } else { None })
}

/// Writes what was done to the command log.
pub(super) fn log(registry: &Registry, run: &Run) {
    let at = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |t| t.as_secs() as i64);
    let line = format!("# {} → run {}", run.experiment.command_line(), run.id);
    // The run is kept; a log that cannot be written is no reason to say that it is not.
    let _ = serde_json::to_string(&Entry { at, line }).map(|line| registry.append_history(&line));
}

/// A model and the words for where it was found.
pub(super) struct Found {
    /// The model with what is told of its origin.
    pub(super) loaded: LoadedModel,
    /// The file or the run.
    pub(super) place: String,
}

/// The model that MODEL names: a file, or a run of the workspace.
pub(super) fn model(name: &str, shared: &Shared) -> anyhow::Result<Found> {
    let path = Path::new(name);
    if path.is_dir() && path.join("model.karat").is_file() {
        bail!("`{name}` is a folder\nhint: name the file `{}`", path.join("model.karat").display());
    }
    if path.exists() {
        let loaded = registry::load_model(path)?;
        return Ok(Found { loaded, place: name.to_owned() });
    }
    if let Some((bytes, place)) = super::named::file(name, shared)? {
        let loaded = registry::parse_model(Path::new(&place), &bytes)?;
        return Ok(Found { loaded, place });
    }
    let Some(registry) = existing(shared)? else {
        bail!(
            "no file or run `{name}`\nhint: {}",
            near_file(path).unwrap_or_else(|| format!(
                "there is no workspace `{}` either; `karat train` makes one",
                shared.workspace().display()
            ))
        );
    };
    match registry.find(name) {
        Ok(id) => {
            let place = format!("run {id}");
            Ok(Found { loaded: registry.load_model(&id)?, place })
        }
        Err(registry::Error::NoRun { hint, .. }) => {
            if let Some((bytes, place)) = super::named::champion(name, shared)? {
                let loaded = registry::parse_model(Path::new(&place), &bytes)?;
                return Ok(Found { loaded, place });
            }
            bail!("no file or run `{name}`\nhint: {}", near_file(path).unwrap_or(hint))
        }
        Err(error) => Err(error.into()),
    }
}

/// A hint at a model file with a similar name in the same folder.
fn near_file(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = folder.read_dir().ok()?.flatten().map(|entry| entry.path());
    let models: Vec<PathBuf> =
        entries.filter(|p| p.is_file() && p.extension().is_some_and(|e| e == "karat")).collect();
    let names = models.iter().filter_map(|p| p.file_name()?.to_str());
    let near = nearest(path.file_name()?.to_str()?, names)?;
    Some(format!("did you mean `{}`?", folder.join(near).display()))
}
