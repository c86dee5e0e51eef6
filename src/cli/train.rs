//! `karat train`: an experiment carried out, and its run kept.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::asking::Asking;
use super::console::Console;
use super::reading::table_of;
use super::report::{self, Depth};
use super::{Shared, json, keep};
use crate::data::{Table, Task};
use crate::jobs::Ctx;
use crate::models;
use crate::registry::{self, Unfinished};
use crate::train::{self, Experiment};

/// What `train` is given.
#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Args {
    /// A table, an experiment (.toml), a sample such as `german_credit`, or - for standard input
    #[arg(value_name = "DATA|EXPERIMENT.toml")]
    data: String,
    /// Kind of model, as `karat models` lists them; chosen by the task when not given
    #[arg(long, value_name = "KIND")]
    model: Option<String>,
    /// Write the model to a file of its own as well
    #[arg(long, value_name = "MODEL.karat")]
    out: Option<PathBuf>,
    /// Begin anew instead of going on where an interrupted training of a network was
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    shared: Shared,
}

impl Args {
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

pub(super) fn run(args: &Args, console: &Console) -> anyhow::Result<()> {
    let mut experiment = args.asking.experiment(&args.data)?;
    choose(&mut experiment, args)?;
    // Folds cannot end early: those that are left would be judged by a model hardly trained.
    let ctx = if experiment.cv > 1 { console.ctx("train") } else { console.ctx_to_keep("train") };
    let table = table_of(&mut experiment, &ctx.part(0, 4))?;
    console.notes(&table.origin.notes);
    if args.model.is_none() && !is_experiment(&args.data) {
        suit(&mut experiment, &table, console)?;
    }
    let (experiment, mut notes) = train::resolve(&table, &experiment)?;
    console.notes(&notes);
    notes.splice(0..0, table.origin.notes.iter().cloned());
    let registry = keep::open(&args.shared, console);
    if args.fresh {
        let same = |old: &Unfinished| old.experiment == experiment;
        for old in registry.unfinished().into_iter().filter(same) {
            registry.forget_unfinished(&old.name);
        }
    }
    let shelf = registry.shelf();
    let run = train::run(&table, &experiment, &last_parts(&ctx).on(shelf.clone()))
        .inspect_err(|_| shelf.settle())?;
    drop(ctx);
    let (run, _) = registry.keep(run)?;
    shelf.settle();
    keep::log(&registry, &run);
    if let Some(out) = &args.out {
        registry::save_model(&run, out)?;
    }
    let artifact = args.out.clone().or_else(|| registry.artifact(&run.id));
    if args.shared.json {
        let mut object = json::run(&run)?;
        object.insert("artifact".into(), serde_json::json!(artifact));
        object.insert("notes".into(), serde_json::json!(notes));
        return console.json(&object.into());
    }
    console.notes(&run.notes);
    console.notes(run.warnings.iter().map(|w| format!("warning: {w}")).collect::<Vec<_>>().iter());
    let mut text = report::run(&run, Depth::Short, console);
    text += &kept(&run.id.0, artifact.as_deref());
    console.print(&text)
}

/// Takes over `--model`, and names what is wrong before a large table is read.
fn choose(experiment: &mut Experiment, args: &Args) -> anyhow::Result<()> {
    if let Some(kind) = &args.model {
        args.asking.choose_model(experiment, kind);
    }
    if args.model.is_some() || is_experiment(&args.data) {
        models::kind(&experiment.model.kind)?;
        models::check(&experiment.model.kind, &experiment.model.set)?;
    }
    Ok(())
}

/// Without `--model` the task chooses: logistic for classes, linear for a quantity.
pub(super) fn suit(
    experiment: &mut Experiment,
    table: &Table,
    console: &Console,
) -> anyhow::Result<()> {
    let mut probe = experiment.clone();
    probe.model.kind = "baseline".into();
    probe.model.set.clear();
    let (resolved, _) = train::resolve(table, &probe)?;
    let kind = if resolved.question.task == Some(Task::Regression) { "linear" } else { "logistic" };
    experiment.model.kind = kind.into();
    models::check(kind, &experiment.model.set)?;
    console.note(&format!("model `{kind}` chosen; `--model` takes another"));
    Ok(())
}

fn is_experiment(data: &str) -> bool {
    Path::new(data).extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"))
}

/// Reading counts for a quarter of the progress, training for the rest.
fn last_parts(ctx: &Ctx) -> Ctx {
    ctx.part(1, 2)
}

fn kept(id: &str, artifact: Option<&Path>) -> String {
    match artifact {
        Some(path) => format!("\nrun {id} · {}\n", path.display()),
        None => format!("\nrun {id}, kept in memory only: give `--out MODEL.karat` to keep it\n"),
    }
}
