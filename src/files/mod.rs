//! Files as others see them: whole, private, and known by their digest.
//!
//! Every file that the program keeps is written here: into a temporary file beside the target,
//! synced, then renamed, so that a reader or a crash finds the old content or the new one and
//! nothing between. Files are readable by their owner alone. The room knows nothing of formats.

mod digest;
mod error;
mod write;

pub use digest::{sha256_file, sha256_hex};
pub use error::Error;
pub use write::{Writer, create_private_dir, make_private, write};
