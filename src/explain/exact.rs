//! Exact contributions of a weighted sum.

use super::subject::one;
use super::{Attribution, Error, Subject};
use crate::jobs::Ctx;

/// `coefficient x (value - reference)`: the score of the reference and all contributions sum to
/// the score.
pub(super) fn exact(subject: &dyn Subject, row: &[f64], _: &Ctx) -> Result<Attribution, Error> {
    let Some(coefficients) = subject.coefficients() else {
        return Err(Error::NotThisModel {
            method: "exact",
            why: "its score is no weighted sum of the columns".to_owned(),
            hint: "take `integrated_gradients`, or `permutation` where there are no gradients",
        });
    };
    let reference = subject.reference();
    let contributions =
        coefficients.iter().zip(row).zip(&reference).map(|((b, x), mean)| b * (x - mean)).collect();
    Ok(Attribution { base: one(subject, &reference), score: one(subject, row), contributions })
}
