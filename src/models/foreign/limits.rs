//! How large a foreign model may be.

use super::Error;

/// Bounds that are checked before the runtime sees anything of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub n_bytes: usize,
    /// Bytes of memory that the file takes once it is decoded.
    pub n_decoded_bytes: u64,
    /// Nodes of the graph, and as many constants.
    pub n_nodes: usize,
    /// Bytes of all constants together, by their declared shapes.
    pub n_constant_bytes: u64,
    /// Bytes of the name of a node, an operator or a value: the runtime makes many out of each.
    pub n_name_bytes: usize,
    /// Bytes of one remark or description.
    pub n_text_bytes: usize,
    /// Nodes of all trees of one ensemble.
    pub n_tree_nodes: usize,
    /// Elements of any tensor while the model runs on one block of rows.
    pub n_elements: u64,
    /// Columns of the matrix.
    pub n_features: usize,
    /// Numbers for each row.
    pub n_outputs: usize,
    /// The oldest and the newest set of standard operators.
    pub opset: (i64, i64),
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            n_bytes: 256 << 20,
            n_decoded_bytes: 1 << 30,
            n_nodes: 20_000,
            n_constant_bytes: 256 << 20,
            n_name_bytes: 1 << 10,
            n_text_bytes: 1 << 20,
            n_tree_nodes: 2_000_000,
            n_elements: 64 << 20,
            n_features: 1 << 20,
            n_outputs: 10_000,
            opset: (9, 24),
        }
    }
}

/// Fails when there is more than allowed.
pub(super) fn at_most(
    what: &'static str,
    found: impl TryInto<u64>,
    limit: impl TryInto<u64>,
) -> Result<(), Error> {
    let [found, limit] =
        [found.try_into().ok(), limit.try_into().ok()].map(|n| n.unwrap_or(u64::MAX));
    if limit < found { Err(Error::TooLarge { what, found, limit }) } else { Ok(()) }
}
