//! Plays a tour in the terminal.

use std::collections::VecDeque;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Beat, Demo, keys::parse_keys, script};
use crate::ui::app::App;

/// Between two keys.
const KEY: Duration = Duration::from_millis(220);

/// Between two letters of typed text.
const LETTER: Duration = Duration::from_millis(60);

/// How long a caption stands, beside the time for each of its letters.
const CAPTION: Duration = Duration::from_millis(900);

/// The time for each letter of a caption.
const READING: Duration = Duration::from_millis(38);

/// What the player has done.
#[derive(Debug)]
pub enum Played {
    /// It has pressed a key.
    Key(KeyEvent),
    /// It has changed the caption.
    Changed,
    /// The tour is over.
    Over,
}

/// A tour under way.
#[derive(Debug)]
pub struct Player {
    beats: VecDeque<Beat>,
    pressing: VecDeque<(KeyEvent, Duration)>,
    due: Duration,
    speed: f64,
    keys: bool,
    pace: Pace,
}

/// Who decides when the next beat comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// The clock.
    Clock,
    /// Nobody, until a person goes on.
    Paused,
    /// A person, beat by beat.
    Steps,
    /// A person, who has just said so.
    Go,
}

impl Player {
    /// A player at the beginning of its tour.
    pub fn new(demo: &Demo) -> Self {
        let beats = script(&demo.name).map_or(&[][..], |s| s.beats);
        Self {
            beats: beats.iter().copied().collect(),
            pressing: VecDeque::new(),
            due: Duration::ZERO,
            speed: if demo.speed > 0.0 { demo.speed } else { 1.0 },
            keys: demo.keys,
            pace: if demo.step { Pace::Steps } else { Pace::Clock },
        }
    }

    /// How long the loop may wait for something else; `None` while a job runs, whose end will
    /// wake it, and while a person is waited for.
    pub fn wait(&self, app: &App, now: Duration) -> Option<Duration> {
        let waits = match self.pace {
            Pace::Clock | Pace::Go => false,
            Pace::Paused => true,
            Pace::Steps => self.pressing.is_empty(),
        };
        if waits || !app.jobs.is_idle() {
            return None;
        }
        Some(self.due.saturating_sub(now))
    }

    /// Takes a person's key: space goes on or pauses, Esc and `q` end the tour.
    pub fn takes(&mut self, key: KeyEvent) -> bool {
        match key.code {
            KeyCode::Char(' ') => {
                self.pace = match self.pace {
                    Pace::Clock => Pace::Paused,
                    Pace::Paused => Pace::Clock,
                    Pace::Steps | Pace::Go => Pace::Go,
                };
            }
            KeyCode::Esc | KeyCode::Char('q') => {
                self.beats.clear();
                self.pressing.clear();
                self.pace = Pace::Clock;
                self.due = Duration::ZERO;
            }
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                self.beats.clear();
                self.pressing.clear();
                self.pace = Pace::Clock;
                return false;
            }
            _ => {}
        }
        true
    }

    /// Does the next thing, when its time has come and no job runs.
    pub fn next(&mut self, app: &mut App, now: Duration) -> Option<Played> {
        if self.pace == Pace::Paused || now < self.due || !app.jobs.is_idle() {
            return None;
        }
        if let Some((key, pause)) = self.pressing.pop_front() {
            self.due = now + pause.div_f64(self.speed);
            if self.keys {
                let shown = crate::ui::keymap::Key(key.code, key.modifiers).to_string();
                let caption = app.caption.take().map_or(String::new(), |(text, _)| text);
                app.caption = Some((caption, shown));
            }
            return Some(Played::Key(key));
        }
        if self.pace == Pace::Steps && !self.beats.is_empty() {
            return None;
        }
        match self.beats.pop_front() {
            None => Some(Played::Over),
            Some(Beat::Say(text)) => {
                if self.pace == Pace::Go {
                    self.pace = Pace::Steps;
                }
                app.caption = Some((text.to_owned(), String::new()));
                self.due =
                    now + (CAPTION + READING * text.chars().count() as u32).div_f64(self.speed);
                Some(Played::Changed)
            }
            Some(Beat::Press(keys)) => {
                self.pressing.extend(parse_keys(keys).into_iter().map(|key| (key, KEY)));
                Some(Played::Changed)
            }
            Some(Beat::Type(text)) => {
                let key = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
                self.pressing.extend(text.chars().map(|c| (key(c), LETTER)));
                Some(Played::Changed)
            }
            // Checked where the tour is rehearsed; on the stage it is a moment to look.
            Some(Beat::Expect(_)) => {
                self.due = now + CAPTION.div_f64(self.speed);
                Some(Played::Changed)
            }
        }
    }
}
