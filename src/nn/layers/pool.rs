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
    /// Where the largest values stood, for so many rows; a mean need not remember.
    pub(in crate::nn) fn memory(&self, n_rows: usize) -> usize {
        match self.kind {
            PoolKind::Max => n_rows * self.output.len(),
            PoolKind::Average => 0,
        }
    }

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
        memory: &mut [u32],
        n_rows: usize,
    ) {
        let n_channels = self.input.channels;
        let share = F::ONE / F::of((self.window[0] * self.window[1]) as f64);
        for idx in 0..n_rows {
            let values = input.row(idx);
            for (position, out) in output.row_mut(idx).chunks_exact_mut(n_channels).enumerate() {
                match self.kind {
                    PoolKind::Average => {
                        out.fill(F::ZERO);
                        for start in self.lines(position) {
                            let line = &values[start * n_channels..][..self.window[1] * n_channels];
                            for cell in line.chunks_exact(n_channels) {
                                out.iter_mut().zip(cell).for_each(|(sum, value)| *sum += *value);
                            }
                        }
                        for sum in out.iter_mut() {
                            *sum *= share;
                        }
                    }
                    PoolKind::Max => {
                        let place = idx * self.output.len() + position * n_channels;
                        let at = &mut memory[place..place + n_channels];
                        self.largest(values, position, out, at);
                    }
                }
            }
        }
    }

    fn largest<F: Real>(&self, values: &[F], position: usize, out: &mut [F], at: &mut [u32]) {
        let n_channels = self.input.channels;
        let mut is_first = true;
        for start in self.lines(position) {
            for cell in start..start + self.window[1] {
                let line = &values[cell * n_channels..][..n_channels];
                let cell = cell as u32;
                if is_first {
                    out.copy_from_slice(line);
                    at.fill(cell);
                    is_first = false;
                    continue;
                }
                for ((best, at), value) in out.iter_mut().zip(at.iter_mut()).zip(line) {
                    let more = *value > *best;
                    *best = if more { *value } else { *best };
                    *at = if more { cell } else { *at };
                }
            }
        }
    }

    pub(in crate::nn) fn backward<F: Real>(
        &self,
        d: &Batch<F>,
        memory: &[u32],
        d_input: &mut Batch<F>,
        into: Into,
        n_rows: usize,
    ) {
        let n_channels = self.input.channels;
        let share = F::ONE / F::of((self.window[0] * self.window[1]) as f64);
        let covers = self.kind == PoolKind::Average
            && self.output.height * self.window[0] == self.input.height
            && self.output.width * self.window[1] == self.input.width;
        for idx in 0..n_rows {
            let to = d_input.row_mut(idx);
            if into == Into::Replace && !covers {
                to.fill(F::ZERO);
            }
            for (position, d) in d.row(idx).chunks_exact(n_channels).enumerate() {
                match self.kind {
                    PoolKind::Average => {
                        for start in self.lines(position) {
                            let line = &mut to[start * n_channels..][..self.window[1] * n_channels];
                            for cell in line.chunks_exact_mut(n_channels) {
                                if covers && into == Into::Replace {
                                    put(cell, d, Into::Replace);
                                    for part in cell.iter_mut() {
                                        *part *= share;
                                    }
                                } else {
                                    let pairs = cell.iter_mut().zip(d);
                                    pairs.for_each(|(part, d)| *part += *d * share);
                                }
                            }
                        }
                    }
                    PoolKind::Max => {
                        let place = idx * self.output.len() + position * n_channels;
                        let at = &memory[place..place + n_channels];
                        for (channel, (cell, d)) in at.iter().zip(d).enumerate() {
                            to[*cell as usize * n_channels + channel] += *d;
                        }
                    }
                }
            }
        }
    }
}
