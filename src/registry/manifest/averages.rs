//! The stored form of the averages that explanations start from; the means themselves stand in
//! columns of the weights.

use serde::{Deserialize, Serialize};

use super::number::Exact;
use crate::models::{Averages, Near};
use crate::registry::tensors::{Columns, Reader};

/// What the manifest says of the averages.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredAverages {
    n: usize,
    made: i64,
    below: Option<StoredNear>,
    above: Option<StoredNear>,
}

#[derive(Serialize, Deserialize)]
struct StoredNear {
    n: usize,
    low: Exact,
    high: Exact,
}

const ALL: &str = "averages";
const BELOW: &str = "averages below the threshold";
const ABOVE: &str = "averages above the threshold";

/// Puts the means into columns and returns the rest.
pub(super) fn store(averages: &Averages, weights: &mut Columns) -> StoredAverages {
    let mut near = |name: &str, near: &Option<Near>| {
        let near = near.as_ref()?;
        weights.put_f64(name, &near.means);
        Some(StoredNear { n: near.n, low: Exact(near.low), high: Exact(near.high) })
    };
    let (below, above) = (near(BELOW, &averages.below), near(ABOVE, &averages.above));
    weights.put_f64(ALL, &averages.all);
    StoredAverages { n: averages.n, made: averages.made, below, above }
}

impl StoredAverages {
    /// The averages of a model whose matrix has so many columns.
    pub(super) fn into_averages(
        self,
        n_columns: usize,
        weights: &Reader<'_>,
    ) -> Result<Averages, String> {
        let means = |name: &str| {
            let means = weights.f64(name)?;
            if means.len() == n_columns {
                Ok(means)
            } else {
                Err("it has more or fewer averages than columns".to_owned())
            }
        };
        let near = |name: &str, near: Option<StoredNear>| {
            let Some(StoredNear { n, low, high }) = near else { return Ok(None) };
            Ok::<_, String>(Some(Near { means: means(name)?, n, low: low.0, high: high.0 }))
        };
        Ok(Averages {
            all: means(ALL)?,
            n: self.n,
            below: near(BELOW, self.below)?,
            above: near(ABOVE, self.above)?,
            made: self.made,
        })
    }
}
