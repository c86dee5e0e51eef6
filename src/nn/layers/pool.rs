//! Pools: one value in place of a window, or of all positions.

use super::put;
use crate::nn::Real;
use crate::nn::batch::Batch;
use crate::nn::product::Into;
use crate::nn::spec::{PoolKind, Shape};

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
    /// The input positions of a window, as the first of each of its lines and their length.
    fn lines(&self, position: usize) -> impl Iterator<Item = usize> + use<> {
        let (y, x) = (position / self.output.width, position % self.output.width);
        let [rows, columns] = self.window;
        let width = self.input.width;
        (0..rows).map(move |row| (y * rows + row) * width + x * columns)
    }

    pub(in crate::nn) fn forward<F: Real>(
        &self,
        input: &Batch<F>,
        output: &mut Batch<F>,
        n_rows: usize,
    ) {
        let n_channels = self.input.channels;
        let share = F::ONE / F::of((self.window[0] * self.window[1]) as f64);
        for idx in 0..n_rows {
            let values = input.row(idx);
            for (position, out) in output.row_mut(idx).chunks_exact_mut(n_channels).enumerate() {
                for (line, start) in self.lines(position).enumerate() {
                    let cells = &values[start * n_channels..][..self.window[1] * n_channels];
                    let mut cells = cells.chunks_exact(n_channels);
                    if line == 0
                        && let Some(first) = cells.next()
                    {
                        out.copy_from_slice(first);
                    }
                    for cell in cells {
                        let pairs = out.iter_mut().zip(cell);
                        match self.kind {
                            PoolKind::Average => pairs.for_each(|(sum, value)| *sum += *value),
                            PoolKind::Max => {
                                pairs.for_each(|(best, value)| *best = value.larger(*best));
                            }
                        }
                    }
                }
                if self.kind == PoolKind::Average {
                    for sum in out {
                        *sum *= share;
                    }
                }
            }
        }
    }

    /// `d` is used up.
    pub(in crate::nn) fn backward<F: Real>(
        &self,
        d: &mut Batch<F>,
        (input, made): (&Batch<F>, &Batch<F>),
        d_input: &mut Batch<F>,
        into: Into,
        n_rows: usize,
    ) {
        let n_channels = self.input.channels;
        let share = F::ONE / F::of((self.window[0] * self.window[1]) as f64);
        let covers = self.output.height * self.window[0] == self.input.height
            && self.output.width * self.window[1] == self.input.width;
        for idx in 0..n_rows {
            let (to, values, made) = (d_input.row_mut(idx), input.row(idx), made.row(idx));
            if into == Into::Replace && !covers {
                to.fill(F::ZERO);
            }
            let positions = d.row_mut(idx).chunks_exact_mut(n_channels);
            for (position, (d, best)) in positions.zip(made.chunks_exact(n_channels)).enumerate() {
                if self.kind == PoolKind::Average {
                    for d in d.iter_mut() {
                        *d *= share;
                    }
                }
                for start in self.lines(position) {
                    let range = start * n_channels..(start + self.window[1]) * n_channels;
                    let cells = to[range.clone()].chunks_exact_mut(n_channels);
                    for (cell, values) in cells.zip(values[range].chunks_exact(n_channels)) {
                        match (self.kind, into) {
                            (PoolKind::Average, _) => put(cell, d, into),
                            // What is left of the gradient goes to the first that is as large.
                            (PoolKind::Max, Into::Replace) => {
                                let pairs = cell.iter_mut().zip(d.iter_mut());
                                for ((to, d), (x, y)) in pairs.zip(values.iter().zip(best)) {
                                    let part = if *x == *y { F::ONE } else { F::ZERO } * *d;
                                    *to = part;
                                    *d -= part;
                                }
                            }
                            (PoolKind::Max, Into::Add) => {
                                let pairs = cell.iter_mut().zip(d.iter_mut());
                                for ((to, d), (x, y)) in pairs.zip(values.iter().zip(best)) {
                                    let part = if *x == *y { F::ONE } else { F::ZERO } * *d;
                                    *to += part;
                                    *d -= part;
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
