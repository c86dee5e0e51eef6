//! A window of what was served, as the screen draws it.
//!
//! Read from what the monitor has kept; fields that are not there stay empty, so that windows of
//! an older program can still be looked at.

use serde::Deserialize;
use serde_json::Value;

/// What was seen of a version in a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Window {
    /// From when, in milliseconds since 1970.
    pub from_ms: i64,
    /// Until when.
    pub to_ms: i64,
    /// Rows scored.
    pub rows: u64,
    /// The columns that the model asks for.
    pub columns: Vec<Seen>,
    /// The score.
    pub score: Option<Seen>,
    /// How well it did, where labels have arrived.
    pub realised: Vec<Fared>,
    /// How well it probably did, without labels.
    pub estimated: Vec<Fared>,
}

/// What was seen of a column, or of the score.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// The population stability index against training.
    pub psi: Option<f64>,
    /// Below this lies the index in 95 of 100 windows of this size in which nothing has changed.
    pub null: Option<f64>,
    /// From here on an alert is raised.
    pub threshold: Option<f64>,
    /// The share of rows without a value, and the same in training.
    pub missing: f64,
    /// See [`Seen::missing`].
    pub missing_before: f64,
    /// The share of rows with a level that training never saw.
    pub unseen: f64,
    /// The share of rows below everything in training.
    pub below: f64,
    /// The share above.
    pub above: f64,
    /// Further measures that fit the column.
    pub measures: Vec<Measure>,
    /// What each bin holds.
    pub bins: Vec<String>,
    /// The share of each bin in training.
    pub expected: Vec<f64>,
    /// The share of each bin in the window.
    pub actual: Vec<f64>,
    /// Whether an alert stands.
    pub alarm: bool,
}

impl Seen {
    /// How much it drifted, beside what chance alone does: above 1 it is more than that.
    pub fn strength(&self) -> f64 {
        match (self.psi, self.null) {
            (Some(psi), Some(null)) if null > 0.0 => psi / null,
            (Some(psi), _) => psi,
            (None, _) => -1.0,
        }
    }

    /// Whether it lies above what chance alone does.
    pub fn is_above(&self) -> bool {
        self.psi.zip(self.null).is_some_and(|(psi, null)| psi > null)
    }
}

/// One measure of drift.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Measure {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Option<f64>,
    /// The same under no change, in 95 of 100 windows below.
    pub null: Option<f64>,
    /// What it measures, in a sentence.
    pub about: String,
}

/// How well a model did by one metric.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Fared {
    /// The metric.
    pub metric: String,
    /// Its value.
    pub value: Option<f64>,
    /// Its interval.
    pub low: Option<f64>,
    /// See [`Fared::low`].
    pub high: Option<f64>,
    /// The value on the test rows when it was trained.
    pub before: Option<f64>,
    /// Rows behind it.
    pub n: u64,
    /// How it was found: `labels`, `CBPE`, `DLE`.
    pub method: String,
}

/// Reads a window; one that cannot be read is an empty one at its time.
pub fn read(report: &Value, to_ms: i64) -> Window {
    let mut window: Window = serde_json::from_value(report.clone()).unwrap_or_default();
    window.to_ms = to_ms;
    window
}

/// What is measured of drift, and what its number means.
pub const MEASURES: &[(&str, &str)] = &[
    (
        "PSI",
        "sum over bins of (share here − share in training) × ln of their ratio; bins are those of \
         training, what was never seen has one of its own. 0 means the same",
    ),
    (
        "chance",
        "the 95 % point of the PSI of a window of this size when nothing has changed: \
         (1/N + 1/M) × chi-squared with bins − 1 degrees of freedom (Yurdakul and Naranjo, 2020). \
         A PSI below it says nothing, however large it looks",
    ),
    ("missing", "the share of rows without a value, beside the share in training"),
    ("unseen", "the share of rows with a level that training never saw"),
    ("outside", "the share of rows below or above every value in training"),
];

/// What the two ways of judging without labels assume.
pub const LIMITS: &[(&str, &str)] = &[
    (
        "realised",
        "computed from labels that have arrived. Those that arrive early may differ from those \
         that arrive late, and labels often exist only for what was approved",
    ),
    (
        "CBPE",
        "confidence-based estimation: trusts the calibrated probabilities. It sees what changes \
         with the inputs, and is blind to a changed relation of inputs and target",
    ),
    (
        "DLE",
        "direct loss estimation: a model of the loss, learned where labels were known. It is blind \
         to a changed relation of inputs and target, too, and guesses outside of what it saw",
    ),
];
