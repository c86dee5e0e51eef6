//! What a network is trained to make small.

use super::Real;
use super::layers::sigmoid;

/// The loss of one row, from the outputs of the network before any link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// `(o − y)²` (Gauss, 1821).
    Squared,
    /// Squared up to the distance `delta`, linear beyond it: `δ (2 |o − y| − δ)` (Huber, 1964),
    /// twice the usual form, so that it is the squared loss near 0.
    Huber {
        /// Where it turns linear, in units of the target.
        delta: f64,
    },
    /// The negative logarithm of the probability that the sigmoid gives to what happened, `y` being
    /// 0 or 1.
    BinaryCrossEntropy,
    /// The negative logarithm of the probability that the softmax gives to the class `y`.
    SoftmaxCrossEntropy,
}

impl Loss {
    /// The loss of a row, and its gradient times `scale` written to `d`.
    pub(super) fn row<F: Real>(self, outputs: &[F], y: F, scale: F, d: &mut [F]) -> f64 {
        match self {
            Self::Squared => {
                let apart = outputs[0] - y;
                d[0] = scale * (apart + apart);
                (apart * apart).f64()
            }
            Self::Huber { delta } => {
                let (apart, delta) = (outputs[0] - y, F::of(delta));
                let near = apart.abs() <= delta;
                let sign = if apart > F::ZERO { delta } else { -delta };
                let slope = if near { apart } else { sign };
                d[0] = scale * (slope + slope);
                let far = delta * (apart.abs() + apart.abs() - delta);
                (if near { apart * apart } else { far }).f64()
            }
            Self::BinaryCrossEntropy => {
                let o = outputs[0];
                d[0] = scale * (sigmoid(o) - y);
                // ln(1 + e^o) − y o, without overflow.
                let o = o.f64();
                o.max(0.0) + (-o.abs()).exp().ln_1p() - y.f64() * o
            }
            Self::SoftmaxCrossEntropy => {
                let class = y.f64() as usize;
                softmax(outputs, d);
                let largest = outputs.iter().fold(outputs[0], |max, o| max.larger(*o)).f64();
                let sum: f64 = outputs.iter().map(|o| (o.f64() - largest).exp()).sum();
                for (idx, d) in d.iter_mut().enumerate() {
                    let hit = if idx == class { F::ONE } else { F::ZERO };
                    *d = scale * (*d - hit);
                }
                sum.ln() + largest - outputs[class].f64()
            }
        }
    }

    /// The loss of a row, and whether it is right or its squared error.
    pub fn of<F: Real>(self, outputs: &[F], y: F) -> (f64, f64) {
        let mut d = vec![F::ZERO; outputs.len()];
        (self.row(outputs, y, F::ZERO, &mut d), self.fit(outputs, y))
    }

    /// Whether the largest output, or the side of 0, is right; for a number its squared error.
    pub(super) fn fit<F: Real>(self, outputs: &[F], y: F) -> f64 {
        match self {
            Self::Squared | Self::Huber { .. } => (outputs[0] - y).f64().powi(2),
            Self::BinaryCrossEntropy => {
                f64::from(u8::from((outputs[0] >= F::ZERO) == (y.f64() > 0.5)))
            }
            Self::SoftmaxCrossEntropy => {
                let class = y.f64() as usize;
                let beaten = |(idx, o): (usize, &F)| {
                    *o < outputs[class] || (*o == outputs[class] && class <= idx)
                };
                f64::from(u8::from(outputs.iter().enumerate().all(beaten)))
            }
        }
    }

    /// Whether the target is a class and not a number.
    pub fn is_of_classes(self) -> bool {
        matches!(self, Self::BinaryCrossEntropy | Self::SoftmaxCrossEntropy)
    }

    /// Turns outputs into predictions, in place: probabilities, or the numbers as they are.
    ///
    /// ```
    /// use karat::nn::Loss;
    ///
    /// let mut outputs = [0.0_f64, 0.0];
    /// Loss::SoftmaxCrossEntropy.link(&mut outputs);
    /// assert_eq!(outputs, [0.5, 0.5]);
    /// ```
    pub fn link<F: Real>(self, outputs: &mut [F]) {
        match self {
            Self::Squared | Self::Huber { .. } => {}
            Self::BinaryCrossEntropy => outputs.iter_mut().for_each(|o| *o = sigmoid(*o)),
            Self::SoftmaxCrossEntropy => {
                let largest = outputs.iter().fold(outputs[0], |max, o| max.larger(*o));
                let mut sum = F::ZERO;
                for o in outputs.iter_mut() {
                    *o = (*o - largest).exp();
                    sum += *o;
                }
                for o in outputs {
                    *o = *o / sum;
                }
            }
        }
    }
}

fn softmax<F: Real>(outputs: &[F], probabilities: &mut [F]) {
    probabilities.copy_from_slice(outputs);
    Loss::SoftmaxCrossEntropy.link(probabilities);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Losses with a target and outputs where they are smooth.
    const CASES: &[(Loss, f64, &[f64])] = &[
        (Loss::Squared, 0.7, &[-0.4]),
        (Loss::Huber { delta: 1.0 }, 0.7, &[0.2]),
        (Loss::Huber { delta: 1.0 }, 0.7, &[4.2]),
        (Loss::Huber { delta: 1.0 }, 0.7, &[-3.2]),
        (Loss::BinaryCrossEntropy, 1.0, &[-1.3]),
        (Loss::BinaryCrossEntropy, 0.0, &[2.1]),
        (Loss::SoftmaxCrossEntropy, 2.0, &[0.3, -1.0, 0.9, 2.0]),
    ];

    #[test]
    fn gradients_agree_with_finite_differences() {
        const STEP: f64 = 1e-5;
        for (loss, y, outputs) in CASES {
            let mut d = vec![0.0; outputs.len()];
            let mut unused = d.clone();
            loss.row(outputs, *y, 0.5, &mut d);
            for k in 0..outputs.len() {
                let mut at = |by: f64| {
                    let mut moved = outputs.to_vec();
                    moved[k] += by;
                    loss.row(&moved, *y, 0.5, &mut unused)
                };
                let slope = 0.5 * (at(STEP) - at(-STEP)) / (2.0 * STEP);
                assert!((slope - d[k]).abs() < 1e-9, "{loss:?} {slope} {}", d[k]);
            }
        }
    }

    #[test]
    fn losses_are_those_of_torch() {
        // torch.nn.functional in double precision: binary_cross_entropy_with_logits and
        // cross_entropy; huber_loss times two.
        let expected =
            [1.21, 0.25, 6.0, 6.8, 1.541_008_453_833, 2.215_519_523_180, 1.548_104_123_562];
        for ((loss, y, outputs), expected) in CASES.iter().zip(expected) {
            let mut d = vec![0.0; outputs.len()];
            let value = loss.row(outputs, *y, 1.0, &mut d);
            assert!((value - expected).abs() < 1e-9, "{loss:?} {value}");
        }
    }

    #[test]
    fn extreme_outputs_have_finite_losses() {
        for (loss, outputs) in [
            (Loss::BinaryCrossEntropy, vec![-1e30_f32]),
            (Loss::SoftmaxCrossEntropy, vec![1e30_f32, -1e30, 0.0]),
        ] {
            let mut d = vec![0.0; outputs.len()];
            assert!(loss.row(&outputs, 1.0, 1.0, &mut d).is_finite());
            assert!(d.iter().all(|d| d.is_finite()));
        }
    }
}
