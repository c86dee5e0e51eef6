//! What can go wrong with a verb.

/// A verb could not be carried out; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The line is not understood.
    #[error("{what}\nhint: {hint}")]
    Command {
        /// What is wrong with it.
        what: String,
        /// How to write it.
        hint: String,
    },
    /// There is no table yet.
    #[error(
        "no table is open\nhint: open one with `:open PATH`, or choose a sample in the gallery"
    )]
    NoTable,
    /// The table is still being read.
    #[error("the table is still being read\nhint: training starts once all rows are there")]
    Reading,
    /// Something outside has refused, in its own words.
    #[error("{0}")]
    Told(String),
    /// There is no such run.
    #[error("no run `{id}`\nhint: {hint}")]
    NoRun {
        /// What was asked for.
        id: String,
        /// Which runs there are.
        hint: String,
    },
    /// The table refused.
    #[error(transparent)]
    Data(#[from] crate::data::Error),
    /// The model refused.
    #[error(transparent)]
    Models(#[from] crate::models::Error),
    /// The training refused.
    #[error(transparent)]
    Train(#[from] crate::train::Error),
    /// There is no explanation.
    #[error(transparent)]
    Explain(#[from] crate::explain::Error),
    /// The format for other programs cannot say it.
    #[error(transparent)]
    Export(#[from] crate::export::Error),
    /// The disk refused.
    #[error(transparent)]
    Registry(#[from] crate::registry::Error),
    /// A file could not be written.
    #[error(transparent)]
    Files(#[from] crate::files::Error),
    /// The work was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] crate::jobs::Cancelled),
}

impl Error {
    /// What something outside has said, with its `hint:` line where it gave one.
    pub(super) fn told(text: impl Into<String>) -> Self {
        Self::Told(text.into())
    }

    /// There is nothing to take back or to bring back.
    pub(super) fn nothing_to(what: &str) -> Self {
        Self::Command {
            what: format!("nothing to {what}"),
            hint: "settings, steps, views and thresholds can be taken back; what was trained or written stays".into(),
        }
    }
}
