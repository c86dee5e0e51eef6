//! `karat runs promote`: a run, a file or a version made what an alias of a name points to.

use std::path::Path;

use anyhow::{Context as _, bail};
use clap::Args as ClapArgs;
use serde_json::json;

use super::Shared;
use super::console::Console;
use super::numbers::finite;
use crate::registry::Registry;
use crate::registry::store::{Actor, Done, ModelName, Store, Version};
use crate::train::RunId;
use crate::workspace::{register_file, register_run};

/// What `runs promote` is given.
#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Promote {
    /// The run (r0007, r7 or 7), a model file, or a version already registered (v3 or NAME@3)
    #[arg(value_name = "RUN|FILE|VERSION")]
    what: String,
    /// The name
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The alias; `none` only registers
    #[arg(long, value_name = "ALIAS", default_value = "champion")]
    alias: String,
    /// Call rows positive from this score on, in place of the run's own threshold
    #[arg(long, value_name = "SCORE", value_parser = finite, allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    #[command(flatten)]
    shared: Shared,
}

impl Promote {
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

/// What the first word of the command means.
enum Meant {
    /// A model file.
    File,
    /// A run of the workspace.
    Run(RunId),
    /// A version of this name, or of another.
    Version(Box<Version>),
}

fn meant(store: &Store, registry: &Registry, args: &Promote) -> anyhow::Result<Meant> {
    let (what, name) = (&args.what as &str, &args.name as &str);
    if Path::new(what).is_file() {
        return Ok(Meant::File);
    }
    if let Some((of, asked)) = what.rsplit_once('@') {
        return Ok(Meant::Version(store.version(of, Some(asked))?.into()));
    }
    if let Some(number) = what.strip_prefix('v').filter(|rest| rest.parse::<u32>().is_ok()) {
        return Ok(Meant::Version(store.version(name, Some(number))?.into()));
    }
    let versions = store.model(name)?.map_or(Vec::new(), |model| model.versions);
    let number: Option<u32> = what.parse().ok();
    let version = versions.into_iter().find(|own| Some(own.version) == number);
    match (registry.find(what), version) {
        (Ok(id), None) => Ok(Meant::Run(id)),
        (Err(_), Some(version)) => Ok(Meant::Version(version.into())),
        (Err(error), None) => Err(error.into()),
        (Ok(id), Some(version)) => bail!(
            "`{what}` is both run {id} and version {number} of `{name}`\nhint: write `{id}` for \
             the run, or `v{number}` for the version",
            number = version.version
        ),
    }
}

/// The version of a name that is meant, registered if it is not yet, and whether it was not.
fn version_of(
    store: &Store,
    args: &Promote,
    shared: &Shared,
    actor: &Actor,
) -> anyhow::Result<(Version, bool)> {
    let name = ModelName::new(&args.name)?;
    let registry = Registry::open(&shared.workspace())?;
    let what = meant(store, &registry, args)?;
    if args.threshold.is_some() && !matches!(what, Meant::Run(_)) {
        bail!(
            "`--threshold` goes with a run, and `{}` is none\nhint: name the run that the model \
             came from",
            args.what
        );
    }
    Ok(match what {
        Meant::Run(id) => {
            let run = registry.load(&id)?;
            register_run(store, &name, &run, args.threshold, actor, &args.why)?
        }
        Meant::File => {
            let bytes = std::fs::read(&args.what)
                .with_context(|| format!("cannot read `{}`", args.what))?;
            register_file(store, &name, &bytes, &args.what, actor, &args.why)?
        }
        Meant::Version(version) if version.name == args.name => (*version, false),
        Meant::Version(version) => {
            let bytes = store.bytes_of(&version.digest)?;
            register_file(store, &name, &bytes, &args.what, actor, &args.why)?
        }
    })
}

pub(super) fn run(
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
    // The first version of a name is its champion already.
    let is_there = is_new && version.aliases.contains(&args.alias);
    if args.alias != "none" && !is_there {
        let done = Done::Promote { name: name.clone(), version: number, alias: args.alias.clone() };
        pending = store.decide(&done, actor, &args.why)?.waits();
    }
    if shared.json {
        return console.json(&json!({
            "name": name,
            "version": number,
            "run_id": version.run,
            "alias": (args.alias != "none").then_some(&args.alias),
            "digest": version.digest,
            "registered": is_new,
            "pending": pending,
        }));
    }
    match pending {
        Some(id) => console
            .print(&format!("decision {id} waits for a second person: `karat runs approve {id}`")),
        None if args.alias == "none" => console.print(&format!("{name} version {number}")),
        None => console.print(&format!("version {number} of {name} is its {}", args.alias)),
    }
}
