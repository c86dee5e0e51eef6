//! `karat export`: a model written in a format that runs without karat.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args as ClapArgs, ValueEnum};
use serde_json::json;

use super::console::Console;
use super::{Shared, keep, text};
use crate::export::{self, Port, Scope};
use crate::files;

/// What `export` is given.
#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Args {
    /// A model file, or the id of a run
    #[arg(value_name = "MODEL")]
    model: String,
    /// The format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Format,
    /// Where the file goes; `-` for standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Leave the recipe out: one input takes the prepared columns
    #[arg(long)]
    predictor_only: bool,
    #[command(flatten)]
    shared: Shared,
}

/// The formats a model can be written in.
#[derive(ValueEnum, Clone, Copy, Debug, Default)]
enum Format {
    /// A graph of standard operators, for onnxruntime, tract and others
    #[default]
    Onnx,
}

impl Args {
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

pub(super) fn run(args: &Args, console: &Console) -> anyhow::Result<()> {
    let found = keep::model(&args.model, &args.shared)?;
    let model = &found.loaded.model;
    let scope = if args.predictor_only { Scope::PredictorAlone } else { Scope::WholeModel };
    let (format, exported) = match args.format {
        Format::Onnx => ("onnx", export::onnx(model, scope)?),
    };
    if args.out.as_os_str() == "-" {
        if args.shared.json {
            bail!(
                "standard output cannot take the file and the JSON\nhint: name a file with `--out`"
            );
        }
        console.notes(&exported.notes);
        return console.bytes(&exported.bytes);
    }
    files::write(&args.out, &exported.bytes)?;
    if args.shared.json {
        let port = |p: &Port| json!({ "name": p.name, "holds": p.holds, "width": p.width });
        return console.json(&json!({
            "model": model.kind,
            "run_id": found.loaded.run.0,
            "task": model.task,
            "format": format,
            "out": args.out,
            "bytes": exported.bytes.len(),
            "inputs": exported.inputs.iter().map(port).collect::<Vec<_>>(),
            "outputs": exported.outputs.iter().map(port).collect::<Vec<_>>(),
            "notes": exported.notes,
        }));
    }
    console.notes(&exported.notes);
    let outputs: Vec<&str> = exported.outputs.iter().map(|port| port.name.as_str()).collect();
    console.note(&format!(
        "{} from {} written to {}: {}, {}",
        model.kind,
        found.place,
        args.out.display(),
        text::plural(exported.inputs.len(), "input"),
        outputs.join(" and "),
    ));
    Ok(())
}
