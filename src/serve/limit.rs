//! How much a key may ask for: a rate, and quotas for the day.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// What a key is allowed; nothing stands for no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Allowance {
    /// Requests a second, in the long run.
    pub(super) rate: Option<f64>,
    /// So many at once after a rest.
    pub(super) burst: f64,
    /// Requests a day.
    pub(super) requests: Option<u64>,
    /// Rows a day.
    pub(super) rows: Option<u64>,
}

/// What is left of it.
#[derive(Debug)]
pub(super) struct Meter {
    allowance: Allowance,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    at: Instant,
    day: u64,
    requests: u64,
    rows: u64,
}

/// How much is left, as the usual headers tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Left {
    /// The bound that is nearest.
    pub(super) limit: u64,
    /// What is left below it.
    pub(super) remaining: u64,
    /// Seconds until there is more.
    pub(super) reset: u64,
}

/// A key has asked for more than it may; it may try again after so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exceeded {
    pub(super) what: &'static str,
    pub(super) retry_after: u32,
}

const DAY: u64 = 86_400;

impl Meter {
    pub(super) fn new(allowance: Allowance) -> Self {
        let state = State {
            tokens: allowance.burst.max(1.0),
            at: Instant::now(),
            day: 0,
            requests: 0,
            rows: 0,
        };
        Self { allowance, state: Mutex::new(state) }
    }

    /// Whether it is a meter for this allowance.
    pub(super) fn is_for(&self, allowance: &Allowance) -> bool {
        self.allowance == *allowance
    }

    /// Counts a request at this moment; `unix` are the seconds since 1970.
    pub(super) fn request(&self, now: Instant, unix: u64) -> Result<Option<Left>, Exceeded> {
        let allowed = &self.allowance;
        if allowed.rate.is_none() && allowed.requests.is_none() && allowed.rows.is_none() {
            return Ok(None);
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.turn(unix);
        let until_midnight = DAY - unix % DAY;
        if allowed.requests.is_some_and(|most| state.requests >= most) {
            let retry_after = until_midnight as u32;
            return Err(Exceeded { what: "the requests of this key for today", retry_after });
        }
        if allowed.rows.is_some_and(|most| state.rows >= most) {
            let retry_after = until_midnight as u32;
            return Err(Exceeded { what: "the rows of this key for today", retry_after });
        }
        let mut left = None;
        if let Some(rate) = allowed.rate {
            let burst = allowed.burst.max(1.0);
            let passed = now.saturating_duration_since(state.at).as_secs_f64();
            state.tokens = (state.tokens + passed * rate).min(burst);
            state.at = now;
            if state.tokens < 1.0 {
                let wait = Duration::from_secs_f64(((1.0 - state.tokens) / rate).min(3600.0));
                let retry_after = wait.as_secs_f64().ceil() as u32;
                return Err(Exceeded { what: "the rate of this key", retry_after });
            }
            state.tokens -= 1.0;
            left = Some(Left {
                limit: burst as u64,
                remaining: state.tokens as u64,
                reset: ((burst - state.tokens) / rate).ceil() as u64,
            });
        }
        state.requests += 1;
        if let Some(most) = allowed.requests {
            let of_day =
                Left { limit: most, remaining: most - state.requests, reset: until_midnight };
            if left.is_none_or(|left: Left| of_day.remaining < left.remaining) {
                left = Some(of_day);
            }
        }
        Ok(left)
    }

    /// Counts rows, all or none of them.
    pub(super) fn rows(&self, n: u64, unix: u64) -> Result<(), Exceeded> {
        let Some(most) = self.allowance.rows else { return Ok(()) };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.turn(unix);
        if state.rows + n > most {
            let retry_after = (DAY - unix % DAY) as u32;
            return Err(Exceeded { what: "the rows of this key for today", retry_after });
        }
        state.rows += n;
        Ok(())
    }
}

impl State {
    fn turn(&mut self, unix: u64) {
        let day = unix / DAY;
        if day != self.day {
            (self.day, self.requests, self.rows) = (day, 0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_a_burst_and_recovers() {
        let allowance = Allowance { rate: Some(10.0), burst: 3.0, ..Allowance::default() };
        let meter = Meter::new(allowance);
        let start = Instant::now();
        for remaining in [2, 1, 0] {
            assert_eq!(meter.request(start, 0).unwrap().unwrap().remaining, remaining);
        }
        assert_eq!(meter.request(start, 0).unwrap_err().retry_after, 1);
        assert!(meter.request(start + Duration::from_millis(110), 0).is_ok());
        assert!(meter.request(start + Duration::from_millis(120), 0).is_err());
    }

    #[test]
    fn quotas_end_with_the_day() {
        let allowance = Allowance { requests: Some(2), rows: Some(10), ..Allowance::default() };
        let meter = Meter::new(allowance);
        let now = Instant::now();
        assert!(meter.request(now, DAY - 10).is_ok());
        assert!(meter.rows(8, DAY - 10).is_ok());
        assert_eq!(meter.rows(3, DAY - 10).unwrap_err().retry_after, 10);
        assert!(meter.request(now, DAY - 5).is_ok());
        assert_eq!(meter.request(now, DAY - 4).unwrap_err().retry_after, 4);
        assert!(meter.request(now, DAY).is_ok());
        assert!(meter.rows(10, DAY).is_ok());
    }
}
