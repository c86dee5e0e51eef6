//! The models that are served at this moment: which version answers a name.
//!
//! A table is never changed; a new one takes its place at once, while requests under way keep the
//! one they began with.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::served::Served;
use super::shadow::Differences;
use crate::registry::store::Split;

pub(super) const CHAMPION: &str = "champion";
pub(super) const CHALLENGER: &str = "challenger";
pub(super) const SHADOW: &str = "shadow";

/// Everything under one name.
pub(super) struct Named {
    pub(super) name: String,
    /// Loaded versions by number.
    pub(super) versions: BTreeMap<u32, Arc<Served>>,
    /// Versions that cannot be loaded, and why.
    pub(super) broken: BTreeMap<u32, String>,
    /// Where aliases point, whether that version is loaded or not.
    pub(super) aliases: BTreeMap<String, u32>,
    /// The share of requests that the challenger answers.
    pub(super) split: Split,
    /// Whether it was taken out of service in this server.
    pub(super) is_unloaded: bool,
    pub(super) differences: Arc<Differences>,
}

/// All names.
#[derive(Default)]
pub(super) struct Models {
    pub(super) by_name: HashMap<String, Arc<Named>>,
}

/// A version found for a request.
pub(super) struct Found {
    pub(super) served: Arc<Served>,
    /// The alias that led to it, where one did.
    pub(super) alias: Option<String>,
    /// The version that scores the same rows beside it.
    pub(super) shadow: Option<(Arc<Served>, Arc<Differences>)>,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotFound {
    /// No such model, or none that the key may know of.
    Model,
    /// The model has no such version or alias.
    Version,
    /// It is there, but not in service.
    NotReady,
    /// No version was asked for, and the model has no champion.
    NoChampion,
}

impl Models {
    /// The version that answers: the one asked for by number or alias; else the champion or, by
    /// its share, the challenger. No other ever steps in.
    ///
    /// `sticky` decides who gets the challenger: the same one always gets the same.
    pub(super) fn find(
        &self,
        name: &str,
        version: Option<&str>,
        sticky: &str,
    ) -> Result<Found, NotFound> {
        let named = self.by_name.get(name).ok_or(NotFound::Model)?;
        if named.is_unloaded {
            return Err(NotFound::NotReady);
        }
        let (number, alias) = match version {
            Some(asked) => named.asked(asked)?,
            None => named.usual(sticky).ok_or(NotFound::NoChampion)?,
        };
        let served = named.versions.get(&number).ok_or(NotFound::NotReady)?;
        let shadow = named.aliases.get(SHADOW).filter(|own| **own != number);
        let shadow = shadow.and_then(|own| named.versions.get(own));
        Ok(Found {
            served: Arc::clone(served),
            alias,
            shadow: shadow.map(|own| (Arc::clone(own), Arc::clone(&named.differences))),
        })
    }
}

impl Named {
    fn asked(&self, asked: &str) -> Result<(u32, Option<String>), NotFound> {
        if asked.bytes().all(|b| b.is_ascii_digit()) {
            let number = asked.parse().map_err(|_| NotFound::Version)?;
            let is_known = self.versions.contains_key(&number) || self.broken.contains_key(&number);
            return if is_known { Ok((number, None)) } else { Err(NotFound::Version) };
        }
        if let Some(number) = self.aliases.get(asked) {
            return Ok((*number, Some(asked.to_owned())));
        }
        // `v2` is version 2, as on the command line.
        let written = asked.strip_prefix('v').filter(|rest| !rest.starts_with('v'));
        written.map_or(Err(NotFound::Version), |number| self.asked(number))
    }

    /// A number from 0 to 1: always the same for whoever asks or, if it is not to stick, any.
    fn share(&self, sticky: &str) -> f64 {
        static TURN: AtomicU64 = AtomicU64::new(0);
        // Without keys all are the same, and would all get the same.
        if self.split.sticky && !sticky.is_empty() {
            return share(&self.name, sticky);
        }
        share(&self.name, &TURN.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// Whether the version that answers without being asked for is there.
    pub(super) fn is_ready(&self) -> bool {
        self.usual("").is_some_and(|(number, _)| self.versions.contains_key(&number))
    }

    fn usual(&self, sticky: &str) -> Option<(u32, Option<String>)> {
        let of = |alias: &str| self.aliases.get(alias).map(|n| (*n, Some(alias.to_owned())));
        if self.split.challenger > 0.0
            && let Some(challenger) = of(CHALLENGER)
            && self.versions.contains_key(&challenger.0)
            && self.share(sticky) < self.split.challenger
        {
            return Some(challenger);
        }
        of(CHAMPION)
    }
}

/// A number from 0 to 1 that a name and whoever asks always have (FNV-1a, mixed).
fn share(name: &str, sticky: &str) -> f64 {
    let bytes = name.bytes().chain([0]).chain(sticky.bytes());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenger_gets_its_share_and_everyone_stays_where_they_are() {
        let n = 20_000;
        let of = |who: usize| share("credit", &format!("customer {who}"));
        let below = (0..n).filter(|who| of(*who) < 0.2).count();
        assert!((3_800..4_200).contains(&below), "{below}");
        assert_eq!(of(7), of(7));
    }
}
