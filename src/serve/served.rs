//! A version of a model, ready to answer.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use serde::{Deserialize, Serialize};

use super::ahead::Pace;
use super::metrics::{Metrics, OfFeature, OfModel};
use super::window::Window;
use crate::explain::{Adverse, Background, Reasoner};
use crate::models::{MissingPolicy, Model, NeedsWindow, Predictor, RowScorer};
use crate::monitor::Watch;
use crate::registry::store::log::{ColumnPolicy, Columns};
use crate::registry::store::now_ms;

/// An explanation that takes long is taken to last so long, until one was made.
const EXPLANATION: std::time::Duration = std::time::Duration::from_millis(50);

/// How a model is to be served, as its operator has set it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// What becomes of missing values.
    pub missing: MissingPolicy,
    /// Which class goes against the person.
    pub adverse: Adverse,
    /// With whom a person is compared for reasons.
    pub background: Background,
    /// Rows of a window, over which drift is measured.
    pub window: Option<usize>,
    /// What of some columns goes into the prediction log; protected ones are hashed and all others
    /// kept where nothing else is said.
    pub log: BTreeMap<String, ColumnPolicy>,
}

impl Policy {
    /// What of a column goes into the log.
    fn log_of(&self, model: &Model, column: &str) -> ColumnPolicy {
        let is_protected = model.protected.iter().any(|name| name == column);
        let usual = if is_protected { ColumnPolicy::Hash } else { ColumnPolicy::Keep };
        self.log.get(column).copied().unwrap_or(usual)
    }
}

/// Counts since the version was loaded, as statistics tell them.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) requests: AtomicU64,
    pub(super) rows: AtomicU64,
    pub(super) failed: AtomicU64,
    /// Nanoseconds over all requests that were answered, and over those that failed.
    pub(super) nanos: AtomicU64,
    pub(super) failed_nanos: AtomicU64,
    /// Milliseconds since 1970.
    pub(super) last_ms: AtomicU64,
}

/// A version with everything that an answer needs.
pub(super) struct Served {
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) digest: String,
    /// The run it came from.
    pub(super) run: String,
    pub(super) scorer: RowScorer,
    /// Fields by name.
    pub(super) places: HashMap<String, usize>,
    pub(super) reasoner: Option<Reasoner>,
    pub(super) policy: Policy,
    /// The name again, and the columns, as the log takes them.
    pub(super) label: Arc<str>,
    /// The classes, as the log takes them.
    pub(super) words: Vec<Arc<str>>,
    pub(super) columns: Arc<Columns>,
    /// They outlive a change of the settings.
    pub(super) counts: Arc<Counts>,
    /// How long a row takes, where rows are gathered.
    pub(super) pace: Arc<Pace>,
    /// How long it takes to explain a row, where that takes long.
    pub(super) explaining: Arc<Pace>,
    /// Labels that arrived since then, in milliseconds since 1970, were not measured yet.
    pub(super) labels_from_ms: AtomicI64,
    /// What drift is measured on.
    pub(super) window: Mutex<Window>,
    /// Rows that it has counted.
    pub(super) in_window: AtomicU64,
    /// What compares windows with the reference, once there was one.
    pub(super) watch: Mutex<Option<Watch>>,
    pub(super) rows: Counter,
    pub(super) duration: Histogram,
    pub(super) values: Histogram,
    pub(super) missing: Vec<Counter>,
    pub(super) unseen: Vec<Counter>,
}

impl Served {
    /// Makes a version ready.
    pub(super) fn new(
        name: &str,
        version: u32,
        digest: &str,
        run: &str,
        model: Arc<Model>,
        policy: Policy,
        metrics: &Metrics,
    ) -> Result<Self, NeedsWindow> {
        let scorer = RowScorer::new(model)?;
        let label = OfModel { model: name.to_owned(), version };
        let of_feature =
            |field: &str| OfFeature { model: name.to_owned(), version, feature: field.to_owned() };
        let fields = || scorer.fields.iter();
        let counters = |family: &prometheus_client::metrics::family::Family<OfFeature, Counter>| {
            fields().map(|f| family.get_or_create(&of_feature(&f.name)).clone()).collect()
        };
        Ok(Self {
            places: fields().enumerate().map(|(at, f)| (f.name.clone(), at)).collect(),
            reasoner: Reasoner::new(&scorer.model, policy.adverse, scorer.model.threshold),
            window: Mutex::new(Window::new(&scorer)),
            in_window: AtomicU64::new(0),
            watch: Mutex::new(None),
            labels_from_ms: AtomicI64::new(now_ms()),
            rows: metrics.rows.get_or_create(&label).clone(),
            duration: metrics.duration.get_or_create(&label).clone(),
            values: metrics.values.get_or_create(&label).clone(),
            missing: counters(&metrics.missing),
            unseen: counters(&metrics.unseen),
            name: name.to_owned(),
            version,
            digest: digest.to_owned(),
            run: run.to_owned(),
            label: name.into(),
            words: scorer.model.classes.iter().map(|class| class.as_str().into()).collect(),
            columns: Arc::new(Columns {
                names: fields().map(|f| f.name.clone()).collect(),
                policies: fields().map(|f| policy.log_of(&scorer.model, &f.name)).collect(),
            }),
            policy,
            counts: Arc::default(),
            pace: Arc::default(),
            explaining: Arc::new(Pace::guessed(EXPLANATION)),
            scorer,
        })
    }

    pub(super) fn model(&self) -> &Arc<Model> {
        &self.scorer.model
    }

    /// Whether rows are gathered for it and scored on a thread of their own.
    pub(super) fn is_gathered(&self) -> bool {
        matches!(self.model().predictor, Predictor::Network(_) | Predictor::Foreign(_))
    }

    /// Whether every field holds numbers, so that a plain matrix will do as input.
    pub(super) fn takes_matrix(&self) -> bool {
        use crate::models::FieldKind;
        self.scorer.fields.iter().all(|f| matches!(f.kind, FieldKind::Number | FieldKind::Truth))
    }

    /// Takes in how an answer went.
    pub(super) fn count(&self, is_good: bool, n_rows: u64, nanos: u64, now_ms: u64) {
        let counts = &self.counts;
        let add = |to: &AtomicU64, n| to.fetch_add(n, Ordering::Relaxed);
        if is_good {
            add(&counts.requests, 1);
            add(&counts.rows, n_rows);
            add(&counts.nanos, nanos);
            self.rows.inc_by(n_rows);
        } else {
            add(&counts.failed, 1);
            add(&counts.failed_nanos, nanos);
        }
        self.duration.observe(nanos as f64 * 1e-9);
        counts.last_ms.store(now_ms, Ordering::Relaxed);
    }
}
