//! The few system calls that the standard library lacks.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

use ratatui::layout::Size;

/// Waits until one of the descriptors has something to say, and tells which.
///
/// The end of a line counts as something. `None` waits without limit; an interruption by a signal
/// returns as if nothing had been said.
pub(super) fn wait<const N: usize>(
    fds: [Option<BorrowedFd<'_>>; N],
    limit: Option<Duration>,
) -> io::Result<[bool; N]> {
    let mut polled = fds.map(|fd| libc::pollfd {
        fd: fd.map_or(-1, |fd| fd.as_raw_fd()),
        events: libc::POLLIN,
        revents: 0,
    });
    let millis = limit.map_or(-1, |limit| limit.as_millis().div_ceil(1).min(60_000) as i32);
    #[expect(unsafe_code, reason = "poll writes into the array that it is given the length of")]
    let n = unsafe { libc::poll(polled.as_mut_ptr(), N as libc::nfds_t, millis) };
    if n < 0 {
        let error = io::Error::last_os_error();
        if error.kind() == io::ErrorKind::Interrupted {
            return Ok([false; N]);
        }
        return Err(error);
    }
    Ok(polled.map(|fd| fd.revents != 0))
}

/// Makes standard error lead where `fd` leads.
pub(super) fn redirect_stderr(fd: BorrowedFd<'_>) -> io::Result<()> {
    #[expect(unsafe_code, reason = "dup2 onto 2, which stays open all the time")]
    let done = unsafe { libc::dup2(fd.as_raw_fd(), libc::STDERR_FILENO) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Forgets what has come in at the terminal and not been read: late answers of its own.
pub(super) fn discard_input(tty: impl AsFd) {
    #[expect(unsafe_code, reason = "tcflush reads nothing but its two numbers")]
    // A terminal that is gone has nothing left to discard.
    let _ = unsafe { libc::tcflush(tty.as_fd().as_raw_fd(), libc::TCIFLUSH) };
}

/// Stops this program and those it was started with, as Ctrl-Z does; returns when continued.
pub(super) fn stop_process_group() -> io::Result<()> {
    #[expect(unsafe_code, reason = "kill with process id 0 reaches the own group")]
    let done = unsafe { libc::kill(0, libc::SIGTSTP) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The size of the terminal, and 80 by 24 where it does not say.
pub(super) fn window_size() -> Size {
    match crossterm::terminal::window_size() {
        Ok(size) if size.columns > 0 && size.rows > 0 => Size::new(size.columns, size.rows),
        _ => Size::new(80, 24),
    }
}
