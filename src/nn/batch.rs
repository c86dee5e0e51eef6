//! The values of a layer for some rows, with room around each row for a convolution to reach into.

use super::spec::Shape;
use super::{Aligned, Real};

/// How the rows of a batch lie in memory.
///
/// Position after position, the channels of a position side by side. Between the rows lie `gap`
/// positions of zeros, and as many before the first and after the last: a convolution along a
/// series reaches into them and finds its padding there, so that all windows of all rows form one
/// matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    /// What one row holds.
    pub(super) shape: Shape,
    /// Positions of zeros between two rows.
    pub(super) gap: usize,
}

impl Geometry {
    /// Values from the beginning of one row to that of the next.
    pub(super) fn pitch(self) -> usize {
        (self.shape.positions() + self.gap) * self.shape.channels
    }

    /// Values before the first row.
    pub(super) fn lead(self) -> usize {
        self.gap * self.shape.channels
    }

    /// Values in all for so many rows.
    fn len(self, n_rows: usize) -> usize {
        self.lead() + n_rows * self.pitch()
    }
}

/// Values of some rows. Whatever lies outside the rows is zero whenever a layer looks at it.
#[derive(Debug)]
pub(super) struct Batch<F> {
    pub(super) geometry: Geometry,
    pub(super) values: Aligned<F>,
}

impl<F: Real> Batch<F> {
    /// Room for so many rows, all zero.
    pub(super) fn new(geometry: Geometry, capacity: usize) -> Self {
        Self { geometry, values: Aligned::zeros(geometry.len(capacity)) }
    }

    /// One row, its positions in order.
    #[inline]
    pub(super) fn row(&self, idx: usize) -> &[F] {
        let start = self.geometry.lead() + idx * self.geometry.pitch();
        &self.values[start..start + self.geometry.shape.len()]
    }

    /// One row, to be written.
    #[inline]
    pub(super) fn row_mut(&mut self, idx: usize) -> &mut [F] {
        let start = self.geometry.lead() + idx * self.geometry.pitch();
        &mut self.values[start..start + self.geometry.shape.len()]
    }

    /// Brings back the zeros behind each of the first rows, which a matrix product has overwritten.
    pub(super) fn clear_gaps(&mut self, n_rows: usize) {
        let (pitch, lead, len) =
            (self.geometry.pitch(), self.geometry.lead(), self.geometry.shape.len());
        if self.geometry.gap == 0 {
            return;
        }
        for row in self.values[lead..].chunks_mut(pitch).take(n_rows) {
            row[len..].fill(F::ZERO);
        }
    }
}
