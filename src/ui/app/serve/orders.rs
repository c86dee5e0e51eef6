//! What an operator asks for on the Serve screen: each order is named, asked for its reason, and
//! only then carried out.

use std::sync::Arc;

use super::{App, Ask, Effect, PageLine, ServeTab, aliases::aliases};
use crate::registry::store::{Done, Pending, Retrain, Scope};
use crate::train::Run;
use crate::ui::action::Action;
use crate::ui::app::{Confirmed, Overlay, Pick};
use crate::ui::widgets::numbers;
use crate::workspace::{Errand, Order, Outside, Work};

/// The label of a load test.
pub(super) const LOAD: &str = "load test";
/// How long a load test asks, in seconds.
const LOAD_SECONDS: &str = "5";

/// The aliases that the server knows, and what they do.
pub(super) const ALIASES: &[(&str, &str)] = &[
    ("champion", "answers, unless a request names a version"),
    ("challenger", "answers a share of the requests"),
    ("shadow", "scores along; its answers are only counted"),
];

/// How no alias is offered in a list.
const NO_ALIAS: &str = "(none)";

/// A choice on the way to an order.
#[derive(Clone, Debug, PartialEq)]
pub enum Choosing {
    /// The alias of a run that is to be registered under this name.
    RegisterAs(Arc<Run>, String),
    /// The alias that is to point to this version.
    Promote(String, u32),
    /// The alias of this name that is to point where it pointed before.
    Rollback(String),
    /// What a new key of this name may be used for.
    Scopes(String),
    /// Whether a change that waits may happen.
    Answer(i64, Done),
    /// Which setting of this name is to be another one.
    Setting(String),
    /// What a setting of this name is to be.
    SettingTo(String, &'static str),
    /// In which way the server is started.
    Start,
    /// When this model is to be trained again.
    When(String),
    /// What becomes of the candidate; whether it is trained at once.
    Rule(Box<Retrain>, bool),
}

/// A change is allowed.
const APPROVE: &str = "approve";
/// A change is not allowed.
const REJECT: &str = "reject";

impl Choosing {
    /// Whether something is taken that is not in the list.
    pub fn takes_more(&self) -> bool {
        match self {
            Self::RegisterAs(..) | Self::Promote(..) | Self::Scopes(_) | Self::When(_) => true,
            Self::Rollback(_)
            | Self::Answer(..)
            | Self::Setting(_)
            | Self::SettingTo(..)
            | Self::Start
            | Self::Rule(..) => false,
        }
    }
}

impl App {
    /// Says what is about to be done, and asks why.
    pub(in crate::ui::app) fn ask_why(&mut self, order: Order) -> Vec<Effect> {
        let mut sentence = order.sentence();
        if let Some(first) = sentence.get(..1) {
            let first = first.to_uppercase();
            sentence.replace_range(..1, &first);
        }
        self.ask_why_of(&format!("{sentence}?"), order)
    }

    /// Asks why, under a title that says what is about to be done.
    pub(super) fn ask_why_of(&mut self, title: &str, order: Order) -> Vec<Effect> {
        let hint = match &order {
            Order::Do(Done::Split { split, .. }) if split.sticky => {
                "one key always goes to one side · why? kept in the audit log with your login"
            }
            Order::Do(Done::Split { .. }) => {
                "one key goes to either side by chance · why? kept in the audit log"
            }
            _ => "why? kept in the audit log with your login · Enter does it",
        };
        self.ask(title, hint, "", Ask::Why(Box::new(order)));
        vec![]
    }

    /// Carries out an order for this reason.
    pub(in crate::ui::app) fn give_order(&mut self, order: &Order, why: &str) -> Vec<Effect> {
        if why.is_empty() {
            return self.refuse("a word on why is needed: whoever audits this will ask");
        }
        self.carry_out_order(order.clone(), why)
    }

    /// Asks under which name a run is to be registered.
    pub(in crate::ui::app) fn ask_register(&mut self, run: Arc<Run>) -> Vec<Effect> {
        if self.folder().is_none() {
            return vec![];
        }
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        let proposed: String = run.model.target.chars().map(plain).collect();
        let known = self.serve.known.as_ref().and_then(|known| {
            let same = |v: &crate::registry::store::Version| v.target == run.model.target;
            known.models.iter().find(|model| model.versions.iter().any(same))
        });
        let name = known.map_or(proposed, |model| model.name.clone());
        let title = format!("Serve run {} ({}) under which name?", run.id, run.model.kind);
        let hint = "letters, digits, `.`, `_` and `-`; a name that is known gets its next version";
        self.ask(title, hint, &name, Ask::RegisterName(run));
        vec![]
    }

    pub(in crate::ui::app) fn register_name(&mut self, run: &Arc<Run>, typed: &str) -> Vec<Effect> {
        if let Err(error) = crate::registry::store::ModelName::new(typed) {
            return self.refuse(&error.to_string());
        }
        let mut items = aliases(self.named(typed));
        items.push((NO_ALIAS.into(), "registered, and not served unless it is asked for".into()));
        let then = Pick::Serve(Choosing::RegisterAs(Arc::clone(run), typed.to_owned()));
        self.pick(format!("Which alias of `{typed}`?"), items, "champion", then);
        vec![]
    }

    /// Takes the chosen version or key out of service, or a version back into it.
    pub(super) fn ask_retire(&mut self) -> Vec<Effect> {
        match self.serve.tab {
            ServeTab::Models => {
                let Some(own) = self.serve.version() else {
                    return self.refuse("choose a version among the models");
                };
                let (name, version) = (own.version.name.clone(), own.version.version);
                let done = if own.version.retired {
                    Done::Restore { name, version }
                } else {
                    Done::Retire { name, version }
                };
                self.ask_why(Order::Do(done))
            }
            ServeTab::Keys => {
                let keys = self.serve.keys();
                let Some(own) = keys.get(self.serve.row()).copied() else {
                    return self.refuse_with("there are no keys", "{} makes one", Action::NewKey);
                };
                if own.revoked_ms.is_some() {
                    return self.refuse("this key is revoked already");
                }
                let order = Order::RevokeKey { id: own.id.clone(), name: own.name.clone() };
                self.ask_why(order)
            }
            ServeTab::Live | ServeTab::Audit => self
                .refuse("versions are retired among the models, keys are revoked among the keys"),
        }
    }

    pub(super) fn ask_answer(&mut self, pending: &Pending) -> Vec<Effect> {
        // Nobody approves what they have asked for themselves.
        let is_own = self.serve.known.as_ref().is_some_and(|known| known.me == pending.who);
        let items = if is_own {
            vec![(REJECT.to_owned(), "take it back · another login has to approve it".to_owned())]
        } else {
            vec![
                (APPROVE.to_owned(), format!("asked for by {}: {}", pending.who, pending.why)),
                (REJECT.to_owned(), "it does not happen".to_owned()),
            ]
        };
        let title = format!("{}?", pending.done.sentence());
        let then = Pick::Serve(Choosing::Answer(pending.id, pending.done.clone()));
        self.pick(title, items, APPROVE, then);
        vec![]
    }

    pub(in crate::ui::app) fn key_named(&mut self, typed: &str) -> Vec<Effect> {
        if typed.is_empty() {
            return self.refuse("a key needs a name, so that it can be told from others");
        }
        let mut items: Vec<(String, String)> =
            vec![("infer,explain".into(), "scores, with reasons and attributions".into())];
        let about = |(_, word, about): &(Scope, &str, &str)| ((*word).into(), (*about).into());
        items.extend(Scope::ALL.iter().map(about));
        let title = format!("What may `{typed}` be used for?");
        self.pick(title, items, "infer,explain", Pick::Serve(Choosing::Scopes(typed.to_owned())));
        vec![]
    }

    /// Goes on with what was chosen.
    pub(in crate::ui::app) fn chose(&mut self, choosing: Choosing, chosen: String) -> Vec<Effect> {
        let order = match choosing {
            Choosing::RegisterAs(run, name) => {
                let threshold = self.workspace.threshold(&run);
                if chosen == NO_ALIAS {
                    Order::Register { run, threshold, name, alias: None }
                } else {
                    let alias = Some(chosen.clone());
                    let order = Order::Register { run, threshold, name: name.clone(), alias };
                    return self.ask_alias(&name, &chosen, order);
                }
            }
            Choosing::Promote(name, version) => return self.chose_promote(&name, version, &chosen),
            Choosing::Rollback(name) => return self.ask_back(name, &chosen),
            Choosing::Scopes(name) => return self.ask_limits(name, chosen),
            Choosing::Answer(id, done) => match chosen.as_str() {
                APPROVE => Order::Answer { id, done, yes: true },
                REJECT => Order::Answer { id, done, yes: false },
                other => return self.refuse(&format!("`{other}` is neither of both")),
            },
            Choosing::Setting(name) => return self.chose_setting(name, &chosen),
            Choosing::SettingTo(name, key) => return self.set(name, key, chosen.into()),
            Choosing::Start => return self.chose_start(&chosen),
            Choosing::When(name) => return self.chose_when(name, &chosen),
            Choosing::Rule(job, at_once) => return self.chose_rule(*job, at_once, &chosen),
        };
        self.ask_why(order)
    }

    /// Starts the server, or asks before it is stopped.
    pub(super) fn start_or_stop(&mut self) -> Vec<Effect> {
        if let Some(status) = self.serve.running() {
            let text = format!(
                "{} stops listening; {} requests are being answered and will be. The models stay registered.",
                status.url, status.in_flight
            );
            self.overlays.push(Overlay::Confirm {
                title: "Stop the server?".into(),
                text,
                then: Confirmed::StopServer,
            });
            return vec![];
        }
        self.ask_start()
    }

    pub(in crate::ui::app) fn stop_server(&mut self) -> Vec<Effect> {
        self.folder().map(Effect::StopServer).into_iter().collect()
    }

    pub(super) fn load_test(&mut self) -> Vec<Effect> {
        let Some(own) = self.serve.version() else { return self.refuse_unregistered() };
        let name = own.version.name.clone();
        if own.served.is_none() {
            let said = format!("no server serves `{name}`");
            return self.refuse_with(&said, "{} starts one", Action::StartStop);
        }
        self.overlays.push(Overlay::Confirm {
            title: format!(
                "Ask `{name}` as fast as the server answers, for {LOAD_SECONDS} seconds?"
            ),
            text: "These are requests like any other: they end in the prediction log, in the \
                   windows that the monitor measures, and in what the key may use up. Who asks at \
                   the same time waits longer."
                .into(),
            then: Confirmed::LoadTest(name),
        });
        vec![]
    }

    /// Goes on with a load test that is meant.
    pub(in crate::ui::app) fn load_anyway(&mut self, name: String) -> Vec<Effect> {
        if self.serve.running().is_some_and(|status| status.needs_key) {
            let hint = "a key with the scope `infer`; nothing takes the one in KARAT_KEY";
            let title = format!("The key for the load test of `{name}`");
            self.ask(title, hint, "", Ask::LoadKey(name));
            return vec![];
        }
        self.load_with(&name, "")
    }

    /// Runs a load test of a model with this key.
    pub(in crate::ui::app) fn load_with(&mut self, name: &str, key: &str) -> Vec<Effect> {
        let Some(dir) = self.folder() else { return vec![] };
        let dir = dir.to_string_lossy().into_owned();
        let words =
            ["serve", "load", name, "--seconds", LOAD_SECONDS, "--json", "--workspace", &dir];
        let key = (!key.is_empty()).then(|| key.to_owned());
        let errand = Errand { label: LOAD, words: words.map(str::to_owned).to_vec(), key };
        self.say(format!("asking for {LOAD_SECONDS} seconds: {}", errand.line()));
        self.start_all(vec![Work::Outside(Outside::Errand(errand))])
    }
}

/// What a load test showed, as a page; what cannot be read is shown as it is.
pub(super) fn load_lines(errand: &Errand, said: &str) -> Vec<PageLine> {
    let mut lines = vec![PageLine::Text(errand.line())];
    let Ok(found) = serde_json::from_str::<serde_json::Value>(said) else {
        lines.extend(said.lines().map(|line| PageLine::Fixed(line.to_owned())));
        return lines;
    };
    let number = |name: &str| found.get(name).and_then(serde_json::Value::as_f64);
    let ms = |name: &str| {
        number(name).map_or(numbers::NONE.into(), |v| format!("{} ms", numbers::significant(v, 3)))
    };
    let pair = |name: &str, value: String| PageLine::Pair(name.to_owned(), value);
    lines.push(PageLine::Heading("answers".into()));
    lines.push(pair(
        "requests",
        number("requests").map_or(numbers::NONE.into(), |v| numbers::fixed(v, 0)),
    ));
    lines.push(pair(
        "per second",
        number("per_second").map_or(numbers::NONE.into(), |v| numbers::fixed(v, 0)),
    ));
    if let Some(statuses) = found.get("statuses").and_then(|s| s.as_object()) {
        let said = statuses.iter().map(|(status, n)| format!("{status}: {n}"));
        lines.push(pair("by status", said.collect::<Vec<_>>().join("   ")));
    }
    lines.push(pair(
        "broken",
        number("broken").map_or(numbers::NONE.into(), |v| numbers::fixed(v, 0)),
    ));
    lines.push(PageLine::Heading("how long they took".into()));
    for (name, label) in [
        ("p50_ms", "half took less"),
        ("p90_ms", "90 %"),
        ("p99_ms", "99 %"),
        ("max_ms", "the longest"),
    ] {
        lines.push(pair(label, ms(name)));
    }
    if let Some(example) = found.get("example").and_then(|e| e.as_str()).filter(|e| !e.is_empty()) {
        lines.push(PageLine::Heading("one answer".into()));
        lines.push(PageLine::Text(example.to_owned()));
    }
    lines
}
