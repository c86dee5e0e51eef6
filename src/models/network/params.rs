//! The parameters of a network, as typed and as used.

use crate::features::sight::SightSpec;
use crate::models::linear::ClassWeight;
use crate::nn::spec::NetworkSpec;
use crate::nn::{Rule, Schedule};
use crate::rng::Seed;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$of])* $variant),+ }

        impl $name {
            /// The words to choose from.
            pub const WORDS: &'static [&'static str] = &[$($word),+];
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("`{text}` is none of {}", Self::WORDS.join(", "))),
                }
            }
        }
    };
}

words!(
    /// How the weights follow their gradient.
    Optimizer {
        /// Adam.
        Adam = "adam",
        /// Adam with weight decay apart.
        AdamW = "adamw",
        /// Stochastic gradient descent.
        Sgd = "sgd",
        /// The same with momentum 0.9.
        Momentum = "momentum",
        /// The same, looking ahead.
        Nesterov = "nesterov",
        /// Gradient descent over all rows at once.
        Gd = "gd",
    }
);

words!(
    /// How the learning rate changes.
    ScheduleKind {
        /// It does not.
        Constant = "constant",
        /// A tenth after each third.
        Step = "step",
        /// Half a cosine.
        Cosine = "cosine",
        /// Half whenever nothing falls.
        Plateau = "plateau",
    }
);

words!(
    /// What is made small for a numeric target.
    LossKind {
        /// Squared errors.
        Squared = "mse",
        /// Squared near 0, linear beyond one standard deviation of the target.
        Huber = "huber",
    }
);

/// The learning rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// What suits the optimizer.
    Auto,
    /// Found by trying ever larger ones (Smith, 2017).
    Find,
    /// This one.
    Given(f64),
}

impl std::str::FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "find" => Ok(Self::Find),
            _ => match text.parse() {
                Ok(rate) if rate > 0.0 && rate <= 1e9 => Ok(Self::Given(rate)),
                _ => Err(format!("`{text}` is neither auto, find nor a number above 0")),
            },
        }
    }
}

/// Everything that a training needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// The network, in words.
    pub network: NetworkSpec,
    /// What it looks at.
    pub sight: SightSpec,
    /// The most passes over the rows.
    pub epochs: usize,
    /// Rows in a step.
    pub batch_size: usize,
    /// Length of a step.
    pub learning_rate: Rate,
    /// How the weights follow their gradient.
    pub optimizer: Optimizer,
    /// How the learning rate changes.
    pub schedule: ScheduleKind,
    /// Share of the training over which the learning rate rises.
    pub warm_up: f64,
    /// Pull of the weights towards 0.
    pub weight_decay: f64,
    /// Longest gradient; 0 for any.
    pub clip_norm: f64,
    /// Epochs without progress after which training ends; 0 for never.
    pub patience: usize,
    /// How much the rows of each class count.
    pub class_weight: ClassWeight,
    /// What is made small for a numeric target.
    pub loss: LossKind,
    /// From which everything is drawn.
    pub seed: Seed,
}

impl Params {
    /// A network with everything else as it usually is.
    pub fn new(network: NetworkSpec) -> Self {
        Self {
            network,
            sight: SightSpec::default(),
            epochs: 100,
            batch_size: 64,
            learning_rate: Rate::Auto,
            optimizer: Optimizer::Adam,
            schedule: ScheduleKind::Constant,
            warm_up: 0.0,
            weight_decay: 0.0,
            clip_norm: 0.0,
            patience: 20,
            class_weight: ClassWeight::None,
            loss: LossKind::Squared,
            seed: Seed::default(),
        }
    }

    /// The rule of the optimizer.
    pub(super) fn rule(&self) -> Rule {
        match self.optimizer {
            Optimizer::Adam => Rule::Adam,
            Optimizer::AdamW => Rule::AdamW,
            Optimizer::Sgd | Optimizer::Gd => Rule::Sgd,
            Optimizer::Momentum => Rule::Momentum { momentum: 0.9 },
            Optimizer::Nesterov => Rule::Nesterov { momentum: 0.9 },
        }
    }

    /// The learning rate that is taken when none is given.
    pub(super) fn usual_rate(&self) -> f64 {
        match self.optimizer {
            Optimizer::Adam | Optimizer::AdamW => 1e-3,
            Optimizer::Sgd | Optimizer::Momentum | Optimizer::Nesterov => 1e-2,
            Optimizer::Gd => 0.1,
        }
    }

    /// The course of the learning rate.
    pub(super) fn course(&self) -> Schedule {
        match self.schedule {
            ScheduleKind::Constant => Schedule::Constant,
            ScheduleKind::Step => Schedule::Step { factor: 0.1 },
            ScheduleKind::Cosine => Schedule::Cosine,
            ScheduleKind::Plateau => Schedule::Plateau { factor: 0.5, patience: 5 },
        }
    }

    /// Rows in a step, of so many.
    pub(super) fn batch_of(&self, n_rows: usize) -> usize {
        match self.optimizer {
            Optimizer::Gd => n_rows,
            _ => self.batch_size.min(n_rows).max(1),
        }
    }
}
