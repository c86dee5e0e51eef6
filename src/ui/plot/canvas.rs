//! A grid of dots, several to a cell: the ink of all curves.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::theme::{Glyphs, Role, Theme};

/// Dots over an area, put down in roles; a later role takes the cell over.
#[derive(Debug)]
pub(super) struct Canvas {
    area: Rect,
    glyphs: Glyphs,
    cells: Vec<(u8, Role)>,
}

/// The bit of each dot in a braille cell, by row and column (Unicode 2800 onwards).
const BRAILLE: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl Canvas {
    /// An empty canvas.
    pub(super) fn new(area: Rect, glyphs: Glyphs) -> Self {
        let cells = vec![(0, Role::Text); usize::from(area.width) * usize::from(area.height)];
        Self { area, glyphs, cells }
    }

    /// How many dots there are in a cell, across and down.
    fn fineness(&self) -> (usize, usize) {
        match self.glyphs {
            Glyphs::Braille => (2, 4),
            Glyphs::Block => (1, 2),
            Glyphs::Ascii => (1, 1),
        }
    }

    /// The number of dots across.
    pub(super) fn width(&self) -> usize {
        usize::from(self.area.width) * self.fineness().0
    }

    /// The number of dots down.
    pub(super) fn height(&self) -> usize {
        usize::from(self.area.height) * self.fineness().1
    }

    /// Puts one dot down, counted from the upper left; outside of the area it is lost.
    pub(super) fn dot(&mut self, x: usize, y: usize, role: Role) {
        if x >= self.width() || y >= self.height() {
            return;
        }
        let (across, down) = self.fineness();
        let bit = match self.glyphs {
            Glyphs::Braille => BRAILLE[y % down][x % across],
            Glyphs::Block => 1 << (y % down),
            Glyphs::Ascii => 1,
        };
        let cell = &mut self.cells[y / down * usize::from(self.area.width) + x / across];
        *cell = (cell.0 | bit, role);
    }

    /// Puts the dots between two heights of one column down, those that `pattern` lets through.
    pub(super) fn column(
        &mut self,
        x: usize,
        from: usize,
        to: usize,
        role: Role,
        pattern: impl Fn(usize, usize) -> bool,
    ) {
        for y in from.min(to)..=from.max(to) {
            if pattern(x, y) {
                self.dot(x, y, role);
            }
        }
    }

    /// Writes every cell that has a dot into the frame.
    pub(super) fn paint(&self, buf: &mut Buffer, theme: &Theme) {
        let width = usize::from(self.area.width).max(1);
        for (i, (dots, role)) in self.cells.iter().enumerate().filter(|(_, (dots, _))| *dots > 0) {
            let symbol = match (self.glyphs, dots) {
                (Glyphs::Braille, dots) => char::from_u32(0x2800 + u32::from(*dots)).unwrap_or('•'),
                (Glyphs::Block, 1) => '▀',
                (Glyphs::Block, 2) => '▄',
                (Glyphs::Block, _) => '█',
                (Glyphs::Ascii, _) => letter(*role),
            };
            let (x, y) = (self.area.x + (i % width) as u16, self.area.y + (i / width) as u16);
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.set_char(symbol).set_style(theme.style(*role));
            }
        }
    }
}

/// Curves in ASCII are told apart by their letter.
pub fn letter(role: Role) -> char {
    match role {
        Role::Valid | Role::SeriesB => 'o',
        Role::SeriesC => 'x',
        Role::SeriesD => '+',
        Role::Dim | Role::Border => '.',
        _ => '*',
    }
}
