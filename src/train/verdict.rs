//! What follows from a comparison, in a sentence.

use super::compare::Standing;
use crate::metrics::{Estimate, Metric};

/// The sentence under a leaderboard whose best run comes first.
pub(super) fn sentence(
    leaderboard: &[Standing],
    by: &Metric,
    folds: usize,
    rows_shared: usize,
) -> String {
    let on = match (folds, rows_shared) {
        (0, 1) => "On this one test row".to_owned(),
        (0, rows) => format!("On these {rows} test rows"),
        (folds, rows) => format!("Over {folds} folds of {rows} rows"),
    };
    let Some(yardstick) = leaderboard.iter().find(|standing| standing.is_yardstick) else {
        return String::new();
    };
    let yardstick_name = name(yardstick);
    if leaderboard.len() < 2 {
        return format!("{on} there is nothing to compare {yardstick_name} with yet.");
    }
    let value = |s: &Standing| s.metrics.get(by.name).and_then(|estimate| estimate.value);
    if value(yardstick).is_none() {
        return format!(
            "{yardstick_name} gives no {}, so there is nothing to compare the others with.",
            by.label
        );
    }
    if leaderboard.iter().all(|s| s.is_yardstick || s.method.is_none()) {
        let best = leaderboard.first().map(name).unwrap_or_default();
        return format!(
            "{on} {best} has the best {}; a difference in it is not tested here.",
            by.label
        );
    }
    let said = |verdict: &str| {
        leaderboard.iter().filter(|s| s.verdict == Some(verdict)).collect::<Vec<_>>()
    };
    let (better, worse) = (said("better"), said("worse"));
    let mut clauses = vec![match better.as_slice() {
        [] => format!("{on} nothing beats {yardstick_name}"),
        [only] => {
            format!("{on} {} beats {yardstick_name}: {}", name(only), difference(only, by))
        }
        [best, ..] => format!(
            "{on} {} runs beat {yardstick_name}, foremost {}: {}",
            better.len(),
            name(best),
            difference(best, by)
        ),
    }];
    let ahead = leaderboard.first().filter(|first| {
        better.is_empty() && !first.is_yardstick && first.verdict == Some("no evidence")
    });
    clauses.extend(ahead.map(|ahead| {
        format!(
            "{} is ahead, {}, which chance alone can explain",
            name(ahead),
            difference(ahead, by)
        )
    }));
    let spreadless = leaderboard.iter().find(|s| s.method.is_some() && s.verdict.is_none());
    clauses.extend(spreadless.map(|s| {
        format!(
            "{} differs by {} without any spread to test it by: look for a column that gives the \
             target away",
            name(s),
            difference(s, by)
        )
    }));
    clauses.extend(match worse.as_slice() {
        [] => None,
        [only] => Some(format!("{} is worse", name(only))),
        [one, other] => Some(format!("{} and {} are worse", name(one), name(other))),
        many => Some(format!("{} runs are worse", many.len())),
    });
    clauses.join("; ") + "."
}

/// A run as the sentence calls it: `logistic alpha=0.1 (r0003)`.
fn name(standing: &Standing) -> String {
    let id = &standing.id.0;
    if id.is_empty() { standing.label.clone() } else { format!("{} ({id})", standing.label) }
}

/// `AUC +0.012 (0.003 to 0.021), p 0.01 after Holm`.
fn difference(standing: &Standing, by: &Metric) -> String {
    let Estimate { value, low, high } = standing.diff.unwrap_or_default();
    let value = value.map_or(String::new(), |value| format!(" {}", signed(value)));
    let range = low.zip(high);
    let range = range
        .map_or(String::new(), |(low, high)| format!(" ({} to {})", signed(low), signed(high)));
    let p = match standing.p_holm {
        Some(p) if p < 0.001 => ", p below 0.001".to_owned(),
        Some(p) => format!(", p {p:.3}"),
        None => String::new(),
    };
    format!("{}{value}{range}{p}", by.label)
}

/// Three decimals for what is a share, four digits for what is large.
fn signed(value: f64) -> String {
    let digits = if value.abs() < 10.0 { 3 } else { 1 };
    format!("{value:+.digits$}").replace('-', "−")
}
