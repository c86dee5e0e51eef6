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

impl StoredReference {
    /// The reference, with its numbers from the columns.
    pub(super) fn into_reference(self, weights: &Reader<'_>) -> Result<Arc<Reference>, String> {
        let wrong = || "its reference does not fit together".to_owned();
        let mut columns = Vec::new();
        for (place, column) in self.columns.into_iter().enumerate() {
            let counts = weights.f64(&called("counts", place))?;
            let counts: Vec<u64> = counts.into_iter().map(|n| n as u64).collect();
            let shape = match (column.mean, column.std) {
                (Some(mean), Some(std)) => {
                    let edges = weights.f64(&called("edges", place))?;
                    let sample = weights.f64(&called("sample", place))?;
                    if counts.len() != edges.len() + 1 || !edges.is_sorted() || !sample.is_sorted()
                    {
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
        if scores.len() != truth.len() {
            return Err(wrong());
        }
        let scores = ScoreReference { rows: self.scores, scores, truth };
        Ok(Arc::new(Reference { columns, scores, made: self.made }))
    }
}
