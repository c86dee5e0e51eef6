//! Fits against published results, scikit-learn and statsmodels, and the laws that hold for all.

use ndarray::{Array2, ShapeBuilder};
use proptest::prelude::*;

use super::*;
use crate::jobs::{CancelToken, Report};
use crate::rng::{Seed, stream};

/// A problem that owns its numbers.
struct Owned {
    x: Array2<f64>,
    y: Vec<f64>,
    weights: Option<Vec<f64>>,
    names: Vec<String>,
}

impl Owned {
    fn new(n_columns: usize, columns: Vec<f64>, y: Vec<f64>) -> Self {
        let x = Array2::from_shape_vec((y.len(), n_columns).f(), columns).unwrap();
        Self { x, y, weights: None, names: (1..=n_columns).map(|i| format!("x{i}")).collect() }
    }

    /// Forty rows of three columns, with a linear target.
    fn forty() -> Self {
        let value = |column: usize, i: usize| match column {
            0 => ((i * 7) % 11) as f64 / 3.0,
            1 => ((i * 5) % 13) as f64 / 2.0 - 3.0,
            _ => ((i * i) % 17) as f64,
        };
        let columns = (0..3).flat_map(|column| (0..40).map(move |i| value(column, i))).collect();
        let target = |i: usize| {
            1.5 * value(0, i) - 2.0 * value(1, i) + 0.3 * value(2, i) + 4.0 + (i as f64).sin()
        };
        Self::new(3, columns, (0..40).map(target).collect())
    }

    /// The same rows with classes.
    fn forty_classes() -> Self {
        let class = |i: usize| f64::from(((i * 3) % 7 + (i * 7) % 11) % 5 < 2);
        Self { y: (0..40).map(class).collect(), ..Self::forty() }
    }

    /// Weights of 0.5, 1.5, 2.5 and 3.5 in turn.
    fn weighted(mut self) -> Self {
        self.weights = Some((0..self.y.len()).map(|i| 0.5 + (i % 4) as f64).collect());
        self
    }

    fn problem(&self) -> Problem<'_> {
        let weights = self.weights.as_deref();
        Problem { x: self.x.view(), y: &self.y, weights, names: &self.names }
    }

    fn fit(&self, params: Params) -> Result<Fit, Error> {
        fit(&self.problem(), None, &params.check().unwrap(), &Ctx::quiet())
    }
}

fn linear() -> Params {
    Params::new(Family::Linear)
}

fn ridge(alpha: f64) -> Params {
    Params { alpha, ..Params::new(Family::Ridge) }
}

fn logistic(alpha: f64) -> Params {
    Params { alpha, ..Params::new(Family::Logistic) }
}

fn stats(fit: &Fit) -> &[CoefficientStats] {
    match &fit.inference {
        Inference::Exact(stats) => stats,
        Inference::WhyNot(why) => panic!("{why}"),
    }
}

#[track_caller]
fn near(got: f64, expected: f64, tolerance: f64) {
    let error = (got - expected).abs();
    assert!(error <= tolerance * expected.abs(), "{got} is not {expected} (off by {error:e})");
}

/// Intercept and coefficients, relative to each.
#[track_caller]
fn near_all(fit: &Fit, intercept: f64, coefficients: &[f64], tolerance: f64) {
    near(fit.intercept, intercept, tolerance);
    assert_eq!(fit.coefficients.len(), coefficients.len());
    for (got, expected) in fit.coefficients.iter().zip(coefficients) {
        near(*got, *expected, tolerance);
    }
}

/// Longley (1967), as certified by NIST: employment explained by six nearly collinear columns.
#[test]
fn longley_comes_out_to_ten_digits() {
    #[rustfmt::skip]
    let columns = vec![
        83.0, 88.5, 88.2, 89.5, 96.2, 98.1, 99.0, 100.0,
        101.2, 104.6, 108.4, 110.8, 112.6, 114.2, 115.7, 116.9,
        234_289.0, 259_426.0, 258_054.0, 284_599.0, 328_975.0, 346_999.0, 365_385.0, 363_112.0,
        397_469.0, 419_180.0, 442_769.0, 444_546.0, 482_704.0, 502_601.0, 518_173.0, 554_894.0,
        2356.0, 2325.0, 3682.0, 3351.0, 2099.0, 1932.0, 1870.0, 3578.0,
        2904.0, 2822.0, 2936.0, 4681.0, 3813.0, 3931.0, 4806.0, 4007.0,
        1590.0, 1456.0, 1616.0, 1650.0, 3099.0, 3594.0, 3547.0, 3350.0,
        3048.0, 2857.0, 2798.0, 2637.0, 2552.0, 2514.0, 2572.0, 2827.0,
        107_608.0, 108_632.0, 109_773.0, 110_929.0, 112_075.0, 113_270.0, 115_094.0, 116_219.0,
        117_388.0, 118_734.0, 120_445.0, 121_950.0, 123_366.0, 125_368.0, 127_852.0, 130_081.0,
        1947.0, 1948.0, 1949.0, 1950.0, 1951.0, 1952.0, 1953.0, 1954.0,
        1955.0, 1956.0, 1957.0, 1958.0, 1959.0, 1960.0, 1961.0, 1962.0,
    ];
    #[rustfmt::skip]
    let employed = vec![
        60_323.0, 61_122.0, 60_171.0, 61_187.0, 63_221.0, 63_639.0, 64_989.0, 63_761.0,
        66_019.0, 67_857.0, 68_169.0, 66_513.0, 68_655.0, 69_564.0, 69_331.0, 70_551.0,
    ];
    let fit = Owned::new(6, columns, employed).fit(linear()).unwrap();
    let certified = [
        (-3_482_258.634_595_82, 890_420.383_607_373),
        (15.061_872_271_373_3, 84.914_925_774_766_9),
        (-0.035_819_179_292_591_0, 0.033_491_007_772_243_2),
        (-2.020_229_803_816_83, 0.488_399_681_651_699),
        (-1.033_226_867_173_59, 0.214_274_163_161_675),
        (-0.051_104_105_653_580_7, 0.226_073_200_069_370),
        (1_829.151_464_613_55, 455.478_499_142_212),
    ];
    for (stats, (value, std_error)) in stats(&fit).iter().zip(certified) {
        near(stats.value, value, 1e-10);
        near(stats.std_error, std_error, 1e-10);
    }
    near(fit.deviance, 836_424.055_505_915, 1e-10);
    near(fit.sigma2.unwrap(), 92_936.006_167_323_8, 1e-10);
    near(1.0 - fit.deviance / fit.null_deviance, 0.995_479_004_577_296, 1e-12);
}

/// Efron et al. (2004), in the scaling of scikit-learn.
fn diabetes() -> Owned {
    let text = include_str!("../../../sample_data/diabetes.csv");
    let rows: Vec<Vec<f64>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|value| value.trim().parse().unwrap()).collect())
        .collect();
    let columns = (0..10).flat_map(|j| rows.iter().map(move |row| row[j])).collect();
    Owned::new(10, columns, rows.iter().map(|row| row[10]).collect())
}

#[test]
fn diabetes_is_that_of_scikit_learn() {
    let fit = diabetes().fit(linear()).unwrap();
    let coefficients = [
        -10.009_866_30,
        -239.815_643_67,
        519.845_920_05,
        324.384_645_50,
        -792.175_638_55,
        476.739_021_01,
        101.043_267_94,
        177.063_237_67,
        751.273_699_56,
        67.626_692_18,
    ];
    near_all(&fit, 152.133_484_162_9, &coefficients, 1e-9);
    near(fit.loss, 2_859.696_347_586_7, 1e-12);
    near(1.0 - fit.deviance / fit.null_deviance, 0.517_748_422_220, 1e-11);
}

// m = statsmodels.api.OLS(y, add_constant(x)).fit(); m.params, m.bse, m.pvalues, m.conf_int(),
// m.llf, m.mse_resid
#[test]
fn least_squares_are_those_of_statsmodels() {
    let fit = Owned::forty().fit(linear()).unwrap();
    let slopes = [1.543_959_478_896_750_6, -2.104_967_325_194_55, 0.311_250_591_468_558_7];
    near_all(&fit, 3.859_764_366_764_094, &slopes, 1e-12);
    let first = &stats(&fit)[1];
    assert_eq!((first.column, first.name.as_str()), (Some(0), "x1"));
    near(first.std_error, 0.105_967_753_040_552_05, 1e-12);
    near(first.p, 1.140_588_835_483_78e-16, 1e-9);
    near(first.low, 1.329_046_914_657_829, 1e-12);
    near(first.high, 1.758_872_043_135_672_1, 1e-12);
    near(stats(&fit)[0].std_error, 0.266_932_569_452_451_25, 1e-12);
    near(fit.log_likelihood, -40.832_673_241_133_82, 1e-12);
    near(fit.sigma2.unwrap(), 0.501_133_428_654_941_4, 1e-12);

    // WLS(y, add_constant(x), weights=w).fit(): params, bse, mse_resid, llf
    let fit = Owned::forty().weighted().fit(linear()).unwrap();
    let slopes = [1.589_187_048_240_145_1, -2.104_850_846_555_578, 0.327_488_660_806_725_23];
    near_all(&fit, 3.705_417_374_775_769_3, &slopes, 1e-12);
    near(stats(&fit)[0].std_error, 0.254_184_977_217_740_2, 1e-12);
    near(stats(&fit)[3].std_error, 0.019_279_312_708_909_473, 1e-12);
    near(fit.sigma2.unwrap(), 0.909_670_166_645_608_3, 1e-12);
    near(fit.log_likelihood, -43.350_008_887_256_67, 1e-12);

    // OLS(y, x).fit(): params, bse
    let fit = Owned::forty().fit(Params { fit_intercept: false, ..linear() }).unwrap();
    let slopes = [2.619_359_800_719_839, -2.168_608_693_755_318, 0.487_518_455_893_974_36];
    assert_eq!(fit.intercept, 0.0);
    near_all(&fit, 0.0, &slopes, 1e-12);
    near(stats(&fit)[0].std_error, 0.194_273_817_263_929_73, 1e-12);
}

// Ridge(alpha=2, solver="cholesky").fit(x / s, y), with s = 1 and s = x.std(0)
#[test]
fn ridge_is_that_of_scikit_learn() {
    let fit = Owned::forty().fit(Params { standardize: false, ..ridge(2.0) }).unwrap();
    let raw = [1.469_672_519_308_616_6, -2.069_720_042_044_937_5, 0.310_929_164_057_091_64];
    near_all(&fit, 3.989_948_690_745_877_4, &raw, 1e-12);
    let fit = Owned::forty().fit(ridge(2.0)).unwrap();
    let scaled = [1.436_587_859_783_821_8, -1.998_761_472_211_236_8, 0.298_331_854_763_004_2];
    near_all(&fit, 4.148_592_240_712_654, &scaled, 1e-12);
    assert!(matches!(&fit.inference, Inference::WhyNot(why) if why.contains("alpha = 2")));
}

// m = statsmodels.api.Logit(y, add_constant(x)).fit(method="newton", tol=1e-14)
#[test]
fn the_likelihood_is_that_of_statsmodels() {
    let fit = Owned::forty_classes().fit(logistic(0.0)).unwrap();
    let slopes = [-0.036_575_311_365_100_08, 0.137_746_471_647_022_08, -0.010_498_877_051_216_727];
    near_all(&fit, -0.366_638_716_849_451, &slopes, 1e-10);
    let stats = stats(&fit);
    near(stats[0].std_error, 0.781_484_597_100_151_4, 1e-8);
    near(stats[2].std_error, 0.177_098_138_952_842_24, 1e-8);
    near(stats[2].p, 0.436_688_462_214_771, 1e-8);
    near(stats[2].low, -0.209_359_502_429_618_76, 1e-8);
    near(stats[2].odds_ratio.unwrap().high, 0.484_852_445_723_662_93_f64.exp(), 1e-8);
    assert_eq!(stats[0].odds_ratio, None);
    near(fit.log_likelihood, -26.125_198_787_761_36, 1e-12);
    near(fit.null_deviance, 52.925_059_052_638_57, 1e-12);
    near(fit.aic.unwrap(), 60.250_397_575_522_72, 1e-12);

    // GLM(y, add_constant(x), family=Binomial(), freq_weights=w).fit(): params, bse, deviance
    let fit = Owned::forty_classes().weighted().fit(logistic(0.0)).unwrap();
    let slopes = [0.055_380_048_374_175_095, 0.235_542_535_707_510_5, 0.009_220_900_801_182_031];
    near_all(&fit, -0.622_361_895_824_371_5, &slopes, 1e-9);
    near(fit.deviance, 103.488_784_737_647_76, 1e-11);
    near(fit.null_deviance, 107.263_357_759_917_61, 1e-12);
}

// s = x.std(0) or 1; LogisticRegression(C=1/alpha, tol=1e-14, solver="newton-cholesky")
//     .fit(x / s, y)
#[test]
fn penalised_classes_are_those_of_scikit_learn() {
    let owned = Owned::forty_classes();
    let raw = [-0.032_221_575_163_652_33, 0.133_286_513_886_195_67, -0.010_536_325_003_327_563];
    let unscaled = Params { standardize: false, ..logistic(1.0) };
    near_all(&owned.fit(unscaled.clone()).unwrap(), -0.373_485_459_643_043_64, &raw, 1e-9);

    let scaled = [-0.028_971_143_702_231_93, 0.123_653_638_812_476_65, -0.009_751_523_103_236_839];
    let fit = owned.fit(logistic(1.0)).unwrap();
    near_all(&fit, -0.384_577_117_843_839_74, &scaled, 1e-9);
    assert!(fit.converged && fit.iterations <= 6, "{:?}", fit.history);

    // class_weight="balanced"
    let balanced = Params { class_weight: ClassWeight::Balanced, ..logistic(0.5) };
    let fit = owned.fit(balanced).unwrap();
    let slopes = [-0.035_742_333_226_644_475, 0.135_344_438_111_920_68, -0.012_258_021_063_200_513];
    near_all(&fit, 0.156_388_525_948_333_25, &slopes, 1e-9);
    assert_eq!(fit.warnings, [Warning::ClassWeights]);

    // fit(x, y, sample_weight=w)
    let fit = Owned::forty_classes().weighted().fit(unscaled).unwrap();
    let slopes = [0.052_654_320_590_820_536, 0.231_906_562_408_428_88, 0.009_081_456_312_406_611];
    near_all(&fit, -0.615_989_119_067_356_3, &slopes, 1e-9);
}

#[test]
fn all_solvers_meet() {
    for alpha in [0.0, 1.0] {
        let owned = Owned::forty_classes();
        let optimum = owned.fit(logistic(alpha)).unwrap();
        let lbfgs = owned.fit(Params { solver: Solver::Lbfgs, ..logistic(alpha) }).unwrap();
        near_all(&lbfgs, optimum.intercept, &optimum.coefficients, 1e-5);
        let gd =
            Params { solver: Solver::Gd, learning_rate: Some(1.0), epochs: 500, ..logistic(alpha) };
        let gd = owned.fit(gd).unwrap();
        near_all(&gd, optimum.intercept, &optimum.coefficients, 1e-5);
        assert!(gd.converged && gd.history.is_sorted_by(|a, b| b.loss <= a.loss));
    }
    for params in [linear(), ridge(2.0)] {
        let owned = Owned::forty().weighted();
        let closed = owned.fit(params.clone()).unwrap();
        let gd = Params { solver: Solver::Gd, epochs: 400, ..params.clone() };
        let gd = owned.fit(gd).unwrap();
        near_all(&gd, closed.intercept, &closed.coefficients, 1e-7);
        near(gd.loss, closed.loss, 1e-6);
        let sgd = Params { solver: Solver::Sgd, learning_rate: Some(0.1), batch_size: 8, ..params };
        let sgd = owned.fit(sgd).unwrap();
        near_all(&sgd, closed.intercept, &closed.coefficients, 1e-2);
        near(sgd.loss, closed.loss, 1e-4);
    }
}

#[test]
fn the_same_seed_gives_the_same_descent() {
    let with_seed = |seed| {
        let params = Params { solver: Solver::Sgd, epochs: 3, seed, ..linear() };
        Owned::forty().fit(params).unwrap().coefficients
    };
    assert_eq!(with_seed(Seed(1)), with_seed(Seed(1)));
    assert_ne!(with_seed(Seed(1)), with_seed(Seed(2)));
}

#[test]
fn too_long_a_stride_is_stopped_and_explained() {
    for (owned, params) in [(Owned::forty(), linear()), (diabetes(), ridge(1.0))] {
        for solver in [Solver::Gd, Solver::Sgd] {
            let error = owned.fit(Params { solver, learning_rate: Some(10.0), ..params.clone() });
            let text = error.unwrap_err().to_string();
            assert!(text.contains("hint: use a smaller `learning_rate`, such as 1"), "{text}");
        }
    }
}

#[test]
fn validation_rows_are_watched() {
    let (owned, valid) = (Owned::forty_classes(), Owned::forty_classes().weighted());
    for solver in [Solver::Irls, Solver::Lbfgs, Solver::Gd] {
        let params = Params { solver, ..logistic(1.0) }.check().unwrap();
        let fit = fit(&owned.problem(), Some(&valid.problem()), &params, &Ctx::quiet()).unwrap();
        let last = fit.history.last().unwrap();
        assert!(fit.history.iter().all(|step| step.valid_loss.is_some()), "{solver}");
        near(last.loss, fit.loss, 1e-12);
        assert_ne!(last.valid_loss, Some(last.loss));
    }
}

/// Records of a quoted table with a header line.
fn records(text: &str) -> Vec<Vec<String>> {
    text.lines()
        .map(|line| {
            let (mut fields, mut quoted) = (vec![String::new()], false);
            for character in line.trim_end().chars() {
                match character {
                    '"' => quoted = !quoted,
                    ',' if !quoted => fields.push(String::new()),
                    other => fields.last_mut().unwrap().push(other),
                }
            }
            fields
        })
        .collect()
}

/// German credit with every level of every category as a column, without the rows of a fold.
fn german_credit(fold: Option<usize>) -> Owned {
    let mut rows = records(include_str!("../../../sample_data/german_credit.csv"));
    let header = rows.remove(0);
    let (mut columns, mut names) = (Vec::new(), Vec::new());
    let kept: Vec<&Vec<String>> = rows
        .iter()
        .enumerate()
        .filter(|(i, _)| fold.is_none_or(|fold| i % 10 != fold))
        .map(|(_, row)| row)
        .collect();
    for (j, name) in header.iter().enumerate().take(20) {
        let numbers: Result<Vec<f64>, _> = kept.iter().map(|row| row[j].parse()).collect();
        if let Ok(numbers) = numbers {
            columns.extend(numbers);
            names.push(name.clone());
            continue;
        }
        let levels: std::collections::BTreeSet<&String> = rows.iter().map(|row| &row[j]).collect();
        for level in levels {
            columns.extend(kept.iter().map(|row| f64::from(row[j] == *level)));
            names.push(format!("{name} = {level}"));
        }
    }
    let y = kept.iter().map(|row| f64::from(row[20] == "bad")).collect();
    Owned { names: names.clone(), ..Owned::new(names.len(), columns, y) }
}

/// Deviance and criterion of R's `glm(family = binomial)` on all columns.
#[test]
fn german_credit_is_that_of_r() {
    let fit = german_credit(None).fit(logistic(0.0)).unwrap();
    assert_eq!(fit.rank, 49);
    near(fit.deviance, 895.817_785_48, 1e-11);
    near(fit.aic.unwrap(), 993.817_785_48, 1e-11);
    let [Warning::Collinear { columns }] = &fit.warnings[..] else { panic!("{:?}", fit.warnings) };
    assert_eq!(columns.len(), 13);
}

#[track_caller]
fn names_the_level_that_separates(solver: Solver) {
    let owned = german_credit(Some(3));
    let fit = owned.fit(Params { solver, ..logistic(0.0) }).unwrap();
    let columns = vec!["purpose = retraining".into()];
    assert_eq!(fit.warnings[1..], [Warning::Separation { columns, complete: false }]);
    assert!(!fit.converged && matches!(fit.inference, Inference::WhyNot(_)));
    assert!(fit.coefficients.iter().all(|value| value.abs() < 30.0), "{fit:?}");
}

#[test]
fn a_level_that_separates_is_named() {
    names_the_level_that_separates(Solver::Irls);
}

#[test]
fn a_level_that_separates_is_named_after_lbfgs_too() {
    names_the_level_that_separates(Solver::Lbfgs);
}

#[test]
fn a_penalty_keeps_what_separates_finite() {
    let fit = german_credit(Some(3)).fit(logistic(1.0)).unwrap();
    assert!(fit.converged && fit.warnings.is_empty(), "{:?}", fit.warnings);
}

#[test]
fn a_column_that_separates_all_rows_is_named() {
    let mut owned = Owned::forty_classes();
    owned.x.column_mut(1).iter_mut().zip(&owned.y).for_each(|(x, y)| *x += 100.0 * y);
    let fit = owned.fit(logistic(0.0)).unwrap();
    let expected = Warning::Separation { columns: vec!["x2".into()], complete: true };
    assert_eq!(fit.warnings, [expected]);
    assert!(fit.coefficients.iter().all(|value| value.abs() < 10.0), "{fit:?}");
}

#[test]
fn columns_without_information_are_left_out_and_named() {
    let plain = Owned::forty();
    let mut columns: Vec<f64> = plain.x.columns().into_iter().flatten().copied().collect();
    let copy: Vec<f64> = (0..40).map(|i| 3.0 * columns[i] - columns[40 + i] + 7.0).collect();
    columns.extend(copy);
    columns.extend([0.1; 40]);
    let owned = Owned::new(5, columns, plain.y.clone());
    let expected = plain.fit(linear()).unwrap();
    let fit = owned.fit(linear()).unwrap();
    near_all(
        &Fit { coefficients: fit.coefficients[..3].to_vec(), ..fit.clone() },
        expected.intercept,
        &expected.coefficients,
        1e-11,
    );
    assert_eq!(fit.coefficients[3..], [0.0, 0.0]);
    assert_eq!((fit.rank, stats(&fit).len()), (4, 4));
    let named = |name: &str| vec![name.to_string()];
    assert_eq!(
        fit.warnings,
        [Warning::Constant { columns: named("x5") }, Warning::Collinear { columns: named("x4") }]
    );
    // A penalty shares the weight between them instead.
    let shared = owned.fit(ridge(1.0)).unwrap();
    assert!(shared.coefficients[3] != 0.0 && shared.warnings.len() == 1);
}

#[test]
fn what_cannot_be_fitted_is_said_plainly() {
    #[track_caller]
    fn refused(owned: &Owned, params: Params, expected: &str) {
        let text = owned.fit(params).unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
    }
    let forty = Owned::forty;
    let mut owned = forty();
    owned.x[[6, 1]] = f64::NAN;
    refused(&owned, linear(), "column `x2` has no finite value in row 7");
    owned.x[[6, 1]] = 1e300;
    refused(&owned, linear(), "column `x2` holds values too large");
    let mut owned = forty();
    owned.y[3] = f64::INFINITY;
    refused(&owned, linear(), "the target has no finite value in row 4");
    refused(&Owned { y: vec![2.5; 40], ..forty() }, linear(), "the target is `2.5` in every row");
    refused(&Owned { y: vec![1.0; 40], ..forty() }, logistic(1.0), "all rows are of one class");
    refused(&forty(), logistic(1.0), "neither 0 nor 1");
    refused(&Owned { y: vec![1.0; 39], ..forty() }, linear(), "40 rows, but 39 were given");
    refused(&Owned::new(1, vec![3.0; 4], vec![1.0, 2.0, 3.0, 4.0]), linear(), "no feature varies");
    refused(&Owned::new(2, Vec::new(), Vec::new()), linear(), "no rows");
    let with_weights = |weights| Owned { weights: Some(weights), ..Owned::forty_classes() };
    refused(&with_weights(vec![0.0; 40]), logistic(1.0), "weight 0");
    refused(&with_weights(vec![-1.0; 40]), logistic(1.0), "the weight in row 1 is `-1`");
    let by_class = Owned::forty_classes().y;
    refused(&with_weights(by_class), logistic(1.0), "all rows are of one class");
    let lbfgs = Params { solver: Solver::Lbfgs, ..logistic(1.0) };
    refused(&Owned::forty_classes().weighted(), lbfgs, "hint: use solver `irls`");
    let wide =
        Owned::new(3, vec![1.0, 2.0, 3.0, 3.0, 1.0, 2.0, 5.0, 1.0, 7.0], vec![1.0, 2.0, 4.0]);
    refused(&wide, linear(), "3 rows cannot determine 4 coefficients\nhint: use a penalty");
    assert!(wide.fit(ridge(1.0)).unwrap().converged);
}

#[test]
fn a_fit_stops_when_asked_to() {
    for params in [linear(), logistic(1.0), Params { solver: Solver::Gd, ..logistic(1.0) }] {
        let token = CancelToken::default();
        token.cancel();
        let ctx = Ctx::new(token, |_| ());
        let problem = Owned::forty_classes();
        let stopped = fit(&problem.problem(), None, &params.check().unwrap(), &ctx);
        assert!(matches!(stopped, Err(Error::Cancelled(_))), "{stopped:?}");
    }
    let token = CancelToken::default();
    let stop = token.clone();
    let ctx = Ctx::new(token, move |report| {
        if matches!(report, Report::Step(progress) if progress.done == 3) {
            stop.cancel();
        }
    });
    let params = Params { solver: Solver::Sgd, ..linear() }.check().unwrap();
    let stopped = fit(&Owned::forty().problem(), None, &params, &ctx);
    assert!(matches!(stopped, Err(Error::Cancelled(_))), "{stopped:?}");
}

/// Rows enough for the Gram matrix, with classes that follow the first two columns.
fn many_rows(n_rows: usize, n_columns: usize) -> Owned {
    let mut rng = stream(Seed(7), "rows");
    let x: Vec<f64> = (0..n_rows * n_columns).map(|_| rng.uniform() - 0.5).collect();
    let class = |i: usize| f64::from(x[i] + x[n_rows + i] + rng.uniform() > 0.7);
    let y = (0..n_rows).map(class).collect();
    Owned::new(n_columns, x, y)
}

#[test]
fn threads_do_not_change_a_bit() {
    let owned = many_rows(14_000, 20);
    for params in [
        linear(),
        ridge(1.0),
        logistic(1.0),
        Params { solver: Solver::Gd, epochs: 3, ..logistic(1.0) },
    ] {
        let params = params.check().unwrap();
        let with =
            |workers| fit_with(&owned.problem(), None, &params, workers, &Ctx::quiet()).unwrap();
        assert_eq!(with(Workers::One), with(Workers::All));
    }
}

#[test]
fn both_ways_to_the_triangle_agree() {
    // The same rows twice over: beyond the limit of the Gram matrix, and below it.
    let once = many_rows(8_000, 20);
    let columns = once.x.columns().into_iter().flat_map(|c| c.to_vec().repeat(2)).collect();
    let twice = Owned::new(20, columns, once.y.repeat(2));
    let (small, large) = (once.fit(linear()).unwrap(), twice.fit(linear()).unwrap());
    near_all(&large, small.intercept, &small.coefficients, 1e-9);
    near(large.loss, small.loss, 1e-11);
    let (small, large) = (once.fit(logistic(1.0)).unwrap(), twice.fit(logistic(2.0)).unwrap());
    near_all(&large, small.intercept, &small.coefficients, 1e-9);
}

#[test]
fn rows_first_is_as_good_as_columns_first() {
    let owned = Owned::forty();
    let copy = owned.x.as_standard_layout().to_owned();
    let problem = Problem { x: copy.view(), ..owned.problem() };
    let params = linear().check().unwrap();
    let fit = fit(&problem, None, &params, &Ctx::quiet()).unwrap();
    assert_eq!(fit, owned.fit(linear()).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_weight_counts_like_repeated_rows(
        rows in prop::collection::vec((-3.0..3.0_f64, -3.0..3.0_f64, 0_usize..4), 8..40),
    ) {
        let build = |rows: &[(f64, f64, usize)]| {
            let columns = rows.iter().map(|row| row.0).chain(rows.iter().map(|row| row.1));
            let class = |row: &(f64, f64, usize)| f64::from(row.0.to_bits().is_multiple_of(3));
            Owned::new(2, columns.collect(), rows.iter().map(class).collect())
        };
        let repeated: Vec<_> =
            rows.iter().flat_map(|row| std::iter::repeat_n(*row, row.2)).collect();
        let mut weighted = build(&rows);
        weighted.weights = Some(rows.iter().map(|row| row.2 as f64).collect());
        for params in [ridge(1.0), logistic(0.7), Params { standardize: false, ..ridge(2.0) }] {
            match (weighted.fit(params.clone()), build(&repeated).fit(params)) {
                (Ok(a), Ok(b)) => {
                    prop_assert!((a.intercept - b.intercept).abs() < 1e-8);
                    for (a, b) in a.coefficients.iter().zip(&b.coefficients) {
                        prop_assert!((a - b).abs() < 1e-8, "{} {}", a, b);
                    }
                }
                (a, b) => prop_assert_eq!(a.is_err(), b.is_err()),
            }
        }
    }
}
