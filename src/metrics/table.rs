//! The one list of metrics.

use crate::metrics::{Scored, decision, probability, ranking, regression};

/// Which kind of target a metric belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// The target is a number.
    Regression,
    /// The target is one of two classes.
    Binary,
}

/// Which way a metric improves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Better {
    /// Larger values are better.
    Higher,
    /// Smaller values are better.
    Lower,
}

/// One metric: what it is called, what it means, which way it improves, and how it is computed.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// The name used in files, flags and requests. It never changes.
    pub name: &'static str,
    /// The name as a heading, short enough for a column.
    pub label: &'static str,
    /// The definition that is followed, in whole sentences.
    pub about: &'static str,
    /// Where the definition comes from.
    pub source: &'static str,
    /// Which kind of target it needs.
    pub family: Family,
    /// Which way it improves.
    pub better: Better,
    /// Whether it changes as the threshold moves.
    pub uses_threshold: bool,
    /// Computes it; `None` where it is undefined.
    pub compute: fn(&Scored) -> Option<f64>,
}

/// Looks a metric up by its name.
pub fn metric(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}

/// Every metric, in the order in which they are shown.
pub const METRICS: &[Metric] = &[
    Metric {
        name: "mse",
        label: "MSE",
        about: "Mean of the squared errors, in squared units of the target.",
        source: "Gauss (1821)",
        family: Family::Regression,
        better: Better::Lower,
        uses_threshold: false,
        compute: regression::mse,
    },
    Metric {
        name: "rmse",
        label: "RMSE",
        about: "Square root of the mean squared error, in units of the target.",
        source: "Gauss (1821)",
        family: Family::Regression,
        better: Better::Lower,
        uses_threshold: false,
        compute: regression::rmse,
    },
    Metric {
        name: "mae",
        label: "MAE",
        about: "Mean of the absolute errors, in units of the target.",
        source: "Laplace (1793)",
        family: Family::Regression,
        better: Better::Lower,
        uses_threshold: false,
        compute: regression::mae,
    },
    Metric {
        name: "r2",
        label: "R²",
        about: "Share of the variance explained: 1 less the squared errors over the squared \
                distances from the mean of these very rows. Below 0 the mean would have been the \
                better prediction. Undefined for a constant target.",
        source: "Wright (1921)",
        family: Family::Regression,
        better: Better::Higher,
        uses_threshold: false,
        compute: regression::r2,
    },
    Metric {
        name: "roc_auc",
        label: "AUC",
        about: "Probability that a positive row scores higher than a negative one, a tie counting \
                one half. Undefined when a class is absent.",
        source: "Hanley and McNeil (1982)",
        family: Family::Binary,
        better: Better::Higher,
        uses_threshold: false,
        compute: ranking::roc_auc,
    },
    Metric {
        name: "ks",
        label: "KS",
        about: "Largest distance between the score distributions of the two classes, over all \
                distinct scores. The KS of a decile table is a lower bound of it.",
        source: "Kolmogorov (1933), Smirnov (1939)",
        family: Family::Binary,
        better: Better::Higher,
        uses_threshold: false,
        compute: ranking::ks,
    },
    Metric {
        name: "gini",
        label: "Gini",
        about: "Accuracy ratio: twice the AUC less 1. It is 0 for guessing and 1 for perfect order.",
        source: "Engelmann, Hayden and Tasche (2003)",
        family: Family::Binary,
        better: Better::Higher,
        uses_threshold: false,
        compute: ranking::gini,
    },
    Metric {
        name: "average_precision",
        label: "AP",
        about: "Mean of the precisions at every threshold, weighted by the gain in recall, without \
                interpolation. Guessing gives the share of positive rows.",
        source: "Buckley and Voorhees (2000)",
        family: Family::Binary,
        better: Better::Higher,
        uses_threshold: false,
        compute: ranking::average_precision,
    },
    Metric {
        name: "log_loss",
        label: "Log loss",
        about: "Mean of the negative natural logarithm of the probability given to what happened; \
                probabilities are kept 2.2e-16 away from 0 and 1. Undefined for scores that are \
                not probabilities.",
        source: "Good (1952)",
        family: Family::Binary,
        better: Better::Lower,
        uses_threshold: false,
        compute: probability::log_loss,
    },
    Metric {
        name: "brier",
        label: "Brier",
        about: "Mean squared difference between the probability of the positive class and what \
                happened. Undefined for scores that are not probabilities.",
        source: "Brier (1950), of one class",
        family: Family::Binary,
        better: Better::Lower,
        uses_threshold: false,
        compute: probability::brier,
    },
    Metric {
        name: "accuracy",
        label: "Accuracy",
        about: "Share of the rows whose class is right when scores from the threshold on are \
                called positive.",
        source: "Fawcett (2006)",
        family: Family::Binary,
        better: Better::Higher,
        uses_threshold: true,
        compute: decision::accuracy,
    },
    Metric {
        name: "precision",
        label: "Precision",
        about: "Share of positive rows among those called positive. Undefined when none is called \
                positive.",
        source: "Fawcett (2006)",
        family: Family::Binary,
        better: Better::Higher,
        uses_threshold: true,
        compute: decision::precision,
    },
    Metric {
        name: "recall",
        label: "Recall",
        about: "Share of the positive rows that are called positive. Undefined when there are none.",
        source: "Fawcett (2006)",
        family: Family::Binary,
        better: Better::Higher,
        uses_threshold: true,
        compute: decision::recall,
    },
    Metric {
        name: "f1",
        label: "F1",
        about: "Harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN). Undefined when no \
                row is positive or called so.",
        source: "van Rijsbergen (1979)",
        family: Family::Binary,
        better: Better::Higher,
        uses_threshold: true,
        compute: decision::f1,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::{OTHER, SCORE, TRUTH, WEIGHT, close};

    /// scikit-learn on `metrics::samples`, with labels cut at 0.4:
    ///
    /// ```python
    /// fpr, tpr, _ = roc_curve(y, s, sample_weight=w); abs(tpr - fpr).max()
    /// [roc_auc_score, average_precision_score, log_loss, brier_score_loss](y, s, sample_weight=w)
    /// [accuracy_score, precision_score, recall_score, f1_score](y, s >= 0.4, sample_weight=w)
    /// ```
    const SKLEARN: &[(&str, f64, f64)] = &[
        ("roc_auc", 0.708_333_333_333_333_4, 0.676_923_076_923_076_8),
        ("gini", 0.416_666_666_666_666_7, 0.353_846_153_846_153_6),
        ("ks", 0.333_333_333_333_333_37, 0.338_461_538_461_538_4),
        ("average_precision", 0.748_647_186_147_186_1, 0.640_150_172_408_236_8),
        ("log_loss", 0.615_851_836_954_268, 0.593_586_882_865_363_8),
        ("brier", 0.217_083_333_333_333_33, 0.206_287_878_787_878_8),
        ("accuracy", 0.583_333_333_333_333_4, 0.515_151_515_151_515_1),
        ("precision", 0.571_428_571_428_571_4, 0.428_571_428_571_428_55),
        ("recall", 0.666_666_666_666_666_6, 0.692_307_692_307_692_3),
        ("f1", 0.615_384_615_384_615_4, 0.529_411_764_705_882_4),
    ];

    #[test]
    fn classifiers_are_measured_as_scikit_learn_does() {
        let plain = Scored { threshold: 0.4, ..Scored::new(&TRUTH, &SCORE) };
        let weighted = Scored { weight: Some(&WEIGHT), ..plain };
        for (name, expected, expected_weighted) in SKLEARN {
            let compute = metric(name).unwrap().compute;
            close(compute(&plain).unwrap(), *expected, 1e-14);
            close(compute(&weighted).unwrap(), *expected_weighted, 1e-14);
        }
    }

    #[test]
    fn regressions_are_measured_as_scikit_learn_does() {
        // [mean_squared_error, mean_absolute_error, r2_score](t, q, sample_weight=w)
        let truth = [1.5, 2., -1., 4., 3.2, 0., 5., 2.5, 7., 1., 2., 3.];
        let score = [1., 2.5, 0., 3.5, 3., 1., 4., 2., 6., 2., 2.5, 2.];
        let plain = Scored::new(&truth, &score);
        let weighted = Scored { weight: Some(&WEIGHT), ..plain };
        for (name, expected, expected_weighted) in [
            ("mse", 0.6075, 0.461_818_181_818_181_85),
            ("rmse", 0.6075_f64.sqrt(), 0.461_818_181_818_181_85_f64.sqrt()),
            ("mae", 0.725, 0.612_121_212_121_212_1),
            ("r2", 0.859_094_130_532_826_5, 0.832_213_466_427_346_5),
        ] {
            let compute = metric(name).unwrap().compute;
            close(compute(&plain).unwrap(), expected, 1e-14);
            close(compute(&weighted).unwrap(), expected_weighted, 1e-14);
        }
    }

    #[test]
    fn names_are_unique_and_definitions_are_sentences() {
        for (idx, row) in METRICS.iter().enumerate() {
            assert!(METRICS[..idx].iter().all(|other| other.name != row.name), "{}", row.name);
            assert!(row.about.ends_with('.') && !row.about.contains("  "), "{}", row.name);
        }
    }

    #[test]
    fn a_perfect_model_is_best_on_every_metric() {
        for row in METRICS {
            let best = (row.compute)(&Scored::new(&TRUTH, &TRUTH)).unwrap();
            let other = (row.compute)(&Scored::new(&TRUTH, &OTHER)).unwrap();
            match row.better {
                Better::Higher => assert!(other < best, "{}", row.name),
                Better::Lower => assert!(best < other, "{}", row.name),
            }
        }
    }

    #[test]
    fn a_weight_counts_as_so_many_rows() {
        let weight: Vec<f64> = WEIGHT.iter().map(|weight| (2.0 * weight).floor()).collect();
        let weighted = Scored { weight: Some(&weight), ..Scored::new(&TRUTH, &SCORE) };
        let repeated = |values: &[f64]| -> Vec<f64> {
            let pairs = values.iter().zip(&weight);
            pairs.flat_map(|(value, n)| vec![*value; *n as usize]).collect()
        };
        let (truth, score) = (repeated(&TRUTH), repeated(&SCORE));
        for row in METRICS {
            let expected = (row.compute)(&Scored::new(&truth, &score)).unwrap();
            close((row.compute)(&weighted).unwrap(), expected, 1e-13);
        }
    }

    #[test]
    fn what_cannot_be_measured_is_none() {
        for row in METRICS {
            assert_eq!((row.compute)(&Scored::new(&[], &[])), None, "{}", row.name);
            let hole = Scored::new(&[0.0, 1.0, 1.0], &[0.2, f64::NAN, 0.9]);
            assert_eq!((row.compute)(&hole), None, "{}", row.name);
            let nothing = Scored { weight: Some(&[0.0; 12]), ..Scored::new(&TRUTH, &SCORE) };
            assert_eq!((row.compute)(&nothing), None, "{}", row.name);
        }
        let one_class = Scored::new(&[1.0, 1.0], &[0.2, 0.9]);
        for name in ["roc_auc", "ks", "gini", "r2"] {
            assert_eq!((metric(name).unwrap().compute)(&one_class), None, "{name}");
        }
    }
}
