//! Values that begin with a cache line.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::Real;

/// A cache line in bytes, and the longest vector.
const LINE: usize = 64;

/// Values the first of which begins a cache line. A vector that lies across two of them takes
/// twice as long to come, and that is every vector of a row where the first one does.
pub struct Aligned<F> {
    room: Vec<F>,
    first: usize,
    len: usize,
}

impl<F: Clone> Aligned<F> {
    /// The same value so many times.
    fn filled(value: F, len: usize) -> Self {
        if len == 0 {
            return Self { room: Vec::new(), first: 0, len };
        }
        let most = LINE / size_of::<F>();
        let room = vec![value; len + most];
        // A system that does not tell where values lie only loses time.
        let first = room.as_ptr().align_offset(LINE).min(most);
        Self { room, first, len }
    }
}

impl<F: Real> Aligned<F> {
    /// So many zeros.
    pub(super) fn zeros(len: usize) -> Self {
        Self::filled(F::ZERO, len)
    }
}

impl<F: Clone> From<&[F]> for Aligned<F> {
    fn from(values: &[F]) -> Self {
        let Some(first) = values.first() else {
            return Self { room: Vec::new(), first: 0, len: 0 };
        };
        let mut own = Self::filled(first.clone(), values.len());
        own.clone_from_slice(values);
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
impl<F: Clone> Clone for Aligned<F> {
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
