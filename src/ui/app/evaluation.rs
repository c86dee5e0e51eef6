//! The Evaluation pane: how good one run is, on which rows, at which threshold.

use std::sync::Arc;

use super::act::moved;
use super::{App, Effect};
use crate::data::Task;
use crate::train::{Run, RunId};
use crate::ui::action::Action;
use crate::workspace::{Assessment, ClassOrder, Side, Verb, Work};

/// A tab of the Evaluation pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum EvalTab {
    /// Headline metrics, confusion, threshold.
    #[default]
    Summary,
    /// ROC curve.
    Roc,
    /// Precision against recall.
    Pr,
    /// Gains.
    Gains,
    /// Predicted against observed.
    Calibration,
    /// Ten groups by score.
    Deciles,
    /// Residuals against fitted values.
    Residuals,
    /// How the errors are spread.
    Errors,
    /// Each of several classes.
    Classes,
    /// True against predicted classes.
    Confusion,
    /// The rows with the largest loss.
    Worst,
    /// The table of coefficients.
    Coefficients,
}

impl EvalTab {
    const BINARY: [Self; 7] = [
        Self::Summary,
        Self::Roc,
        Self::Pr,
        Self::Gains,
        Self::Calibration,
        Self::Deciles,
        Self::Coefficients,
    ];
    const REGRESSION: [Self; 4] =
        [Self::Summary, Self::Residuals, Self::Errors, Self::Coefficients];
    const CLASSES: [Self; 5] =
        [Self::Summary, Self::Classes, Self::Confusion, Self::Worst, Self::Coefficients];

    /// The tabs that a task has.
    pub fn of(task: Task) -> &'static [Self] {
        match task {
            Task::Regression => &Self::REGRESSION,
            Task::Binary => &Self::BINARY,
            Task::Multiclass => &Self::CLASSES,
        }
    }

    /// What the frame calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Roc => "ROC",
            Self::Pr => "PR",
            Self::Gains => "gains",
            Self::Calibration => "calibration",
            Self::Deciles => "deciles",
            Self::Residuals => "residuals",
            Self::Errors => "errors",
            Self::Classes => "classes",
            Self::Confusion => "confusion",
            Self::Worst => "worst rows",
            Self::Coefficients => "coefficients",
        }
    }
}

impl EvalTab {
    /// What a narrow frame calls it.
    pub fn short(self) -> &'static str {
        match self {
            Self::Summary => "sum",
            Self::Calibration => "cal",
            Self::Deciles => "dec",
            Self::Residuals => "resid",
            Self::Confusion => "conf",
            Self::Worst => "worst",
            Self::Coefficients => "coef",
            other => other.title(),
        }
    }
}

/// The Evaluation pane.
#[derive(Clone, Debug, Default)]
pub struct EvalPane {
    /// The tab in front.
    pub tab: EvalTab,
    /// The run that is shown; the newest when none was chosen.
    pub run: Option<RunId>,
    /// Which rows are looked at.
    pub side: Option<Side>,
    /// The chosen cell of the confusion matrix: 0 tn, 1 fp, 2 fn, 3 tp.
    pub cell: usize,
    /// The chosen cell of the confusion matrix of several classes: true and predicted class.
    pub pair: (usize, usize),
    /// In what order several classes are listed.
    pub order: ClassOrder,
    /// The chosen row of the tab's table.
    pub row: usize,
}

/// One step of the threshold.
const STEP: f64 = 0.01;

impl App {
    /// The run that is shown, when it is in memory.
    pub fn shown(&self) -> Option<&Arc<Run>> {
        match &self.eval.run {
            Some(id) => self.workspace.run(id),
            None => self.workspace.runs_here().next_back().and_then(|r| self.workspace.run(&r.id)),
        }
    }

    /// Which rows of the shown run are looked at.
    pub fn side(&self, run: &Run) -> Side {
        let sides = Side::of(run);
        self.eval
            .side
            .filter(|s| sides.contains(s))
            .or(sides.first().copied())
            .unwrap_or(Side::Train)
    }

    /// The assessment of a run on the side that is looked at.
    pub fn assessment(&self, run: &Run) -> Option<&Arc<Assessment>> {
        self.workspace.assessments.get(&(run.id.clone(), self.side(run)))
    }

    /// Shows a run, reading it back when it is not in memory.
    pub(super) fn show_run(&mut self, id: &RunId) -> Vec<Effect> {
        self.eval.run = Some(id.clone());
        self.eval.row = 0;
        let task = self.workspace.runs.iter().find(|r| r.id == *id).map(|r| r.task);
        if !task.is_some_and(|t| EvalTab::of(t).contains(&self.eval.tab)) {
            self.eval.tab = EvalTab::Summary;
        }
        if self.workspace.run(id).is_none() { self.load(vec![id.clone()]) } else { vec![] }
    }

    /// Reads runs back.
    pub(super) fn load(&mut self, runs: Vec<RunId>) -> Vec<Effect> {
        let registry = Arc::clone(&self.workspace.registry);
        self.start_all(vec![Work::Load { runs, registry }])
    }

    pub(super) fn act_evaluation(&mut self, action: Action) -> Vec<Effect> {
        let Some(run) = self.shown().map(Arc::clone) else {
            return self.refuse_with("no run is shown", "{} trains one", Action::Train);
        };
        let tabs = EvalTab::of(run.task);
        let at = tabs.iter().position(|t| *t == self.eval.tab).unwrap_or(0);
        self.eval.tab = tabs[at];
        if self.eval.tab == EvalTab::Confusion && self.move_pair(run.model.classes.len(), action) {
            return vec![];
        }
        let n = match self.eval.tab {
            EvalTab::Summary if run.task == Task::Binary => 4,
            EvalTab::Deciles => 10,
            EvalTab::Classes => run.model.classes.len(),
            EvalTab::Worst => self
                .assessment(&run)
                .and_then(|a| a.several.as_ref())
                .map_or(0, |several| several.worst.len()),
            EvalTab::Coefficients => run.coefficients.len() + 1,
            _ => 0,
        };
        let cursor = if self.eval.tab == EvalTab::Summary {
            &mut self.eval.cell
        } else {
            &mut self.eval.row
        };
        if let Some(to) = moved((*cursor).min(n.max(1) - 1), n, action, self.page) {
            *cursor = to;
            return vec![];
        }
        match action {
            Action::NextTab | Action::PrevTab => {
                let by = if action == Action::NextTab { 1 } else { tabs.len() - 1 };
                self.eval.tab = tabs[(at + by) % tabs.len()];
                self.eval.row = 0;
                vec![]
            }
            Action::Left | Action::Right if run.task == Task::Binary => {
                let by = if action == Action::Left { -STEP } else { STEP };
                let to =
                    (((self.workspace.threshold(&run) + by) / STEP).round() * STEP).clamp(0.0, 1.0);
                // The nearest double of a step keeps dust out of the log.
                let to = (to * 1e6).round() / 1e6;
                self.do_verb(&Verb::Threshold(run.id.clone(), to))
            }
            Action::Left | Action::Right => {
                let by = if action == Action::Right { 1 } else { tabs.len() - 1 };
                self.eval.tab = tabs[(at + by) % tabs.len()];
                vec![]
            }
            Action::NextMetric => self.reorder(&run),
            Action::Optimum => self.optimum(&run),
            Action::Sides => {
                let sides = Side::of(&run);
                let at = sides.iter().position(|s| *s == self.side(&run)).unwrap_or(0);
                let side = sides[(at + 1) % sides.len()];
                self.eval.side = Some(side);
                self.say(format!("{} rows", side.word()));
                vec![]
            }
            Action::Formula => self.show_formula(),
            Action::Definitions => {
                self.show_definitions(run.task);
                vec![]
            }
            Action::Enter => self.open_rows(&run),
            _ => vec![],
        }
    }

    /// Moves the threshold to where wrong decisions cost least, on rows that do not test.
    fn optimum(&mut self, run: &Arc<Run>) -> Vec<Effect> {
        if run.task != Task::Binary {
            return self.refuse("only a model of two classes has a threshold");
        }
        let sides = [Side::Valid, Side::OutOfFold, Side::Train];
        let found = sides.iter().find_map(|side| {
            let assessment = self.workspace.assessments.get(&(run.id.clone(), *side))?;
            Some((*side, assessment.sweep.as_ref()?))
        });
        let costs = self.workspace.question().costs;
        let Some((side, sweep)) = found else {
            return self.refuse("the scores are still being read");
        };
        let best = sweep.best(costs.false_positive, costs.false_negative);
        let effects = self.do_verb(&Verb::Threshold(run.id.clone(), best.threshold));
        let text = format!(
            "threshold {:.3} costs least on the {} rows: {:.4} a row (a false positive {}, a false negative {})",
            best.threshold,
            side.word(),
            best.cost_per_row,
            costs.false_positive,
            costs.false_negative
        );
        if side == Side::Train {
            self.warn(format!(
                "{text}; chosen on training rows: set validation or folds for a fair one"
            ));
        } else {
            self.say(text);
        }
        effects
    }
}
