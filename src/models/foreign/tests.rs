use std::collections::BTreeMap;

use ndarray::Array2;
use serde::Deserialize;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
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
            include_bytes!(concat!("../../../tests/foreign_fixtures/", $name, ".onnx")),
            include_str!(concat!("../../../tests/foreign_fixtures/", $name, ".json")),
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
            include_bytes!(concat!("../../../tests/foreign_fixtures/bad/", $name, ".onnx")),
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
    let onnx = include_bytes!("../../../tests/foreign_fixtures/mixes_rows.onnx");
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

/// A file with an input `x` (rows, 2) and an output `y`, as bytes.
fn file(nodes: Vec<NodeProto>, constants: Vec<TensorProto>) -> Vec<u8> {
    let dim = |value| Dimension { value: Some(value), ..Dimension::default() };
    let rows = dim(dimension::Value::DimParam("n".into()));
    let shape = TensorShapeProto { dim: vec![rows, dim(dimension::Value::DimValue(2))] };
    let value = |name: &str, shape| {
        let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape };
        let value = Some(type_proto::Value::TensorType(tensor));
        let r#type = Some(TypeProto { value, ..TypeProto::default() });
        ValueInfoProto { name: name.into(), r#type, ..ValueInfoProto::default() }
    };
    let graph = GraphProto {
        node: nodes,
        initializer: constants,
        input: vec![value("x", Some(shape))],
        output: vec![value("y", None)],
        ..GraphProto::default()
    };
    let opset = OperatorSetIdProto { domain: String::new(), version: 18 };
    let (graph, opset_import) = (Some(graph), vec![opset]);
    ModelProto { ir_version: 8, graph, opset_import, ..ModelProto::default() }.encode_to_vec()
}

fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: operator.into(),
        input: inputs.iter().map(|input| (*input).to_owned()).collect(),
        output: vec![output.into()],
        ..NodeProto::default()
    }
}

fn with_int(mut node: NodeProto, name: &str, i: i64) -> NodeProto {
    let (name, r#type) = (name.into(), AttributeType::Int as i32);
    node.attribute.push(AttributeProto { name, i, r#type, ..AttributeProto::default() });
    node
}

fn with_ints(mut node: NodeProto, name: &str, ints: &[i64]) -> NodeProto {
    let (name, ints, r#type) = (name.into(), ints.to_vec(), AttributeType::Ints as i32);
    node.attribute.push(AttributeProto { name, ints, r#type, ..AttributeProto::default() });
    node
}

fn whole(name: &str, dims: &[i64], values: &[i64]) -> TensorProto {
    let (name, dims, int64_data) = (name.into(), dims.to_vec(), values.to_vec());
    let data_type = DataType::Int64 as i32;
    TensorProto { name, dims, int64_data, data_type, ..TensorProto::default() }
}

fn real(name: &str, dims: &[i64]) -> TensorProto {
    let (name, dims) = (name.into(), dims.to_vec());
    let float_data = vec![0.5; dims.iter().product::<i64>() as usize];
    let data_type = DataType::Float as i32;
    TensorProto { name, dims, float_data, data_type, ..TensorProto::default() }
}

/// Nodes that add all elements of `from` to `x`.
fn added(from: &str) -> [NodeProto; 2] {
    let sum = with_int(node("ReduceSum", &[from], "sum"), "keepdims", 0);
    [sum, node("Add", &["x", "sum"], "y")]
}

/// Reads a file that is a small copy of a bomb, with limits that are as small.
fn refused(nodes: &[NodeProto], constants: Vec<TensorProto>, limits: Limits, said: &str) {
    let error = ForeignModel::read(&file(nodes.to_vec(), constants), &limits);
    let error = error.expect_err(said).to_string();
    assert!(error.contains(said), "`{error}` instead of `{said}`");
}

#[test]
fn a_shape_that_is_gathered_is_known() {
    let shape = node("Gather", &["shapes", "first"], "shape");
    let big = node("ConstantOfShape", &["shape"], "big");
    let [sum, add] = added("big");
    let constants = vec![whole("shapes", &[1, 3], &[15, 15, 15]), whole("first", &[], &[0])];
    let limits = Limits { n_elements: 1000, ..Limits::default() };
    let nodes = [shape, big, sum, add];
    refused(&nodes, constants.clone(), limits, "elements of a tensor `3375`");
    let limits = Limits { n_elements: 3375, ..limits };
    let model = ForeignModel::read(&file(nodes.to_vec(), constants), &limits).unwrap();
    let x = ndarray::array![[1.0, 2.0]];
    assert_eq!(model.outputs(x.view()), Ok(x));
}

#[test]
fn a_shape_of_what_depends_on_an_input_is_known() {
    let wide = node("Expand", &["x", "lengths"], "wide");
    let flat = node("Squeeze", &["wide", "first"], "flat");
    let shape = node("Shape", &["flat"], "shape");
    let big = node("ConstantOfShape", &["shape"], "big");
    let [sum, add] = added("big");
    let constants = vec![whole("lengths", &[4], &[1, 15, 15, 2]), whole("first", &[1], &[0])];
    let limits = Limits { n_elements: 400, ..Limits::default() };
    refused(&[wide, flat, shape, big, sum, add], constants, limits, "elements of a tensor `450`");
}

#[test]
fn nothing_large_is_computed_before_shapes_are_known() {
    let few = node("ConstantOfShape", &["three"], "few");
    let many = node("ConstantOfShape", &["thousands"], "many");
    let lengths = vec![whole("three", &[1], &[3]), whole("thousands", &[1], &[5000])];
    let both = node("Concat", &["few", "many"], "both");
    let both = with_int(both, "axis", 0);
    let [sum, add] = added("both");
    let bytes = file(vec![few, many, both, sum, add], lengths);
    let file = ModelProto::decode(bytes.as_slice()).unwrap();
    let onnx = tract_onnx::onnx();
    let mut graph = tract_onnx::prelude::Framework::model_for_proto_model(&onnx, &file).unwrap();
    let graph_of_file = file.graph.as_ref().unwrap();
    let _ = shapes::find(&mut graph, graph_of_file, &Limits::default());
    let is_computed = |name: &str| {
        use tract_onnx::tract_hir::infer::Factoid;
        let node = graph.nodes.iter().find(|node| node.name == name).unwrap();
        let fact = &node.outputs[0].fact;
        assert!(fact.shape.is_concrete(), "{name}: {fact:?}");
        fact.value.is_concrete()
    };
    assert!(is_computed("few"));
    assert!(!is_computed("many") && !is_computed("both"));
}

#[test]
fn many_tensors_that_are_small_alone_are_too_large_together() {
    let name = |idx: usize| format!("part{idx}");
    let mut nodes: Vec<NodeProto> =
        (0..10).map(|idx| node("ConstantOfShape", &["length"], &name(idx))).collect();
    let names: Vec<String> = (0..10).map(name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    nodes.push(node("Sum", &names, "all"));
    nodes.extend(added("all"));
    let constants = vec![whole("length", &[1], &[100])];
    let limits = Limits { n_tensor_bytes: 3000, ..Limits::default() };
    refused(&nodes, constants, limits, "bytes of tensors");
}

#[test]
fn long_work_is_refused() {
    let limits = Limits { n_multiply_adds: 4000, ..Limits::default() };
    let product = node("MatMul", &["x", "wide"], "hidden");
    let again = node("MatMul", &["hidden", "narrow"], "y");
    let constants = vec![real("wide", &[2, 1000]), real("narrow", &[1000, 1])];
    refused(&[product, again], constants, limits, "multiply-adds");
    let constant = node("MatMul", &["a", "a"], "b");
    let [sum, add] = added("b");
    let limits = Limits { n_multiply_adds: 100_000, ..limits };
    refused(&[constant, sum, add], vec![real("a", &[100, 100])], limits, "multiply-adds");
    for (name, onnx, _) in GOOD {
        let limits = Limits { n_multiply_adds: 1, ..limits };
        let error = ForeignModel::read(onnx, &limits).expect_err(name).to_string();
        assert!(error.contains("multiply-adds"), "{name}: {error}");
    }
}

#[test]
fn constants_that_take_long_to_compare_are_refused() {
    let names: Vec<String> = (0..10).map(|idx| format!("part{idx}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let constants = names.iter().map(|name| real(name, &[2])).collect();
    let nodes = [node("Sum", &names, "sum"), node("Add", &["x", "sum"], "y")];
    let limits = Limits { n_compared_bytes: 45 * 8 - 1, ..Limits::default() };
    refused(&nodes, constants, limits, "bytes of constants to compare `360`");
}

#[test]
fn a_product_of_weights_and_their_lengths_is_read() {
    let weights = node("Mul", &["directions", "lengths"], "weights");
    let product = node("MatMul", &["x", "weights"], "y");
    let constants = vec![real("directions", &[2, 64]), real("lengths", &[2, 1])];
    let limits = Limits { n_elements: 200, ..Limits::default() };
    let model = ForeignModel::read(&file(vec![weights, product], constants), &limits).unwrap();
    let told = model.outputs(ndarray::array![[1.0, 3.0]].view()).unwrap();
    assert_eq!(told, Array2::from_elem((1, 64), 1.0));
}

#[test]
fn axes_and_windows_stay_few_and_small() {
    let all = Limits::default();
    // Each of these has twice the axes of the one before, and one element.
    let mut nodes = vec![node("Unsqueeze", &["zero", "first"], "x0")];
    for idx in 0..8 {
        let (from, to) = (format!("x{idx}"), format!("x{}", idx + 1));
        nodes.push(node("Gather", &[&from, &from], &to));
    }
    nodes.push(with_int(node("Cast", &["x8"], "real"), "to", DataType::Float as i64));
    nodes.extend(added("real"));
    let constants = vec![whole("zero", &[1], &[0]), whole("first", &[1], &[0])];
    refused(&nodes, constants, all, "axes");

    let [sum, add] = added("big");
    let big = node("ConstantOfShape", &["ones"], "big");
    let nodes = [big, sum.clone(), add.clone()];
    refused(&nodes, vec![whole("ones", &[100], &[1; 100])], all, "more than `64` lengths");
    let tile = node("Tile", &["x", "times"], "big");
    let times = whole("times", &[2], &[1, 1 << 62]);
    refused(&[tile, sum, add], vec![times], all, "a length of");
    refused(&added("one"), vec![real("one", &[1; 40])], all, "axes of a constant");
    let pool = with_ints(node("MaxPool", &["x"], "y"), "kernel_shape", &[1 << 30, 1 << 30]);
    refused(&[pool], vec![], all, "places in a window");
    let pool = with_ints(node("MaxPool", &["x"], "y"), "pads", &[1 << 40, 0]);
    refused(&[pool], vec![], all, "places in a step or a margin");
}

#[test]
fn what_a_file_decodes_to_is_counted_first() {
    const N: usize = 1000;
    /// A part of a message: its field, its length and its bytes.
    fn part(field: u8, bytes: &[u8]) -> Vec<u8> {
        let mut part = vec![(field << 3) | 2];
        prost::encoding::encode_varint(bytes.len() as u64, &mut part);
        part.extend(bytes);
        part
    }
    fn check(bytes: &[u8], n_structs: usize, size: usize) {
        let counted = wire::scan(bytes, &Limits::default()).unwrap();
        assert!((n_structs * size) as u64 <= counted, "{counted} for {n_structs} of {size}");
        let limits = Limits { n_decoded_bytes: (n_structs * size) as u64, ..Limits::default() };
        let error = ForeignModel::read(bytes, &limits).unwrap_err().to_string();
        assert!(error.contains("bytes once it is decoded"), "{error}");
    }
    // Two bytes each, in the file.
    let dims = part(1, &part(2, &part(1, &[]).repeat(N)));
    let value_info = part(7, &part(13, &part(2, &dims)));
    check(&value_info, N, size_of::<Dimension>());
    let attributes = part(7, &part(1, &part(5, &[]).repeat(N)));
    check(&attributes, N, size_of::<AttributeProto>());
    let annotations = part(7, &part(14, &part(2, &[]).repeat(N)));
    check(&annotations, N, size_of::<StringStringEntryProto>());
    let types = part(7, &part(1, &part(5, &part(15, &[]).repeat(N))));
    check(&types, N, size_of::<TypeProto>());
    let names = part(7, &part(1, &part(1, &[]).repeat(N)));
    check(&names, N, size_of::<String>());
    // A byte each.
    let numbers = part(7, &part(5, &part(7, &[1; N])));
    check(&numbers, N, size_of::<i64>());
    let nodes = part(7, &part(1, &[]).repeat(N));
    let limits = Limits { n_nodes: N - 1, ..Limits::default() };
    let error = wire::scan(&nodes, &limits).unwrap_err().to_string();
    assert!(error.contains("nodes `1000`"), "{error}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    #[test]
    fn a_changed_byte_is_an_error_or_a_model(which in 0..GOOD.len(), at in 0.0..1.0, byte: u8) {
        let (_, onnx, _) = GOOD[which];
        let mut onnx = onnx.to_vec();
        let at = (at * onnx.len() as f64) as usize;
        onnx[at] = byte;
        if let Ok(model) = ForeignModel::read(&onnx, &Limits::default()) {
            let x = Array2::from_elem((3, model.n_features()), 1.0);
            let _ = model.outputs(x.view());
        }
    }

    #[test]
    fn any_bytes_are_no_panic(bytes: Vec<u8>) {
        let _ = ForeignModel::read(&bytes, &Limits::default());
    }
}
