//! The prediction log as files for analysis, and what becomes of them when the log forgets.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::Error;
use crate::data::{self, OpenOptions, date_text, days_of};
use crate::files;
use crate::jobs::Ctx;
use crate::registry;
use crate::registry::store::log::{Logged, PredictionLog};
use crate::registry::store::{Actor, Store};

/// A file has at most so many predictions; more go to further files.
const PART: usize = 500_000;
/// So many are read at once, so that others can use the log in between.
const BLOCK: u32 = 5_000;
/// The folder of the files that a server writes each night, in the workspace.
const NIGHTLY: &str = "predictions";
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Writes the predictions of a model between two moments, in milliseconds since 1970, to a file of
/// the format that its name says, and returns how many there are; none writes no file. More than
/// half a million go to further files, `NAME-2` and so on.
///
/// # Errors
///
/// When the log cannot be read or a file cannot be written.
pub fn export_log(
    log: &PredictionLog,
    name: &str,
    between: [i64; 2],
    out: &Path,
) -> Result<usize, Error> {
    let (mut n, mut part) = (0, 1);
    let mut after: Option<(i64, String)> = None;
    loop {
        let (mut lines, mut n_part) = (String::new(), 0);
        while n_part < PART {
            let last = after.as_ref().map(|(at_ms, id)| (*at_ms, id.as_str()));
            let rows = log.window_after(name, between, last, BLOCK)?;
            let Some(last) = rows.last() else { break };
            after = Some((last.at_ms, last.id.clone()));
            n_part += rows.len();
            for row in &rows {
                lines += &as_line(row);
                lines.push('\n');
            }
        }
        if n_part == 0 {
            return Ok(n);
        }
        let options = OpenOptions::default();
        let table = data::open_bytes("log.ndjson", lines.as_bytes(), &options, &Ctx::quiet())?;
        drop(lines);
        data::write(&table, &[], &numbered(out, part))?;
        n += n_part;
        part += 1;
    }
}

/// The name of a further file.
fn numbered(path: &Path, part: usize) -> PathBuf {
    if part == 1 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let end = path.extension().map_or(String::new(), |end| format!(".{}", end.to_string_lossy()));
    path.with_file_name(format!("{stem}-{part}{end}"))
}

/// A prediction as an object; a column that is called like one of the log's own is `input_NAME`.
fn as_line(row: &Logged) -> String {
    let own = [
        ("prediction_id", json!(row.id)),
        ("at", json!(row.at_ms)),
        ("version", json!(row.version)),
        ("key", json!(row.key)),
        ("subject", json!(row.subject)),
        ("score", json!(row.score)),
        ("decision", json!(row.decision)),
        ("label", json!(row.label)),
    ];
    let mut object: Map<String, Value> =
        own.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    for (name, value) in row.inputs.as_object().into_iter().flatten() {
        let is_taken = object.contains_key(name);
        let name = if is_taken { format!("input_{name}") } else { name.clone() };
        object.insert(name, value.clone());
    }
    Value::Object(object).to_string()
}

/// Writes the predictions of a day, counted from 1970, to the files of the night, one for each of
/// these models.
///
/// # Errors
///
/// When the log cannot be read or a file cannot be written.
pub fn write_night(
    workspace: &Path,
    log: &PredictionLog,
    names: &[String],
    day: i64,
) -> Result<(), Error> {
    let folder = workspace.join(NIGHTLY);
    files::create_private_dir(&folder).map_err(registry::Error::from)?;
    for name in names {
        let out = folder.join(format!("{name}-{}.parquet", date_text(day as f64)));
        export_log(log, name, [day * DAY_MS, (day + 1) * DAY_MS - 1], &out)?;
    }
    Ok(())
}

/// Deletes the files of nights before a day, counted from 1970.
pub fn forget_nights(workspace: &Path, oldest_day: i64) {
    for (path, _, day) in nights(workspace) {
        if day < oldest_day {
            // What cannot be deleted now is tried again tomorrow.
            let _ = fs::remove_file(path);
        }
    }
}

/// What was erased of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// Predictions.
    pub predictions: usize,
    /// The hash under which the subject was known.
    pub subject: String,
    /// The event that tells of it.
    pub event: i64,
}

/// Erases everything that is kept of a subject: from the log, and from the files of the nights,
/// which are written anew. Who did it and why is an event, in which the subject is a hash.
///
/// # Errors
///
/// When the log cannot be written, or a file; the log itself may then be without the subject
/// already.
pub fn erase_subject(
    workspace: &Path,
    store: &Store,
    subject: &str,
    actor: &Actor,
    why: &str,
) -> Result<Erased, Error> {
    let log = PredictionLog::open(workspace, false)?;
    let predictions = log.erase(subject)?;
    if predictions > 0 {
        renew_nights(workspace, &log)?;
    }
    let subject = log.subject(subject);
    let event = store.note_erasure(&subject, predictions, actor, why)?;
    Ok(Erased { predictions, subject, event })
}

/// Writes every file of the nights anew.
fn renew_nights(workspace: &Path, log: &PredictionLog) -> Result<(), Error> {
    let mut old: BTreeMap<(String, i64), Vec<PathBuf>> = BTreeMap::new();
    for (path, name, day) in nights(workspace) {
        old.entry((name, day)).or_default().push(path);
    }
    for ((name, day), paths) in old {
        for path in paths {
            fs::remove_file(&path).map_err(|cause| {
                Error::told(format!("cannot delete `{}`: {cause}", path.display()))
            })?;
        }
        write_night(workspace, log, &[name], day)?;
    }
    Ok(())
}

/// The files of the nights, with the model and the day of each.
fn nights(workspace: &Path) -> impl Iterator<Item = (PathBuf, String, i64)> {
    let files = fs::read_dir(workspace.join(NIGHTLY)).into_iter().flatten().flatten();
    files.filter_map(|file| {
        let path = file.path();
        let stem = path.file_stem()?.to_str()?.to_owned();
        let (name, day) = night_of(&stem)?;
        Some((path, name, day))
    })
}

/// The model and the day that the name of a file tells, such as `credit-2026-11-26-2`.
fn night_of(stem: &str) -> Option<(String, i64)> {
    let at = stem.len().checked_sub("-2026-11-26".len())?;
    if let Some((name, date)) = stem.split_at_checked(at)
        && let Some(day) = date.strip_prefix('-').and_then(days_of)
    {
        return Some((name.to_owned(), day as i64));
    }
    let (rest, part) = stem.rsplit_once('-')?;
    let is_part = !part.is_empty() && part.len() < 4 && part.bytes().all(|b| b.is_ascii_digit());
    if is_part { night_of(rest) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_tells_model_and_day() {
        let day = days_of("2026-11-26").unwrap() as i64;
        for stem in ["credit-2026-11-26", "credit-2026-11-26-2"] {
            assert_eq!(night_of(stem), Some(("credit".into(), day)), "{stem}");
        }
        assert_eq!(night_of("pd-v2-2026-11-26-12"), Some(("pd-v2".into(), day)));
        for stem in ["credit", "2026", "credit-2026-13-45", "é-2026-1-2"] {
            assert_eq!(night_of(stem), None, "{stem}");
        }
    }

    #[test]
    fn further_files_are_numbered() {
        assert_eq!(numbered(Path::new("a/log.parquet"), 1), Path::new("a/log.parquet"));
        assert_eq!(numbered(Path::new("a/log.parquet"), 3), Path::new("a/log-3.parquet"));
        assert_eq!(numbered(Path::new("log"), 2), Path::new("log-2"));
    }
}
