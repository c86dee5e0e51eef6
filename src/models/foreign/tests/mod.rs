//! Files of others, against what onnxruntime makes of them.

mod bombs;

use std::collections::BTreeMap;

use ndarray::Array2;
use serde::Deserialize;
use tract_onnx::pb::{
    AttributeProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, type_proto,
};

use super::*;

/// What onnxruntime gives, as `tests/foreign_fixtures/make.py` wrote it.
#[derive(Deserialize)]
struct Told {
    kind: String,
    rows: Vec<Vec<Option<f64>>>,
    expected: Vec<Vec<f64>>,
}

fn matrix(rows: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

fn fixture(onnx: &[u8], json: &str) -> (ForeignModel, Array2<f64>, Array2<f64>, String) {
    let told: Told = serde_json::from_str(json).unwrap();
    let rows: Vec<Vec<f64>> =
        told.rows.iter().map(|row| row.iter().map(|x| x.unwrap_or(f64::NAN)).collect()).collect();
    let model = ForeignModel::read(onnx, &Limits::default()).unwrap_or_else(|e| panic!("{e}"));
    (model, matrix(&rows), matrix(&told.expected), told.kind)
}

macro_rules! fixtures {
    ($($name:literal),* $(,)?) => {
        &[$((
            $name,
            include_bytes!(concat!("../../../../tests/foreign_fixtures/", $name, ".onnx")),
            include_str!(concat!("../../../../tests/foreign_fixtures/", $name, ".json")),
        )),*]
    };
}

#[rustfmt::skip]
const GOOD: &[(&str, &[u8], &str)] = fixtures![
    "logistic", "logistic_zipmap", "logistic_text_label", "logistic_three", "logistic_columns",
    "logistic_double", "logistic_int", "linear", "linear_double", "linear_columns",
    "linear_two_targets", "imputer", "normalizer", "onehot", "binarizer", "column_transformer",
    "mlp", "mlp_three", "mlp_regressor", "forest", "forest_three", "forest_regressor", "boosting",
    "boosting_three", "boosting_regressor", "cnn_logits", "cnn_softmax", "cnn_fixed_batch",
    "series_sigmoid", "one_axis", "batch_of_one_inside", "lstm", "tree_gte", "tree_gt", "tree_lt",
    "tree_leq", "votes_mixed_none", "votes_mixed_logistic", "votes_positive_none",
    "votes_positive_logistic", "one_row_none", "one_row_logistic", "like_karat",
];

macro_rules! bad {
    ($($name:literal => $said:literal),* $(,)?) => {
        &[$((
            $name,
            include_bytes!(concat!("../../../../tests/foreign_fixtures/bad/", $name, ".onnx")),
            $said,
        )),*]
    };
}

#[rustfmt::skip]
const BAD: &[(&str, &[u8], &str)] = bad![
    "external_data" => "data outside of the file",
    "huge_dims" => "has no size",
    "too_few_bytes" => "`12` bytes, not `8`",
    "negative_dims" => "has no size",
    "loop" => "graphs within nodes",
    "unknown_operator" => "`Frobnicate`",
    "custom_domain" => "`com.acme`",
    "random_operator" => "evaluation mode",
    "svm" => "`ai.onnx.ml.SVMRegressor`",
    "old_opset" => "operator set `3`",
    "missing_value" => "nothing makes `nowhere`",
    "cycle" => "needs itself",
    "text_input" => "it takes text",
    "unknown_width" => "fixed number of columns",
    "expand_bomb" => "elements of a tensor",
    "outer_bomb" => "elements of a tensor",
    "tree_cycle" => "has no child",
    "tree_far_child" => "has no child",
    "tree_far_target" => "gives to output `1000000`",
    "tree_far_feature" => "cannot be prepared|failed on rows",
    "cut_short" => "not an ONNX model",
    "random_bytes" => "not an ONNX model",
    "empty" => "holds no graph",
];

#[test]
fn outputs_are_those_of_onnxruntime() {
    let mut differences = BTreeMap::new();
    for (name, onnx, json) in GOOD {
        let (model, x, expected, _) = fixture(onnx, json);
        let told = model.outputs(x.view()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(told.dim(), expected.dim(), "{name}");
        let difference = told
            .iter()
            .zip(&expected)
            .map(|(a, b)| (a - b).abs() / b.abs().max(1.0))
            .fold(0.0, |a: f64, b| if b.is_nan() { f64::INFINITY } else { a.max(b) });
        differences.insert(*name, difference);
    }
    println!("{differences:#?}");
    let far: Vec<_> = differences.iter().filter(|(_, d)| **d > 1e-5).collect();
    assert!(far.is_empty(), "{far:?}");
}

#[test]
fn the_kind_of_output_is_found() {
    for (name, onnx, json) in GOOD {
        let (model, _, expected, kind) = fixture(onnx, json);
        let n = expected.ncols();
        let expected = match kind.as_str() {
            "probability" => OutputKind::Probability,
            "classes" => OutputKind::Classes(n),
            _ if n == 1 => OutputKind::Number,
            _ => OutputKind::Scores(n),
        };
        assert_eq!(model.output_kind(), expected, "{name}");
    }
}

#[test]
fn the_batch_a_row_comes_in_changes_nothing() {
    for (name, onnx, json) in GOOD {
        let (model, x, ..) = fixture(onnx, json);
        let many: Vec<usize> = (0..150).map(|row| row % x.nrows()).collect();
        let together = model.outputs(x.select(Axis(0), &many).view()).unwrap();
        for (row, told) in many.iter().zip(together.rows()) {
            let alone = model.outputs(x.slice(s![*row..=*row, ..])).unwrap();
            for (a, b) in alone.row(0).iter().zip(told) {
                assert!((a - b).abs() <= 1e-6 * b.abs().max(1.0), "{name}: {a} and {b}");
            }
        }
    }
}

#[test]
fn bad_files_are_refused_with_a_reason() {
    for (name, onnx, said) in BAD {
        let error = ForeignModel::read(onnx, &Limits::default()).expect_err(name).to_string();
        assert!(said.split('|').any(|said| error.contains(said)), "{name}: {error}");
    }
}

#[test]
fn a_graph_that_mixes_rows_is_run_row_by_row() {
    let onnx = include_bytes!("../../../../tests/foreign_fixtures/mixes_rows.onnx");
    let model = ForeignModel::read(onnx, &Limits::default()).unwrap();
    assert!(model.block.is_none());
    let x = Array2::from_shape_fn((5, 2), |(row, column)| (row + column) as f64);
    assert!(model.outputs(x.view()).unwrap().iter().all(|value| *value == 0.0));
}

#[test]
fn names_and_classes_come_from_the_file() {
    let read = |wanted: &str| {
        let (_, onnx, json) = GOOD.iter().find(|(name, ..)| *name == wanted).unwrap();
        fixture(onnx, json).0
    };
    let names = ["age", "income", "balance", "rate"];
    assert_eq!(read("logistic").feature_names(), names);
    assert_eq!(read("logistic_columns").feature_names(), names);
    assert_eq!(read("linear").feature_names(), ["x0", "x1", "x2", "x3"]);
    assert_eq!(read("logistic_zipmap").classes, ["bad", "good"]);
    assert_eq!(read("logistic_text_label").classes, ["bad", "good"]);
    assert_eq!(read("forest_three").classes, ["0", "1", "2"]);
    assert!(read("logistic").producer.starts_with("skl2onnx"));
    assert_eq!(read("logistic").operators, ["LinearClassifier", "Scaler"]);
}

#[test]
fn a_softmax_makes_classes_of_scores() {
    let read = |wanted: &str| {
        let (_, onnx, json) = GOOD.iter().find(|(name, ..)| *name == wanted).unwrap();
        fixture(onnx, json)
    };
    let (logits, x, ..) = read("cnn_logits");
    assert!(logits.clone().applying(Apply::Sigmoid).is_err());
    let shares = logits.applying(Apply::Softmax).unwrap();
    assert_eq!(shares.output_kind(), OutputKind::Classes(3));
    let expected = read("cnn_softmax").0.outputs(read("cnn_softmax").1.view()).unwrap();
    assert_eq!(shares.outputs(x.view()).unwrap().dim(), expected.dim());
    let linear = read("linear").0.applying(Apply::Sigmoid).unwrap();
    assert_eq!(linear.output_kind(), OutputKind::Probability);
    assert_eq!(linear.applying(Apply::None).unwrap().output_kind(), OutputKind::Number);
}

#[test]
fn wrong_matrices_are_refused() {
    let (_, onnx, json) = GOOD.iter().find(|(name, ..)| *name == "logistic_int").unwrap();
    let (model, ..) = fixture(onnx, json);
    let columns = Error::Columns { expected: 2, found: 3 };
    assert_eq!(model.outputs(Array2::zeros((1, 3)).view()), Err(columns));
    let error = model.outputs(ndarray::array![[1.0, 2.0], [1.0, 0.5]].view()).unwrap_err();
    let input = &model.inputs[0].name;
    let expected =
        format!("`0.5` in row `1`, feature `x1`, is no whole number, as input `{input}` asks for");
    assert_eq!(error.to_string(), expected);
    assert_eq!(model.outputs(Array2::zeros((0, 2)).view()).unwrap().dim(), (0, 1));
}

#[test]
fn threads_may_ask_at_once() {
    let (_, onnx, json) = GOOD.iter().find(|(name, ..)| *name == "cnn_softmax").unwrap();
    let (model, x, ..) = fixture(onnx, json);
    let alone = model.outputs(x.view()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(model.outputs(x.view()).unwrap(), alone));
        }
    });
}

#[test]
fn limits_hold() {
    let onnx = GOOD.iter().find(|(name, ..)| *name == "mlp").unwrap().1;
    let check = |limits: Limits, what: &str| {
        let error = ForeignModel::read(onnx, &limits).expect_err(what);
        assert!(error.to_string().contains(what), "{error}");
    };
    let all = Limits::default();
    check(Limits { n_bytes: 100, ..all }, "bytes");
    check(Limits { n_nodes: 3, ..all }, "nodes");
    check(Limits { n_constant_bytes: 10, ..all }, "bytes of constants");
    check(Limits { n_decoded_bytes: 1000, ..all }, "bytes once it is decoded");
    check(Limits { n_name_bytes: 3, ..all }, "bytes in one name");
    check(Limits { n_axes: 1, ..all }, "axes of a constant");
    check(Limits { n_elements: 1, ..all }, "elements of a tensor");
    check(Limits { n_tensor_bytes: 10, ..all }, "bytes of tensors");
    check(Limits { n_multiply_adds: 10, ..all }, "multiply-adds");
    check(Limits { n_text_bytes: 3, ..all }, "bytes in one text");
    check(Limits { n_features: 3, ..all }, "columns");
    check(Limits { n_outputs: 1, ..all }, "outputs");
    check(Limits { opset: (9, 12), ..all }, "operator set `18`");
}
