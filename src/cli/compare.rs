//! `karat compare`: several kinds of models on the same rows, with the tests between them.

use anyhow::bail;
use clap::Args as ClapArgs;
use serde_json::{Value, json};

use super::asking::Asking;
use super::console::Console;
use super::reading::table_of;
use super::text::TextTable;
use super::{Shared, json, keep, report, text};
use crate::data::{Table, Task, nearest};
use crate::jobs::{Ctx, error_text};
use crate::models::{self, CATALOG};
use crate::registry::Registry;
use crate::train::{self, Comparison, Experiment, Run};

/// What `compare` is given.
#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Args {
    /// A table, an experiment (.toml), a sample such as `german_credit`, or - for standard input
    #[arg(value_name = "DATA|EXPERIMENT.toml")]
    data: String,
    /// Kinds of models; all that can do the task when not given
    #[arg(long, value_name = "KIND,..", value_delimiter = ',')]
    models: Vec<String>,
    /// Metric to rank by; `roc_auc` for two classes, accuracy for several and rmse for a quantity
    /// when not given
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Kind that the others are compared with; the first one when not given
    #[arg(long, value_name = "KIND")]
    yardstick: Option<String>,
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
    for kind in args.models.iter().chain(&args.yardstick) {
        models::kind(kind)?;
    }
    let ctx = console.ctx("compare");
    let table = table_of(&mut experiment, &ctx.part(0, 8))?;
    console.notes(&table.origin.notes);
    let (experiment, mut notes) = any_kind(&table, &experiment)?;
    console.notes(&notes);
    notes.splice(0..0, table.origin.notes.iter().cloned());
    let kinds = kinds(args, &experiment, &table)?;
    let ranked_by = ranked_by(args, experiment.question.task)?;
    let registry = keep::open(&args.shared, console);
    let work = Work { console, table: &table, registry: &registry };
    let (runs, failed) = work.train_all(&experiment, &kinds, &ctx)?;
    notes.extend(failed);
    let wanted = args.yardstick.as_deref().unwrap_or(&kinds[0]);
    let yardstick = runs.iter().position(|run| run.model.kind == wanted).unwrap_or(0);
    let of_all: Vec<&Run> = runs.iter().collect();
    let comparison = train::compare(&of_all, yardstick, ranked_by, &ctx.part(7, 8))?;
    drop(ctx);
    let answer = Answer { runs: &runs, yardstick: &runs[yardstick], comparison: &comparison };
    if args.shared.json {
        return console.json(&answer.json(&registry, &notes));
    }
    for run in &runs {
        let say = |w: &String| console.note(&format!("warning: {}: {w}", run.model.kind));
        run.warnings.iter().for_each(say);
    }
    console.print(&answer.text(console))
}

/// The question with everything inferred, asked of a kind that can answer every question.
fn any_kind(table: &Table, experiment: &Experiment) -> anyhow::Result<(Experiment, Vec<String>)> {
    let mut probe = experiment.clone();
    probe.model.kind = "baseline".into();
    probe.model.set.clear();
    let (mut resolved, notes) = train::resolve(table, &probe)?;
    resolved.model.set.clone_from(&experiment.model.set);
    Ok((resolved, notes))
}

fn kinds(args: &Args, experiment: &Experiment, table: &Table) -> anyhow::Result<Vec<String>> {
    let task = experiment.question.task;
    let mut kinds = args.models.clone();
    if kinds.is_empty() {
        let able = CATALOG.iter().filter(|kind| task.is_none_or(|task| kind.can(task)));
        let able = able.filter(|kind| train::suits(table, experiment, kind.name));
        kinds = able.map(|kind| kind.name.to_owned()).collect();
    }
    if let Some(yardstick) = &args.yardstick
        && !kinds.contains(yardstick)
    {
        kinds.insert(0, yardstick.clone());
    }
    if kinds.is_empty() {
        bail!("no kind of model can do this task\nhint: `karat models` says what each can do");
    }
    Ok(kinds)
}

fn ranked_by(args: &Args, task: Option<Task>) -> anyhow::Result<&'static str> {
    let task = task.unwrap_or(Task::Binary);
    let name = args.metric.as_deref().unwrap_or(train::usual_metric(task));
    let known = train::metrics_for(task);
    if let Some(metric) = known.iter().find(|metric| metric.name == name) {
        return Ok(metric.name);
    }
    let names = known.iter().map(|m| m.name);
    let hint = match nearest(name, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the metrics are {}", names.collect::<Vec<_>>().join(", ")),
    };
    bail!("no metric `{name}` for the task {task}\nhint: {hint}")
}

/// What every fit needs.
struct Work<'a> {
    console: &'a Console,
    table: &'a Table,
    registry: &'a Registry,
}

impl Work<'_> {
    /// Trains each kind and keeps its run; a kind that fails is said, and no reason to stop
    /// unless all do.
    fn train_all(
        &self,
        experiment: &Experiment,
        kinds: &[String],
        ctx: &Ctx,
    ) -> anyhow::Result<(Vec<Run>, Vec<String>)> {
        let (mut runs, mut failed) = (Vec::new(), Vec::new());
        for (i, kind) in kinds.iter().enumerate() {
            let part = ctx.part(1 + i * 6 / kinds.len(), 8);
            part.note(kind.as_str());
            match train::run(self.table, &with_kind(experiment, kind, kinds)?, &part) {
                Ok(run) => {
                    let (run, _) = self.registry.keep(run)?;
                    keep::log(self.registry, &run);
                    runs.push(run);
                }
                Err(error) if self.console.is_cancelled() || kinds.len() == 1 => {
                    return Err(error.into());
                }
                Err(error) => {
                    let note = format!("{kind}: {}", error_text(&error));
                    self.console.note(&note);
                    failed.push(note);
                }
            }
        }
        if runs.is_empty() {
            bail!("no model could be trained\nhint: each reason stands above");
        }
        Ok((runs, failed))
    }
}

/// The same question for another kind, with those parameters that it has.
fn with_kind(experiment: &Experiment, kind: &str, all: &[String]) -> anyhow::Result<Experiment> {
    let mut experiment = experiment.clone();
    kind.clone_into(&mut experiment.model.kind);
    let knows = |kind: &str, key: &str| models::kind(kind).is_ok_and(|k| k.param(key).is_some());
    experiment.model.set.retain(|key, _| {
        // A parameter that no kind has stays, so that the check below can name it.
        knows(kind, key) || !all.iter().any(|other| knows(other, key))
    });
    models::check(kind, &experiment.model.set)?;
    Ok(experiment)
}

struct Answer<'a> {
    runs: &'a [Run],
    yardstick: &'a Run,
    comparison: &'a Comparison,
}

impl Answer<'_> {
    fn json(&self, registry: &Registry, notes: &[String]) -> Value {
        let first = &self.runs[0];
        let [train_rows, valid_rows, test_rows] = first.split_rows;
        let leaderboard = self.comparison.leaderboard.iter().map(|row| {
            let run = self.runs.iter().find(|run| run.id == row.id);
            json!({
                "model": row.model,
                "run_id": row.id.0,
                "parameters": run.map(|run| &run.experiment.model.set),
                "metrics": json::estimates(&row.metrics),
                "difference": row.diff.as_ref().map(json::estimate),
                "p": row.p,
                "p_holm": row.p_holm,
                "method": row.method,
                "verdict": row.verdict,
                "fit_seconds": row.fit_seconds,
                "artifact": registry.artifact(&row.id),
                "warnings": run.map(|run| &run.warnings),
            })
        });
        let tested = self.comparison.leaderboard.iter().filter(|row| row.id != self.yardstick.id);
        let tests = tested.map(|row| {
            json!({
                "model": row.model,
                "run_id": row.id.0,
                "against": self.yardstick.id.0,
                "metric": self.comparison.metric,
                "method": row.method,
                "difference": row.diff.as_ref().map(json::estimate),
                "p": row.p,
                "p_holm": row.p_holm,
                "verdict": row.verdict,
            })
        });
        json!({
            "task": first.task,
            "target": first.model.target,
            "positive": first.experiment.question.positive,
            "dataset": json::dataset(&first.dataset),
            "split": {
                "method": first.experiment.split.method,
                "seed": first.experiment.split.seed,
                "train_rows": train_rows,
                "valid_rows": valid_rows,
                "test_rows": test_rows,
                "folds": first.folds.len(),
            },
            "metric": self.comparison.metric,
            "rows": self.comparison.rows_shared,
            "yardstick": self.yardstick.id.0,
            "leaderboard": leaderboard.collect::<Vec<_>>(),
            "tests": tests.collect::<Vec<_>>(),
            "sentence": self.comparison.sentence,
            "notes": notes,
        })
    }

    fn text(&self, console: &Console) -> String {
        let first = &self.runs[0];
        let ranked_by = self.comparison.metric.to_string();
        let others: &[&str] = match first.task {
            Task::Regression => &["rmse", "mae", "r2"],
            Task::Multiclass => &["accuracy", "macro_f1", "log_loss", "top_2_accuracy"],
            Task::Binary => &["roc_auc", "ks", "brier", "log_loss", "f1"],
        };
        let others: Vec<&str> = others.iter().copied().filter(|name| *name != ranked_by).collect();
        let mut titles = vec!["run".to_owned(), "model".into()];
        titles.extend([format!(">{}", report::label(&ranked_by)), "95 %".into()]);
        titles.extend(others.iter().map(|name| format!(">{}", report::label(name))));
        let against = format!("against {}", self.yardstick.id);
        titles.extend([format!(">{against}"), "95 % of it".into()]);
        titles.extend([">p (Holm)".into(), "verdict".into(), ">fit".into()]);
        let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
        let labels: Vec<&str> = others.iter().rev().map(|name| report::label(name)).collect();
        let less = [&["fit", "95 % of it"], &labels[..], &["95 %"]].concat();
        let mut table = TextTable::new(&titles).optional(&less);
        for row in &self.comparison.leaderboard {
            let main = row.metrics.get(&ranked_by).copied().unwrap_or_default();
            let value = |name: &&str| text::maybe(row.metrics.get(*name).and_then(|e| e.value));
            let mut cells = vec![row.id.0.clone(), row.model.clone()];
            cells.extend([text::maybe(main.value), report::interval(&main)]);
            cells.extend(others.iter().map(value));
            if row.id == self.yardstick.id {
                cells.extend(["yardstick".into(), String::new(), String::new(), String::new()]);
            } else {
                let signed = |v: f64| format!("{v:+.4}");
                let diff = row.diff.unwrap_or_default();
                cells.push(diff.value.map_or("–".into(), signed));
                cells.push(report::interval(&diff));
                cells.push(row.p_holm.map_or(String::new(), text::p_value));
                cells.push(row.verdict.map_or(String::new(), ToString::to_string));
            }
            cells.push(text::seconds(row.fit_seconds));
            table.row(cells);
        }
        let n_folds = first.folds.len();
        let on = if n_folds > 0 { format!(" · {n_folds} folds") } else { String::new() };
        let heading = format!(
            "{} · target {} ({}) · {} in common{on}\n\n",
            first.dataset.path,
            first.model.target,
            first.task,
            text::plural(self.comparison.rows_shared, "row"),
        );
        let methods = self.comparison.leaderboard.iter().find_map(|row| row.method);
        let method = methods.map_or(String::new(), |method| {
            let n = self.comparison.n_tests();
            format!("{method}; Holm over {}\n", text::plural(n, "comparison"))
        });
        let body = table.render(console.width, console.bold);
        text::sanitise(&heading) + &body + "\n" + &self.comparison.sentence + "\n" + &method
    }
}
