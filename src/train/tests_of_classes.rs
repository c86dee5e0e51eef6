//! Several classes from table to run.

use std::fmt::Write;

use super::asked::Asked;
use super::tests::timeless;
use super::*;
use crate::data::{OpenOptions, Table, Task, open_bytes};
use crate::jobs::Ctx;
use crate::rng::{Seed, stream};

/// Rows of three classes in heaps that overlap a little.
fn heaps(n: usize) -> Table {
    let mut rng = stream(Seed(9), "heaps");
    let mut csv = String::from("a,b,size\n");
    for row in 0..n {
        let (size, at) = [("small", 0.0), ("large", 5.0), ("medium", 2.5)][row % 3];
        writeln!(csv, "{},{},{size}", at + rng.normal(), rng.normal()).unwrap();
    }
    table(&csv)
}

fn table(csv: &str) -> Table {
    open_bytes("heaps.csv", csv.as_bytes(), &OpenOptions::default(), &Ctx::quiet()).unwrap()
}

fn ask(kind: &str) -> Experiment {
    let mut experiment = Experiment::default();
    experiment.question.target = Some("size".into());
    experiment.model.kind = kind.into();
    experiment
}

fn carried_out(table: &Table, experiment: &Experiment) -> Run {
    run(table, experiment, &Ctx::quiet()).unwrap()
}

#[test]
fn each_row_has_a_probability_of_each_class() {
    let table = heaps(240);
    let run = carried_out(&table, &ask("logistic"));
    assert_eq!(
        (run.task, run.model.classes.join(" ")),
        (Task::Multiclass, "large medium small".into())
    );
    let scores = run.test_scores.as_ref().unwrap();
    assert_eq!((scores.rows.len(), scores.n_classes(), scores.probability.len()), (48, 3, 144));
    for place in 0..48 {
        let own = scores.probabilities(place);
        assert!((own.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let called = scores.score[place] as usize;
        assert!(own.iter().all(|p| *p <= own[called]), "{own:?}");
    }
    // A stratified split keeps the shares.
    let of = |class: f64| scores.truth.iter().filter(|truth| **truth == class).count();
    assert_eq!([of(0.0), of(1.0), of(2.0)], [16, 16, 16]);
    let accuracy = run.test.as_ref().unwrap()["accuracy"];
    assert!(0.7 < accuracy.value.unwrap() && accuracy.low < accuracy.value, "{accuracy:?}");
    assert_eq!(run.coefficients.len(), 9);
    assert!(run.converged && run.intercept.is_none());
    let again = carried_out(&table, &ask("logistic"));
    assert_eq!(timeless(run), timeless(again));
}

#[test]
fn the_baseline_gives_the_shares() {
    let run = carried_out(&heaps(120), &ask("baseline"));
    let scores = run.test_scores.unwrap();
    let third = 1.0 / 3.0;
    assert!(scores.probability.iter().all(|p| (p - third).abs() < 0.02), "{scores:?}");
    let loss = run.test.unwrap()["log_loss"].value.unwrap();
    assert!((loss - 3.0_f64.ln()).abs() < 0.01, "{loss}");
}

#[test]
fn folds_give_every_row_its_probabilities() {
    let mut experiment = ask("logistic");
    experiment.cv = 4;
    let run = carried_out(&heaps(120), &experiment);
    let scores = run.oof_scores.unwrap();
    assert_eq!(scores.probability.len(), 3 * scores.rows.len());
    let mean = run.folds.iter().map(|fold| fold["accuracy"].unwrap()).sum::<f64>() / 4.0;
    assert!((run.cv.unwrap()["accuracy"].value.unwrap() - mean).abs() < 1e-12);
}

#[test]
fn classes_keep_their_places_where_rows_of_one_are_missing() {
    let table = heaps(60);
    let (experiment, _) = resolve(&table, &ask("logistic")).unwrap();
    let asked = Asked::new(&table, &experiment).unwrap();
    let without: Vec<u32> = (0..60).filter(|row| row % 3 != 2).collect();
    let answer = asked.fit(&without, &[2, 5], &Ctx::quiet()).unwrap();
    assert_eq!(answer.valid.truth, [1.0, 1.0], "medium is the second of three");
    assert_eq!(answer.valid.probabilities(0)[1], 0.0, "it cannot be predicted");
    assert_eq!(answer.model.classes.len(), 3);
}

#[test]
fn another_table_may_have_fewer_classes_in_another_order() {
    let run = carried_out(&heaps(120), &ask("logistic"));
    let other = table("a,b,size\n0.1,0,small\n0.2,0.1,small\n2.5,0,medium\n");
    let found = evaluate(&run.model, &other, &Ctx::quiet()).unwrap();
    assert_eq!(found.scores.truth, [2.0, 2.0, 1.0]);
    let strange = table("a,b,size\n0.1,0,huge\n0.2,0.1,small\n");
    let error = evaluate(&run.model, &strange, &Ctx::quiet()).unwrap_err().to_string();
    assert!(
        error.contains("the class `huge`, which is new") && error.contains("`medium`"),
        "{error}"
    );
}

#[test]
fn runs_of_several_classes_are_compared_by_their_decisions() {
    let table = heaps(240);
    let runs = ["logistic", "baseline"].map(|kind| carried_out(&table, &ask(kind)));
    let both: Vec<&Run> = runs.iter().collect();
    let comparison = compare(&both, 0, usual_metric(Task::Multiclass), &Ctx::quiet()).unwrap();
    let baseline = &comparison.leaderboard[1];
    assert_eq!((baseline.model.as_str(), baseline.verdict), ("baseline", Some("worse")));
    assert_eq!(baseline.method, Some("McNemar, exact"));
    let diff = baseline.diff.unwrap();
    assert!(diff.low < diff.value && diff.value < diff.high && diff.high < Some(0.0), "{diff:?}");
    let by_loss = compare(&both, 0, "log_loss", &Ctx::quiet()).unwrap();
    assert_eq!(by_loss.leaderboard[1].method, Some("paired bootstrap"));
}

#[test]
fn whole_numbers_are_classes_where_there_are_rows_for_each() {
    let mut csv = String::from("a,size\n");
    (0..90).for_each(|row| writeln!(csv, "{}.5,{}", row * 7 % 13, row % 3).unwrap());
    let many = table(&csv);
    let task = |table: &Table, kind: &str| resolve(table, &ask(kind)).unwrap().0.question.task;
    assert_eq!(task(&many, "logistic"), Some(Task::Multiclass));
    assert_eq!(task(&many, "baseline"), Some(Task::Multiclass));
    assert_eq!(task(&many, "linear"), Some(Task::Regression), "a line knows numbers alone");
    let few = table("a,size\n1.5,1\n2.5,2\n3.5,3\n4.5,1\n5.5,2\n6.5,3\n");
    assert_eq!(task(&few, "baseline"), Some(Task::Regression), "too few rows for classes");
}

#[test]
fn what_several_classes_cannot_do_is_said() {
    let table = heaps(60);
    let refused =
        |experiment: &Experiment| run(&table, experiment, &Ctx::quiet()).unwrap_err().to_string();
    assert!(refused(&ask("linear")).starts_with("`linear` knows no classes, but `size` has 3"));
    let mut pair = ask("logistic");
    pair.model.set.insert("class_weight".into(), "1,5".into());
    assert!(refused(&pair).contains("two class weights were given for 3 classes"));
    let mut downhill = ask("logistic");
    downhill.model.set.insert("solver".into(), "gd".into());
    assert!(refused(&downhill).contains("solver `gd` tells two classes apart"));
}
