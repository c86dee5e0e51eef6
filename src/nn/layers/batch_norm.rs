//! Batch normalisation.

use std::ops::Range;

use super::Activation;
use crate::nn::Real;
use crate::nn::batch::Batch;
use crate::nn::product::Into;
use crate::nn::spec;

/// Each channel brought to mean 0 and variance 1 over all rows and positions of the batch, then
/// scaled and shifted (Ioffe and Szegedy, 2015).
///
/// ```text
/// x̂ = (x − μ) / √(σ² + ε)      y = γ x̂ + β
/// ```
///
/// with the variance σ² of the divisor n. Backward, with `d = ∂L/∂y` and sums over the n values of
/// a channel: `∂L/∂β = Σ d`, `∂L/∂γ = Σ d x̂`, and
///
/// ```text
/// ∂L/∂x = γ / √(σ² + ε) · (d − Σ d / n − x̂ Σ d x̂ / n)
/// ```
///
/// Once trained, running means and variances take the place of those of the batch.
#[derive(Clone, Debug)]
pub(in crate::nn) struct BatchNorm {
    pub(in crate::nn) n_channels: usize,
    pub(in crate::nn) scale: Range<usize>,
    pub(in crate::nn) shift: Range<usize>,
    /// Where the running means stand, followed by the running variances.
    pub(in crate::nn) state: usize,
}

/// ε, as in PyTorch.
pub(in crate::nn) const EPSILON: f64 = 1e-5;

/// How much of the running figures a batch replaces, as in PyTorch.
const MOMENTUM: f64 = 0.1;

/// What the shards of a batch share about one norm: gathered by each, put together in their order.
#[derive(Clone, Debug, Default)]
pub(in crate::nn) struct Sums<F> {
    /// A value of each channel from which the others are measured, so that no digits are lost.
    pub(in crate::nn) pivot: Vec<F>,
    /// Sums of what is measured, and of its square; backward of `d` and of `d x̂`.
    pub(in crate::nn) one: Vec<F>,
    pub(in crate::nn) two: Vec<F>,
    /// How many values of each channel there are.
    pub(in crate::nn) n: usize,
}

/// Mean, `1 / √(σ² + ε)`, and the mean sums of the way back, for each channel.
#[derive(Clone, Debug)]
pub(in crate::nn) struct Moments<F> {
    pub(in crate::nn) mean: Vec<F>,
    pub(in crate::nn) inverse: Vec<F>,
    pub(in crate::nn) d: Vec<F>,
    pub(in crate::nn) d_hat: Vec<F>,
}

impl<F: Real> Moments<F> {
    pub(in crate::nn) fn new(n_channels: usize) -> Self {
        let zeros = vec![F::ZERO; n_channels];
        Self { mean: zeros.clone(), inverse: zeros.clone(), d: zeros.clone(), d_hat: zeros }
    }
}

impl<F: Real> Sums<F> {
    pub(in crate::nn) fn new(n_channels: usize) -> Self {
        let zeros = vec![F::ZERO; n_channels];
        Self { pivot: zeros.clone(), one: zeros.clone(), two: zeros, n: 0 }
    }
}

impl BatchNorm {
    /// Gathers the sums of one shard.
    pub(in crate::nn) fn gather<F: Real>(
        &self,
        input: &Batch<F>,
        sums: &mut Sums<F>,
        n_rows: usize,
    ) {
        let n = self.n_channels;
        sums.n = n_rows * input.geometry.shape.positions();
        sums.one.fill(F::ZERO);
        sums.two.fill(F::ZERO);
        sums.pivot.copy_from_slice(&input.row(0)[..n]);
        let (pivot, one, two) = (&sums.pivot[..n], &mut sums.one[..n], &mut sums.two[..n]);
        for idx in 0..n_rows {
            for position in input.row(idx).chunks_exact(n) {
                let position = &position[..n];
                for j in 0..n {
                    let value = position[j] - pivot[j];
                    one[j] += value;
                    two[j] += value * value;
                }
            }
        }
    }

    /// Puts the sums of all shards together, in their order (Chan et al., 1979), and moves the
    /// running figures.
    pub(in crate::nn) fn settle<'a, F: Real>(
        &self,
        shards: &(impl Iterator<Item = &'a Sums<F>> + Clone),
        moments: &mut Moments<F>,
        state: &mut [F],
    ) {
        let (means, variances) =
            state[self.state..self.state + 2 * self.n_channels].split_at_mut(self.n_channels);
        for channel in 0..self.n_channels {
            let (mut n, mut mean, mut squares) = (0.0, 0.0, 0.0);
            for sums in shards.clone().filter(|sums| sums.n > 0) {
                let own_n = sums.n as f64;
                let (one, two) = (sums.one[channel].f64(), sums.two[channel].f64());
                let own_mean = sums.pivot[channel].f64() + one / own_n;
                let own_squares = (two - one * one / own_n).max(0.0);
                let apart = own_mean - mean;
                let together = n + own_n;
                mean += apart * own_n / together;
                squares += own_squares + apart * apart * n * own_n / together;
                n = together;
            }
            let variance = squares / n;
            moments.mean[channel] = F::of(mean);
            moments.inverse[channel] = F::of(1.0 / (variance + EPSILON).sqrt());
            let unbiased = if n > 1.0 { squares / (n - 1.0) } else { variance };
            let moved = |old: F, new: f64| F::of((1.0 - MOMENTUM) * old.f64() + MOMENTUM * new);
            means[channel] = moved(means[channel], mean);
            variances[channel] = moved(variances[channel], unbiased);
        }
    }

    /// The running figures in place of those of a batch.
    pub(in crate::nn) fn recall<F: Real>(&self, moments: &mut Moments<F>, state: &[F]) {
        let (means, variances) =
            state[self.state..self.state + 2 * self.n_channels].split_at(self.n_channels);
        moments.mean.copy_from_slice(means);
        for (inverse, variance) in moments.inverse.iter_mut().zip(variances) {
            *inverse = F::of(1.0 / (variance.f64() + EPSILON).sqrt());
        }
    }

    /// Mean, one over the deviation, scale and shift of each channel.
    pub(in crate::nn) fn figures<'a, F: Real>(
        &self,
        params: &'a [F],
        moments: &'a Moments<F>,
    ) -> [&'a [F]; 4] {
        let n = self.n_channels;
        let of = |range: &Range<usize>| &params[range.clone()][..n];
        [&moments.mean[..n], &moments.inverse[..n], of(&self.scale), of(&self.shift)]
    }

    pub(in crate::nn) fn forward<F: Real>(
        &self,
        params: &[F],
        moments: &Moments<F>,
        activation: Option<Activation>,
        input: &Batch<F>,
        output: &mut Batch<F>,
        n_rows: usize,
    ) {
        let n = self.n_channels;
        let [mean, inverse, scale, shift] = self.figures(params, moments);
        let is_relu = activation.is_some_and(|f| f.kind() == spec::Activation::Relu);
        for idx in 0..n_rows {
            let (from, to) = (input.row(idx), output.row_mut(idx));
            for (x, y) in from.chunks_exact(n).zip(to.chunks_exact_mut(n)) {
                let (x, y) = (&x[..n], &mut y[..n]);
                if is_relu {
                    for j in 0..n {
                        let value = (x[j] - mean[j]) * inverse[j] * scale[j] + shift[j];
                        y[j] = F::ZERO.larger(value);
                    }
                } else {
                    for j in 0..n {
                        y[j] = (x[j] - mean[j]) * inverse[j] * scale[j] + shift[j];
                    }
                }
            }
            if let Some(activation) = activation.filter(|_| !is_relu) {
                activation.apply(to);
            }
        }
    }

    /// Takes the gradient back through the activation, in place, and gathers the sums of one
    /// shard.
    #[expect(clippy::too_many_arguments, reason = "what goes in and what comes out")]
    pub(in crate::nn) fn gather_back<F: Real>(
        &self,
        params: &[F],
        moments: &Moments<F>,
        activation: Option<Activation>,
        (input, output): (&Batch<F>, &Batch<F>),
        d: &mut Batch<F>,
        sums: &mut Sums<F>,
        n_rows: usize,
    ) {
        let n = self.n_channels;
        let (mean, inverse) = (&moments.mean[..n], &moments.inverse[..n]);
        sums.n = n_rows * input.geometry.shape.positions();
        sums.one.fill(F::ZERO);
        sums.two.fill(F::ZERO);
        let (one, two) = (&mut sums.one[..n], &mut sums.two[..n]);
        let (scale, shift) = (&params[self.scale.clone()][..n], &params[self.shift.clone()][..n]);
        let is_relu = activation.is_some_and(|f| f.kind() == spec::Activation::Relu);
        for idx in 0..n_rows {
            let (from, d) = (input.row(idx), d.row_mut(idx));
            if is_relu {
                // Whether a value passed is told from the input: one less thing to read.
                let figures = [mean, inverse, scale, shift];
                for (x, d) in from.chunks_exact(n).zip(d.chunks_exact_mut(n)) {
                    position_back(x, d, figures, one, two);
                }
                continue;
            }
            if let Some(activation) = activation {
                activation.back_from_result(d, output.row(idx));
            }
            for (x, d) in from.chunks_exact(n).zip(d.chunks_exact(n)) {
                let (x, d) = (&x[..n], &d[..n]);
                for j in 0..n {
                    one[j] += d[j];
                    two[j] += d[j] * (x[j] - mean[j]) * inverse[j];
                }
            }
        }
    }

    /// Puts the sums of the way back together, in the order of the shards.
    pub(in crate::nn) fn settle_back<'a, F: Real>(
        &self,
        shards: &(impl Iterator<Item = &'a Sums<F>> + Clone),
        moments: &mut Moments<F>,
    ) {
        let n: usize = shards.clone().map(|sums| sums.n).sum();
        for channel in 0..self.n_channels {
            let (mut one, mut two) = (0.0, 0.0);
            for sums in shards.clone().filter(|sums| sums.n > 0) {
                one += sums.one[channel].f64();
                two += sums.two[channel].f64();
            }
            moments.d[channel] = F::of(one / n as f64);
            moments.d_hat[channel] = F::of(two / n as f64);
        }
    }

    /// The gradient of the input; that of scale and shift is this shard's part of the sums.
    #[expect(clippy::too_many_arguments, reason = "what goes in and what comes out")]
    pub(in crate::nn) fn backward<F: Real>(
        &self,
        params: &[F],
        moments: &Moments<F>,
        sums: &Sums<F>,
        input: &Batch<F>,
        d: &Batch<F>,
        grads: &mut [F],
        d_input: Option<(&mut Batch<F>, Into)>,
        n_rows: usize,
    ) {
        grads[self.shift.clone()].copy_from_slice(&sums.one);
        grads[self.scale.clone()].copy_from_slice(&sums.two);
        let Some((d_input, into)) = d_input else { return };
        let n = self.n_channels;
        let (mean, inverse) = (&moments.mean[..n], &moments.inverse[..n]);
        let (d_mean, d_hat) = (&moments.d[..n], &moments.d_hat[..n]);
        let scale = &params[self.scale.clone()][..n];
        for idx in 0..n_rows {
            let positions = input.row(idx).chunks_exact(n).zip(d.row(idx).chunks_exact(n));
            for ((x, d), to) in positions.zip(d_input.row_mut(idx).chunks_exact_mut(n)) {
                let (x, d, to) = (&x[..n], &d[..n], &mut to[..n]);
                if into == Into::Replace {
                    for j in 0..n {
                        let hat = (x[j] - mean[j]) * inverse[j];
                        to[j] = scale[j] * inverse[j] * (d[j] - d_mean[j] - hat * d_hat[j]);
                    }
                } else {
                    for j in 0..n {
                        let hat = (x[j] - mean[j]) * inverse[j];
                        to[j] += scale[j] * inverse[j] * (d[j] - d_mean[j] - hat * d_hat[j]);
                    }
                }
            }
        }
    }

    /// The gradient of the input when the running figures were used, which do not depend on it.
    pub(in crate::nn) fn backward_recalled<F: Real>(
        &self,
        params: &[F],
        moments: &Moments<F>,
        d: &Batch<F>,
        d_input: &mut Batch<F>,
        into: Into,
        n_rows: usize,
    ) {
        let n = self.n_channels;
        let (inverse, scale) = (&moments.inverse[..n], &params[self.scale.clone()][..n]);
        for idx in 0..n_rows {
            let positions = d.row(idx).chunks_exact(n);
            for (d, to) in positions.zip(d_input.row_mut(idx).chunks_exact_mut(n)) {
                for j in 0..n {
                    let part = scale[j] * inverse[j] * d[j];
                    to[j] = if into == Into::Add { to[j] + part } else { part };
                }
            }
        }
    }
}

/// Takes the gradient of one position back through a ReLU and adds it to both sums.
///
/// A function of its own, so that the compiler knows that none of the slices overlap.
#[inline(never)]
fn position_back<F: Real>(
    x: &[F],
    d: &mut [F],
    [mean, inverse, scale, shift]: [&[F]; 4],
    one: &mut [F],
    two: &mut [F],
) {
    let n = x.len();
    let (d, one, two) = (&mut d[..n], &mut one[..n], &mut two[..n]);
    let (mean, inverse, scale, shift) = (&mean[..n], &inverse[..n], &scale[..n], &shift[..n]);
    for j in 0..n {
        let hat = (x[j] - mean[j]) * inverse[j];
        // Multiplied and not chosen, which lets several be computed at once.
        let passed = if hat * scale[j] + shift[j] > F::ZERO { F::ONE } else { F::ZERO };
        let slope = passed * d[j];
        d[j] = slope;
        one[j] += slope;
        two[j] += slope * hat;
    }
}
