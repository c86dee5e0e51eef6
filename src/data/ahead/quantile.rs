//! Classes of returns by their rank among those that were known at the time.

use crate::data::Sequence;

/// Before a row has a class, so many returns for each class have to be known.
const KNOWN: usize = 10;

/// For each row its quantile among the returns of its own group that were known when it was: those
/// that ended at that row or before. Counted from 0; nothing where too few were known. Neither the
/// training nor the test rows learn anything of later ones.
pub(super) fn quantiles(
    returns: &[Option<f64>],
    rows: &Sequence,
    horizon: usize,
    n: usize,
) -> Vec<Option<usize>> {
    let mut classes = vec![None; returns.len()];
    let mut known: Vec<f64> = Vec::new();
    for row in &rows.order {
        if rows.before[*row as usize] == Some(0) {
            known.clear();
        }
        let ended = rows.earlier(*row, horizon).and_then(|row| returns[row as usize]);
        if let Some(ended) = ended {
            known.insert(known.partition_point(|other| *other < ended), ended);
        }
        let Some(own) = returns[*row as usize].filter(|_| known.len() >= KNOWN * n) else {
            continue;
        };
        let less = known.partition_point(|other| *other < own);
        let not_more = known.partition_point(|other| *other <= own);
        let share = (less + not_more) as f64 / (2 * known.len()) as f64;
        classes[*row as usize] = Some(((share * n as f64) as usize).min(n - 1));
    }
    classes
}

/// Names that sort as the classes do: `1 of 5` is the lowest fifth.
pub(super) fn labels(n: usize) -> Vec<String> {
    let digits = n.to_string().len();
    (1..=n).map(|class| format!("{class:0digits$} of {n}")).collect()
}
