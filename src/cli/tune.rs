//! `karat tune`: a search over several parameters, within a budget of time.

use std::time::Duration;

use anyhow::bail;
use clap::Args as ClapArgs;
use serde_json::json;

use super::asking::Asking;
use super::console::Console;
use super::reading::{pair, table_of};
use super::text::TextTable;
use super::{Shared, json, keep, report, text};
use crate::models;
use crate::train::{self, Halving, Run, Search};

/// What `tune` is given.
#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Args {
    /// A table, an experiment (.toml), a sample such as `digits`, or - for standard input
    #[arg(value_name = "DATA|EXPERIMENT.toml")]
    data: String,
    /// Kind of model, as `karat models` lists them
    #[arg(long, value_name = "KIND")]
    model: Option<String>,
    /// Parameter with the values to try; given once for each parameter. Values of `network` and of
    /// other words with commas are divided by `;`
    #[arg(long = "try", value_name = "KEY=V1,V2,..", value_parser = pair, required = true)]
    tries: Vec<(String, String)>,
    /// Try so many combinations, drawn at random, instead of all
    #[arg(long, value_name = "N")]
    random: Option<usize>,
    /// Give up combinations that fall behind: train all for a few epochs, the better third for
    /// three times as many, and so on
    #[arg(long)]
    halving: bool,
    /// Begin no run after so many minutes
    #[arg(long, value_name = "M", default_value_t = 60.0)]
    minutes: f64,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    shared: Shared,
}

impl Args {
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    fn search(&self) -> anyhow::Result<Search> {
        if !(0.0..=1e6).contains(&self.minutes) {
            bail!("`--minutes` cannot be {}\nhint: give it a number from 0 up", self.minutes);
        }
        if self.random == Some(0) {
            bail!("`--random 0` tries nothing\nhint: give it 1 or more");
        }
        let values = |text: &str| -> Vec<String> {
            let by = if text.contains(';') { ';' } else { ',' };
            text.split(by).map(|value| value.trim().to_owned()).collect()
        };
        let tries = self.tries.iter().map(|(key, text)| (key.clone(), values(text)));
        Ok(Search {
            tries: tries.collect(),
            random: self.random,
            halving: if self.halving { Halving::On } else { Halving::Off },
            budget: Duration::from_secs_f64(60.0 * self.minutes),
        })
    }
}

pub(super) fn run(args: &Args, console: &Console) -> anyhow::Result<()> {
    let search = args.search()?;
    let mut experiment = args.asking.experiment(&args.data)?;
    if let Some(kind) = &args.model {
        args.asking.choose_model(&mut experiment, kind);
    }
    models::kind(&experiment.model.kind)?;
    models::check(&experiment.model.kind, &experiment.model.set)?;
    let ctx = console.ctx("tune");
    let table = table_of(&mut experiment, &ctx.part(0, 8))?;
    console.notes(&table.origin.notes);
    let registry = keep::open(&args.shared, console);
    let (mut runs, mut failed) = (Vec::new(), None);
    let mut keep = |run: Run| match registry.keep(run) {
        Ok((run, _)) => {
            keep::log(&registry, &run);
            runs.push(run);
        }
        Err(error) => failed = Some(error),
    };
    let untried = train::tune(&table, &experiment, &search, &ctx.part(1, 2), &mut keep)?;
    drop(ctx);
    if untried > 0 {
        let n = text::plural(untried, "combination");
        console.note(&format!("the time was up: {n} not tried"));
    }
    if let Some(error) = failed {
        return Err(error.into());
    }
    let Some(first) = runs.first() else {
        bail!("no combination was trained to its end\nhint: give it more `--minutes`");
    };
    let name = train::usual_metric(first.task);
    let lower =
        crate::metrics::metric(name).is_some_and(|m| m.better == crate::metrics::Better::Lower);
    let sign = if lower { 1.0 } else { -1.0 };
    let judged = |run: &Run| {
        let metrics = run.cv.as_ref().or(run.valid.as_ref());
        metrics.and_then(|all| all.get(name)).and_then(|e| e.value)
    };
    let place = |run: &Run| judged(run).map_or(f64::INFINITY, |value| sign * value);
    runs.sort_by(|a, b| place(a).total_cmp(&place(b)));
    if args.shared.json {
        let all = runs.iter().map(json::run).collect::<anyhow::Result<Vec<_>>>()?;
        let best = &runs[0].id.0;
        return console
            .json(&json!({ "metric": name, "best": best, "untried": untried, "runs": all }));
    }
    let side = if runs[0].cv.is_some() { "folds" } else { "validation" };
    let label = report::label(name);
    let on_side = format!(">{label} {side}");
    let mut titles = vec!["run"];
    titles.extend(search.tries.iter().map(|(key, _)| key.as_str()));
    let on_test = format!(">{label} test");
    titles.extend([on_side.as_str(), on_test.as_str(), ">epochs", ">fit"]);
    let mut lines = TextTable::new(&titles);
    for run in &runs {
        let mut cells = vec![run.id.0.clone()];
        let value = |key: &String| run.experiment.model.set.get(key).cloned().unwrap_or_default();
        cells.extend(search.tries.iter().map(|(key, _)| value(key)));
        let test = run.test.as_ref().and_then(|all| all.get(name)).and_then(|e| e.value);
        cells.extend([text::maybe(judged(run)), text::maybe(test)]);
        cells.extend([run.iterations.to_string(), text::seconds(run.fit_seconds)]);
        lines.row(cells);
    }
    let best = &runs[0];
    let body = lines.render(console.width, console.bold);
    console.print(&format!("{body}\nbest on {side}: run {}\n", best.id))
}
