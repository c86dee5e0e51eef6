//! Dates and times as people write them: `31.12.2024`, `12/31/2024`, `2024-12-31T08:00Z`,
//! `Dec-2024`, `2024-Q4`.

/// Milliseconds of a day.
pub(crate) const DAY: i64 = 86_400_000;

/// In which order the parts of a date stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// `2024-12-31`, `2024/12/31`.
    YearMonthDay,
    /// `31.12.2024`, `31/12/2024`.
    DayMonthYear,
    /// `12/31/2024`.
    MonthDayYear,
    /// `31 Dec 2024`, `31-Dec-24`.
    DayNameYear,
    /// `Dec 31, 2024`.
    NameDayYear,
    /// `Dec-2024`: the first of that month.
    NameYear,
    /// `12/2024`: the first of that month.
    MonthYear,
    /// `2024-12`: the first of that month.
    YearMonth,
    /// `2024-Q4`: the first day of that quarter.
    Quarter,
    /// `20241231`.
    Compact,
}

impl Order {
    /// Every order, those first that say more.
    pub(crate) const ALL: [Self; 10] = [
        Self::YearMonthDay,
        Self::DayMonthYear,
        Self::MonthDayYear,
        Self::DayNameYear,
        Self::NameDayYear,
        Self::NameYear,
        Self::MonthYear,
        Self::YearMonth,
        Self::Quarter,
        Self::Compact,
    ];

    /// The order in words, or `None` where it goes without saying.
    pub(crate) fn describe(self) -> Option<&'static str> {
        Some(match self {
            Self::YearMonthDay => return None,
            Self::DayMonthYear => "dates as day.month.year",
            Self::MonthDayYear => "dates as month/day/year",
            Self::DayNameYear => "dates as day, month's name, year",
            Self::NameDayYear => "dates as month's name, day, year",
            Self::NameYear | Self::MonthYear | Self::YearMonth => "months, kept as their first day",
            Self::Quarter => "quarters, kept as their first day",
            Self::Compact => "dates as eight digits, year, month, day",
        })
    }
}

/// A moment, and how exactly it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Milliseconds since 1970, in UTC where a zone was given.
    pub(crate) ms: i64,
    /// Whether the time of day is other than midnight.
    pub(crate) timed: bool,
    /// Whether a zone was given.
    pub(crate) zoned: bool,
}

/// The moment that `text` means when its parts stand in this order.
pub(crate) fn parse(text: &str, order: Order) -> Option<Stamp> {
    let mut scan = Scan { bytes: text.trim().as_bytes(), at: 0 };
    let days = scan.date(order)?;
    let (time, offset) = scan.time()?;
    let ms = i64::from(days) * DAY + time - offset.unwrap_or(0);
    Some(Stamp { ms, timed: ms.rem_euclid(DAY) != 0, zoned: offset.is_some() })
}

/// The days between 1970-01-01 and a date of the Gregorian calendar (Hinnant, 2013).
pub(crate) fn days(year: i32, month: u32, day: u32) -> Option<i32> {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return None,
    };
    if day == 0 || day > length {
        return None;
    }
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let month_from_march = (month as i32 + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day as i32 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Beginnings of the months' names in English, German, French and Spanish.
const MONTHS: [&[&str]; 12] = [
    &["jan", "ene", "jän"],
    &["feb", "fév", "fev"],
    &["mar", "mär", "mrz", "mae"],
    &["apr", "avr", "abr"],
    &["may", "mai"],
    &["jun", "juin"],
    &["jul", "juil"],
    &["aug", "aoû", "aou", "ago"],
    &["sep", "set"],
    &["oct", "okt"],
    &["nov"],
    &["dec", "dez", "déc", "dic"],
];

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Takes a byte out of `set`.
    fn any(&mut self, set: &[u8]) -> Option<u8> {
        let byte = self.peek().filter(|b| set.contains(b))?;
        self.at += 1;
        Some(byte)
    }

    /// Takes all bytes out of `set`; at least one.
    fn some(&mut self, set: &[u8]) -> Option<()> {
        let before = self.at;
        while self.any(set).is_some() {}
        (self.at > before).then_some(())
    }

    /// A run of digits, as value and length.
    fn digits(&mut self) -> Option<(u32, usize)> {
        let before = self.at;
        let mut value = 0_u32;
        while let Some(byte) = self.peek().filter(u8::is_ascii_digit) {
            if self.at - before >= 9 {
                return None;
            }
            value = value * 10 + u32::from(byte - b'0');
            self.at += 1;
        }
        (self.at > before).then_some((value, self.at - before))
    }

    /// One or two digits.
    fn short(&mut self) -> Option<u32> {
        self.digits().filter(|(_, n)| *n <= 2).map(|(v, _)| v)
    }

    /// A year of four digits.
    fn long_year(&mut self) -> Option<i32> {
        self.digits().filter(|(v, n)| *n == 4 && *v > 0).map(|(v, _)| v as i32)
    }

    /// A year of four digits, or of two: 69 is 1969, 68 is 2068, as POSIX has it.
    fn year(&mut self) -> Option<i32> {
        match self.digits()? {
            (v, 4) if v > 0 => Some(v as i32),
            (v, 2) => Some(if v < 69 { 2000 + v as i32 } else { 1900 + v as i32 }),
            _ => None,
        }
    }

    /// The name of a month.
    fn month_name(&mut self) -> Option<u32> {
        let rest = std::str::from_utf8(&self.bytes[self.at..]).ok()?;
        let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let word = rest[..end].to_lowercase();
        if word.chars().count() < 3 || word.chars().count() > 10 {
            return None;
        }
        let starts = |names: &&[&str]| names.iter().any(|name| word.starts_with(name));
        let month = MONTHS.iter().position(starts)? as u32 + 1;
        self.at += end;
        if self.peek() == Some(b'.') && self.bytes.get(self.at + 1).is_some_and(|b| *b == b' ') {
            self.at += 1;
        }
        Some(month)
    }

    fn date(&mut self, order: Order) -> Option<i32> {
        let recent = |year: &i32| (1900..=2100).contains(year);
        match order {
            Order::YearMonthDay => {
                let year = self.long_year()?;
                let mark = self.any(b"-/.")?;
                let month = self.short()?;
                self.any(&[mark])?;
                days(year, month, self.short()?)
            }
            Order::DayMonthYear | Order::MonthDayYear => {
                let (first, n_first) = self.digits().filter(|(_, n)| *n <= 2)?;
                let mark = self.any(if order == Order::DayMonthYear { b"./-" } else { b"/-" })?;
                let (second, n_second) = self.digits().filter(|(_, n)| *n <= 2)?;
                self.any(&[mark])?;
                let before = self.at;
                let year = self.year()?;
                let brief = self.at - before == 2;
                if brief && mark != b'/' && (n_first, n_second) != (2, 2) {
                    return None;
                }
                if order == Order::DayMonthYear {
                    days(year, second, first)
                } else {
                    days(year, first, second)
                }
            }
            Order::DayNameYear => {
                let day = self.short()?;
                self.some(b" -./")?;
                let month = self.month_name()?;
                self.some(b" -./,")?;
                days(self.year()?, month, day)
            }
            Order::NameDayYear => {
                let month = self.month_name()?;
                self.some(b" -./")?;
                let day = self.short()?;
                self.some(b" -./,")?;
                days(self.long_year()?, month, day)
            }
            Order::NameYear => {
                let month = self.month_name()?;
                self.some(b" -./,'")?;
                days(self.year()?, month, 1)
            }
            Order::MonthYear => {
                let month = self.short()?;
                self.any(b"/-")?;
                days(self.long_year().filter(recent)?, month, 1)
            }
            Order::YearMonth => {
                let year = self.long_year().filter(recent)?;
                self.any(b"/-M")?;
                days(year, self.short()?, 1)
            }
            Order::Quarter => {
                let leads = self.any(b"qQ").is_some();
                let (year, quarter) = if leads {
                    let (quarter, _) = self.digits()?;
                    let _ = self.some(b" -/.");
                    (self.long_year()?, quarter)
                } else {
                    let year = self.long_year()?;
                    let _ = self.some(b" -/.");
                    self.any(b"qQ")?;
                    (year, self.digits()?.0)
                };
                if !recent(&year) || !(1..=4).contains(&quarter) {
                    return None;
                }
                days(year, quarter * 3 - 2, 1)
            }
            Order::Compact => {
                let (value, n) = self.digits()?;
                let year = (value / 10_000) as i32;
                if n != 8 || !recent(&year) {
                    return None;
                }
                days(year, value / 100 % 100, value % 100)
            }
        }
    }

    /// The time of day in milliseconds and the zone's offset, up to the end of the text.
    fn time(&mut self) -> Option<(i64, Option<i64>)> {
        if self.peek().is_none() {
            return Some((0, None));
        }
        self.some(b"T ,")?;
        let hour = self.short().filter(|h| *h < 24)?;
        self.any(b":")?;
        let minute = self.short().filter(|m| *m < 60)?;
        let (mut second, mut milli) = (0, 0);
        if self.any(b":").is_some() {
            second = self.short().filter(|s| *s < 61)?;
            if self.any(b".,").is_some() {
                let before = self.at;
                let mut unit = 100;
                while let Some(byte) = self.peek().filter(u8::is_ascii_digit) {
                    milli += u32::from(byte - b'0') * unit;
                    unit /= 10;
                    self.at += 1;
                }
                if self.at == before {
                    return None;
                }
            }
        }
        let _ = self.some(b" ");
        let mut hour = hour;
        if let Some(half) = self.any(b"AaPp") {
            self.any(b"Mm")?;
            if hour == 0 || hour > 12 {
                return None;
            }
            hour = hour % 12 + if half.eq_ignore_ascii_case(&b'p') { 12 } else { 0 };
            let _ = self.some(b" ");
        }
        let rest = &self.bytes[self.at..];
        let offset = match rest {
            [] => None,
            b"Z" | b"z" | b"UTC" | b"GMT" => Some(0),
            [sign @ (b'+' | b'-'), ..] => {
                self.at += 1;
                let (mut value, n) = self.digits()?;
                if n <= 2 {
                    value *= 100;
                    if self.any(b":").is_some() {
                        value += self.short()?;
                    }
                } else if n != 4 {
                    return None;
                }
                if self.peek().is_some() || value / 100 > 14 || value % 100 > 59 {
                    return None;
                }
                let ms = i64::from(value / 100 * 60 + value % 100) * 60_000;
                Some(if *sign == b'-' { -ms } else { ms })
            }
            _ => return None,
        };
        let seconds = i64::from(hour * 3600 + minute * 60 + second);
        Some((seconds * 1000 + i64::from(milli), offset))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, order: Order, expected: Option<(i32, u32, u32, i64)>) {
        let got = parse(text, order).map(|s| s.ms);
        let want = expected
            .map(|(y, m, d, seconds)| i64::from(days(y, m, d).unwrap()) * DAY + seconds * 1000);
        assert_eq!(got, want, "{text}");
    }

    #[test]
    fn dates_are_understood_in_their_order() {
        check("2024-12-31", Order::YearMonthDay, Some((2024, 12, 31, 0)));
        check("31.12.2024", Order::DayMonthYear, Some((2024, 12, 31, 0)));
        check("31/12/24", Order::DayMonthYear, Some((2024, 12, 31, 0)));
        check("12/31/2024", Order::MonthDayYear, Some((2024, 12, 31, 0)));
        check("31-Dec-2024", Order::DayNameYear, Some((2024, 12, 31, 0)));
        check("31. Dezember 2024", Order::DayNameYear, Some((2024, 12, 31, 0)));
        check("Dec 31, 2024", Order::NameDayYear, Some((2024, 12, 31, 0)));
        check("Dec-2015", Order::NameYear, Some((2015, 12, 1, 0)));
        check("12/2015", Order::MonthYear, Some((2015, 12, 1, 0)));
        check("2015-12", Order::YearMonth, Some((2015, 12, 1, 0)));
        check("2015Q4", Order::Quarter, Some((2015, 10, 1, 0)));
        check("Q1 2015", Order::Quarter, Some((2015, 1, 1, 0)));
        check("20240229", Order::Compact, Some((2024, 2, 29, 0)));
        check("1970-01-01", Order::YearMonthDay, Some((1970, 1, 1, 0)));
    }

    #[test]
    fn times_and_zones_are_understood() {
        let day = |seconds| Some((2024, 12, 31, seconds));
        check("2024-12-31T08:30:15Z", Order::YearMonthDay, day(30_615));
        check("2024-12-31 08:30", Order::YearMonthDay, day(30_600));
        check("2024-12-31T08:30:00+02:00", Order::YearMonthDay, day(23_400));
        check("2024-12-31 08:30:00.000", Order::YearMonthDay, day(30_600));
        check("12/31/2024 2:05:00 PM", Order::MonthDayYear, day(50_700));
        check("31.12.2024, 14:05", Order::DayMonthYear, day(50_700));
        assert_eq!(parse("2024-01-01 00:00:00.25", Order::YearMonthDay).unwrap().ms % 1000, 250);
    }

    #[test]
    fn what_is_no_date_stays_none() {
        for text in
            ["2024-02-30", "2024-13-01", "2024-12-31x", "2024-12-31 25:00", "2024", "", "24-12-31"]
        {
            check(text, Order::YearMonthDay, None);
        }
        check("29.02.2023", Order::DayMonthYear, None);
        check("1.2.34", Order::DayMonthYear, None);
        check("31.12.2024", Order::MonthDayYear, None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,24}") {
            for order in Order::ALL {
                let _ = parse(&text, order);
            }
        }

        #[test]
        fn days_count_on(year in 1..9999_i32, month in 1..=12_u32, day in 1..28_u32) {
            prop_assert_eq!(days(year, month, day + 1), days(year, month, day).map(|d| d + 1));
        }
    }
}
