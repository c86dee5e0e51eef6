//! `karat profile`: what a table holds, and what is wrong with it.

use std::fmt::Write as _;

use clap::Args as ClapArgs;
use serde_json::{Value, json};

use super::Shared;
use super::asking::Asking;
use super::console::Console;
use super::reading::table_of;
use super::text::{self, TextTable};
use crate::data::{self, Column, ColumnProfile, Finding, Kind, Severity, Table, Target};
use crate::jobs::{Ctx, error_text};
use crate::train::{self, Experiment};

/// What `profile` is given.
#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Args {
    /// A table, an experiment (.toml), a sample such as `german_credit`, or - for standard input
    #[arg(value_name = "DATA")]
    data: String,
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
    let ctx = console.ctx("profile");
    let table = table_of(&mut experiment, &ctx.part(0, 2))?;
    console.notes(&table.origin.notes);
    let about = about(&table, &experiment, &ctx.part(1, 2), console)?;
    drop(ctx);
    if args.shared.json {
        return console.json(&about.json(&table, &experiment));
    }
    console.print(&about.text(&table, console))
}

/// What was found out about a table.
struct About {
    target: Option<Target>,
    profiles: Vec<ColumnProfile>,
    findings: Vec<Finding>,
}

/// Profiles a table; relations to the target are measured on the training rows.
fn about(
    table: &Table,
    experiment: &Experiment,
    ctx: &Ctx,
    console: &Console,
) -> anyhow::Result<About> {
    let mut probe = experiment.clone();
    probe.model.kind = "baseline".into();
    probe.model.set.clear();
    let (mut target, mut rows) = (None, None);
    match train::resolve(table, &probe) {
        Ok((resolved, notes)) => {
            console.notes(&notes);
            target = train::target_of(table, &resolved);
            rows = train::split_of(table, &resolved, ctx).ok().map(|split| split.train);
        }
        // A target that was asked for and cannot be is an error; that none was found is not.
        Err(error) if experiment.question.target.is_some() => return Err(error.into()),
        Err(error) => console.note(&format!("no target: {}", error_text(&error))),
    }
    ctx.note("profiling");
    let profiles = data::profile(table, target.as_ref(), rows.as_deref(), ctx)?;
    let findings = data::findings(table, &profiles, target.as_ref(), rows.as_deref(), ctx)?;
    Ok(About { target, profiles, findings })
}

impl About {
    fn json(&self, table: &Table, experiment: &Experiment) -> Value {
        let columns = self.profiles.iter().zip(&table.columns).map(|(p, c)| column_json(p, c));
        let findings = self.findings.iter().map(|finding| {
            json!({
                "severity": severity(finding.severity),
                "kind": finding.kind,
                "column": finding.column,
                "text": finding.text,
                "remedy": finding.remedy.as_ref().map(|remedy| &remedy.label),
            })
        });
        json!({
            "dataset": {
                "path": experiment.data.path,
                "rows": table.n_rows(),
                "columns": table.n_columns(),
                "sha256": table.origin.sha256,
                "format": table.origin.format,
            },
            "target": self.target.as_ref().map(|target| &target.name),
            "positive": self.target.as_ref().and_then(|target| target.positive.as_ref()),
            "task": self.target.as_ref().map(|target| target.task),
            "columns": columns.collect::<Vec<_>>(),
            "findings": findings.collect::<Vec<_>>(),
            "notes": table.origin.notes,
        })
    }

    fn text(&self, table: &Table, console: &Console) -> String {
        let origin = &table.origin;
        let mut heading = format!(
            "{} · {} × {} · {}",
            origin.label,
            text::plural(table.n_rows(), "row"),
            text::plural(table.n_columns(), "column"),
            origin.format,
        );
        if let Some(target) = &self.target {
            let _ = write!(heading, "\ntarget {} ({})", target.name, target.task);
            if let Some(positive) = &target.positive {
                let _ = write!(heading, " · positive {positive}");
            }
        }
        let mut rows = TextTable::new(&[
            "column",
            "kind",
            "role",
            ">missing",
            ">distinct",
            ">mean",
            ">median",
            "range or levels",
            "shape",
            ">AUC",
            ">IV",
            ">corr.",
        ])
        .optional(&["mean", "shape", "median", "distinct", "range or levels", "missing"]);
        for (profile, column) in self.profiles.iter().zip(&table.columns) {
            rows.row(column_text(profile, column));
        }
        let mut out = text::sanitise(&heading) + "\n\n";
        out += &rows.render(console.width, console.bold);
        if !self.findings.is_empty() {
            let mut list = TextTable::new(&["finding", "what is known", "remedy"]).wrapping();
            for finding in &self.findings {
                let remedy = finding.remedy.as_ref().map(|remedy| remedy.label.clone());
                let severity = severity(finding.severity);
                list.row([severity.into(), finding.text.clone(), remedy.unwrap_or_default()]);
            }
            out.push('\n');
            out += &list.render(console.width, console.bold);
        }
        out
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warn => "warning",
        Severity::Bad => "bad",
    }
}

/// The quantiles by the names that scripts know them by.
const QUANTILES: [&str; 7] = ["p1", "p5", "p25", "p50", "p75", "p95", "p99"];

fn column_json(p: &ColumnProfile, column: &Column) -> Value {
    let quantiles = p.quantiles.map(|values| {
        let pairs = QUANTILES.iter().zip(values).map(|(name, v)| ((*name).to_owned(), json!(v)));
        Value::Object(pairs.collect())
    });
    let top = p.top.iter().map(|(value, n)| json!({ "value": value, "n": n }));
    let bars =
        p.labels.iter().zip(&p.histogram).map(|(label, n)| json!({ "label": label, "n": n }));
    let relation = p.relation.as_ref().map(|r| {
        json!({
            "measure": r.measure,
            "auc": r.auc,
            "rises": r.rises,
            "iv": r.iv,
            "correlation": r.correlation,
            "bins": r.bad_rates,
            "rows": r.rows,
            "training_rows_only": r.training,
        })
    });
    json!({
        "name": p.name,
        "kind": p.kind,
        "kind_guessed": column.kind_guessed,
        "role": column.role,
        "role_guessed": column.role_guessed,
        "personal": column.personal,
        "protected": column.protected,
        "reading": column.reading,
        "special": column.special,
        "missing": p.missing,
        "distinct": p.distinct,
        "min": p.min,
        "max": p.max,
        "mean": p.mean,
        "sd": p.sd,
        "skew": p.skew,
        "quantiles": quantiles,
        "zeros": p.zeros,
        "top": top.collect::<Vec<_>>(),
        "histogram": bars.collect::<Vec<_>>(),
        "sampled": p.sampled,
        "relation": relation,
    })
}

fn column_text(p: &ColumnProfile, column: &Column) -> Vec<String> {
    let guess = |guessed: bool| if guessed { "?" } else { "" };
    let marks = [column.protected.map(|p| p.to_string()), column.personal.map(|p| p.to_string())];
    let marks: Vec<String> = marks.into_iter().flatten().collect();
    let role = format!("{}{}", column.role, guess(column.role_guessed));
    let role = if marks.is_empty() { role } else { format!("{role} ({})", marks.join(", ")) };
    let missing = match p.missing {
        0 => String::new(),
        n => text::percent(n as f64 / p.rows.max(1) as f64),
    };
    let is_number = p.kind == Kind::Number;
    let of_number =
        |value: Option<f64>| value.filter(|_| is_number).map_or(String::new(), text::number);
    let relation = p.relation.as_ref();
    let of_relation = |value: Option<f64>, digits: usize| {
        value.map_or(String::new(), |value| format!("{value:.digits$}"))
    };
    vec![
        p.name.clone(),
        format!("{}{}", p.kind, guess(column.kind_guessed)),
        role,
        missing,
        text::count(p.distinct),
        of_number(p.mean),
        of_number(p.quantiles.map(|q| q[3])),
        range(p),
        sparkline(&p.histogram),
        of_relation(relation.and_then(|r| r.auc), 3),
        of_relation(relation.and_then(|r| r.iv), 3),
        of_relation(relation.and_then(|r| r.correlation), 2),
    ]
}

fn range(p: &ColumnProfile) -> String {
    match (p.kind, p.min, p.max) {
        (Kind::Datetime, Some(low), Some(high)) => {
            let day = |days: f64| text::moment((days * 86_400.0) as i64)[..10].to_owned();
            format!("{} – {}", day(low), day(high))
        }
        (_, Some(low), Some(high)) => format!("{} – {}", text::number(low), text::number(high)),
        _ => {
            let names: Vec<&str> = p.top.iter().map(|(name, _)| name.as_str()).take(4).collect();
            let more = if p.distinct > names.len() && !names.is_empty() { ", …" } else { "" };
            text::cut(&(names.join(", ") + more), 40)
        }
    }
}

/// A small histogram; its tallest bar fills a cell.
fn sparkline(bars: &[u32]) -> String {
    const CELLS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let tallest = bars.iter().copied().max().unwrap_or(0).max(1);
    let cell = |n: &u32| CELLS[((*n as usize * 8).div_ceil(tallest as usize)).clamp(1, 8) - 1];
    bars.iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_has_a_cell_for_every_bar() {
        assert_eq!(sparkline(&[0, 1, 4, 8]), "▁▁▄█");
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&[u32::MAX, 0]), "█▁");
    }
}
