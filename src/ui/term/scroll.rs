//! Finding rows that have only moved.

use std::hash::{DefaultHasher, Hash, Hasher};

use ratatui::buffer::Cell;

/// Rows `top..=bottom` whose content has moved by `by` rows, upwards if positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scroll {
    pub(super) top: usize,
    pub(super) bottom: usize,
    pub(super) by: isize,
}

/// Fewer rows than this are not worth the commands.
const LEAST: usize = 3;

/// The move that explains most of the rows that differ, if there is one.
pub(super) fn find(have: &[Cell], next: &[Cell], width: usize) -> Option<Scroll> {
    let digest = |grid: &[Cell]| -> Vec<u64> { grid.chunks(width).map(digest).collect() };
    let (have, next) = (digest(have), digest(next));
    let rows = have.len().min(next.len());
    if (0..rows).filter(|row| have[*row] != next[*row]).count() <= LEAST {
        return None;
    }
    let mut best: Option<(usize, Scroll)> = None;
    for distance in 1..=(rows / 2) as isize {
        for by in [distance, -distance] {
            let moved = |row: usize| {
                row.checked_add_signed(by)
                    .filter(|from| *from < rows)
                    .is_some_and(|from| next[row] == have[from] && next[row] != have[row])
            };
            let Some(first) = (0..rows).find(|row| moved(*row)) else { continue };
            let last = (0..rows).rfind(|row| moved(*row)).unwrap_or(first);
            let n = (first..=last).filter(|row| moved(*row)).count();
            if n < LEAST || best.is_some_and(|(most, _)| most >= n) {
                continue;
            }
            let reach = |row: usize| row.saturating_add_signed(by);
            let (top, bottom) = (first.min(reach(first)), last.max(reach(last)));
            best = Some((n, Scroll { top, bottom, by }));
        }
    }
    best.map(|(_, scroll)| scroll)
}

/// What the terminal shows after the move: rows shifted, blanks where they came from.
pub(super) fn apply(grid: &mut [Cell], width: usize, scroll: Scroll) {
    let region = &mut grid[scroll.top * width..(scroll.bottom + 1) * width];
    let cells = scroll.by.unsigned_abs() * width;
    let at = region.len() - cells;
    if scroll.by > 0 {
        region.rotate_left(cells);
        region[at..].fill(Cell::EMPTY);
    } else {
        region.rotate_right(cells);
        region[..cells].fill(Cell::EMPTY);
    }
}

fn digest(row: &[Cell]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for cell in row {
        cell.symbol().hash(&mut hasher);
        (cell.fg, cell.bg, cell.modifier).hash(&mut hasher);
    }
    hasher.finish()
}
