//! The rows of a classifier sorted once by score, tied scores together: what everything that
//! depends on the order alone is computed from, in O(n log n).

use crate::metrics::{Scored, is_positive};

/// All rows of one score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    /// The score that the rows have in common.
    pub(super) score: f64,
    /// Weight of the positive ones.
    pub(super) positives: f64,
    /// Weight of the negative ones.
    pub(super) negatives: f64,
}

/// The distinct scores, highest first; `None` for rows that cannot be measured.
pub(super) fn steps(scored: &Scored) -> Option<Vec<Step>> {
    let mut rows: Vec<(f64, f64, f64)> = scored.sound()?.rows().collect();
    // Rows that come sorted already, as those of a bootstrap do, are recognised in one pass.
    rows.sort_by(|(_, a, _), (_, b, _)| b.total_cmp(a));
    let mut steps: Vec<Step> = Vec::new();
    for (truth, score, weight) in rows {
        let (positives, negatives) = if is_positive(truth) { (weight, 0.0) } else { (0.0, weight) };
        match steps.last_mut() {
            Some(step) if step.score == score => {
                step.positives += positives;
                step.negatives += negatives;
            }
            _ => steps.push(Step { score, positives, negatives }),
        }
    }
    Some(steps)
}

/// Weight of all positive rows, and of all negative ones.
pub(super) fn totals(steps: &[Step]) -> (f64, f64) {
    steps.iter().fold((0.0, 0.0), |(positives, negatives), step| {
        (positives + step.positives, negatives + step.negatives)
    })
}
