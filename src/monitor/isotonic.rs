//! A rising step function through what happened: isotonic regression.

/// A rising function, fitted by pooling neighbours that are out of order (Ayer et al., 1955), and
/// linear in between, as scikit-learn's `IsotonicRegression(out_of_bounds="clip")`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Isotonic {
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Isotonic {
    /// Fits rows of `(x, y)`; `None` without any.
    pub(super) fn fit(rows: impl Iterator<Item = (f64, f64)>) -> Option<Self> {
        let mut rows: Vec<(f64, f64)> = rows.collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Rows with the same x are one point.
        let mut points: Vec<(f64, f64, f64)> = Vec::new();
        for (x, y) in rows {
            match points.last_mut() {
                Some((last, sum, n)) if *last == x => (*sum, *n) = (*sum + y, *n + 1.0),
                _ => points.push((x, y, 1.0)),
            }
        }
        // Pools hold the sum of y, the rows and the points.
        let mut pools: Vec<(f64, f64, usize)> = Vec::new();
        for (_, sum, n) in &points {
            let mut pool = (*sum, *n, 1);
            while let Some(last) = pools.last().filter(|last| last.0 / last.1 >= pool.0 / pool.1) {
                pool = (pool.0 + last.0, pool.1 + last.1, pool.2 + last.2);
                pools.pop();
            }
            pools.push(pool);
        }
        let y = pools.iter().flat_map(|(sum, n, len)| std::iter::repeat_n(sum / n, *len)).collect();
        let x: Vec<f64> = points.into_iter().map(|(x, _, _)| x).collect();
        (!x.is_empty()).then_some(Self { x, y })
    }

    /// The value at `x`; beyond the ends that of the nearest end.
    pub(super) fn at(&self, x: f64) -> f64 {
        let above = self.x.partition_point(|known| *known <= x);
        let last = self.x.len() - 1;
        if above == 0 || above > last {
            return self.y[above.min(last)];
        }
        let (low, high) = (above - 1, above);
        let share = (x - self.x[low]) / (self.x[high] - self.x[low]);
        self.y[low] + share * (self.y[high] - self.y[low])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::close;
    use crate::monitor::fixtures::{cbpe, list};

    #[test]
    fn the_function_is_that_of_scikit_learn() {
        for case in cbpe() {
            let rows = list(&case["scores"]).into_iter().zip(list(&case["truth"]));
            let isotonic = Isotonic::fit(rows).unwrap();
            let at = [0.0, 0.11, 0.25, 0.333, 0.5, 0.67, 0.8, 0.99, 1.0];
            for (x, expected) in at.iter().zip(list(&case["isotonic"])) {
                close(isotonic.at(*x), expected, 1e-9);
            }
        }
        assert_eq!(Isotonic::fit(std::iter::empty()), None);
    }
}
