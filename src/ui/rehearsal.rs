//! The screen without a terminal: real keys, real jobs, and the text that would be seen.
//!
//! Demos are rehearsed here, and the tests of the screen stand on it. Nothing sleeps: after every
//! key the rehearsal waits on the line of the jobs until none is left.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tempfile::TempDir;

use crate::jobs::{News, Wish};
use crate::registry::Registry;
use crate::ui::app::{App, Effect};
use crate::ui::demo::{Beat, CLOCK, Script, parse_keys};
use crate::ui::desk::{Desk, Heard};
use crate::ui::theme::{Glyphs, Theme, Tier};
use crate::ui::view::{self, ViewState};
use crate::workspace::Workspace;

/// The screen on a stage of its own.
pub struct Rehearsal {
    /// The state of the screen.
    pub app: App,
    /// Whether the program has asked to be left.
    pub left: bool,
    /// What was put on the clipboard.
    pub copied: Vec<String>,
    desk: Desk,
    line: Receiver<Heard>,
    state: ViewState,
    terminal: Terminal<TestBackend>,
}

impl Rehearsal {
    /// A screen of this size, on the gallery, with its workspace in `folder`.
    ///
    /// # Panics
    ///
    /// When the workspace cannot be read.
    pub fn new(folder: &Path, width: u16, height: u16) -> Self {
        let (line, heard) = mpsc::channel();
        let (registry, _) = Registry::open_or_memory(folder);
        let workspace = Workspace::new(registry).expect("a new workspace can be read");
        let theme = Theme::new(Tier::Ansi16, Glyphs::Braille);
        let mut app = App::new(workspace, theme);
        app.fixed_clock = true;
        app.at = CLOCK;
        let terminal = Terminal::new(TestBackend::new(width, height));
        let mut this = Self {
            app,
            left: false,
            copied: Vec::new(),
            desk: Desk::new(line),
            line: heard,
            state: ViewState::default(),
            terminal: terminal.expect("a test terminal cannot fail"),
        };
        this.draw();
        this
    }

    /// A screen of this size on a sample, after some keys; its workspace lasts as long as the
    /// folder that comes with it.
    ///
    /// # Panics
    ///
    /// When there is no room for a folder.
    pub fn on_sample(sample: &str, keys: &str, (width, height): (u16, u16)) -> (TempDir, Self) {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let mut stage = Self::new(folder.path(), width, height);
        stage.open(&format!("sample:{sample}"));
        stage.press(keys);
        (folder, stage)
    }

    /// Holds when a text is on the screen.
    ///
    /// # Panics
    ///
    /// When it is not.
    #[track_caller]
    pub fn sees(&self, text: &str) {
        let screen = self.text();
        assert!(screen.contains(text), "`{text}` is not on the screen:\n{screen}");
    }

    /// Opens a table and waits until it is there.
    pub fn open(&mut self, path: &str) {
        let effects = self.app.open(path);
        self.carry_out(effects);
        self.settle();
    }

    /// Presses keys, as a script writes them, and waits until nothing is left to do.
    pub fn press(&mut self, keys: &str) {
        for key in parse_keys(keys) {
            self.key(key);
            self.settle();
        }
    }

    /// Presses one key and waits for nothing.
    pub fn key(&mut self, key: KeyEvent) {
        let effects = self.app.press(key);
        self.carry_out(effects);
        self.draw();
    }

    /// Tells what is told from outside; whether anything is to be drawn for it.
    pub fn tell(&mut self, told: crate::ui::app::Told) -> bool {
        let (changed, effects) = self.app.hear_outside(told);
        self.carry_out(effects);
        self.settle();
        changed
    }

    /// Types text.
    pub fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            self.key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        }
    }

    /// Gives the screen another size.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.terminal.backend_mut().resize(width, height);
        self.draw();
    }

    /// Waits until no job runs and none waits.
    pub fn settle(&mut self) {
        while !self.app.jobs.is_idle() {
            let Ok(heard) = self.line.recv() else { break };
            self.take_in(heard);
        }
        self.draw();
    }

    /// Waits as [`Self::settle`] does, and asks what still runs after so long to stop.
    pub fn settle_within(&mut self, patience: Duration) {
        let begun = Instant::now();
        while !self.app.jobs.is_idle() {
            match self.line.recv_timeout(patience.saturating_sub(begun.elapsed())) {
                Ok(heard) => self.take_in(heard),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    if let Some((id, _)) = self.app.jobs.cancel_one(self.app.now) {
                        self.desk.wish(id, Wish::Stop);
                    } else if let Ok(heard) = self.line.recv() {
                        self.take_in(heard);
                    }
                }
            }
        }
        self.draw();
    }

    /// What the screen shows, line by line.
    pub fn text(&self) -> String {
        let buffer = self.terminal.backend().buffer();
        let width = usize::from(buffer.area.width).max(1);
        let lines = buffer.content.chunks(width).map(|cells| {
            let line: String = cells.iter().map(ratatui::buffer::Cell::symbol).collect();
            line.trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The cells as they would be sent.
    pub fn buffer(&self) -> &ratatui::buffer::Buffer {
        self.terminal.backend().buffer()
    }

    /// Plays a tour to its end.
    ///
    /// # Panics
    ///
    /// When something that the tour expects is not on the screen.
    pub fn play(&mut self, script: &Script) {
        for beat in script.beats {
            match beat {
                Beat::Say(_) => {}
                Beat::Press(keys) => self.press(keys),
                Beat::Type(text) => self.type_text(text),
                Beat::Expect(text) => {
                    self.settle();
                    let screen = self.text();
                    assert!(
                        screen.contains(text),
                        "{}: `{text}` is not on the screen:\n{screen}",
                        script.name
                    );
                }
            }
        }
        self.settle();
    }

    fn draw(&mut self) {
        let (app, state) = (&self.app, &mut self.state);
        self.terminal
            .draw(|frame| view::draw(app, state, frame))
            .expect("a test terminal cannot fail");
        (self.app.page, self.app.scroll_end) = (self.state.page, self.state.scroll_end);
    }

    fn take_in(&mut self, heard: Heard) {
        let effects = match heard {
            Heard::Fresh(id) => {
                self.app.jobs.catch_up(id, self.desk.take(id));
                vec![]
            }
            Heard::Ended(id, outcome) => {
                self.app.jobs.catch_up(id, self.desk.last_words(id));
                self.app.hear(id, News::Ended(outcome))
            }
            Heard::Product(id, product) => self.app.receive(id, *product),
            Heard::Outside(told) => self.app.hear_outside(told).1,
            Heard::Input(_) => vec![],
        };
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Start(id, work) => self.desk.start(id, work),
                Effect::Wish(id, wish) => self.desk.wish(id, wish),
                Effect::Copy(text) => self.copied.push(text),
                Effect::Quit => self.left = true,
                // Nobody outside is asked in a rehearsal; tests tell what they want heard.
                Effect::AskServer(..)
                | Effect::StopServer(_)
                | Effect::Suspend
                | Effect::Redraw
                | Effect::Edit(_) => {}
            }
        }
    }
}
