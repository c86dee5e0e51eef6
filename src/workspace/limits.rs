//! How far a key to the server may be used, as a person types it.

use std::fmt::Write as _;
use std::str::FromStr;

use super::Error;
use crate::data::nearest;
use crate::registry::store::{KeySpec, Scope};

/// Milliseconds of a day.
const DAY_MS: f64 = 86_400_000.0;

/// What can be limited, and how it is written.
pub const KEY_LIMITS: &[(&str, &str)] = &[
    ("expires", "days until it is refused"),
    ("rate", "requests a second in the long run"),
    ("burst", "requests at once after a rest"),
    ("requests", "requests a day"),
    ("rows", "rows a day"),
    ("models", "names with commas between, where `*` stands for any letters"),
];

/// How far a key may be used: no limit where nothing is said.
///
/// ```
/// let limits: karat::workspace::KeyLimits = "expires=90 rate=100 models=pd*,lgd".parse().unwrap();
/// assert_eq!(limits.rate, Some(100.0));
/// assert_eq!(limits.models, ["pd*", "lgd"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeyLimits {
    /// Days until it is refused.
    pub expires: Option<f64>,
    /// Requests a second in the long run.
    pub rate: Option<f64>,
    /// Requests at once after a rest.
    pub burst: Option<f64>,
    /// Requests a day.
    pub requests: Option<u64>,
    /// Rows a day.
    pub rows: Option<u64>,
    /// Patterns of the models that it may know of; all when there are none.
    pub models: Vec<String>,
}

impl FromStr for KeyLimits {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut limits = Self::default();
        for word in text.split_whitespace() {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let wrong = |what: &str| Error::Command {
                what: format!("`{word}`: {what}"),
                hint: "for example `expires=90 rate=100 models=credit*`".into(),
            };
            let number = || {
                let number = value.parse().ok().filter(|n: &f64| n.is_finite() && *n > 0.0);
                number.ok_or_else(|| wrong("a number above 0 is expected")).map(Some)
            };
            let count = || value.parse().map(Some).map_err(|_| wrong("a whole number is expected"));
            match name {
                "expires" => limits.expires = number()?,
                "rate" => limits.rate = number()?,
                "burst" => limits.burst = number()?,
                "requests" => limits.requests = count()?,
                "rows" => limits.rows = count()?,
                "models" => {
                    let names = value.split(',').filter(|name| !name.is_empty());
                    limits.models = names.map(str::to_owned).collect();
                }
                _ => {
                    let known = KEY_LIMITS.iter().map(|(known, _)| *known);
                    return Err(wrong(&match nearest(name, known.clone()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
                    }));
                }
            }
        }
        Ok(limits)
    }
}

impl KeyLimits {
    /// The limits behind a comma, as they would be typed; nothing where there are none.
    pub fn words(&self) -> String {
        let mut words = String::new();
        let numbers = [("expires", self.expires), ("rate", self.rate), ("burst", self.burst)];
        for (name, value) in numbers {
            let _ = value.map(|value| write!(words, " {name}={value}"));
        }
        for (name, value) in [("requests", self.requests), ("rows", self.rows)] {
            let _ = value.map(|value| write!(words, " {name}={value}"));
        }
        if !self.models.is_empty() {
            let _ = write!(words, " models={}", self.models.join(","));
        }
        if words.is_empty() { words } else { format!(",{words}") }
    }

    /// A key of this name for these uses within the limits.
    pub(super) fn spec(&self, name: &str, scopes: Vec<Scope>, now_ms: i64) -> KeySpec {
        KeySpec {
            name: name.to_owned(),
            scopes,
            models: self.models.clone(),
            expires_ms: self.expires.map(|days| now_ms.saturating_add((days * DAY_MS) as i64)),
            rate_per_second: self.rate,
            burst: self.burst,
            daily_requests: self.requests,
            daily_rows: self.rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_read_back_as_they_are_written() {
        for text in ["", "expires=90 rate=0.5 burst=10 requests=1000 rows=50000 models=pd*,lgd"] {
            let limits: KeyLimits = text.parse().unwrap();
            let words = limits.words();
            assert_eq!(words.trim_start_matches(", "), text);
            assert_eq!(words.trim_start_matches(',').parse::<KeyLimits>().unwrap(), limits);
        }
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        let refused = |text: &str| text.parse::<KeyLimits>().unwrap_err().to_string();
        assert!(refused("rate=many").contains("a number above 0"));
        assert!(refused("rows=1.5").contains("a whole number"));
        assert!(refused("expire=9").contains("did you mean `expires`?"));
    }
}
