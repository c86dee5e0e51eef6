//! The windows of a convolution, copied side by side, and their gradients, added back.

use std::ops::Range;

use super::Conv;
use crate::nn::Real;
use crate::nn::batch::Batch;
use crate::nn::product::{Grid, Into};
use crate::nn::wide::{Loop, widely};

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
        widely(Patches { conv, image: input.row(row), into });
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
        if output.width == input.width && !columns.is_empty() && !rows.is_empty() {
            shifted(image, plane, input.width, (down, right), &rows, &columns);
            continue;
        }
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

/// A shifted copy of a whole image: one piece, and zeros where it slid in from a neighbouring line.
fn shifted<F: Real>(
    image: &[F],
    plane: &mut [F],
    width: usize,
    (down, right): (isize, isize),
    rows: &Range<usize>,
    columns: &Range<usize>,
) {
    let shift = down * width as isize + right;
    let first = rows.start * width + columns.start;
    let last = (rows.end - 1) * width + columns.end;
    plane[..first].fill(F::ZERO);
    plane[last..].fill(F::ZERO);
    let from = (first as isize + shift) as usize;
    plane[first..last].copy_from_slice(&image[from..from + last - first]);
    if columns.len() < width {
        for line in plane[rows.start * width..rows.end * width].chunks_exact_mut(width) {
            line[..columns.start].iter_mut().for_each(|cell| *cell = F::ZERO);
            line[columns.end..].iter_mut().for_each(|cell| *cell = F::ZERO);
        }
    }
}

/// The taps of one line of a kernel that lie within the input, for one output column.
#[derive(Clone, Copy, Debug)]
pub(in crate::nn) struct Span {
    /// Taps before the first.
    skip: usize,
    /// How many.
    n: usize,
    /// The input column of the first.
    from: usize,
}

/// For each output column the taps of a line that lie within the input.
pub(super) fn spans(conv: &Conv) -> Vec<Span> {
    let span = |x: usize| {
        let start = (x * conv.stride) as isize - conv.before[1] as isize;
        let taps = within(conv.input.width, conv.size[1], conv.dilation, start);
        let from = (start + (taps.start * conv.dilation) as isize).max(0) as usize;
        Span { skip: taps.start, n: taps.len(), from }
    };
    (0..conv.output().width).map(span).collect()
}

/// The input row under a line of the kernel, for one output row.
#[inline(always)]
fn row_under(conv: &Conv, y: usize, line: usize) -> Option<usize> {
    let row = (y * conv.stride + line * conv.dilation).checked_sub(conv.before[0])?;
    (row < conv.input.height).then_some(row)
}

/// The windows of one row, line by line of the kernel.
struct Patches<'a, F> {
    conv: &'a Conv,
    image: &'a [F],
    into: &'a mut [F],
}

impl<F: Real> Loop for Patches<'_, F> {
    #[inline(always)]
    fn run(self) {
        let Self { conv, image, into } = self;
        let (output, n_channels) = (conv.output(), conv.input.channels);
        let depth = conv.taps() * n_channels;
        let length = conv.size[1] * n_channels;
        let pitch = conv.input.width * n_channels;
        for (y, windows) in into.chunks_exact_mut(output.width * depth).enumerate() {
            for line in 0..conv.size[0] {
                let row =
                    row_under(conv, y, line).map(|row| &image[row * pitch..(row + 1) * pitch]);
                for (window, span) in windows.chunks_exact_mut(depth).zip(&conv.spans) {
                    let part = &mut window[line * length..(line + 1) * length];
                    match row {
                        Some(row) if conv.dilation == 1 => {
                            let n = span.n * n_channels;
                            let from = &row[span.from * n_channels..][..n];
                            if n == length {
                                copy_short(part, from);
                                continue;
                            }
                            let (before, rest) = part.split_at_mut(span.skip * n_channels);
                            before.fill(F::ZERO);
                            rest[..n].copy_from_slice(from);
                            rest[n..].fill(F::ZERO);
                        }
                        Some(row) => {
                            part.fill(F::ZERO);
                            for k in 0..span.n {
                                let from = (span.from + k * conv.dilation) * n_channels;
                                part[(span.skip + k) * n_channels..][..n_channels]
                                    .copy_from_slice(&row[from..from + n_channels]);
                            }
                        }
                        None => part.fill(F::ZERO),
                    }
                }
            }
        }
    }
}

/// Copies a few values without a call: as blocks of 16, the last of which reaches back.
#[inline(always)]
fn copy_short<F: Real>(to: &mut [F], from: &[F]) {
    const N: usize = 16;
    if from.len() < N {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        return;
    }
    let (blocks, _) = from.as_chunks::<N>();
    to.as_chunks_mut::<N>().0.iter_mut().zip(blocks).for_each(|(to, from)| *to = *from);
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk::<N>()) {
        *to = *from;
    }
}

/// Adds a few values without a call, in blocks.
#[inline(always)]
fn add_short<F: Real>(to: &mut [F], from: &[F]) {
    #[inline(always)]
    fn blocks<'a, F: Real, const N: usize>(
        to: &'a mut [F],
        from: &'a [F],
    ) -> (&'a mut [F], &'a [F]) {
        let ((to, to_rest), (from, from_rest)) = (to.as_chunks_mut::<N>(), from.as_chunks::<N>());
        for (to, from) in to.iter_mut().zip(from) {
            (0..N).for_each(|k| to[k] += from[k]);
        }
        (to_rest, from_rest)
    }
    let (to, from) = blocks::<F, 16>(to, from);
    let (to, from) = blocks::<F, 8>(to, from);
    let (to, from) = blocks::<F, 4>(to, from);
    blocks::<F, 1>(to, from);
}

/// Adds the gradients of the windows of one row to where their values came from.
pub(super) fn add_back<F: Real>(conv: &Conv, windows: &[F], d_image: &mut [F], into: Into) {
    widely(AddBack { conv, windows, d_image, into });
}

struct AddBack<'a, F> {
    conv: &'a Conv,
    windows: &'a [F],
    d_image: &'a mut [F],
    into: Into,
}

impl<F: Real> Loop for AddBack<'_, F> {
    #[inline(always)]
    fn run(self) {
        let Self { conv, windows, d_image, into } = self;
        if into == Into::Replace {
            d_image.fill(F::ZERO);
        }
        let (output, n_channels) = (conv.output(), conv.input.channels);
        let [n_lines, length] = [conv.size[0], conv.size[1] * n_channels];
        let (depth, pitch) = (n_lines * length, conv.input.width * n_channels);
        // Neighbouring windows overlap, and a sum that was just written is slow to be read again:
        // windows follow one another at the distance of a kernel.
        let turns = conv.size[1].min(output.width);
        for at in 0..output.height * n_lines {
            let (y, line) = (at / n_lines, at % n_lines);
            let Some(row) = row_under(conv, y, line) else { continue };
            let row = &mut d_image[row * pitch..(row + 1) * pitch];
            let windows = &windows[y * output.width * depth..][..output.width * depth];
            for turn in 0..turns {
                let mut x = turn;
                while x < output.width {
                    let span = conv.spans[x];
                    let part = &windows[x * depth + line * length..][..length];
                    if conv.dilation == 1 {
                        let part = &part[span.skip * n_channels..][..span.n * n_channels];
                        add_short(&mut row[span.from * n_channels..][..part.len()], part);
                    } else {
                        for k in 0..span.n {
                            let to = (span.from + k * conv.dilation) * n_channels;
                            let part = &part[(span.skip + k) * n_channels..][..n_channels];
                            add_short(&mut row[to..to + n_channels], part);
                        }
                    }
                    x += turns;
                }
            }
        }
    }
}

/// Puts a kernel whose taps run fastest into one whose filters do, or adds it there.
pub(super) fn add_turned<F: Real>(kernel: &mut [F], made: &[F], n_filters: usize, into: Into) {
    let depth = made.len() / n_filters;
    for (filter, taps) in made.chunks_exact(depth).enumerate() {
        let places = kernel[filter..].iter_mut().step_by(n_filters);
        for (place, tap) in places.zip(taps) {
            *place = if into == Into::Add { *place + *tap } else { *tap };
        }
    }
}
