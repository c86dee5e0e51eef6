//! The normal and Student's t distribution, as far as coefficients need them.

/// The two-sided p-value of a z statistic.
pub(super) fn normal_p(z: f64) -> f64 {
    upper_gamma(0.5, z * z / 2.0)
}

/// The two-sided p-value of a t statistic.
pub(super) fn student_p(t: f64, df: f64) -> f64 {
    // The incomplete beta function with the parameters df / 2 and 1/2 at 1 - y; all logarithms are
    // of numbers that keep their digits, however large df is.
    let (a, b) = (df / 2.0, 0.5);
    let square = t * t;
    let y = square / (df + square);
    if y <= 0.0 || 1.0 <= y {
        return 1.0 - y.clamp(0.0, 1.0);
    }
    let front = ln_gamma_ratio(a) - ln_gamma(b) - a * (square / df).ln_1p() + b * y.ln();
    if (b + 1.0) / (a + b + 2.0) < y {
        front.exp() * beta_fraction(a, b, 1.0 - y) / a
    } else {
        1.0 - front.exp() * beta_fraction(b, a, y) / b
    }
}

/// The value that a standard normal number exceeds in size in 5 % of cases.
pub(super) const NORMAL_95: f64 = 1.959_963_984_540_054;

/// The value that a t statistic exceeds in size in 5 % of cases.
pub(super) fn student_95(df: f64) -> f64 {
    let (mut low, mut high) = (0.0, 2.0);
    while 0.05 < student_p(high, df) {
        (low, high) = (high, high * 2.0);
    }
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if 0.05 < student_p(middle, df) { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

const PRECISION: f64 = 1e-16;
const TINY: f64 = 1e-300;

/// The logarithm of the gamma function (Lanczos, 1964, with the coefficients of Godfrey).
fn ln_gamma(x: f64) -> f64 {
    const G: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let t = x + 7.5;
    let series: f64 = G[1..].iter().zip(1_u8..).map(|(g, i)| g / (x + f64::from(i))).sum();
    0.5 * std::f64::consts::TAU.ln() + (x + 0.5) * t.ln() - t + (G[0] + series).ln()
}

/// The regularised upper incomplete gamma function.
fn upper_gamma(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while PRECISION * sum < term {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return (1.0 - front * sum).max(0.0);
    }
    let mut step = 0.0;
    let b = x + 1.0 - a;
    front
        / fraction(b, |b| {
            step += 1.0;
            let coefficient = -step * (step - a);
            (coefficient, b + 2.0)
        })
}

/// `ln(gamma(a + 1/2) / gamma(a))`, by its series where the difference would lose its digits.
fn ln_gamma_ratio(a: f64) -> f64 {
    if a < 50.0 {
        return ln_gamma(a + 0.5) - ln_gamma(a);
    }
    0.5 * a.ln() - 1.0 / (8.0 * a) + 1.0 / (192.0 * a.powi(3)) - 1.0 / (640.0 * a.powi(5))
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let mut n = 0_u32;
    1.0 / fraction(1.0, |_| {
        n += 1;
        let m = f64::from(n / 2);
        let coefficient = if n.is_multiple_of(2) {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        (coefficient, 1.0)
    })
}

/// `b + a1 / (b1 + a2 / (b2 + ...))`, by the method of Lentz; `next` gives the following pair from
/// the last `b`.
fn fraction(first: f64, mut next: impl FnMut(f64) -> (f64, f64)) -> f64 {
    let (mut value, mut c, mut d, mut b) = (first, first, 0.0, first);
    for _ in 0..10_000 {
        let a;
        (a, b) = next(b);
        d = 1.0 / nonzero(b + a * d);
        c = nonzero(b + a / c);
        value *= c * d;
        if (c * d - 1.0).abs() <= PRECISION {
            break;
        }
    }
    value
}

fn nonzero(x: f64) -> f64 {
    if x.abs() < TINY { TINY } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// from scipy.stats import norm, t
    /// 2 * norm.sf(z); 2 * t.sf(x, df); t.ppf(0.975, df)
    #[test]
    fn values_are_those_of_scipy() {
        fn check(got: f64, expected: f64) {
            assert!((got - expected).abs() < 1e-11 * expected, "{got} is not {expected}");
        }
        check(normal_p(0.1), 0.920_344_325_445_942);
        check(normal_p(1.0), 0.317_310_507_862_914_15);
        check(normal_p(NORMAL_95), 0.05);
        check(normal_p(5.0), 5.733_031_437_583_866e-7);
        check(normal_p(12.0), 3.552_964_224_155_306e-33);
        check(student_p(0.5, 1.0), 0.704_832_764_699_133_5);
        check(student_p(2.0, 3.0), 0.139_325_968_558_843_05);
        check(student_p(4.137, 9.0), 0.002_532_930_189_702_902);
        check(student_p(1.5, 30.0), 0.144_065_929_128_646);
        check(student_p(3.0, 1e3), 0.002_766_709_044_238_192_5);
        check(student_p(2.5, 1e6), 0.012_419_489_502_163_254);
        check(student_p(12.0, 40.0), 7.824_171_304_255_98e-15);
        check(student_95(1.0), 12.706_204_736_174_694);
        check(student_95(2.0), 4.302_652_729_749_462);
        check(student_95(9.0), 2.262_157_162_798_205);
        check(student_95(30.0), 2.042_272_456_301_237_8);
        check(student_95(430.0), 1.965_496_191_571_349_6);
        check(student_95(1e6), 1.959_966_356_814_107);
    }
}
