//! The life of a server: its state made, its sockets opened, and everything ended in good order.

use std::collections::{HashMap, VecDeque};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::ahead::Workshop;
use super::body::Room;
use super::lag::Lag;
use super::listen::{Tls, listen};
use super::metrics::Metrics;
use super::pool::{Gathering, Pool};
use super::pulse::Pulse;
use super::server::{Options, Server};
use super::socket::{self, Asked};
use super::table::Models;
use super::watch::{watch as keep_watch, watch_models};
use super::{Error, ROUTES, drift, route};
use crate::jobs;
use crate::registry::store::log::{LogOptions, PredictionLog};
use crate::registry::store::{Keyring, Store, now_ms};

/// Serves until it is asked to stop: by the socket of the workspace, Ctrl-C, or SIGTERM. `ready`
/// hears the address once it listens.
///
/// # Errors
///
/// When the address cannot be had or would not be safe, or the workspace cannot be used.
pub fn run(options: Options, ready: impl FnOnce(&str)) -> Result<(), Error> {
    check(&options)?;
    let tls = match &options.tls {
        Some((cert, key)) => Some(Arc::new(Tls::read(cert, key)?)),
        None => None,
    };
    let listener = TcpListener::bind(options.addr)
        .map_err(|cause| Error::Listen { addr: options.addr, cause })?;
    let addr = listener.local_addr()?;
    let url = format!("{}://{addr}", if tls.is_some() { "https" } else { "http" });
    let server = Arc::new(server_of(options, url.clone())?);
    server.renew_keys()?;
    server.renew_models(false)?;
    let (stop, stopped) = watch::channel(false);
    let stop = Arc::new(stop);
    let door = {
        let (server, stop) = (Arc::clone(&server), Arc::clone(&stop));
        socket::open(&server.options.workspace.clone(), move |asked| match asked {
            Asked::Status => serde_json::to_string(&server.status()).unwrap_or_default(),
            Asked::Stop => {
                stop.send_replace(true);
                "stopping".into()
            }
        })?
    };
    {
        let (server, tls, stopped) = (Arc::clone(&server), tls.clone(), stopped.clone());
        jobs::service("watch", move || keep_watch(&server, tls.as_deref(), &stopped))?;
    }
    {
        let (server, stopped) = (Arc::clone(&server), stopped.clone());
        jobs::service("models", move || watch_models(&server, &stopped))?;
    }
    {
        let (server, stopped) = (Arc::clone(&server), stopped.clone());
        jobs::background("drift", move || drift::watch(&server, &stopped))?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let router = route::router(&server, ROUTES);
    ready(&url);
    let most = server.options.max_connections;
    let lag = Arc::clone(&server.lag);
    let listening = async move {
        tokio::spawn(lag.measure());
        tokio::spawn(signals(stop));
        listen(listener, tls, router, most, stopped).await
    };
    let outcome = runtime.block_on(listening);
    drop(door);
    runtime.shutdown_timeout(Duration::from_secs(1));
    if let Some(log) = &server.log {
        log.flush();
    }
    server.touch_keys();
    Ok(outcome?)
}

/// Refuses what others could listen in to, or use.
fn check(options: &Options) -> Result<(), Error> {
    if options.addr.ip().is_loopback() {
        return Ok(());
    }
    let addr = options.addr;
    if options.tls.is_none() {
        let hint = "give a certificate with `--tls-cert` and `--tls-key`, or listen on 127.0.0.1";
        return Err(Error::Unsafe { addr, lacks: "nothing would be encrypted", hint });
    }
    if !options.needs_key {
        let hint = "leave out `--no-keys`, or listen on 127.0.0.1";
        return Err(Error::Unsafe { addr, lacks: "anyone could use it without a key", hint });
    }
    Ok(())
}

/// The state of a server before it listens.
pub(super) fn server_of(options: Options, url: String) -> Result<Server, Error> {
    let store = Arc::new(Store::open(&options.workspace)?);
    let log = if options.log_days == 0 {
        None
    } else {
        let own = LogOptions {
            days: options.log_days,
            encrypt: options.encrypt_log,
            ..LogOptions::default()
        };
        let spawn = |name: &str, work| jobs::background(name, work).map(drop);
        Some(PredictionLog::start(&options.workspace, &own, spawn)?)
    };
    let log_reader = match &log {
        Some(_) => Some(PredictionLog::open(&options.workspace, options.encrypt_log)?),
        None => None,
    };
    let metrics = Metrics::new();
    let queued = metrics.queued.clone();
    let gathering = Gathering { most_wait: options.max_wait, ..Gathering::default() };
    // One processor is left for reading and writing.
    let workers = std::thread::available_parallelism().map_or(1, usize::from).saturating_sub(1);
    Ok(Server {
        store,
        models: ArcSwap::from_pointee(Models::default()),
        renewing_models: Mutex::default(),
        renewing_keys: Mutex::default(),
        keyring: ArcSwap::from_pointee(Keyring::default()),
        callers: ArcSwap::from_pointee(HashMap::new()),
        pulse: Pulse::new(),
        pool: Pool::start(gathering, move |seconds| queued.observe(seconds))?,
        // Scores of many rows are not gathered as those of networks are: they need not wait as long.
        workshop: Workshop::new(workers, options.max_wait / 3),
        explanations: Workshop::new(workers, options.max_wait),
        room: Room::new(options.limits.max_body),
        lag: Arc::new(Lag::new(options.max_lag)),
        log,
        log_reader,
        unloaded: Mutex::new(Vec::new()),
        day: (now_ms() / 86_400_000 - 1).into(),
        alarmed: Mutex::new(Vec::new()),
        live: Mutex::new(VecDeque::new()),
        troubles: Mutex::new(VecDeque::new()),
        watched_until_ms: 0.into(),
        since_ms: now_ms(),
        url,
        metrics,
        options,
    })
}

/// Stops the server on Ctrl-C and SIGTERM; a hang-up of the terminal is none of its business.
async fn signals(stop: Arc<watch::Sender<bool>>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (interrupt, terminate, hangup) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    );
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = (interrupt, terminate, hangup)
    else {
        return;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            _ = hangup.recv() => {}
        }
    }
    stop.send_replace(true);
}
