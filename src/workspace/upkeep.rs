//! What keeps a service in order beside versions and aliases: how a name is served, other secrets
//! for keys, a second person, models trained again, and predictions erased.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::{Carried, Error, Product, Rule, assess::assess, erase_subject, retrain, schedule};
use crate::jobs::Ctx;
use crate::registry::Registry;
use crate::registry::store::log::PredictionLog;
use crate::registry::store::{Actor, Retrain, Store};
use crate::train::RunId;

/// Milliseconds of an hour.
const HOUR_MS: f64 = 3_600_000.0;

/// Something that keeps a service in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Upkeep {
    /// Set how a name is served.
    Settings {
        /// The name.
        name: String,
        /// What is set; null gives a setting its default back.
        set: Value,
    },
    /// Give a key another secret.
    RotateKey {
        /// Its public part.
        id: String,
        /// What it is called.
        name: String,
        /// The old secret stays good for so many hours.
        grace: f64,
    },
    /// Let changes of what is in service wait for a second person from now on.
    AskSecondPerson,
    /// Ask no second person any more, which is itself such a change.
    AskNobody,
    /// Train a model again from time to time, or on alerts.
    Schedule(Retrain),
    /// Not any more.
    TrainNoMore(String),
    /// Erase what the prediction log keeps of a subject.
    Erase(String),
}

impl Upkeep {
    /// What is about to be done, in a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::Settings { name, set } => {
                let said = set.as_object().into_iter().flatten().map(|(key, value)| match value {
                    Value::Null => format!("{key} its default back"),
                    Value::String(word) => format!("{key} {word}"),
                    other => format!("{key} {other}"),
                });
                format!("serve `{name}` with {}", said.collect::<Vec<_>>().join(", "))
            }
            Self::RotateKey { id, name, grace } => {
                format!("give key {id} `{name}` another secret; the old one is good for {grace} h")
            }
            Self::AskSecondPerson => {
                "let changes of what is in service wait for a second person".into()
            }
            Self::AskNobody => "ask no second person any more".into(),
            Self::Schedule(job) => format!("train `{}` again {}", job.model, retraining_words(job)),
            Self::TrainNoMore(name) => format!("train `{name}` again by itself no more"),
            Self::Erase(_) => "erase every prediction that is kept of this subject".into(),
        }
    }

    pub(super) fn carry_out(
        &self,
        store: &Store,
        dir: &Path,
        actor: &Actor,
        why: &str,
    ) -> Result<Carried, Error> {
        Ok(match self {
            Self::Settings { name, set } => {
                store.set_settings(name, set, actor, why)?;
                Carried::Out(format!("done: {}", self.sentence()))
            }
            Self::RotateKey { id, grace, .. } => {
                Carried::key(store.rotate_key(id, (grace.max(0.0) * HOUR_MS) as i64, actor, why)?)
            }
            Self::AskSecondPerson | Self::AskNobody => {
                let on = *self == Self::AskSecondPerson;
                match store.set_approval(on, actor, why)?.waits() {
                    Some(id) => Carried::Waits(format!("that too waits for one, as change {id}")),
                    None => Carried::Out(format!("done: {}", self.sentence())),
                }
            }
            Self::Schedule(job) => {
                schedule(store, job, actor, why)?;
                Carried::Out(format!(
                    "a running server trains `{}` again {}",
                    job.model,
                    retraining_words(job)
                ))
            }
            Self::TrainNoMore(name) => {
                store.remove_retraining(name, actor, why)?;
                Carried::Out(format!("`{name}` is not trained again by itself any more"))
            }
            Self::Erase(subject) => {
                if !PredictionLog::exists(dir) {
                    return Err(Error::told("this workspace has no prediction log"));
                }
                let n = erase_subject(dir, store, subject, actor, why)?.predictions;
                let plural = if n == 1 { "" } else { "s" };
                Carried::Out(format!("{n} prediction{plural} of this subject erased"))
            }
        })
    }
}

/// When and how a model is trained again, in words.
pub fn retraining_words(job: &Retrain) -> String {
    let mut when: Vec<&str> = vec![];
    if !job.schedule.is_empty() {
        when.push(&job.schedule);
    }
    if job.on_alert {
        when.push("on alerts");
    }
    let then = match Rule::parse(&job.rule) {
        Rule::Ask => "a person decides about the candidate",
        Rule::PromoteIfBetter => "a better candidate takes the champion's place",
    };
    let data = job.data.as_ref().map_or(String::new(), |data| format!(" on `{data}`"));
    format!("{}{data}; {then}", when.join(" and "))
}

/// The champion of a name that is to be trained again now.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainAgain {
    /// The folder of the workspace.
    pub dir: PathBuf,
    /// The name.
    pub name: String,
    /// The table with new data, in place of the one that the run was trained on.
    pub data: Option<String>,
    /// Who decides about the candidate.
    pub rule: Rule,
}

impl TrainAgain {
    pub(super) fn carry_out(self, ctx: &Ctx, out: &mut dyn FnMut(Product)) -> Result<(), Error> {
        let registry = Registry::open(&self.dir)?;
        let store = Store::open(&self.dir)?;
        let (data, actor) = (self.data.as_deref(), Actor::login());
        let told = retrain(&registry, &store, &self.name, data, self.rule, &actor, ctx)?;
        // The session learns of the run as of one that it has trained itself.
        let id = RunId(told.run_id.clone());
        if let Some(summary) = registry.list()?.into_iter().find(|run| run.id == id) {
            let run = registry.load(&id)?;
            let sides = assess(&run);
            out(Product::Run(Arc::new(run), Box::new(summary), sides));
        }
        let said = format!("version {} of `{}`: {}", told.candidate, told.name, told.sentence);
        out(Product::Carried(match (told.promoted, told.pending) {
            (true, _) => Carried::Out(format!("{said} · it is the champion")),
            (false, Some(id)) => {
                Carried::Waits(format!("{said} · change {id} waits for a second person"))
            }
            (false, None) => Carried::Out(said),
        }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_set_is_told_in_a_sentence() {
        let set = json!({ "missing": "fill", "window": null, "log": { "age": "drop" } });
        let said = Upkeep::Settings { name: "pd".into(), set }.sentence();
        assert_eq!(
            said,
            "serve `pd` with missing fill, window its default back, log {\"age\":\"drop\"}"
        );
        let job = Retrain {
            model: "pd".into(),
            schedule: "every 7d".into(),
            on_alert: true,
            rule: "promote if better".into(),
            ..Retrain::default()
        };
        assert_eq!(
            Upkeep::Schedule(job).sentence(),
            "train `pd` again every 7d and on alerts; a better candidate takes the champion's place"
        );
    }

    #[test]
    fn a_second_person_is_asked_for_and_has_to_agree_that_none_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let actor = Actor::login();
        let carry_out = |upkeep: Upkeep| {
            upkeep.carry_out(&store, folder.path(), &actor, "policy").map_err(|e| e.to_string())
        };
        assert!(matches!(carry_out(Upkeep::AskSecondPerson), Ok(Carried::Out(_))));
        assert!(store.needs_approval().unwrap());
        assert!(matches!(carry_out(Upkeep::AskNobody), Ok(Carried::Waits(_))));
        assert!(carry_out(Upkeep::Erase("4711".into())).unwrap_err().contains("no prediction log"));
        assert!(carry_out(Upkeep::TrainNoMore("pd".into())).unwrap_err().contains("pd"));
    }
}
