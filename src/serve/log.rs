//! What goes into the prediction log, and into which form.

use std::sync::Arc;

use super::score::Asked;
use super::scoring::{Taken, decision};
use super::served::Served;
use super::server::Server;
use crate::features::Given;
use crate::registry::predictions::{LoggedValue, Prediction};

/// Rows of one request that are logged; the others are counted as dropped.
const MOST: usize = 100;

/// Hands the rows of an answer to the log.
pub(super) fn offer(server: &Server, asked: &Asked, taken: &Taken) {
    let Some(log) = &server.log else { return };
    let served: &Served = &asked.found.served;
    let mut given = Vec::with_capacity(served.scorer.fields.len());
    let n = taken.n_rows.min(MOST);
    if n < taken.n_rows {
        log.drop_rows((taken.n_rows - n) as u64);
    }
    for row in 0..n {
        given.clear();
        asked.rows.put(row, &mut given);
        let score = taken.score_of(row);
        log.offer(Prediction {
            id: asked.ids.of(row),
            at_ms: server.now_ms(),
            model: Arc::clone(&served.label),
            version: served.version,
            key: asked.key.clone(),
            subject: asked.subject.clone(),
            score,
            decision: decision(served, score).unwrap_or_default().to_owned(),
            columns: Arc::clone(&served.columns),
            inputs: given.iter().map(logged).collect(),
        });
    }
}

fn logged(given: &Given<'_>) -> LoggedValue {
    match given {
        Given::Missing => LoggedValue::Missing,
        Given::Number(number) => LoggedValue::Number(*number),
        Given::Truth(truth) => LoggedValue::Truth(*truth),
        Given::Text(text) => LoggedValue::Text((*text).into()),
    }
}
