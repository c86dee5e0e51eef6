//! Networks as a shell sees them: trained, put aside, exported, explained, and refused in words.

use std::{fmt::Write, fs, thread, time::Duration};

use crate::place::{Place, number};

/// Series of 12 steps that rise or fall, with a static column beside them.
fn series(n: usize) -> String {
    let steps: Vec<String> = (0..12).map(|t| format!("t{t}")).collect();
    let mut text = format!("class,limit,{}\n", steps.join(","));
    for row in 0..n {
        let up = row % 2 == 0;
        write!(text, "{},{}", if up { "up" } else { "down" }, 100 + row * 7 % 13).unwrap();
        for t in 0..12 {
            let noise = ((row * 31 + t * 17) % 7) as f64 / 7.0;
            let value = if up { t as f64 } else { 11.0 - t as f64 };
            write!(text, ",{:.3}", value + 4.0 * noise).unwrap();
        }
        text.push('\n');
    }
    text
}

const SMALL: &str = "network=conv 8x3 bn relu | gap | join | dense out";

#[test]
fn a_network_goes_from_series_to_scores_and_onnx() {
    let place = Place::new();
    let data = place.file("series.csv", series(80));
    let train = [
        "train",
        &data,
        "--target",
        "class",
        "--model",
        "fcn",
        "--valid",
        "0.2",
        "--set",
        SMALL,
        "--set",
        "epochs=30",
        "--set",
        "batch_size=16",
        "--set",
        "learning_rate=0.01",
        "--out",
        "m.karat",
        "--json",
    ];
    let run = place.json(&train);
    assert_eq!(run["model"], "fcn");
    assert!(number(&run["metrics"]["test"]["accuracy"]) > 0.9, "{}", run["metrics"]["test"]);
    assert!(run["notes"].to_string().contains("1 channel x 12 steps, 1 static column"), "{run}");
    let again = place.json(&train);
    assert_eq!(run["metrics"], again["metrics"], "the same seed gives the same run");
    let measured = place.json(&["evaluate", "m.karat", &data, "--json"]);
    assert!(number(&measured["metrics"]["accuracy"]) > 0.9);
    place.karat(&["score", "m.karat", &data, "--out", "s.csv"]);
    let scored = fs::read_to_string(place.path("s.csv")).unwrap();
    assert!(scored.lines().next().unwrap().ends_with(",prediction,probability"), "{scored}");
    let exported = place.karat(&["export", "m.karat", "--out", "m.onnx"]);
    assert_eq!(exported.status, 0, "{}", exported.err);
    assert!(fs::metadata(place.path("m.onnx")).unwrap().len() > 500);
    let why = place.json(&["explain", "m.karat", &data, "--row", "3", "--json"]);
    let parts = why["attributions"].as_array().unwrap();
    let sum: f64 = parts.iter().map(|part| number(&part["contribution"])).sum();
    let rest = why["remainder"].as_f64().unwrap_or(0.0);
    let off = number(&why["base"]) + sum + rest - number(&why["score"]);
    assert!(off.abs() < 1e-4, "{why}");
}

#[test]
fn a_network_can_stand_in_the_experiment_layer_by_layer() {
    let place = Place::new();
    place.file("series.csv", series(40));
    let experiment = "cv = 0\n[data]\npath = \"series.csv\"\n[question]\ntarget = \"class\"\n[model]\n\
        kind = \"fcn\"\n[model.set]\nepochs = 2\n[[model.layer]]\nkind = \"conv1d\"\nfilters = 4\n\
        kernel = 3\n[[model.layer]]\nkind = \"relu\"\n[[model.layer]]\nkind = \
        \"global_average_pool\"\n[[model.layer]]\nkind = \"join\"\n[[model.layer]]\nkind = \
        \"dense\"\nunits = \"out\"\n";
    let file = place.file("e.toml", experiment);
    let run = place.json(&["train", &file, "--json"]);
    assert_eq!(run["parameters"]["network"], "conv 4x3 relu | gap | join | dense out");
    let place = Place::new();
    place.file("series.csv", series(40));
    let wrong = place.file("w.toml", experiment.replace("kernel", "kernal"));
    place.refuses(&["train", &wrong], &["`model.layer`", "kernal"]);
}

#[test]
fn a_training_that_is_killed_goes_on_where_it_was() {
    let place = Place::new();
    place.file("series.csv", series(200));
    let train = |workspace: &'static str| {
        [
            "train",
            "series.csv",
            "--target",
            "class",
            "--model",
            "fcn",
            "--set",
            SMALL,
            "--set",
            "epochs=400",
            "--set",
            "patience=0",
            "--workspace",
            workspace,
            "--json",
        ]
    };
    let undisturbed = place.json(&train("one"));
    let mut child = place.command(&train("two")).spawn().unwrap();
    let unfinished = place.path("two/unfinished");
    // The first epoch is put aside at once.
    let is_aside = || fs::read_dir(&unfinished).is_ok_and(|all| all.count() >= 2);
    let seen = (0..500).any(|_| {
        thread::sleep(Duration::from_millis(10));
        is_aside()
    });
    assert!(seen, "nothing was put aside");
    child.kill().unwrap();
    child.wait().unwrap();
    let resumed = place.json(&train("two"));
    assert_eq!(undisturbed["metrics"], resumed["metrics"]);
    let notes = resumed["fit_notes"].to_string();
    assert!(notes.contains("went on after epoch") || notes.contains("all epochs"), "{notes}");
    // A process that was killed while it wrote leaves a file without a name behind.
    let left = fs::read_dir(&unfinished).unwrap().flatten();
    let left = left.filter(|file| !file.file_name().to_string_lossy().starts_with('.'));
    assert_eq!(left.count(), 0, "nothing is left unfinished");
}

#[test]
fn what_a_network_cannot_do_is_said_before_it_is_trained() {
    let place = Place::new();
    let data = place.file("series.csv", series(40));
    let refused = |set: &[&str], expected: &[&str]| {
        let mut args = vec!["train", &data, "--target", "class", "--model", "fcn"];
        for set in set {
            args.extend(["--set", set]);
        }
        place.refuses(&args, expected);
    };
    refused(
        &["network=conv 8x30 | gap | join | dense out"],
        &[
            "layer 1",
            "the kernel of `conv 8x30` spans 30 and gets 12",
            "hint: make the kernel shorter",
        ],
    );
    refused(&["network=conv 8x3 | gpa | dense out"], &["`gpa` is no layer", "did you mean `gap`?"]);
    refused(&["network=conv 8x3 | gap | join | dense 7"], &["ends in 7 values", "`dense out`"]);
    refused(&["network=gap | dense out"], &["1 static columns enter nowhere", "`join`"]);
    refused(&["batch_size=0"], &["`batch_size` is `0`", "1 … 1000000"]);
    refused(&["learning_rate=fast"], &["`learning_rate` is `fast`", "find"]);
    refused(&["channels=x: t0..t99"], &["t99"]);
    refused(
        &[
            SMALL,
            "optimizer=sgd",
            "learning_rate=1e9",
            "network=gap | join | dense 9 relu | dense out",
        ],
        &["training diverged", "smaller `learning_rate`"],
    );
    let plain =
        place.file("plain.csv", "a,b,y\n1,2,0\n2,1,1\n3,5,0\n4,3,1\n5,9,0\n6,2,1\n7,7,0\n8,1,1\n");
    let args = ["train", &plain, "--target", "y", "--model", "lenet"];
    place.refuses(&args, &["this table is no series and no image", "`mlp` takes plain tables"]);
}

#[test]
fn windows_need_rows_before_them_and_time_to_divide_by() {
    let place = Place::new();
    let mut prices = "day,close\n".to_owned();
    for i in 0..90_u32 {
        let (month, day) = (i / 28 + 1, i % 28 + 1);
        writeln!(prices, "2024-{month:02}-{day:02},{}", 100 + (i * 37) % 23).unwrap();
    }
    place.file("prices.csv", &prices);
    let train = |more: &[&'static str]| {
        let mut args = vec![
            "train",
            "prices.csv",
            "--ahead",
            "next = return of close in 1",
            "--model",
            "fcn",
            "--set",
            "network=conv 4x3 relu | gap | join | dense out",
            "--set",
            "epochs=2",
            "--set",
            "channels=close: return",
            "--json",
        ];
        args.extend(more);
        args
    };
    let run = place.json(&train(&["--set", "window=10"]));
    assert_eq!(run["split"]["method"], "time");
    assert!(run["warnings"].to_string().contains("a window of 10"), "{}", run["warnings"]);
    let shuffled = place.json(&train(&["--set", "window=10", "--split", "random"]));
    assert!(shuffled["warnings"].to_string().contains("look into the future"), "{shuffled}");
    // Windows that stay within the series of a name.
    let header = "day,close\n";
    let named = |name: &str| {
        let rows: Vec<String> =
            prices.lines().skip(1).map(|line| format!("{line},{name}")).collect();
        rows.join("\n")
    };
    let both = [named("one"), named("other")].join("\n");
    place.file("prices.csv", format!("{},name\n{both}", header.trim_end()));
    let grouped = place.json(&train(&["--set", "window=10", "--role", "name=group"]));
    assert!(grouped["notes"].to_string().contains("within each `name`"), "{grouped}");
    let place = Place::new();
    place.file("prices.csv", few());
    place.refuses(&train(&["--set", "window=200"]), &["200"]);
}

/// Prices of thirty days.
fn few() -> String {
    let days = (1..=28).map(|day| format!("2024-01-{day:02},{}\n", 100 + day * 37 % 23));
    "day,close\n".to_owned() + &days.collect::<String>()
}
