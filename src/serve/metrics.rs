//! What Prometheus is told: counters and true histograms, by model and version.

use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use crate::metrics::METRICS;
use crate::models::Field;
use crate::monitor::METHODS;

/// A gauge of a number that is no integer.
pub(super) type Level = Gauge<f64, AtomicU64>;

/// A model's version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfModel {
    pub(super) model: String,
    pub(super) version: u32,
}

/// A model's version and the status of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfAnswer {
    pub(super) model: String,
    pub(super) version: u32,
    pub(super) code: u16,
}

/// A column of a model.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfFeature {
    pub(super) model: String,
    pub(super) version: u32,
    pub(super) feature: String,
}

/// A measure of the drift of a column.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfDrift {
    pub(super) model: String,
    pub(super) version: u32,
    pub(super) feature: String,
    pub(super) method: String,
}

/// A measure of how good a model is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfPerformance {
    pub(super) model: String,
    pub(super) version: u32,
    pub(super) metric: String,
}

/// Which version stands behind an alias.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Info {
    pub(super) model: String,
    pub(super) version: u32,
    pub(super) alias: String,
    pub(super) digest: String,
}

/// Why a key was refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Why {
    pub(super) reason: &'static str,
}

/// Everything that is measured.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    /// What `info` tells at this moment.
    told: Mutex<Vec<Info>>,
    pub(super) requests: Family<OfAnswer, Counter>,
    pub(super) rows: Family<OfModel, Counter>,
    pub(super) duration: Family<OfModel, Histogram>,
    pub(super) queued: Histogram,
    pub(super) inflight: Gauge,
    pub(super) values: Family<OfModel, Histogram>,
    pub(super) missing: Family<OfFeature, Counter>,
    pub(super) unseen: Family<OfFeature, Counter>,
    pub(super) drift: Family<OfDrift, Level>,
    pub(super) estimated: Family<OfPerformance, Level>,
    pub(super) realised: Family<OfPerformance, Level>,
    pub(super) log_written: Counter,
    pub(super) log_dropped: Family<Why, Counter>,
    pub(super) auth_failures: Family<Why, Counter>,
    pub(super) shed: Counter,
    pub(super) info: Family<Info, Gauge>,
    pub(super) memory: Gauge,
}

/// The statuses of answers of a model.
const CODES: [u16; 10] = [200, 400, 401, 403, 404, 413, 415, 422, 429, 503];
/// Bounds of durations, in seconds.
const DURATIONS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];
/// Bounds of scores: those of probabilities, a tenth each.
const VALUES: [f64; 11] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

impl Metrics {
    pub(super) fn new() -> Self {
        let durations: fn() -> Histogram = || Histogram::new(DURATIONS);
        let values: fn() -> Histogram = || Histogram::new(VALUES);
        let mut metrics = Self {
            registry: Registry::with_prefix("karat"),
            told: Mutex::default(),
            requests: Family::default(),
            rows: Family::default(),
            duration: Family::new_with_constructor(durations),
            queued: Histogram::new(DURATIONS),
            inflight: Gauge::default(),
            values: Family::new_with_constructor(values),
            missing: Family::default(),
            unseen: Family::default(),
            drift: Family::default(),
            estimated: Family::default(),
            realised: Family::default(),
            log_written: Counter::default(),
            log_dropped: Family::default(),
            auth_failures: Family::default(),
            shed: Counter::default(),
            info: Family::default(),
            memory: Gauge::default(),
        };
        let r = &mut metrics.registry;
        r.register("inference_requests", "Answers by status code", metrics.requests.clone());
        r.register("inference_rows", "Rows scored", metrics.rows.clone());
        let about = "Time from the whole request to the whole answer";
        r.register("inference_duration_seconds", about, metrics.duration.clone());
        let about = "Time that rows waited for a network";
        r.register("queue_duration_seconds", about, metrics.queued.clone());
        r.register("inflight_requests", "Requests being answered", metrics.inflight.clone());
        r.register("prediction_value", "Scores", metrics.values.clone());
        r.register("feature_missing", "Missing values by column", metrics.missing.clone());
        r.register("feature_unseen", "Levels that training never saw", metrics.unseen.clone());
        r.register("drift_score", "Drift of the latest window", metrics.drift.clone());
        let about = "Performance of the latest window, estimated without labels";
        r.register("estimated_performance", about, metrics.estimated.clone());
        let about = "Performance by the labels that have arrived";
        r.register("realized_performance", about, metrics.realised.clone());
        r.register("log_written", "Predictions logged", metrics.log_written.clone());
        r.register("log_dropped", "Predictions not logged", metrics.log_dropped.clone());
        r.register("auth_failures", "Refused keys", metrics.auth_failures.clone());
        r.register("shed_requests", "Requests refused because of load", metrics.shed.clone());
        r.register("model_info", "Served versions and their aliases", metrics.info.clone());
        r.register("resident_memory_bytes", "Memory of the process", metrics.memory.clone());
        metrics
    }

    /// Tells which versions stand behind which alias.
    pub(super) fn tell(&self, all: Vec<Info>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for gone in told.iter().filter(|own| !all.contains(own)) {
            self.info.remove(gone);
        }
        for own in &all {
            self.info.get_or_create(own).set(1);
        }
        *told = all;
    }

    /// Forgets a version that is not served any more, so that nothing stands still for ever.
    pub(super) fn forget(&self, model: &str, version: u32, features: &[Field]) {
        let of = OfModel { model: model.to_owned(), version };
        self.rows.remove(&of);
        self.duration.remove(&of);
        self.values.remove(&of);
        for code in CODES {
            self.requests.remove(&OfAnswer { model: model.to_owned(), version, code });
        }
        let scores = std::iter::once("score");
        for name in features.iter().map(|field| field.name.as_str()).chain(scores) {
            let feature = name.to_owned();
            let of = OfFeature { model: model.to_owned(), version, feature };
            self.missing.remove(&of);
            self.unseen.remove(&of);
            for method in METHODS {
                let OfFeature { model, version, feature } = of.clone();
                let method = method.name.to_owned();
                self.drift.remove(&OfDrift { model, version, feature, method });
            }
        }
        for metric in METRICS {
            let metric = metric.name.to_owned();
            let of = OfPerformance { model: model.to_owned(), version, metric };
            self.estimated.remove(&of);
            self.realised.remove(&of);
        }
    }

    /// Raises the counters of the log to what it has counted; asked twice at once, it raises them
    /// once.
    pub(super) fn raise_log(&self, written: u64, dropped: u64, failed: u64) {
        let _one = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let raise = |counter: &Counter, to: u64| {
            counter.inc_by(to.saturating_sub(counter.get()));
        };
        raise(&self.log_written, written);
        for (reason, n) in [("queue", dropped), ("disk", failed)] {
            raise(&self.log_dropped.get_or_create(&Why { reason }), n);
        }
    }

    /// Everything in the text format of `OpenMetrics`.
    pub(super) fn text(&self) -> String {
        self.memory.set(resident().unwrap_or(0));
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Memory of this process in bytes.
pub(super) fn resident() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: i64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}
