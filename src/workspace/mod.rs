//! The workspace: what a person works on, and the verbs on it.
//!
//! Here the parts meet: a table, the question asked of it, the runs that answered, undo, and the
//! log of every command that changed something. Verbs that take longer than a frame come back as
//! [`Work`] for a job, whose outcome [`Workspace::take_in`] is given. No screen or thread is known.

mod assess;
mod choices;
mod command;
mod decision;
mod errand;
mod error;
mod fields;
mod limits;
mod log;
mod operate;
mod predictions;
mod retrain;
mod settings;
mod several;
mod state;
mod take_in;
mod training;
mod upkeep;
mod verb;
mod window;
mod work;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use assess::{Assessment, Curve, Side};
pub use command::{COMMANDS, Command, parse};
pub use decision::{Asked, Decision, Grounds, Question, Says, decide_on, scale_word};
pub use errand::Errand;
pub use error::Error;
pub use fields::{Field, Setter, fields};
pub use limits::{KEY_LIMITS, KeyLimits};
pub use log::{Entry, read_log};
pub use operate::{Carried, LoggedRows, Order, Outside, Registered, register_file, register_run};
pub use predictions::{Erased, erase_subject, export_log, forget_nights, write_night};
pub use retrain::{Retrained, Rule, period_ms, retrain, schedule};
pub use several::{ClassOrder, Several};
pub use state::{Session, State};
pub use upkeep::{TrainAgain, Upkeep, retraining_words};
pub use verb::Verb;
pub use window::{Fared, Limits, Rate, Seen, Window};
pub use work::{Plan, Product, Survey, Work};

use crate::data::{self, OpenOptions, Role, Step, Table, View};
use crate::registry::{Registry, RunSummary};
use crate::train::{Experiment, Run, RunId};

/// What a person works on.
pub struct Workspace {
    /// The question and the table as they stand.
    pub now: State,
    /// What is known of the table; `None` while it is being found out.
    pub survey: Option<Arc<Survey>>,
    /// Every run in the workspace folder, oldest first.
    pub runs: Vec<RunSummary>,
    /// Runs in memory.
    pub loaded: HashMap<RunId, Arc<Run>>,
    /// How good the runs in memory are, on each side of their split.
    pub assessments: HashMap<(RunId, Side), Arc<Assessment>>,
    /// The command log of this session.
    pub log: Vec<Entry>,
    /// Where runs, session and log are kept.
    pub registry: Arc<Registry>,
    question: Experiment,
    /// The session whose table is being read, and the path as it was typed.
    opening: Option<(String, Option<Box<Session>>)>,
    undo: state::Undo,
}

/// What a verb led to.
#[derive(Debug, Default)]
pub struct Done {
    /// A sentence for the message line.
    pub said: String,
    /// What is to be done on a job's thread.
    pub work: Vec<Work>,
}

impl Workspace {
    /// A workspace without a table.
    ///
    /// # Errors
    ///
    /// When the runs cannot be listed.
    pub fn new(registry: Registry) -> Result<Self, Error> {
        let registry = Arc::new(registry);
        Ok(Self {
            now: State::default(),
            survey: None,
            runs: registry.list()?,
            loaded: HashMap::new(),
            assessments: HashMap::new(),
            log: Vec::new(),
            registry,
            question: Experiment::default(),
            opening: None,
            undo: state::Undo::default(),
        })
    }

    /// The table, or an error that says how to open one.
    pub fn table(&self) -> Result<&Arc<Table>, Error> {
        self.now.table.as_ref().ok_or(Error::NoTable)
    }

    /// The question with everything inferred filled in, as far as that has been found out.
    pub fn question(&self) -> &Experiment {
        &self.question
    }

    /// Fills what was inferred into the question as it stands. What a person has said since the
    /// survey was made wins.
    pub(crate) fn fill_in(&mut self) {
        let typed = &self.now.experiment;
        let resolved = self.survey.as_deref().and_then(|s| s.resolved.as_ref().ok().zip(Some(s)));
        self.question = match resolved {
            Some((resolved, survey)) if survey.asked == *typed => resolved.clone(),
            Some((resolved, _)) => {
                let mut question = typed.clone();
                let (mine, known) = (&mut question.question, &resolved.question);
                if mine.target.is_none() || mine.target == known.target {
                    mine.target.clone_from(&known.target);
                    mine.task = mine.task.or(known.task);
                    if mine.positive.is_none() {
                        mine.positive.clone_from(&known.positive);
                    }
                }
                question
            }
            None => typed.clone(),
        };
    }

    /// The runs on the table that is open, oldest first.
    pub fn runs_here(&self) -> impl DoubleEndedIterator<Item = &RunSummary> {
        let here = self.now.table.as_ref().map(|t| t.origin.sha256.clone()).unwrap_or_default();
        self.runs.iter().filter(move |r| r.dataset.sha256 == here)
    }

    /// The run `id`, when it is in memory.
    pub fn run(&self, id: &RunId) -> Option<&Arc<Run>> {
        self.loaded.get(id)
    }

    /// The threshold of a run: the one set by hand, or its own.
    pub fn threshold(&self, run: &Run) -> f64 {
        self.now.thresholds.get(&run.id).copied().unwrap_or(run.threshold)
    }

    /// Carries out a verb, or returns the work that will.
    ///
    /// # Errors
    ///
    /// Says what stands in the way; then nothing was changed.
    pub fn act(&mut self, verb: &Verb, at: i64) -> Result<Done, Error> {
        let before = self.now.clone();
        let done = match self.carry_out(verb) {
            Ok(done) => done,
            Err(error) => {
                self.now = before;
                return Err(error);
            }
        };
        // A derived table is remembered when it arrives.
        let later = matches!(verb, Verb::Open(_) | Verb::Compute(..) | Verb::Sql(_))
            || matches!(verb, Verb::Keep(_) | Verb::Dedupe | Verb::Ahead(_) | Verb::Replay(_));
        if !later {
            self.record(verb, before, at);
        }
        self.fill_in();
        Ok(done)
    }

    fn record(&mut self, verb: &Verb, before: State, at: i64) {
        let entry = Entry { at, line: verb.line() };
        let replaced = self.log.last().is_some_and(|last| {
            parse(&last.line).is_ok_and(|previous| previous.is_replaced_by(verb))
        });
        if replaced {
            self.log.pop();
            self.undo.forget_future();
        } else if verb.is_undoable() {
            self.undo.remember(entry.line.clone(), before);
        }
        self.log.push(entry);
    }

    fn carry_out(&mut self, verb: &Verb) -> Result<Done, Error> {
        match verb {
            Verb::Undo => self.undo(),
            Verb::Redo => self.redo(),
            Verb::Open(path) if path == "-" => Err(Error::Command {
                what: "standard input cannot be opened from the screen".into(),
                hint: "start with it: `karat - < FILE`, or name a file".into(),
            }),
            Verb::Open(path) => {
                self.opening = Some((path.clone(), None));
                Ok(Done {
                    said: format!("reading {path}"),
                    work: vec![Work::Open {
                        path: path.clone(),
                        options: OpenOptions::default(),
                        resume: None,
                    }],
                })
            }
            Verb::Compute(name, expr) => {
                self.step(Step::Compute { name: name.clone(), expr: expr.clone() })
            }
            Verb::Ahead(ahead) => {
                let ahead = ahead.settled(self.table()?);
                self.step(Step::Ahead(ahead))
            }
            Verb::Sql(query) => self.step(Step::Sql { query: query.clone() }),
            Verb::Keep(expr) => self.step(Step::Filter { expr: expr.clone() }),
            Verb::Dedupe => self.step(Step::Dedupe),
            Verb::Filter(_) | Verb::Sort(..) | Verb::Hide(_) | Verb::ShowAll | Verb::Freeze(_) => {
                self.look(verb)
            }
            Verb::Threshold(run, value) => {
                self.expect_run(run)?;
                self.now.thresholds.insert(run.clone(), *value);
                Ok(Done::default())
            }
            Verb::Yardstick(run) => {
                self.expect_run(run)?;
                self.now.yardstick = Some(run.clone());
                Ok(Done::said(format!("{run} is the yardstick")))
            }
            Verb::Note(run, text) => {
                self.expect_run(run)?;
                self.registry.note(run, text)?;
                self.runs = self.registry.list()?;
                Ok(Done::said(format!("noted on {run}")))
            }
            Verb::Delete(run) => {
                self.expect_run(run)?;
                self.registry.delete(run)?;
                self.loaded.remove(run);
                self.assessments.retain(|(id, _), _| id != run);
                self.now.thresholds.remove(run);
                self.now.yardstick = self.now.yardstick.take().filter(|y| y != run);
                self.runs.retain(|r| r.id != *run);
                Ok(Done::said(format!("deleted {run}")))
            }
            Verb::Save(id, path) => {
                let run = self.run(id).ok_or_else(|| self.no_run(id))?;
                Ok(Done {
                    said: String::new(),
                    work: vec![Work::Save {
                        run: Arc::clone(run),
                        threshold: self.threshold(run),
                        path: PathBuf::from(path),
                    }],
                })
            }
            Verb::Export(path) => self.export(path),
            // Line by line, each after the jobs of the one before: whoever holds the jobs does it.
            Verb::Replay(_) => Ok(Done::default()),
            Verb::CrossValidate(k @ 2..=50) => {
                let mut experiment = self.now.experiment.clone();
                experiment.cv = *k;
                self.train_on(experiment, Plan::Once)
            }
            Verb::CrossValidate(k) => Err(Error::Command {
                what: format!("{k} folds are not possible"),
                hint: "take 2 to 50".into(),
            }),
            Verb::Train => self.train(Plan::Once),
            Verb::TrainAll => self.train(Plan::All),
            Verb::Sweep => self.train(self.sweep()),
            Verb::Tune(search) => self.train(Plan::Tune(search.clone())),
            Verb::Resume => {
                let last = self.interrupted().ok_or_else(|| Error::Command {
                    what: "no training on this table was interrupted".into(),
                    hint: "`t` trains with the settings as they are".into(),
                })?;
                self.train_on(last.experiment, Plan::Once)
            }
            Verb::Forget => {
                let all = self.registry.unfinished();
                for old in &all {
                    self.registry.forget_unfinished(&old.name);
                }
                Ok(Done::said(format!("{} interrupted trainings forgotten", all.len())))
            }
            _ => {
                settings::apply(self, verb)?;
                Ok(Done { said: verb.line(), work: self.survey_work() })
            }
        }
    }

    fn step(&self, step: Step) -> Result<Done, Error> {
        let base = self.now.base.as_ref().ok_or(Error::NoTable)?;
        if !base.complete {
            return Err(Error::Reading);
        }
        Ok(Done { said: String::new(), work: vec![Work::Step { base: Arc::clone(base), step }] })
    }

    fn look(&mut self, verb: &Verb) -> Result<Done, Error> {
        let table = Arc::clone(self.table()?);
        let view = &mut self.now.view;
        match verb {
            Verb::Filter(expr) => {
                if !expr.is_empty() {
                    data::check_filter(&table, expr)?;
                }
                view.filter = (!expr.is_empty()).then(|| expr.clone());
            }
            Verb::Sort(column, descending) => {
                table.expect_column(column)?;
                view.sort = Some(data::Sort { column: column.clone(), descending: *descending });
            }
            Verb::Hide(column) => {
                table.expect_column(column)?;
                view.hidden.insert(column.clone());
            }
            Verb::Freeze(n) => view.frozen = *n,
            _ => *view = View::default(),
        }
        let view = view.clone();
        let work = match verb {
            Verb::Hide(_) | Verb::Freeze(_) => vec![],
            _ => vec![Work::Order { table, view }],
        };
        Ok(Done { said: verb.line(), work })
    }

    fn export(&self, path: &str) -> Result<Done, Error> {
        if Path::new(path).extension().is_some_and(|end| end == "onnx") {
            return Err(Error::Command {
                what: "`export` writes the experiment as TOML".into(),
                hint: format!("`:save {path}` writes the model as ONNX"),
            });
        }
        self.table()?;
        let experiment = self.question();
        let stem = experiment.data.path.file_stem().map_or("table".into(), |s| s.to_string_lossy());
        let path = if path.is_empty() {
            free_name(stem.trim_start_matches("sample:"))
        } else {
            path.to_owned()
        };
        crate::files::write(path.as_ref(), experiment.to_toml().as_bytes())?;
        Ok(Done::said(format!("wrote {path}; the same headless: {}", experiment.command_line())))
    }

    /// Takes over a question that was edited as a whole; its table stays the one that is open.
    ///
    /// # Errors
    ///
    /// When it does not fit the table; then nothing was changed.
    pub fn replace_question(&mut self, question: Experiment, at: i64) -> Result<Done, Error> {
        let before = self.now.clone();
        let data = crate::train::DataSpec {
            columns: question.data.columns.clone(),
            ..self.now.experiment.data.clone()
        };
        self.now.experiment = Experiment { data, ..question };
        if let Err(error) = self.derive() {
            self.now = before;
            return Err(error);
        }
        self.fill_in();
        self.undo.remember("edit".into(), before);
        self.log.push(Entry { at, line: "# the experiment was edited".into() });
        Ok(Done { said: String::new(), work: self.survey_work() })
    }

    /// What finds out everything about the table as it stands.
    pub fn survey_work(&self) -> Vec<Work> {
        let Some(table) = &self.now.table else { return vec![] };
        vec![Work::Survey {
            table: Arc::clone(table),
            experiment: Box::new(self.now.experiment.clone()),
        }]
    }

    /// Makes the table from its base and what a person said about the columns.
    pub(crate) fn derive(&mut self) -> Result<(), Error> {
        let Some(base) = &self.now.base else { return Ok(()) };
        let mut table = Table::clone(base);
        // What was said about a column that a query has dropped waits until it is back.
        let mut said = self.now.experiment.data.columns.clone();
        let here = |name: &String| name == "*" || table.column(name).is_some();
        said.roles.retain(|name, _| here(name));
        said.kinds.retain(|name, _| here(name));
        said.special.retain(|name, _| here(name));
        said.protected.retain(|name, _| here(name));
        said.personal.retain(|name, _| here(name));
        data::apply_overrides(&mut table, &said)?;
        if let Some(target) = &self.now.experiment.question.target {
            for column in &mut table.columns {
                if column.name == *target {
                    column.role = Role::Target;
                    column.role_guessed = false;
                } else if column.role == Role::Target {
                    column.role =
                        if column.ahead.is_some() { Role::Ignored } else { Role::Feature };
                }
            }
        }
        self.now.table = Some(Arc::new(table));
        Ok(())
    }

    fn undo(&mut self) -> Result<Done, Error> {
        let line = self.undo.back(&mut self.now).ok_or_else(|| Error::nothing_to("take back"))?;
        self.settle(format!("took back: {line}"))
    }

    fn redo(&mut self) -> Result<Done, Error> {
        let line = self.undo.forth(&mut self.now).ok_or_else(|| Error::nothing_to("bring back"))?;
        self.settle(format!("brought back: {line}"))
    }

    /// After a jump to another state: its table is derived anew, and looked at.
    fn settle(&mut self, said: String) -> Result<Done, Error> {
        self.survey = None;
        self.derive()?;
        Ok(Done { said, work: self.refresh() })
    }

    fn refresh(&self) -> Vec<Work> {
        let mut work = self.survey_work();
        if let Some(table) = &self.now.table {
            let (table, view) = (Arc::clone(table), self.now.view.clone());
            work.push(Work::Order { table, view });
        }
        work
    }

    /// What the session file should hold.
    pub fn session(&self, screen: serde_json::Value) -> Session {
        Session {
            experiment: self.now.experiment.clone(),
            view: self.now.view.clone(),
            thresholds: self.now.thresholds.clone(),
            yardstick: self.now.yardstick.clone(),
            screen,
        }
    }

    /// Takes a session up again; the table is read anew.
    pub fn resume(&mut self, session: &Session) -> Vec<Work> {
        let path = session.experiment.data.path.to_string_lossy().into_owned();
        self.opening = Some((path.clone(), Some(Box::new(session.clone()))));
        vec![Work::Open {
            path,
            options: OpenOptions::default(),
            resume: Some(Box::new(session.experiment.clone())),
        }]
    }
}

/// A name for an experiment that no file in this folder has.
pub fn free_name(stem: &str) -> String {
    let numbered = (2..).map(|n| format!("{stem}-{n}.toml"));
    let mut names = std::iter::once(format!("{stem}.toml")).chain(numbered);
    names.find(|name| !std::path::Path::new(name).exists()).unwrap_or_default()
}

impl Done {
    fn said(said: impl Into<String>) -> Self {
        Self { said: said.into(), work: vec![] }
    }
}
