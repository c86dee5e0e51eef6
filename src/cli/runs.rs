//! `karat runs`: what the workspace keeps.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use anyhow::bail;
use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use super::console::Console;
use super::report::{self, Depth};
use super::text::{self, TextTable};
use super::{Shared, import, json, keep, named, tags};
use crate::files;
use crate::registry::{self, Registry, RunSummary};
use crate::train::usual_metric;
use crate::workspace::Entry;

/// What `runs` is given.
#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    shared: Shared,
}

#[derive(Subcommand, Clone, Debug)]
enum What {
    /// List every run, oldest first
    List(Common),
    /// Show one run in full
    Show(One),
    /// Delete runs for good; their ids are not used again
    Delete(Many),
    /// Write a note to a run or a version
    Note(Note),
    /// Write the experiment of a run as TOML, or its model to a file that ends in .karat
    Export(Export),
    /// Show the command log
    History(Common),
    /// Take in a model made elsewhere, from an ONNX file
    Import(Box<import::Args>),
    #[command(flatten)]
    Named(named::Named),
}

#[derive(ClapArgs, Clone, Debug)]
struct Common {
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
struct One {
    /// The run: r0007, r7 or 7
    #[arg(value_name = "RUN")]
    run: String,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
struct Many {
    /// The runs: r0007, r7 or 7
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
struct Note {
    /// The run (r0007, r7 or 7), or NAME@VERSION or NAME@ALIAS
    #[arg(value_name = "RUN|VERSION")]
    run: String,
    /// The note, in place of the one before
    #[arg(value_name = "TEXT")]
    text: String,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
struct Export {
    /// The run: r0007, r7 or 7
    #[arg(value_name = "RUN")]
    run: String,
    /// Where to; standard output when not given
    #[arg(long, value_name = "FILE.toml|FILE.karat")]
    out: Option<PathBuf>,
    #[command(flatten)]
    shared: Shared,
}

impl Args {
    pub(super) fn shared(&self) -> &Shared {
        match &self.what {
            None => &self.shared,
            Some(What::List(args) | What::History(args)) => &args.shared,
            Some(What::Show(args)) => &args.shared,
            Some(What::Delete(args)) => &args.shared,
            Some(What::Note(args)) => &args.shared,
            Some(What::Export(args)) => &args.shared,
            Some(What::Named(named)) => named.shared(),
            Some(What::Import(args)) => args.shared(),
        }
    }

    /// Options may stand before the second word or after it.
    fn merged(&self) -> Shared {
        let inner = self.shared();
        Shared {
            json: self.shared.json || inner.json,
            workspace: inner.workspace.clone().or_else(|| self.shared.workspace.clone()),
            progress: inner.progress,
        }
    }
}

pub(super) fn run(args: &Args, console: &Console) -> anyhow::Result<()> {
    let shared = args.merged();
    match &args.what {
        Some(What::Named(named)) => return named::run(named, &shared, console),
        Some(What::Import(args)) => return import::run(args, &shared, console),
        _ => {}
    }
    let Some(registry) = keep::existing(&shared)? else {
        return without_workspace(args, &shared, console);
    };
    match &args.what {
        None | Some(What::List(_)) => list(&registry, &shared, console),
        Some(What::Show(one)) => show(&registry, &one.run, &shared, console),
        Some(What::Delete(many)) => delete(&registry, &many.runs, &shared, console),
        Some(What::Note(note)) if note.run.contains('@') => {
            tags::note(&note.run, &note.text, &shared, console)
        }
        Some(What::Note(note)) => {
            let id = registry.find(&note.run)?;
            registry.note(&id, &note.text)?;
            if shared.json {
                return console.json(&json!({ "run_id": id.0, "note": note.text }));
            }
            console.print(&format!("noted on {id}"))
        }
        Some(What::Export(export)) => write(&registry, export, &shared, console),
        Some(What::History(_)) => history(&registry, &shared, console),
        Some(What::Named(_) | What::Import(_)) => Ok(()),
    }
}

/// Nothing is there yet, which is an answer to some questions and an error for others.
fn without_workspace(args: &Args, shared: &Shared, console: &Console) -> anyhow::Result<()> {
    let dir = shared.workspace();
    match &args.what {
        None | Some(What::List(_)) if shared.json => console.json(&json!({ "runs": [] })),
        Some(What::History(_)) if shared.json => console.json(&json!({ "history": [] })),
        None | Some(What::List(_) | What::History(_)) => {
            let dir = text::sanitise(&dir.display().to_string());
            console.print(&format!("there is no workspace `{dir}` yet; `karat train` makes one"))
        }
        Some(_) => bail!(
            "there is no workspace `{}`\nhint: name another with `--workspace DIR`",
            dir.display()
        ),
    }
}

fn list(registry: &Registry, shared: &Shared, console: &Console) -> anyhow::Result<()> {
    let runs = registry.list()?;
    if shared.json {
        let runs: Vec<Value> = runs.iter().map(|run| in_json(run, registry)).collect();
        return console.json(&json!({ "runs": runs }));
    }
    if runs.is_empty() {
        return console.print("no runs yet; `karat train` makes one");
    }
    let mut table = TextTable::new(&[
        "run",
        "when (UTC)",
        "model",
        "target",
        "table",
        ">rows",
        "metric",
        ">value",
        "95 %",
        ">fit",
        "note",
    ])
    .optional(&["fit", "rows", "95 %", "when (UTC)", "table"]);
    for run in &runs {
        let (part, metrics) = run.headline();
        let name = usual_metric(run.task);
        let estimate = metrics.get(name).copied().unwrap_or_default();
        table.row([
            run.id.0.clone(),
            text::moment(run.created),
            run.label(),
            run.target.clone(),
            file_name(&run.dataset.path),
            text::count(run.dataset.rows),
            format!("{} ({part})", report::label(name)),
            text::maybe(estimate.value),
            report::interval(&estimate),
            text::seconds(run.fit_seconds),
            run.note.clone(),
        ]);
    }
    console.print(&table.render(console.width, console.bold))
}

fn in_json(run: &RunSummary, registry: &Registry) -> Value {
    let parts = [
        ("train", Some(&run.train)),
        ("valid", run.valid.as_ref()),
        ("test", run.test.as_ref()),
        ("cv", run.cv.as_ref()),
    ];
    let metrics: serde_json::Map<_, _> = parts
        .into_iter()
        .filter_map(|(part, metrics)| Some((part.to_owned(), json::numbers(metrics?))))
        .collect();
    let [train_rows, valid_rows, test_rows] = run.split_rows;
    json!({
        "run_id": run.id.0,
        "created": run.created,
        "model": run.model,
        "parameters": run.set,
        "task": run.task,
        "target": run.target,
        "dataset": json::dataset(&run.dataset),
        "split": { "train_rows": train_rows, "valid_rows": valid_rows, "test_rows": test_rows },
        "metrics": metrics,
        "threshold": run.threshold,
        "fit_seconds": run.fit_seconds,
        "artifact": registry.artifact(&run.id),
        "note": run.note,
    })
}

fn show(
    registry: &Registry,
    typed: &str,
    shared: &Shared,
    console: &Console,
) -> anyhow::Result<()> {
    let id = registry.find(typed)?;
    let run = registry.load(&id)?;
    let artifact = registry.artifact(&id);
    let note = registry.list()?.into_iter().find(|r| r.id == id).map_or(String::new(), |r| r.note);
    if shared.json {
        let mut object = json::run(&run)?;
        object.insert("created".into(), run.created.into());
        object.insert("artifact".into(), json!(artifact));
        object.insert("note".into(), note.into());
        return console.json(&object.into());
    }
    let mut out = format!("run {id} · {} UTC · ", text::moment(run.created));
    out += &report::run(&run, Depth::Full, console);
    for warning in &run.warnings {
        let _ = writeln!(out, "warning: {}", text::sanitise(warning));
    }
    if !note.is_empty() {
        let _ = writeln!(out, "note: {}", text::sanitise(&note));
    }
    if let Some(path) = artifact {
        let _ = writeln!(out, "\nmodel {}", path.display());
    }
    // A model made elsewhere cannot be trained again here.
    if run.experiment.model.kind != "onnx" {
        let _ = writeln!(out, "again: {}", text::sanitise(&run.experiment.command_line()));
    }
    console.print(&out)
}

fn delete(
    registry: &Registry,
    typed: &[String],
    shared: &Shared,
    console: &Console,
) -> anyhow::Result<()> {
    // All are looked up first, so that a mistyped one deletes nothing.
    let ids = typed.iter().map(|run| registry.find(run)).collect::<Result<Vec<_>, _>>()?;
    for id in &ids {
        registry.delete(id)?;
    }
    let names: Vec<&str> = ids.iter().map(|id| id.0.as_str()).collect();
    if shared.json {
        return console.json(&json!({ "deleted": names }));
    }
    console.print(&format!("deleted {}", names.join(", ")))
}

fn write(
    registry: &Registry,
    export: &Export,
    shared: &Shared,
    console: &Console,
) -> anyhow::Result<()> {
    let run = registry.load(&registry.find(&export.run)?)?;
    let Some(out) = export.out.as_deref().filter(|path| *path != Path::new("-")) else {
        if shared.json {
            return console.json(&json!({
                "run_id": run.id.0,
                "experiment": run.experiment,
                "command_line": run.experiment.command_line(),
            }));
        }
        return console.print(&run.experiment.to_toml());
    };
    if out.extension().is_some_and(|e| e.eq_ignore_ascii_case("karat")) {
        registry::save_model(&run, out)?;
    } else {
        files::write(out, run.experiment.to_toml().as_bytes())?;
    }
    if shared.json {
        return console.json(&json!({ "run_id": run.id.0, "out": out }));
    }
    console.print(&format!("wrote {}", text::sanitise(&out.display().to_string())))
}

fn history(registry: &Registry, shared: &Shared, console: &Console) -> anyhow::Result<()> {
    let lines = registry.history()?;
    let entries: Vec<Entry> =
        lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if shared.json {
        return console.json(&json!({ "history": entries }));
    }
    let mut table = TextTable::new(&["when (UTC)", "command"]);
    for entry in &entries {
        table.row([text::moment(entry.at), entry.line.clone()]);
    }
    if entries.is_empty() {
        return console.print("the command log is empty");
    }
    console.print(&table.render(console.width, console.bold))
}

fn file_name(path: &str) -> String {
    let name = Path::new(path).file_name().and_then(|name| name.to_str());
    name.unwrap_or(path).to_owned()
}
