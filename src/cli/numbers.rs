//! Numbers on the command line: what is no number that makes sense is wrong usage.

/// A number above 0.
pub(super) fn positive(text: &str) -> Result<f64, String> {
    finite(text).and_then(|value| {
        if value > 0.0 { Ok(value) } else { Err("a number above 0 is expected".into()) }
    })
}

/// A number that is 0 or more.
pub(super) fn not_negative(text: &str) -> Result<f64, String> {
    finite(text).and_then(|value| {
        if value >= 0.0 { Ok(value) } else { Err("a number from 0 on is expected".into()) }
    })
}

/// Any number but NaN and the infinite ones.
pub(super) fn finite(text: &str) -> Result<f64, String> {
    let value: Option<f64> = text.trim().parse().ok();
    value.filter(|value| value.is_finite()).ok_or_else(|| "a number is expected".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused() {
        for wrong in ["nan", "inf", "-inf", "1e999", "", "many"] {
            assert!(finite(wrong).is_err(), "{wrong}");
            assert!(positive(wrong).is_err() && not_negative(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            (positive("0.5"), not_negative("0"), finite("-3")),
            (Ok(0.5), Ok(0.0), Ok(-3.0))
        );
        assert!(positive("0").is_err() && positive("-1").is_err() && not_negative("-1").is_err());
    }
}
