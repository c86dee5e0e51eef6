//! The Monitor screen over a real registry with made-up windows.

use serde_json::json;
use tempfile::TempDir;

use super::MonitorView;
use crate::registry::store::Store;
use crate::ui::rehearsal::Rehearsal;

fn stage(width: u16, height: u16) -> (TempDir, Rehearsal) {
    Rehearsal::on_sample("german_credit", "t M", (width, height))
}

/// Registers the run and keeps two windows and an alert.
fn watched(width: u16, height: u16) -> (TempDir, Rehearsal) {
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
                            "band": [0.7, 0.8], "alarm": i == 0 }],
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
            stage.sees("Monitor");
            stage.press("]");
        }
        stage.sees("Nothing is watched");
    }
}

#[test]
fn what_drifted_most_comes_first_beside_what_chance_does() {
    let (_folder, mut stage) = watched(120, 36);
    stage.sees("▲ 1 alert");
    stage.press("Enter");
    let seen: Vec<&str> = stage.app.monitor.seen().iter().map(|own| own.name.as_str()).collect();
    assert_eq!(seen, ["score", "checking_status", "duration_months"]);
    stage.sees("window 2 of 2");
    stage.press("Down Enter");
    stage.sees("training against this window");
    stage.sees("Jensen-Shannon");
    stage.press("Esc H");
    stage.sees("window 1 of 2");
    stage.press("o");
    stage.sees("no predictions of this window are kept");
    stage.press("d");
    stage.sees("chi-squared");
}

#[test]
fn esc_goes_back_one_step() {
    let (_folder, mut stage) = watched(120, 36);
    stage.press("] ] ] Enter");
    stage.sees("▲ checking_status has drifted");
    assert_eq!(stage.app.monitor.view, MonitorView::Columns);
    for view in [MonitorView::Alerts, MonitorView::Versions] {
        stage.press("Esc");
        assert_eq!(stage.app.monitor.view, view);
    }
    stage.press("Enter Esc");
    stage.sees("Monitor");
    assert_eq!(stage.app.monitor.view, MonitorView::Versions);
}

#[test]
fn performance_is_told_with_its_limits() {
    for (width, height) in [(80, 24), (120, 36), (200, 50)] {
        let (_folder, mut stage) = watched(width, height);
        stage.press("] ]");
        stage.sees("CBPE");
        stage.sees("0.710");
        stage.sees("blind");
    }
}

#[test]
fn an_alert_is_acknowledged_with_a_reason() {
    let (_folder, mut stage) = watched(120, 36);
    stage.press("a");
    stage.sees("firing");
    stage.press("a");
    stage.type_text("a new branch");
    stage.press("Enter");
    stage.sees("acknowledged");
    stage.press("a");
    stage.sees("does not fire");
    stage.sees("threshold");
    stage.sees("a p-value, drift where below");
    stage.press("Enter");
    stage.sees("⚠ checking_status has drifted");
    assert_eq!(stage.app.monitor.seen()[stage.app.monitor.row()].name, "checking_status");
}

#[test]
fn an_alert_about_performance_opens_it_in_the_window_that_raised_it() {
    let (folder, mut stage) = watched(120, 36);
    let store = Store::open(folder.path()).unwrap();
    let said = "AUC is probably worse";
    store.raise("credit_risk", 1, ("estimated", "roc_auc"), [0.76, 0.78], said).unwrap();
    let said = "AUC was worse";
    store.raise("credit_risk", 1, ("realised", "roc_auc"), [0.71, 0.72], said).unwrap();
    stage.press("r ] ] ]");
    for (kind, row, back) in [("estimated", 1, 1), ("realised", 0, 0)] {
        let at = stage.app.monitor.alerts.iter().position(|own| own.kind == kind).unwrap();
        stage.app.monitor.view = MonitorView::Alerts;
        stage.app.monitor.rows[MonitorView::Alerts as usize] = at;
        stage.press("Enter");
        let pane = &stage.app.monitor;
        assert_eq!(pane.view, MonitorView::Performance, "{kind}");
        assert_eq!((pane.row(), pane.back), (row, back), "{kind}");
    }
}

#[test]
fn a_model_is_trained_again_at_once_and_from_time_to_time() {
    let (_folder, mut stage) = watched(120, 36);
    stage.press("t");
    stage.sees("When is the champion of `credit_risk` trained again?");
    stage.type_text("sometimes");
    stage.press("Enter");
    stage.sees("is no time");
    stage.press("t Down Enter Enter");
    stage.sees("On which table is `credit_risk` trained again?");
    stage.press("Enter");
    stage.type_text("policy");
    stage.press("Enter");
    stage.sees("trained again every 24h; a person decides");
    // A candidate at once; nothing is better than the champion about itself.
    stage.press("t Up Enter Enter Enter");
    let known = stage.app.serve.known.clone().unwrap();
    assert_eq!(known.models[0].versions.len(), 2, "{:?}", stage.app.message);
    assert_eq!(stage.app.workspace.runs.len(), 2);
    stage.press("t");
    stage.type_text("never");
    stage.press("Enter");
    stage.type_text("enough");
    stage.press("Enter");
    assert!(stage.app.serve.known.as_ref().unwrap().retrainings.is_empty());
}

#[test]
fn what_is_erased_is_asked_about_first() {
    let (_folder, mut stage) = watched(80, 24);
    stage.press("e Enter");
    stage.sees("a subject is needed");
    stage.type_text("4711");
    stage.press("Enter");
    stage.sees("Erase everything that is kept of `4711`?");
    stage.press("y");
    stage.sees("no prediction log");
}

#[test]
fn what_does_not_fit_leaves_a_sign() {
    let (folder, mut stage) = watched(80, 24);
    let store = Store::open(folder.path()).unwrap();
    for i in 0..30 {
        let said = format!("column {i} has drifted further than chance and its threshold allow");
        store.raise("credit_risk", 1, ("drift", &format!("c{i}")), [0.3, 0.1], &said).unwrap();
    }
    stage.press("r");
    stage.sees("more lines");
    stage.press("] ]");
    stage.sees("…");
}
