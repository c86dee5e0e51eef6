//! Rows for networks, gathered across requests for a moment and scored together on one thread.
//!
//! A network gives the same bits whatever the size of the batch, and each row carries its own way
//! back, so that no answer can reach another request. Rows for imported models are scored request
//! by request.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::time::{Duration, Instant};

use ndarray::ArrayView2;
use tokio::sync::oneshot;

use super::ahead::{Ahead, Pace, Ticket};
use crate::jobs;
use crate::models::{Model, Predictor, RowInput};

/// Rows of one request, waiting for a network.
struct Waiting {
    model: Arc<Model>,
    rows: Vec<RowInput>,
    since: Instant,
    pace: Arc<Pace>,
    /// Given back once the rows are scored.
    _ticket: Ticket,
    back: oneshot::Sender<Vec<Vec<f64>>>,
}

/// How rows are gathered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gathering {
    /// Once so many rows wait, they are scored.
    pub(super) most: usize,
    /// The first one waits no longer than this.
    pub(super) patience: Duration,
    /// Whoever would wait longer than this for others is refused, unless it takes long itself.
    pub(super) most_wait: Duration,
}

/// More requests than this never wait, however little each of them is expected to take.
const QUEUE: usize = 1024;

impl Default for Gathering {
    fn default() -> Self {
        Self { most: 64, patience: Duration::from_millis(2), most_wait: Duration::from_millis(5) }
    }
}

/// The thread that scores for networks.
#[derive(Clone)]
pub(super) struct Pool {
    queue: SyncSender<Waiting>,
    ahead: Ahead,
}

/// Too much waits already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Pool {
    /// Starts the thread; `queued` hears how long each request waited, in seconds.
    pub(super) fn start(
        gathering: Gathering,
        queued: impl Fn(f64) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (queue, waiting) = mpsc::sync_channel(QUEUE);
        jobs::service("networks", move || work(gathering, &waiting, &queued))?;
        Ok(Self { queue, ahead: Ahead::new(1, gathering.most_wait) })
    }

    /// Hands in rows and returns where their outputs will arrive; `pace` is how long a row of this
    /// model takes.
    pub(super) fn score(
        &self,
        model: Arc<Model>,
        pace: &Arc<Pace>,
        rows: Vec<RowInput>,
    ) -> Result<oneshot::Receiver<Vec<Vec<f64>>>, Full> {
        let (back, outputs) = oneshot::channel();
        let ticket = self.ahead.enter(pace.cost(rows.len())).ok_or(Full)?;
        let (since, pace) = (Instant::now(), Arc::clone(pace));
        let waiting = Waiting { model, rows, since, pace, _ticket: ticket, back };
        match self.queue.try_send(waiting) {
            Ok(()) => Ok(outputs),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(Full),
        }
    }
}

fn work(gathering: Gathering, waiting: &Receiver<Waiting>, queued: &dyn Fn(f64)) {
    while let Ok(first) = waiting.recv() {
        let until = first.since + gathering.patience;
        let mut n = first.rows.len();
        let mut batch = vec![first];
        while n < gathering.most {
            match waiting.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(next) => {
                    n += next.rows.len();
                    batch.push(next);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        // Whoever has gone away meanwhile is not worth the work.
        batch.retain(|own| !own.back.is_closed());
        while let Some(first) = batch.first() {
            let model = Arc::clone(&first.model);
            let (own, others): (Vec<_>, Vec<_>) =
                batch.into_iter().partition(|own| Arc::ptr_eq(&own.model, &model));
            batch = others;
            for own in &own {
                queued(own.since.elapsed().as_secs_f64());
            }
            // Of an imported model one bad row fails the whole batch, so each request has its own.
            let alone = matches!(model.predictor, Predictor::Foreign(_));
            let batches =
                if alone { own.into_iter().map(|own| vec![own]).collect() } else { vec![own] };
            for batch in batches {
                // Whoever waits for a batch that broke is told so by the channel that closes.
                let _ = catch_unwind(AssertUnwindSafe(|| answer(&model, batch)));
            }
        }
    }
}

/// Scores the rows of all these requests in one batch, and gives each its own.
fn answer(model: &Model, batch: Vec<Waiting>) {
    let rows: Vec<&RowInput> = batch.iter().flat_map(|own| &own.rows).collect();
    let n_columns = rows.first().map_or(0, |row| row.matrix.len());
    let matrix: Vec<f64> = rows.iter().flat_map(|row| row.matrix.iter().copied()).collect();
    let tensor: Vec<f32> = rows.iter().flat_map(|row| row.tensor.iter().copied()).collect();
    let Ok(x) = ArrayView2::from_shape((rows.len(), n_columns), &matrix) else { return };
    let start = Instant::now();
    let outputs = model.predictor.outputs(x, &tensor);
    if let Some(first) = batch.first() {
        first.pace.learn(rows.len(), start.elapsed());
    }
    let mut outputs = outputs.rows().into_iter().map(|row| row.to_vec());
    for own in batch {
        let told = outputs.by_ref().take(own.rows.len()).collect();
        let _ = own.back.send(told);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::serve::testing;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn no_answer_reaches_another_request(sizes in prop::collection::vec(1_usize..6, 1..60)) {
            let (model, alone) = testing::network();
            let most_wait = Duration::from_mins(1);
            let gathering = Gathering { most: 16, most_wait, ..Gathering::default() };
            let pace = Arc::default();
            let pool = Pool::start(gathering, |_| ()).unwrap();
            let mut seed = 0.0;
            let requests: Vec<Vec<RowInput>> = sizes
                .iter()
                .map(|n| {
                    let row = |_| {
                        seed += 1.0;
                        testing::row(seed)
                    };
                    (0..*n).map(row).collect()
                })
                .collect();
            let waiting: Vec<_> = requests
                .iter()
                .map(|rows| pool.score(Arc::clone(&model), &pace, rows.clone()).unwrap())
                .collect();
            for (rows, outputs) in requests.iter().zip(waiting) {
                let outputs = outputs.blocking_recv().unwrap();
                let expected: Vec<Vec<f64>> = rows.iter().map(&alone).collect();
                prop_assert_eq!(outputs, expected);
            }
        }
    }
}
