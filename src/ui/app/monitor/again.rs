//! Models trained again, and predictions erased, from the Monitor screen.

use super::{App, Effect};
use crate::registry::store::Retrain;
use crate::ui::action::Action;
use crate::ui::app::{Ask, Asking, Choosing, Pick};
use crate::workspace::{Order, Outside, Rule, TrainAgain, Upkeep, Work, period_ms};

/// At once.
const NOW: &str = "now";
/// Not by itself any more.
const NEVER: &str = "never";
/// Whenever an alert is raised.
const ON_ALERTS: &str = "on alerts";

/// When a model can be trained again; other times are typed.
const WHEN: &[(&str, &str)] = &[
    (NOW, "trained, registered as the next version and compared at once"),
    ("every 24h", "while a server runs; any time can be typed, such as every 6h or 7d"),
    ("every 7d", "while a server runs"),
    (ON_ALERTS, "whenever an alert is raised about it, while a server runs"),
    ("every 7d and on alerts", "both"),
    (NEVER, "not by itself any more"),
];

impl App {
    /// Asks when the chosen model is to be trained again.
    pub(super) fn ask_again(&mut self) -> Vec<Effect> {
        let Some(name) = self.monitor.chosen().map(|own| own.name.clone()) else {
            return self.refuse_unwatched();
        };
        let known = self.serve.known.as_ref();
        let known = known.and_then(|known| known.retrainings.iter().find(|own| own.model == name));
        let now = known.map_or(NOW.to_owned(), |own| match (own.schedule.as_str(), own.on_alert) {
            ("", _) => ON_ALERTS.to_owned(),
            (schedule, false) => schedule.to_owned(),
            (schedule, true) => format!("{schedule} and {ON_ALERTS}"),
        });
        let is_set = known.is_some();
        let own = |(when, about): &(&str, &str)| ((*when).to_owned(), (*about).to_owned());
        let items = WHEN.iter().filter(|(when, _)| is_set || *when != NEVER).map(own).collect();
        let title = format!("When is the champion of `{name}` trained again?");
        self.pick(title, items, &now, Pick::Serve(Choosing::When(name)));
        vec![]
    }

    /// Goes on with when a model is trained again.
    pub(in crate::ui::app) fn chose_when(&mut self, model: String, when: &str) -> Vec<Effect> {
        if when == NEVER {
            return self.ask_why(Order::Upkeep(Upkeep::TrainNoMore(model)));
        }
        let (rest, on_alert) = match when.strip_suffix(ON_ALERTS) {
            Some(rest) => (rest.trim().trim_end_matches("and").trim(), true),
            None => (when, false),
        };
        let schedule = match rest.strip_prefix("every").unwrap_or(rest).trim() {
            "" | NOW => String::new(),
            period => format!("every {period}"),
        };
        if !schedule.is_empty() && period_ms(&schedule).is_none() {
            let text = format!("`{when}` is no time\nhint: for example `every 24h` or `every 7d`");
            return self.refuse(&text);
        }
        let job = Retrain { model, schedule, on_alert, ..Retrain::default() };
        let items = [
            (Rule::Ask, "it is registered, and a person promotes it or does not"),
            (Rule::PromoteIfBetter, "it takes the champion's place if it is better beyond chance"),
        ];
        let items = items.map(|(rule, about)| (rule.word().to_owned(), about.to_owned()));
        let then = Pick::Serve(Choosing::Rule(Box::new(job), when == NOW));
        self.pick("What becomes of the candidate?", items.to_vec(), Rule::Ask.word(), then);
        vec![]
    }

    /// Goes on with what becomes of the candidate.
    pub(in crate::ui::app) fn chose_rule(
        &mut self,
        job: Retrain,
        at_once: bool,
        rule: &str,
    ) -> Vec<Effect> {
        let job = Retrain { rule: rule.to_owned(), ..job };
        let title = format!("On which table is `{}` trained again?", job.model);
        let hint = "a file with new rows; nothing takes the table of the champion's run";
        self.ask(title, hint, "", Ask::Operate(Asking::Data(Box::new(job), at_once)));
        vec![]
    }

    /// Trains a model again on a table, or asks why it is to be so from time to time.
    pub(in crate::ui::app) fn train_again_on(
        &mut self,
        job: &Retrain,
        at_once: bool,
        table: &str,
    ) -> Vec<Effect> {
        let data = (!table.is_empty()).then(|| table.to_owned());
        if !at_once {
            return self.ask_why(Order::Upkeep(Upkeep::Schedule(Retrain { data, ..job.clone() })));
        }
        let Some(dir) = self.folder() else { return vec![] };
        let again = TrainAgain { dir, name: job.model.clone(), data, rule: Rule::parse(&job.rule) };
        self.say(format!("training `{}` again", job.model));
        self.start_all(vec![Work::Outside(Outside::Again(again))])
    }

    /// Asks of whom everything is to be erased.
    pub(super) fn ask_subject(&mut self) -> Vec<Effect> {
        let hint = "the `subject` of their requests; the log keeps a hash of it and cannot list it";
        let then = Ask::Operate(Asking::Subject);
        self.ask("Erase everything that is kept of whom?", hint, "", then);
        vec![]
    }

    pub(super) fn refuse_unwatched(&mut self) -> Vec<Effect> {
        let remedy = "{} opens the Serve screen, where a run is registered under a name";
        self.refuse_with("no model is registered", remedy, Action::Serve)
    }
}
