//! Training: an [`Experiment`] put to a table gives a [`Run`].
//!
//! [`resolve`] fills in what the experiment leaves open and refuses what makes no sense. [`run`]
//! splits, fits recipe and model on the training rows alone, cross-validates where asked, scores
//! and measures. [`sweep`], [`tune`] and [`every_kind`] do so several times; [`compare`] says what the
//! differences between runs are worth. An experiment is one TOML file, and has a command line
//! that repeats it. The room knows nothing of where runs are kept.

mod asked;
mod background;
mod carry_out;
mod coefficients;
mod command_line;
mod compare;
mod diff;
mod error;
mod evaluate;
mod experiment;
mod file;
mod folds;
mod import;
mod measure;
mod resolve;
mod run;
mod search;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_classes;
mod tune;
mod verdict;

pub use asked::suits;
pub use carry_out::{plan, run, split_of};
pub use compare::{Comparison, Standing, compare};
pub use diff::experiment_diff;
pub use error::Error;
pub use evaluate::{Evaluation, evaluate};
pub use experiment::{Costs, DataSpec, Experiment, ModelSpec, Question, VERSION};
pub use import::{Import, import};
pub use measure::{metrics_for, metrics_of, usual_metric};
pub use resolve::{features_of, resolve, target_of};
pub use run::{Coefficient, Dataset, Metrics, Point, Run, RunId, Scores};
pub use search::{alphas, every_kind, sweep};
pub use tune::{Halving, Search, tune};
