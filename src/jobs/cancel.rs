//! What the one who waits wishes of the work: to go on, to rest, to finish early, or to stop.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

/// The work was asked to stop, and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

/// What is wished of a job, the later ones stronger than those before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wish {
    /// To go on.
    #[default]
    Go,
    /// To rest until it may go on; work that knows no rest goes on.
    Rest,
    /// To end early and to keep what there is; work that has nothing to keep goes on to its end.
    Finish,
    /// To stop and to keep nothing.
    Stop,
}

/// A wish, shared by everyone who holds a clone. To finish or to stop cannot be taken back.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicU8>);

impl CancelToken {
    /// Asks the holders to stop.
    pub fn cancel(&self) {
        self.0.store(Wish::Stop as u8, Ordering::Relaxed);
    }

    /// Asks for an early end that keeps what there is.
    pub fn finish(&self) {
        self.0.fetch_max(Wish::Finish as u8, Ordering::Relaxed);
    }

    /// Asks for rest, or ends it. Work that finishes or stops does not rest.
    pub fn rest(&self, rest: bool) {
        let (from, to) = if rest { (Wish::Go, Wish::Rest) } else { (Wish::Rest, Wish::Go) };
        // Refused when something stronger is wished, or when it is so already.
        let _ = self.0.compare_exchange(from as u8, to as u8, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// What is wished at present.
    pub fn wish(&self) -> Wish {
        match self.0.load(Ordering::Relaxed) {
            0 => Wish::Go,
            1 => Wish::Rest,
            2 => Wish::Finish,
            _ => Wish::Stop,
        }
    }

    /// Whether anyone has asked to stop. Ask this, and not an error, why work ended early.
    pub fn is_cancelled(&self) -> bool {
        self.wish() == Wish::Stop
    }

    /// Returns [`Cancelled`] once anyone has called [`CancelToken::cancel`].
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stronger_wish_wins() {
        let token = CancelToken::default();
        token.rest(true);
        assert_eq!(token.wish(), Wish::Rest);
        token.rest(false);
        assert_eq!(token.wish(), Wish::Go);
        token.finish();
        token.rest(true);
        assert_eq!(token.wish(), Wish::Finish);
        token.cancel();
        token.finish();
        token.rest(false);
        assert_eq!((token.wish(), token.check()), (Wish::Stop, Err(Cancelled)));
    }
}
