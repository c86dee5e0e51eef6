//! Fits against published results, scikit-learn and statsmodels.

use super::*;

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
