//! The last two minutes, second by second: requests, errors, and how long answers took.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// So many seconds are remembered.
const SECONDS: usize = 120;
/// Bounds of durations grow by a quarter octave, from 10 microseconds to about 20 seconds.
const BUCKETS: usize = 84;
const FIRST: f64 = 10e-6;
const STEPS_PER_OCTAVE: f64 = 4.0;

/// What happened in the last two minutes.
#[derive(Debug)]
pub(super) struct Pulse {
    start: Instant,
    seconds: Mutex<Vec<Second>>,
}

#[derive(Clone, Copy, Debug)]
struct Second {
    /// Which second since the start this slot holds.
    at: u64,
    requests: u32,
    refused: u32,
    failed: u32,
    took: [u32; BUCKETS],
}

/// How answers were in some seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Requests in each second, oldest first; the second under way is left out.
    pub per_second: Vec<u32>,
    /// Requests a second, over the last ten seconds.
    pub requests: f64,
    /// The share answered with 4xx, over the last minute.
    pub refused: f64,
    /// The share answered with 5xx, over the last minute.
    pub failed: f64,
    /// Half of the answers took less, in milliseconds, over the last minute; and so on.
    pub p50: Option<f64>,
    /// 90 %.
    pub p90: Option<f64>,
    /// 99 %.
    pub p99: Option<f64>,
}

impl Default for Second {
    fn default() -> Self {
        Self { at: u64::MAX, requests: 0, refused: 0, failed: 0, took: [0; BUCKETS] }
    }
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), seconds: Mutex::new(vec![Second::default(); SECONDS]) }
    }

    /// Takes in one answer, and returns how many there were in this second.
    pub(super) fn beat(&self, status: u16, took: Duration) -> u32 {
        let at = self.start.elapsed().as_secs();
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        let second = &mut seconds[at as usize % SECONDS];
        if second.at != at {
            *second = Second { at, ..Second::default() };
        }
        second.requests += 1;
        second.refused += u32::from((400..500).contains(&status));
        second.failed += u32::from(status >= 500);
        second.took[bucket(took.as_secs_f64())] += 1;
        second.requests
    }

    /// How the last minutes were.
    pub(super) fn rates(&self) -> Rates {
        let now = self.start.elapsed().as_secs();
        let seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let of = |back: u64| {
            let at = now.checked_sub(back)?;
            Some(&seconds[at as usize % SECONDS]).filter(|second| second.at == at)
        };
        let requests = |back| of(back).map_or(0, |second| second.requests);
        let per_second = (1..=60).rev().map(requests).collect();
        let last: u32 = (1..=10).map(requests).sum();
        let minute: Vec<&Second> = (0..60).filter_map(of).collect();
        let all: u32 = minute.iter().map(|second| second.requests).sum();
        let share = |of: fn(&Second) -> u32| {
            let n: u32 = minute.iter().map(|second| of(second)).sum();
            if all == 0 { 0.0 } else { f64::from(n) / f64::from(all) }
        };
        let mut took = [0_u32; BUCKETS];
        for second in &minute {
            took.iter_mut().zip(second.took).for_each(|(all, own)| *all += own);
        }
        Rates {
            per_second,
            requests: f64::from(last) / now.clamp(1, 10) as f64,
            refused: share(|second| second.refused),
            failed: share(|second| second.failed),
            p50: quantile(&took, 0.5),
            p90: quantile(&took, 0.9),
            p99: quantile(&took, 0.99),
        }
    }
}

fn bucket(seconds: f64) -> usize {
    let octaves = (seconds / FIRST).max(1.0).log2();
    ((octaves * STEPS_PER_OCTAVE).ceil() as usize).min(BUCKETS - 1)
}

/// A quantile in milliseconds, to the upper bound of its bucket (19 % wide).
fn quantile(took: &[u32], share: f64) -> Option<f64> {
    let n: u64 = took.iter().map(|n| u64::from(*n)).sum();
    if n == 0 {
        return None;
    }
    let wanted = (n as f64 * share).ceil() as u64;
    let mut seen = 0;
    let at = took.iter().position(|n| {
        seen += u64::from(*n);
        seen >= wanted
    })?;
    Some(1e3 * FIRST * (at as f64 / STEPS_PER_OCTAVE).exp2())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_within_a_bucket() {
        let mut took = [0; BUCKETS];
        for i in 1..=1000 {
            took[bucket(f64::from(i) * 1e-5)] += 1;
        }
        for (share, expected) in [(0.5, 5.0), (0.9, 9.0), (0.99, 9.9)] {
            let got = quantile(&took, share).unwrap();
            assert!((expected..expected * 1.2).contains(&got), "{share}: {got}");
        }
        assert_eq!(quantile(&[0; BUCKETS], 0.5), None);
    }

    #[test]
    fn beats_are_counted_by_kind() {
        let pulse = Pulse::new();
        for status in [200, 200, 404, 503] {
            pulse.beat(status, Duration::from_micros(300));
        }
        let rates = pulse.rates();
        assert_eq!((rates.refused, rates.failed), (0.25, 0.25));
        assert!(rates.p50.unwrap() >= 0.3 && rates.p50.unwrap() < 0.4, "{rates:?}");
    }
}
