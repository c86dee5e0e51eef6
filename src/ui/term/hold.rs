//! The modes of the terminal, set and unset; also from a panic.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::panic;
use std::path::Path;
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

use crate::ui::term::sys;

/// The alternate screen, no cursor, pasted text in brackets.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h";

/// Everything undone: a frame cut short, colours, a scroll region, brackets, cursor, screen.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[m\x1b[r\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// Whether frames can be held back until they are whole; the second question is one that every
/// terminal answers, and so ends the wait for the first.
const PROBE: &[u8] = b"\x1b[?2026$p\x1b[c";

/// What has to be put back.
struct Held {
    out: File,
    stderr: Option<OwnedFd>,
}

/// The one terminal of the process, where a panic finds it.
static HELD: Mutex<Option<Held>> = Mutex::new(None);

/// Sets the modes; standard error goes to the log, if it would go to the screen.
pub(super) fn hold(out: &File, log: Option<&Path>, probe: bool) -> io::Result<()> {
    crossterm::terminal::enable_raw_mode()?;
    let stderr = divert_stderr(log).ok().flatten();
    let mut held = Held { out: out.try_clone()?, stderr };
    let written = held
        .out
        .write_all(ENTER)
        .and_then(|()| if probe { held.out.write_all(PROBE) } else { Ok(()) });
    *HELD.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
    written.inspect_err(|_| release())
}

/// Puts everything back; harmless if there is nothing to put back.
pub(super) fn release() {
    let held = HELD.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut held) = held else { return };
    // A terminal that is gone cannot be restored, and need not be.
    let _ = held.out.write_all(LEAVE);
    let _ = crossterm::terminal::disable_raw_mode();
    if let Some(stderr) = held.stderr {
        let _ = sys::redirect_stderr(stderr.as_fd());
    }
}

/// Lets a panic of the calling thread give the terminal back before it is reported.
///
/// Other threads panic in silence: their panics are caught and told as outcomes, and what they
/// print would spoil the screen, or put data into a log.
pub(super) fn guard_panics() {
    static ONCE: Once = Once::new();
    let ui = thread::current().id();
    ONCE.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() == ui {
                release();
                report(info);
            } else if HELD.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
                report(info);
            }
        }));
    });
}

/// Lets standard error go to the log, and returns where it went before.
fn divert_stderr(log: Option<&Path>) -> io::Result<Option<OwnedFd>> {
    let stderr = io::stderr();
    if !stderr.is_terminal() {
        return Ok(None);
    }
    let before = stderr.as_fd().try_clone_to_owned()?;
    let null = Path::new("/dev/null");
    let open = |path: &Path| OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    let log = open(log.unwrap_or(null)).or_else(|_| open(null))?;
    sys::redirect_stderr(log.as_fd())?;
    Ok(Some(before))
}
