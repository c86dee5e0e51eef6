//! The windows of a convolution, copied side by side, and their gradients, added back.

use std::ops::Range;

use super::Conv;
use crate::nn::Real;
use crate::nn::batch::Batch;
use crate::nn::product::{Grid, Into};

/// Below this many filters a product over positions is faster than one over filters.
pub(super) const FEW_FILTERS: usize = 16;

/// Copies the windows of some rows of a batch; the grid has one row for each position.
///
/// With a single input channel and stride 1 the positions run fastest, so that whole lines are
/// copied; otherwise the values of a window do.
pub(super) fn copy<F: Real>(
    conv: &Conv,
    input: &Batch<F>,
    rows: Range<usize>,
    into: &mut [F],
) -> Grid {
    let output = conv.output();
    let (n_positions, depth) = (output.positions(), conv.taps() * conv.input.channels);
    let m = rows.len() * n_positions;
    if conv.input.channels == 1 && conv.stride == 1 {
        for (idx, row) in rows.enumerate() {
            lines(conv, input.row(row), into, m, idx * n_positions);
        }
        return Grid::new(0, depth, m, m).transposed();
    }
    for (row, into) in rows.zip(into.chunks_exact_mut(n_positions * depth)) {
        patches(conv, input.row(row), into);
    }
    Grid::new(0, m, depth, depth)
}

/// Output places `from..to` of `len` whose tap at `offset` lies within the input of length `n`.
fn within(n: usize, len: usize, stride: usize, offset: isize) -> Range<usize> {
    let stride = stride as isize;
    let from = (-offset).max(0).div_ceil_by(stride);
    let to = ((n as isize - offset).max(0)).div_ceil_by(stride).min(len as isize);
    from.min(to) as usize..to as usize
}

trait DivCeilBy {
    fn div_ceil_by(self, by: Self) -> Self;
}
impl DivCeilBy for isize {
    /// The quotient of numbers from 0 up, rounded up.
    fn div_ceil_by(self, by: Self) -> Self {
        (self + by - 1) / by
    }
}

/// The windows of one row with one channel, tap by tap: each tap is a shifted copy of the image.
fn lines<F: Real>(conv: &Conv, image: &[F], into: &mut [F], m: usize, start: usize) {
    let (input, output) = (conv.input, conv.output());
    let [n_rows, n_columns] = conv.size;
    for tap in 0..n_rows * n_columns {
        let down = (tap / n_columns * conv.dilation) as isize - conv.before[0] as isize;
        let right = (tap % n_columns * conv.dilation) as isize - conv.before[1] as isize;
        let rows = within(input.height, output.height, 1, down);
        let columns = within(input.width, output.width, 1, right);
        let plane = &mut into[tap * m + start..][..output.positions()];
        for (y, line) in plane.chunks_exact_mut(output.width).enumerate() {
            if !rows.contains(&y) || columns.is_empty() {
                line.fill(F::ZERO);
                continue;
            }
            line[..columns.start].fill(F::ZERO);
            line[columns.end..].fill(F::ZERO);
            let from = (y as isize + down) as usize * input.width;
            let from = (from as isize + columns.start as isize + right) as usize;
            line[columns.clone()].copy_from_slice(&image[from..from + columns.len()]);
        }
    }
}

/// The windows of one row, position by position.
fn patches<F: Real>(conv: &Conv, image: &[F], into: &mut [F]) {
    let (output, n_channels) = (conv.output(), conv.input.channels);
    let depth = conv.taps() * n_channels;
    let line = conv.size[1] * n_channels;
    for (position, window) in into.chunks_exact_mut(depth).enumerate() {
        let (y, x) = (position / output.width, position % output.width);
        for (tap, part) in window.chunks_exact_mut(line).enumerate() {
            match run(conv, y, x, tap) {
                Some(run) if conv.dilation == 1 => {
                    part[..run.skip * n_channels].fill(F::ZERO);
                    let part = &mut part[run.skip * n_channels..];
                    let (taken, rest) = part.split_at_mut(run.n * n_channels);
                    taken.copy_from_slice(&image[run.from * n_channels..][..taken.len()]);
                    rest.fill(F::ZERO);
                }
                Some(run) => {
                    part.fill(F::ZERO);
                    for k in 0..run.n {
                        let from = (run.from + k * conv.dilation) * n_channels;
                        part[(run.skip + k) * n_channels..][..n_channels]
                            .copy_from_slice(&image[from..from + n_channels]);
                    }
                }
                None => part.fill(F::ZERO),
            }
        }
    }
}

/// The taps of one line of a kernel that lie within the input.
struct Run {
    /// Taps before the first.
    skip: usize,
    /// How many.
    n: usize,
    /// The input position of the first.
    from: usize,
}

fn run(conv: &Conv, y: usize, x: usize, line: usize) -> Option<Run> {
    let row = (y * conv.stride + line * conv.dilation).checked_sub(conv.before[0])?;
    if row >= conv.input.height {
        return None;
    }
    let start = (x * conv.stride) as isize - conv.before[1] as isize;
    let taps = within(conv.input.width, conv.size[1], conv.dilation, start);
    if taps.is_empty() {
        return None;
    }
    let column = (start + (taps.start * conv.dilation) as isize) as usize;
    Some(Run { skip: taps.start, n: taps.len(), from: row * conv.input.width + column })
}

/// Adds the gradients of the windows of one row to where their values came from.
pub(super) fn add_back<F: Real>(conv: &Conv, windows: &[F], d_image: &mut [F], into: Into) {
    if into == Into::Replace {
        d_image.fill(F::ZERO);
    }
    let (output, n_channels) = (conv.output(), conv.input.channels);
    let depth = conv.taps() * n_channels;
    let line = conv.size[1] * n_channels;
    let windows = windows.chunks_exact(depth).take(output.positions());
    for (position, window) in windows.enumerate() {
        let (y, x) = (position / output.width, position % output.width);
        for (tap, part) in window.chunks_exact(line).enumerate() {
            let Some(run) = run(conv, y, x, tap) else { continue };
            if conv.dilation == 1 {
                let part = &part[run.skip * n_channels..][..run.n * n_channels];
                let to = &mut d_image[run.from * n_channels..][..part.len()];
                to.iter_mut().zip(part).for_each(|(to, part)| *to += *part);
                continue;
            }
            for k in 0..run.n {
                let to = (run.from + k * conv.dilation) * n_channels;
                let part = &part[(run.skip + k) * n_channels..][..n_channels];
                let to = &mut d_image[to..to + n_channels];
                to.iter_mut().zip(part).for_each(|(to, part)| *to += *part);
            }
        }
    }
}

/// Brings one row from filters with `m` positions each, beginning at `start`, to positions with
/// their filters side by side.
pub(super) fn turn<F: Real>(row: &mut [F], made: &[F], start: usize, m: usize) {
    let n_filters = made.len() / m;
    for (filter, values) in made.chunks_exact(m).enumerate() {
        let places = row[filter..].iter_mut().step_by(n_filters);
        places.zip(&values[start..]).for_each(|(place, value)| *place = *value);
    }
}
