//! What can go wrong between choosing a model and scoring with it.

use super::{foreign, linear, network};
use crate::features;
use crate::jobs::Cancelled;

/// One parameter that cannot be what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The parameter, as it was typed.
    pub field: String,
    /// What is wrong with it, without a full stop.
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
}

/// A model could not be chosen, fitted or used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The catalog has no such kind.
    #[error("no model `{kind}`\nhint: {hint}")]
    NoKind {
        /// What was asked for.
        kind: String,
        /// The nearest name, or all of them.
        hint: String,
    },
    /// Parameters that cannot be; every wrong one is named.
    #[error("{}", said(fields))]
    Fields {
        /// The kind they were meant for.
        kind: &'static str,
        /// Each of them.
        fields: Vec<FieldError>,
    },
    /// The features refused.
    #[error(transparent)]
    Features(#[from] features::Error),
    /// The fit was refused or failed.
    #[error(transparent)]
    Fit(#[from] linear::Error),
    /// A network was refused, or its training stopped.
    #[error(transparent)]
    Network(#[from] network::Error),
    /// A model made elsewhere was refused.
    #[error(transparent)]
    Foreign(#[from] foreign::Error),
    /// The work was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

fn said(fields: &[FieldError]) -> String {
    let messages: Vec<_> = fields.iter().map(|field| field.message.as_str()).collect();
    let mut hints: Vec<_> =
        fields.iter().map(|field| field.hint.as_str()).filter(|hint| !hint.is_empty()).collect();
    hints.dedup();
    let hints =
        if hints.is_empty() { String::new() } else { format!("\nhint: {}", hints.join("; ")) };
    messages.join("; ") + &hints
}
