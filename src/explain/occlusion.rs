//! Explanations by hiding a part of the inputs.

use ndarray::Array2;

use super::subject::one;
use super::{Attribution, Error, Layout, Subject};
use crate::jobs::Ctx;

/// A series is hidden in about so many stretches, a picture in so many by so many patches.
const STRETCHES: usize = 24;
const PATCHES: usize = 14;
/// Rows that are scored at once.
const BATCH: usize = 64;

/// By how much the score falls when a patch of the inputs is replaced by the reference; the inputs
/// of a patch share it evenly. The base is the score of the reference.
pub(super) fn occlusion(
    subject: &dyn Subject,
    row: &[f64],
    ctx: &Ctx,
) -> Result<Attribution, Error> {
    let reference = subject.reference();
    let score = one(subject, row);
    let patches = patches(subject.layout());
    let mut contributions = vec![0.0; row.len()];
    for (done, batch) in patches.chunks(BATCH).enumerate() {
        ctx.step(done * BATCH, patches.len(), vec![])?;
        let mut rows = Array2::from_shape_fn((batch.len(), row.len()), |(_, i)| row[i]);
        for (hidden, patch) in batch.iter().enumerate() {
            for i in patch {
                rows[[hidden, *i]] = reference[*i];
            }
        }
        for (patch, without) in batch.iter().zip(subject.scores(rows.view())) {
            for i in patch {
                contributions[*i] = (score - without) / patch.len() as f64;
            }
        }
    }
    Ok(Attribution { base: one(subject, &reference), score, contributions })
}

/// The inputs that are hidden together: squares of a picture and stretches of a series with all
/// their channels, and each static column by itself.
fn patches(layout: Layout) -> Vec<Vec<usize>> {
    let side = if layout.height > 1 {
        layout.height.max(layout.width).div_ceil(PATCHES)
    } else {
        layout.width.div_ceil(STRETCHES)
    };
    let side = side.max(1);
    let mut patches = Vec::new();
    for top in (0..layout.height).step_by(side) {
        for left in (0..layout.width).step_by(side) {
            let mut patch = Vec::new();
            for y in top..(top + side).min(layout.height) {
                for x in left..(left + side).min(layout.width) {
                    let place = (y * layout.width + x) * layout.channels;
                    patch.extend(place..place + layout.channels);
                }
            }
            patches.push(patch);
        }
    }
    let n_static = layout.len() - layout.n_static;
    patches.extend((n_static..layout.len()).map(|i| vec![i]));
    patches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_is_hidden_exactly_once() {
        for layout in [
            Layout { height: 28, width: 28, channels: 3, n_static: 2 },
            Layout { height: 8, width: 8, channels: 1, n_static: 0 },
            Layout { height: 1, width: 150, channels: 2, n_static: 5 },
            Layout::flat(7),
        ] {
            let mut hidden: Vec<usize> = patches(layout).into_iter().flatten().collect();
            hidden.sort_unstable();
            assert_eq!(hidden, (0..layout.len()).collect::<Vec<_>>(), "{layout:?}");
        }
        assert_eq!(patches(Layout { height: 8, width: 8, channels: 1, n_static: 0 }).len(), 64);
    }
}
