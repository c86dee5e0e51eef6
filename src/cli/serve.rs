//! `karat serve`: registered models as an HTTP service.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use super::console::{Console, say};
use super::numbers::positive;
use super::text::{self, TextTable};
use super::{Shared, text::sanitise};
use crate::data::nearest;
use crate::registry::store::Store;
use crate::serve::{self, Answered, Load, Options, Status, protocol::Limits, status::Light};

/// A server that was asked to stop and has not by then is said to run on.
const PATIENCE: Duration = Duration::from_secs(15);

/// What `serve` is given.
#[derive(ClapArgs, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    shared: Shared,
}

#[derive(Subcommand, Clone, Debug)]
enum What {
    /// Start a server in the background that outlives this terminal
    Start(Start),
    /// Stop the server of the workspace in good order
    Stop(Common),
    /// Show how the server of the workspace is
    Status(Common),
    /// Ask the server as fast as it answers, and show how it did; it logs and counts what it is asked
    /// like any other request
    Load(LoadArgs),
}

/// How a server runs.
#[derive(ClapArgs, Clone, Debug)]
struct How {
    /// Where it listens; port 0 takes any free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    addr: SocketAddr,
    /// Answer without keys; on addresses of this machine only
    #[arg(long)]
    no_keys: bool,
    /// Certificate chain in PEM; it is read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Keep predictions so many days; 0 keeps none
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    log_days: u32,
    /// Encrypt the prediction log, scores and labels as well, from now on and for good; what is in
    /// it already is encrypted by and by
    #[arg(long)]
    encrypt_log: bool,
    /// Refuse bodies larger than so many MB
    #[arg(long, value_name = "MB", default_value_t = 16)]
    max_body: usize,
    /// Answer no more requests than this at once; others are told to come back
    #[arg(long, value_name = "N", default_value_t = 512)]
    max_in_flight: i64,
    /// Refuse requests while the server is later than so many milliseconds
    #[arg(long, value_name = "MS", default_value_t = 50)]
    max_lag: u64,
    /// Refuse work that would wait longer than so many milliseconds, and longer than twice the time
    /// that it takes itself
    #[arg(long, value_name = "MS", default_value_t = 2)]
    max_wait: u64,
    /// A command that alerts are given to, as JSON on its standard input
    #[arg(long, value_name = "COMMAND")]
    alert_command: Option<String>,
    /// An address `http://HOST:PORT/PATH` that alerts are posted to
    #[arg(long, value_name = "URL")]
    alert_webhook: Option<String>,
}

#[derive(ClapArgs, Clone, Debug)]
struct Start {
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
struct Common {
    #[command(flatten)]
    shared: Shared,
}

#[derive(ClapArgs, Clone, Debug)]
struct LoadArgs {
    /// The name of the model; the first one when not given
    #[arg(value_name = "NAME")]
    model: Option<String>,
    /// The key; `KARAT_KEY` when not given
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Connections, each with one request at a time
    #[arg(long, value_name = "N", default_value_t = 8)]
    connections: usize,
    /// For how long
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = positive)]
    seconds: f64,
    /// Requests a second in all; as many as are answered when not given
    #[arg(long, value_name = "N", value_parser = positive)]
    rate: Option<f64>,
    /// Ask for reasons as well
    #[arg(long)]
    reasons: bool,
    /// The body, in place of a usual row; it begins with `{` or `[`, or names a file
    #[arg(long, value_name = "JSON")]
    body: Option<String>,
    #[command(flatten)]
    shared: Shared,
}

impl Args {
    pub(super) fn shared(&self) -> &Shared {
        match &self.what {
            None => &self.shared,
            Some(What::Start(start)) => &start.shared,
            Some(What::Stop(common) | What::Status(common)) => &common.shared,
            Some(What::Load(load)) => &load.shared,
        }
    }
}

pub(super) fn run(args: &Args, console: &Console) -> anyhow::Result<()> {
    match &args.what {
        None => here(&args.how, &args.shared, console),
        Some(What::Start(start)) => background(start, console),
        Some(What::Stop(common)) => stop(&common.shared, console),
        Some(What::Status(common)) => status(&common.shared, console),
        Some(What::Load(load)) => ask(load, console),
    }
}

impl How {
    fn options(&self, workspace: PathBuf) -> Options {
        Options {
            workspace,
            addr: self.addr,
            tls: self.tls_cert.clone().zip(self.tls_key.clone()),
            needs_key: !self.no_keys,
            limits: Limits {
                max_body: self.max_body << 20,
                max_decompressed: self.max_body << 22,
                ..Limits::default()
            },
            max_in_flight: self.max_in_flight.max(1),
            max_connections: 4096,
            max_lag: Duration::from_millis(self.max_lag.max(1)),
            max_wait: Duration::from_millis(self.max_wait.max(1)),
            log_days: self.log_days,
            encrypt_log: self.encrypt_log,
            alert_command: self.alert_command.clone(),
            alert_webhook: self.alert_webhook.clone(),
        }
    }

    /// The words that give the same on a command line.
    fn words(&self) -> Vec<String> {
        let mut words = vec!["--addr".to_owned(), self.addr.to_string()];
        let mut put = |name: &str, value: String| words.extend([name.to_owned(), value]);
        for (name, path) in [("--tls-cert", &self.tls_cert), ("--tls-key", &self.tls_key)] {
            if let Some(path) = path {
                put(name, path.to_string_lossy().into_owned());
            }
        }
        put("--log-days", self.log_days.to_string());
        put("--max-body", self.max_body.to_string());
        put("--max-in-flight", self.max_in_flight.to_string());
        put("--max-lag", self.max_lag.to_string());
        put("--max-wait", self.max_wait.to_string());
        let told =
            [("--alert-command", &self.alert_command), ("--alert-webhook", &self.alert_webhook)];
        for (name, value) in told {
            if let Some(value) = value {
                put(name, value.clone());
            }
        }
        if self.no_keys {
            words.push("--no-keys".into());
        }
        if self.encrypt_log {
            words.push("--encrypt-log".into());
        }
        words
    }
}

/// Serves until Ctrl-C.
fn here(how: &How, shared: &Shared, console: &Console) -> anyhow::Result<()> {
    let workspace = shared.workspace();
    let options = how.options(workspace.clone());
    let needs_key = options.needs_key;
    let store = Store::open(&workspace)?;
    if store.models()?.is_empty() {
        console.note(
            "no model is registered yet: `karat runs promote RUN --name NAME` registers one, and \
             the server takes it in at once",
        );
    }
    if needs_key && store.keys()?.iter().all(|key| key.revoked_ms.is_some()) {
        console.note(
            "there is no key yet: `karat keys create --scope infer,explain` makes one, and the \
             server takes it in at once",
        );
    }
    drop(store);
    serve::run(options, |url| {
        say(&format!("listening on {url}"));
        if !needs_key {
            say("anyone on this machine can use it without a key");
        }
        if shared.json {
            // Whether or not anyone reads where it listens, it listens.
            let _ = console.json(&json!({ "url": url, "pid": std::process::id() }));
        }
    })?;
    console.note("stopped");
    Ok(())
}

fn background(start: &Start, console: &Console) -> anyhow::Result<()> {
    let workspace = start.shared.workspace();
    let status = serve::start(&workspace, &start.how.words())?;
    if start.shared.json {
        return console.json(&json!({ "url": status.url, "pid": status.pid }));
    }
    console.print(&format!(
        "listening on {} (process {}, its words go to {})",
        status.url,
        status.pid,
        sanitise(&serve::log_path(&workspace).display().to_string())
    ))
}

fn stop(shared: &Shared, console: &Console) -> anyhow::Result<()> {
    let workspace = shared.workspace();
    let pid = serve::status(&workspace)?.pid;
    serve::stop(&workspace)?;
    // It lets what is under way finish first.
    wait_for_the_end(pid, PATIENCE, || serve::status(&workspace).is_ok())?;
    if shared.json {
        return console.json(&json!({ "stopped": pid }));
    }
    console.print(&format!("stopped process {pid}"))
}

/// Returns once the server does not run any more.
fn wait_for_the_end(
    pid: u32,
    patience: Duration,
    is_running: impl Fn() -> bool,
) -> anyhow::Result<()> {
    let start = Instant::now();
    while is_running() {
        if start.elapsed() >= patience {
            bail!(
                "process {pid} was asked to stop and still runs after {} seconds\nhint: it lets \
                 what is under way finish first; `kill {pid}` asks once more, `kill -9 {pid}` ends \
                 it at once",
                patience.as_secs()
            );
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn status(shared: &Shared, console: &Console) -> anyhow::Result<()> {
    let status = serve::status(&shared.workspace())?;
    if shared.json {
        return console.json(&serde_json::to_value(&status)?);
    }
    console.print(&told(&status, console))
}

fn told(status: &Status, console: &Console) -> String {
    let ms = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
    let rates = &status.rates;
    let mut out = format!(
        "{} · process {} · {} · {} MB\n{:.1} requests/s · p50 {} ms · p90 {} ms · p99 {} ms · {:.1} % \
         refused · {:.1} % failed\n{} logged, {} not\n\n",
        status.url,
        status.pid,
        if status.needs_key { "keys needed" } else { "no keys needed" },
        status.memory >> 20,
        rates.requests,
        ms(rates.p50),
        ms(rates.p90),
        ms(rates.p99),
        100.0 * rates.refused,
        100.0 * rates.failed,
        status.logged,
        status.dropped,
    );
    let mut table = TextTable::new(&[
        "model",
        ">version",
        "kind",
        "aliases",
        ">requests",
        ">rows",
        ">not 2xx",
        ">mean ms",
        "drift",
    ])
    .optional(&["not 2xx", "rows"]);
    for model in &status.models {
        for version in &model.versions {
            let light = match version.light {
                Light::Unknown => "–",
                Light::Steady => "steady",
                Light::Alarm => "ALARM",
            };
            table.row([
                model.name.clone(),
                version.version.to_string(),
                version.kind.clone(),
                version.aliases.join(", "),
                text::count(version.requests as usize),
                text::count(version.rows as usize),
                text::count(version.failed as usize),
                ms(version.mean_ms),
                light.to_owned(),
            ]);
        }
    }
    if status.models.is_empty() {
        out += "no model is registered; `karat runs promote RUN --name NAME` registers one\n";
    } else {
        out += &table.render(console.width, console.bold);
    }
    for trouble in &status.troubles {
        let _ = writeln!(out, "trouble: {}", sanitise(trouble));
    }
    out
}

fn ask(args: &LoadArgs, console: &Console) -> anyhow::Result<()> {
    let status = serve::status(&args.shared.workspace())?;
    let Some(rest) = status.url.strip_prefix("http://") else {
        bail!(
            "the load test speaks plain HTTP only\nhint: start a server without TLS on 127.0.0.1 for it"
        );
    };
    let model = match &args.model {
        Some(name) => {
            let own = status.models.iter().find(|model| model.name == *name);
            own.with_context(|| not_served(name, &status))?
        }
        None => status.models.first().context(
            "no model is served\nhint: `karat runs promote RUN --name NAME` registers one",
        )?,
    };
    let key = args.key.clone().or_else(|| std::env::var("KARAT_KEY").ok());
    if status.needs_key && key.is_none() {
        bail!("a key is needed\nhint: give one with `--key`, or in `KARAT_KEY`");
    }
    let mut body = match &args.body {
        Some(text) if text.trim_start().starts_with(['{', '[']) => text.clone(),
        Some(path) => {
            std::fs::read_to_string(path).with_context(|| format!("cannot read `{path}`"))?
        }
        None => model.example.to_string(),
    };
    if args.reasons
        && let Some(rest) = body.trim_start().strip_prefix('{')
    {
        body = format!("{{\"reasons\":true,{rest}");
    }
    let load = Load {
        addr: rest.parse().context("the address of the server is not understood")?,
        path: format!("/v1/models/{}/score", model.name),
        key,
        content_type: "application/json".into(),
        headers: String::new(),
        body: body.into_bytes(),
        connections: args.connections.clamp(1, 1000),
        duration: Duration::from_secs_f64(args.seconds.clamp(0.1, 3600.0)),
        rate: args.rate,
    };
    let answered = serve::load(&load)?;
    if args.shared.json {
        let mut value = serde_json::to_value(&answered)?;
        value["model"] = json!(model.name);
        value["connections"] = json!(load.connections);
        console.json(&value)?;
    } else {
        console.print(&of_load(&answered, &load))?;
    }
    let good = answered.statuses.iter().filter(|(status, _)| (200..300).contains(*status));
    if good.map(|(_, n)| n).sum::<u64>() == 0 {
        bail!(
            "no request was answered with a score\nhint: {}",
            if answered.statuses.is_empty() {
                "no answer came at all: `karat serve status` says whether the server runs"
            } else {
                "401 and 403 are about the key, 400 and 422 about the row, 503 about too much load"
            }
        );
    }
    Ok(())
}

fn not_served(name: &str, status: &Status) -> String {
    let hint = match nearest(name, status.models.iter().map(|model| &model.name as &str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`karat serve status` lists those that are".to_owned(),
    };
    format!("no model `{name}` is served\nhint: {hint}")
}

fn of_load(answered: &Answered, load: &Load) -> String {
    let ms = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2} ms"));
    let statuses: Vec<String> =
        answered.statuses.iter().map(|(status, n)| format!("{n} × {status}")).collect();
    format!(
        "{} requests over {}: {:.0} a second\np50 {} · p90 {} · p99 {} · longest {}\nanswers {} · {} broken\n",
        text::count(answered.requests as usize),
        text::plural(load.connections, "connection"),
        answered.per_second,
        ms(answered.p50_ms),
        ms(answered.p90_ms),
        ms(answered.p99_ms),
        ms(answered.max_ms),
        statuses.join(", "),
        answered.broken,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_does_not_stop_is_not_said_to_have_stopped() {
        let short = Duration::from_millis(1);
        let error = wait_for_the_end(4711, short, || true).unwrap_err().to_string();
        assert!(error.contains("process 4711") && error.contains("still runs"), "{error}");
        assert!(wait_for_the_end(4711, short, || false).is_ok());
    }
}
