//! The history of a training, and how its layers are.

use crate::jobs::Sheet;
use crate::nn::{Network, Trainer, Weights};

/// One epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Epoch {
    /// Counted from 1.
    pub(super) number: usize,
    pub(super) loss: f64,
    pub(super) metric: Option<f64>,
    pub(super) valid_loss: Option<f64>,
    pub(super) valid_metric: Option<f64>,
    pub(super) rate: f64,
    pub(super) grad_norm: f64,
    /// Seconds of training up to its end.
    pub(super) seconds: f64,
}

impl Epoch {
    /// Numbers of an epoch, for a checkpoint.
    pub(super) const N: usize = 8;

    pub(super) fn numbers(&self) -> [f64; Self::N] {
        let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
        [
            self.number as f64,
            self.loss,
            or_nan(self.metric),
            or_nan(self.valid_loss),
            or_nan(self.valid_metric),
            self.rate,
            self.grad_norm,
            self.seconds,
        ]
    }

    pub(super) fn of(numbers: [f64; Self::N]) -> Self {
        let [number, loss, metric, valid_loss, valid_metric, rate, grad_norm, seconds] = numbers;
        let known = |value: f64| (!value.is_nan()).then_some(value);
        Self {
            number: number as usize,
            loss,
            metric: known(metric),
            valid_loss: known(valid_loss),
            valid_metric: known(valid_metric),
            rate,
            grad_norm,
            seconds,
        }
    }

    /// What a job tells of it.
    pub(super) fn measured(&self, epochs: usize, per_second: f64) -> Vec<(&'static str, f64)> {
        let mut measured = vec![
            ("loss", self.loss),
            ("learning_rate", self.rate),
            ("grad_norm", self.grad_norm),
            ("seconds", self.seconds),
            ("rows_per_second", per_second),
            ("epoch", self.number as f64),
            ("epochs", epochs as f64),
        ];
        let more = [
            ("metric", self.metric),
            ("valid_loss", self.valid_loss),
            ("valid_metric", self.valid_metric),
        ];
        measured.extend(more.into_iter().filter_map(|(name, value)| Some((name, value?))));
        measured
    }
}

/// How the layers are: size, mean and spread of their weights, length of their gradient, and the
/// gradient's length as a share of the weights'.
pub(super) fn sheet(trainer: &Trainer<f32>) -> Sheet {
    let network: &Network<f32> = trainer.network();
    let line = |weights: &Weights| {
        let own = &network.params[weights.range.clone()];
        let grads = &trainer.grads()[weights.range.clone()];
        let n = own.len() as f64;
        let mean = own.iter().map(|w| f64::from(*w)).sum::<f64>() / n;
        let squares = own.iter().map(|w| (f64::from(*w) - mean).powi(2)).sum::<f64>();
        let length = own.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>().sqrt();
        let grad = grads.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        let share = if length > 0.0 { grad / length } else { f64::NAN };
        let what = weights.name.split_once(' ').map_or("", |(_, what)| what);
        let name = format!("{} · {what}", network.layer_of(weights));
        (name, vec![n, mean, (squares / n).sqrt(), grad, share])
    };
    Sheet {
        headings: ["weights", "mean", "sd", "gradient", "gradient/weights"]
            .map(Into::into)
            .to_vec(),
        lines: network.weights().iter().map(line).collect(),
    }
}
