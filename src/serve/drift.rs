//! Windows of what was seen, measured against the reference.

use std::sync::Arc;

use super::server::Server;

/// Ends the windows that are full, and measures them.
pub(super) fn look(_server: &Arc<Server>) {}
