//! What the program says to what it cannot do: in words, with status 1, and nothing is left behind.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::place::{Place, files, loans};

#[test]
fn without_a_terminal_the_screen_says_so() {
    let place = Place::new();
    place.refuses(&["german_credit"], &["there is no terminal", "ssh -t", "karat"]);
    place.refuses(&[], &["there is no terminal"]);
    let said = place.karat(&["demo"]);
    assert_eq!(said.status, 0, "demos are listed anywhere: {}", said.err);
}

#[test]
fn wrong_usage_has_a_status_of_its_own() {
    let place = Place::new();
    for args in [
        &["train"][..],
        &["train", "a.csv", "--sed", "1"],
        &["train", "a.csv", "--set", "alpha"],
        &["trian", "a.csv"],
        &["compare", "a.csv", "--cv", "many"],
    ] {
        let said = place.karat(args);
        assert_eq!((said.status, said.out.as_str()), (2, ""), "{args:?}: {}", said.err);
        assert!(said.err.contains("error: "), "{args:?}: {}", said.err);
    }
    let said = place.karat(&["trian", "a.csv"]);
    assert!(said.err.contains("hint: did you mean `train`?"), "{}", said.err);
    let version = place.karat(&["--version"]);
    assert_eq!(version.out.trim(), concat!("karat ", env!("CARGO_PKG_VERSION")));
    assert!(place.karat(&["help", "json"]).out.contains("leaderboard"));
    assert!(place.karat(&["help", "train"]).out.contains("--target"));
}

#[test]
fn files_that_are_no_table_are_refused() {
    let place = Place::new();
    fs::create_dir(place.path("folder")).unwrap();
    place.file("folder/loans.csv", loans());
    let noise = |i: u32| (i.wrapping_mul(2_654_435_761) >> 13) as u8;
    let rubbish: Vec<u8> = (0..4000).map(noise).collect();
    let check = |file: &str, expected: &[&str]| {
        for command in ["train", "profile", "compare"] {
            place.refuses(&[command, file], expected);
        }
    };
    check("nowhere.csv", &["no file `nowhere.csv`", "hint: "]);
    check("folder", &["`folder` is a folder", "hint: "]);
    check(&place.file("empty.csv", ""), &["is empty", "hint: "]);
    check(&place.file("header.csv", "a,b,c\n"), &["header", "hint: "]);
    check(&place.file("rubbish.csv", rubbish), &["is not a table", "hint: "]);
    check(&place.file("ragged.csv", "a,b\n1,2\n3\n5,6\n"), &["line 3", "hint: "]);
    place.file("loans.csv", loans());
    place.refuses(&["train", "loan.csv"], &["no file `loan.csv`", "loans.csv`?"]);
}

#[test]
fn targets_that_cannot_be_are_refused() {
    let place = Place::new();
    let data = place.file("loans.csv", loans());
    place.refuses(&["train", &data, "--target", "bda"], &["no column `bda`", "`bad`"]);
    place.refuses(&["compare", &data, "--target", "bda"], &["no column `bda`", "`bad`"]);
    let one = place.file("one.csv", "y\n1\n2\n3\n4\n5\n6\n7\n8\n");
    place.refuses(&["train", &one, "--target", "y", "--model", "linear"], &["hint: "]);
    let column =
        |value: &str| (0..20).fold("x,y\n".to_owned(), |text, i| text + &format!("{i},{value}\n"));
    let same = place.file("class.csv", column("good"));
    place.refuses(&["train", &same, "--target", "y"], &["`y`", "hint: "]);
    let same = place.file("constant.csv", column("3.5"));
    place.refuses(&["train", &same, "--target", "y", "--model", "linear"], &["`y`", "hint: "]);
    let none = place.file("missing.csv", column(""));
    place.refuses(&["train", &none, "--target", "y", "--model", "linear"], &["`y`", "hint: "]);
    let classes = ["train", &data, "--target", "purpose", "--model", "linear"];
    place.refuses(&classes, &["`linear` knows no classes", "hint: "]);
    place.refuses(&["train", &data, "--features", "incme"], &["incme", "`income`"]);
}

#[test]
fn models_and_parameters_that_do_not_exist_name_the_nearest() {
    let place = Place::new();
    let data = place.file("loans.csv", loans());
    let train = ["train", &data, "--target", "bad"];
    let refuses = |options: &[&str], expected: &[&str]| {
        place.refuses(&[&train[..], options].concat(), expected);
    };
    refuses(&["--model", "logistc"], &["`logistc`", "`logistic`"]);
    refuses(&["--model", "ridge", "--set", "alfa=1"], &["`alfa`", "`alpha`"]);
    refuses(&["--model", "ridge", "--set", "alpha=-1"], &["`alpha`", "-1"]);
    refuses(&["--model", "ridge", "--set", "alpha=much"], &["`alpha`", "much"]);
    refuses(&["--test", "1.5"], &["`--test`", "1.5", "hint: "]);
    refuses(&["--split", "tyme"], &["`tyme`", "time"]);
    refuses(&["--impute", "guess"], &["`guess`", "median"]);
    refuses(&["--role", "age=targt"], &["targt", "target"]);
    refuses(&["--positive", "maybe"], &["maybe", "hint: "]);
    refuses(&["--compute", "r = incme / age"], &["incme"]);
    refuses(&["--sql", "SELECT nothing FROM data"], &["nothing"]);
    place.refuses(&["models", "rigde"], &["`rigde`", "`ridge`"]);
    place.refuses(
        &["compare", &data, "--target", "bad", "--models", "linear,logistc"],
        &["`logistc`", "`logistic`"],
    );
    place.refuses(
        &["compare", &data, "--target", "bad", "--metric", "auc_roc"],
        &["no metric `auc_roc`", "hint: "],
    );
}

#[test]
fn model_files_that_are_not_whole_are_refused() {
    let place = Place::new();
    let data = place.file("loans.csv", loans());
    let train = ["train", &data, "--target", "bad", "--out", "m.karat", "--workspace", "w"];
    assert_eq!(place.karat(&train).status, 0);
    fs::remove_dir_all(place.path("w")).unwrap();
    let bytes = fs::read(place.path("m.karat")).unwrap();
    place.file("cut.karat", &bytes[..bytes.len() * 2 / 3]);
    let mut altered = bytes.clone();
    altered[bytes.len() / 2] ^= 1;
    place.file("altered.karat", altered);
    place.file("table.karat", loans());
    for command in ["evaluate", "score"] {
        let refuses = |model: &str, data: &str, expected: &[&str]| {
            place.refuses(&[command, model, data], expected);
        };
        refuses("cut.karat", &data, &["cut short or was altered", "hint: "]);
        refuses("altered.karat", &data, &["cut short or was altered", "hint: "]);
        refuses("table.karat", &data, &["is not a model", "hint: "]);
        refuses("n.karat", &data, &["no file or run `n.karat`", "`./m.karat`"]);
        refuses("r0007", &data, &["no file or run `r0007`", "hint: "]);
        refuses("m.karat", "nowhere.csv", &["no file `nowhere.csv`"]);
        let other = place.file("other.csv", "income,bad\n1,yes\n2,no\n");
        refuses("m.karat", &other, &["`purpose`", "hint: "]);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_leaves_nothing_behind() {
    let place = Place::new();
    let data = place.file("loans.csv", loans());
    assert_eq!(place.karat(&["train", &data, "--target", "bad", "--out", "m.karat"]).status, 0);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let score = place.command(&["score", "m.karat", &data]).stdout(full).output().unwrap();
    let err = String::from_utf8(score.stderr).unwrap();
    assert_eq!(score.status.code(), Some(1), "{err}");
    assert!(err.contains("error: cannot write to standard output"), "{err}");

    // No file may grow beyond a block or two, as if the disk had no more.
    let karat = env!("CARGO_BIN_EXE_karat");
    let script = format!(
        "trap '' XFSZ; ulimit -f 1; exec '{karat}' train {data} --target bad --out n.karat \
         --workspace w"
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(place.folder())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("error: ") && err.contains("n.karat"), "{err}");
    assert!(err.contains("kept in memory"), "{err}");
    assert!(!place.path("n.karat").exists());
    let left = files(place.folder()).into_iter().filter(|path| {
        let path = path.to_string_lossy();
        path.contains("/.karat-") || path.contains(".unfinished-")
    });
    assert_eq!(left.collect::<Vec<_>>(), Vec::<PathBuf>::new());
}

#[test]
fn a_workspace_that_cannot_be_written_is_said_and_worked_around() {
    let place = Place::new();
    let data = place.file("loans.csv", loans());
    let file = place.file("file", "");
    let train = ["train", &data, "--target", "bad", "--workspace", &file, "--json"];
    let said = place.karat(&train);
    assert_eq!(said.status, 0, "{}", said.err);
    assert!(said.err.contains("kept in memory"), "{}", said.err);
    let run: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(run["artifact"], Value::Null);
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let place = Place::new();
    let data = place.file("loans.csv", loans());
    assert_eq!(place.karat(&["train", &data, "--target", "bad", "--out", "m.karat"]).status, 0);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = place.command(&["score", "m.karat", &data]).stdout(writer).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(!err.contains("error"), "{err}");
}

#[test]
fn nothing_in_a_table_reaches_the_terminal_as_a_command() {
    let place = Place::new();
    let data = place.file("evil.csv", loans().replace("income", "in\u{1b}[31mcome\u{7}"));
    for command in ["profile", "train"] {
        let said = place.karat(&[command, &data, "--target", "bad", "--set", "\u{1b}[2J=1"]);
        assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'), "{}", said.err);
        let said = place.karat(&[command, &data, "--target", "bad"]);
        assert_eq!(said.status, 0, "{}", said.err);
        assert!(!said.out.contains(['\u{1b}', '\u{7}']), "{}", said.out);
    }
}
