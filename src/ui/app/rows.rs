//! The rows behind a number of the Evaluation pane, and the choice among several classes.

use std::sync::Arc;

use super::act::moved;
use super::{App, Effect, EvalTab, Overlay, RowsView, ShownRow};
use crate::data::Task;
use crate::train::{Run, Scores};
use crate::ui::action::Action;
use crate::ui::widgets::numbers;
use crate::workspace::Work;

/// The ways in which a row of a network is explained on the screen, the quickest first.
const METHODS: &[&str] = &["gradient_x_input", "integrated_gradients", "class_map", "occlusion"];

/// How many rows behind a number are shown at most, those farthest from the threshold.
const MOST_ROWS: usize = 5000;

/// Which rows are shown, and how.
struct Chosen {
    title: String,
    /// Places among the scores, in the order shown.
    places: Vec<usize>,
    /// The row to begin with.
    row: usize,
}

impl App {
    /// Moves the cursor of the confusion matrix; whether it was a movement.
    pub(super) fn move_pair(&mut self, n: usize, action: Action) -> bool {
        let last = n.saturating_sub(1);
        let (row, column) = self.eval.pair;
        let (row, column) = (row.min(last), column.min(last));
        let to = match action {
            Action::Left => Some((row, column.saturating_sub(1))),
            Action::Right => Some((row, (column + 1).min(last))),
            _ => moved(row, n, action, self.page).map(|row| (row, column)),
        };
        self.eval.pair = to.unwrap_or(self.eval.pair);
        to.is_some()
    }

    /// Lists the classes in the next order.
    pub(super) fn reorder(&mut self, run: &Run) -> Vec<Effect> {
        if run.task != Task::Multiclass {
            return self.refuse("only several classes can be put in another order");
        }
        self.eval.order = self.eval.order.next();
        (self.eval.tab, self.eval.row) = (EvalTab::Classes, 0);
        self.say(format!("classes: {}", self.eval.order.word()));
        vec![]
    }

    /// Opens the rows behind the chosen number.
    pub(super) fn open_rows(&mut self, run: &Arc<Run>) -> Vec<Effect> {
        let side = self.side(run);
        let (Some(table), Some(scores)) = (self.workspace.now.table.clone(), side.scores(run))
        else {
            return self.refuse("the scores are still being read");
        };
        let chosen = if run.task == Task::Multiclass {
            self.rows_of_classes(run, scores)
        } else {
            self.rows_of_scores(run, scores)
        };
        let Some(Chosen { title, places, row }) = chosen else {
            return self.refuse("the scores are still being read");
        };
        let sources: Vec<u32> = places.iter().map(|place| scores.rows[*place]).collect();
        let positions = table.positions_of(&sources).into_iter().zip(&places);
        let shown = positions.filter_map(|(position, place)| {
            Some(ShownRow { position: position?, told: told(run, scores, *place) })
        });
        let rows: Vec<ShownRow> = shown.collect();
        if rows.is_empty() {
            return self.refuse("no rows there");
        }
        let (row, heads) = (row.min(rows.len() - 1), heads(run.task));
        let seen_by = run.model.sight.is_some().then(|| Arc::clone(run));
        let view =
            RowsView { title, table, heads, seen_by, why: None, method: 0, rows, row, column: 0 };
        self.overlays.push(Overlay::Rows(view));
        self.explain_row()
    }

    /// The rows behind a cell or a decile, those farthest from the threshold first; or all rows of
    /// a regression, the largest error first.
    fn rows_of_scores(&self, run: &Run, scores: &Scores) -> Option<Chosen> {
        let side = self.side(run);
        let cut = self.workspace.threshold(run);
        let name = |i: usize| run.model.classes.get(i).map_or("", String::as_str);
        let mut places: Vec<usize> = (0..scores.rows.len()).collect();
        let title = match (run.task, self.eval.tab) {
            (Task::Binary, EvalTab::Deciles) => {
                let decile = self.assessment(run)?.deciles.get(self.eval.row).copied()?;
                places
                    .retain(|i| (decile.score_low..=decile.score_high).contains(&scores.score[*i]));
                format!(
                    "decile {}: score {:.3} to {:.3}",
                    decile.rank, decile.score_low, decile.score_high
                )
            }
            (Task::Binary, _) => {
                let (actual, called) = [(0, 0), (0, 1), (1, 0), (1, 1)][self.eval.cell.min(3)];
                places.retain(|i| {
                    usize::from(scores.truth[*i] > 0.5) == actual
                        && usize::from(scores.score[*i] >= cut) == called
                });
                format!(
                    "{} rows: actual {}, called {} at {cut:.2}",
                    side.word(),
                    name(actual),
                    name(called)
                )
            }
            _ => format!("{} rows, largest error first", side.word()),
        };
        let far = |i: usize| match run.task {
            Task::Binary => (scores.score[i] - cut).abs(),
            _ => (scores.score[i] - scores.truth[i]).abs(),
        };
        let all = places.len();
        let farthest = |a: &usize, b: &usize| far(*b).total_cmp(&far(*a)).then(a.cmp(b));
        if all > MOST_ROWS {
            places.select_nth_unstable_by(MOST_ROWS, farthest);
            places.truncate(MOST_ROWS);
        }
        places.sort_by(farthest);
        let title = if all > MOST_ROWS {
            format!("{title}: the {MOST_ROWS} farthest of {all}")
        } else {
            title
        };
        Some(Chosen { title, places, row: 0 })
    }

    /// The rows behind a cell of the matrix, a class, or the list of the worst, the largest loss
    /// first.
    fn rows_of_classes(&self, run: &Run, scores: &Scores) -> Option<Chosen> {
        let side = self.side(run).word();
        let several = self.assessment(run)?.several.as_ref()?;
        let name = |i: usize| run.model.classes.get(i).map_or("", String::as_str);
        let is = |value: f64, class: usize| value == class as f64;
        let mut row = 0;
        let mut places: Vec<usize> = (0..scores.rows.len()).collect();
        let title = match self.eval.tab {
            EvalTab::Confusion => {
                let (truth, called) = self.eval.pair;
                places.retain(|i| is(scores.truth[*i], truth) && is(scores.score[*i], called));
                format!("{side} rows: actual {}, called {}", name(truth), name(called))
            }
            EvalTab::Classes => {
                let class = several.order(self.eval.order).get(self.eval.row).copied()?;
                places.retain(|i| is(scores.truth[*i], class));
                format!("{side} rows: actual {}, largest loss first", name(class))
            }
            _ => {
                let worst = several.worst.iter().map(|(place, _)| *place).collect();
                let title = format!("{side} rows, largest loss first");
                row = if self.eval.tab == EvalTab::Worst { self.eval.row } else { 0 };
                return Some(Chosen { title, places: worst, row });
            }
        };
        let own = |i: usize| scores.probabilities(i).get(scores.truth[i] as usize).copied();
        places.sort_by(|a, b| {
            let (a_own, b_own) = (own(*a).unwrap_or(0.0), own(*b).unwrap_or(0.0));
            a_own.total_cmp(&b_own).then(a.cmp(b))
        });
        let all = places.len();
        places.truncate(MOST_ROWS);
        let title = if all > MOST_ROWS {
            format!("{title}: the worst {MOST_ROWS} of {all}")
        } else {
            title
        };
        Some(Chosen { title, places, row })
    }

    /// Asks why a network says what it says of the chosen row.
    fn explain_row(&mut self) -> Vec<Effect> {
        let Some(Overlay::Rows(view)) = self.overlays.last() else { return vec![] };
        let (Some(run), Some(shown)) = (&view.seen_by, view.rows.get(view.row)) else {
            return vec![];
        };
        let source = view.table.rows();
        let Some(row) = source.get(shown.position as usize).copied() else { return vec![] };
        let (run, table) = (Arc::clone(run), Arc::clone(&view.table));
        let work = Work::Explain { run, table, row, method: METHODS[view.method] };
        self.start_all(vec![work])
    }

    pub(super) fn act_rows(&mut self, action: Action) -> Vec<Effect> {
        let page = self.page;
        let Some(Overlay::Rows(view)) = self.overlays.last_mut() else { return vec![] };
        if let Some(at) = moved(view.row, view.rows.len(), action, page) {
            view.row = at;
            return self.explain_row();
        }
        match action {
            Action::Left => view.column = view.column.saturating_sub(1),
            Action::Right => {
                view.column = (view.column + 1).min(view.table.n_columns().saturating_sub(1));
            }
            Action::NextMetric if view.seen_by.is_some() => {
                view.method = (view.method + 1) % METHODS.len();
                view.why = None;
                let words = METHODS[view.method].replace('_', " ");
                self.say(words);
                return self.explain_row();
            }
            Action::NextMetric => {
                return self.refuse("only networks of series and images are explained here");
            }
            Action::CopyRow => {
                let ShownRow { position, told } = &view.rows[view.row];
                let cell =
                    |name: &String| view.table.text(*position as usize, name).unwrap_or_default();
                let cells = view.table.columns.iter().map(|column| cell(&column.name));
                let text = told.iter().cloned().chain(cells).collect::<Vec<_>>().join("\t");
                self.say("copied the row");
                return vec![Effect::Copy(text)];
            }
            _ => {}
        }
        vec![]
    }
}

/// What stands beside the rows of a task.
fn heads(task: Task) -> Vec<&'static str> {
    match task {
        Task::Regression => vec!["predicted", "actual", "error"],
        Task::Binary => vec!["score"],
        Task::Multiclass => vec!["called", "P(called)", "actual", "P(actual)"],
    }
}

/// What the model says of the row at a place, one text for each head.
fn told(run: &Run, scores: &Scores, place: usize) -> Vec<String> {
    let (truth, score) = (scores.truth[place], scores.score[place]);
    match run.task {
        Task::Regression => {
            [score, truth, truth - score].map(|value| numbers::significant(value, 5)).to_vec()
        }
        Task::Binary => vec![numbers::fixed(score, 3)],
        Task::Multiclass => {
            let name = |class: f64| run.model.classes.get(class as usize).cloned();
            let probability = |class: f64| {
                numbers::optional(scores.probabilities(place).get(class as usize).copied(), 3)
            };
            vec![
                name(score).unwrap_or_default(),
                probability(score),
                name(truth).unwrap_or_default(),
                probability(truth),
            ]
        }
    }
}
