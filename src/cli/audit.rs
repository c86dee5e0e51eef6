//! The log of decisions about named models, as commands show it, and those that wait.

use anyhow::{Context as _, bail};
use serde_json::json;

use super::Shared;
use super::console::Console;
use super::named::{Audit, Live, Pending, Verify};
use super::text::{self, TextTable};
use crate::data::days_of;
use crate::registry::store::{Actor, EventFilter, Store, now_ms};

pub(super) fn audit(
    store: &Store,
    args: &Audit,
    shared: &Shared,
    console: &Console,
) -> anyhow::Result<()> {
    let filter =
        EventFilter { model: args.name.clone(), limit: Some(args.limit), ..EventFilter::default() };
    let events = store.events(&filter)?;
    if let Some(name) = args.name.as_ref().filter(|_| events.is_empty()) {
        store.known(name)?;
    }
    if shared.json {
        return console.json(&json!({ "events": events }));
    }
    if events.is_empty() {
        return console.print("nothing has been decided yet");
    }
    let mut table = TextTable::new(&[
        ">event",
        "when (UTC)",
        "who",
        "what",
        "model",
        "of",
        "before",
        "after",
        "why",
    ])
    .optional(&["before", "of"]);
    let short = |value: &serde_json::Value| match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        value => {
            value["version"].as_u64().map_or_else(|| value.to_string(), |n| format!("version {n}"))
        }
    };
    for event in &events {
        table.row([
            event.seq.to_string(),
            text::moment(event.at_ms / 1000),
            event.who.clone(),
            event.action.clone(),
            event.model.clone(),
            event.subject.clone(),
            short(&event.before),
            short(&event.after),
            event.why.clone(),
        ]);
    }
    console.print(&table.render(console.width, console.bold))
}

pub(super) fn live(
    store: &Store,
    args: &Live,
    shared: &Shared,
    console: &Console,
) -> anyhow::Result<()> {
    let at_ms = match &args.at {
        Some(text) => {
            let days = days_of(text).with_context(|| {
                format!("`{text}` is no moment\nhint: write it as `2026-11-26T10:30`, in UTC")
            })?;
            (days * 86_400_000.0) as i64
        }
        None => now_ms(),
    };
    if at_ms > now_ms() {
        bail!(
            "`{}` is yet to come\nhint: leave out `--at` for what is live now",
            args.at.as_deref().unwrap_or_default()
        );
    }
    store.known(&args.name)?;
    let held = store.live_at(&args.name, &args.alias, at_ms)?;
    if shared.json {
        return console.json(&json!({ "name": args.name, "alias": args.alias, "held": held }));
    }
    match held {
        Some(held) => console.print(&format!(
            "version {} of {} was its {}: since {} UTC, by {}{}",
            held.version,
            args.name,
            args.alias,
            text::moment(held.event.at_ms / 1000),
            text::sanitise(&held.event.who),
            if held.event.why.is_empty() {
                String::new()
            } else {
                format!(", because {}", text::sanitise(&held.event.why))
            },
        )),
        None => console.print(&format!("no version of {} was its {} then", args.name, args.alias)),
    }
}

pub(super) fn verify(
    store: &Store,
    args: &Verify,
    shared: &Shared,
    console: &Console,
) -> anyhow::Result<()> {
    let (n, hash) = store.head()?;
    let verdict = match args.against.as_deref().map(noted).transpose()? {
        Some((n, hash)) => store.check_against(n, hash)?,
        None => store.check()?,
    };
    let events = verdict.sound()?;
    let head = format!("{n}:{hash}");
    let mut files = 0;
    for version in store.models()?.iter().flat_map(|model| &model.versions) {
        store.bytes_of(&version.digest).with_context(|| {
            format!("the file of version {} of `{}` is damaged", version.version, version.name)
        })?;
        files += 1;
    }
    if shared.json {
        return console
            .json(&json!({ "events": events, "files": files, "ok": true, "head": head }));
    }
    console.print(&format!(
        "checked: {} of the log, {}; nothing was altered\n\
         a cut-off end shows only to whoever knows what was there; noted elsewhere, this proves it:\n\
         karat runs verify --against {head}",
        text::plural(events as usize, "event"),
        text::plural(files, "model file")
    ))
}

/// The number of events and the hash of the last that were noted elsewhere.
fn noted(text: &str) -> anyhow::Result<(u64, &str)> {
    let parts = text.trim().split_once(':').and_then(|(n, hash)| Some((n.parse().ok()?, hash)));
    let is_hash = |hash: &str| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    parts.filter(|(n, hash)| is_hash(hash) || *n == 0 && hash.is_empty()).with_context(|| {
        format!(
            "`{}` is no end of a log\nhint: give what `karat runs verify` printed",
            text::sanitise(text)
        )
    })
}

pub(super) fn pending(
    store: &Store,
    args: &Pending,
    shared: &Shared,
    actor: &Actor,
    console: &Console,
) -> anyhow::Result<()> {
    match args.require.as_deref() {
        None => {}
        Some("on") => drop(store.set_approval(true, actor, "")?),
        Some("off") => drop(store.set_approval(false, actor, "")?),
        Some(other) => bail!("`{other}` is neither on nor off"),
    }
    let (waiting, needed) = (store.pending()?, store.needs_approval()?);
    if shared.json {
        return console.json(&json!({ "approval": needed, "pending": waiting }));
    }
    console.note(if needed {
        "decisions about versions in service wait for a second person"
    } else {
        "decisions about versions in service are carried out at once"
    });
    let mut table = TextTable::new(&[">decision", "when (UTC)", "who", "what", "why"]);
    for own in &waiting {
        table.row([
            own.id.to_string(),
            text::moment(own.at_ms / 1000),
            own.who.clone(),
            own.done.sentence(),
            own.why.clone(),
        ]);
    }
    if waiting.is_empty() {
        return console.print("none waits");
    }
    console.print(&table.render(console.width, console.bold))
}
