//! A network as nodes: layer after layer of its words, with its weights.
//!
//! karat keeps the channels of a position side by side; the operators want each channel as a plane
//! of its own. Values are turned round where they enter, and where a layer looks at positions. A
//! series is a picture of height 1.

use super::graph::{Attribute, Data, Dim, Elem, Graph, Value};
use crate::nn::Network;
use crate::nn::spec::{Activation, Layer, NetworkSpec, Padding, PoolKind, Shape, Units};

/// ε of both norms.
const EPSILON: f32 = 1e-5;

/// What a network looks at, as values in f32.
#[derive(Clone, Debug)]
pub(super) struct Inputs {
    /// The main input (rows, positions x channels), the channels of a position side by side.
    pub(super) main: Value,
    /// The static columns (rows, columns), where some join.
    pub(super) statics: Option<Value>,
}

/// The inputs of a network alone, with the shapes it knows: `input` and, where there are any,
/// `static`.
pub(super) fn bare_inputs(graph: &mut Graph, network: &Network) -> Inputs {
    let Shape { height, width, channels } = network.input;
    let dims: &[Dim] = match (height, width) {
        (1, 1) => &[Dim::Rows, Dim::Fixed(channels)],
        (1, _) => &[Dim::Rows, Dim::Fixed(width), Dim::Fixed(channels)],
        _ => &[Dim::Rows, Dim::Fixed(height), Dim::Fixed(width), Dim::Fixed(channels)],
    };
    let about = "scaled, position by position, the channels of a position side by side";
    let input = graph.input("input", Elem::Float, dims, about);
    let main =
        if dims.len() == 2 { input } else { reshaped(graph, &input, &[network.input.len()]) };
    let statics = (network.n_static > 0).then(|| {
        let dims = [Dim::Rows, Dim::Fixed(network.n_static)];
        graph.input("static", Elem::Float, &dims, "the prepared static columns")
    });
    Inputs { main, statics }
}

/// The outputs of a network before any link, (rows, outputs) in f32.
pub(super) fn outputs(graph: &mut Graph, network: &Network, inputs: Inputs) -> Value {
    let NetworkSpec { layers } = &network.spec;
    let flow = Flow { value: inputs.main, shape: network.input, form: Form::Row };
    let mut writer = Writer { graph, network, statics: inputs.statics, weights: 0, state: 0 };
    let end = writer.layers(layers, flow);
    writer.as_row(end).value
}

/// How values lie at a place in the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// (rows, positions x channels), the channels of a position side by side.
    Row,
    /// (rows, height, width, channels).
    ChannelsLast,
    /// (rows, channels, height, width), as the operators on positions want it.
    ChannelsFirst,
}

/// Values on their way through the layers.
#[derive(Clone, Debug)]
struct Flow {
    value: Value,
    shape: Shape,
    form: Form,
}

struct Writer<'a> {
    graph: &'a mut Graph,
    network: &'a Network,
    statics: Option<Value>,
    /// The next of [`Network::weights`].
    weights: usize,
    /// The next of the running figures of batch norms.
    state: usize,
}

impl Writer<'_> {
    fn layers(&mut self, layers: &[Layer], mut flow: Flow) -> Flow {
        for (idx, layer) in layers.iter().enumerate() {
            // A bias before a batch norm would be taken off again, so there is none.
            let has_bias = layers.get(idx + 1) != Some(&Layer::BatchNorm);
            flow = self.layer(layer, flow, has_bias);
        }
        flow
    }

    fn layer(&mut self, layer: &Layer, flow: Flow, has_bias: bool) -> Flow {
        match layer {
            Layer::Dense { units } => {
                let n_out = match units {
                    Units::Count(n) => *n,
                    Units::Out => self.network.n_out,
                };
                self.dense(flow, n_out, has_bias)
            }
            Layer::Conv1d { filters, kernel, stride, dilation, padding } => {
                let slide = Slide { size: [1, *kernel], stride: *stride, dilation: *dilation };
                self.conv(flow, *filters, slide, *padding, has_bias)
            }
            Layer::Conv2d { filters, kernel, stride, dilation, padding } => {
                let slide = Slide { size: *kernel, stride: *stride, dilation: *dilation };
                self.conv(flow, *filters, slide, *padding, has_bias)
            }
            Layer::Pool { kind, size } => self.pool(flow, *kind, *size),
            Layer::GlobalPool { kind } => {
                let op = match kind {
                    PoolKind::Max => "GlobalMaxPool",
                    PoolKind::Average => "GlobalAveragePool",
                };
                let flow = self.channels_first(flow);
                let value = self.graph.node(op, &[&flow.value]);
                Flow { value, shape: Shape::flat(flow.shape.channels), form: Form::ChannelsFirst }
            }
            Layer::BatchNorm => self.batch_norm(flow),
            Layer::LayerNorm => self.layer_norm(flow),
            // Nothing is left out once a network is trained.
            Layer::Dropout { .. } => flow,
            Layer::Embedding { levels, width } => self.embedding(flow, *levels, *width),
            Layer::Residual { layers } => self.residual(layers, flow),
            Layer::Flatten => {
                let flow = self.as_row(flow);
                Flow { shape: Shape::flat(flow.shape.len()), ..flow }
            }
            Layer::Join => {
                let flow = self.as_row(flow);
                let Some(statics) = self.statics.clone() else { return flow };
                let axis = [("axis", Attribute::Int(1))];
                let value = self.graph.node_with("Concat", &[&flow.value, &statics], &axis);
                let shape = Shape::flat(flow.shape.channels + self.network.n_static);
                Flow { value, shape, form: Form::Row }
            }
            Layer::Activation(activation) => {
                let value = self.activation(*activation, &flow.value);
                Flow { value, ..flow }
            }
        }
    }

    /// The next weights, row by row.
    fn next_weights(&mut self) -> &[f32] {
        let range = self.network.weights()[self.weights].range.clone();
        self.weights += 1;
        &self.network.params[range]
    }

    /// The next weights as a constant of these dimensions.
    fn next_constant(&mut self, dims: &[usize]) -> Value {
        let values = self.next_weights().to_vec();
        self.graph.constant(dims, Data::Floats(&values))
    }

    fn dense(&mut self, flow: Flow, n_out: usize, has_bias: bool) -> Flow {
        let flow = self.as_row(flow);
        let kernel = self.next_constant(&[flow.shape.channels, n_out]);
        let value = if has_bias {
            let bias = self.next_constant(&[n_out]);
            self.graph.node("Gemm", &[&flow.value, &kernel, &bias])
        } else {
            self.graph.node("MatMul", &[&flow.value, &kernel])
        };
        Flow { value, shape: Shape::flat(n_out), form: Form::Row }
    }

    fn conv(
        &mut self,
        flow: Flow,
        n_filters: usize,
        slide: Slide,
        padding: Padding,
        has_bias: bool,
    ) -> Flow {
        let flow = self.channels_first(flow);
        let [rows, columns] = slide.size;
        let n_channels = flow.shape.channels;
        let kernel = turned(self.next_weights(), rows * columns * n_channels, n_filters);
        // Of each filter (taps, channels); the operator wants (channels, taps).
        let taps = rows * columns;
        let kernel: Vec<f32> = kernel
            .chunks_exact(taps * n_channels)
            .flat_map(|one| turned(one, taps, n_channels))
            .collect();
        let kernel =
            self.graph.constant(&[n_filters, n_channels, rows, columns], Data::Floats(&kernel));
        let mut inputs = vec![flow.value, kernel];
        if has_bias {
            inputs.push(self.next_constant(&[n_filters]));
        }
        let (height, top, bottom) = slide.along(flow.shape.height, rows, padding);
        let (width, left, right) = slide.along(flow.shape.width, columns, padding);
        let ints = |ints: &[usize]| Attribute::Ints(ints.iter().map(|n| *n as i64).collect());
        let attributes = [
            ("kernel_shape", ints(&slide.size)),
            ("strides", ints(&Slide::both(flow.shape.height, slide.stride))),
            ("dilations", ints(&Slide::both(flow.shape.height, slide.dilation))),
            ("pads", ints(&[top, left, bottom, right])),
        ];
        let inputs: Vec<&Value> = inputs.iter().collect();
        let value = self.graph.node_with("Conv", &inputs, &attributes);
        let shape = Shape { height, width, channels: n_filters };
        Flow { value, shape, form: Form::ChannelsFirst }
    }

    fn pool(&mut self, flow: Flow, kind: PoolKind, size: usize) -> Flow {
        let flow = self.channels_first(flow);
        let rows = if flow.shape.height == 1 { 1 } else { size };
        let window = Attribute::Ints(vec![rows as i64, size as i64]);
        let op = match kind {
            PoolKind::Max => "MaxPool",
            PoolKind::Average => "AveragePool",
        };
        let attributes = [("kernel_shape", window.clone()), ("strides", window)];
        let value = self.graph.node_with(op, &[&flow.value], &attributes);
        let Shape { height, width, channels } = flow.shape;
        let shape = Shape { height: height / rows, width: width / size, channels };
        Flow { value, shape, form: Form::ChannelsFirst }
    }

    fn batch_norm(&mut self, flow: Flow) -> Flow {
        // A row of positions has its channels last, where the operator looks for them second.
        let flow = if flow.shape.is_flat() { flow } else { self.channels_first(flow) };
        let n = flow.shape.channels;
        let scale = self.next_constant(&[n]);
        let shift = self.next_constant(&[n]);
        let figures = &self.network.state[self.state..self.state + 2 * n];
        self.state += 2 * n;
        let mean = self.graph.constant(&[n], Data::Floats(&figures[..n]));
        let variance = self.graph.constant(&[n], Data::Floats(&figures[n..]));
        let inputs = [&flow.value, &scale, &shift, &mean, &variance];
        let epsilon = [("epsilon", Attribute::Float(EPSILON))];
        let value = self.graph.node_with("BatchNormalization", &inputs, &epsilon);
        Flow { value, ..flow }
    }

    fn layer_norm(&mut self, flow: Flow) -> Flow {
        let flow = if flow.shape.is_flat() { self.as_row(flow) } else { self.channels_last(flow) };
        let n = flow.shape.channels;
        let scale = self.next_constant(&[n]);
        let shift = self.next_constant(&[n]);
        let attributes = [("axis", Attribute::Int(-1)), ("epsilon", Attribute::Float(EPSILON))];
        let inputs = [&flow.value, &scale, &shift];
        let value = self.graph.node_with("LayerNormalization", &inputs, &attributes);
        Flow { value, ..flow }
    }

    /// Numbers are rounded to the nearest level, then replaced by its vector.
    fn embedding(&mut self, flow: Flow, levels: usize, width: usize) -> Flow {
        let flow = self.as_row(flow);
        let table = self.next_constant(&[levels, width]);
        let [half, none, last] = [0.5, 0.0, (levels - 1) as f32]
            .map(|v| self.graph.constant(&[1, 1], Data::Floats(&[v])));
        let raised = self.graph.node("Add", &[&flow.value, &half]);
        let whole = self.graph.node("Floor", &[&raised]);
        let whole = self.graph.node("Max", &[&whole, &none]);
        let whole = self.graph.node("Min", &[&whole, &last]);
        let to = [("to", Attribute::Int(Elem::Long as i64))];
        let level = self.graph.node_with("Cast", &[&whole], &to);
        let value = self.graph.node("Gather", &[&table, &level]);
        let shape = Shape { channels: width, ..flow.shape };
        let value = reshaped(self.graph, &value, &[shape.len()]);
        Flow { value, shape, form: Form::Row }
    }

    fn residual(&mut self, layers: &[Layer], flow: Flow) -> Flow {
        let end = self.layers(layers, flow.clone());
        let shortcut = if flow.shape.channels == end.shape.channels {
            flow
        } else {
            let slide = Slide { size: [1, 1], stride: 1, dilation: 1 };
            let conv = self.conv(flow, end.shape.channels, slide, Padding::Same, false);
            self.batch_norm(conv)
        };
        let (end, shortcut) = (self.channels_first(end), self.channels_first(shortcut));
        let value = self.graph.node("Add", &[&end.value, &shortcut.value]);
        Flow { value, ..end }
    }

    fn activation(&mut self, activation: Activation, x: &Value) -> Value {
        match activation {
            Activation::Relu => self.graph.node("Relu", &[x]),
            Activation::LeakyRelu { slope } => {
                let alpha = [("alpha", Attribute::Float(slope as f32))];
                self.graph.node_with("LeakyRelu", &[x], &alpha)
            }
            // The operator `Gelu` came with operator set 20; its definition stands here instead.
            Activation::Gelu => {
                let [root, one, half] = [std::f32::consts::SQRT_2, 1.0, 0.5]
                    .map(|v| self.graph.constant(&[1], Data::Floats(&[v])));
                let scaled = self.graph.node("Div", &[x, &root]);
                let erf = self.graph.node("Erf", &[&scaled]);
                let twice = self.graph.node("Add", &[&erf, &one]);
                let share = self.graph.node("Mul", &[&twice, &half]);
                self.graph.node("Mul", &[x, &share])
            }
            Activation::Tanh => self.graph.node("Tanh", &[x]),
            Activation::Sigmoid => self.graph.node("Sigmoid", &[x]),
        }
    }

    fn as_row(&mut self, flow: Flow) -> Flow {
        let flow = match flow.form {
            Form::Row => return flow,
            // With one position or one channel the order is the same.
            Form::ChannelsFirst if flow.shape.is_flat() || flow.shape.channels == 1 => flow,
            _ => self.channels_last(flow),
        };
        let value = reshaped(self.graph, &flow.value, &[flow.shape.len()]);
        Flow { value, form: Form::Row, ..flow }
    }

    fn channels_last(&mut self, flow: Flow) -> Flow {
        let Shape { height, width, channels } = flow.shape;
        let value = match flow.form {
            Form::ChannelsLast => return flow,
            Form::Row => reshaped(self.graph, &flow.value, &[height, width, channels]),
            Form::ChannelsFirst => self.transposed(&flow.value, [0, 2, 3, 1]),
        };
        Flow { value, form: Form::ChannelsLast, ..flow }
    }

    fn channels_first(&mut self, flow: Flow) -> Flow {
        let Shape { height, width, channels } = flow.shape;
        let value = match flow.form {
            Form::ChannelsFirst => return flow,
            Form::Row if channels == 1 || flow.shape.is_flat() => {
                reshaped(self.graph, &flow.value, &[channels, height, width])
            }
            Form::Row | Form::ChannelsLast => {
                let flow = self.channels_last(flow.clone());
                self.transposed(&flow.value, [0, 3, 1, 2])
            }
        };
        Flow { value, form: Form::ChannelsFirst, ..flow }
    }

    fn transposed(&mut self, value: &Value, order: [i64; 4]) -> Value {
        self.graph.node_with("Transpose", &[value], &[("perm", Attribute::Ints(order.to_vec()))])
    }
}

/// The same values with other dimensions behind the rows.
fn reshaped(graph: &mut Graph, value: &Value, dims: &[usize]) -> Value {
    // A 0 keeps the number of rows as it is.
    let dims: Vec<i64> = std::iter::once(0).chain(dims.iter().map(|n| *n as i64)).collect();
    let dims = graph.constant(&[dims.len()], Data::Longs(&dims));
    graph.node("Reshape", &[value, &dims])
}

/// The transpose of a matrix (rows, columns).
fn turned(values: &[f32], n_rows: usize, n_columns: usize) -> Vec<f32> {
    (0..n_columns * n_rows).map(|at| values[at % n_rows * n_columns + at / n_rows]).collect()
}

/// How a kernel moves.
#[derive(Clone, Copy, Debug)]
struct Slide {
    size: [usize; 2],
    stride: usize,
    dilation: usize,
}

impl Slide {
    /// Steps down and across; there is none down where there is one row alone.
    fn both(height: usize, step: usize) -> [usize; 2] {
        [if height == 1 { 1 } else { step }, step]
    }

    /// Outputs along one direction, and the zeros before and behind; of an odd number of zeros the
    /// one more stands behind.
    fn along(self, len: usize, size: usize, padding: Padding) -> (usize, usize, usize) {
        let span = (size - 1) * self.dilation + 1;
        match padding {
            Padding::Valid => ((len - span) / self.stride + 1, 0, 0),
            Padding::Same => {
                let n = len.div_ceil(self.stride);
                let zeros = ((n - 1) * self.stride + span).saturating_sub(len);
                (n, zeros / 2, zeros - zeros / 2)
            }
        }
    }
}
