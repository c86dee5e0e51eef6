//! A reference evaluator for the operators that are written, as their standard defines them: plain
//! loops in f64, to hold exported bytes against karat's own scores. It shares no code with the
//! kernels of the models.

use std::collections::HashMap;

use prost::Message;

use crate::export::onnx::proto::{AttributeProto, ModelProto, NodeProto, TensorProto};

/// A tensor, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    pub(super) dims: Vec<usize>,
    pub(super) cells: Cells,
}

/// What a tensor holds; truth values are 0 and 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cells {
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

impl Tensor {
    pub(super) fn numbers(dims: &[usize], values: &[f64]) -> Self {
        assert_eq!(dims.iter().product::<usize>(), values.len());
        Self { dims: dims.to_vec(), cells: Cells::Numbers(values.to_vec()) }
    }

    pub(super) fn texts(values: Vec<String>) -> Self {
        Self { dims: vec![values.len(), 1], cells: Cells::Texts(values) }
    }

    pub(super) fn values(&self) -> &[f64] {
        match &self.cells {
            Cells::Numbers(values) => values,
            Cells::Texts(texts) => panic!("{texts:?} are no numbers"),
        }
    }

    fn read(proto: &TensorProto) -> Self {
        let dims: Vec<usize> = proto.dims.iter().map(|n| *n as usize).collect();
        let raw = proto.raw_data.as_deref().unwrap_or_default();
        let floats =
            || raw.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()).into());
        let doubles = || raw.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap()));
        let longs =
            || raw.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f64);
        let cells = match proto.data_type {
            1 => Cells::Numbers(floats().collect()),
            7 => Cells::Numbers(longs().collect()),
            11 => Cells::Numbers(doubles().collect()),
            8 => {
                let texts = proto.string_data.iter().cloned().map(String::from_utf8);
                Cells::Texts(texts.collect::<Result<_, _>>().unwrap())
            }
            other => panic!("no reader for tensors of type {other}"),
        };
        Self { dims, cells }
    }
}

/// Runs the file on named inputs and returns every value of the graph by its name.
pub(super) fn evaluate(bytes: &[u8], inputs: Vec<(&str, Tensor)>) -> HashMap<String, Tensor> {
    let model = ModelProto::decode(bytes).unwrap();
    let graph = model.graph.unwrap();
    let mut known: HashMap<String, Tensor> =
        graph.initializer.iter().map(|t| (t.name.clone(), Tensor::read(t))).collect();
    known.extend(inputs.into_iter().map(|(name, tensor)| (name.to_owned(), tensor)));
    for node in &graph.node {
        let inputs: Vec<&Tensor> = node.input.iter().map(|name| &known[name]).collect();
        let value = operate(node, &inputs);
        known.insert(node.output[0].clone(), value);
    }
    known
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

fn ints(node: &NodeProto, name: &str) -> Vec<usize> {
    attribute(node, name).unwrap().ints.iter().map(|n| *n as usize).collect()
}

fn int(node: &NodeProto, name: &str) -> i64 {
    attribute(node, name).unwrap().i.unwrap()
}

fn float(node: &NodeProto, name: &str) -> f64 {
    attribute(node, name).unwrap().f.unwrap().into()
}

fn operate(node: &NodeProto, inputs: &[&Tensor]) -> Tensor {
    let flag = |is: bool| f64::from(u8::from(is));
    let one = inputs[0];
    match node.op_type.as_str() {
        "Identity" => one.clone(),
        "Add" => zip(inputs, |a, b| a + b),
        "Sub" => zip(inputs, |a, b| a - b),
        "Mul" => zip(inputs, |a, b| a * b),
        "Div" => zip(inputs, |a, b| a / b),
        "Max" => zip(inputs, f64::max),
        "Min" => zip(inputs, f64::min),
        "Or" => zip(inputs, |a, b| flag(a + b > 0.0)),
        "GreaterOrEqual" => zip(inputs, |a, b| flag(a >= b)),
        "Equal" => equal(inputs),
        "Where" => chosen(inputs),
        "Cast" => match int(node, "to") {
            1 => each(one, |x| f64::from(x as f32)),
            7 => each(one, f64::trunc),
            _ => one.clone(),
        },
        "IsNaN" => each(one, |x| flag(x.is_nan())),
        "Neg" => each(one, |x| -x),
        "Exp" => each(one, f64::exp),
        "Reciprocal" => each(one, |x| 1.0 / x),
        "Floor" => each(one, f64::floor),
        "Erf" => each(one, statrs::function::erf::erf),
        "Tanh" => each(one, f64::tanh),
        "Sigmoid" => each(one, |x| 1.0 / (1.0 + (-x).exp())),
        "Relu" => each(one, |x| x.max(0.0)),
        "LeakyRelu" => {
            let slope = float(node, "alpha");
            each(one, |x| if x < 0.0 { slope * x } else { x })
        }
        "ReduceMax" => over_columns(one, f64::NEG_INFINITY, f64::max),
        "ReduceSum" => over_columns(one, 0.0, |a, b| a + b),
        "ArgMax" => arg_max(one),
        "Gather" => gather(one, inputs[1]),
        "MatMul" => matmul(one, inputs[1]),
        "Gemm" => zip(&[&matmul(one, inputs[1]), inputs[2]], |a, b| a + b),
        "Concat" => concat(inputs),
        "Reshape" => reshape(one, inputs[1]),
        "Transpose" => transpose(one, &ints(node, "perm")),
        "BatchNormalization" => batch_normalization(inputs, float(node, "epsilon")),
        "LayerNormalization" => layer_normalization(inputs, float(node, "epsilon")),
        "Conv" => conv(node, inputs),
        "MaxPool" => pool(one, &ints(node, "kernel_shape"), f64::max, f64::NEG_INFINITY, |_| 1.0),
        "AveragePool" => pool(one, &ints(node, "kernel_shape"), |a, b| a + b, 0.0, |n| n as f64),
        "GlobalMaxPool" => pool(one, &one.dims[2..], f64::max, f64::NEG_INFINITY, |_| 1.0),
        "GlobalAveragePool" => pool(one, &one.dims[2..], |a, b| a + b, 0.0, |n| n as f64),
        other => panic!("no operator `{other}`"),
    }
}

fn each(one: &Tensor, f: impl Fn(f64) -> f64) -> Tensor {
    Tensor::numbers(&one.dims, &one.values().iter().map(|x| f(*x)).collect::<Vec<_>>())
}

/// The dimensions that all broadcast to, and for each of their places the place in each tensor.
fn broadcast(tensors: &[&Tensor]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let rank = tensors.iter().map(|t| t.dims.len()).max().unwrap();
    let padded = |t: &Tensor| [vec![1; rank - t.dims.len()], t.dims.clone()].concat();
    let all: Vec<Vec<usize>> = tensors.iter().map(|t| padded(t)).collect();
    let dims: Vec<usize> =
        (0..rank).map(|axis| all.iter().map(|dims| dims[axis]).max().unwrap()).collect();
    let places = (0..dims.iter().product()).map(|place| {
        let at = unravel(place, &dims);
        let own = |own: &Vec<usize>| {
            assert!(own.iter().zip(&dims).all(|(n, all)| n == all || *n == 1), "{all:?}");
            at.iter().zip(own).fold(0, |sum, (i, n)| sum * n + i.min(&(n - 1)))
        };
        all.iter().map(own).collect()
    });
    let places = places.collect();
    (dims, places)
}

fn unravel(mut place: usize, dims: &[usize]) -> Vec<usize> {
    let mut at = vec![0; dims.len()];
    for (i, n) in at.iter_mut().zip(dims).rev() {
        (*i, place) = (place % n, place / n);
    }
    at
}

fn zip(inputs: &[&Tensor], f: impl Fn(f64, f64) -> f64) -> Tensor {
    let (dims, places) = broadcast(inputs);
    let (a, b) = (inputs[0].values(), inputs[1].values());
    Tensor::numbers(&dims, &places.iter().map(|at| f(a[at[0]], b[at[1]])).collect::<Vec<_>>())
}

fn equal(inputs: &[&Tensor]) -> Tensor {
    let (dims, places) = broadcast(inputs);
    let same = |at: &Vec<usize>| match (&inputs[0].cells, &inputs[1].cells) {
        (Cells::Numbers(a), Cells::Numbers(b)) => a[at[0]] == b[at[1]],
        (Cells::Texts(a), Cells::Texts(b)) => a[at[0]] == b[at[1]],
        _ => panic!("texts and numbers cannot be compared"),
    };
    Tensor::numbers(
        &dims,
        &places.iter().map(|at| f64::from(u8::from(same(at)))).collect::<Vec<_>>(),
    )
}

fn chosen(inputs: &[&Tensor]) -> Tensor {
    let (dims, places) = broadcast(inputs);
    let side = |at: &Vec<usize>| if inputs[0].values()[at[0]] > 0.0 { 1 } else { 2 };
    let cells = match &inputs[1].cells {
        Cells::Numbers(_) => Cells::Numbers(
            places.iter().map(|at| inputs[side(at)].values()[at[side(at)]]).collect(),
        ),
        Cells::Texts(_) => Cells::Texts(
            places
                .iter()
                .map(|at| match &inputs[side(at)].cells {
                    Cells::Texts(texts) => texts[at[side(at)]].clone(),
                    Cells::Numbers(_) => panic!("both sides are texts"),
                })
                .collect(),
        ),
    };
    Tensor { dims, cells }
}

/// A matrix with its columns brought together, one value for each row.
fn over_columns(one: &Tensor, start: f64, gather: fn(f64, f64) -> f64) -> Tensor {
    let rows = one.values().chunks_exact(one.dims[1]);
    let values: Vec<f64> = rows.map(|row| row.iter().copied().fold(start, gather)).collect();
    Tensor::numbers(&[one.dims[0], 1], &values)
}

fn arg_max(one: &Tensor) -> Tensor {
    let first_best = |row: &[f64]| {
        let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        row.iter().position(|x| *x == most).unwrap() as f64
    };
    let rows = one.values().chunks_exact(one.dims[1]);
    Tensor::numbers(&[one.dims[0], 1], &rows.map(first_best).collect::<Vec<_>>())
}

fn gather(table: &Tensor, indices: &Tensor) -> Tensor {
    let width: usize = table.dims[1..].iter().product();
    let places =
        || indices.values().iter().flat_map(|i| (0..width).map(move |j| *i as usize * width + j));
    let cells = match &table.cells {
        Cells::Numbers(values) => Cells::Numbers(places().map(|at| values[at]).collect()),
        Cells::Texts(texts) => Cells::Texts(places().map(|at| texts[at].clone()).collect()),
    };
    Tensor { dims: [&indices.dims[..], &table.dims[1..]].concat(), cells }
}

fn matmul(a: &Tensor, b: &Tensor) -> Tensor {
    let ([n, k], [_, m]) = ([a.dims[0], a.dims[1]], [b.dims[0], b.dims[1]]);
    let mut out = vec![0.0; n * m];
    for (place, out) in out.iter_mut().enumerate() {
        let (row, column) = (place / m, place % m);
        *out = (0..k).map(|i| a.values()[row * k + i] * b.values()[i * m + column]).sum();
    }
    Tensor::numbers(&[n, m], &out)
}

fn concat(inputs: &[&Tensor]) -> Tensor {
    let n_rows = inputs[0].dims[0];
    let row =
        |row: usize| inputs.iter().flat_map(move |t| &t.values()[row * t.dims[1]..][..t.dims[1]]);
    let values: Vec<f64> = (0..n_rows).flat_map(row).copied().collect();
    Tensor::numbers(&[n_rows, inputs.iter().map(|t| t.dims[1]).sum()], &values)
}

fn reshape(one: &Tensor, dims: &Tensor) -> Tensor {
    let dims = dims.values().iter().enumerate();
    let dims: Vec<usize> =
        dims.map(|(axis, n)| if *n == 0.0 { one.dims[axis] } else { *n as usize }).collect();
    Tensor::numbers(&dims, one.values())
}

fn transpose(one: &Tensor, perm: &[usize]) -> Tensor {
    let dims: Vec<usize> = perm.iter().map(|axis| one.dims[*axis]).collect();
    let value = |place: usize| {
        let at = unravel(place, &dims);
        let mut own = vec![0; at.len()];
        perm.iter().zip(at).for_each(|(axis, i)| own[*axis] = i);
        one.values()[own.iter().zip(&one.dims).fold(0, |sum, (i, n)| sum * n + i)]
    };
    Tensor::numbers(&dims, &(0..one.values().len()).map(value).collect::<Vec<_>>())
}

fn batch_normalization(inputs: &[&Tensor], epsilon: f64) -> Tensor {
    let [x, scale, shift, mean, variance] = inputs else { panic!("five inputs") };
    let after: usize = x.dims[2..].iter().product();
    let value = |(place, x): (usize, &f64)| {
        let c = place / after % scale.values().len();
        let normal = (x - mean.values()[c]) / (variance.values()[c] + epsilon).sqrt();
        normal * scale.values()[c] + shift.values()[c]
    };
    Tensor::numbers(&x.dims, &x.values().iter().enumerate().map(value).collect::<Vec<_>>())
}

fn layer_normalization(inputs: &[&Tensor], epsilon: f64) -> Tensor {
    let [x, scale, shift] = inputs else { panic!("three inputs") };
    let n = scale.values().len();
    let row = |row: &[f64]| {
        let mean = row.iter().sum::<f64>() / n as f64;
        let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n as f64;
        let normal = row.iter().map(|x| (x - mean) / (variance + epsilon).sqrt());
        let own = normal.zip(scale.values()).zip(shift.values());
        own.map(|((x, scale), shift)| x * scale + shift).collect::<Vec<_>>()
    };
    Tensor::numbers(&x.dims, &x.values().chunks_exact(n).flat_map(row).collect::<Vec<_>>())
}

/// Pads are those at the beginning of each axis, then those at the end.
fn conv(node: &NodeProto, inputs: &[&Tensor]) -> Tensor {
    let (x, w) = (inputs[0], inputs[1]);
    let (pads, strides, dilations) =
        (ints(node, "pads"), ints(node, "strides"), ints(node, "dilations"));
    let [n, c, h, width] = x.dims[..] else { panic!("four axes") };
    let [f, _, kh, kw] = w.dims[..] else { panic!("four axes") };
    let len = |len: usize, k: usize, i: usize| {
        (len + pads[i] + pads[i + 2] - (k - 1) * dilations[i] - 1) / strides[i] + 1
    };
    let dims = [n, f, len(h, kh, 0), len(width, kw, 1)];
    let value = |place: usize| {
        let at = unravel(place, &dims);
        let mut sum = inputs.get(2).map_or(0.0, |bias| bias.values()[at[1]]);
        for (ci, ky, kx) in (0..c * kh * kw).map(|i| (i / (kh * kw), i / kw % kh, i % kw)) {
            let y = (at[2] * strides[0] + ky * dilations[0]).checked_sub(pads[0]);
            let z = (at[3] * strides[1] + kx * dilations[1]).checked_sub(pads[1]);
            if let (Some(y), Some(z)) = (y.filter(|y| *y < h), z.filter(|z| *z < width)) {
                sum += x.values()[((at[0] * c + ci) * h + y) * width + z]
                    * w.values()[((at[1] * c + ci) * kh + ky) * kw + kx];
            }
        }
        sum
    };
    Tensor::numbers(&dims, &(0..dims.iter().product()).map(value).collect::<Vec<_>>())
}

/// Windows that do not overlap; what is left over at the end is left out.
fn pool(
    x: &Tensor,
    window: &[usize],
    gather: fn(f64, f64) -> f64,
    start: f64,
    divisor: fn(usize) -> f64,
) -> Tensor {
    let [n, c, h, w] = x.dims[..] else { panic!("four axes") };
    let [rows, columns] = window[..] else { panic!("two lengths") };
    let dims = [n, c, h / rows, w / columns];
    let value = |place: usize| {
        let at = unravel(place, &dims);
        let cells = (0..rows * columns).map(|i| {
            let (y, z) = (at[2] * rows + i / columns, at[3] * columns + i % columns);
            x.values()[((at[0] * c + at[1]) * h + y) * w + z]
        });
        cells.fold(start, gather) / divisor(rows * columns)
    };
    Tensor::numbers(&dims, &(0..dims.iter().product()).map(value).collect::<Vec<_>>())
}
