//! Matrices of few rows, each of them a long line: turned round, and multiplied with one another.

use crate::nn::Real;
use crate::nn::product::Into;
use crate::nn::wide::{Loop, widely};

/// Lanes that are summed side by side.
const LANES: usize = 8;

/// `c[i, j] = Σ_k a[i, k] b[j, k]`, or that added to `c`: rows of `a` and of `b` are lines of
/// `length` values, `pitch` apart.
///
/// A matrix product would first have to turn one of the two.
pub(super) fn dots<F: Real>(
    c: &mut [F],
    a: &[F],
    b: &[F],
    (length, pitch): (usize, usize),
    into: Into,
) {
    widely(Dots { c, a, b, length, pitch, into });
}

struct Dots<'a, F> {
    c: &'a mut [F],
    a: &'a [F],
    b: &'a [F],
    length: usize,
    pitch: usize,
    into: Into,
}

impl<F: Real> Loop for Dots<'_, F> {
    #[inline(always)]
    fn run(mut self) {
        let (n, m) = (self.a.len().div_ceil(self.pitch), self.b.len().div_ceil(self.pitch));
        let mut i = 0;
        while i + 3 <= n {
            self.against_all::<3>(i, m);
            i += 3;
        }
        while i < n {
            self.against_all::<1>(i, m);
            i += 1;
        }
    }
}

impl<F: Real> Dots<'_, F> {
    /// `I` lines of `a` with all of `b`.
    #[inline(always)]
    fn against_all<const I: usize>(&mut self, i: usize, m: usize) {
        let mut j = 0;
        while j + 4 <= m {
            self.block::<I, 4>(i, j, m);
            j += 4;
        }
        while j < m {
            self.block::<I, 1>(i, j, m);
            j += 1;
        }
    }

    #[inline(always)]
    fn block<const I: usize, const J: usize>(&mut self, i: usize, j: usize, m: usize) {
        let n_chunks = self.length / LANES;
        let (mut a, mut b) = ([&[] as &[[F; LANES]]; I], [&[] as &[[F; LANES]]; J]);
        for (k, chunks) in a.iter_mut().enumerate() {
            *chunks = &self.a[(i + k) * self.pitch..].as_chunks().0[..n_chunks];
        }
        for (k, chunks) in b.iter_mut().enumerate() {
            *chunks = &self.b[(j + k) * self.pitch..].as_chunks().0[..n_chunks];
        }
        let mut sums = [[[F::ZERO; LANES]; J]; I];
        for chunk in 0..n_chunks {
            let (mut x, mut y) = ([[F::ZERO; LANES]; I], [[F::ZERO; LANES]; J]);
            for di in 0..I {
                x[di] = a[di][chunk];
            }
            for dj in 0..J {
                y[dj] = b[dj][chunk];
            }
            for di in 0..I {
                for dj in 0..J {
                    for k in 0..LANES {
                        sums[di][dj][k] += x[di][k] * y[dj][k];
                    }
                }
            }
        }
        for (di, sums) in sums.iter().enumerate() {
            for (dj, sums) in sums.iter().enumerate() {
                let mut sum = F::ZERO;
                for part in sums {
                    sum += *part;
                }
                for k in n_chunks * LANES..self.length {
                    sum += self.a[(i + di) * self.pitch + k] * self.b[(j + dj) * self.pitch + k];
                }
                let place = &mut self.c[(i + di) * m + j + dj];
                *place = if self.into == Into::Add { *place + sum } else { sum };
            }
        }
    }
}

/// Does six lines at a time, then what is left one by one.
macro_rules! six_at_a_time {
    ($work:ident) => {
        let mut first = 0;
        while first + 6 <= $work.n {
            $work.lines_of::<6>(first);
            first += 6;
        }
        while first < $work.n {
            $work.lines_of::<1>(first);
            first += 1;
        }
    };
}

/// Rows of `n` values that lie side by side become `n` lines: value `k` of row `p` goes to place
/// `start + p` of line `k`, lines `pitch` apart.
pub(super) fn to_lines<F: Real>(rows: &[F], n: usize, lines: &mut [F], start: usize, pitch: usize) {
    widely(ToLines { rows, n, lines, start, pitch });
}

struct ToLines<'a, F> {
    rows: &'a [F],
    n: usize,
    lines: &'a mut [F],
    start: usize,
    pitch: usize,
}

impl<F: Real> Loop for ToLines<'_, F> {
    #[inline(always)]
    fn run(mut self) {
        six_at_a_time!(self);
    }
}

impl<F: Real> ToLines<'_, F> {
    /// `N` lines, from the `first` on.
    #[inline(always)]
    fn lines_of<const N: usize>(&mut self, first: usize) {
        let n_rows = self.rows.len() / self.n;
        let mut lines = self.lines[first * self.pitch..].chunks_mut(self.pitch);
        let to: [&mut [F]; N] = std::array::from_fn(|_| {
            &mut lines.next().unwrap_or_default()[self.start..self.start + n_rows]
        });
        for (p, row) in self.rows.chunks_exact(self.n).enumerate() {
            let row = &row[first..first + N];
            for k in 0..N {
                to[k][p] = row[k];
            }
        }
    }
}

/// The way back: lines become rows of `n` values side by side, each with its bias added.
pub(super) fn to_rows<F: Real>(
    lines: &[F],
    (start, pitch): (usize, usize),
    bias: Option<&[F]>,
    rows: &mut [F],
    n: usize,
) {
    widely(ToRows { lines, start, pitch, bias, rows, n });
}

struct ToRows<'a, F> {
    lines: &'a [F],
    start: usize,
    pitch: usize,
    bias: Option<&'a [F]>,
    rows: &'a mut [F],
    n: usize,
}

impl<F: Real> Loop for ToRows<'_, F> {
    #[inline(always)]
    fn run(mut self) {
        six_at_a_time!(self);
    }
}

impl<F: Real> ToRows<'_, F> {
    /// `N` lines, from the `first` on.
    #[inline(always)]
    fn lines_of<const N: usize>(&mut self, first: usize) {
        let n_rows = self.rows.len() / self.n;
        let (mut from, mut bias) = ([&[] as &[F]; N], [F::ZERO; N]);
        for (k, from) in from.iter_mut().enumerate() {
            *from = &self.lines[(first + k) * self.pitch + self.start..][..n_rows];
        }
        if let Some(given) = self.bias {
            bias.copy_from_slice(&given[first..first + N]);
        }
        for (p, row) in self.rows.chunks_exact_mut(self.n).enumerate() {
            let row = &mut row[first..first + N];
            for k in 0..N {
                row[k] = from[k][p] + bias[k];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_multiplied_and_turned_as_by_hand() {
        let (length, pitch) = (19, 21);
        let value = |seed: usize, at: usize| ((at * 7 + seed * 3) % 11) as f64 - 5.0;
        let a: Vec<f64> = (0..4 * pitch).map(|at| value(1, at)).collect();
        let b: Vec<f64> = (0..5 * pitch).map(|at| value(2, at)).collect();
        let mut c = vec![1.0; 20];
        dots(&mut c, &a, &b, (length, pitch), Into::Add);
        for i in 0..4 {
            for j in 0..5 {
                let by_hand: f64 = (0..length).map(|k| a[i * pitch + k] * b[j * pitch + k]).sum();
                assert_eq!(c[i * 5 + j], 1.0 + by_hand);
            }
        }
        let rows = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut lines = [0.0; 8];
        to_lines(&rows, 2, &mut lines, 1, 4);
        assert_eq!(lines, [0.0, 1.0, 3.0, 5.0, 0.0, 2.0, 4.0, 6.0]);
        let mut back = [0.0; 6];
        to_rows(&lines, (1, 4), Some(&[0.5, 0.0]), &mut back, 2);
        assert_eq!(back, [1.5, 2.0, 3.5, 4.0, 5.5, 6.0]);
    }
}
