//! Runs compared: a leaderboard, the difference of each run to a yardstick with its interval and
//! p-value, and a sentence that says what follows.

use std::collections::HashMap;

use super::measure::{measure, metrics_for};
use super::verdict::sentence;
use super::{Error, Metrics, Run, RunId, Scores};
use crate::data::{Method, Task, nearest};
use crate::jobs::{Cancelled, Ctx};
use crate::metrics::{
    Better, Estimate, Metric, delong, discordant, holm, mcnemar, nadeau_bengio, paired_bootstrap,
};
use crate::rng::Seed;

/// From this p-value on, after Holm's correction, there is no evidence of a difference.
const SIGNIFICANCE: f64 = 0.05;

/// Runs side by side, all measured on the same rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The metric they are ranked by.
    pub metric: &'static str,
    /// Folds over which they are compared; 0 when they are compared on test rows.
    pub folds: usize,
    /// Rows that all of them were measured on.
    pub rows_shared: usize,
    /// The runs, best first.
    pub leaderboard: Vec<Standing>,
    /// What follows, in plain words.
    pub sentence: String,
}

impl Comparison {
    /// How many comparisons p-values are corrected for: the same settings trained again are one.
    pub fn n_tests(&self) -> usize {
        tests(&self.leaderboard).len()
    }
}

/// One run on the leaderboard.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Which run.
    pub id: RunId,
    /// The kind of model.
    pub model: String,
    /// The kind with the parameters that were set: `logistic alpha=0.1`.
    pub label: String,
    /// Whether the others are compared with this one.
    pub is_yardstick: bool,
    /// Metrics on the shared rows, or over the folds.
    pub metrics: Metrics,
    /// The ranking metric on the training rows, so that overfitting shows.
    pub train: Option<f64>,
    /// Time of the fit.
    pub fit_seconds: f64,
    /// This run less the yardstick, in the ranking metric.
    pub diff: Option<Estimate>,
    /// Two-sided p-value of no difference.
    pub p: Option<f64>,
    /// The same after Holm's correction for all comparisons made here.
    pub p_holm: Option<f64>,
    /// The test: `DeLong`, `McNemar, exact`, `paired bootstrap` or `corrected resampled t`.
    pub method: Option<&'static str>,
    /// `better`, `worse` or `no evidence`; nothing for the yardstick and where there is no test.
    pub verdict: Option<&'static str>,
}

/// Compares runs with the one at `yardstick` by a metric, best first.
///
/// Runs that were all cross-validated on the same folds are compared over the folds (Nadeau and
/// Bengio, 2003), others on the test rows that all of them share (`DeLong`, 1988, for the AUC,
/// `McNemar`, 1947, for the accuracy of several classes, the paired bootstrap else).
///
/// # Errors
///
/// When the runs do not answer the same question, or share no rows.
pub fn compare(runs: &[&Run], yardstick: usize, by: &str, ctx: &Ctx) -> Result<Comparison, Error> {
    let Some(first) = runs.get(yardstick) else {
        return Err(not_comparable("there is no run to compare with", "train a model first"));
    };
    let by = known_metric(by, first.task)?;
    runs.iter().try_for_each(|run| same_question(first, run))?;
    let folds = common_folds(runs);
    let (mut leaderboard, rows_shared) = if folds > 0 {
        let rows = first.oof_scores.as_ref().map_or(0, |scores| scores.rows.len());
        (over_folds(runs, yardstick, by), rows)
    } else {
        on_test_rows(runs, yardstick, by, ctx)?
    };
    judge(&mut leaderboard, by);
    rank(&mut leaderboard, by);
    let sentence = sentence(&leaderboard, by, folds, rows_shared);
    Ok(Comparison { metric: by.name, folds, rows_shared, leaderboard, sentence })
}

fn known_metric(name: &str, task: Task) -> Result<&'static Metric, Error> {
    let known = metrics_for(task);
    known.iter().find(|metric| metric.name == name).copied().ok_or_else(|| {
        let names = known.iter().map(|metric| metric.name);
        let hint = match nearest(name, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the metrics are {}", names.collect::<Vec<_>>().join(", ")),
        };
        Error::question(format!("no metric `{name}` for the task {task}"), hint)
    })
}

fn not_comparable(what: impl Into<String>, hint: &str) -> Error {
    Error::NotComparable { what: what.into(), hint: hint.into() }
}

fn same_question(one: &Run, other: &Run) -> Result<(), Error> {
    let hint = "compare runs on the same table with the same target";
    let (a, b) = (&one.model, &other.model);
    let names = format!("runs `{}` and `{}`", one.id, other.id);
    if a.target != b.target || a.task != b.task {
        let what = format!("{names} predict different things: `{}` and `{}`", a.target, b.target);
        return Err(not_comparable(what, hint));
    }
    if a.classes != b.classes {
        let what = if a.task == Task::Multiclass { "classes" } else { "positive class" };
        return Err(not_comparable(format!("{names} differ in their {what}"), hint));
    }
    if one.dataset.sha256 != other.dataset.sha256 {
        return Err(not_comparable(format!("{names} were trained on different tables"), hint));
    }
    Ok(())
}

/// How many folds the runs share; 0 unless every run has the same rows in the same folds.
fn common_folds(runs: &[&Run]) -> usize {
    let of = |run: &Run| {
        run.oof_scores.as_ref().map(|scores| (scores.rows.clone(), scores.fold.clone()))
    };
    let first = runs.first().and_then(|run| of(run));
    let same = first.is_some() && runs.iter().all(|run| of(run) == first);
    if same { runs[0].folds.len() } else { 0 }
}

fn standing(run: &Run, metrics: Metrics, by: &Metric, is_yardstick: bool) -> Standing {
    let model = &run.experiment.model;
    let mut label = model.kind.clone();
    for (key, value) in &model.set {
        label.extend([" ", key, "=", value]);
    }
    Standing {
        id: run.id.clone(),
        model: model.kind.clone(),
        label,
        is_yardstick,
        metrics,
        train: run.train.get(by.name).and_then(|estimate| estimate.value),
        fit_seconds: run.fit_seconds,
        diff: None,
        p: None,
        p_holm: None,
        method: None,
        verdict: None,
    }
}

fn over_folds(runs: &[&Run], yardstick: usize, by: &Metric) -> Vec<Standing> {
    let value = |run: &Run, fold: usize| run.folds[fold].get(by.name).copied().flatten();
    let theirs = runs[yardstick];
    let ratio = test_over_train(theirs);
    let compared = |(idx, run): (usize, &&Run)| {
        let metrics = run.cv.clone().unwrap_or_default();
        let mut standing = standing(run, metrics, by, idx == yardstick);
        let diffs = (0..run.folds.len())
            .map(|fold| Some(value(run, fold)? - value(theirs, fold)?))
            .collect::<Option<Vec<f64>>>();
        let test = diffs.and_then(|diffs| nadeau_bengio(&diffs, ratio));
        if let Some(test) = test.filter(|_| idx != yardstick && is_testable(by)) {
            standing.diff =
                Some(Estimate { value: Some(test.mean), low: test.low, high: test.high });
            standing.p = test.p;
            standing.method = Some("corrected resampled t");
        }
        standing
    };
    runs.iter().enumerate().map(compared).collect()
}

/// Rows of a test fold over those of its training part, on average over the folds of a run.
fn test_over_train(run: &Run) -> f64 {
    let Some(scores) = &run.oof_scores else { return 0.0 };
    let numbers = scores.fold.as_deref().unwrap_or_default();
    let mut sizes = vec![0_usize; run.folds.len()];
    for fold in numbers {
        sizes[usize::from(*fold)] += 1;
    }
    let all = run.split_rows[0];
    // Folds in time are trained on what came before them, others on everything else.
    let mut before = all.saturating_sub(numbers.len());
    let mut sum = 0.0;
    for size in &sizes {
        let is_time = run.experiment.split.method == Method::Time;
        let train = if is_time { before } else { all.saturating_sub(*size) };
        sum += *size as f64 / train.max(1) as f64;
        before += size;
    }
    sum / sizes.len().max(1) as f64
}

fn on_test_rows(
    runs: &[&Run],
    yardstick: usize,
    by: &Metric,
    ctx: &Ctx,
) -> Result<(Vec<Standing>, usize), Error> {
    let of = |run: &Run| run.test_scores.clone().unwrap_or_default();
    let shared = shared_rows(runs);
    if shared.is_empty() {
        return Err(not_comparable(
            "these runs share no test rows",
            "train them with the same split and seed, and keep some rows back to test",
        ));
    }
    let on_shared: Vec<Scores> = runs.iter().map(|run| only(&of(run), &shared)).collect();
    if on_shared.iter().any(|scores| scores.truth != on_shared[yardstick].truth) {
        let hint = "compare runs on the same table with the same target";
        return Err(not_comparable("the target differs between these runs", hint));
    }
    let mut leaderboard = Vec::new();
    for (idx, run) in runs.iter().enumerate() {
        ctx.step(idx, runs.len(), vec![])?;
        let is_whole = run.test_scores.as_ref().is_some_and(|s| s.rows.len() == shared.len());
        let metrics = match &run.test {
            Some(metrics) if is_whole => metrics.clone(),
            _ => {
                measure(&run.model, &on_shared[idx], run.threshold, run.experiment.split.seed, ctx)?
            }
        };
        let mut standing = standing(run, metrics, by, idx == yardstick);
        if idx != yardstick {
            let theirs = (&on_shared[yardstick], runs[yardstick].threshold);
            let test = paired(by, (&on_shared[idx], run.threshold), theirs, ctx)?;
            if let Some((diff, p, method)) = test {
                standing.diff = Some(diff);
                standing.p = p;
                standing.method = Some(method);
            }
        }
        leaderboard.push(standing);
    }
    Ok((leaderboard, shared.len()))
}

/// The source rows that every run was tested on, in ascending order.
fn shared_rows(runs: &[&Run]) -> Vec<u32> {
    let mut count: HashMap<u32, usize> = HashMap::new();
    for run in runs {
        for row in run.test_scores.iter().flat_map(|scores| &scores.rows) {
            *count.entry(*row).or_default() += 1;
        }
    }
    let mut rows: Vec<u32> =
        count.into_iter().filter(|(_, n)| *n == runs.len()).map(|(row, _)| row).collect();
    rows.sort_unstable();
    rows
}

/// The scores of these source rows, in their order.
fn only(scores: &Scores, rows: &[u32]) -> Scores {
    let place: HashMap<u32, usize> =
        scores.rows.iter().enumerate().map(|(at, row)| (*row, at)).collect();
    let at: Vec<usize> = rows.iter().filter_map(|row| place.get(row).copied()).collect();
    let take = |values: &Vec<f64>| at.iter().map(|at| values[*at]).collect();
    Scores {
        rows: rows.to_vec(),
        truth: take(&scores.truth),
        score: take(&scores.score),
        probability: at.iter().flat_map(|at| scores.probabilities(*at)).copied().collect(),
        weight: scores.weight.as_ref().map(take),
        fold: None,
    }
}

type Tested = (Estimate, Option<f64>, &'static str);

/// Whether a difference in a metric can be tested. KS is the largest of many differences and never
/// negative, so that resamples and folds of pure noise all lie above that of a constant model.
fn is_testable(by: &Metric) -> bool {
    by.name != "ks"
}

/// The difference of two runs on the same rows, each with its threshold.
fn paired(
    by: &Metric,
    (ours, our_threshold): (&Scores, f64),
    (theirs, their_threshold): (&Scores, f64),
    ctx: &Ctx,
) -> Result<Option<Tested>, Cancelled> {
    if !is_testable(by) {
        return Ok(None);
    }
    let is_auc = matches!(by.name, "roc_auc" | "gini");
    if is_auc && ours.weight.is_none() {
        let test = delong(&ours.truth, &ours.score, &theirs.score);
        return Ok(test.map(|test| {
            let factor = if by.name == "gini" { 2.0 } else { 1.0 };
            let times = |value: f64| factor * value;
            let diff = Estimate {
                value: Some(times(test.diff)),
                low: test.low.map(times),
                high: test.high.map(times),
            };
            (diff, test.p, "DeLong")
        }));
    }
    if ours.weight != theirs.weight {
        return Ok(None);
    }
    let (a, b) = (ours.scored(our_threshold), theirs.scored(their_threshold));
    let test = paired_bootstrap(by, &a, &b, Seed::default(), ctx)?;
    let exact = (by.name == "accuracy" && a.by_class.is_some() && a.weight.is_none())
        .then(|| discordant(&a, &b));
    Ok(test.map(|test| {
        let diff = Estimate { value: Some(test.diff), low: test.low, high: test.high };
        match exact {
            // The bootstrap still gives the interval, which the exact test does not.
            Some((ours, theirs)) => {
                let p = mcnemar(ours, theirs).map_or(1.0, |test| test.exact_p);
                (diff, Some(p), "McNemar, exact")
            }
            None => (diff, test.p, "paired bootstrap"),
        }
    }))
}

/// Corrects the p-values and draws the verdicts.
fn judge(leaderboard: &mut [Standing], by: &Metric) {
    let tests: Vec<(String, f64)> =
        tests(leaderboard).into_iter().map(|(label, p)| (label.to_owned(), p)).collect();
    let corrected = holm(&tests.iter().map(|(_, p)| *p).collect::<Vec<_>>());
    for standing in leaderboard.iter_mut() {
        let at = tests.iter().position(|(l, p)| *l == standing.label && Some(*p) == standing.p);
        standing.p_holm = at.map(|at| corrected[at]);
    }
    for standing in leaderboard.iter_mut().filter(|standing| standing.method.is_some()) {
        let diff = standing.diff.and_then(|diff| diff.value).unwrap_or_default();
        let is_up = if by.better == Better::Higher { diff > 0.0 } else { diff < 0.0 };
        standing.verdict = match (standing.p_holm, is_up) {
            (Some(p), true) if p < SIGNIFICANCE => Some("better"),
            (Some(p), false) if p < SIGNIFICANCE => Some("worse"),
            // A difference that has no spread at all cannot be tested; a leak looks like that.
            (None, _) if diff != 0.0 => None,
            _ => Some("no evidence"),
        };
    }
}

/// The tests that were made, each once: the same settings trained again are no other comparison.
fn tests(leaderboard: &[Standing]) -> Vec<(&str, f64)> {
    let mut tests: Vec<(&str, f64)> = Vec::new();
    for standing in leaderboard {
        let test = standing.p.map(|p| (standing.label.as_str(), p));
        tests.extend(test.filter(|test| !tests.contains(test)));
    }
    tests
}

/// Best first; runs without a value come last.
fn rank(leaderboard: &mut [Standing], by: &Metric) {
    let key = |standing: &Standing| {
        let value = standing.metrics.get(by.name).and_then(|estimate| estimate.value);
        let sign = if by.better == Better::Higher { -1.0 } else { 1.0 };
        value.map_or(f64::INFINITY, |value| sign * value)
    };
    leaderboard.sort_by(|a, b| key(a).total_cmp(&key(b)));
}
