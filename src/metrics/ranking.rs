//! How well scores order the rows, whatever the scores mean.

use crate::metrics::Scored;
use crate::metrics::steps::{Step, steps, totals};

pub(super) fn roc_auc(scored: &Scored) -> Option<f64> {
    let (steps, all_positives, all_negatives) = both_classes(scored)?;
    // Of each pair of classes that a step completes: those above it are won, its own are tied.
    let (mut above, mut won) = (0.0, 0.0);
    for step in steps {
        won += step.negatives * (above + step.positives / 2.0);
        above += step.positives;
    }
    Some((won / (all_positives * all_negatives)).clamp(0.0, 1.0))
}

pub(super) fn gini(scored: &Scored) -> Option<f64> {
    roc_auc(scored).map(|auc| 2.0 * auc - 1.0)
}

pub(super) fn ks(scored: &Scored) -> Option<f64> {
    let (steps, all_positives, all_negatives) = both_classes(scored)?;
    let (mut positives, mut negatives, mut widest) = (0.0, 0.0, 0.0_f64);
    for step in steps {
        positives += step.positives;
        negatives += step.negatives;
        widest = widest.max((positives / all_positives - negatives / all_negatives).abs());
    }
    Some(widest.min(1.0))
}

pub(super) fn average_precision(scored: &Scored) -> Option<f64> {
    let steps = steps(scored)?;
    let (all_positives, _) = totals(&steps);
    if all_positives == 0.0 {
        return None;
    }
    let (mut positives, mut flagged, mut sum) = (0.0, 0.0, 0.0);
    for step in steps {
        positives += step.positives;
        flagged += step.positives + step.negatives;
        sum += step.positives * positives / flagged;
    }
    Some((sum / all_positives).min(1.0))
}

/// The steps and the weight of each class, unless one is absent.
fn both_classes(scored: &Scored) -> Option<(Vec<Step>, f64, f64)> {
    let steps = steps(scored)?;
    let (positives, negatives) = totals(&steps);
    (0.0 < positives && 0.0 < negatives).then_some((steps, positives, negatives))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::samples::close;

    #[test]
    fn ties_are_handled_as_the_definition_says() {
        let truth = [0., 0., 1., 0., 0., 1., 0., 1., 1., 1.];
        let score = [0.1, 0.2, 0.2, 0.3, 0.4, 0.4, 0.4, 0.5, 0.6, 0.9];
        let scored = Scored::new(&truth, &score);
        close(roc_auc(&scored).unwrap(), 0.82, 1e-15);
        close(gini(&scored).unwrap(), 0.64, 1e-15);
        close(ks(&scored).unwrap(), 0.6, 1e-15);
    }

    #[test]
    fn scores_need_not_be_probabilities() {
        let scored = Scored::new(&[0., 0., 1., 1.], &[f64::NEG_INFINITY, -3.0, 512.0, 1e300]);
        assert_eq!(roc_auc(&scored), Some(1.0));
        let constant = Scored::new(&[0., 1., 1.], &[0.0, -0.0, 0.0]);
        assert_eq!((roc_auc(&constant), ks(&constant)), (Some(0.5), Some(0.0)));
    }

    prop_compose! {
        /// Rows of both classes with many ties and uneven weights.
        fn rows()(rows in prop::collection::vec((any::<bool>(), 0_i32..12, 1_u8..5), 0..60))
            -> (Vec<f64>, Vec<f64>, Vec<f64>)
        {
            let rows = rows.into_iter().chain([(true, 5, 1), (false, 6, 2)]);
            let rows: Vec<_> = rows.collect();
            (
                rows.iter().map(|row| f64::from(u8::from(row.0))).collect(),
                rows.iter().map(|row| f64::from(row.1) / 12.0).collect(),
                rows.iter().map(|row| f64::from(row.2) / 2.0).collect(),
            )
        }
    }

    proptest! {
        #[test]
        fn metrics_of_order_obey_their_laws((truth, score, weight) in rows()) {
            let scored = Scored { weight: Some(&weight), ..Scored::new(&truth, &score) };
            let auc = roc_auc(&scored).unwrap();
            let ks = ks(&scored).unwrap();
            prop_assert!((0.0..=1.0).contains(&auc) && (0.0..=1.0).contains(&ks));
            prop_assert!((2.0 * auc - 1.0).abs() <= 2.0 * ks - ks * ks + 1e-12, "the hull of the curve");

            let stretched: Vec<f64> = score.iter().map(|score| (3.0 * score).exp()).collect();
            let same = Scored { score: &stretched, ..scored };
            prop_assert_eq!(roc_auc(&same).unwrap(), auc);

            let turned: Vec<f64> = score.iter().map(|score| -score).collect();
            let mirrored = Scored { score: &turned, ..scored };
            prop_assert!((roc_auc(&mirrored).unwrap() + auc - 1.0).abs() < 1e-12);

            let other: Vec<f64> = truth.iter().map(|truth| 1.0 - truth).collect();
            let both = Scored { truth: &other, ..mirrored };
            prop_assert!((roc_auc(&both).unwrap() - auc).abs() < 1e-12);
        }

        #[test]
        fn the_auc_is_the_share_of_pairs_won((truth, score, weight) in rows()) {
            let (mut won, mut pairs) = (0.0, 0.0);
            for i in (0..truth.len()).filter(|i| truth[*i] == 1.0) {
                for j in (0..truth.len()).filter(|j| truth[*j] == 0.0) {
                    let pair = weight[i] * weight[j];
                    pairs += pair;
                    won += pair * if score[i] > score[j] { 1.0 }
                        else if score[i] == score[j] { 0.5 } else { 0.0 };
                }
            }
            let scored = Scored { weight: Some(&weight), ..Scored::new(&truth, &score) };
            prop_assert!((roc_auc(&scored).unwrap() - won / pairs).abs() < 1e-12);
        }
    }
}
