//! How good probabilities are as probabilities.

use crate::metrics::{Scored, is_positive};

pub(super) fn brier(scored: &Scored) -> Option<f64> {
    probabilities(scored)?.mean(|truth, p| {
        let error = p - f64::from(u8::from(is_positive(truth)));
        error * error
    })
}

pub(super) fn log_loss(scored: &Scored) -> Option<f64> {
    probabilities(scored)?.mean(|truth, p| {
        let p = p.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        // The logarithm of 1 - p without forming the difference, which would lose small ones.
        if is_positive(truth) { -p.ln() } else { -(-p).ln_1p() }
    })
}

/// The same rows if every score is a probability.
pub(super) fn probabilities<'a, 'b>(scored: &'b Scored<'a>) -> Option<&'b Scored<'a>> {
    let all = scored.sound()?.rows().all(|(_, score, _)| (0.0..=1.0).contains(&score));
    all.then_some(scored)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::close;

    #[test]
    fn the_brier_score_of_the_known_vector() {
        let truth = [0., 0., 1., 0., 0., 1., 0., 1., 1., 1.];
        let score = [0.1, 0.2, 0.2, 0.3, 0.4, 0.4, 0.4, 0.5, 0.6, 0.9];
        close(brier(&Scored::new(&truth, &score)).unwrap(), 0.188, 1e-15);
    }

    #[test]
    fn a_certain_error_costs_much_but_not_everything() {
        // sklearn.metrics.log_loss([1, 0], [0.0, 0.5])
        let scored = Scored::new(&[1.0, 0.0], &[0.0, 0.5]);
        close(log_loss(&scored).unwrap(), 18.368_400_284_838_55, 1e-12);
    }

    #[test]
    fn scores_outside_of_0_to_1_are_no_probabilities() {
        let scored = Scored::new(&[1.0, 0.0], &[1.2, 0.5]);
        assert_eq!((brier(&scored), log_loss(&scored)), (None, None));
    }
}
