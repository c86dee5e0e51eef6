//! How much one request may ask for.

/// Bounds that hold while a request is read, so that a small body cannot become a large one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body as it comes over the wire.
    pub max_body: usize,
    /// Bytes of a body once it is unpacked.
    pub max_decompressed: usize,
    /// Values in all inputs together; for rows, rows times columns.
    pub max_elements: usize,
    /// Inputs of a request, outputs asked for, and parameters of either.
    pub max_inputs: usize,
    /// How deep `data` may be nested, and how many dimensions a shape may have.
    pub max_depth: usize,
    /// Bytes of a name or an id.
    pub max_name: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body: 16 << 20,
            max_decompressed: 64 << 20,
            max_elements: 2 << 20,
            max_inputs: 4096,
            max_depth: 16,
            max_name: 256,
        }
    }
}
