//! Counts and shares in a sentence.

/// `4,454`.
pub(super) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `8.6 %`; what is more than nothing is at least `< 0.1 %`, and what is less than all never 100.
pub(super) fn percent(part: usize, whole: usize) -> String {
    let share = part as f64 / whole.max(1) as f64 * 100.0;
    match share {
        s if part > 0 && s < 0.05 => "< 0.1 %".into(),
        s if part < whole && s >= 99.95 => "> 99.9 %".into(),
        s => format!("{s:.1} %"),
    }
}

/// `1 value`, `12 values`.
pub(super) fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// `a`, `a and b`, `a, b and c`; of many the first ones, and how many more.
pub(super) fn list(items: &[String]) -> String {
    const SHOWN: usize = 6;
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if items.len() <= SHOWN => format!("{} and {last}", first.join(", ")),
        many => format!("{} and {} more", many[..SHOWN - 1].join(", "), many.len() - SHOWN + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "row", "rows"), "1 row");
        assert_eq!(percent(1, 10_000_000), "< 0.1 %");
        assert_eq!(percent(9_999_999, 10_000_000), "> 99.9 %");
        assert_eq!(percent(381, 4454), "8.6 %");
        let names: Vec<String> = "abcdefgh".chars().map(String::from).collect();
        assert_eq!(list(&names[..3]), "a, b and c");
        assert_eq!(list(&names), "a, b, c, d, e and 3 more");
    }
}
