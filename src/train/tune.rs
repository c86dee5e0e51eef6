//! A search over several parameters: every combination or a random few, most of them given up
//! early, within a budget of time.

use std::time::{Duration, Instant};

use super::resolve::resolve;
use super::{Error, Experiment, Run, run, usual_metric};
use crate::data::Table;
use crate::jobs::Ctx;
use crate::metrics::{Better, metric};
use crate::models::{self, ParamKind};
use crate::rng::{Seed, stream};

/// What is tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// Parameters with the values to try.
    pub tries: Vec<(String, Vec<String>)>,
    /// So many combinations, drawn at random; all of them when not given.
    pub random: Option<usize>,
    /// Whether combinations that fall behind are given up early.
    pub halving: Halving,
    /// No run is begun once this has passed.
    pub budget: Duration,
}

/// Whether all combinations are trained to their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halving {
    /// All are.
    Off,
    /// Successive halving (Jamieson and Talwalkar, 2016): all are trained for a few epochs, the
    /// better third for three times as many, and so on up to the epochs that were asked for.
    On,
}

impl std::str::FromStr for Search {
    type Err = String;

    /// Reads `learning_rate=1e-3,1e-2; batch_size=16,32; random 8; halving; minutes 10`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut search = Self {
            tries: Vec::new(),
            random: None,
            halving: Halving::Off,
            budget: Duration::from_hours(1),
        };
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let number = |word: &str| part.strip_prefix(word).map(str::trim);
            if let Some((name, values)) = part.split_once('=') {
                let values: Vec<String> =
                    values.split(',').map(|value| value.trim().to_owned()).collect();
                search.tries.push((name.trim().to_owned(), values));
            } else if part == "halving" {
                search.halving = Halving::On;
            } else if let Some(n) = number("random ") {
                let n: usize =
                    n.parse().ok().filter(|n| *n > 0).ok_or_else(|| {
                        format!("`{part}` is not `random` with a number from 1 up")
                    })?;
                search.random = Some(n);
            } else if let Some(m) = number("minutes ") {
                let minutes: f64 =
                    m.parse().ok().filter(|m| (0.0..=1e6).contains(m)).ok_or_else(|| {
                        format!("`{part}` is not `minutes` with a number from 0 up")
                    })?;
                search.budget = Duration::from_secs_f64(60.0 * minutes);
            } else {
                return Err(format!("`{part}` is no part of a search"));
            }
        }
        if search.tries.is_empty() {
            return Err("nothing is tried".into());
        }
        Ok(search)
    }
}

impl std::fmt::Display for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (idx, (name, values)) in self.tries.iter().enumerate() {
            let before = if idx == 0 { "" } else { "; " };
            write!(f, "{before}{name}={}", values.join(","))?;
        }
        if let Some(n) = self.random {
            write!(f, "; random {n}")?;
        }
        if self.halving == Halving::On {
            f.write_str("; halving")?;
        }
        let minutes = self.budget.as_secs_f64() / 60.0;
        if minutes == 60.0 { Ok(()) } else { write!(f, "; minutes {minutes}") }
    }
}

/// Of each rung this part goes on, with this multiple of epochs.
const ETA: usize = 3;

/// Share of the training rows that choose, when neither folds nor validation rows were asked for.
const VALID: f64 = 0.2;

/// Carries out the experiment for the combinations of a search; each run that was trained to its
/// end is handed out as soon as it is there.
///
/// Combinations are compared on the validation rows or over the folds, never on the test rows.
/// Returns how many were not tried at all because the time was up.
///
/// # Errors
///
/// Before anything is fitted when a parameter or a value is not known to the model; afterwards when
/// cancelled, or when no combination could be fitted.
pub fn tune(
    table: &Table,
    experiment: &Experiment,
    search: &Search,
    ctx: &Ctx,
    out: &mut dyn FnMut(Run),
) -> Result<usize, Error> {
    let begin = Instant::now();
    let mut base = experiment.clone();
    if base.cv == 0 && base.split.valid == 0.0 {
        base.split.valid = VALID;
        ctx.note("a fifth of the training rows choose");
    }
    let (base, _) = resolve(table, &base)?;
    let mut alive = combinations(&base, search);
    for (_, candidate) in &alive {
        models::check(&candidate.model.kind, &candidate.model.set)?;
    }
    let rungs = rungs(&base, search.halving, alive.len());
    let n_runs: usize =
        (0..rungs.len()).map(|rung| alive.len().div_ceil(ETA.pow(rung as u32))).sum();
    let (mut done, mut first_error, mut n_out, mut n_untried) = (0, None, 0, 0);
    for (rung, epochs) in rungs.iter().enumerate() {
        let is_last = rung + 1 == rungs.len();
        let mut scored = Vec::new();
        for (words, candidate) in alive {
            if done > 0 && begin.elapsed() > search.budget {
                n_untried += usize::from(rung == 0);
                continue;
            }
            let mut asked = candidate.clone();
            if let Some(epochs) = epochs {
                asked.model.set.insert("epochs".into(), epochs.to_string());
            }
            let short = epochs.filter(|_| !is_last);
            let of = short.map_or(String::new(), |epochs| format!(", {epochs} epochs"));
            ctx.note(format!("{} of {n_runs}: {words}{of}", done + 1));
            let trained = run(table, &asked, &ctx.part(done.min(n_runs - 1), n_runs));
            done += 1;
            match trained {
                Ok(run) => {
                    scored.push((standing(&run), words, candidate));
                    if is_last {
                        n_out += 1;
                        out(run);
                    }
                }
                Err(error) => {
                    ctx.check()?;
                    ctx.note(format!("{words} was passed over: {error}"));
                    first_error.get_or_insert(error);
                }
            }
        }
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let go_on = scored.len().div_ceil(ETA).max(1);
        alive = scored.into_iter().take(go_on).map(|(_, words, own)| (words, own)).collect();
    }
    match first_error {
        Some(error) if n_out == 0 => Err(error),
        None if n_out == 0 => {
            let what = "the time was up before any combination was trained to its end";
            Err(Error::question(what, "give it more minutes, or fewer epochs"))
        }
        _ => Ok(n_untried),
    }
}

/// Epochs of each rung; a single rung without epochs for a model that has none.
fn rungs(experiment: &Experiment, halving: Halving, n: usize) -> Vec<Option<usize>> {
    let Ok(kind) = models::kind(&experiment.model.kind) else { return vec![None] };
    let has_epochs = kind.param("epochs").is_some_and(|p| matches!(p.kind, ParamKind::Int { .. }));
    if halving == Halving::Off || !has_epochs || n < ETA {
        return vec![None];
    }
    let given = experiment.model.set.get("epochs").map(String::as_str);
    let all = given.or(kind.param("epochs").map(|p| p.default)).and_then(|e| e.parse().ok());
    let all: usize = all.unwrap_or(100);
    let mut rungs = vec![Some(all)];
    let (mut left, mut epochs) = (n, all);
    while left >= ETA && epochs >= 2 * ETA {
        left = left.div_ceil(ETA);
        epochs = epochs.div_ceil(ETA);
        rungs.insert(0, Some(epochs));
    }
    rungs
}

/// Every combination with its words, or a random few, each at most once.
fn combinations(experiment: &Experiment, search: &Search) -> Vec<(String, Experiment)> {
    let sizes: Vec<usize> = search.tries.iter().map(|(_, values)| values.len()).collect();
    let n: usize = sizes.iter().product();
    let mut rng = stream(Seed(experiment.split.seed), "search");
    let mut chosen: Vec<usize> = match search.random {
        Some(few) if few < n => {
            let mut drawn = std::collections::BTreeSet::new();
            while drawn.len() < few {
                drawn.insert(rng.below(n));
            }
            drawn.into_iter().collect()
        }
        _ => (0..n).collect(),
    };
    if search.random.is_some() {
        // Which ones are left when the time is up is chance as well.
        rng.shuffle(&mut chosen);
    }
    let combination = |mut place: usize| {
        let mut own = experiment.clone();
        let mut words = Vec::new();
        for ((name, values), size) in search.tries.iter().zip(&sizes) {
            let value = &values[place % size];
            place /= size;
            own.model.set.insert(name.clone(), value.clone());
            words.push(format!("{name} = {value}"));
        }
        (words.join(", "), own)
    };
    chosen.into_iter().map(combination).collect()
}

/// How good a run is where it may be judged; higher is better.
fn standing(run: &Run) -> f64 {
    let name = usual_metric(run.task);
    let metrics = run.cv.as_ref().or(run.valid.as_ref());
    let value = metrics.and_then(|all| all.get(name)).and_then(|e| e.value);
    let sign = match metric(name).map(|metric| metric.better) {
        Some(Better::Lower) => -1.0,
        _ => 1.0,
    };
    value.map_or(f64::NEG_INFINITY, |value| sign * value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(random: Option<usize>, halving: Halving) -> Search {
        let values = |all: &[&str]| all.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
        Search {
            tries: vec![
                ("learning_rate".into(), values(&["0.1", "0.01", "0.001"])),
                ("batch_size".into(), values(&["16", "32", "64"])),
            ],
            random,
            halving,
            budget: Duration::from_mins(1),
        }
    }

    fn network() -> Experiment {
        let mut experiment = Experiment::on("sample:german_credit");
        experiment.model.kind = "mlp".into();
        experiment
    }

    #[test]
    fn every_combination_is_tried_once_or_a_random_few() {
        let all = combinations(&network(), &search(None, Halving::Off));
        assert_eq!(all.len(), 9);
        assert_eq!(all[0].0, "learning_rate = 0.1, batch_size = 16");
        let mut words: Vec<_> = all.iter().map(|(words, _)| words.clone()).collect();
        words.dedup();
        assert_eq!(words.len(), 9);
        let few = combinations(&network(), &search(Some(4), Halving::Off));
        assert_eq!(few.len(), 4);
        assert!(few.iter().all(|(word, _)| words.contains(word)));
        assert_eq!(combinations(&network(), &search(Some(99), Halving::Off)).len(), 9);
    }

    #[test]
    fn a_search_in_words_is_read_back() {
        for text in
            ["learning_rate=0.001,0.01; batch_size=16,32; random 8; halving; minutes 10", "alpha=1"]
        {
            assert_eq!(text.parse::<Search>().unwrap().to_string(), text);
        }
        for wrong in ["", "halving", "alpha=1; random 0", "alpha=1; minutes x", "alpha=1; quick"] {
            assert!(wrong.parse::<Search>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn rungs_grow_up_to_the_epochs_asked_for() {
        assert_eq!(rungs(&network(), Halving::Off, 9), [None]);
        assert_eq!(rungs(&network(), Halving::On, 9), [Some(12), Some(34), Some(100)]);
        assert_eq!(rungs(&network(), Halving::On, 2), [None]);
        let mut logistic = network();
        logistic.model.kind = "linear".into();
        logistic.model.set.insert("epochs".into(), "20".into());
        assert_eq!(rungs(&logistic, Halving::On, 3), [Some(7), Some(20)]);
    }

    #[test]
    fn a_search_hands_out_the_runs_that_went_to_their_end() {
        let table = crate::data::open(
            std::path::Path::new("sample:german_credit"),
            &crate::data::OpenOptions::default(),
            &Ctx::quiet(),
        );
        let mut experiment = network();
        experiment.question.features = vec!["duration_months".into(), "credit_amount".into()];
        experiment.model.set.insert("epochs".into(), "6".into());
        experiment.model.set.insert("network".into(), "dense 4 relu | dense out".into());
        let mut runs = Vec::new();
        let search = search(None, Halving::On);
        tune(&table.unwrap(), &experiment, &search, &Ctx::quiet(), &mut |run| runs.push(run))
            .unwrap();
        assert_eq!(runs.len(), 3, "the better third of nine");
        assert!(runs.iter().all(|run| run.valid.is_some() && run.iterations == 6));
    }
}
