//! Matrix products of few rows, for which packing would cost more than it gains.

use pulp::{Simd, WithSimd};

use super::Real;
use super::product::Into;
use super::wide::{MANY, in_lanes, in_vectors};

/// Rows of a product that are computed together.
const ROWS: usize = 6;
/// Values that are summed, between two looks at where the factors lie.
const UNROLL: usize = 4;
/// Vectors of a single row.
const ALONE: usize = 8;
/// A single row fetches its factors so many rows ahead.
const AHEAD: usize = 8;
/// Sums of a single vector that grow side by side, since each waits for its last product.
const CHAINS: usize = 4;
/// No vector is longer.
const MOST_LANES: usize = 16;

/// Adds the products of one value of each row with the vectors that belong to it.
macro_rules! add_products {
    ($simd:ident, $sums:ident, $rows:ident, $vectors:ident, $b:ident, |$r:ident| $x:expr) => {
        let mut y = [F::splat($simd, F::ZERO); $vectors];
        y.copy_from_slice(&F::lanes::<S>($b)[..$vectors]);
        for $r in 0..$rows {
            let x = F::splat($simd, $x);
            for v in 0..$vectors {
                $sums[$r][v] = F::fused($simd, x, y[v], $sums[$r][v]);
            }
        }
    };
}

/// `c = a b`, or `c += a b`: a few rows of `k` values against a matrix of `k` rows.
///
/// Each element is summed from the first product to the last, so that neither the rows it is
/// computed with nor the number of threads changes a bit of it.
pub(super) struct FewRows<'a, F> {
    pub(super) c: &'a mut [F],
    /// From one row of `c` to the next.
    pub(super) c_step: usize,
    pub(super) a: &'a [F],
    pub(super) a_step: usize,
    pub(super) b: &'a [F],
    pub(super) b_step: usize,
    /// Rows of `c`, values that are summed, and columns.
    pub(super) size: [usize; 3],
    pub(super) into: Into,
    /// What comes next in the place of `b`, to be fetched meanwhile.
    pub(super) next: &'a [F],
}

impl<F: Real> FewRows<'_, F> {
    /// Computes it with the widest instructions there are.
    pub(super) fn compute(self) {
        in_lanes(self);
    }
}

impl<F: Real> WithSimd for FewRows<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.multiply(simd);
    }
}

impl<F: Real> FewRows<'_, F> {
    #[inline(always)]
    pub(super) fn multiply<S: Simd>(&mut self, simd: S) {
        let [m, _, n] = self.size;
        let lanes = F::n_lanes::<S>();
        let mut column = 0;
        while m == 1 && column + ALONE * lanes <= n {
            self.block::<S, 1, ALONE>(simd, 0, column);
            column += ALONE * lanes;
        }
        in_vectors!(simd, self.rows, column, n, lanes);
        self.rest(simd, column);
    }

    /// All rows of some columns, in blocks of about the same height.
    #[inline(always)]
    fn rows<S: Simd, const V: usize>(&mut self, simd: S, column: usize) {
        let m = self.size[0];
        let (mut row, mut n_blocks) = (0, m.div_ceil(ROWS));
        while row < m {
            let height = (m - row).div_ceil(n_blocks);
            match height {
                1 => self.block::<S, 1, V>(simd, row, column),
                2 => self.block::<S, 2, V>(simd, row, column),
                3 => self.block::<S, 3, V>(simd, row, column),
                4 => self.block::<S, 4, V>(simd, row, column),
                5 => self.block::<S, 5, V>(simd, row, column),
                _ => self.block::<S, ROWS, V>(simd, row, column),
            }
            row += height;
            n_blocks -= 1;
        }
    }

    /// `R` rows and `V` vectors of columns.
    #[inline(always)]
    fn block<S: Simd, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        row: usize,
        column: usize,
    ) {
        let (k, width) = (self.size[1], V * F::n_lanes::<S>());
        let mut a = [&[] as &[F]; R];
        for (r, a) in a.iter_mut().enumerate() {
            *a = &self.a[(row + r) * self.a_step..][..k];
        }
        let mut sums = [[F::splat(simd, F::ZERO); V]; R];
        let b = &self.b[column..];
        // Several rows at a time, so that little else is computed between the products.
        let n_groups = k / UNROLL;
        let mut groups = [&[] as &[[F; UNROLL]]; R];
        for r in 0..R {
            groups[r] = &a[r].as_chunks().0[..n_groups];
        }
        // Each block of rows fetches a part, since the third cache takes its time.
        let mut place = row / R * k * F::n_lanes::<S>();
        for (at, group) in b.chunks(UNROLL * self.b_step).take(n_groups).enumerate() {
            if R > 1 && V == MANY && !self.next.is_empty() {
                for u in 0..UNROLL {
                    fetch::<F, false>(self.next, place + u * F::n_lanes::<S>());
                }
                place += UNROLL * F::n_lanes::<S>();
            }
            for u in 0..UNROLL {
                if R == 1 {
                    // Each row is read but once, and takes longer to come than to be multiplied.
                    for v in 0..V {
                        let ahead = (at * UNROLL + u + AHEAD) * self.b_step;
                        fetch::<F, true>(b, ahead + v * F::n_lanes::<S>());
                    }
                }
                let b = &group[u * self.b_step..][..width];
                add_products!(simd, sums, R, V, b, |r| groups[r][at][u]);
            }
        }
        for i in n_groups * UNROLL..k {
            let b = &b[i * self.b_step..][..width];
            add_products!(simd, sums, R, V, b, |r| a[r][i]);
        }
        for (r, sums) in sums.iter().enumerate() {
            let c = &mut self.c[(row + r) * self.c_step + column..][..width];
            let c = &mut F::lanes_mut::<S>(c)[..V];
            for v in 0..V {
                c[v] = if self.into == Into::Add { F::plus(simd, c[v], sums[v]) } else { sums[v] };
            }
        }
    }

    /// The columns that fill no vector. They are computed in one all the same: what it reads beyond
    /// a row belongs to the next one, and comes to nothing.
    #[inline(always)]
    fn rest<S: Simd>(&mut self, simd: S, first: usize) {
        let [m, k, n] = self.size;
        let (width, lanes) = (n - first, F::n_lanes::<S>());
        if width == 0 {
            return;
        }
        let b = &self.b[first..];
        let n_whole = (b.len() + self.b_step).saturating_sub(lanes) / self.b_step;
        for row in 0..m {
            let a = &self.a[row * self.a_step..][..k];
            let mut sums = [F::splat(simd, F::ZERO); CHAINS];
            let n_whole = n_whole.min(k) / CHAINS * CHAINS;
            for (group, x) in a[..n_whole].chunks_exact(CHAINS).enumerate() {
                for t in 0..CHAINS {
                    let place = (group * CHAINS + t) * self.b_step;
                    let b = F::lanes::<S>(&b[place..][..lanes])[0];
                    sums[t] = F::fused(simd, F::splat(simd, x[t]), b, sums[t]);
                }
            }
            let mut whole = sums[0];
            for sum in &sums[1..] {
                whole = F::plus(simd, whole, *sum);
            }
            let mut values = [F::ZERO; MOST_LANES];
            F::lanes_mut::<S>(&mut values)[0] = whole;
            for (i, x) in a.iter().enumerate().skip(n_whole) {
                let b = &b[i * self.b_step..][..width];
                values.iter_mut().zip(b).for_each(|(sum, b)| *sum += *x * *b);
            }
            let c = &mut self.c[row * self.c_step + first..][..width];
            for (c, value) in c.iter_mut().zip(values) {
                *c = if self.into == Into::Add { *c + value } else { value };
            }
        }
    }
}

/// Has the processor fetch what lies at a place, if it lies there at all: into its first cache where
/// it is needed soon, and into its second otherwise.
#[inline(always)]
fn fetch<F, const SOON: bool>(values: &[F], place: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};
        let place = values.as_ptr().wrapping_add(place).cast();
        // SAFETY: a hint reads nothing, whatever the address.
        #[expect(unsafe_code, reason = "a hint takes an address")]
        unsafe {
            if SOON {
                _mm_prefetch::<_MM_HINT_T0>(place);
            } else {
                _mm_prefetch::<_MM_HINT_T1>(place);
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (values, place);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::wide::NARROW;

    fn check<F: Real>(m: usize, k: usize, n: usize) {
        let value = |seed: usize, at: usize| F::of(((at * 7 + seed * 3) % 11) as f64 - 5.0);
        let (a_step, b_step, c_step) = (k + 1, n + 2, n + 3);
        let a: Vec<F> = (0..m * a_step).map(|at| value(1, at)).collect();
        let b: Vec<F> = (0..k * b_step).map(|at| value(2, at)).collect();
        let mut c = vec![F::ONE; m * c_step];
        for into in [Into::Replace, Into::Add] {
            let (c, size) = (&mut c[..], [m, k, n]);
            FewRows { c, c_step, a: &a, a_step, b: &b, b_step, size, into, next: &[] }.compute();
        }
        for row in 0..m {
            for column in 0..n {
                let products =
                    (0..k).map(|i| a[row * a_step + i].f64() * b[i * b_step + column].f64());
                assert_eq!(c[row * c_step + column].f64(), 2.0 * products.sum::<f64>());
            }
            assert!(c[row * c_step + n..][..3].iter().all(|own| *own == F::ONE));
        }
    }

    #[test]
    fn few_rows_are_multiplied_as_by_hand() {
        for (m, is_narrow) in [1, 2, 5, 6, 7, 13, 25, 1, 7].into_iter().zip((0..).map(|at| at > 6))
        {
            NARROW.set(is_narrow);
            for n in [1, 15, 16, 48, 64, 131, 200] {
                check::<f32>(m, 9, n);
                check::<f64>(m, 4, n);
            }
        }
    }
}
