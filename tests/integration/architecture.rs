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

#[test]
fn lower_layers_do_not_know_higher_ones() {
    for (path, text) in sources() {
        let room = room(&path);
        let Some(level) = LAYERS.iter().position(|l| *l == room) else { continue };
        for above in &LAYERS[level + 1..] {
            let guilty = code(&text).find(|line| {
                names(line, &format!("crate::{above}")) || names(line, &format!("karat::{above}"))
            });
            assert!(guilty.is_none(), "{} reaches up: {}", path.display(), guilty.unwrap());
        }
    }
}

#[test]
fn the_screen_and_the_command_line_do_not_know_each_other() {
    for (path, text) in sources().iter().filter(|(path, _)| room(path) == "ui") {
        let guilty = code(text).find(|line| names(line, "crate::cli"));
        assert!(guilty.is_none(), "{}: {}", path.display(), guilty.unwrap());
    }
}

#[test]
fn imports_name_one_module_each() {
    for (path, text) in sources() {
        let hidden = ["crate::{", "super::super", "use super::{self"];
        let guilty = code(&text).find(|line| hidden.iter().any(|h| line.contains(h)));
        assert!(guilty.is_none(), "{}: `{}` hides a layer", path.display(), guilty.unwrap());
    }
}

#[test]
fn confined_crates_stay_where_they_belong() {
    for (path, text) in sources() {
        let room = room(&path);
        if room == "main" || room == "lib" {
            continue;
        }
        for (krate, allowed) in CONFINED.iter().filter(|(_, rooms)| !rooms.contains(&&*room)) {
            let guilty = code(&text).find(|line| {
                line.match_indices(&format!("{krate}::"))
                    .any(|(at, _)| !line[..at].ends_with([':', '_']) && names(line, krate))
            });
            assert!(
                guilty.is_none(),
                "{}: `{krate}` belongs in {allowed:?}: {}",
                path.display(),
                guilty.unwrap()
            );
        }
    }
}

#[test]
fn threads_are_started_by_jobs_alone() {
    let makers = ["thread::spawn(", "thread::Builder", "rayon::"];
    for (path, text) in sources().iter().filter(|(path, _)| room(path) != "jobs") {
        // What stands below the tests of a file is not part of the program.
        let program = text.split("#[cfg(test)]").next().unwrap();
        let guilty = code(program).find(|line| makers.iter().any(|m| line.contains(m)));
        assert!(guilty.is_none(), "{}: {}", path.display(), guilty.unwrap());
    }
}

#[test]
fn every_file_belongs_to_a_layer() {
    for (path, _) in sources() {
        let room = room(&path);
        let known = room == "main" || room == "lib" || LAYERS.contains(&&*room);
        assert!(known, "{} is in no layer", path.display());
    }
}

#[test]
fn every_file_says_what_it_is() {
    for (path, text) in sources() {
        assert!(text.starts_with("//!"), "{} does not say what it is", path.display());
    }
}

#[test]
fn files_are_short_enough_to_read_in_one_go() {
    for (path, text) in sources() {
        let n_lines = text.lines().count();
        assert!(n_lines <= MAX_LINES, "{} has {n_lines} lines; split it by idea", path.display());
    }
}

#[test]
fn the_rules_notice_who_breaks_them() {
    assert!(names("use crate::ui::App;", "crate::ui"));
    assert!(!names("use crate::uinteresting::App;", "crate::ui"));
    let lines: Vec<&str> = code("//! crate::ui\n  // crate::ui\nfn f() {}").collect();
    assert_eq!(lines, ["fn f() {}"]);
}
