//! Pictures in text: pixels as shades or dots, and what each pixel adds to a score.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::text;

/// Shades from dark to bright, on a dark terminal.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

/// When a dot of a 4 x 4 pattern is set, in sixteenths (Bayer, 1973).
const BAYER: [[u8; 4]; 4] = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]];

/// A picture of one channel, row by row.
///
/// Where there is room for two cells a pixel it is drawn in shades; else in dots, several to a
/// cell, their density standing for the brightness. Values that are no numbers stay dark.
#[derive(Debug, Clone)]
pub struct Picture<'a> {
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
    /// The pixels, row by row.
    pub values: &'a [f64],
    /// The values of black and white; the pixels decide where it is `None`.
    pub range: Option<(f64, f64)>,
}

impl Picture<'_> {
    /// The cells that it would like to have: width and height.
    pub fn wanted(&self) -> (u16, u16) {
        (clamped(2 * self.width), clamped(self.height))
    }

    /// Draws the picture into the upper left of the area, as large as it fits.
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let area = area.intersection(buf.area);
        if area.is_empty() || self.height == 0 || self.width == 0 {
            return;
        }
        let (width, height) = self.wanted();
        if width <= area.width && height <= area.height {
            self.draw_shades(area, buf, theme);
        } else {
            self.draw_dots(area, buf, theme);
        }
    }

    fn draw_shades(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let pixels = self.bright();
        for y in 0..self.height {
            for x in 0..self.width {
                let shade = (pixels[y * self.width + x] * 4.0).round() as usize;
                for half in 0..2 {
                    let at = (area.x + (2 * x + half) as u16, area.y + y as u16);
                    buf[at].set_char(SHADES[shade]).set_style(theme.style(Role::Text));
                }
            }
        }
    }

    /// Dots at a whole number of them a pixel, or of pixels a dot.
    fn draw_dots(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let mut canvas = Canvas::new(area, theme.glyphs);
        let (columns, rows) = (canvas.width(), canvas.height());
        let zoom = (columns / self.width).min(rows / self.height);
        let shrink = self.width.div_ceil(columns).max(self.height.div_ceil(rows));
        let pixels = self.bright();
        let size = |n: usize| if zoom > 0 { n * zoom } else { n / shrink };
        for (y, x) in
            (0..size(self.height)).flat_map(|y| (0..size(self.width)).map(move |x| (y, x)))
        {
            let bright = if let (Some(y), Some(x)) = (y.checked_div(zoom), x.checked_div(zoom)) {
                pixels[y * self.width + x]
            } else {
                let own = (0..shrink * shrink)
                    .map(|i| (y * shrink + i / shrink, x * shrink + i % shrink));
                own.map(|(y, x)| pixels[y * self.width + x]).sum::<f64>() / (shrink * shrink) as f64
            };
            // Where every pixel has but one dot, a pattern would be noise.
            let threshold = if zoom > 1 { f64::from(BAYER[y % 4][x % 4]) / 16.0 } else { 0.4 };
            if bright > threshold {
                canvas.dot(x, y, Role::Text);
            }
        }
        canvas.paint(buf, theme);
    }

    /// The pixels from 0 for black to 1 for white.
    fn bright(&self) -> Vec<f64> {
        let (low, high) = self.range.unwrap_or_else(|| {
            let known = self.values.iter().copied().filter(|v| v.is_finite());
            let none = (f64::INFINITY, f64::NEG_INFINITY);
            known.fold(none, |(low, high), v| (low.min(v), high.max(v)))
        });
        let bright = |place: usize| {
            let value = self.values.get(place).copied().unwrap_or(f64::NAN);
            // Halved, so that the difference of two huge numbers stays a number.
            let share = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
            if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
        };
        (0..self.height * self.width).map(bright).collect()
    }
}

/// What each pixel of a picture adds to a score or takes away.
///
/// The sign reads without colour: `+` and `█` add, `−` and `═` take away, the second of each more
/// than half as much as the strongest cell.
#[derive(Debug, Clone)]
pub struct SignedMap<'a> {
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
    /// The contributions, row by row.
    pub values: &'a [f64],
}

impl SignedMap<'_> {
    /// The cells that it would like to have: width and height.
    pub fn wanted(&self) -> (u16, u16) {
        (clamped(2 * self.width), clamped(self.height))
    }

    /// Draws the map into the upper left of the area; pixels that share a cell are added up.
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let area = area.intersection(buf.area);
        if area.is_empty() || self.height == 0 || self.width == 0 {
            return;
        }
        // Cells a pixel across, and pixels a cell both ways.
        let (wide, across, down) = self.block(area);
        let (columns, rows) = (self.width.div_ceil(across), self.height.div_ceil(down));
        let sums: Vec<f64> = (0..rows * columns)
            .map(|i| self.sum(i / columns * down, i % columns * across, across, down))
            .collect();
        let most = sums.iter().map(|sum| sum.abs()).fold(0.0, f64::max);
        for (i, sum) in sums.iter().enumerate() {
            let (symbol, role) = sign(*sum, most);
            for half in 0..wide {
                let at =
                    (area.x + (i % columns * wide + half) as u16, area.y + (i / columns) as u16);
                if let Some(cell) =
                    buf.cell_mut(at).filter(|_| at.0 < area.right() && at.1 < area.bottom())
                {
                    cell.set_char(symbol).set_style(theme.style(role));
                }
            }
        }
    }

    fn block(&self, area: Rect) -> (usize, usize, usize) {
        let (columns, rows) = (usize::from(area.width), usize::from(area.height));
        if 2 * self.width <= columns && self.height <= rows {
            return (2, 1, 1);
        }
        let across = self.width.div_ceil(columns).max(self.height.div_ceil(2 * rows)).max(1);
        (1, across, 2 * across)
    }

    fn sum(&self, top: usize, left: usize, across: usize, down: usize) -> f64 {
        let rows = top..(top + down).min(self.height);
        let cells = rows
            .flat_map(|y| (left..(left + across).min(self.width)).map(move |x| y * self.width + x));
        cells.filter_map(|place| self.values.get(place)).filter(|v| v.is_finite()).sum()
    }
}

/// The mark and the meaning of a contribution, `most` being the strongest of all.
pub(super) fn sign(value: f64, most: f64) -> (char, Role) {
    match value / most {
        share if share > 0.5 => ('█', Role::SeriesA),
        share if share > 0.1 => ('+', Role::SeriesA),
        share if share < -0.5 => ('═', Role::SeriesB),
        share if share < -0.1 => ('−', Role::SeriesB),
        _ => ('·', Role::Dim),
    }
}

/// What the marks of a [`SignedMap`] mean, cut to so many cells.
pub fn sign_legend(cells: usize) -> String {
    text::cut("█ + add   ═ − take away", cells)
}

fn clamped(n: usize) -> u16 {
    n.min(usize::from(u16::MAX)) as u16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::theme::{Glyphs, Tier};

    fn drawn(
        draw: impl Fn(Rect, &mut Buffer, &Theme),
        size: (u16, u16),
        glyphs: Glyphs,
    ) -> Vec<String> {
        let theme = Theme::new(Tier::None, glyphs);
        let mut buf = Buffer::empty(Rect::new(0, 0, size.0, size.1));
        draw(buf.area, &mut buf, &theme);
        theme.translate(&mut buf);
        let rows = buf.content.chunks(usize::from(size.0.max(1)));
        rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>())
            .map(|row| row.trim_end().to_owned())
            .collect()
    }

    const RING: [f64; 16] = [
        0.0, 8.0, 8.0, 0.0, //
        8.0, 0.0, 0.0, 8.0, //
        8.0, 2.0, 4.0, 8.0, //
        0.0, 6.0, 8.0, 0.0,
    ];

    #[test]
    fn a_small_picture_is_drawn_in_shades() {
        let picture = Picture { height: 4, width: 4, values: &RING, range: Some((0.0, 8.0)) };
        let draw = |area: Rect, buf: &mut Buffer, theme: &Theme| picture.render(area, buf, theme);
        let wanted = ["  ████", "██    ██", "██░░▒▒██", "  ▓▓██"];
        assert_eq!(drawn(draw, picture.wanted(), Glyphs::Braille), wanted);
        assert_eq!(
            drawn(draw, (8, 4), Glyphs::Ascii),
            ["  ####", "##    ##", "##..::##", "  %%##"]
        );
    }

    #[test]
    fn a_picture_without_room_is_drawn_in_dots() {
        let picture = Picture { height: 4, width: 4, values: &RING, range: None };
        let draw = |area: Rect, buf: &mut Buffer, theme: &Theme| picture.render(area, buf, theme);
        assert_eq!(drawn(draw, (2, 1), Glyphs::Braille), ["⢎⡵"]);
        assert_eq!(drawn(draw, (4, 2), Glyphs::Block), ["▄▀▀▄", "▀▄█▀"]);
    }

    #[test]
    fn the_sign_reads_without_colour() {
        let values = [1.0, 0.2, 0.0, -0.2, -1.0, f64::NAN];
        let map = SignedMap { height: 1, width: 6, values: &values };
        let draw = |area: Rect, buf: &mut Buffer, theme: &Theme| map.render(area, buf, theme);
        assert_eq!(drawn(draw, map.wanted(), Glyphs::Braille), ["██++··−−══··"]);
        assert_eq!(drawn(draw, map.wanted(), Glyphs::Ascii), ["##++..--==.."]);
        assert_eq!(drawn(draw, (6, 1), Glyphs::Braille), ["█+·−═·"]);
        // Two rows share a cell, and what they add is added up.
        let map = SignedMap { height: 2, width: 2, values: &[1.0, 1.0, -1.0, 1.0] };
        let draw = |area: Rect, buf: &mut Buffer, theme: &Theme| map.render(area, buf, theme);
        assert_eq!(drawn(draw, (3, 1), Glyphs::Braille), ["·█"]);
    }

    proptest! {
        #[test]
        fn pictures_of_any_size_fit_any_area(
            height in 0usize..40, width in 0usize..40, n in 0usize..900,
            size in (0u16..50, 0u16..30), value in any::<f64>(),
        ) {
            let values: Vec<f64> = (0..n).map(|i| if i % 3 == 0 { value } else { i as f64 }).collect();
            for glyphs in [Glyphs::Braille, Glyphs::Block, Glyphs::Ascii] {
                let draw = |area: Rect, buf: &mut Buffer, theme: &Theme| {
                    Picture { height, width, values: &values, range: None }.render(area, buf, theme);
                    SignedMap { height, width, values: &values }.render(area, buf, theme);
                };
                drawn(draw, size, glyphs);
            }
        }
    }
}
