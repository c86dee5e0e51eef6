//! What the text of a file means: numbers, dates, truth values and missing values.
//!
//! A column is read in one way or not at all: [`infer`] returns a reading under which every value
//! makes sense, and text otherwise, so that no value is lost without a word.

pub(crate) mod date;
pub(crate) mod number;

pub use date::Order;
pub use number::Format;
use number::Traits;

/// How the text of one column is turned into values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reading {
    /// Whole numbers.
    Integer,
    /// Numbers with a decimal point.
    Decimal,
    /// Numbers with grouping, a decimal comma, a currency or a percent sign.
    Formatted(Format),
    /// `true` and `false`.
    Boolean,
    /// Calendar days.
    Date(Order),
    /// Days with a time of day.
    Datetime(Order),
    /// As it is written.
    Text,
}

/// Whether a text stands for "nothing here".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is a value.
    No,
    /// It is missing in any column.
    Always,
    /// It is missing among numbers, dates and truth values, and a word elsewhere.
    Odd,
}

/// Words that are a missing value among numbers only.
const ODD: &[&str] = &[
    "-",
    "--",
    "—",
    "–",
    ".",
    "..",
    "...",
    "None",
    "none",
    "NONE",
    "n.a.",
    "N.A.",
    "k.A.",
    "na",
    "#DIV/0!",
    "#VALUE!",
    "#REF!",
    "#NUM!",
    "#NAME?",
    "inf",
    "-inf",
    "+inf",
    "Inf",
    "-Inf",
    "Infinity",
    "-Infinity",
    "missing",
    "unknown",
];

/// Whether `text` stands for a missing value.
pub(crate) fn missing(text: &str) -> Missing {
    match text {
        "" | "NA" | "N/A" | "n/a" | "NaN" | "nan" | "-nan" | "NULL" | "null" | "Null"
        | "(null)" | "#N/A" | "#NA" | "<NA>" | "\\N" | "?" => Missing::Always,
        _ if text.len() <= 9 && ODD.contains(&text) => Missing::Odd,
        _ => Missing::No,
    }
}

/// Whether a text stands for a missing value in any column.
pub fn is_missing(text: &str) -> bool {
    missing(text) == Missing::Always
}

/// What the rest of the table says about how its numbers and dates are written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Habit {
    /// Another column has decimal commas beyond doubt.
    pub(crate) comma: bool,
    /// Another column has the day before the month beyond doubt.
    pub(crate) day_first: bool,
    /// Another column has the month before the day beyond doubt.
    pub(crate) month_first: bool,
}

/// How a column is to be read, and what a person should know of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Understood {
    /// The reading under which every value makes sense.
    pub(crate) reading: Reading,
    /// The reading in words, when it is not obvious.
    pub(crate) note: Option<String>,
    /// Whether no other reading would have done.
    pub(crate) certain: bool,
}

/// The reading under which all `values` make sense; `None` when all of them are missing.
pub(crate) fn infer<'a, I: Iterator<Item = &'a str>>(
    name: &str,
    values: impl Fn() -> I,
    habit: Habit,
) -> Option<Understood> {
    let present = || values().map(str::trim).filter(|v| missing(v) == Missing::No);
    let Some(first) = present().next() else {
        let odd = values().map(str::trim).any(|v| missing(v) == Missing::Odd);
        return odd.then_some(Understood { reading: Reading::Text, note: None, certain: true });
    };
    let mut candidates = candidates(name, first, habit);
    for value in present() {
        candidates.retain(|reading| reading.accepts(value));
        if candidates.is_empty() {
            return Some(Understood { reading: Reading::Text, note: None, certain: true });
        }
    }
    let mut chosen = candidates[0];
    let has = |wanted: Order| candidates.contains(&Reading::Date(wanted));
    let doubtful = has(Order::DayMonthYear) && has(Order::MonthDayYear);
    if doubtful {
        chosen = Reading::Date(day_or_month_first(present, habit));
    }
    let other_comma = |f: &Format| {
        candidates.iter().any(|c| matches!(c, Reading::Formatted(o) if o.comma != f.comma))
    };
    let mut certain = !doubtful;
    let note = match &mut chosen {
        Reading::Formatted(format) => {
            certain = !other_comma(format) && !candidates.contains(&Reading::Decimal);
            let mut traits = Traits::default();
            present().for_each(|v| {
                let _ = format.parse_with(v, &mut traits);
            });
            Some(format.describe(traits)).filter(|words| !words.is_empty())
        }
        Reading::Date(order) => {
            let stamps = present().filter_map(|v| date::parse(v, *order));
            let (timed, zoned) =
                stamps.fold((false, false), |(t, z), s| (t || s.timed, z || s.zoned));
            let mut words: Vec<String> = order.describe().map(str::to_owned).into_iter().collect();
            if doubtful {
                words.push(format!("`{first}` could also be the other way round"));
            }
            if zoned {
                words.push("times in UTC".to_owned());
            }
            if timed {
                chosen = Reading::Datetime(*order);
            }
            (!words.is_empty()).then(|| words.join(", "))
        }
        _ => None,
    };
    Some(Understood { reading: chosen, note, certain })
}

/// The readings worth a try, most likely first.
fn candidates(name: &str, first: &str, habit: Habit) -> Vec<Reading> {
    let mut list = Vec::new();
    let says_date = {
        let name = name.to_lowercase();
        ["date", "datum", "fecha", "day", "yyyymmdd", "dt"].iter().any(|w| {
            name.split(|c: char| !c.is_alphanumeric()).any(|part| part == *w)
                || (w.len() > 3 && name.contains(w))
        })
    };
    let [point, comma] = Format::candidates(first).map(Reading::Formatted);
    if says_date {
        list.push(Reading::Date(Order::Compact));
    }
    list.push(Reading::Integer);
    if habit.comma {
        list.push(comma);
    }
    list.push(Reading::Decimal);
    list.push(Reading::Boolean);
    list.extend(Order::ALL.iter().filter(|o| **o != Order::Compact).map(|o| Reading::Date(*o)));
    list.push(point);
    if !habit.comma {
        list.push(comma);
    }
    list
}

/// Decides between `1/2` as the first of February and as the second of January: by the other
/// columns, then by the order under which the rows run forward in time, then by the custom of the
/// separator.
fn day_or_month_first<'a, I: Iterator<Item = &'a str>>(
    values: impl Fn() -> I,
    habit: Habit,
) -> Order {
    if habit.day_first != habit.month_first {
        return if habit.day_first { Order::DayMonthYear } else { Order::MonthDayYear };
    }
    let backward = |order| {
        let mut last = i64::MIN;
        let steps = values().filter_map(|v| date::parse(v, order)).map(|s| s.ms);
        steps.filter(|ms| std::mem::replace(&mut last, *ms) > *ms).count()
    };
    let (day, month) = (backward(Order::DayMonthYear), backward(Order::MonthDayYear));
    let slash = values().next().is_some_and(|v| v.contains('/'));
    if day < month || (day == month && !slash) { Order::DayMonthYear } else { Order::MonthDayYear }
}

impl Reading {
    /// Whether `text` makes sense under this reading.
    pub(crate) fn accepts(self, text: &str) -> bool {
        match self {
            Self::Integer => number::integer(text).is_some(),
            Self::Decimal => number::decimal(text).is_some(),
            Self::Formatted(format) => format.parse(text).is_some(),
            Self::Boolean => boolean(text).is_some(),
            Self::Date(order) | Self::Datetime(order) => date::parse(text, order).is_some(),
            Self::Text => true,
        }
    }

    /// Whether the values are stored as numbers.
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Decimal | Self::Formatted(_))
    }
}

/// The days since 1970 that a date or moment in the form `2024-12-31` or `2024-12-31T08:30` means.
///
/// ```
/// assert_eq!(karat::data::days_of("1970-01-02T12:00"), Some(1.5));
/// assert_eq!(karat::data::days_of("yesterday"), None);
/// ```
pub fn days_of(text: &str) -> Option<f64> {
    let stamp = date::parse(text, Order::YearMonthDay)?;
    Some(stamp.ms as f64 / date::DAY as f64)
}

/// `true` and `false` in any case.
///
/// ```
/// assert_eq!(karat::data::truth_of("TRUE"), Some(true));
/// ```
pub fn truth_of(text: &str) -> Option<bool> {
    boolean(text)
}

/// `true` and `false` in any case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(values: &[&str]) -> (Reading, String) {
        let understood = infer("x", || values.iter().copied(), Habit::default()).unwrap();
        (understood.reading, understood.note.unwrap_or_default())
    }

    #[test]
    fn a_column_is_read_in_one_way_or_stays_text() {
        assert_eq!(reading(&["1", "2", "NA", "-"]).0, Reading::Integer);
        assert_eq!(reading(&["1", "2.5", ""]).0, Reading::Decimal);
        assert_eq!(reading(&["1", "2.5", "x"]).0, Reading::Text);
        assert_eq!(reading(&["True", "false"]).0, Reading::Boolean);
        assert_eq!(reading(&["007", "123"]).0, Reading::Text);
        assert_eq!(reading(&["none", "none"]).0, Reading::Text);
        assert_eq!(reading(&["12 %", "0.12"]).0, Reading::Text, "with and without percent");
        assert_eq!(reading(&["€ 12", "$ 12"]).0, Reading::Text, "two currencies");
        assert!(infer("x", || ["", "NA"].into_iter(), Habit::default()).is_none());
    }

    #[test]
    fn decorated_columns_say_how_they_were_read() {
        assert!(reading(&["1.234,56", "7,5"]).1.contains("decimal comma"));
        assert!(reading(&["1,234.56", "7"]).1.contains("thousands apart by `,`"));
        assert!(reading(&["12 %", "7 %"]).1.contains("share"));
        assert!(reading(&["€ 12", "€ 7"]).1.contains('€'));
        assert!(reading(&["(12)", "7"]).1.contains("-12"));
    }

    #[test]
    fn a_doubtful_thousand_follows_the_other_columns() {
        let values = ["1.234", "2.500"];
        assert_eq!(reading(&values).0, Reading::Decimal);
        let habit = Habit { comma: true, ..Habit::default() };
        let Reading::Formatted(format) = infer("x", || values.into_iter(), habit).unwrap().reading
        else {
            panic!("a format was expected")
        };
        assert_eq!(format.parse("1.234"), Some(1234.0));
    }

    #[test]
    fn the_order_of_day_and_month_is_decided_by_the_whole_column() {
        assert_eq!(reading(&["01/02/2024", "13/02/2024"]).0, Reading::Date(Order::DayMonthYear));
        assert_eq!(reading(&["01/02/2024", "02/13/2024"]).0, Reading::Date(Order::MonthDayYear));
        let (order, note) = reading(&["01/02/2024", "03/02/2024", "01/03/2024"]);
        assert_eq!(order, Reading::Date(Order::DayMonthYear), "the rows then run forward");
        assert!(note.contains("other way round"), "{note}");
        assert_eq!(reading(&["01.02.2024", "02.03.2024"]).0, Reading::Date(Order::DayMonthYear));
        assert_eq!(
            reading(&["2024-12-31 10:00", "2024-12-31"]).0,
            Reading::Datetime(Order::YearMonthDay)
        );
    }

    #[test]
    fn eight_digits_are_a_date_only_if_the_name_says_so() {
        let values = ["20241231", "20240101"];
        let of = |name| infer(name, || values.into_iter(), Habit::default()).unwrap().reading;
        assert_eq!(of("booking_date"), Reading::Date(Order::Compact));
        assert_eq!(of("amount"), Reading::Integer);
    }
}
