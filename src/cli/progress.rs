//! Progress of a command on standard error: a line that is overwritten, or lines of JSON.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::jobs::{Progress, Report};

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Mode {
    /// A bar where standard error is a terminal, and nothing otherwise.
    #[default]
    Auto,
    /// A bar.
    Bar,
    /// A line of JSON for every step.
    Json,
    /// Nothing.
    None,
}

impl Mode {
    /// Whether a bar is drawn.
    pub(super) fn is_bar(self) -> bool {
        self == Self::Bar || (self == Self::Auto && io::stderr().is_terminal())
    }
}

/// Shows the progress of one piece of work.
pub(super) struct Meter {
    label: String,
    mode: Mode,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    note: String,
    fraction: f64,
    began: Option<Instant>,
    drawn: Option<Instant>,
}

/// A bar is not drawn for work that is done sooner than this, and not more often than this.
const PAUSE: Duration = Duration::from_millis(100);

/// Cells of a bar.
const CELLS: usize = 24;

impl Meter {
    pub(super) fn new(label: &str, mode: Mode) -> Self {
        Self { label: label.to_owned(), mode, state: Mutex::default() }
    }

    pub(super) fn hear(&self, report: Report) {
        if !self.mode.is_bar() && self.mode != Mode::Json {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.mode == Mode::Json {
            write(&json(&self.label, &report).to_string(), "\n");
            return;
        }
        match report {
            Report::Step(progress) => state.fraction = state.fraction.max(progress.fraction),
            Report::Note(note) => state.note = note,
            Report::Sheet(_) => {}
        }
        let began = *state.began.get_or_insert_with(Instant::now);
        let last = state.drawn.unwrap_or(began);
        if last.elapsed() >= PAUSE {
            state.drawn = Some(Instant::now());
            write("\r\x1b[K", &bar(&self.label, state.fraction, &state.note));
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if state.drawn.is_some() {
            write("\r\x1b[K", "");
        }
    }
}

fn bar(label: &str, fraction: f64, note: &str) -> String {
    let full = (fraction.clamp(0.0, 1.0) * CELLS as f64).round() as usize;
    let cells = "█".repeat(full) + &" ".repeat(CELLS - full);
    let line = format!("{label} ▕{cells}▏ {:3.0} % {note}", 100.0 * fraction);
    // Wider than the terminal it would wrap, and could not be overwritten.
    super::text::cut(line.trim_end(), 79)
}

fn json(label: &str, report: &Report) -> serde_json::Value {
    match report {
        Report::Note(note) => serde_json::json!({ "work": label, "note": note }),
        Report::Sheet(sheet) => serde_json::json!({
            "work": label, "headings": sheet.headings, "lines": sheet.lines,
        }),
        Report::Step(Progress { done, total, fraction, parts, measured }) => {
            let parts: Vec<_> = parts.iter().map(|p| [p.index + 1, p.count]).collect();
            let measured: serde_json::Map<_, _> = measured
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).into()))
                .collect();
            serde_json::json!({
                "work": label, "done": done, "total": total, "fraction": fraction,
                "parts": parts, "measured": measured,
            })
        }
    }
}

fn write(one: &str, two: &str) {
    let mut out = io::stderr().lock();
    // Progress that nobody can see is no reason to fail.
    let _ = out.write_all(format!("{one}{two}").as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Part;

    #[test]
    fn a_bar_fills_from_the_left() {
        assert_eq!(bar("ridge", 0.5, "fitting"), "ridge ▕████████████            ▏  50 % fitting");
        assert_eq!(bar("ridge", 7.0, &"x".repeat(99)).chars().count(), 79);
    }

    #[test]
    fn a_step_is_one_json_object() {
        let step = Progress {
            done: 1,
            total: 4,
            fraction: 0.125,
            parts: vec![Part { index: 0, count: 2 }],
            measured: vec![("loss", 0.5)],
        };
        let text = json("train", &Report::Step(step)).to_string();
        assert_eq!(
            text,
            r#"{"work":"train","done":1,"total":4,"fraction":0.125,"parts":[[1,2]],"measured":{"loss":0.5}}"#
        );
    }
}
