//! Why a model cannot be written in another format.

/// One column that a format cannot express.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The column of the table.
    pub column: String,
    /// What about it has no counterpart.
    pub reason: String,
}

/// A model could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Steps of the recipe that have no counterpart; every one is named.
    #[error(
        "the recipe cannot be written as ONNX: {}\nhint: {}",
        said(refusals),
        "`karat export --predictor-only` writes what follows the recipe; or change these steps and train again"
    )]
    Recipe {
        /// The columns with what is in the way.
        refusals: Vec<Refusal>,
    },
    /// SQL has no words for the model.
    #[error("a `{kind}` cannot be written as SQL: {why}\nhint: `--format onnx` writes every model")]
    NoSql {
        /// The kind, as the catalog names it.
        kind: String,
        /// What is in the way.
        why: &'static str,
    },
    /// A model without anything to compute.
    #[error("a `{kind}` says the same of every row, so there is nothing to export")]
    Constant {
        /// The kind, as the catalog names it.
        kind: String,
    },
}

fn said(refusals: &[Refusal]) -> String {
    let said: Vec<_> = refusals.iter().map(|r| format!("`{}` ({})", r.column, r.reason)).collect();
    said.join(", ")
}
