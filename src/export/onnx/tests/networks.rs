//! Every layer, exported and held against the network's own outputs.

use super::close;
use super::evaluate::{Tensor, evaluate};
use crate::export::{Port, onnx_network};
use crate::jobs::Team;
use crate::nn::Network;
use crate::nn::spec::Shape;
use crate::rng::{Generator, Seed, stream};

const ROWS: usize = 5;

/// A network whose weights and running figures are nowhere what they began as.
fn network(text: &str, input: Shape, n_static: usize, n_out: usize) -> Network {
    let spec = text.parse().unwrap();
    let mut network = Network::<f32>::new(&spec, input, n_static, n_out, Seed(3)).unwrap();
    let mut rng = stream(Seed(5), "figures");
    network.params.iter_mut().for_each(|w| *w += 0.1 * rng.normal() as f32);
    network.state.iter_mut().for_each(|s| *s = (*s + 0.3 * rng.normal() as f32).abs() + 0.2);
    network
}

fn axes(shape: Shape) -> Vec<usize> {
    let Shape { height, width, channels } = shape;
    let all = [ROWS, height, width, channels];
    match (height, width) {
        (1, 1) => vec![ROWS, channels],
        (1, _) => vec![ROWS, width, channels],
        _ => all.to_vec(),
    }
}

fn agrees(network: &Network, mut draw: impl FnMut(&mut Generator) -> f64) {
    let mut rng = stream(Seed(7), "rows");
    let mut some = |n: usize| (0..ROWS * n).map(|_| draw(&mut rng)).collect::<Vec<f64>>();
    let (x, statics) = (some(network.input.len()), some(network.n_static));
    let single = |values: &[f64]| values.iter().map(|v| *v as f32).collect::<Vec<f32>>();
    let expected = network.outputs(&single(&x), &single(&statics), &Team::new(1));
    let expected: Vec<f64> = expected.into_iter().map(f64::from).collect();

    let exported = onnx_network(network);
    let mut inputs = vec![("input", Tensor::numbers(&axes(network.input), &x))];
    if network.n_static > 0 {
        inputs.push(("static", Tensor::numbers(&[ROWS, network.n_static], &statics)));
    }
    let values = evaluate(&exported.bytes, inputs);
    close(values["outputs"].values(), &expected, 1e-5);
    let spread = expected.iter().fold(0.0_f64, |most, v| most.max((v - expected[0]).abs()));
    assert!(spread > 1e-3, "all outputs are {}", expected[0]);
}

fn check(text: &str, input: Shape, n_static: usize, n_out: usize) {
    // Values that f32 holds exactly, so that both see the same.
    agrees(&network(text, input, n_static, n_out), |rng| f64::from(rng.normal() as f32));
}

fn image(height: usize, width: usize, channels: usize) -> Shape {
    Shape { height, width, channels }
}

#[test]
fn plain_rows_through_dense_layers_norms_and_every_activation() {
    check("dense 16 relu | dropout 0.2 | dense 8 leaky | dense out", Shape::flat(7), 0, 3);
    let norms = "dense 16 bn gelu | dense 8 ln tanh | dense 4 sigmoid | dense out";
    check(norms, Shape::flat(7), 0, 1);
    check("bn | ln | dense 6 relu | join | dense out", Shape::flat(4), 3, 2);
}

#[test]
fn series_through_convolutions_of_every_padding_stride_and_dilation() {
    check("conv 8x8 bn relu | conv 8x5 bn relu | gap | dense out", Shape::series(30, 1), 0, 2);
    let text = "conv 8x5 stride 2 gelu | conv 8x3 dilation 2 ln tanh | maxpool 2 | gap | join | \
                dense 6 relu | dense out";
    check(text, Shape::series(24, 3), 4, 1);
    let text = "conv 8x4 valid leaky | avgpool 3 | conv 4x2 dilation 2 valid | flatten | dense out";
    check(text, Shape::series(31, 2), 0, 2);
    check("bn | ln | conv 4x3 relu | flatten | dense out", Shape::series(12, 3), 0, 2);
}

#[test]
fn images_through_kernels_that_are_not_square() {
    let lenet = "conv 6x5x5 relu | avgpool 2 | conv 8x3x3 valid relu | flatten | dense out";
    check(lenet, image(12, 12, 1), 0, 10);
    check("conv 5x4x2 stride 2 tanh | ln | gmp | join | dense out", image(9, 7, 3), 2, 3);
}

#[test]
fn residual_blocks_with_and_without_a_new_number_of_channels() {
    let text = "res( conv 8x8 bn relu | conv 8x3 bn ) relu | res( conv 8x3 bn relu | conv 8x3 bn ) \
                relu | gap | dense out";
    check(text, Shape::series(20, 2), 0, 4);
    check("res( conv 4x3x3 bn relu | conv 4x3x3 ) relu | gap | dense out", image(6, 6, 2), 0, 2);
}

#[test]
fn embeddings_take_the_nearest_level() {
    let network = network("embed 10x4 | conv 8x3 relu | flatten | dense out", Shape::series(6, 1), 0, 2);
    agrees(&network, |rng| (rng.normal() * 5.0 + 4.0).round());
}

#[test]
fn inputs_have_the_shape_of_what_the_network_looks_at() {
    let network = network("conv 4x3 | gap | join | dense out", Shape::series(9, 2), 3, 2);
    let port = |name: &str, width| Port { name: name.into(), holds: "f32", width };
    let exported = onnx_network(&network);
    assert_eq!(exported.inputs, [port("input", 18), port("static", 3)]);
    assert_eq!(exported.outputs, [port("outputs", 2)]);
}
