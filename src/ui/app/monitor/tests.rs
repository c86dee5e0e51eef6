//! The Monitor screen over a real registry with made-up windows.

use serde_json::json;

use crate::registry::store::Store;
use crate::ui::rehearsal::Rehearsal;

#[track_caller]
fn sees(stage: &Rehearsal, text: &str) {
    let screen = stage.text();
    assert!(screen.contains(text), "`{text}` is not on the screen:\n{screen}");
}

fn stage(width: u16, height: u16) -> (tempfile::TempDir, Rehearsal) {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = Rehearsal::new(folder.path(), width, height);
    stage.open("sample:german_credit");
    stage.press("t M");
    (folder, stage)
}

/// Registers the run and keeps two windows and an alert.
fn watched(width: u16, height: u16) -> (tempfile::TempDir, Rehearsal) {
    let (folder, mut stage) = stage(width, height);
    stage.press("V r Enter Enter");
    stage.type_text("first");
    stage.press("Enter");
    let store = Store::open(folder.path()).unwrap();
    for (i, psi) in [0.01, 0.31].into_iter().enumerate() {
        let from = 1_767_258_000_000 + i as i64 * 3_600_000;
        let report = json!({
            "from_ms": from, "n": 500, "n_outcomes": 120,
            "columns": [
                { "name": "duration_months", "psi": 0.004, "psi_null": 0.03, "threshold": 0.1 },
                { "name": "checking_status", "psi": psi, "psi_null": 0.03, "threshold": 0.1,
                  "unseen": { "reference": 0.0, "window": 0.02 }, "missing": null, "alarm": i == 1, "js": 0.21, "bin_names": ["none", "some"],
                  "expected": [0.4, 0.6], "actual": [0.7, 0.3] },
            ],
            "score": { "name": "score", "psi": 0.02, "psi_null": 0.03 },
            "realised": [{ "metric": "roc_auc", "value": 0.71, "reference": 0.79,
                           "limits": { "low": 0.72, "high": 0.85 }, "alarm": true }],
            "estimated": [{ "metric": "roc_auc", "value": 0.76, "reference": 0.79,
                            "band": [0.7, 0.8] }],
        });
        store.keep_window("credit_risk", 1, from + 3_600_000, &report).unwrap();
    }
    let said = "checking_status has drifted: PSI 0.31";
    store.raise("credit_risk", 1, ("psi", "checking_status"), [0.31, 0.1], said).unwrap();
    stage.press("M");
    (folder, stage)
}

#[test]
fn nothing_watched_says_what_to_do() {
    for (width, height) in [(80, 24), (120, 36)] {
        let (_folder, mut stage) = stage(width, height);
        for _ in 0..4 {
            sees(&stage, "Monitor");
            stage.press("]");
        }
        sees(&stage, "Nothing is watched");
    }
}

#[test]
fn what_drifted_most_comes_first_beside_what_chance_does() {
    let (_folder, mut stage) = watched(120, 36);
    sees(&stage, "▲ 1 alert");
    stage.press("Enter");
    let seen: Vec<&str> = stage.app.monitor.seen().iter().map(|own| own.name.as_str()).collect();
    assert_eq!(seen, ["score", "checking_status", "duration_months"]);
    sees(&stage, "window 2 of 2");
    stage.press("Down Enter");
    sees(&stage, "training against this window");
    sees(&stage, "Jensen-Shannon");
    stage.press("Esc H");
    sees(&stage, "window 1 of 2");
    stage.press("o");
    sees(&stage, "no predictions of this window are kept");
    stage.press("d");
    sees(&stage, "chi-squared");
}

#[test]
fn performance_is_told_with_its_limits() {
    for (width, height) in [(80, 24), (120, 36), (200, 50)] {
        let (_folder, mut stage) = watched(width, height);
        stage.press("] ]");
        sees(&stage, "CBPE");
        sees(&stage, "0.710");
        sees(&stage, "blind");
    }
}

#[test]
fn an_alert_is_acknowledged_with_a_reason() {
    let (_folder, mut stage) = watched(120, 36);
    stage.press("a");
    sees(&stage, "firing");
    stage.press("a");
    stage.type_text("a new branch");
    stage.press("Enter");
    sees(&stage, "acknowledged");
    stage.press("a");
    sees(&stage, "does not fire");
    stage.press("Enter");
    assert_eq!(stage.app.monitor.seen()[stage.app.monitor.row()].name, "checking_status");
}
