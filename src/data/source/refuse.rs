//! What is no table, and what to say about it: paths that lead nowhere, formats of other
//! programs, and bytes that are no text.

use std::{io::ErrorKind, path::Path};

use super::label_of;
use crate::data::{Error, nearest};

const HINT: &str =
    "karat reads CSV, TSV, Parquet, NDJSON and Arrow IPC, plain or packed with gzip or zstd";

/// Says what is wrong with a path before anything is read from it.
pub(super) fn check(path: &Path) -> Result<(), Error> {
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(err) if err.kind() == ErrorKind::NotFound || err.kind() == ErrorKind::NotADirectory => {
            return Err(Error::NoFile { path: path.to_owned(), hint: near_file(path) });
        }
        Err(source) => return Err(Error::Io { path: path.to_owned(), source }),
    };
    if found.is_dir() {
        let mut names = file_names(path);
        names.truncate(3);
        let hint = if names.is_empty() { "it has none".to_owned() } else { names.join(", ") };
        return Err(Error::Folder { path: path.to_owned(), hint });
    }
    if found.is_file() && found.len() == 0 {
        return Err(Error::Empty { label: label_of(path), what: "is empty".to_owned() });
    }
    Ok(())
}

/// The names of the files in a folder that may be tables first, sorted.
fn file_names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|e| e.file_type().is_ok_and(|t| t.is_file()));
    let mut names: Vec<String> =
        files.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    let known = |name: &String| {
        let name = name.to_lowercase();
        let ends = [
            ".csv", ".tsv", ".txt", ".parquet", ".json", ".ndjson", ".jsonl", ".arrow", ".gz",
            ".zst",
        ];
        ends.iter().any(|end| name.ends_with(end))
    };
    names.retain(|name| !name.starts_with('.'));
    names.sort_by_key(|name| (!known(name), name.clone()));
    names
}

fn near_file(path: &Path) -> String {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return format!("there is no folder `{}`", folder.display());
    }
    let names = file_names(folder);
    match nearest(&label_of(path), names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{}`?", folder.join(near).display()),
        None => "check the path, or run `karat` alone for the sample gallery".to_owned(),
    }
}

/// Formats that are often mistaken for tables, by their first bytes.
pub(super) fn foreign(start: &[u8]) -> Option<(&'static str, &'static str)> {
    const HINT: &str =
        "karat reads CSV, TSV, Parquet, NDJSON and Arrow IPC, plain or packed with gzip or zstd";
    let known: [(&[u8], &str, &str); 10] = [
        (
            b"PK\x03\x04",
            "it is a zip archive, perhaps a spreadsheet",
            "save the sheet as CSV first",
        ),
        (b"\xd0\xcf\x11\xe0", "it is an old spreadsheet", "save the sheet as CSV first"),
        (b"\xff\xff\xff\xff", "it is an Arrow stream", "save it as an Arrow file or as Parquet"),
        (b"%PDF", "it is a PDF", HINT),
        (b"SQLite format 3", "it is an SQLite database", "export the table as CSV first"),
        (b"\x7fELF", "it is a program", HINT),
        (b"\x89PNG", "it is a picture", HINT),
        (b"\x89HDF", "it is an HDF5 file", "save it as Parquet or CSV first"),
        (b"RDX", "it is an R data file", "save it with `write.csv` first"),
        (
            b"\x80\x04\x95",
            "it is a pickle, which could run code",
            "save it as Parquet or CSV first",
        ),
    ];
    if let Some((_, what, hint)) = known.into_iter().find(|(magic, ..)| start.starts_with(magic)) {
        return Some((what, hint));
    }
    let text = String::from_utf8_lossy(&start[..start.len().min(256)]).trim_start().to_lowercase();
    if text.starts_with("<!doctype html") || text.starts_with("<html") || text.starts_with("<?xml")
    {
        return Some((
            "it is a web page or XML",
            "download the file itself, perhaps after logging in",
        ));
    }
    None
}

/// Refuses what is no text.
pub(super) fn rubbish(sample: &str, label: &str) -> Result<(), Error> {
    let (mut n, mut n_control) = (0_usize, 0_usize);
    for c in sample.chars().take(65_536) {
        n += 1;
        let layout = matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{1b}' | '\u{1a}');
        n_control += usize::from(c.is_control() && !layout);
        if c == '\0' {
            n_control = usize::MAX;
            break;
        }
    }
    if n_control > n / 100 + 1 {
        return Err(Error::NotATable {
            label: label.to_owned(),
            what: "it holds binary data".to_owned(),
            hint: HINT.to_owned(),
        });
    }
    Ok(())
}
