//! The Compare screen: runs on the same rows, side by side.

use std::sync::Arc;

use super::act::moved;
use super::{App, Effect, Overlay, PageLine, Screen};
use crate::data::Task;
use crate::train::{self, Comparison, Run, RunId};
use crate::ui::action::Action;
use crate::ui::keymap::key_in;
use crate::workspace::{Verb, Work};

/// The Compare screen.
#[derive(Clone, Debug, Default)]
pub struct ComparePane {
    /// The chosen row of the leaderboard.
    pub row: usize,
    /// By which metric the runs are ranked; the task's own when none was chosen.
    pub metric: Option<&'static str>,
    /// What came out.
    pub comparison: Option<Arc<Comparison>>,
    /// Whether the runs are being read back first.
    pub waiting: bool,
}

/// The metrics by which runs of a task can be ranked.
fn rankings(task: Task) -> &'static [&'static str] {
    match task {
        Task::Regression => &["rmse", "mae", "r2"],
        Task::Binary => &["roc_auc", "brier", "log_loss", "ks", "average_precision"],
        Task::Multiclass => {
            &["accuracy", "macro_f1", "log_loss", "weighted_f1", "macro_roc_auc", "mcc"]
        }
    }
}

impl App {
    /// The runs that can be compared: those on this table with this target.
    fn comparable(&self) -> Vec<RunId> {
        let Some(last) = self.workspace.runs_here().next_back() else { return vec![] };
        let (target, task) = (last.target.clone(), last.task);
        let same = self.workspace.runs_here().filter(|r| r.target == target && r.task == task);
        same.map(|r| r.id.clone()).collect()
    }

    /// The run with which the others are compared: the chosen one, or the oldest.
    pub fn yardstick(&self) -> Option<RunId> {
        let runs = self.comparable();
        let chosen = self.workspace.now.yardstick.clone().filter(|y| runs.contains(y));
        chosen.or_else(|| {
            // The baseline is beaten by everything; the first real model is a better yardstick.
            let is_real = |id: &&RunId| {
                self.workspace.runs.iter().any(|r| r.id == **id && r.model != "baseline")
            };
            runs.iter().find(is_real).or(runs.first()).cloned()
        })
    }

    /// Opens the Compare screen.
    pub(super) fn open_compare(&mut self) -> Vec<Effect> {
        if self.comparable().len() < 2 {
            let all = key_in(&self.scopes(), Action::TrainAll);
            let remedy = format!("{{}} trains another, `{all}` every kind");
            return self.refuse_with("two runs are needed to compare", &remedy, Action::Train);
        }
        self.overlays.clear();
        self.screen = Screen::Compare;
        self.recompare()
    }

    /// Compares anew: reads back what is not in memory, then compares.
    pub(super) fn recompare(&mut self) -> Vec<Effect> {
        let ids = self.comparable();
        let missing: Vec<RunId> =
            ids.iter().filter(|id| self.workspace.run(id).is_none()).cloned().collect();
        // Asked for once: what could not be read back is left out.
        if !missing.is_empty() && !std::mem::replace(&mut self.compare.waiting, true) {
            return self.load(missing);
        }
        self.compare.waiting = false;
        let runs: Vec<Arc<Run>> =
            ids.iter().filter_map(|id| self.workspace.run(id).cloned()).collect();
        let classes = runs.last().map(|r| r.model.classes.clone()).unwrap_or_default();
        let runs: Vec<Arc<Run>> = runs.into_iter().filter(|r| r.model.classes == classes).collect();
        let Some(task) = runs.first().map(|r| r.task) else { return vec![] };
        let metrics = rankings(task);
        let metric = self.compare.metric.filter(|m| metrics.contains(m)).unwrap_or(metrics[0]);
        self.compare.metric = Some(metric);
        let yardstick = self.yardstick();
        let at = runs.iter().position(|r| Some(&r.id) == yardstick.as_ref()).unwrap_or(0);
        self.start_all(vec![Work::Compare { runs, yardstick: at, metric }])
    }

    /// The run under the cursor.
    pub fn compared(&self) -> Option<RunId> {
        let comparison = self.compare.comparison.as_ref()?;
        comparison.leaderboard.get(self.compare.row).map(|r| r.id.clone())
    }

    pub(super) fn act_compare(&mut self, action: Action) -> Vec<Effect> {
        let n = self.compare.comparison.as_ref().map_or(0, |c| c.leaderboard.len());
        if let Some(at) = moved(self.compare.row, n, action, self.page) {
            self.compare.row = at;
            return vec![];
        }
        let Some(id) = self.compared() else { return vec![] };
        match action {
            Action::Enter => {
                self.screen = Screen::Workbench;
                self.focus = super::Pane::Evaluation;
                self.show_run(&id)
            }
            Action::Yardstick => self.do_verb(&Verb::Yardstick(id)),
            Action::NextMetric
            | Action::NextTab
            | Action::PrevTab
            | Action::Left
            | Action::Right => {
                let Some(task) = self.workspace.run(&id).map(|r| r.task) else { return vec![] };
                let metrics = rankings(task);
                let at = metrics.iter().position(|m| Some(*m) == self.compare.metric).unwrap_or(0);
                let by = if matches!(action, Action::PrevTab | Action::Left) {
                    metrics.len() - 1
                } else {
                    1
                };
                self.compare.metric = Some(metrics[(at + by) % metrics.len()]);
                self.recompare()
            }
            Action::Register => match self.workspace.run(&id).cloned() {
                Some(run) => self.ask_register(run),
                None => self.refuse("the run is still being read"),
            },
            Action::Mark => {
                self.training.marked.toggle(&id);
                vec![]
            }
            Action::Differences => {
                self.show_differences(&id);
                vec![]
            }
            Action::Definitions => {
                let task = self.workspace.run(&id).map_or(Task::Binary, |r| r.task);
                self.show_definitions(task);
                vec![]
            }
            Action::Formula => {
                let effects = self.show_run(&id);
                self.show_formula();
                effects
            }
            _ => vec![],
        }
    }

    fn show_differences(&mut self, id: &RunId) {
        let Some(yardstick) = self.yardstick() else { return };
        let (Some(left), Some(right)) = (self.workspace.run(&yardstick), self.workspace.run(id))
        else {
            return;
        };
        let differences = train::experiment_diff(&left.experiment, &right.experiment);
        let mut lines = vec![PageLine::Heading(format!("yardstick {yardstick} → {id}"))];
        if differences.is_empty() {
            lines.push(PageLine::Text("the same experiment".into()));
        }
        lines.extend(
            differences
                .into_iter()
                .map(|(field, from, to)| PageLine::Pair(field, format!("{from} → {to}"))),
        );
        self.overlays.push(Overlay::Page { title: "What differs".into(), lines, scroll: 0 });
    }
}
