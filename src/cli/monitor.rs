//! `karat monitor`: drift, performance, alerts, and models trained again.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::bail;
use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use super::console::Console;
use super::numbers::positive;
use super::reading::{Reading, place, table_of};
use super::text::{self, TextTable, sanitise};
use super::{Shared, keep};
use crate::registry::Registry;
use crate::registry::store::log::PredictionLog;
use crate::registry::store::{Actor, Retrain, Store, now_ms};
use crate::serve::watch_table;
use crate::workspace::{
    Erased, Rule, erase_subject, export_log, retrain, schedule as schedule_again,
};

/// What `monitor` is given.
#[derive(ClapArgs, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// The name of a model; all when not given
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    shared: Shared,
}

#[derive(Subcommand, Clone, Debug)]
enum What {
    /// List the alerts that stand, or all
    Alerts(Alerts),
    /// Take notice of an alert
    Ack(Ack),
    /// Say that what raised an alert is over, where no window will tell it any more
    Resolve(Ack),
    /// Measure the drift of a table against what a model was trained on
    Check(Box<Check>),
    /// Train the champion of a name again, now or from time to time
    Retrain(RetrainArgs),
    /// Erase everything that the prediction log keeps of a subject
    Erase(Erase),
    /// Write logged predictions to a file for analysis
    Export(Export),
}

#[derive(ClapArgs, Clone, Debug)]
struct Alerts {
    /// Also those that are over
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
struct Ack {
    /// The numbers of the alerts
    #[arg(value_name = "ID", required = true, value_delimiter = ',')]
    ids: Vec<i64>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
struct Check {
    /// A model file, the id of a run, or NAME@ALIAS
    #[arg(value_name = "MODEL")]
    model: String,
    /// A table with the columns that the model asks for
    #[arg(value_name = "DATA")]
    data: String,
    /// Rows of a window; the whole table when not given
    #[arg(long, value_name = "N")]
    window: Option<usize>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
struct RetrainArgs {
    /// The name
    #[arg(value_name = "NAME")]
    name: String,
    /// The table with new data, in place of the one that the run was trained on
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// From time to time, such as `24h` or `7d`; a running server does it
    #[arg(long, value_name = "TIME")]
    every: Option<String>,
    /// Whenever an alert is raised about it; a running server does it
    #[arg(long)]
    on_alert: bool,
    /// Promote the candidate if it is better beyond chance; else a person decides
    #[arg(long)]
    promote_if_better: bool,
    /// Not any more
    #[arg(long)]
    never: bool,
    /// Why it is trained from time to time, or not any more
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
struct Erase {
    /// Whom it is about, as requests have called them
    #[arg(value_name = "SUBJECT")]
    subject: String,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
struct Export {
    /// The name of the model
    #[arg(value_name = "NAME")]
    name: String,
    /// Where to: .parquet, .csv or .ndjson
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Only the latest so many days
    #[arg(long, value_name = "DAYS", value_parser = positive)]
    days: Option<f64>,
    #[command(flatten)]
    shared: Shared,
}

impl Args {
    pub(super) fn shared(&self) -> &Shared {
        match &self.what {
            None => &self.shared,
            Some(What::Alerts(args)) => &args.shared,
            Some(What::Ack(args) | What::Resolve(args)) => &args.shared,
            Some(What::Check(args)) => &args.shared,
            Some(What::Retrain(args)) => &args.shared,
            Some(What::Erase(args)) => &args.shared,
            Some(What::Export(args)) => &args.shared,
        }
    }
}

/// One number as such, several as a list.
fn one_or_all(ids: &[i64]) -> serde_json::Value {
    if let [id] = ids { json!(id) } else { json!(ids) }
}

fn numbers(ids: &[i64]) -> String {
    let words: Vec<String> = ids.iter().map(|id| format!("alert {id}")).collect();
    words.join(", ")
}

pub(super) fn run(args: &Args, console: &Console) -> anyhow::Result<()> {
    let shared = args.shared();
    if let Some(What::Check(check)) = &args.what {
        return measure(check, console);
    }
    let dir = shared.workspace();
    if !Registry::exists(&dir) {
        bail!(
            "there is no workspace `{}`\nhint: name another with `--workspace DIR`",
            dir.display()
        );
    }
    let store = Store::open(&dir)?;
    match &args.what {
        None => latest(&store, args.name.as_deref(), shared, console),
        Some(What::Alerts(alerts)) => list(&store, alerts, console),
        Some(What::Ack(ack)) => {
            for id in &ack.ids {
                store.acknowledge(*id, &Actor::login(), &ack.why)?;
            }
            if shared.json {
                return console.json(&json!({ "acknowledged": one_or_all(&ack.ids) }));
            }
            console.print(&format!("acknowledged: {}", numbers(&ack.ids)))
        }
        Some(What::Resolve(over)) => {
            for id in &over.ids {
                store.resolve(*id, &Actor::login(), &over.why)?;
            }
            if shared.json {
                return console.json(&json!({ "resolved": one_or_all(&over.ids) }));
            }
            console.print(&format!("over: {}", numbers(&over.ids)))
        }
        Some(What::Check(_)) => Ok(()),
        Some(What::Retrain(args)) => again(&store, args, console),
        Some(What::Erase(args)) => {
            if args.subject.trim().is_empty() {
                bail!("the subject is empty\nhint: name the one that requests called `subject`");
            }
            let told = erase_subject(&dir, &store, &args.subject, &Actor::login(), &args.why)?;
            let Erased { predictions: n, subject, event } = told;
            if shared.json {
                return console.json(&json!({ "erased": n, "subject": subject, "event": event }));
            }
            console.print(&format!("{} erased", text::plural(n, "prediction")))
        }
        Some(What::Export(args)) => export(&store, args, console),
    }
}

fn measure(args: &Check, console: &Console) -> anyhow::Result<()> {
    let found = keep::model(&args.model, &args.shared)?;
    let ctx = console.ctx("check");
    let table = table_of(&mut args.reading.experiment(&args.data)?, &ctx)?;
    let reports = watch_table(&found.loaded.model, &table, args.window, &ctx)?;
    drop(ctx);
    if args.shared.json {
        return console.json(&json!({ "model": found.loaded.model.kind, "windows": reports }));
    }
    for report in &reports {
        console.print(&told(&serde_json::to_value(report)?, console))?;
    }
    Ok(())
}

/// A report in words.
fn told(report: &Value, console: &Console) -> String {
    let number =
        |value: &Value| value.as_f64().map_or("–".to_owned(), |value| format!("{value:.3}"));
    let share = |value: &Value| {
        value["window"].as_f64().map_or("–".to_owned(), |value| format!("{:.1} %", 100.0 * value))
    };
    let mut out = format!("{} rows\n", text::count(report["n"].as_u64().unwrap_or(0) as usize));
    let mut table = TextTable::new(&[
        "column",
        ">PSI",
        ">null",
        "method",
        ">value",
        ">threshold",
        ">limit",
        ">missing",
        ">unseen",
        ">p",
        "",
    ])
    .optional(&["null", "limit", "unseen", "missing"]);
    let empty = Vec::new();
    let columns = report["columns"].as_array().unwrap_or(&empty).iter();
    for column in columns.chain(report.get("score").filter(|score| score.is_object())) {
        table.row([
            column["name"].as_str().unwrap_or_default().to_owned(),
            number(&column["psi"]),
            number(&column["psi_null"]),
            column["method"].as_str().unwrap_or_default().to_owned(),
            number(&column["value"]),
            number(&column["threshold"]),
            number(&column["limits"]["high"]),
            share(&column["missing"]),
            share(&column["unseen"]),
            column["p"].as_f64().map_or("–".to_owned(), text::p_value),
            if column["alarm"] == true { "ALARM".into() } else { String::new() },
        ]);
    }
    out += &table.render(console.width, console.bold);
    out += "null is the PSI that chance alone makes, limit how far the method scatters in windows drawn \
            from training. An alarm takes both a small p, corrected for all tests of the window, and a \
            drift of some size. The value of ks, chisquare and z is the p of that test taken alone \
            and of the reference as without error, as other programs print it\n";
    for (name, key) in [("estimated without labels", "estimated"), ("by labels", "realised")] {
        let all: Vec<String> = report[key]
            .as_array()
            .unwrap_or(&empty)
            .iter()
            .filter_map(|own| {
                Some(format!("{} {:.3}", own["metric"].as_str()?, own["value"].as_f64()?))
            })
            .collect();
        if !all.is_empty() {
            let _ = writeln!(out, "{name}: {}", all.join(" · "));
        }
    }
    if let Some(limits) = report["estimate_limits"]
        .as_str()
        .filter(|_| report["estimated"].as_array().is_some_and(|all| !all.is_empty()))
    {
        let _ = writeln!(out, "an estimate: {limits}");
    }
    let alarms = report["alarms"].as_array().unwrap_or(&empty);
    for alarm in alarms {
        let _ = writeln!(out, "! {}", sanitise(alarm["sentence"].as_str().unwrap_or_default()));
    }
    if alarms.is_empty() {
        out += "nothing beyond chance\n";
    }
    out
}

fn latest(
    store: &Store,
    name: Option<&str>,
    shared: &Shared,
    console: &Console,
) -> anyhow::Result<()> {
    let mut windows = Vec::new();
    let models = match name {
        Some(name) => vec![store.known(name)?],
        None => store.models()?,
    };
    for model in models {
        for version in &model.versions {
            windows.extend(store.windows(&model.name, Some(version.version), 1)?);
        }
    }
    let mut alerts = store.alerts(true)?;
    alerts.retain(|alert| name.is_none_or(|name| alert.model == name));
    if shared.json {
        return console.json(&json!({ "windows": windows, "alerts": alerts }));
    }
    if windows.is_empty() {
        return console.print(
            "no window has been measured yet: a server measures one after every 1,000 rows; \
             `karat monitor check MODEL DATA` measures a table",
        );
    }
    for window in &windows {
        let when = text::moment(window.to_ms / 1000);
        console.print(&format!(
            "{} version {} · window until {when} UTC\n{}",
            window.model,
            window.version,
            told(&window.report, console)
        ))?;
    }
    Ok(())
}

fn list(store: &Store, args: &Alerts, console: &Console) -> anyhow::Result<()> {
    let alerts = store.alerts(!args.all)?;
    if args.shared.json {
        return console.json(&json!({ "alerts": alerts }));
    }
    if alerts.is_empty() {
        return console.print("no alert stands");
    }
    let mut table =
        TextTable::new(&[">alert", "model", ">version", "state", "since (UTC)", "what"]);
    for alert in &alerts {
        table.row([
            alert.id.to_string(),
            alert.model.clone(),
            alert.version.to_string(),
            alert.state.word().to_owned(),
            text::moment(alert.first_ms / 1000),
            alert.sentence.clone(),
        ]);
    }
    console.print(&table.wrapping().render(console.width, console.bold))
}

fn again(store: &Store, args: &RetrainArgs, console: &Console) -> anyhow::Result<()> {
    let actor = Actor::login();
    store.known(&args.name)?;
    let data = args.data.as_deref().map(|data| place(data).to_string_lossy().into_owned());
    if args.never {
        store.remove_retraining(&args.name, &actor, &args.why)?;
        if args.shared.json {
            return console.json(&json!({ "name": args.name, "schedule": null }));
        }
        return console.print(&format!("{} is not trained again by itself any more", args.name));
    }
    let rule = if args.promote_if_better { Rule::PromoteIfBetter } else { Rule::Ask };
    if args.every.is_none() && !args.on_alert {
        let registry = keep::open(&args.shared, console);
        let ctx = console.ctx("retrain");
        let told = retrain(&registry, store, &args.name, data.as_deref(), rule, &actor, &ctx)?;
        drop(ctx);
        if args.shared.json {
            return console.json(&serde_json::to_value(&told)?);
        }
        let end = match (told.promoted, told.pending) {
            (true, _) => "it is the champion now".to_owned(),
            (false, Some(id)) => format!("decision {id} waits for a second person"),
            (false, None) => format!(
                "the champion stays until someone decides otherwise: `karat runs promote v{} \
                 --name {}`",
                told.candidate, args.name
            ),
        };
        return console.print(&format!(
            "version {} (run {}) against version {}\n{}\n{end}",
            told.candidate, told.run_id, told.champion, told.sentence
        ));
    }
    let schedule = match &args.every {
        Some(every) => format!("every {}", every.trim_start_matches("every").trim()),
        None => String::new(),
    };
    let job = Retrain {
        model: args.name.clone(),
        schedule,
        on_alert: args.on_alert,
        rule: rule.word().into(),
        data,
        ..Retrain::default()
    };
    let job = schedule_again(store, &job, &actor, &args.why)?;
    if args.shared.json {
        return console.json(&serde_json::to_value(&job)?);
    }
    console.print(&format!("set; a running server trains {} again", args.name))
}

fn export(store: &Store, args: &Export, console: &Console) -> anyhow::Result<()> {
    store.known(&args.name)?;
    let dir = args.shared.workspace();
    if !PredictionLog::exists(&dir) {
        bail!("this workspace has no prediction log\nhint: a server keeps one");
    }
    let log = PredictionLog::open(&dir, false)?;
    let now = now_ms();
    let from = args.days.map_or(0, |days| now - (days * 86_400_000.0) as i64);
    let n = export_log(&log, &args.name, [from, i64::MAX], &args.out)?;
    if n == 0 {
        bail!("no prediction of `{}` is in the log", args.name);
    }
    if args.shared.json {
        return console.json(&json!({ "rows": n, "out": args.out }));
    }
    console.print(&format!("{} written", text::plural(n, "prediction")))
}
