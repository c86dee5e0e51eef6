//! A convolution with fewer multiplications, row by row.

mod frame;
mod line;
#[cfg(test)]
mod tests;

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::finish::OfChannels;
use super::{Conv, Finish, lines};
use crate::jobs::Team;
use crate::nn::few::FewRows;
use crate::nn::product::Into;
use crate::nn::wide::{Loop, in_lanes, widely};
use crate::nn::{Aligned, Real};
use frame::{Frame, frames, pitch};
use line::{Apart, Line, MOST_OUTPUTS, MOST_POINTS, Takes, Window};

/// Channels and filters come in whole vectors of any machine.
const LANES: usize = 16;
/// Filters that are computed side by side.
const PANEL: usize = 64;
/// The most parts of a row.
const MOST_PARTS: usize = 8;

/// A kernel turned into its values at points, by which `m` outputs along a line cost `m + r - 1`
/// products in place of `m r` (Toom, 1963; Cook, 1966; for networks Winograd's form of Lavin and
/// Gray, 2016).
///
/// A line of a kernel with `r` taps is a polynomial, `m` outputs are another, and the inputs under
/// them are tied to their product, which `n = m + r - 1` values determine. With points `α` (the
/// last one infinity), filters `f` and channels `c`, a tile that begins at output `p` of a series
/// is
///
/// ```text
/// y[p + i, f] = Σ_j A[j, i] Σ_c (Σ_t G[j, t] W[t, c, f]) · (Σ_k B[j, k] x[p + k − b, c])
///
/// A[j, i] = α_j^i     G[j, t] = α_j^t / N_j     N_j = Π_{k ≠ j} (α_j − α_k)
/// B[j, k] = the coefficient of z^k in Π_{i ≠ j} (z − α_i)
/// ```
///
/// where at infinity `A` and `G` have a single one in their last place. Over an image the same is
/// done along both directions, one after the other. The inner sums over channels are matrix
/// products, one for each point. Results differ from those of the plain sum by a few 1e-6 of the
/// largest in single precision.
#[derive(Debug)]
pub(in crate::nn) struct Toom<F> {
    frame: Frame,
    /// From row to row, and from column to column.
    lines: [Line<F>; 2],
    /// By panel of filters, point, channel and filter.
    kernel: Aligned<F>,
    /// What lies outside a row.
    zeros: Aligned<F>,
    /// For the way back: room to turn filters and channels round.
    turned: Option<Aligned<F>>,
}

/// A few tiles of a row, and where their outputs go.
struct Part<'a, F> {
    tiles: Range<usize>,
    /// The first position of `made` in the row.
    first: usize,
    made: &'a mut [F],
    room: &'a mut [F],
}

impl<F: Real> Toom<F> {
    /// For a convolution, where that is faster; the kernel is still to come.
    pub(in crate::nn) fn forward_of(conv: &Conv) -> Option<Self> {
        frames(conv)[0].map(|frame| Self::new(frame, None))
    }

    /// For the gradient of its input.
    pub(in crate::nn) fn back_of(conv: &Conv) -> Option<Self> {
        let n_values = conv.input.channels * conv.n_filters;
        frames(conv)[1].map(|frame| Self::new(frame, Some(Aligned::zeros(n_values))))
    }

    fn new(frame: Frame, turned: Option<Aligned<F>>) -> Self {
        let ([n_lines, taps], [height, width]) = (frame.size, frame.tile);
        let lines = [Line::new(n_lines, height), Line::new(taps, width)];
        let n_values = frame.input.channels * frame.output.channels;
        let kernel = Aligned::zeros(frame.n_points() * n_values);
        let zeros = Aligned::zeros(frame.input.channels);
        Self { frame, lines, kernel, zeros, turned }
    }

    /// Room for a row, in values: forward, and back as well; nothing where this way is not taken.
    pub(in crate::nn) fn scratch(conv: &Conv) -> [Option<usize>; 2] {
        let of = |frame: Frame| frame.scratch(frame.n_tiles()) + MOST_PARTS * frame.scratch(0);
        frames(conv).map(|frame| frame.map(of))
    }

    /// Takes the kernel of the convolution as it is now: lines, taps, channels and filters.
    pub(in crate::nn) fn take(&mut self, kernel: &[F]) {
        let Self { frame, lines: [of_lines, of_taps], kernel: made, turned, .. } = self;
        let ([n_lines, taps], n_channels) = (frame.size, frame.input.channels);
        let n_filters = frame.output.channels;
        let (n_points, n_values) = (frame.n_points(), n_channels * n_filters);
        for point in 0..n_points {
            let (down, along) = (point / of_taps.n_points, point % of_taps.n_points);
            let mut weights = [F::ZERO; MOST_OUTPUTS * MOST_OUTPUTS];
            for (at, weight) in weights[..n_lines * taps].iter_mut().enumerate() {
                let (line, tap) = (at / taps, at % taps);
                *weight = of_lines.to_kernel[down][line] * of_taps.to_kernel[along][tap];
            }
            let weights = &mut weights[..n_lines * taps];
            if let Some(room) = turned.as_deref_mut() {
                // Back it is the kernel with its taps and lines in reverse, filters before channels.
                weights.reverse();
                let columns = (n_values, 0, n_values);
                widely(Mix { weights, from: kernel, n_values, columns, to: room });
            }
            for first in (0..n_filters).step_by(PANEL) {
                let width = PANEL.min(n_filters - first);
                let panel = &mut made[first * n_channels * n_points..];
                let to = &mut panel[point * n_channels * width..][..n_channels * width];
                if let Some(room) = turned {
                    let rows = &room[first * n_channels..][..width * n_channels];
                    lines::to_lines(rows, n_channels, to, 0, width);
                } else {
                    let columns = (n_filters, first, width);
                    widely(Mix { weights, from: kernel, n_values, columns, to });
                }
            }
        }
    }

    /// One row, finished. A team shares its tiles, if there is one.
    pub(in crate::nn) fn slide(
        &self,
        row: &[F],
        made: &mut [F],
        finish: &Finish<'_, F>,
        into: Into,
        room: &mut [F],
        team: Option<&Team>,
    ) {
        let frame = self.frame;
        let n_parts = team.map_or(1, Team::len).min(MOST_PARTS);
        let (of_piece, n_pieces) = frame.pieces();
        let mut rest = (made, room);
        let mut next = |at: usize| {
            let pieces = [n_pieces * at / n_parts, n_pieces * (at + 1) / n_parts];
            let [first, end] = pieces.map(|piece| frame.position(piece));
            let tiles = pieces[0] * of_piece..pieces[1] * of_piece;
            let (made, room) = std::mem::take(&mut rest);
            let (made, others) = made.split_at_mut((end - first) * frame.output.channels);
            let (room, other_room) = room.split_at_mut(frame.scratch(tiles.len()));
            rest = (others, other_room);
            Part { tiles, first, made, room }
        };
        let mut parts: [Option<Part<'_, F>>; MOST_PARTS] =
            std::array::from_fn(|at| (at < n_parts).then(|| next(at)));
        let work = |part: &mut Option<Part<'_, F>>| {
            if let Some(part) = part {
                in_lanes(Slide { toom: self, row, part, finish, into });
            }
        };
        match team {
            Some(team) => team.share(&mut parts[..n_parts], |_, part| work(part)),
            None => work(&mut parts[0]),
        }
    }
}

/// For each row of the outcome `to = Σ_t weights[t] from[t]`, the parts of `from` being `n_values`
/// long; of its rows only some columns are taken.
struct Mix<'a, F> {
    weights: &'a [F],
    from: &'a [F],
    n_values: usize,
    /// How long a row is, the first column, and how many.
    columns: (usize, usize, usize),
    to: &'a mut [F],
}

impl<F: Real> Loop for Mix<'_, F> {
    #[inline(always)]
    fn run(self) {
        let (length, first, width) = self.columns;
        for (row, to) in self.to.chunks_exact_mut(width).enumerate() {
            let start = row * length + first;
            for (block, to) in to.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
                let mut sum = [F::ZERO; LANES];
                for (t, weight) in self.weights.iter().enumerate() {
                    let from = &self.from[t * self.n_values + start + block * LANES..][..LANES];
                    if *weight != F::ZERO {
                        (0..LANES).for_each(|k| sum[k] += *weight * from[k]);
                    }
                }
                *to = sum;
            }
        }
    }
}

/// Some tiles of a row from their inputs to their outputs.
struct Slide<'a, 'b, F> {
    toom: &'a Toom<F>,
    row: &'a [F],
    part: &'a mut Part<'b, F>,
    finish: &'a Finish<'a, F>,
    into: Into,
}

impl<F: Real> WithSimd for Slide<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { toom, row, part, finish, into } = self;
        let (frame, n_tiles) = (toom.frame, part.tiles.len());
        let (n_channels, n_filters) = (frame.input.channels, frame.output.channels);
        let n_points = frame.n_points();
        let of_inputs = pitch(n_tiles, n_channels);
        let (inputs, outputs) = part.room.split_at_mut(n_points * of_inputs);
        toom.to_points(simd, row, part.tiles.clone(), inputs);
        for first in (0..n_filters).step_by(PANEL) {
            let width = PANEL.min(n_filters - first);
            let of_point = n_channels * width;
            let kernels = &toom.kernel[first * n_channels * n_points..];
            let of_outputs = pitch(n_tiles, width);
            let outputs = &mut outputs[..n_points * of_outputs];
            let parts = inputs.chunks_exact(of_inputs);
            let outputs_of = outputs.chunks_exact_mut(of_outputs);
            for (point, (a, c)) in parts.zip(outputs_of).enumerate() {
                let (b, next) = kernels[point * of_point..].split_at(of_point);
                let next = &next[..of_point.min(next.len())];
                let ([a_step, b_step, c_step], into) = ([n_channels, width, width], Into::Replace);
                let size = [n_tiles, n_channels, width];
                FewRows { c, c_step, a, a_step, b, b_step, size, into, next }.multiply(simd);
            }
            let to = (&mut *part.made, part.first);
            toom.to_outputs(simd, outputs, part.tiles.clone(), (first, width), finish, to, into);
        }
        finish.rest(part.made);
    }
}

impl<F: Real> Toom<F> {
    /// The window of each tile becomes its values at the points.
    #[inline(always)]
    fn to_points<S: Simd>(&self, simd: S, row: &[F], tiles: Range<usize>, inputs: &mut [F]) {
        let (frame, shape) = (self.frame, self.frame.input);
        let [down, along] = &self.lines;
        let (n_down, n_along) = (down.n_points, along.n_points);
        let lanes = F::n_lanes::<S>();
        let (n_vectors, pitch) =
            (shape.channels / lanes, pitch(tiles.len(), shape.channels) / lanes);
        let [_, per_row] = frame.tiles();
        let zeros = F::lanes::<S>(&self.zeros);
        let inputs = F::lanes_mut::<S>(inputs);
        let zero = F::splat(simd, F::ZERO);
        let mut between = [zero; MOST_POINTS * MOST_POINTS];
        let mut window = [[zeros; MOST_POINTS]; MOST_POINTS];
        for (idx, tile) in tiles.enumerate() {
            let top = (tile / per_row * down.n_outputs).wrapping_sub(frame.before[0]);
            let left = (tile % per_row * along.n_outputs).wrapping_sub(frame.before[1]);
            for (k, window) in window[..n_down].iter_mut().enumerate() {
                let y = top.wrapping_add(k);
                for (l, place) in window[..n_along].iter_mut().enumerate() {
                    let x = left.wrapping_add(l);
                    *place = if y < shape.height && x < shape.width {
                        let start = (y * shape.width + x) * shape.channels;
                        F::lanes::<S>(&row[start..][..shape.channels])
                    } else {
                        zeros
                    };
                }
            }
            for vector in 0..n_vectors {
                let (first, step) = (idx * n_vectors + vector, pitch);
                if n_down == 1 {
                    let from = Window { positions: &window[0][..], vector };
                    along.to_points(simd, &from, &mut Apart { values: &mut *inputs, first, step });
                    continue;
                }
                for (k, positions) in window[..n_down].iter().enumerate() {
                    let values = &mut between[..];
                    let mut to = Apart { values, first: k * MOST_POINTS, step: 1 };
                    along.to_points(simd, &Window { positions: &positions[..], vector }, &mut to);
                }
                for j in 0..n_along {
                    let from = Apart { values: &between[..], first: j, step: MOST_POINTS };
                    let (first, step) = (first + j * step, n_along * step);
                    down.to_points(simd, &from, &mut Apart { values: &mut *inputs, first, step });
                }
            }
        }
    }

    /// The values of some filters at the points become their outputs, finished but for what
    /// [`Finish::rest`] does.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "what goes in and what comes out")]
    fn to_outputs<S: Simd>(
        &self,
        simd: S,
        outputs: &[F],
        tiles: Range<usize>,
        (first, width): (usize, usize),
        finish: &Finish<'_, F>,
        (made, first_position): (&mut [F], usize),
        into: Into,
    ) {
        let (frame, shape) = (self.frame, self.frame.output);
        let [down, along] = &self.lines;
        let (n_down, n_along) = (down.n_points, along.n_points);
        let lanes = F::n_lanes::<S>();
        let (n_vectors, pitch) = (width / lanes, shape.channels / lanes);
        let (of_point, [_, per_row]) = (self::pitch(tiles.len(), width) / lanes, frame.tiles());
        let (outputs, made) = (F::lanes::<S>(outputs), F::lanes_mut::<S>(made));
        let mut between = [F::splat(simd, F::ZERO); MOST_POINTS * MOST_OUTPUTS];
        for vector in 0..n_vectors {
            let column = first / lanes + vector;
            let finish = finish.of_channels(simd, column);
            for (idx, tile) in tiles.clone().enumerate() {
                let (top, left) =
                    (tile / per_row * down.n_outputs, tile % per_row * along.n_outputs);
                let (first, step) = (idx * n_vectors + vector, of_point);
                let start = (top * shape.width + left - first_position) * pitch + column;
                let (finish, made) = (&finish, &mut *made);
                let n = shape.width - left;
                let mut put = Put { simd, made, first: start, step: pitch, n, finish, into };
                if n_down == 1 {
                    let from = Apart { values: outputs, first, step };
                    along.to_outputs(simd, &from, &mut put);
                    continue;
                }
                for i in 0..n_down {
                    let from = Apart { values: outputs, first: first + i * n_along * step, step };
                    let values = &mut between[..];
                    let mut to = Apart { values, first: i * MOST_OUTPUTS, step: 1 };
                    along.to_outputs(simd, &from, &mut to);
                }
                (put.step, put.n) = (shape.width * pitch, shape.height - top);
                for j in 0..along.n_outputs.min(shape.width - left) {
                    let from = Apart { values: &between[..], first: j, step: MOST_OUTPUTS };
                    down.to_outputs(simd, &from, &mut put);
                    put.first += pitch;
                }
            }
        }
    }
}

/// Puts the outputs of a line where they belong, as far as they lie within the row.
struct Put<'a, S: Simd, F: Real> {
    simd: S,
    made: &'a mut [F::Of<S>],
    first: usize,
    step: usize,
    /// So many outputs lie within the row.
    n: usize,
    finish: &'a OfChannels<S, F>,
    into: Into,
}

impl<S: Simd, F: Real> Takes<F::Of<S>> for Put<'_, S, F> {
    #[inline(always)]
    fn take(&mut self, k: usize, value: F::Of<S>) {
        if k < self.n {
            let place = &mut self.made[self.first + k * self.step];
            let whole = match self.into {
                Into::Replace => value,
                Into::Add => F::plus(self.simd, *place, value),
            };
            *place = self.finish.apply(self.simd, whole);
        }
    }
}
