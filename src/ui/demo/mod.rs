//! Demos: scripted tours that press real keys in the real program.
//!
//! A [`Script`] is a list of [`Beat`]s. The [`Player`] presses its keys in the terminal, with
//! captions, by itself or step by step; [`super::rehearsal::Rehearsal`] plays the same script
//! without a terminal, which is how every demo is also a test. Both wait until no job runs; none
//! of them sleeps for work to be done.

mod keys;
mod player;
mod record;
mod scripts;

use std::path::PathBuf;

pub use keys::parse_keys;
pub use player::{Played, Player};
pub use record::recorder;
pub use scripts::SCRIPTS;

/// The time that stands still while a demo plays: 2026-01-01 09:00 UTC.
pub const CLOCK: i64 = 1_767_258_000;

/// A tour.
pub struct Script {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it shows, in a sentence.
    pub about: &'static str,
    /// What happens, in order.
    pub beats: &'static [Beat],
}

/// One thing that happens in a tour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Beat {
    /// What is going on, in words.
    Say(&'static str),
    /// Keys to press, such as `j j Enter` (see [`parse_keys`]).
    Press(&'static str),
    /// Text to type, letter by letter.
    Type(&'static str),
    /// What must stand on the screen once no job runs.
    Expect(&'static str),
}

/// How a tour is played.
#[derive(Clone, Debug, Default)]
pub struct Demo {
    /// Which one.
    pub name: String,
    /// How fast: 2 is twice as fast; 0 counts as 1.
    pub speed: f64,
    /// Whether space is needed for every beat.
    pub step: bool,
    /// Whether the keys are shown as they are pressed.
    pub keys: bool,
    /// Where to write a recording (asciicast v2).
    pub record: Option<PathBuf>,
}

/// The tour of this name.
pub fn script(name: &str) -> Option<&'static Script> {
    SCRIPTS.iter().find(|s| s.name == name)
}
