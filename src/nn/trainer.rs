//! The training step: a batch forward, its gradient back, and the weights one step downhill.

use std::ops::Range;

use super::layers::{Moments, Toom, mix};
use super::optimiser::{Move, Pace, advance};
use super::plan::Op;
use super::shard::{Mode, Shard, View, Wants};
use super::{Aligned, Loss, Network, Real, Rule};
use crate::jobs::Team;

/// Parts that a batch is divided into: the same for any number of threads, so that sums are.
const MOST_SHARDS: usize = 4;

/// Arithmetic below which a part is not worth a thread.
const LEAST_WORK: f64 = 4e6;

/// Uses of each weight below which a part would cost more to add up than to compute.
const LEAST_REUSE: f64 = 16.0;

/// Parts that the weights are moved in.
const PARTS: usize = 4;

/// What a network is trained on: rows one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, F> {
    /// Main inputs, position by position with their channels side by side.
    pub x: &'a [F],
    /// Static columns.
    pub statics: &'a [F],
    /// The target: a number, 0 or 1, or the index of a class.
    pub y: &'a [F],
    /// How much each row counts; without it every row counts 1.
    pub weight: Option<&'a [F]>,
}

/// How a network is trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Training {
    /// What is to be made small.
    pub loss: Loss,
    /// How the weights follow the gradient.
    pub rule: Rule,
    /// Pull of the weights towards 0: half this times their squares is added to the loss, or, for
    /// [`Rule::AdamW`], they shrink by this share of the learning rate. Biases and norms are spared.
    pub weight_decay: f64,
    /// A longer gradient is shortened to this; 0 for never.
    pub clip: f64,
    /// Chance that belongs to this training, for dropout.
    pub chance: u64,
}

/// What one step came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Sum of the weighted losses, before the step.
    pub loss: f64,
    /// Sum of the weights of the rows that were right, or of the weighted squared errors.
    pub fit: f64,
    /// Sum of the weights.
    pub weight: f64,
    /// Length of the gradient, before it was clipped.
    pub grad_norm: f64,
}

/// What a training must remember to go on exactly where it was, beside the network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory<F = f32> {
    /// First running figure of each weight.
    pub first: Vec<F>,
    /// Second running figure of each weight.
    pub second: Vec<F>,
    /// Steps taken.
    pub step: u64,
}

/// A network in training, with all the room that a step takes.
pub struct Trainer<F = f32> {
    pub(super) network: Network<F>,
    training: Training,
    memory: Memory<F>,
    pub(super) shards: Vec<Shard<F>>,
    capacity: usize,
    flipped: Vec<Aligned<F>>,
    /// Kernels at points, forward and back.
    pub(super) toom: [Vec<Option<Toom<F>>>; 2],
    moments: Vec<Moments<F>>,
    grads: Vec<F>,
    decays: Vec<F>,
    norms: Vec<usize>,
    static_node: Option<usize>,
}

impl<F: Real> Trainer<F> {
    /// Makes room to train a network on batches of up to `batch_size` rows.
    pub fn new(network: Network<F>, training: Training, batch_size: usize) -> Self {
        let batch_size = batch_size.max(1);
        let plan = &network.plan;
        let work = 3.0 * plan.flops * batch_size as f64;
        let reuse = plan.flops * batch_size as f64 / (2.0 * plan.n_params.max(1) as f64);
        let n_shards = (work / LEAST_WORK).min(reuse / LEAST_REUSE) as usize;
        let n_shards = n_shards.clamp(1, MOST_SHARDS.min(batch_size));
        let capacity = batch_size.div_ceil(n_shards);
        let n_moments = training.rule.n_moments();
        let room = |wanted: bool| if wanted { vec![F::ZERO; plan.n_params] } else { Vec::new() };
        let mut decays = room(training.weight_decay > 0.0);
        for weights in plan.weights.iter().filter(|weights| weights.decays) {
            if !decays.is_empty() {
                decays[weights.range.clone()].fill(F::ONE);
            }
        }
        let norms = plan.nodes.iter().enumerate();
        let mut toom = [network.toom(Toom::forward_of), network.toom(Toom::back_of)];
        for toom in &mut toom {
            network.take_kernels(toom);
        }
        Self {
            memory: Memory { first: room(n_moments > 0), second: room(n_moments > 1), step: 0 },
            shards: (0..n_shards).map(|_| Shard::new(plan, capacity, Wants::Weights)).collect(),
            capacity,
            flipped: network.flipped(),
            toom,
            moments: network.moments(),
            grads: room(true),
            decays,
            norms: norms
                .filter(|(_, n)| matches!(n.op, Op::BatchNorm(_)))
                .map(|(i, _)| i)
                .collect(),
            static_node: network.static_node(),
            network,
            training,
        }
    }

    /// The network as it is at this moment.
    pub fn network(&self) -> &Network<F> {
        &self.network
    }

    /// The network, at the end.
    pub fn into_network(self) -> Network<F> {
        self.network
    }

    /// What has to be kept to go on later, beside the network.
    pub fn memory(&self) -> &Memory<F> {
        &self.memory
    }

    /// Goes on from what was kept.
    ///
    /// # Panics
    /// If it belongs to another network.
    pub fn resume(&mut self, params: &[F], state: &[F], memory: Memory<F>) {
        self.network.params.copy_from_slice(params);
        self.network.state.copy_from_slice(state);
        assert_eq!(memory.first.len(), self.memory.first.len(), "memory of another network");
        assert_eq!(memory.second.len(), self.memory.second.len(), "memory of another network");
        self.memory = memory;
        self.refresh();
    }

    /// The gradient of the latest step, before it was clipped.
    pub fn grads(&self) -> &[F] {
        &self.grads
    }

    /// One step on the rows `batch` of `rows` with this learning rate. Nothing is allocated but
    /// what the matrix products pack.
    ///
    /// # Panics
    /// If the batch is larger than the trainer was made for, or a row does not exist.
    pub fn step(&mut self, rows: Rows<'_, F>, batch: &[u32], rate: f64, team: &Team) -> Outcome {
        let outcome = self.gradient(rows, batch, team);
        self.memory.step += 1;
        let clip = self.training.clip;
        let too_long = clip > 0.0 && outcome.grad_norm > clip;
        let pace = Pace {
            rule: self.training.rule,
            rate,
            weight_decay: self.training.weight_decay,
            clip: if too_long { clip / outcome.grad_norm } else { 1.0 },
            step: self.memory.step,
        };
        let Memory { first, second, .. } = &mut self.memory;
        let (mut params, mut first, mut second) =
            (&mut *self.network.params, first.as_mut_slice(), second.as_mut_slice());
        let (mut grads, mut decays) = (self.grads.as_slice(), self.decays.as_slice());
        let size = params.len().div_ceil(PARTS).max(1);
        let mut parts: [Option<Move<'_, F>>; PARTS] = std::array::from_fn(|_| {
            Some(Move {
                params: take_mut(&mut params, size),
                first: take_mut(&mut first, size),
                second: take_mut(&mut second, size),
                grads: take(&mut grads, size),
                decays: take(&mut decays, size),
            })
        });
        team.each(&mut parts, |_, part| {
            if let Some(part) = part.take() {
                advance(&pace, part);
            }
        });
        self.refresh();
        outcome
    }

    /// Makes anew what follows from the weights.
    pub(super) fn refresh(&mut self) {
        self.network.flip(&mut self.flipped);
        for toom in &mut self.toom {
            self.network.take_kernels(toom);
        }
    }

    /// Loss and gradient of a batch, without a step.
    pub(super) fn gradient(&mut self, rows: Rows<'_, F>, batch: &[u32], team: &Team) -> Outcome {
        assert!(batch.len() <= self.capacity * self.shards.len(), "a batch of {}", batch.len());
        let weight = |row: u32| rows.weight.map_or(F::ONE, |weight| weight[row as usize]);
        let total: f64 = batch.iter().map(|row| weight(*row).f64()).sum();
        let scale = if total > 0.0 { 1.0 / total } else { 0.0 };
        let per_shard = batch.len().div_ceil(self.shards.len()).max(1);
        let (static_node, loss) = (self.static_node, self.training.loss);
        let n_static = self.network.n_static;
        let mode = Mode::Learn { chance: mix(self.training.chance ^ mix(self.memory.step)) };
        let last = self.network.plan.nodes.len();
        let part = |idx: usize| {
            &batch[(idx * per_shard).min(batch.len())..((idx + 1) * per_shard).min(batch.len())]
        };

        // Forward: shards meet at each batch norm, which looks at all rows of the batch.
        let mut from = 1;
        for at in 0..=self.norms.len() {
            let to = self.norms.get(at).copied().unwrap_or(last);
            let view = View {
                plan: &self.network.plan,
                params: &self.network.params,
                flipped: &self.flipped,
                toom: self.toom.each_ref().map(Vec::as_slice),
                moments: &self.moments,
                mode,
                joins_norms: false,
                team: None,
            };
            let first_back = self.norms.last().copied().unwrap_or(0);
            team.each(&mut self.shards, |idx, shard| {
                if at == 0 {
                    fill(shard, rows, part(idx), static_node, n_static);
                    shard.first = idx * per_shard;
                }
                shard.forward(view, from..to);
                if to < last {
                    if let Op::BatchNorm(norm) = &view.plan.nodes[to].op {
                        let input = &shard.values[view.plan.nodes[to].input];
                        shard.sums[to].n = 0;
                        if shard.n_rows > 0 {
                            norm.gather(input, &mut shard.sums[to], shard.n_rows);
                        }
                    }
                    return;
                }
                let part = part(idx);
                let y = |row: usize| rows.y[part[row] as usize];
                shard.judge(loss, y, |row| weight(part[row]), scale);
                shard.backward(view, first_back + 1..last);
                shard.gather_back(view, first_back);
            });
            if to < last {
                self.settle(to);
            }
            from = to;
        }
        // Back, from batch norm to batch norm.
        for at in (0..self.norms.len()).rev() {
            let here = self.norms[at];
            self.settle_back(here);
            let before = if at == 0 { 0 } else { self.norms[at - 1] };
            let view = View {
                plan: &self.network.plan,
                params: &self.network.params,
                flipped: &self.flipped,
                toom: self.toom.each_ref().map(Vec::as_slice),
                moments: &self.moments,
                mode,
                joins_norms: false,
                team: None,
            };
            team.each(&mut self.shards, |_, shard| {
                shard.backward(view, before + 1..here + 1);
                shard.gather_back(view, before);
            });
        }
        let sum = |f: fn(&Shard<F>) -> f64| {
            self.shards.iter().filter(|shard| shard.n_rows > 0).map(f).sum::<f64>()
        };
        Outcome {
            loss: sum(|shard| shard.loss),
            fit: sum(|shard| shard.fit),
            weight: total,
            grad_norm: self.add_up(team),
        }
    }

    fn settle(&mut self, node: usize) {
        if let Op::BatchNorm(norm) = &self.network.plan.nodes[node].op {
            let sums = self.shards.iter().map(|shard| &shard.sums[node]);
            norm.settle(&sums, &mut self.moments[node], &mut self.network.state);
        }
    }

    fn settle_back(&mut self, node: usize) {
        if let Op::BatchNorm(norm) = &self.network.plan.nodes[node].op {
            let sums = self.shards.iter().map(|shard| &shard.sums[node]);
            norm.settle_back(&sums, &mut self.moments[node]);
        }
    }

    /// Adds the gradients of all shards up, in their order, and returns the length of the sum.
    fn add_up(&mut self, team: &Team) -> f64 {
        let shards = &self.shards;
        let size = self.grads.len().div_ceil(PARTS).max(1);
        let mut grads = self.grads.as_mut_slice();
        let mut parts: [(&mut [F], f64); PARTS] =
            std::array::from_fn(|_| (take_mut(&mut grads, size), 0.0));
        team.each(&mut parts, |idx, (grads, squares)| {
            let start = (idx * size).min(shards[0].grads.len());
            let range = start..start + grads.len();
            grads.copy_from_slice(&shards[0].grads[range.clone()]);
            for shard in &shards[1..] {
                let pairs = grads.iter_mut().zip(&shard.grads[range.clone()]);
                pairs.for_each(|(sum, grad)| *sum += *grad);
            }
            *squares = squared_length(grads);
        });
        parts.iter().map(|(_, squares)| squares).sum::<f64>().sqrt()
    }
}

/// The sum of squares, in lanes so that it is both fast and exact enough.
fn squared_length<F: Real>(values: &[F]) -> f64 {
    let mut sum = 0.0;
    for block in values.chunks(256) {
        let mut lanes = [F::ZERO; 8];
        for part in block.chunks(lanes.len()) {
            lanes.iter_mut().zip(part).for_each(|(lane, value)| *lane += *value * *value);
        }
        sum += lanes.iter().map(|lane| lane.f64()).sum::<f64>();
    }
    sum
}

/// Copies the rows of a part of the batch to where the network looks.
fn fill<F: Real>(
    shard: &mut Shard<F>,
    rows: Rows<'_, F>,
    part: &[u32],
    static_node: Option<usize>,
    n_static: usize,
) {
    shard.n_rows = part.len();
    let n = shard.values[0].geometry.shape.len();
    for (idx, row) in part.iter().enumerate() {
        let row = *row as usize;
        shard.values[0].row_mut(idx).copy_from_slice(&rows.x[row * n..(row + 1) * n]);
        if let Some(node) = static_node {
            let from: Range<usize> = row * n_static..(row + 1) * n_static;
            shard.values[node].row_mut(idx).copy_from_slice(&rows.statics[from]);
        }
    }
}

/// The first `n` values, which are then no longer in the rest.
fn take<'a, F>(rest: &mut &'a [F], n: usize) -> &'a [F] {
    let (head, tail) = rest.split_at(n.min(rest.len()));
    *rest = tail;
    head
}

/// The first `n` values, which are then no longer in the rest.
#[expect(clippy::mut_mut, reason = "the rest is a slice that gets shorter")]
fn take_mut<'a, F>(rest: &mut &'a mut [F], n: usize) -> &'a mut [F] {
    let all = std::mem::take(rest);
    let (head, tail) = all.split_at_mut(n.min(all.len()));
    *rest = tail;
    head
}
