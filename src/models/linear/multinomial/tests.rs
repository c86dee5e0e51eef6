//! Against scikit-learn 1.9, and what no optimum can be asked for.

use ndarray::{ArrayView2, ShapeBuilder};

use super::*;
use crate::models::linear::{Family, softmax::softmax};

/// Ten flowers of each of three species, four lengths each (Fisher, 1936): rows 0 to 9, 50 to 59
/// and 100 to 109 of `sklearn.datasets.load_iris()`.
#[rustfmt::skip]
const IRIS: [f64; 120] = [
    5.1, 3.5, 1.4, 0.2, 4.9, 3.0, 1.4, 0.2, 4.7, 3.2, 1.3, 0.2, 4.6, 3.1, 1.5, 0.2, 5.0, 3.6, 1.4, 0.2,
    5.4, 3.9, 1.7, 0.4, 4.6, 3.4, 1.4, 0.3, 5.0, 3.4, 1.5, 0.2, 4.4, 2.9, 1.4, 0.2, 4.9, 3.1, 1.5, 0.1,
    7.0, 3.2, 4.7, 1.4, 6.4, 3.2, 4.5, 1.5, 6.9, 3.1, 4.9, 1.5, 5.5, 2.3, 4.0, 1.3, 6.5, 2.8, 4.6, 1.5,
    5.7, 2.8, 4.5, 1.3, 6.3, 3.3, 4.7, 1.6, 4.9, 2.4, 3.3, 1.0, 6.6, 2.9, 4.6, 1.3, 5.2, 2.7, 3.9, 1.4,
    6.3, 3.3, 6.0, 2.5, 5.8, 2.7, 5.1, 1.9, 7.1, 3.0, 5.9, 2.1, 6.3, 2.9, 5.6, 1.8, 6.5, 3.0, 5.8, 2.2,
    7.6, 3.0, 6.6, 2.1, 4.9, 2.5, 4.5, 1.7, 7.3, 2.9, 6.3, 1.8, 6.7, 2.5, 5.8, 1.8, 7.2, 3.6, 6.1, 2.5,
];

fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("x{i}")).collect()
}

fn species() -> Vec<f64> {
    (0..30).map(|row| f64::from(row / 10)).collect()
}

fn logistic(change: impl Fn(&mut Params)) -> ValidParams {
    let mut params = Params::new(Family::Logistic);
    change(&mut params);
    params.check().unwrap()
}

/// Fits the flowers at these rows.
fn iris(rows: &[usize], weights: Option<&[f64]>, params: &ValidParams) -> MultinomialFit {
    let values: Vec<f64> =
        rows.iter().flat_map(|row| IRIS[4 * row..4 * row + 4].to_vec()).collect();
    let x = Array2::from_shape_vec((rows.len(), 4), values).unwrap();
    let y: Vec<f64> = rows.iter().map(|row| species()[*row]).collect();
    let names = names(4);
    let problem = Problem { x: x.view(), y: &y, weights, names: &names };
    fit_classes(&problem, 3, None, params, &Ctx::quiet()).unwrap()
}

fn probabilities(fit: &MultinomialFit, row: &[f64]) -> Vec<f64> {
    let x = ArrayView2::from_shape((1, row.len()), row).unwrap();
    let pairs = fit.intercepts.iter().zip(&fit.coefficients);
    let mut scores: Vec<f64> = pairs.map(|(b, own)| score_rows(x, *b, own)[0]).collect();
    softmax(&mut scores);
    scores
}

#[track_caller]
fn near(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    let off = got.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(off <= tolerance, "{got:?} is not {expected:?}");
}

#[track_caller]
fn check(fit: &MultinomialFit, intercepts: [f64; 3], coefficients: [[f64; 4]; 3]) {
    assert!(fit.converged && fit.iterations < 100, "{fit:?}");
    near(&fit.intercepts, &intercepts, 2e-6);
    for (got, expected) in fit.coefficients.iter().zip(coefficients) {
        near(got, &expected, 2e-6);
    }
}

/// ```python
/// s = StandardScaler().fit(X, sample_weight=w)
/// m = LogisticRegression(C=1, tol=1e-12, solver="newton-cg").fit(s.transform(X), y, sample_weight=w)
/// coef = m.coef_ / s.scale_; b = m.intercept_ - coef @ s.mean_; b - b.mean()
/// ```
#[test]
fn the_optimum_is_that_of_scikit_learn() {
    let all: Vec<usize> = (0..30).collect();
    let fit = iris(&all, None, &logistic(|_| ()));
    check(
        &fit,
        [1.710_236_733_1, 1.304_548_17, -3.014_784_903_1],
        [
            [-0.752_232_836_3, 2.125_275_647_4, -0.591_239_816_4, -1.419_740_943_8],
            [0.499_052_039_3, -0.659_943_916_4, -0.121_472_651_7, -0.480_057_401_7],
            [0.253_180_797, -1.465_331_731_1, 0.712_712_468_1, 1.899_798_345_5],
        ],
    );
    let sixteenth = [0.072_836_113_69, 0.700_485_169_61, 0.226_678_716_7];
    near(&probabilities(&fit, &IRIS[60..64]), &sixteenth, 1e-7);
    assert!((fit.loss - 0.230_069_821_49).abs() < 1e-8, "{}", fit.loss);
}

#[test]
fn weights_count_as_in_scikit_learn() {
    let all: Vec<usize> = (0..30).collect();
    let weights: Vec<f64> = (0..30).map(|row| f64::from(1 + row % 3)).collect();
    let fit = iris(&all, Some(&weights), &logistic(|_| ()));
    check(
        &fit,
        [1.963_095_989_1, 1.206_598_747_7, -3.169_694_736_8],
        [
            [-0.869_674_799_9, 2.630_711_484_3, -0.773_200_223_1, -1.798_074_951_2],
            [0.773_387_755, -0.780_268_311_7, -0.249_591_511_9, -0.695_107_394_3],
            [0.096_287_044_9, -1.850_443_172_6, 1.022_791_735, 2.493_182_345_5],
        ],
    );
}

#[test]
fn balanced_classes_count_as_in_scikit_learn() {
    let rows: Vec<usize> = (0..4).chain(10..30).collect();
    let fit = iris(&rows, None, &logistic(|p| p.class_weight = ClassWeight::Balanced));
    check(
        &fit,
        [1.964_489_519_1, 1.174_052_639_8, -3.138_542_158_9],
        [
            [-0.659_969_827_6, 1.995_080_151_3, -0.655_372_320_4, -1.517_031_675],
            [0.451_882_269_2, -0.553_797_665_1, -0.101_052_232_7, -0.460_655_750_0],
            [0.208_087_558_4, -1.441_282_486_1, 0.756_424_553_1, 1.977_687_425_1],
        ],
    );
    assert_eq!(fit.warnings, [Warning::ClassWeights]);
}

#[test]
fn a_penalty_may_see_the_columns_as_they_are() {
    // LogisticRegression(C=10, tol=1e-12, solver="lbfgs").fit(X, y)
    let all: Vec<usize> = (0..30).collect();
    let params = logistic(|p| (p.alpha, p.standardize) = (0.1, false));
    let fit = iris(&all, None, &params);
    assert!(fit.converged, "{fit:?}");
    let sixteenth = [0.002_871_910_5, 0.872_162_439_5, 0.124_965_65];
    near(&probabilities(&fit, &IRIS[60..64]), &sixteenth, 1e-5);
    near(&fit.coefficients[0], &[-0.181_001, 1.296_929, -3.058_336, -1.326_669], 1e-4);
}

/// Three heaps on a line, with one value far away: there linfa's softmax loses all other rows.
fn with_an_outlier() -> (Array2<f64>, Vec<f64>) {
    let mut rng = crate::rng::stream(crate::rng::Seed(4), "heaps");
    let y: Vec<f64> = (0..300).map(|row| f64::from(row % 3)).collect();
    let mut x = Array2::from_shape_fn((300, 3).f(), |_| rng.normal());
    for (row, class) in y.iter().enumerate() {
        x[[row, 0]] += 6.0 * class;
    }
    x[[7, 1]] = 1e4;
    (x, y)
}

#[test]
fn one_wild_value_spoils_no_other_row() {
    let (x, y) = with_an_outlier();
    let names = names(3);
    let problem = Problem { x: x.view(), y: &y, weights: None, names: &names };
    let fit = fit_classes(&problem, 3, None, &logistic(|_| ()), &Ctx::quiet()).unwrap();
    assert!(fit.converged);
    let called = |row: usize| {
        let probability = probabilities(&fit, &x.row(row).to_vec());
        (0..3).max_by(|a, b| probability[*a].total_cmp(&probability[*b])).unwrap()
    };
    let right = (0..300).filter(|row| called(*row) == y[*row] as usize).count();
    assert!(295 <= right, "{right} of 300");
}

#[test]
fn threads_and_order_of_the_matrix_change_no_bit() {
    let (x, y) = with_an_outlier();
    let (names, params) = (names(3), logistic(|_| ()));
    let rows_first = x.as_standard_layout().to_owned();
    let fit = |x: ArrayView2<f64>, workers| {
        let problem = Problem { x: x.reborrow(), y: &y, weights: None, names: &names };
        fit_with(&problem, 3, None, &params, workers, &Ctx::quiet()).unwrap()
    };
    let one = fit(x.view(), Workers::One);
    assert_eq!(one, fit(x.view(), Workers::All));
    assert_eq!(one, fit(rows_first.view(), Workers::All));
}

#[test]
fn a_class_without_rows_cannot_be() {
    let rows: Vec<usize> = (0..10).chain(20..30).collect();
    let fit = iris(&rows, None, &logistic(|_| ()));
    let probability = probabilities(&fit, &IRIS[..4]);
    assert_eq!((fit.intercepts[1], probability[1]), (f64::NEG_INFINITY, 0.0));
    assert!(0.9 < probability[0] && (probability.iter().sum::<f64>() - 1.0).abs() < 1e-15);
}

#[test]
fn separated_classes_without_a_penalty_are_said() {
    let rows: Vec<usize> = (0..30).collect();
    let fit = iris(&rows, None, &logistic(|p| p.alpha = 0.0));
    assert_eq!((fit.converged, fit.warnings), (false, vec![Warning::ClassesSeparated]));
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let values = [1.0, 2.0, 3.0];
    let x = ArrayView2::from_shape((3, 1), &values).unwrap();
    let names = names(1);
    let refused = |y: &[f64], params: &ValidParams| {
        let problem = Problem { x: x.reborrow(), y, weights: None, names: &names };
        fit_classes(&problem, 3, None, params, &Ctx::quiet()).unwrap_err().to_string()
    };
    let usual = logistic(|_| ());
    assert!(refused(&[1.0, 1.0, 1.0], &usual).starts_with("all rows are of one class"));
    assert!(refused(&[0.0, 1.0, 3.0], &usual).contains("row 3 is `3`"));
    let pair = logistic(|p| p.class_weight = ClassWeight::Given { neg: 1.0, pos: 2.0 });
    assert!(refused(&[0.0, 1.0, 2.0], &pair).contains("two class weights"));
    let downhill = logistic(|p| p.solver = Solver::Gd);
    assert!(refused(&[0.0, 1.0, 2.0], &downhill).contains("hint: use solver `irls`"));
}

#[test]
fn a_fit_can_be_cancelled() {
    let (x, y) = with_an_outlier();
    let names = names(3);
    let problem = Problem { x: x.view(), y: &y, weights: None, names: &names };
    let ctx = Ctx::quiet();
    ctx.cancel_token().cancel();
    let error = fit_classes(&problem, 3, None, &logistic(|_| ()), &ctx).unwrap_err();
    assert!(matches!(error, Error::Cancelled(_)), "{error}");
}

#[test]
fn validation_rows_are_watched() {
    let all: Vec<usize> = (0..30).collect();
    let x = ArrayView2::from_shape((30, 4), &IRIS).unwrap();
    let (y, names) = (species(), names(4));
    let problem = Problem { x, y: &y, weights: None, names: &names };
    let fit = fit_classes(&problem, 3, Some(&problem), &logistic(|_| ()), &Ctx::quiet()).unwrap();
    let last = fit.history.last().unwrap();
    assert!((last.valid_loss.unwrap() - last.loss).abs() < 1e-12, "{last:?}");
    assert_eq!(fit.coefficients, iris(&all, None, &logistic(|_| ())).coefficients);
    assert!((fit.history[0].loss - 3.0_f64.ln()).abs() < 1e-12);
}
