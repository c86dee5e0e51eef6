//! Work on several processors at once, with a result that does not depend on how many.

use std::{
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Computes `work(0)`, `work(1)`, ... `work(count - 1)` on all processors and returns the results
/// in this order. Threads take on the niceness of the caller; a panic in one is passed on.
///
/// The results are the same for any number of processors as long as each call depends on its
/// index alone: give each its own random stream, and sum only after this returns.
///
/// ```
/// assert_eq!(karat::jobs::each(4, |idx| idx * idx), [0, 1, 4, 9]);
/// ```
pub fn each<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let n_threads = thread::available_parallelism().map_or(1, usize::from).min(count);
    if n_threads <= 1 {
        return (0..count).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take_turns = || {
        let mut results = Vec::new();
        loop {
            let idx = next.fetch_add(1, Ordering::Relaxed);
            if count <= idx {
                return results;
            }
            results.push((idx, work(idx)));
        }
    };
    let mut results: Vec<(usize, T)> = thread::scope(|scope| {
        // If the system has no threads left, those there are do all the work.
        let other =
            |k| thread::Builder::new().name(format!("part {k}")).spawn_scoped(scope, take_turns);
        let others: Vec<_> = (1..n_threads).filter_map(|k| other(k).ok()).collect();
        let mut results = take_turns();
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        results
    });
    results.sort_unstable_by_key(|(idx, _)| *idx);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order() {
        let results = each(1_000, |idx| idx as f64 / 2.0);
        assert!(results.iter().enumerate().all(|(idx, half)| *half == idx as f64 / 2.0));
        assert!(each(0, |_| 0).is_empty());
    }

    #[test]
    #[should_panic(expected = "seven is too many")]
    fn a_panic_is_passed_on() {
        each(10, |idx| assert_ne!(idx, 7, "seven is too many"));
    }
}
