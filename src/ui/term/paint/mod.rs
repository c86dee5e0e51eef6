//! Frames as bytes: only what changed, in the shortest form.

use std::io::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use crate::ui::term::pen::Pen;
use crate::ui::term::scroll;
use crate::ui::widgets::text;

/// Frames shorter than this arrive in one packet and need no brackets.
const BRACKETS_FROM: usize = 256;

/// Turns frames into the bytes that change what a terminal shows into them.
///
/// It remembers what the terminal shows, joins runs over gaps that are cheaper to write than to
/// jump, erases with the terminal's own commands, and moves rows that have only moved.
#[derive(Debug)]
pub struct Painter {
    width: usize,
    height: usize,
    /// What the terminal shows. The second cell of a wide character holds an empty symbol.
    have: Vec<Cell>,
    known: bool,
    ink: Ink,
    shown: Option<Position>,
    /// Whether longer frames go in brackets, so that the terminal shows them all at once.
    pub sync: bool,
}

impl Painter {
    /// A painter of a terminal about which nothing is known but its size.
    pub fn new(width: u16, height: u16) -> Self {
        Self {
            width: usize::from(width),
            height: usize::from(height),
            have: Vec::new(),
            known: false,
            ink: Ink { out: Vec::new(), pen: Pen::PLAIN, at: At::Unknown },
            shown: None,
            sync: false,
        }
    }

    /// Lets the next frame be painted from nothing.
    pub fn forget(&mut self) {
        self.known = false;
    }

    /// The bytes for a frame, none if it shows nothing new; `cursor` is where it is seen.
    ///
    /// A frame of another size than the one before is painted from nothing.
    pub fn frame(&mut self, frame: &Buffer, cursor: Option<Position>) -> &[u8] {
        self.ink.out.clear();
        let size = (usize::from(frame.area.width), usize::from(frame.area.height));
        if size != (self.width, self.height) {
            (self.width, self.height) = size;
            self.known = false;
        }
        let next = normalised(frame, self.width);
        if !self.known {
            // Hidden cursor, plain pen, whole region, empty screen, cursor at its beginning.
            self.ink.out.extend_from_slice(b"\x1b[?25l\x1b[m\x1b[r\x1b[2J\x1b[H");
            self.ink.pen = Pen::PLAIN;
            self.ink.at = At::Cell(0, 0);
            self.have = vec![Cell::EMPTY; next.len()];
            self.shown = None;
            self.known = true;
        }
        if self.width > 0 && self.have != next {
            self.paint(&next);
        }
        self.have = next;
        let cursor =
            cursor.filter(|at| usize::from(at.x) < self.width && usize::from(at.y) < self.height);
        self.place_cursor(cursor);
        if self.sync && self.ink.out.len() >= BRACKETS_FROM {
            self.ink.out.splice(0..0, *b"\x1b[?2026h");
            self.ink.out.extend_from_slice(b"\x1b[?2026l");
        }
        &self.ink.out
    }

    /// Writes the difference, with rows moved first if that is shorter.
    fn paint(&mut self, next: &[Cell]) {
        let scroll = scroll::find(&self.have, next, self.width);
        let mut moved = scroll.map(|_| self.ink.clone());
        self.ink.difference(&self.have, next, self.width);
        let (Some(scroll), Some(ink)) = (scroll, &mut moved) else { return };
        ink.scroll(scroll);
        scroll::apply(&mut self.have, self.width, scroll);
        ink.difference(&self.have, next, self.width);
        if ink.out.len() < self.ink.out.len() {
            std::mem::swap(&mut self.ink, ink);
        }
    }

    fn place_cursor(&mut self, cursor: Option<Position>) {
        match (self.shown, cursor) {
            (None, None) => return,
            (Some(_), None) => self.ink.out.extend_from_slice(b"\x1b[?25l"),
            (before, Some(at)) => {
                self.ink.move_to(usize::from(at.x), usize::from(at.y));
                if before.is_none() {
                    self.ink.out.extend_from_slice(b"\x1b[?25h");
                }
            }
        }
        self.shown = cursor;
    }
}

/// Where the terminal's cursor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Nobody knows.
    Unknown,
    /// On a column and row.
    Cell(usize, usize),
    /// Behind the last column of a row, where terminals differ.
    End(usize),
}

/// Bytes, and the state of the terminal after them.
#[derive(Debug, Clone)]
struct Ink {
    out: Vec<u8>,
    pen: Pen,
    at: At,
}

impl Ink {
    /// Writes what turns one grid into another.
    fn difference(&mut self, have: &[Cell], next: &[Cell], width: usize) {
        for (y, (have, next)) in have.chunks(width).zip(next.chunks(width)).enumerate() {
            if have != next {
                self.row(y, have, next);
            }
        }
    }

    fn row(&mut self, y: usize, have: &[Cell], next: &[Cell]) {
        let width = next.len();
        // A wide character is written whole when either of its cells differs.
        let changed = |x: usize| {
            have[x] != next[x]
                || (x + 1 < width && next[x + 1].symbol().is_empty() && have[x + 1] != next[x + 1])
        };
        let mut x = 0;
        while x < width {
            if next[x].symbol().is_empty() || !changed(x) {
                x += 1;
                continue;
            }
            x = if is_blank(&next[x]) {
                self.blanks(x, y, next, &changed)
            } else {
                self.bridge(x, y, next);
                self.move_to(x, y);
                self.write(&next[x], x, y, width)
            };
        }
    }

    /// Writes a run of blanks that begins at `x`; returns where to go on.
    fn blanks(
        &mut self,
        x: usize,
        y: usize,
        next: &[Cell],
        changed: &impl Fn(usize) -> bool,
    ) -> usize {
        let width = next.len();
        let end = (x..width).find(|x| !is_blank(&next[*x])).unwrap_or(width);
        let last = (x..end).rfind(|x| changed(*x)).unwrap_or(x);
        let n = last + 1 - x;
        let erase = if end == width { 4 } else { 12 };
        self.bridge(x, y, next);
        if n >= erase {
            self.move_to(x, y);
            self.set_pen(Pen::PLAIN);
            if end == width {
                self.out.extend_from_slice(b"\x1b[K");
                return width;
            }
            write!(self.out, "\x1b[{n}X").expect("memory takes every byte");
            return last + 1;
        }
        self.move_to(x, y);
        let mut x = x;
        // Further along the run it may be cheaper to jump, so only what is joined is written.
        while x <= last && (changed(x) || (x..=last).take(3).any(changed)) {
            x = self.write(&next[x], x, y, width);
        }
        x
    }

    /// Writes the unchanged cells up to `x` if that is shorter than jumping over them.
    fn bridge(&mut self, x: usize, y: usize, next: &[Cell]) {
        let At::Cell(from, row) = self.at else { return };
        if row != y || from >= x || x - from > 8 {
            return;
        }
        let gap = &next[from..x];
        let same =
            |cell: &Cell| self.fits(cell) && !cell.symbol().is_empty() && !risky(cell.symbol());
        let cost: usize = gap.iter().map(|cell| cell.symbol().len()).sum();
        let jump = if x - from == 1 { 3 } else { 4 };
        if cost <= jump && gap.iter().all(same) {
            for (k, cell) in gap.iter().enumerate() {
                self.write(cell, from + k, y, next.len());
            }
        }
    }

    /// Whether a cell can be written with the pen as it is.
    fn fits(&self, cell: &Cell) -> bool {
        if is_blank(cell) { self.pen.leaves_blanks_plain() } else { Pen::of(cell) == self.pen }
    }

    /// Writes one cell; returns the column behind it.
    fn write(&mut self, cell: &Cell, x: usize, y: usize, width: usize) -> usize {
        if !self.fits(cell) {
            self.set_pen(Pen::of(cell));
        }
        let symbol = cell.symbol();
        self.out.extend_from_slice(symbol.as_bytes());
        let after = x + cells(symbol);
        self.at = match after {
            _ if risky(symbol) => At::Unknown,
            after if after < width => At::Cell(after, y),
            _ => At::End(y),
        };
        after
    }

    fn set_pen(&mut self, pen: Pen) {
        self.pen.change_to(pen, &mut self.out);
        self.pen = pen;
    }

    fn scroll(&mut self, scroll: scroll::Scroll) {
        self.set_pen(Pen::PLAIN);
        let (top, bottom, n) = (scroll.top + 1, scroll.bottom + 1, scroll.by.unsigned_abs());
        let command = if scroll.by > 0 { 'M' } else { 'L' };
        write!(self.out, "\x1b[{top};{bottom}r\x1b[{top}H\x1b[{n}{command}\x1b[r")
            .expect("memory takes every byte");
        // Setting a region puts the cursor at the beginning of the screen.
        self.at = At::Cell(0, 0);
    }

    /// Moves the cursor in the shortest way known.
    fn move_to(&mut self, x: usize, y: usize) {
        if self.at == At::Cell(x, y) {
            return;
        }
        let mut best = match (x, y) {
            (0, 0) => "\x1b[H".to_owned(),
            (0, y) => format!("\x1b[{}H", y + 1),
            (x, y) => format!("\x1b[{};{}H", y + 1, x + 1),
        };
        let mut offer = |way: String| {
            if way.len() < best.len() {
                best = way;
            }
        };
        let forward = |n: usize| match n {
            0 => String::new(),
            1 => "\x1b[C".to_owned(),
            n => format!("\x1b[{n}C"),
        };
        let (from, row) = match self.at {
            At::Cell(from, row) => (Some(from), Some(row)),
            At::End(row) => (None, Some(row)),
            At::Unknown => (None, None),
        };
        if let Some(row) = row.filter(|row| *row <= y && y - row <= 3) {
            let down = "\n".repeat(y - row);
            offer(format!("\r{down}{}", forward(x)));
            if let Some(from) = from {
                if x >= from {
                    offer(format!("{down}{}", forward(x - from)));
                } else if from - x < 5 {
                    offer(format!("{down}{}", "\x08".repeat(from - x)));
                }
            }
        }
        if from == Some(x) {
            offer(format!("\x1b[{}d", y + 1));
        }
        self.out.extend_from_slice(best.as_bytes());
        self.at = At::Cell(x, y);
    }
}

/// The cells of a frame as a terminal will show them.
///
/// Nothing is left in them that commands, that has no width or sticks out over the edge; the
/// second cell of a wide character is empty; blanks lose the attributes that nobody can see.
fn normalised(frame: &Buffer, width: usize) -> Vec<Cell> {
    let mut cells = frame.content.clone();
    if width == 0 {
        return cells;
    }
    for row in cells.chunks_mut(width) {
        let mut x = 0;
        while x < width {
            // Terminals have one intensity, or differ in what both together look like.
            if row[x].modifier.contains(Modifier::BOLD) {
                row[x].modifier.remove(Modifier::DIM);
            }
            let symbol = row[x].symbol();
            if symbol.len() > 1
                || symbol.bytes().any(|b| !(b' '..0x7f).contains(&b))
                || symbol.is_empty()
            {
                let wide = symbol.width();
                if symbol.chars().any(text::dangerous) || wide > 2 {
                    row[x].set_char('·');
                } else if wide == 0 || x + wide > width {
                    row[x].set_char(' ');
                } else if wide == 2 {
                    let mut second = row[x].clone();
                    second.set_symbol("");
                    row[x + 1] = second;
                    x += 2;
                    continue;
                }
            }
            let cell = &mut row[x];
            if cell.symbol() == " " && Pen::of(cell).leaves_blanks_plain() {
                cell.fg = Color::Reset;
                cell.modifier = Modifier::empty();
            }
            x += 1;
        }
    }
    cells
}

/// Whether a cell shows nothing at all, so that erasing makes it.
fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && Pen::of(cell).leaves_blanks_plain()
}

/// How many columns a symbol takes.
fn cells(symbol: &str) -> usize {
    if symbol.len() == 1 { 1 } else { symbol.width().max(1) }
}

/// Whether terminals disagree on a symbol's width, so that the cursor has to be set after it.
fn risky(symbol: &str) -> bool {
    let mut chars = symbol.chars();
    let first = chars.next();
    chars.next().is_some() || first.is_some_and(|c| c >= '\u{1f000}')
}

#[cfg(test)]
mod tests;
