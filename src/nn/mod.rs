//! Neural networks, written by hand to be read like a small book.
//!
//! 1. [`spec`]: a network in words, and the shapes that follow from it.
//! 2. `plan`: the words laid out as nodes, each made from those before it.
//! 3. `aligned`, `batch`, `product`, `few` and `wide`: how values lie in memory, the matrix products that do the
//!    work, and loops with all that the processor has.
//! 4. `layers`: what each layer computes, and how the gradient goes back through it.
//! 5. `shard`: a part of a batch on its way forward and back.
//! 6. `loss`, `optimiser`, `schedule`, `init`: what is made small, how, how fast, and from where.
//! 7. [`Network`] and [`Trainer`]: a network asked, and a network taught.
//!
//! Values are f32 and channels-last; every part also computes in f64, in which the gradients are
//! checked against finite differences. A batch is always divided into the same parts and summed in
//! the same order, so that the same seed gives the same weights whatever the number of threads. The
//! room knows nothing of tables, files or screens.

#![expect(
    clippy::inline_always,
    reason = "what is compiled once more for wider instructions has to be inlined there"
)]

mod aligned;
mod batch;
mod few;
mod init;
mod layers;
mod loss;
mod network;
mod optimiser;
mod plan;
mod product;
mod real;
mod schedule;
mod shard;
pub mod spec;
#[cfg(test)]
mod tests;
mod trainer;
mod wide;

pub use aligned::Aligned;
pub use loss::Loss;
pub use network::{InputGradient, Network, Ready, Scorer};
pub use optimiser::Rule;
pub use plan::Weights;
pub use product::products;
pub use real::Real;
pub use schedule::{Plateau, Schedule};
pub use trainer::{Memory, Outcome, Rows, Trainer, Training};

/// The word that was probably meant: the nearest one by edits, if it is near at all.
fn nearest_word<'a>(typed: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let distances = words.map(|word| (edits(&typed, word), word));
    distances.filter(|(n, word)| *n <= 1 + word.len() / 3).min().map(|(_, word)| word)
}

/// Insertions, deletions and replacements from one word to another (Levenshtein, 1966), a swap of
/// neighbours counting as one.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
