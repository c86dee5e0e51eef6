//! Everything that the requests of one server share.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::http::{HeaderMap, header};
use base64::Engine as _;

use super::ahead::Workshop;
use super::body::Room;
use super::caller::{Caller, Who};
use super::lag::Lag;
use super::limit::{Allowance, Meter};
use super::metrics::{Metrics, OfAnswer, Why};
use super::pool::Pool;
use super::protocol::{Limits, Refusal, shown};
use super::pulse::Pulse;
use super::route::{Access, Call, Reply};
use super::served::Served;
use super::status::Line;
use super::table::{Found, Models, NotFound};
use crate::registry::store::log::PredictionLog;
use crate::registry::store::{Key, Keyring, Refused, Store, now_ms};

/// How a server runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of the workspace.
    pub workspace: PathBuf,
    /// Where it listens.
    pub addr: std::net::SocketAddr,
    /// Certificate and key in PEM files.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Whether requests need a key.
    pub needs_key: bool,
    /// Bounds of one request.
    pub limits: Limits,
    /// More requests than this are not answered at once.
    pub max_in_flight: i64,
    /// Connections at once.
    pub max_connections: usize,
    /// Requests are refused while the server is later than this.
    pub max_lag: Duration,
    /// Work is refused that would wait longer than this, unless it takes long itself.
    pub max_wait: Duration,
    /// Predictions are kept so many days; 0 keeps none.
    pub log_days: u32,
    /// Whether the log is encrypted.
    pub encrypt_log: bool,
    /// A command that alerts are given to, as JSON on its standard input.
    pub alert_command: Option<String>,
    /// An address that alerts are posted to.
    pub alert_webhook: Option<String>,
}

/// The shared state.
pub(super) struct Server {
    pub(super) options: Options,
    pub(super) store: Arc<Store>,
    pub(super) models: ArcSwap<Models>,
    /// Held while models, or keys, are read and published, so that no older state takes the place of
    /// a newer one.
    pub(super) renewing_models: Mutex<()>,
    pub(super) renewing_keys: Mutex<()>,
    pub(super) keyring: ArcSwap<Keyring>,
    /// Callers by key id: what they have used outlives a change of the keyring.
    pub(super) callers: ArcSwap<HashMap<String, Arc<Caller>>>,
    pub(super) metrics: Metrics,
    pub(super) pulse: Pulse,
    pub(super) pool: Pool,
    /// For requests that take long,
    pub(super) workshop: Workshop,
    /// and for explanations, which take so much longer that nobody would get in behind one.
    pub(super) explanations: Workshop,
    pub(super) lag: Arc<Lag>,
    pub(super) room: Room,
    pub(super) log: Option<PredictionLog>,
    /// The log again, for readers that would keep the others waiting.
    pub(super) log_reader: Option<PredictionLog>,
    /// Names that were taken out of service here.
    pub(super) unloaded: Mutex<Vec<String>>,
    /// The latest day, counted from 1970, whose predictions were written to a file.
    pub(super) day: std::sync::atomic::AtomicI64,
    /// Models about which an alert was raised since anyone has looked.
    pub(super) alarmed: Mutex<Vec<String>>,
    pub(super) live: Mutex<VecDeque<Line>>,
    pub(super) troubles: Mutex<VecDeque<String>>,
    /// Until when someone looks at the live log, in milliseconds since 1970.
    pub(super) watched_until_ms: AtomicI64,
    pub(super) since_ms: i64,
    pub(super) url: String,
}

/// So many lines of the live log are kept.
const LINES: usize = 200;
/// So many troubles are kept.
const TROUBLES: usize = 20;

/// A new id for predictions. It is never the caller's: one that is given twice, or by two callers,
/// would tell two predictions apart no more.
pub(super) fn new_id() -> String {
    /// Random bytes of an id, and how many ids are drawn for at once.
    const BYTES: usize = 10;
    const AT_ONCE: usize = 64;
    thread_local! {
        static DRAWN: RefCell<Vec<[u8; BYTES]>> = const { RefCell::new(Vec::new()) };
    }
    let bytes = DRAWN.with_borrow_mut(|drawn| {
        drawn.pop().or_else(|| {
            let mut fresh = [[0; BYTES]; AT_ONCE];
            getrandom::fill(fresh.as_flattened_mut()).ok()?;
            drawn.extend(fresh);
            drawn.pop()
        })
    });
    match bytes {
        Some(bytes) => {
            uuid::Builder::from_unix_timestamp_millis(now_ms() as u64, &bytes).into_uuid()
        }
        None => uuid::Uuid::now_v7(),
    }
    .to_string()
}

impl Server {
    /// Who asks, if they may.
    pub(super) fn admit(&self, access: Access, headers: &HeaderMap) -> Result<Who, Refusal> {
        if !self.options.needs_key {
            return if is_from_here(headers) {
                Ok(Who::Nobody)
            } else {
                Err(Refusal::forbidden("without keys only programs on this machine are answered"))
            };
        }
        if access == Access::Open {
            return Ok(Who::Nobody);
        }
        let refuse = |reason: &'static str, message: &str| {
            self.metrics.auth_failures.get_or_create(&Why { reason }).inc();
            Err(Refusal::unauthorised(message))
        };
        let Some(presented) = presented(headers) else {
            return refuse("none", "a key is needed: `Authorization: Bearer KEY`");
        };
        let keyring = self.keyring.load();
        let key = match keyring.verify(&presented, now_ms()) {
            Ok(key) => key,
            Err(Refused::Expired) => return refuse("expired", "this key has expired"),
            Err(Refused::Revoked) => return refuse("revoked", "this key was revoked"),
            Err(Refused::Malformed) => return refuse("malformed", "this is no key"),
            Err(Refused::Unknown) => return refuse("unknown", "this key is not known"),
        };
        let Some(caller) = self.callers.load().get(&key.id).cloned() else {
            return refuse("unknown", "this key is not known");
        };
        let who = Who::Key(caller);
        if let Access::Needs(scope) = access {
            who.may(scope).inspect_err(|_| {
                self.metrics.auth_failures.get_or_create(&Why { reason: "scope" }).inc();
            })?;
        }
        Ok(who)
    }

    /// Reads the keys again.
    pub(super) fn renew_keys(&self) -> Result<(), crate::registry::Error> {
        let _one = self.renewing_keys.lock().unwrap_or_else(PoisonError::into_inner);
        let keyring = self.store.keyring()?;
        let before = self.callers.load();
        let caller = |key: &Key| {
            let allowance = Allowance {
                rate: key.rate_per_second,
                burst: key.burst.unwrap_or_else(|| key.rate_per_second.unwrap_or(1.0).max(1.0)),
                requests: key.daily_requests,
                rows: key.daily_rows,
            };
            if let Some(same) = before.get(&key.id).filter(|old| {
                old.meter.is_for(&allowance) && old.scopes == key.scopes && old.models == key.models
            }) {
                return (key.id.clone(), Arc::clone(same));
            }
            let caller = Caller {
                id: key.id.clone(),
                name: key.name.clone(),
                scopes: key.scopes.clone(),
                models: key.models.clone(),
                meter: Meter::new(allowance),
                requests: 0.into(),
                last_used_ms: 0.into(),
            };
            (key.id.clone(), Arc::new(caller))
        };
        let callers: HashMap<_, _> = keyring.keys().map(caller).collect();
        self.callers.store(Arc::new(callers));
        self.keyring.store(Arc::new(keyring));
        Ok(())
    }

    /// The version that answers a request.
    pub(super) fn find(
        &self,
        call: &Call,
        version: Option<&str>,
        sticky: &str,
    ) -> Result<Found, Refusal> {
        let name = call.param("model").unwrap_or_default();
        self.named(&call.who, name, version, sticky)
    }

    /// The version of a name that answers someone.
    pub(super) fn named(
        &self,
        who: &Who,
        name: &str,
        version: Option<&str>,
        sticky: &str,
    ) -> Result<Found, Refusal> {
        // `NAME@2` and `NAME@challenger` are as good as the long way, as on the command line.
        let (name, version) = match (name.split_once('@'), version) {
            (Some((name, asked)), None) => (name, Some(asked)),
            _ => (name, version),
        };
        // Whoever may not know of a model is told what is told of one that is not there.
        let found = if who.sees(name) {
            self.models.load().find(name, version, sticky)
        } else {
            Err(NotFound::Model)
        };
        found.map_err(|why| match why {
            NotFound::Model => Refusal::not_found(format!("there is no model `{}`", shown(name))),
            NotFound::Version => Refusal::not_found(format!(
                "model `{}` has no version or alias `{}`",
                shown(name),
                shown(version.unwrap_or_default())
            )),
            NotFound::NoChampion => Refusal::unavailable(
                format!("model `{}` has no champion; ask for a version", shown(name)),
                60,
            ),
            NotFound::NotReady => {
                Refusal::unavailable(format!("model `{}` is not ready", shown(name)), 1)
            }
        })
    }

    /// Counts an answer by its status.
    pub(super) fn count(&self, served: &Served, status: u16) {
        let of = OfAnswer { model: served.name.clone(), version: served.version, code: status };
        self.metrics.requests.get_or_create(&of).inc();
    }

    /// Counts a request that was refused before its rows were looked at, and refuses it.
    pub(super) fn refused(&self, call: &Call, refusal: Refusal) -> Reply {
        if let Some(served) = &call.served {
            let took = call.since.elapsed().as_nanos() as u64;
            served.count(false, 0, took, now_ms() as u64);
            self.count(served, refusal.status);
        }
        Reply::Now(Err(refusal))
    }

    /// Whether someone looks at the live log.
    pub(super) fn is_watched(&self) -> bool {
        now_ms() < self.watched_until_ms.load(Ordering::Relaxed)
    }

    pub(super) fn remember(&self, line: Line) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.push_front(line);
        live.truncate(LINES);
    }

    /// Notes what could not be done, once.
    pub(super) fn trouble(&self, what: String) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        if troubles.front() != Some(&what) {
            troubles.push_front(what);
            troubles.truncate(TROUBLES);
        }
    }
}

/// Whether a request comes from a program on this machine, and not from a page that a browser on
/// it shows: such a page names its origin, or a host of its own.
fn is_from_here(headers: &HeaderMap) -> bool {
    if headers.contains_key(header::ORIGIN) {
        return false;
    }
    let Some(host) = headers.get(header::HOST) else { return true };
    let host = host.to_str().unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The key in a request: as a bearer, or as the password of basic authentication.
fn presented(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = text.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") || rest.len() > 1000 {
        return None;
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(rest.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}
