//! How late the server is with what it has to do: the sign of overload for work that is done at
//! once and so never queues anywhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// So often it is measured.
const EVERY: Duration = Duration::from_millis(5);

/// The lateness of a clock that shares the threads of the requests.
#[derive(Debug)]
pub(super) struct Lag {
    micros: AtomicU64,
    most: u64,
}

impl Lag {
    /// Requests are refused while the clock is later than `most`.
    pub(super) fn new(most: Duration) -> Self {
        Self { micros: AtomicU64::new(0), most: most.as_micros() as u64 }
    }

    /// Whether requests should be refused.
    pub(super) fn is_late(&self) -> bool {
        self.micros.load(Ordering::Relaxed) > self.most
    }

    /// Measures for as long as the server lives.
    pub(super) async fn measure(self: Arc<Self>) {
        loop {
            let start = Instant::now();
            tokio::time::sleep(EVERY).await;
            let late = start.elapsed().saturating_sub(EVERY + Duration::from_millis(1));
            // It rises at once and falls by halves, so that refusals come in short stretches.
            let before = self.micros.load(Ordering::Relaxed);
            self.micros.store((late.as_micros() as u64).max(before / 2), Ordering::Relaxed);
        }
    }
}
