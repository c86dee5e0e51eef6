//! `karat score`: a model's predictions added to a table.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use ndarray::{Array2, ArrayView1};
use serde_json::{Value, json};

use super::Shared;
use super::console::Console;
use super::keep::{self, Found};
use super::reading::{Reading, table_of};
use super::text;
use crate::data::{self, Added, FileFormat, Table, Task, Values};
use crate::models::{Model, scores_of};

/// What `score` is given.
#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Args {
    /// A model file, or the id of a run
    #[arg(value_name = "MODEL")]
    model: String,
    /// A table with the columns that the model was trained on; the target is not needed
    #[arg(value_name = "DATA")]
    data: String,
    /// Where the table goes: .csv, .tsv, .parquet or .ndjson; standard output when not given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
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

pub(super) fn run(args: &Args, console: &Console) -> anyhow::Result<()> {
    if let Some(out) = &args.out {
        // Before hours of work, not after.
        FileFormat::of(out)?;
    }
    let found = keep::model(&args.model, &args.shared)?;
    let ctx = console.ctx("score");
    let table = table_of(&mut args.reading.experiment(&args.data)?, &ctx.part(0, 2))?;
    console.notes(&table.origin.notes);
    let model = &found.loaded.model;
    let outputs = model.outputs(&table, None, &ctx.part(1, 2))?;
    drop(ctx);
    let scores = scores_of(&outputs);
    let mut added = added(model, &scores);
    added.extend(of_classes(model, &outputs));
    let n_unknown = scores.iter().filter(|score| score.is_nan()).count();
    if n_unknown > 0 {
        let rows = text::plural(n_unknown, "row");
        console.note(&format!("{rows} have no score: too few rows stand before them for a window"));
    }
    let outside = |score: &f64| !score.is_nan() && !(0.0..=1.0).contains(score);
    if model.task == Task::Binary && scores.iter().any(outside) {
        console.note(
            "some scores lie outside 0 to 1: a linear model does not know that they are \
             probabilities",
        );
    }
    let out = args.out.as_deref().filter(|path| *path != Path::new("-"));
    let Some(out) = out else {
        if args.shared.json {
            return console.json(&answer(&found, &table, &added, None));
        }
        let bytes = data::to_bytes(&table, &added, FileFormat::Csv)?;
        say_left_out(&personal(&table), console);
        return console.bytes(&bytes);
    };
    let left_out = data::write(&table, &added, out)?;
    say_left_out(&left_out, console);
    if args.shared.json {
        return console.json(&answer(&found, &table, &added, Some(out)));
    }
    let names: Vec<&str> = added.iter().map(|column| column.name.as_str()).collect();
    console.note(&format!(
        "{} scored by {}, {} added: {}",
        text::plural(table.n_rows(), "row"),
        found.place,
        listed(&names),
        out.display()
    ));
    Ok(())
}

/// What the model says of every row: the number itself, or the class and its probability.
fn added(model: &Model, scores: &[f64]) -> Vec<Added> {
    // A row that a window does not fit before has no score.
    let known = |score: &f64| (!score.is_nan()).then_some(*score);
    let numbers = || Values::Numbers(scores.iter().map(known).collect());
    let column = |name: &str, values: Values| Added { name: name.into(), values };
    if model.task == Task::Regression {
        return vec![column("prediction", numbers())];
    }
    let words = scores.iter().map(|score| Some(model.predict(known(score)?))).collect();
    let mut added = vec![column("prediction", Values::Words(words))];
    if model.task == Task::Binary {
        added.push(column("probability", numbers()));
    }
    added
}

/// A column with the probability of each of several classes.
fn of_classes(model: &Model, outputs: &Array2<f64>) -> Vec<Added> {
    if model.task != Task::Multiclass {
        return Vec::new();
    }
    let column = |(class, values): (&String, ArrayView1<f64>)| Added {
        name: format!("probability_{class}"),
        values: Values::Numbers(values.iter().map(|p| (!p.is_nan()).then_some(*p)).collect()),
    };
    model.classes.iter().zip(outputs.columns()).map(column).collect()
}

fn answer(found: &Found, table: &Table, added: &[Added], out: Option<&Path>) -> Value {
    let model = &found.loaded.model;
    let names: Vec<&str> = added.iter().map(|column| column.name.as_str()).collect();
    let mut answer = json!({
        "model": model.kind,
        "run_id": found.loaded.run.0,
        "task": model.task,
        "target": model.target,
        "classes": model.classes,
        "threshold": model.threshold,
        "rows": table.n_rows(),
        "out": out,
        "added": names,
    });
    if out.is_none() {
        let value = |column: &Added, at: usize| match &column.values {
            Values::Numbers(values) => json!(values[at]),
            Values::Integers(values) => json!(values[at]),
            Values::Words(values) => json!(values[at]),
        };
        let rows = table.rows().into_iter().enumerate().map(|(at, row)| {
            let cells = added.iter().map(|column| (column.name.clone(), value(column, at)));
            let row = std::iter::once(("row".to_owned(), json!(row)));
            Value::Object(row.chain(cells).collect())
        });
        answer["predictions"] = rows.collect();
    }
    answer
}

/// The first few names.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 4;
    match names.len().saturating_sub(SHOWN) {
        0 => names.join(" and "),
        more => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}

fn personal(table: &Table) -> Vec<String> {
    let masked = table.columns.iter().filter(|column| column.is_masked());
    masked.map(|column| column.name.clone()).collect()
}

fn say_left_out(names: &[String], console: &Console) {
    if !names.is_empty() {
        console.note(&format!("personal data was left out: {}", names.join(", ")));
    }
}
