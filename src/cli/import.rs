//! `karat runs import`: a model made elsewhere, taken in as a run.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args as ClapArgs;
use serde_json::json;

use super::console::Console;
use super::reading::{Reading, table_of};
use super::{Shared, json, keep, text};
use crate::data::Task;
use crate::models::foreign::{ForeignModel, Limits};
use crate::train::{Import, import};

/// What `runs import` is given.
#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Args {
    /// An ONNX file
    #[arg(value_name = "MODEL.onnx")]
    file: PathBuf,
    /// A table that it is measured on, and that drift is measured against
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// The column it predicts
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// Its classes in the order of its outputs; for two the negative one first
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    classes: Vec<String>,
    /// Its columns in the order in which it takes them
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    features: Vec<String>,
    /// What it does, where its output does not tell: regression, binary, multiclass
    #[arg(long, value_name = "TASK")]
    task: Option<Task>,
    /// The output that is scored; found by itself when not given
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    shared: Shared,
}

impl Args {
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

pub(super) fn run(args: &Args, shared: &Shared, console: &Console) -> anyhow::Result<()> {
    let path = args.file.display().to_string();
    let limits = Limits::default();
    let size =
        std::fs::metadata(&args.file).with_context(|| format!("cannot read `{path}`"))?.len();
    if size > limits.n_bytes as u64 {
        anyhow::bail!(
            "`{path}` has {} MB, and a model has at most {} MB",
            size >> 20,
            limits.n_bytes >> 20
        );
    }
    let bytes = std::fs::read(&args.file).with_context(|| format!("cannot read `{path}`"))?;
    let foreign = ForeignModel::read_output(&bytes, args.output.as_deref(), &limits)?;
    let ctx = console.ctx("import");
    let table = match &args.data {
        Some(data) => Some(table_of(&mut args.reading.experiment(data)?, &ctx)?),
        None => None,
    };
    let asked = Import {
        target: args.target.clone(),
        classes: args.classes.clone(),
        task: args.task,
        features: args.features.clone(),
    };
    let about = format!(
        "{} nodes by {}, operators {}",
        foreign.n_nodes,
        foreign.producer,
        foreign.operators.join(", ")
    );
    let run = import(foreign, &asked, &path, table.as_ref(), &ctx)?;
    drop(ctx);
    let registry = keep::open(shared, console);
    let (run, _) = registry.keep(run)?;
    keep::log(&registry, &run);
    if shared.json {
        let mut object = json::run(&run)?;
        object.insert("artifact".into(), json!(registry.artifact(&run.id)));
        return console.json(&object.into());
    }
    console.note(&text::sanitise(&about));
    console.print(&format!(
        "run {} · {} of {}{}",
        run.id,
        text::plural(run.model.recipe.inputs.len(), "column"),
        run.model.target,
        if table.is_none() {
            ", without a table to measure it or its drift on (`--data`)"
        } else {
            ""
        }
    ))
}
