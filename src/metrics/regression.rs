//! Errors of predicted numbers: their size, their distribution, and the variance they leave.

use serde::Serialize;

use crate::metrics::{Scored, ratio};

pub(super) fn mse(scored: &Scored) -> Option<f64> {
    scored.mean(|truth, score| (truth - score) * (truth - score))
}

pub(super) fn rmse(scored: &Scored) -> Option<f64> {
    mse(scored).map(f64::sqrt)
}

pub(super) fn mae(scored: &Scored) -> Option<f64> {
    scored.mean(|truth, score| (truth - score).abs())
}

pub(super) fn r2(scored: &Scored) -> Option<f64> {
    let mean = scored.mean(|truth, _| truth)?;
    let mut truths = scored.rows().map(|(truth, _, _)| truth);
    // Asked exactly: the rounding of the mean would pass for the variance of a constant.
    let first = truths.next()?;
    if truths.all(|truth| truth == first) {
        return None;
    }
    let variance = scored.mean(|truth, _| (truth - mean) * (truth - mean))?;
    ratio(mse(scored)?, variance).map(|left| 1.0 - left)
}

/// The errors, truth less prediction: positive where the model said too little.
pub fn residuals(scored: &Scored) -> Vec<f64> {
    scored.truth.iter().zip(scored.score).map(|(truth, score)| truth - score).collect()
}

/// The distribution of some numbers in a few of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How many numbers there are.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation with the divisor n - 1; none for a single number.
    pub sd: Option<f64>,
    /// The smallest.
    pub min: f64,
    /// The 5 % quantile.
    pub q05: f64,
    /// The lower quartile.
    pub q25: f64,
    /// The median.
    pub median: f64,
    /// The upper quartile.
    pub q75: f64,
    /// The 95 % quantile.
    pub q95: f64,
    /// The largest.
    pub max: f64,
}

/// Summarises the finite ones of `values`, each counting once; `None` if there are none.
pub fn summary(values: &[f64]) -> Option<Summary> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len();
    let mean = sorted.iter().sum::<f64>() / n as f64;
    let squares: f64 = sorted.iter().map(|value| (value - mean) * (value - mean)).sum();
    Some(Summary {
        n,
        mean,
        sd: (1 < n).then(|| (squares / (n - 1) as f64).sqrt()),
        min: *sorted.first()?,
        q05: quantile(&sorted, 0.05)?,
        q25: quantile(&sorted, 0.25)?,
        median: quantile(&sorted, 0.5)?,
        q75: quantile(&sorted, 0.75)?,
        q95: quantile(&sorted, 0.95)?,
        max: *sorted.last()?,
    })
}

/// The quantile of ascending numbers, interpolated linearly between its neighbours: type 7 of
/// Hyndman and Fan (1996), as NumPy and R have it.
///
/// ```
/// assert_eq!(karat::metrics::quantile(&[1.0, 2.0, 4.0, 8.0], 0.5), Some(3.0));
/// ```
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = share.clamp(0.0, 1.0) * last as f64;
    let (below, rest) = (at as usize, at.fract());
    let low = sorted[below];
    let high = sorted[(below + 1).min(last)];
    Some(if rest == 0.0 { low } else { low + rest * (high - low) })
}

/// Numbers counted in bins of equal width.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Histogram {
    /// The lower edge of the first bin.
    pub low: f64,
    /// The width of every bin. All but the last leave out their upper edge.
    pub width: f64,
    /// How much falls into each bin: the rows, or their weights.
    pub counts: Vec<f64>,
}

/// Counts the finite ones of `values` in `n_bins` bins between the smallest and the largest;
/// `None` if there are no such values or no bins.
pub fn histogram(values: &[f64], weight: Option<&[f64]>, n_bins: usize) -> Option<Histogram> {
    let finite = || values.iter().enumerate().filter(|(_, value)| value.is_finite());
    let low = finite().map(|(_, value)| *value).reduce(f64::min)?;
    let high = finite().map(|(_, value)| *value).reduce(f64::max)?;
    let last = n_bins.checked_sub(1)?;
    // A constant still gets bins that can be drawn, itself in the middle.
    let (low, high) = if low < high { (low, high) } else { (low - 0.5, high + 0.5) };
    // Divided before it is subtracted, the widest range of numbers does not overflow.
    let width = high / n_bins as f64 - low / n_bins as f64;
    let mut counts = vec![0.0; n_bins];
    for (idx, value) in finite() {
        let bin = ((value / width - low / width) as usize).min(last);
        counts[bin] += weight.map_or(1.0, |weight| weight[idx]);
    }
    Some(Histogram { low, width, counts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::close;

    #[test]
    fn quantiles_are_those_of_numpy() {
        // numpy.quantile([1, 2, 4, 8], [.05, .25, .5, .9])
        for (share, expected) in [(0.05, 1.15), (0.25, 1.75), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0)] {
            close(quantile(&[1.0, 2.0, 4.0, 8.0], share).unwrap(), expected, 1e-14);
        }
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[3.0], 0.9), Some(3.0));
    }

    #[test]
    fn a_summary_passes_over_what_is_missing() {
        let summary = summary(&[4.0, f64::NAN, 1.0, 2.0, 8.0]).unwrap();
        assert_eq!((summary.n, summary.min, summary.median, summary.max), (4, 1.0, 3.0, 8.0));
        close(summary.mean, 3.75, 1e-15);
        close(summary.sd.unwrap(), 3.095_695_936_834_452, 1e-14);
        assert_eq!(super::summary(&[f64::NAN]), None);
    }

    #[test]
    fn a_constant_has_no_variance_to_explain() {
        let truth = vec![0.1; 1_000];
        assert_eq!(r2(&Scored::new(&truth, &vec![0.2; 1_000])), None);
        assert_eq!(r2(&Scored::new(&[1.0, 2.0], &[1.5, 1.5])), Some(0.0));
    }

    #[test]
    fn every_value_falls_into_one_bin() {
        let bins = histogram(&[0.0, 0.9, 1.0, 2.5, 4.0, f64::NAN], None, 4).unwrap();
        assert_eq!(bins, Histogram { low: 0.0, width: 1.0, counts: vec![2.0, 1.0, 1.0, 1.0] });
        let weighted = histogram(&[0.0, 4.0], Some(&[0.5, 3.0]), 2).unwrap();
        assert_eq!(weighted.counts, [0.5, 3.0]);
        let constant = histogram(&[7.0; 5], None, 3).unwrap();
        assert_eq!(constant.counts, [0.0, 5.0, 0.0]);
        let wide = histogram(&[f64::MIN, 0.0, f64::MAX], None, 2).unwrap();
        assert_eq!(wide.counts, [1.0, 2.0]);
    }

    #[test]
    fn an_error_is_the_truth_less_the_prediction() {
        assert_eq!(residuals(&Scored::new(&[3.0, 1.0], &[2.0, 4.0])), [1.0, -3.0]);
    }
}
