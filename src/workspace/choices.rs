//! The short lists that settings of the recipe are chosen from, each value with its word.

use super::Error;
use super::settings::wrong;
use crate::features::{Dates, Impute, Scale, Unseen};

/// What replaces a missing number.
pub(super) const IMPUTE: [(Impute, &str); 4] = [
    (Impute::Median, "median"),
    (Impute::Mean, "mean"),
    (Impute::MostFrequent, "most_frequent"),
    (Impute::Constant, "constant"),
];
/// What an unseen level becomes.
pub(super) const UNSEEN: [(Unseen, &str); 3] =
    [(Unseen::Other, "other"), (Unseen::Missing, "missing"), (Unseen::Error, "error")];
/// How numbers are scaled.
pub(super) const SCALE: [(Scale, &str); 4] = [
    (Scale::None, "none"),
    (Scale::Standard, "standard"),
    (Scale::MinMax, "min_max"),
    (Scale::Robust, "robust"),
];
/// What becomes of dates.
pub(super) const DATES: [(Dates, &str); 3] =
    [(Dates::Parts, "parts"), (Dates::Days, "days"), (Dates::Drop, "drop")];

/// A value of one of the recipe's lists, with its word.
pub(super) trait Listed: Copy + PartialEq + 'static {
    const LIST: &'static [(Self, &'static str)];
}
impl Listed for Impute {
    const LIST: &'static [(Self, &'static str)] = &IMPUTE;
}
impl Listed for Unseen {
    const LIST: &'static [(Self, &'static str)] = &UNSEEN;
}
impl Listed for Scale {
    const LIST: &'static [(Self, &'static str)] = &SCALE;
}
impl Listed for Dates {
    const LIST: &'static [(Self, &'static str)] = &DATES;
}

/// The word of a value.
pub(super) fn word<T: Listed>(value: T) -> &'static str {
    T::LIST.iter().find(|(v, _)| *v == value).map_or("", |(_, w)| w)
}

/// All words of a list.
pub(super) fn words<T>(list: &[(T, &str)]) -> Vec<String> {
    list.iter().map(|(_, w)| (*w).to_owned()).collect()
}

/// The value of a word, or an error that names all words.
pub(super) fn pick<T: Listed>(key: &str, text: &str) -> Result<T, Error> {
    let found = T::LIST.iter().find(|(_, w)| *w == text).map(|(v, _)| *v);
    found.ok_or_else(|| wrong(key, text, &format!("one of {}", words(T::LIST).join(", "))))
}
