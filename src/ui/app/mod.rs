//! The state of the screen, and how it changes.
//!
//! [`App::press`] takes a key, [`App::act`] what a person wants, [`App::hear`] and
//! [`App::receive`] what jobs tell. All return the effects that the loop carries out; none of
//! them reads a clock, starts a thread or touches the terminal.

mod act;
mod chart;
mod compare;
mod curves;
mod data;
mod evaluation;
pub(in crate::ui) mod explain;
mod gallery;
mod hear;
mod jobs;
mod marks;
mod model;
pub(in crate::ui) mod monitor;
mod network;
mod overlay;
mod palette;
mod rows;
pub(in crate::ui) mod serve;
mod text;
mod training;
mod words;

pub use chart::Chart;
pub use compare::ComparePane;
pub use curves::{Curves, Quantity, Side, Spot};
pub use data::{DataPane, DataTab};
pub use evaluation::{EvalPane, EvalTab};
pub use explain::{ExplainPane, Walk};
pub use gallery::{Gallery, Item};
pub use jobs::{Heard, Job, Jobs, Trains};
pub use marks::Marks;
pub use model::ModelPane;
pub use monitor::{MonitorPane, MonitorView};
pub use network::{Line, Look, NetworkEditor, Place, Purpose, Typing};
pub use overlay::{Ask, Confirmed, Does, Entry, Overlay, PageLine, Pick, RowsView, ShownRow};
pub use serve::{Asking, AuditLine, Choosing, ServePane, ServeTab, ServedVersion, Told};
pub use training::{Row, TrainTab, TrainingPane};

use crate::jobs::{JobId, Wish};
use crate::ui::action::{Action, Scope};
use crate::ui::keymap::key_in;
use crate::ui::theme::Theme;
use crate::workspace::{Verb, Work, Workspace, parse};

/// What fills the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// Something to open.
    Gallery,
    /// The four panes.
    Workbench,
    /// Runs side by side.
    Compare,
    /// One row, and why a model decides on it as it does.
    Explain,
    /// Named models and the server.
    Serve,
    /// How served models fare.
    Monitor,
}

/// One of the four panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The table.
    Data,
    /// The question.
    Model,
    /// The runs.
    Training,
    /// One run.
    Evaluation,
}

impl Pane {
    /// The four, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Data, Self::Model, Self::Training, Self::Evaluation];

    /// What its frame calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Data => "Data",
            Self::Model => "Model",
            Self::Training => "Training",
            Self::Evaluation => "Evaluation",
        }
    }

    /// Its number, from 1.
    pub fn number(self) -> usize {
        self as usize + 1
    }
}

/// What the screen asks of the world.
#[derive(Debug)]
pub enum Effect {
    /// Start a job.
    Start(JobId, Work),
    /// Tell a job what is wished of it.
    Wish(JobId, Wish),
    /// Ask the server of this workspace folder how it is, after a while.
    AskServer(std::path::PathBuf, std::time::Duration),
    /// Ask the server of this workspace folder to stop.
    StopServer(std::path::PathBuf),
    /// Put text on the clipboard.
    Copy(String),
    /// Let a person edit this text, and hand it to [`App::edited`].
    Edit(String),
    /// Hand the terminal to the shell.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Leave.
    Quit,
}

/// How a message is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something was done.
    Said,
    /// Something needs attention.
    Warning,
    /// Something was refused or failed.
    Error,
    /// Something alarming is told.
    Alarm,
}

/// The line above the footer.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What happened, or what is wrong.
    pub text: String,
    /// The remedy, when there is one.
    pub hint: String,
    /// How it is meant.
    pub tone: Tone,
}

/// The state of the screen.
pub struct App {
    /// What a person works on.
    pub workspace: Workspace,
    /// What fills the screen.
    pub screen: Screen,
    /// The pane that has the keyboard.
    pub focus: Pane,
    /// Whether that pane fills the screen.
    pub zoomed: bool,
    /// What can be opened.
    pub gallery: Gallery,
    /// The Data pane.
    pub data: DataPane,
    /// The Model pane.
    pub model: ModelPane,
    /// The Training pane.
    pub training: TrainingPane,
    /// The Evaluation pane.
    pub eval: EvalPane,
    /// The Compare screen.
    pub compare: ComparePane,
    /// The Explain screen.
    pub explain: ExplainPane,
    /// The Serve screen.
    pub serve: ServePane,
    /// The Monitor screen.
    pub monitor: MonitorPane,
    /// What lies over the panes, the topmost last.
    pub overlays: Vec<Overlay>,
    /// What runs and waits.
    pub jobs: Jobs,
    /// The line above the footer.
    pub message: Option<Message>,
    /// Colours and characters.
    pub theme: Theme,
    /// Seconds on the program's clock.
    pub now: f64,
    /// Seconds since 1970, for the command log.
    pub at: i64,
    /// What is left of a command log that is being replayed.
    pub replay: std::collections::VecDeque<Verb>,
    /// Whether the clock stands still, as in a demo.
    pub fixed_clock: bool,
    /// An edited experiment that was not understood, kept for the next attempt.
    pub rejected: Option<String>,
    /// How far the page that is shown can be scrolled; set by the loop.
    pub scroll_end: usize,
    /// What a demo says of what is going on, and the key it has just pressed.
    pub caption: Option<(String, String)>,
    /// How many rows a page is; set by the loop from the height of the terminal.
    pub page: usize,
}

impl App {
    /// A screen on the gallery.
    pub fn new(workspace: Workspace, theme: Theme) -> Self {
        Self {
            workspace,
            screen: Screen::Gallery,
            focus: Pane::Data,
            zoomed: false,
            gallery: Gallery::default(),
            data: DataPane::default(),
            model: ModelPane::default(),
            training: TrainingPane::default(),
            eval: EvalPane::default(),
            compare: ComparePane::default(),
            explain: ExplainPane::default(),
            serve: ServePane::default(),
            monitor: MonitorPane::default(),
            overlays: Vec::new(),
            jobs: Jobs::default(),
            message: None,
            theme,
            now: 0.0,
            at: 0,
            replay: std::collections::VecDeque::new(),
            fixed_clock: false,
            rejected: None,
            scroll_end: usize::MAX,
            caption: None,
            page: 10,
        }
    }

    /// Where the keyboard is, innermost scope first.
    pub fn scopes(&self) -> Vec<Scope> {
        if let Some(Overlay::Rows(_)) = self.overlays.last() {
            return vec![Scope::Rows, Scope::Move, Scope::Global];
        }
        if let Some(Overlay::Network(_)) = self.overlays.last() {
            return vec![Scope::Network, Scope::Move, Scope::Global];
        }
        let inner = match (self.screen, self.focus) {
            (Screen::Gallery, _) => Scope::Gallery,
            (Screen::Compare, _) => Scope::Compare,
            (Screen::Explain, _) => Scope::Explain,
            (Screen::Serve, _) => Scope::Serve,
            (Screen::Monitor, _) => Scope::Monitor,
            (Screen::Workbench, Pane::Data) => match self.data.tab {
                DataTab::Columns => Scope::Columns,
                DataTab::Table => Scope::Table,
                DataTab::Findings => Scope::Findings,
                DataTab::Sql => Scope::Sql,
                DataTab::Correlations => Scope::Correlations,
            },
            (Screen::Workbench, Pane::Model) => Scope::Model,
            (Screen::Workbench, Pane::Training) => Scope::Training,
            (Screen::Workbench, Pane::Evaluation) => Scope::Evaluation,
        };
        vec![inner, Scope::Move, Scope::Global]
    }

    /// Opens a table, an experiment or a sample.
    pub fn open(&mut self, path: &str) -> Vec<Effect> {
        self.do_verb(&Verb::Open(path.to_owned()))
    }

    /// Carries out a verb, after asking when a file would be overwritten.
    pub fn do_verb(&mut self, verb: &Verb) -> Vec<Effect> {
        let (Verb::Save(_, path) | Verb::Export(path)) = verb else { return self.do_now(verb) };
        if !std::path::Path::new(path).is_file() {
            return self.do_now(verb);
        }
        self.overlays.push(Overlay::Confirm {
            title: format!("Overwrite {path}?"),
            text: "There is such a file already; what it holds would be gone.".into(),
            then: Confirmed::Do(verb.clone()),
        });
        vec![]
    }

    /// Carries out a verb and says what came of it.
    pub(super) fn do_now(&mut self, verb: &Verb) -> Vec<Effect> {
        let verb = match verb {
            Verb::Save(run, path) if run.0.is_empty() => match self.shown() {
                Some(run) => Verb::Save(run.id.clone(), path.clone()),
                None => return self.refuse_with("no run is shown", "{} trains one", Action::Train),
            },
            other => other.clone(),
        };
        if let Verb::Replay(path) = &verb {
            return match crate::workspace::read_log(path) {
                Ok(verbs) => {
                    self.say(format!("replaying {} commands", verbs.len()));
                    self.replay = verbs.into();
                    self.next_of_replay()
                }
                Err(error) => self.refuse(&error.to_string()),
            };
        }
        match self.workspace.act(&verb, self.at) {
            Ok(done) => {
                if !done.said.is_empty() {
                    self.say(done.said);
                } else if verb.is_undoable() {
                    self.message = None;
                }
                self.after(&verb);
                let mut effects = self.start_all(done.work);
                if matches!(verb, Verb::Undo | Verb::Redo) {
                    effects.extend(self.load_newest());
                }
                let compares =
                    matches!(verb, Verb::Yardstick(_) | Verb::Delete(_) | Verb::Undo | Verb::Redo);
                if compares && self.screen == Screen::Compare {
                    effects.extend(self.recompare());
                }
                effects
            }
            Err(error) => self.refuse(&crate::jobs::error_text(&error)),
        }
    }

    /// Carries out a line of the palette or of a command log.
    pub fn do_line(&mut self, line: &str) -> Vec<Effect> {
        match parse(line) {
            Ok(verb) => self.do_verb(&verb),
            Err(error) => self.refuse(&error.to_string()),
        }
    }

    /// Carries out what is left of a replay, as far as it goes without a job.
    pub(super) fn next_of_replay(&mut self) -> Vec<Effect> {
        let mut effects = vec![];
        while self.jobs.is_idle() {
            let Some(verb) = self.replay.pop_front() else { break };
            effects.extend(self.do_verb(&verb));
            if self.message.as_ref().is_some_and(|m| m.tone == Tone::Error) {
                self.replay.clear();
            }
        }
        effects
    }

    /// Starts or queues work.
    pub fn start_all(&mut self, work: Vec<Work>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for work in work {
            if work.is_training() {
                self.training.row = 0;
                self.training.chart.look_away();
                if self.jobs.training().is_none() {
                    self.training.batch.clear();
                }
            }
            let (begin, stop) = self.jobs.take(work, self.now);
            effects.extend(stop.map(|id| Effect::Wish(id, Wish::Stop)));
            match begin {
                Some((id, work)) => effects.push(Effect::Start(id, work)),
                None => self.say("queued behind the running training"),
            }
        }
        effects
    }

    /// Puts a sentence on the message line.
    pub fn say(&mut self, text: impl Into<String>) {
        self.message = Some(Message { text: text.into(), hint: String::new(), tone: Tone::Said });
    }

    /// Puts a warning on the message line.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.message =
            Some(Message { text: text.into(), hint: String::new(), tone: Tone::Warning });
    }

    /// Puts what an alert says on the message line.
    pub(super) fn alarm(&mut self, text: impl Into<String>) {
        self.message = Some(Message { text: text.into(), hint: String::new(), tone: Tone::Alarm });
    }

    /// Puts an error on the message line, its hint beside it; the work goes on.
    pub fn refuse(&mut self, text: &str) -> Vec<Effect> {
        let (text, hint) = text.split_once("\nhint: ").unwrap_or((text, ""));
        let (text, hint) = (text.replace('\n', " "), hint.replace('\n', " "));
        self.message = Some(Message { text, hint, tone: Tone::Error });
        vec![]
    }

    /// Puts an error on the message line, with a remedy in which `{}` stands for the key of an
    /// action.
    pub(super) fn refuse_with(&mut self, text: &str, remedy: &str, action: Action) -> Vec<Effect> {
        let key = format!("`{}`", key_in(&self.scopes(), action));
        self.refuse(&format!("{text}\nhint: {}", remedy.replace("{}", &key)))
    }

    /// What the panes forget or look at after a verb.
    fn after(&mut self, verb: &Verb) {
        match verb {
            Verb::Undo | Verb::Redo => self.clamp(),
            Verb::Delete(run) => {
                self.training.forget(run);
                if self.eval.run.as_ref() == Some(run) {
                    self.eval.run = None;
                }
                self.compare.comparison = None;
                self.clamp();
            }
            Verb::Export(_) => {
                let question = self.workspace.question();
                let lines = vec![
                    PageLine::Heading("the same headless".into()),
                    PageLine::Text(question.command_line()),
                    PageLine::Heading("as TOML".into()),
                ];
                let toml = question.to_toml();
                let toml = toml.lines().map(|l| PageLine::Fixed(l.to_owned()));
                let lines = lines.into_iter().chain(toml).collect();
                self.overlays.push(Overlay::Page { title: "Exported".into(), lines, scroll: 0 });
            }
            _ => {}
        }
    }

    /// Takes an edited experiment over.
    pub fn edited(&mut self, text: &str) -> Vec<Effect> {
        match crate::train::Experiment::from_toml(text) {
            Ok(experiment) => {
                let same = experiment == *self.workspace.question();
                if same {
                    self.say("nothing was changed");
                    return vec![];
                }
                match self.workspace.replace_question(experiment, self.at) {
                    Ok(done) => {
                        let key = key_in(&self.scopes(), Action::Undo);
                        self.say(format!(
                            "the experiment was changed in the editor; {key} takes it back"
                        ));
                        self.clamp();
                        self.start_all(done.work)
                    }
                    Err(error) => self.refuse(&crate::jobs::error_text(&error)),
                }
            }
            Err(error) => {
                self.rejected = Some(text.to_owned());
                let said = crate::jobs::error_text(&error);
                self.refuse(&said);
                let key = key_in(&self.scopes(), Action::Edit);
                if let Some(message) = &mut self.message {
                    message.hint = format!("{} ({key} opens your text again)", message.hint);
                }
                vec![]
            }
        }
    }

    /// Keeps every cursor on something that is there.
    pub(crate) fn clamp(&mut self) {
        let n_columns = self.workspace.now.table.as_ref().map_or(0, |t| t.n_columns());
        let n_rows = self.data.n_rows(&self.workspace);
        let visible = self.data.visible(&self.workspace).len();
        // What was found out about another table is not shown beside this one.
        let here = self.workspace.now.table.as_ref();
        let same = match (here, &self.data.table) {
            (Some(a), Some(b)) => std::sync::Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        if !same {
            self.data.table = here.cloned();
            (self.data.order, self.data.correlations, self.data.answer) = (None, None, None);
            self.data.pair = (0, 0);
        }
        let pane = &mut self.data;
        pane.column = pane.column.min(n_columns.saturating_sub(1));
        pane.row = pane.row.min(n_rows.saturating_sub(1));
        pane.col = pane.col.min(visible.saturating_sub(1));
        let n_findings = self.workspace.survey.as_ref().map_or(0, |s| s.findings().len());
        pane.finding = pane.finding.min(n_findings.saturating_sub(1));
        let n_fields = crate::workspace::fields(&self.workspace).len();
        self.model.field = self.model.field.min(n_fields.saturating_sub(1));
        let n_rows = self.training_rows().len();
        self.training.row = self.training.row.min(n_rows.saturating_sub(1));
    }
}
