//! `karat keys`: who may ask the server for what.

use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use super::Shared;
use super::console::Console;
use super::numbers::{not_negative, positive};
use super::text::{self, TextTable};
use crate::registry::store::{Actor, KeySpec, NewKey, Scope, Store, now_ms};

/// A key that would be good for longer than this, in days, is good for this long.
const LATEST: f64 = 365_000.0;

/// What `keys` is given.
#[derive(ClapArgs, Clone, Debug)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Clone, Debug)]
enum What {
    /// Make a key; its secret is shown this once
    Create(Create),
    /// List the keys, without their secrets
    List(Common),
    /// Refuse a key from this moment on
    Revoke(Revoke),
    /// Give a key another secret; the old one stays good for a while
    Rotate(Rotate),
}

#[derive(ClapArgs, Clone, Debug)]
struct Create {
    /// What it may be used for: infer, explain, feedback, read, operate, admin
    #[arg(long, value_name = "A,B", value_delimiter = ',', required = true)]
    scope: Vec<String>,
    /// What it is called
    #[arg(long, value_name = "NAME", default_value = "")]
    name: String,
    /// The models that it may know of, with `*` and `?`; all when not given
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    models: Vec<String>,
    /// It is refused after so many days
    #[arg(long, value_name = "DAYS", value_parser = positive)]
    expires: Option<f64>,
    /// Requests a second in the long run
    #[arg(long, value_name = "N", value_parser = positive)]
    rate: Option<f64>,
    /// Requests at once after a rest
    #[arg(long, value_name = "N", value_parser = positive)]
    burst: Option<f64>,
    /// Requests a day
    #[arg(long, value_name = "N")]
    daily_requests: Option<u64>,
    /// Rows a day
    #[arg(long, value_name = "N")]
    daily_rows: Option<u64>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
struct Common {
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
struct Revoke {
    /// The id of the key, or its name
    #[arg(value_name = "KEY")]
    key: String,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
struct Rotate {
    /// The id of the key, or its name
    #[arg(value_name = "KEY")]
    key: String,
    /// The old secret stays good for so many hours
    #[arg(long, value_name = "HOURS", default_value = "24", value_parser = not_negative)]
    grace: f64,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    #[command(flatten)]
    shared: Shared,
}

impl Args {
    pub(super) fn shared(&self) -> &Shared {
        match &self.what {
            What::Create(create) => &create.shared,
            What::List(common) => &common.shared,
            What::Revoke(revoke) => &revoke.shared,
            What::Rotate(rotate) => &rotate.shared,
        }
    }
}

pub(super) fn run(args: &Args, console: &Console) -> anyhow::Result<()> {
    let shared = args.shared();
    let store = Store::open(&shared.workspace())?;
    let actor = Actor::login();
    match &args.what {
        What::Create(create) => {
            let scopes =
                create.scope.iter().map(|word| Scope::parse(word)).collect::<Result<_, _>>()?;
            let days = create.expires.map(|days| days.min(LATEST));
            let expires_ms = days.map(|days| now_ms().saturating_add((days * 86_400_000.0) as i64));
            let spec = KeySpec {
                name: create.name.clone(),
                scopes,
                models: create.models.clone(),
                expires_ms,
                rate_per_second: create.rate,
                burst: create.burst,
                daily_requests: create.daily_requests,
                daily_rows: create.daily_rows,
            };
            shown(&store.create_key(&spec, &actor, &create.why)?, shared, console)
        }
        What::List(_) => list(&store, shared, console),
        What::Revoke(revoke) => {
            store.revoke_key(&revoke.key, &actor, &revoke.why)?;
            if shared.json {
                return console.json(&json!({ "revoked": revoke.key }));
            }
            console.print(&format!(
                "revoked {}; a running server refuses it within a second",
                revoke.key
            ))
        }
        What::Rotate(rotate) => {
            let grace_ms = (rotate.grace * 3_600_000.0) as i64;
            let turned = store.rotate_key(&rotate.key, grace_ms, &actor, &rotate.why)?;
            shown(&turned, shared, console)
        }
    }
}

fn shown(new: &NewKey, shared: &Shared, console: &Console) -> anyhow::Result<()> {
    if shared.json {
        return console.json(&json!({ "id": new.key.id, "key": new.shown, "name": new.key.name }));
    }
    console.print(&new.shown)?;
    console.note(&format!(
        "this is key {}; it is shown this once and kept as a digest only. Send it as \
         `Authorization: Bearer KEY`",
        new.key.id
    ));
    Ok(())
}

fn list(store: &Store, shared: &Shared, console: &Console) -> anyhow::Result<()> {
    let keys = store.keys()?;
    if shared.json {
        return console.json(&json!({ "keys": keys }));
    }
    if keys.is_empty() {
        return console.print("no keys yet; `karat keys create --scope infer,explain` makes one");
    }
    let mut table = TextTable::new(&[
        "key",
        "name",
        "scopes",
        "models",
        "made (UTC)",
        "by",
        "expires",
        "last used",
        "state",
    ])
    .optional(&["by", "made (UTC)", "models"]);
    let moment = |ms: Option<i64>| ms.map_or("–".to_owned(), |ms| text::moment(ms / 1000));
    for key in &keys {
        let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.word()).collect();
        let is_expired = key.expires_ms.is_some_and(|at| at <= now_ms());
        table.row([
            key.id.clone(),
            key.name.clone(),
            scopes.join(","),
            key.models.join(","),
            moment(Some(key.created_ms)),
            key.by.clone(),
            moment(key.expires_ms),
            moment(key.last_used_ms),
            match (key.revoked_ms, is_expired) {
                (Some(_), _) => "revoked".to_owned(),
                (None, true) => "expired".to_owned(),
                (None, false) => "good".to_owned(),
            },
        ]);
    }
    console.print(&table.render(console.width, console.bold))
}
