//! What can go wrong on disk, in words that name the file and the remedy.

use std::{
    fmt::Display,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;

/// Something could not be kept, or could not be read back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such run in the workspace.
    #[error("no run `{id}`\nhint: {hint}")]
    NoRun {
        /// What was asked for.
        id: String,
        /// The nearest run, or how to see them all.
        hint: String,
    },
    /// The file is no model at all.
    #[error("`{}` is not a model: {what}\nhint: a model is a file that `karat train … --out MODEL.karat` wrote", path.display())]
    NotAModel {
        /// Which file.
        path: PathBuf,
        /// What was found instead.
        what: String,
    },
    /// The bytes are not those that were written.
    #[error("`{}` is cut short or was altered: {what}\nhint: copy it again from where it came, or train it anew", path.display())]
    Altered {
        /// Which file.
        path: PathBuf,
        /// By what it was noticed.
        what: String,
    },
    /// A later version of the program wrote it.
    #[error("`{}` was written by a newer karat: it has format {found}, and this version reads up to {known}\nhint: use the newer karat", path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// The format that was found.
        found: u32,
        /// The latest format that this version knows.
        known: u32,
    },
    /// What was asked for cannot be done.
    #[error("{what}\nhint: {hint}")]
    Denied {
        /// Why not.
        what: String,
        /// What can be done instead.
        hint: String,
    },
    /// The database refused.
    #[error("cannot use `{}`: {}{}", path.display(), reason(cause), remedy(cause))]
    Database {
        /// The database file; `memory` without one.
        path: PathBuf,
        /// What it said.
        cause: rusqlite::Error,
    },
    /// A value has no place in a file.
    #[error("cannot store {what}: {cause}")]
    Store {
        /// What was to be stored.
        what: &'static str,
        /// Why it does not go.
        cause: String,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    Files(#[from] crate::files::Error),
}

impl Error {
    pub(super) fn altered(path: &Path, what: impl Display) -> Self {
        Self::Altered { path: path.to_owned(), what: format!("{what}") }
    }

    pub(super) fn write(path: &Path, cause: std::io::Error) -> Self {
        crate::files::Error::Write { path: path.to_owned(), cause }.into()
    }

    pub(super) fn read(path: &Path, cause: std::io::Error) -> Self {
        crate::files::Error::Read { path: path.to_owned(), cause }.into()
    }
}

fn reason(cause: &rusqlite::Error) -> String {
    match cause.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another process holds it and does not let go".into()
        }
        Some(ErrorCode::DiskFull) => "the disk is full".into(),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            "it cannot be written".into()
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => "it is damaged".into(),
        _ => cause.to_string(),
    }
}

fn remedy(cause: &rusqlite::Error) -> &'static str {
    match cause.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "\nhint: wait until it has finished, or give a `--workspace` of your own"
        }
        Some(ErrorCode::DiskFull) => "\nhint: free some space; what was kept before is unharmed",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            "\nhint: give a `--workspace` that you may write to"
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            "\nhint: move it away; the runs beside it are found again"
        }
        _ => "",
    }
}
