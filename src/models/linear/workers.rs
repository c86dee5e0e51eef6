//! Which threads share the work. What comes out is the same for all of them.

use crate::jobs::each;

/// Who computes the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Workers {
    /// The thread that asks, which is best for small problems.
    One,
    /// One thread for each processor.
    All,
}

impl Workers {
    /// Those that suit a matrix of this many numbers.
    pub(super) fn for_numbers(n: usize) -> Self {
        if n < 1 << 16 { Self::One } else { Self::All }
    }

    /// `work(0)`, `work(1)`, ... `work(count - 1)`, in this order.
    pub(super) fn run<T: Send>(self, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
        match self {
            Self::One => (0..count).map(work).collect(),
            Self::All => each(count, work),
        }
    }
}
