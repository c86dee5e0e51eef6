//! A network with its weights: made, asked for outputs, and for what moves them.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::layers::{Conv, Moments, Toom};
use super::plan::{Op, Plan, Weights};
use super::shard::{Mode, Shard, View, Wants};
use super::spec::{Mistake, NetworkSpec, Shape};
use super::{Aligned, Real, init};
use crate::jobs::Team;
use crate::rng::Seed;

/// A network with its weights.
///
/// ```
/// use karat::nn::{Network, spec::Shape};
/// use karat::rng::Seed;
///
/// let spec = "conv 4x3 relu | gap | dense out".parse()?;
/// let network = Network::<f32>::new(&spec, Shape::series(8, 1), 0, 2, Seed(1))?;
/// let outputs = network.outputs(&[0.5; 16], &[], &karat::jobs::Team::new(1));
/// assert_eq!(outputs.len(), 4);
/// assert_eq!(outputs[..2], outputs[2..]);
/// # Ok::<(), karat::nn::spec::Mistake>(())
/// ```
#[derive(Debug)]
pub struct Network<F = f32> {
    /// The network in words.
    pub spec: NetworkSpec,
    /// What it sees of a row.
    pub input: Shape,
    /// Static columns that join.
    pub n_static: usize,
    /// Values that it gives.
    pub n_out: usize,
    /// The weights, in the order of [`Network::weights`].
    pub params: Aligned<F>,
    /// Running means and variances of the batch norms.
    pub state: Vec<F>,
    pub(super) plan: Plan,
}

impl<F: Real> Clone for Network<F> {
    fn clone(&self) -> Self {
        Self {
            spec: self.spec.clone(),
            params: self.params.clone(),
            state: self.state.clone(),
            plan: self.plan.clone(),
            ..*self
        }
    }
}

/// Two networks are equal when they say the same in words and have the same weights.
impl<F: Real> PartialEq for Network<F> {
    fn eq(&self, other: &Self) -> bool {
        self.spec == other.spec
            && (self.input, self.n_static, self.n_out) == (other.input, other.n_static, other.n_out)
            && self.params == other.params
            && self.state == other.state
    }
}

/// What an answer takes besides the weights: what follows from them, and room for the rows under
/// way, which is kept from one answer to the next.
///
/// It is good for as long as the weights are the same.
pub struct Ready<F = f32> {
    moments: Vec<Moments<F>>,
    /// By node, where that is faster.
    toom: Vec<Option<Toom<F>>>,
    /// Kernels as the way back needs them, by node, once someone takes it.
    flipped: OnceLock<Vec<Aligned<F>>>,
    rooms: Mutex<Vec<Shard<F>>>,
}

/// So many rooms are kept at most.
const MOST_ROOMS: usize = 16;

/// Additions and multiplications of a row from which on a team shares it.
const WORTH: f64 = 4e6;

/// A network that is asked row by row.
pub struct Scorer<'a, F> {
    network: &'a Network<F>,
    ready: Ready<F>,
    shard: Shard<F>,
}

impl<F: Real> Scorer<'_, F> {
    /// The outputs of one row, before any link; a team shares the work of large layers. Alone
    /// nothing is allocated but what the matrix products pack.
    ///
    /// # Panics
    /// If main input or static columns are not as many as the network was made for.
    pub fn row(&mut self, x: &[F], statics: &[F], team: &Team) -> &[F] {
        self.network.ask(&self.ready, &mut self.shard, (x, statics), Some(team))
    }
}

/// What one output owes to each input value.
#[derive(Clone, Debug, PartialEq)]
pub struct InputGradient<F = f32> {
    /// The outputs, before any link.
    pub outputs: Vec<F>,
    /// The slope of the chosen output in each value of the main input.
    pub input: Vec<F>,
    /// The slope in each static column.
    pub statics: Vec<F>,
}

impl<F: Real> Ready<F> {
    /// Room for one row on its way through the network.
    fn room(&self, network: &Network<F>) -> Shard<F> {
        let kept = self.rooms.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(|| Shard::new(&network.plan, 1, Wants::Nothing))
    }

    /// Keeps it for the next one.
    fn keep(&self, room: Shard<F>) {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        if rooms.len() < MOST_ROOMS {
            rooms.push(room);
        }
    }
}

impl<F: Real> Network<F> {
    /// Lays out a network and draws its weights from the seed.
    ///
    /// # Errors
    ///
    /// When the layers do not fit together; see [`NetworkSpec::trace`].
    pub fn new(
        spec: &NetworkSpec,
        input: Shape,
        n_static: usize,
        n_out: usize,
        seed: Seed,
    ) -> Result<Self, Mistake> {
        let plan = Plan::new(spec, input, n_static, n_out)?;
        let params = Aligned::from(&init::draw(&plan, seed)[..]);
        let state = init::state(&plan);
        Ok(Self { spec: spec.clone(), input, n_static, n_out, params, state, plan })
    }

    /// Which weights there are, in their order.
    pub fn weights(&self) -> &[Weights] {
        &self.plan.weights
    }

    /// The layer that weights belong to, in words: `1 conv 128x8`.
    pub fn layer_of(&self, weights: &Weights) -> &str {
        &self.plan.nodes[weights.node].name
    }

    /// The outputs of each row, before any link: row after row, `n_out` each.
    ///
    /// `x` holds the main inputs row after row, each position by position with its channels side by
    /// side; `statics` the static columns. Each row goes through the network by itself, so that
    /// neither the batch it comes in nor the number of threads changes a bit of its outputs.
    ///
    /// # Panics
    /// If `x` and `statics` are not of as many rows.
    pub fn outputs(&self, x: &[F], statics: &[F], team: &Team) -> Vec<F> {
        self.outputs_of(&self.ready(), x, statics, team)
    }

    /// The same, by what was made ready before.
    pub fn outputs_of(&self, ready: &Ready<F>, x: &[F], statics: &[F], team: &Team) -> Vec<F> {
        let n_rows = self.n_rows(x, statics);
        if n_rows == 1 {
            let mut room = ready.room(self);
            let outputs = self.ask(ready, &mut room, (x, statics), Some(team)).to_vec();
            ready.keep(room);
            return outputs;
        }
        let mut outputs = vec![F::ZERO; n_rows * self.n_out];
        let per_thread = n_rows.div_ceil(team.len()).max(1);
        let mut parts: Vec<_> = outputs.chunks_mut(per_thread * self.n_out).collect();
        team.each(&mut parts, |part, outputs| {
            let mut room = ready.room(self);
            for (idx, out) in outputs.chunks_exact_mut(self.n_out).enumerate() {
                let row = part * per_thread + idx;
                let (n, n_static) = (self.input.len(), self.n_static);
                let (x, statics) = (&x[row * n..][..n], &statics[row * n_static..][..n_static]);
                out.copy_from_slice(self.ask(ready, &mut room, (x, statics), None));
            }
            ready.keep(room);
        });
        outputs
    }

    /// What answers take besides the weights, which is worth keeping while these stay the same.
    pub fn ready(&self) -> Ready<F> {
        let (moments, mut toom) = (self.recalled(), self.toom(Toom::forward_of));
        self.take_kernels(&mut toom);
        Ready { moments, toom, flipped: OnceLock::new(), rooms: Mutex::default() }
    }

    /// Room to ask this network row by row, which is worth keeping where rows come one at a time.
    pub fn scorer(&self) -> Scorer<'_, F> {
        let ready = self.ready();
        let shard = ready.room(self);
        Scorer { network: self, ready, shard }
    }

    /// Whether a single row is worth the time that a team takes to meet.
    pub fn is_large(&self) -> bool {
        self.plan.flops >= WORTH
    }

    /// The outputs of one row. A team shares the work of its large layers.
    fn ask<'a>(
        &self,
        ready: &Ready<F>,
        shard: &'a mut Shard<F>,
        (x, statics): (&[F], &[F]),
        team: Option<&Team>,
    ) -> &'a [F] {
        self.load(shard, x, statics, 0);
        let team = team.filter(|team| team.len() > 1 && self.is_large());
        let asked = self.view(&ready.moments, &[]);
        let view = View { toom: [&ready.toom, &[]], joins_norms: true, team, ..asked };
        let all = 1..self.plan.nodes.len();
        shard.forward(view, all);
        shard.values[self.plan.last()].row(0)
    }

    /// One row's outputs, and the slope of output `out` in each of its input values.
    pub fn input_gradient(
        &self,
        ready: &Ready<F>,
        x: &[F],
        statics: &[F],
        out: usize,
    ) -> InputGradient<F> {
        let flipped = ready.flipped.get_or_init(|| self.flipped());
        let view = View { toom: [&ready.toom, &[]], ..self.view(&ready.moments, flipped) };
        let mut shard = Shard::new(&self.plan, 1, Wants::Inputs);
        self.load(&mut shard, x, statics, 0);
        let all = 1..self.plan.nodes.len();
        shard.forward(view, all.clone());
        let last = self.plan.last();
        let slope = shard.slopes[last].row_mut(0);
        slope.fill(F::ZERO);
        slope[out] = F::ONE;
        shard.backward(view, all);
        let statics = self.static_node().map_or(Vec::new(), |at| shard.slopes[at].row(0).to_vec());
        InputGradient {
            outputs: shard.values[last].row(0).to_vec(),
            input: shard.slopes[0].row(0).to_vec(),
            statics,
        }
    }

    /// The values that the last global pool reduces, for one row: their shape, and position by
    /// position the channels. `None` for a network without one.
    pub fn before_pool(&self, ready: &Ready<F>, x: &[F], statics: &[F]) -> Option<(Shape, Vec<F>)> {
        let pool = self.plan.nodes.iter().rposition(|node| {
            matches!(&node.op, Op::Pool(pool) if pool.output.is_flat() && !pool.input.is_flat())
        })?;
        let source = self.plan.nodes[pool].input;
        let mut shard = ready.room(self);
        self.load(&mut shard, x, statics, 0);
        let view = View { toom: [&ready.toom, &[]], ..self.view(&ready.moments, &[]) };
        shard.forward(view, 1..pool);
        let values = &shard.values[source];
        let found = (values.geometry.shape, values.row(0).to_vec());
        ready.keep(shard);
        Some(found)
    }

    /// The kernel (inputs, outputs) and bias of the last layer, if it is dense and stands behind a
    /// global average pool with nothing but static columns and dropout in between: what a class
    /// activation map is made of. The inputs are the channels, then the static columns that join.
    pub fn head(&self) -> Option<(&[F], Option<&[F]>)> {
        let node = self.plan.nodes.last()?;
        let Op::Dense(dense) = &node.op else { return None };
        let mut before = &self.plan.nodes[node.input];
        while matches!(before.op, Op::Join | Op::Dropout(_)) {
            before = &self.plan.nodes[before.input];
        }
        let is_mean = matches!(
            &before.op,
            Op::Pool(pool) if pool.output.is_flat()
                && pool.kind == super::spec::PoolKind::Average
        );
        let of = |range: &std::ops::Range<usize>| &self.params[range.clone()];
        is_mean.then(|| (of(&dense.kernel), dense.bias.as_ref().map(of)))
    }

    fn n_rows(&self, x: &[F], statics: &[F]) -> usize {
        let n_rows = x.len() / self.input.len();
        assert_eq!(x.len(), n_rows * self.input.len(), "whole rows");
        assert_eq!(statics.len(), n_rows * self.n_static, "static columns of as many rows");
        n_rows
    }

    fn load(&self, shard: &mut Shard<F>, x: &[F], statics: &[F], row: usize) {
        shard.n_rows = 1;
        let n = self.input.len();
        shard.values[0].row_mut(0).copy_from_slice(&x[row * n..(row + 1) * n]);
        if let Some(at) = self.static_node() {
            let n = self.n_static;
            shard.values[at].row_mut(0).copy_from_slice(&statics[row * n..(row + 1) * n]);
        }
    }

    pub(super) fn static_node(&self) -> Option<usize> {
        self.plan.nodes.iter().position(|node| matches!(node.op, Op::Static))
    }

    /// Figures of the batch norms as they were learned.
    pub(super) fn recalled(&self) -> Vec<Moments<F>> {
        let mut all = self.moments();
        for (node, moments) in self.plan.nodes.iter().zip(&mut all) {
            if let Op::BatchNorm(norm) = &node.op {
                norm.recall(moments, &self.state);
            }
        }
        all
    }

    /// Room for the figures of the batch norms, by node.
    pub(super) fn moments(&self) -> Vec<Moments<F>> {
        let n = |node: &super::plan::Node| match &node.op {
            Op::BatchNorm(norm) => norm.n_channels,
            _ => 0,
        };
        self.plan.nodes.iter().map(|node| Moments::new(n(node))).collect()
    }

    /// The kernels as the way back needs them, by node.
    pub(super) fn flipped(&self) -> Vec<Aligned<F>> {
        let len = |node: &super::plan::Node| match &node.op {
            Op::Conv(conv) => conv.flipped_len(),
            Op::Dense(dense) => dense.kernel.len(),
            _ => 0,
        };
        let zeros = |node| Aligned::zeros(len(node));
        let mut all: Vec<_> = self.plan.nodes.iter().map(zeros).collect();
        self.flip(&mut all);
        all
    }

    /// Room for the kernels at points by node, where that is faster, without the kernels.
    pub(super) fn toom(&self, of: fn(&Conv) -> Option<Toom<F>>) -> Vec<Option<Toom<F>>> {
        let of = |node: &super::plan::Node| match &node.op {
            Op::Conv(conv) => of(conv),
            _ => None,
        };
        self.plan.nodes.iter().map(of).collect()
    }

    /// Brings kernels at points up to date.
    pub(super) fn take_kernels(&self, tooms: &mut [Option<Toom<F>>]) {
        for (node, toom) in self.plan.nodes.iter().zip(tooms) {
            if let (Op::Conv(conv), Some(toom)) = (&node.op, toom) {
                toom.take(&self.params[conv.kernel.clone()]);
            }
        }
    }

    /// Brings flipped kernels up to date.
    pub(super) fn flip(&self, flipped: &mut [Aligned<F>]) {
        for (node, flipped) in self.plan.nodes.iter().zip(flipped) {
            match &node.op {
                Op::Conv(conv) => conv.flip(&self.params, flipped),
                Op::Dense(dense) => dense.flip(&self.params, flipped),
                _ => {}
            }
        }
    }

    fn view<'a>(&'a self, moments: &'a [Moments<F>], flipped: &'a [Aligned<F>]) -> View<'a, F> {
        let (plan, params) = (&self.plan, &*self.params);
        let (mode, joins_norms, team) = (Mode::Use, false, None);
        View { plan, params, flipped, toom: [&[]; 2], moments, mode, joins_norms, team }
    }
}
