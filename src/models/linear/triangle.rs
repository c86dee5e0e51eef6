//! A least squares problem reduced to an upper triangle, whatever the number of its rows.
//!
//! Rows are taken in by Householder reflections (TSQR: the triangle is updated chunk by chunk, and
//! triangles of blocks are merged the same way), or by the Cholesky factor of a Gram matrix, which
//! is faster but squares the condition number. The triangle is then solved by linfa-linear.

use linfa::Dataset;
use linfa::traits::Fit as _;
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2, ShapeBuilder};

use super::error::{Error, guarded};
use super::lanes::{add_scaled, dot};

/// An upper triangle of `size` columns, column-major.
#[derive(Clone, Debug)]
pub(super) struct Triangle {
    size: usize,
    r: Vec<f64>,
}

impl Triangle {
    /// The triangle of no rows.
    pub(super) fn empty(size: usize) -> Self {
        Self { size, r: vec![0.0; size * size] }
    }

    /// The Cholesky factor of a Gram matrix (column-major); `None` unless it is clearly positive
    /// definite.
    pub(super) fn of_gram(gram: &[f64], size: usize) -> Option<Self> {
        let mut r = vec![0.0; size * size];
        for j in 0..size {
            let (done, rest) = r.split_at_mut(j * size);
            let column = &mut rest[..size];
            for (i, left) in done.chunks_exact(size).enumerate() {
                column[i] = (gram[j * size + i] - dot(&left[..i], &column[..i])) / left[i];
            }
            let diagonal = gram[j * size + j];
            let pivot = diagonal - dot(&column[..j], &column[..j]);
            if pivot.is_nan() || pivot <= 1e-13 * diagonal {
                return None;
            }
            column[j] = pivot.sqrt();
        }
        Some(Self { size, r })
    }

    /// How many columns it has.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// The element in row `i` and column `j`.
    pub(super) fn at(&self, i: usize, j: usize) -> f64 {
        self.r[j * self.size + i]
    }

    /// The part of column `j` on and above the diagonal.
    pub(super) fn column(&self, j: usize) -> &[f64] {
        &self.r[j * self.size..=j * self.size + j]
    }

    /// Takes in `n_rows` rows, given as columns that lie `stride` apart; they are overwritten.
    pub(super) fn absorb(&mut self, rows: &mut [f64], stride: usize, n_rows: usize) {
        let size = self.size;
        for k in 0..size {
            let (left, right) = rows.split_at_mut(((k + 1) * stride).min(rows.len()));
            let v = &left[k * stride..][..n_rows];
            let square = dot(v, v);
            if square == 0.0 {
                continue;
            }
            let old = self.r[k * size + k];
            let norm = (old * old + square).sqrt();
            let new = if 0.0 < old { -norm } else { norm };
            let v0 = old - new;
            let tau = 2.0 / (v0 * v0 + square);
            self.r[k * size + k] = new;
            for j in k + 1..size {
                let column = &mut right[(j - k - 1) * stride..][..n_rows];
                let top = &mut self.r[j * size + k];
                let t = tau * (v0 * *top + dot(v, column));
                *top -= t * v0;
                add_scaled(column, -t, v);
            }
        }
    }

    /// Takes in the rows that another triangle stands for.
    pub(super) fn merge(&mut self, mut other: Self) {
        self.absorb(&mut other.r, other.size, other.size);
    }

    /// Takes in one row `sqrt(penalties[j])` for each of the first unknowns.
    pub(super) fn absorb_penalties(&mut self, penalties: &[f64]) {
        if penalties.iter().any(|penalty| 0.0 < *penalty) {
            let mut rows = Self::empty(self.size);
            for (j, penalty) in penalties.iter().enumerate() {
                rows.r[j * self.size + j] = penalty.sqrt();
            }
            self.merge(rows);
        }
    }

    /// Those of the first `n_unknowns` columns that do not depend on columns before them: what is
    /// left of a column beside the others must be more than `tolerance` of it.
    pub(super) fn independent(&self, n_unknowns: usize, tolerance: f64) -> Vec<usize> {
        let mut basis: Vec<Vec<f64>> = Vec::new();
        let mut kept = Vec::new();
        for j in 0..n_unknowns {
            let mut rest = self.r[j * self.size..][..self.size].to_vec();
            let whole = dot(&rest, &rest).sqrt();
            // Twice is enough (Parlett, 1980).
            for direction in basis.iter().chain(&basis) {
                let along = dot(direction, &rest);
                add_scaled(&mut rest, -along, direction);
            }
            let left = dot(&rest, &rest).sqrt();
            if tolerance * whole < left {
                for value in &mut rest {
                    *value /= left;
                }
                basis.push(rest);
                kept.push(j);
            }
        }
        kept
    }

    /// The triangle of some of the columns, in the order given.
    pub(super) fn select(&self, columns: &[usize]) -> Self {
        let mut selected = Self::empty(columns.len());
        let mut rows: Vec<f64> =
            columns.iter().flat_map(|j| &self.r[j * self.size..][..self.size]).copied().collect();
        selected.absorb(&mut rows, self.size, self.size);
        selected
    }

    /// The inverse of the first `n` rows and columns, itself an upper triangle; `None` when a
    /// diagonal element is 0.
    pub(super) fn inverse(&self, n: usize) -> Option<Self> {
        let mut inverse = Self::empty(n);
        for j in 0..n {
            let column = &mut inverse.r[j * n..][..n];
            column[j] = 1.0;
            for i in (0..=j).rev() {
                column[i] /= self.at(i, i);
                let solved = column[i];
                add_scaled(&mut column[..i], -solved, &self.r[i * self.size..][..i]);
            }
            if column[..=j].iter().any(|value| !value.is_finite()) {
                return None;
            }
        }
        Some(inverse)
    }

    /// The condition number of the first `n` columns in the Frobenius norm; infinite when they
    /// are dependent.
    pub(super) fn condition(&self, n: usize) -> f64 {
        let norm = |triangle: &Self| {
            (0..n).map(|j| dot(triangle.column(j), triangle.column(j))).sum::<f64>().sqrt()
        };
        self.inverse(n).map_or(f64::INFINITY, |inverse| norm(self) * norm(&inverse))
    }

    /// Solves `transpose(R) u = right` for the first `right.len()` columns.
    pub(super) fn solve_transposed(&self, right: &[f64]) -> Vec<f64> {
        let mut u: Vec<f64> = Vec::with_capacity(right.len());
        for (j, right) in right.iter().enumerate() {
            let column = self.column(j);
            u.push((right - dot(&column[..j], &u)) / column[j]);
        }
        u
    }

    /// The least squares solution for the right side `right`, by linfa-linear.
    pub(super) fn solve(&self, right: Vec<f64>) -> Result<Vec<f64>, Error> {
        let n = right.len();
        let columns = (0..n).flat_map(|j| &self.r[j * self.size..][..n]).copied().collect();
        let matrix = Array2::from_shape_vec((n, n).f(), columns)
            .expect("n columns of n rows were collected");
        let dataset = Dataset::new(matrix, Array1::from(right));
        let model = guarded(|| LinearRegression::new().with_intercept(false).fit(&dataset))?;
        let solution = model.params().to_vec();
        if solution.iter().all(|value| value.is_finite()) {
            Ok(solution)
        } else {
            Err(Error::Linfa("the solution is not finite".into()))
        }
    }

    /// The least squares solution whose right side is the last column.
    pub(super) fn solve_last(&self) -> Result<Vec<f64>, Error> {
        let last = self.size - 1;
        self.solve(self.column(last)[..last].to_vec())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows_of(values: &[f64], n_columns: usize) -> (Vec<f64>, usize) {
        let n_rows = values.len() / n_columns;
        (values[..n_rows * n_columns].to_vec(), n_rows)
    }

    proptest! {
        #[test]
        fn the_triangle_keeps_all_inner_products(
            values in prop::collection::vec(-9.0..9.0_f64, 3..120),
        ) {
            let (rows, n_rows) = rows_of(&values, 3);
            let mut triangle = Triangle::empty(3);
            triangle.absorb(&mut rows.clone(), n_rows, n_rows);
            for i in 0..3 {
                for j in i..3 {
                    let expected = dot(&rows[i * n_rows..][..n_rows], &rows[j * n_rows..][..n_rows]);
                    let got = dot(&triangle.column(i)[..=i], &triangle.column(j)[..=i]);
                    prop_assert!((expected - got).abs() < 1e-10 * (1.0 + expected.abs()));
                }
            }
        }
    }

    #[test]
    fn a_dependent_column_is_found_and_the_earlier_one_kept() {
        let mut rows =
            vec![1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 2.0, 3.0, 5.0, 7.0, 9.0, 11.0, 1.0, 0.0, 0.0, 2.0];
        let mut triangle = Triangle::empty(4);
        triangle.absorb(&mut rows, 4, 4);
        assert_eq!(triangle.independent(4, 1e-10), [0, 1, 3]);
        assert!(triangle.condition(4) > 1e12);
        assert!(triangle.select(&[0, 1, 3]).condition(3) < 100.0);
    }

    #[test]
    fn both_ways_give_the_same_triangle() {
        let gram = [4.0, 2.0, 2.0, 5.0];
        let triangle = Triangle::of_gram(&gram, 2).unwrap();
        assert_eq!(triangle.column(1), [1.0, 2.0]);
        assert_eq!(triangle.inverse(2).unwrap().column(1), [-0.25, 0.5]);
        assert_eq!(triangle.solve_transposed(&[2.0, 5.0]), [1.0, 2.0]);
        assert!(Triangle::of_gram(&[1.0, 1.0, 1.0, 1.0], 2).is_none());
    }
}
