//! How large a foreign model may be.

use super::Error;

/// Bounds that are checked before the runtime makes anything of that size.
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
    /// Bytes of constants, each counted as often as there is one of its shape before it.
    pub n_compared_bytes: u64,
    /// Bytes of the name of a node, an operator or a value: the runtime makes many out of each.
    pub n_name_bytes: usize,
    /// Bytes of one remark or description.
    pub n_text_bytes: usize,
    /// Nodes of all trees of one ensemble.
    pub n_tree_nodes: usize,
    /// Axes of any tensor.
    pub n_axes: usize,
    /// Elements of any tensor while the model runs on one block of rows.
    pub n_elements: u64,
    /// Bytes of all tensors together, as if none were freed while the model runs on one block.
    pub n_tensor_bytes: u64,
    /// Products that are summed up while the model runs on one block, which bounds the time.
    pub n_multiply_adds: u64,
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
            n_compared_bytes: 1 << 36,
            n_name_bytes: 1 << 10,
            n_text_bytes: 1 << 20,
            n_tree_nodes: 2_000_000,
            n_axes: 32,
            n_elements: 64 << 20,
            n_tensor_bytes: 1 << 30,
            // A few seconds on one core; a ResNet-50 takes a quarter of it for a row.
            n_multiply_adds: 1 << 34,
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

/// The tensors of a graph, added up.
pub(super) struct Tensors<'a> {
    limits: &'a Limits,
    n_bytes: u64,
}

impl<'a> Tensors<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self { limits, n_bytes: 0 }
    }

    /// Fails when this one is too large, or is one too many.
    pub(super) fn add(&mut self, n_elements: u64, n_bytes_each: usize) -> Result<(), Error> {
        at_most("elements of a tensor", n_elements, self.limits.n_elements)?;
        self.add_bytes(n_elements.saturating_mul(n_bytes_each as u64))
    }

    /// The same for memory that is not a tensor.
    pub(super) fn add_bytes(&mut self, n_bytes: u64) -> Result<(), Error> {
        self.n_bytes = self.n_bytes.saturating_add(n_bytes);
        at_most("bytes of tensors", self.n_bytes, self.limits.n_tensor_bytes)
    }
}
