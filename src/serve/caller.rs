//! Who asks, and what they may.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use super::limit::{Left, Meter};
use super::protocol::Refusal;
use crate::registry::store::{Scope, now_ms};

/// A key that was found good.
#[derive(Debug)]
pub(super) struct Caller {
    /// Its public id.
    pub(super) id: String,
    /// What it is called.
    pub(super) name: String,
    pub(super) scopes: Vec<Scope>,
    /// Patterns of the models it may know of.
    pub(super) models: Vec<String>,
    pub(super) meter: Meter,
    /// Requests since the server was started.
    pub(super) requests: AtomicU64,
    pub(super) last_used_ms: AtomicI64,
}

impl Caller {
    /// Counts a request against what the key is allowed.
    pub(super) fn charge(&self) -> Result<Option<Left>, Refusal> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let now = now_ms();
        self.last_used_ms.store(now, Ordering::Relaxed);
        self.meter.request(Instant::now(), (now / 1000) as u64).map_err(|exceeded| {
            Refusal::too_many(format!("{} is used up", exceeded.what), exceeded.retry_after)
        })
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) enum Who {
    /// Someone without a key, where none is needed.
    Nobody,
    /// The holder of a key.
    Key(Arc<Caller>),
}

impl Who {
    /// The public id of the key; empty without one.
    pub(super) fn id(&self) -> String {
        match self {
            Self::Nobody => String::new(),
            Self::Key(caller) => caller.id.clone(),
        }
    }

    /// Counts rows against what the key is allowed.
    pub(super) fn charge_rows(&self, n_rows: usize) -> Result<(), Refusal> {
        let Self::Key(caller) = self else { return Ok(()) };
        caller.meter.rows(n_rows as u64, (now_ms() / 1000) as u64).map_err(|exceeded| {
            Refusal::too_many(format!("{} are used up", exceeded.what), exceeded.retry_after)
        })
    }

    /// What decides between champion and challenger.
    pub(super) fn sticky(&self) -> String {
        self.id()
    }

    /// Refuses whoever lacks a scope.
    pub(super) fn may(&self, scope: Scope) -> Result<(), Refusal> {
        match self {
            Self::Nobody => Ok(()),
            Self::Key(caller) if caller.scopes.contains(&scope) => Ok(()),
            Self::Key(_) => {
                Err(Refusal::forbidden(format!("this key lacks the scope `{}`", scope.word())))
            }
        }
    }

    /// Whether they may know of every model.
    pub(super) fn sees_all(&self) -> bool {
        match self {
            Self::Nobody => true,
            Self::Key(caller) => caller.models.iter().any(|pattern| pattern == "*"),
        }
    }

    /// Whether they may know of a model.
    pub(super) fn sees(&self, model: &str) -> bool {
        match self {
            Self::Nobody => true,
            Self::Key(caller) => {
                caller.models.iter().any(|pattern| crate::registry::store::matches(pattern, model))
            }
        }
    }
}
