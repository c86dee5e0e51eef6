//! Mean and spread of columns, with every value looked at once.

use super::lanes::{dot, sum};

/// Rows that are summed around their own mean before they are merged.
const CHUNK: usize = 1024;

/// Weighted mean and standard deviation of a column, the latter with the divisor n.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moments {
    pub(super) mean: f64,
    pub(super) std: f64,
}

impl Moments {
    /// The moments of `values`; not finite if any of the values is not.
    ///
    /// Sums of squares are taken around the mean of each chunk and merged (Chan et al.,
    /// 1983), so that a column such as a year keeps its digits.
    pub(super) fn of(values: &[f64], weights: Option<&[f64]>) -> Self {
        let (mut total, mut mean, mut squares) = (0.0, 0.0, 0.0);
        let mut scratch = [0.0; CHUNK];
        for (idx, chunk) in values.chunks(CHUNK).enumerate() {
            let weights = weights.map(|weights| &weights[idx * CHUNK..][..chunk.len()]);
            let weight = weights.map_or(chunk.len() as f64, sum);
            if weight == 0.0 {
                continue;
            }
            let chunk_mean = weights.map_or_else(|| sum(chunk), |w| dot(chunk, w)) / weight;
            let centred = &mut scratch[..chunk.len()];
            for (to, value) in centred.iter_mut().zip(chunk) {
                *to = value - chunk_mean;
            }
            let inner = match weights {
                None => dot(centred, centred),
                Some(weights) => {
                    centred.iter().zip(weights).map(|(value, weight)| weight * value * value).sum()
                }
            };
            let (delta, merged) = (chunk_mean - mean, total + weight);
            mean += delta * (weight / merged);
            squares += inner + delta * delta * (total / merged * weight);
            total = merged;
        }
        Self { mean, std: (squares / total).sqrt() }
    }

    /// Whether the values differ by nothing but rounding.
    pub(super) fn is_constant(&self) -> bool {
        self.std <= 1e-12 * self.mean.abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_survive_a_large_offset() {
        let values: Vec<f64> = (0..10_000).map(|i| 1e9 + f64::from(i % 2)).collect();
        let moments = Moments::of(&values, None);
        assert!((moments.mean - 1e9 - 0.5).abs() < 1e-6, "{moments:?}");
        assert!((moments.std - 0.5).abs() < 1e-9, "{moments:?}");
    }

    #[test]
    fn a_weight_counts_like_repeated_rows() {
        let weighted = Moments::of(&[1.0, 5.0, 9.0], Some(&[2.0, 1.0, 0.0]));
        let repeated = Moments::of(&[1.0, 1.0, 5.0], None);
        assert!((weighted.mean - repeated.mean).abs() < 1e-15);
        assert!((weighted.std - repeated.std).abs() < 1e-15);
    }

    #[test]
    fn rounding_does_not_make_a_constant_vary() {
        assert!(Moments::of(&vec![0.1; 9_999], None).is_constant());
        assert!(!Moments::of(&[0.1, 0.1 + 1e-9], None).is_constant());
    }
}
