//! What a command says, and where: results on standard output, all else on standard error.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use super::progress::{Meter, Mode};
use super::text::sanitise;
use crate::jobs::{CancelToken, Ctx, Report, Wish};

/// The two streams of a command, and the request to stop that Ctrl-C makes.
pub(super) struct Console {
    /// Columns of the terminal that results go to; unlimited when they go to a file or a pipe.
    pub(super) width: usize,
    /// Whether words may be set in bold.
    pub(super) bold: bool,
    out: io::Stdout,
    interrupts: Interrupts,
    mode: Mode,
}

/// Nobody reads standard output any longer, as with `karat … | head`; not a failure.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads standard output")]
pub(super) struct NobodyReads;

impl Console {
    /// The console of this process, with progress shown as `mode` says.
    pub(super) fn new(mode: Mode) -> Self {
        let to_terminal = io::stdout().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            width: if to_terminal { terminal_width() } else { usize::MAX },
            bold: to_terminal && !no_color,
            out: io::stdout(),
            interrupts: interrupts(),
            mode,
        }
    }

    /// Whether Ctrl-C was pressed.
    pub(super) fn is_cancelled(&self) -> bool {
        self.interrupts.cancel.is_cancelled()
    }

    /// A context for work whose progress is called `label`.
    pub(super) fn ctx(&self, label: &str) -> Ctx {
        let meter = Arc::new(Meter::new(label, self.mode));
        Ctx::new(self.interrupts.cancel.clone(), move |report| meter.hear(report))
    }

    /// The context of work that can end early: once it measures a loss, the first interrupt asks
    /// it to end and to keep what there is, and only the second cancels it.
    pub(super) fn ctx_to_keep(&self, label: &str) -> Ctx {
        let meter = Arc::new(Meter::new(label, self.mode));
        let can_finish = Arc::clone(&self.interrupts.can_finish);
        Ctx::new(self.interrupts.cancel.clone(), move |report| {
            if let Report::Step(step) = &report
                && step.measured.iter().any(|(name, _)| *name == "loss")
            {
                can_finish.store(true, Ordering::Relaxed);
            }
            meter.hear(report);
        })
    }

    /// Writes a result for a person; control characters in it were taken out where it was put
    /// together.
    pub(super) fn print(&self, text: &str) -> anyhow::Result<()> {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        self.bytes(format!("{text}{end}").as_bytes())
    }

    /// Writes a result as it is.
    pub(super) fn bytes(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut out = self.out.lock();
        written(out.write_all(bytes).and_then(|()| out.flush()))
    }

    /// Writes the one JSON object of a command.
    pub(super) fn json(&self, value: &serde_json::Value) -> anyhow::Result<()> {
        self.print(&serde_json::to_string_pretty(value)?)
    }

    /// Says something beside the result.
    pub(super) fn note(&self, text: &str) {
        if self.mode == Mode::Json {
            return say(&serde_json::json!({ "note": sanitise(text) }).to_string());
        }
        // A bar that stands there gives way, and is drawn again below.
        let clear = if self.mode.is_bar() { "\r\x1b[K" } else { "" };
        say(&format!("{clear}{}", sanitise(text)));
    }

    /// Says several things beside the result.
    pub(super) fn notes<'a>(&self, texts: impl IntoIterator<Item = &'a String>) {
        texts.into_iter().for_each(|text| self.note(text));
    }
}

/// Writes a line to standard error.
pub(super) fn say(text: &str) {
    // Without anyone to hear it there is nobody to complain to either.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Turns a refusal of standard output into an error, a closed pipe into [`NobodyReads`].
fn written(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(NobodyReads.into()),
        Err(error) => Err(anyhow::Error::new(error).context("cannot write to standard output")),
    }
}

/// What Ctrl-C does.
#[derive(Clone, Default)]
struct Interrupts {
    /// Is told to stop, or first to finish early.
    cancel: CancelToken,
    /// Whether the work has come so far that an early end leaves something to keep.
    can_finish: Arc<AtomicBool>,
}

/// Listens to Ctrl-C: work that can end early does so, all other work is cancelled, and so is
/// work that was asked before; one more, or work that cannot be interrupted, ends the process.
fn interrupts() -> Interrupts {
    static INTERRUPTS: OnceLock<Interrupts> = OnceLock::new();
    INTERRUPTS
        .get_or_init(|| {
            let ours = Interrupts::default();
            let Interrupts { cancel, can_finish } = ours.clone();
            if let Ok(mut signals) = signal_hook::iterator::Signals::new([libc::SIGINT]) {
                let waiting = crate::jobs::service("interrupts", move || {
                    for _ in &mut signals {
                        if can_finish.load(Ordering::Relaxed) && cancel.wish() < Wish::Finish {
                            cancel.finish();
                            say(EARLY);
                            continue;
                        }
                        if cancel.is_cancelled() {
                            signal_hook::low_level::exit(super::INTERRUPTED.into());
                        }
                        cancel.cancel();
                        let _ = crate::jobs::service("last resort", || {
                            std::thread::sleep(GRACE);
                            signal_hook::low_level::exit(super::INTERRUPTED.into());
                        });
                    }
                });
                // Without the thread Ctrl-C does what it does everywhere.
                drop(waiting);
            }
            ours
        })
        .clone()
}

const EARLY: &str = "\nending early: what was trained is kept; Ctrl-C again cancels it";

/// How long cancelled work may take to end by itself; files are written whole or not at all.
const GRACE: std::time::Duration = std::time::Duration::from_secs(2);

/// Columns of the terminal behind standard output.
pub(super) fn terminal_width() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    told.or_else(asked_width).unwrap_or(80)
}

fn asked_width() -> Option<usize> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    #[expect(unsafe_code, reason = "the standard library does not tell a terminal's size")]
    // SAFETY: TIOCGWINSZ writes one winsize, and `size` outlives the call.
    let answer = unsafe { libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    (answer == 0 && size.ws_col > 0).then(|| size.ws_col.into())
}
