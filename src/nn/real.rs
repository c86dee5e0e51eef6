//! The numbers that a network computes with: f32 to train, f64 to check the gradients.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use super::wide::Lanes;

/// A floating-point number with what the layers need of it.
pub trait Real:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + Lanes
{
    /// Nothing.
    const ZERO: Self;
    /// One.
    const ONE: Self;

    /// The nearest number of this kind.
    fn of(value: f64) -> Self;
    /// The same number as f64.
    fn f64(self) -> f64;
    /// The larger of two; the other one when either is NaN.
    #[must_use]
    fn larger(self, other: Self) -> Self;
    /// The natural exponential.
    #[must_use]
    fn exp(self) -> Self;
    /// The natural logarithm.
    #[must_use]
    fn ln(self) -> Self;
    /// The square root.
    #[must_use]
    fn sqrt(self) -> Self;
    /// The hyperbolic tangent.
    #[must_use]
    fn tanh(self) -> Self;
    /// The number without its sign.
    #[must_use]
    fn abs(self) -> Self;
}

macro_rules! real {
    ($float:ident) => {
        impl Real for $float {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;

            #[inline]
            fn of(value: f64) -> Self {
                value as Self
            }
            #[inline]
            fn f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn larger(self, other: Self) -> Self {
                // Unlike `max` this is a single instruction.
                if self > other { self } else { other }
            }
            #[inline]
            fn exp(self) -> Self {
                self.exp()
            }
            #[inline]
            fn ln(self) -> Self {
                self.ln()
            }
            #[inline]
            fn sqrt(self) -> Self {
                self.sqrt()
            }
            #[inline]
            fn tanh(self) -> Self {
                self.tanh()
            }
            #[inline]
            fn abs(self) -> Self {
                self.abs()
            }
        }
    };
}
real!(f32);
real!(f64);
