//! The rules of the house that a compiler cannot check within one crate.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The rooms from the ground up: each may use those before it, never those after it.
const LAYERS: &[&str] = &[
    "rng",
    "files",
    "jobs",
    "metrics",
    "data",
    "features",
    "nn",
    "models",
    "explain",
    "train",
    "backtest",
    "export",
    "registry",
    "monitor",
    "report",
    "workspace",
    "serve",
    "cli",
    "ui",
];

/// Crates that only some rooms may name.
const CONFINED: &[(&str, &[&str])] = &[
    ("ratatui", &["ui"]),
    ("crossterm", &["ui"]),
    ("axum", &["serve"]),
    ("tokio", &["serve"]),
    ("clap", &["cli"]),
    ("rusqlite", &["registry"]),
    ("pulp", &["nn"]),
    ("polars", &["data"]),
    ("anyhow", &["cli", "ui"]),
];

/// Mostly a file has fewer than 400; one that has more than this holds a second idea.
const MAX_LINES: usize = 500;

/// Every source file with its text.
fn sources() -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, out: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                out.push((path, text));
            }
        }
    }
    let mut out = vec![];
    walk(&root(), &mut out);
    out.sort();
    assert!(out.len() > 50, "only {} files under `src`", out.len());
    out
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The room that a file belongs to: the folder or file directly under `src`.
fn room(path: &Path) -> String {
    let inside = path.strip_prefix(root()).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// Whether the file holds nothing but the tests of its neighbours, as many as it takes.
fn is_tests(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs")
}

/// Lines of code, without comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.starts_with("//"))
}

/// Whether `name` stands in `line` as a whole word.
fn names(line: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).any(|(at, _)| {
        !line[..at].ends_with(is_part) && !line[at + name.len()..].starts_with(is_part)
    })
}

/// Every line of code that breaks a rule, with its file.
fn guilty(of: impl Fn(&str) -> bool, breaks: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut guilty = vec![];
    for (path, text) in sources() {
        let room = room(&path);
        if of(&room) {
            let lines = code(&text).filter(|line| breaks(&room, line));
            guilty.extend(lines.map(|line| format!("{}: {line}", path.display())));
        }
    }
    guilty
}

/// Whether a line of code uses something of `krate`.
fn uses(line: &str, krate: &str) -> bool {
    line.match_indices(&format!("{krate}::"))
        .any(|(at, _)| !line[..at].ends_with([':', '_']) && names(line, krate))
}

#[test]
fn lower_layers_do_not_know_higher_ones() {
    let reaches_up = |room: &str, line: &str| {
        let level = LAYERS.iter().position(|l| *l == room);
        level.is_some_and(|level| {
            LAYERS[level + 1..].iter().any(|above| names(line, &format!("crate::{above}")))
        })
    };
    assert_eq!(guilty(|_| true, reaches_up), [""; 0], "the layers are {LAYERS:?}");
}

#[test]
fn the_screen_and_the_command_line_do_not_know_each_other() {
    assert_eq!(guilty(|room| room == "ui", |_, line| names(line, "crate::cli")), [""; 0]);
    assert_eq!(guilty(|room| room == "cli", |_, line| names(line, "crate::ui")), [""; 0]);
}

#[test]
fn imports_name_one_module_each() {
    let hidden = ["crate::{", "super::super", "use super::{self"];
    let hides = |_: &str, line: &str| hidden.iter().any(|h| line.contains(h));
    assert_eq!(guilty(|_| true, hides), [""; 0], "write one `use crate::module::…` for each");
}

#[test]
fn confined_crates_stay_where_they_belong() {
    for (krate, rooms) in CONFINED {
        let elsewhere =
            guilty(|room| room != "main" && !rooms.contains(&room), |_, line| uses(line, krate));
        assert_eq!(elsewhere, [""; 0], "`{krate}` belongs in {rooms:?}");
    }
}

#[test]
fn threads_are_started_by_jobs_alone() {
    let makers = ["thread::spawn(", "thread::Builder", "rayon::"];
    let starts = |_: &str, line: &str| makers.iter().any(|m| line.contains(m));
    let elsewhere = guilty(|room| room != "jobs", starts);
    assert_eq!(elsewhere, [""; 0], "use `jobs::spawn`, `jobs::each` or `jobs::service`");
}

#[test]
fn every_file_belongs_to_a_layer() {
    let is_known = |room: &str| room == "main" || room == "lib" || LAYERS.contains(&room);
    let homeless = sources().into_iter().filter(|(path, _)| !is_known(&room(path)));
    assert_eq!(homeless.map(|(path, _)| path).collect::<Vec<_>>(), Vec::<PathBuf>::new());
}

#[test]
fn every_file_says_what_it_is() {
    let mute =
        sources().into_iter().filter(|(path, text)| !is_tests(path) && !text.starts_with("//!"));
    assert_eq!(mute.map(|(path, _)| path).collect::<Vec<_>>(), Vec::<PathBuf>::new());
}

#[test]
fn files_are_short_enough_to_read_in_one_go() {
    let too_long = sources().into_iter().filter_map(|(path, text)| {
        let n_lines = text.lines().count();
        (n_lines > MAX_LINES && !is_tests(&path))
            .then(|| format!("{} has {n_lines} lines", path.display()))
    });
    assert_eq!(too_long.collect::<Vec<_>>(), [""; 0], "split it by idea");
}

#[test]
fn the_rules_notice_who_breaks_them() {
    assert!(names("use crate::ui::App;", "crate::ui"));
    assert!(!names("use crate::uinteresting::App;", "crate::ui"));
    assert!(uses("use polars::prelude::*;", "polars") && uses("x: polars::Series", "polars"));
    assert!(!uses("use crate::polars::x", "polars") && !uses("my_polars::x", "polars"));
    let lines: Vec<&str> = code("//! crate::ui\n  // crate::ui\nfn f() {}").collect();
    assert_eq!(lines, ["fn f() {}"]);
}
