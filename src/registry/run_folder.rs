//! The folder of one run: written beside its place, then moved there whole.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::manifest::{FORMAT, Parts, StoredRun, StoredVersion};
use super::tensors::{Columns, Reader};
use super::{Error, model_file};
use crate::files;
use crate::train::{Experiment, Run, RunId, Scores};

const EXPERIMENT: &str = "experiment.toml";
const RUN: &str = "run.json";
const SCORES: &str = "scores.safetensors";

/// The model of a run, which is a model file like any other.
pub(super) const MODEL: &str = "model.karat";

/// What is on its way in or out begins with this, and is nobody's run.
const UNFINISHED: &str = ".unfinished-";

/// How old something unfinished must be before it counts as left behind by a process that died.
const LEFT_BEHIND: Duration = Duration::from_hours(24);

/// Writes the run into `runs/<id>`.
pub(super) fn write(runs: &Path, run: &Run) -> Result<(), Error> {
    let place = runs.join(&run.id.0);
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    let new = builder.tempdir_in(runs).map_err(|cause| Error::write(&place, cause))?;
    let mut digests = BTreeMap::new();
    let mut put = |name: &str, bytes: &[u8]| -> Result<(), Error> {
        digests.insert(name.to_owned(), files::sha256_hex(bytes));
        Ok(files::write(&new.path().join(name), bytes)?)
    };
    put(EXPERIMENT, run.experiment.to_toml().as_bytes())?;
    put(SCORES, &scores(run).bytes()?)?;
    put(MODEL, &model_file::bytes(run)?)?;
    let stored = serde_json::to_vec_pretty(&StoredRun::new(run, digests))
        .map_err(|e| Error::Store { what: "a run", cause: e.to_string() })?;
    files::write(&new.path().join(RUN), &stored)?;
    fs::rename(new.path(), &place).map_err(|cause| Error::write(&place, cause))?;
    // Its contents have moved, so there is nothing to clean up under the old name.
    let _ = new.keep();
    sync(runs);
    Ok(())
}

/// Reads the run in `runs/<id>` back, and refuses files that are not as they were written.
pub(super) fn read(runs: &Path, id: &RunId) -> Result<Run, Error> {
    let folder = runs.join(&id.0);
    let path = folder.join(RUN);
    let bytes = fs::read(&path).map_err(|cause| Error::read(&path, cause))?;
    let altered = |what: serde_json::Error| Error::altered(&path, what);
    let StoredVersion { format } = serde_json::from_slice(&bytes).map_err(altered)?;
    if format > FORMAT {
        return Err(Error::Newer { path, found: format, known: FORMAT });
    }
    let stored: StoredRun = serde_json::from_slice(&bytes).map_err(altered)?;
    let get = |name: &str| -> Result<(PathBuf, Vec<u8>), Error> {
        let path = folder.join(name);
        let bytes = fs::read(&path).map_err(|cause| Error::read(&path, cause))?;
        match stored.digests.get(name) {
            Some(digest) if *digest == files::sha256_hex(&bytes) => Ok((path, bytes)),
            _ => Err(Error::altered(&path, "its digest is not the one in `run.json`")),
        }
    };
    let (at, text) = get(EXPERIMENT)?;
    let text = String::from_utf8(text).map_err(|e| Error::altered(&at, e))?;
    let experiment = Experiment::from_toml(&text).map_err(|e| Error::altered(&at, e))?;
    let (at, columns) = get(SCORES)?;
    let parts = parts(&columns).map_err(|what| Error::altered(&at, what))?;
    let (at, model) = get(MODEL)?;
    let model = model_file::parse(&at, &model)?.model;
    stored.into_run(experiment, model, parts).map_err(|what| Error::altered(&path, what))
}

/// Takes the folder of a run away, in one step as others see it.
pub(super) fn remove(runs: &Path, id: &RunId) -> Result<(), Error> {
    let place = runs.join(&id.0);
    let away = runs.join(format!("{UNFINISHED}{id}"));
    match fs::rename(&place, &away) {
        Ok(()) => {}
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(Error::write(&place, cause)),
    }
    sync(runs);
    fs::remove_dir_all(&away).map_err(|cause| Error::write(&away, cause))
}

/// Every run whose folder is there, with its number, whatever the database says.
pub(super) fn scan(runs: &Path) -> Vec<(u64, RunId)> {
    let entries = fs::read_dir(runs).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut found: Vec<_> =
        names.filter_map(|name| Some((super::number(&name)?, RunId(name)))).collect();
    found.sort();
    found
}

/// Removes what processes that died have left unfinished.
pub(super) fn tidy(runs: &Path) {
    let Ok(entries) = fs::read_dir(runs) else { return };
    for entry in entries.flatten() {
        let is_old = entry
            .metadata()
            .and_then(|m| m.modified())
            .is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|t| t > LEFT_BEHIND));
        if is_old && entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            // What cannot be removed takes room and does no other harm.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A rename is certain once its folder is synced; some file systems refuse to.
fn sync(folder: &Path) {
    if let Ok(folder) = fs::File::open(folder) {
        let _ = folder.sync_all();
    }
}

fn scores(run: &Run) -> Columns {
    let mut columns = Columns::default();
    let parts = [
        ("train", Some(&run.train_scores)),
        ("valid", run.valid_scores.as_ref()),
        ("test", run.test_scores.as_ref()),
        ("oof", run.oof_scores.as_ref()),
    ];
    for (part, scores) in parts.into_iter().filter_map(|(part, s)| Some((part, s?))) {
        columns.put_u32(format!("{part}.rows"), &scores.rows);
        columns.put_f64(format!("{part}.truth"), &scores.truth);
        columns.put_f64(format!("{part}.score"), &scores.score);
        if !scores.probability.is_empty() {
            columns.put_f64(format!("{part}.probability"), &scores.probability);
        }
        if let Some(weight) = &scores.weight {
            columns.put_f64(format!("{part}.weight"), weight);
        }
        if let Some(fold) = &scores.fold {
            columns.put_u8(format!("{part}.fold"), fold);
        }
    }
    columns
}

fn parts(bytes: &[u8]) -> Result<Parts, String> {
    let columns = Reader::new(bytes)?;
    let part = |part: &str| -> Result<Option<Scores>, String> {
        let name = |column: &str| format!("{part}.{column}");
        if !columns.has(&name("rows")) {
            return Ok(None);
        }
        let weight = name("weight");
        let fold = name("fold");
        let probability = name("probability");
        let several = columns.has(&probability);
        let scores = Scores {
            rows: columns.u32(&name("rows"))?,
            truth: columns.f64(&name("truth"))?,
            score: columns.f64(&name("score"))?,
            probability: if several { columns.f64(&probability)? } else { Vec::new() },
            weight: columns.has(&weight).then(|| columns.f64(&weight)).transpose()?,
            fold: columns.has(&fold).then(|| columns.u8(&fold)).transpose()?,
        };
        let n = scores.rows.len();
        let fits = scores.truth.len() == n
            && scores.score.len() == n
            && scores.probability.len() == n * scores.n_classes()
            && scores.weight.as_ref().is_none_or(|w| w.len() == n)
            && scores.fold.as_ref().is_none_or(|f| f.len() == n);
        if fits { Ok(Some(scores)) } else { Err(format!("the columns of `{part}` differ")) }
    };
    Ok(Parts {
        train: part("train")?.unwrap_or_default(),
        valid: part("valid")?,
        test: part("test")?,
        oof: part("oof")?,
    })
}
