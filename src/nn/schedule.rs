//! How the learning rate changes while a network is trained.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// A course of the learning rate, as a share of the one that was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "course")]
pub enum Schedule {
    /// Always the same.
    #[default]
    Constant,
    /// Multiplied by `factor` after each third of the epochs.
    Step {
        /// From one third to the next.
        factor: f64,
    },
    /// Half a cosine down to nothing (Loshchilov and Hutter, 2017).
    Cosine,
    /// Multiplied by `factor` when the watched loss has not fallen for `patience` epochs.
    Plateau {
        /// What it is multiplied by.
        factor: f64,
        /// Epochs without progress that are borne.
        patience: usize,
    },
}

/// Shares below this are not taken by [`Schedule::Plateau`].
const LEAST: f64 = 1e-4;

impl Schedule {
    /// The share at a point of the training, from 0 to 1; `plateau` is the share that
    /// [`Plateau`] has come to, `warm_up` the part of the training over which the rate rises from
    /// nothing (Goyal et al., 2017).
    ///
    /// ```
    /// use karat::nn::Schedule;
    ///
    /// assert_eq!(Schedule::Cosine.share(0.5, 0.0, 1.0), 0.5);
    /// assert_eq!(Schedule::Constant.share(0.05, 0.1, 1.0), 0.5);
    /// ```
    pub fn share(self, done: f64, warm_up: f64, plateau: f64) -> f64 {
        let rise = if done < warm_up { done / warm_up } else { 1.0 };
        let after = ((done - warm_up) / (1.0 - warm_up).max(1e-9)).clamp(0.0, 1.0);
        let course = match self {
            Self::Constant => 1.0,
            Self::Step { factor } => factor.powi((3.0 * after).floor().min(2.0) as i32),
            Self::Cosine => 0.5 * (1.0 + (PI * after).cos()),
            Self::Plateau { .. } => plateau,
        };
        rise * course
    }
}

/// What [`Schedule::Plateau`] remembers from epoch to epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    /// The share that the rate has come to.
    pub share: f64,
    best: Option<f64>,
    waited: usize,
}

impl Default for Plateau {
    fn default() -> Self {
        Self { share: 1.0, best: None, waited: 0 }
    }
}

impl Plateau {
    /// Takes in the watched loss of an epoch.
    pub fn hear(&mut self, schedule: Schedule, loss: f64) {
        let Schedule::Plateau { factor, patience } = schedule else { return };
        if self.best.is_none_or(|best| loss < best * (1.0 - 1e-4)) {
            self.best = Some(loss);
            self.waited = 0;
            return;
        }
        self.waited += 1;
        if self.waited > patience {
            self.waited = 0;
            self.share = (self.share * factor).max(LEAST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn courses_begin_at_one_and_fall() {
        for schedule in [Schedule::Constant, Schedule::Step { factor: 0.1 }, Schedule::Cosine] {
            assert_eq!(schedule.share(0.0, 0.0, 1.0), 1.0);
            let shares: Vec<f64> =
                (0..=10).map(|k| schedule.share(f64::from(k) / 10.0, 0.0, 1.0)).collect();
            assert!(shares.is_sorted_by(|a, b| a >= b), "{schedule:?} {shares:?}");
        }
        assert!((Schedule::Step { factor: 0.1 }.share(1.0, 0.0, 1.0) - 0.01).abs() < 1e-15);
        assert!(Schedule::Cosine.share(1.0, 0.0, 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_plateau_lowers_the_rate_once_patience_ends() {
        let schedule = Schedule::Plateau { factor: 0.5, patience: 1 };
        let mut plateau = Plateau::default();
        let shares: Vec<f64> = [3.0, 2.0, 2.0, 2.0, 1.0, 1.5, 1.5]
            .map(|loss| {
                plateau.hear(schedule, loss);
                plateau.share
            })
            .to_vec();
        assert_eq!(shares, [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25]);
    }
}
