//! Which rows of a large table are looked at.

/// Tables up to this size are looked at row by row.
const MOST: usize = 1_000_000;
/// Out of larger ones so many rows are looked at.
const SAMPLE: usize = 200_000;

/// The rows that quantiles and levels are taken from.
pub(super) struct Looked {
    n: usize,
    /// Positions, ascending, unless all rows are looked at.
    pub(super) sample: Option<Vec<u32>>,
}

impl Looked {
    pub(super) fn at(n: usize) -> Self {
        Self { n, sample: (n > MOST).then(|| spread(n, SAMPLE)) }
    }

    pub(super) fn sampled(&self) -> Option<usize> {
        self.sample.as_ref().map(Vec::len)
    }

    /// The numbers at these rows that are not missing.
    pub(super) fn known(&self, values: &[f64]) -> Vec<f64> {
        debug_assert_eq!(self.n, values.len());
        match &self.sample {
            None => values.iter().copied().filter(|v| !v.is_nan()).collect(),
            Some(rows) => {
                rows.iter().map(|row| values[*row as usize]).filter(|v| !v.is_nan()).collect()
            }
        }
    }
}

/// Positions for a relation to the target: the given ones, or a part of them evenly spread.
pub(super) fn relation_rows(n: usize, training: Option<&[u32]>) -> Vec<u32> {
    match training {
        Some(rows) if rows.len() > MOST => {
            spread(rows.len(), SAMPLE).into_iter().map(|i| rows[i as usize]).collect()
        }
        Some(rows) => rows.to_vec(),
        None if n > MOST => spread(n, SAMPLE),
        None => (0..n as u32).collect(),
    }
}

/// One position out of each of `wanted` equally long stretches of `0..n`, ascending; all positions
/// if there are no more. Where in its stretch a position lies is mixed from its number, so that a
/// period in the rows does no harm.
pub(in crate::data) fn spread(n: usize, wanted: usize) -> Vec<u32> {
    if n <= wanted {
        return (0..n as u32).collect();
    }
    let place = |i: usize| {
        let (start, end) = (i * n / wanted, (i + 1) * n / wanted);
        (start + mix(i as u64) as usize % (end - start)) as u32
    };
    (0..wanted).map(place).collect()
}

/// Bits of a number stirred beyond recognition (`SplitMix64`; Steele, Lea and Flood, 2014), and
/// the same everywhere.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) >> 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_rows_are_as_many_as_wanted_and_ascend() {
        let rows = spread(1_000_003, 777);
        assert_eq!(rows.len(), 777);
        assert!(rows.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(*rows.last().unwrap() < 1_000_003);
        assert_eq!(spread(3, 5), [0, 1, 2]);
        assert!(spread(0, 5).is_empty());
    }
}
