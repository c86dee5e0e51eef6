//! The Explain screen on the samples.

use crate::ui::rehearsal::Rehearsal;

fn stage(width: u16, height: u16) -> (tempfile::TempDir, Rehearsal) {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = Rehearsal::new(folder.path(), width, height);
    stage.open("sample:german_credit");
    stage.press("t X");
    (folder, stage)
}

#[track_caller]
fn sees(stage: &Rehearsal, text: &str) {
    let screen = stage.text();
    assert!(screen.contains(text), "`{text}` is not on the screen:\n{screen}");
}

#[test]
fn a_decision_is_explained_down_to_the_sum() {
    for (width, height) in [(80, 24), (120, 36), (200, 50)] {
        let (_folder, mut stage) = stage(width, height);
        sees(&stage, "Explain");
        sees(&stage, "· test");
        sees(&stage, "= score");
        let why = stage.app.explain.decision.clone().unwrap().why.clone().unwrap();
        assert!(why.remainder.abs() < 1e-9, "{}", why.remainder);
        stage.press("Right Right Left");
        assert_eq!(stage.app.explain.walk.at, 1);
        stage.press("q");
        sees(&stage, "Data");
    }
}

#[test]
fn reasons_are_told_for_adverse_decisions_alone() {
    let (_folder, mut stage) = stage(120, 36);
    while !stage.app.explain.decision.as_ref().unwrap().after.is_adverse {
        stage.press("Right");
    }
    sees(&stage, "reason 1");
    sees(&stage, "method (B)");
    sees(&stage, "800 rows");
    stage.press("b");
    sees(&stage, "method (A)");
    stage.press("a");
    sees(&stage, "no reasons are owed");
}

#[test]
fn another_value_moves_the_score_at_once_and_can_be_taken_back() {
    let (_folder, mut stage) = stage(120, 36);
    stage.press("#");
    stage.type_text("10");
    stage.press("Enter");
    sees(&stage, "row 10");
    let before = stage.app.explain.decision.clone().unwrap().after.score;
    stage.app.explain.column = Some("duration_months".into());
    stage.press("Enter");
    stage.type_text("70");
    stage.press("Enter");
    sees(&stage, "what if");
    let longer = stage.app.explain.decision.clone().unwrap();
    assert!(longer.after.score > before && longer.before.score == before);
    stage.press("r");
    assert_eq!(stage.app.explain.decision.clone().unwrap().after.score, before);
    // A list of levels, and a value that is none.
    stage.app.explain.column = Some("checking_status".into());
    stage.press("Enter");
    sees(&stage, "What if `checking_status`");
    stage.press("Down Down Enter");
    assert_eq!(stage.app.explain.changed.len(), 1);
    stage.app.explain.column = Some("duration_months".into());
    stage.press("Enter");
    stage.type_text("long");
    stage.press("Enter");
    sees(&stage, "`long` is not a number");
    stage.press("Esc Backspace");
    sees(&stage, "holds its own value");
}

#[test]
fn it_is_reached_from_rows_and_goes_back_to_them() {
    let (_folder, mut stage) = stage(120, 36);
    stage.press("q 4 Enter");
    sees(&stage, "actual");
    stage.press("Down e");
    sees(&stage, "= score");
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
    sees(&stage, "predicted");
    sees(&stage, "lower ◂");
    stage.open("sample:digits");
    stage.press("t X");
    sees(&stage, "of the class score");
}
