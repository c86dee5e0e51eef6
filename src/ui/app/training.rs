//! The Training pane: what runs, what waits, what is done, and the curve of the chosen one.

use super::act::moved;
use super::{App, Ask, Effect};
use crate::train::{Point, RunId};
use crate::ui::action::Action;
use crate::workspace::Verb;

/// The Training pane.
#[derive(Clone, Debug, Default)]
pub struct TrainingPane {
    /// The chosen row, counted from the top.
    pub row: usize,
    /// Runs marked for comparison.
    pub marked: Vec<RunId>,
    /// Whether the loss axis is logarithmic.
    pub log: bool,
    /// The runs of the training under way, or of the last one.
    pub batch: Vec<RunId>,
    /// Where the curve's cursor stands.
    pub cursor: Option<f64>,
}

/// A row of the list: newest first, above all what runs and waits.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// Training that waits for its turn: its place in the queue.
    Queued(usize),
    /// Training that runs: its place among the jobs.
    Running(usize),
    /// A run.
    Done(RunId),
}

impl App {
    /// The rows of the list.
    pub fn training_rows(&self) -> Vec<Row> {
        let queued = (0..self.jobs.queue.len()).rev().map(Row::Queued);
        let running = self.jobs.running.iter().enumerate().filter(|(_, j)| j.is_training);
        let running = running.map(|(i, _)| Row::Running(i));
        let done = self.workspace.runs_here().rev().map(|r| Row::Done(r.id.clone()));
        queued.chain(running).chain(done).collect()
    }

    /// The curve of the chosen row.
    pub fn curve(&self) -> &[Point] {
        match self.training_rows().get(self.training.row) {
            Some(Row::Running(i)) => &self.jobs.running[*i].curve,
            Some(Row::Done(id)) => self.workspace.run(id).map_or(&[], |run| &run.history),
            _ => &[],
        }
    }

    pub(super) fn act_training(&mut self, action: Action) -> Vec<Effect> {
        let rows = self.training_rows();
        if let Some(at) = moved(self.training.row, rows.len(), action, self.page) {
            self.training.row = at;
            self.training.cursor = None;
            return self.load_chosen(&rows);
        }
        let chosen = match rows.get(self.training.row) {
            Some(Row::Done(id)) => Some(id.clone()),
            _ => None,
        };
        match action {
            Action::Left => self.move_cursor(-1),
            Action::Right => self.move_cursor(1),
            Action::LogAxis => {
                self.training.log = !self.training.log;
                let axis = if self.training.log { "logarithmic" } else { "linear" };
                self.say(format!("{axis} loss axis"));
            }
            Action::Back => self.training.cursor = None,
            _ => {
                let Some(id) = chosen else {
                    return if matches!(rows.get(self.training.row), Some(Row::Running(_))) {
                        self.refuse("it is still training; x cancels it")
                    } else {
                        self.refuse("no run is chosen\nhint: train one with `t`")
                    };
                };
                return self.act_run(action, &id);
            }
        }
        vec![]
    }

    fn act_run(&mut self, action: Action, id: &RunId) -> Vec<Effect> {
        match action {
            Action::Enter => {
                self.focus = super::Pane::Evaluation;
                self.show_run(id)
            }
            Action::Mark => {
                self.toggle_mark(id);
                vec![]
            }
            Action::Yardstick => self.do_verb(&Verb::Yardstick(id.clone())),
            Action::Formula => {
                let effects = self.show_run(id);
                self.show_formula();
                effects
            }
            Action::NoteRun => {
                let note = self.workspace.runs.iter().find(|r| r.id == *id);
                let note = note.map(|r| r.note.clone()).unwrap_or_default();
                self.ask(
                    format!("A note on run {id}"),
                    "any words",
                    &note,
                    Ask::Command(format!("note {id}=")),
                );
                vec![]
            }
            Action::DeleteRun => {
                self.confirm_delete(Verb::Delete(id.clone()), &format!("run {id}"));
                vec![]
            }
            _ => vec![],
        }
    }

    /// Marks a run, or takes its mark away.
    pub(super) fn toggle_mark(&mut self, id: &RunId) {
        let marked = &mut self.training.marked;
        match marked.iter().position(|m| m == id) {
            Some(at) => {
                marked.remove(at);
            }
            None => marked.push(id.clone()),
        }
    }

    fn load_chosen(&mut self, rows: &[Row]) -> Vec<Effect> {
        match rows.get(self.training.row) {
            Some(Row::Done(id)) if self.workspace.run(id).is_none() => self.load(vec![id.clone()]),
            _ => vec![],
        }
    }

    fn move_cursor(&mut self, by: isize) {
        let curve = self.curve();
        if curve.is_empty() {
            return;
        }
        let last = curve.len() as isize - 1;
        let here = self.training.cursor;
        let at =
            here.and_then(|x| curve.iter().position(|p| p.step >= x)).map_or(last, |i| i as isize);
        let at = if here.is_some() { (at + by).clamp(0, last) } else { last };
        self.training.cursor = Some(curve[at as usize].step);
    }
}
