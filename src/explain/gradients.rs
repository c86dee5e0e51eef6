//! Explanations by the gradient of the score.

use ndarray::{Array2, ArrayView2};

use super::subject::one;
use super::{Attribution, Error, Subject};
use crate::jobs::Ctx;

/// Points on the way from the reference to the row.
const STEPS: usize = 256;
/// Points whose gradients are asked for at once, so that memory stays small.
const BATCH: usize = 32;

/// `gradient x input`, from a base of the score at 0. For a weighted sum that is `coefficient x
/// value`; elsewhere the sum misses the score by what is not linear.
pub(super) fn times_input(
    subject: &dyn Subject,
    row: &[f64],
    _: &Ctx,
) -> Result<Attribution, Error> {
    let gradient = gradients(subject, "gradient_x_input", as_row(row))?;
    let contributions = gradient.iter().zip(row).map(|(slope, x)| slope * x).collect();
    let base = one(subject, &vec![0.0; row.len()]);
    Ok(Attribution { base, score: one(subject, row), contributions })
}

/// Integrated gradients: `(x - x0) * mean over t of gradient(x0 + t (x - x0))`, the mean taken at
/// the middles of equal stretches of the way (the midpoint rule). The sum of all is
/// `score(x) - score(x0)`.
pub(super) fn integrated(
    subject: &dyn Subject,
    row: &[f64],
    ctx: &Ctx,
) -> Result<Attribution, Error> {
    let reference = subject.reference();
    let mut sums = vec![0.0; row.len()];
    for start in (0..STEPS).step_by(BATCH) {
        ctx.step(start, STEPS, vec![])?;
        let n = BATCH.min(STEPS - start);
        let points = Array2::from_shape_fn((n, row.len()), |(step, i)| {
            let share = ((start + step) as f64 + 0.5) / STEPS as f64;
            reference[i] + share * (row[i] - reference[i])
        });
        let gradients = gradients(subject, "integrated_gradients", points.view())?;
        for gradient in gradients.rows() {
            sums.iter_mut().zip(gradient).for_each(|(sum, slope)| *sum += slope);
        }
    }
    let along = sums.iter().zip(row).zip(&reference);
    let contributions = along.map(|((sum, x), x0)| (x - x0) * sum / STEPS as f64).collect();
    Ok(Attribution { base: one(subject, &reference), score: one(subject, row), contributions })
}

/// Whether the score has gradients.
pub(super) fn are_there(subject: &dyn Subject) -> bool {
    let none = Array2::zeros((0, subject.layout().len()));
    subject.gradients(none.view()).is_some()
}

fn gradients(
    subject: &dyn Subject,
    method: &'static str,
    rows: ArrayView2<f64>,
) -> Result<Array2<f64>, Error> {
    subject.gradients(rows).ok_or_else(|| Error::NotThisModel {
        method,
        why: "its score has no gradient".to_owned(),
        hint: "take `occlusion`",
    })
}

/// One row as a matrix.
fn as_row(row: &[f64]) -> ArrayView2<'_, f64> {
    ArrayView2::from_shape((1, row.len()), row).expect("a slice is a matrix of one row")
}
