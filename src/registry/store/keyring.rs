//! Keys in memory, as a server looks them up: a snapshot that never changes, without a database
//! in the way of a request.

use std::collections::HashMap;

use subtle::ConstantTimeEq;

use super::{Key, secret};

/// All keys at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keyring {
    keys: HashMap<String, Key>,
}

/// Why a key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refused {
    /// It is none.
    Malformed,
    /// There is no such key, or its secret is another.
    Unknown,
    /// Its time is over.
    Expired,
    /// Someone has revoked it.
    Revoked,
}

impl Refused {
    /// The word for it, as a metric or a log names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl Keyring {
    pub(super) fn new(keys: Vec<Key>) -> Self {
        Self { keys: keys.into_iter().map(|key| (key.id.clone(), key)).collect() }
    }

    /// All of them, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.values()
    }

    /// The key of this public id, whatever has become of it.
    pub fn find(&self, id: &str) -> Option<&Key> {
        self.keys.get(id)
    }

    /// The key that was presented at this moment, in milliseconds since 1970.
    ///
    /// It is looked up by its public id, and its secret is compared in a time that does not tell
    /// how much of it was right.
    pub fn verify(&self, presented: &str, now_ms: i64) -> Result<&Key, Refused> {
        let (id, own) = secret::parts(presented).ok_or(Refused::Malformed)?;
        let hash = secret::stored(own);
        let key = self.keys.get(id).ok_or(Refused::Unknown)?;
        let is = |stored: &str| stored.as_bytes().ct_eq(hash.as_bytes());
        let old = key.old.as_ref().filter(|(_, until)| now_ms < *until);
        let is_old = old.map_or(subtle::Choice::from(0), |(old, _)| is(old));
        if !bool::from(is(&key.hash) | is_old) {
            return Err(Refused::Unknown);
        }
        if key.revoked_ms.is_some() {
            return Err(Refused::Revoked);
        }
        if key.expires_ms.is_some_and(|at| at <= now_ms) {
            return Err(Refused::Expired);
        }
        Ok(key)
    }
}

/// Whether a name matches a pattern, in which `*` stands for any letters and `?` for one.
///
/// ```
/// use karat::registry::store::matches;
///
/// assert!(matches("credit-*", "credit-pd") && matches("*", "x") && matches("a?c", "abc"));
/// assert!(!matches("credit-*", "fraud") && !matches("a?c", "ac"));
/// ```
pub fn matches(pattern: &str, name: &str) -> bool {
    fits(pattern, name, |_| true)
}

/// Whether whoever knows of models by the patterns `maker` may give away those of `wanted`, where
/// no pattern stands for all models: each has to lie within one of the maker's as it is written.
///
/// ```
/// use karat::registry::store::covers;
///
/// let own = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
/// assert!(covers(&own(&["credit-*"]), &own(&["credit-pd", "credit-l*"])));
/// assert!(!covers(&own(&["credit-*"]), &own(&["c*"])) && !covers(&own(&["credit-*"]), &[]));
/// ```
pub fn covers(maker: &[String], wanted: &[String]) -> bool {
    // Any letters are more than one letter, and only within any letters.
    let within = |own: &str, wanted: &str| fits(own, wanted, |letter| letter != b'*');
    let is_covered = |wanted: &str| maker.iter().any(|own| within(own, wanted));
    if wanted.is_empty() { is_covered("*") } else { wanted.iter().all(|own| is_covered(own)) }
}

/// Whether a text fits a pattern, in which `?` stands for the letters that are `one`.
fn fits(pattern: &str, text: &str, one: impl Fn(u8) -> bool) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(b'?') if one(text[n]) => {
                p += 1;
                n += 1;
            }
            Some(own) if *own == text[n] => {
                p += 1;
                n += 1;
            }
            _ => match &mut star {
                // The latest star takes one more letter.
                Some((at, taken)) => {
                    *taken += 1;
                    (p, n) = (*at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|own| *own == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nobody_gives_away_models_that_they_do_not_know() {
        let own = |text: &str| -> Vec<String> {
            text.split(' ').filter(|own| !own.is_empty()).map(str::to_owned).collect()
        };
        let check = |maker: &str, wanted: &str, expected: bool| {
            assert_eq!(covers(&own(maker), &own(wanted)), expected, "{maker} covers {wanted}");
        };
        check("*", "", true);
        check("*", "* a?c credit-*", true);
        check("credit-*", "", false);
        check("credit-*", "credit-pd credit-* credit-?", true);
        check("credit-*", "credit-pd fraud", false);
        check("credit-* fraud", "credit-pd fraud", true);
        check("credit-*", "*", false);
        check("credit-*", "credit*", false);
        check("a?c", "abc a?c", true);
        check("a?c", "a*c", false);
        check("a??", "a?*", false);
        check("", "a", false);
    }

    proptest! {
        #[test]
        fn what_is_covered_matches(maker in "[ab*?]{0,6}", wanted in "[ab*?]{0,6}", name in "[ab]{0,6}") {
            let is_covered = covers(std::slice::from_ref(&maker), std::slice::from_ref(&wanted));
            if is_covered && matches(&wanted, &name) {
                prop_assert!(matches(&maker, &name), "{name} is of {wanted} and not of {maker}");
            }
        }
    }
}
