//! The Training pane: what runs, what waits, what is done, and the curves of the chosen one.

use std::collections::HashMap;

use super::act::moved;
use super::{App, Ask, Chart, Curves, Effect, Job, Marks, Quantity, Side};
use crate::data::Task;
use crate::jobs::Sheet;
use crate::train::{ModelSpec, Run, RunId};
use crate::ui::action::Action;
use crate::workspace::Verb;

/// By how much a zoom key makes the stretch that is shown longer.
const ZOOM: f64 = 2.0;

/// The share of the stretch that is shown by which the cursor leaps.
const LEAP: f64 = 0.1;

/// The Training pane.
#[derive(Clone, Debug, Default)]
pub struct TrainingPane {
    /// The chosen row, counted from the top.
    pub row: usize,
    /// The tab in front.
    pub tab: TrainTab,
    /// The chosen line of the table of layers.
    pub layer: usize,
    /// Runs marked for comparison.
    pub marked: Marks,
    /// The runs of the training under way, or of the last one.
    pub batch: Vec<RunId>,
    /// What the chart shows.
    pub chart: Chart,
    /// The curves of the runs that were read.
    curves: HashMap<RunId, Curves>,
}

impl TrainingPane {
    /// Takes the curves of a run in.
    pub(super) fn learn(&mut self, run: &Run) {
        self.curves.insert(run.id.clone(), Curves::of(&run.history));
    }

    /// Forgets a run that is gone.
    pub(super) fn forget(&mut self, id: &RunId) {
        self.marked.forget(id);
        self.curves.remove(id);
    }
}

/// What the pane can turn to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrainTab {
    /// The list of runs, and the curves below.
    #[default]
    Runs,
    /// The curves alone.
    Curve,
    /// The parts of the model, such as the layers of a network.
    Layers,
}

impl TrainTab {
    /// All of them, in the order of the frame.
    pub const ALL: [Self; 3] = [Self::Runs, Self::Curve, Self::Layers];

    /// What the frame calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Curve => "curve",
            Self::Layers => "layers",
        }
    }

    fn turned(self, by: usize) -> Self {
        Self::ALL[(self as usize + by) % Self::ALL.len()]
    }
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
        let running = self.jobs.running.iter().enumerate().filter(|(_, j)| j.is_training());
        let running = running.map(|(i, _)| Row::Running(i));
        let done = self.workspace.runs_here().rev().map(|r| Row::Done(r.id.clone()));
        queued.chain(running).chain(done).collect()
    }

    /// The chosen row.
    pub fn training_row(&self) -> Option<Row> {
        self.training_rows().into_iter().nth(self.training.row)
    }

    /// The curves of a row; `None` for what waits, and for a run that is still on the disk.
    pub fn curves(&self, row: &Row) -> Option<&Curves> {
        match row {
            Row::Running(i) => self.jobs.running.get(*i).map(|job| &job.curves),
            Row::Done(id) => self.curves_of(id),
            Row::Queued(_) => None,
        }
    }

    /// The curves of a run, once it was read.
    pub fn curves_of(&self, id: &RunId) -> Option<&Curves> {
        self.training.curves.get(id)
    }

    /// The parts of the model of a row: how they are while it trains, or how they were at its end.
    pub fn sheet(&self, row: &Row) -> Option<&Sheet> {
        let sheet = match row {
            Row::Running(i) => &self.jobs.running.get(*i)?.sheet,
            Row::Done(id) => &self.workspace.run(id)?.sheet,
            Row::Queued(_) => return None,
        };
        (!sheet.lines.is_empty()).then_some(sheet)
    }

    /// The model of a row with its settings, and what it is to predict.
    pub fn asked(&self, row: &Row) -> Option<(&ModelSpec, Option<Task>)> {
        let of_job = |job: &Job| job.trains.as_ref().map(|t| t.task);
        match row {
            Row::Running(i) => {
                let job = self.jobs.running.get(*i)?;
                Some((&job.trains.as_ref()?.model, of_job(job).flatten()))
            }
            Row::Done(id) => {
                let run = self.workspace.run(id)?;
                Some((&run.experiment.model, Some(run.task)))
            }
            Row::Queued(_) => None,
        }
    }

    pub(super) fn act_training(&mut self, action: Action) -> Vec<Effect> {
        let rows = self.training_rows();
        if let Some(effects) = self.move_down_list(action, &rows) {
            return effects;
        }
        if self.act_chart(action, rows.get(self.training.row)) {
            return vec![];
        }
        match rows.get(self.training.row) {
            Some(Row::Done(id)) => self.act_run(action, &id.clone()),
            Some(Row::Running(_)) => {
                let key = crate::ui::keymap::key_of(Action::Cancel);
                let key = key.map_or(String::new(), |key| key.to_string());
                self.refuse(&format!("it is still training; {key} cancels it"))
            }
            _ => self.refuse_with("no run is chosen", "{} trains one", Action::Train),
        }
    }

    /// Moves in the list of runs, in the table of layers, or between the tabs.
    fn move_down_list(&mut self, action: Action, rows: &[Row]) -> Option<Vec<Effect>> {
        if self.training.tab == TrainTab::Layers {
            let row = rows.get(self.training.row);
            let n = row.and_then(|row| self.sheet(row)).map_or(0, |sheet| sheet.lines.len());
            if let Some(at) = moved(self.training.layer, n, action, self.page) {
                self.training.layer = at;
                return Some(vec![]);
            }
        } else if let Some(at) = moved(self.training.row, rows.len(), action, self.page) {
            if at != self.training.row {
                self.training.chart.look_away();
                self.training.layer = 0;
            }
            self.training.row = at;
            return Some(self.load_chosen(rows));
        }
        match action {
            Action::NextTab => self.training.tab = self.training.tab.turned(1),
            Action::PrevTab => self.training.tab = self.training.tab.turned(2),
            _ => return None,
        }
        Some(vec![])
    }

    /// Carries out what concerns the chart alone; false for anything else.
    fn act_chart(&mut self, action: Action, row: Option<&Row>) -> bool {
        let quantity = self.training.chart.quantity;
        let curves = row.and_then(|row| self.curves(row));
        let next = match curves {
            Some(curves) => next_quantity(quantity, curves),
            None => quantity,
        };
        // The chart moves along the points of the chosen row, which stand elsewhere in the state.
        let mut chart = self.training.chart.clone();
        let points = curves.map_or(&[][..], |curves| curves.main(quantity));
        match action {
            Action::Left => chart.step(points, -1),
            Action::Right => chart.step(points, 1),
            Action::FarLeft => chart.stride(points, -LEAP),
            Action::FarRight => chart.stride(points, LEAP),
            Action::ZoomIn => chart.zoom(points, 1.0 / ZOOM),
            Action::ZoomOut => chart.zoom(points, ZOOM),
            Action::ZoomAll => chart.range = None,
            Action::Back => chart.cursor = None,
            Action::LogAxis => chart.log = !chart.log,
            Action::Smooth => chart.smooth_more(),
            Action::NextMetric => chart.quantity = next,
            _ => return false,
        }
        self.training.chart = chart;
        match action {
            Action::LogAxis => {
                let axis = if self.training.chart.log { "logarithmic" } else { "linear" };
                self.say(format!("{axis} axis"));
            }
            Action::Smooth => match self.training.chart.smooth() {
                Some(past) => self.say(format!(
                    "exponential mean, weight of the past {past}; the raw curve stays, faint"
                )),
                None => self.say("the curves as they were measured"),
            },
            Action::NextMetric if next == quantity => {
                self.say("nothing else was measured of this run");
            }
            _ => {}
        }
        true
    }

    fn act_run(&mut self, action: Action, id: &RunId) -> Vec<Effect> {
        match action {
            Action::Enter => {
                self.focus = super::Pane::Evaluation;
                self.show_run(id)
            }
            Action::Register => match self.workspace.run(id).cloned() {
                Some(run) => self.ask_register(run),
                None => self.refuse("this run is not in memory yet\nhint: Enter reads it back"),
            },
            Action::Mark => {
                self.training.marked.toggle(id);
                let unread = self.training.marked.contains(id) && self.curves_of(id).is_none();
                if unread { self.load(vec![id.clone()]) } else { vec![] }
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

    fn load_chosen(&mut self, rows: &[Row]) -> Vec<Effect> {
        match rows.get(self.training.row) {
            Some(Row::Done(id)) if self.workspace.run(id).is_none() => self.load(vec![id.clone()]),
            _ => vec![],
        }
    }
}

/// The next quantity of which there is a curve; the same one where there is no other.
fn next_quantity(quantity: Quantity, curves: &Curves) -> Quantity {
    let drawn = |q: &Quantity| curves.track(*q, Side::Train).len().max(curves.judged(*q).len()) > 0;
    let at = Quantity::ALL.iter().position(|q| *q == quantity).unwrap_or(0);
    let mut others = Quantity::ALL.iter().cycle().skip(at + 1).take(Quantity::ALL.len() - 1);
    others.find(|q| drawn(q)).copied().unwrap_or(quantity)
}
