//! Work: what a verb asks for that takes longer than a frame, carried out on a job's thread.

use std::{collections::BTreeMap, path::Path, path::PathBuf, sync::Arc, time::Duration};

use super::decision::{Asked, Decision, decide};
use super::operate::{Carried, LoggedRows, Outside, Registered};
use super::{Assessment, Errand, Error, assess::assess};
use crate::data::{self, ColumnProfile, Finding, Matrix, OpenOptions, Step, Table, View};
use crate::explain::{Explanation, Request};
use crate::export::Scope;
use crate::features;
use crate::jobs::Ctx;
use crate::models;
use crate::registry::{Registry, RunSummary};
use crate::train::{self, Comparison, Experiment, Run, RunId, Search};

/// How long [`Plan::All`] may take before it starts no further kind.
const BUDGET: Duration = Duration::from_mins(1);

/// How many classes of a target are offered.
const MOST_CLASSES: usize = 200;

/// How many rows are on screen before a file is read to its end.
const HEAD_ROWS: usize = 1000;

/// Something to be done on a thread of its own.
#[derive(Clone, Debug)]
pub enum Work {
    /// Read a table or an experiment.
    Open {
        /// A file, a sample, or an experiment.
        path: String,
        /// What a person said about how it is written.
        options: OpenOptions,
        /// The question to go on with, when a session is taken up again.
        resume: Option<Box<Experiment>>,
    },
    /// Derive a table.
    Step {
        /// From this one.
        base: Arc<Table>,
        /// By this step.
        step: Step,
    },
    /// Find out everything about a table that its panes show.
    Survey {
        /// Which table.
        table: Arc<Table>,
        /// The question, for the relation of each column to the target.
        experiment: Box<Experiment>,
    },
    /// Put the rows into the order of a view.
    Order {
        /// Which table.
        table: Arc<Table>,
        /// Filter and sort.
        view: View,
    },
    /// Ask the table in SQL without replacing it.
    Query {
        /// Which table.
        table: Arc<Table>,
        /// The query.
        sql: String,
    },
    /// Search the rows of a view.
    Find {
        /// Which table.
        table: Arc<Table>,
        /// Its rows in the order of the view; the file's own order without it.
        order: Option<Arc<Vec<u32>>>,
        /// What is searched for.
        needle: String,
        /// The row to begin with, in the order of the view.
        from: usize,
        /// Down or up.
        forward: bool,
        /// The columns to look into.
        columns: Vec<String>,
    },
    /// Explain what a model says of one row.
    Explain {
        /// The run whose model it is.
        run: Arc<Run>,
        /// The table with the row.
        table: Arc<Table>,
        /// The row of the source, counted from 1.
        row: u32,
        /// In which way, by its name.
        method: &'static str,
    },
    /// Decide on one row, and say why.
    Decide(Box<Asked>),
    /// Ask or change what lies outside this session: named models, keys, the server.
    Outside(Outside),
    /// How the columns go together.
    Correlate {
        /// Which table.
        table: Arc<Table>,
    },
    /// Train.
    Train {
        /// On this table.
        table: Arc<Table>,
        /// To answer this question.
        experiment: Box<Experiment>,
        /// Once, or several times.
        plan: Plan,
        /// Where the runs are kept.
        registry: Arc<Registry>,
    },
    /// Read runs back.
    Load {
        /// Which ones.
        runs: Vec<RunId>,
        /// From where.
        registry: Arc<Registry>,
    },
    /// Compare runs.
    Compare {
        /// Which ones.
        runs: Vec<Arc<Run>>,
        /// With which of them the others are compared.
        yardstick: usize,
        /// By which metric.
        metric: &'static str,
    },
    /// Write a model to a file: as ONNX where its name says so.
    Save {
        /// The run that made it.
        run: Arc<Run>,
        /// With this threshold.
        threshold: f64,
        /// The file.
        path: PathBuf,
    },
}

/// How often to train.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// With the settings as they are.
    Once,
    /// Every kind in the catalog that can do the task.
    All,
    /// Over a grid of `alpha`.
    Sweep,
    /// Over combinations of parameters.
    Tune(Search),
}

/// What became known of a table.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The question it was made for, with the model that suits it.
    pub asked: Experiment,
    /// The model that was taken because the one asked for cannot do what the target asks.
    pub suited: Option<train::ModelSpec>,
    /// The classes of the target, when it has classes.
    pub classes: Vec<String>,
    /// The question with everything inferred filled in; or why there is none yet.
    pub resolved: Result<Experiment, String>,
    /// What was inferred, a sentence each.
    pub notes: Vec<String>,
    /// Rows in training, validation and test.
    pub split_rows: Option<[usize; 3]>,
    /// How many columns the recipe makes, and how many bytes.
    pub size: Option<features::Plan>,
    /// Each column.
    pub profiles: BTreeMap<String, ColumnProfile>,
    /// What is wrong with the table; `None` while it is being found out.
    pub findings: Option<Vec<Finding>>,
}

impl Default for Survey {
    fn default() -> Self {
        Self {
            asked: Experiment::default(),
            suited: None,
            classes: vec![],
            resolved: Err(String::new()),
            notes: vec![],
            split_rows: None,
            size: None,
            profiles: BTreeMap::new(),
            findings: None,
        }
    }
}

impl Survey {
    /// What is wrong with the table, as far as it is known.
    pub fn findings(&self) -> &[Finding] {
        self.findings.as_deref().unwrap_or_default()
    }
}

/// What came out of work.
#[derive(Clone, Debug)]
pub enum Product {
    /// The first rows; the rest follows.
    Head(Experiment, Arc<Table>),
    /// All rows.
    Opened(Experiment, Arc<Table>),
    /// A derived table.
    Stepped(Step, Arc<Table>),
    /// Everything about the table.
    Survey(Arc<Survey>),
    /// Positions of the rows in the order of the view.
    Order(View, Arc<Vec<u32>>),
    /// The answer to a query.
    Answer(Arc<Table>),
    /// What a model says of one row, explained.
    Explained(Arc<Explanation>),
    /// One row decided on.
    Decision(Arc<Decision>),
    /// What the registry knows of named models.
    Registered(Arc<Registered>),
    /// Predictions as the log has kept them.
    Logged(LoggedRows),
    /// What came of a decision.
    Carried(Carried),
    /// What an errand wrote.
    Errand(Errand, String),
    /// Where a search was found: row of the view and column.
    Found(Option<(usize, String)>),
    /// How the columns go together.
    Correlations(Arc<Matrix>),
    /// A run, kept, and how good it is on each side of its split.
    Run(Arc<Run>, Box<RunSummary>, Vec<Assessment>),
    /// A run, read back.
    Loaded(Arc<Run>, Vec<Assessment>),
    /// Runs compared.
    Comparison(Arc<Comparison>),
    /// A file was written.
    Wrote(PathBuf),
}

impl Work {
    /// What it is, in a word or two for the list of jobs.
    pub fn label(&self) -> String {
        match self {
            Self::Open { path, .. } => format!("open {path}"),
            Self::Step { step, .. } => match step {
                Step::Compute { name, .. } => format!("compute {name}"),
                Step::Ahead(ahead) => format!("ahead {}", ahead.name),
                Step::Sql { .. } => "query".into(),
                Step::Filter { .. } => "keep".into(),
                Step::Dedupe => "dedupe".into(),
            },
            Self::Survey { .. } => "profile".into(),
            Self::Order { .. } => "filter and sort".into(),
            Self::Query { .. } => "query".into(),
            Self::Find { .. } => "search".into(),
            Self::Correlate { .. } => "correlations".into(),
            Self::Explain { .. } => "explain".into(),
            Self::Decide(_) => "decide".into(),
            Self::Outside(outside) => outside.label().into(),
            Self::Train { experiment, plan, .. } => match plan {
                Plan::Once if experiment.cv > 1 => {
                    format!("{} × {} folds", experiment.model.kind, experiment.cv)
                }
                Plan::Once => experiment.model.kind.clone(),
                Plan::All => "every kind".into(),
                Plan::Sweep => format!("{}, sweep", experiment.model.kind),
                Plan::Tune(_) => format!("{}, search", experiment.model.kind),
            },
            Self::Load { .. } => "load".into(),
            Self::Compare { .. } => "compare".into(),
            Self::Save { .. } => "save".into(),
        }
    }

    /// Work of the same slot replaces what is under way; training queues instead.
    pub fn slot(&self) -> Option<&'static str> {
        match self {
            Self::Open { .. } | Self::Step { .. } => Some("table"),
            Self::Survey { .. } => Some("survey"),
            Self::Order { .. } => Some("order"),
            Self::Query { .. } => Some("query"),
            Self::Find { .. } => Some("find"),
            Self::Correlate { .. } => Some("correlate"),
            Self::Explain { .. } => Some("explain"),
            Self::Decide(_) => Some("decide"),
            Self::Outside(outside) => outside.slot(),
            Self::Compare { .. } => Some("compare"),
            Self::Load { .. } | Self::Save { .. } | Self::Train { .. } => None,
        }
    }

    /// Whether it is training, which waits in a queue and is shown in the Training pane.
    pub fn is_training(&self) -> bool {
        matches!(self, Self::Train { .. })
    }

    /// Carries it out; `out` gets each product as it is ready.
    pub fn carry_out(self, ctx: &Ctx, out: &mut dyn FnMut(Product)) -> Result<(), Error> {
        match self {
            Self::Open { path, options, resume } => open(&path, options, resume, ctx, out)?,
            Self::Step { base, step } => {
                let table = data::apply(&base, &step, ctx)?;
                out(Product::Stepped(step, Arc::new(table)));
            }
            Self::Survey { table, experiment } => survey(&table, &experiment, ctx, out)?,
            Self::Order { table, view } => {
                let order = data::order(&table, &view, ctx)?;
                out(Product::Order(view, Arc::new(order)));
            }
            Self::Query { table, sql } => {
                let step = Step::Sql { query: sql };
                out(Product::Answer(Arc::new(data::apply(&table, &step, ctx)?)));
            }
            Self::Find { table, order, needle, from, forward, columns } => {
                let order = order.unwrap_or_else(|| Arc::new((0..table.n_rows() as u32).collect()));
                let place = data::find(&table, &order, &needle, from, forward, &columns);
                out(Product::Found(place));
            }
            Self::Explain { run, table, row, method } => {
                let method = Some(method.into());
                let request = Request { row, method, class: None };
                let explained = crate::explain::explain(&run.model, &table, &request, ctx)?;
                out(Product::Explained(Arc::new(explained)));
            }
            Self::Decide(asked) => out(Product::Decision(Arc::new(decide(&asked, ctx)?))),
            Self::Outside(outside) => outside.carry_out(ctx, out)?,
            Self::Correlate { table } => {
                let names: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
                let matrix = data::correlations(&table, &names, data::Correlation::Pearson, ctx)?;
                out(Product::Correlations(Arc::new(matrix)));
            }
            Self::Train { table, experiment, plan, registry } => {
                let mut failed = None;
                let shelf = registry.shelf();
                let mut keep = |run: Run| match registry.keep(run) {
                    Ok((run, summary)) => {
                        shelf.settle();
                        let sides = assess(&run);
                        out(Product::Run(Arc::new(run), Box::new(summary), sides));
                    }
                    Err(error) => failed = Some(error),
                };
                let ctx = &ctx.on(shelf.clone());
                let trained = match plan {
                    Plan::Once => train::run(&table, &experiment, ctx).map(&mut keep),
                    Plan::All => train::every_kind(&table, &experiment, BUDGET, ctx, &mut keep),
                    Plan::Sweep => {
                        let alphas = train::alphas();
                        train::sweep(&table, &experiment, "alpha", &alphas, ctx, &mut keep)
                    }
                    Plan::Tune(search) => {
                        train::tune(&table, &experiment, &search, ctx, &mut keep).map(|_| ())
                    }
                };
                // What failed would only fail again.
                trained.inspect_err(|_| shelf.settle())?;
                if let Some(error) = failed {
                    return Err(error.into());
                }
            }
            Self::Load { runs, registry } => {
                // One run that cannot be read does not keep the others away.
                let mut failed = None;
                for (i, id) in runs.iter().enumerate() {
                    ctx.step(i, runs.len(), vec![])?;
                    match registry.load(id) {
                        Ok(run) => {
                            let sides = assess(&run);
                            out(Product::Loaded(Arc::new(run), sides));
                        }
                        Err(error) => failed = Some(error),
                    }
                }
                if let Some(error) = failed {
                    return Err(error.into());
                }
            }
            Self::Compare { runs, yardstick, metric } => {
                let runs: Vec<&Run> = runs.iter().map(AsRef::as_ref).collect();
                let comparison = train::compare(&runs, yardstick, metric, ctx)?;
                out(Product::Comparison(Arc::new(comparison)));
            }
            Self::Save { run, threshold, path } => {
                let mut run = Run::clone(&run);
                run.model.threshold = threshold;
                if path.extension().is_some_and(|e| e == "onnx") {
                    let exported = crate::export::onnx(&run.model, Scope::WholeModel)?;
                    crate::files::write(&path, &exported.bytes)?;
                } else {
                    crate::registry::save_model(&run, &path)?;
                }
                out(Product::Wrote(path));
            }
        }
        Ok(())
    }
}

fn open(
    path: &str,
    options: OpenOptions,
    resume: Option<Box<Experiment>>,
    ctx: &Ctx,
    out: &mut dyn FnMut(Product),
) -> Result<(), Error> {
    let mut experiment = match resume {
        Some(experiment) => *experiment,
        None if Path::new(path).extension().is_some_and(|e| e == "toml") => {
            Experiment::read(Path::new(path))?
        }
        None => Experiment::on(path),
    };
    let options = OpenOptions {
        delimiter: options.delimiter.or(experiment.data.delimiter.map(|c| c as u8)),
        header: options.header.or(experiment.data.header),
        ..options
    };
    let file = experiment.data.path.clone();
    let whole_at_once = experiment.data.path.to_string_lossy().starts_with("sample:")
        || file.as_os_str() == "-"
        || std::fs::metadata(&file).map_or(true, |m| m.len() < 4 << 20);
    if !whole_at_once && experiment.data.steps.is_empty() {
        let head = data::head(&file, &options, HEAD_ROWS)?;
        out(Product::Head(experiment.clone(), Arc::new(head)));
    }
    let mut table = data::open(&file, &options, ctx)?;
    for step in &experiment.data.steps {
        table = data::apply(&table, step, ctx)?;
    }
    experiment.data.delimiter = options.delimiter.map(char::from);
    experiment.data.header = options.header;
    experiment.data.sha256 = Some(table.origin.sha256.clone());
    out(Product::Opened(experiment, Arc::new(table)));
    Ok(())
}

/// Looks at a table: first the question and the columns, then, which takes longer, what is wrong.
fn survey(
    table: &Table,
    experiment: &Experiment,
    ctx: &Ctx,
    out: &mut dyn FnMut(Product),
) -> Result<(), Error> {
    let mut survey = Survey::default();
    let mut training = None;
    let suited = suited(table, experiment);
    let experiment = suited.as_ref().unwrap_or(experiment);
    survey.asked = experiment.clone();
    survey.suited = suited.as_ref().map(|e| e.model.clone());
    let mut known = None;
    survey.resolved = match train::resolve(table, experiment) {
        Ok((resolved, said)) => {
            survey.notes = said;
            if let Ok(split) = train::split_of(table, &resolved, ctx) {
                survey.split_rows = Some([split.train.len(), split.valid.len(), split.test.len()]);
                survey.size = train::plan(table, &resolved, &split, ctx).ok();
                training = Some(split.train);
            }
            Ok(resolved)
        }
        Err(error) => {
            // A setting of the model that does not fit leaves the columns as they are.
            let mut probe = experiment.clone();
            probe.model = train::ModelSpec { kind: "baseline".into(), ..Default::default() };
            known = train::resolve(table, &probe).ok().map(|(resolved, _)| resolved);
            Err(error.to_string())
        }
    };
    let known = survey.resolved.as_ref().ok().or(known.as_ref());
    let target = known.and_then(|e| train::target_of(table, e));
    let classes_of = match &target {
        Some(target) if target.task == data::Task::Regression => None,
        Some(target) => Some(target.name.clone()),
        // Without an answer yet: perhaps the positive class of several has to be named.
        None => experiment.question.target.clone().filter(|t| !table.is_numeric(t)),
    };
    if let Some(name) = classes_of.filter(|name| table.column(name).is_some()) {
        survey.classes = table.levels(&name)?.names;
        survey.classes.truncate(MOST_CLASSES);
    }
    let rows = training.as_deref();
    let profiles = data::profile(table, target.as_ref(), rows, ctx)?;
    survey.profiles = profiles.iter().map(|p| (p.name.clone(), p.clone())).collect();
    out(Product::Survey(Arc::new(survey.clone())));
    survey.findings = Some(data::findings(table, &profiles, target.as_ref(), rows, ctx)?);
    out(Product::Survey(Arc::new(survey)));
    Ok(())
}

/// The experiment with a kind of model that can do what the target asks, where its own cannot.
fn suited(table: &Table, experiment: &Experiment) -> Option<Experiment> {
    let mut probe = experiment.clone();
    probe.model = train::ModelSpec { kind: "baseline".into(), ..Default::default() };
    let task = train::resolve(table, &probe).ok()?.0.question.task?;
    if models::kind(&experiment.model.kind).ok()?.can(task) {
        return None;
    }
    let kind = if task == data::Task::Regression { "linear" } else { "logistic" };
    probe.model.kind = kind.into();
    Some(Experiment { model: probe.model, ..experiment.clone() })
}
