//! What becomes of the sums of a convolution before they are its values.

use pulp::Simd;

use super::Activation;
use crate::nn::Real;
use crate::nn::spec;
use crate::nn::wide::{Loop, widely};

/// A bias, a batch norm by the figures that it has learned, and an activation, in this order, as
/// far as there are any.
#[derive(Clone, Copy, Debug)]
pub(in crate::nn) struct Finish<'a, F> {
    pub(in crate::nn) bias: Option<&'a [F]>,
    /// Mean, one over the deviation, scale and shift of each channel.
    pub(in crate::nn) norm: Option<[&'a [F]; 4]>,
    pub(in crate::nn) activation: Option<Activation>,
}

impl<F: Real> Finish<'_, F> {
    /// Nothing at all.
    pub(in crate::nn) const NONE: Self = Self { bias: None, norm: None, activation: None };

    #[inline(always)]
    fn is_relu(&self) -> bool {
        self.activation.is_some_and(|own| own.kind() == spec::Activation::Relu)
    }

    /// All of it, for a whole row.
    pub(in crate::nn) fn apply(&self, row: &mut [F]) {
        if let Some(bias) = self.bias {
            super::add_bias(row, bias);
        }
        if let Some(figures) = self.norm {
            widely(Norm { row, figures, is_relu: self.is_relu() });
            self.rest(row);
        } else if let Some(activation) = self.activation {
            activation.apply(row);
        }
    }

    /// What [`OfChannels::apply`] leaves to be done.
    pub(in crate::nn) fn rest(&self, row: &mut [F]) {
        if let Some(activation) = self.activation.filter(|_| !self.is_relu()) {
            activation.apply(row);
        }
    }

    /// The figures of the channels of one vector.
    #[inline(always)]
    pub(in crate::nn) fn of_channels<S: Simd>(&self, simd: S, vector: usize) -> OfChannels<S, F> {
        let mut own = OfChannels {
            bias: F::splat(simd, F::ZERO),
            norm: [F::splat(simd, F::ZERO); 4],
            has: [self.bias.is_some(), self.norm.is_some(), self.is_relu()],
        };
        if let Some(bias) = self.bias {
            own.bias = F::lanes::<S>(bias)[vector];
        }
        if let Some(figures) = self.norm {
            let [mean, inverse, scale, shift] = figures;
            own.norm = [
                F::lanes::<S>(mean)[vector],
                F::lanes::<S>(inverse)[vector],
                F::lanes::<S>(scale)[vector],
                F::lanes::<S>(shift)[vector],
            ];
        }
        own
    }
}

/// A finish of some channels, without the activations that are not done in lanes.
#[derive(Clone, Copy)]
pub(in crate::nn) struct OfChannels<S: Simd, F: Real> {
    bias: F::Of<S>,
    norm: [F::Of<S>; 4],
    has: [bool; 3],
}

impl<S: Simd, F: Real> OfChannels<S, F> {
    #[inline(always)]
    pub(in crate::nn) fn apply(&self, simd: S, mut value: F::Of<S>) -> F::Of<S> {
        let [has_bias, has_norm, is_relu] = self.has;
        if has_bias {
            value = F::plus(simd, value, self.bias);
        }
        if has_norm {
            let [mean, inverse, scale, shift] = self.norm;
            let hat = F::times(simd, F::minus(simd, value, mean), inverse);
            value = F::plus(simd, F::times(simd, hat, scale), shift);
        }
        if is_relu { F::rectified(simd, value) } else { value }
    }
}

/// A batch norm in place.
struct Norm<'a, F> {
    row: &'a mut [F],
    figures: [&'a [F]; 4],
    is_relu: bool,
}

impl<F: Real> Loop for Norm<'_, F> {
    #[inline(always)]
    fn run(self) {
        let n = self.figures[0].len();
        let [mean, inverse, scale, shift] = self.figures;
        let (mean, inverse) = (&mean[..n], &inverse[..n]);
        let (scale, shift) = (&scale[..n], &shift[..n]);
        for x in self.row.chunks_exact_mut(n) {
            for j in 0..n {
                let value = (x[j] - mean[j]) * inverse[j] * scale[j] + shift[j];
                x[j] = if self.is_relu { F::ZERO.larger(value) } else { value };
            }
        }
    }
}
