//! Notes and tags of versions: `karat runs note NAME@VERSION TEXT` and `karat runs tag`.

use anyhow::{Context as _, bail};
use clap::Args as ClapArgs;
use serde_json::json;

use super::Shared;
use super::console::Console;
use super::text;
use crate::registry::store::{Actor, Store, Version};

#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Tag {
    /// The version: NAME@VERSION or NAME@ALIAS
    #[arg(value_name = "NAME@VERSION")]
    version: String,
    /// Tags to set, as `key=value`; none to see those there are
    #[arg(value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// A tag to remove
    #[arg(long, value_name = "KEY")]
    remove: Vec<String>,
    #[command(flatten)]
    shared: Shared,
}

impl Tag {
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

pub(super) fn tag(
    store: &Store,
    args: &Tag,
    shared: &Shared,
    actor: &Actor,
    console: &Console,
) -> anyhow::Result<()> {
    let version = version(store, &args.version)?;
    let mut set = Vec::new();
    for own in &args.set {
        let (key, value) = own.split_once('=').with_context(|| {
            format!("`{}` is no tag\nhint: write `key=value`", text::sanitise(own))
        })?;
        set.push((key, Some(value)));
    }
    for key in &args.remove {
        if !version.tags.contains_key(key) {
            bail!("version {} of `{}` has no such tag", version.version, version.name);
        }
        set.push((key, None));
    }
    for (key, value) in set {
        store.tag(&version.name, version.version, key, value, actor)?;
    }
    show(store, &version, shared, console)
}

pub(super) fn note(
    of: &str,
    words: &str,
    shared: &Shared,
    console: &Console,
) -> anyhow::Result<()> {
    let store = Store::open(&shared.workspace())?;
    let version = version(&store, of)?;
    store.annotate(&version.name, version.version, words, &Actor::login())?;
    show(&store, &version, shared, console)
}

/// The tags of a version in a line.
pub(super) fn told(version: &Version) -> String {
    let all = version.tags.iter().map(|(key, value)| format!("{key}={value}"));
    all.collect::<Vec<_>>().join(", ")
}

fn version(store: &Store, of: &str) -> anyhow::Result<Version> {
    let (name, asked) = of.rsplit_once('@').with_context(|| {
        let of = text::sanitise(of);
        format!("`{of}` is no version\nhint: write `NAME@VERSION`, for example `credit@2`")
    })?;
    Ok(store.version(name, Some(asked))?)
}

fn show(
    store: &Store,
    version: &Version,
    shared: &Shared,
    console: &Console,
) -> anyhow::Result<()> {
    let number = version.version;
    let own = store.version(&version.name, Some(&number.to_string()))?;
    if shared.json {
        return console.json(&json!({
            "name": own.name,
            "version": number,
            "note": own.note,
            "tags": own.tags,
        }));
    }
    let none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
    console.print(&format!(
        "version {number} of {}\nnote: {}\ntags: {}",
        own.name,
        none(text::sanitise(&own.note)),
        none(text::sanitise(&told(&own)))
    ))
}
