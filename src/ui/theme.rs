//! What colours and glyphs mean, and what of them this terminal can show.
//!
//! Screens ask for a [`Role`] and never for a colour, so that the same screen reads in true
//! colour, in sixteen colours and in none. Each role has a cue besides its colour. Glyphs are
//! written in full Unicode everywhere and brought down to what the terminal has by
//! [`Theme::translate`], once per frame. It knows nothing of what the screens show.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

/// What a piece of text means; every screen is drawn in these alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Ordinary text in the terminal's own colours.
    Text,
    /// Words that explain, units, and whatever may be overlooked.
    Dim,
    /// A number or word that the eye should find first.
    Strong,
    /// The title of the pane that has the keyboard.
    Title,
    /// The title of a pane that has not.
    TitleIdle,
    /// The tab in front.
    Tab,
    /// A tab behind.
    TabIdle,
    /// The name of a key in a footer or help.
    Key,
    /// A thing that can be acted on, or the running value of a gauge.
    Accent,
    /// The frame of a pane without the keyboard, axes and rules.
    Border,
    /// The frame of the pane with the keyboard.
    Focus,
    /// The heading of a table's columns.
    Header,
    /// The chosen row where the keyboard is.
    Selected,
    /// The chosen row of a pane that the keyboard has left.
    SelectedIdle,
    /// The cell or letter that the next key acts on.
    Cursor,
    /// The letters of an entry that a search has found.
    Match,
    /// A value nobody gave: missing, undefined, or guessed.
    Guess,
    /// Better than it was, passed, healthy.
    Good,
    /// Worth a look before going on.
    Warn,
    /// Wrong, failed, worse.
    Bad,
    /// Figures and curves of the training rows.
    Train,
    /// Figures and curves of the validation rows.
    Valid,
    /// The first curve of several.
    SeriesA,
    /// The second curve of several.
    SeriesB,
    /// The third curve of several.
    SeriesC,
    /// The fourth curve of several.
    SeriesD,
}

impl Role {
    /// All roles, for pictures of the palette and for tests.
    pub const ALL: &[Self] = &[
        Self::Text,
        Self::Dim,
        Self::Strong,
        Self::Title,
        Self::TitleIdle,
        Self::Tab,
        Self::TabIdle,
        Self::Key,
        Self::Accent,
        Self::Border,
        Self::Focus,
        Self::Header,
        Self::Selected,
        Self::SelectedIdle,
        Self::Cursor,
        Self::Match,
        Self::Guess,
        Self::Good,
        Self::Warn,
        Self::Bad,
        Self::Train,
        Self::Valid,
        Self::SeriesA,
        Self::SeriesB,
        Self::SeriesC,
        Self::SeriesD,
    ];

    /// The role of the `n`th curve laid over others, from nought, beginning again after four.
    pub fn series(n: usize) -> Self {
        [Self::SeriesA, Self::SeriesB, Self::SeriesC, Self::SeriesD][n % 4]
    }
}

/// How many colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// None at all: bold, dim, underline and reverse carry the meanings.
    None,
    /// The sixteen of the terminal's own palette.
    Ansi16,
    /// Colours of our own, chosen to read on black and on white.
    TrueColor,
}

/// Which glyphs the terminal's font can be trusted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyphs {
    /// All of Unicode that we use; plots in braille dots.
    Braille,
    /// What the console of a bare machine has (code page 437); plots in half blocks.
    Block,
    /// Printable ASCII alone.
    Ascii,
}

impl Glyphs {
    /// The next tier, for the key that turns through them.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Braille => Self::Block,
            Self::Block => Self::Ascii,
            Self::Ascii => Self::Braille,
        }
    }

    /// The word for this tier in messages and settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Braille => "braille",
            Self::Block => "block",
            Self::Ascii => "ascii",
        }
    }
}

/// The look of the program: how many colours, which glyphs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    tier: Tier,
    /// What [`Theme::translate`] brings the frame down to, and what plots draw with.
    pub glyphs: Glyphs,
    styles: [Style; Role::ALL.len()],
}

impl Default for Theme {
    fn default() -> Self {
        Self::new(Tier::Ansi16, Glyphs::Braille)
    }
}

impl Theme {
    /// The look with so many colours and these glyphs.
    pub fn new(tier: Tier, glyphs: Glyphs) -> Self {
        let mut styles = [Style::new(); Role::ALL.len()];
        for role in Role::ALL {
            styles[*role as usize] = style(tier, *role);
        }
        Self { tier, glyphs, styles }
    }

    /// How many colours the styles use.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// Reads the look from the environment, which `env` looks up by name.
    pub fn detect(env: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| env(name).filter(|value| !value.is_empty());
        let term = get("TERM").unwrap_or_default();
        let tier = if get("NO_COLOR").is_some() || poor(&term) {
            Tier::None
        } else if matches!(get("COLORTERM").as_deref(), Some("truecolor" | "24bit")) {
            Tier::TrueColor
        } else {
            Tier::Ansi16
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| get(name));
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        let unicode = locale.contains("utf-8") || locale.contains("utf8");
        let glyphs = match term.as_str() {
            _ if !unicode || poor(&term) => Glyphs::Ascii,
            "linux" | "cons25" | "vt220" => Glyphs::Block,
            _ => Glyphs::Braille,
        };
        Self::new(tier, glyphs)
    }

    /// The style in which this terminal shows a role.
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// Brings a finished frame down to the glyphs that this terminal has.
    ///
    /// Every cell keeps its width, so that columns still line up.
    pub fn translate(&self, buf: &mut Buffer) {
        if self.glyphs == Glyphs::Braille {
            return;
        }
        for cell in &mut buf.content {
            let symbol = cell.symbol();
            if symbol.len() == 1 || symbol.is_ascii() {
                continue;
            }
            let first = symbol.chars().next().unwrap_or(' ');
            if let Some((_, block, ascii)) = GLYPHS.iter().find(|(full, ..)| *full == first) {
                cell.set_char(if self.glyphs == Glyphs::Block { *block } else { *ascii });
            } else if self.glyphs == Glyphs::Ascii {
                let wide = unicode_width::UnicodeWidthStr::width(symbol) > 1;
                cell.set_symbol(if wide { "??" } else { plain_letter(first) });
            }
        }
    }
}

fn style(tier: Tier, role: Role) -> Style {
    let (cue, ansi, rgb) = look(role);
    let style = Style::new().add_modifier(cue);
    let paint = match tier {
        Tier::None => return style.add_modifier(cue_without_colour(role)),
        Tier::Ansi16 => ansi,
        Tier::TrueColor => rgb,
    };
    let style = paint.0.map_or(style, |colour| style.fg(colour));
    paint.1.map_or(style, |colour| style.bg(colour))
}

/// A foreground and a background, each the terminal's own where it is none.
type Paint = (Option<Color>, Option<Color>);

/// Terminals that know neither colours nor more than seven bits.
fn poor(term: &str) -> bool {
    matches!(term, "dumb" | "vt100" | "vt102" | "vt52" | "")
}

/// The cue that a role has in every tier, its place in the sixteen colours, and its true colour.
fn look(role: Role) -> (Modifier, Paint, Paint) {
    const PLAIN: Modifier = Modifier::empty();
    let fg = |ansi: Color, rgb: u32| ((Some(ansi), None), (Some(Color::from_u32(rgb)), None));
    let own: (Paint, Paint) = ((None, None), (None, None));
    let cyan = fg(Color::Cyan, 0x1a_8f_a6);
    let green = fg(Color::Green, 0x2e_94_57);
    let amber = fg(Color::Yellow, 0xb0_7d_0a);
    let (cue, (ansi, rgb)) = match role {
        Role::Text | Role::TabIdle => (PLAIN, own),
        Role::Dim | Role::Border | Role::TitleIdle => (Modifier::DIM, own),
        Role::Header => (Modifier::DIM.union(Modifier::UNDERLINED), own),
        Role::Strong | Role::SelectedIdle => (Modifier::BOLD, own),
        Role::Guess => (Modifier::DIM.union(Modifier::ITALIC), own),
        Role::Cursor => (Modifier::REVERSED, own),
        Role::Title | Role::Focus | Role::Key => (Modifier::BOLD, cyan),
        Role::Tab => (Modifier::BOLD.union(Modifier::UNDERLINED), own),
        Role::Accent | Role::Train | Role::SeriesA => (PLAIN, cyan),
        Role::Selected => {
            let ansi = (Some(Color::White), Some(Color::Blue));
            let rgb = (Some(Color::Rgb(255, 255, 255)), Some(Color::Rgb(38, 94, 148)));
            (Modifier::BOLD, (ansi, rgb))
        }
        Role::Match => (Modifier::UNDERLINED, amber),
        Role::Good | Role::SeriesD => (PLAIN, green),
        Role::Warn | Role::Valid | Role::SeriesB => (PLAIN, amber),
        Role::Bad => (Modifier::BOLD, fg(Color::Red, 0xd4_4a_4f)),
        Role::SeriesC => (PLAIN, fg(Color::Magenta, 0xa5_5f_b5)),
    };
    (cue, ansi, rgb)
}

/// What stands in for the colour where there is none.
fn cue_without_colour(role: Role) -> Modifier {
    match role {
        Role::Selected => Modifier::REVERSED,
        Role::Warn | Role::SeriesC => Modifier::BOLD,
        Role::Bad => Modifier::UNDERLINED,
        Role::Valid | Role::SeriesB => Modifier::DIM,
        Role::SeriesD => Modifier::ITALIC,
        _ => Modifier::empty(),
    }
}

/// Latin letters without their accents, and a question mark for what is no letter.
fn plain_letter(c: char) -> &'static str {
    match c {
        'à'..='å' => "a",
        'À'..='Å' => "A",
        'ç' => "c",
        'Ç' => "C",
        'è'..='ë' => "e",
        'È'..='Ë' => "E",
        'ì'..='ï' => "i",
        'Ì'..='Ï' => "I",
        'ñ' => "n",
        'Ñ' => "N",
        'ò'..='ö' | 'ø' => "o",
        'Ò'..='Ö' | 'Ø' => "O",
        'ù'..='ü' => "u",
        'Ù'..='Ü' => "U",
        'ý' | 'ÿ' => "y",
        '\u{2800}'..='\u{28ff}' => "*",
        _ => "?",
    }
}

/// Every glyph that we draw with: in full, in code page 437, in ASCII.
#[rustfmt::skip]
const GLYPHS: &[(char, char, char)] = &[
    ('─', '─', '-'), ('│', '│', '|'), ('╭', '┌', '+'), ('╮', '┐', '+'), ('╰', '└', '+'), ('╯', '┘', '+'),
    ('━', '═', '='), ('┃', '║', '|'), ('┏', '╔', '#'), ('┓', '╗', '#'), ('┗', '╚', '#'), ('┛', '╝', '#'),
    ('┌', '┌', '+'), ('┐', '┐', '+'), ('└', '└', '+'), ('┘', '┘', '+'), ('├', '├', '+'), ('┤', '┤', '+'),
    ('┬', '┬', '+'), ('┴', '┴', '+'), ('┼', '┼', '+'), ('┄', '-', '-'), ('┆', ':', ':'), ('╌', '-', '-'),
    ('═', '═', '='), ('║', '║', '|'), ('╔', '╔', '#'), ('╗', '╗', '#'), ('╚', '╚', '#'), ('╝', '╝', '#'),
    ('▁', '_', '_'), ('▂', '_', '.'), ('▃', '▄', '-'), ('▄', '▄', '='), ('▅', '▄', '='), ('▆', '█', '+'),
    ('▇', '█', '*'), ('█', '█', '#'), ('▀', '▀', '"'), ('▏', '│', '|'), ('▕', '│', '|'), ('▎', '▌', '-'),
    ('▍', '▌', '-'), ('▌', '▌', '='), ('▋', '▌', '='), ('▊', '█', '='), ('▉', '█', '='), ('▐', '▐', '#'),
    ('░', '░', '.'), ('▒', '▒', ':'), ('▓', '▓', '%'), ('■', '■', '#'), ('□', '░', '.'),
    ('▸', '►', '>'), ('▾', '▼', 'v'), ('▴', '▲', '^'), ('◂', '◄', '<'), ('►', '►', '>'), ('◄', '◄', '<'),
    ('▲', '▲', '^'), ('△', '^', '^'), ('▼', '▼', 'v'), ('●', '•', '*'), ('○', '○', 'o'), ('◆', '♦', '#'), ('◇', '○', 'o'),
    ('•', '•', '*'), ('★', '*', '*'), ('…', '~', '~'), ('·', '·', '.'), ('–', '-', '-'), ('—', '-', '-'),
    ('−', '-', '-'), ('×', 'x', 'x'), ('÷', '÷', '/'), ('±', '±', '~'), ('≈', '≈', '~'), ('≠', '#', '!'),
    ('≤', '≤', '<'), ('≥', '≥', '>'), ('→', '→', '>'), ('←', '←', '<'), ('↑', '↑', '^'), ('↓', '↓', 'v'),
    ('↕', '↕', '|'), ('⚠', '!', '!'), ('✓', '√', '+'), ('✔', '√', '+'), ('✗', 'x', 'x'), ('✘', 'x', 'x'),
    ('⏎', '<', '<'), ('↵', '<', '<'), ('∞', '∞', '8'), ('σ', 'σ', 's'), ('β', 'ß', 'b'), ('α', 'α', 'a'),
    ('μ', 'µ', 'u'), ('Σ', 'Σ', 'S'), ('√', '√', 'v'), ('²', '²', '2'), ('³', '3', '3'), ('°', '°', 'o'),
    ('€', 'E', 'E'), ('£', '£', 'L'), ('‘', '\'', '\''), ('’', '\'', '\''), ('“', '"', '"'), ('”', '"', '"'),
    ('\u{a0}', ' ', ' '), ('\u{202f}', ' ', ' '), ('⠀', ' ', ' '),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use ratatui::buffer::Cell;
    use ratatui::layout::Rect;

    use super::*;

    fn theme(vars: &[(&str, &str)]) -> Theme {
        let vars: Vec<(String, String)> =
            vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Theme::detect(move |name| vars.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone()))
    }

    #[test]
    fn the_environment_decides_colours_and_glyphs() {
        let utf8 = ("LANG", "en_US.UTF-8");
        let xterm = ("TERM", "xterm-256color");
        let check = |vars: &[(&str, &str)], tier, glyphs| {
            assert_eq!(theme(vars), Theme::new(tier, glyphs), "{vars:?}");
        };
        check(&[xterm, utf8], Tier::Ansi16, Glyphs::Braille);
        check(&[xterm, utf8, ("COLORTERM", "truecolor")], Tier::TrueColor, Glyphs::Braille);
        check(&[xterm, utf8, ("NO_COLOR", "1")], Tier::None, Glyphs::Braille);
        check(&[xterm, utf8, ("NO_COLOR", "")], Tier::Ansi16, Glyphs::Braille);
        check(&[("TERM", "linux"), utf8], Tier::Ansi16, Glyphs::Block);
        check(&[xterm, ("LANG", "C")], Tier::Ansi16, Glyphs::Ascii);
        check(&[xterm, ("LANG", "C"), ("LC_ALL", "de_DE.utf8")], Tier::Ansi16, Glyphs::Braille);
        check(&[("TERM", "vt100"), utf8], Tier::None, Glyphs::Ascii);
        check(&[], Tier::None, Glyphs::Ascii);
    }

    #[test]
    fn without_colours_no_style_has_one_and_states_stay_apart() {
        let theme = Theme::new(Tier::None, Glyphs::Braille);
        for role in Role::ALL {
            let style = theme.style(*role);
            assert!(style.fg.is_none() && style.bg.is_none(), "{role:?} has a colour");
        }
        let states = [Role::Text, Role::Selected, Role::SelectedIdle, Role::Dim, Role::Bad];
        let looks: HashSet<_> = states.iter().map(|role| theme.style(*role)).collect();
        assert_eq!(looks.len(), states.len(), "two states look alike");
        let series = (0..4).map(|n| theme.style(Role::series(n))).collect::<HashSet<_>>();
        assert_eq!(series.len(), 4, "two curves look alike");
    }

    #[test]
    fn a_frame_can_be_brought_down_to_ascii() {
        let text = "╭─ ▸ü 表 ≤ ⣿ … ─╮";
        let mut buf = Buffer::empty(Rect::new(0, 0, 20, 1));
        buf.set_string(0, 0, text, Style::new());
        Theme::new(Tier::None, Glyphs::Ascii).translate(&mut buf);
        let line: String = buf.content.iter().map(Cell::symbol).collect();
        assert_eq!(line.trim_end(), "+- >u ??  < * ~ -+");
        assert!(line.is_ascii());
    }

    #[test]
    fn no_glyph_is_listed_twice_and_each_has_an_ascii_form() {
        let mut seen = HashSet::new();
        for (full, _, ascii) in GLYPHS {
            assert!(seen.insert(full), "{full} is listed twice");
            assert!(ascii.is_ascii() && !ascii.is_control(), "{full}");
        }
    }
}
