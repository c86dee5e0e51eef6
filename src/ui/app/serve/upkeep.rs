//! How a service is kept in order on the Serve screen: the share of a challenger, how a name is
//! served, the secrets and limits of keys, the second person, and the words that start a server.

use serde_json::{Value, json};

use super::{ADDRESS, App, Ask, Choosing, Effect, ServeTab};
use crate::registry::store::{Done, Retrain, Scope, Split};
use crate::ui::action::Action;
use crate::ui::app::{Confirmed, Overlay, Pick, Screen};
use crate::ui::keymap::key_in;
use crate::ui::served::Policy;
use crate::workspace::{Errand, KEY_LIMITS, KeyLimits, Order, Outside, Upkeep, Work};

/// How a setting gets its default back.
const DEFAULT: &str = "(default)";

/// The ways in which a server is started.
const WITH_KEYS: &str = "on this machine, with keys";
const WITHOUT_KEYS: &str = "on this machine, without keys";
const OTHERWISE: &str = "other words …";

/// A setting of a name: its key, what it is, and what it can be; where that is nothing, it is
/// typed.
type Setting = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// How a name can be served.
const SETTINGS: &[Setting] = &[
    (
        "missing",
        "what becomes of missing values",
        &[
            ("as_trained", "taken where training had some, else the row is refused"),
            ("fill", "filled as the recipe fills, in any column"),
            ("refuse", "the row is refused"),
        ],
    ),
    (
        "adverse",
        "which outcome goes against the person",
        &[("positive", "the positive class"), ("negative", "the other one")],
    ),
    (
        "background",
        "with whom a person is compared for reasons",
        &[
            ("all", "with everyone in training, method (B)"),
            ("near_threshold", "with those who passed near the threshold, method (A)"),
        ],
    ),
    ("window", "rows over which drift is measured", &[]),
    ("log", "what the prediction log keeps of a column", &[]),
];

/// A line that is asked for on the way to an order.
#[derive(Clone, Debug, PartialEq)]
pub enum Asking {
    /// The share of the requests that the challenger of this name answers.
    Share(String),
    /// A setting of this name that is typed.
    Setting(String, &'static str),
    /// The limits of a new key of this name for these uses.
    Limits(String, String),
    /// For how many hours the old secret of this key stays good.
    Grace(String, String),
    /// How a server is started.
    StartWords,
    /// The table on which a model is trained again, and whether at once.
    Data(Box<Retrain>, bool),
    /// Of whom everything is to be erased.
    Subject,
}

impl App {
    /// Goes on with what was typed.
    pub(in crate::ui::app) fn answered(&mut self, asking: &Asking, typed: &str) -> Vec<Effect> {
        match asking {
            Asking::Share(name) => self.share(name, typed),
            Asking::Setting(name, key) => self.typed_setting(name, key, typed),
            Asking::Limits(name, scopes) => match typed.parse::<KeyLimits>() {
                Ok(limits) => {
                    let (name, scopes) = (name.clone(), scopes.clone());
                    self.ask_why(Order::CreateKey { name, scopes, limits })
                }
                Err(error) => self.refuse(&error.to_string()),
            },
            Asking::Grace(id, name) => match typed.parse().ok().filter(|h: &f64| *h >= 0.0) {
                Some(grace) => {
                    let (id, name) = (id.clone(), name.clone());
                    self.carry_out_order(Order::Upkeep(Upkeep::RotateKey { id, name, grace }), "")
                }
                None => self.refuse(&format!("`{typed}` is no number of hours")),
            },
            Asking::StartWords => match Errand::split(typed) {
                Ok(words) => self.start_server(words),
                Err(error) => self.refuse(&error.to_string()),
            },
            Asking::Data(job, at_once) => self.train_again_on(job, *at_once, typed),
            Asking::Subject => self.confirm_erasure(typed),
        }
    }

    /// Asks which share of the requests the challenger is to answer.
    pub(super) fn ask_share(&mut self) -> Vec<Effect> {
        let Some(own) = self.serve.chosen_version() else {
            return self.refuse("choose a model among the models");
        };
        let name = own.model.name.clone();
        if !own.model.aliases.contains_key("challenger") {
            let text = format!("`{name}` has no challenger");
            return self.refuse_with(&text, "{} makes a version its challenger", Action::Promote);
        }
        let now = own.model.split();
        let sticky = if now.sticky || now == Split::default() { "" } else { " not sticky" };
        let title = format!("Which share of the requests does the challenger of `{name}` answer?");
        let hint = "0.2 or 20 %; one key always goes to one side, unless `not sticky` follows";
        let text = format!("{}{sticky}", now.challenger);
        self.ask(title, hint, &text, Ask::Operate(Asking::Share(name)));
        vec![]
    }

    /// Takes the share of the challenger of the chosen model as it was written in the palette.
    pub(in crate::ui::app) fn share_in_words(&mut self, typed: &str) -> Vec<Effect> {
        let mut effects = self.open_serve();
        if self.screen != Screen::Serve {
            return effects;
        }
        self.serve.tab = ServeTab::Models;
        if self.serve.known.is_none() {
            let key = key_in(&self.scopes(), Action::ChallengerShare);
            self.say(format!("choose what it is about, then press {key}"));
            return effects;
        }
        let Some(name) = self.serve.version().map(|own| own.model.name.clone()) else {
            effects.extend(self.refuse_unregistered());
            return effects;
        };
        effects.extend(self.share(&name, typed));
        effects
    }

    fn share(&mut self, name: &str, typed: &str) -> Vec<Effect> {
        let (share, sticky) = match typed.strip_suffix("not sticky") {
            Some(share) => (share.trim(), false),
            None => (typed, true),
        };
        let percent = share.strip_suffix('%').map(|n| n.trim().parse::<f64>().map(|n| n / 100.0));
        let number = percent.unwrap_or_else(|| share.parse::<f64>());
        let Some(challenger) = number.ok().filter(|n| (0.0..=1.0).contains(n)) else {
            let text = format!("`{typed}` is no share\nhint: for example `0.2`, `20 %` or `20%`");
            return self.refuse(&text);
        };
        let split = Split { challenger, sticky };
        self.ask_why(Order::Do(Done::Split { name: name.to_owned(), split }))
    }

    /// Asks which setting of the chosen name is to be another one.
    pub(super) fn ask_settings(&mut self) -> Vec<Effect> {
        let Some(own) = self.serve.chosen_version() else {
            return self.refuse("choose a model among the models");
        };
        let name = own.model.name.clone();
        self.settings_of(name, SETTINGS[0].0)
    }

    /// Goes back to the list of settings from a box that it has led to; other boxes have none
    /// before them.
    pub(in crate::ui::app) fn box_before(&mut self, closed: Overlay) -> Vec<Effect> {
        match closed {
            Overlay::Picker { then: Pick::Serve(Choosing::SettingTo(name, key)), .. }
            | Overlay::Prompt { then: Ask::Operate(Asking::Setting(name, key)), .. } => {
                self.settings_of(name, key)
            }
            _ => vec![],
        }
    }

    /// The list of settings of a name, on this one.
    fn settings_of(&mut self, name: String, at: &str) -> Vec<Effect> {
        let known = self.serve.known.as_ref();
        let model = known.and_then(|known| known.models.iter().find(|own| own.name == name));
        let now = model.map_or(Value::Null, |own| own.settings.clone());
        let item = |(key, about, _): &Setting| {
            let now = now.get(key).map_or("default".into(), super::value);
            ((*key).to_owned(), format!("{about} · {now}"))
        };
        let items = SETTINGS.iter().map(item).collect();
        let title = format!("How is `{name}` served? Change …");
        self.pick(title, items, at, Pick::Serve(Choosing::Setting(name)));
        vec![]
    }

    pub(super) fn chose_setting(&mut self, name: String, chosen: &str) -> Vec<Effect> {
        let Some(&(key, about, values)) = SETTINGS.iter().find(|(key, ..)| *key == chosen) else {
            return vec![];
        };
        if !values.is_empty() {
            let own = |(value, about): &(&str, &str)| ((*value).to_owned(), (*about).to_owned());
            let mut items: Vec<(String, String)> = values.iter().map(own).collect();
            items.push((DEFAULT.to_owned(), "as if nothing had been said".to_owned()));
            let title = format!("`{name}`: {about}");
            self.pick(title, items, DEFAULT, Pick::Serve(Choosing::SettingTo(name, key)));
            return vec![];
        }
        let hint = match key {
            "log" => {
                "COLUMN=keep, COLUMN=hash or COLUMN=drop; nothing gives every column its default"
            }
            _ => "a number of rows; nothing gives the default back",
        };
        let title = format!("`{name}`: {about}");
        self.ask(title, hint, "", Ask::Operate(Asking::Setting(name, key)));
        vec![]
    }

    fn typed_setting(&mut self, name: &str, key: &'static str, typed: &str) -> Vec<Effect> {
        let value = match (key, typed) {
            (_, "") => Value::Null,
            ("log", _) => {
                let Some((column, policy)) = typed.split_once('=') else {
                    return self.refuse("a `=` is missing\nhint: for example `age=drop`");
                };
                let known = self.serve.known.as_ref();
                let known = known.and_then(|known| known.models.iter().find(|m| m.name == name));
                let mut kept = known.and_then(|model| model.settings.get("log").cloned());
                kept = kept.filter(Value::is_object);
                let kept = kept.get_or_insert_with(|| json!({}));
                kept[column.trim()] = json!(policy.trim());
                kept.clone()
            }
            _ => serde_json::from_str(typed).unwrap_or_else(|_| json!(typed)),
        };
        self.set(name.to_owned(), key, value)
    }

    /// Asks why a setting is to be this, once it is known that it can be.
    pub(super) fn set(&mut self, name: String, key: &'static str, value: Value) -> Vec<Effect> {
        let value = if value == json!(DEFAULT) { Value::Null } else { value };
        let mut set = json!({});
        set[key] = value.clone();
        if !value.is_null()
            && let Err(error) = serde_json::from_value::<Policy>(set.clone())
        {
            return self.refuse(&format!("`{key}` cannot be that: {error}"));
        }
        self.ask_why(Order::Upkeep(Upkeep::Settings { name, set }))
    }

    /// Asks for how long the old secret of the chosen key stays good.
    pub(super) fn ask_rotate(&mut self) -> Vec<Effect> {
        let own = self.serve.keys().get(self.serve.row()).copied().cloned();
        let Some(own) = own.filter(|_| self.serve.tab == ServeTab::Keys) else {
            return self.refuse("choose a key among the keys");
        };
        if own.revoked_ms.is_some() {
            return self.refuse("this key is revoked: nothing makes it good again");
        }
        let title = format!("Another secret for key {} `{}`", own.id, own.name);
        let hint = "hours for which the old secret stays good · Enter makes the new one";
        self.ask(title, hint, "24", Ask::Operate(Asking::Grace(own.id, own.name)));
        vec![]
    }

    /// Asks how far a new key may be used.
    pub(super) fn ask_limits(&mut self, name: String, scopes: String) -> Vec<Effect> {
        if let Some(Err(error)) =
            scopes.split(',').map(|w| Scope::parse(w.trim())).find(Result::is_err)
        {
            return self.refuse(&error.to_string());
        }
        let known: Vec<String> = KEY_LIMITS.iter().map(|(name, _)| format!("{name}=")).collect();
        let hint = format!("nothing for none, else some of: {}", known.join(" "));
        let title = format!("How far may `{name}` be used?");
        self.ask(title, &hint, "", Ask::Operate(Asking::Limits(name, scopes)));
        vec![]
    }

    /// Asks why changes are to wait for a second person, or no longer.
    pub(super) fn ask_second_person(&mut self) -> Vec<Effect> {
        let Some(known) = self.serve.known.clone() else {
            return self.refuse("the registry is still being read");
        };
        if known.needs_approval {
            return self.ask_why(Order::Upkeep(Upkeep::AskNobody));
        }
        self.overlays.push(Overlay::Confirm {
            title: "Let changes of what is in service wait for a second person?".into(),
            text: "Aliases, the challenger's share, and versions retired or taken back then wait \
                   until another login approves them; keys, settings and alerts do not. To switch \
                   this off again is such a change too: it needs a second person."
                .into(),
            then: Confirmed::Ask(Box::new(Order::Upkeep(Upkeep::AskSecondPerson))),
        });
        vec![]
    }

    /// Asks in which way a server is to be started.
    pub(super) fn ask_start(&mut self) -> Vec<Effect> {
        let item = |name: &str, about: String| (name.to_owned(), about);
        let items = vec![
            item(WITH_KEYS, format!("on {ADDRESS}, for programs that have a key")),
            item(WITHOUT_KEYS, format!("on {ADDRESS}, for every program of this machine")),
            item(OTHERWISE, "address, TLS, log and limits, as on the command line".to_owned()),
        ];
        self.pick("Start the server", items, WITH_KEYS, Pick::Serve(Choosing::Start));
        vec![]
    }

    pub(super) fn chose_start(&mut self, chosen: &str) -> Vec<Effect> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match chosen {
            WITH_KEYS => self.start_server(words(&["--addr", ADDRESS])),
            WITHOUT_KEYS => self.start_server(words(&["--addr", ADDRESS, "--no-keys"])),
            _ => {
                let hint =
                    "such as --addr 0.0.0.0:8443 --tls-cert FILE --tls-key FILE --log-days 30";
                let text = format!("--addr {ADDRESS}");
                let then = Ask::Operate(Asking::StartWords);
                self.ask("Start the server with which words?", hint, &text, then);
                vec![]
            }
        }
    }

    fn start_server(&mut self, own: Vec<String>) -> Vec<Effect> {
        let Some(dir) = self.folder() else { return vec![] };
        let mut words = vec!["serve".to_owned(), "start".to_owned()];
        words.extend(own);
        words.extend(["--workspace".to_owned(), dir.to_string_lossy().into_owned()]);
        let errand = Errand { label: "start the server", words, key: None };
        self.say(errand.line());
        self.start_all(vec![Work::Outside(Outside::Errand(errand))])
    }

    /// Carries out an order for this reason, which may be none where no log keeps it.
    pub(in crate::ui::app) fn carry_out_order(&mut self, order: Order, why: &str) -> Vec<Effect> {
        let Some(dir) = self.folder() else { return vec![] };
        let work = Outside::Operate(dir, Box::new(order), why.to_owned());
        self.start_all(vec![Work::Outside(work)])
    }

    /// Asks before predictions are erased.
    fn confirm_erasure(&mut self, subject: &str) -> Vec<Effect> {
        if subject.is_empty() {
            return self.refuse("a subject is needed, as requests have called them");
        }
        self.overlays.push(Overlay::Confirm {
            title: format!("Erase everything that is kept of `{subject}`?"),
            text: "Predictions and labels of this subject leave the log for good.".into(),
            then: Confirmed::Order(Box::new(Order::Upkeep(Upkeep::Erase(subject.into())))),
        });
        vec![]
    }
}
