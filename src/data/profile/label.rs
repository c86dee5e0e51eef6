//! Numbers and ranges as labels.

use crate::data::{Kind, calendar};

/// A number for a label: four significant digits at most, whole numbers in full, with commas from
/// 10,000 up.
///
/// ```
/// use karat::data::number_text;
///
/// assert_eq!(number_text(18_424.0), "18,424");
/// assert_eq!(number_text(0.038_075_9), "0.03808");
/// ```
pub fn number_text(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let size = value.abs().log10().floor() as i32;
    if !(-4..15).contains(&size) {
        return format!("{value:.3e}");
    }
    let decimals = if value.fract() == 0.0 { 0 } else { (3 - size).max(0) as usize };
    let text = format!("{value:.decimals$}");
    let text = match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => text,
    };
    if value.abs() < 9_999.5 || text.contains('.') { text } else { with_commas(&text) }
}

fn with_commas(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut text = sign.to_owned();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number, or a date if it stands for one.
pub(super) fn scalar(value: f64, kind: Kind) -> String {
    if kind == Kind::Datetime { calendar::text(value) } else { number_text(value) }
}

/// A bin of numbers from `first` to `last`, both included.
pub(super) fn range(first: f64, last: f64, kind: Kind) -> String {
    let (first, last) = (scalar(first, kind), scalar(last, kind));
    if first == last { first } else { format!("{first} – {last}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let check = |value, text| assert_eq!(number_text(value), text);
        check(0.0, "0");
        check(2015.0, "2015");
        check(-1_234_567.0, "-1,234,567");
        check(13.99, "13.99");
        check(1234.567, "1235");
        check(123_456.7, "123,457");
        check(0.1, "0.1");
        check(1.5e-7, "1.500e-7");
        check(1e20, "1.000e20");
        assert_eq!(range(1.0, 1.0, Kind::Number), "1");
        assert_eq!(range(0.0, 31.0, Kind::Datetime), "1970-01-01 – 1970-02-01");
    }
}
