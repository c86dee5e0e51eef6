//! A training put aside: everything that it needs to go on bit for bit where it was.

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::record::Epoch;
use crate::nn::{Memory, Plateau, Trainer};

/// A training after a whole number of epochs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Checkpoint {
    pub(super) params: Vec<f32>,
    pub(super) state: Vec<f32>,
    pub(super) memory: Memory<f32>,
    /// Weights and running figures of the best epoch so far.
    pub(super) best: (Vec<f32>, Vec<f32>),
    /// Which one that was; 0 for none.
    pub(super) best_epoch: usize,
    pub(super) best_loss: f64,
    pub(super) plateau: Plateau,
    /// The learning rate, which may have been found by trying.
    pub(super) rate: f64,
    pub(super) history: Vec<Epoch>,
}

impl Checkpoint {
    /// Whether it is of such a network and optimizer, whatever else the file may hold.
    pub(super) fn is_of(&self, trainer: &Trainer<f32>) -> bool {
        let (network, memory) = (trainer.network(), trainer.memory());
        let (n, n_state) = (network.params.len(), network.state.len());
        self.params.len() == n
            && self.best.0.len() == n
            && self.state.len() == n_state
            && self.best.1.len() == n_state
            && self.memory.first.len() == memory.first.len()
            && self.memory.second.len() == memory.second.len()
    }

    /// The bytes to be put aside.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, String> {
        let f32s = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
        let f64s = |values: &[f64]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
        let history: Vec<f64> = self.history.iter().flat_map(Epoch::numbers).collect();
        let scalars = [self.memory.step as f64, self.best_epoch as f64, self.best_loss, self.rate];
        let plateau = serde_json::to_vec(&self.plateau).map_err(|error| error.to_string())?;
        let all = [
            ("params", Dtype::F32, f32s(&self.params)),
            ("state", Dtype::F32, f32s(&self.state)),
            ("first", Dtype::F32, f32s(&self.memory.first)),
            ("second", Dtype::F32, f32s(&self.memory.second)),
            ("best_params", Dtype::F32, f32s(&self.best.0)),
            ("best_state", Dtype::F32, f32s(&self.best.1)),
            ("history", Dtype::F64, f64s(&history)),
            ("scalars", Dtype::F64, f64s(&scalars)),
            ("plateau", Dtype::U8, plateau),
        ];
        let mut views = Vec::new();
        for (name, dtype, bytes) in &all {
            let shape = vec![bytes.len() * 8 / dtype.bitsize()];
            let view = TensorView::new(*dtype, shape, bytes).map_err(|error| error.to_string())?;
            views.push((*name, view));
        }
        safetensors::serialize(views, None).map_err(|error| error.to_string())
    }

    /// What was put aside; nothing when the bytes are of something else.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let tensors = SafeTensors::deserialize(bytes).ok()?;
        let data = |name: &str, dtype: Dtype| {
            let view = tensors.tensor(name).ok()?;
            (view.dtype() == dtype).then(|| view.data())
        };
        let f32s = |name: &str| -> Option<Vec<f32>> {
            let (chunks, _) = data(name, Dtype::F32)?.as_chunks();
            Some(chunks.iter().map(|c| f32::from_le_bytes(*c)).collect())
        };
        let f64s = |name: &str| -> Option<Vec<f64>> {
            let (chunks, _) = data(name, Dtype::F64)?.as_chunks();
            Some(chunks.iter().map(|c| f64::from_le_bytes(*c)).collect())
        };
        let [step, best_epoch, best_loss, rate] = f64s("scalars")?.try_into().ok()?;
        let history = f64s("history")?;
        let (epochs, _) = history.as_chunks::<{ Epoch::N }>();
        Some(Self {
            params: f32s("params")?,
            state: f32s("state")?,
            memory: Memory { first: f32s("first")?, second: f32s("second")?, step: step as u64 },
            best: (f32s("best_params")?, f32s("best_state")?),
            best_epoch: best_epoch as usize,
            best_loss,
            plateau: serde_json::from_slice(data("plateau", Dtype::U8)?).ok()?,
            rate,
            history: epochs.iter().map(|numbers| Epoch::of(*numbers)).collect(),
        })
    }
}
