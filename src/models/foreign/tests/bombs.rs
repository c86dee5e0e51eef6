//! Small files that would become large, or take long.

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};

use super::*;

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
