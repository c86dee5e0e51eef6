//! Progress of a command on standard error: a line that is overwritten, or lines of JSON.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::console::terminal_width;
use super::text::{metric, seconds};
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
    figures: Figures,
    /// When the first loss was measured, and how much was done then: what came before, such as
    /// reading the table, says nothing about the time that is left.
    first: Option<(Instant, f64)>,
}

/// The latest value of everything that was measured.
#[derive(Default)]
struct Figures(Vec<(&'static str, f64)>);

/// A bar is not drawn for work that is done sooner than this, and not more often than this.
const PAUSE: Duration = Duration::from_millis(250);

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
            Report::Step(progress) => {
                state.fraction = state.fraction.max(progress.fraction);
                state.figures.take_over(&progress.measured);
                if state.first.is_none() && state.figures.get("loss").is_some() {
                    state.first = Some((Instant::now(), progress.fraction));
                }
            }
            Report::Note(note) => state.note = note,
            Report::Sheet(_) => {}
        }
        let began = *state.began.get_or_insert_with(Instant::now);
        let last = state.drawn.unwrap_or(began);
        if last.elapsed() >= PAUSE {
            state.drawn = Some(Instant::now());
            let text = match state.first {
                Some((since, done)) => {
                    let pace = since.elapsed().as_secs_f64() / (state.fraction - done);
                    let left = pace * (1.0 - state.fraction);
                    state.figures.words((left.is_finite() && left >= 0.0).then_some(left))
                }
                None => vec![state.note.clone()],
            };
            write("\r\x1b[K", &bar(&self.label, state.fraction, &text, terminal_width()));
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

impl Figures {
    fn take_over(&mut self, measured: &[(&'static str, f64)]) {
        for (name, value) in measured {
            match self.0.iter_mut().find(|(n, _)| n == name) {
                Some(figure) => figure.1 = *value,
                None => self.0.push((name, *value)),
            }
        }
    }

    fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
    }

    /// What a person wants to know, most important first.
    fn words(&self, seconds_left: Option<f64>) -> Vec<String> {
        let mut words = Vec::new();
        if let (Some(epoch), Some(epochs)) = (self.get("epoch"), self.get("epochs")) {
            words.push(format!("epoch {epoch:.0}/{epochs:.0}"));
        }
        let named = [("loss", "loss"), ("valid_loss", "valid")];
        let figure =
            |(name, label): (&str, &str)| Some(format!("{label} {}", metric(self.get(name)?)));
        words.extend(named.into_iter().filter_map(figure));
        words.extend(seconds_left.map(|left| match left {
            ..60.0 => format!("~{left:.0} s"),
            _ => format!("~{}", seconds(left)),
        }));
        let judged = self.get("valid_metric").or(self.get("metric"));
        words.extend(judged.map(|value| format!("metric {}", metric(value))));
        words
    }
}

fn bar(label: &str, fraction: f64, words: &[String], width: usize) -> String {
    let cells = if words.len() > 1 { CELLS / 2 } else { CELLS };
    let full = (fraction.clamp(0.0, 1.0) * cells as f64).round() as usize;
    let gauge = "█".repeat(full) + &" ".repeat(cells - full);
    let mut line = format!("{label} ▕{gauge}▏ {:3.0} %", 100.0 * fraction);
    // Wider than the terminal it would wrap, and could not be overwritten.
    let width = width.clamp(20, 120) - 1;
    for word in words.iter().filter(|word| !word.is_empty()) {
        if line.chars().count() + 1 + word.chars().count() <= width || words.len() == 1 {
            line = format!("{line} {word}");
        }
    }
    super::text::cut(&line, width)
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
        let drawn = bar("ridge", 0.5, &["fitting".to_owned()], 80);
        assert_eq!(drawn, "ridge ▕████████████            ▏  50 % fitting");
        assert_eq!(bar("ridge", 7.0, &["x".repeat(99)], 80).chars().count(), 79);
    }

    #[test]
    fn a_training_says_epoch_losses_time_and_metric_as_far_as_there_is_room() {
        let mut figures = Figures::default();
        figures.take_over(&[("loss", 0.9), ("epoch", 36.0), ("epochs", 200.0)]);
        figures.take_over(&[
            ("loss", 0.473_12),
            ("valid_loss", 0.5),
            ("metric", 0.81),
            ("epoch", 37.0),
        ]);
        let words = figures.words(Some(12.0));
        assert_eq!(
            words,
            ["epoch 37/200", "loss 0.4731", "valid 0.5000", "~12 s", "metric 0.8100"]
        );
        let line = |width| bar("train", 0.5, &words, width);
        assert!(
            line(80).ends_with("50 % epoch 37/200 loss 0.4731 valid 0.5000 ~12 s"),
            "{}",
            line(80)
        );
        assert!(line(100).ends_with("~12 s metric 0.8100"), "{}", line(100));
        assert!(line(46).ends_with("50 % epoch 37/200 ~12 s"), "{}", line(46));
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
