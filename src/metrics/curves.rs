//! The curves that a classifier is judged by, one point for each distinct score.

use serde::Serialize;

use crate::metrics::steps::{steps, totals};
use crate::metrics::{Scored, ratio};

/// A point of the ROC curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RocPoint {
    /// Share of the negative rows that are called positive.
    pub fpr: f64,
    /// Share of the positive rows that are called positive.
    pub tpr: f64,
    /// From this score on, rows are called positive; infinite for the first point, where none is.
    pub threshold: f64,
}

/// The receiver operating characteristic from (0, 0) to (1, 1); empty when a class is absent.
pub fn roc(scored: &Scored) -> Vec<RocPoint> {
    let steps = steps(scored).unwrap_or_default();
    let (all_positives, all_negatives) = totals(&steps);
    if all_positives == 0.0 || all_negatives == 0.0 {
        return Vec::new();
    }
    let mut points = vec![RocPoint { fpr: 0.0, tpr: 0.0, threshold: f64::INFINITY }];
    let (mut positives, mut negatives) = (0.0, 0.0);
    for step in steps {
        positives += step.positives;
        negatives += step.negatives;
        let (fpr, tpr) = (negatives / all_negatives, positives / all_positives);
        points.push(RocPoint { fpr, tpr, threshold: step.score });
    }
    points
}

/// A point of the precision-recall curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PrecisionRecallPoint {
    /// Share of the positive rows that are called positive.
    pub recall: f64,
    /// Share of positive rows among those called positive.
    pub precision: f64,
    /// From this score on, rows are called positive.
    pub threshold: f64,
}

/// Precision against recall, highest threshold first; empty without positive rows. The point at
/// recall 0 that some programs add is left out, for there the precision is undefined.
pub fn precision_recall(scored: &Scored) -> Vec<PrecisionRecallPoint> {
    let steps = steps(scored).unwrap_or_default();
    let (all_positives, _) = totals(&steps);
    let (mut positives, mut flagged) = (0.0, 0.0);
    let points = steps.iter().map_while(|step| {
        positives += step.positives;
        flagged += step.positives + step.negatives;
        Some(PrecisionRecallPoint {
            recall: ratio(positives, all_positives)?,
            precision: ratio(positives, flagged)?,
            threshold: step.score,
        })
    });
    points.collect()
}

/// A point of the cumulative gains curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GainPoint {
    /// Share of all rows, those with the highest scores first.
    pub rows: f64,
    /// Share of the positive rows that are among them.
    pub captured: f64,
    /// The lowest score among them; infinite for the first point, where there are none.
    pub threshold: f64,
}

/// Positive rows captured against rows looked at, from (0, 0) to (1, 1), also known as the CAP
/// curve; empty without positive rows.
pub fn gains(scored: &Scored) -> Vec<GainPoint> {
    let steps = steps(scored).unwrap_or_default();
    let (all_positives, all_negatives) = totals(&steps);
    if all_positives == 0.0 {
        return Vec::new();
    }
    let mut points = vec![GainPoint { rows: 0.0, captured: 0.0, threshold: f64::INFINITY }];
    let (mut positives, mut rows) = (0.0, 0.0);
    for step in steps {
        positives += step.positives;
        rows += step.positives + step.negatives;
        points.push(GainPoint {
            rows: rows / (all_positives + all_negatives),
            captured: positives / all_positives,
            threshold: step.score,
        });
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::ranking::{average_precision, roc_auc};
    use crate::metrics::samples::{SCORE, TRUTH, WEIGHT, close};

    fn weighted() -> Scored<'static> {
        Scored { weight: Some(&WEIGHT), ..Scored::new(&TRUTH, &SCORE) }
    }

    #[test]
    fn the_area_under_the_roc_curve_is_the_auc() {
        let points = roc(&weighted());
        let trapezoids = points
            .windows(2)
            .map(|pair| (pair[1].fpr - pair[0].fpr) * (pair[1].tpr + pair[0].tpr) / 2.0);
        close(trapezoids.sum(), roc_auc(&weighted()).unwrap(), 1e-14);
        let last = points.last().unwrap();
        assert_eq!((last.fpr, last.tpr, last.threshold), (1.0, 1.0, 0.1));
    }

    #[test]
    fn the_steps_under_the_precision_are_its_average() {
        let mut recall = 0.0;
        let area = precision_recall(&weighted()).iter().fold(0.0, |area, point| {
            let gained = point.recall - recall;
            recall = point.recall;
            area + gained * point.precision
        });
        close(area, average_precision(&weighted()).unwrap(), 1e-14);
    }

    #[test]
    fn gains_end_with_everything() {
        let points = gains(&Scored::new(&TRUTH, &SCORE));
        close(points[1].rows, 1.0 / 12.0, 1e-15);
        close(points[1].captured, 1.0 / 6.0, 1e-15);
        let last = points.last().unwrap();
        assert_eq!((last.rows, last.captured), (1.0, 1.0));
    }

    #[test]
    fn one_class_has_no_curve() {
        let negatives = Scored::new(&[0.0, 0.0], &[0.1, 0.2]);
        assert!(roc(&negatives).is_empty());
        assert!(precision_recall(&negatives).is_empty());
        assert!(gains(&negatives).is_empty());
    }
}
