//! What jobs tell, and what follows from it.

use super::{App, DataTab, Effect, Heard, Overlay, Screen};
use crate::data::Task;
use crate::jobs::{JobId, News, Outcome};
use crate::train::usual_metric;
use crate::ui::action::Action;
use crate::ui::keymap::key_in;
use crate::ui::widgets::numbers;
use crate::workspace::{Product, Work};

impl App {
    /// Takes in how far a job has come, or that it has ended.
    pub fn hear(&mut self, id: JobId, news: News<()>) -> Vec<Effect> {
        let Heard::Ended(was_training, label, outcome) = self.jobs.hear(id, news) else {
            return vec![];
        };
        let mut effects = vec![];
        let failed = !matches!(outcome, Outcome::Done(()));
        let half = self.workspace.now.base.as_ref().is_some_and(|b| !b.complete);
        let unread = failed && half && label.starts_with("open ");
        match outcome {
            Outcome::Done(()) => {}
            Outcome::Cancelled if was_training && self.workspace.interrupted().is_some() => self
                .say(format!(
                    "{label} was cancelled: the same settings go on where it was, `:forget` begins anew"
                )),
            Outcome::Cancelled => self.say(format!("{label} was cancelled")),
            Outcome::Failed(text) => {
                if label == "decide" {
                    self.explain.fail(&text);
                }
                let text = self.in_words_of_the_screen(&label, text);
                effects = self.refuse(&text);
            }
        }
        if was_training {
            self.show_best();
            if let Some(work) = self.jobs.queue.pop_front() {
                effects.extend(self.start_all(vec![work]));
            }
            if self.screen == Screen::Compare {
                effects.extend(self.recompare());
            }
        }
        if self.compare.waiting && label == "load" && self.screen == Screen::Compare {
            effects.extend(self.recompare());
        }
        if unread {
            self.warn(
                "reading was stopped: only the first rows are here; open the file again to train",
            );
        }
        if failed {
            self.replay.clear();
        }
        effects.extend(self.next_of_replay());
        self.clamp();
        effects
    }

    /// Takes in what came out of a job.
    pub fn receive(&mut self, id: JobId, product: Product) -> Vec<Effect> {
        // A run that was trained is kept even if the job was cancelled a moment later.
        if !self.jobs.is_current(id) && !matches!(product, Product::Run(..)) {
            return vec![];
        }
        let opened = matches!(product, Product::Head(..) | Product::Opened(..));
        let stepped = matches!(product, Product::Stepped(..));
        match &product {
            Product::Order(view, order) => self.data.order = Some((view.clone(), order.clone())),
            Product::Answer(table) => {
                self.data.answer = Some(table.clone());
                self.data.answer_at = (0, 0);
                self.say(format!("{} rows", numbers::count(table.n_rows())));
            }
            Product::Correlations(matrix) => self.data.correlations = Some(matrix.clone()),
            Product::Found(place) => self.found(place.clone()),
            Product::Explained(why) => {
                if let Some(Overlay::Rows(view)) = self.overlays.last_mut() {
                    view.why = Some(why.clone());
                }
            }
            Product::Decision(decision) => self.explain.learn(decision),
            Product::Registered(known) => {
                self.monitor.learn(known);
                self.serve.learn(known);
            }
            Product::Logged(rows) => return self.show_logged(rows),
            Product::Carried(carried) => return self.carried(carried),
            Product::Errand(errand, said) => return self.errand_done(errand, said),
            Product::Comparison(comparison) => {
                self.compare.comparison = Some(comparison.clone());
            }
            Product::Loaded(run, _) => self.training.learn(run),
            Product::Run(run, ..) => {
                self.training.learn(run);
                // The newest run is the one to look at.
                self.eval.run = Some(run.id.clone());
                self.training.batch.push(run.id.clone());
                if !super::EvalTab::of(run.task).contains(&self.eval.tab) {
                    self.eval.tab = super::EvalTab::Summary;
                }
                self.compare.comparison = None;
                let text = run_said(run);
                match run.warnings.first() {
                    Some(warning) => {
                        let warning = warning.replace("\nhint: ", " · ");
                        self.warn(format!("{text} · {warning}"));
                    }
                    None => self.say(text),
                }
            }
            _ => {}
        }
        let first = self.workspace.now.table.is_none() || self.screen == Screen::Gallery;
        let mut effects = match self.workspace.take_in(product, self.at) {
            Ok(done) => {
                if !done.said.is_empty() {
                    self.say(done.said);
                }
                self.start_all(done.work)
            }
            Err(error) => self.refuse(&crate::jobs::error_text(&error)),
        };
        let gone = matches!(self.screen, Screen::Explain | Screen::Compare);
        if opened && (first || gone) {
            self.screen = Screen::Workbench;
        }
        if stepped && let Some(table) = &self.workspace.now.table {
            // A new column stands last, and is what one wants to see.
            self.data.column = table.n_columns().saturating_sub(1);
        }
        if opened || stepped {
            if self.data.tab == DataTab::Correlations {
                self.data.tab = DataTab::Columns;
            }
            effects.extend(self.load_newest());
        }
        self.clamp();
        effects
    }

    /// What an errand says, without the words of the command line.
    fn in_words_of_the_screen(&self, label: &str, text: String) -> String {
        match text.split_once("\nhint: ") {
            Some((said, _)) if label == "start the server" && said.contains("cannot listen") => {
                let key = key_in(&self.scopes(), Action::StartStop);
                format!("{said}\nhint: {key}, then `other words …`, gives it another address")
            }
            _ => text,
        }
    }

    /// After several runs at once, the best of them is the one to look at.
    fn show_best(&mut self) {
        let batch = std::mem::take(&mut self.training.batch);
        let runs = self.workspace.runs.iter().filter(|r| batch.contains(&r.id));
        let Some(task) = runs.clone().next().map(|r| r.task) else { return };
        let name = usual_metric(task);
        let sign = if task == Task::Regression { -1.0 } else { 1.0 };
        // Folds choose better than test rows, which must stay unseen.
        let value = |r: &crate::registry::RunSummary| {
            r.cv.as_ref().unwrap_or(r.headline().1).get(name).and_then(|e| e.value)
        };
        let best =
            runs.filter_map(|r| Some((sign * value(r)?, r))).max_by(|a, b| a.0.total_cmp(&b.0));
        let Some((score, best)) = best.filter(|_| batch.len() > 1) else { return };
        let label = crate::metrics::metric(name).map_or(name, |m| m.label);
        let figure = numbers::significant(sign * score, 4);
        let text = format!(
            "best of {}: run {} {}, {} {label} {figure}; {} compares them",
            batch.len(),
            best.id,
            best.label(),
            if best.cv.is_some() { "out-of-fold" } else { best.headline().0 },
            key_in(&self.scopes(), Action::Compare)
        );
        self.eval.run = Some(best.id.clone());
        self.say(text);
    }

    /// Reads the run to be shown back, so that the Evaluation pane is not empty.
    pub(super) fn load_newest(&mut self) -> Vec<Effect> {
        let here: Vec<_> = self.workspace.runs_here().map(|r| r.id.clone()).collect();
        if !self.eval.run.as_ref().is_some_and(|run| here.contains(run)) {
            self.eval.run = None;
        }
        let Some(id) = self.eval.run.clone().or(here.last().cloned()) else { return vec![] };
        if self.workspace.run(&id).is_some() {
            return vec![];
        }
        let registry = std::sync::Arc::clone(&self.workspace.registry);
        self.start_all(vec![Work::Load { runs: vec![id], registry }])
    }
}

fn run_said(run: &crate::train::Run) -> String {
    let side = run.test.as_ref().map_or(&run.train, |test| test);
    let squares =
        run.task == Task::Regression || matches!(run.model.kind.as_str(), "linear" | "ridge");
    let name = if squares { "mse" } else { usual_metric(run.task) };
    let metric = crate::metrics::metric(name);
    let value = side.get(name).and_then(|e| e.value);
    let label = metric.map_or(name, |m| m.label);
    let rows = if run.test.is_some() { "test" } else { "training" };
    let folds = run.cv.as_ref().and_then(|cv| cv.get(name)).and_then(|e| e.value);
    let folds = folds.map_or(String::new(), |v| {
        let v = numbers::significant(v, 4);
        let threshold = match run.task {
            Task::Binary => format!(", threshold {:.2} chosen there", run.threshold),
            Task::Regression | Task::Multiclass => String::new(),
        };
        format!(" · over {} folds {label} {v}{threshold}", run.folds.len())
    });
    format!(
        "run {} {}: {rows} {label} {} in {}{folds}",
        run.id,
        run.model.kind,
        value.map_or(numbers::NONE.into(), |v| numbers::significant(v, 8)),
        numbers::duration(run.fit_seconds)
    )
}
