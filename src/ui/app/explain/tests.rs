//! The Explain screen on the samples.

use std::fmt::Write as _;

use tempfile::TempDir;

use crate::data::OpenOptions;
use crate::jobs::Ctx;
use crate::models::foreign::{ForeignModel, Limits};
use crate::registry::Registry;
use crate::train::{Import, import};
use crate::ui::rehearsal::Rehearsal;

fn stage(width: u16, height: u16) -> (TempDir, Rehearsal) {
    Rehearsal::on_sample("german_credit", "t X", (width, height))
}

#[test]
fn a_decision_is_explained_down_to_the_sum() {
    for (width, height) in [(80, 24), (120, 36), (200, 50)] {
        let (_folder, mut stage) = stage(width, height);
        stage.sees("Explain");
        stage.sees("· test");
        stage.sees("= score");
        let why = stage.app.explain.decision.clone().unwrap().why.clone().unwrap();
        assert!(why.remainder.abs() < 1e-9, "{}", why.remainder);
        stage.press("Right Right Left");
        assert_eq!(stage.app.explain.walk.at, 1);
        stage.press("q");
        stage.sees("Data");
    }
}

#[test]
fn reasons_are_told_for_adverse_decisions_alone() {
    let (_folder, mut stage) = stage(120, 36);
    while !stage.app.explain.decision.as_ref().unwrap().after.is_adverse {
        stage.press("Right");
    }
    stage.sees("reason 1");
    stage.sees("method (B)");
    stage.sees("800 rows");
    stage.press("b");
    stage.sees("method (A)");
    stage.press("a");
    stage.sees("no reasons are owed");
}

#[test]
fn where_contributions_are_exact_nothing_else_is_offered() {
    let (_folder, mut stage) = stage(120, 36);
    let names: Vec<&str> = stage.app.explain.ways.iter().map(|way| way.name).collect();
    assert_eq!(names, ["exact"]);
    stage.press("m");
    stage.sees("the contributions are exact");
}

#[test]
fn another_value_moves_the_score_at_once_and_can_be_taken_back() {
    let (_folder, mut stage) = stage(120, 36);
    stage.press("#");
    stage.type_text("10");
    stage.press("Enter");
    stage.sees("row 10");
    let before = stage.app.explain.decision.clone().unwrap().after.score;
    stage.app.explain.column = Some("duration_months".into());
    stage.press("Enter");
    stage.type_text("70");
    stage.press("Enter");
    stage.sees("what if");
    let longer = stage.app.explain.decision.clone().unwrap();
    assert!(longer.after.score > before && longer.before.score == before);
    stage.press("r");
    assert_eq!(stage.app.explain.decision.clone().unwrap().after.score, before);
    // A list of levels, and a value that is none.
    stage.app.explain.column = Some("checking_status".into());
    stage.press("Enter");
    stage.sees("What if `checking_status`");
    stage.press("Down Down Enter");
    assert_eq!(stage.app.explain.changed.len(), 1);
    // A word that training never saw is taken, and said to be none of its levels.
    stage.press("Enter");
    stage.type_text("zzz!");
    stage.press("Enter");
    stage.sees("`zzz!` is no level of training");
    stage.press("Enter");
    stage.sees("▸ zzz!");
    stage.press("Esc Right");
    stage.sees("the value tried on the row before is gone with it");
    stage.press("Left");
    stage.app.explain.column = Some("duration_months".into());
    stage.press("Enter");
    stage.type_text("long");
    stage.press("Enter");
    stage.sees("`long` is not a number");
    stage.press("Esc Backspace");
    stage.sees("holds its own value");
}

#[test]
fn it_is_reached_from_rows_and_goes_back_to_them() {
    let (_folder, mut stage) = stage(120, 36);
    stage.press("q 4 Enter");
    stage.sees("actual");
    stage.press("Down e");
    stage.sees("= score");
    assert_eq!(stage.app.explain.walk.at, 1);
    stage.press("Esc");
    assert!(!stage.app.overlays.is_empty(), "the rows are there again");
}

#[test]
fn several_classes_and_numbers_are_explained_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = Rehearsal::new(folder.path(), 120, 36);
    stage.open("sample:diabetes");
    stage.press("t X");
    stage.sees("predicted");
    stage.sees("lower ◂");
    stage.open("sample:digits");
    stage.press("t X");
    stage.sees("of the class score");
}

#[test]
fn a_model_made_elsewhere_is_explained_by_its_scores_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let mut text = "a,b,c,d,y\n".to_owned();
    for i in 0..40 {
        let (a, b, c) = (f64::from(i) / 10.0, i % 7, i * 3 % 50);
        writeln!(text, "{a},{b},{c},{},{}", i % 5, i % 2).unwrap();
    }
    crate::files::write(&path, text.as_bytes()).unwrap();
    let table = crate::data::open(&path, &OpenOptions::default(), &Ctx::quiet()).unwrap();
    let onnx = include_bytes!("../../../../tests/foreign_fixtures/forest.onnx");
    let foreign = ForeignModel::read(onnx, &Limits::default()).unwrap();
    let features = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    let asked = Import { target: Some("y".into()), features, ..Import::default() };
    let run = import(foreign, &asked, "forest.onnx", Some(&table), &Ctx::quiet()).unwrap();
    let workspace = folder.path().join("work");
    Registry::open(&workspace).unwrap().keep(run).unwrap();
    let mut stage = Rehearsal::new(&workspace, 120, 36);
    stage.open(path.to_str().unwrap());
    stage.press("X");
    let names: Vec<&str> = stage.app.explain.ways.iter().map(|way| way.name).collect();
    assert_eq!(names, ["permutation", "occlusion"], "\n{}", stage.text());
    stage.sees("sampled Shapley values");
    stage.press("m");
    stage.sees("occlusion");
    stage.press("m");
    stage.sees("sampled Shapley values");
    assert!(stage.app.message.is_none(), "{:?}", stage.app.message);
}

#[test]
fn a_refused_value_leaves_the_row_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let mut text = "since,job,amount,y\n".to_owned();
    for i in 0..60 {
        let (day, job) = (1 + i % 28, ["clerk", "smith", "miner"][i % 3]);
        let amount = i * 7 % 31;
        let y = if amount > 15 { "yes" } else { "no" };
        writeln!(text, "2024-{:02}-{day:02},{job},{amount},{y}", 1 + i % 12).unwrap();
    }
    crate::files::write(&path, text.as_bytes()).unwrap();
    let mut stage = Rehearsal::new(&folder.path().join("work"), 120, 36);
    stage.open(path.to_str().unwrap());
    for line in ["target y", "role since=feature", "recipe unseen=error", "train", "explain 3"] {
        stage.press(":");
        stage.type_text(line);
        stage.press("Enter");
    }
    stage.sees("row 3");
    stage.app.explain.column = Some("since".into());
    stage.press("Enter");
    stage.type_text("yesterday");
    stage.press("Enter");
    stage.sees("`yesterday` is not a date");
    stage.press("Esc");
    assert!(stage.app.explain.changed.is_empty());
    // What the recipe alone can refuse is taken back when it does.
    stage.app.explain.column = Some("amount".into());
    stage.press("Enter");
    stage.type_text("30");
    stage.press("Enter");
    stage.app.explain.column = Some("job".into());
    stage.press("Enter");
    stage.type_text("zzz");
    stage.press("Enter");
    stage.sees("field `job`");
    let changed: Vec<&String> = stage.app.explain.changed.keys().collect();
    assert_eq!(changed, ["amount"]);
    stage.press("r");
    assert!(stage.app.explain.changed.is_empty());
}

#[test]
fn a_row_that_fails_is_not_shown_as_the_one_before() {
    let (_folder, mut stage) = stage(120, 36);
    assert_eq!(stage.app.explain.decision.as_ref().unwrap().position as usize, {
        stage.app.explain.walk.position()
    });
    stage.app.explain.fail("it broke");
    assert!(stage.app.explain.decision.is_some(), "the decision on this very row stays");
    stage.app.explain.walk.at += 1;
    stage.app.explain.fail("it broke");
    assert!(stage.app.explain.decision.is_none());
    stage.resize(119, 36);
    stage.sees("it broke");
}

#[test]
fn the_palette_takes_the_number_of_a_row() {
    let (_folder, mut stage) = stage(120, 36);
    stage.press("q :");
    stage.type_text("explain 10");
    stage.sees("[ROW]");
    stage.press("Enter");
    stage.sees("row 10");
    stage.press(":");
    stage.type_text("row 12");
    stage.press("Enter");
    stage.sees("row 12");
    stage.press(":");
    stage.type_text("explain 5000");
    stage.press("Enter");
    stage.sees("there is no row 5000");
}
