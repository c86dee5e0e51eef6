//! Numbers for people: separators, significant digits, durations and sizes.

use super::text::width;

/// What stands where a value is undefined.
pub const NONE: &str = "–";

/// A whole number with its thousands apart: `1,000`.
pub fn count(n: usize) -> String {
    group(&n.to_string())
}

/// A number with that many decimals, its thousands apart and a proper minus: `−1,234.5`.
pub fn fixed(value: f64, decimals: usize) -> String {
    if value.is_nan() {
        return NONE.to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    let digits = format!("{:.decimals$}", value.abs());
    let zero = digits.bytes().all(|b| matches!(b, b'0' | b'.'));
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let sign = if value < 0.0 && !zero { "−" } else { "" };
    format!("{sign}{}{rest}", group(whole))
}

/// Like [`fixed`], with a plus sign where it is not negative: differences and contributions.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    if text.starts_with('−') || value.is_nan() { text } else { format!("+{text}") }
}

/// A number in about that many significant digits, without trailing zeros: `0.00123`, `1e-9`.
pub fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() || value == 0.0 {
        return fixed(value, 0);
    }
    let digits = digits.max(1);
    let sign = if value < 0.0 { "−" } else { "" };
    let science = format!("{:.*e}", digits - 1, value.abs());
    let (mantissa, exponent) = science.split_once('e').unwrap_or((&science, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| {
        let text = if text.contains('.') { text.trim_end_matches('0') } else { text };
        text.trim_end_matches('.').to_owned()
    };
    if !(-5..15).contains(&exponent) {
        return format!("{sign}{}e{exponent}", trim(mantissa));
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    let text = fixed(value.abs(), decimals);
    format!("{sign}{}", trim(&text))
}

/// A value that may be undefined, with that many decimals.
pub fn optional(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| fixed(value, decimals))
}

/// A share of one in percent: `30.0 %`.
pub fn percent(share: f64, decimals: usize) -> String {
    format!("{} %", fixed(share * 100.0, decimals))
}

/// A p-value as papers write it: `0.81`, `0.004`, `<.001`.
pub fn p_value(p: f64) -> String {
    match p {
        p if p.is_nan() => NONE.to_owned(),
        p if p < 0.001 => "<.001".to_owned(),
        p if p < 0.0995 => fixed(p, 3),
        p => fixed(p, 2),
    }
}

/// Seconds as a person says them: `8 ms`, `0.1 s`, `12 s`, `2 min 3 s`, `1 h 5 min`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return NONE.to_owned();
    }
    let whole = seconds.round() as u64;
    match whole {
        _ if seconds < 0.0005 => "<1 ms".to_owned(),
        _ if seconds < 0.0995 => format!("{:.0} ms", seconds * 1000.0),
        _ if seconds < 9.95 => format!("{seconds:.1} s"),
        0..60 => format!("{whole} s"),
        60..3600 if whole.is_multiple_of(60) => format!("{} min", whole / 60),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..86_400 if (whole / 60).is_multiple_of(60) => format!("{} h", whole / 3600),
        3600..86_400 => format!("{} h {} min", whole / 3600, whole / 60 % 60),
        _ => format!("{} d {} h", whole / 86_400, whole / 3600 % 24),
    }
}

/// A size in powers of a thousand: `740 B`, `2.1 MB`.
pub fn bytes(n: u64) -> String {
    let mut size = n as f64;
    let mut unit = "B";
    for next in ["kB", "MB", "GB", "TB", "PB"] {
        if size < 999.5 {
            break;
        }
        size /= 1000.0;
        unit = next;
    }
    let decimals = usize::from(unit != "B" && size < 99.95);
    format!("{size:.decimals$} {unit}")
}

/// Numbers in as few decimals as keep them apart, for the labels of an axis.
pub fn ticks(values: &[f64]) -> Vec<String> {
    let step = values.windows(2).map(|w| (w[1] - w[0]).abs()).fold(f64::INFINITY, f64::min);
    let largest = values.iter().fold(0.0f64, |max, value| max.max(value.abs()));
    if !(step.is_finite() && step > 0.0) || largest >= 1e9 || (largest > 0.0 && largest < 1e-4) {
        return values.iter().map(|value| significant(*value, 3)).collect();
    }
    let decimals = (-step.log10().floor()).clamp(0.0, 8.0) as usize;
    let exact = |n: usize| {
        values.iter().all(|v| {
            let scaled = v * 10f64.powi(n as i32);
            (scaled - scaled.round()).abs() < 1e-6 * scaled.abs().max(1.0)
        })
    };
    let decimals = (decimals..decimals + 2).find(|n| exact(*n)).unwrap_or(decimals);
    let labels: Vec<String> = values.iter().map(|value| fixed(*value, decimals)).collect();
    if labels.iter().any(|label| width(label) > 9) {
        return values.iter().map(|value| significant(*value, 3)).collect();
    }
    labels
}

/// Puts commas between groups of three digits.
fn group(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(count(999), "999");
        assert_eq!(fixed(-1234.56, 1), "−1,234.6");
        assert_eq!(fixed(-0.001, 2), "0.00");
        assert_eq!(fixed(f64::NAN, 2), NONE);
        assert_eq!(signed(0.003, 3), "+0.003");
        assert_eq!(signed(-0.0061, 3), "−0.006");
        assert_eq!(percent(0.3, 1), "30.0 %");
        assert_eq!(optional(None, 3), NONE);
        assert_eq!(p_value(0.812), "0.81");
        assert_eq!(p_value(0.0004), "<.001");
    }

    #[test]
    fn significant_digits_are_kept_and_zeros_are_not() {
        let check = |value, digits, text| assert_eq!(significant(value, digits), text);
        check(0.001_234_5, 3, "0.00123");
        check(1234.5, 3, "1,234");
        check(0.5, 3, "0.5");
        check(100.0, 2, "100");
        check(1e-9, 3, "1e-9");
        check(-2.5e20, 3, "−2.5e20");
        check(0.999_6, 3, "1");
        check(0.0, 3, "0");
        check(f64::INFINITY, 3, "∞");
    }

    #[test]
    fn durations_and_sizes_have_fitting_units() {
        for (seconds, text) in [
            (0.14, "0.1 s"),
            (12.4, "12 s"),
            (123.0, "2 min 3 s"),
            (120.0, "2 min"),
            (3900.0, "1 h 5 min"),
            (90_000.0, "1 d 1 h"),
            (59.7, "1 min"),
        ] {
            assert_eq!(duration(seconds), text);
        }
        for (n, text) in
            [(740, "740 B"), (2_100_000, "2.1 MB"), (999_999, "1.0 MB"), (512_000_000, "512 MB")]
        {
            assert_eq!(bytes(n), text);
        }
    }

    #[test]
    fn ticks_have_as_many_decimals_as_they_need() {
        assert_eq!(ticks(&[0.0, 0.25, 0.5]), ["0.00", "0.25", "0.50"]);
        assert_eq!(ticks(&[0.0, 500.0, 1000.0]), ["0", "500", "1,000"]);
        assert_eq!(ticks(&[0.5]), ["0.5"]);
        assert_eq!(ticks(&[1e-7, 2e-7]), ["1e-7", "2e-7"]);
    }
}
