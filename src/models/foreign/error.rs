//! Why a foreign model is not read, or does not score.

/// A foreign model was refused, or could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are no ONNX file.
    #[error("not an ONNX model: {why}\nhint: check that the file was copied whole")]
    NotOnnx {
        /// What was found instead.
        why: String,
    },
    /// Something is larger than allowed.
    #[error("the model has {what} `{found}`, more than the `{limit}` allowed")]
    TooLarge {
        /// What was counted.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// How much there may be.
        limit: u64,
    },
    /// A tensor whose shape, type and bytes contradict each other.
    #[error("tensor `{tensor}` is broken: {why}")]
    Tensor {
        /// Its name.
        tensor: String,
        /// What is wrong.
        why: String,
    },
    /// An operator that cannot be run.
    #[error("operator `{operator}` of node `{node}` is not supported: {why}\nhint: {hint}")]
    Operator {
        /// Its name, with its domain where it is not the standard's own.
        operator: String,
        /// The node, or what it makes where it has no name.
        node: String,
        /// What stands in the way.
        why: String,
        /// How the file can be made without it.
        hint: &'static str,
    },
    /// A feature of the format that is refused.
    #[error("the model uses {what} `{name}`, which is refused\nhint: {hint}")]
    Refused {
        /// The feature.
        what: &'static str,
        /// Where it is used.
        name: String,
        /// How the file can be made without it.
        hint: &'static str,
    },
    /// The nodes do not make a graph.
    #[error("the graph is broken: {why}")]
    Graph {
        /// What is wrong.
        why: String,
    },
    /// An input that no matrix of numbers can feed.
    #[error("input `{input}` cannot be fed from numbers: {why}\nhint: {hint}")]
    Input {
        /// Its name.
        input: String,
        /// What is wrong.
        why: String,
        /// What to do.
        hint: &'static str,
    },
    /// No output gives numbers, or not the one that was asked for.
    #[error("no usable output among {found}\nhint: {hint}")]
    Output {
        /// The outputs that there are.
        found: String,
        /// What to do.
        hint: &'static str,
    },
    /// The runtime could not prepare the model.
    #[error("the model cannot be prepared: {why}")]
    Prepare {
        /// What the runtime says.
        why: String,
    },
    /// The runtime failed on rows.
    #[error("the model failed on rows: {why}")]
    Run {
        /// What the runtime says.
        why: String,
    },
    /// The matrix has other columns than the model.
    #[error("the model looks at `{expected}` columns, not `{found}`")]
    Columns {
        /// What it takes.
        expected: usize,
        /// What it was given.
        found: usize,
    },
    /// A value that an input of whole numbers cannot take.
    #[error(
        "`{value}` in row `{row}`, feature `{feature}`, is no whole number, as input `{input}` asks for"
    )]
    NotWhole {
        /// The value.
        value: String,
        /// Counted from 0.
        row: usize,
        /// The column's name.
        feature: String,
        /// The graph's own name for the input that the column is a part of.
        input: String,
    },
    /// What was to be applied to the outputs does not fit them.
    #[error("`{apply}` does not fit a model with `{n_outputs}` outputs\nhint: {hint}")]
    Apply {
        /// The function.
        apply: &'static str,
        /// Numbers for each row.
        n_outputs: usize,
        /// What fits.
        hint: &'static str,
    },
}
