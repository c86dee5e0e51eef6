//! Shapley values by permutations, for models that are known by their scores alone.
//!
//! Columns are given the row's own values one after the other, in a random order, starting from a row
//! of the background; what each changes of the score is credited to it. The mean over orders is the
//! Shapley value (Castro, Gómez and Tejada, 2009; Štrumbelj and Kononenko, 2014). Each order is also
//! gone backwards, from the same background row, which makes the mean settle sooner (Mitchell,
//! Cooper, Frank and Holmes, 2022).

use ndarray::{Array2, ArrayView2, s};

use super::subject::one;
use super::{Attribution, Error, Subject};
use crate::jobs::Ctx;
use crate::rng::{Seed, stream};

/// The same row is always explained in the same words.
const SEED: u64 = 1;

/// Rows of the background that are used, each with one order and its reverse.
pub const N_PAIRS: usize = 32;

/// Rows that are scored at once, so that memory stays small however many columns there are.
const BLOCK: usize = 1 << 12;

/// What one row's score is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Permutation {
    /// The mean score of the background rows that were used.
    pub base: f64,
    /// What each column adds; with the base they sum up to the score, but for rounding.
    pub contributions: Vec<f64>,
}

/// What each column adds to the score of `row`, against a background (rows, columns) of ordinary
/// rows. The same seed gives the same; see [`explain`] for the base.
///
/// ```
/// use karat::explain::permutation::permutation;
/// use ndarray::{Array1, ArrayView2, array};
///
/// let score = |x: ArrayView2<f64>| x.dot(&Array1::from(vec![2.0, -1.0])).to_vec();
/// let told = permutation(&score, &[3.0, 1.0], array![[0.0, 0.0], [2.0, 4.0]].view(), 1);
/// assert!((told[0] - 4.0).abs() < 1e-12 && (told[1] - 1.0).abs() < 1e-12);
/// ```
pub fn permutation(
    score: &dyn Fn(ArrayView2<f64>) -> Vec<f64>,
    row: &[f64],
    background: ArrayView2<f64>,
    seed: u64,
) -> Vec<f64> {
    explain(score, row, background, seed).contributions
}

/// The same with the base. Up to [`N_PAIRS`] rows of the background are drawn without replacement;
/// from fewer, each is taken equally often.
///
/// # Panics
///
/// When the background is empty or has other columns than the row.
pub fn explain(
    score: &dyn Fn(ArrayView2<f64>) -> Vec<f64>,
    row: &[f64],
    background: ArrayView2<f64>,
    seed: u64,
) -> Permutation {
    let n = row.len();
    assert!(background.nrows() != 0, "the background has rows");
    assert_eq!(background.ncols(), n, "row and background have the same columns");
    let mut rng = stream(Seed(seed), "explain.permutation");
    let mut rows: Vec<usize> = (0..background.nrows()).collect();
    rng.shuffle(&mut rows);
    rows.truncate(N_PAIRS);
    let n_rounds = N_PAIRS / rows.len();
    let mut walks = Vec::new();
    for from in rows.repeat(n_rounds) {
        let mut order: Vec<usize> = (0..n).collect();
        rng.shuffle(&mut order);
        walks.push((from, order.clone()));
        order.reverse();
        walks.push((from, order));
    }
    let mut base = 0.0;
    let mut contributions = vec![0.0; n];
    for walks in walks.chunks((BLOCK / (n + 1)).max(1)) {
        let mut steps = Array2::zeros((walks.len() * (n + 1), n));
        for (walk, (from, order)) in walks.iter().enumerate() {
            let mut at = background.row(*from).to_owned();
            let first = walk * (n + 1);
            steps.row_mut(first).assign(&at);
            for (step, column) in order.iter().enumerate() {
                at[*column] = row[*column];
                steps.slice_mut(s![first + step + 1, ..]).assign(&at);
            }
        }
        let scores = score(steps.view());
        for ((_, order), scores) in walks.iter().zip(scores.chunks_exact(n + 1)) {
            base += scores[0];
            for (column, pair) in order.iter().zip(scores.windows(2)) {
                contributions[*column] += pair[1] - pair[0];
            }
        }
    }
    let n_walks = walks.len() as f64;
    for sum in &mut contributions {
        *sum /= n_walks;
    }
    Permutation { base: base / n_walks, contributions }
}

/// The same of one row of a subject, against its background.
pub(super) fn shapley(subject: &dyn Subject, row: &[f64], ctx: &Ctx) -> Result<Attribution, Error> {
    ctx.check()?;
    let score = |rows: ArrayView2<f64>| subject.scores(rows);
    let told = explain(&score, row, subject.background().view(), SEED);
    Ok(Attribution { base: told.base, score: one(subject, row), contributions: told.contributions })
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;

    use super::*;

    fn background() -> Array2<f64> {
        Array2::from_shape_fn((50, 3), |(row, column)| ((row * 7 + column * 3) as f64).sin())
    }

    /// Neither linear nor additive.
    fn score(x: ArrayView2<f64>) -> Vec<f64> {
        x.rows().into_iter().map(|row| (row[0] * row[1] + 0.5 * row[2]).tanh()).collect()
    }

    #[test]
    fn base_and_contributions_sum_up_to_the_score() {
        let row = [0.3, -1.2, 2.0];
        let told = explain(&score, &row, background().view(), 1);
        let sum = told.base + told.contributions.iter().sum::<f64>();
        let own = score(ArrayView2::from_shape((1, 3), &row).unwrap())[0];
        assert!((sum - own).abs() < 1e-12, "{sum} and {own}");
    }

    #[test]
    fn the_same_seed_tells_the_same() {
        let of = |seed| permutation(&score, &[1.0, 2.0, 3.0], background().view(), seed);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn a_linear_score_is_told_exactly() {
        let weights = Array1::from(vec![1.0, -2.0, 0.0]);
        let linear = |x: ArrayView2<f64>| x.dot(&weights).to_vec();
        let few = background().slice(s![..4, ..]).to_owned();
        let told = permutation(&linear, &[1.0, 1.0, 1.0], few.view(), 5);
        for (column, value) in told.iter().enumerate() {
            let mean = few.column(column).mean().unwrap();
            assert!((value - weights[column] * (1.0 - mean)).abs() < 1e-12);
        }
    }

    #[test]
    fn a_product_of_two_is_shared_and_a_silent_column_gets_nothing() {
        let product =
            |x: ArrayView2<f64>| x.rows().into_iter().map(|row| row[0] * row[1]).collect();
        let told = permutation(&product, &[2.0, 3.0, 9.0], Array2::zeros((1, 3)).view(), 7);
        assert_eq!(told, [3.0, 3.0, 0.0]);
    }
}
