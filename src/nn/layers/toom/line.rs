//! One direction of a tile: from inputs to values at points, and from there to outputs.

use pulp::Simd;

use crate::nn::Real;

/// The most points of a line.
pub(super) const MOST_POINTS: usize = 10;
/// The most of a line in a plane, where digits are lost along both directions.
pub(super) const MOST_IN_PLANE: usize = 7;
/// The most outputs of a line.
pub(super) const MOST_OUTPUTS: usize = 6;
/// The most pairs of points.
const MOST_PAIRS: usize = 4;

/// The points besides zero and infinity, which come in pairs `±α`, for one to four pairs: those
/// whose products lose the fewest digits in single precision.
const PAIRS: [&[f64]; MOST_PAIRS] =
    [&[1.0], &[0.75, 1.5], &[0.5, 1.0, 2.0], &[0.375, 0.75, 1.25, 2.0]];

/// A line of a tile: so many taps make so many outputs by way of `taps + outputs - 1` points.
///
/// The points are zero, pairs `±α_i`, and infinity if their number is even, in this order. Pairs share most of their work:
/// what is even in `α` is the same for both, and what is odd differs by its sign.
#[derive(Clone, Debug)]
pub(super) struct Line<F> {
    pub(super) n_outputs: usize,
    pub(super) n_points: usize,
    points: [F; MOST_PAIRS],
    /// For each pair the coefficients of `Π_{l ≠ i} (z² − α_l²)` in powers of `z²`.
    of_pair: [[F; MOST_PAIRS]; MOST_PAIRS],
    /// Those of `Π_l (z² − α_l²)`.
    of_all: [F; MOST_PAIRS + 1],
    /// For each pair the powers of `α`.
    powers: [[F; MOST_OUTPUTS]; MOST_PAIRS],
    /// By point and tap.
    pub(super) to_kernel: [[F; MOST_OUTPUTS]; MOST_POINTS],
}

/// How many outputs to take at once along `length` of them with so many taps: where the fewest
/// points are needed in all.
pub(super) fn outputs(taps: usize, length: usize, most_points: usize) -> usize {
    let n_points = |n: &usize| (length.div_ceil(*n) * (n + taps - 1), *n);
    let fitting = (2..=MOST_OUTPUTS).filter(|n| taps > 1 && n + taps - 1 <= most_points);
    fitting.min_by_key(n_points).unwrap_or(1)
}

/// Calls what is made for this number of points: so many pairs, and whether infinity is among them.
macro_rules! by_points {
    ($line:ident, $run:ident($simd:ident, $from:ident, $to:ident)) => {
        match $line.n_points {
            1 => $to.take(0, $from.give(0)),
            3 => $line.$run::<S, 1, false>($simd, $from, $to),
            4 => $line.$run::<S, 1, true>($simd, $from, $to),
            5 => $line.$run::<S, 2, false>($simd, $from, $to),
            6 => $line.$run::<S, 2, true>($simd, $from, $to),
            7 => $line.$run::<S, 3, false>($simd, $from, $to),
            8 => $line.$run::<S, 3, true>($simd, $from, $to),
            9 => $line.$run::<S, 4, false>($simd, $from, $to),
            _ => $line.$run::<S, 4, true>($simd, $from, $to),
        }
    };
}

impl<F: Real> Line<F> {
    /// The line that makes `n_outputs` by so many taps.
    pub(super) fn new(taps: usize, n_outputs: usize) -> Self {
        let n_points = taps + n_outputs - 1;
        let mut own = Self {
            n_outputs,
            n_points,
            points: [F::ZERO; MOST_PAIRS],
            of_pair: [[F::ZERO; MOST_PAIRS]; MOST_PAIRS],
            of_all: [F::ZERO; MOST_PAIRS + 1],
            powers: [[F::ZERO; MOST_OUTPUTS]; MOST_PAIRS],
            to_kernel: [[F::ZERO; MOST_OUTPUTS]; MOST_POINTS],
        };
        if taps == 1 {
            own.to_kernel[0][0] = F::ONE;
            return own;
        }
        let pairs = PAIRS[(n_points - 1) / 2 - 1];
        for (i, point) in pairs.iter().enumerate() {
            own.points[i] = F::of(*point);
            let others = pairs.iter().enumerate().filter(|(l, _)| *l != i).map(|(_, point)| *point);
            for (to, from) in own.of_pair[i].iter_mut().zip(squares(others)) {
                *to = F::of(from);
            }
            (0..n_outputs).for_each(|k| own.powers[i][k] = F::of(point.powi(k as i32)));
        }
        for (to, from) in own.of_all.iter_mut().zip(squares(pairs.iter().copied())) {
            *to = F::of(from);
        }
        let mut finite = vec![0.0];
        finite.extend(pairs.iter().flat_map(|point| [*point, -point]));
        for (j, at) in finite.iter().enumerate() {
            let others = finite.iter().enumerate().filter(|(k, _)| *k != j);
            let norm: f64 = others.map(|(_, other)| at - other).product();
            (0..taps).for_each(|t| own.to_kernel[j][t] = F::of(at.powi(t as i32) / norm));
        }
        if finite.len() < n_points {
            own.to_kernel[n_points - 1][taps - 1] = F::ONE;
        }
        own
    }

    /// The inputs of a line become its values at the points.
    #[inline(always)]
    pub(super) fn to_points<S: Simd>(
        &self,
        simd: S,
        from: &impl Gives<F::Of<S>>,
        to: &mut impl Takes<F::Of<S>>,
    ) {
        by_points!(self, points_of(simd, from, to));
    }

    /// The same for `P` pairs, and infinity where it is among the points.
    #[inline(always)]
    fn points_of<S: Simd, const P: usize, const HAS_INFINITY: bool>(
        &self,
        simd: S,
        from: &impl Gives<F::Of<S>>,
        to: &mut impl Takes<F::Of<S>>,
    ) {
        let zero = F::splat(simd, F::ZERO);
        let (mut even, mut odd) = ([zero; MOST_PAIRS + 1], [zero; MOST_PAIRS + 1]);
        for l in 0..P {
            (even[l], odd[l]) = (from.give(2 * l), from.give(2 * l + 1));
        }
        even[P] = from.give(2 * P);
        if HAS_INFINITY {
            odd[P] = from.give(2 * P + 1);
        }
        let (mut at_zero, mut at_infinity) = (even[P], odd[P]);
        for l in 0..P {
            let factor = F::splat(simd, self.of_all[l]);
            at_zero = F::fused(simd, factor, even[l], at_zero);
            at_infinity = F::fused(simd, factor, odd[l], at_infinity);
        }
        to.take(0, at_zero);
        for i in 0..P {
            let (mut same, mut other) = (even[P], odd[P - 1]);
            for l in 0..P - 1 {
                let factor = F::splat(simd, self.of_pair[i][l]);
                same = F::fused(simd, factor, even[l + 1], same);
                other = F::fused(simd, factor, odd[l], other);
            }
            other = F::times(simd, F::splat(simd, self.points[i]), other);
            to.take(2 * i + 1, F::plus(simd, same, other));
            to.take(2 * i + 2, F::minus(simd, same, other));
        }
        if HAS_INFINITY {
            to.take(2 * P + 1, at_infinity);
        }
    }

    /// The values of a line at the points become its outputs.
    #[inline(always)]
    pub(super) fn to_outputs<S: Simd>(
        &self,
        simd: S,
        from: &impl Gives<F::Of<S>>,
        to: &mut impl Takes<F::Of<S>>,
    ) {
        by_points!(self, outputs_of(simd, from, to));
    }

    /// The same for `P` pairs, and infinity where it is among the points.
    #[inline(always)]
    fn outputs_of<S: Simd, const P: usize, const HAS_INFINITY: bool>(
        &self,
        simd: S,
        from: &impl Gives<F::Of<S>>,
        to: &mut impl Takes<F::Of<S>>,
    ) {
        let zero = F::splat(simd, F::ZERO);
        let (mut even, mut odd) = ([zero; P], [zero; P]);
        for i in 0..P {
            let (plus, minus) = (from.give(2 * i + 1), from.give(2 * i + 2));
            (even[i], odd[i]) = (F::plus(simd, plus, minus), F::minus(simd, plus, minus));
        }
        // A loop of known length, so that nothing leaves the registers.
        for k in 0..MOST_OUTPUTS {
            if k >= self.n_outputs {
                break;
            }
            let mut sum = if k == 0 { from.give(0) } else { zero };
            if HAS_INFINITY && k + 1 == self.n_outputs {
                sum = F::plus(simd, sum, from.give(2 * P + 1));
            }
            for i in 0..P {
                let half = if k % 2 == 0 { even[i] } else { odd[i] };
                sum = F::fused(simd, F::splat(simd, self.powers[i][k]), half, sum);
            }
            to.take(k, sum);
        }
    }
}

/// Where the vectors of a line come from. Not a closure, which would not be compiled for the wider
/// instructions.
pub(super) trait Gives<V> {
    fn give(&self, k: usize) -> V;
}

/// Where they go.
pub(super) trait Takes<V> {
    fn take(&mut self, k: usize, value: V);
}

/// Vectors that lie some way apart, from a first one on.
pub(super) struct Apart<T> {
    pub(super) values: T,
    pub(super) first: usize,
    pub(super) step: usize,
}

impl<V: Copy> Gives<V> for Apart<&[V]> {
    #[inline(always)]
    fn give(&self, k: usize) -> V {
        self.values[self.first + k * self.step]
    }
}

impl<V: Copy> Takes<V> for Apart<&mut [V]> {
    #[inline(always)]
    fn take(&mut self, k: usize, value: V) {
        self.values[self.first + k * self.step] = value;
    }
}

/// The same vector of each of several positions.
pub(super) struct Window<'a, V> {
    pub(super) positions: &'a [&'a [V]],
    pub(super) vector: usize,
}

impl<V: Copy> Gives<V> for Window<'_, V> {
    #[inline(always)]
    fn give(&self, k: usize) -> V {
        self.positions[k][self.vector]
    }
}

/// The coefficients of `Π (z² − α²)` in powers of `z²`.
fn squares(points: impl Iterator<Item = f64>) -> [f64; MOST_PAIRS + 1] {
    let mut product = [0.0; MOST_PAIRS + 1];
    product[0] = 1.0;
    for point in points {
        for k in (0..MOST_PAIRS).rev() {
            product[k + 1] = product[k] - point * point * product[k + 1];
        }
        product[0] *= -point * point;
    }
    product
}
