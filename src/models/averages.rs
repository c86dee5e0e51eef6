//! What the matrix of a model was on average in training: the backgrounds of explanations.

use ndarray::{ArrayView2, Axis};

/// The means of the columns of the matrix over the training rows, kept with the model so that
/// every explanation names the same background.
#[derive(Clone, Debug, PartialEq)]
pub struct Averages {
    /// The mean of each column over all training rows, each counted by its weight.
    pub all: Vec<f64>,
    /// How many training rows there were.
    pub n: usize,
    /// The rows at and just below the decision threshold, on the negative side.
    pub below: Option<Near>,
    /// The rows at and just above it, on the positive side.
    pub above: Option<Near>,
    /// When the averages were taken, in seconds since 1970.
    pub made: i64,
}

/// The rows nearest to the decision threshold on one side of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Near {
    /// The mean of each column over these rows.
    pub means: Vec<f64>,
    /// How many rows there are.
    pub n: usize,
    /// The lowest score among them.
    pub low: f64,
    /// The highest score among them.
    pub high: f64,
}

/// Of the rows on one side so large a share counts as near to the threshold.
const NEAR: f64 = 0.1;
/// But at least so many, as far as there are any.
const FEWEST: usize = 30;
/// And no more than this, since a mean over more tells nothing else.
const MOST: usize = 10_000;

/// The mean of each column of a matrix (rows, columns), each row counted by its weight.
pub(crate) fn means(x: ArrayView2<f64>, weights: Option<&[f64]>) -> Vec<f64> {
    let mean = |column: ndarray::ArrayView1<f64>| match weights {
        None => column.iter().sum::<f64>() / column.len().max(1) as f64,
        Some(weights) => {
            let sum: f64 = column.iter().zip(weights).map(|(x, w)| x * w).sum();
            let total: f64 = weights.iter().sum();
            if total > 0.0 { sum / total } else { 0.0 }
        }
    };
    x.axis_iter(Axis(1)).map(mean).collect()
}

/// The places of the scores that lie nearest to the threshold on either side: first those below
/// it, then those at or above.
pub(crate) fn nearest(scores: &[f64], threshold: f64) -> [Vec<usize>; 2] {
    let side = |is_in: &dyn Fn(f64) -> bool| {
        let mut places: Vec<usize> = (0..scores.len()).filter(|at| is_in(scores[*at])).collect();
        let n = ((places.len() as f64 * NEAR) as usize).clamp(FEWEST, MOST).min(places.len());
        let far = |at: &usize| (scores[*at] - threshold).abs();
        places.sort_by(|a, b| far(a).total_cmp(&far(b)).then(a.cmp(b)));
        places.truncate(n);
        places.sort_unstable();
        places
    };
    [side(&|score| score < threshold), side(&|score| score >= threshold)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_nearest_to_the_threshold_are_found_on_both_sides() {
        let scores: Vec<f64> = (0..1000).map(|i| f64::from(i) / 1000.0).collect();
        let [below, above] = nearest(&scores, 0.5);
        assert_eq!((below.len(), above.len()), (50, 50));
        assert_eq!((below[0], below[49]), (450, 499));
        assert_eq!((above[0], above[49]), (500, 549));
        let [below, above] = nearest(&scores[..40], 0.5);
        assert_eq!((below.len(), above.len()), (30, 0));
    }

    #[test]
    fn weights_count() {
        let x = ndarray::array![[1.0], [3.0]];
        assert_eq!(means(x.view(), None), [2.0]);
        assert_eq!(means(x.view(), Some(&[3.0, 1.0])), [1.5]);
    }
}
