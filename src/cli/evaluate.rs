//! `karat evaluate`: a model measured on a table that has the target.

use clap::Args as ClapArgs;
use serde_json::json;

use super::classes::Several;
use super::console::Console;
use super::reading::{Reading, table_of};
use super::{Shared, json, keep, report, text};
use crate::train;

/// What `evaluate` is given.
#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Args {
    /// A model file, or the id of a run
    #[arg(value_name = "MODEL")]
    model: String,
    /// A table with the columns that the model was trained on, the target among them
    #[arg(value_name = "DATA")]
    data: String,
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
    let found = keep::model(&args.model, &args.shared)?;
    let model = &found.loaded.model;
    let ctx = console.ctx("evaluate");
    let mut experiment = args.reading.experiment(&args.data)?;
    let table = table_of(&mut experiment, &ctx.part(0, 2))?;
    console.notes(&table.origin.notes);
    let evaluation = train::evaluate(model, &table, &ctx.part(1, 2))?;
    drop(ctx);
    let seen = table.origin.sha256 == found.loaded.dataset.sha256;
    let mut notes = table.origin.notes.clone();
    if seen {
        let note = "the model was trained on rows of this very table; rows it has seen say little \
                    about those it has not";
        console.note(note);
        notes.push(note.into());
    }
    let several = Several::of(&model.classes, &evaluation.scores);
    if args.shared.json {
        let mut answer = json!({
            "model": model.kind,
            "run_id": found.loaded.run.0,
            "task": evaluation.task,
            "target": model.target,
            "classes": model.classes,
            "rows": evaluation.rows,
            "threshold": model.threshold,
            "metrics": json::numbers(&evaluation.metrics),
            "intervals": json::intervals(&evaluation.metrics),
            "dataset": {
                "path": experiment.data.path,
                "rows": table.n_rows(),
                "columns": table.n_columns(),
                "sha256": table.origin.sha256,
            },
            "trained_on_this_table": seen,
            "notes": notes,
        });
        if let (Some(several), Some(answer)) = (&several, answer.as_object_mut()) {
            several.tell(answer);
        }
        return console.json(&answer);
    }
    let heading = format!(
        "{} from {} · target {} ({}) · {} of {}\n\n",
        model.kind,
        found.place,
        model.target,
        evaluation.task,
        text::plural(evaluation.rows, "row"),
        table.origin.label,
    );
    let metrics = &evaluation.metrics;
    let table = report::metric_table(&[("value", metrics)], metrics, console);
    let classes = several.map_or(String::new(), |several| "\n".to_owned() + &several.text(console));
    console.print(&(text::sanitise(&heading) + &table + &classes))
}
