//! The Serve screen with a made-up server, and with a real registry.

use tempfile::TempDir;

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

fn stage(width: u16, height: u16) -> (TempDir, Rehearsal) {
    Rehearsal::on_sample("german_credit", "t V", (width, height))
}

fn tell(stage: &mut Rehearsal, status: Result<Status, String>) -> bool {
    stage.tell(Told::Status(status.map(Box::new)))
}

#[test]
fn an_empty_workspace_says_what_to_do() {
    let (_folder, mut stage) = stage(80, 24);
    stage.sees("asking the server");
    tell(&mut stage, Err("no server is running".into()));
    stage.sees("no server is running");
    stage.sees("No model is registered");
    for _ in 0..3 {
        stage.press("]");
        stage.sees("Serve");
    }
}

#[test]
fn a_run_is_registered_promoted_and_shown_with_its_decisions() {
    let (_folder, mut stage) = stage(120, 36);
    stage.press("r Enter");
    stage.sees("Which alias of");
    stage.press("Enter");
    stage.sees("Register run r0001 as the next version of `credit_risk`");
    stage.press("Enter");
    stage.sees("a word on why is needed");
    stage.type_text("first one");
    stage.press("Enter");
    stage.sees("champion");
    assert_eq!(stage.app.serve.versions().len(), 1);
    stage.press("] ] ]");
    stage.sees("promote");
    stage.sees("first one");
    // What is the champion cannot be retired.
    stage.press("[ [ [ d");
    stage.type_text("old");
    stage.press("Enter");
    stage.sees("is the `champion`");
}

#[test]
fn a_key_is_shown_once_and_can_be_revoked() {
    let (folder, mut stage) = stage(120, 36);
    stage.press("n");
    stage.type_text("app");
    stage.press("Enter Enter");
    stage.sees("How far may `app` be used?");
    stage.type_text("rate=fast");
    stage.press("Enter");
    stage.sees("a number above 0 is expected");
    stage.press("Backspace*4");
    stage.type_text("5 expires=30");
    stage.press("Enter");
    stage.sees("expires=30 rate=5");
    stage.type_text("for the app");
    stage.press("Enter");
    stage.sees("shown this once");
    // No stray key loses it.
    stage.press("q Enter Space d ctrl-c");
    stage.sees("shown this once");
    stage.press("y");
    stage.sees("copied the key");
    stage.sees(&stage.copied[0]);
    stage.press("Esc ] ]");
    stage.sees("app");
    stage.sees("good until");
    // Another secret for the same key.
    stage.press("R");
    stage.sees("hours for which the old secret stays good");
    stage.press("Enter");
    stage.sees("shown this once");
    stage.press("Esc");
    stage.sees("old secret until");
    stage.press("d");
    stage.type_text("lost");
    stage.press("Enter");
    stage.sees("revoked");
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
    stage.sees("http://127.0.0.1:8080");
    stage.sees("12.3");
    stage.sees("12,345");
    stage.sees("curl");
    let later = Status { now_ms: 1_767_258_001_000, memory: 124_000_000, ..made_up() };
    assert!(!tell(&mut stage, Ok(later)));
    stage.press("y");
    assert!(stage.copied[0].starts_with("curl"));
    stage.press("]");
    stage.sees("good");
    stage.press("s");
    stage.sees("Stop the server?");
    stage.press("n");
    for (width, height) in [(80, 24), (200, 50)] {
        stage.resize(width, height);
        for _ in 0..4 {
            stage.press("]");
            stage.sees("127.0.0.1:8080");
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

/// Two names, each with a version that a made-up server has loaded.
fn two_served() -> (TempDir, Rehearsal) {
    let (folder, mut stage) = stage(120, 36);
    for name in ["credit_risk", "other"] {
        stage.press("r");
        stage.type_text(name);
        stage.press("Enter Enter");
        stage.type_text("first");
        stage.press("Enter");
    }
    let mut status = made_up();
    let mut other = status.models[0].clone();
    other.name = "other".into();
    other.curl = "curl other".into();
    other.versions[0].light = Light::Alarm;
    other.versions[0].light_about = "age has drifted".into();
    status.models.push(other);
    tell(&mut stage, Ok(status));
    (folder, stage)
}

#[test]
fn the_chosen_model_is_meant_whichever_view_is_in_front() {
    let (_folder, mut stage) = two_served();
    stage.press("Down ] y");
    assert_eq!(stage.copied, ["curl other"]);
    stage.press("L");
    stage.sees("they end in the prediction log");
    stage.press("y");
    stage.sees("The key for the load test of `other`");
}

#[test]
fn a_light_is_that_of_its_version() {
    let (_folder, mut stage) = two_served();
    let lights: Vec<_> = stage.app.serve.versions().iter().map(ServedVersion::light).collect();
    assert_eq!(lights, [Some(Light::Unknown), Some(Light::Alarm)]);
    stage.sees("○ unknown");
    stage.press("Down");
    stage.sees("age has drifted");
}

#[test]
fn what_is_not_in_the_list_rejects_nothing() {
    let (folder, mut stage) = stage(120, 36);
    stage.press("r Enter Enter");
    stage.type_text("first");
    stage.press("Enter a");
    stage.sees("it needs a second person");
    stage.press("y");
    stage.sees("Let changes of what is in service wait for a second person?");
    stage.type_text("policy");
    stage.press("Enter");
    stage.sees("two persons decide");
    stage.press("p Down Enter");
    stage.type_text("try it");
    stage.press("Enter ] ] ] Home Enter");
    stage.sees("another login has to approve it");
    stage.type_text("yes!");
    stage.press("Enter");
    stage.sees("`yes!` is not in the list");
    let store = crate::registry::store::Store::open(folder.path()).unwrap();
    assert_eq!(store.pending().unwrap().len(), 1);
}

#[test]
fn a_share_and_settings_are_set_with_a_reason() {
    let (_folder, mut stage) = stage(120, 36);
    stage.press("r Enter Enter");
    stage.type_text("first");
    stage.press("Enter c");
    stage.sees("`credit_risk` has no challenger");
    stage.press("p Down Enter");
    stage.type_text("try it");
    stage.press("Enter c");
    stage.type_text("some");
    stage.press("Enter");
    stage.sees("`some` is no share");
    stage.press("Esc :");
    stage.type_text("challenger-share 25 %");
    stage.press("Enter");
    stage.sees("25 % of it");
    stage.sees("one key always goes to one side");
    stage.type_text("careful");
    stage.press("Enter o Enter");
    stage.sees("what becomes of missing values");
    stage.type_text("fill");
    stage.press("Enter");
    stage.type_text("they do occur");
    stage.press("Enter o");
    stage.sees("· fill");
    stage.type_text("log");
    stage.press("Enter");
    stage.type_text("age_years=burn");
    stage.press("Enter");
    stage.sees("cannot be that");
    stage.press("Backspace*4");
    stage.type_text("drop");
    stage.press("Enter");
    stage.type_text("privacy");
    stage.press("Enter");
    let known = stage.app.serve.known.clone().unwrap();
    let model = &known.models[0];
    assert_eq!((model.split().challenger, model.split().sticky), (0.25, true));
    assert_eq!(model.settings["missing"], "fill");
    assert_eq!(model.settings["log"]["age_years"], "drop");
    assert_eq!(known.events[0].why, "privacy");
}

#[test]
fn esc_goes_back_one_step() {
    let (_folder, mut stage) = stage(120, 36);
    stage.press("r Enter Enter");
    stage.type_text("first");
    stage.press("Enter o Enter");
    stage.sees("what becomes of missing values");
    stage.press("Esc");
    stage.sees("How is `credit_risk` served?");
    stage.press("Esc ] Esc");
    assert_eq!((stage.app.screen, stage.app.serve.tab), (Screen::Serve, ServeTab::Models));
    stage.press("Esc");
    assert_eq!(stage.app.screen, Screen::Workbench);
}

#[test]
fn the_cursor_stays_on_a_key_that_is_revoked() {
    let (_folder, mut stage) = stage(120, 36);
    for name in ["one", "two"] {
        stage.press("n");
        stage.type_text(name);
        stage.press("Enter Enter Enter");
        stage.type_text("why");
        stage.press("Enter Esc");
    }
    stage.press("] ] Home");
    let chosen = |stage: &Rehearsal| stage.app.serve.keys()[stage.app.serve.row()].id.clone();
    let before = chosen(&stage);
    stage.press("d");
    stage.type_text("lost");
    stage.press("Enter");
    assert_eq!((chosen(&stage), stage.app.serve.row()), (before, 1));
}

#[test]
fn aliases_are_made_and_pointed_back_knowingly() {
    let (_folder, mut stage) = stage(120, 36);
    stage.press("r Enter Enter");
    stage.type_text("first");
    stage.press("Enter b");
    stage.sees("has pointed to another version before");
    stage.press("p");
    stage.sees("points to version 1");
    stage.press("Enter");
    stage.sees("is its `champion` already");
    stage.press("p");
    stage.type_text("chmpion!");
    stage.press("Enter");
    stage.sees("There is no alias `chmpion!` yet");
    stage.press("n");
    // A second version becomes the champion, and the first one again.
    stage.press("q t V r Enter Enter");
    stage.type_text("second");
    stage.press("Enter b");
    stage.sees("Point `champion` of `credit_risk` from version 2 back to version 1?");
}

#[test]
fn what_went_wrong_is_told_in_full() {
    let (_folder, mut stage) = stage(80, 24);
    let words: Vec<String> = (0..30).map(|i| format!("word{i}")).collect();
    stage.app.refuse(&format!("{}\nhint: ask someone else", words.join(" ")));
    stage.resize(80, 24);
    for word in words {
        stage.sees(&word);
    }
    stage.sees("ask someone else");
}

#[test]
fn the_footer_follows_the_view() {
    let (_folder, mut stage) = stage(80, 24);
    stage.sees("s start/stop  p promote");
    stage.press("] ]");
    stage.sees("n new key  R other secret");
}

#[test]
fn an_expired_key_is_shown_so_without_a_server() {
    let (_folder, mut stage) = stage(120, 36);
    stage.press("n");
    stage.type_text("app");
    stage.press("Enter Enter");
    stage.type_text("expires=1");
    stage.press("Enter");
    stage.type_text("trial");
    stage.press("Enter Esc ] ]");
    stage.sees("good until");
    let mut known = Registered::clone(stage.app.serve.known.as_ref().unwrap());
    known.read_ms = known.keys[0].expires_ms.unwrap();
    stage.app.serve.known = Some(Arc::new(known));
    stage.resize(119, 36);
    stage.sees("expired 2");
}

#[test]
fn a_server_is_started_in_one_of_three_ways() {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    let (_folder, mut stage) = stage(120, 36);
    let mut started = |keys: &str, typed: &str| {
        stage.press("s");
        stage.press(keys);
        for c in typed.chars() {
            stage.app.press(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        }
        let effects = stage.app.press(KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE));
        stage.app.jobs = crate::ui::app::Jobs::default();
        match effects.as_slice() {
            [Effect::Start(_, Work::Outside(Outside::Errand(errand)))] => errand.line(),
            other => panic!("{other:?}\n{}", stage.text()),
        }
    };
    assert!(started("", "").contains("serve start --addr 127.0.0.1:8080 --workspace"));
    assert!(started("Down", "").contains("--addr 127.0.0.1:8080 --no-keys"));
    let line = started("Up Enter", "--addr 0.0.0.0:1 --tls-cert 'a b.pem'");
    assert!(line.contains("--addr 0.0.0.0:1 --tls-cert 'a b.pem'"), "{line}");
}

#[test]
fn the_palette_leads_to_where_something_can_be_done() {
    let (_folder, mut stage) = stage(120, 36);
    stage.press("q :");
    stage.type_text("rotate-key");
    stage.press("Enter");
    stage.sees("choose what it is about, then press R");
    assert_eq!(stage.app.screen, Screen::Serve);
    stage.press("q :");
    stage.type_text("erase-subject");
    stage.press("Enter");
    stage.sees("Erase everything that is kept of whom?");
    assert_eq!(stage.app.screen, Screen::Monitor);
}

#[test]
fn who_answers_comes_first_among_aliases() {
    let aliases = ["audit", "challenger", "champion", "shadow"].map(str::to_owned);
    assert_eq!(ranked(&aliases), ["champion", "challenger", "shadow", "audit"]);
}
