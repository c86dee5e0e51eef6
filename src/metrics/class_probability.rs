//! How good the probabilities of several classes are, and the order that they put the rows in.

use crate::metrics::{Scored, ranking, ratio};

/// Truth, weight and the probability of each class, of every row that counts.
fn rows<'a>(scored: &'a Scored) -> Option<impl Iterator<Item = (usize, f64, &'a [f64])>> {
    let by_class = scored.sound()?.by_class?;
    let all = by_class.probability.chunks_exact(by_class.n_classes).zip(scored.truth).enumerate();
    let row = |(idx, (probability, truth)): (usize, (&'a [f64], &f64))| {
        (*truth as usize, scored.weight(idx), probability)
    };
    Some(all.map(row).filter(|(_, weight, _)| *weight != 0.0))
}

/// The weighted mean of `value` over the rows.
fn mean(scored: &Scored, value: impl Fn(usize, &[f64]) -> f64) -> Option<f64> {
    let (mut sum, mut total) = (0.0, 0.0);
    for (truth, weight, probability) in rows(scored)? {
        sum += weight * value(truth, probability);
        total += weight;
    }
    ratio(sum, total)
}

/// What a row costs: the negative logarithm of the probability given to its class.
pub fn row_loss(probability_of_truth: f64) -> f64 {
    -probability_of_truth.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
}

pub(super) fn log_loss(scored: &Scored) -> Option<f64> {
    let probability = scored.by_class?.probability;
    if !probability.iter().all(|p| (0.0..=1.0).contains(p)) {
        return None;
    }
    mean(scored, |truth, probability| row_loss(probability[truth]))
}

/// Whether fewer than `k` classes come before the true one; of equal ones the first comes first.
fn is_among(k: usize, truth: usize, probability: &[f64]) -> bool {
    let own = probability[truth];
    let comes_before = |(class, p): (usize, &f64)| own < *p || own == *p && class < truth;
    probability.iter().enumerate().filter(|(class, p)| comes_before((*class, p))).count() < k
}

fn top(k: usize, scored: &Scored) -> Option<f64> {
    if scored.by_class?.n_classes <= k {
        return None;
    }
    mean(scored, |truth, probability| f64::from(u8::from(is_among(k, truth, probability))))
}

pub(super) fn top_2_accuracy(scored: &Scored) -> Option<f64> {
    top(2, scored)
}

pub(super) fn top_3_accuracy(scored: &Scored) -> Option<f64> {
    top(3, scored)
}

/// The mean over the classes of the AUC of each against all others.
pub(super) fn macro_roc_auc(scored: &Scored) -> Option<f64> {
    let n_classes = scored.sound()?.by_class?.n_classes;
    let mut truth = Vec::with_capacity(scored.truth.len());
    let mut score = Vec::with_capacity(scored.truth.len());
    let mut weight = Vec::with_capacity(scored.truth.len());
    let mut values = Vec::with_capacity(n_classes);
    for class in 0..n_classes {
        truth.clear();
        score.clear();
        weight.clear();
        for (own, own_weight, probability) in rows(scored)? {
            truth.push(f64::from(u8::from(own == class)));
            score.push(probability[class]);
            weight.push(own_weight);
        }
        let one = Scored { weight: Some(&weight), ..Scored::new(&truth, &score) };
        values.extend(ranking::roc_auc(&one));
    }
    ratio(values.iter().sum(), values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::close;

    #[test]
    fn the_first_of_equal_classes_comes_first() {
        let tie = [0.25, 0.25, 0.25, 0.25];
        let places: Vec<usize> =
            (0..4).map(|truth| (1..5).find(|k| is_among(*k, truth, &tie)).unwrap()).collect();
        assert_eq!(places, [1, 2, 3, 4]);
    }

    #[test]
    fn as_many_guesses_as_classes_are_no_measure() {
        let probability = [0.2, 0.5, 0.3];
        let scored = Scored::of_classes(&[2.0], &[1.0], &probability, 3);
        assert_eq!((top_2_accuracy(&scored), top_3_accuracy(&scored)), (Some(1.0), None));
        close(log_loss(&scored).unwrap(), -(0.3_f64.ln()), 1e-15);
    }

    #[test]
    fn numbers_outside_of_0_to_1_have_no_log_loss() {
        let scored = Scored::of_classes(&[0.0], &[0.0], &[1.5, -0.5, 0.0], 3);
        assert_eq!(log_loss(&scored), None);
    }
}
