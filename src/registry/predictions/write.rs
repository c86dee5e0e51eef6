//! The thread that writes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, TransactionBehavior, params};
use serde_json::{Map, Value, json};

use super::{ColumnPolicy, Counts, LoggedValue, Prediction, Seal};

/// A batch has at most so many predictions.
const BATCH: usize = 500;
/// The first of a batch waits no longer than this.
const PATIENCE: Duration = Duration::from_millis(50);
/// So often what is too old is deleted.
const TIDY: Duration = Duration::from_secs(600);
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// What the thread is asked to do.
pub(super) enum Order {
    Prediction(Box<Prediction>),
    /// To say when everything before is written.
    Flush(SyncSender<()>),
}

pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) seal: Seal,
    pub(super) encrypt: bool,
    pub(super) days: u32,
    pub(super) counts: Arc<Counts>,
}

impl Writer {
    /// Writes until nobody hands anything in any more.
    pub(super) fn work(mut self, orders: &Receiver<Order>) {
        let mut tidied: Option<Instant> = None;
        loop {
            if tidied.is_none_or(|at| at.elapsed() > TIDY) {
                self.tidy();
                tidied = Some(Instant::now());
            }
            let first = match orders.recv_timeout(TIDY) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let until = Instant::now() + PATIENCE;
            let (mut batch, mut waiting) = (Vec::new(), Vec::new());
            let mut next = Some(first);
            while let Some(order) = next.take() {
                match order {
                    Order::Prediction(prediction) => batch.push(*prediction),
                    Order::Flush(done) => waiting.push(done),
                }
                if waiting.is_empty() && batch.len() < BATCH {
                    next = orders.recv_timeout(until.saturating_duration_since(Instant::now())).ok();
                }
            }
            let n = batch.len() as u64;
            match self.write(&batch) {
                Ok(()) => self.counts.written.fetch_add(n, Ordering::Relaxed),
                // The disk is full, or the file is gone: answers go on without a log.
                Err(_) => self.counts.failed.fetch_add(n, Ordering::Relaxed),
            };
            for done in waiting {
                let _ = done.send(());
            }
        }
    }

    fn write(&mut self, batch: &[Prediction]) -> rusqlite::Result<()> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let sql = "INSERT OR REPLACE INTO predictions (id, at_ms, model, version, key, subject, \
                       score, decision, inputs, sealed) VALUES (?,?,?,?,?,?,?,?,?,?)";
            let mut insert = transaction.prepare_cached(sql)?;
            for own in batch {
                let inputs = inputs(own, &self.seal).to_string().into_bytes();
                let sealed = if self.encrypt { self.seal.seal(&own.id, &inputs) } else { None };
                let is_sealed = sealed.is_some();
                if self.encrypt && !is_sealed {
                    // Rather no row than one that is not encrypted.
                    continue;
                }
                insert.execute(params![
                    own.id,
                    own.at_ms,
                    &*own.model,
                    own.version,
                    own.key,
                    own.subject.as_ref().map(|subject| self.seal.hash(subject)),
                    own.score,
                    own.decision,
                    sealed.unwrap_or(inputs),
                    is_sealed,
                ])?;
            }
        }
        transaction.commit()
    }

    /// Deletes what is too old.
    fn tidy(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_millis() as i64);
        let oldest = now - i64::from(self.days) * DAY_MS;
        // Another try follows in a while.
        let _ = super::read::purge(&self.connection, oldest);
    }
}

/// The values that are kept, by column.
fn inputs(prediction: &Prediction, seal: &Seal) -> Value {
    let columns = &prediction.columns;
    let kept = columns.names.iter().zip(&columns.policies).zip(&prediction.inputs);
    let mut object = Map::new();
    for ((name, policy), value) in kept {
        let value = match (policy, value) {
            (ColumnPolicy::Drop, _) => continue,
            (_, LoggedValue::Missing) => Value::Null,
            (ColumnPolicy::Keep, LoggedValue::Number(number)) => json!(number),
            (ColumnPolicy::Keep, LoggedValue::Truth(truth)) => json!(truth),
            (ColumnPolicy::Keep, LoggedValue::Text(text)) => json!(text),
            (ColumnPolicy::Hash, LoggedValue::Number(number)) => {
                json!(seal.hash(&number.to_string()))
            }
            (ColumnPolicy::Hash, LoggedValue::Truth(truth)) => json!(seal.hash(&truth.to_string())),
            (ColumnPolicy::Hash, LoggedValue::Text(text)) => json!(seal.hash(text)),
        };
        object.insert(name.clone(), value);
    }
    Value::Object(object)
}
