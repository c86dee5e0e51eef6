//! What a key may be used for: one table, which help, parsing and the server read.

use serde::Serialize;

use super::{deny, label};
use crate::registry::Error;

/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Scores.
    Infer,
    /// Reasons and attributions beside them.
    Explain,
    /// Labels for predictions made.
    Feedback,
    /// Statistics, metrics, drift.
    Read,
    /// Loading and unloading, promotion, alerts.
    Operate,
    /// Keys.
    Admin,
}

impl Scope {
    /// Every scope with its word, and what it is for.
    pub const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Infer, "infer", "scores"),
        (Self::Explain, "explain", "reasons and attributions beside scores"),
        (Self::Feedback, "feedback", "labels for predictions made"),
        (Self::Read, "read", "statistics, metrics, drift"),
        (Self::Operate, "operate", "loading, promotion, alerts"),
        (Self::Admin, "admin", "keys"),
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(own, ..)| *own == self).map_or("", |(_, word, _)| word)
    }

    /// The scope that a word means.
    ///
    /// ```
    /// use karat::registry::store::Scope;
    ///
    /// assert_eq!(Scope::parse("infer").unwrap(), Scope::Infer);
    /// assert!(Scope::parse("root").unwrap_err().to_string().contains("there are infer, explain"));
    /// ```
    pub fn parse(word: &str) -> Result<Self, Error> {
        let found = Self::ALL.iter().find(|(_, own, _)| *own == word).map(|(scope, ..)| *scope);
        found.ok_or_else(|| {
            let words: Vec<&str> = Self::ALL.iter().map(|(_, word, _)| *word).collect();
            let hint = format!("there are {}", words.join(", "));
            deny(format!("`{}` is no scope", label(word)), hint)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_has_its_word() {
        for (scope, word, about) in Scope::ALL {
            assert_eq!(Scope::parse(word).unwrap(), *scope);
            assert_eq!((scope.word(), about.is_empty()), (*word, false));
        }
    }
}
