//! Every layer, exported and held against the network's own outputs.

use std::fmt::Write;

use super::evaluate::{Cells, Tensor, evaluate};
use super::{close, fitted, table, tensors_of};
use crate::data::{Table, Task};
use crate::export::{Port, Scope, onnx, onnx_network};
use crate::features::sight::{self, SightSpec};
use crate::features::{FittedRecipe, Recipe, Scale};
use crate::jobs::{Ctx, Team};
use crate::models::network::FittedNetwork;
use crate::models::{Model, Predictor};
use crate::nn::spec::Shape;
use crate::nn::{Loss, Network};
use crate::rng::{Rng, Seed, stream};

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

fn agrees(network: &Network, mut draw: impl FnMut(&mut Rng) -> f64) {
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
    let network =
        network("embed 10x4 | conv 8x3 relu | flatten | dense out", Shape::series(6, 1), 0, 2);
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

/// Two channels of four months with gaps and a code for missing, and static columns of both kinds.
fn clients() -> Table {
    let mut csv = String::from("bill_1,bill_2,bill_3,bill_4,pay_1,pay_2,pay_3,pay_4,limit,home\n");
    let mut rng = stream(Seed(9), "clients");
    for row in 0..40_usize {
        let mut cells: Vec<String> =
            (0..9).map(|_| format!("{:.3}", 50.0 * rng.normal())).collect();
        if row % 7 == 2 {
            cells[row % 8] = String::new();
        }
        if row % 5 == 1 {
            cells[3] = "-999".into();
        }
        writeln!(csv, "{},{}", cells.join(","), ["own", "rent", ""][row % 3]).unwrap();
    }
    let mut table = table(&csv, &[]);
    table.columns[3].special = vec!["-999".into()];
    table
}

/// A network over what is to be seen in the table.
fn seeing(table: &Table, text: &str, task: Task, loss: Loss, n_out: usize) -> Model {
    let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let layout = sight::layout(table, &names, &SightSpec::default()).unwrap();
    assert_eq!(layout.text(), "2 channels x 4 steps, 2 static columns");
    let rows: Vec<u32> = (0..table.n_rows() as u32).collect();
    let sight = sight::fit(table, &layout, &rows, &Ctx::quiet()).unwrap();
    let statics: Vec<&str> = layout.statics.iter().map(String::as_str).collect();
    let recipe = fitted(table, &Recipe { scale: Scale::Standard, ..Recipe::default() }, &statics);
    let network = network(text, Shape::series(4, 2), recipe.outputs.len(), n_out);
    let is_number = task == Task::Regression;
    let [scale, offset] = if is_number { [2500.0, 71.5] } else { [1.0, 0.0] };
    let classes = ["a", "b", "c"].map(str::to_owned);
    Model {
        kind: "fcn".into(),
        task,
        target: "y".into(),
        classes: if is_number { vec![] } else { classes[..n_out.max(2)].to_vec() },
        threshold: 0.45,
        recipe,
        sight: Some(sight),
        predictor: Predictor::Network(Box::new(FittedNetwork::new(network, loss, offset, scale))),
        averages: None,
        reference: None,
        protected: vec![],
    }
}

#[test]
fn the_whole_way_from_columns_to_predictions_is_exported() {
    let table = clients();
    let text = "conv 8x3 bn relu | gap | join | dense 6 relu | dense out";
    for (task, loss, n_out) in [
        (Task::Regression, Loss::Squared, 1),
        (Task::Regression, Loss::Huber { delta: 1.0 }, 1),
        (Task::Binary, Loss::BinaryCrossEntropy, 1),
        (Task::Multiclass, Loss::SoftmaxCrossEntropy, 3),
    ] {
        let model = seeing(&table, text, task, loss, n_out);
        let exported = onnx(&model, Scope::WholeModel).unwrap();
        assert_eq!(exported.inputs.len(), 10, "{:?}", exported.inputs);
        let expected = model.outputs(&table, None, &Ctx::quiet()).unwrap();
        let values = evaluate(&exported.bytes, tensors_of(&table, &exported.inputs));
        let told = &values[&exported.outputs.last().unwrap().name];
        // The unit of a number is 2500 times that of the network's f32.
        let tolerance = if task == Task::Regression { 1e-5 * 2500.0 } else { 1e-5 };
        close(told.values(), &expected.iter().copied().collect::<Vec<f64>>(), tolerance);
        if let Cells::Texts(classes) = &values["prediction"].cells {
            let scores = model.score(&table, None, &Ctx::quiet()).unwrap();
            let expected: Vec<String> = scores.into_iter().map(|s| model.predict(s)).collect();
            assert_eq!(*classes, expected);
        }
    }
}

#[test]
fn a_network_on_a_plain_table_takes_the_prepared_columns() {
    let table = clients();
    let recipe = Recipe { scale: Scale::Standard, ..Recipe::default() };
    let recipe = fitted(&table, &recipe, &["limit", "bill_4", "home"]);
    let n_columns = recipe.outputs.len();
    let text = "dense 8 relu | dense out";
    let network = network(text, Shape::flat(n_columns), 0, 1);
    let loss = Loss::BinaryCrossEntropy;
    let fitted = FittedNetwork::new(network, loss, 0.0, 1.0);
    let predictor = Predictor::Network(Box::new(fitted));
    let plain = seeing(&table, "flatten | join | dense out", Task::Binary, loss, 1);
    let model = Model { recipe, sight: None, predictor, ..plain };
    let exported = onnx(&model, Scope::WholeModel).unwrap();
    let values = evaluate(&exported.bytes, tensors_of(&table, &exported.inputs));
    let expected = model.score(&table, None, &Ctx::quiet()).unwrap();
    close(values["probability"].values(), &expected, 1e-5);
}

#[test]
fn windows_over_earlier_rows_are_refused_and_the_network_alone_is_not() {
    let mut csv = String::from("day,close\n");
    for day in 1..=28 {
        writeln!(csv, "2024-02-{day:02},{}", 100 + day * 37 % 11).unwrap();
    }
    let table = table(&csv, &[]);
    let time = Some("day".to_owned());
    let input = sight::InputKind::Windows;
    let spec =
        SightSpec { input, window: 5, channels: "close".into(), time, ..SightSpec::default() };
    let layout = sight::layout(&table, &["close".to_owned()], &spec).unwrap();
    let rows: Vec<u32> = (8..28).collect();
    let sight = sight::fit(&table, &layout, &rows, &Ctx::quiet()).unwrap();
    let network = network("conv 4x3 relu | gap | dense out", Shape::series(5, 1), 0, 1);
    let loss = Loss::Squared;
    let fitted = FittedNetwork::new(network, loss, 0.0, 1.0);
    let text = "conv 8x3 | gap | join | dense out";
    let model = Model {
        sight: Some(sight),
        recipe: FittedRecipe::default(),
        predictor: Predictor::Network(Box::new(fitted)),
        ..seeing(&clients(), text, Task::Regression, loss, 1)
    };
    let text = onnx(&model, Scope::WholeModel).unwrap_err().to_string();
    assert!(text.contains("`day` (windows reach to earlier rows"), "{text}");
    let exported = onnx(&model, Scope::PredictorAlone).unwrap();
    assert_eq!(exported.inputs, [Port { name: "input".into(), holds: "f32", width: 5 }]);
}
