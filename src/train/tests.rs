use std::fmt::Write;
use std::sync::Arc;

use super::asked::Asked;
use super::*;
use crate::data::{Method, OpenOptions, Role, Table, apply_overrides, open_bytes, sample};
use crate::jobs::{CancelToken, Ctx};
use crate::metrics::Estimate;
use crate::rng::{Seed, stream};

fn table(label: &str, bytes: &[u8]) -> Table {
    open_bytes(label, bytes, &OpenOptions::default(), &Ctx::quiet()).unwrap()
}

fn german() -> Table {
    table("german_credit.csv", sample("german_credit").unwrap().content)
}

fn ask(kind: &str, set: &[(&str, &str)]) -> Experiment {
    let mut experiment = Experiment::default();
    experiment.split.method = Method::Sklearn;
    experiment.model.kind = kind.into();
    for (key, value) in set {
        experiment.model.set.insert((*key).into(), (*value).into());
    }
    experiment
}

fn carried_out(table: &Table, experiment: &Experiment) -> Run {
    run(table, experiment, &Ctx::quiet()).unwrap()
}

/// The run as if no clock had been asked.
pub(super) fn timeless(mut run: Run) -> Run {
    (run.created, run.fit_seconds) = (0, 0.0);
    if let Some(averages) = &mut run.model.averages {
        averages.made = 0;
    }
    if let Some(reference) = &mut run.model.reference {
        Arc::make_mut(reference).made = 0;
    }
    run
}

fn refused(table: &Table, experiment: &Experiment) -> String {
    run(table, experiment, &Ctx::quiet()).unwrap_err().to_string()
}

fn value(metrics: Option<&Metrics>, name: &str) -> f64 {
    metrics.unwrap()[name].value.unwrap()
}

#[track_caller]
fn close(got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() <= tolerance, "{got} is not {expected}");
}

/// Rows of two numbers, a category, and a yes/no target that depends on them.
fn made_up(n: usize, change: impl Fn(usize, &mut [f64; 2], &mut bool)) -> Table {
    let mut rng = stream(Seed(7), "made up");
    let mut csv = String::from("a,b,c,y\n");
    for row in 0..n {
        let mut x = [rng.normal(), rng.normal()];
        let mut y = x[0] - 0.5 * x[1] + rng.normal() > 0.3;
        change(row, &mut x, &mut y);
        let (c, y) = (["p", "q", "r"][row % 3], if y { "yes" } else { "no" });
        writeln!(csv, "{},{},{c},{y}", x[0], x[1]).unwrap();
    }
    table("made_up.csv", csv.as_bytes())
}

#[test]
fn linear_regression_gives_scikit_learns_error_on_its_split() {
    // x, y = data[:, :-1], data[:, -1]
    // xa, xb, ya, yb = train_test_split(x, y, test_size=0.2, random_state=42)
    // mean_squared_error(yb, LinearRegression().fit(xa, ya).predict(xb))
    let credit = table("credit_data.txt", sample("credit_data").unwrap().content);
    let run = carried_out(&credit, &ask("linear", &[]));
    close(value(run.test.as_ref(), "mse"), 0.154_465_311_346_968_42, 1e-9);
    assert_eq!(run.split_rows, [800, 0, 200]);
    assert!(run.test.as_ref().unwrap()["ks"].low.is_none(), "KS has none that holds");
    for name in ["mse", "rmse", "mae", "r2", "roc_auc", "gini"] {
        assert!(run.test.as_ref().unwrap()[name].low.is_some(), "{name} has an interval");
    }
    assert!(run.coefficients.iter().all(|c| c.std_error.is_some()));
}

#[test]
fn logistic_regression_meets_scikit_learns_optimum() {
    // On the matrix that the recipe makes (one-hot, rare levels below 1 % merged, protected
    // attributes left out), z-scores by StandardScaler where it says so:
    // LogisticRegression(C=1, tol=1e-12, max_iter=100000, solver="newton-cholesky")
    // log_loss(y_test, model.predict_proba(z_test)[:, 1]); C=inf for alpha = 0
    let german = german();
    let log_loss = crate::metrics::metric("log_loss").unwrap();
    for (set, expected) in [
        (vec![("alpha", "1")], 0.452_890_483_993_517_56),
        (vec![("alpha", "1"), ("standardize", "false")], 0.452_206_430_794_329_6),
        (vec![("alpha", "0")], 0.452_525_157_686_754),
    ] {
        let (resolved, _) = resolve(&german, &ask("logistic", &set)).unwrap();
        let split = split_of(&german, &resolved, &Ctx::quiet()).unwrap();
        let asked = Asked::new(&german, &resolved).unwrap();
        let answer = asked.fit(&split.train, &split.test, &Ctx::quiet()).unwrap();
        close((log_loss.compute)(&answer.valid.scored(0.5)).unwrap(), expected, 1e-9);
        let no_inference = coefficients::no_inference(&answer.fitted);
        assert_eq!(no_inference.is_none(), set.contains(&("alpha", "0")));
    }
}

/// German credit with every column and every level, as its published figures have it.
fn whole_german() -> Experiment {
    let mut experiment = ask("logistic", &[("alpha", "0")]);
    experiment.question.use_protected = true;
    experiment.recipe.rare = 0.0;
    experiment
}

#[test]
fn german_credit_gives_its_published_figures() {
    // R: glm(risk ~ ., binomial, german)$deviance on all rows, then on the rows 1 to 4 of each 5.
    let german = german();
    let mut experiment = whole_german();
    experiment.split.test = 0.0;
    let run = carried_out(&german, &experiment);
    assert_eq!(run.coefficients.len(), 48);
    let of_train = Some(run.train);
    close(2000.0 * value(of_train.as_ref(), "log_loss"), 895.817_785_48, 1e-7);
    close(value(of_train.as_ref(), "roc_auc"), 0.833_780_95, 1e-8);
    close(value(of_train.as_ref(), "ks"), 0.531_428_57, 1e-8);
    close(value(of_train.as_ref(), "brier"), 0.146_153_44, 1e-8);

    let (resolved, _) = resolve(&german, &whole_german()).unwrap();
    let asked = Asked::new(&german, &resolved).unwrap();
    let (test, train): (Vec<u32>, Vec<u32>) = (0..1000).partition(|row| row % 5 == 4);
    let answer = asked.fit(&train, &[], &Ctx::quiet()).unwrap();
    let mut scores = asked.scores(&test);
    scores.score = answer.model.score(&german, Some(&test), &Ctx::quiet()).unwrap();
    let metrics = Some(measure::measure(&answer.model, &scores, 0.5, 1, &Ctx::quiet()).unwrap());
    for (name, expected) in [
        ("roc_auc", 0.757_238_05),
        ("ks", 0.413_602_94),
        ("brier", 0.177_033_49),
        ("log_loss", 0.542_449_79),
        ("accuracy", 0.75),
        ("precision", 0.645_833_33),
        ("recall", 0.484_375),
    ] {
        close(value(metrics.as_ref(), name), expected, 1e-8);
    }
}

#[test]
fn a_fold_that_separates_ends_in_a_warning() {
    let german = german();
    let (resolved, _) = resolve(&german, &whole_german()).unwrap();
    let asked = Asked::new(&german, &resolved).unwrap();
    let train: Vec<u32> = (0..1000).filter(|row| row % 10 != 3).collect();
    let answer = asked.fit(&train, &[], &Ctx::quiet()).unwrap();
    let warnings: Vec<_> = answer.fitted.warnings.iter().map(ToString::to_string).collect();
    assert!(
        warnings[0].contains("retraining") && warnings[0].contains("separates"),
        "{warnings:?}"
    );
    let score = &answer.train.score;
    assert!(score.iter().all(|score| (0.0..=1.0).contains(score)));
}

#[test]
fn the_truth_of_the_test_rows_changes_nothing_in_the_model() {
    let honest = made_up(90, |_, _, _| {});
    let experiment = ask("logistic", &[]);
    let (resolved, _) = resolve(&honest, &experiment).unwrap();
    let test = split_of(&honest, &resolved, &Ctx::quiet()).unwrap().test;
    let forged = made_up(90, |row, _, y| *y ^= test.contains(&(row as u32)));
    let (mut one, mut other) =
        (carried_out(&honest, &experiment), carried_out(&forged, &experiment));
    // The reference keeps the scores of the test rows with their truth, and is no part of a score.
    (one.model.reference, other.model.reference) = (None, None);
    assert_eq!(one.model, other.model);
    assert_eq!(one.coefficients, other.coefficients);
    assert_ne!(one.test, other.test);
}

#[test]
fn a_fold_never_sees_its_test_rows() {
    let mut experiment = ask("logistic", &[]);
    experiment.cv = 3;
    experiment.recipe.scale = crate::features::Scale::Standard;
    let honest = carried_out(&made_up(90, |_, _, _| {}), &experiment);
    let oof = honest.oof_scores.unwrap();
    let is_in_first = |row: usize| {
        let at = oof.rows.iter().position(|r| *r as usize == row + 1);
        at.is_some_and(|at| oof.fold.as_ref().unwrap()[at] == 0)
    };
    // The features of the first fold's rows go wild: what was learned for that fold must not.
    let wild = made_up(90, |row, x, _| x[0] *= if is_in_first(row) { 1e3 } else { 1.0 });
    let tame = made_up(90, |_, _, _| {});
    let rows: Vec<u32> = (0..90).filter(|row| !is_in_first(*row as usize)).collect();
    let learned = |table: &Table| {
        let (resolved, _) = resolve(table, &experiment).unwrap();
        Asked::new(table, &resolved).unwrap().fit(&rows, &[], &Ctx::quiet()).unwrap().model
    };
    assert_eq!(learned(&wild), learned(&tame));
}

#[test]
fn the_same_seed_gives_the_same_run_to_the_last_bit() {
    let table = made_up(120, |_, _, _| {});
    let mut experiment = ask("logistic", &[("solver", "sgd"), ("epochs", "5")]);
    experiment.cv = 3;
    experiment.split.valid = 0.2;
    let again = || timeless(carried_out(&table, &experiment));
    let run = again();
    assert_eq!(run, again());
    assert!(run.history.iter().all(|point| point.valid_loss.is_some()));
    experiment.split.seed = 43;
    assert_ne!(run.train, carried_out(&table, &experiment).train);
}

#[test]
fn a_weight_of_two_is_a_row_seen_twice() {
    let row = |i: usize| {
        let mut rng = stream(Seed(i as u64), "row");
        let (a, b) = (rng.normal(), rng.normal());
        let y = if a + b + rng.normal() > 0.0 { "yes" } else { "no" };
        (a, b, y)
    };
    let (mut weighted, mut doubled) = (String::from("a,b,w,y\n"), String::from("a,b,w,y\n"));
    for i in 0..60 {
        let ((a, b, y), w) = (row(i), 1 + i % 3);
        writeln!(weighted, "{a},{b},{w},{y}").unwrap();
        (0..w).for_each(|_| writeln!(doubled, "{a},{b},1,{y}").unwrap());
    }
    let mut experiment = ask("logistic", &[]);
    experiment.split.test = 0.0;
    let fit = |csv: &str| {
        let mut table = table("w.csv", csv.as_bytes());
        let mut said = crate::data::Overrides::default();
        said.roles.insert("w".into(), Role::Weight);
        apply_overrides(&mut table, &said).unwrap();
        carried_out(&table, &experiment)
    };
    let (one, other) = (fit(&weighted), fit(&doubled));
    for (a, b) in one.coefficients.iter().zip(&other.coefficients) {
        close(a.value, b.value, 1e-9);
    }
    for name in ["roc_auc", "log_loss", "ks", "f1"] {
        close(value(Some(&one.train), name), value(Some(&other.train), name), 1e-9);
    }
    assert_eq!(one.model.recipe.names(), ["a", "b"], "the weight is no feature");
}

#[test]
fn the_threshold_is_chosen_off_the_test_rows_for_the_costs() {
    let table = made_up(300, |_, _, _| {});
    let mut experiment = ask("logistic", &[]);
    experiment.costs.false_negative = 4.0;
    let by_costs = carried_out(&table, &experiment);
    close(by_costs.threshold, 0.2, 1e-12);
    assert_eq!(by_costs.threshold_chosen_on(), "the costs alone");
    experiment.cv = 4;
    let by_folds = carried_out(&table, &experiment);
    assert_eq!(by_folds.threshold_chosen_on(), "the out-of-fold scores");
    assert!(by_folds.threshold > 0.02 && by_folds.threshold < 0.5, "{}", by_folds.threshold);
    assert_eq!(by_folds.folds.len(), 4);
    let cv = by_folds.cv.unwrap()["roc_auc"];
    assert!(cv.low < cv.value && cv.value < cv.high);
    experiment.cv = 0;
    experiment.split.valid = 0.25;
    assert_eq!(carried_out(&table, &experiment).threshold_chosen_on(), "the validation rows");
}

#[test]
fn what_makes_no_sense_is_refused_with_a_remedy() {
    let table = table(
        "t.csv",
        b"amount,age,same,none,town,bad,three\n10.5,31,k,,X,1,p\n20.1,42,k,,Y,0,q\n30.2,53,k,,X,1,r\n40.7,64,k,,Y,0,p\n50.5,39,k,,X,1,q\n",
    );
    let check = |change: &dyn Fn(&mut Experiment), expected: &str| {
        let mut experiment = ask("logistic", &[]);
        experiment.question.target = Some("bad".into());
        change(&mut experiment);
        let text = refused(&table, &experiment);
        assert!(text.contains(expected), "{text}");
    };
    let target =
        |name: &'static str| move |e: &mut Experiment| e.question.target = Some(name.into());
    check(&target("amuont"), "did you mean `amount`?");
    check(&target("same"), "the target `same` has the same value in every row");
    check(&target("none"), "the target `none` has no value in any row");
    check(&target("amount"), "`logistic` tells classes apart, but `amount` holds 5");
    check(&target("three"), "`three` has 3 classes in 5 rows");
    check(&|e| e.question.positive = Some("2".into()), "`bad` has no class `2`");
    check(&|e| e.question.features = vec!["agee".into()], "did you mean `age`?");
    check(&|e| e.question.features = vec!["bad".into()], "`bad` is the target");
    check(&|e| e.model.kind = "logit".into(), "no model `logit`");
    check(&|e| e.cv = 1, "`1` folds are not possible");
    check(&|e| e.split.method = Method::Time, "a split by time needs a time column");
    check(&|e| e.recipe.rare = 7.0, "`recipe.rare` cannot be `7`");
    let linear_on_text = |e: &mut Experiment| {
        e.model.kind = "linear".into();
        e.question.target = Some("town".into());
        e.question.task = Some(crate::data::Task::Regression);
    };
    check(&linear_on_text, "does not hold numbers");
    let mut named = ask("logistic", &[]);
    named.question.target = Some("three".into());
    named.question.positive = Some("p".into());
    let asked = resolve(&table, &named).unwrap().0;
    let asked = Asked::new(&table, &asked).unwrap();
    assert_eq!(asked.truth, [1.0, 0.0, 0.0, 1.0, 0.0], "one class against all others");
}

#[test]
fn what_was_inferred_is_said() {
    let german = german();
    let (resolved, notes) = resolve(&german, &Experiment::default()).unwrap();
    let question = &resolved.question;
    assert_eq!(question.target.as_deref(), Some("credit_risk"));
    assert_eq!(question.positive.as_deref(), Some("bad"));
    assert!(notes[0].contains("`credit_risk` was proposed"), "{notes:?}");
    let protected = notes.last().unwrap();
    assert!(protected.contains("`age_years`") && protected.contains("`foreign_worker`"));
    assert_eq!(features_of(&german, &resolved).unwrap().len(), 17);
    assert_eq!(resolve(&german, &resolved).unwrap().0, resolved, "resolving again changes nothing");
}

#[test]
fn a_named_time_column_splits_by_time() {
    let mut csv = String::from("day,a,y\n");
    for i in 0..40_u32 {
        let (month, day) = (1 + i / 20, 1 + i % 20);
        writeln!(csv, "2024-{month:02}-{day:02},{},{}", f64::from(i * 7 % 11) + 0.5, i % 3 % 2)
            .unwrap();
    }
    let mut table = table("t.csv", csv.as_bytes());
    let mut said = crate::data::Overrides::default();
    said.roles.insert("day".into(), Role::Time);
    apply_overrides(&mut table, &said).unwrap();
    let mut experiment = ask("logistic", &[]);
    experiment.split.method = Method::Stratified;
    experiment.question.target = Some("y".into());
    let run = carried_out(&table, &experiment);
    assert_eq!(run.experiment.split.method, Method::Time);
    assert_eq!(run.experiment.split.time.as_deref(), Some("day"));
    assert!(run.test_scores.unwrap().rows.iter().all(|row| *row > 32));
}

#[test]
fn runs_are_ranked_and_told_apart_on_the_same_rows() {
    let table = made_up(250, |_, _, _| {});
    let mut runs = Vec::new();
    let everything = std::time::Duration::from_mins(10);
    every_kind(&table, &ask("logistic", &[]), everything, &Ctx::quiet(), &mut |run| {
        runs.push(Run { id: RunId(format!("r{:04}", runs.len() + 1)), ..run });
    })
    .unwrap();
    let kinds: Vec<_> = runs.iter().map(|run| run.model.kind.as_str()).collect();
    assert_eq!(kinds, ["baseline", "linear", "ridge", "logistic", "mlp"]);
    let runs: Vec<&Run> = runs.iter().collect();
    let comparison = compare(&runs, 3, "roc_auc", &Ctx::quiet()).unwrap();
    assert_eq!((comparison.rows_shared, comparison.folds), (50, 0));
    let last = comparison.leaderboard.last().unwrap();
    assert_eq!((last.model.as_str(), last.verdict), ("baseline", Some("worse")));
    assert_eq!(last.method, Some("DeLong"));
    assert!(last.p_holm.unwrap() >= last.p.unwrap());
    // The same runs once more are no further comparisons.
    let again: Vec<&Run> = runs.iter().chain(&runs).copied().collect();
    let twice = compare(&again, 3, "roc_auc", &Ctx::quiet()).unwrap();
    assert_eq!((comparison.n_tests(), twice.n_tests()), (4, 4));
    let corrected = |own: &Comparison| own.leaderboard.last().unwrap().p_holm;
    assert_eq!(corrected(&twice), corrected(&comparison));
    let values: Vec<f64> =
        comparison.leaderboard.iter().map(|s| s.metrics["roc_auc"].value.unwrap()).collect();
    assert!(values.is_sorted_by(|a, b| a >= b));
    let sentence = &comparison.sentence;
    assert!(
        sentence.starts_with("On these 50 test rows nothing beats logistic (r0004)"),
        "{sentence}"
    );
    assert!(sentence.ends_with("baseline (r0001) is worse."), "{sentence}");
    let by_brier = compare(&runs, 0, "brier", &Ctx::quiet()).unwrap();
    assert_eq!(by_brier.leaderboard[0].method, Some("paired bootstrap"));
    assert!(compare(&runs, 0, "auc", &Ctx::quiet()).unwrap_err().to_string().contains("roc_auc"));
}

#[test]
fn over_folds_the_corrected_test_is_used() {
    let table = made_up(120, |_, _, _| {});
    let run = |kind: &str| {
        let mut experiment = ask(kind, &[]);
        experiment.cv = 5;
        carried_out(&table, &experiment)
    };
    let runs = [run("baseline"), run("logistic")];
    let comparison = compare(&[&runs[0], &runs[1]], 0, "roc_auc", &Ctx::quiet()).unwrap();
    assert_eq!((comparison.folds, comparison.rows_shared), (5, 96));
    let best = &comparison.leaderboard[0];
    assert_eq!((best.method, best.verdict), (Some("corrected resampled t"), Some("better")));
    let fold = |run: &Run, at: usize| run.folds[at]["roc_auc"].unwrap();
    let diffs: Vec<f64> = (0..5).map(|at| fold(&runs[1], at) - fold(&runs[0], at)).collect();
    let expected = crate::metrics::nadeau_bengio(&diffs, 0.25).unwrap();
    let Estimate { value, .. } = best.diff.unwrap();
    close(value.unwrap(), expected.mean, 1e-12);
    close(best.p.unwrap(), expected.p.unwrap(), 1e-2);
    assert!(comparison.sentence.contains("Over 5 folds of 96 rows logistic beats baseline"));
}

#[test]
fn a_sweep_hands_out_each_run_and_checks_before_it_starts() {
    let table = made_up(60, |_, _, _| {});
    let mut alphas_seen = Vec::new();
    let mut keep = |run: Run| alphas_seen.push(run.experiment.model.set["alpha"].clone());
    sweep(&table, &ask("ridge", &[]), "alpha", &alphas(), &Ctx::quiet(), &mut keep).unwrap();
    assert_eq!(alphas_seen.len(), 9);
    assert_eq!((alphas_seen[0].as_str(), alphas_seen[8].as_str()), ("0.0001", "10000"));
    let wrong = sweep(&table, &ask("linear", &[]), "alpha", &alphas(), &Ctx::quiet(), &mut |_| {});
    assert!(wrong.unwrap_err().to_string().contains("`linear` has no parameter `alpha`"));
}

#[test]
fn a_model_is_evaluated_where_the_outcome_is_known() {
    let table = made_up(90, |_, _, _| {});
    let run = carried_out(&table, &ask("logistic", &[]));
    let evaluation = evaluate(&run.model, &table, &Ctx::quiet()).unwrap();
    assert_eq!(evaluation.rows, 90);
    for (row, score) in
        run.test_scores.as_ref().unwrap().rows.iter().zip(&run.test_scores.as_ref().unwrap().score)
    {
        let again = evaluation.scores.score[*row as usize - 1];
        assert_eq!(again.to_bits(), score.to_bits(), "a score does not depend on its batch");
    }
    let strange = self::table("s.csv", b"a,b,c,y\n1.5,2,p,yes\n2.5,1,q,maybe\n1,0.5,p,no\n");
    let error = evaluate(&run.model, &strange, &Ctx::quiet()).unwrap_err().to_string();
    assert!(error.contains("has the class `maybe`, which is new"), "{error}");
}

#[test]
fn a_cancelled_run_stops() {
    let token = CancelToken::default();
    token.cancel();
    let ctx = Ctx::new(token, |_| ());
    let table = made_up(60, |_, _, _| {});
    let error = run(&table, &ask("logistic", &[]), &ctx).unwrap_err();
    assert!(crate::jobs::error_text(&error).contains("cancelled"), "{error}");
}

#[test]
fn a_target_that_looks_ahead_is_split_by_time_and_is_nobodys_feature() {
    let sample = sample("us_stocks").unwrap();
    let mut table = table(sample.file, sample.content);
    let experiment = Experiment::on("sample:us_stocks");
    for step in &experiment.data.steps {
        table = crate::data::apply(&table, step, &Ctx::quiet()).unwrap();
    }
    let (resolved, notes) = resolve(&table, &experiment).unwrap();
    assert_eq!(resolved.question.target.as_deref(), Some("up"));
    assert_eq!(
        (resolved.split.method, resolved.split.time.as_deref()),
        (Method::Time, Some("date"))
    );
    assert!(notes.contains(&"`up` looks 1 row ahead, so the latest rows test".to_owned()));
    let split = split_of(&table, &resolved, &Ctx::quiet()).unwrap();
    // One row of each share that was traded then; the fifth came later.
    assert!(
        split.notes.iter().any(|said| said.contains("4 rows whose target")),
        "{:?}",
        split.notes
    );

    let mut other = experiment.clone();
    other.question.target = Some("close".into());
    other.model.kind = "linear".into();
    let (resolved, _) = resolve(&table, &other).unwrap();
    let features = features_of(&table, &resolved).unwrap();
    assert!(!features.contains(&"up".to_owned()), "{features:?}");
    other.question.features = vec!["open".into(), "up".into()];
    let said = resolve(&table, &other).unwrap_err().to_string();
    assert!(said.contains("`up` is known only later and cannot be a feature"), "{said}");
    let line = experiment.command_line();
    assert!(line.contains("--ahead 'up = sign of adj_close in 1 by ticker along date'"), "{line}");
}
