//! Predictions as karat's own form tells them, written straight into the answer.

use std::io::Write as _;

use serde::Serialize;

use super::protocol::Refusal;
use super::scoring::{self, Rows, Taken, Wanted, decision};
use super::served::Served;
use crate::data::Task;
use crate::explain::Reasons;

/// The body of an answer: the predictions of all rows, with their ids.
pub(super) struct Body<'a> {
    pub(super) served: &'a Served,
    /// The alias that led to the version.
    pub(super) alias: Option<&'a str>,
    /// What the caller calls the request; it needs no escapes.
    pub(super) request_id: Option<&'a str>,
    /// Names of fields that the model does not look at, so that a typo does not stay hidden.
    pub(super) ignored: &'a [String],
    pub(super) ids: &'a Ids,
    pub(super) rows: &'a dyn Rows,
    pub(super) wanted: Wanted,
}

impl Body<'_> {
    /// Writes it.
    pub(super) fn write(&self, taken: &Taken) -> Result<Vec<u8>, Refusal> {
        let Self { served, alias, request_id, ignored, ids, rows, wanted } = *self;
        let mut out = Vec::with_capacity(128 + 160 * taken.n_rows);
        out.extend_from_slice(b"{\"model\":");
        put(&mut out, &served.name);
        let _ = write!(out, ",\"version\":{}", served.version);
        if let Some(alias) = alias {
            out.extend_from_slice(b",\"alias\":");
            put(&mut out, alias);
        }
        if let (Task::Binary, [_, positive]) =
            (served.model().task, served.model().classes.as_slice())
        {
            out.extend_from_slice(b",\"probability_of\":");
            put(&mut out, positive);
        }
        if let Some(id) = request_id {
            let _ = write!(out, ",\"request_id\":\"{id}\"");
        }
        if !ignored.is_empty() {
            out.extend_from_slice(b",\"ignored_fields\":");
            put(&mut out, ignored);
        }
        out.extend_from_slice(b",\"predictions\":[");
        let mut warnings = taken.warnings.iter().peekable();
        let mut given = Vec::new();
        for row in 0..taken.n_rows {
            if row > 0 {
                out.push(b',');
            }
            out.extend_from_slice(b"{\"id\":\"");
            ids.write(row, &mut out);
            out.push(b'"');
            prediction(served, taken, row, &mut out);
            if warnings.peek().is_some_and(|(of, _)| *of == row) {
                let mut own = Vec::new();
                while let Some((_, text)) = warnings.next_if(|(of, _)| *of == row) {
                    own.push(text);
                }
                out.extend_from_slice(b",\"warnings\":");
                put(&mut out, &own);
            }
            if wanted.reasons {
                told_reasons(&scoring::reasons(served, taken, row, wanted)?, served, &mut out);
            }
            if wanted.attributions {
                given.clear();
                rows.put(row, &mut given);
                let told = scoring::attributions(served, taken, row, &given, None)?;
                out.extend_from_slice(b",\"explanation\":");
                put(&mut out, &explanation(&told));
            }
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
        Ok(out)
    }
}

/// The ids of the predictions of one request.
pub(super) struct Ids {
    /// That of the request; of several rows each has its number behind a colon.
    pub(super) base: String,
    pub(super) n_rows: usize,
}

impl Ids {
    /// The id of a row's prediction.
    pub(super) fn of(&self, row: usize) -> String {
        if self.n_rows == 1 { self.base.clone() } else { format!("{}:{row}", self.base) }
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) {
        // The base was checked: it needs no escapes.
        out.extend_from_slice(self.base.as_bytes());
        if self.n_rows > 1 {
            let _ = write!(out, ":{row}");
        }
    }
}

/// Writes a value; all types that are written here have a place in JSON.
fn put(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    let _ = serde_json::to_writer(out, value);
}

/// The keys of a prediction after its id, each with a comma before it.
fn prediction(served: &Served, taken: &Taken, row: usize, out: &mut Vec<u8>) {
    let outputs = taken.outputs_of(row);
    let score = taken.score_of(row);
    let raw = taken.raw[row];
    match served.model().task {
        Task::Regression => {
            out.extend_from_slice(b",\"prediction\":");
            put(out, &score);
        }
        Task::Binary => {
            out.extend_from_slice(b",\"score\":");
            put(out, &if raw.is_nan() { score } else { raw });
            out.extend_from_slice(b",\"probability\":");
            put(out, &score);
            out.extend_from_slice(b",\"decision\":");
            put(out, decision(served, score).unwrap_or_default());
        }
        Task::Multiclass => {
            out.extend_from_slice(b",\"decision\":");
            put(out, decision(served, score).unwrap_or_default());
            out.extend_from_slice(b",\"probabilities\":{");
            for (at, (class, probability)) in served.model().classes.iter().zip(outputs).enumerate()
            {
                if at > 0 {
                    out.push(b',');
                }
                put(out, class);
                out.push(b':');
                put(out, probability);
            }
            out.push(b'}');
        }
    }
}

fn told_reasons(told: &Reasons, served: &Served, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"reasons\":");
    put(out, &told.reasons);
    out.extend_from_slice(b",\"reason_method\":");
    put(out, told.background.sentence());
    if told.withheld {
        out.extend_from_slice(b",\"protected_attribute_withheld\":true");
    }
    let n = served.reasoner.as_ref().map_or(0, |reasoner| reasoner.n_behind(told.background));
    let _ = write!(out, ",\"reason_rows\":{n}");
}

/// An explanation as JSON, the same that `karat explain --json` gives.
pub(super) fn explanation(told: &crate::explain::Explanation) -> serde_json::Value {
    let attributions: Vec<serde_json::Value> = told
        .attributions
        .iter()
        .map(|own| {
            serde_json::json!({
                "feature": own.feature,
                "value": match own.number {
                    Some(number) => serde_json::json!(number),
                    None => serde_json::json!(own.text),
                },
                "contribution": own.contribution,
            })
        })
        .collect();
    serde_json::json!({
        "method": told.method.name,
        "space": told.space.word(),
        "class": told.class,
        "base": told.base,
        "score": told.score,
        "remainder": told.remainder,
        "attributions": attributions,
    })
}
