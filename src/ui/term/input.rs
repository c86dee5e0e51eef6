//! The thread that listens: to the keyboard and to the system.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH};
use signal_hook::{SigId, flag, low_level};

use crate::jobs;
use crate::ui::term::keys::{Heard, KeyParser};
use crate::ui::term::sys;
use crate::ui::term::{Event, Signal};

/// A resize is told when no other has followed for so long.
const RESIZE_QUIET: Duration = Duration::from_millis(50);

/// A resize is told after so long even if others keep following.
const RESIZE_LIMIT: Duration = Duration::from_millis(200);

/// How long the other thread may take to let go of the keyboard.
const PAUSE_LIMIT: Duration = Duration::from_millis(250);

/// How long an answer of the terminal may take when leaving, so that the shell does not get it.
const ANSWER_LIMIT: Duration = Duration::from_millis(100);

/// The terminal that keys come from: standard input, or the controlling terminal where that is a
/// file or a pipe with data.
pub(super) fn open_tty() -> Option<File> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return stdin.as_fd().try_clone_to_owned().ok().map(File::from);
    }
    OpenOptions::new().read(true).write(true).open("/dev/tty").ok()
}

/// The holder's end of the listening thread.
pub(super) struct Input {
    shared: Arc<Shared>,
    wake: UnixStream,
    tty: File,
    signals: Vec<SigId>,
}

/// Signals that a terminal program has to do with.
const SIGNALS: [i32; 6] = [SIGTERM, SIGQUIT, SIGHUP, SIGINT, SIGWINCH, SIGCONT];

/// While this is true, signals do what they would do without us; never unregistered, for a signal
/// that was once handled would else be ignored.
static UNHANDLED: LazyLock<io::Result<Arc<AtomicBool>>> = LazyLock::new(|| {
    let unhandled = Arc::new(AtomicBool::new(false));
    for signal in SIGNALS {
        flag::register_conditional_default(signal, Arc::clone(&unhandled))?;
    }
    Ok(unhandled)
});

/// What both threads see.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    synchronises: AtomicBool,
    signals: Flags,
}

#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and none is passed on"
)]
struct State {
    /// Whether the keyboard is somebody else's.
    paused: bool,
    /// Whether the thread has noticed that.
    resting: bool,
    /// When the terminal was asked, as long as it has not answered.
    asked: Option<Instant>,
    /// Whether the line is gone, and the thread with it.
    gone: bool,
    /// Whether the next continuation is our own doing.
    own_stop: bool,
}

/// Signals that came and have not been told yet.
#[derive(Default)]
struct Flags {
    terminate: Arc<AtomicBool>,
    hangup: Arc<AtomicBool>,
    interrupt: Arc<AtomicBool>,
    resize: Arc<AtomicBool>,
    go_on: Arc<AtomicBool>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Input {
    /// Registers the signals and starts the thread, resting until [`Self::resume`].
    pub(super) fn start(
        tty: File,
        send: impl FnMut(Event) -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        shared.state().paused = true;
        let (bell, rung) = UnixStream::pair()?;
        let (wake, woken) = UnixStream::pair()?;
        for stream in [&bell, &rung, &wake, &woken] {
            stream.set_nonblocking(true)?;
        }
        let flags = &shared.signals;
        handle(Handling::Ours)?;
        let mut signals = Vec::new();
        for signal in SIGNALS {
            let told = match signal {
                SIGHUP => &flags.hangup,
                SIGINT => &flags.interrupt,
                SIGWINCH => &flags.resize,
                SIGCONT => &flags.go_on,
                _ => &flags.terminate,
            };
            // In this order: the flag stands before the bell rings.
            signals.push(flag::register(signal, Arc::clone(told))?);
            signals.push(low_level::pipe::register(signal, bell.try_clone()?)?);
        }
        let wait = if std::env::var_os("SSH_CONNECTION").is_some() { 50 } else { 25 };
        let listener = Listener {
            shared: Arc::clone(&shared),
            tty: tty.try_clone()?,
            rung,
            woken,
            send,
            parser: KeyParser::default(),
            escape_wait: Duration::from_millis(wait),
            escape_at: None,
            resize_at: None,
            over: false,
        };
        jobs::service("input", move || listener.run())?;
        Ok(Self { shared, wake, tty, signals })
    }

    /// Whether the terminal has answered that it can hold frames back until they are whole.
    pub(super) fn can_synchronise(&self) -> bool {
        self.shared.synchronises.load(Ordering::Relaxed)
    }

    /// Notes that the terminal has been asked something.
    pub(super) fn expect_answer(&self) {
        self.shared.state().asked = Some(Instant::now());
    }

    /// Notes that the continuation to come needs no telling.
    pub(super) fn expect_continue(&self) {
        self.shared.state().own_stop = true;
    }

    /// Leaves the keyboard alone, from when this returns; waits a moment at most.
    ///
    /// An answer of the terminal that is still to come is waited for, so that it does not land in
    /// the hands of whoever reads the keyboard next.
    pub(super) fn pause(&self) {
        let state = self.shared.state();
        let late = |state: &mut State| {
            !state.gone && state.asked.is_some_and(|asked| asked.elapsed() < ANSWER_LIMIT)
        };
        let waited = self.shared.changed.wait_timeout_while(state, ANSWER_LIMIT, late);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let unanswered = state.asked.is_some();
        state.paused = true;
        self.ring();
        let busy = |state: &mut State| !state.resting && !state.gone;
        let waited = self.shared.changed.wait_timeout_while(state, PAUSE_LIMIT, busy);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        if unanswered {
            sys::discard_input(&self.tty);
        }
    }

    /// Listens to the keyboard again.
    pub(super) fn resume(&self) {
        let mut state = self.shared.state();
        state.paused = false;
        state.resting = false;
        self.ring();
    }

    /// Gives the signals back to the system; nobody waits for the thread.
    pub(super) fn end(&mut self) {
        // What could not be registered was never handled.
        let _ = handle(Handling::Default);
        self.signals.drain(..).for_each(|signal| {
            low_level::unregister(signal);
        });
        self.shared.state().gone = true;
        self.ring();
    }

    fn ring(&self) {
        // A full pipe rings as well.
        let _ = (&self.wake).write(b"!");
    }
}

/// Who deals with signals.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Handling {
    Ours,
    Default,
}

fn handle(handling: Handling) -> io::Result<()> {
    let unhandled = UNHANDLED.as_ref().map_err(|error| io::Error::from(error.kind()))?;
    unhandled.store(handling == Handling::Default, Ordering::SeqCst);
    Ok(())
}

/// The thread's own things.
struct Listener<F> {
    shared: Arc<Shared>,
    tty: File,
    rung: UnixStream,
    woken: UnixStream,
    send: F,
    parser: KeyParser,
    escape_wait: Duration,
    /// When a lone Escape is to be taken for the key.
    escape_at: Option<Instant>,
    /// When a resize is to be told, and the latest time for it.
    resize_at: Option<(Instant, Instant)>,
    /// Whether nobody wants to hear any more.
    over: bool,
}

impl<F: FnMut(Event) -> bool> Listener<F> {
    fn run(mut self) {
        while !self.over {
            // Without its descriptors there is nothing to listen to.
            if self.turn().is_err() {
                break;
            }
        }
        self.shared.state().gone = true;
        self.shared.changed.notify_all();
    }

    /// Waits for the next thing and deals with it.
    fn turn(&mut self) -> io::Result<()> {
        let paused = {
            let mut state = self.shared.state();
            self.over |= state.gone;
            state.resting = state.paused;
            self.shared.changed.notify_all();
            state.paused
        };
        if self.over {
            return Ok(());
        }
        let next = [self.escape_at, self.resize_at.map(|(soon, limit)| soon.min(limit))];
        let next = next.into_iter().flatten().min();
        // A little late is better than a little early, which would turn once for nothing.
        let late = Duration::from_millis(1);
        let limit = next.map(|at| at.saturating_duration_since(Instant::now()) + late);
        let tty = (!paused).then(|| self.tty.as_fd());
        let fds = [tty, Some(self.rung.as_fd()), Some(self.woken.as_fd())];
        let [typed, rung, woken] = sys::wait(fds, limit)?;
        if woken {
            drain(&self.woken);
        }
        if rung {
            drain(&self.rung);
            self.tell_signals(paused);
        }
        if typed {
            self.read();
        }
        let now = Instant::now();
        if self.escape_at.is_some_and(|at| at <= now) {
            self.escape_at = None;
            let mut heard = Vec::new();
            self.parser.settle(|h| heard.push(h));
            self.tell(heard);
        }
        if self.resize_at.is_some_and(|(soon, limit)| soon.min(limit) <= now) {
            self.resize_at = None;
            let size = sys::window_size();
            self.send(Event::Resize(size.width, size.height));
        }
        Ok(())
    }

    /// Reads what has been typed; the end of the line is told as a hang-up.
    fn read(&mut self) {
        let mut bytes = [0; 4096];
        let n = match (&self.tty).read(&mut bytes) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
                ) =>
            {
                return;
            }
            Ok(0) | Err(_) => {
                self.send(Event::Signal(Signal::Hangup));
                self.over = true;
                return;
            }
            Ok(n) => n,
        };
        let mut heard = Vec::new();
        self.parser.feed(&bytes[..n], |h| heard.push(h));
        self.escape_at = self.parser.is_waiting().then(|| Instant::now() + self.escape_wait);
        self.tell(heard);
    }

    fn tell(&mut self, heard: Vec<Heard>) {
        for heard in heard {
            match heard {
                Heard::Key(key) => self.send(Event::Key(key)),
                Heard::Paste(text) => self.send(Event::Paste(text)),
                Heard::Synchronises(can) => {
                    self.shared.synchronises.store(can, Ordering::Relaxed);
                }
                Heard::Answered => {
                    self.shared.state().asked = None;
                    self.shared.changed.notify_all();
                }
            }
        }
    }

    fn tell_signals(&mut self, paused: bool) {
        let came = |flag: &AtomicBool| flag.swap(false, Ordering::SeqCst);
        let shared = Arc::clone(&self.shared);
        let flags = &shared.signals;
        if came(&flags.hangup) {
            self.send(Event::Signal(Signal::Hangup));
        }
        if came(&flags.terminate) {
            self.send(Event::Signal(Signal::Terminate));
        }
        // While an editor has the keyboard, Ctrl-C is meant for it.
        if came(&flags.interrupt) && !paused {
            self.send(Event::Signal(Signal::Interrupt));
        }
        if came(&flags.go_on) {
            let own = std::mem::take(&mut shared.state().own_stop);
            if !own && !paused {
                self.send(Event::Signal(Signal::Continue));
            }
        }
        if came(&flags.resize) {
            let now = Instant::now();
            let limit = self.resize_at.map_or(now + RESIZE_LIMIT, |(_, limit)| limit);
            self.resize_at = Some((now + RESIZE_QUIET, limit));
        }
    }

    fn send(&mut self, event: Event) {
        self.over |= !(self.send)(event);
    }
}

/// Empties a stream that only rings.
fn drain(mut stream: &UnixStream) {
    let mut bytes = [0; 64];
    while matches!(stream.read(&mut bytes), Ok(n) if n > 0) {}
}
