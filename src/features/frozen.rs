//! What columns and scores were like in training, in frozen bins: the reference against which
//! drift is measured.

/// The reference of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reference {
    /// One entry for each column that the model asks for.
    pub columns: Vec<ColumnReference>,
    /// Scores with the truth beside them.
    pub scores: ScoreReference,
    /// When it was made, in seconds since 1970.
    pub made: i64,
}

/// What a column was like.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnReference {
    /// Its name.
    pub name: String,
    /// Rows that were looked at.
    pub n: u64,
    /// Rows in which it was missing.
    pub missing: u64,
    /// Its values.
    pub shape: Shape,
}

/// The values of a column in bins.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Numbers, or dates as days.
    Numbers {
        /// Where one bin ends and the next begins, ascending; a value equal to one belongs above.
        edges: Vec<f64>,
        /// Rows in each bin, one more than there are edges.
        counts: Vec<u64>,
        /// Values evenly spaced by rank, ascending; all of them where there are few.
        sample: Vec<f64>,
        /// Their mean.
        mean: f64,
        /// Their standard deviation (divisor n).
        std: f64,
    },
    /// Levels.
    Levels {
        /// Their names.
        names: Vec<String>,
        /// Rows at each.
        counts: Vec<u64>,
    },
}

/// Scores that the model gave to rows it had not been fitted on, as far as there were any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScoreReference {
    /// Which rows they are of: `test`, `valid`, `out of fold` or `train`.
    pub rows: String,
    /// The scores, in the order of the rows.
    pub scores: Vec<f64>,
    /// The truth beside each.
    pub truth: Vec<f64>,
}

/// Bins of equal weight that numbers are divided into.
const BINS: usize = 10;
/// So many values are kept of a column, and so many scores.
pub const SAMPLE: usize = 2_000;
/// So many scores are kept.
pub const SCORES: usize = 5_000;

impl ColumnReference {
    /// Of numbers, NaN where missing.
    ///
    /// ```
    /// use karat::features::reference::{ColumnReference, Shape};
    ///
    /// let column = ColumnReference::of_numbers("x", (0..100).map(f64::from).collect());
    /// let Shape::Numbers { edges, counts, .. } = &column.shape else { panic!() };
    /// assert_eq!((edges[0], edges.len(), counts[0]), (10.0, 9, 10));
    /// ```
    pub fn of_numbers(name: &str, values: Vec<f64>) -> Self {
        let n = values.len() as u64;
        let mut known: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
        let missing = n - known.len() as u64;
        known.sort_by(f64::total_cmp);
        let mut edges: Vec<f64> = Vec::new();
        for bin in 1..BINS {
            // Before the first row there is nothing to divide.
            let Some(edge) = known.get(known.len() * bin / BINS) else { break };
            let is_inner = known.first().is_some_and(|first| first < edge);
            if is_inner && edges.last().is_none_or(|last| last < edge) {
                edges.push(*edge);
            }
        }
        let mut counts = vec![0; edges.len() + 1];
        for value in &known {
            counts[bin_of(&edges, *value)] += 1;
        }
        let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
        let squares: f64 = known.iter().map(|value| (value - mean).powi(2)).sum();
        let std = (squares / known.len().max(1) as f64).sqrt();
        let sample = spaced(&known, SAMPLE);
        Self { name: name.to_owned(), n, missing, shape: Shape::Numbers { edges, counts, sample, mean, std } }
    }

    /// Of levels: the names, and for each row the index of its level, `u32::MAX` where missing.
    pub fn of_levels(name: &str, names: &[String], codes: impl Iterator<Item = u32>) -> Self {
        let mut counts = vec![0_u64; names.len()];
        let (mut n, mut missing) = (0, 0);
        for code in codes {
            n += 1;
            match counts.get_mut(code as usize) {
                Some(count) => *count += 1,
                None => missing += 1,
            }
        }
        // Levels of other rows than these are as good as unseen.
        let kept = names.iter().zip(counts).filter(|(_, count)| *count > 0);
        let (names, counts) = kept.map(|(name, count)| (name.clone(), count)).unzip();
        Self { name: name.to_owned(), n, missing, shape: Shape::Levels { names, counts } }
    }
}

/// The bin that a number belongs to.
pub fn bin_of(edges: &[f64], value: f64) -> usize {
    edges.partition_point(|edge| *edge <= value)
}

/// At most so many of the values, evenly spaced, with the first and the last.
pub fn spaced(values: &[f64], most: usize) -> Vec<f64> {
    if values.len() <= most {
        return values.to_vec();
    }
    let last = values.len() - 1;
    (0..most).map(|at| values[at * last / (most - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_every_known_value_once() {
        let values: Vec<f64> =
            (0..1003).map(|i| if i % 10 == 0 { f64::NAN } else { f64::from(i * 7 % 31) }).collect();
        let column = ColumnReference::of_numbers("x", values);
        let Shape::Numbers { edges, counts, sample, .. } = &column.shape else { panic!() };
        assert_eq!(counts.iter().sum::<u64>() + column.missing, column.n);
        assert_eq!(counts.len(), edges.len() + 1);
        assert!(edges.is_sorted() && sample.is_sorted() && counts.iter().all(|n| *n > 0));
    }

    #[test]
    fn a_constant_column_is_one_bin() {
        let column = ColumnReference::of_numbers("x", vec![3.0; 50]);
        let Shape::Numbers { edges, counts, std, .. } = &column.shape else { panic!() };
        assert_eq!((edges.len(), counts[0], *std), (0, 50, 0.0));
        let empty = ColumnReference::of_numbers("x", vec![f64::NAN; 3]);
        assert_eq!((empty.n, empty.missing), (3, 3));
    }

    #[test]
    fn levels_of_other_rows_are_not_kept() {
        let names = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let column = ColumnReference::of_levels("x", &names, [0, 0, 2, u32::MAX].into_iter());
        let Shape::Levels { names, counts } = &column.shape else { panic!() };
        assert_eq!((names.len(), counts.as_slice(), column.missing), (2, &[2, 1][..], 1));
    }
}
