//! Why an experiment cannot be carried out.

use std::path::PathBuf;

use crate::data;
use crate::features;
use crate::jobs::Cancelled;
use crate::models;

/// An experiment was refused, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The question makes no sense on this table.
    #[error("{what}\nhint: {hint}")]
    Question {
        /// What is wrong with it.
        what: String,
        /// What to do.
        hint: String,
    },
    /// Runs that cannot be compared.
    #[error("{what}\nhint: {hint}")]
    NotComparable {
        /// Why not.
        what: String,
        /// What to do.
        hint: String,
    },
    /// An experiment file says something that is not understood.
    #[error("{}{what}\nhint: {hint}", path.as_ref().map_or(String::new(), |p| format!("`{}`: ", p.display())))]
    File {
        /// Which file, if it came from one.
        path: Option<PathBuf>,
        /// What is wrong, with its line or key.
        what: String,
        /// What is understood.
        hint: String,
    },
    /// An experiment file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The table refused.
    #[error(transparent)]
    Data(#[from] data::Error),
    /// The recipe refused.
    #[error(transparent)]
    Features(#[from] features::Error),
    /// The model refused.
    #[error(transparent)]
    Models(#[from] models::Error),
    /// The work was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Error {
    pub(super) fn question(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Question { what: what.into(), hint: hint.into() }
    }
}
