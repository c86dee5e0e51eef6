//! The Serve screen with a made-up server, and with a real registry.

use super::*;
use crate::ui::rehearsal::Rehearsal;
use crate::ui::served::KeyStatus;

fn made_up() -> Status {
    let mut status = Status {
        karat: "0.1.0".into(),
        pid: 4711,
        since_ms: 1_767_250_800_000,
        now_ms: 1_767_258_000_000,
        url: "http://127.0.0.1:8080".into(),
        needs_key: true,
        memory: 123_000_000,
        in_flight: 2,
        models: vec![ModelStatus {
            name: "credit_risk".into(),
            target: "credit_risk".into(),
            versions: vec![VersionStatus {
                version: 1,
                kind: "logistic".into(),
                run: "r0001".into(),
                aliases: vec!["champion".into()],
                requests: 12_345,
                rows: 20_000,
                mean_ms: Some(0.5),
                ..VersionStatus::default()
            }],
            light: Light::Steady,
            light_about: "17 columns as in training".into(),
            curl: "curl -s http://127.0.0.1:8080/v1/models/credit_risk/score -H 'authorization: Bearer KEY' -d '{\"rows\":[{\"age\":30}]}'".into(),
            ..ModelStatus::default()
        }],
        keys: vec![KeyStatus { id: "abc".into(), requests: 7, ..KeyStatus::default() }],
        live: vec![Line {
            at_ms: 1_767_258_000_000,
            status: 200,
            model: "credit_risk 1".into(),
            key: "abc".into(),
            rows: 1,
            score: Some(0.35),
            decision: "good".into(),
            micros: 420,
            ..Line::default()
        }],
        ..Status::default()
    };
    let rates = &mut status.rates;
    rates.per_second = (0..60).map(|i| i % 7 * 3).collect();
    (rates.requests, rates.refused) = (12.3, 0.01);
    (rates.p50, rates.p90, rates.p99) = (Some(0.42), Some(0.9), Some(2.1));
    status
}

fn stage(width: u16, height: u16) -> (tempfile::TempDir, Rehearsal) {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = Rehearsal::new(folder.path(), width, height);
    stage.open("sample:german_credit");
    stage.press("t V");
    (folder, stage)
}

#[track_caller]
fn sees(stage: &Rehearsal, text: &str) {
    let screen = stage.text();
    assert!(screen.contains(text), "`{text}` is not on the screen:\n{screen}");
}

fn tell(stage: &mut Rehearsal, status: Result<Status, String>) -> bool {
    stage.tell(Told::Status(status.map(Box::new)))
}

#[test]
fn an_empty_workspace_says_what_to_do() {
    let (_folder, mut stage) = stage(80, 24);
    sees(&stage, "asking the server");
    tell(&mut stage, Err("no server is running".into()));
    sees(&stage, "no server is running");
    sees(&stage, "No model is registered");
    for _ in 0..3 {
        stage.press("]");
        sees(&stage, "Serve");
    }
}

#[test]
fn a_run_is_registered_promoted_and_shown_with_its_decisions() {
    let (_folder, mut stage) = stage(120, 36);
    stage.press("r Enter");
    sees(&stage, "Which alias of");
    stage.press("Enter");
    sees(&stage, "Register run r0001 as the next version of `credit_risk`");
    stage.press("Enter");
    sees(&stage, "a word on why is needed");
    stage.type_text("first one");
    stage.press("Enter");
    sees(&stage, "champion");
    assert_eq!(stage.app.serve.versions().len(), 1);
    stage.press("] ] ]");
    sees(&stage, "promote");
    sees(&stage, "first one");
    // What is the champion cannot be retired.
    stage.press("[ [ [ d");
    stage.type_text("old");
    stage.press("Enter");
    sees(&stage, "is the `champion`");
}

#[test]
fn a_key_is_shown_once_and_can_be_revoked() {
    let (folder, mut stage) = stage(120, 36);
    stage.press("n");
    stage.type_text("app");
    stage.press("Enter Enter");
    stage.type_text("for the app");
    stage.press("Enter");
    sees(&stage, "shown this once");
    stage.press("Esc ] ]");
    sees(&stage, "app");
    stage.press("d");
    stage.type_text("lost");
    stage.press("Enter");
    sees(&stage, "revoked");
    let store = crate::registry::store::Store::open(folder.path()).unwrap();
    let events = store.events(&crate::registry::store::EventFilter::default()).unwrap();
    let why = |action: &str| events.iter().find(|own| own.action == action).map(|own| &own.why);
    assert_eq!(why("create key").map(String::as_str), Some("for the app"));
    assert_eq!(why("revoke key").map(String::as_str), Some("lost"));
}

#[test]
fn a_server_is_shown_and_nothing_is_drawn_when_nothing_changed() {
    let (_folder, mut stage) = stage(120, 36);
    stage.press("r Enter Enter");
    stage.type_text("first");
    stage.press("Enter");
    assert!(tell(&mut stage, Ok(made_up())));
    sees(&stage, "http://127.0.0.1:8080");
    sees(&stage, "12.3");
    sees(&stage, "12,345");
    sees(&stage, "curl");
    let later = Status { now_ms: 1_767_258_001_000, memory: 124_000_000, ..made_up() };
    assert!(!tell(&mut stage, Ok(later)));
    stage.press("y");
    assert!(stage.copied[0].starts_with("curl"));
    stage.press("]");
    sees(&stage, "good");
    stage.press("s");
    sees(&stage, "Stop the server?");
    stage.press("n");
    for (width, height) in [(80, 24), (200, 50)] {
        stage.resize(width, height);
        for _ in 0..4 {
            stage.press("]");
            sees(&stage, "127.0.0.1:8080");
        }
    }
}

#[test]
fn the_server_is_asked_only_while_the_screen_is_open() {
    let (_folder, mut stage) = stage(80, 24);
    let (_, effects) = stage.app.hear_outside(Told::Status(Err("none".into())));
    assert!(matches!(effects[..], [Effect::AskServer(..)]), "{effects:?}");
    stage.press("q");
    let (_, effects) = stage.app.hear_outside(Told::Status(Err("none".into())));
    assert!(effects.is_empty(), "{effects:?}");
}

#[test]
fn moments_are_told_in_utc() {
    assert_eq!(time(1_767_258_000_000), "2026-01-01 09:00:00");
    assert_eq!(time(951_782_400_000), "2000-02-29 00:00:00");
    assert_eq!(time(-1000), "1969-12-31 23:59:59");
}
