//! `karat demo`: which tour is to be played, and how.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// What `demo` is given.
#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Args {
    /// Which tour; without one they are listed
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// How much faster than usual
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// Wait for a key before every step
    #[arg(long)]
    step: bool,
    /// Show the keys as they are pressed
    #[arg(long)]
    keys: bool,
    /// Write an asciicast v2 of it
    #[arg(long, value_name = "FILE.cast")]
    record: Option<PathBuf>,
}

/// A scripted tour, as asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Demo {
    /// Which one; without a name they are listed.
    pub name: Option<String>,
    /// How much faster than usual, above 0.
    pub speed: f64,
    /// Whether it waits for a key before every step.
    pub step: bool,
    /// Whether the keys are shown as they are pressed.
    pub keys: bool,
    /// Where a recording of it is written.
    pub record: Option<PathBuf>,
}

impl Args {
    pub(super) fn demo(&self) -> Demo {
        Demo {
            name: self.name.clone(),
            speed: self.speed,
            step: self.step,
            keys: self.keys,
            record: self.record.clone(),
        }
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (0.01..=1000.0).contains(&speed) => Ok(speed),
        _ => Err("a number from 0.01 to 1000 is expected".into()),
    }
}
