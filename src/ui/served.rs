//! How the server of a workspace is asked.
//!
//! Who asks is given as functions ([`Asker`]), so that the screen can be tried without a server.

use std::path::Path;

pub use crate::serve::status::{KeyStatus, Light, Line, ModelStatus, ShadowStatus, VersionStatus};
pub use crate::serve::{Policy, Status};

/// How a server is asked.
#[derive(Clone, Copy)]
pub struct Asker {
    /// How it is; why it cannot tell, otherwise.
    pub status: fn(&Path) -> Result<Status, String>,
    /// Asks it to stop in good order.
    pub stop: fn(&Path) -> Result<(), String>,
}

impl Default for Asker {
    fn default() -> Self {
        Self {
            status: |dir| crate::serve::status(dir).map_err(|e| crate::jobs::error_text(&e)),
            stop: |dir| crate::serve::stop(dir).map_err(|e| crate::jobs::error_text(&e)),
        }
    }
}
