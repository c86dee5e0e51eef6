//! A convolution that is computed as it stands, without copies of its windows.

use pulp::{Simd, WithSimd};

use super::finish::OfChannels;
use super::{Conv, Finish};
use crate::jobs::Team;
use crate::nn::Real;
use crate::nn::spec::Shape;
use crate::nn::wide::{FEW, in_lanes, in_vectors};

/// Values of a window for which that is faster, whatever the number of filters;
const SHORT: usize = 32;
/// and filters for which it is, whatever the window: of them a matrix product makes little.
const FILTERS: usize = 16;
/// Filters come in whole vectors of any machine.
const LANES: usize = 16;
/// Positions that are computed together: with the most vectors of filters,
const POSITIONS: usize = 6;
/// with two where there are registers enough,
const MORE_POSITIONS: usize = 7;
/// and with one.
const MOST_POSITIONS: usize = 10;
/// The most parts of a row.
const MOST_PARTS: usize = 8;

/// Whether so many rows go this way.
pub(super) fn takes(conv: &Conv, n_rows: usize) -> bool {
    let is_plain = conv.stride == 1 && conv.dilation == 1;
    let is_short = n_rows == 1 && conv.taps() * conv.input.channels <= SHORT;
    let is_faster = is_short || conv.n_filters == FILTERS;
    is_plain && is_faster && conv.n_filters.is_multiple_of(LANES)
}

/// Room for a row with the zeros around it, in values.
pub(super) fn scratch(conv: &Conv) -> usize {
    let [height, width] = padded(conv);
    if takes(conv, 1) { height * width * conv.input.channels } else { 0 }
}

/// Rows and columns with the zeros around them.
fn padded(conv: &Conv) -> [usize; 2] {
    let ([n_lines, taps], output) = (conv.size, conv.output());
    [output.height + n_lines - 1, output.width + taps - 1]
}

/// One row, finished.
pub(super) fn slide<F: Real>(
    conv: &Conv,
    kernel: &[F],
    finish: &Finish<'_, F>,
    row: &[F],
    made: &mut [F],
    room: &mut [F],
    team: Option<&Team>,
) {
    let (input, [height, width]) = (conv.input, padded(conv));
    let n = input.channels;
    for (y, line) in room.chunks_exact_mut(width * n).take(height).enumerate() {
        line.fill(F::ZERO);
        let y = y.wrapping_sub(conv.before[0]);
        if y < input.height {
            let before = conv.before[1];
            let n_values = input.width.min(width - before) * n;
            let from = &row[y * input.width * n..][..n_values];
            line[before * n..][..n_values].copy_from_slice(from);
        }
    }
    let (output, padded, pitch) = (conv.output(), &*room, width * n);
    let n_parts = team.map_or(1, Team::len).min(MOST_PARTS);
    let per_part = output.height.div_ceil(n_parts);
    let mut work = made.chunks_mut(per_part * output.width * output.channels);
    let mut parts: [&mut [F]; MOST_PARTS] =
        std::array::from_fn(|_| work.next().unwrap_or_default());
    let parts = &mut parts[..output.height.div_ceil(per_part)];
    let convolve = |part: usize, made: &mut [F]| {
        let first = part * per_part;
        in_lanes(Direct { conv, output, kernel, finish, padded, pitch, first, made: &mut *made });
        finish.rest(made);
    };
    match team {
        Some(team) => team.share(parts, |part, made| convolve(part, made)),
        None => parts.iter_mut().enumerate().for_each(|(part, made)| convolve(part, made)),
    }
}

/// All positions with all filters.
struct Direct<'a, F> {
    conv: &'a Conv,
    output: Shape,
    kernel: &'a [F],
    finish: &'a Finish<'a, F>,
    padded: &'a [F],
    /// From one line of the padded row to the next.
    pitch: usize,
    /// The first line that is made.
    first: usize,
    made: &'a mut [F],
}

impl<F: Real> WithSimd for Direct<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (lanes, n_filters) = (F::n_lanes::<S>(), self.conv.n_filters);
        let mut filter = 0;
        in_vectors!(simd, self.lines, filter, n_filters, lanes);
    }
}

impl<F: Real> Direct<'_, F> {
    /// All positions with `V` vectors of filters.
    #[inline(always)]
    fn lines<S: Simd, const V: usize>(&mut self, simd: S, filter: usize) {
        if self.conv.input.channels == 1 {
            self.lines_of::<S, V, true>(simd, filter);
        } else {
            self.lines_of::<S, V, false>(simd, filter);
        }
    }

    /// The same, by whether there is but one channel.
    #[inline(always)]
    fn lines_of<S: Simd, const V: usize, const ONE: bool>(&mut self, simd: S, filter: usize) {
        let output = self.output;
        let has_room = V == 1 || V == FEW && S::REGISTER_COUNT >= 32;
        let vector = filter / F::n_lanes::<S>();
        let mut finish = [self.finish.of_channels(simd, vector); V];
        for (v, finish) in finish.iter_mut().enumerate().skip(1) {
            *finish = self.finish.of_channels(simd, vector + v);
        }
        for y in 0..self.made.len() / (output.width * output.channels) {
            let mut x = 0;
            while V == 1 && x + MOST_POSITIONS <= output.width {
                self.block::<S, MOST_POSITIONS, V, ONE>(simd, (y, x), filter, &finish);
                x += MOST_POSITIONS;
            }
            while has_room && x + MORE_POSITIONS <= output.width {
                self.block::<S, MORE_POSITIONS, V, ONE>(simd, (y, x), filter, &finish);
                x += MORE_POSITIONS;
            }
            while x + POSITIONS <= output.width {
                self.block::<S, POSITIONS, V, ONE>(simd, (y, x), filter, &finish);
                x += POSITIONS;
            }
            while x + 2 <= output.width {
                self.block::<S, 2, V, ONE>(simd, (y, x), filter, &finish);
                x += 2;
            }
            while x < output.width {
                self.block::<S, 1, V, ONE>(simd, (y, x), filter, &finish);
                x += 1;
            }
        }
    }

    /// `R` neighbouring positions with `V` vectors of filters.
    #[inline(always)]
    fn block<S: Simd, const R: usize, const V: usize, const ONE: bool>(
        &mut self,
        simd: S,
        (y, x): (usize, usize),
        filter: usize,
        finish: &[OfChannels<S, F>; V],
    ) {
        let [n_lines, taps] = self.conv.size;
        let n_channels = if ONE { 1 } else { self.conv.input.channels };
        let (n_filters, lanes, length) =
            (self.conv.n_filters, F::n_lanes::<S>(), taps * n_channels);
        // From the first value of the first window to that of the last, both included.
        let reach = (R - 1) * n_channels + 1;
        let mut sums = [[F::splat(simd, F::ZERO); V]; R];
        for (line, kernel) in self.kernel.chunks_exact(length * n_filters).take(n_lines).enumerate()
        {
            let start = (self.first + y + line) * self.pitch + x * n_channels;
            let windows = &self.padded[start..][..length + reach - 1];
            for (weights, values) in kernel.chunks_exact(n_filters).zip(windows.windows(reach)) {
                let weights = &F::lanes::<S>(&weights[filter..])[..V];
                let mut w = [F::splat(simd, F::ZERO); V];
                w.copy_from_slice(weights);
                for r in 0..R {
                    let value = F::splat(simd, values[r * n_channels]);
                    for v in 0..V {
                        sums[r][v] = F::fused(simd, value, w[v], sums[r][v]);
                    }
                }
            }
        }
        let (pitch, first) = (n_filters / lanes, filter / lanes);
        let position = y * self.output.width + x;
        let made = &mut F::lanes_mut::<S>(self.made)[position * pitch..][..R * pitch];
        for r in 0..R {
            let made = &mut made[r * pitch + first..][..V];
            for v in 0..V {
                made[v] = finish[v].apply(simd, sums[r][v]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::product::{Grid, Into, product};
    use crate::nn::spec::Padding;
    use crate::nn::wide::NARROW;
    use crate::rng::{Seed, stream};

    /// By the sum as the literature has it, with whole numbers, which every order of summation
    /// adds up to the same.
    fn check<F: Real>(input: Shape, size: [usize; 2], n_filters: usize, padding: Padding) {
        let conv = Conv::new(input, n_filters, size, 1, 1, padding);
        assert!(takes(&conv, 1), "{input:?} {size:?} {n_filters}");
        let (output, depth) = (conv.output(), conv.taps() * input.channels);
        let mut rng = stream(Seed(5), "direct");
        let mut draw =
            |n: usize| -> Vec<F> { (0..n).map(|_| F::of((rng.normal() * 3.0).round())).collect() };
        let (row, kernel, bias) = (draw(input.len()), draw(depth * n_filters), draw(n_filters));
        let mut windows = vec![F::ZERO; output.positions() * depth];
        for (at, value) in windows.iter_mut().enumerate() {
            let (position, place) = (at / depth, at % depth);
            let (tap, channel) = (place / input.channels, place % input.channels);
            let y = position / output.width + tap / size[1];
            let x = position % output.width + tap % size[1];
            let (y, x) = (y.wrapping_sub(conv.before[0]), x.wrapping_sub(conv.before[1]));
            if y < input.height && x < input.width {
                *value = row[(y * input.width + x) * input.channels + channel];
            }
        }
        let mut plain = vec![F::ZERO; output.len()];
        let grid = |rows, columns| Grid::new(0, rows, columns, columns);
        let to = (&mut plain[..], grid(output.positions(), n_filters));
        let from = (&windows[..], grid(output.positions(), depth));
        product(to, from, (&kernel, grid(depth, n_filters)), Into::Replace);
        let finish = Finish { bias: Some(&bias), ..Finish::NONE };
        finish.apply(&mut plain);
        for team in [None, Some(Team::new(3))] {
            let mut made = vec![F::of(f64::NAN); output.len()];
            let mut room = vec![F::of(f64::NAN); scratch(&conv)];
            slide(&conv, &kernel, &finish, &row, &mut made, &mut room, team.as_ref());
            assert!(made == plain, "{input:?} {size:?} {n_filters} {padding:?}");
        }
    }

    #[test]
    fn it_is_the_sum_of_the_literature() {
        for padding in [Padding::Same, Padding::Valid] {
            for width in 5..24 {
                NARROW.set(width == 9);
                let plane = Shape { height: 7, width, channels: 1 };
                for n_filters in [16, 32, 48, 112] {
                    check::<f32>(Shape::series(width, 2), [1, 5], n_filters, padding);
                    check::<f32>(plane, [3, 2], n_filters, padding);
                    check::<f64>(plane, [2, 5], n_filters, padding);
                }
                check::<f32>(Shape { channels: 6, ..plane }, [5, 5], 16, padding);
            }
        }
    }
}
