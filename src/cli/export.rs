//! `karat export`: a model written in a format that runs without karat.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args as ClapArgs, ValueEnum};
use serde_json::{Value, json};

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
    /// The database that reads the SQL
    #[arg(long, value_name = "NAME", value_enum, default_value_t)]
    dialect: Dialect,
    /// The table that the SQL reads
    #[arg(long, value_name = "NAME", default_value = "data")]
    table: String,
    #[command(flatten)]
    shared: Shared,
}

/// The formats a model can be written in.
#[derive(ValueEnum, Clone, Copy, Debug, Default)]
enum Format {
    /// A graph of standard operators, for onnxruntime, tract and others
    #[default]
    Onnx,
    /// A folder around the ONNX file that `MLflow` loads and serves
    Mlflow,
    /// A statement that scores the rows of a table in a database; linear families
    Sql,
}

/// The databases whose language SQL can be written in.
#[derive(ValueEnum, Clone, Copy, Debug, Default)]
enum Dialect {
    /// SQLite
    #[default]
    Sqlite,
    /// `PostgreSQL`
    Postgres,
    /// `DuckDB`
    Duckdb,
    /// Spark SQL
    Spark,
}

impl From<Dialect> for export::Dialect {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Sqlite => Self::Sqlite,
            Dialect::Postgres => Self::Postgres,
            Dialect::Duckdb => Self::Duckdb,
            Dialect::Spark => Self::Spark,
        }
    }
}

impl Args {
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

pub(super) fn run(args: &Args, console: &Console) -> anyhow::Result<()> {
    if args.out.as_os_str() == "-" {
        if args.shared.json {
            bail!(
                "standard output cannot take the file and the JSON\nhint: name a file with `--out`"
            );
        }
        if matches!(args.format, Format::Mlflow) {
            bail!("standard output cannot take a folder\nhint: name one with `--out`");
        }
    }
    let end = args.out.extension().map(|end| end.to_string_lossy().to_lowercase());
    let fits = match args.format {
        Format::Onnx => end.as_deref().is_none_or(|end| end == "onnx"),
        Format::Sql => end.as_deref().is_none_or(|end| end != "onnx"),
        Format::Mlflow => true,
    };
    if !fits {
        bail!(
            "`{}` would not be what its name says\nhint: models are written as .onnx, as .sql with \
             `--format sql`, and as a folder with `--format mlflow`",
            args.out.display()
        );
    }
    let found = keep::model(&args.model, &args.shared)?;
    let model = &found.loaded.model;
    let scope = if args.predictor_only { Scope::PredictorAlone } else { Scope::WholeModel };
    if matches!(args.format, Format::Sql) {
        return sql(args, &found, console);
    }
    let exported = export::onnx(model, scope)?;
    if matches!(args.format, Format::Mlflow) {
        return mlflow(args, exported, &found, console);
    }
    if args.out.as_os_str() == "-" {
        console.notes(&exported.notes);
        return console.bytes(&exported.bytes);
    }
    files::write(&args.out, &exported.bytes)?;
    if args.shared.json {
        return console.json(&json!({
            "model": model.kind,
            "run_id": found.loaded.run.0,
            "task": model.task,
            "format": "onnx",
            "out": args.out,
            "bytes": exported.bytes.len(),
            "inputs": ports(&exported.inputs),
            "outputs": ports(&exported.outputs),
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

/// What a graph takes or gives, for the JSON.
fn ports(ports: &[Port]) -> Vec<Value> {
    let port = |p: &Port| json!({ "name": p.name, "holds": p.holds, "width": p.width });
    ports.iter().map(port).collect()
}

fn sql(args: &Args, found: &keep::Found, console: &Console) -> anyhow::Result<()> {
    let model = &found.loaded.model;
    let text = export::sql(model, args.dialect.into(), &args.table)?;
    if args.out.as_os_str() == "-" {
        return console.print(text.trim_end());
    }
    files::write(&args.out, text.as_bytes())?;
    if args.shared.json {
        return console.json(&json!({
            "model": model.kind,
            "run_id": found.loaded.run.0,
            "task": model.task,
            "format": "sql",
            "out": args.out,
            "bytes": text.len(),
            "notes": [],
        }));
    }
    console.note(&format!("{} from {} written to {}", model.kind, found.place, args.out.display()));
    Ok(())
}

/// Writes the folder of a model as `MLflow` knows it.
fn mlflow(
    args: &Args,
    exported: export::Exported,
    found: &keep::Found,
    console: &Console,
) -> anyhow::Result<()> {
    if args.out.exists() {
        bail!("`{}` is there already\nhint: name another folder with `--out`", args.out.display());
    }
    let created = text::moment(found.loaded.created).replace(' ', "T");
    let created = format!("{}:00.000000", created.replace('T', " "));
    let uuid = files::sha256_hex(&exported.bytes)[..32].to_owned();
    let about = export::mlmodel::About::new(&uuid, &created);
    std::fs::create_dir_all(&args.out)?;
    let (inputs, outputs) = (ports(&exported.inputs), ports(&exported.outputs));
    let all = export::mlmodel::folder(exported.bytes, &exported.inputs, &exported.outputs, &about);
    for (name, bytes) in &all {
        files::write(&args.out.join(name), bytes)?;
    }
    if args.shared.json {
        let names: Vec<&String> = all.iter().map(|(name, _)| name).collect();
        return console.json(&json!({
            "model": found.loaded.model.kind,
            "run_id": found.loaded.run.0,
            "task": found.loaded.model.task,
            "format": "mlflow",
            "out": args.out,
            "bytes": all.iter().map(|(_, bytes)| bytes.len()).sum::<usize>(),
            "files": names,
            "inputs": inputs,
            "outputs": outputs,
            "notes": exported.notes,
        }));
    }
    console.notes(&exported.notes);
    console.note(&format!("{} written to {}", text::plural(all.len(), "file"), args.out.display()));
    Ok(())
}
