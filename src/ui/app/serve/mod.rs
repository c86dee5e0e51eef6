//! The Serve screen: named models, the server that serves them, its keys, and who decided what.
//!
//! The server is a process of its own; the screen asks it about once a second while it is open.
//! Decisions go to the registry, whether a server runs or not.

mod aliases;
mod details;
mod orders;
#[cfg(test)]
mod tests;
mod upkeep;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub(in crate::ui) use details::{on, time, value};
pub use orders::Choosing;
pub use upkeep::Asking;

use super::act::moved;
use super::{App, Ask, Effect, Overlay, PageLine, Screen};
use crate::registry::store::{Event, Key, NamedModel, Pending, Version};
use crate::ui::action::Action;
use crate::ui::served::{Light, Line, ModelStatus, Status, VersionStatus};
use crate::workspace::{Carried, Errand, Outside, Registered, Work};

/// How often the server is asked while the screen is open.
const PULSE: Duration = Duration::from_secs(1);

/// Where a server listens when nothing else was said.
const ADDRESS: &str = "127.0.0.1:8080";

/// The views of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServeTab {
    /// Versions, where aliases point, how they are used.
    #[default]
    Models,
    /// The latest answers.
    Live,
    /// Who may ask.
    Keys,
    /// Who decided what.
    Audit,
}

impl ServeTab {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Models, Self::Live, Self::Keys, Self::Audit];

    /// What the frame calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Models => "models",
            Self::Live => "live log",
            Self::Keys => "keys",
            Self::Audit => "audit",
        }
    }
}

/// The Serve screen.
#[derive(Clone, Debug)]
pub struct ServePane {
    /// The view in front.
    pub tab: ServeTab,
    /// The chosen row of each view.
    pub rows: [usize; 4],
    /// How the server is, or why it cannot tell; `None` until it was asked.
    pub status: Option<Result<Box<Status>, String>>,
    /// Whether it is being asked.
    pub asked: bool,
    /// What the registry knows; `None` until it was read.
    pub known: Option<Arc<Registered>>,
    /// The screen from which it was opened.
    pub from: Screen,
}

impl Default for ServePane {
    fn default() -> Self {
        Self {
            tab: ServeTab::default(),
            rows: [0; 4],
            status: None,
            asked: false,
            known: None,
            from: Screen::Workbench,
        }
    }
}

/// A version of a named model, as far as registry and server know of it.
#[derive(Clone, Copy, Debug)]
pub struct ServedVersion<'a> {
    /// The name.
    pub model: &'a NamedModel,
    /// The version.
    pub version: &'a Version,
    /// What the server says of the name.
    pub served: Option<&'a ModelStatus>,
    /// What the server says of the version.
    pub loaded: Option<&'a VersionStatus>,
}

impl ServedVersion<'_> {
    /// What drift says of it, while a server has loaded it.
    pub fn light(&self) -> Option<Light> {
        self.loaded.map(|loaded| loaded.light)
    }
}

/// A line of the audit log: what waits comes first.
#[derive(Clone, Copy, Debug)]
pub enum AuditLine<'a> {
    /// A change that waits for a second person.
    Waits(&'a Pending),
    /// A decision.
    Event(&'a Event),
}

impl AuditLine<'_> {
    /// What tells it from all others.
    fn id(&self) -> (&'static str, i64) {
        match self {
            Self::Waits(own) => ("waits", own.id),
            Self::Event(own) => ("event", own.seq),
        }
    }
}

impl ServePane {
    /// Takes in what the registry knows; the cursors stay on what they were on.
    pub(super) fn learn(&mut self, known: &Arc<Registered>) {
        let version = self.version().map(|own| (own.version.name.clone(), own.version.version));
        let key = self.keys().get(self.rows[ServeTab::Keys as usize]).map(|key| key.id.clone());
        // At the top one follows what is decided.
        let line = self.rows[ServeTab::Audit as usize];
        let line = self.audit().get(line).filter(|_| line > 0).map(AuditLine::id);
        self.known = Some(Arc::clone(known));
        let at = version.and_then(|(name, number)| {
            let same =
                |own: &ServedVersion<'_>| own.version.name == name && own.version.version == number;
            self.versions().iter().position(same)
        });
        let at = [
            (ServeTab::Models, at),
            (ServeTab::Keys, self.keys().iter().position(|own| Some(&own.id) == key.as_ref())),
            (ServeTab::Audit, self.audit().iter().position(|own| Some(own.id()) == line)),
        ];
        for (tab, at) in at {
            if let Some(at) = at {
                self.rows[tab as usize] = at;
            }
        }
    }

    /// The server, while it runs.
    pub fn running(&self) -> Option<&Status> {
        self.status.as_ref()?.as_deref_ok()
    }

    /// Every version, by name, the newest first and those out of service last.
    pub fn versions(&self) -> Vec<ServedVersion<'_>> {
        let Some(known) = &self.known else { return vec![] };
        let mut all = Vec::new();
        for model in &known.models {
            let served = self
                .running()
                .and_then(|status| status.models.iter().find(|own| own.name == model.name));
            let mut versions: Vec<&Version> = model.versions.iter().collect();
            versions.sort_by_key(|own| (own.retired, std::cmp::Reverse(own.version)));
            all.extend(versions.into_iter().map(|version| ServedVersion {
                model,
                version,
                served,
                loaded: served.and_then(|served| {
                    served.versions.iter().find(|own| own.version == version.version)
                }),
            }));
        }
        all
    }

    /// The version under the cursor of the models, whichever view is in front.
    pub fn version(&self) -> Option<ServedVersion<'_>> {
        let versions = self.versions();
        let at = self.rows[ServeTab::Models as usize].min(versions.len().saturating_sub(1));
        versions.get(at).copied()
    }

    /// The same while the models are in front, for what must not be done to one that is not seen.
    pub fn chosen_version(&self) -> Option<ServedVersion<'_>> {
        self.version().filter(|_| self.tab == ServeTab::Models)
    }

    /// The keys, those that are refused last.
    pub fn keys(&self) -> Vec<&Key> {
        let Some(known) = &self.known else { return vec![] };
        let mut keys: Vec<&Key> = known.keys.iter().collect();
        keys.sort_by_key(|key| key.revoked_ms.is_some());
        keys
    }

    /// Until when the secret before the present one of a key stays good, if it does.
    pub fn old_until(&self, id: &str) -> Option<i64> {
        let known = self.known.as_ref()?;
        let own = |event: &&Event| event.action == "rotate key" && event.subject == id;
        let until = known.events.iter().find(own)?.after["old_until_ms"].as_i64()?;
        (until > known.read_ms).then_some(until)
    }

    /// The latest answers, newest first.
    pub fn live(&self) -> &[Line] {
        self.running().map_or(&[], |status| status.live.as_slice())
    }

    /// What waits, and who decided what.
    pub fn audit(&self) -> Vec<AuditLine<'_>> {
        let Some(known) = &self.known else { return vec![] };
        let waiting = known.pending.iter().map(AuditLine::Waits);
        waiting.chain(known.events.iter().map(AuditLine::Event)).collect()
    }

    /// The chosen row of the view in front.
    pub fn row(&self) -> usize {
        self.rows[self.tab as usize].min(self.n_rows().saturating_sub(1))
    }

    fn n_rows(&self) -> usize {
        match self.tab {
            ServeTab::Models => {
                self.known.as_ref().map_or(0, |k| k.models.iter().map(|m| m.versions.len()).sum())
            }
            ServeTab::Live => self.live().len(),
            ServeTab::Keys => self.known.as_ref().map_or(0, |known| known.keys.len()),
            ServeTab::Audit => self.audit().len(),
        }
    }
}

/// The good side of a result whose value is boxed.
trait AsDerefOk {
    fn as_deref_ok(&self) -> Option<&Status>;
}

impl AsDerefOk for Result<Box<Status>, String> {
    fn as_deref_ok(&self) -> Option<&Status> {
        self.as_deref().ok()
    }
}

/// What is told from outside the program.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// How the server is.
    Status(Result<Box<Status>, String>),
    /// Whether it stops.
    Stopping(Result<(), String>),
}

impl App {
    /// The folder of the workspace, or a word that there is none.
    pub(super) fn folder(&mut self) -> Option<PathBuf> {
        let dir = self.workspace.registry.dir().map(std::path::Path::to_path_buf);
        if dir.is_none() {
            self.refuse(
                "this workspace is in memory alone\nhint: give it a folder with --workspace DIR",
            );
        }
        dir
    }

    /// Opens the Serve screen.
    pub(super) fn open_serve(&mut self) -> Vec<Effect> {
        if self.screen == Screen::Serve {
            return vec![];
        }
        let Some(dir) = self.folder() else { return vec![] };
        self.overlays.clear();
        self.serve.from = match self.screen {
            Screen::Monitor | Screen::Explain => Screen::Workbench,
            other => other,
        };
        self.screen = Screen::Serve;
        let mut effects = self.read_registry();
        if !std::mem::replace(&mut self.serve.asked, true) {
            effects.push(Effect::AskServer(dir, Duration::ZERO));
        }
        effects
    }

    /// Reads anew what the registry knows.
    pub(super) fn read_registry(&mut self) -> Vec<Effect> {
        match self.folder() {
            Some(dir) => self.start_all(vec![Work::Outside(Outside::Read(dir))]),
            None => vec![],
        }
    }

    /// Takes in what is told from outside; whether anything is to be drawn for it.
    pub fn hear_outside(&mut self, told: Told) -> (bool, Vec<Effect>) {
        match told {
            Told::Status(status) => {
                self.serve.asked = false;
                let mut effects = vec![];
                if self.screen == Screen::Serve
                    && let Some(dir) = self.workspace.registry.dir()
                {
                    effects.push(Effect::AskServer(dir.to_path_buf(), PULSE));
                    self.serve.asked = true;
                }
                let changed = self.serve.status.as_ref().map(seen) != Some(seen(&status));
                if served(self.serve.status.as_ref()) != served(Some(&status)) {
                    effects.extend(self.read_registry());
                }
                if changed {
                    self.serve.status = Some(status);
                }
                (changed, effects)
            }
            Told::Stopping(Ok(())) => {
                self.say("the server stops: it answers what it has begun, and takes nothing new");
                (true, vec![])
            }
            Told::Stopping(Err(text)) => (true, self.refuse(&text)),
        }
    }

    /// Takes in what came of a decision.
    pub(super) fn carried(&mut self, carried: &Carried) -> Vec<Effect> {
        match carried {
            Carried::Out(said) => self.say(said.clone()),
            Carried::Waits(said) => self.warn(said.clone()),
            Carried::Key { shown, id, scopes } => {
                let lines = vec![
                    PageLine::Heading("the key, shown this once".into()),
                    PageLine::Fixed(shown.clone()),
                    PageLine::Text(String::new()),
                    PageLine::Text(
                        "y copies it, Esc closes this box. The workspace keeps only its digest, \
                         and nobody can show it again. Send it as `Authorization: Bearer KEY`."
                            .into(),
                    ),
                    PageLine::Pair("id".into(), id.clone()),
                    PageLine::Pair("for".into(), scopes.clone()),
                ];
                self.overlays.push(Overlay::Secret { shown: shown.clone(), lines });
            }
        }
        self.read_registry()
    }

    /// Takes in what an errand wrote.
    pub(super) fn errand_done(&mut self, errand: &Errand, said: &str) -> Vec<Effect> {
        if errand.label == orders::LOAD {
            let title = "Load test".into();
            let lines = orders::load_lines(errand, said);
            self.overlays.push(Overlay::Page { title, lines, scroll: 0 });
            return vec![];
        }
        self.say("the server runs as a process of its own: it goes on when this screen is left");
        match self.folder() {
            Some(dir) if !std::mem::replace(&mut self.serve.asked, true) => {
                vec![Effect::AskServer(dir, Duration::ZERO)]
            }
            _ => vec![],
        }
    }

    pub(super) fn refuse_unregistered(&mut self) -> Vec<Effect> {
        let remedy = "{} registers the shown run under a name";
        self.refuse_with("no model is registered", remedy, Action::Register)
    }

    pub(super) fn act_serve(&mut self, action: Action) -> Vec<Effect> {
        let pane = &mut self.serve;
        if let Some(at) = moved(pane.row(), pane.n_rows(), action, self.page) {
            pane.rows[pane.tab as usize] = at;
            return vec![];
        }
        match action {
            Action::NextTab | Action::PrevTab | Action::Left | Action::Right => {
                let n = ServeTab::ALL.len();
                let by = if matches!(action, Action::NextTab | Action::Right) { 1 } else { n - 1 };
                pane.tab = ServeTab::ALL[(pane.tab as usize + by) % n];
                vec![]
            }
            Action::Enter => self.serve_details(),
            Action::StartStop => self.start_or_stop(),
            Action::Register => match self.shown().cloned() {
                Some(run) => self.ask_register(run),
                None => self.refuse_with(
                    "no run is shown",
                    "{} trains one, or choose one in Compare",
                    Action::Train,
                ),
            },
            Action::Promote => self.ask_promote(),
            Action::Rollback => self.ask_rollback(),
            Action::Retire => self.ask_retire(),
            Action::NewKey => {
                self.ask(
                    "A new key",
                    "what it is for, such as the name of the program that will use it",
                    "",
                    Ask::KeyName,
                );
                vec![]
            }
            Action::ChallengerShare => self.ask_share(),
            Action::ServeSettings => self.ask_settings(),
            Action::RotateKey => self.ask_rotate(),
            Action::SecondPerson => self.ask_second_person(),
            Action::CopyRequest => match self.serve.version().and_then(|own| own.served) {
                Some(served) => {
                    let curl = served.curl.clone();
                    let said = format!(
                        "copied a request for `{}`; it takes the key from KARAT_KEY",
                        served.name
                    );
                    self.say(said);
                    vec![Effect::Copy(curl)]
                }
                None => self.refuse_with(
                    "only a model that is being served has a request to copy",
                    "{} starts the server",
                    Action::StartStop,
                ),
            },
            Action::LoadTest => self.load_test(),
            _ => vec![],
        }
    }
}

/// Aliases in the order of what they do: who answers first, then by name.
pub(in crate::ui) fn ranked<'a>(aliases: impl IntoIterator<Item = &'a String>) -> Vec<&'a str> {
    let mut ranked: Vec<&str> = aliases.into_iter().map(String::as_str).collect();
    let known = |alias: &str| orders::ALIASES.iter().position(|(name, _)| *name == alias);
    ranked.sort_by_key(|alias| (known(alias).unwrap_or(usize::MAX), *alias));
    ranked
}

/// A status without what changes by itself: the clock and the memory.
fn seen(status: &Result<Box<Status>, String>) -> Result<Status, String> {
    let status = status.as_deref().map_err(Clone::clone)?;
    Ok(Status { now_ms: 0, memory: 0, ..status.clone() })
}

/// Which versions are loaded, and where aliases point: after a change the registry knows more.
fn served(status: Option<&Result<Box<Status>, String>>) -> Vec<(&str, u32, &[String])> {
    let Some(Ok(status)) = status else { return vec![] };
    let all = status.models.iter().flat_map(|model| {
        let own = model.versions.iter();
        own.map(|version| (model.name.as_str(), version.version, version.aliases.as_slice()))
    });
    all.collect()
}
