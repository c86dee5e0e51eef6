//! What an operator decides about named models, keys and alerts, and what the registry of the
//! workspace knows of them; and words for this very program, run as a process of its own.

mod register;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

pub use register::{register_file, register_run};

use super::{Error, Product};
use crate::jobs::Ctx;
use crate::registry::store::log::PredictionLog;
use crate::registry::store::{
    Actor, Alert, Done, Event, EventFilter, Key, KeySpec, ModelName, NamedModel, Pending, Scope,
    Store, StoredWindow,
};
use crate::train::Run;

/// How many decisions are shown, the latest.
const MOST_EVENTS: u32 = 500;
/// How many windows of a version are shown, the latest.
const MOST_WINDOWS: u32 = 200;
/// How many predictions of a window are shown, its first.
const MOST_LOGGED: u32 = 1000;
/// How often a process of its own is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(50);

/// Work on what lies outside a session.
#[derive(Clone, Debug)]
pub enum Outside {
    /// Read what the registry of this folder knows of named models.
    Read(PathBuf),
    /// Carry out a decision in the registry of this folder, for this reason.
    Operate(PathBuf, Box<Order>, String),
    /// Read the predictions of a version between two moments.
    Logged {
        /// The folder of the workspace.
        dir: PathBuf,
        /// The name.
        model: String,
        /// The version.
        version: u32,
        /// From when and until when, in milliseconds since 1970.
        between: [i64; 2],
    },
    /// Run this very program with other words.
    Errand(Errand),
}

impl Outside {
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Read(_) => "registry",
            Self::Operate(..) => "decision",
            Self::Logged { .. } => "prediction log",
            Self::Errand(errand) => errand.label,
        }
    }

    pub(super) fn slot(&self) -> Option<&'static str> {
        matches!(self, Self::Read(_)).then_some("registry")
    }

    pub(super) fn carry_out(self, ctx: &Ctx, out: &mut dyn FnMut(Product)) -> Result<(), Error> {
        match self {
            Self::Read(dir) => out(Product::Registered(Arc::new(registered(&dir, ctx)?))),
            Self::Operate(dir, order, why) => out(Product::Carried(operate(&dir, &order, &why)?)),
            Self::Logged { dir, model, version, between } => {
                let rows = if PredictionLog::exists(&dir) {
                    let log = PredictionLog::open(&dir, false)?;
                    log.window(&model, Some(version), between, MOST_LOGGED)?
                } else {
                    vec![]
                };
                out(Product::Logged(rows));
            }
            Self::Errand(errand) => {
                let said = run_errand(&errand, ctx)?;
                out(Product::Errand(errand, said));
            }
        }
        Ok(())
    }
}

/// A decision of an operator.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Make a run the next version of a name.
    Register {
        /// The run.
        run: Arc<Run>,
        /// With this threshold.
        threshold: f64,
        /// The name.
        name: String,
        /// The alias that is to point to it, if any.
        alias: Option<String>,
    },
    /// Change what is in service.
    Do(Done),
    /// Let a change that waits for a second person happen, or not.
    Answer {
        /// Its number.
        id: i64,
        /// What it would do.
        done: Done,
        /// Whether it may.
        yes: bool,
    },
    /// Make a key.
    CreateKey {
        /// What it is called.
        name: String,
        /// What it may be used for, with commas between.
        scopes: String,
    },
    /// Refuse a key from this moment on.
    RevokeKey {
        /// Its public part.
        id: String,
        /// What it is called.
        name: String,
    },
    /// Say that someone has taken notice of an alert.
    Acknowledge {
        /// Its number.
        id: i64,
        /// What it says.
        sentence: String,
    },
}

impl Order {
    /// What is about to be done, in a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::Register { run, name, alias: None, .. } => {
                format!("register run {} as the next version of `{name}`", run.id)
            }
            Self::Register { run, name, alias: Some(alias), .. } => {
                format!(
                    "register run {} as the next version of `{name}` and make it its `{alias}`",
                    run.id
                )
            }
            Self::Do(done) => done.sentence(),
            Self::Answer { done, yes: true, .. } => format!("approve: {}", done.sentence()),
            Self::Answer { done, yes: false, .. } => format!("reject: {}", done.sentence()),
            Self::CreateKey { name, scopes } => format!("make a key `{name}` for {scopes}"),
            Self::RevokeKey { id, name } => format!("revoke key {id} `{name}`"),
            Self::Acknowledge { sentence, .. } => format!("acknowledge: {sentence}"),
        }
    }
}

/// What came of a decision.
#[derive(Clone, Debug, PartialEq)]
pub enum Carried {
    /// It was done; a sentence for the message line.
    Out(String),
    /// It waits for a second person.
    Waits(String),
    /// A key was made; this is the only time its secret is shown.
    Key {
        /// The whole key, as it has to be presented.
        shown: String,
        /// Its public part.
        id: String,
        /// What it may be used for.
        scopes: String,
    },
}

/// Everything that the registry of a workspace knows of named models.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registered {
    /// The named models with their versions.
    pub models: Vec<NamedModel>,
    /// The keys without their secrets.
    pub keys: Vec<Key>,
    /// Who decided what, newest first.
    pub events: Vec<Event>,
    /// What waits for a second person.
    pub pending: Vec<Pending>,
    /// Alerts, newest first.
    pub alerts: Vec<Alert>,
    /// The windows of each version, oldest first.
    pub windows: BTreeMap<(String, u32), Vec<StoredWindow>>,
}

/// Reads what the registry knows.
fn registered(dir: &Path, ctx: &Ctx) -> Result<Registered, Error> {
    let store = Store::open(dir)?;
    let models = store.models()?;
    let mut windows = BTreeMap::new();
    for version in models.iter().flat_map(|model| &model.versions) {
        ctx.check()?;
        let own = store.windows(&version.name, Some(version.version), MOST_WINDOWS)?;
        if !own.is_empty() {
            windows.insert((version.name.clone(), version.version), own);
        }
    }
    let mut events =
        store.events(&EventFilter { limit: Some(MOST_EVENTS), ..EventFilter::default() })?;
    events.sort_by_key(|event| std::cmp::Reverse(event.seq));
    Ok(Registered {
        models,
        keys: store.keys()?,
        events,
        pending: store.pending()?,
        alerts: store.alerts(false)?,
        windows,
    })
}

/// Carries out a decision.
fn operate(dir: &Path, order: &Order, why: &str) -> Result<Carried, Error> {
    let store = Store::open(dir)?;
    let actor = Actor::login();
    let waits = |id: i64| {
        Carried::Waits(format!("{} waits for a second person as change {id}", order.sentence()))
    };
    Ok(match order {
        Order::Register { run, threshold, name, alias } => {
            let name = ModelName::new(name)?;
            let (version, is_new) =
                register_run(&store, &name, run, Some(*threshold), &actor, why)?;
            let number = version.version;
            let already = if is_new { "" } else { " already" };
            let said = format!("run {} is version {number} of `{}`{already}", run.id, version.name);
            let Some(alias) = alias else { return Ok(Carried::Out(said)) };
            if version.aliases.contains(alias) {
                return Ok(Carried::Out(format!("{said} and its `{alias}`")));
            }
            let done =
                Done::Promote { name: version.name.clone(), version: number, alias: alias.clone() };
            match store.decide(&done, &actor, why)?.waits() {
                None => Carried::Out(format!("{said} and its `{alias}`")),
                Some(id) => Carried::Waits(format!(
                    "{said}; making it the `{alias}` waits for a second person as change {id}"
                )),
            }
        }
        Order::Do(done) => match store.decide(done, &actor, why)?.waits() {
            None => Carried::Out(format!("done: {}", done.sentence())),
            Some(id) => waits(id),
        },
        Order::Answer { id, yes: true, .. } => {
            Carried::Out(format!("approved: {}", store.approve(*id, &actor, why)?.sentence()))
        }
        Order::Answer { id, yes: false, .. } => {
            Carried::Out(format!("rejected: {}", store.reject(*id, &actor, why)?.sentence()))
        }
        Order::CreateKey { name, scopes } => {
            let scopes = scopes.split(',').map(|word| Scope::parse(word.trim()));
            let scopes = scopes.collect::<Result<Vec<_>, _>>()?;
            let spec = KeySpec { name: name.clone(), scopes, ..KeySpec::default() };
            let made = store.create_key(&spec, &actor, why)?;
            let words: Vec<&str> = made.key.scopes.iter().map(|scope| scope.word()).collect();
            Carried::Key { shown: made.shown, id: made.key.id, scopes: words.join(", ") }
        }
        Order::RevokeKey { id, name } => {
            store.revoke_key(id, &actor, why)?;
            Carried::Out(format!("key {id} `{name}` is refused from now on"))
        }
        Order::Acknowledge { id, .. } => {
            store.acknowledge(*id, &actor, why)?;
            Carried::Out(format!("alert {id} is acknowledged"))
        }
    })
}

/// A run of this very program with other words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// What it is, in a word or two.
    pub label: &'static str,
    /// The words on the command line.
    pub words: Vec<String>,
    /// A key that it is given aside, where no list of processes shows it.
    pub key: Option<String>,
}

impl Errand {
    /// The same as a person would type it.
    pub fn line(&self) -> String {
        let quoted = self.words.iter().map(|word| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,".contains(c);
            if !word.is_empty() && word.chars().all(plain) {
                word.clone()
            } else {
                format!("'{}'", word.replace('\'', "'\\''"))
            }
        });
        format!("karat {}", quoted.collect::<Vec<_>>().join(" "))
    }
}

/// Runs an errand to its end and returns what it wrote to standard output.
fn run_errand(errand: &Errand, ctx: &Ctx) -> Result<String, Error> {
    let failed = |what: String| Error::told(format!("`{}`: {what}", errand.line()));
    let program: PathBuf =
        std::env::current_exe().map_err(|cause| failed(format!("cannot be started: {cause}")))?;
    // Files take what is written, so that no full pipe keeps the process waiting.
    let file = || tempfile::tempfile().map_err(|cause| failed(format!("has no room: {cause}")));
    let (mut out, mut err) = (file()?, file()?);
    let copy = |file: &std::fs::File| {
        file.try_clone().map_err(|cause| failed(format!("has no room: {cause}")))
    };
    let mut child = Command::new(program)
        .args(&errand.words)
        .envs(errand.key.as_ref().map(|key| ("KARAT_KEY", key)))
        .stdin(Stdio::null())
        .stdout(copy(&out)?)
        .stderr(copy(&err)?)
        .spawn()
        .map_err(|cause| failed(format!("cannot be started: {cause}")))?;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => {}
            Err(cause) => return Err(failed(cause.to_string())),
        }
        if let Err(cancelled) = ctx.check() {
            let _ = child.kill();
            let _ = child.wait();
            return Err(cancelled.into());
        }
        std::thread::sleep(PAUSE);
    };
    let text = |file: &mut std::fs::File| {
        use std::io::{Read, Seek};
        let mut bytes = Vec::new();
        let _ = file.rewind();
        let _ = file.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).trim().to_owned()
    };
    if status.success() {
        return Ok(text(&mut out));
    }
    let said = text(&mut err);
    let said = said.strip_prefix("error: ").unwrap_or(&said);
    let last = if said.is_empty() { format!("it ended with {status}") } else { said.to_owned() };
    Err(Error::told(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errand_is_written_as_it_would_be_typed() {
        let words = ["serve", "start", "--workspace", "my work"].map(str::to_owned).to_vec();
        let errand = Errand { label: "start", words, key: None };
        assert_eq!(errand.line(), "karat serve start --workspace 'my work'");
    }

    #[test]
    fn keys_are_shown_once_and_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let order = Order::CreateKey { name: "app".into(), scopes: "infer, explain".into() };
        let made = operate(folder.path(), &order, "for the app").unwrap();
        let Carried::Key { shown, id, scopes } = made else { panic!("a key") };
        assert!(shown.contains(&id) && scopes == "infer, explain");
        let order = Order::RevokeKey { id, name: "app".into() };
        operate(folder.path(), &order, "lost").unwrap();
        let known = registered(folder.path(), &Ctx::quiet()).unwrap();
        assert!(known.keys[0].revoked_ms.is_some());
        let whys: Vec<&str> = known.events.iter().map(|event| &event.why as &str).collect();
        assert_eq!(whys, ["lost", "for the app"]);
        let text = operate(folder.path(), &order, "again").unwrap_err().to_string();
        assert!(text.contains("already"), "{text}");
    }
}
