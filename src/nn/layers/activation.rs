//! Functions of each value by itself.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use crate::nn::Real;
use crate::nn::product::Into;
use crate::nn::spec;
use crate::nn::wide::{Loop, widely};

/// An activation, ready to be computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::nn) struct Activation(spec::Activation);

impl Activation {
    pub(in crate::nn) fn of(kind: spec::Activation) -> Self {
        Self(kind)
    }

    /// Which one.
    #[inline(always)]
    pub(in crate::nn) fn kind(self) -> spec::Activation {
        self.0
    }

    /// Whether the slope at a value can be told from the result there, so that the value itself may
    /// be overwritten.
    pub(in crate::nn) fn tells_slope_from_result(self) -> bool {
        match self.0 {
            spec::Activation::Gelu => false,
            spec::Activation::LeakyRelu { slope } => slope > 0.0,
            _ => true,
        }
    }

    /// Applies the function in place.
    pub(in crate::nn) fn apply<F: Real>(self, values: &mut [F]) {
        match self.0 {
            spec::Activation::Relu => widely(Rectify(values)),
            spec::Activation::LeakyRelu { slope } => {
                let slope = F::of(slope);
                for x in values {
                    let below = *x * slope;
                    *x = if *x > F::ZERO { *x } else { below };
                }
            }
            spec::Activation::Gelu => {
                for x in values {
                    *x *= F::of(normal(x.f64()));
                }
            }
            spec::Activation::Tanh => values.iter_mut().for_each(|x| *x = x.tanh()),
            spec::Activation::Sigmoid => values.iter_mut().for_each(|x| *x = sigmoid(*x)),
        }
    }

    /// Multiplies a gradient by the slope, told from the results. Not for [`spec::Activation::Gelu`].
    pub(in crate::nn) fn back_from_result<F: Real>(self, d: &mut [F], results: &[F]) {
        let pairs = d.iter_mut().zip(results);
        match self.0 {
            spec::Activation::Relu | spec::Activation::Gelu => widely(RectifyBack(d, results)),
            spec::Activation::LeakyRelu { slope } => {
                let slope = F::of(slope);
                pairs.for_each(|(d, y)| *d *= if *y > F::ZERO { F::ONE } else { slope });
            }
            spec::Activation::Tanh => pairs.for_each(|(d, y)| *d *= F::ONE - *y * *y),
            spec::Activation::Sigmoid => pairs.for_each(|(d, y)| *d = *d * *y * (F::ONE - *y)),
        }
    }

    /// The gradient of the input from that of the result and the input itself.
    pub(in crate::nn) fn back_from_input<F: Real>(
        self,
        d_input: &mut [F],
        d: &[F],
        input: &[F],
        into: Into,
    ) {
        let slope = |x: F| match self.0 {
            spec::Activation::Relu => {
                if x > F::ZERO {
                    F::ONE
                } else {
                    F::ZERO
                }
            }
            spec::Activation::LeakyRelu { slope } => {
                if x > F::ZERO {
                    F::ONE
                } else {
                    F::of(slope)
                }
            }
            spec::Activation::Gelu => {
                let x = x.f64();
                F::of(normal(x) + x * (-0.5 * x * x).exp() / (2.0 * PI).sqrt())
            }
            spec::Activation::Tanh => F::ONE - x.tanh() * x.tanh(),
            spec::Activation::Sigmoid => sigmoid(x) * (F::ONE - sigmoid(x)),
        };
        for ((to, d), x) in d_input.iter_mut().zip(d).zip(input) {
            let part = *d * slope(*x);
            *to = if into == Into::Add { *to + part } else { part };
        }
    }
}

/// ReLU in place.
struct Rectify<'a, F>(&'a mut [F]);

impl<F: Real> Loop for Rectify<'_, F> {
    #[inline(always)]
    fn run(self) {
        for x in self.0 {
            *x = F::ZERO.larger(*x);
        }
    }
}

/// The gradient where ReLU let something through.
struct RectifyBack<'a, F>(&'a mut [F], &'a [F]);

impl<F: Real> Loop for RectifyBack<'_, F> {
    #[inline(always)]
    fn run(self) {
        for (d, y) in self.0.iter_mut().zip(self.1) {
            *d = if *y > F::ZERO { *d } else { F::ZERO };
        }
    }
}

/// `1 / (1 + exp(-x))`, without overflow.
pub(in crate::nn) fn sigmoid<F: Real>(x: F) -> F {
    let small = (-x.abs()).exp();
    let share = F::ONE / (F::ONE + small);
    if x >= F::ZERO { share } else { small * share }
}

/// The normal distribution function.
fn normal(x: f64) -> f64 {
    0.5 * statrs::function::erf::erfc(-x * FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gelu_is_exact() {
        // torch.nn.functional.gelu in double precision
        let mut values = [-1.0, 0.0, 2.0];
        Activation::of(spec::Activation::Gelu).apply(&mut values);
        let expected = [-0.158_655_253_931_457_05, 0.0, 1.954_499_736_103_642];
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-10, "{value}");
        }
    }

    #[test]
    fn a_sigmoid_does_not_overflow() {
        assert_eq!(sigmoid(-1e4_f32), 0.0);
        assert_eq!(sigmoid(1e4_f32), 1.0);
        assert!((sigmoid(0.3_f64) + sigmoid(-0.3) - 1.0).abs() < 1e-16);
    }
}
