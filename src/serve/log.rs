//! What goes into the prediction log, and into which form.

use std::sync::Arc;
use std::time::Duration;

use super::score::Asked;
use super::scoring::{Taken, decision};
use super::served::Served;
use super::server::Server;
use crate::features::Given;
use crate::registry::store::log::{LoggedValue, Prediction};
use crate::registry::store::now_ms;

/// Rows of one request that are logged; the others are counted as dropped.
const MOST: usize = 1_000;
/// A request waits for the log as it is while it holds no more bytes than this,
const LIGHT: usize = 4 << 10;
/// and this for each row that is logged; of others only the rows wait.
const OF_ROW: usize = 512;

/// Hands the rows of an answer to the log; the request had a body of so many bytes.
pub(super) fn offer(server: &Server, asked: Asked, taken: Taken, n_bytes: usize, took: Duration) {
    let Some(log) = &server.log else { return };
    // What would not fit is not even written out.
    let n = taken.n_rows.min(MOST).min(log.room());
    if n < taken.n_rows {
        log.drop_rows((taken.n_rows - n) as u64);
    }
    if n == 0 {
        return;
    }
    let at_ms = now_ms();
    let is_light = n_bytes <= LIGHT + n * OF_ROW;
    let make = move |batch: &mut Vec<Prediction>| write(&asked, &taken, n, (at_ms, took), batch);
    if is_light {
        log.offer(n, make);
    } else {
        let mut made = Vec::with_capacity(n);
        make(&mut made);
        log.offer(n, move |batch| batch.append(&mut made));
    }
}

/// The first rows of an answer, as the log takes them.
fn write(
    asked: &Asked,
    taken: &Taken,
    n: usize,
    (at_ms, took): (i64, Duration),
    batch: &mut Vec<Prediction>,
) {
    let served: &Served = &asked.found.served;
    let key: Arc<str> = asked.key.as_str().into();
    let alias: Option<Arc<str>> = asked.found.alias.as_deref().map(Into::into);
    let mut given = Vec::with_capacity(served.scorer.fields.len());
    for row in 0..n {
        given.clear();
        asked.rows.put(row, &mut given);
        let score = taken.score_of(row);
        batch.push(Prediction {
            id: asked.ids.of(row),
            at_ms,
            model: Arc::clone(&served.label),
            version: served.version,
            alias: alias.clone(),
            key: Arc::clone(&key),
            subject: asked.rows.subject(row).map(str::to_owned).or_else(|| asked.subject.clone()),
            score,
            shadow_of: None,
            micros: took.as_micros() as u32,
            decision: word(served, score),
            columns: Arc::clone(&served.columns),
            inputs: given.iter().map(logged).collect(),
        });
    }
}

/// What a score is called, as the log takes it.
fn word(served: &Served, score: f64) -> Arc<str> {
    let named = decision(served, score);
    let known = |name: &str| served.words.iter().find(|word| &***word == name).cloned();
    named.and_then(known).unwrap_or_else(|| "".into())
}

fn logged(given: &Given<'_>) -> LoggedValue {
    match given {
        Given::Missing => LoggedValue::Missing,
        Given::Number(number) => LoggedValue::Number(*number),
        Given::Truth(truth) => LoggedValue::Truth(*truth),
        Given::Text(text) | Given::Written(text) => LoggedValue::Text((*text).into()),
    }
}
