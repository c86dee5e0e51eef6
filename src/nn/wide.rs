//! Loops with the widest instructions of the machine that runs them.
//!
//! karat is compiled for any processor of its kind, so that a loop as written uses the instructions
//! that all of them have. Here its body is compiled once more for each family of instructions, and
//! the best one is chosen as it runs.

use pulp::{Arch, NullaryFnOnce};

/// A loop with what it works on. `run` has to be `#[inline(always)]`, and so has all it calls:
/// what is not inlined keeps the instructions that it was compiled with.
pub(super) trait Loop {
    fn run(self);
}

struct Inlined<L>(L);

impl<L: Loop> NullaryFnOnce for Inlined<L> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.0.run();
    }
}

/// Runs a loop with the widest instructions there are.
pub(super) fn widely(work: impl Loop) {
    Arch::new().dispatch(Inlined(work));
}
