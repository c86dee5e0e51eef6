//! Decisions about named models, keys and rows from the command line: what is said, kept, and
//! refused.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::place::{Place, Said, loans, number};

/// A place with so many runs on [`loans`], the first two of which are the versions 1 and 2 of the
/// model `loans`.
fn with_runs(n: usize) -> Place {
    let place = Place::new();
    place.file("loans.csv", loans());
    let train = ["train", "loans.csv", "--target", "bad", "--positive", "yes", "--use-protected"];
    for alpha in 1..=n {
        let set = format!("alpha={alpha}");
        place.json(&[&train[..], &["--model", "logistic", "--set", &set, "--json"]].concat());
    }
    for run in ["r1", "r2"].iter().take(n) {
        place.json(&["runs", "promote", run, "--name", "loans", "--json"]);
    }
    place
}

/// Runs what must fail with these words, while runs are there that stay there.
#[track_caller]
fn fails(place: &Place, args: &[&str], expected: &[&str]) -> Said {
    let said = place.karat(args);
    assert_eq!((said.status, &said.out as &str), (1, ""), "{args:?}: {}", said.err);
    for words in expected {
        assert!(said.err.contains(words), "{args:?} does not say `{words}`: {}", said.err);
    }
    said
}

#[test]
fn a_number_that_is_a_run_and_a_version_is_refused() {
    let place = with_runs(3);
    let promote = |what: &str| {
        let said = place.json(&["runs", "promote", what, "--name", "loans", "--json"]);
        (said["version"].as_u64().unwrap(), said["registered"].as_bool().unwrap())
    };
    let args = ["runs", "promote", "2", "--name", "loans"];
    fails(&place, &args, &["run r0002 and version 2 of `loans`", "`r0002`", "`v2`"]);
    assert_eq!(promote("v1"), (1, false));
    assert_eq!(promote("loans@2"), (2, false));
    assert_eq!(promote("loans@champion"), (2, false));
    assert_eq!(promote("3"), (3, true), "that is a run alone");
    assert_eq!(promote("r3"), (3, false), "the same model is registered once");
    fails(&place, &["runs", "promote", "v7", "--name", "loans"], &["no version or alias `7`"]);
    // A version of one name can be that of another.
    let copied = ["runs", "promote", "loans@1", "--name", "other", "--json"];
    assert_eq!(place.json(&copied)["version"], 1);
}

#[test]
fn a_run_is_registered_with_the_threshold_that_is_asked_for() {
    let place = with_runs(1);
    let args = ["runs", "promote", "r1", "--name", "loans", "--threshold", "0.9", "--json"];
    let first = place.json(&args);
    assert_eq!((&first["version"], &first["registered"]), (&json!(2), &json!(true)));
    let again = place.json(&args);
    assert_eq!((&again["version"], &again["registered"]), (&json!(2), &json!(false)));
    let told = place.json(&["evaluate", "loans@2", "loans.csv", "--json"]);
    assert_eq!(number(&told["threshold"]), 0.9);
    let wrong = ["runs", "promote", "v1", "--name", "loans", "--threshold", "0.9"];
    fails(&place, &wrong, &["`--threshold` goes with a run"]);
}

#[test]
fn a_threshold_that_no_probability_reaches_is_refused() {
    let place = with_runs(1);
    for threshold in ["7", "-0.1", "1.0001"] {
        let args = ["runs", "promote", "r1", "--name", "loans", "--threshold", threshold];
        fails(&place, &args, &[threshold, "is no probability", "from 0 to 1"]);
    }
    let versions = place.json(&["runs", "registered", "loans", "--json"]);
    assert_eq!(versions["models"][0]["versions"].as_array().unwrap().len(), 1);
}

#[test]
fn a_version_is_named_in_every_way_and_a_workspace_before_the_command() {
    let place = with_runs(2);
    fails(&place, &["runs", "retire", "loans"], &["which version of `loans`", "`loans@2`"]);
    let both = ["runs", "retire", "loans@2", "--version", "2"];
    fails(&place, &both, &["which version of `loans`"]);
    let retired = place.json(&["runs", "retire", "loans@v1", "--json"]);
    assert_eq!(retired["done"]["version"], 1);
    let restored = place.json(&["runs", "restore", "loans", "--version", "1", "--json"]);
    assert_eq!(restored["done"]["version"], 1);
    let told = place.json(&["evaluate", "loans@v1", "loans.csv", "--json"]);
    assert_eq!(told["rows"], place.json(&["evaluate", "loans@1", "loans.csv", "--json"])["rows"]);
    for before in [&["--workspace", ".karat"][..], &["--workspace=.karat"]] {
        let runs = place.json(&[before, &["runs", "list", "--json"]].concat());
        assert_eq!(runs["runs"].as_array().unwrap().len(), 2);
    }
    fails(&place, &["runs", "live", "loans", "--at", "2999-01-01T00:00"], &["is yet to come"]);
    fails(&place, &["monitor", "erase", " "], &["the subject is empty"]);
}

#[test]
fn a_model_made_elsewhere_is_measured_on_its_own_classes_alone() {
    let place = Place::new();
    place.file("loans.csv", loans());
    let train = ["train", "loans.csv", "--target", "bad", "--positive", "yes", "--use-protected"];
    let numbers = ["--drop", "purpose", "--model", "logistic", "--json"];
    place.json(&[&train[..], &numbers].concat());
    place.json(&["export", "r1", "--out", "m.onnx", "--predictor-only", "--json"]);
    let import = ["runs", "import", "m.onnx", "--data", "loans.csv", "--target", "bad"];
    let said = place.karat(&[&import[..], &["--classes", "0,1"]].concat());
    assert_eq!(said.status, 1, "{}", said.out);
    for words in ["tells `0` and `1` apart", "`bad` holds `no`", "--classes no,yes"] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
}

#[test]
fn what_is_hinted_at_after_a_training_promotes_that_very_model() {
    let place = with_runs(3);
    let trained = place.karat(&["monitor", "retrain", "loans"]);
    assert_eq!(trained.status, 0, "{}", trained.err);
    let (_, hint) = trained.out.split_once("`karat ").unwrap();
    let (hint, _) = hint.split_once('`').unwrap();
    let words: Vec<&str> = hint.split(' ').chain(["--json"]).collect();
    let promoted = place.json(&words);
    assert_eq!((&promoted["run_id"], &promoted["registered"]), (&json!("r0004"), &json!(false)));
    assert_eq!(promoted["version"], 3, "the candidate");
    place.file("new.csv", loans());
    let every = ["monitor", "retrain", "loans", "--every", "24h", "--why", "it drifts"];
    let job = place.json(&[&every[..], &["--data", "new.csv", "--json"]].concat());
    let data = job["data"].as_str().unwrap();
    assert!(data.starts_with('/') && data.ends_with("/new.csv"), "{data}");
}

#[test]
fn a_name_that_nobody_knows_is_said_with_the_nearest() {
    let place = with_runs(1);
    for args in [
        &["monitor", "laons"][..],
        &["monitor", "laons", "--json"],
        &["monitor", "retrain", "laons"],
        &["monitor", "retrain", "laons", "--never"],
        &["monitor", "export", "laons", "--out", "p.csv"],
        &["runs", "registered", "laons"],
        &["runs", "registered", "laons", "--json"],
        &["runs", "audit", "--name", "laons"],
        &["runs", "live", "laons"],
        &["runs", "settings", "laons"],
        &["runs", "rollback", "laons"],
        &["runs", "retire", "laons", "--version", "1"],
    ] {
        fails(&place, args, &["no model `laons`", "did you mean `loans`?"]);
    }
    assert_eq!(
        place.json(&["runs", "registered", "loans", "--json"])["models"][0]["name"],
        "loans"
    );
}

#[test]
fn what_is_decided_about_keys_and_people_is_told_with_its_reason() {
    let place = with_runs(0);
    let far = ["keys", "create", "--scope", "infer", "--expires", "1e12", "--why", "an app"];
    let key = place.json(&[&far[..], &["--json"]].concat());
    let id = key["id"].as_str().unwrap();
    let listed = place.json(&["keys", "list", "--json"]);
    assert!(number(&listed["keys"][0]["expires_ms"]) > 4e12, "{listed}");
    assert_eq!(place.karat(&["keys", "list"]).status, 0);
    place.json(&["keys", "rotate", id, "--why", "a year is over", "--json"]);
    let erased = place.json(&["monitor", "erase", "ann-1973", "--why", "she asked", "--json"]);
    assert_eq!(erased["erased"], 0);
    let audit = place.json(&["runs", "audit", "--json"]);
    let events = audit["events"].as_array().unwrap();
    let of = |action: &str| events.iter().find(|own| own["action"] == action).unwrap();
    assert_eq!(of("create key")["why"], "an app");
    assert_eq!(of("rotate key")["why"], "a year is over");
    let erasure = of("erase");
    assert_eq!((&erasure["why"], &erasure["subject"]), (&json!("she asked"), &erased["subject"]));
    assert_eq!(erasure["seq"], erased["event"]);
    assert!(!audit.to_string().contains("ann-1973"), "{erasure}");
}

#[test]
fn a_server_in_front_tells_where_it_listens() {
    let place = Place::new();
    let args = ["serve", "--addr", "127.0.0.1:0", "--json"];
    let mut child = place.command(&args).stdout(Stdio::piped()).spawn().unwrap();
    let mut text = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    while !text.ends_with("}\n") && out.read_line(&mut text).unwrap() > 0 {}
    let (_, _) = (child.kill(), child.wait());
    let told: Value = serde_json::from_str(&text).unwrap();
    assert!(told["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{text}");
    assert_eq!(told["pid"], child.id());
}

#[test]
fn a_row_is_decided_with_reasons_and_what_would_change_it() {
    let place = with_runs(1);
    let explain = |row: usize, options: &[&str]| {
        let row = row.to_string();
        let args = ["explain", "r1", "loans.csv", "--row", &row, "--json"];
        place.json(&[&args[..], options].concat())
    };
    let is_adverse = |row: &usize| explain(*row, &[])["decision"]["adverse"] == true;
    let row = (1..20).find(is_adverse).expect("someone is called `yes`");
    let told = explain(row, &[]);
    assert_eq!((&told["adverse"], &told["background"]), (&json!("yes"), &json!("all")));
    assert_eq!((&told["before"], &told["changed"]), (&Value::Null, &json!([])));
    assert_eq!(told["decision"]["prediction"], "yes");
    let reasons = told["reasons"].as_array().unwrap();
    assert!((1..=4).contains(&reasons.len()), "{told}");
    assert!(reasons.iter().all(|own| number(&own["shortfall"]) > 0.0), "{told}");
    // `age` is protected: it may weigh, and is not named.
    assert!(reasons.iter().all(|own| own["feature"] != "age"), "{told}");
    assert!(told["withheld"].is_boolean() && number(&told["reason_rows"]) > 0.0, "{told}");
    let near = explain(row, &["--background", "near_threshold"]);
    assert_eq!(near["background"], "near_threshold");
    let other = explain(row, &["--adverse", "no"]);
    assert_eq!((&other["adverse"], &other["decision"]["adverse"]), (&json!("no"), &json!(false)));

    let changed = explain(row, &["--set", "purpose=house", "--set", "income="]);
    assert_eq!(changed["before"], told["decision"]);
    assert_ne!(changed["decision"], told["decision"]);
    let remarks: Vec<_> =
        changed["changed"].as_array().unwrap().iter().map(|own| &own["remark"]).collect();
    assert_eq!(remarks, ["missing", "usual"], "income, then purpose");
    let parts = changed["attributions"].as_array().unwrap().iter();
    let sum: f64 = parts.map(|part| number(&part["contribution"])).sum();
    assert!((number(&changed["base"]) + sum - number(&changed["score"])).abs() < 1e-9);

    let row = row.to_string();
    let said = place.karat(&["explain", "r1", "loans.csv", "--row", &row, "--set", "age=33"]);
    assert_eq!(said.status, 0, "{}", said.err);
    for words in ["the model says yes", "with age 33 in place of", "it would say"] {
        assert!(said.out.contains(words), "{words}: {}", said.out);
    }
    let said = place.karat(&["explain", "r1", "loans.csv", "--row", &row]);
    let reason = reasons[0]["feature"].as_str().unwrap();
    assert!(said.out.contains("method (B): furthest") && said.out.contains(reason), "{}", said.out);

    let refused = |options: &[&str], expected: &[&str]| {
        fails(&place, &[&["explain", "r1", "loans.csv"], options].concat(), expected);
    };
    refused(&["--adverse", "maybe"], &["no class `maybe`", "`no` and `yes`"]);
    refused(&["--set", "incme=3"], &["`incme`", "did you mean `income`?"]);
    refused(&["--set", "age=old"], &["`age`", "number"]);
}

#[test]
fn every_key_of_a_decision_is_documented() {
    let place = with_runs(1);
    let text = place.karat(&["help", "json"]).out;
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let documented: Vec<&str> = text.split(|c| !is_part(c)).collect();
    for args in [
        &["explain", "r1", "loans.csv", "--set", "age=33"][..],
        &["export", "r1", "--format", "sql", "--out", "m.sql"],
        &["export", "r1", "--format", "mlflow", "--out", "m"],
        &["runs", "promote", "r1", "--name", "loans"],
        &["runs", "registered"],
        &["runs", "settings", "loans"],
        &["runs", "audit"],
        &["runs", "live", "loans"],
        &["runs", "verify"],
        &["runs", "pending"],
        &["keys", "create", "--scope", "infer"],
        &["keys", "list"],
        &["monitor"],
        &["monitor", "alerts"],
        &["monitor", "check", "loans@1", "loans.csv"],
        &["monitor", "erase", "ann"],
        &["monitor", "retrain", "loans", "--every", "24h"],
        &["monitor", "retrain", "loans", "--never"],
        &["monitor", "retrain", "loans"],
    ] {
        let answer = place.json(&[args, &["--json"]].concat());
        let lost =
            answer.as_object().unwrap().keys().find(|key| !documented.contains(&key.as_str()));
        assert_eq!(lost, None, "{args:?}");
    }
}
