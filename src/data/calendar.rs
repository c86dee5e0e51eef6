//! Days since 1970 as dates for a person.

/// Milliseconds of a day.
pub(crate) const MS_PER_DAY: f64 = 86_400_000.0;

/// The date, and the time of day unless it is midnight: `2024-12-31`, `2024-12-31 08:30`.
///
/// ```
/// assert_eq!(karat::data::date_text(20_088.5), "2024-12-31 12:00");
/// ```
pub fn text(days: f64) -> String {
    if !days.is_finite() || days.abs() > 1e8 {
        return String::new();
    }
    let seconds = (days * 86_400.0).round() as i64;
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, date) = civil(day);
    let day = format!("{year:04}-{month:02}-{date:02}");
    let (hour, minute, rest) = (second / 3600, second / 60 % 60, second % 60);
    match (second, rest) {
        (0, _) => day,
        (_, 0) => format!("{day} {hour:02}:{minute:02}"),
        _ => format!("{day} {hour:02}:{minute:02}:{rest:02}"),
    }
}

/// Year, month and day of a day since 1970 in the Gregorian calendar (Hinnant, 2013).
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::parse::date::days;

    #[test]
    fn days_are_written_as_they_are_read() {
        for (year, month, day) in [(1970, 1, 1), (2000, 2, 29), (2024, 12, 31), (1899, 3, 1)] {
            let number = f64::from(days(year, month, day).unwrap());
            assert_eq!(text(number), format!("{year:04}-{month:02}-{day:02}"));
        }
        assert_eq!(text(0.25), "1970-01-01 06:00");
        assert_eq!(text(-1.0 / 86_400.0), "1969-12-31 23:59:59");
        assert_eq!(text(f64::NAN), "");
    }
}
