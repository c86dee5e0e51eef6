//! The one scorer: every caller, batch and row goes through it, so that no score differs by a bit.

use ndarray::{ArrayView2, s};

use super::Problem;
use super::lanes::add_scaled;
use super::pass::{Loss, loss_at};

/// Rows that are scored together, so that they stay in the cache.
const CHUNK: usize = 1024;

/// The linear score of each row: the intercept, then one product after the other in the order of
/// the columns. The batch that a row comes in changes nothing.
///
/// # Panics
/// If there is not one coefficient for each column.
///
/// ```
/// use karat::models::linear::{score_rows, sigmoid};
///
/// let x = ndarray::array![[1.0, 2.0], [3.0, 4.0]];
/// let scores = score_rows(x.view(), 0.5, &[1.0, -1.0]);
/// assert_eq!(scores, [-0.5, -0.5]);
/// assert!((sigmoid(scores[0]) - 0.3775).abs() < 1e-4);
/// ```
pub fn score_rows(x: ArrayView2<f64>, intercept: f64, coefficients: &[f64]) -> Vec<f64> {
    assert_eq!(x.ncols(), coefficients.len(), "one coefficient for each column");
    let mut scores = vec![intercept; x.nrows()];
    for (idx, scores) in scores.chunks_mut(CHUNK).enumerate() {
        score_chunk(x, idx * CHUNK, coefficients, scores);
    }
    scores
}

/// The probability that belongs to a score on the scale of log-odds.
pub fn sigmoid(score: f64) -> f64 {
    let small = (-score.abs()).exp();
    let share = 1.0 / (1.0 + small);
    if 0.0 <= score { share } else { small * share }
}

/// The mean loss of a problem, by the weights of its rows.
pub(super) fn mean_loss(
    problem: &Problem,
    loss: Loss,
    intercept: f64,
    coefficients: &[f64],
) -> Option<f64> {
    let (mut sum, mut total) = (0.0, 0.0);
    let mut scores = [0.0; CHUNK];
    for (idx, y) in problem.y.chunks(CHUNK).enumerate() {
        let scores = &mut scores[..y.len()];
        scores.fill(intercept);
        score_chunk(problem.x, idx * CHUNK, coefficients, scores);
        for (row, (score, y)) in (idx * CHUNK..).zip(scores.iter().zip(y)) {
            let weight = problem.weights.map_or(1.0, |weights| weights[row]);
            sum += weight * loss_at(loss, *score, *y);
            total += weight;
        }
    }
    let mean = sum / total;
    mean.is_finite().then_some(mean)
}

/// Adds the products of the rows from `start` on to `scores`.
fn score_chunk(x: ArrayView2<f64>, start: usize, coefficients: &[f64], scores: &mut [f64]) {
    for (column, coefficient) in x.columns().into_iter().zip(coefficients) {
        if let Some(column) = column.to_slice() {
            add_scaled(scores, *coefficient, &column[start..]);
        } else {
            let values = column.slice_move(s![start..]);
            scores.iter_mut().zip(&values).for_each(|(score, value)| *score += coefficient * value);
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_score_does_not_depend_on_batch_or_order(
            values in prop::collection::vec(-1e3..1e3_f64, 12..60),
        ) {
            let n = values.len() / 3;
            let x = Array2::from_shape_vec((n, 3), values[..3 * n].to_vec()).unwrap();
            let coefficients = [0.1, -0.7, 1.3];
            let all = score_rows(x.view(), 0.3, &coefficients);
            let columns_first = x.t().as_standard_layout().to_owned();
            prop_assert_eq!(&all, &score_rows(columns_first.t(), 0.3, &coefficients));
            for (row, score) in all.iter().enumerate() {
                let one = score_rows(x.slice(s![row..=row, ..]), 0.3, &coefficients);
                prop_assert_eq!(one[0].to_bits(), score.to_bits());
            }
        }

        #[test]
        fn a_probability_stays_in_range(score in prop::num::f64::NORMAL) {
            prop_assert!((0.0..=1.0).contains(&sigmoid(score)));
            prop_assert!((sigmoid(score) + sigmoid(-score) - 1.0).abs() < 1e-15);
        }
    }
}
