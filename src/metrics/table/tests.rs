//! Every metric against scikit-learn, and the laws that all of them obey.

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
