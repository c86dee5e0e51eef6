//! The decile table: rows in groups from the highest scores down, and how much each catches.

use serde::Serialize;

use crate::metrics::distribution::wilson;
use crate::metrics::groups::{effective_rows, equal_mass};
use crate::metrics::{LEVEL, Scored, is_positive, ratio};

/// One group of rows with scores alike. "Bad" is the positive class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Decile {
    /// 1 for the group with the highest scores.
    pub rank: usize,
    /// How many rows it has, or their weight.
    pub n: f64,
    /// How many of them are bad, or their weight.
    pub bads: f64,
    /// Share of the group that is bad.
    pub bad_rate: f64,
    /// Lower end of Wilson's 95 % interval of that share.
    pub low: f64,
    /// Upper end of it.
    pub high: f64,
    /// Lowest score in the group.
    pub score_low: f64,
    /// Highest score in the group.
    pub score_high: f64,
    /// Bad rate of the group over that of all rows.
    pub lift: Option<f64>,
    /// Share of all bads that this group and those above it hold.
    pub captured: Option<f64>,
    /// Bad rate of this group and those above it over that of all rows.
    pub cumulative_lift: Option<f64>,
    /// Distance of the two classes' cumulative shares below this group; the largest of them is the
    /// KS of the table, which never exceeds that of the scores unless a cut divides equal ones.
    pub ks: Option<f64>,
}

/// Cuts the rows into `n_groups` of equal weight by falling score; rows of equal score stay in
/// their order. Groups without rows are left out, and all are if rows cannot be measured.
pub fn deciles(scored: &Scored, n_groups: usize) -> Vec<Decile> {
    let Some(scored) = scored.sound() else { return Vec::new() };
    let groups = equal_mass(scored, n_groups, |a, b| b.total_cmp(&a));
    let (all, all_bads) = weigh(scored, groups.iter().flatten());
    let (mut n_so_far, mut bads_so_far) = (0.0, 0.0);
    let mut table = Vec::with_capacity(n_groups);
    for rows in groups {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { continue };
        let (n, bads) = weigh(scored, &rows);
        n_so_far += n;
        bads_so_far += bads;
        let bad_rate = bads / n;
        let (low, high) = wilson(bad_rate, effective_rows(scored, &rows), LEVEL);
        let captured = ratio(bads_so_far, all_bads);
        let goods = ratio(n_so_far - bads_so_far, all - all_bads);
        table.push(Decile {
            rank: table.len() + 1,
            n,
            bads,
            bad_rate,
            low,
            high,
            score_low: scored.score[*last],
            score_high: scored.score[*first],
            lift: ratio(bad_rate, all_bads / all),
            captured,
            cumulative_lift: ratio(bads_so_far / n_so_far, all_bads / all),
            ks: captured.zip(goods).map(|(bads, goods)| (bads - goods).abs()),
        });
    }
    table
}

/// The weight of some rows, and of the bad ones among them.
fn weigh<'a>(scored: &Scored, rows: impl IntoIterator<Item = &'a usize>) -> (f64, f64) {
    rows.into_iter().fold((0.0, 0.0), |(all, bads), idx| {
        let weight = scored.weight(*idx);
        (all + weight, bads + if is_positive(scored.truth[*idx]) { weight } else { 0.0 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::ranking::ks;
    use crate::metrics::samples::{SCORE, TRUTH, WEIGHT, close};

    #[test]
    fn the_table_adds_up() {
        let scored = Scored { weight: Some(&WEIGHT), ..Scored::new(&TRUTH, &SCORE) };
        let table = deciles(&scored, 4);
        close(table.iter().map(|row| row.n).sum(), WEIGHT.iter().sum(), 1e-12);
        close(table.iter().map(|row| row.bads).sum(), 6.5, 1e-12);
        let last = table.last().unwrap();
        assert_eq!((last.rank, last.captured, last.ks), (4, Some(1.0), Some(0.0)));
        assert_eq!(last.cumulative_lift, Some(1.0));
        assert!(table.windows(2).all(|pair| pair[1].score_high <= pair[0].score_low), "{table:?}");
        assert!(table.iter().all(|row| row.low <= row.bad_rate && row.bad_rate <= row.high));
    }

    #[test]
    fn the_first_group_has_the_highest_scores() {
        let table = deciles(&Scored::new(&TRUTH, &SCORE), 4);
        let first = table[0];
        assert_eq!((first.rank, first.n, first.bads), (1, 3.0, 2.0));
        assert_eq!((first.score_low, first.score_high), (0.55, 0.9));
        close(first.lift.unwrap(), 4.0 / 3.0, 1e-15);
        close(first.captured.unwrap(), 1.0 / 3.0, 1e-15);
        close(first.ks.unwrap(), 1.0 / 6.0, 1e-15);
    }

    #[test]
    fn the_ks_of_the_table_is_at_most_that_of_the_scores() {
        let scored = Scored::new(&TRUTH, &SCORE);
        let of_scores = ks(&scored).unwrap();
        for n_groups in 1..12 {
            let table = deciles(&scored, n_groups);
            let widest = table.iter().filter_map(|row| row.ks).fold(0.0, f64::max);
            // Cutting within a tie may overstate it by no more than the tie is heavy.
            assert!(widest <= of_scores + 1.0 / 6.0 + 1e-12, "{n_groups}: {widest}");
        }
    }

    #[test]
    fn fewer_rows_than_groups_are_one_group_each() {
        let table = deciles(&Scored::new(&[1.0, 0.0], &[0.9, 0.1]), 10);
        assert_eq!(table.iter().map(|row| row.rank).collect::<Vec<_>>(), [1, 2]);
        assert!(deciles(&Scored::new(&[], &[]), 10).is_empty());
        let good = deciles(&Scored::new(&[0.0, 0.0], &[0.9, 0.1]), 1);
        assert_eq!((good[0].lift, good[0].captured, good[0].ks), (None, None, None));
    }
}
