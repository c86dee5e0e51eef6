//! The door in the workspace: a socket through which the login that started the server asks how it
//! is, and stops it. Nobody else can open it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Error;
use super::status::Status;
use crate::jobs;

/// The name of the socket in the workspace.
const NAME: &str = "serve.sock";
/// Nobody is waited for longer than this.
const PATIENCE: Duration = Duration::from_secs(5);
/// A question is never longer than this, in bytes.
const LONGEST: u64 = 4096;

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// How the server is.
    Status,
    /// To stop in good order.
    Stop,
}

/// Opens the door; `answer` is asked on a thread of its own.
///
/// # Errors
///
/// When another server of this workspace is running.
pub(super) fn open(
    workspace: &Path,
    answer: impl Fn(Asked) -> String + Send + 'static,
) -> Result<Door, Error> {
    if status(workspace).is_ok() {
        return Err(Error::Running { workspace: workspace.to_owned() });
    }
    let path = workspace.join(NAME);
    let refused = |cause| Error::Socket { path: path.clone(), cause };
    // What an earlier server left behind answers nobody.
    let _ = std::fs::remove_file(&path);
    let listener = within(workspace, UnixListener::bind).map_err(refused)?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, mode).map_err(refused)?;
    jobs::service("door", move || {
        for stream in listener.incoming().flatten() {
            // Whoever breaks off is told nothing.
            let _ = reply(&stream, &answer);
        }
    })
    .map_err(refused)?;
    Ok(Door { path })
}

/// An open door; dropping it closes it.
pub(super) struct Door {
    path: PathBuf,
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn reply(stream: &UnixStream, answer: &dyn Fn(Asked) -> String) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST)).read_line(&mut line)?;
    let asked = match line.trim() {
        "status" => Asked::Status,
        "stop" => Asked::Stop,
        _ => return Ok(()),
    };
    let mut stream = stream;
    stream.write_all(answer(asked).as_bytes())
}

/// Uses the path of the socket, which may be longer than a socket's address can be, through the
/// folder it lies in.
fn within<T>(workspace: &Path, work: impl FnOnce(PathBuf) -> io::Result<T>) -> io::Result<T> {
    let folder = std::fs::File::open(workspace)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(NAME);
    work(short)
}

fn ask(workspace: &Path, what: &str) -> io::Result<String> {
    let stream = within(workspace, UnixStream::connect)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    (&stream).write_all(format!("{what}\n").as_bytes())?;
    let mut text = String::new();
    (&stream).read_to_string(&mut text)?;
    Ok(text)
}

/// How the server of a workspace is.
///
/// # Errors
///
/// When none is running.
pub fn status(workspace: &Path) -> Result<Status, Error> {
    let none = || Error::NotRunning { workspace: workspace.to_owned() };
    let text = ask(workspace, "status").map_err(|_| none())?;
    serde_json::from_str(&text).map_err(|_| none())
}

/// Asks the server of a workspace to stop, and returns once it has answered.
///
/// # Errors
///
/// When none is running.
pub fn stop(workspace: &Path) -> Result<(), Error> {
    let none = || Error::NotRunning { workspace: workspace.to_owned() };
    ask(workspace, "stop").map(drop).map_err(|_| none())
}
