//! Who asks, and what they may.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};

use super::limit::Meter;
use super::protocol::Refusal;
use crate::registry::store::Scope;

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
