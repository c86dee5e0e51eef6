//! Numbers as people write them: `1234.5`, `1.234,56`, `(12)`, `12 %`, `€ 12`, `1'234`, `12-`.

/// Currency signs and codes that may stand before or after a number, longer ones first.
const CURRENCIES: &[&str] = &[
    "US$", "EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR", "BRL", "SEK", "NOK", "DKK", "PLN",
    "CZK", "HUF", "CAD", "AUD", "R$", "Fr.", "zł", "Kč", "kr", "€", "$", "£", "¥", "₹", "₽", "₺",
    "₩",
];

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// How the numbers of one column are decorated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Format {
    /// Whether the decimals follow a comma, and thousands are grouped by a point.
    pub comma: bool,
    /// Whether every value ends in `%`; the value kept is the share, a hundredth of the number.
    pub percent: bool,
    /// The sign of the currency that every value carries.
    pub currency: Option<&'static str>,
}

/// What was met in decorated numbers, so that the reading can be described.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traits {
    /// The character between groups of thousands.
    pub(crate) group: Option<char>,
    /// Whether there was a decimal sign.
    pub(crate) decimal: bool,
    /// Whether a negative number stood in parentheses.
    pub(crate) parentheses: bool,
    /// Whether a negative number had its minus behind it.
    pub(crate) trailing_minus: bool,
}

/// A whole number of at most 18 digits without decoration. A leading zero, as in `007`, makes it
/// a name and not a number.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes.first()? {
        b'-' => (true, &bytes[1..]),
        b'+' => (false, &bytes[1..]),
        _ => (false, bytes),
    };
    let limit = if bytes[0] == b'+' { 9 } else { 18 };
    if digits.is_empty() || digits.len() > limit || (digits[0] == b'0' && digits.len() > 1) {
        return None;
    }
    let mut value = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// A number with an optional decimal point and exponent, and no other decoration.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let mut at = usize::from(matches!(bytes.first()?, b'-' | b'+'));
    let start = at;
    let (mut mantissa, mut n_digits, mut point, mut exponent) = (0_u64, 0_usize, None, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' => {
                if n_digits < 19 {
                    mantissa = mantissa * 10 + u64::from(byte - b'0');
                }
                n_digits += 1;
            }
            b'.' if point.is_none() => point = Some(at),
            b'e' | b'E' if n_digits > 0 => {
                exponent = true;
                break;
            }
            _ => return None,
        }
        at += 1;
    }
    let n_whole = point.unwrap_or(at) - start;
    let padded = n_whole > 1 && bytes[start] == b'0';
    let long_name = point.is_none()
        && !exponent
        && n_digits > if start == 1 && bytes[0] == b'+' { 9 } else { 18 };
    if n_digits == 0 || padded || long_name {
        return None;
    }
    let n_decimals = point.map_or(0, |p| at - p - 1);
    if !exponent && n_digits < 19 && mantissa <= 1 << 53 && n_decimals < POWERS.len() {
        // Both are exact, so that the quotient is the double nearest to what was written
        // (Clinger, 1990).
        let value = mantissa as f64 / POWERS[n_decimals];
        return Some(if bytes[0] == b'-' { -value } else { value });
    }
    text.parse().ok().filter(|v: &f64| v.is_finite())
}

impl Format {
    /// The formats in which `text` might be written, decimal point first.
    pub(crate) fn candidates(text: &str) -> [Self; 2] {
        let percent = text.contains('%');
        let currency = CURRENCIES.iter().copied().find(|sign| {
            let rest = text.strip_prefix(sign).or_else(|| text.strip_suffix(sign));
            rest.is_some()
                || text.trim_start_matches(['-', '(', '+', ' ']).starts_with(sign)
                || text.trim_end_matches(['-', ')', ' ']).ends_with(sign)
        });
        [false, true].map(|comma| Self { comma, percent, currency })
    }

    /// The number that `text` means in this format, and what it showed of it.
    pub(crate) fn parse_with(self, text: &str, traits: &mut Traits) -> Option<f64> {
        let mut rest = text.trim();
        let (mut negative, mut percent, mut currency) = (false, false, false);
        if let Some(inner) = rest.strip_prefix('(').and_then(|r| r.strip_suffix(')')) {
            (negative, rest, traits.parentheses) = (true, inner.trim(), true);
        }
        let mut signed = negative;
        loop {
            let before = rest.len();
            for minus in ["-", "−"] {
                if !signed && let Some(inner) = rest.strip_prefix(minus) {
                    (rest, negative, signed) = (inner.trim_start(), true, true);
                }
                if !signed && let Some(inner) = rest.strip_suffix(minus) {
                    (rest, negative, signed) = (inner.trim_end(), true, true);
                    traits.trailing_minus = true;
                }
            }
            if !percent && let Some(inner) = rest.strip_suffix('%') {
                (rest, percent) = (inner.trim_end(), true);
            }
            if !currency && let Some(sign) = self.currency {
                if let Some(inner) = rest.strip_prefix(sign) {
                    (rest, currency) = (inner.trim_start(), true);
                } else if let Some(inner) = rest.strip_suffix(sign) {
                    (rest, currency) = (inner.trim_end(), true);
                }
            }
            if rest.len() == before {
                break;
            }
        }
        if percent != self.percent || currency != self.currency.is_some() {
            return None;
        }
        let value = self.digits(rest, traits)?;
        Some(if negative { -value } else { value })
    }

    /// The number that `text` means in this format.
    pub(crate) fn parse(self, text: &str) -> Option<f64> {
        self.parse_with(text, &mut Traits::default())
    }

    /// Digits in groups of three, with decimals.
    fn digits(self, text: &str, traits: &mut Traits) -> Option<f64> {
        let (point, other) = if self.comma { (',', '.') } else { ('.', ',') };
        let mut plain = String::with_capacity(text.len() + 3);
        let (mut run, mut in_fraction) = (0, false);
        let mut group = None;
        for c in text.chars() {
            if c.is_ascii_digit() {
                plain.push(c);
                run += 1;
            } else if c == point && !in_fraction {
                if group.is_some() && run != 3 {
                    return None;
                }
                in_fraction = true;
                traits.decimal = true;
                plain.push('.');
            } else if !in_fraction
                && (c == other
                    || matches!(c, '\'' | '’' | ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}'))
            {
                let first = group.is_none();
                let whole = if first { (1..=3).contains(&run) } else { run == 3 };
                if !whole || group.is_some_and(|g| g != c) || (first && plain.starts_with('0')) {
                    return None;
                }
                group = Some(c);
                run = 0;
            } else {
                return None;
            }
        }
        if !in_fraction && group.is_some() && run != 3 {
            return None;
        }
        traits.group = traits.group.or(group);
        if self.percent {
            plain.push_str("e-2");
        }
        if plain.starts_with(['e', '+']) { None } else { decimal(&plain) }
    }

    /// The format in words.
    pub(crate) fn describe(self, traits: Traits) -> String {
        let mut words = Vec::new();
        if self.comma && traits.decimal {
            words.push("decimal comma".to_owned());
        }
        match traits.group {
            Some(' ' | '\u{a0}' | '\u{202f}' | '\u{2009}') => {
                words.push("thousands apart by a space".to_owned());
            }
            Some(group) => words.push(format!("thousands apart by `{group}`")),
            None => {}
        }
        if let Some(sign) = self.currency {
            words.push(format!("amounts in {sign}"));
        }
        if self.percent {
            words.push("percent, kept as a share: 12 % is 0.12".to_owned());
        }
        if traits.parentheses {
            words.push("(12) is -12".to_owned());
        }
        if traits.trailing_minus {
            words.push("12- is -12".to_owned());
        }
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, comma: bool, expected: Option<f64>) {
        let format = Format { comma, ..Format::candidates(text)[0] };
        assert_eq!(format.parse(text), expected, "{text}");
    }

    #[test]
    fn decorated_numbers_are_understood() {
        for (text, comma, expected) in [
            ("1.234,56", true, 1234.56),
            ("1,234.56", false, 1234.56),
            ("(12)", false, -12.0),
            ("(1,200.5)", false, -1200.5),
            ("12 %", false, 0.12),
            ("12,5%", true, 0.125),
            ("12.3 %", false, 0.123),
            ("€ 12", false, 12.0),
            ("-€ 12", false, -12.0),
            ("€ -12", false, -12.0),
            ("12,50 €", true, 12.5),
            ("$1,200", false, 1200.0),
            ("CHF 1'234.50", false, 1234.5),
            ("1\u{202f}234\u{202f}567", false, 1_234_567.0),
            ("1\u{2009}234,5", true, 1234.5),
            ("12-", false, -12.0),
            ("−3,5", true, -3.5),
            ("0,5", true, 0.5),
            (",5", true, 0.5),
        ] {
            check(text, comma, Some(expected));
        }
    }

    #[test]
    fn what_is_no_number_stays_none() {
        for text in
            ["", "12,34,56", "1,23", "4111 1111 1111 1111", "0,123", "12 34", "1-2", "€", "abc"]
        {
            check(text, false, None);
        }
        for text in ["", "-", "+", ".", "e5", "007", "00.5", "1.2.3", "0x10", "1_000", "inf", "nan"]
        {
            assert_eq!(decimal(text), None, "{text}");
        }
        assert_eq!(decimal("12345678901234567890"), None, "an account number keeps its digits");
        assert_eq!(integer("007"), None);
        assert_eq!(integer("+491701234567"), None);
    }

    #[test]
    fn plain_numbers_are_read_to_the_last_bit() {
        for text in [
            "0.1",
            "-0.045599451282647",
            "123456.789",
            "1e-7",
            "5.",
            ".5",
            "-0",
            "9007199254740993.5",
        ] {
            assert_eq!(decimal(text), text.parse().ok(), "{text}");
        }
        assert_eq!(integer("-42"), Some(-42));
        assert_eq!(integer("0"), Some(0));
    }

    proptest! {
        #[test]
        fn whatever_display_writes_is_read_back(value in any::<f64>().prop_filter("finite", |v| v.is_finite())) {
            let text = format!("{value:e}");
            prop_assert_eq!(decimal(&text), Some(value));
        }

        #[test]
        fn grouped_numbers_are_read_back(whole in 0_i64..1_000_000_000_000, cents in 0..100) {
            let mut grouped = String::new();
            let digits = whole.to_string();
            for (i, c) in digits.chars().enumerate() {
                if i > 0 && (digits.len() - i) % 3 == 0 {
                    grouped.push('.');
                }
                grouped.push(c);
            }
            let text = format!("{grouped},{cents:02} €");
            let expected: f64 = format!("{whole}.{cents:02}").parse().unwrap();
            prop_assert_eq!(Format { comma: true, percent: false, currency: Some("€") }.parse(&text), Some(expected));
        }

        #[test]
        fn no_text_panics(text in ".{0,24}") {
            for format in Format::candidates(&text) {
                let _ = format.parse(&text);
            }
            let _ = (decimal(&text), integer(&text));
        }
    }
}
