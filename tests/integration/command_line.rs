//! The program as a shell sees it: what it answers, with which status, and what it leaves behind.

use std::fs;

use serde_json::Value;

use crate::place::{Place, loans, number, sample};

#[test]
fn the_seed_of_the_field_is_met_to_the_last_digit() {
    let place = Place::new();
    let data = sample("credit_data.txt");
    let args = ["train", &data, "--model", "linear", "--split", "sklearn", "--test", "0.2"];
    let run = place.json(&[&args[..], &["--seed", "42", "--json"]].concat());
    // scikit-learn 1.5: LinearRegression on train_test_split(test_size=0.2, random_state=42).
    let mse = number(&run["metrics"]["test"]["mse"]);
    assert!((mse - 0.154_465_311_346_968_42).abs() < 1e-9, "{mse}");
    assert_eq!((&run["model"], &run["task"]), (&"linear".into(), &"binary".into()));
    assert_eq!(run["run_id"], "r0001");
    let split = &run["split"];
    assert_eq!((&split["train_rows"], &split["test_rows"]), (&800.into(), &200.into()));
    assert_eq!((&split["method"], &split["seed"]), (&"sklearn".into(), &42.into()));
    for metric in ["mse", "rmse", "mae", "r2", "roc_auc", "ks", "gini"] {
        assert!(run["metrics"]["test"][metric].is_number(), "{metric}: {run}");
        assert!(run["metrics"]["train"][metric].is_number(), "{metric}");
    }
    assert_eq!(run["dataset"]["rows"], 1000);
    assert_eq!(run["dataset"]["sha256"].as_str().unwrap().len(), 64);
    assert!(number(&run["fit_seconds"]) >= 0.0);
    assert!(run["intercept"].is_number());
    let coefficients = run["coefficients"].as_array().unwrap();
    assert!(!coefficients.is_empty());
    for c in coefficients {
        assert!(c["feature"].is_string() && c["value"].is_number() && c["std_error"].is_number());
    }
    let artifact = place.path(run["artifact"].as_str().unwrap());
    assert!(artifact.is_file(), "{}", artifact.display());
}

#[test]
fn a_model_goes_through_evaluate_and_score_unchanged() {
    let place = Place::new();
    let data = place.file("loans.csv", loans());
    let train = ["train", &data, "--target", "bad", "--positive", "yes", "--use-protected"];
    let options = ["--model", "logistic", "--test", "0", "--out", "m.karat", "--json"];
    let run = place.json(&[&train[..], &options[..]].concat());
    assert_eq!(run["metrics"].get("test"), None, "no row is kept back");
    assert_eq!(run["split"]["train_rows"], 80);

    let evaluated = place.json(&["evaluate", "m.karat", &data, "--json"]);
    assert_eq!((&evaluated["model"], &evaluated["rows"]), (&"logistic".into(), &80.into()));
    for (name, value) in run["metrics"]["train"].as_object().unwrap() {
        assert_eq!(&evaluated["metrics"][name], value, "{name}");
    }
    let by_id = place.json(&["evaluate", "r0001", &data, "--json"]);
    assert_eq!(by_id["metrics"], evaluated["metrics"]);

    let scored = place.json(&["score", "m.karat", &data, "--out", "scored.csv", "--json"]);
    assert_eq!(scored["rows"], 80);
    let text = fs::read_to_string(place.path("scored.csv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("income,purpose,age,bad,prediction,probability"));
    for (line, original) in lines.zip(loans().lines().skip(1)) {
        let added = line.strip_prefix(original).unwrap_or_else(|| panic!("{line}"));
        let [_, label, probability] = added.split(',').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        assert!(label == "yes" || label == "no", "{line}");
        assert!((0.0..=1.0).contains(&probability.parse::<f64>().unwrap()), "{line}");
    }
    let piped = place.karat(&["score", "r1", &data]);
    assert_eq!(piped.out, text, "without --out the same goes to standard output");
    let rows = place.json(&["score", "m.karat", &data, "--json"]);
    assert_eq!(rows["predictions"].as_array().unwrap().len(), 80);
}

#[test]
fn a_comparison_ranks_and_tests() {
    let place = Place::new();
    let data = sample("german_credit.csv");
    let args =
        ["compare", &data, "--target", "credit_risk", "--models", "baseline,linear,logistic"];
    let answer = place.json(&[&args[..], &["--cv", "5", "--json"]].concat());
    let leaderboard = answer["leaderboard"].as_array().unwrap();
    assert_eq!(leaderboard.len(), 3);
    assert_eq!(leaderboard[2]["model"], "baseline", "the worst comes last");
    for row in leaderboard {
        assert!(row["run_id"].is_string());
        let auc = &row["metrics"]["roc_auc"];
        assert!(auc["value"].is_number() && auc.get("low").is_some() && auc.get("high").is_some());
    }
    let tests = answer["tests"].as_array().unwrap();
    assert_eq!(tests.len(), 2);
    assert!(tests.iter().all(|test| test["p_holm"].is_number()), "{tests:?}");
    assert!(answer["sentence"].is_string());
    let text = place.karat(&args);
    assert_eq!(text.status, 0, "{}", text.err);
    assert!(text.out.contains("logistic") && text.out.contains("AUC"), "{}", text.out);
    let runs = place.json(&["runs", "list", "--json"]);
    assert_eq!(runs["runs"].as_array().unwrap().len(), 6, "all are kept");
}

#[test]
fn every_key_of_an_answer_is_documented() {
    let place = Place::new();
    let data = place.file("loans.csv", loans());
    let text = place.karat(&["help", "json"]).out;
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let documented: Vec<&str> = text.split(|c| !is_part(c)).collect();
    for args in [
        &["train", &data, "--target", "bad", "--out", "m.karat"][..],
        &["compare", &data, "--target", "bad"],
        &["evaluate", "m.karat", &data],
        &["score", "m.karat", &data],
        &["score", "m.karat", &data, "--out", "s.csv"],
        &["profile", &data],
        &["models"],
        &["runs", "list"],
        &["runs", "show", "r1"],
        &["runs", "export", "r1"],
        &["runs", "note", "r1", "good"],
        &["runs", "history"],
        &["runs", "delete", "r1"],
    ] {
        let answer = place.json(&[args, &["--json"]].concat());
        let lost =
            answer.as_object().unwrap().keys().find(|key| !documented.contains(&key.as_str()));
        assert_eq!(lost, None, "{args:?}");
    }
}

#[test]
fn a_table_is_profiled() {
    let place = Place::new();
    let answer = place.json(&["profile", &sample("german_credit.csv"), "--json"]);
    assert_eq!(answer["dataset"]["rows"], 1000);
    assert_eq!(answer["target"], "credit_risk");
    assert_eq!(answer["columns"].as_array().unwrap().len(), 21);
    assert!(!place.path(".karat").exists(), "looking makes no workspace");
    let text = place.karat(&["profile", "german_credit"]);
    assert_eq!(text.status, 0, "{}", text.err);
    assert!(text.out.contains("duration"), "{}", text.out);
    assert!(!text.out.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn the_proposed_target_is_named_on_standard_error() {
    let place = Place::new();
    let said = place.karat(&["train", "sample:german_credit", "--json"]);
    assert_eq!(said.status, 0, "{}", said.err);
    assert!(said.err.contains("target `credit_risk`"), "{}", said.err);
    let run: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(run["model"], "logistic", "chosen by the task");
    let features = run["coefficients"].as_array().unwrap();
    let protected = ["age_years", "personal_status_sex", "foreign_worker"];
    let is_in = |name: &&str| features.iter().any(|c| c["column"] == **name);
    assert_eq!(protected.iter().find(|name| is_in(name)), None, "protected columns stay out");
}

#[test]
fn runs_are_listed_shown_exported_and_deleted() {
    let place = Place::new();
    let none = place.json(&["runs", "list", "--json"]);
    assert_eq!(none["runs"], Value::Array(vec![]));
    let data = place.file("loans.csv", loans());
    let train = ["train", &data, "--target", "bad", "--model", "ridge", "--set", "alpha=2"];
    let first = place.json(&[&train[..], &["--json"]].concat());
    let shown = place.json(&["runs", "show", "r1", "--json"]);
    for key in ["metrics", "coefficients", "experiment", "dataset", "split", "intervals"] {
        assert_eq!(shown[key], first[key], "{key}");
    }
    let toml = place.karat(&["runs", "export", "r0001"]);
    assert_eq!(toml.status, 0, "{}", toml.err);
    place.file("again.toml", &toml.out);
    let again = place.json(&["train", "again.toml", "--json"]);
    assert_eq!(again["run_id"], "r0002");
    assert_eq!(again["metrics"], first["metrics"], "an experiment gives the same run");
    assert_eq!(again["coefficients"], first["coefficients"]);
    let history = place.karat(&["runs", "history"]);
    assert!(history.out.contains("karat train"), "{}", history.out);
    assert_eq!(place.json(&["runs", "delete", "r1", "--json"])["deleted"][0], "r0001");
    place_has_no(&place, "r1");
    let third = place.json(&[&train[..], &["--json"]].concat());
    assert_eq!(third["run_id"], "r0003", "ids are not used again");
}

fn place_has_no(place: &Place, run: &str) {
    let said = place.karat(&["runs", "show", run]);
    assert_eq!(said.status, 1);
    assert!(said.err.contains("error: no run") && said.err.contains("hint: "), "{}", said.err);
}

#[test]
fn the_catalog_is_told() {
    let answer = Place::new().json(&["models", "--json"]);
    let names: Vec<_> = answer["models"].as_array().unwrap().iter().map(|m| &m["name"]).collect();
    let simple = ["baseline", "linear", "ridge", "logistic"];
    assert_eq!(names[..4], simple);
    assert_eq!(names[4..], ["mlp", "fcn", "resnet1d", "lenet", "cnn2d"]);
}

#[test]
fn progress_goes_to_standard_error_as_lines_of_json() {
    let place = Place::new();
    let data = place.file("loans.csv", loans());
    let train = ["train", &data, "--target", "bad", "--cv", "3", "--json", "--progress", "json"];
    let said = place.karat(&train);
    assert_eq!(said.status, 0, "{}", said.err);
    let steps: Vec<Value> =
        said.err.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(steps.iter().any(|step| step["fraction"].is_number()), "{}", said.err);
    serde_json::from_str::<Value>(&said.out).unwrap();
}

#[test]
fn standard_input_is_a_table_too() {
    let place = Place::new();
    let data = fs::File::open(place.path(&place.file("loans.csv", loans()))).unwrap();
    let output =
        place.command(&["train", "-", "--target", "bad", "--json"]).stdin(data).output().unwrap();
    let run: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(run["dataset"]["rows"], 80);
}

#[test]
fn what_comes_later_can_be_predicted_and_the_future_stays_out() {
    let place = Place::new();
    let run = place.json(&["train", "us_stocks", "--features", "volume,close", "--json"]);
    assert_eq!((&run["target"], &run["split"]["method"]), (&"up".into(), &"time".into()));
    assert!(!run["warnings"].to_string().contains("future"), "{}", run["warnings"]);
    let mut prices = "day,close,other\n".to_owned();
    for i in 0..60_u32 {
        let (month, day) = (i / 28 + 1, i % 28 + 1);
        let close = 100 + (i * 37) % 23;
        prices.extend([format!("2024-{month:02}-{day:02},{close},{}\n", (i * 13) % 7)]);
    }
    let data = place.file("prices.csv", prices);
    let ahead = "next = difference of close in 2";
    let run = place.json(&["train", &data, "--ahead", ahead, "--json"]);
    assert_eq!((&run["target"], &run["model"]), (&"next".into(), &"linear".into()));
    assert!(run["warnings"].to_string().contains("2 rows whose target looks from the training"));
    let step = &run["experiment"]["data"]["steps"][0];
    assert_eq!((&step["step"], &step["time"]), (&"ahead".into(), &"day".into()));
    let shuffled = ["train", &data, "--ahead", ahead, "--split", "random", "--json"];
    let shuffled = place.json(&shuffled);
    let first = shuffled["warnings"][0].as_str().unwrap();
    assert!(first.starts_with("a `random` split looks into the future"), "{first}");
    let compared = ["compare", &data, "--ahead", ahead, "--models", "baseline,linear", "--json"];
    assert_eq!(place.json(&compared)["target"], "next");
    let place = Place::new();
    let data = place.file("prices.csv", "day,close\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n");
    let wrong = ["train", &data, "--ahead", "next = return of clsoe in 1"];
    place.refuses(&wrong, &["no column `clsoe`", "did you mean `close`?"]);
    let said = place.karat(&["train", &data, "--ahead", "next = retrun of close in 1"]);
    assert_eq!(said.status, 2, "{}", said.err);
    assert!(said.err.contains("none of return, log_return"), "{}", said.err);
}

#[test]
fn every_sample_is_profiled_without_a_hitch() {
    let place = Place::new();
    for (name, target) in [("digits", "digit"), ("us_stocks", "up"), ("ecb_fx", "usd_return")] {
        let answer = place.json(&["profile", name, "--json"]);
        assert_eq!(answer["target"], target, "{name}");
        let text = place.karat(&["profile", name]);
        assert_eq!(text.status, 0, "{}", text.err);
    }
}

/// Three classes that the columns tell apart but for a few rows, each with a name that is cut.
fn plants() -> String {
    let mut text = "height,width,kind\n".to_owned();
    for i in 0..90_u32 {
        let kind = ["fern", "moss", "oak"][(i % 3) as usize];
        let height = 10 * (i % 3) + i * 7 % 13;
        text.extend([&format!("{height},{}", 5 + i * 11 % 17), ",", kind, "\n"]);
    }
    text
}

#[test]
fn several_classes_go_from_table_to_scores() {
    let place = Place::new();
    let data = place.file("plants.csv", plants());
    let run = place.json(&["train", &data, "--out", "m.karat", "--json"]);
    assert_eq!((&run["model"], &run["task"]), (&"logistic".into(), &"multiclass".into()));
    assert_eq!(run["classes"], serde_json::json!(["fern", "moss", "oak"]));
    assert_eq!(run["measured_on"], "test");
    let support: u64 = (0..3).map(|i| run["per_class"][i]["support"].as_u64().unwrap()).sum();
    assert_eq!(support, run["split"]["test_rows"].as_u64().unwrap());
    let counts = run["confusion"]["counts"].as_array().unwrap();
    let right: u64 = (0..3).map(|i| counts[i][i].as_u64().unwrap()).sum();
    let accuracy = number(&run["metrics"]["test"]["accuracy"]);
    assert!((accuracy - right as f64 / support as f64).abs() < 1e-12, "{run}");
    assert!(0.7 < accuracy, "{accuracy}");
    let oak = run["coefficients"].as_array().unwrap().iter();
    let oak: Vec<_> = oak.filter(|c| c["class"] == "oak").map(|c| c["feature"].clone()).collect();
    assert_eq!(oak, ["intercept", "height", "width"]);

    place.karat(&["score", "m.karat", &data, "--out", "s.csv"]);
    let scored = fs::read_to_string(place.path("s.csv")).unwrap();
    let head = "height,width,kind,prediction,probability_fern,probability_moss,probability_oak";
    assert_eq!(scored.lines().next(), Some(head));
    let first: Vec<&str> = scored.lines().nth(1).unwrap().split(',').collect();
    let sum: f64 = first[4..].iter().map(|p| p.parse::<f64>().unwrap()).sum();
    assert!(first[3] == "fern" && (sum - 1.0).abs() < 1e-9, "{first:?}");

    let only = place.file("oaks.csv", "height,width,kind\n31,9,oak\n24,8,oak\n2,9,fern\n");
    let evaluated = place.json(&["evaluate", "m.karat", &only, "--json"]);
    assert_eq!(evaluated["per_class"][2]["support"], 2, "classes keep their places");
    assert!(evaluated["per_class"][1]["recall"].is_null());
    let strange = place.file("elm.csv", "height,width,kind\n31,9,elm\n24,8,oak\n");
    let said = place.karat(&["evaluate", "m.karat", &strange]);
    assert!(said.status == 1 && said.err.contains("the class `elm`, which is new"), "{}", said.err);

    let compared = place.json(&["compare", &data, "--models", "baseline,logistic", "--json"]);
    assert_eq!(
        (&compared["metric"], &compared["task"]),
        (&"accuracy".into(), &"multiclass".into())
    );
    assert_eq!(compared["tests"][0]["method"], "McNemar, exact");
    let text = place.karat(&["runs", "show", "r0001"]).out;
    assert!(text.contains("each class (test)") && text.contains("actual ↓ called →"), "{text}");
    let said = place.karat(&["train", &data, "--model", "linear"]);
    assert!(said.status == 1 && said.err.contains("knows no classes"), "{}", said.err);
}

#[test]
fn a_row_is_explained_and_its_parts_sum_to_its_score() {
    let place = Place::new();
    let data = place.file("loans.csv", loans());
    let model = ["train", &data, "--model", "logistic", "--out", "m.karat", "--use-protected"];
    place.json(&[&model[..], &["--json"]].concat());
    for (method, tolerance) in [("exact", 1e-9), ("integrated_gradients", 1e-9)] {
        let words = ["explain", "m.karat", &data, "--row", "7", "--method", method, "--json"];
        let said = place.json(&words);
        assert_eq!((number(&said["row"]), said["space"].as_str()), (7.0, Some("log_odds")));
        let parts = said["attributions"].as_array().unwrap();
        assert_eq!(parts.len(), 3, "{parts:?}");
        let sum: f64 = parts.iter().map(|part| number(&part["contribution"])).sum();
        let apart = number(&said["score"]) - number(&said["base"]) - sum;
        assert!(apart.abs() < tolerance, "{method} leaves {apart}");
    }
    let text = place.karat(&["explain", "m.karat", &data, "--row", "7"]);
    assert!(text.status == 0 && text.out.contains("purpose"), "{} {}", text.out, text.err);
    fs::remove_dir_all(place.path(".karat")).unwrap();
    place.refuses(&["explain", "m.karat", &data, "--row", "81"], &["rows 1 to 80"]);
    place.refuses(&["explain", "m.karat", &data, "--method", "shap"], &["no method `shap`"]);
    place.refuses(&["explain", "m.karat", &data, "--class", "maybe"], &["`yes`"]);
}

#[test]
fn a_model_is_exported_whole_or_refused_by_the_name_of_the_column() {
    let place = Place::new();
    let data = place.file("loans.csv", loans());
    let model = ["train", &data, "--model", "logistic", "--out", "m.karat", "--use-protected"];
    place.json(&[&model[..], &["--json"]].concat());
    let said = place.json(&["export", "m.karat", "--out", "m.onnx", "--json"]);
    let names = |key: &str| -> Vec<String> {
        let ports = said[key].as_array().unwrap();
        ports.iter().map(|port| port["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("inputs"), ["income", "purpose", "age"]);
    assert_eq!(names("outputs"), ["prediction", "probability"]);
    let bytes = fs::read(place.path("m.onnx")).unwrap();
    assert_eq!(number(&said["bytes"]), bytes.len() as f64);

    let strict = ["--unseen", "error", "--out", "strict.karat", "--json"];
    place.json(&[&model[..4], &strict[..]].concat());
    fs::remove_dir_all(place.path(".karat")).unwrap();
    let refused = ["export", "strict.karat", "--out", "strict.onnx"];
    place.refuses(&refused, &["`purpose` (a graph cannot refuse a row", "--predictor-only"]);
    let alone = [&refused[..], &["--predictor-only"]].concat();
    assert_eq!(place.karat(&alone).status, 0);
}
