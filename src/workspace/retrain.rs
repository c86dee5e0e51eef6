//! A registered model trained again with the experiment that made it, on new data where there is
//! some, and compared with the one in service by the tests of the Compare screen.

use std::collections::HashSet;
use std::path::PathBuf;

use super::{Error, register_run};
use crate::data::{self, OpenOptions};
use crate::jobs::Ctx;
use crate::models::contract;
use crate::registry::store::{Actor, Done, ModelName, Retrain, Store, now_ms};
use crate::registry::{Registry, parse_model};
use crate::train::{self, Experiment, Run, RunId, usual_metric};

/// What came of training a model again.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Retrained {
    /// The name.
    pub name: String,
    /// The version in service that the candidate was compared with.
    pub champion: u32,
    /// The run of the candidate.
    pub run_id: String,
    /// Its version.
    pub candidate: u32,
    /// `better`, `worse` or `no evidence`; nothing where there is no test.
    pub verdict: Option<String>,
    /// The comparison in a sentence.
    pub sentence: String,
    /// Whether the candidate is the champion from now on.
    pub promoted: bool,
    /// The number of the decision that waits for a second person, if one does.
    pub pending: Option<i64>,
}

/// Who decides whether a candidate takes the champion's place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rule {
    /// A person, later.
    #[default]
    Ask,
    /// The candidate does, if it is better beyond chance.
    PromoteIfBetter,
}

impl Rule {
    /// The words of the rule.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::PromoteIfBetter => "promote if better",
        }
    }

    /// The rule that words mean; a person decides where they mean none.
    pub fn parse(words: &str) -> Self {
        if words.trim().replace('-', " ") == "promote if better" {
            Self::PromoteIfBetter
        } else {
            Self::Ask
        }
    }
}

/// Trains the champion of a name again, registers the candidate, and compares both on the
/// candidate's test rows.
///
/// # Errors
///
/// When the run of the champion is not in the workspace, or its training fails.
pub fn retrain(
    registry: &Registry,
    store: &Store,
    name: &str,
    data: Option<&str>,
    rule: Rule,
    actor: &Actor,
    ctx: &Ctx,
) -> Result<Retrained, Error> {
    let champion = store.version(name, None)?;
    let before = registry.load(&RunId(champion.run.clone()))?;
    let mut experiment: Experiment = before.experiment.clone();
    if let Some(data) = data {
        experiment.data.path = PathBuf::from(data);
    }
    if experiment.question.features.is_empty() {
        // What the new file has besides is no feature: those who ask the model do not send it.
        let fields = contract(&before.model).into_iter();
        experiment.question.features = fields.map(|field| field.name).collect();
    }
    // The file is meant to be another one, or the same with more rows.
    experiment.data.sha256 = None;
    let options = OpenOptions {
        delimiter: experiment.data.delimiter.map(|c| c as u8),
        header: experiment.data.header,
        ..OpenOptions::default()
    };
    ctx.note("reading");
    let mut table = data::open(&experiment.data.path, &options, ctx)?;
    for step in &experiment.data.steps {
        table = data::apply(&table, step, ctx)?;
    }
    data::apply_overrides(&mut table, &experiment.data.columns)?;
    let run = train::run(&table, &experiment, ctx)?;
    let (candidate, _) = registry.keep(run)?;
    let old = parse_model(std::path::Path::new(name), &store.bytes_of(&champion.digest)?)?;
    let mut candidate = candidate;
    if old.model.threshold != before.model.threshold {
        // An operator has moved it, and means the new version as well.
        candidate.model.threshold = old.model.threshold;
        candidate.threshold = old.model.threshold;
    }
    let model = ModelName::new(name)?;
    let (version, _) = register_run(store, &model, &candidate, None, actor, "trained again")?;
    ctx.note("comparing");
    let (candidate, among) = unseen_by(candidate, &before, &experiment);
    let yardstick = on_the_same_rows(&candidate, old.model, &table, ctx)?;
    let by = usual_metric(candidate.task);
    let compared = train::compare(&[&yardstick, &candidate], 0, by, ctx);
    let (verdict, mut sentence) = match compared {
        Ok(compared) => {
            let own = compared.leaderboard.iter().find(|standing| !standing.is_yardstick);
            let verdict = own.and_then(|own| own.verdict).map(str::to_owned);
            (verdict, format!("{}{among}.", compared.sentence.trim_end_matches('.')))
        }
        Err(error) => (None, format!("not compared: {error}")),
    };
    let is_better = verdict.as_deref() == Some("better");
    let gone = gone_from(&before.model, &candidate.model);
    if let Some(gone) = &gone {
        sentence = format!("{sentence} It no longer looks at {gone}: a person has to promote it.");
    }
    // Whoever looks at the version later finds what it was worth.
    if let Err(error) = store.annotate(name, version.version, &sentence, actor) {
        ctx.note(format!("the version got no note: {error}"));
    }
    let mut pending = None;
    let mut promoted = false;
    let may_promote = rule == Rule::PromoteIfBetter && is_better && gone.is_none();
    if may_promote && still_holds(store, name, actor)? {
        let done = Done::Promote {
            name: name.to_owned(),
            version: version.version,
            alias: "champion".into(),
        };
        pending = store.decide(&done, actor, &sentence)?.waits();
        promoted = pending.is_none();
    }
    Ok(Retrained {
        name: name.to_owned(),
        champion: champion.version,
        run_id: candidate.id.0,
        candidate: version.version,
        verdict,
        sentence,
        promoted,
        pending,
    })
}

/// The columns that a model asks for and another does not, in words; nothing where there are none.
fn gone_from(before: &crate::models::Model, after: &crate::models::Model) -> Option<String> {
    let kept: HashSet<String> = contract(after).into_iter().map(|field| field.name).collect();
    let gone = contract(before).into_iter().map(|field| field.name);
    let gone: Vec<String> =
        gone.filter(|name| !kept.contains(name)).map(|name| format!("`{name}`")).collect();
    (!gone.is_empty()).then(|| gone.join(", "))
}

/// Whether a rule still holds after a training that may have taken hours: that of a schedule is the
/// one that stands in the store.
fn still_holds(store: &Store, name: &str, actor: &Actor) -> Result<bool, Error> {
    if *actor != Actor::schedule() {
        return Ok(true);
    }
    let jobs = store.retrainings()?;
    let own = jobs.iter().find(|job| job.model == name);
    Ok(own.is_some_and(|job| Rule::parse(&job.rule) == Rule::PromoteIfBetter))
}

/// Lets a champion be trained again as a schedule, an alert or both say, from now on, by whatever
/// server runs then. A file with new rows is kept by its whole path, since a server may run
/// elsewhere.
///
/// # Errors
///
/// When the name has no champion, or the schedule means nothing.
pub fn schedule(store: &Store, job: &Retrain, actor: &Actor, why: &str) -> Result<Retrain, Error> {
    store.version(&job.model, None)?;
    let period = period_ms(&job.schedule);
    if !job.schedule.is_empty() && period.is_none() {
        return Err(Error::Command {
            what: format!("`{}` is no schedule", job.schedule),
            hint: "for example `every 24h` or `every 7d`".into(),
        });
    }
    let data = job.data.as_deref().map(|data| {
        let whole = std::path::absolute(data).ok().filter(|path| path.is_file());
        whole.map_or_else(|| data.to_owned(), |path| path.to_string_lossy().into_owned())
    });
    let next_ms = period.map(|period| now_ms().saturating_add(period));
    let job = Retrain { data, next_ms, ..job.clone() };
    store.set_retraining(&job, actor, why)?;
    Ok(job)
}

/// Of fewer rows than this nothing is compared.
const FEWEST: usize = 30;

/// The candidate with those of its test rows that the champion was not trained on, and in words
/// what the comparison is worth. In another file than the champion's nobody can tell.
fn unseen_by(candidate: Run, champion: &Run, experiment: &Experiment) -> (Run, String) {
    if champion.experiment.data.path != experiment.data.path {
        let remark = "; whether the champion was trained on some of these rows is not known";
        return (candidate, remark.to_owned());
    }
    let Some(scores) = &candidate.test_scores else { return (candidate, String::new()) };
    let known: HashSet<u32> = champion.train_scores.rows.iter().copied().collect();
    let own = scores.only(|row| !known.contains(&row));
    let (n, n_all) = (own.rows.len(), scores.rows.len());
    if n == n_all {
        return (candidate, String::new());
    }
    if n < FEWEST {
        let remark = format!(
            "; beware: the champion was trained on {} of these {n_all} rows, so it looks better than \
             it is",
            n_all - n
        );
        return (candidate, remark);
    }
    let remark = format!("; on the {n} of {n_all} test rows that the champion was not trained on");
    (Run { test_scores: Some(own), test: None, ..candidate }, remark)
}

/// The champion as if it had answered the candidate's question: its scores on the same test rows.
fn on_the_same_rows(
    candidate: &Run,
    champion: crate::models::Model,
    table: &data::Table,
    ctx: &Ctx,
) -> Result<Run, Error> {
    let mut run = candidate.clone();
    run.id = RunId("champion".into());
    run.cv = None;
    // The metrics are the candidate's; the champion's come of its own scores.
    run.test = None;
    run.oof_scores = None;
    if let Some(scores) = run.test_scores.take() {
        let positions: Vec<u32> = table.positions_of(&scores.rows).into_iter().flatten().collect();
        let outputs = champion.outputs(table, Some(&positions), ctx)?;
        run.test_scores = Some(scores.told(&outputs));
    }
    run.threshold = champion.threshold;
    run.model = champion;
    Ok(run)
}

/// The milliseconds between two trainings that a schedule such as `every 24h` or `every 7d` means.
///
/// ```
/// assert_eq!(karat::workspace::period_ms("every 2h"), Some(7_200_000));
/// assert_eq!(karat::workspace::period_ms("sometimes"), None);
/// assert_eq!(karat::workspace::period_ms("every 0.001m"), None);
/// ```
pub fn period_ms(schedule: &str) -> Option<i64> {
    let rest = schedule.trim().strip_prefix("every")?.trim();
    let unit = rest.chars().last()?;
    let number: f64 = rest[..rest.len() - unit.len_utf8()].trim().parse().ok()?;
    let unit = match unit {
        'm' => 60_000.0,
        'h' => 3_600_000.0,
        'd' => 86_400_000.0,
        _ => return None,
    };
    let period = number * unit;
    (SHORTEST..=LONGEST).contains(&period).then_some(period as i64)
}

/// No schedule is shorter than a minute, or longer than ten years, in milliseconds.
const SHORTEST: f64 = 60_000.0;
const LONGEST: f64 = 3_653.0 * 86_400_000.0;
