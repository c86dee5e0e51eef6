//! What a shadow would have answered, beside what was answered.

use std::sync::{Mutex, PoisonError};

use super::status::ShadowStatus;

/// Differences between two versions on the same rows.
#[derive(Debug, Default)]
pub(super) struct Differences(Mutex<Sums>);

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    rows: u64,
    sum: f64,
    most: f64,
    other: u64,
    passed_over: u64,
}

impl Differences {
    /// Takes in a row that both scored.
    pub(super) fn add(&self, answered: f64, shadow: f64, is_other_decision: bool) {
        let difference = (answered - shadow).abs();
        if !difference.is_finite() {
            return;
        }
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sums.rows += 1;
        sums.sum += difference;
        sums.most = sums.most.max(difference);
        sums.other += u64::from(is_other_decision);
    }

    /// Counts rows that the shadow does not score.
    pub(super) fn pass_over(&self, n: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).passed_over += n;
    }

    pub(super) fn status(&self, version: u32) -> ShadowStatus {
        let sums = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ShadowStatus {
            version,
            rows: sums.rows,
            mean_difference: if sums.rows == 0 { 0.0 } else { sums.sum / sums.rows as f64 },
            most_difference: sums.most,
            other_decisions: sums.other,
            passed_over: sums.passed_over,
        }
    }
}
