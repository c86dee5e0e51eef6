//! Values that begin with a cache line, and with a large page of memory if they are many.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::Real;

/// A cache line in bytes, and the longest vector.
const LINE: usize = 64;
/// A large page in bytes.
const PAGE: usize = 2 << 20;
/// From so many bytes on values are worth large pages.
const MANY: usize = 1 << 20;

/// Values the first of which begins a cache line. A vector that lies across two of them takes
/// twice as long to come, and that is every vector of a row where the first one does.
///
/// Many values lie in large pages, where the system has them: the second cache then keeps as many
/// of them as it has room for, and not those whose small pages happen to get along.
pub struct Aligned<F> {
    room: Vec<F>,
    first: usize,
    len: usize,
}

impl<F: Real> Aligned<F> {
    /// So many zeros.
    pub(super) fn zeros(len: usize) -> Self {
        if len == 0 {
            return Self { room: Vec::new(), first: 0, len };
        }
        let n_bytes = len * size_of::<F>();
        let start = if n_bytes < MANY { LINE } else { PAGE };
        let most = start / size_of::<F>();
        // Of what lies before and behind nothing is ever written to.
        let mut room = vec![F::ZERO; len.next_multiple_of(most) + most];
        // A system that does not tell where values lie only loses time.
        let first = room.as_ptr().align_offset(start).min(most);
        if start == PAGE {
            in_large_pages(&mut room[first..][..len.next_multiple_of(most)]);
        }
        Self { room, first, len }
    }
}

/// Asks for large pages.
fn in_large_pages<F>(values: &mut [F]) {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: it is a hint about pages of this process, which changes nothing that they hold.
        #[expect(unsafe_code, reason = "the system takes an address")]
        unsafe {
            libc::madvise(values.as_mut_ptr().cast(), size_of_val(values), libc::MADV_HUGEPAGE);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = values;
}

impl<F: Real> From<&[F]> for Aligned<F> {
    fn from(values: &[F]) -> Self {
        let mut own = Self::zeros(values.len());
        own.copy_from_slice(values);
        own
    }
}

impl<F> Deref for Aligned<F> {
    type Target = [F];

    #[inline]
    fn deref(&self) -> &[F] {
        &self.room[self.first..][..self.len]
    }
}

impl<F> DerefMut for Aligned<F> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [F] {
        &mut self.room[self.first..][..self.len]
    }
}

/// A copy lies elsewhere, and so does its first whole line.
impl<F: Real> Clone for Aligned<F> {
    fn clone(&self) -> Self {
        Self::from(&**self)
    }
}

impl<F: PartialEq> PartialEq for Aligned<F> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<F: fmt::Debug> fmt::Debug for Aligned<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_begin_a_line_as_well() {
        let begins = |values: &[f64]| values.as_ptr().align_offset(LINE) == 0;
        for len in [1, 7, 8, 1000] {
            let given: Vec<f64> = (0..len).map(f64::from).collect();
            let made = Aligned::from(&given[..]);
            let copies: Vec<_> = (0..9).map(|_| made.clone()).collect();
            assert!(begins(&made) && copies.iter().all(|copy| begins(copy) && **copy == *given));
        }
        assert!(Aligned::<f32>::zeros(0).is_empty());
    }
}
