//! A window of what was served, as the monitor has kept it.
//!
//! Fields that are not there stay empty, so that windows of an older program can still be looked
//! at.

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
    #[serde(rename = "n")]
    pub rows: u64,
    /// Rows whose truth has become known.
    #[serde(rename = "n_outcomes")]
    pub labelled: u64,
    /// The columns that the model asks for.
    pub columns: Vec<Seen>,
    /// The score.
    pub score: Option<Seen>,
    /// How well it did, where labels have arrived.
    pub realised: Vec<Fared>,
    /// How well it probably did, without labels.
    pub estimated: Vec<Fared>,
    /// What such an estimate cannot know.
    pub estimate_limits: Option<String>,
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
    #[serde(rename = "psi_null")]
    pub null: Option<f64>,
    /// The method that was chosen for the column, what it measured, and what it should not pass.
    pub method: String,
    /// See [`Seen::method`].
    pub value: Option<f64>,
    /// See [`Seen::method`].
    pub threshold: Option<f64>,
    /// The smallest p-value of all tests of the column, corrected for those of all columns.
    pub p: Option<f64>,
    /// The share of rows without a value.
    pub missing: Rate,
    /// The share of rows with a level that training never saw.
    pub unseen: Rate,
    /// The share of rows below everything in training.
    pub below: Rate,
    /// The share above.
    pub above: Rate,
    /// Jensen-Shannon distance.
    pub js: Option<f64>,
    /// Hellinger distance.
    pub hellinger: Option<f64>,
    /// Total variation distance.
    pub total_variation: Option<f64>,
    /// Largest change of one share.
    pub l_infinity: Option<f64>,
    /// Wasserstein distance in standard deviations.
    pub wasserstein: Option<f64>,
    /// Kolmogorov's and Smirnov's distance, and its p-value.
    pub ks: Option<f64>,
    /// See [`Seen::ks`].
    pub ks_p: Option<f64>,
    /// P-value of the homogeneity of both sides.
    pub chi2_p: Option<f64>,
    /// How far the mean score moved because of this column.
    pub points: Option<f64>,
    /// What each bin holds, where the window keeps it.
    pub bin_names: Vec<String>,
    /// The share of each bin in training.
    pub expected: Vec<f64>,
    /// The share of each bin in the window.
    pub actual: Vec<f64>,
    /// Whether an alert stands.
    pub alarm: bool,
}

/// A share in training and in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(from = "Option<Shares>")]
pub struct Rate {
    /// In training.
    pub before: f64,
    /// In the window.
    pub now: f64,
}

#[derive(Deserialize)]
struct Shares {
    reference: f64,
    window: f64,
}

impl From<Option<Shares>> for Rate {
    fn from(shares: Option<Shares>) -> Self {
        shares.map_or(Self::default(), |s| Self { before: s.reference, now: s.window })
    }
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

    /// Every further measure that there is, with what it measures.
    pub fn measures(&self) -> Vec<(&'static str, f64, &'static str)> {
        let all = [
            (
                "Jensen-Shannon",
                self.js,
                "distance over the bins, to base 2: 0 the same, 1 nothing in common",
            ),
            (
                "Hellinger",
                self.hellinger,
                "distance over the bins: 0 the same, 1 nothing in common",
            ),
            ("total variation", self.total_variation, "the share of rows that would have to move"),
            ("largest change", self.l_infinity, "the largest change of the share of one bin"),
            (
                "Wasserstein",
                self.wasserstein,
                "how far values moved on average, in standard deviations of training",
            ),
            ("KS", self.ks, "the largest gap between both distribution functions"),
            ("KS p", self.ks_p, "the probability of such a gap when nothing has changed"),
            (
                "chi-squared p",
                self.chi2_p,
                "the probability of such counts when nothing has changed",
            ),
            ("points", self.points, "by how much the mean score moved because of this column"),
        ];
        all.into_iter().filter_map(|(name, value, about)| Some((name, value?, about))).collect()
    }
}

/// How well a model did by one metric.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Fared {
    /// The metric.
    pub metric: String,
    /// Its value.
    pub value: Option<f64>,
    /// The value over the reference when it was trained.
    pub reference: Option<f64>,
    /// Where it stays so long as nothing changes.
    pub limits: Option<Limits>,
    /// What sampling alone explains.
    pub band: Option<(f64, f64)>,
    /// Whether it is worse than the limits allow.
    pub alarm: bool,
}

/// Where a number stays so long as nothing changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Fared {
    /// How it is estimated without labels.
    pub fn estimator(&self) -> &'static str {
        match self.metric.as_str() {
            "mae" | "rmse" | "mse" | "r2" => "DLE",
            _ => "CBPE",
        }
    }
}

/// Reads a window; one that cannot be read is an empty one at its time.
pub(super) fn read(report: Value, to_ms: i64) -> Window {
    let mut window: Window = serde_json::from_value(report).unwrap_or_default();
    window.to_ms = to_ms;
    window
}
