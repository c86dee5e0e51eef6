//! The search for a piece of text in a table, cell by cell and round the end.

use std::{cell::RefCell, collections::HashMap};

use polars::prelude::{Float64Chunked, Int32Chunked, Int64Chunked, StringChunked};

use super::Table;

/// The next cell that holds `needle`, in any case, from row `from` of the order on (without it),
/// over the end and round again: its place in the order, and its column. Words, whole numbers and
/// dates match anywhere, other numbers from their first digit on. Masked columns are not searched.
/// `columns` are searched from left to right.
pub fn find(
    table: &Table,
    order: &[u32],
    needle: &str,
    from: usize,
    forward: bool,
    columns: &[String],
) -> Option<(usize, String)> {
    let needle = needle.to_lowercase();
    if needle.is_empty() || order.is_empty() {
        return None;
    }
    let searched: Vec<(&String, Search)> = columns
        .iter()
        .filter(|name| table.column(name).is_some_and(|c| !c.is_masked()))
        .filter_map(|name| Some((name, Search::new(table, name, &needle)?)))
        .collect();
    if searched.is_empty() {
        return None;
    }
    let n = order.len();
    let from = from.min(n - 1);
    (1..=n).find_map(|step| {
        let at = if forward { (from + step) % n } else { (from + n - step) % n };
        let position = order[at] as usize;
        let (name, _) =
            searched.iter().find(|(name, s)| s.holds(table, name, position, &needle))?;
        Some((at, (*name).clone()))
    })
}

/// How one column is searched.
enum Search<'a> {
    Words(&'a StringChunked),
    Integers(&'a Int64Chunked),
    Floats(&'a Float64Chunked, Prefix),
    /// Days come again and again, so each is written out once.
    Days(&'a Int32Chunked, RefCell<HashMap<i32, bool>>),
    /// By the text that a person sees.
    Cells,
}

impl<'a> Search<'a> {
    /// `None` if no value of the column can hold the needle.
    fn new(table: &'a Table, name: &str, needle: &str) -> Option<Self> {
        let values = table.frame.column(name).ok()?.as_materialized_series();
        let among = |signs: &[u8]| needle.bytes().all(|b| b.is_ascii_digit() || signs.contains(&b));
        if let Ok(words) = values.str() {
            Some(Self::Words(words))
        } else if let Ok(integers) = values.i64() {
            among(b"-").then_some(Self::Integers(integers))
        } else if let Ok(floats) = values.f64() {
            Some(Self::Floats(floats, Prefix::of(needle)?))
        } else if values.dtype().is_temporal() && !among(b"-:. ") {
            None
        } else if let Ok(days) = values.date() {
            Some(Self::Days(days.physical(), RefCell::default()))
        } else {
            Some(Self::Cells)
        }
    }

    fn holds(&self, table: &Table, name: &str, position: usize, needle: &str) -> bool {
        match self {
            Self::Words(words) => words.get(position).is_some_and(|text| contains(text, needle)),
            Self::Integers(values) => values.get(position).is_some_and(|v| digits(v, needle)),
            Self::Floats(values, prefix) => values.get(position).is_some_and(|v| prefix.begins(v)),
            Self::Days(days, known) => days.get(position).is_some_and(|day| {
                let look =
                    || table.text(position, name).is_some_and(|text| contains(&text, needle));
                *known.borrow_mut().entry(day).or_insert_with(look)
            }),
            Self::Cells => table.text(position, name).is_some_and(|text| contains(&text, needle)),
        }
    }
}

/// The beginning of a number as it was typed. Comparing values is a hundred times as fast as
/// writing every one of them out.
struct Prefix {
    negative: bool,
    low: f64,
    high: f64,
    /// A point was typed, so that no more digits stand before it.
    fixed: bool,
}

impl Prefix {
    fn of(needle: &str) -> Option<Self> {
        let (negative, rest) = match needle.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, needle),
        };
        let (whole, decimals) = rest.split_once('.').unwrap_or((rest, ""));
        let all = format!("{whole}{decimals}");
        if all.is_empty() || all.len() > 15 || !all.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let mantissa: u64 = all.parse().ok()?;
        let unit = 10_f64.powi(decimals.len() as i32);
        let (low, high) = (mantissa as f64 / unit, (mantissa + 1) as f64 / unit);
        Some(Self { negative, low, high, fixed: rest.contains('.') || mantissa == 0 })
    }

    fn begins(&self, value: f64) -> bool {
        if (value < 0.0) != self.negative {
            return false;
        }
        let size = value.abs();
        let (mut low, mut high) = (self.low, self.high);
        loop {
            if low <= size && size < high {
                return true;
            }
            if self.fixed || low > size {
                return false;
            }
            (low, high) = (low * 10.0, high * 10.0);
        }
    }
}

/// Whether a whole number holds these digits.
fn digits(value: i64, needle: &str) -> bool {
    let mut text = [0_u8; 20];
    let mut at = text.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        text[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        text[at] = b'-';
    }
    text[at..].windows(needle.len()).any(|part| part == needle.as_bytes())
}

/// Whether `text` holds `needle`, which is in lower case.
fn contains(text: &str, needle: &str) -> bool {
    if !text.is_ascii() {
        return text.to_lowercase().contains(needle);
    }
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    let Some(last) = text.len().checked_sub(needle.len()) else { return false };
    let (first, rest) = (needle[0], &needle[1..]);
    (0..=last).any(|at| {
        text[at].to_ascii_lowercase() == first
            && text[at + 1..at + needle.len()].eq_ignore_ascii_case(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{OpenOptions, Overrides, apply_overrides, open_bytes};
    use crate::jobs::Ctx;

    fn table() -> Table {
        let text =
            "n,w,x,day\n3,b,1.5,2024-01-02\n,a,NA,2024-01-01\n1,,2.5,2024-01-03\n1,Über,0.5,\n";
        open_bytes("t.csv", text.as_bytes(), &OpenOptions::default(), &Ctx::quiet()).unwrap()
    }

    #[test]
    fn a_search_goes_round_in_both_directions() {
        let table = table();
        let all: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
        let order: Vec<u32> = (0..4).collect();
        let search =
            |needle: &str, from, forward| find(&table, &order, needle, from, forward, &all);
        assert_eq!(search("B", 3, true), Some((0, "w".to_owned())));
        assert_eq!(search("ÜBER", 0, true), Some((3, "w".to_owned())));
        assert_eq!(search("1", 0, true), Some((1, "day".to_owned())));
        assert_eq!(search("2.5", 3, false), Some((2, "x".to_owned())));
        assert_eq!(search("nowhere", 0, true), None);
        assert_eq!(search("", 0, true), None);
    }

    #[test]
    fn masked_columns_are_not_searched() {
        let mut table = table();
        let mut overrides = Overrides::default();
        overrides.personal.insert("w".to_owned(), true);
        apply_overrides(&mut table, &overrides).unwrap();
        assert_eq!(find(&table, &[0, 1, 2, 3], "b", 1, true, &["w".to_owned()]), None);
    }

    #[test]
    fn numbers_match_by_what_was_typed_of_them() {
        let begins = |needle: &str, value| Prefix::of(needle).is_some_and(|p| p.begins(value));
        for (needle, value) in [
            ("1.23", 1.234),
            ("1.23", 1.23),
            ("12", 1234.5),
            ("12", 12.0),
            ("-0.5", -0.51),
            ("0", 0.25),
        ] {
            assert!(begins(needle, value), "{needle} {value}");
        }
        for (needle, value) in
            [("1.23", 1.24), ("12", 21.2), ("0.5", -0.5), ("1.", 12.0), ("0", 10.0), ("-", -1.0)]
        {
            assert!(!begins(needle, value), "{needle} {value}");
        }
        assert!(digits(-1205, "20") && digits(i64::MIN, "-922") && !digits(12, "3"));
    }
}
