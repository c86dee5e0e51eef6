//! `karat models`: the catalog.

use std::fmt::Write as _;

use clap::Args as ClapArgs;
use serde_json::json;

use super::Shared;
use super::console::Console;
use super::text::TextTable;
use crate::models::{CATALOG, KindInfo};

/// What `models` is given.
#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Args {
    /// Only this kind
    #[arg(value_name = "KIND")]
    kind: Option<String>,
    #[command(flatten)]
    shared: Shared,
}

impl Args {
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

pub(super) fn run(args: &Args, console: &Console) -> anyhow::Result<()> {
    let kinds: Vec<&KindInfo> = match &args.kind {
        Some(name) => vec![crate::models::kind(name)?],
        None => CATALOG.iter().collect(),
    };
    if args.shared.json {
        let models: Vec<_> = kinds.into_iter().map(in_json).collect();
        return console.json(&json!({ "models": models }));
    }
    let mut out = String::new();
    for kind in kinds {
        let tasks: Vec<&str> = kind.tasks.iter().map(|task| task.word()).collect();
        let (start, end) = if console.bold { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let _ = writeln!(out, "{start}{}{end}  {}", kind.name, kind.about);
        let _ = writeln!(out, "  {} · {}", kind.formula, tasks.join(", "));
        let mut table =
            TextTable::new(&["  parameter", "default", "range", "what it does"]).wrapping();
        for param in kind.params {
            table.row([&format!("  {}", param.name), param.default, param.range, param.about]);
        }
        if !kind.params.is_empty() {
            out += &table.render(console.width, false);
        }
        out.push('\n');
    }
    console.print(out.trim_end())
}

fn in_json(kind: &KindInfo) -> serde_json::Value {
    let params: Vec<_> = kind
        .params
        .iter()
        .map(
            |p| json!({ "name": p.name, "default": p.default, "range": p.range, "about": p.about }),
        )
        .collect();
    json!({
        "name": kind.name,
        "label": kind.label,
        "library": kind.library,
        "about": kind.about,
        "tasks": kind.tasks,
        "formula": kind.formula,
        "params": params,
    })
}
