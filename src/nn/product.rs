//! The matrix product, on which nearly all the time of a network is spent.

use std::sync::atomic::{AtomicU64, Ordering};

use gemm::Parallelism;

use super::Real;

/// A matrix that lies in a slice: where it begins, and how far apart rows and columns are.
///
/// Rows may overlap, as the windows of a convolution do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub(super) start: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) row_step: usize,
    pub(super) column_step: usize,
}

impl Grid {
    /// Rows of `columns` neighbouring values, `row_step` apart.
    pub(super) fn new(start: usize, rows: usize, columns: usize, row_step: usize) -> Self {
        Self { start, rows, columns, row_step, column_step: 1 }
    }

    /// Rows and columns exchanged.
    pub(super) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_step: self.column_step,
            column_step: self.row_step,
            ..self
        }
    }

    /// One past the last place that is touched.
    fn end(self) -> usize {
        if self.rows == 0 || self.columns == 0 {
            return 0;
        }
        self.start + (self.rows - 1) * self.row_step + (self.columns - 1) * self.column_step + 1
    }
}

static PRODUCTS: AtomicU64 = AtomicU64::new(0);

/// How many matrix products this process has made, to hold against what they cost.
pub fn products() -> u64 {
    PRODUCTS.load(Ordering::Relaxed)
}

/// Whether a result replaces what stood there or is added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Into {
    Replace,
    Add,
}

/// `c = a b`, or `c += a b`, with `c` (m, n), `a` (m, k) and `b` (k, n), on the calling thread.
///
/// Each element is summed in an order that depends on the sizes alone, so that the same call gives
/// the same bits on whichever thread.
///
/// # Panics
/// If the sizes do not meet, or a matrix reaches beyond its slice.
pub(super) fn product<F: Real>(
    (c, of_c): (&mut [F], Grid),
    (a, of_a): (&[F], Grid),
    (b, of_b): (&[F], Grid),
    into: Into,
) {
    let (m, n, k) = (of_c.rows, of_c.columns, of_a.columns);
    assert!(of_a.rows == m && of_b.rows == k && of_b.columns == n, "{of_c:?} {of_a:?} {of_b:?}");
    assert!(of_c.end() <= c.len() && of_a.end() <= a.len() && of_b.end() <= b.len());
    assert!(of_c.column_step == 1 && (n <= of_c.row_step || m <= 1), "rows of a result overlap");
    if m == 0 || n == 0 {
        return;
    }
    PRODUCTS.fetch_add(1, Ordering::Relaxed);
    let steps = |grid: Grid| (grid.column_step as isize, grid.row_step as isize);
    let ((c_cs, c_rs), (a_cs, a_rs), (b_cs, b_rs)) = (steps(of_c), steps(of_a), steps(of_b));
    let before = if into == Into::Add { F::ONE } else { F::ZERO };
    #[expect(unsafe_code, reason = "the matrix product takes pointers and steps")]
    // SAFETY: the steps stay within the slices, as was just asserted; `c` is borrowed mutably and
    // its rows do not overlap; `F` is f32 or f64, both of which `gemm` knows.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr().add(of_c.start),
            c_cs,
            c_rs,
            into == Into::Add,
            a.as_ptr().add(of_a.start),
            a_cs,
            a_rs,
            b.as_ptr().add(of_b.start),
            b_cs,
            b_rs,
            before,
            F::ONE,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_and_transposed_views_are_multiplied_as_by_hand() {
        let signal = [1.0, 2.0, 3.0, 4.0, 5.0];
        let kernel = [1.0, 10.0, 100.0];
        let mut out = [7.0; 3];
        let (windows, taps) = (Grid::new(0, 3, 3, 1), Grid::new(0, 3, 1, 1));
        product(
            (&mut out, Grid::new(0, 3, 1, 1)),
            (&signal, windows),
            (&kernel, taps),
            Into::Replace,
        );
        assert_eq!(out, [321.0, 432.0, 543.0]);
        let mut sum = [0.5; 3];
        let ones = Grid::new(0, 3, 1, 1);
        product((&mut sum, ones), (&signal, windows.transposed()), (&[1.0; 3], ones), Into::Add);
        assert_eq!(sum, [6.5, 9.5, 12.5]);
    }

    #[test]
    #[should_panic(expected = "end")]
    fn nothing_is_read_beyond_a_slice() {
        let (mut c, one) = ([0.0_f32; 1], Grid::new(0, 1, 1, 1));
        let far = Grid::new(4, 1, 1, 1);
        product((&mut c, one), (&[0.0; 4], far), (&[0.0], one), Into::Replace);
    }
}
