//! Names of models and aliases.

use super::{deny, label};
use crate::registry::Error;

/// The alias of the version that answers.
pub(super) const CHAMPION: &str = "champion";
/// The alias of the version that answers a share of the requests.
pub(super) const CHALLENGER: &str = "challenger";

/// The name of a served model: letters, digits, `.`, `_` and `-`, up to 100 of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelName(String);

fn is_plain(name: &str) -> bool {
    let is_good = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    (1..=100).contains(&name.len()) && name.bytes().all(is_good) && name != "." && name != ".."
}

impl ModelName {
    /// Checks a name.
    ///
    /// ```
    /// use karat::registry::store::ModelName;
    ///
    /// assert_eq!(ModelName::new("credit-pd").unwrap().as_str(), "credit-pd");
    /// assert!(ModelName::new("../x").is_err() && ModelName::new("stats").is_err());
    /// ```
    pub fn new(name: &str) -> Result<Self, Error> {
        // `/v2/models/stats` tells the statistics of all models.
        if is_plain(name) && name != "stats" {
            return Ok(Self(name.to_owned()));
        }
        Err(deny(
            format!("`{}` cannot be the name of a model", label(name)),
            "a name has up to 100 letters, digits, `.`, `_` and `-`, and is not `stats`",
        ))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ModelName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks an alias: a name that is no number, since numbers are versions.
pub fn check_alias(alias: &str) -> Result<(), Error> {
    if is_plain(alias) && !alias.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(deny(
        format!("`{}` cannot be an alias", label(alias)),
        "an alias has letters, digits, `.`, `_` and `-`, and is no number",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_keys_and_never_paths() {
        for good in ["a", "credit-pd_2.1", "...", &"x".repeat(100)] {
            assert!(ModelName::new(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a b", "stats", "ä", "a\u{1b}", &"x".repeat(101)] {
            let text = ModelName::new(bad).unwrap_err().to_string();
            assert!(!text.contains('\u{1b}') && text.contains("hint: "), "{bad}");
        }
    }

    #[test]
    fn an_alias_is_no_number() {
        assert!(check_alias("champion").is_ok() && check_alias("2024q1").is_ok());
        assert!(check_alias("7").is_err() && check_alias("a/b").is_err());
    }
}
