//! Tails and quantiles of the distributions that tests are read from.
//!
//! Far tails keep their relative accuracy: they are computed as such, and not as 1 less the rest.

use std::f64::consts::SQRT_2;

use statrs::function::{
    beta::checked_beta_reg,
    erf::{erfc, erfc_inv},
    gamma::checked_gamma_ur,
};

/// P(Z ≤ z) of the standard normal distribution.
///
/// ```
/// assert_eq!(karat::metrics::distribution::normal_cdf(0.0), 0.5);
/// ```
pub fn normal_cdf(z: f64) -> f64 {
    erfc(-z / SQRT_2) / 2.0
}

/// The number below which a share `p` of the standard normal distribution lies; infinite for 0
/// and 1.
pub fn normal_quantile(p: f64) -> f64 {
    -SQRT_2 * erfc_inv(2.0 * p)
}

/// P(|Z| ≥ |z|): the two-sided p-value of a standard normal statistic.
pub fn normal_p(z: f64) -> f64 {
    erfc(z.abs() / SQRT_2)
}

/// P(|T| ≥ |t|): the two-sided p-value of Student's t with `df` degrees of freedom; `None` where
/// there is no such distribution.
pub fn student_p(t: f64, df: f64) -> Option<f64> {
    if t == 0.0 && 0.0 < df {
        return Some(1.0);
    }
    let ratio = t * t / df;
    if t.abs() < 1.0 {
        // A short way from the middle it is the body between -t and t that is small and exact.
        beta_reg(0.5, df / 2.0, 1.0 / (1.0 + 1.0 / ratio)).map(|body| 1.0 - body)
    } else {
        beta_reg(df / 2.0, 0.5, 1.0 / (1.0 + ratio))
    }
}

/// The number below which a share `p` of Student's t with `df` degrees of freedom lies; `None`
/// where there is no such number.
pub fn student_quantile(p: f64, df: f64) -> Option<f64> {
    if !(0.0 < p && p < 1.0) {
        return None;
    }
    let tail = 2.0 * p.min(1.0 - p);
    let (mut low, mut high) = (0.0, 1.0);
    while tail < student_p(high, df)? {
        (low, high) = (high, 2.0 * high);
    }
    // The tail falls steadily, and 100 halvings leave no digit open.
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if tail < student_p(middle, df)? {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(f64::midpoint(low, high).copysign(p - 0.5))
}

/// P(X ≥ x) of the chi-squared distribution with `df` degrees of freedom.
pub fn chi2_p(x: f64, df: f64) -> Option<f64> {
    if x <= 0.0 && 0.0 < df {
        return Some(1.0);
    }
    checked_gamma_ur(df / 2.0, x / 2.0).ok().filter(|p| p.is_finite())
}

/// P(X ≥ f) of the F distribution with `df1` and `df2` degrees of freedom.
pub fn f_p(f: f64, df1: f64, df2: f64) -> Option<f64> {
    if f <= 0.0 && 0.0 < df1 && 0.0 < df2 {
        return Some(1.0);
    }
    beta_reg(df2 / 2.0, df1 / 2.0, df2 / (df2 + df1 * f))
}

/// Wilson's interval (1927) of a share `rate` seen in `n` rows, where `n` need not be whole. It
/// stays within 0 and 1 and covers even what was never seen.
pub fn wilson(rate: f64, n: f64, level: f64) -> (f64, f64) {
    let z = normal_quantile(f64::midpoint(1.0, level));
    let spread = z * z / n;
    let middle = (rate + spread / 2.0) / (1.0 + spread);
    let half = z / (1.0 + spread) * (rate * (1.0 - rate) / n + spread / (4.0 * n)).sqrt();
    ((middle - half).max(0.0).min(rate), (middle + half).min(1.0).max(rate))
}

fn beta_reg(a: f64, b: f64, x: f64) -> Option<f64> {
    checked_beta_reg(a, b, x).ok().filter(|share| share.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::close;

    #[test]
    fn tails_are_those_of_scipy() {
        // 2*norm.sf(5), 2*t.sf(2.407484, 9), 2*t.sf(40, 30), chi2.sf(2.533978, 2), f.sf(...)
        close(normal_p(-5.0) / 5.733_031_437_583_866e-7, 1.0, 1e-10);
        close(student_p(2.407_484, 9.0).unwrap(), 0.039_411_283_508_775_03, 1e-14);
        close(student_p(40.0, 30.0).unwrap() / 1.372_604_519_440_641_7e-27, 1.0, 1e-10);
        close(chi2_p(2.533_978, 2.0).unwrap(), 0.281_678_480_096_943_13, 1e-14);
        let f = f_p(330.285_339_234_588, 6.0, 9.0).unwrap();
        close(f / 4.984_030_528_724_813e-10, 1.0, 1e-10);
    }

    #[test]
    fn quantiles_are_those_of_scipy() {
        // norm.ppf(.975), t.ppf(.975, [9, 2, 4.5])
        close(normal_quantile(0.975), 1.959_963_984_540_054, 1e-12);
        close(normal_quantile(0.025), -1.959_963_984_540_054, 1e-12);
        close(student_quantile(0.975, 9.0).unwrap(), 2.262_157_162_798_205, 1e-12);
        close(student_quantile(0.025, 2.0).unwrap(), -4.302_652_729_749_462, 1e-12);
        close(student_quantile(0.975, 4.5).unwrap(), 2.658_912_347_204_403_4, 1e-11);
        close(student_quantile(0.5, 4.5).unwrap(), 0.0, 1e-12);
    }

    #[test]
    fn impossible_distributions_have_no_tails() {
        assert_eq!(student_p(1.0, 0.0), None);
        assert_eq!(student_p(f64::NAN, 3.0), None);
        assert_eq!(student_p(f64::INFINITY, 3.0), Some(0.0));
        assert_eq!(student_quantile(1.0, 3.0), None);
        assert_eq!(student_quantile(0.9, f64::NAN), None);
        assert_eq!(chi2_p(1.0, -1.0), None);
        assert_eq!(f_p(1.0, 0.0, 2.0), None);
        assert_eq!((chi2_p(0.0, 3.0), f_p(0.0, 1.0, 2.0)), (Some(1.0), Some(1.0)));
    }

    #[test]
    fn shares_have_the_interval_of_wilson() {
        // statsmodels.stats.proportion.proportion_confint(3, 10, method="wilson")
        let (low, high) = wilson(0.3, 10.0, 0.95);
        close(low, 0.107_791_267_406_301_04, 1e-13);
        close(high, 0.603_221_852_538_854_6, 1e-13);
        let (low, high) = wilson(0.0, 10.0, 0.95);
        close(low, 0.0, 0.0);
        close(high, 0.277_532_799_862_889_26, 1e-13);
    }
}
