//! The stored form of the reference; its numbers stand in columns of the weights.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::number::Exact;
use crate::features::reference::{ColumnReference, Reference, ScoreReference, Shape};
use crate::registry::tensors::{Columns, Reader};

/// What the manifest says of the reference.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredReference {
    made: i64,
    scores: String,
    columns: Vec<StoredColumn>,
}

#[derive(Serialize, Deserialize)]
struct StoredColumn {
    name: String,
    n: u64,
    missing: u64,
    #[serde(default)]
    mean: Option<Exact>,
    #[serde(default)]
    std: Option<Exact>,
    #[serde(default)]
    levels: Vec<String>,
}

fn called(what: &str, place: usize) -> String {
    format!("reference {what} {place}")
}

/// Puts the numbers into columns and returns the rest.
pub(super) fn store(reference: &Reference, weights: &mut Columns) -> StoredReference {
    let mut columns = Vec::new();
    for (place, column) in reference.columns.iter().enumerate() {
        let (name, n, missing) = (column.name.clone(), column.n, column.missing);
        let as_numbers = |counts: &[u64]| counts.iter().map(|n| *n as f64).collect::<Vec<_>>();
        columns.push(match &column.shape {
            Shape::Numbers { edges, counts, sample, mean, std } => {
                weights.put_f64(called("edges", place), edges);
                weights.put_f64(called("counts", place), &as_numbers(counts));
                weights.put_f64(called("sample", place), sample);
                let (mean, std) = (Some(Exact(*mean)), Some(Exact(*std)));
                StoredColumn { name, n, missing, mean, std, levels: Vec::new() }
            }
            Shape::Levels { names, counts } => {
                weights.put_f64(called("counts", place), &as_numbers(counts));
                StoredColumn { name, n, missing, mean: None, std: None, levels: names.clone() }
            }
        });
    }
    weights.put_f64("reference scores", &reference.scores.scores);
    weights.put_f64("reference truth", &reference.scores.truth);
    StoredReference { made: reference.made, scores: reference.scores.rows.clone(), columns }
}

const WRONG: &str = "its reference does not fit together";
/// The most rows that are counted exactly in the columns of the weights.
const MOST: u64 = 1 << 53;

/// A count as it stands in a column of numbers; nothing for what is none.
fn count(n: f64) -> Option<u64> {
    (n.fract() == 0.0 && (0.0..=MOST as f64).contains(&n)).then_some(n as u64)
}

/// Whether numbers are ascending, which they are not if one is NaN, even alone.
fn is_ascending(numbers: &[f64]) -> bool {
    numbers.is_sorted() && numbers.iter().all(|number| !number.is_nan())
}

impl StoredReference {
    /// The reference, with its numbers from the columns.
    ///
    /// # Errors
    ///
    /// When it is not one that training could have made: whoever compares windows with it relies
    /// on numbers that are ascending and counts that add up.
    pub(super) fn into_reference(self, weights: &Reader<'_>) -> Result<Arc<Reference>, String> {
        let wrong = || WRONG.to_owned();
        let mut columns = Vec::new();
        for (place, column) in self.columns.into_iter().enumerate() {
            let counts = weights.f64(&called("counts", place))?;
            let counts: Vec<u64> =
                counts.into_iter().map(count).collect::<Option<_>>().ok_or_else(wrong)?;
            let known = counts.iter().try_fold(0_u64, |sum, n| sum.checked_add(*n));
            if column.n > MOST || known.is_none() || known != column.n.checked_sub(column.missing) {
                return Err(wrong());
            }
            let shape = match (column.mean, column.std) {
                (Some(mean), Some(std)) => {
                    let edges = weights.f64(&called("edges", place))?;
                    let sample = weights.f64(&called("sample", place))?;
                    let is_whole = counts.len() == edges.len() + 1
                        && is_ascending(&edges)
                        && is_ascending(&sample)
                        && sample.len() as u64 <= column.n
                        && sample.is_empty() == (column.n == column.missing);
                    if !is_whole {
                        return Err(wrong());
                    }
                    Shape::Numbers { edges, counts, sample, mean: mean.0, std: std.0 }
                }
                _ if counts.len() == column.levels.len() => {
                    Shape::Levels { names: column.levels, counts }
                }
                _ => return Err(wrong()),
            };
            let StoredColumn { name, n, missing, .. } = column;
            columns.push(ColumnReference { name, n, missing, shape });
        }
        let scores = weights.f64("reference scores")?;
        let truth = weights.f64("reference truth")?;
        let is_number = |value: &f64| value.is_finite();
        if scores.len() != truth.len() || !scores.iter().chain(&truth).all(is_number) {
            return Err(wrong());
        }
        let scores = ScoreReference { rows: self.scores, scores, truth };
        Ok(Arc::new(Reference { columns, scores, made: self.made }))
    }
}
