//! The thread that writes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior, params};

use super::policy::Kept;
use super::sealing::Rest;
use super::{Counts, Prediction, Seal, read};
use crate::registry::store::now_ms;

/// A batch has at most so many predictions.
const BATCH: usize = 2_000;
/// The first of a batch waits so long for others. The thread sleeps meanwhile, so that handing in
/// does not have to wake it each time.
const PATIENCE: Duration = Duration::from_millis(50);
/// After so many rows the thread takes a breath, so that those who answer never wait long for the
/// processor;
const BREATH: usize = 32;
/// so long,
const PAUSE: Duration = Duration::from_micros(400);
/// unless more than this wait to be written.
const HURRY: u64 = 2_048;
/// So often what is too old is deleted.
const TIDY: Duration = Duration::from_mins(10);
/// Between two parts of what is to be sealed the thread rests for so long.
const REST: Duration = Duration::from_millis(5);
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Makes predictions and puts them behind those that are there.
pub(super) type Make = Box<dyn FnOnce(&mut Vec<Prediction>) + Send>;

/// What the thread is asked to do.
pub(super) enum Order {
    /// So many predictions, and what makes them.
    Predictions(u64, Make),
    /// To say when everything before is written.
    Flush(SyncSender<()>),
}

pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) seal: Seal,
    pub(super) encrypt: bool,
    /// What is still to be sealed.
    pub(super) rest: Rest,
    pub(super) days: u32,
    pub(super) counts: Arc<Counts>,
}

impl Writer {
    /// Writes until nobody hands anything in any more.
    pub(super) fn work(mut self, orders: &Receiver<Order>) {
        let mut tidied: Option<Instant> = None;
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            self.tidy_at_times(&mut tidied);
            let mut next = match orders.recv_timeout(self.seal_rest()) {
                Ok(Order::Flush(done)) => {
                    let _ = done.send(());
                    continue;
                }
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            thread::sleep(PATIENCE);
            while let Some(order) = next {
                match order {
                    Order::Predictions(n, make) => {
                        self.counts.waiting.fetch_sub(n, Ordering::Relaxed);
                        self.take(n, make, &mut batch);
                    }
                    Order::Flush(done) => {
                        self.write(&mut batch);
                        let _ = done.send(());
                    }
                }
                if batch.len() >= BATCH {
                    self.write(&mut batch);
                    self.tidy_at_times(&mut tidied);
                }
                next = orders.try_recv().ok();
            }
            self.write(&mut batch);
        }
    }

    /// Has predictions made; should that panic, they are lost and the thread goes on.
    fn take(&self, n: u64, make: Make, batch: &mut Vec<Prediction>) {
        let before = batch.len();
        if catch_unwind(AssertUnwindSafe(|| make(batch))).is_err() {
            batch.truncate(before);
            self.counts.failed.fetch_add(n, Ordering::Relaxed);
        }
    }

    /// Writes everything that was made.
    fn write(&mut self, made: &mut Vec<Prediction>) {
        for batch in made.chunks(BATCH) {
            // The disk is full, or the file is gone: answers go on without a log.
            let n_written = self.insert(batch).unwrap_or(0);
            self.counts.written.fetch_add(n_written, Ordering::Relaxed);
            self.counts.failed.fetch_add(batch.len() as u64 - n_written, Ordering::Relaxed);
        }
        made.clear();
    }

    /// Writes a batch and returns how many of it are new: an id that is there already is not
    /// written over.
    fn insert(&mut self, batch: &[Prediction]) -> rusqlite::Result<u64> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut n = 0;
        {
            let sql = "INSERT INTO predictions (id, at_ms, model, version, alias, key, subject, \
                       shadow_of, micros, score, decision, payload, sealed) \
                       VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING";
            let mut insert = transaction.prepare_cached(sql)?;
            for (at, own) in batch.iter().enumerate() {
                if at % BREATH == BREATH - 1 && self.counts.waiting.load(Ordering::Relaxed) < HURRY
                {
                    thread::sleep(PAUSE);
                }
                let inputs = Kept { columns: &own.columns, values: &own.inputs, seal: &self.seal };
                let is_plain = !self.encrypt;
                let payload = if is_plain {
                    serde_json::to_vec(&inputs).ok()
                } else {
                    let all = serde_json::to_vec(&(own.score, &*own.decision, inputs)).ok();
                    all.and_then(|all| self.seal.seal(&own.id, &all))
                };
                // Rather no row than one that is not encrypted.
                let Some(payload) = payload else { continue };
                n += insert.execute(params![
                    own.id,
                    own.at_ms,
                    &*own.model,
                    own.version,
                    own.alias.as_deref(),
                    &*own.key,
                    own.subject.as_ref().map(|subject| self.seal.hash(subject)),
                    own.shadow_of,
                    own.micros,
                    is_plain.then_some(own.score),
                    is_plain.then_some(&*own.decision),
                    payload,
                    self.encrypt,
                ])? as u64;
            }
        }
        transaction.commit()?;
        Ok(n)
    }

    /// Seals a part of what was written before the log was sealed, and says how long to wait for
    /// orders until the next part.
    fn seal_rest(&mut self) -> Duration {
        match self.rest.seal_part(&mut self.connection, &self.seal) {
            Ok(()) if !matches!(self.rest, Rest::Nothing) => REST,
            // What failed is tried again in a while.
            _ => TIDY,
        }
    }

    /// Deletes what is too old, a part at a time: as long as there is more of it, that goes on
    /// after the next batch.
    fn tidy_at_times(&self, tidied: &mut Option<Instant>) {
        if tidied.is_some_and(|at| at.elapsed() <= TIDY) {
            return;
        }
        let oldest_ms = now_ms() - i64::from(self.days) * DAY_MS;
        // What fails is tried again in a while.
        if read::purge_part(&self.connection, oldest_ms).unwrap_or(true) {
            *tidied = Some(Instant::now());
        }
    }
}
