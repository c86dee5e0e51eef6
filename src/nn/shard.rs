//! A part of a batch on its way through the network and back.

use std::ops::Range;

use super::batch::Batch;
use super::layers::Dropout;
use super::layers::{
    Moments, Sums, Toom, add_back, add_forward, flatten_back, join_back, join_forward, mix,
};
use super::plan::{Op, Plan};
use super::product::Into;
use super::{Aligned, Loss, Real};
use crate::jobs::Team;

/// What all shards look at while they work.
#[derive(Clone, Copy)]
pub(super) struct View<'a, F> {
    pub(super) plan: &'a Plan,
    pub(super) params: &'a [F],
    /// Kernels as the way back needs them, by node.
    pub(super) flipped: &'a [Aligned<F>],
    /// Kernels at points by node, where that is faster: forward, and back.
    pub(super) toom: [&'a [Option<Toom<F>>]; 2],
    /// Figures of the batch norms, by node.
    pub(super) moments: &'a [Moments<F>],
    pub(super) mode: Mode,
    /// Whether nothing but the outputs is asked for, so that a batch norm may be done with the
    /// convolution before it.
    pub(super) joins_norms: bool,
    /// Who shares the work of a single row.
    pub(super) team: Option<&'a Team>,
}

/// What a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// To learn: batch norms use the batch, dropout leaves out by this chance.
    Learn { chance: u64 },
    /// To predict: batch norms use their running figures, dropout does nothing.
    Use,
}

/// Which gradients are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// None: the way back is not taken.
    Nothing,
    /// Those of the weights.
    Weights,
    /// Those of the weights and of both inputs.
    Inputs,
}

/// Rows, the values of every node for them, and what comes back.
pub(super) struct Shard<F> {
    pub(super) values: Vec<Batch<F>>,
    pub(super) slopes: Vec<Batch<F>>,
    pub(super) grads: Aligned<F>,
    pub(super) sums: Vec<Sums<F>>,
    memory: Vec<Vec<u32>>,
    scratch: Aligned<F>,
    wanted: Vec<bool>,
    pub(super) n_rows: usize,
    /// The place of the first row in the batch.
    pub(super) first: usize,
    /// Sum of the weighted losses, and of what [`Loss::fit`] says.
    pub(super) loss: f64,
    pub(super) fit: f64,
}

impl<F: Real> Shard<F> {
    /// Room for so many rows, and for the way back if anyone wants it.
    pub(super) fn new(plan: &Plan, capacity: usize, wants: Wants) -> Self {
        let batches = |capacity: usize| -> Vec<Batch<F>> {
            plan.nodes.iter().map(|node| Batch::new(node.geometry, capacity)).collect()
        };
        let memory = |node: &super::plan::Node| match &node.op {
            Op::Dropout(_) => vec![0; Dropout::memory(node.geometry.shape.len(), capacity)],
            _ => Vec::new(),
        };
        let scratch = plan.nodes.iter().map(|node| match &node.op {
            Op::Conv(conv) => {
                let [toom, toom_back] = Toom::<F>::scratch(conv);
                match toom {
                    // What is only asked for goes by the kernel at points, where there is one.
                    Some(toom) if wants == Wants::Nothing => toom,
                    _ => {
                        let toom = toom.unwrap_or(0).max(toom_back.unwrap_or(0));
                        conv.scratch(capacity).max(toom)
                    }
                }
            }
            Op::Dense(dense) => dense.scratch(),
            _ => 0,
        });
        let sums = |node: &super::plan::Node| match &node.op {
            Op::BatchNorm(norm) => Sums::new(norm.n_channels),
            _ => Sums::new(0),
        };
        let n_grads = if wants == Wants::Nothing { 0 } else { plan.n_params };
        Self {
            values: batches(capacity),
            slopes: if wants == Wants::Nothing { Vec::new() } else { batches(capacity) },
            grads: Aligned::zeros(n_grads),
            sums: plan.nodes.iter().map(sums).collect(),
            memory: plan.nodes.iter().map(memory).collect(),
            scratch: Aligned::zeros(scratch.max().unwrap_or(0)),
            wanted: wanted(plan, wants),
            n_rows: 0,
            first: 0,
            loss: 0.0,
            fit: 0.0,
        }
    }

    /// Values of these nodes, from those before them.
    pub(super) fn forward(&mut self, view: View<'_, F>, nodes: Range<usize>) {
        let n = self.n_rows;
        if n == 0 {
            return;
        }
        for idx in nodes {
            let node = &view.plan.nodes[idx];
            if view.joins_norms && view.plan.nodes[idx - 1].is_normed {
                continue;
            }
            let joined = idx + usize::from(view.joins_norms && node.is_normed);
            let (before, from) = self.values.split_at_mut(idx);
            let output = &mut from[joined - idx];
            let input = before.get(node.input);
            let other = node.other.and_then(|other| before.get(other));
            let (Some(input), other) = (input, other) else { continue };
            let mut applied = false;
            match &node.op {
                Op::Input | Op::Static => continue,
                Op::Dense(dense) => {
                    let with = (&mut self.scratch[..], view.team);
                    dense.forward(view.params, input, output, n, with);
                }
                Op::Conv(conv) => {
                    let of = &view.plan.nodes[joined];
                    let norm = match &of.op {
                        Op::BatchNorm(norm) => {
                            Some(norm.figures(view.params, &view.moments[joined]))
                        }
                        _ => None,
                    };
                    let (params, scratch) = (view.params, &mut self.scratch);
                    let finish = conv.finish(params, norm, of.activation);
                    if let Some(toom) = view.toom[0].get(idx).and_then(Option::as_ref) {
                        for row in 0..n {
                            let (from, to) = (input.row(row), output.row_mut(row));
                            toom.slide(from, to, &finish, Into::Replace, scratch, view.team);
                        }
                    } else {
                        let with = (&mut scratch[..], view.team);
                        conv.forward(params, finish, input, output, with, n);
                    }
                    applied = true;
                }
                Op::Pool(pool) => pool.forward(input, output, n),
                Op::BatchNorm(norm) => {
                    let (moments, activation) = (&view.moments[idx], node.activation);
                    norm.forward(view.params, moments, activation, input, output, n);
                    applied = true;
                }
                Op::LayerNorm(norm) => norm.forward(view.params, input, output, n),
                Op::Dropout(dropout) => match view.mode {
                    Mode::Learn { chance } => {
                        let chance = mix(chance ^ idx as u64);
                        let memory = &mut self.memory[idx];
                        dropout.forward(chance, self.first, input, output, memory, n);
                    }
                    Mode::Use => flatten_back(input, output, Into::Replace, n),
                },
                Op::Embed(embed) => embed.forward(view.params, input, output, n),
                Op::Activation | Op::Flatten => flatten_back(input, output, Into::Replace, n),
                Op::Add => {
                    if let Some(other) = other {
                        add_forward(input, other, output, n);
                    }
                }
                Op::Join => {
                    if let Some(other) = other {
                        join_forward(input, other, output, n);
                    }
                }
            }
            if let Some(activation) = node.activation.filter(|_| !applied) {
                (0..n).for_each(|row| activation.apply(output.row_mut(row)));
            }
        }
    }

    /// The losses of the rows with these targets, and their gradients at the last node. `scale` is
    /// one over the weight of the whole batch.
    pub(super) fn judge(
        &mut self,
        loss: Loss,
        y: impl Fn(usize) -> F,
        weight: impl Fn(usize) -> F,
        scale: f64,
    ) {
        (self.loss, self.fit) = (0.0, 0.0);
        let (Some(outputs), Some(slopes)) = (self.values.last(), self.slopes.last_mut()) else {
            return;
        };
        for row in 0..self.n_rows {
            let (y, weight) = (y(row), weight(row));
            let outputs = outputs.row(row);
            let of_row = loss.row(outputs, y, weight * F::of(scale), slopes.row_mut(row));
            self.loss += weight.f64() * of_row;
            self.fit += weight.f64() * loss.fit(outputs, y);
        }
    }

    /// The gradients of the batch norm at this node as far as this shard can tell alone.
    pub(super) fn gather_back(&mut self, view: View<'_, F>, idx: usize) {
        let node = &view.plan.nodes[idx];
        let Op::BatchNorm(norm) = &node.op else { return };
        if self.n_rows == 0 {
            self.sums[idx].n = 0;
            return;
        }
        let values = (&self.values[node.input], &self.values[idx]);
        let (slopes, sums) = (&mut self.slopes[idx], &mut self.sums[idx]);
        let moments = &view.moments[idx];
        let n = self.n_rows;
        norm.gather_back(view.params, moments, node.activation, values, slopes, sums, n);
    }

    /// Gradients of these nodes' weights and inputs, from that of their values, last node first.
    pub(super) fn backward(&mut self, view: View<'_, F>, nodes: Range<usize>) {
        if self.n_rows == 0 {
            // Nobody else writes here, and all shards are added up.
            self.clear_grads(view.plan, nodes);
            return;
        }
        for idx in nodes.rev() {
            self.node_back(view, idx);
        }
    }

    fn clear_grads(&mut self, plan: &Plan, nodes: Range<usize>) {
        for idx in nodes {
            for range in plan.ranges(idx) {
                self.grads[range].fill(F::ZERO);
            }
        }
    }

    fn node_back(&mut self, view: View<'_, F>, idx: usize) {
        let n = self.n_rows;
        let node = &view.plan.nodes[idx];
        if matches!(node.op, Op::Input | Op::Static) {
            return;
        }
        let into = |adds: bool| if adds { Into::Add } else { Into::Replace };
        let (before, from) = self.slopes.split_at_mut(idx);
        let d = &mut from[0];
        let input = &self.values[node.input];
        let mut d_input =
            self.wanted[node.input].then(|| (&mut before[node.input], into(node.adds)));
        let fused = !matches!(node.op, Op::BatchNorm(_) | Op::Activation);
        if let Some(activation) = node.activation.filter(|_| fused) {
            let made = &self.values[idx];
            (0..n).for_each(|row| activation.back_from_result(d.row_mut(row), made.row(row)));
        }
        match &node.op {
            Op::Input | Op::Static => {}
            Op::Dense(dense) => {
                dense.backward(&view.flipped[idx], input, d, &mut self.grads, d_input, n);
            }
            Op::Conv(conv) => {
                let toom = view.toom[1].get(idx).and_then(Option::as_ref);
                let turned = (&view.flipped[idx][..], toom);
                let (grads, scratch) = (&mut self.grads, &mut self.scratch);
                conv.backward(view.params, turned, input, d, grads, d_input, scratch, n);
            }
            Op::BatchNorm(norm) => {
                let moments = &view.moments[idx];
                if view.mode == Mode::Use {
                    let made = &self.values[idx];
                    if let Some(activation) = node.activation {
                        (0..n).for_each(|row| {
                            activation.back_from_result(d.row_mut(row), made.row(row));
                        });
                    }
                    if let Some((d_input, into)) = d_input {
                        norm.backward_recalled(view.params, moments, d, d_input, into, n);
                    }
                } else {
                    let (sums, grads) = (&self.sums[idx], &mut self.grads);
                    norm.backward(view.params, moments, sums, input, d, grads, d_input, n);
                }
            }
            Op::LayerNorm(norm) => {
                norm.backward(view.params, input, d, &mut self.grads, d_input, n);
            }
            Op::Embed(embed) => embed.backward(input, d, &mut self.grads, n),
            Op::Pool(_) | Op::Dropout(_) | Op::Activation | Op::Flatten => {
                if let Some((d_input, into)) = &mut d_input {
                    let (memory, made) = (&self.memory[idx], &self.values[idx]);
                    pass_back(view.mode, node, (d, input, made), memory, d_input, *into, n);
                }
            }
            Op::Add | Op::Join => {
                let start = match node.op {
                    Op::Join => input.geometry.shape.len(),
                    _ => 0,
                };
                if let Some((d_input, into)) = d_input {
                    if start == 0 {
                        add_back(d, d_input, into, n);
                    } else {
                        join_back(d, 0, d_input, into, n);
                    }
                }
                if let Some(other) = node.other.filter(|other| self.wanted[*other]) {
                    let (d_other, into) = (&mut before[other], into(node.adds_other));
                    if start == 0 {
                        add_back(d, d_other, into, n);
                    } else {
                        join_back(d, start, d_other, into, n);
                    }
                }
            }
        }
    }
}

/// Back through a node that has no weights.
fn pass_back<F: Real>(
    mode: Mode,
    node: &super::plan::Node,
    (d, input, made): (&mut Batch<F>, &Batch<F>, &Batch<F>),
    memory: &[u32],
    d_input: &mut Batch<F>,
    into: Into,
    n: usize,
) {
    match &node.op {
        Op::Pool(pool) => pool.backward(d, (input, made), d_input, into, n),
        Op::Dropout(dropout) if mode != Mode::Use => {
            dropout.backward(d, memory, d_input, into, n);
        }
        Op::Activation => {
            let Some(activation) = node.activation else { return };
            for row in 0..n {
                activation.back_from_input(d_input.row_mut(row), d.row(row), input.row(row), into);
            }
        }
        _ => flatten_back(d, d_input, into, n),
    }
}

/// Whether the gradient of each node is of use to anyone.
fn wanted(plan: &Plan, wants: Wants) -> Vec<bool> {
    let mut wanted: Vec<bool> = Vec::with_capacity(plan.nodes.len());
    for (idx, node) in plan.nodes.iter().enumerate() {
        let own = !plan.ranges(idx).is_empty();
        wanted.push(match node.op {
            Op::Input | Op::Static => wants == Wants::Inputs,
            _ => own || wanted[node.input] || node.other.is_some_and(|other| wanted[other]),
        });
    }
    wanted
}
