//! The server as a process of its own, which outlives the terminal that started it.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Error;
use super::socket::status;
use super::status::Status;
use crate::files;

/// What the server says goes here, in the workspace.
const LOG: &str = "serve.log";
/// A server that is not ready by then has a problem.
const PATIENCE: Duration = Duration::from_secs(20);

/// The file that a server in the background writes its words to.
pub fn log_path(workspace: &Path) -> PathBuf {
    workspace.join(LOG)
}

/// Starts a server in the background with these words after `serve`, and waits until it listens.
///
/// It has a process group of its own, so that neither Ctrl-C nor the end of the session reaches
/// it.
///
/// # Errors
///
/// When one is running already, or the new one gives up; the error then has its last words.
pub fn start(workspace: &Path, words: &[String]) -> Result<Status, Error> {
    if status(workspace).is_ok() {
        return Err(Error::Running { workspace: workspace.to_owned() });
    }
    files::create_private_dir(workspace).map_err(|e| Error::Registry(e.into()))?;
    let path = log_path(workspace);
    let log = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
    let before = log.metadata()?.len();
    let mut child = Command::new(std::env::current_exe()?)
        .arg("serve")
        .args(words)
        .arg("--workspace")
        .arg(workspace)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .process_group(0)
        .spawn()?;
    let start = Instant::now();
    loop {
        if let Ok(status) = status(workspace) {
            return Ok(status);
        }
        let is_over = child.try_wait()?.is_some();
        if is_over || start.elapsed() > PATIENCE {
            // One that is late would else listen after all.
            let _ = child.kill();
            let _ = child.wait();
            let said = std::fs::read(&path).unwrap_or_default();
            let said = said.get(before as usize..).unwrap_or_default();
            return Err(Error::GaveUp { said: String::from_utf8_lossy(said).trim().to_owned() });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
