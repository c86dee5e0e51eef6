//! A convolution with fewer multiplications, row by row.

use super::{Conv, lines};
use crate::nn::Real;
use crate::nn::product::{Grid, Into, product};
use crate::nn::spec::Shape;
use crate::nn::wide::{Loop, widely};

/// Outputs of a tile.
const TILE: usize = 4;
/// Values that are computed side by side.
const LANES: usize = 16;
/// Below this many multiplications of a row, what is saved does not pay for the way there,
const WORTH: usize = 1 << 18;
/// nor does it where a product has fewer rows than this to read the kernel for.
const FEWEST_ROWS: usize = 16;

/// A kernel turned into its values at points, by which four outputs along a line cost `r + 3`
/// products in place of `4 r` (Toom, 1963; Cook, 1966; for networks Winograd's form of Lavin and
/// Gray, 2016).
///
/// A line of a kernel with `r` taps is a polynomial, four outputs are another, and the inputs under
/// them are tied to their product, which `n = r + 3` values determine. With points `α` (the last
/// one infinity), filters `f`, channels `c` and `l` the lines of the kernel, a tile that begins at
/// output `p` is
///
/// ```text
/// y[p + i, f] = Σ_j A[j, i] Σ_l Σ_c (Σ_t G[j, t] W[l, t, c, f]) · (Σ_k B[j, k] x[l, p + k − b, c])
///
/// A[j, i] = α_j^i     G[j, t] = α_j^t / N_j     N_j = Π_{k ≠ j} (α_j − α_k)
/// B[j, k] = the coefficient of z^k in Π_{i ≠ j} (z − α_i)
/// ```
///
/// where at infinity `A` and `G` have a single one in their last place. The inner sums over lines
/// and channels are `n` matrix products. Points near one keep the loss of digits small: results
/// differ from those of the plain sum by about 1e-6 of the largest.
#[derive(Clone, Debug)]
pub(in crate::nn) struct Toom<F> {
    frame: Frame,
    to_inputs: Vec<[F; MOST]>,
    to_kernel: Vec<[F; MOST]>,
    to_outputs: Vec<[F; MOST]>,
    /// By point, line, channel and filter.
    kernel: Vec<F>,
    /// What lies outside a row.
    zeros: Vec<F>,
    /// For the way back: room to turn filters and channels round.
    turned: Option<Vec<F>>,
}

/// What slides over what: one row of a convolution, or its gradient on the way back.
#[derive(Clone, Copy, Debug)]
struct Frame {
    /// The channels of a value are those that are summed over.
    input: Shape,
    /// The channels of a value are the filters.
    output: Shape,
    size: [usize; 2],
    before: [usize; 2],
}

impl Frame {
    fn of(conv: &Conv) -> Self {
        let Conv { input, size, before, .. } = *conv;
        Self { input, output: conv.output(), size, before }
    }

    /// The gradient of the output slides over the flipped kernel.
    fn back(conv: &Conv) -> Self {
        let forward = Self::of(conv);
        let [lines, taps] = conv.size;
        let before = [lines - 1 - conv.before[0], taps - 1 - conv.before[1]];
        Self { input: forward.output, output: forward.input, before, ..forward }
    }

    /// Whether this way is open and worth it.
    fn fits(self) -> bool {
        let n_values = self.input.channels * self.output.channels;
        let cost = self.output.positions() * self.size[0] * self.size[1] * n_values;
        let in_lanes =
            self.input.channels.is_multiple_of(LANES) && self.output.channels.is_multiple_of(LANES);
        let is_large = cost >= WORTH && self.n_rows() >= FEWEST_ROWS;
        (3..=5).contains(&self.size[1]) && in_lanes && is_large
    }

    /// Tiles along a line.
    fn tiles(self) -> usize {
        self.output.width.div_ceil(TILE)
    }

    /// Input lines with the zeros above and below.
    fn lines(self) -> usize {
        self.output.height + self.size[0] - 1
    }

    /// Rows of each product.
    fn n_rows(self) -> usize {
        self.tiles() * self.lines()
    }

    /// Values of the inputs at a point: the last window reaches beyond the last line.
    fn inputs(self) -> usize {
        (self.n_rows() + self.size[0] - 1) * self.input.channels
    }

    /// Room for a row, in values.
    fn scratch(self) -> usize {
        let n_points = self.size[1] + TILE - 1;
        n_points * (self.inputs() + self.n_rows() * self.output.channels)
    }
}

/// The most points there are.
const MOST: usize = 8;

/// The finite points for 3, 4 and 5 taps.
const POINTS: [&[f64]; 3] = [
    &[0.0, 0.75, -0.75, 1.5, -1.5],
    &[0.0, 1.0, -1.0, 1.75, -1.75, 0.5],
    &[0.0, 1.0, -1.0, 1.75, -1.75, 0.5, -0.5],
];

/// The frames of a convolution, forward and back, as far as they are worth it.
fn frames(conv: &Conv) -> [Option<Frame>; 2] {
    let is_plain = conv.stride == 1 && conv.dilation == 1;
    [Frame::of(conv), Frame::back(conv)]
        .map(|frame| Some(frame).filter(|own| is_plain && own.fits()))
}

impl<F: Real> Toom<F> {
    /// For a convolution, where that is faster; the kernel is still to come.
    pub(in crate::nn) fn forward_of(conv: &Conv) -> Option<Self> {
        frames(conv)[0].map(|frame| Self::new(frame, None))
    }

    /// For the gradient of its input.
    pub(in crate::nn) fn back_of(conv: &Conv) -> Option<Self> {
        let n_values = conv.input.channels * conv.n_filters;
        frames(conv)[1].map(|frame| Self::new(frame, Some(vec![F::ZERO; n_values])))
    }

    fn new(frame: Frame, turned: Option<Vec<F>>) -> Self {
        let taps = frame.size[1];
        let (to_outputs, to_kernel, to_inputs) = matrices(POINTS[taps - 3], taps);
        let n_values = frame.input.channels * frame.output.channels;
        let kernel = vec![F::ZERO; to_inputs.len() * frame.size[0] * n_values];
        let zeros = vec![F::ZERO; frame.input.channels];
        Self { frame, to_inputs, to_kernel, to_outputs, kernel, zeros, turned }
    }

    /// Room for a row, in values: forward, and back as well; nothing where this way is not taken.
    pub(in crate::nn) fn scratch(conv: &Conv) -> [Option<usize>; 2] {
        frames(conv).map(|frame| frame.map(Frame::scratch))
    }

    /// Takes the kernel of the convolution as it is now: lines, taps, channels and filters.
    pub(in crate::nn) fn take(&mut self, kernel: &[F]) {
        let Self { frame, to_kernel, kernel: made, turned, .. } = self;
        let ([n_lines, taps], n_filters) = (frame.size, frame.output.channels);
        let n_values = frame.input.channels * n_filters;
        let of_line = |line: usize| &kernel[line * taps * n_values..][..taps * n_values];
        for (at, to) in made.chunks_exact_mut(n_values).enumerate() {
            let (weights, line) = (&to_kernel[at / n_lines][..taps], at % n_lines);
            let Some(room) = turned else {
                widely(Mix { weights, from: of_line(line), to, is_reversed: false });
                continue;
            };
            // Back it is the kernel with its taps and lines in reverse, filters before channels.
            let from = of_line(n_lines - 1 - line);
            widely(Mix { weights, from, to: &mut *room, is_reversed: true });
            lines::to_lines(room, frame.input.channels, to, 0, n_filters);
        }
    }

    /// One row, without the bias.
    pub(in crate::nn) fn slide(&self, row: &[F], made: &mut [F], into: Into, room: &mut [F]) {
        let frame = self.frame;
        let (n_points, n_rows) = (self.to_inputs.len(), frame.n_rows());
        let (n_channels, n_filters) = (frame.input.channels, frame.output.channels);
        let (inputs, rest) = room.split_at_mut(n_points * frame.inputs());
        let outputs = &mut rest[..n_points * n_rows * n_filters];
        match n_points {
            6 => widely(ToInputs::<F, 6> { toom: self, row, inputs }),
            7 => widely(ToInputs::<F, 7> { toom: self, row, inputs }),
            _ => widely(ToInputs::<F, MOST> { toom: self, row, inputs }),
        }
        // A window of lines reaches over neighbouring ones; those at the end of a tile are void.
        let depth = frame.size[0] * n_channels;
        let parts = inputs.chunks_exact(frame.inputs());
        let made_at = outputs.chunks_exact_mut(n_rows * n_filters);
        let kernels = self.kernel.chunks_exact(depth * n_filters);
        for ((inputs, outputs), kernel) in parts.zip(made_at).zip(kernels) {
            let from = Grid::new(0, n_rows, depth, n_channels);
            let of_kernel = Grid::new(0, depth, n_filters, n_filters);
            let to = Grid::new(0, n_rows, n_filters, n_filters);
            product((outputs, to), (inputs, from), (kernel, of_kernel), Into::Replace);
        }
        match n_points {
            6 => widely(ToOutputs::<F, 6> { toom: self, outputs, made, into }),
            7 => widely(ToOutputs::<F, 7> { toom: self, outputs, made, into }),
            _ => widely(ToOutputs::<F, MOST> { toom: self, outputs, made, into }),
        }
    }
}

/// `to = Σ_t weights[t] from[t]`, parts of `from` side by side, or from the last to the first.
struct Mix<'a, F> {
    weights: &'a [F],
    from: &'a [F],
    to: &'a mut [F],
    is_reversed: bool,
}

impl<F: Real> Loop for Mix<'_, F> {
    #[inline(always)]
    fn run(self) {
        self.to.fill(F::ZERO);
        let (n, taps) = (self.to.len(), self.weights.len());
        for tap in 0..taps {
            let at = if self.is_reversed { taps - 1 - tap } else { tap };
            let (weight, from) = (self.weights[tap], &self.from[at * n..(at + 1) * n]);
            if weight != F::ZERO {
                self.to.iter_mut().zip(from).for_each(|(to, from)| *to += weight * *from);
            }
        }
    }
}

/// Each window of inputs becomes its values at the points.
struct ToInputs<'a, F, const N: usize> {
    toom: &'a Toom<F>,
    row: &'a [F],
    inputs: &'a mut [F],
}

impl<F: Real, const N: usize> Loop for ToInputs<'_, F, N> {
    #[inline(always)]
    fn run(self) {
        let Self { toom, row, inputs } = self;
        let (frame, shape) = (toom.frame, toom.frame.input);
        let (n_channels, n_lines, pitch) = (shape.channels, frame.lines(), frame.inputs());
        for tile in 0..frame.tiles() {
            for line in 0..n_lines {
                let at = (tile * n_lines + line) * n_channels;
                let y = line.wrapping_sub(frame.before[0]);
                let mut from = [toom.zeros.as_slice(); N];
                for (k, from) in from.iter_mut().enumerate() {
                    let x = (tile * TILE + k).wrapping_sub(frame.before[1]);
                    if y < shape.height && x < shape.width {
                        *from = &row[(y * shape.width + x) * n_channels..][..n_channels];
                    }
                }
                let to = &mut inputs[at..];
                combine(&toom.to_inputs, from, to, (pitch, n_channels), Into::Replace);
            }
        }
    }
}

/// The values of outputs at the points become the outputs.
struct ToOutputs<'a, F, const N: usize> {
    toom: &'a Toom<F>,
    outputs: &'a [F],
    made: &'a mut [F],
    into: Into,
}

impl<F: Real, const N: usize> Loop for ToOutputs<'_, F, N> {
    #[inline(always)]
    fn run(self) {
        let Self { toom, outputs, made, into } = self;
        let (frame, output) = (toom.frame, toom.frame.output);
        let (n_filters, n_lines) = (output.channels, frame.lines());
        let pitch = frame.n_rows() * n_filters;
        for tile in 0..frame.tiles() {
            let n = TILE.min(output.width - tile * TILE);
            for y in 0..output.height {
                let at = (tile * n_lines + y) * n_filters;
                let mut from = [toom.zeros.as_slice(); N];
                for (k, from) in from.iter_mut().enumerate() {
                    *from = &outputs[k * pitch + at..][..n_filters];
                }
                let to = &mut made[(y * output.width + tile * TILE) * n_filters..];
                combine(&toom.to_outputs[..n], from, to, (n_filters, n_filters), into);
            }
        }
    }
}

/// `to[j] = Σ_k rows[j][k] from[k]` for lines of `length` values, those of `to` being `pitch` apart.
#[inline(always)]
fn combine<F: Real, const N: usize>(
    rows: &[[F; MOST]],
    from: [&[F]; N],
    to: &mut [F],
    (pitch, length): (usize, usize),
    into: Into,
) {
    for start in (0..length / LANES).map(|block| block * LANES) {
        let mut values = [[F::ZERO; LANES]; N];
        for k in 0..N {
            values[k].copy_from_slice(&from[k][start..start + LANES]);
        }
        for (j, row) in rows.iter().enumerate() {
            let to = &mut to[j * pitch + start..][..LANES];
            let mut sum = [F::ZERO; LANES];
            if into == Into::Add {
                sum.copy_from_slice(to);
            }
            for k in 0..N {
                if row[k] != F::ZERO {
                    for lane in 0..LANES {
                        sum[lane] += row[k] * values[k][lane];
                    }
                }
            }
            to.copy_from_slice(&sum);
        }
    }
}

/// The matrices that lead from points to outputs, from taps to points, and from inputs to points:
/// their rows, the first one's by output, the others' by point.
#[expect(clippy::type_complexity, reason = "three matrices")]
fn matrices<F: Real>(
    points: &[f64],
    taps: usize,
) -> (Vec<[F; MOST]>, Vec<[F; MOST]>, Vec<[F; MOST]>) {
    let n = points.len() + 1;
    let row = |values: &dyn Fn(usize) -> f64| {
        let mut row = [F::ZERO; MOST];
        (0..n).for_each(|k| row[k] = F::of(values(k)));
        row
    };
    let power = |j: usize, k: usize, last: usize| match points.get(j) {
        Some(point) => point.powi(k as i32),
        None => f64::from(u8::from(k == last)),
    };
    let others = |j: usize| points.iter().enumerate().filter(move |(k, _)| *k != j);
    let to_outputs = (0..TILE).map(|i| row(&|j| power(j, i, TILE - 1))).collect();
    let to_kernel = (0..n).map(|j| {
        let norm: f64 = points.get(j).map_or(1.0, |at| others(j).map(|(_, p)| at - p).product());
        row(&|t| if t < taps { power(j, t, taps - 1) / norm } else { 0.0 })
    });
    let to_inputs = (0..n).map(|j| {
        // The coefficients of a product of factors `z - α`, factor by factor.
        let mut product = [0.0; MOST + 1];
        product[0] = 1.0;
        for (_, point) in others(j) {
            for k in (0..MOST).rev() {
                product[k + 1] = product[k] - point * product[k + 1];
            }
            product[0] *= -point;
        }
        row(&|k| product[k])
    });
    (to_outputs, to_kernel.collect(), to_inputs.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::batch::{Batch, Geometry};
    use crate::nn::spec::Padding;
    use crate::rng::{Seed, stream};

    /// The largest difference from the plain sum, as a share of the largest value: of the outputs,
    /// and of the gradient of the input.
    fn off<F: Real>(input: Shape, size: [usize; 2], padding: Padding) -> [f64; 2] {
        let mut conv = Conv::new(input, 32, size, 1, 1, padding);
        conv.kernel = 0..conv.taps() * input.channels * conv.n_filters;
        let mut rng = stream(Seed(7), "toom");
        let mut draw = |n: usize| (0..n).map(|_| F::of(rng.normal())).collect::<Vec<F>>();
        let (params, row, slope) =
            (draw(conv.kernel.len()), draw(input.len()), draw(conv.output().len()));
        let gap = if conv.slides() { conv.taps() - 1 } else { 0 };
        let batch = |shape: Shape, values: &[F]| {
            let more = if gap > 0 { input.width - shape.width } else { 0 };
            let mut batch = Batch::new(Geometry { shape, gap: gap + more }, 1);
            batch.row_mut(0).copy_from_slice(values);
            batch
        };
        let (before, d) = (batch(input, &row), batch(conv.output(), &slope));
        let (mut plain, mut plain_back) = (d.clone(), before.clone());
        let mut scratch = vec![F::ZERO; conv.scratch(1)];
        conv.forward(&params, None, &before, &mut plain, &mut scratch, 1);
        let mut flipped = vec![F::ZERO; conv.flipped_len()];
        conv.flip(&params, &mut flipped);
        let mut grads = params.clone();
        let (turned, to) = ((&flipped[..], None), Some((&mut plain_back, Into::Add)));
        conv.backward(&params, turned, &before, &d, &mut grads, to, &mut scratch, 1);
        let tooms = [Toom::forward_of(&conv), Toom::back_of(&conv)];
        let rooms = Toom::<F>::scratch(&conv);
        let from = [
            (&row, vec![F::ZERO; conv.output().len()], &plain),
            (&slope, row.clone(), &plain_back),
        ];
        let mut shares = [0.0; 2];
        for (at, (toom, (from, mut made, plain))) in tooms.into_iter().zip(from).enumerate() {
            let mut toom = toom.expect("a kernel for it");
            toom.take(&params);
            let mut room = vec![F::of(f64::NAN); rooms[at].expect("room")];
            let into = if at == 0 { Into::Replace } else { Into::Add };
            toom.slide(from, &mut made, into, &mut room);
            let largest = plain.row(0).iter().map(|v| v.f64().abs()).fold(0.0, f64::max);
            let pairs = plain.row(0).iter().zip(&made);
            let most = pairs.map(|(a, b)| (a.f64() - b.f64()).abs()).fold(0.0, f64::max);
            shares[at] =
                if made.iter().all(|v| v.f64().is_finite()) { most / largest } else { 1.0 };
        }
        shares
    }

    #[test]
    fn fewer_products_give_the_plain_sum() {
        let series = |width| Shape::series(width, 16);
        let image = Shape { height: 19, width: 18, channels: 16 };
        for padding in [Padding::Same, Padding::Valid] {
            for taps in 3..=5 {
                for width in [200, 201, 202, 203] {
                    let off = off::<f64>(series(width), [1, taps], padding);
                    assert!(
                        off.iter().all(|off| *off < 1e-14),
                        "{padding:?} {taps} {width} {off:?}"
                    );
                }
                let off = |off: [f64; 2], most: f64| {
                    assert!(off.iter().all(|off| *off < most), "{padding:?} {taps} {off:?}");
                };
                off(self::off::<f32>(series(200), [1, taps], padding), 4e-6);
                off(self::off::<f64>(image, [3, taps], padding), 1e-14);
                off(self::off::<f64>(image, [2, taps], padding), 1e-14);
            }
        }
    }

    #[test]
    fn what_would_gain_nothing_is_left_alone() {
        let conv = |channels, taps, stride| {
            let input = Shape::series(100, channels);
            let mut conv = Conv::new(input, 64, [1, taps], stride, 1, Padding::Same);
            conv.kernel = 0..taps * channels * 64;
            Toom::<f32>::forward_of(&conv).is_some()
        };
        assert!(conv(64, 3, 1));
        assert!(!conv(64, 8, 1) && !conv(60, 3, 1) && !conv(64, 3, 2) && !conv(1, 3, 1));
    }
}
