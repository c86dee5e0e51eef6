//! Colours and attributes in the fewest bytes.

use std::io::Write;

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// How the next character will look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pen {
    pub(super) fg: Color,
    pub(super) bg: Color,
    pub(super) modifier: Modifier,
}

/// Attributes that are seen on a blank as well.
const ON_BLANK: Modifier =
    Modifier::REVERSED.union(Modifier::UNDERLINED).union(Modifier::CROSSED_OUT);

/// Attributes that we send, with the numbers that turn them on and off.
const ATTRIBUTES: [(Modifier, u8, u8); 7] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::CROSSED_OUT, 9, 29),
];

impl Pen {
    /// The look after a reset.
    pub(super) const PLAIN: Self =
        Self { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

    /// The look of a cell.
    pub(super) fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }

    /// Whether a blank in this look cannot be told from a plain one.
    pub(super) fn leaves_blanks_plain(self) -> bool {
        self.bg == Color::Reset && !self.modifier.intersects(ON_BLANK)
    }

    /// Writes what turns this look into another: what differs, or a reset and all of the other,
    /// whichever is shorter.
    pub(super) fn change_to(self, to: Self, out: &mut Vec<u8>) {
        if self == to {
            return;
        }
        let mut changes = Vec::with_capacity(24);
        let gone = self.modifier - to.modifier;
        // Bold and dim have one number that ends both, so the one that stays is set again.
        let dims = Modifier::BOLD | Modifier::DIM;
        let again = if gone.intersects(dims) { to.modifier & dims } else { Modifier::empty() };
        let mut ended = 0;
        for (attribute, _, off) in ATTRIBUTES {
            if gone.contains(attribute) && off != ended {
                number(off, &mut changes);
                ended = off;
            }
        }
        attributes((to.modifier - self.modifier) | again, &mut changes);
        if self.fg != to.fg {
            colour(to.fg, 30, &mut changes);
        }
        if self.bg != to.bg {
            colour(to.bg, 40, &mut changes);
        }
        let mut anew = Vec::with_capacity(24);
        if to != Self::PLAIN {
            anew.push(b';');
            attributes(to.modifier, &mut anew);
            for (wanted, base) in [(to.fg, 30), (to.bg, 40)] {
                if wanted != Color::Reset {
                    colour(wanted, base, &mut anew);
                }
            }
        }
        let shorter = if anew.len() < changes.len() { &anew } else { &changes };
        // Numbers were each followed by a semicolon, of which the last is one too many.
        let shorter = shorter.strip_suffix(b";").unwrap_or(shorter);
        out.extend_from_slice(b"\x1b[");
        out.extend_from_slice(shorter);
        out.push(b'm');
    }
}

fn attributes(modifier: Modifier, out: &mut Vec<u8>) {
    for (attribute, on, _) in ATTRIBUTES {
        if modifier.contains(attribute) {
            number(on, out);
        }
    }
}

/// A colour as `3n` or `9n` where it is one of the sixteen; `base` is 30, or 40 for backgrounds.
fn colour(colour: Color, base: u8, out: &mut Vec<u8>) {
    let sixteen = match colour {
        Color::Reset => return number(base + 9, out),
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        Color::Indexed(n) if n < 16 => n,
        Color::Indexed(n) => {
            for n in [base + 8, 5, n] {
                number(n, out);
            }
            return;
        }
        Color::Rgb(red, green, blue) => {
            for n in [base + 8, 2, red, green, blue] {
                number(n, out);
            }
            return;
        }
    };
    number(if sixteen < 8 { base + sixteen } else { base + 52 + sixteen }, out);
}

fn number(n: u8, out: &mut Vec<u8>) {
    write!(out, "{n};").expect("memory takes every byte");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(from: Pen, to: Pen) -> String {
        let mut out = Vec::new();
        from.change_to(to, &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn looks_change_in_the_fewest_bytes() {
        let bold = Pen { modifier: Modifier::BOLD, ..Pen::PLAIN };
        let red = Pen { fg: Color::Red, ..Pen::PLAIN };
        let loud = Pen { fg: Color::White, bg: Color::Blue, modifier: Modifier::BOLD };
        assert_eq!(change(Pen::PLAIN, bold), "\x1b[1m");
        assert_eq!(change(loud, Pen::PLAIN), "\x1b[m");
        assert_eq!(change(Pen::PLAIN, loud), "\x1b[1;97;44m");
        assert_eq!(change(bold, red), "\x1b[;31m");
        assert_eq!(change(red, red), "");
        let dim = Pen { modifier: Modifier::DIM, ..Pen::PLAIN };
        let both = Pen { modifier: Modifier::DIM | Modifier::BOLD, ..Pen::PLAIN };
        assert_eq!(change(both, dim), "\x1b[;2m");
    }
}
