//! One output of a network as a subject.

use ndarray::{Array2, ArrayView2};

use super::{ClassMap, Layout, Subject};
use crate::jobs::Team;
use crate::nn::{Network, Ready};

/// One output of a network before any link, in the unit of the target. Its inputs are scaled, so
/// that 0 stands for the mean of the training rows; a picture's 0 is its darkest value.
pub(super) struct NetworkSubject<'a> {
    network: &'a Network,
    ready: Ready,
    /// Which output.
    out: usize,
    /// What the output is multiplied with, of a numeric target.
    scale: f64,
    /// What is added then.
    offset: f64,
}

impl<'a> NetworkSubject<'a> {
    /// The output `out` of a network.
    pub(super) fn new(network: &'a Network, out: usize) -> Self {
        Self { network, ready: network.ready(), out, scale: 1.0, offset: 0.0 }
    }

    /// The same output in another unit: `output x scale + offset`.
    pub(super) fn in_unit(self, scale: f64, offset: f64) -> Self {
        Self { scale, offset, ..self }
    }

    /// The main inputs of all rows, and their static columns.
    fn parts(&self, rows: ArrayView2<f64>) -> (Vec<f32>, Vec<f32>) {
        let n = self.network.input.len();
        let of = |from: usize, to: usize| {
            rows.rows()
                .into_iter()
                .flat_map(|row| (from..to).map(|i| row[i] as f32).collect::<Vec<_>>())
                .collect()
        };
        (of(0, n), of(n, n + self.network.n_static))
    }
}

impl Subject for NetworkSubject<'_> {
    fn layout(&self) -> Layout {
        let shape = self.network.input;
        if shape.is_flat() {
            return Layout::flat(shape.len() + self.network.n_static);
        }
        Layout {
            height: shape.height,
            width: shape.width,
            channels: shape.channels,
            n_static: self.network.n_static,
        }
    }

    fn reference(&self) -> Vec<f64> {
        vec![0.0; self.layout().len()]
    }

    fn scores(&self, rows: ArrayView2<f64>) -> Vec<f64> {
        let (main, statics) = self.parts(rows);
        let outputs = self.network.outputs_of(&self.ready, &main, &statics, &Team::new(1));
        let value = |row: &[f32]| f64::from(row[self.out]) * self.scale + self.offset;
        outputs.chunks_exact(self.network.n_out).map(value).collect()
    }

    fn gradients(&self, rows: ArrayView2<f64>) -> Option<Array2<f64>> {
        let (main, statics) = self.parts(rows);
        let (n, n_static) = (self.network.input.len(), self.network.n_static);
        let mut gradients = Array2::zeros(rows.dim());
        for (idx, mut to) in gradients.rows_mut().into_iter().enumerate() {
            let main = &main[idx * n..(idx + 1) * n];
            let statics = &statics[idx * n_static..(idx + 1) * n_static];
            let gradient = self.network.input_gradient(&self.ready, main, statics, self.out);
            let slopes = gradient.input.iter().chain(&gradient.statics);
            to.iter_mut().zip(slopes).for_each(|(to, slope)| *to = f64::from(*slope) * self.scale);
        }
        Some(gradients)
    }

    fn class_map(&self, row: &[f64]) -> Result<ClassMap, String> {
        let no_map = "between its last convolution and its output stands more than a global average \
                      pooling and one dense layer";
        let (kernel, bias) = self.network.head().ok_or(no_map)?;
        let (main, statics) =
            self.parts(ArrayView2::from_shape((1, row.len()), row).expect("a matrix of one row"));
        let (shape, values) =
            self.network.before_pool(&self.ready, &main, &statics).ok_or(no_map)?;
        let weights = || kernel.iter().skip(self.out).step_by(self.network.n_out);
        let weighted = |position: &[f32]| {
            let products =
                position.iter().zip(weights()).map(|(x, w)| f64::from(*x) * f64::from(*w));
            products.sum::<f64>() * self.scale
        };
        let n_inputs = kernel.len() / self.network.n_out;
        if n_inputs != shape.channels && n_inputs != shape.channels + statics.len() {
            return Err(no_map.to_owned());
        }
        let of_static = statics.iter().zip(weights().skip(shape.channels));
        let of_static = of_static.map(|(x, w)| f64::from(*x) * f64::from(*w) * self.scale);
        Ok(ClassMap {
            height: shape.height,
            width: shape.width,
            values: values.chunks_exact(shape.channels).map(weighted).collect(),
            of_static: of_static.collect(),
            bias: bias.map_or(0.0, |bias| f64::from(bias[self.out])) * self.scale + self.offset,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::{Attribution, explainer};
    use crate::jobs::Ctx;
    use crate::nn::spec::Shape;
    use crate::rng::{Seed, stream};

    fn network(text: &str, input: Shape, n_static: usize, n_out: usize) -> Network {
        let spec = text.parse().unwrap();
        let mut network = Network::<f32>::new(&spec, input, n_static, n_out, Seed(4)).unwrap();
        let mut rng = stream(Seed(8), "figures");
        network.params.iter_mut().for_each(|w| *w += 0.1 * rng.normal() as f32);
        network.state.iter_mut().for_each(|s| *s = (*s + 0.3 * rng.normal() as f32).abs() + 0.2);
        network
    }

    fn row(n: usize) -> Vec<f64> {
        let mut rng = stream(Seed(6), "row");
        (0..n).map(|_| rng.normal()).collect()
    }

    fn explained(name: &str, network: &Network, out: usize) -> (Vec<f64>, Attribution) {
        let subject = NetworkSubject::new(network, out);
        let row = row(subject.layout().len());
        let attribution =
            (explainer(name).unwrap().explain)(&subject, &row, &Ctx::quiet()).unwrap();
        (row, attribution)
    }

    #[track_caller]
    fn close(got: f64, expected: f64, tolerance: f64) {
        assert!((got - expected).abs() <= tolerance, "{got} is not {expected}");
    }

    #[test]
    fn integrated_gradients_of_a_network_sum_to_the_difference_of_scores() {
        for (text, input, n_static) in [
            ("dense 16 gelu | dense 8 tanh | dense out", Shape::flat(9), 0),
            ("conv 8x5 bn gelu | conv 8x3 tanh | gap | join | dense out", Shape::series(20, 2), 3),
            (
                "conv 4x3x3 bn gelu | avgpool 2 | flatten | dense 8 tanh | dense out",
                Shape { height: 8, width: 8, channels: 1 },
                0,
            ),
        ] {
            for out in 0..2 {
                let network = network(text, input, n_static, 2);
                let (_, attribution) = explained("integrated_gradients", &network, out);
                close(attribution.remainder(), 0.0, 1e-3);
                assert!((attribution.score - attribution.base).abs() > 1e-2, "{attribution:?}");
            }
        }
    }

    #[test]
    fn gradient_times_input_of_a_linear_network_is_coefficient_times_value() {
        let network = network("dense out", Shape::flat(5), 0, 3);
        let (row, attribution) = explained("gradient_x_input", &network, 1);
        let kernel = &network.params[network.weights()[0].range.clone()];
        for (i, (x, got)) in row.iter().zip(&attribution.contributions).enumerate() {
            close(*got, f64::from(kernel[i * 3 + 1]) * x, 1e-6);
        }
        close(attribution.remainder(), 0.0, 1e-5);
    }

    #[test]
    fn the_mean_of_a_class_map_and_the_bias_are_the_score() {
        for input in [Shape::series(30, 2), Shape { height: 9, width: 7, channels: 3 }] {
            let text = if input.height == 1 {
                "conv 8x5 bn relu | maxpool 2 | conv 6x3 relu | gap | dense out"
            } else {
                "conv 8x3x3 bn relu | maxpool 2 | conv 6x3x3 relu | gap | dense out"
            };
            let joined = text.replace("| dense", "| join | dropout 0.2 | dense");
            for network in [network(text, input, 0, 4), network(&joined, input, 3, 4)] {
                for out in 0..4 {
                    let subject = NetworkSubject::new(&network, out);
                    let map = subject.class_map(&row(subject.layout().len())).unwrap();
                    let mean = map.values.iter().sum::<f64>() / map.values.len() as f64;
                    let of_static: f64 = map.of_static.iter().sum();
                    let (_, attribution) = explained("class_map", &network, out);
                    close(mean + of_static + map.bias, attribution.score, 1e-5);
                    close(attribution.remainder(), 0.0, 1e-5);
                }
            }
        }
    }

    #[test]
    fn hiding_what_is_the_mean_already_changes_nothing() {
        let network = network("conv 8x5 relu | gap | dense out", Shape::series(30, 2), 0, 2);
        let subject = NetworkSubject::new(&network, 0);
        let explain = explainer("occlusion").unwrap().explain;
        let attribution = explain(&subject, &subject.reference(), &Ctx::quiet()).unwrap();
        assert!(attribution.contributions.iter().all(|c| *c == 0.0), "{attribution:?}");
    }

    #[test]
    fn a_network_with_another_end_has_no_class_map() {
        let other =
            network("conv 8x5 relu | gap | dense 4 relu | dense out", Shape::series(9, 1), 0, 2);
        let why = NetworkSubject::new(&other, 0).class_map(&row(9)).unwrap_err();
        assert!(why.contains("more than a global average pooling"), "{why}");
    }
}
