//! A trained network that scores.

use std::fmt;
use std::sync::OnceLock;

use ndarray::{Array2, ArrayView2};

use crate::jobs::Team;
use crate::nn::{Loss, Network, Ready};

/// A trained network with what leads from its outputs to predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedNetwork {
    network: Network<f32>,
    ready: Kept,
    /// What it was trained to make small, which also says what its outputs mean.
    pub loss: Loss,
    /// Of a numeric target the mean that was taken off before training.
    pub offset: f64,
    /// Of a numeric target the standard deviation that it was divided by.
    pub scale: f64,
}

/// What answers take besides the weights, made when it is first asked for. It follows from the
/// network, so that it makes no difference between two, and a copy makes its own.
#[derive(Default)]
struct Kept(OnceLock<Ready<f32>>);

impl Clone for Kept {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Kept {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

impl FittedNetwork {
    /// A network with its weights, what it was trained to make small, and the mean and the standard
    /// deviation of a numeric target (0 and 1 of any other).
    pub fn new(network: Network<f32>, loss: Loss, offset: f64, scale: f64) -> Self {
        Self { network, ready: Kept::default(), loss, offset, scale }
    }

    /// The network, whose weights stay as they are.
    pub fn network(&self) -> &Network<f32> {
        &self.network
    }

    /// Predictions for rows with these main inputs and static columns: (rows, outputs). A single
    /// output of two classes is the probability of the positive one.
    ///
    /// `seen` holds what the network looks at, channels-last; without it the matrix `x` is the
    /// main input. No row is changed in a bit by the batch it comes in.
    pub fn outputs(&self, x: ArrayView2<f64>, seen: &[f32]) -> Array2<f64> {
        let n_out = self.network.n_out;
        let matrix: Vec<f32> = x.iter().map(|value| *value as f32).collect();
        let (input, statics) = self.inputs(seen, &matrix);
        let n_rows = input.len() / self.network.input.len().max(1);
        let work = self.network.spec.layers.len() * input.len();
        let alone = Team::new(1);
        // A single row is shared by the team as far as its layers are large enough.
        let is_shared = if n_rows == 1 { self.network.is_large() } else { work > 1 << 16 };
        let team = if is_shared { Team::shared() } else { &alone };
        let ready = self.ready.0.get_or_init(|| self.network.ready());
        let mut outputs = self.network.outputs_of(ready, input, statics, team);
        for row in outputs.chunks_exact_mut(n_out) {
            self.loss.link(row);
        }
        let value = |output: &f32| f64::from(*output) * self.scale + self.offset;
        let values = outputs.iter().map(value).collect();
        Array2::from_shape_vec((n_rows, n_out), values).expect("as many outputs as rows")
    }

    /// Main inputs and static columns: the matrix stands for the former when nothing is seen.
    pub fn inputs<'a>(&self, seen: &'a [f32], matrix: &'a [f32]) -> (&'a [f32], &'a [f32]) {
        if self.network.n_static == 0 && seen.is_empty() { (matrix, &[]) } else { (seen, matrix) }
    }
}
