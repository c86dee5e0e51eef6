//! `karat runs promote` and its kin: named models, their versions and aliases, and who decided.

use std::path::Path;

use anyhow::{Context as _, bail};
use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use super::audit::{audit, live, pending, verify};
use super::console::Console;
use super::text::{self, TextTable};
use super::{Shared, keep, promote, tags};
use crate::data::nearest;
use crate::models::contract;
use crate::registry::store::{Actor, Done, Split, Store};
use crate::registry::{Registry, parse_model};

/// What can be done with named models.
#[derive(Subcommand, Clone, Debug)]
pub(super) enum Named {
    /// Register a run or a model file under a name, and point an alias to it
    Promote(promote::Promote),
    /// Point an alias to the version that it pointed to before
    Rollback(OfAlias),
    /// Take a version out of service
    Retire(OfVersion),
    /// Take a retired version back into service
    Restore(OfVersion),
    /// Set or remove tags of a version
    Tag(tags::Tag),
    /// List the named models with their versions, aliases and tags
    Registered(Registered),
    /// Set how a name is served: `missing`, `adverse`, `background`, `window`, `log`
    Settings(Settings),
    /// Give the challenger of a name a share of its requests
    Split(SplitArgs),
    /// Show who decided what, when and why
    Audit(Audit),
    /// Say which version stood behind an alias at a moment
    Live(Live),
    /// Check the log of decisions and every model file
    Verify(Verify),
    /// List the decisions that wait for a second person; `--require on` asks for one from now on
    Pending(Pending),
    /// Carry out what someone else asked for
    Approve(Answer),
    /// Refuse what someone asked for
    Reject(Answer),
}

#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Verify {
    /// Also that the log still goes through the end that was noted elsewhere
    #[arg(long, value_name = "N:HASH")]
    pub(super) against: Option<String>,
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
    /// The name, with the version behind it where `--version` does not say it
    #[arg(value_name = "NAME|NAME@N")]
    name: String,
    /// The version
    #[arg(long, value_name = "N")]
    version: Option<u32>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    #[command(flatten)]
    shared: Shared,
}

impl OfVersion {
    /// The name and the number that are meant.
    fn meant(&self, store: &Store) -> anyhow::Result<(String, u32)> {
        match (self.name.split_once('@'), self.version) {
            (None, Some(version)) => Ok((self.name.clone(), version)),
            (Some((name, asked)), None) => {
                Ok((name.to_owned(), store.version(name, Some(asked))?.version))
            }
            _ => bail!(
                "which version of `{0}` is meant?\nhint: write `{0}@2`, or `{0} --version 2`",
                self.name.split('@').next().unwrap_or_default()
            ),
        }
    }
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
pub(super) struct SplitArgs {
    /// The name
    #[arg(value_name = "NAME")]
    name: String,
    /// The share of requests that the challenger answers, from 0 to 1
    #[arg(long, value_name = "SHARE")]
    challenger: f64,
    /// Let the same key get now the one and now the other
    #[arg(long)]
    not_sticky: bool,
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
    pub(super) name: Option<String>,
    /// The latest so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(super) limit: u32,
    #[command(flatten)]
    pub(super) shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Live {
    /// The name
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// The alias
    #[arg(long, value_name = "ALIAS", default_value = "champion")]
    pub(super) alias: String,
    /// The moment, in UTC, such as `2026-11-26T10:30`; now when not given
    #[arg(long, value_name = "WHEN")]
    pub(super) at: Option<String>,
    #[command(flatten)]
    pub(super) shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Pending {
    /// Whether decisions wait for a second person from now on: on or off
    #[arg(long, value_name = "on|off")]
    pub(super) require: Option<String>,
    #[command(flatten)]
    pub(super) shared: Shared,
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
            Self::Promote(args) => args.shared(),
            Self::Rollback(args) => &args.shared,
            Self::Retire(args) | Self::Restore(args) => &args.shared,
            Self::Tag(args) => args.shared(),
            Self::Registered(args) => &args.shared,
            Self::Settings(args) => &args.shared,
            Self::Split(args) => &args.shared,
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
    if let Err(error) = std::fs::read_dir(&dir)
        && error.kind() == std::io::ErrorKind::PermissionDenied
    {
        bail!(
            "the workspace `{}` is another login's\nhint: a key of your own decides over HTTP, such \
             as by `POST /v1/pending/ID/approve`",
            dir.display()
        );
    }
    if !Registry::exists(&dir) && !matches!(named, Named::Promote(_)) {
        bail!(
            "there is no workspace `{}`\nhint: name another with `--workspace DIR`",
            dir.display()
        );
    }
    let store = Store::open(&dir)?;
    let actor = Actor::login();
    match named {
        Named::Promote(args) => promote::run(&store, args, shared, &actor, console),
        Named::Rollback(args) => {
            let done = Done::Rollback { name: args.name.clone(), alias: args.alias.clone() };
            decide(&store, &done, &actor, &args.why, shared, console)?;
            if let Ok(now) = store.version(&args.name, Some(&args.alias))
                && !shared.json
            {
                console.note(&format!(
                    "version {} of {} is its {}",
                    now.version, args.name, args.alias
                ));
            }
            Ok(())
        }
        Named::Retire(args) => {
            let (name, version) = args.meant(&store)?;
            let done = Done::Retire { name, version };
            decide(&store, &done, &actor, &args.why, shared, console)
        }
        Named::Restore(args) => {
            let (name, version) = args.meant(&store)?;
            let done = Done::Restore { name, version };
            decide(&store, &done, &actor, &args.why, shared, console)
        }
        Named::Tag(args) => tags::tag(&store, args, shared, &actor, console),
        Named::Registered(args) => registered(&store, args.name.as_deref(), shared, console),
        Named::Settings(args) => settings(&store, args, shared, &actor, console),
        Named::Split(args) => {
            let split = Split { challenger: args.challenger, sticky: !args.not_sticky };
            let pending = store.set_split(&args.name, split, &actor, &args.why)?.waits();
            if shared.json {
                return console
                    .json(&json!({ "name": args.name, "split": split, "pending": pending }));
            }
            console.print(&match pending {
                Some(id) => format!("decision {id} waits for a second person"),
                None => format!(
                    "the challenger of {} answers {:.1} % of its {}",
                    args.name,
                    100.0 * args.challenger,
                    if args.not_sticky {
                        "requests"
                    } else {
                        "keys; each key always gets the same version (`--not-sticky` draws anew \
                         for each request)"
                    }
                ),
            })
        }
        Named::Audit(args) => audit(&store, args, shared, console),
        Named::Live(args) => live(&store, args, shared, console),
        Named::Verify(args) => verify(&store, args, shared, console),
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

fn decide(
    store: &Store,
    done: &Done,
    actor: &Actor,
    why: &str,
    shared: &Shared,
    console: &Console,
) -> anyhow::Result<()> {
    let pending = store.decide(done, actor, why)?.waits();
    if shared.json {
        return console.json(&json!({ "done": done, "pending": pending }));
    }
    match pending {
        None => console.print(&format!("done: {}", done.sentence())),
        Some(id) => console
            .print(&format!("decision {id} waits for a second person: `karat runs approve {id}`")),
    }
}

fn registered(
    store: &Store,
    name: Option<&str>,
    shared: &Shared,
    console: &Console,
) -> anyhow::Result<()> {
    let models = match name {
        Some(name) => vec![store.known(name)?],
        None => store.models()?,
    };
    if shared.json {
        return console.json(&json!({ "models": models }));
    }
    if models.is_empty() {
        return console.print("no named models; `karat runs promote RUN --name NAME` makes one");
    }
    let mut table = TextTable::new(&[
        "name",
        ">version",
        "kind",
        "target",
        "run",
        "aliases",
        "when (UTC)",
        "by",
        "note",
        "tags",
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
            tags::told(version),
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
        let policy = policy.map_err(|error| {
            anyhow::anyhow!("{error}\nhint: missing=as_trained|fill|refuse, adverse=positive|negative, \
                             background=all|near_threshold, window=ROWS, log={{\"COLUMN\":\"drop\"}}")
        })?;
        check_columns(store, &args.name, &policy)?;
        let known = ["missing", "adverse", "background", "window", "log"];
        if let Some(wrong) =
            set.as_object().and_then(|set| set.keys().find(|key| !known.contains(&key.as_str())))
        {
            bail!("`{wrong}` is no setting\nhint: there are {}", known.join(", "));
        }
        store.set_settings(&args.name, &set, actor, &args.why)?;
    }
    let model = store.known(&args.name)?;
    if shared.json {
        return console.json(&json!({ "name": model.name, "settings": model.settings }));
    }
    console.print(&serde_json::to_string_pretty(&model.settings)?)
}

/// The bytes of the champion of a name, and the words for it; nothing where there is no such name.
pub(super) fn champion(name: &str, shared: &Shared) -> anyhow::Result<Option<(Vec<u8>, String)>> {
    let store = Store::open(&shared.workspace())?;
    if store.model(name)?.is_none() {
        return Ok(None);
    }
    let version = store.version(name, None)?;
    let place = format!("{name} version {}", version.version);
    Ok(Some((store.bytes_of(&version.digest)?, place)))
}

/// Refuses a policy about columns that the model does not ask for.
fn check_columns(store: &Store, name: &str, policy: &crate::serve::Policy) -> anyhow::Result<()> {
    let Some(latest) = store.known(name)?.versions.pop().filter(|_| !policy.log.is_empty()) else {
        return Ok(());
    };
    let bytes = store.bytes_of(&latest.digest)?;
    let model = parse_model(Path::new(name), &bytes)?.model;
    let fields: Vec<String> = contract(&model).into_iter().map(|field| field.name).collect();
    let is_known = |column: &&String| fields.contains(column);
    if let Some(wrong) = policy.log.keys().find(|column| !is_known(column)) {
        let near = nearest(wrong, fields.iter().map(String::as_str));
        let hint = near.map_or_else(|| fields.join(", "), |near| format!("did you mean `{near}`?"));
        bail!("`{name}` asks for no column `{wrong}`\nhint: {hint}");
    }
    Ok(())
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
