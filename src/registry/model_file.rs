//! A model as one file: a zip of `manifest.json` and `weights.safetensors`.
//!
//! The comment at the end of the zip is the digest of everything before it, so that a file that
//! was cut short or altered anywhere is refused before any part of it is believed. Nothing in the
//! file is ever executed.

use std::{
    fs,
    io::{Cursor, Read, Write},
    path::Path,
};

use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::Error;
use super::manifest::{FORMAT, StoredFile, StoredVersion};
use super::tensors::{Columns, Reader};
use crate::files;
use crate::models::Model;
use crate::train::{Dataset, Metrics, Run, RunId};

const MANIFEST: &str = "manifest.json";
const WEIGHTS: &str = "weights.safetensors";

/// What the comment at the end of the file begins with; 64 hexadecimal digits follow.
const SEAL: &[u8] = b"karat sha256:";
const DIGITS: usize = 64;

/// A model file is refused above this size, in bytes.
const MAX_FILE: u64 = 1 << 30;
/// A manifest is refused above this size, in bytes, once it is unpacked.
const MAX_MANIFEST: u64 = 64 << 20;

/// A model read from a file or from a run, with what is told of its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedModel {
    /// The fitted model.
    pub model: Model,
    /// The run it came from, in the workspace where it was trained.
    pub run: RunId,
    /// When it was trained, in seconds since 1970, UTC.
    pub created: i64,
    /// What it was trained on.
    pub dataset: Dataset,
    /// Metrics on the training rows.
    pub train: Metrics,
    /// Metrics on the validation rows, when there were any.
    pub valid: Option<Metrics>,
    /// Metrics on the test rows, when there were any.
    pub test: Option<Metrics>,
    /// Metrics over the folds, when it was cross-validated.
    pub cv: Option<Metrics>,
}

/// Writes the model of a run to a file of its own, whole or not at all.
pub fn save_model(run: &Run, path: &Path) -> Result<(), Error> {
    Ok(files::write(path, &bytes(run)?)?)
}

/// Reads a model file.
///
/// # Errors
///
/// When it is no model, was cut short or altered, or comes from a newer version of the program.
pub fn load_model(path: &Path) -> Result<LoadedModel, Error> {
    let read = |cause| Error::read(path, cause);
    let about = fs::metadata(path).map_err(read)?;
    if about.is_dir() {
        return Err(read(std::io::ErrorKind::IsADirectory.into()));
    }
    if about.len() > MAX_FILE {
        let what = format!("it has {} MB, and a model has less than 1 GB", about.len() >> 20);
        return Err(Error::NotAModel { path: path.to_owned(), what });
    }
    parse(path, &fs::read(path).map_err(read)?)
}

/// The bytes of the model file of a run.
pub fn model_bytes(run: &Run) -> Result<Vec<u8>, Error> {
    bytes(run)
}

/// The bytes of the model file of a run.
pub(super) fn bytes(run: &Run) -> Result<Vec<u8>, Error> {
    let store = |cause: String| Error::Store { what: "a model", cause };
    let mut columns = Columns::default();
    let file = StoredFile::new(run, &mut columns);
    let weights = columns.bytes()?;
    let manifest = serde_json::to_vec_pretty(&file.sealed(files::sha256_hex(&weights)))
        .map_err(|e| store(e.to_string()))?;
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let pack = |zip: &mut ZipWriter<_>, name: &str, bytes: &[u8]| {
        zip.start_file(name, options).map_err(|e| store(e.to_string()))?;
        zip.write_all(bytes).map_err(|e| store(e.to_string()))
    };
    pack(&mut zip, MANIFEST, &manifest)?;
    pack(&mut zip, WEIGHTS, &weights)?;
    let mut seal = SEAL.to_vec();
    seal.extend([b'0'; DIGITS]);
    zip.set_raw_comment(seal.into()).map_err(|e| store(e.to_string()))?;
    let mut bytes = zip.finish().map_err(|e| store(e.to_string()))?.into_inner();
    reseal(&mut bytes);
    Ok(bytes)
}

/// Writes the digest of everything before it over the last bytes of the file.
pub(super) fn reseal(bytes: &mut [u8]) {
    let body = bytes.len() - DIGITS;
    let digest = files::sha256_hex(&bytes[..body]);
    bytes[body..].copy_from_slice(digest.as_bytes());
}

/// The model in the bytes of a file; `path` is named in errors only.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<LoadedModel, Error> {
    let altered = |what: String| Error::Altered { path: path.to_owned(), what };
    let alien = |what: &str| Error::NotAModel { path: path.to_owned(), what: what.to_owned() };
    if bytes.is_empty() {
        return Err(alien("it is empty"));
    }
    if !bytes.starts_with(b"PK") {
        return Err(alien("its first bytes are not those of one"));
    }
    let body = bytes.len().checked_sub(DIGITS).filter(|body| bytes[..*body].ends_with(SEAL));
    let body = body.ok_or_else(|| altered("the digest at its end is missing".into()))?;
    if files::sha256_hex(&bytes[..body]).as_bytes() != &bytes[body..] {
        return Err(altered("its digest does not match".into()));
    }
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|e| altered(e.to_string()))?;
    let manifest = unpack(&mut zip, MANIFEST, MAX_MANIFEST).map_err(altered)?;
    let not_json = |e: serde_json::Error| altered(format!("its manifest: {e}"));
    let StoredVersion { format } = serde_json::from_slice(&manifest).map_err(not_json)?;
    if format > FORMAT {
        return Err(Error::Newer { path: path.to_owned(), found: format, known: FORMAT });
    }
    let file: StoredFile = serde_json::from_slice(&manifest).map_err(not_json)?;
    let weights = unpack(&mut zip, WEIGHTS, MAX_FILE).map_err(altered)?;
    if files::sha256_hex(&weights) != file.weights_sha256 {
        return Err(altered("the digest of its weights does not match".into()));
    }
    let columns = Reader::new(&weights).map_err(altered)?;
    file.into_model(&columns).map_err(altered)
}

/// One member of the zip, never more of it than `limit` bytes, whatever its header claims.
fn unpack(zip: &mut ZipArchive<Cursor<&[u8]>>, name: &str, limit: u64) -> Result<Vec<u8>, String> {
    let member = zip.by_name(name).map_err(|e| format!("`{name}` in it: {e}"))?;
    let mut bytes = Vec::new();
    member.take(limit + 1).read_to_end(&mut bytes).map_err(|e| format!("`{name}` in it: {e}"))?;
    if bytes.len() as u64 > limit {
        return Err(format!("`{name}` in it is larger than {} MB", limit >> 20));
    }
    Ok(bytes)
}
