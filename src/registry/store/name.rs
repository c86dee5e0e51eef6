//! Names of models and aliases.

use super::deny;
use crate::registry::Error;

/// The name of a served model: letters, digits, `.`, `_` and `-`, up to 100 of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelName(String);

fn is_plain(name: &str) -> bool {
    let is_good = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    (1..=100).contains(&name.len()) && name.bytes().all(is_good) && !name.bytes().all(|b| b == b'.')
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
            format!("`{}` cannot be the name of a model", super::plain(name)),
            "a name has up to 100 letters, digits, `.`, `_` and `-`, and is not `stats`",
        ))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks an alias: a name that is no number, since numbers are versions.
pub fn check_alias(alias: &str) -> Result<(), Error> {
    if is_plain(alias) && !alias.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(deny(
        format!("`{}` cannot be an alias", super::plain(alias)),
        "an alias has letters, digits, `.`, `_` and `-`, and is no number",
    ))
}
