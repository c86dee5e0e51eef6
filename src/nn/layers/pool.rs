//! Pools: one value in place of a window, or of all positions.

use crate::nn::Real;
use crate::nn::batch::Batch;
use crate::nn::product::Into;
use crate::nn::spec::{PoolKind, Shape};
use crate::nn::wide::{Loop, widely};

/// The largest or the mean of each window, channel by channel.
///
/// Backward the gradient goes to the largest value, the first one of equals, or in equal parts to
/// all of the window.
#[derive(Clone, Debug)]
pub(in crate::nn) struct Pool {
    pub(in crate::nn) kind: PoolKind,
    pub(in crate::nn) window: [usize; 2],
    pub(in crate::nn) input: Shape,
    pub(in crate::nn) output: Shape,
}

impl Pool {
    pub(in crate::nn) fn forward<F: Real>(
        &self,
        input: &Batch<F>,
        output: &mut Batch<F>,
        n_rows: usize,
    ) {
        for idx in 0..n_rows {
            widely(Forward { pool: self, values: input.row(idx), made: output.row_mut(idx) });
        }
    }

    pub(in crate::nn) fn backward<F: Real>(
        &self,
        d: &Batch<F>,
        (input, made): (&Batch<F>, &Batch<F>),
        d_input: &mut Batch<F>,
        into: Into,
        n_rows: usize,
    ) {
        for idx in 0..n_rows {
            widely(Backward {
                pool: self,
                d: d.row(idx),
                values: input.row(idx),
                made: made.row(idx),
                to: d_input.row_mut(idx),
                into,
            });
        }
    }

    /// The first input position of an output position's window.
    #[inline(always)]
    fn corner(&self, position: usize) -> usize {
        let (y, x) = (position / self.output.width, position % self.output.width);
        y * self.window[0] * self.input.width + x * self.window[1]
    }

    /// Whether each input position lies in a window.
    fn covers(&self) -> bool {
        self.output.height * self.window[0] == self.input.height
            && self.output.width * self.window[1] == self.input.width
    }

    /// One over the positions of a window.
    fn share<F: Real>(&self) -> F {
        F::ONE / F::of((self.window[0] * self.window[1]) as f64)
    }
}

/// Calls `$run` for channels in blocks of a length that divides their number, so that what is
/// known of a window stays in registers.
macro_rules! in_blocks {
    ($n_channels:expr, $run:ident($($argument:expr),*)) => {
        match $n_channels {
            n if n % 16 == 0 => $run::<F, 16>($($argument),*),
            n if n % 10 == 0 => $run::<F, 10>($($argument),*),
            n if n % 8 == 0 => $run::<F, 8>($($argument),*),
            n if n % 6 == 0 => $run::<F, 6>($($argument),*),
            n if n % 4 == 0 => $run::<F, 4>($($argument),*),
            n if n % 2 == 0 => $run::<F, 2>($($argument),*),
            _ => $run::<F, 1>($($argument),*),
        }
    };
}

struct Forward<'a, F> {
    pool: &'a Pool,
    values: &'a [F],
    made: &'a mut [F],
}

impl<F: Real> Loop for Forward<'_, F> {
    #[inline(always)]
    fn run(self) {
        in_blocks!(self.pool.input.channels, reduce(self));
    }
}

#[inline(always)]
fn reduce<F: Real, const N: usize>(work: Forward<'_, F>) {
    let Forward { pool, values, made } = work;
    let n_blocks = pool.input.channels / N;
    let (values, made) = (values.as_chunks::<N>().0, made.as_chunks_mut::<N>().0);
    let ([n_lines, n_columns], share) = (pool.window, pool.share::<F>());
    for (position, made) in made.chunks_exact_mut(n_blocks).enumerate() {
        let corner = pool.corner(position);
        for (block, made) in made.iter_mut().enumerate() {
            let mut best = values[corner * n_blocks + block];
            for line in 0..n_lines {
                let cells = &values[(corner + line * pool.input.width) * n_blocks..];
                let cells = &cells[..n_columns * n_blocks];
                for column in usize::from(line == 0)..n_columns {
                    let cell = &cells[column * n_blocks + block];
                    match pool.kind {
                        PoolKind::Average => (0..N).for_each(|k| best[k] += cell[k]),
                        PoolKind::Max => (0..N).for_each(|k| best[k] = cell[k].larger(best[k])),
                    }
                }
            }
            if pool.kind == PoolKind::Average {
                (0..N).for_each(|k| best[k] *= share);
            }
            *made = best;
        }
    }
}

struct Backward<'a, F> {
    pool: &'a Pool,
    d: &'a [F],
    values: &'a [F],
    made: &'a [F],
    to: &'a mut [F],
    into: Into,
}

impl<F: Real> Loop for Backward<'_, F> {
    #[inline(always)]
    fn run(self) {
        if self.into == Into::Replace && !self.pool.covers() {
            self.to.fill(F::ZERO);
        }
        in_blocks!(self.pool.input.channels, spread(self));
    }
}

#[inline(always)]
fn spread<F: Real, const N: usize>(work: Backward<'_, F>) {
    let Backward { pool, d, values, made, to, into } = work;
    let n_blocks = pool.input.channels / N;
    let (d, made) = (d.as_chunks::<N>().0, made.as_chunks::<N>().0);
    let (values, to) = (values.as_chunks::<N>().0, to.as_chunks_mut::<N>().0);
    let ([n_lines, n_columns], share) = (pool.window, pool.share::<F>());
    for (position, d) in d.chunks_exact(n_blocks).enumerate() {
        let (corner, made) = (pool.corner(position), &made[position * n_blocks..][..n_blocks]);
        for block in 0..n_blocks {
            let (mut left, best) = (d[block], made[block]);
            if pool.kind == PoolKind::Average {
                (0..N).for_each(|k| left[k] *= share);
            }
            for line in 0..n_lines {
                let start = (corner + line * pool.input.width) * n_blocks;
                let cells = start..start + n_columns * n_blocks;
                let (to, values) = (&mut to[cells.clone()], &values[cells]);
                for column in 0..n_columns {
                    let at = column * n_blocks + block;
                    let mut part = left;
                    if pool.kind == PoolKind::Max {
                        // What is left of the gradient goes to the first that is as large.
                        for k in 0..N {
                            part[k] = if values[at][k] == best[k] { left[k] } else { F::ZERO };
                            left[k] -= part[k];
                        }
                    }
                    match into {
                        Into::Replace => to[at] = part,
                        Into::Add => (0..N).for_each(|k| to[at][k] += part[k]),
                    }
                }
            }
        }
    }
}
