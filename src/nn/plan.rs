//! From words to a plan: which values there are, who makes each of them from which, and where the
//! weights stand.

use std::ops::Range;

use super::batch::Geometry;
use super::layers::{Activation, BatchNorm, Conv, Dense, Dropout, Embed, LayerNorm, Pool};
use super::spec::{self, Layer, Mistake, NetworkSpec, Padding, PoolKind, Shape, Units};

/// What makes the values of a node.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// The main input.
    Input,
    /// The static columns.
    Static,
    Dense(Dense),
    Conv(Conv),
    Pool(Pool),
    BatchNorm(BatchNorm),
    LayerNorm(LayerNorm),
    Dropout(Dropout),
    Embed(Embed),
    /// An activation that needs its input again to go back.
    Activation,
    /// The sum of two nodes.
    Add,
    /// One node beside the other.
    Join,
    /// The same values as a plain row.
    Flatten,
}

/// Values of the network, and how they come about.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// In words, for a person.
    pub(super) name: String,
    pub(super) op: Op,
    /// The node it is made from.
    pub(super) input: usize,
    /// The other one, of a sum or a join.
    pub(super) other: Option<usize>,
    /// Applied to every value afterwards.
    pub(super) activation: Option<Activation>,
    pub(super) geometry: Geometry,
    /// Whether the gradient of its input is added to what a later layer has left there.
    pub(super) adds: bool,
    /// The same of the other input.
    pub(super) adds_other: bool,
    /// Whether nobody but the batch norm behind it reads the values of this convolution.
    pub(super) is_normed: bool,
}

/// Some of the weights: those of one layer that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// The node they belong to, and which they are: `1 kernel`.
    pub name: String,
    /// Dimensions, the last one running fastest.
    pub shape: Vec<usize>,
    /// Where they stand among all weights.
    pub range: Range<usize>,
    /// The node they belong to.
    pub(super) node: usize,
    /// How they begin.
    pub(super) start: Start,
    /// Whether weight decay pulls at them: it spares biases, embeddings and the scales of norms.
    pub decays: bool,
}

/// How weights begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Start {
    /// Normal with variance `2 / fan_in`, for ReLU and its kin (He et al., 2015).
    He {
        fan_in: usize,
    },
    /// Uniform with variance `2 / (fan_in + fan_out)` (Glorot and Bengio, 2010).
    Xavier {
        fan_in: usize,
        fan_out: usize,
    },
    /// Normal with variance 1, for embeddings.
    Normal,
    Zero,
    One,
}

/// A network laid out: nodes in the order in which they are computed, weights in theirs.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) nodes: Vec<Node>,
    pub(super) weights: Vec<Weights>,
    pub(super) n_params: usize,
    /// Running means and variances of batch norms.
    pub(super) n_state: usize,
    /// Arithmetic of one row, forward.
    pub(super) flops: f64,
}

impl Plan {
    /// Lays out a network for such an input, so many static columns and outputs.
    pub(super) fn new(
        spec: &NetworkSpec,
        input: Shape,
        n_static: usize,
        n_out: usize,
    ) -> Result<Self, Mistake> {
        let traced = spec.trace(input, n_static, n_out)?;
        let flops = traced.iter().map(|line| line.flops).sum();
        let nodes = Vec::new();
        let plan = Self { nodes, weights: Vec::new(), n_params: 0, n_state: 0, flops };
        let mut builder = Builder { plan, n_static, n_out };
        let first = builder.node("input", Op::Input, 0, input);
        builder.layers(&spec.layers, first);
        let mut plan = builder.plan;
        plan.arrange();
        Ok(plan)
    }

    /// The node whose values are the outputs.
    pub(super) fn last(&self) -> usize {
        self.nodes.len() - 1
    }

    /// The batch norms, in their order.
    pub(super) fn batch_norms(&self) -> impl Iterator<Item = &BatchNorm> {
        self.nodes.iter().filter_map(|node| match &node.op {
            Op::BatchNorm(norm) => Some(norm),
            _ => None,
        })
    }

    /// Where the weights of a node stand.
    pub(super) fn ranges(&self, idx: usize) -> Vec<Range<usize>> {
        match &self.nodes[idx].op {
            Op::Dense(dense) => {
                [Some(dense.kernel.clone()), dense.bias.clone()].into_iter().flatten().collect()
            }
            Op::Conv(conv) => {
                [Some(conv.kernel.clone()), conv.bias.clone()].into_iter().flatten().collect()
            }
            Op::BatchNorm(norm) => vec![norm.scale.clone(), norm.shift.clone()],
            Op::LayerNorm(norm) => vec![norm.scale.clone(), norm.shift.clone()],
            Op::Embed(embed) => vec![embed.table.clone()],
            _ => Vec::new(),
        }
    }

    /// Taps and input of a convolution that slides.
    fn slides(&self, idx: usize) -> Option<(usize, usize)> {
        match &self.nodes[idx].op {
            Op::Conv(conv) if conv.slides() => Some((conv.taps(), self.nodes[idx].input)),
            _ => None,
        }
    }

    /// Gives every node its gap, and says whose gradients are sums.
    fn arrange(&mut self) {
        // From the back: what a node's readers need is known when its turn comes.
        for idx in (0..self.nodes.len()).rev() {
            let Some((taps, input)) = self.slides(idx) else { continue };
            // Its output lies as its input does: one product makes all rows at once.
            let geometry = &mut self.nodes[idx].geometry;
            geometry.gap = geometry.gap.max(taps - 1);
            let pitch = geometry.gap + geometry.shape.positions();
            let source = &mut self.nodes[input].geometry;
            let needed = pitch.saturating_sub(source.shape.positions());
            source.gap = source.gap.max(needed).max(taps - 1);
        }
        // Pitches must agree where a convolution slides; the input may have been widened since.
        for idx in 0..self.nodes.len() {
            let Some((_, input)) = self.slides(idx) else { continue };
            let source = self.nodes[input].geometry;
            let pitch = source.shape.positions() + source.gap;
            let geometry = &mut self.nodes[idx].geometry;
            geometry.gap = pitch - geometry.shape.positions();
        }
        let mut seen = vec![false; self.nodes.len()];
        for idx in (1..self.nodes.len()).rev() {
            let (input, other) = (self.nodes[idx].input, self.nodes[idx].other);
            if matches!(self.nodes[idx].op, Op::Static) {
                continue;
            }
            self.nodes[idx].adds = std::mem::replace(&mut seen[input], true);
            if let Some(other) = other {
                self.nodes[idx].adds_other = std::mem::replace(&mut seen[other], true);
            }
        }
        for idx in 1..self.last() {
            let is_read = |node: &Node| node.input == idx || node.other == Some(idx);
            let n_readers = self.nodes.iter().filter(|node| is_read(node)).count();
            let (own, next) = (&self.nodes[idx], &self.nodes[idx + 1]);
            self.nodes[idx].is_normed = matches!(own.op, Op::Conv(_))
                && own.activation.is_none()
                && matches!(next.op, Op::BatchNorm(_))
                && next.input == idx
                && n_readers == 1;
        }
    }
}

struct Builder {
    plan: Plan,
    n_static: usize,
    n_out: usize,
}

impl Builder {
    fn node(&mut self, name: &str, op: Op, input: usize, shape: Shape) -> usize {
        let idx = self.plan.nodes.len();
        let name = if idx == 0 { name.to_owned() } else { format!("{idx} {name}") };
        self.plan.nodes.push(Node {
            name,
            op,
            input,
            other: None,
            activation: None,
            geometry: Geometry { shape, gap: 0 },
            adds: false,
            adds_other: false,
            is_normed: false,
        });
        idx
    }

    fn weights(&mut self, what: &str, shape: &[usize], start: Start) -> Range<usize> {
        let len: usize = shape.iter().product();
        let range = self.plan.n_params..self.plan.n_params + len;
        self.plan.n_params += len;
        let decays = matches!(start, Start::He { .. } | Start::Xavier { .. });
        let node = self.plan.nodes.len();
        let name = format!("{node} {what}");
        let shape = shape.to_vec();
        self.plan.weights.push(Weights { name, shape, range: range.clone(), node, start, decays });
        range
    }

    fn shape(&self, node: usize) -> Shape {
        self.plan.nodes[node].geometry.shape
    }

    fn layers(&mut self, layers: &[Layer], from: usize) -> usize {
        let mut at = from;
        for (idx, layer) in layers.iter().enumerate() {
            at = self.layer(layer, &layers[idx + 1..], at, from);
        }
        at
    }

    fn layer(&mut self, layer: &Layer, rest: &[Layer], at: usize, block: usize) -> usize {
        let shape = self.shape(at);
        let name = layer.to_string();
        let has_bias = rest.first() != Some(&Layer::BatchNorm);
        match layer {
            Layer::Dense { units } => {
                let n_out = match units {
                    Units::Count(units) => *units,
                    Units::Out => self.n_out,
                };
                let start = start(rest, shape.channels, n_out);
                let kernel = self.weights("kernel", &[shape.channels, n_out], start);
                let bias = has_bias.then(|| self.weights("bias", &[n_out], Start::Zero));
                let dense = Dense { n_in: shape.channels, n_out, kernel, bias };
                self.node(&name, Op::Dense(dense), at, Shape::flat(n_out))
            }
            Layer::Conv1d { filters, kernel, stride, dilation, padding } => {
                let kernel = [1, *kernel];
                self.conv(&name, rest, at, has_bias, *filters, kernel, *stride, *dilation, *padding)
            }
            Layer::Conv2d { filters, kernel, stride, dilation, padding } => self
                .conv(&name, rest, at, has_bias, *filters, *kernel, *stride, *dilation, *padding),
            Layer::Pool { kind, size } => {
                let pool = Pool::new(*kind, *size, shape);
                let output = pool.output;
                self.node(&name, Op::Pool(pool), at, output)
            }
            Layer::GlobalPool { kind } => {
                let pool = Pool::global(*kind, shape);
                let output = pool.output;
                self.node(&name, Op::Pool(pool), at, output)
            }
            Layer::BatchNorm => self.batch_norm(&name, at),
            Layer::LayerNorm => {
                let scale = self.weights("scale", &[shape.channels], Start::One);
                let shift = self.weights("shift", &[shape.channels], Start::Zero);
                let norm = LayerNorm { n_channels: shape.channels, scale, shift };
                self.node(&name, Op::LayerNorm(norm), at, shape)
            }
            Layer::Dropout { rate } => {
                let dropout = Dropout { rate: *rate };
                self.node(&name, Op::Dropout(dropout), at, shape)
            }
            Layer::Embedding { levels, width } => {
                let table = self.weights("vectors", &[*levels, *width], Start::Normal);
                let embed = Embed { levels: *levels, width: *width, table };
                let shape = Shape { channels: *width, ..shape };
                self.node(&name, Op::Embed(embed), at, shape)
            }
            Layer::Residual { layers } => self.residual(layers, at),
            Layer::Flatten => self.node(&name, Op::Flatten, at, Shape::flat(shape.len())),
            Layer::Join => {
                let is_static = |node: &Node| matches!(node.op, Op::Static);
                let there = self.plan.nodes.iter().position(is_static);
                let flat = Shape::flat(self.n_static);
                let statics = there.unwrap_or_else(|| self.node("static", Op::Static, 0, flat));
                let joined = Shape::flat(shape.channels + self.n_static);
                let join = self.node(&name, Op::Join, at, joined);
                self.plan.nodes[join].other = Some(statics);
                join
            }
            Layer::Activation(activation) => self.activation(&name, *activation, at, block),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the words of one layer, passed on")]
    fn conv(
        &mut self,
        name: &str,
        rest: &[Layer],
        at: usize,
        has_bias: bool,
        filters: usize,
        kernel: [usize; 2],
        stride: usize,
        dilation: usize,
        padding: Padding,
    ) -> usize {
        let input = self.shape(at);
        let conv = Conv::new(input, filters, kernel, stride, dilation, padding);
        let taps = kernel[0] * kernel[1];
        let start = start(rest, taps * input.channels, taps * filters);
        let shape = [kernel[0], kernel[1], input.channels, filters];
        let shape = if input.height == 1 { &shape[1..] } else { &shape[..] };
        let kernel = self.weights("kernel", shape, start);
        let bias = has_bias.then(|| self.weights("bias", &[filters], Start::Zero));
        let output = conv.output();
        self.node(name, Op::Conv(Conv { kernel, bias, ..conv }), at, output)
    }

    fn batch_norm(&mut self, name: &str, at: usize) -> usize {
        let shape = self.shape(at);
        let scale = self.weights("scale", &[shape.channels], Start::One);
        let shift = self.weights("shift", &[shape.channels], Start::Zero);
        let state = self.plan.n_state;
        self.plan.n_state += 2 * shape.channels;
        let norm = BatchNorm { n_channels: shape.channels, scale, shift, state };
        self.node(name, Op::BatchNorm(norm), at, shape)
    }

    fn residual(&mut self, layers: &[Layer], at: usize) -> usize {
        let end = self.layers(layers, at);
        let shape = self.shape(end);
        let shortcut = if self.shape(at).channels == shape.channels {
            at
        } else {
            let conv = [Layer::BatchNorm];
            let name = format!("conv {}x1", shape.channels);
            let same = Padding::Same;
            let conv = self.conv(&name, &conv, at, false, shape.channels, [1, 1], 1, 1, same);
            self.batch_norm("bn", conv)
        };
        let add = self.node("add", Op::Add, end, shape);
        self.plan.nodes[add].other = Some(shortcut);
        add
    }

    /// An activation is applied where the values are made, if its slope can be told from its
    /// result and nobody else reads the values before it.
    fn activation(
        &mut self,
        name: &str,
        activation: spec::Activation,
        at: usize,
        block: usize,
    ) -> usize {
        let activation = Activation::of(activation);
        let node = &self.plan.nodes[at];
        let is_made_here = matches!(
            node.op,
            Op::Dense(_) | Op::Conv(_) | Op::BatchNorm(_) | Op::LayerNorm(_) | Op::Add
        );
        let fuses = is_made_here
            && at + 1 == self.plan.nodes.len()
            && at != block
            && node.activation.is_none()
            && activation.tells_slope_from_result();
        if fuses {
            let node = &mut self.plan.nodes[at];
            node.activation = Some(activation);
            node.name = format!("{} {name}", node.name);
            return at;
        }
        let shape = self.shape(at);
        let node = self.node(name, Op::Activation, at, shape);
        self.plan.nodes[node].activation = Some(activation);
        node
    }
}

/// How a kernel begins: it depends on what comes after it.
fn start(rest: &[Layer], fan_in: usize, fan_out: usize) -> Start {
    let passes = |layer: &&Layer| {
        !matches!(layer, Layer::BatchNorm | Layer::LayerNorm | Layer::Dropout { .. })
    };
    let next = rest.iter().find(passes);
    match next {
        Some(Layer::Activation(
            spec::Activation::Relu | spec::Activation::LeakyRelu { .. } | spec::Activation::Gelu,
        )) => Start::He { fan_in },
        _ => Start::Xavier { fan_in, fan_out },
    }
}

impl Pool {
    fn new(kind: PoolKind, size: usize, input: Shape) -> Self {
        let rows = if input.height == 1 { 1 } else { size };
        let output = Shape { height: input.height / rows, width: input.width / size, ..input };
        Self { kind, window: [rows, size], input, output }
    }

    fn global(kind: PoolKind, input: Shape) -> Self {
        let window = [input.height, input.width];
        Self { kind, window, input, output: Shape::flat(input.channels) }
    }
}
