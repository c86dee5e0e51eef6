//! Keys in memory, as a server looks them up.

use std::collections::HashMap;

use subtle::ConstantTimeEq;

use super::{Key, secret};

/// All keys at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keyring {
    keys: HashMap<String, Key>,
}

/// Why a key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl Keyring {
    pub(super) fn new(keys: Vec<Key>) -> Self {
        Self { keys: keys.into_iter().map(|key| (key.id.clone(), key)).collect() }
    }

    /// All of them.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.values()
    }

    /// The key that was presented at this moment, in milliseconds since 1970.
    ///
    /// It is looked up by its public id, and its secret is compared in a time that does not tell
    /// how much of it was right.
    pub fn verify(&self, presented: &str, now_ms: i64) -> Result<&Key, Refused> {
        let (id, own) = secret::parts(presented).ok_or(Refused::Malformed)?;
        let hash = secret::stored(own);
        let key = self.keys.get(id).ok_or(Refused::Unknown)?;
        let is = |stored: &str| bool::from(stored.as_bytes().ct_eq(hash.as_bytes()));
        let is_old = key.old.as_ref().is_some_and(|(old, until)| is(old) && now_ms < *until);
        if !is(&key.hash) && !is_old {
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
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(b'?') => {
                p += 1;
                n += 1;
            }
            Some(own) if *own == name[n] => {
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
