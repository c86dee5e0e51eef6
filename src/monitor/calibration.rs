//! Whether scores have to be bent before they can be taken for probabilities.

use super::isotonic::Isotonic;
use crate::metrics::{Scored, metric};
use crate::rng::numpy::RandomState;

/// Splits that are tried, the share of rows that each holds back, and the seed of nannyml.
const SPLITS: usize = 10;
const HELD_BACK: f64 = 0.1;
const SEED: u64 = 42;
const BINS: usize = 10;

/// The calibration of `scores`, if it lowers the expected calibration error of rows that it was
/// not fitted on, pooled over ten stratified splits; as nannyml's `needs_calibration` decides,
/// on the very same splits.
pub(super) fn calibrate(scores: &[f64], truth: &[f64]) -> Option<Isotonic> {
    let auc = metric("roc_auc").and_then(|auc| (auc.compute)(&Scored::new(truth, scores)))?;
    if auc > 0.999 {
        return None;
    }
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (train, test) in stratified_splits(truth)? {
        let isotonic = Isotonic::fit(train.iter().map(|row| (scores[*row], truth[*row])))?;
        before.extend(test.iter().map(|row| (scores[*row], truth[*row])));
        after.extend(test.iter().map(|row| (isotonic.at(scores[*row]), truth[*row])));
    }
    let better = calibration_error(after)? < calibration_error(before)?;
    better.then(|| Isotonic::fit(scores.iter().copied().zip(truth.iter().copied()))).flatten()
}

/// The expected calibration error over ten bins of as many rows each.
fn calibration_error(mut rows: Vec<(f64, f64)>) -> Option<f64> {
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n = rows.len();
    let n_bins = if n <= 2 * BINS { n / 2 } else { BINS };
    if n_bins < 2 {
        return None;
    }
    let mut edges: Vec<usize> = (0..=n).step_by(n / n_bins).collect();
    // What is left over belongs to the last bin.
    *edges.last_mut()? = n;
    let errors = edges.windows(2).map(|edge| {
        let bin = &rows[edge[0]..edge[1]];
        bin.iter().map(|(p, y)| p - y).sum::<f64>().abs() / n as f64
    });
    Some(errors.sum())
}

/// The splits of scikit-learn's `StratifiedShuffleSplit(10, test_size=0.1, random_state=42)`:
/// training and test rows; `None` where a class has less than two rows.
fn stratified_splits(truth: &[f64]) -> Option<Vec<(Vec<usize>, Vec<usize>)>> {
    let of_class = |is: bool| (0..truth.len()).filter(|row| (truth[*row] > 0.5) == is).collect();
    let classes: [Vec<usize>; 2] = [of_class(false), of_class(true)];
    let counts = [classes[0].len(), classes[1].len()];
    let n_test = (HELD_BACK * truth.len() as f64).ceil() as usize;
    if counts.iter().any(|n| *n < 2) || n_test < 2 {
        return None;
    }
    let mut rng = RandomState::new(SEED).ok()?;
    let splits = (0..SPLITS).map(|_| {
        let n_train = allot(counts, truth.len() - n_test, &mut rng);
        let left = [counts[0] - n_train[0], counts[1] - n_train[1]];
        let n_tests = allot(left, n_test, &mut rng);
        let (mut train, mut test) = (Vec::new(), Vec::new());
        for class in 0..2 {
            let order = rng.permutation(counts[class]);
            let (first, rest) = order.split_at(n_train[class]);
            train.extend(first.iter().map(|at| classes[class][*at]));
            test.extend(rest[..n_tests[class]].iter().map(|at| classes[class][*at]));
        }
        let shuffled = |rows: Vec<usize>, rng: &mut RandomState| -> Vec<usize> {
            rng.permutation(rows.len()).into_iter().map(|at| rows[at]).collect()
        };
        let train = shuffled(train, &mut rng);
        (train, shuffled(test, &mut rng))
    });
    Some(splits.collect())
}

/// How many of `n` draws fall to each class; ties are broken by chance.
fn allot(counts: [usize; 2], n: usize, rng: &mut RandomState) -> [usize; 2] {
    let total = (counts[0] + counts[1]) as f64;
    let exact = counts.map(|count| count as f64 / total * n as f64);
    let mut whole = exact.map(|share| share.floor() as usize);
    let rest = [exact[0] - exact[0].floor(), exact[1] - exact[1].floor()];
    match n.saturating_sub(whole[0] + whole[1]) {
        0 => {}
        1 if rest[0] == rest[1] => whole[rng.permutation(2)[0]] += 1,
        1 => whole[usize::from(rest[1] > rest[0])] += 1,
        _ => whole = whole.map(|share| share + 1),
    }
    whole
}
