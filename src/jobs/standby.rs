//! Threads that stand by for work of a few microseconds.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::apart::{Known, keep_off};

/// To wake a thread takes longer than such work does, so they look out for more for so long before
/// they sleep, in microseconds: longer than a large layer takes a caller who is still alone.
const LINGER: u64 = 150;
/// So often they look before they look at the clock.
const LOOKS: usize = 64;
/// So often a caller who is ready looks whether the others are, before it sleeps.
const WAITS: usize = 1 << 14;

/// Threads beside the caller, who never waits for one that sleeps: whoever is awake takes part.
#[derive(Debug)]
pub(super) struct Standby {
    pool: ThreadPool,
    n: usize,
    threads: Arc<[Known]>,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    since: Instant,
    /// When they were asked for the last time, in microseconds.
    asked: AtomicU64,
    /// How many were woken and do not sleep yet.
    n_awake: AtomicUsize,
    /// How many look out for work at this moment.
    n_idle: AtomicUsize,
}

impl State {
    fn now(&self) -> u64 {
        self.since.elapsed().as_micros() as u64
    }

    /// Looks out for work until there has been none for a while.
    fn linger(&self) {
        self.n_idle.fetch_add(1, Ordering::Relaxed);
        let mut latest = self.now();
        loop {
            for _ in 0..LOOKS {
                if rayon::yield_now() == Some(rayon::Yield::Executed) {
                    latest = self.now();
                } else {
                    std::hint::spin_loop();
                }
            }
            let latest = latest.max(self.asked.load(Ordering::Relaxed));
            // One that was claimed meanwhile has work to come.
            if self.now() > latest + LINGER && self.claim(1) == 1 {
                break;
            }
        }
        self.n_awake.fetch_sub(1, Ordering::Relaxed);
    }

    /// Takes up to so many of those that look out for work, and says how many.
    fn claim(&self, most: usize) -> usize {
        let fewer = |idle: usize| Some(idle.saturating_sub(most));
        let before = self.n_idle.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
        before.unwrap_or(0).min(most)
    }
}

impl Standby {
    /// So many threads; nothing if the system refuses.
    pub(super) fn new(n: usize) -> Option<Self> {
        let name = |idx| format!("standby {idx}");
        let threads: Arc<[Known]> = (0..n).map(|_| Known::default()).collect();
        let known = Arc::clone(&threads);
        let begin = move |idx: usize| known[idx].is_this();
        let builder = ThreadPoolBuilder::new().num_threads(n).thread_name(name);
        let pool = builder.start_handler(begin).build().ok()?;
        let (asked, n_awake) = (AtomicU64::new(0), AtomicUsize::new(0));
        let state = State { since: Instant::now(), asked, n_awake, n_idle: AtomicUsize::new(0) };
        Some(Self { pool, n, threads, state: Arc::new(state) })
    }

    /// Has all parts done, by the caller from the first on, and by whoever is awake from the last.
    pub(super) fn share<T: Send>(&self, parts: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
        self.wake();
        let n_jobs = self.state.claim(self.n.min(parts.len().saturating_sub(1)));
        if n_jobs == 0 {
            parts.iter_mut().enumerate().for_each(|(idx, part)| work(idx, part));
            self.state.asked.store(self.state.now(), Ordering::Relaxed);
            return;
        }
        let left = Mutex::new(parts.iter_mut().enumerate());
        let lock = || left.lock().unwrap_or_else(PoisonError::into_inner);
        let n_ended = AtomicUsize::new(0);
        self.pool.in_place_scope(|scope| {
            for _ in 0..n_jobs {
                scope.spawn(|_| {
                    let _ended = Ended { n_ended: &n_ended, n_idle: &self.state.n_idle };
                    loop {
                        let next = lock().next_back();
                        let Some((idx, part)) = next else { break };
                        work(idx, part);
                    }
                });
            }
            loop {
                let next = lock().next();
                let Some((idx, part)) = next else { break };
                work(idx, part);
            }
            // Nearly always they end at the same time, and to sleep would take longer than to wait.
            for _ in 0..WAITS {
                if n_ended.load(Ordering::Acquire) == n_jobs {
                    break;
                }
                std::hint::spin_loop();
            }
        });
    }

    fn wake(&self) {
        let State { asked, n_awake, .. } = &*self.state;
        asked.store(self.state.now(), Ordering::Relaxed);
        if n_awake.compare_exchange(0, self.n, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            keep_off(&self.threads);
            let state = Arc::clone(&self.state);
            self.pool.spawn_broadcast(move |_| state.linger());
        }
    }
}

/// Tells the end of a job, however it ends, and gives back the thread that did it.
struct Ended<'a> {
    n_ended: &'a AtomicUsize,
    n_idle: &'a AtomicUsize,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.n_idle.fetch_add(1, Ordering::Relaxed);
        self.n_ended.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_done_once() {
        let standby = Standby::new(3).unwrap();
        for n in 0..9 {
            let mut parts = vec![0; n];
            for round in 1..200 {
                standby.share(&mut parts, |idx, part| *part += idx);
                assert!(parts.iter().enumerate().all(|(idx, part)| *part == idx * round));
            }
        }
    }

    #[test]
    fn nobody_is_claimed_twice() {
        let (asked, n_awake) = (AtomicU64::new(0), AtomicUsize::new(0));
        let state = State { since: Instant::now(), asked, n_awake, n_idle: AtomicUsize::new(3) };
        assert_eq!([2, 2, 2].map(|most| state.claim(most)), [2, 1, 0]);
        let n_ended = AtomicUsize::new(0);
        drop(Ended { n_ended: &n_ended, n_idle: &state.n_idle });
        assert_eq!((state.claim(5), n_ended.into_inner()), (1, 1));
    }

    #[test]
    fn several_callers_do_not_wait_for_ever() {
        let standby = Standby::new(1).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let mut parts = [1, 2, 3];
                        standby.share(&mut parts, |_, part| *part *= 2);
                        assert_eq!(parts, [2, 4, 6]);
                    }
                });
            }
        });
    }
}
