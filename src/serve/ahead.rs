//! Work that was admitted and is not done: how long whoever comes next would wait.
//!
//! What takes long waits in a queue that can be seen, and is admitted only while it would not wait
//! longer than a bound, or than twice the time that it takes itself. So an overloaded server
//! refuses, and what it admits stays fast, whatever the size of the requests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

/// Work waits so many times as long as it takes, if that is more than the bound.
const PATIENCE: u64 = 2;
/// No work is taken to last longer than this, in nanoseconds.
const LONGEST: u64 = 3_600_000_000_000;

/// The work ahead of whoever comes next.
#[derive(Clone, Debug)]
pub(super) struct Ahead {
    /// Nanoseconds of work admitted and not done.
    nanos: Arc<AtomicU64>,
    /// Threads that share it.
    workers: u64,
    /// In nanoseconds.
    most: u64,
}

/// The place of admitted work; it is given back when dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    nanos: Arc<AtomicU64>,
    cost: u64,
}

impl Ahead {
    /// Work for so many threads, which waits no longer than `most`.
    pub(super) fn new(workers: usize, most: Duration) -> Self {
        let workers = workers.max(1) as u64;
        Self { nanos: Arc::default(), workers, most: most.as_nanos() as u64 }
    }

    /// Admits work of this cost, in nanoseconds; nothing where it would wait too long.
    pub(super) fn enter(&self, cost: u64) -> Option<Ticket> {
        let cost = cost.min(LONGEST);
        let most = self.bound(cost);
        let admit = |ahead: u64| (ahead <= most).then(|| ahead + cost);
        self.nanos.fetch_update(Ordering::Relaxed, Ordering::Relaxed, admit).ok()?;
        Some(Ticket { nanos: Arc::clone(&self.nanos), cost })
    }

    /// Whether work of this cost would be admitted at this moment.
    fn has_room(&self, cost: u64) -> bool {
        self.nanos.load(Ordering::Relaxed) <= self.bound(cost.min(LONGEST))
    }

    /// So much may be ahead of work of this cost.
    fn bound(&self, cost: u64) -> u64 {
        self.most.max(PATIENCE * cost) * self.workers
    }
}

/// Threads for work that takes long, apart from those that answer: so it holds up nothing that
/// takes little.
#[derive(Debug)]
pub(super) struct Workshop {
    ahead: Ahead,
    /// One for each thread.
    places: Arc<Semaphore>,
}

impl Workshop {
    /// Room for so much work at once, none of which waits longer than `most`.
    pub(super) fn new(workers: usize, most: Duration) -> Self {
        Self { ahead: Ahead::new(workers, most), places: Arc::new(Semaphore::new(workers.max(1))) }
    }

    /// Admits work, as [`Ahead::enter`] does.
    pub(super) fn enter(&self, cost: u64) -> Option<Ticket> {
        self.ahead.enter(cost)
    }

    /// Whether work of this cost would be admitted at this moment, or is so light that it is done
    /// elsewhere.
    pub(super) fn has_room(&self, cost: u64, light: u64) -> bool {
        cost <= light || self.ahead.has_room(cost)
    }

    /// Does work that was admitted once it is its turn; nothing where it panics.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        ticket: Ticket,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        // Both are given back once the work is done, even where nobody waits for it any more.
        let work = move || {
            let _held = (ticket, place);
            work()
        };
        tokio::task::spawn_blocking(work).await.ok()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.nanos.fetch_sub(self.cost, Ordering::Relaxed);
    }
}

/// How long some kind of work takes, learnt from the work that was done.
#[derive(Debug, Default)]
pub(super) struct Pace {
    learnt: Mutex<Learnt>,
    /// What a unit is taken to last while nothing is known, in nanoseconds.
    guess: u64,
}

/// Decaying sums, so that large pieces of work count for more than small ones.
#[derive(Clone, Copy, Debug, Default)]
struct Learnt {
    units: f64,
    nanos: f64,
}

/// The share of what was learnt before that a new piece of work leaves.
const KEPT: f64 = 0.9;

impl Pace {
    /// A pace of which nothing is known but a guess.
    pub(super) fn guessed(guess: Duration) -> Self {
        Self { guess: guess.as_nanos() as u64, ..Self::default() }
    }

    /// Takes in that so many units took so long.
    pub(super) fn learn(&self, units: usize, took: Duration) {
        let mut learnt = self.learnt.lock().unwrap_or_else(PoisonError::into_inner);
        learnt.units = learnt.units * KEPT + units as f64;
        learnt.nanos = learnt.nanos * KEPT + took.as_nanos() as f64;
    }

    /// What so many units are likely to take, in nanoseconds.
    pub(super) fn cost(&self, units: usize) -> u64 {
        let Learnt { units: known, nanos } =
            *self.learnt.lock().unwrap_or_else(PoisonError::into_inner);
        if known > 0.0 {
            (nanos / known * units as f64) as u64
        } else {
            self.guess.saturating_mul(units as u64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_would_wait_too_long_is_refused() {
        let ahead = Ahead::new(2, Duration::from_nanos(100));
        let first = ahead.enter(150).unwrap();
        let _second = ahead.enter(60).unwrap();
        // 210 on two threads are a wait of 105: too long for short work, not for long work.
        assert!(ahead.enter(50).is_none());
        let third = ahead.enter(53).unwrap();
        assert!(!ahead.has_room(50) && ahead.has_room(1_000));
        drop((first, third));
        assert!(ahead.has_room(50) && ahead.enter(50).is_some());
    }

    #[test]
    fn all_places_are_given_back() {
        let ahead = Ahead::new(1, Duration::ZERO);
        for _ in 0..100 {
            drop(ahead.enter(u64::MAX).unwrap());
        }
        assert_eq!(ahead.nanos.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_pace_follows_the_work() {
        let pace = Pace::guessed(Duration::from_nanos(5));
        assert_eq!(pace.cost(10), 50);
        for _ in 0..100 {
            pace.learn(10, Duration::from_micros(1));
        }
        assert_eq!(pace.cost(7), 700);
        for _ in 0..100 {
            pace.learn(10, Duration::from_micros(3));
        }
        assert!((2_990..=3_000).contains(&pace.cost(10)), "{}", pace.cost(10));
    }
}
