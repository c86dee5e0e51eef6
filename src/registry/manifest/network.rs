//! The stored form of a network: its words in the manifest, its weights beside it.

use serde::{Deserialize, Serialize};

use super::number::Exact;
use crate::models::network::FittedNetwork;
use crate::nn::spec::{NetworkSpec, Shape};
use crate::nn::{Loss, Network};
use crate::registry::tensors::{Columns, Reader};
use crate::rng::Seed;

/// What the manifest says of a network; each of its weights is a tensor of its own.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredNetwork {
    /// The one-line form.
    network: String,
    height: usize,
    width: usize,
    channels: usize,
    n_static: usize,
    n_out: usize,
    loss: String,
    delta: Exact,
    offset: Exact,
    scale: Exact,
}

/// More values than this in a network are those of a damaged file.
const MOST_PARAMS: usize = 1 << 28;

/// A network tells no more classes apart than this.
const MOST_OUTPUTS: usize = 1_000_000;

/// Puts the weights of a network into columns and returns the rest.
pub(super) fn store(fitted: &FittedNetwork, weights: &mut Columns) -> StoredNetwork {
    let network = fitted.network();
    for own in network.weights() {
        weights.put_f32(own.name.clone(), own.shape.clone(), &network.params[own.range.clone()]);
    }
    weights.put_f32("running means and variances", vec![network.state.len()], &network.state);
    let (loss, delta) = match fitted.loss {
        Loss::Squared => ("mse", 0.0),
        Loss::Huber { delta } => ("huber", delta),
        Loss::BinaryCrossEntropy => ("binary_cross_entropy", 0.0),
        Loss::SoftmaxCrossEntropy => ("softmax_cross_entropy", 0.0),
    };
    StoredNetwork {
        network: network.spec.to_string(),
        height: network.input.height,
        width: network.input.width,
        channels: network.input.channels,
        n_static: network.n_static,
        n_out: network.n_out,
        loss: loss.into(),
        delta: Exact(delta),
        offset: Exact(fitted.offset),
        scale: Exact(fitted.scale),
    }
}

impl StoredNetwork {
    /// The network, with its weights from the columns.
    pub(super) fn into_network(self, weights: &Reader<'_>) -> Result<FittedNetwork, String> {
        let spec: NetworkSpec =
            self.network.parse().map_err(|mistake| format!("its network: {mistake}"))?;
        let Self { height, width, channels, n_static, n_out, .. } = self;
        let size = [width, channels].iter().try_fold(height, |all, n| all.checked_mul(*n));
        let others = n_static > MOST_PARAMS || !(1..=MOST_OUTPUTS).contains(&n_out);
        if others || size.is_none_or(|size| size == 0 || size > MOST_PARAMS) {
            return Err("its network looks at nothing, or at too much".into());
        }
        let input = Shape { height, width, channels };
        let traced = spec.trace(input, n_static, n_out).map_err(|m| format!("its network: {m}"))?;
        let n_params = traced.iter().fold(0_usize, |n, line| n.saturating_add(line.n_params));
        let n_values = traced.iter().fold(0_usize, |n, line| n.saturating_add(line.output.len()));
        if n_params > MOST_PARAMS || n_values > MOST_PARAMS {
            return Err("its network has too many weights".into());
        }
        let mut network = Network::new(&spec, input, n_static, n_out, Seed::default())
            .map_err(|mistake| format!("its network: {mistake}"))?;
        let own: Vec<_> = network.weights().to_vec();
        for own in own {
            let values = weights.f32(&own.name)?;
            if values.len() != own.range.len() {
                return Err(format!("the weights `{}` are of another network", own.name));
            }
            network.params[own.range].copy_from_slice(&values);
        }
        let state = weights.f32("running means and variances")?;
        if state.len() != network.state.len() {
            return Err("its running means are of another network".into());
        }
        network.state = state;
        let loss = match self.loss.as_str() {
            "mse" => Loss::Squared,
            "huber" => Loss::Huber { delta: self.delta.0 },
            "binary_cross_entropy" => Loss::BinaryCrossEntropy,
            "softmax_cross_entropy" => Loss::SoftmaxCrossEntropy,
            other => return Err(format!("the loss `{other}` is not known")),
        };
        if (loss == Loss::SoftmaxCrossEntropy) != (n_out > 1) {
            return Err("its outputs do not belong to its loss".into());
        }
        Ok(FittedNetwork::new(network, loss, self.offset.0, self.scale.0))
    }
}
