//! How the server is: what a screen that attaches to it is told.

use serde::{Deserialize, Serialize};

use super::pulse::Rates;

/// A running server at a glance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The version of the program.
    pub karat: String,
    /// Its process.
    pub pid: u32,
    /// When it was started, in milliseconds since 1970.
    pub since_ms: i64,
    /// Now, by its clock.
    pub now_ms: i64,
    /// Where it listens, such as `http://127.0.0.1:8080`.
    pub url: String,
    /// Whether a key is asked for.
    pub needs_key: bool,
    /// Its memory, in bytes.
    pub memory: i64,
    /// Requests, errors and times of the last minutes.
    pub rates: Rates,
    /// Requests that are being answered.
    pub in_flight: i64,
    /// Requests refused because of load, since the start.
    pub shed: u64,
    /// The served models by name.
    pub models: Vec<ModelStatus>,
    /// The keys.
    pub keys: Vec<KeyStatus>,
    /// Predictions logged, and not logged, since the start.
    pub logged: u64,
    /// See [`Status::logged`].
    pub dropped: u64,
    /// The latest answers, newest first.
    pub live: Vec<Line>,
    /// What could not be done, newest first: models that did not load, windows that failed.
    pub troubles: Vec<String>,
}

/// A served name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelStatus {
    /// The name.
    pub name: String,
    /// The column it predicts.
    pub target: String,
    /// Its loaded versions, newest first.
    pub versions: Vec<VersionStatus>,
    /// The share of requests that the challenger answers, where there is one.
    pub challenger: Option<f64>,
    /// What the shadow would have answered.
    pub shadow: Option<ShadowStatus>,
    /// What drift says of any of its versions, the worst first.
    pub light: Light,
    /// In a sentence.
    pub light_about: String,
    /// A request to copy, with the right body.
    pub curl: String,
    /// A row that it takes.
    pub example: serde_json::Value,
}

/// A loaded version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VersionStatus {
    /// Its number.
    pub version: u32,
    /// The kind of model.
    pub kind: String,
    /// The run it came from.
    pub run: String,
    /// The digest of its file.
    pub digest: String,
    /// The aliases that point to it.
    pub aliases: Vec<String>,
    /// Requests answered since it was loaded.
    pub requests: u64,
    /// Rows scored.
    pub rows: u64,
    /// Requests refused or failed.
    pub failed: u64,
    /// The mean time of an answer, in milliseconds.
    pub mean_ms: Option<f64>,
    /// What drift says of it.
    #[serde(default)]
    pub light: Light,
    /// In a sentence.
    #[serde(default)]
    pub light_about: String,
    /// Rows gathered for the window that drift looks at next.
    #[serde(default)]
    pub gathered: u64,
    /// Rows that it takes; 0 where drift is not measured.
    #[serde(default)]
    pub window: u64,
}

/// How the shadow differs from what was answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ShadowStatus {
    /// Its version.
    pub version: u32,
    /// Rows that both scored.
    pub rows: u64,
    /// The mean of the absolute differences of scores.
    pub mean_difference: f64,
    /// The largest.
    pub most_difference: f64,
    /// Rows that it would have decided otherwise.
    pub other_decisions: u64,
    /// Rows that it did not score: networks and imported models score no row of others, and a row
    /// may lack what the shadow asks for.
    #[serde(default)]
    pub passed_over: u64,
}

/// A key without its secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyStatus {
    /// Its public id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub scopes: String,
    /// Requests it made since the start.
    pub requests: u64,
    /// When it was used last, in milliseconds since 1970.
    pub last_used_ms: Option<i64>,
    /// Why it is refused, if it is: revoked or expired.
    pub refused: Option<String>,
}

/// One answer of the live log. Nothing personal stands in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// The status of the answer.
    pub status: u16,
    /// The method and the path as the document has it; of a path that leads nowhere only the words
    /// that stand in the document.
    #[serde(default)]
    pub asked: String,
    /// The model and its version, where one was found.
    pub model: String,
    /// The public id of the key.
    pub key: String,
    /// Rows of the request.
    pub rows: u64,
    /// The score of the first row.
    pub score: Option<f64>,
    /// What it was called.
    pub decision: String,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// Why it was refused.
    pub refusal: String,
}

/// What drift says of a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// No window was measured yet, or the model keeps no reference.
    #[default]
    Unknown,
    /// As in training.
    Steady,
    /// An alert stands.
    Alarm,
}
