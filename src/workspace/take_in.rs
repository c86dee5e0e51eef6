//! What comes out of work, taken into the workspace.

use std::sync::Arc;

use super::{Assessment, Done, Entry, Error, Product, State, Verb, Work, Workspace};
use crate::data::{Step, View};
use crate::train::RunId;

impl Workspace {
    /// Takes in what came out of work, and returns the work that follows from it.
    ///
    /// # Errors
    ///
    /// When what a person said about the columns does not fit the table that arrived.
    pub fn take_in(&mut self, product: Product, at: i64) -> Result<Done, Error> {
        match product {
            Product::Head(experiment, table) | Product::Opened(experiment, table) => {
                let resumed = self.now.base.as_ref().is_some_and(|b| !b.complete)
                    && self.now.experiment.data.path == experiment.data.path;
                let rows = table.n_rows();
                let label = table.origin.label.clone();
                let complete = table.complete;
                let before = self.now.clone();
                let survey = self.survey.take();
                let verb = Verb::Open(self.opening.as_ref().map_or_else(
                    || experiment.data.path.to_string_lossy().into_owned(),
                    |(typed, _)| typed.clone(),
                ));
                if resumed {
                    // The whole file takes the place of its first rows; settings made since stay.
                    self.now.experiment.data.sha256.clone_from(&experiment.data.sha256);
                    if let Some(head) = &self.now.base {
                        self.undo.complete(head, &table);
                    }
                } else {
                    self.now = State { experiment, ..State::default() };
                    if let Some((_, Some(session))) = &self.opening {
                        self.now.view = session.view.clone();
                        self.now.thresholds.clone_from(&session.thresholds);
                        self.now.yardstick.clone_from(&session.yardstick);
                    }
                }
                self.now.base = Some(table);
                if let Err(error) = self.derive() {
                    self.now = before;
                    self.survey = survey;
                    return Err(error);
                }
                if !resumed && before.table.is_some() {
                    self.record(&verb, before, at);
                } else if !resumed {
                    self.log.push(Entry { at, line: verb.line() });
                }
                if complete {
                    self.opening = None;
                }
                self.fill_in();
                let mut work = self.survey_work();
                if let (true, Ok(table)) = (self.now.view != View::default(), self.table()) {
                    let (table, view) = (Arc::clone(table), self.now.view.clone());
                    work.push(Work::Order { table, view });
                }
                let said = if complete {
                    let mut said = format!("{label}: {rows} rows read");
                    if let Some(old) = self.interrupted() {
                        let kind = &old.experiment.model.kind;
                        said += " · a training of ";
                        said += kind;
                        said += " was interrupted: `:resume` goes on with it, `:forget` drops it";
                    }
                    said
                } else {
                    format!("{label}: the first {rows} rows; the rest is being read")
                };
                Ok(Done { said, work: if complete { work } else { vec![] } })
            }
            Product::Stepped(step, table) => {
                let before = self.now.clone();
                let rows = table.n_rows();
                self.now.experiment.data.steps.push(step.clone());
                if let Step::Ahead(ahead) = &step {
                    let question = &mut self.now.experiment.question;
                    question.target = Some(ahead.name.clone());
                    (question.positive, question.task) = (None, None);
                }
                self.now.base = Some(table);
                self.now.view = View::default();
                if let Err(error) = self.derive() {
                    self.now = before;
                    return Err(error);
                }
                let verb = match step {
                    Step::Compute { name, expr } => Verb::Compute(name, expr),
                    Step::Ahead(ahead) => Verb::Ahead(ahead),
                    Step::Sql { query } => Verb::Sql(query),
                    Step::Filter { expr } => Verb::Keep(expr),
                    Step::Dedupe => Verb::Dedupe,
                };
                self.record(&verb, before, at);
                self.survey = None;
                self.fill_in();
                let said = format!("{} → {rows} rows", verb.line());
                Ok(Done { said, work: self.survey_work() })
            }
            Product::Survey(survey) => {
                let mut said = String::new();
                if let Some(model) =
                    survey.suited.clone().filter(|m| *m != self.now.experiment.model)
                {
                    said = format!("model {}: it fits what the target asks", model.kind);
                    self.now.experiment.model = model;
                }
                self.survey = Some(survey);
                self.fill_in();
                Ok(Done { said, work: vec![] })
            }
            Product::Run(run, summary, sides) => {
                self.runs.push(*summary);
                self.keep_sides(&run.id, sides);
                self.log.push(Entry { at, line: format!("# run {} kept", run.id) });
                self.loaded.insert(run.id.clone(), run);
                Ok(Done::default())
            }
            Product::Loaded(run, sides) => {
                self.keep_sides(&run.id, sides);
                self.loaded.insert(run.id.clone(), run);
                Ok(Done::default())
            }
            Product::Wrote(path) => Ok(Done::said(format!("wrote {}", path.display()))),
            Product::Order(..)
            | Product::Answer(_)
            | Product::Found(_)
            | Product::Explained(_)
            | Product::Decision(_)
            | Product::Registered(_)
            | Product::Carried(_)
            | Product::Logged(_)
            | Product::Errand(..)
            | Product::Correlations(_)
            | Product::Comparison(_) => Ok(Done::default()),
        }
    }

    fn keep_sides(&mut self, id: &RunId, sides: Vec<Assessment>) {
        for side in sides {
            self.assessments.insert((id.clone(), side.side), Arc::new(side));
        }
    }
}
