//! Class activation maps.

use super::subject::one;
use super::{Attribution, Error, Subject};
use crate::jobs::Ctx;

/// The map before the global pooling, brought to the inputs.
///
/// A global average pooling followed by one dense layer gives the score
/// `bias + mean over positions of (sum over channels of weight x activation)` (Zhou et al., 2016).
/// Each position of the map therefore contributes its share of that mean, which is spread evenly
/// over the inputs that lie behind it. The base is the bias, and nothing is left over.
pub(super) fn class_map(subject: &dyn Subject, row: &[f64], _: &Ctx) -> Result<Attribution, Error> {
    let map = subject.class_map(row).map_err(|why| Error::NotThisModel {
        method: "class_map",
        why,
        hint: "take `integrated_gradients`",
    })?;
    let layout = subject.layout();
    let mut contributions = vec![0.0; layout.len()];
    let n_cells = (map.height * map.width) as f64;
    for y in 0..map.height {
        let rows = behind(y, map.height, layout.height);
        for x in 0..map.width {
            let columns = behind(x, map.width, layout.width);
            let n_inputs = rows.len() * columns.len() * layout.channels;
            let share = map.values[y * map.width + x] / n_cells / n_inputs.max(1) as f64;
            for (row, column) in rows.clone().flat_map(|row| columns.clone().map(move |c| (row, c)))
            {
                let place = (row * layout.width + column) * layout.channels;
                for cell in &mut contributions[place..place + layout.channels] {
                    *cell += share;
                }
            }
        }
    }
    let n_static = layout.len() - layout.n_static;
    for (cell, value) in contributions[n_static..].iter_mut().zip(&map.of_static) {
        *cell = *value;
    }
    Ok(Attribution { base: map.bias, score: one(subject, row), contributions })
}

/// The positions of the input behind a position of a map that may be coarser; never none.
fn behind(place: usize, of: usize, n: usize) -> std::ops::Range<usize> {
    let start = place * n / of;
    start..((place + 1) * n / of).max(start + 1).min(n.max(start))
}
