//! A convolution of one row with fewer multiplications.

use super::Conv;
use crate::nn::Real;
use crate::nn::product::{Grid, Into, product};
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
    to_inputs: Vec<[F; MOST]>,
    to_outputs: Vec<[F; MOST]>,
    /// By point, line, channel and filter.
    kernel: Vec<F>,
    /// What lies outside a row.
    zeros: Vec<F>,
}

/// The most points there are.
const MOST: usize = 8;

/// The finite points for 3, 4 and 5 taps.
const POINTS: [&[f64]; 3] = [
    &[0.0, 0.75, -0.75, 1.5, -1.5],
    &[0.0, 1.0, -1.0, 1.75, -1.75, 0.5],
    &[0.0, 1.0, -1.0, 1.75, -1.75, 0.5, -0.5],
];

impl<F: Real> Toom<F> {
    /// The kernel of a convolution at points, where that makes it faster.
    pub(in crate::nn) fn new(conv: &Conv, params: &[F]) -> Option<Self> {
        let points = POINTS[Self::taps(conv)? - 3];
        let (to_outputs, to_kernel, to_inputs) = matrices(points, conv.size[1]);
        let (n_values, n_points) = (conv.input.channels * conv.n_filters, to_inputs.len());
        let of_line = conv.size[1] * n_values;
        let params = &params[conv.kernel.clone()];
        let mut kernel = Vec::with_capacity(n_points * conv.size[0] * n_values);
        for weights in &to_kernel {
            for line in params.chunks_exact(of_line) {
                let start = kernel.len();
                kernel.resize(start + n_values, F::ZERO);
                let (to, weights) = (&mut kernel[start..], &weights[..conv.size[1]]);
                widely(Mix { weights, from: line, to });
            }
        }
        let zeros = vec![F::ZERO; conv.input.channels];
        Some(Self { to_inputs, to_outputs, kernel, zeros })
    }

    /// The taps of a line, if this way is open and worth it.
    fn taps(conv: &Conv) -> Option<usize> {
        let (taps, output) = (conv.size[1], conv.output());
        let fits = conv.stride == 1 && conv.dilation == 1 && (3..=5).contains(&taps);
        let in_lanes =
            conv.input.channels.is_multiple_of(LANES) && conv.n_filters.is_multiple_of(LANES);
        let cost = output.positions() * conv.kernel.len();
        let is_large = cost >= WORTH && Tiles::of(conv).n_rows() >= FEWEST_ROWS;
        (fits && in_lanes && is_large).then_some(taps)
    }

    /// Room for a row, in values; nothing where this way is not taken.
    pub(in crate::nn) fn scratch(conv: &Conv) -> Option<usize> {
        let (taps, plan) = (Self::taps(conv)?, Tiles::of(conv));
        let n_points = taps + TILE - 1;
        Some(n_points * (plan.inputs(conv) + plan.n_rows() * conv.n_filters))
    }

    /// The outputs of one row, without the bias.
    pub(in crate::nn) fn forward(&self, conv: &Conv, row: &[F], made: &mut [F], room: &mut [F]) {
        let plan = Tiles::of(conv);
        let n_points = self.to_inputs.len();
        let (inputs, rest) = room.split_at_mut(n_points * plan.inputs(conv));
        let outputs = &mut rest[..n_points * plan.n_rows() * conv.n_filters];
        match n_points {
            6 => widely(ToInputs::<F, 6> { toom: self, conv, plan, row, inputs }),
            7 => widely(ToInputs::<F, 7> { toom: self, conv, plan, row, inputs }),
            _ => widely(ToInputs::<F, MOST> { toom: self, conv, plan, row, inputs }),
        }
        // A window of lines reaches over neighbouring ones; those at the end of a tile are void.
        let depth = conv.size[0] * conv.input.channels;
        let n_rows = plan.n_rows();
        let parts = inputs.chunks_exact(plan.inputs(conv));
        let made_at = outputs.chunks_exact_mut(n_rows * conv.n_filters);
        let kernels = self.kernel.chunks_exact(depth * conv.n_filters);
        for ((inputs, outputs), kernel) in parts.zip(made_at).zip(kernels) {
            let from = Grid::new(0, n_rows, depth, conv.input.channels);
            let of_kernel = Grid::new(0, depth, conv.n_filters, conv.n_filters);
            let to = Grid::new(0, n_rows, conv.n_filters, conv.n_filters);
            product((outputs, to), (inputs, from), (kernel, of_kernel), Into::Replace);
        }
        match n_points {
            6 => widely(ToOutputs::<F, 6> { toom: self, conv, plan, outputs, made }),
            7 => widely(ToOutputs::<F, 7> { toom: self, conv, plan, outputs, made }),
            _ => widely(ToOutputs::<F, MOST> { toom: self, conv, plan, outputs, made }),
        }
    }
}

/// How a row is cut.
#[derive(Clone, Copy)]
struct Tiles {
    /// Along a line.
    n: usize,
    /// Input lines with the zeros above and below.
    lines: usize,
}

impl Tiles {
    fn of(conv: &Conv) -> Self {
        let output = conv.output();
        Self { n: output.width.div_ceil(TILE), lines: output.height + conv.size[0] - 1 }
    }

    /// Rows of each product.
    fn n_rows(self) -> usize {
        self.n * self.lines
    }

    /// Values of the inputs at a point: the last window reaches beyond the last line.
    fn inputs(self, conv: &Conv) -> usize {
        (self.n_rows() + conv.size[0] - 1) * conv.input.channels
    }
}

/// `to = Σ_t weights[t] from[t]`, parts of `from` side by side.
struct Mix<'a, F> {
    weights: &'a [F],
    from: &'a [F],
    to: &'a mut [F],
}

impl<F: Real> Loop for Mix<'_, F> {
    #[inline(always)]
    fn run(self) {
        for (weight, from) in self.weights.iter().zip(self.from.chunks_exact(self.to.len())) {
            self.to.iter_mut().zip(from).for_each(|(to, from)| *to += *weight * *from);
        }
    }
}

/// Each window of inputs becomes its values at the points.
struct ToInputs<'a, F, const N: usize> {
    toom: &'a Toom<F>,
    conv: &'a Conv,
    plan: Tiles,
    row: &'a [F],
    inputs: &'a mut [F],
}

impl<F: Real, const N: usize> Loop for ToInputs<'_, F, N> {
    #[inline(always)]
    fn run(self) {
        let Self { toom, conv, plan, row, inputs } = self;
        let (shape, n_channels) = (conv.input, conv.input.channels);
        let pitch = plan.inputs(conv);
        for tile in 0..plan.n {
            for line in 0..plan.lines {
                let at = (tile * plan.lines + line) * n_channels;
                let y = line.wrapping_sub(conv.before[0]);
                let mut from = [toom.zeros.as_slice(); N];
                for (k, from) in from.iter_mut().enumerate() {
                    let x = (tile * TILE + k).wrapping_sub(conv.before[1]);
                    if y < shape.height && x < shape.width {
                        *from = &row[(y * shape.width + x) * n_channels..][..n_channels];
                    }
                }
                combine(&toom.to_inputs, from, &mut inputs[at..], pitch, n_channels);
            }
        }
    }
}

/// The values of outputs at the points become the outputs.
struct ToOutputs<'a, F, const N: usize> {
    toom: &'a Toom<F>,
    conv: &'a Conv,
    plan: Tiles,
    outputs: &'a [F],
    made: &'a mut [F],
}

impl<F: Real, const N: usize> Loop for ToOutputs<'_, F, N> {
    #[inline(always)]
    fn run(self) {
        let Self { toom, conv, plan, outputs, made } = self;
        let (output, n_filters) = (conv.output(), conv.n_filters);
        let pitch = plan.n_rows() * n_filters;
        for tile in 0..plan.n {
            let n = TILE.min(output.width - tile * TILE);
            for y in 0..output.height {
                let at = (tile * plan.lines + y) * n_filters;
                let mut from = [toom.zeros.as_slice(); N];
                for (k, from) in from.iter_mut().enumerate() {
                    *from = &outputs[k * pitch + at..][..n_filters];
                }
                let to = &mut made[(y * output.width + tile * TILE) * n_filters..];
                combine(&toom.to_outputs[..n], from, to, n_filters, n_filters);
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
    pitch: usize,
    length: usize,
) {
    for start in (0..length / LANES).map(|block| block * LANES) {
        let mut values = [[F::ZERO; LANES]; N];
        for k in 0..N {
            values[k].copy_from_slice(&from[k][start..start + LANES]);
        }
        for (j, row) in rows.iter().enumerate() {
            let mut sum = [F::ZERO; LANES];
            for k in 0..N {
                if row[k] != F::ZERO {
                    for lane in 0..LANES {
                        sum[lane] += row[k] * values[k][lane];
                    }
                }
            }
            to[j * pitch + start..][..LANES].copy_from_slice(&sum);
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
    use crate::nn::spec::{Padding, Shape};
    use crate::rng::{Seed, stream};

    /// The largest difference from the plain sum, as a share of the largest output.
    fn off<F: Real>(input: Shape, size: [usize; 2], padding: Padding) -> f64 {
        let mut conv = Conv::new(input, 32, size, 1, 1, padding);
        conv.kernel = 0..conv.taps() * input.channels * conv.n_filters;
        let mut rng = stream(Seed(7), "toom");
        let mut draw = |n: usize| (0..n).map(|_| F::of(rng.normal())).collect::<Vec<F>>();
        let (params, row) = (draw(conv.kernel.len()), draw(input.len()));
        let toom = Toom::new(&conv, &params).expect("a kernel for it");
        let mut made = vec![F::ZERO; conv.output().len()];
        let mut room = vec![F::ZERO; Toom::<F>::scratch(&conv).expect("room")];
        toom.forward(&conv, &row, &mut made, &mut room);
        let gap = if conv.slides() { conv.taps() - 1 } else { 0 };
        let mut before = Batch::new(Geometry { shape: input, gap }, 1);
        before.row_mut(0).copy_from_slice(&row);
        let gap = if gap > 0 { gap + input.width - conv.output().width } else { 0 };
        let mut plain = Batch::new(Geometry { shape: conv.output(), gap }, 1);
        let mut scratch = vec![F::ZERO; conv.scratch(1)];
        conv.forward(&params, None, &before, &mut plain, &mut scratch, 1);
        let largest = plain.row(0).iter().map(|v| v.f64().abs()).fold(0.0, f64::max);
        let pairs = plain.row(0).iter().zip(&made);
        pairs.map(|(a, b)| (a.f64() - b.f64()).abs()).fold(0.0, f64::max) / largest
    }

    #[test]
    fn fewer_products_give_the_plain_sum() {
        let series = |width| Shape::series(width, 16);
        let image = Shape { height: 19, width: 18, channels: 16 };
        for padding in [Padding::Same, Padding::Valid] {
            for taps in 3..=5 {
                for width in [200, 201, 202, 203] {
                    assert!(off::<f64>(series(width), [1, taps], padding) < 1e-14);
                }
                assert!(off::<f32>(series(200), [1, taps], padding) < 4e-6);
                assert!(off::<f64>(image, [3, taps], padding) < 1e-14, "{padding:?} {taps}");
                assert!(off::<f64>(image, [2, taps], padding) < 1e-14, "{padding:?} {taps}");
            }
        }
    }

    #[test]
    fn what_would_gain_nothing_is_left_alone() {
        let conv = |channels, taps, stride| {
            let input = Shape::series(100, channels);
            let mut conv = Conv::new(input, 64, [1, taps], stride, 1, Padding::Same);
            conv.kernel = 0..taps * channels * 64;
            Toom::new(&conv, &vec![1.0_f32; conv.kernel.len()]).is_some()
        };
        assert!(conv(64, 3, 1));
        assert!(!conv(64, 8, 1) && !conv(60, 3, 1) && !conv(64, 3, 2) && !conv(1, 3, 1));
    }
}
