//! `karat explain`: what each column adds to the score of one row, for which reasons it was decided
//! so, and what would be decided if some values were others.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::bail;
use clap::{Args as ClapArgs, ValueEnum};
use serde_json::{Map, Value, json};

use super::Shared;
use super::console::Console;
use super::decided;
use super::keep::{self, Found};
use super::reading::{Reading, pair, table_of};
use super::text::{self, TextTable};
use crate::data::Task;
use crate::explain::{self, Adverse, Attributed, EXPLAINERS, Explanation, Space};
use crate::models::Model;
use crate::workspace::{Question, decide_on};

/// What `explain` is given.
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = methods())]
pub(super) struct Args {
    /// A model file, or the id of a run
    #[arg(value_name = "MODEL")]
    model: String,
    /// A table with the columns that the model was trained on; the target is not needed
    #[arg(value_name = "DATA")]
    data: String,
    /// The row that is explained, counted from 1
    #[arg(long, value_name = "N", default_value_t = 1)]
    row: u32,
    /// How it is explained; the surest method that fits the model when not given
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// Whose score is explained, of several classes; the predicted one when not given
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// The outcome that goes against the person, of two classes; the positive one when not given
    #[arg(long, value_name = "CLASS")]
    adverse: Option<String>,
    /// With whom reasons compare: all, or `near_threshold` for those who passed at or slightly
    /// beyond it
    #[arg(long, value_name = "WHOM", value_enum, default_value_t)]
    #[arg(hide_possible_values = true)]
    background: Background,
    /// What the row would have in a column, nothing after `=` for a missing value; says what would
    /// be decided then
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// How many columns are listed, those with the largest contributions first; 0 for all
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    shared: Shared,
}

/// With whom a person is compared.
#[derive(ValueEnum, Clone, Copy, Debug, Default)]
enum Background {
    /// Everyone in training
    #[default]
    All,
    /// Those who passed at or slightly beyond the threshold
    #[value(name = "near_threshold", alias = "near-threshold")]
    NearThreshold,
}

impl From<Background> for explain::Background {
    fn from(background: Background) -> Self {
        match background {
            Background::All => Self::All,
            Background::NearThreshold => Self::NearThreshold,
        }
    }
}

impl Args {
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

/// The methods as a part of the help.
fn methods() -> String {
    let mut text = "Methods:\n".to_owned();
    for explainer in EXPLAINERS {
        let _ = writeln!(
            text,
            "  {}\n      {} ({})",
            explainer.name, explainer.about, explainer.source
        );
    }
    text
}

pub(super) fn run(args: &Args, console: &Console) -> anyhow::Result<()> {
    let found = keep::model(&args.model, &args.shared)?;
    let model = &found.loaded.model;
    let ctx = console.ctx("explain");
    let table = table_of(&mut args.reading.experiment(&args.data)?, &ctx.part(0, 2))?;
    console.notes(&table.origin.notes);
    let changed: BTreeMap<String, Option<String>> = args
        .set
        .iter()
        .map(|(column, value)| (column.clone(), Some(value.clone()).filter(|v| !v.is_empty())))
        .collect();
    let question = Question {
        model,
        table: &table,
        row: args.row,
        changed: &changed,
        method: args.method.as_deref(),
        class: args.class.as_deref(),
        adverse: adverse(model, args.adverse.as_deref())?,
        threshold: model.threshold,
    };
    let decision = decide_on(&question, &ctx.part(1, 2))?;
    drop(ctx);
    let explanation = match &decision.why {
        Ok(why) => why,
        Err(why) => bail!("{why}"),
    };
    let background = args.background.into();
    if args.shared.json {
        let mut answer = answer(&found, explanation);
        decided::tell(&question, &decision, background, &mut answer);
        return console.json(&answer.into());
    }
    let mut out = heading(&found, explanation, &table.origin.label);
    out += &decided::said(&question, &decision);
    out += &listed(&explanation.attributions, args.top, console);
    if explanation.layout.height > 1 {
        let _ = write!(out, "\n{}", picture(explanation));
    }
    out += &decided::reasons(&question, &decision, background);
    console.print(&out)
}

/// The outcome that goes against the person.
fn adverse(model: &Model, class: Option<&str>) -> anyhow::Result<Adverse> {
    let Some(class) = class else { return Ok(Adverse::Positive) };
    let (Task::Binary, [negative, positive]) = (model.task, model.classes.as_slice()) else {
        bail!("`--adverse` goes with models of two classes\nhint: leave it out for this one");
    };
    match class {
        class if class == positive => Ok(Adverse::Positive),
        class if class == negative => Ok(Adverse::Negative),
        _ => bail!("there is no class `{class}`\nhint: there are `{negative}` and `{positive}`"),
    }
}

fn heading(found: &Found, explanation: &Explanation, label: &str) -> String {
    let model = &found.loaded.model;
    let mut out = format!(
        "{} from {} · row {} of {label} · {}\n",
        model.kind, found.place, explanation.row, explanation.method.label
    );
    let _ = writeln!(out, "{}", explanation.method.about);
    let _ = write!(
        out,
        "\n{} {} = base {}",
        what(model, explanation),
        text::number(explanation.score),
        text::number(explanation.base)
    );
    let sum: f64 = explanation.attributions.iter().map(|a| a.contribution).sum();
    let _ = write!(out, " {} contributions", plus(sum));
    if explanation.remainder.abs() > 1e-6 * (1.0 + explanation.score.abs()) {
        let _ = write!(out, " {} that the method leaves over", plus(explanation.remainder));
    }
    let clean = text::sanitise(&out);
    format!("{clean}\n\n")
}

/// What the score is called.
fn what(model: &Model, explanation: &Explanation) -> String {
    let class = explanation.class.as_deref().unwrap_or_default();
    match explanation.space {
        Space::LogOdds => format!("log-odds of {} = {class}", model.target),
        Space::ClassScore => format!("score of {} = {class}", model.target),
        Space::Value => model.target.clone(),
    }
}

/// A number with its sign before it and a space between.
fn plus(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "+" };
    format!("{sign} {}", text::number(value.abs()))
}

/// The largest contributions, each with a bar to the right or to the left.
fn listed(attributions: &[Attributed], top: usize, console: &Console) -> String {
    let mut all: Vec<&Attributed> = attributions.iter().collect();
    all.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
    let n = if top == 0 { all.len() } else { top.min(all.len()) };
    let (shown, rest) = all.split_at(n);
    let most = shown.first().map_or(0.0, |first| first.contribution.abs());
    let mut table = TextTable::new(&["column", ">value", ">adds", "less        more"]);
    for attributed in shown {
        let value = attributed.text.as_deref().unwrap_or("missing");
        let adds = text::number(attributed.contribution);
        let bar = bar(attributed.contribution, most);
        table.row([attributed.feature.as_str(), value, &adds, &bar]);
    }
    let mut out = table.render(console.width, console.bold);
    if !rest.is_empty() {
        let sum: f64 = rest.iter().map(|attributed| attributed.contribution).sum();
        let _ = writeln!(
            out,
            "and {} more, which add {} together; `--top 0` lists them all",
            text::plural(rest.len(), "column"),
            text::number(sum)
        );
    }
    out
}

/// Cells on each side of the middle of a bar.
const HALF: usize = 8;

/// A bar from the middle, to the right for what adds and to the left for what takes away.
fn bar(value: f64, most: f64) -> String {
    let share = if most > 0.0 { value.abs() / most } else { 0.0 };
    let n = ((share * HALF as f64).round() as usize).min(HALF);
    let (left, right) = if value < 0.0 { (n, 0) } else { (0, n) };
    format!("{}{}|{}", " ".repeat(HALF - left), "=".repeat(left), "=".repeat(right))
}

/// The contributions as a picture: `+` and `#` add, `-` and `=` take away.
fn picture(explanation: &Explanation) -> String {
    let layout = explanation.layout;
    let of = |position: usize| -> f64 {
        explanation.contributions[position * layout.channels..][..layout.channels].iter().sum()
    };
    let most = (0..layout.positions()).map(|position| of(position).abs()).fold(0.0, f64::max);
    let mut out = "+ # add, - = take away, the second of each much\n".to_owned();
    for y in 0..layout.height {
        for x in 0..layout.width {
            let value = of(y * layout.width + x);
            out.push(match value / most {
                share if share > 0.5 => '#',
                share if share > 0.1 => '+',
                share if share < -0.5 => '=',
                share if share < -0.1 => '-',
                _ => '.',
            });
            out.push(' ');
        }
        out.push('\n');
    }
    out
}

fn answer(found: &Found, explanation: &Explanation) -> Map<String, Value> {
    let model = &found.loaded.model;
    let attribution = |attributed: &Attributed| {
        let value = attributed.number.map_or_else(|| json!(attributed.text), |n| json!(n));
        json!({
            "feature": attributed.feature,
            "value": value,
            "contribution": attributed.contribution,
        })
    };
    let answer = json!({
        "model": model.kind,
        "run_id": found.loaded.run.0,
        "task": model.task,
        "target": model.target,
        "class": explanation.class,
        "row": explanation.row,
        "method": explanation.method.name,
        "space": explanation.space.word(),
        "base": explanation.base,
        "score": explanation.score,
        "remainder": explanation.remainder,
        "attributions": explanation.attributions.iter().map(attribution).collect::<Vec<_>>(),
    });
    if let Value::Object(answer) = answer { answer } else { Map::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_show_the_sign_by_their_side() {
        assert_eq!(bar(1.0, 1.0), "        |========");
        assert_eq!(bar(-0.5, 1.0), "    ====|");
        assert_eq!(bar(0.0, 0.0), "        |");
    }

    #[test]
    fn every_method_is_named_in_the_help() {
        assert!(EXPLAINERS.iter().all(|explainer| methods().contains(explainer.name)));
    }
}
