//! The terminal: taken whole, painted frugally, and given back whatever happens.
//!
//! [`Term`] holds it for the thread that draws, [`Painter`] turns frames into as few bytes as an
//! SSH link can carry, and [`Event`] is what comes back: keys, pasted text, new sizes, signals.
//! It knows nothing of what is drawn.

mod clipboard;
mod hold;
mod input;
mod keys;
mod paint;
mod pen;
mod scroll;
mod sys;

use std::cell::Cell as Slot;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::rc::Rc;

use crossterm::event::KeyEvent;
use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::{Frame, Terminal};

use crate::ui::term::input::Input;

pub use self::clipboard::{COPY_LIMIT, copy_sequence};
pub use self::keys::{Heard, KeyParser};
pub use self::paint::Painter;

/// Why the terminal cannot be had, or was lost.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Standard input or output leads elsewhere.
    #[error(
        "the workbench needs a terminal, and this is none\n\
         hint: over SSH use `ssh -t HOST karat`; in scripts use `karat train`, `karat compare` and the like"
    )]
    NotATerminal,
    /// A terminal that cannot place its cursor.
    #[error(
        "the terminal `{0}` cannot show full screens\n\
         hint: set TERM to what it really is, or use `karat train`, `karat compare` and the like"
    )]
    Incapable(String),
    /// More was to be copied than terminals accept.
    #[error(
        "{0} bytes are too many for the terminal's clipboard, which takes {COPY_LIMIT}\n\
         hint: copy fewer rows, or write a file"
    )]
    TooLongToCopy(usize),
    /// The system refused.
    #[error("the terminal does not answer")]
    Io(#[from] io::Error),
}

/// What reaches the program from outside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A key. Characters carry no SHIFT: a capital letter is just that letter.
    Key(KeyEvent),
    /// A text that was pasted in one piece.
    Paste(String),
    /// The terminal has this width and height; sent once a series of resizes has settled.
    Resize(u16, u16),
    /// The system wants something.
    Signal(Signal),
}

/// What the system wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Save and leave (SIGTERM, SIGQUIT).
    Terminate,
    /// The line is gone (SIGHUP, or the terminal's end): save and leave without a word.
    Hangup,
    /// Stop what runs, as Ctrl-C would (SIGINT from another process).
    Interrupt,
    /// The program was stopped from outside and runs again: call [`Term::retake`].
    Continue,
}

/// How the terminal is to be taken.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where standard error goes while the screen is held; nowhere if `None`.
    pub log: Option<PathBuf>,
}

/// Sees the bytes of every frame.
pub type Tap = Box<dyn FnMut(&[u8])>;

/// The terminal, held in raw mode on its alternate screen until this is dropped.
pub struct Term {
    terminal: Terminal<Sizer>,
    cursor: Rc<Slot<Option<Position>>>,
    painter: Painter,
    out: File,
    input: Input,
    options: Options,
    held: bool,
    written: u64,
    tap: Option<Tap>,
}

impl Term {
    /// Takes the terminal for the calling thread and starts the thread that listens to it.
    ///
    /// `send` gets every event, on that other thread; when it returns false the listening ends.
    /// The terminal is asked whether it can hold back half-drawn frames; nothing waits for the
    /// answer. A panic of the calling thread gives the terminal back first; panics of other
    /// threads stay quiet, for they are outcomes of jobs.
    pub fn take(
        options: Options,
        send: impl FnMut(Event) -> bool + Send + 'static,
    ) -> Result<Self, Error> {
        if !io::stdout().is_terminal() {
            return Err(Error::NotATerminal);
        }
        let tty = input::open_tty().ok_or(Error::NotATerminal)?;
        let term = std::env::var("TERM").unwrap_or_default();
        if matches!(term.as_str(), "dumb" | "unknown") {
            return Err(Error::Incapable(term));
        }
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let size = sys::window_size();
        let cursor = Rc::new(Slot::new(None));
        let terminal = Terminal::new(Sizer { size, cursor: Rc::clone(&cursor) })?;
        let probe = !matches!(term.as_str(), "linux" | "vt52" | "vt100" | "vt102" | "vt220");
        // The handlers stand before the modes change, so that no signal can leave it spoilt.
        let input = Input::start(tty, send)?;
        hold::guard_panics();
        let painter = Painter::new(size.width, size.height);
        let mut this = Self {
            terminal,
            cursor,
            painter,
            out,
            input,
            options,
            held: false,
            written: 0,
            tap: None,
        };
        this.hold(probe)?;
        Ok(this)
    }

    /// Draws one frame and returns how many bytes it took; none if nothing has changed.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<usize> {
        let frame = self.terminal.draw(render)?;
        self.painter.sync = self.input.can_synchronise();
        let bytes = self.painter.frame(frame.buffer, self.cursor.get());
        if bytes.is_empty() {
            return Ok(0);
        }
        let n = bytes.len();
        if let Some(tap) = &mut self.tap {
            tap(bytes);
        }
        self.out.write_all(bytes)?;
        self.written += n as u64;
        Ok(n)
    }

    /// The size that the next frame has.
    pub fn size(&self) -> Size {
        self.terminal.backend().size
    }

    /// Takes a new size over; the next frame is painted from nothing.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.terminal.backend_mut().size = Size::new(width, height);
        self.painter.forget();
    }

    /// Lets the next frame be painted from nothing, over whatever others have written.
    pub fn repaint(&mut self) {
        self.painter.forget();
    }

    /// All bytes written so far.
    pub fn bytes_written(&self) -> u64 {
        self.written
    }

    /// Lets `tap` see the bytes of every frame, for recordings.
    pub fn set_tap(&mut self, tap: Option<Tap>) {
        self.tap = tap;
    }

    /// Puts a text into the clipboard of the person's own terminal, also through SSH and tmux.
    ///
    /// # Errors
    /// [`Error::TooLongToCopy`] where terminals would drop it silently.
    pub fn copy(&mut self, text: &str) -> Result<(), Error> {
        let tmux = std::env::var_os("TMUX").is_some();
        let sequence = copy_sequence(text, tmux).ok_or(Error::TooLongToCopy(text.len()))?;
        self.out.write_all(sequence.as_bytes())?;
        Ok(())
    }

    /// Stops the program as Ctrl-Z does, and comes back when it is continued.
    pub fn suspend(&mut self) -> io::Result<()> {
        self.give_back();
        self.input.expect_continue();
        sys::stop_process_group()?;
        self.retake()
    }

    /// Gives the terminal to somebody else, such as an editor, for as long as `f` runs.
    pub fn with_released<T>(&mut self, f: impl FnOnce() -> T) -> io::Result<T> {
        self.give_back();
        let result = f();
        self.retake()?;
        Ok(result)
    }

    /// Sets the modes of the terminal again and repaints, after others may have changed them.
    pub fn retake(&mut self) -> io::Result<()> {
        if self.held {
            hold::release();
        }
        self.hold(false)?;
        let size = sys::window_size();
        self.resize(size.width, size.height);
        Ok(())
    }

    /// Gives the terminal back as it was; done on drop as well, and harmless twice.
    pub fn give_back(&mut self) {
        if self.held {
            self.held = false;
            self.input.pause();
            hold::release();
        }
    }

    fn hold(&mut self, probe: bool) -> io::Result<()> {
        hold::hold(&self.out, self.options.log.as_deref(), probe)?;
        self.held = true;
        if probe {
            self.input.expect_answer();
        }
        self.painter.forget();
        self.input.resume();
        Ok(())
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        self.give_back();
        self.input.end();
    }
}

/// What ratatui needs to know of a terminal; the bytes are the painter's.
struct Sizer {
    size: Size,
    cursor: Rc<Slot<Option<Position>>>,
}

impl Backend for Sizer {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, _: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.cursor.set(None);
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor.get().unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.cursor.set(Some(position.into()));
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn clear_region(&mut self, _: ClearType) -> io::Result<()> {
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::default() })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
