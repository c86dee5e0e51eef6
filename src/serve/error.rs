//! Why a server cannot start, or cannot be reached.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::registry;

/// The server could not start or be reached.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken, or is not one of this machine.
    #[error(
        "cannot listen on `{addr}`: {cause}\nhint: choose another with `--addr 127.0.0.1:PORT`; port 0 takes any free one"
    )]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// Why.
        cause: io::Error,
    },
    /// Others could listen in, or use it without a key.
    #[error("`{addr}` can be reached by other machines, and {lacks}\nhint: {hint}")]
    Unsafe {
        /// The address.
        addr: SocketAddr,
        /// What is missing.
        lacks: &'static str,
        /// The remedy.
        hint: &'static str,
    },
    /// Certificate or key are not what they should be.
    #[error("cannot use `{}` for TLS: {what}\nhint: give PEM files with `--tls-cert` and `--tls-key`", path.display())]
    Tls {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// One server for a workspace.
    #[error("a server of the workspace `{}` is running already\nhint: `karat serve stop` ends it", workspace.display())]
    Running {
        /// The workspace.
        workspace: PathBuf,
    },
    /// There is nobody to ask.
    #[error("no server of the workspace `{}` is running\nhint: `karat serve start` starts one", workspace.display())]
    NotRunning {
        /// The workspace.
        workspace: PathBuf,
    },
    /// The server in the background ended before it was ready.
    #[error("the server did not start{}", if said.is_empty() { String::new() } else { format!(": {}", said.trim_start_matches("error: ")) })]
    GaveUp {
        /// Its last words.
        said: String,
    },
    /// The socket cannot be made.
    #[error("cannot use `{}`: {cause}", path.display())]
    Socket {
        /// Where it should lie.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// Threads or sockets are lacking.
    #[error("cannot serve: {cause}")]
    System {
        /// What the system said.
        cause: io::Error,
    },
    /// There is nothing to compare with.
    #[error(
        "this `{kind}` keeps no reference, so drift cannot be measured against it\nhint: train it again, or import it with `--data`"
    )]
    NoReference {
        /// The kind of model.
        kind: String,
    },
    /// The model refused.
    #[error(transparent)]
    Model(#[from] crate::models::Error),
    /// The table refused.
    #[error(transparent)]
    Data(#[from] crate::data::Error),
    /// The workspace refused.
    #[error(transparent)]
    Registry(#[from] registry::Error),
}

impl From<io::Error> for Error {
    fn from(cause: io::Error) -> Self {
        Self::System { cause }
    }
}
