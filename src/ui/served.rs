//! How the server of a workspace is, asked from the side.
//!
//! The shapes are those of the server itself; who asks is given as functions ([`Asker`]), so that
//! the screen can be tried without any server.

#[allow(dead_code, missing_docs, unreachable_pub, reason = "read here, made by the server")]
#[path = "../serve/pulse.rs"]
mod pulse;
#[path = "../serve/status.rs"]
mod status;

use std::path::Path;

pub use pulse::Rates;
pub use status::{KeyStatus, Light, Line, ModelStatus, ShadowStatus, Status, VersionStatus};

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
            status: |_| Err("no server is running in this workspace".into()),
            stop: |_| Err("no server is running in this workspace".into()),
        }
    }
}
