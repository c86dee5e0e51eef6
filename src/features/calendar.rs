//! Months and weekdays of days counted from 1970-01-01.

/// The months, as they stand in the names of columns.
pub(super) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The days of the week, as they stand in the names of columns.
pub(super) const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The place in [`MONTHS`] of a day, in the Gregorian calendar (after Hinnant, 2013).
pub(super) fn month(days: f64) -> usize {
    let days = days.floor() as i64 + 719_468;
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // The year of this arithmetic begins in March, so that a leap day is its last day.
    let months_from_march = (5 * day_of_year + 2) / 153;
    ((months_from_march + 2) % 12) as usize
}

/// The place in [`WEEKDAYS`] of a day.
pub(super) fn weekday(days: f64) -> usize {
    (days.floor() as i64 + 3).rem_euclid(7) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days_fall_where_they_did() {
        // date -d DAY +'%s %b %a', divided by 86400.
        for (days, expected_month, expected_weekday) in [
            (0.0, "Jan", "Thu"),
            (-1.0, "Dec", "Wed"),
            (59.0, "Mar", "Sun"),
            (11_016.0, "Feb", "Tue"), // 2000-02-29
            (11_017.0, "Mar", "Wed"),
            (19_782.5, "Feb", "Thu"), // 2024-02-29, noon
            (20_088.0, "Dec", "Tue"), // 2024-12-31
        ] {
            assert_eq!(MONTHS[month(days)], expected_month, "{days}");
            assert_eq!(WEEKDAYS[weekday(days)], expected_weekday, "{days}");
        }
    }
}
