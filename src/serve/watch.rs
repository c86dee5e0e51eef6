//! What the server looks after between requests: changes by others, certificates, keys used.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::drift;
use super::listen::Tls;
use super::metrics::{Info, resident};
use super::served::{Policy, Served};
use super::server::Server;
use super::status::{KeyStatus, Light, ModelStatus, Status, VersionStatus};
use super::table::{CHALLENGER, Models, Named, SHADOW};
use crate::registry::store::{Alert, NamedModel, Version, now_ms};
use crate::registry::{Error, parse_model};

/// So often changes by others are looked for;
const EVERY: Duration = Duration::from_millis(200);
/// and so often changes of keys, so that a new one is good, and a revoked one refused, at once.
const KEYS: Duration = Duration::from_millis(10);
/// So often the rest is looked after.
const REST: Duration = Duration::from_secs(1);
/// So often it is noted when keys were used last, since that is a change of the store as well.
const TOUCH: Duration = Duration::from_mins(1);
/// Besides those with an alias, so many of the latest versions of a name are loaded.
const LATEST: usize = 5;
/// Someone looks at the live log for so long after a status was asked for.
const LOOKS_MS: i64 = 10_000;

/// Looks after keys and certificates until the server stops. Models have a thread of their own, so
/// that a revoked key does not wait until a large one is loaded.
pub(super) fn watch(server: &Arc<Server>, tls: Option<&Tls>, stopped: &watch::Receiver<bool>) {
    let (mut rested, mut touched) = (Instant::now(), Instant::now());
    let rest = || {
        if rested.elapsed() >= REST {
            rested = Instant::now();
            if let Some(Err(error)) = tls.map(Tls::renew) {
                server.trouble(error.to_string());
            }
        }
        if touched.elapsed() >= TOUCH {
            touched = Instant::now();
            server.touch_keys();
        }
    };
    whenever_changed(server, stopped, KEYS, rest, || server.renew_keys());
}

/// Looks after the models until the server stops.
pub(super) fn watch_models(server: &Arc<Server>, stopped: &watch::Receiver<bool>) {
    whenever_changed(server, stopped, EVERY, || (), || server.renew_models(false));
}

/// Renews something whenever the store has changed, and does the rest at each look.
fn whenever_changed(
    server: &Server,
    stopped: &watch::Receiver<bool>,
    every: Duration,
    mut rest: impl FnMut(),
    renew: impl Fn() -> Result<(), Error>,
) {
    let mut known = None;
    while !*stopped.borrow() {
        // What changes while it is read is noticed at the next look.
        let now = server.store.data_version().ok();
        if now != known && server.note(&renew()) {
            known = now;
        }
        rest();
        thread::sleep(every);
    }
}

impl Server {
    /// Takes in what anyone has changed in the store.
    pub(super) fn renew(&self) {
        self.note(&self.renew_keys());
        self.note(&self.renew_models(false));
    }

    /// Whether it went well; what did not is a trouble.
    fn note(&self, outcome: &Result<(), Error>) -> bool {
        if let Err(error) = outcome {
            self.trouble(error.to_string());
        }
        outcome.is_ok()
    }

    /// Takes a name in or out of service, in this server alone.
    pub(super) fn set_loaded(&self, name: &str, loaded: bool) {
        {
            let mut unloaded = self.unloaded.lock().unwrap_or_else(PoisonError::into_inner);
            unloaded.retain(|own| own != name);
            if !loaded {
                unloaded.push(name.to_owned());
            }
        }
        self.note(&self.renew_models(true));
    }

    /// Loads what is new, keeps what is the same, and lets go of the rest. A version that cannot
    /// be loaded is a trouble of its own, and stops none of the others.
    ///
    /// Those that could not be loaded before are tried `again` when a person asks for it.
    pub(super) fn renew_models(&self, again: bool) -> Result<(), Error> {
        let _one = self.renewing_models.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.models.load_full();
        let unloaded = self.unloaded.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut by_name = HashMap::new();
        let mut info = Vec::new();
        for model in self.store.models()? {
            let policy: Policy =
                serde_json::from_value(model.settings.clone()).unwrap_or_else(|error| {
                    self.trouble(format!("the settings of `{}`: {error}", model.name));
                    Policy::default()
                });
            let split = model.split();
            let old = before.by_name.get(&model.name);
            let (mut versions, mut broken) = (BTreeMap::new(), BTreeMap::new());
            for version in wanted(&model) {
                let same = old.and_then(|old| old.versions.get(&version.version));
                let same = same.filter(|s| s.digest == version.digest && s.policy == policy);
                let failed = old.and_then(|old| old.broken.get(&version.version));
                let served = match (same, failed) {
                    (Some(same), _) => Ok(Arc::clone(same)),
                    // A file never changes, so what was wrong with it still is.
                    (None, Some(why)) if !again => Err(why.clone()),
                    (None, _) => self.load_version(version, &policy).map(|mut served| {
                        if let Some(before) = old.and_then(|old| old.versions.get(&version.version))
                        {
                            served.counts = Arc::clone(&before.counts);
                        }
                        Arc::new(served)
                    }),
                };
                match served {
                    Ok(served) => {
                        versions.insert(version.version, served);
                    }
                    Err(error) => {
                        let why = error.lines().next().unwrap_or_default().to_owned();
                        self.trouble(format!(
                            "version {} of `{}` is not served: {why}",
                            version.version, model.name,
                        ));
                        broken.insert(version.version, why);
                    }
                }
            }
            for (alias, number) in &model.aliases {
                if let Some(served) = versions.get(number) {
                    info.push(Info {
                        model: model.name.clone(),
                        version: *number,
                        alias: alias.clone(),
                        digest: served.digest.clone(),
                    });
                }
            }
            let differences =
                old.filter(|old| old.aliases.get(SHADOW) == model.aliases.get(SHADOW));
            let named = Named {
                versions,
                broken,
                split,
                is_unloaded: unloaded.contains(&model.name),
                differences: differences
                    .map(|old| Arc::clone(&old.differences))
                    .unwrap_or_default(),
                aliases: model.aliases,
                name: model.name.clone(),
            };
            by_name.insert(model.name, Arc::new(named));
        }
        self.metrics.tell(info);
        for named in before.by_name.values() {
            let own = by_name.get(&named.name);
            let is_gone = |number: &u32| own.is_none_or(|own| !own.versions.contains_key(number));
            for (number, served) in named.versions.iter().filter(|(number, _)| is_gone(number)) {
                self.metrics.forget(&named.name, *number, &served.scorer.fields);
            }
        }
        self.models.store(Arc::new(Models { by_name }));
        Ok(())
    }

    fn load_version(&self, version: &Version, policy: &Policy) -> Result<Served, String> {
        let bytes = self.store.bytes_of(&version.digest).map_err(|error| error.to_string())?;
        let place = format!("{}/{}", version.name, version.version);
        let loaded = parse_model(Path::new(&place), &bytes).map_err(|error| error.to_string())?;
        let model = Arc::new(loaded.model);
        Served::new(
            &version.name,
            version.version,
            &version.digest,
            &version.run,
            model,
            policy.clone(),
            &self.metrics,
        )
        .map_err(|error| error.to_string())
    }

    /// Notes in the store when keys were used last.
    pub(super) fn touch_keys(&self) {
        let callers = self.callers.load();
        let used: Vec<(String, i64)> = callers
            .values()
            .map(|caller| (caller.id.clone(), caller.last_used_ms.swap(0, Ordering::Relaxed)))
            .filter(|(_, at_ms)| *at_ms > 0)
            .collect();
        if !used.is_empty()
            && let Err(error) = self.store.touch_keys(&used)
        {
            self.trouble(error.to_string());
        }
    }

    /// How the server is; whoever asks is taken to be looking for a while.
    pub(super) fn status(&self) -> Status {
        let now_ms = now_ms();
        self.watched_until_ms.store(now_ms + LOOKS_MS, Ordering::Relaxed);
        let models = self.models.load();
        let alerts = self.store.alerts(true).unwrap_or_default();
        let mut own: Vec<ModelStatus> = models
            .by_name
            .values()
            .map(|named| {
                let own = |alert: &&Alert| alert.model == named.name;
                self.model_status(named, &alerts.iter().filter(own).collect::<Vec<_>>())
            })
            .collect();
        own.sort_by(|a, b| a.name.cmp(&b.name));
        let (logged, dropped) = self.log.as_ref().map_or((0, 0), |log| {
            let counts = log.counts();
            (counts.written, counts.dropped + counts.failed)
        });
        let list = |list: &std::sync::Mutex<std::collections::VecDeque<String>>| {
            list.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
        };
        Status {
            karat: env!("CARGO_PKG_VERSION").into(),
            pid: std::process::id(),
            since_ms: self.since_ms,
            now_ms,
            url: self.url.clone(),
            needs_key: self.options.needs_key,
            memory: resident().unwrap_or(0),
            rates: self.pulse.rates(),
            in_flight: self.metrics.inflight.get(),
            shed: self.metrics.shed.get(),
            models: own,
            keys: self.key_status(now_ms),
            logged,
            dropped,
            live: self
                .live
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .iter()
                .take(100)
                .cloned()
                .collect(),
            troubles: list(&self.troubles),
        }
    }

    fn key_status(&self, now_ms: i64) -> Vec<KeyStatus> {
        let callers = self.callers.load();
        let keyring = self.keyring.load();
        let mut keys: Vec<_> = keyring.keys().collect();
        keys.sort_by(|a, b| a.created_ms.cmp(&b.created_ms).then_with(|| a.id.cmp(&b.id)));
        let status = |key: &&crate::registry::store::Key| {
            let caller = callers.get(&key.id);
            let used = caller.map_or(0, |caller| caller.last_used_ms.load(Ordering::Relaxed));
            let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.word()).collect();
            let expired = key.expires_ms.is_some_and(|at| at <= now_ms);
            KeyStatus {
                id: key.id.clone(),
                name: key.name.clone(),
                scopes: scopes.join(","),
                requests: caller.map_or(0, |caller| caller.requests.load(Ordering::Relaxed)),
                last_used_ms: if used > 0 { Some(used) } else { key.last_used_ms },
                refused: match (key.revoked_ms, expired) {
                    (Some(_), _) => Some("revoked".into()),
                    (None, true) => Some("expired".into()),
                    (None, false) => None,
                },
            }
        };
        keys.iter().map(status).collect()
    }

    fn model_status(&self, named: &Named, alerts: &[&Alert]) -> ModelStatus {
        let status = |served: &Arc<Served>| {
            let get = |n: &std::sync::atomic::AtomicU64| n.load(Ordering::Relaxed);
            let counts = &served.counts;
            let (requests, nanos) = (get(&counts.requests), get(&counts.nanos));
            let is_own = |(_, number): &(&String, &u32)| **number == served.version;
            let aliases = named.aliases.iter().filter(is_own).map(|(alias, _)| alias.clone());
            let (light, light_about) = self.light(served, alerts);
            VersionStatus {
                version: served.version,
                kind: served.model().kind.clone(),
                run: served.run.clone(),
                digest: served.digest.clone(),
                aliases: aliases.collect(),
                requests,
                rows: get(&counts.rows),
                failed: get(&counts.failed),
                mean_ms: (requests > 0).then(|| nanos as f64 / requests as f64 / 1e6),
                light,
                light_about,
                gathered: served.in_window.load(Ordering::Relaxed),
                window: match served.model().reference {
                    Some(_) => drift::rows_of_window(served),
                    None => 0,
                },
            }
        };
        let versions: Vec<VersionStatus> = named.versions.values().rev().map(status).collect();
        let rank = |own: &&VersionStatus| match own.light {
            Light::Alarm => 2,
            Light::Steady => 1,
            Light::Unknown => 0,
        };
        // Of equals the newest.
        let worst = versions.iter().rev().max_by_key(rank);
        let newest = named.versions.values().next_back();
        let shadow = named.aliases.get(SHADOW).map(|version| named.differences.status(*version));
        ModelStatus {
            name: named.name.clone(),
            target: newest.map_or(String::new(), |served| served.model().target.clone()),
            challenger: named.aliases.get(CHALLENGER).map(|_| named.split.challenger),
            shadow,
            light: worst.map_or(Light::Unknown, |own| own.light),
            light_about: worst.map_or(String::new(), |own| own.light_about.clone()),
            versions,
            example: newest
                .map_or(serde_json::Value::Null, |own| super::catalogue::example_row(own)),
            curl: newest.map_or(String::new(), |served| super::catalogue::curl(&self.url, served)),
        }
    }
}

impl Server {
    /// What drift says of a version: steady only where a window was measured.
    fn light(&self, served: &Served, alerts: &[&Alert]) -> (Light, String) {
        if let Some(alert) = alerts.iter().find(|alert| alert.version == served.version) {
            return (Light::Alarm, alert.sentence.clone());
        }
        if served.model().reference.is_none() {
            return (
                Light::Unknown,
                "the model keeps no reference to measure drift against".into(),
            );
        }
        // A watch that is in use is measuring.
        let is_measured = served.watch.try_lock().map_or(true, |watch| watch.is_some())
            || self
                .store
                .windows(&served.name, Some(served.version), 1)
                .is_ok_and(|windows| !windows.is_empty());
        if is_measured {
            (Light::Steady, "no alert stands".into())
        } else {
            (Light::Unknown, "no window was measured yet".into())
        }
    }
}

/// The versions of a name that are loaded: those with an alias, and the latest.
fn wanted(model: &NamedModel) -> Vec<&Version> {
    let in_service = || model.versions.iter().filter(|version| !version.retired);
    let n = in_service().count();
    let is_wanted =
        |(at, version): &(usize, &Version)| !version.aliases.is_empty() || at + LATEST >= n;
    in_service().enumerate().filter(is_wanted).map(|(_, version)| version).collect()
}
