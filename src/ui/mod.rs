//! The screen: the only room that knows ratatui and crossterm.
//!
//! [`app`] holds the state and changes it, [`view`] draws it, [`keymap`] is the one table of keys,
//! [`run`] is the loop. [`term`], [`theme`], [`plot`] and [`widgets`] are the tools, which know
//! nothing of models. Everything that can be done here can be done headless too, through the same
//! verbs of the workspace.

pub mod action;
pub mod app;
pub mod demo;
pub mod desk;
pub mod keymap;
pub mod plot;
pub mod rehearsal;
pub mod run;
pub mod served;
pub mod term;
pub mod theme;
pub mod view;
pub mod widgets;

use std::path::{Path, PathBuf};
use std::sync::mpsc;

use crate::data::OpenOptions;
use crate::registry::Registry;
use crate::train::Experiment;
use crate::workspace::{Session, Work, Workspace};

use app::{App, Item};
use demo::{Demo, Player};
use desk::{Desk, Heard};
use run::Stage;
use term::Term;
use theme::Theme;

/// What the screen opens on.
#[derive(Debug)]
pub struct Launch {
    /// A table, an experiment or a sample; the gallery without it.
    pub path: Option<String>,
    /// How the table is written, where that was said.
    pub options: OpenOptions,
    /// Settings given on the command line; with them the session of last time is not taken up.
    pub experiment: Option<Experiment>,
    /// The workspace folder.
    pub workspace: PathBuf,
    /// The demo to play.
    pub demo: Option<Demo>,
}

/// Opens the screen and returns when it is left.
///
/// # Errors
///
/// When there is no terminal, or it is lost.
pub fn open(launch: Launch) -> anyhow::Result<()> {
    let scratch = launch.demo.as_ref().map(|_| tempfile::tempdir()).transpose()?;
    let folder = scratch.as_ref().map_or(launch.workspace.as_path(), |s| s.path());
    let (line, heard) = mpsc::channel();
    let theme = Theme::detect(|name| std::env::var(name).ok());
    let (registry, notice) = Registry::open_or_memory(folder);
    let session = registry.load_session().and_then(|s| serde_json::from_value::<Session>(s).ok());
    let log = registry.dir().map(|dir| dir.join("screen.log"));
    let mut app = App::new(Workspace::new(registry)?, theme);
    app.gallery.session = session.clone().filter(|s| s.experiment.data.path.as_os_str() != "");
    if launch.demo.is_none() {
        app.gallery.files = tables_here(Path::new("."));
    }
    if let Some(notice) = notice {
        app.warn(notice.replace('\n', " "));
    }
    let input = line.clone();
    let send = move |event| input.send(Heard::Input(event)).is_ok();
    let mut term = Term::take(term::Options { log }, send)?;
    if let Some(demo) = &launch.demo {
        app.fixed_clock = true;
        app.at = demo::CLOCK;
        if let Some(file) = &demo.record {
            let size = term.size();
            term.set_tap(Some(demo::recorder(file, size.width, size.height)?));
        }
    }
    let first = match (&launch.path, session) {
        (Some(path), Some(session))
            if launch.experiment.is_none()
                && launch.options == OpenOptions::default()
                && session.experiment.data.path == Path::new(path) =>
        {
            app.resume(&session)
        }
        (Some(path), _) => app.start_all(vec![Work::Open {
            path: path.clone(),
            options: launch.options,
            resume: launch.experiment.map(Box::new),
        }]),
        (None, _) => vec![],
    };
    if launch.path.is_some() {
        app.screen = app::Screen::Workbench;
    }
    let player = launch.demo.as_ref().map(Player::new);
    let mut stage = Stage { term, desk: Desk::new(line), line: &heard, player };
    let outcome = run::run(&mut app, &mut stage, first);
    stage.term.give_back();
    outcome
}

/// Files of this folder that look like tables or experiments, by name.
fn tables_here(folder: &Path) -> Vec<Item> {
    const ENDINGS: [&str; 13] = [
        "csv", "tsv", "txt", "parquet", "ndjson", "jsonl", "json", "arrow", "ipc", "feather", "gz",
        "zst", "toml",
    ];
    let Ok(entries) = std::fs::read_dir(folder) else { return vec![] };
    let mut items: Vec<Item> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let ending = Path::new(&name).extension()?.to_str()?.to_lowercase();
            let meta = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            if !ENDINGS.contains(&ending.as_str()) || name.starts_with("Cargo.") {
                return None;
            }
            Some(Item {
                path: name.clone(),
                name,
                size: widgets::numbers::bytes(meta.len()),
                about: if ending == "toml" {
                    "an experiment".into()
                } else {
                    format!("a {ending} file")
                },
            })
        })
        .take(500)
        .collect();
    items.sort_by(|a, b| a.name.cmp(&b.name));
    items
}
