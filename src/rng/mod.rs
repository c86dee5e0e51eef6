//! Chance, made repeatable: one root [`Seed`], and a named stream of numbers for each use.
//!
//! Two streams of one seed have nothing in common, so that drawing more often for the shuffle of
//! an epoch leaves the rows of the split as they were. The same seed and name give the same
//! integers on every platform. [`numpy`] repeats the rows that scikit-learn draws. The room knows
//! nothing of tables or models.

mod generator;
pub mod numpy;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use generator::Rng;

/// The one number from which every draw of a run follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Default for Seed {
    /// The seed that is taken when none is given.
    fn default() -> Self {
        Self(42)
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The stream of numbers that belongs to `name` under `seed`.
///
/// ```
/// use karat::rng::{Seed, stream};
///
/// let mut split = stream(Seed(42), "split");
/// assert_eq!(split.next_u64(), stream(Seed(42), "split").next_u64());
/// assert_ne!(split.next_u64(), stream(Seed(42), "shuffle").next_u64());
/// ```
pub fn stream(seed: Seed, name: &str) -> Rng {
    Rng::of(seed, name)
}
