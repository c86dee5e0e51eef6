//! The one list of metrics.

use crate::metrics::{
    Scored, class_probability, classes, decision, probability, ranking, regression,
};

/// Which kind of target a metric belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// The target is a number.
    Regression,
    /// The target is one of two classes.
    Binary,
    /// The target is one of several classes.
    Classes,
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
    /// The kinds of target that it can measure.
    pub families: &'static [Family],
    /// Which way it improves.
    pub better: Better,
    /// Whether it changes as the threshold moves.
    pub uses_threshold: bool,
    /// Computes it; `None` where it is undefined.
    pub compute: fn(&Scored) -> Option<f64>,
}

impl Metric {
    /// Whether it can measure such a target.
    pub fn is_of(&self, family: Family) -> bool {
        self.families.contains(&family)
    }

    /// Whether it lies between 0 and 1, or -1 and 1, whatever the unit of the target.
    pub fn is_unitless(&self) -> bool {
        !self.is_of(Family::Regression) || self.name == "r2"
    }
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
        families: &[Family::Regression],
        better: Better::Lower,
        uses_threshold: false,
        compute: regression::mse,
    },
    Metric {
        name: "rmse",
        label: "RMSE",
        about: "Square root of the mean squared error, in units of the target.",
        source: "Gauss (1821)",
        families: &[Family::Regression],
        better: Better::Lower,
        uses_threshold: false,
        compute: regression::rmse,
    },
    Metric {
        name: "mae",
        label: "MAE",
        about: "Mean of the absolute errors, in units of the target.",
        source: "Laplace (1793)",
        families: &[Family::Regression],
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
        families: &[Family::Regression],
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
        families: &[Family::Binary],
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
        families: &[Family::Binary],
        better: Better::Higher,
        uses_threshold: false,
        compute: ranking::ks,
    },
    Metric {
        name: "gini",
        label: "Gini",
        about: "Accuracy ratio: twice the AUC less 1. It is 0 for guessing and 1 for perfect order.",
        source: "Engelmann, Hayden and Tasche (2003)",
        families: &[Family::Binary],
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
        families: &[Family::Binary],
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
        families: &[Family::Binary, Family::Classes],
        better: Better::Lower,
        uses_threshold: false,
        compute: log_loss,
    },
    Metric {
        name: "brier",
        label: "Brier",
        about: "Mean squared difference between the probability of the positive class and what \
                happened. Undefined for scores that are not probabilities.",
        source: "Brier (1950), of one class",
        families: &[Family::Binary],
        better: Better::Lower,
        uses_threshold: false,
        compute: probability::brier,
    },
    Metric {
        name: "accuracy",
        label: "Accuracy",
        about: "Share of the rows whose class is right; of two classes the positive one is called \
                from the threshold on, of several the one with the largest probability.",
        source: "Fawcett (2006)",
        families: &[Family::Binary, Family::Classes],
        better: Better::Higher,
        uses_threshold: true,
        compute: accuracy,
    },
    Metric {
        name: "precision",
        label: "Precision",
        about: "Share of positive rows among those called positive. Undefined when none is called \
                positive.",
        source: "Fawcett (2006)",
        families: &[Family::Binary],
        better: Better::Higher,
        uses_threshold: true,
        compute: decision::precision,
    },
    Metric {
        name: "recall",
        label: "Recall",
        about: "Share of the positive rows that are called positive. Undefined when there are none.",
        source: "Fawcett (2006)",
        families: &[Family::Binary],
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
        families: &[Family::Binary],
        better: Better::Higher,
        uses_threshold: true,
        compute: decision::f1,
    },
    Metric {
        name: "macro_f1",
        label: "Macro F1",
        about: "Mean of the F1 of each class, every class counting the same. Classes that no row has \
                and no row is called are left out.",
        source: "Sokolova and Lapalme (2009)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::macro_f1,
    },
    Metric {
        name: "weighted_f1",
        label: "Weighted F1",
        about: "Mean of the F1 of each class, every class counting by its rows.",
        source: "Pedregosa et al. (2011)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::weighted_f1,
    },
    Metric {
        name: "macro_precision",
        label: "Macro prec.",
        about: "Mean of the precision of each class. A class that is never predicted has none and is \
                left out.",
        source: "Sokolova and Lapalme (2009)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::macro_precision,
    },
    Metric {
        name: "macro_recall",
        label: "Macro recall",
        about: "Mean of the recall of each class, also called balanced accuracy. A class without rows \
                has none and is left out.",
        source: "Sokolova and Lapalme (2009)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::macro_recall,
    },
    Metric {
        name: "micro_precision",
        label: "Micro prec.",
        about: "Precision of all classes counted together, which is the accuracy where every row has one \
                class and is called one.",
        source: "Sokolova and Lapalme (2009)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::accuracy,
    },
    Metric {
        name: "micro_recall",
        label: "Micro recall",
        about: "Recall of all classes counted together, which is the accuracy where every row has one \
                class and is called one.",
        source: "Sokolova and Lapalme (2009)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::accuracy,
    },
    Metric {
        name: "micro_f1",
        label: "Micro F1",
        about: "F1 of all classes counted together, which is the accuracy where every row has one \
                class and is called one.",
        source: "Sokolova and Lapalme (2009)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::accuracy,
    },
    Metric {
        name: "macro_roc_auc",
        label: "Macro AUC",
        about: "Mean over the classes of the AUC of each against all others. Classes that all rows have, \
                or none, are left out.",
        source: "Hand and Till (2001), of one against the rest",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: class_probability::macro_roc_auc,
    },
    Metric {
        name: "top_2_accuracy",
        label: "Top 2",
        about: "Share of the rows whose class is among the two most probable; of equal ones the first \
                comes first. Undefined unless there are more classes than that.",
        source: "Russakovsky et al. (2015)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: class_probability::top_2_accuracy,
    },
    Metric {
        name: "top_3_accuracy",
        label: "Top 3",
        about: "Share of the rows whose class is among the three most probable; of equal ones the first \
                comes first. Undefined unless there are more classes than that.",
        source: "Russakovsky et al. (2015)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: class_probability::top_3_accuracy,
    },
    Metric {
        name: "cohen_kappa",
        label: "Kappa",
        about: "Agreement of truth and prediction beyond that of chance: 0 for guessing by the shares of \
                the classes, 1 for no error. Undefined when all rows have and are called one class.",
        source: "Cohen (1960)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::cohen_kappa,
    },
    Metric {
        name: "mcc",
        label: "MCC",
        about: "Correlation of truth and prediction over all cells of the confusion matrix. Undefined \
                when all rows have or are called one class.",
        source: "Matthews (1975), Gorodkin (2004)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::mcc,
    },
];

fn accuracy(scored: &Scored) -> Option<f64> {
    match scored.by_class {
        Some(_) => classes::accuracy(scored),
        None => decision::accuracy(scored),
    }
}

fn log_loss(scored: &Scored) -> Option<f64> {
    match scored.by_class {
        Some(_) => class_probability::log_loss(scored),
        None => probability::log_loss(scored),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::{OTHER, SCORE, TRUTH, WEIGHT, close, several};

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

    /// scikit-learn 1.9 on `metrics::samples::several`, without and with weights:
    ///
    /// ```python
    /// precision_score(t, p, average="macro", sample_weight=w, zero_division=nan)
    /// roc_auc_score(t, P, multi_class="ovr", average="macro", sample_weight=w)
    /// top_k_accuracy_score(t, P, k=2, sample_weight=w)
    /// ```
    const OF_CLASSES: &[(&str, f64, f64)] = &[
        ("accuracy", 0.583_333_333_333_333_4, 0.666_666_666_666_666_6),
        ("macro_precision", 0.611_111_111_111_111, 0.720_760_233_918_128_7),
        ("macro_recall", 0.520_833_333_333_333_3, 0.595_238_095_238_095_2),
        ("macro_f1", 0.483_333_333_333_333_3, 0.557_227_047_146_402),
        ("micro_precision", 0.583_333_333_333_333_4, 0.666_666_666_666_666_6),
        ("micro_recall", 0.583_333_333_333_333_4, 0.666_666_666_666_666_6),
        ("micro_f1", 0.583_333_333_333_333_4, 0.666_666_666_666_666_6),
        ("weighted_f1", 0.533_333_333_333_333_3, 0.603_052_861_117_377_3),
        ("log_loss", 1.125_536_524_627_639_6, 1.065_241_234_923_842_5),
        ("macro_roc_auc", 0.760_387_731_481_481_5, 0.786_515_228_598_561_9),
        ("top_2_accuracy", 0.833_333_333_333_333_4, 0.878_787_878_787_878_8),
        ("top_3_accuracy", 0.916_666_666_666_666_6, 0.939_393_939_393_939_4),
        ("cohen_kappa", 0.411_764_705_882_352_9, 0.519_205_298_013_245),
        ("mcc", 0.430_006_581_783_765_83, 0.554_433_816_515_501_4),
    ];

    #[test]
    fn several_classes_are_measured_as_scikit_learn_does() {
        for (name, expected, expected_weighted) in OF_CLASSES {
            let compute = metric(name).unwrap().compute;
            close(compute(&several::plain()).unwrap(), *expected, 1e-14);
            close(compute(&several::weighted()).unwrap(), *expected_weighted, 1e-14);
        }
        let n = METRICS.iter().filter(|metric| metric.is_of(Family::Classes)).count();
        assert_eq!(n, OF_CLASSES.len(), "every metric of several classes is compared");
    }

    /// Metrics for a truth of 0 and 1 or of numbers.
    fn of_one_score() -> impl Iterator<Item = &'static Metric> {
        METRICS.iter().filter(|row| row.families != [Family::Classes])
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
        for row in of_one_score() {
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
        for row in of_one_score() {
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
