//! Loops with the widest instructions of the machine that runs them.
//!
//! karat is compiled for any processor of its kind, so that a loop as written uses the instructions
//! that all of them have. Here its body is compiled once more for each family of instructions, and
//! the best one is chosen as it runs.

use pulp::{Arch, NullaryFnOnce, Simd, WithSimd};

/// A loop with what it works on. `run` has to be `#[inline(always)]`, and so has all it calls:
/// what is not inlined keeps the instructions that it was compiled with.
pub(super) trait Loop {
    fn run(self);
}

struct Inlined<L>(L);

impl<L: Loop> NullaryFnOnce for Inlined<L> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.0.run();
    }
}

/// Runs a loop with the widest instructions there are.
pub(super) fn widely(work: impl Loop) {
    Arch::new().dispatch(Inlined(work));
}

/// Vectors that are computed side by side where there are many registers,
pub(super) const MANY: usize = 4;
/// and where there are few.
pub(super) const FEW: usize = 2;

/// Calls a method for all columns from `$column` on, in as many vectors at once as there are
/// registers for, and leaves `$column` behind the last that fills a vector.
macro_rules! in_vectors {
    ($simd:ident, $own:ident.$run:ident, $column:ident, $n:expr, $lanes:expr) => {
        while S::REGISTER_COUNT >= 32 && $column + $crate::nn::wide::MANY * $lanes <= $n {
            $own.$run::<S, { $crate::nn::wide::MANY }>($simd, $column);
            $column += $crate::nn::wide::MANY * $lanes;
        }
        while $column + $crate::nn::wide::FEW * $lanes <= $n {
            $own.$run::<S, { $crate::nn::wide::FEW }>($simd, $column);
            $column += $crate::nn::wide::FEW * $lanes;
        }
        while $column + $lanes <= $n {
            $own.$run::<S, 1>($simd, $column);
            $column += $lanes;
        }
    };
}
pub(super) use in_vectors;

/// Runs a loop that is written in lanes.
pub(super) fn in_lanes(work: impl WithSimd<Output = ()>) {
    #[cfg(test)]
    if NARROW.get() {
        return work.with_simd(pulp::Scalar);
    }
    Arch::new().dispatch(work);
}

#[cfg(test)]
thread_local! {
    /// Whether loops in lanes are to run as on a machine without wide instructions.
    pub(super) static NARROW: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// A number of which the machine computes several at once, side by side in lanes.
pub trait Lanes: Copy + 'static {
    /// As many as the instructions of `S` take at once.
    type Of<S: Simd>: Copy;

    /// The whole vectors of a slice; what is left over is not among them.
    fn lanes<S: Simd>(values: &[Self]) -> &[Self::Of<S>];
    /// The same to be written to.
    fn lanes_mut<S: Simd>(values: &mut [Self]) -> &mut [Self::Of<S>];
    /// The same number in every lane.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Of<S>;
    /// `a + b`.
    fn plus<S: Simd>(simd: S, a: Self::Of<S>, b: Self::Of<S>) -> Self::Of<S>;
    /// `a - b`.
    fn minus<S: Simd>(simd: S, a: Self::Of<S>, b: Self::Of<S>) -> Self::Of<S>;
    /// `a b`.
    fn times<S: Simd>(simd: S, a: Self::Of<S>, b: Self::Of<S>) -> Self::Of<S>;
    /// `a b + c`, rounded once where the machine does so in one go.
    fn fused<S: Simd>(simd: S, a: Self::Of<S>, b: Self::Of<S>, c: Self::Of<S>) -> Self::Of<S>;
    /// The larger of zero and `a`.
    fn rectified<S: Simd>(simd: S, a: Self::Of<S>) -> Self::Of<S>;

    /// How many there are side by side.
    #[must_use]
    fn n_lanes<S: Simd>() -> usize {
        size_of::<Self::Of<S>>() / size_of::<Self>()
    }
}

macro_rules! lanes {
    ($float:ty, $of:ident, $lanes:ident, $lanes_mut:ident, $splat:ident, $plus:ident, $minus:ident,
     $times:ident, $fused:ident, $less:ident, $choose:ident) => {
        impl Lanes for $float {
            type Of<S: Simd> = S::$of;

            #[inline(always)]
            fn lanes<S: Simd>(values: &[Self]) -> &[S::$of] {
                S::$lanes(values).0
            }
            #[inline(always)]
            fn lanes_mut<S: Simd>(values: &mut [Self]) -> &mut [S::$of] {
                S::$lanes_mut(values).0
            }
            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$of {
                simd.$splat(value)
            }
            #[inline(always)]
            fn plus<S: Simd>(simd: S, a: S::$of, b: S::$of) -> S::$of {
                simd.$plus(a, b)
            }
            #[inline(always)]
            fn minus<S: Simd>(simd: S, a: S::$of, b: S::$of) -> S::$of {
                simd.$minus(a, b)
            }
            #[inline(always)]
            fn times<S: Simd>(simd: S, a: S::$of, b: S::$of) -> S::$of {
                simd.$times(a, b)
            }
            #[inline(always)]
            fn fused<S: Simd>(simd: S, a: S::$of, b: S::$of, c: S::$of) -> S::$of {
                simd.$fused(a, b, c)
            }
            #[inline(always)]
            fn rectified<S: Simd>(simd: S, a: S::$of) -> S::$of {
                // Not the larger of both: what is no number has to stay none on every machine.
                let zero = simd.$splat(0.0);
                simd.$choose(simd.$less(a, zero), zero, a)
            }
        }
    };
}
lanes!(
    f32,
    f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    splat_f32s,
    add_f32s,
    sub_f32s,
    mul_f32s,
    mul_add_e_f32s,
    less_than_f32s,
    select_f32s
);
lanes!(
    f64,
    f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    splat_f64s,
    add_f64s,
    sub_f64s,
    mul_f64s,
    mul_add_e_f64s,
    less_than_f64s,
    select_f64s
);
