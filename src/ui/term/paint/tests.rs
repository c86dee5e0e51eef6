//! Frames are played into a terminal emulator, which then has to show them cell by cell.

use proptest::collection::vec;
use proptest::prelude::*;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::*;

/// A painter with an emulated terminal at its other end.
struct Bench {
    painter: Painter,
    screen: vt100::Parser,
}

impl Bench {
    fn new(width: u16, height: u16) -> Self {
        let screen = vt100::Parser::new(height, width, 0);
        Self { painter: Painter::new(width, height), screen }
    }

    /// Paints a frame, checks what is seen then, and returns the number of bytes.
    fn show(&mut self, frame: &Buffer) -> usize {
        let bytes = self.painter.frame(frame, None).to_vec();
        self.screen.process(&bytes);
        let (height, width) = self.screen.screen().size();
        assert_eq!((width, height), (frame.area.width, frame.area.height));
        let wanted = normalised(frame, usize::from(width));
        for (i, cell) in wanted.iter().enumerate() {
            let (x, y) = (i as u16 % width, i as u16 / width);
            let seen = self.screen.screen().cell(y, x).expect("inside");
            let text = String::from_utf8_lossy(&bytes);
            if cell.symbol().is_empty() {
                assert!(seen.is_wide_continuation(), "{x},{y} after {text:?}");
                continue;
            }
            let symbol = if seen.contents().is_empty() { " " } else { seen.contents() };
            assert_eq!(symbol, cell.symbol(), "{x},{y} after {text:?}");
            if is_blank(cell) {
                assert!(seen.bgcolor() == vt100::Color::Default && !seen.inverse(), "{x},{y}");
                assert!(!seen.underline(), "{x},{y} after {text:?}");
            } else {
                assert_eq!(look(seen), wanted_look(cell), "{x},{y} after {text:?}");
            }
        }
        bytes.len()
    }
}

type Look = (vt100::Color, vt100::Color, [bool; 5]);

fn look(cell: &vt100::Cell) -> Look {
    let attributes = [cell.bold(), cell.dim(), cell.italic(), cell.underline(), cell.inverse()];
    (cell.fgcolor(), cell.bgcolor(), attributes)
}

fn wanted_look(cell: &Cell) -> Look {
    let colour = |colour| match colour {
        Color::Cyan => vt100::Color::Idx(6),
        Color::LightRed => vt100::Color::Idx(9),
        Color::Indexed(n) => vt100::Color::Idx(n),
        Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
        _ => vt100::Color::Default,
    };
    let has = |modifier| cell.modifier.contains(modifier);
    let attributes = [
        has(Modifier::BOLD),
        has(Modifier::DIM),
        has(Modifier::ITALIC),
        has(Modifier::UNDERLINED),
        has(Modifier::REVERSED),
    ];
    (colour(cell.fg), colour(cell.bg), attributes)
}

fn frame(lines: &[&str]) -> Buffer {
    Buffer::with_lines(lines.iter().map(|line| (*line).to_owned()))
}

fn styles() -> impl Strategy<Value = Style> {
    let colours = [
        Color::Reset,
        Color::Reset,
        Color::Cyan,
        Color::LightRed,
        Color::Indexed(200),
        Color::Rgb(1, 20, 255),
    ];
    let modifiers = [
        Modifier::empty(),
        Modifier::BOLD,
        Modifier::DIM,
        Modifier::REVERSED,
        Modifier::UNDERLINED | Modifier::BOLD,
        Modifier::ITALIC,
    ];
    (0..6usize, 0..6usize, 0..6usize).prop_map(move |(fg, bg, modifier)| {
        let bg = if bg < 4 { Color::Reset } else { colours[bg] };
        Style::new().fg(colours[fg]).bg(bg).add_modifier(modifiers[modifier])
    })
}

/// Texts put down anywhere over blanks.
fn frames(width: u16, height: u16) -> impl Strategy<Value = Buffer> {
    let texts =
        vec((0..width, 0..height, "[a-c │━表語é ]{0,12}| {3,30}|[0-9.]{1,8}", styles()), 0..24);
    texts.prop_map(move |texts| {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        for (x, y, text, style) in texts {
            buf.set_string(x, y, text, style);
        }
        buf
    })
}

#[test]
fn nothing_new_is_nothing_sent() {
    let mut bench = Bench::new(20, 4);
    let shown = frame(&["one                 ", "two 表 three", "", "\u{2800}"]);
    assert!(bench.show(&shown) > 0);
    assert_eq!(bench.show(&shown), 0);
}

#[test]
fn commands_in_the_text_are_disarmed() {
    let mut painter = Painter::new(8, 1);
    let mut buf = Buffer::empty(Rect::new(0, 0, 8, 1));
    buf[(0, 0)].set_symbol("\u{1b}");
    buf[(1, 0)].set_symbol("a\u{1b}[2J");
    buf[(2, 0)].set_symbol("\u{202e}");
    let bytes = painter.frame(&buf, None).to_vec();
    let text = String::from_utf8(bytes).expect("text");
    assert!(text.ends_with("\x1b[H···"), "{text:?}");
}

#[test]
fn a_moving_choice_costs_little() {
    let row = |i: usize| {
        format!(
            "│ row {i:>3}  {:>10.3}  {:>10}  {:>8.2} %           │",
            i as f64 * 1.7,
            i * 931,
            0.3
        )
    };
    let draw = |chosen: usize| {
        let mut buf = Buffer::empty(Rect::new(0, 0, 60, 20));
        for y in 0..20u16 {
            buf.set_string(0, y, row(usize::from(y)), Style::new());
        }
        let line = Rect::new(1, chosen as u16, 50, 1);
        buf.set_style(line, Style::new().fg(Color::LightRed).bg(Color::Cyan));
        buf
    };
    let mut bench = Bench::new(60, 20);
    bench.show(&draw(3));
    let bytes = bench.show(&draw(4));
    assert!(bytes < 150, "{bytes} bytes");
}

#[test]
fn rows_that_only_moved_are_moved() {
    let draw = |from: usize| {
        let mut buf = Buffer::empty(Rect::new(0, 0, 78, 22));
        buf.set_string(0, 0, format!("┏{}┓", "━".repeat(76)), Style::new());
        buf.set_string(0, 21, format!("┗{}┛", "━".repeat(76)), Style::new());
        for y in 1..21usize {
            let i = (from + y) as f64;
            buf.set_string(0, y as u16, "┃", Style::new());
            for c in 0..7u16 {
                let number = format!("{:>9.3}", (i * 7.31 * f64::from(c + 1)) % 97.0);
                buf.set_string(2 + c * 9, y as u16, number, Style::new());
            }
            buf.set_string(77, y as u16, "┃", Style::new());
        }
        buf
    };
    let mut bench = Bench::new(78, 22);
    bench.show(&draw(100));
    for (from, most) in [(101, 140), (100, 140), (119, 1500), (118, 140)] {
        let bytes = bench.show(&draw(from));
        assert!(bytes <= most, "{bytes} bytes to {from}");
    }
}

#[test]
fn longer_frames_go_in_brackets_where_they_are_understood() {
    let mut painter = Painter::new(40, 10);
    painter.sync = true;
    let full = frame(&["0123456789012345678901234567890123456789"; 10]);
    let bytes = painter.frame(&full, None);
    assert!(bytes.starts_with(b"\x1b[?2026h") && bytes.ends_with(b"\x1b[?2026l"));
    let mut changed = full.clone();
    changed.set_string(3, 3, "x", Style::new());
    assert_eq!(painter.frame(&changed, None), b"\x1b[4;4Hx");
}

#[test]
fn the_cursor_is_seen_only_where_it_is_wanted() {
    let mut painter = Painter::new(10, 2);
    let mut screen = vt100::Parser::new(2, 10, 0);
    let shown = frame(&["abc       ", ""]);
    screen.process(painter.frame(&shown, Some(Position::new(3, 0))));
    assert!(!screen.screen().hide_cursor());
    assert_eq!(screen.screen().cursor_position(), (0, 3));
    screen.process(painter.frame(&frame(&["abc       ", "x"]), Some(Position::new(3, 0))));
    assert_eq!(screen.screen().cursor_position(), (0, 3));
    screen.process(painter.frame(&shown, None));
    assert!(screen.screen().hide_cursor());
    assert_eq!(painter.frame(&shown, None), b"");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_terminal_shows_every_frame_as_it_was_drawn(frames in vec(frames(24, 7), 1..6)) {
        let mut bench = Bench::new(24, 7);
        for frame in frames {
            bench.show(&frame);
        }
    }

    #[test]
    fn moved_rows_come_out_right(first in frames(20, 12), by in 1usize..6, up: bool, noise in frames(20, 2)) {
        let mut bench = Bench::new(20, 12);
        bench.show(&first);
        let mut next = first.clone();
        let cells = by * 20;
        if up {
            next.content.rotate_left(cells);
        } else {
            next.content.rotate_right(cells);
        }
        next.content[..noise.content.len()].clone_from_slice(&noise.content);
        bench.show(&next);
        bench.show(&first);
    }

    #[test]
    fn a_new_size_is_painted_from_nothing(sizes in vec((1u16..30, 1u16..10), 1..5), text in "[a-z表 ]{0,40}") {
        let mut bench = Bench::new(5, 5);
        for (width, height) in sizes {
            bench.screen.screen_mut().set_size(height, width);
            let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
            buf.set_string(0, height - 1, &text, Style::new().fg(Color::Cyan));
            bench.show(&buf);
        }
    }
}
