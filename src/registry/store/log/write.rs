//! The thread that writes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::policy::Kept;
use super::sealing::Rest;
use super::{Columns, Counts, Prediction, Seal, packed, read};
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
/// While it gives way to others, it writes so many at once,
const FEW: usize = 250;
/// and rests so many times as long as that took.
const WAY: u32 = 4;
/// but never longer than this.
const LONGEST_WAY: Duration = Duration::from_millis(50);
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
    /// Columns whose names are written down, each with its number.
    pub(super) sets: Vec<(Arc<Columns>, i64)>,
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
        let mut left = &made[..];
        while !left.is_empty() {
            let begun = Instant::now();
            let gives_way = self.gives_way();
            let n = if gives_way { FEW } else { BATCH };
            let (batch, others) = left.split_at(n.min(left.len()));
            // The disk is full, or the file is gone: answers go on without a log.
            let n_written = self.insert(batch).unwrap_or_else(|_| {
                // What was written down of columns is gone with the rows.
                self.sets.clear();
                0
            });
            self.counts.written.fetch_add(n_written, Ordering::Relaxed);
            self.counts.failed.fetch_add(batch.len() as u64 - n_written, Ordering::Relaxed);
            left = others;
            if gives_way {
                thread::sleep((begun.elapsed() * WAY).min(LONGEST_WAY));
            }
        }
        made.clear();
    }

    /// Writes a batch and returns how many of it are new: an id that is there already is not
    /// written over.
    fn insert(&mut self, batch: &[Prediction]) -> rusqlite::Result<u64> {
        let Self { connection, seal, encrypt, sets, counts, .. } = self;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut n = 0;
        {
            let sql = "INSERT INTO predictions (id, at_ms, model, version, alias, key, subject, \
                       shadow_of, micros, score, decision, payload, sealed, columns) \
                       VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING";
            let mut insert = transaction.prepare_cached(sql)?;
            for (at, own) in batch.iter().enumerate() {
                if at % BREATH == BREATH - 1 && counts.waiting.load(Ordering::Relaxed) < HURRY {
                    thread::sleep(PAUSE);
                }
                let inputs = Kept { columns: &own.columns, values: &own.inputs, seal };
                let is_plain = !*encrypt;
                let (payload, set) = if is_plain {
                    let set = set_of(&transaction, sets, &own.columns)?;
                    (Some(packed::pack(&inputs)), Some(set))
                } else {
                    let all = serde_json::to_vec(&(own.score, &*own.decision, inputs)).ok();
                    (all.and_then(|all| seal.seal(&own.id, &all)), None)
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
                    own.subject.as_ref().map(|subject| seal.hash(subject)),
                    own.shadow_of,
                    own.micros,
                    is_plain.then_some(own.score),
                    is_plain.then_some(&*own.decision),
                    payload,
                    !is_plain,
                    set,
                ])? as u64;
            }
        }
        transaction.commit()?;
        Ok(n)
    }

    /// Whether others need the processor more.
    fn gives_way(&self) -> bool {
        self.counts.now_ms() < self.counts.way_until_ms.load(Ordering::Relaxed)
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

/// The number under which the names of columns are written down.
fn set_of(
    transaction: &Transaction<'_>,
    sets: &mut Vec<(Arc<Columns>, i64)>,
    columns: &Arc<Columns>,
) -> rusqlite::Result<i64> {
    /// So many are remembered; of a log there are as many as versions are served.
    const MOST: usize = 64;
    if let Some((_, id)) = sets.iter().find(|(own, _)| Arc::ptr_eq(own, columns)) {
        return Ok(*id);
    }
    let names = packed::names(columns);
    let sql = "INSERT OR IGNORE INTO column_sets (names) VALUES (?)";
    transaction.prepare_cached(sql)?.execute([&names])?;
    let sql = "SELECT id FROM column_sets WHERE names = ?";
    let id = transaction.prepare_cached(sql)?.query_row([&names], |row| row.get(0))?;
    if sets.len() == MOST {
        sets.clear();
    }
    sets.push((Arc::clone(columns), id));
    Ok(id)
}
