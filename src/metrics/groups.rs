//! Rows cut into groups of equal weight by their order.

use std::cmp::Ordering;

use crate::metrics::Scored;

/// Cuts the rows, sorted by `order`, into `n_groups` groups of the
/// same weight as nearly as rows allow. Rows that tie stay together, so that the order of the file
/// changes nothing; they lie where the middle of their weight falls, and a group
/// that gets none is empty. Rows of weight 0 are left out.
pub(super) fn equal_mass(
    scored: &Scored,
    n_groups: usize,
    order: impl Fn(f64, f64) -> Ordering,
) -> Vec<Vec<usize>> {
    let mut rows: Vec<usize> =
        (0..scored.score.len()).filter(|idx| scored.weight(*idx) != 0.0).collect();
    rows.sort_by(|a, b| order(scored.score[*a], scored.score[*b]));
    let total: f64 = rows.iter().map(|idx| scored.weight(*idx)).sum();
    let mut groups = vec![Vec::new(); n_groups];
    let mut before = 0.0;
    let tie = |a: &usize, b: &usize| scored.score[*a] == scored.score[*b];
    for tied in rows.chunk_by(tie) {
        let weight: f64 = tied.iter().map(|idx| scored.weight(*idx)).sum();
        let group = (before + weight / 2.0) / total * n_groups as f64;
        before += weight;
        if let Some(last) = n_groups.checked_sub(1) {
            groups[(group as usize).min(last)].extend(tied);
        }
    }
    groups
}

/// How many rows of equal weight would say as much as these (Kish, 1965).
pub(super) fn effective_rows(scored: &Scored, rows: &[usize]) -> f64 {
    let (sum, squares) = rows.iter().fold((0.0, 0.0), |(sum, squares), idx| {
        let weight = scored.weight(*idx);
        (sum + weight, squares + weight * weight)
    });
    if squares == 0.0 { 0.0 } else { sum * sum / squares }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_differ_by_one_row_at_most() {
        for n in 1..40 {
            let score: Vec<f64> = (0..n).map(f64::from).collect();
            let sizes: Vec<usize> =
                equal_mass(&Scored::new(&score, &score), 10, |a, b| a.total_cmp(&b))
                    .iter()
                    .map(Vec::len)
                    .collect();
            let (min, max) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            assert!(max - min <= 1, "{sizes:?}");
            assert_eq!(sizes.iter().sum::<usize>(), n as usize);
        }
    }

    #[test]
    fn a_heavy_row_fills_a_group_by_itself() {
        let score = [1.0, 2.0, 3.0, 4.0];
        let scored = Scored { weight: Some(&[3.0, 1.0, 1.0, 1.0]), ..Scored::new(&score, &score) };
        assert_eq!(equal_mass(&scored, 2, |a, b| a.total_cmp(&b)), [vec![0], vec![1, 2, 3]]);
        assert_eq!(effective_rows(&scored, &[0, 1, 2, 3]), 3.0);
    }
}
