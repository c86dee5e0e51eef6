//! `karat runs promote` and its kin: named models, their versions and aliases, and who decided.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use super::console::Console;
use super::text::{self, TextTable};
use super::{Shared, keep};
use crate::data::days_of;
use crate::registry::store::{Actor, Done, EventFilter, ModelName, NewVersion, Store, Version};
use crate::registry::{Registry, parse_model};

/// What can be done with named models.
#[derive(Subcommand, Clone, Debug)]
pub(super) enum Named {
    /// Register a run or a model file under a name, and point an alias to it
    Promote(Promote),
    /// Point an alias to the version that it pointed to before
    Rollback(OfAlias),
    /// Take a version out of service
    Retire(OfVersion),
    /// Take a retired version back into service
    Restore(OfVersion),
    /// List the named models with their versions and aliases
    Registered(Registered),
    /// Set how a name is served: `missing`, `adverse`, `background`, `window`, `split`
    Settings(Settings),
    /// Show who decided what, when and why
    Audit(Audit),
    /// Say which version stood behind an alias at a moment
    Live(Live),
    /// Check the log of decisions and every model file
    Verify(Common),
    /// List the decisions that wait for a second person; `--require on` asks for one from now on
    Pending(Pending),
    /// Carry out what someone else asked for
    Approve(Answer),
    /// Refuse what someone asked for
    Reject(Answer),
}

#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Common {
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Promote {
    /// The run (r0007, r7 or 7), a model file, or a version already registered (3)
    #[arg(value_name = "RUN|FILE|VERSION")]
    what: String,
    /// The name
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The alias; `none` only registers
    #[arg(long, value_name = "ALIAS", default_value = "champion")]
    alias: String,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
pub(super) struct OfAlias {
    /// The name
    #[arg(value_name = "NAME")]
    name: String,
    /// The alias
    #[arg(long, value_name = "ALIAS", default_value = "champion")]
    alias: String,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
pub(super) struct OfVersion {
    /// The name
    #[arg(value_name = "NAME")]
    name: String,
    /// The version
    #[arg(long, value_name = "N")]
    version: u32,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Registered {
    /// Only this name
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Settings {
    /// The name
    #[arg(value_name = "NAME")]
    name: String,
    /// Settings as `key=value`
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Audit {
    /// Only of this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The latest so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Live {
    /// The name
    #[arg(value_name = "NAME")]
    name: String,
    /// The alias
    #[arg(long, value_name = "ALIAS", default_value = "champion")]
    alias: String,
    /// The moment, in UTC, such as `2026-11-26T10:30`; now when not given
    #[arg(long, value_name = "WHEN")]
    at: Option<String>,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Pending {
    /// Whether decisions wait for a second person from now on: on or off
    #[arg(long, value_name = "on|off")]
    require: Option<String>,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Answer {
    /// The number of the decision
    #[arg(value_name = "ID")]
    id: i64,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    #[command(flatten)]
    shared: Shared,
}

impl Named {
    pub(super) fn shared(&self) -> &Shared {
        match self {
            Self::Promote(args) => &args.shared,
            Self::Rollback(args) => &args.shared,
            Self::Retire(args) | Self::Restore(args) => &args.shared,
            Self::Registered(args) => &args.shared,
            Self::Settings(args) => &args.shared,
            Self::Audit(args) => &args.shared,
            Self::Live(args) => &args.shared,
            Self::Verify(args) => &args.shared,
            Self::Pending(args) => &args.shared,
            Self::Approve(args) | Self::Reject(args) => &args.shared,
        }
    }
}

pub(super) fn run(named: &Named, shared: &Shared, console: &Console) -> anyhow::Result<()> {
    let dir = shared.workspace();
    if !Registry::exists(&dir) && !matches!(named, Named::Promote(_)) {
        bail!("there is no workspace `{}`\nhint: name another with `--workspace DIR`", dir.display());
    }
    let store = Store::open(&dir)?;
    let actor = Actor::login();
    match named {
        Named::Promote(args) => promote(&store, args, shared, &actor, console),
        Named::Rollback(args) => {
            let done = Done::Rollback { name: args.name.clone(), alias: args.alias.clone() };
            decide(&store, &done, &actor, &args.why, shared, console)
        }
        Named::Retire(args) => {
            let done = Done::Retire { name: args.name.clone(), version: args.version };
            decide(&store, &done, &actor, &args.why, shared, console)
        }
        Named::Restore(args) => {
            let done = Done::Restore { name: args.name.clone(), version: args.version };
            decide(&store, &done, &actor, &args.why, shared, console)
        }
        Named::Registered(args) => registered(&store, args.name.as_deref(), shared, console),
        Named::Settings(args) => settings(&store, args, shared, &actor, console),
        Named::Audit(args) => audit(&store, args, shared, console),
        Named::Live(args) => live(&store, args, shared, console),
        Named::Verify(_) => verify(&store, shared, console),
        Named::Pending(args) => pending(&store, args, shared, &actor, console),
        Named::Approve(args) => {
            let done = store.approve(args.id, &actor, &args.why)?;
            if shared.json {
                return console.json(&json!({ "approved": args.id, "done": done }));
            }
            console.print(&format!("done: {}", done.sentence()))
        }
        Named::Reject(args) => {
            let done = store.reject(args.id, &actor, &args.why)?;
            if shared.json {
                return console.json(&json!({ "rejected": args.id, "not_done": done }));
            }
            console.print(&format!("not done: {}", done.sentence()))
        }
    }
}

/// The version of a name that a run, a file or a number means; registered if it is not yet.
fn version_of(
    store: &Store,
    args: &Promote,
    shared: &Shared,
    actor: &Actor,
) -> anyhow::Result<(Version, bool)> {
    let name = ModelName::new(&args.name)?;
    let known = store.models()?.into_iter().find(|model| model.name == args.name);
    let known = known.map_or(Vec::new(), |model| model.versions);
    let path = Path::new(&args.what);
    let (bytes, place) = if path.is_file() {
        (std::fs::read(path).with_context(|| format!("cannot read `{}`", args.what))?, args.what.clone())
    } else {
        let registry = Registry::open(&shared.workspace())?;
        match registry.find(&args.what) {
            Ok(id) => {
                let path = registry.artifact(&id).context("the workspace keeps no files")?;
                let bytes = std::fs::read(&path)
                    .with_context(|| format!("cannot read `{}`", path.display()))?;
                (bytes, format!("run {id}"))
            }
            Err(error) => {
                let number = args.what.parse::<u32>().ok();
                let found = known.into_iter().find(|own| Some(own.version) == number);
                return Ok((found.ok_or(error)?, false));
            }
        }
    };
    let digest = crate::files::sha256_hex(&bytes);
    if let Some(same) = known.into_iter().find(|own| own.digest == digest) {
        return Ok((same, false));
    }
    let loaded = parse_model(Path::new(&place), &bytes)?;
    let about = NewVersion {
        run: loaded.run.0.clone(),
        kind: loaded.model.kind.clone(),
        task: loaded.model.task.word().into(),
        target: loaded.model.target.clone(),
    };
    Ok((store.register(&name, &bytes, &about, actor, &args.why)?, true))
}

fn promote(
    store: &Store,
    args: &Promote,
    shared: &Shared,
    actor: &Actor,
    console: &Console,
) -> anyhow::Result<()> {
    let (version, is_new) = version_of(store, args, shared, actor)?;
    let (name, number) = (version.name.clone(), version.version);
    if is_new && !shared.json {
        console.note(&format!("registered as version {number} of {name}"));
    }
    let mut pending = None;
    if args.alias != "none" {
        let done = Done::Promote { name: name.clone(), version: number, alias: args.alias.clone() };
        pending = store.decide(&done, actor, &args.why)?;
    }
    if shared.json {
        return console.json(&json!({
            "name": name,
            "version": number,
            "alias": (args.alias != "none").then_some(&args.alias),
            "digest": version.digest,
            "registered": is_new,
            "pending": pending,
        }));
    }
    match pending {
        Some(id) => console.print(&format!(
            "decision {id} waits for a second person: `karat runs approve {id}`"
        )),
        None if args.alias == "none" => console.print(&format!("{name} version {number}")),
        None => console.print(&format!("version {number} of {name} is its {}", args.alias)),
    }
}

fn decide(
    store: &Store,
    done: &Done,
    actor: &Actor,
    why: &str,
    shared: &Shared,
    console: &Console,
) -> anyhow::Result<()> {
    let pending = store.decide(done, actor, why)?;
    if shared.json {
        return console.json(&json!({ "done": done, "pending": pending }));
    }
    match pending {
        None => console.print(&format!("done: {}", done.sentence())),
        Some(id) => console.print(&format!(
            "decision {id} waits for a second person: `karat runs approve {id}`"
        )),
    }
}

fn registered(
    store: &Store,
    name: Option<&str>,
    shared: &Shared,
    console: &Console,
) -> anyhow::Result<()> {
    let mut models = store.models()?;
    models.retain(|model| name.is_none_or(|name| model.name == name));
    if shared.json {
        return console.json(&json!({ "models": models }));
    }
    if models.is_empty() {
        return console.print("no named models; `karat runs promote RUN --name NAME` makes one");
    }
    let mut table = TextTable::new(&[
        "name", ">version", "kind", "target", "run", "aliases", "when (UTC)", "by", "note",
    ])
    .optional(&["by", "when (UTC)", "target"]);
    for version in models.iter().flat_map(|model| &model.versions) {
        let mut aliases = version.aliases.join(", ");
        if version.retired {
            aliases = "retired".into();
        }
        table.row([
            version.name.clone(),
            version.version.to_string(),
            version.kind.clone(),
            version.target.clone(),
            version.run.clone(),
            aliases,
            text::moment(version.created_ms / 1000),
            version.by.clone(),
            version.note.clone(),
        ]);
    }
    console.print(&table.render(console.width, console.bold))
}

fn settings(
    store: &Store,
    args: &Settings,
    shared: &Shared,
    actor: &Actor,
    console: &Console,
) -> anyhow::Result<()> {
    let mut set = serde_json::Map::new();
    for own in &args.set {
        let (key, value) = own
            .split_once('=')
            .with_context(|| format!("`{own}` is no setting\nhint: write `key=value`"))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        set.insert(key.to_owned(), value);
    }
    if !set.is_empty() {
        let set = serde_json::Value::Object(set);
        let policy: Result<crate::serve::Policy, _> = serde_json::from_value(set.clone());
        policy.map_err(|error| {
            anyhow::anyhow!("{error}\nhint: missing=as_trained|fill|refuse, adverse=positive|negative, \
                             background=all|near_threshold, window=ROWS, split=SHARE, log={{\"COLUMN\":\"drop\"}}")
        })?;
        let known = ["missing", "adverse", "background", "window", "split", "log"];
        if let Some(wrong) = set.as_object().and_then(|set| set.keys().find(|key| !known.contains(&key.as_str()))) {
            bail!("`{wrong}` is no setting\nhint: there are {}", known.join(", "));
        }
        store.set_settings(&args.name, &set, actor, &args.why)?;
    }
    let model = store.models()?.into_iter().find(|model| model.name == args.name);
    let model = model.with_context(|| format!("there is no model `{}`\nhint: `karat runs registered` lists them", args.name))?;
    if shared.json {
        return console.json(&json!({ "name": model.name, "settings": model.settings }));
    }
    console.print(&serde_json::to_string_pretty(&model.settings)?)
}

fn audit(store: &Store, args: &Audit, shared: &Shared, console: &Console) -> anyhow::Result<()> {
    let filter = EventFilter {
        model: args.name.clone(),
        limit: Some(args.limit),
        ..EventFilter::default()
    };
    let events = store.events(&filter)?;
    if shared.json {
        return console.json(&json!({ "events": events }));
    }
    if events.is_empty() {
        return console.print("nothing has been decided yet");
    }
    let mut table = TextTable::new(&[
        ">event", "when (UTC)", "who", "what", "model", "of", "before", "after", "why",
    ])
    .optional(&["before", "of"]);
    let short = |value: &serde_json::Value| match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        value => value["version"].as_u64().map_or_else(|| value.to_string(), |n| format!("version {n}")),
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

fn live(store: &Store, args: &Live, shared: &Shared, console: &Console) -> anyhow::Result<()> {
    let at_ms = match &args.at {
        Some(text) => {
            let days = days_of(text).with_context(|| {
                format!("`{text}` is no moment\nhint: write it as `2026-11-26T10:30`, in UTC")
            })?;
            (days * 86_400_000.0) as i64
        }
        None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_millis() as i64),
    };
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
            if held.event.why.is_empty() { String::new() } else { format!(", because {}", text::sanitise(&held.event.why)) },
        )),
        None => console.print(&format!("no version of {} was its {} then", args.name, args.alias)),
    }
}

fn verify(store: &Store, shared: &Shared, console: &Console) -> anyhow::Result<()> {
    let events = store.verify()?;
    let mut files = 0;
    for version in store.models()?.iter().flat_map(|model| &model.versions) {
        store.bytes_of(&version.digest).with_context(|| {
            format!("the file of version {} of `{}` is damaged", version.version, version.name)
        })?;
        files += 1;
    }
    if shared.json {
        return console.json(&json!({ "events": events, "files": files, "ok": true }));
    }
    console.print(&format!(
        "{} follow from each other, {} are as they were registered",
        text::plural(events as usize, "event"),
        text::plural(files, "model file")
    ))
}

fn pending(
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

/// The bytes of a model file that `NAME@ALIAS` or `NAME@VERSION` means, and the words for it.
pub(super) fn file(spec: &str, shared: &Shared) -> anyhow::Result<Option<(Vec<u8>, String)>> {
    let Some((name, asked)) = spec.rsplit_once('@') else { return Ok(None) };
    let Some(_) = keep::existing(shared)? else { return Ok(None) };
    let store = Store::open(&shared.workspace())?;
    let version = store.version(name, Some(asked))?;
    let place = format!("{name} version {}", version.version);
    Ok(Some((store.bytes_of(&version.digest)?, place)))
}
