//! What an operator decides about named models, keys and alerts, and what the registry of the
//! workspace knows of them.

mod register;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use register::{register_file, register_run};

use super::{Errand, Error, KeyLimits, Product, TrainAgain, Upkeep, Window, window};
use crate::jobs::Ctx;
use crate::registry::store::log::{Logged, PredictionLog};
use crate::registry::store::{
    Actor, Alert, Done, Event, EventFilter, Key, ModelName, NamedModel, NewKey, Pending, Retrain,
    Scope, Store, now_ms,
};
use crate::train::Run;

/// How many decisions are shown, the latest.
const MOST_EVENTS: u32 = 500;
/// How many windows of a version are shown, the latest.
const MOST_WINDOWS: u32 = 200;
/// How many predictions of a window are shown, its first.
const MOST_LOGGED: u32 = 1000;

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
    /// Train a registered model again, and compare both.
    Again(TrainAgain),
    /// Run this very program with other words.
    Errand(Errand),
}

impl Outside {
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Read(_) => "registry",
            Self::Operate(..) => "decision",
            Self::Logged { .. } => "prediction log",
            Self::Again(_) => "train again",
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
                let mut rows = if PredictionLog::exists(&dir) {
                    let log = PredictionLog::open(&dir, false)?;
                    log.window(&model, Some(version), between, MOST_LOGGED + 1)?
                } else {
                    vec![]
                };
                let is_cut = rows.len() > MOST_LOGGED as usize;
                rows.truncate(MOST_LOGGED as usize);
                out(Product::Logged(LoggedRows { rows, is_cut }));
            }
            Self::Again(again) => again.carry_out(ctx, out)?,
            Self::Errand(errand) => {
                let said = errand.run(ctx)?;
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
        /// How far it may be used.
        limits: KeyLimits,
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
    /// Keep the service in order.
    Upkeep(Upkeep),
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
            Self::CreateKey { name, scopes, limits } => {
                format!("make a key `{name}` for {scopes}{}", limits.words())
            }
            Self::RevokeKey { id, name } => format!("revoke key {id} `{name}`"),
            Self::Acknowledge { sentence, .. } => format!("acknowledge: {sentence}"),
            Self::Upkeep(upkeep) => upkeep.sentence(),
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

impl Carried {
    pub(super) fn key(made: NewKey) -> Self {
        let words: Vec<&str> = made.key.scopes.iter().map(|scope| scope.word()).collect();
        Self::Key { shown: made.shown, id: made.key.id, scopes: words.join(", ") }
    }
}

/// Predictions of a window as the log has kept them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoggedRows {
    /// The predictions, oldest first.
    pub rows: Vec<Logged>,
    /// Whether there are more of them.
    pub is_cut: bool,
}

/// Everything that the registry of a workspace knows of named models.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registered {
    /// When it was read, in milliseconds since 1970.
    pub read_ms: i64,
    /// Who is at the terminal, as decisions name them.
    pub me: String,
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
    /// Whether what is in service is changed by two persons only.
    pub needs_approval: bool,
    /// When and how models are trained again.
    pub retrainings: Vec<Retrain>,
    /// The windows of each version, oldest first.
    pub windows: BTreeMap<(String, u32), Arc<Vec<Window>>>,
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
            let own = own.into_iter().map(|stored| window::read(stored.report, stored.to_ms));
            windows.insert((version.name.clone(), version.version), Arc::new(own.collect()));
        }
    }
    let mut events =
        store.events(&EventFilter { limit: Some(MOST_EVENTS), ..EventFilter::default() })?;
    events.sort_by_key(|event| std::cmp::Reverse(event.seq));
    Ok(Registered {
        read_ms: now_ms(),
        me: Actor::login().who,
        models,
        keys: store.keys()?,
        events,
        pending: store.pending()?,
        alerts: store.alerts(false)?,
        needs_approval: store.needs_approval()?,
        retrainings: store.retrainings()?,
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
        Order::CreateKey { name, scopes, limits } => {
            let scopes = scopes.split(',').map(|word| Scope::parse(word.trim()));
            let scopes = scopes.collect::<Result<Vec<_>, _>>()?;
            Carried::key(store.create_key(&limits.spec(name, scopes, now_ms()), &actor, why)?)
        }
        Order::RevokeKey { id, name } => {
            store.revoke_key(id, &actor, why)?;
            Carried::Out(format!("key {id} `{name}` is refused from now on"))
        }
        Order::Acknowledge { id, .. } => {
            store.acknowledge(*id, &actor, why)?;
            Carried::Out(format!("alert {id} is acknowledged"))
        }
        Order::Upkeep(upkeep) => upkeep.carry_out(&store, dir, &actor, why)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_shown_once_and_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let order = Order::CreateKey {
            name: "app".into(),
            scopes: "infer, explain".into(),
            limits: "expires=30 rate=5 models=pd*".parse().unwrap(),
        };
        let made = operate(folder.path(), &order, "for the app").unwrap();
        let Carried::Key { shown, id, scopes } = made else { panic!("a key") };
        assert!(shown.contains(&id) && scopes == "infer, explain");
        let order = Order::RevokeKey { id, name: "app".into() };
        operate(folder.path(), &order, "lost").unwrap();
        let known = registered(folder.path(), &Ctx::quiet()).unwrap();
        assert_eq!(known.keys[0].rate_per_second, Some(5.0));
        assert!(known.keys[0].expires_ms > Some(known.read_ms));
        assert!(known.keys[0].revoked_ms.is_some());
        let whys: Vec<&str> = known.events.iter().map(|event| &event.why as &str).collect();
        assert_eq!(whys, ["lost", "for the app"]);
        let text = operate(folder.path(), &order, "again").unwrap_err().to_string();
        assert!(text.contains("already"), "{text}");
    }
}
