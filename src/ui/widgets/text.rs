//! Text in cells: cleaned of everything that could command the terminal, and cut to a width.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The sign that something was cut off.
const CUT: char = '…';

/// How many cells a text takes; wide (CJK) characters take two.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// The text with every control character made visible and harmless.
///
/// Escape sequences lose their escape, bidirectional controls their power; tabs and line ends
/// become a space and `↵`, so that one value stays on one line.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(dangerous) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\t' => out.push(' '),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => out.push('↵'),
            c if dangerous(c) => out.push('·'),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Whether a character steers the terminal or the order of the text instead of being shown.
pub fn dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' |
            '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' |
            '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// The cleaned text, no wider than `cells`; what was cut off leaves a `…`.
pub fn cut(text: &str, cells: usize) -> String {
    let text = clean(text);
    if width(&text) <= cells {
        return text.into_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > cells {
            break;
        }
        out.push(c);
    }
    if cells > 0 {
        out.push(CUT);
    }
    out
}

/// At most `most` lines; where others go, the last one that stays says so.
pub fn cut_lines(lines: &mut Vec<String>, most: usize, cells: usize) {
    if lines.len() <= most {
        return;
    }
    lines.truncate(most);
    if let Some(last) = lines.last_mut() {
        *last = cut(&format!("{last} {CUT}"), cells);
    }
}

/// The cleaned text cut in its middle, for paths and identifiers whose ends tell them apart.
pub fn cut_middle(text: &str, cells: usize) -> String {
    let text = clean(text);
    if width(&text) <= cells || cells < 5 {
        return cut(&text, cells);
    }
    let tail_cells = (cells - 1) / 2;
    let mut tail = Vec::new();
    let mut used = 0;
    for c in text.chars().rev() {
        used += c.width().unwrap_or(0);
        if used > tail_cells {
            break;
        }
        tail.push(c);
    }
    let tail: String = tail.into_iter().rev().collect();
    let mut out = cut(&text, cells - width(&tail));
    out.push_str(&tail);
    out
}

/// Exactly `cells` wide, at the left: words and names.
pub fn fit(text: &str, cells: usize) -> String {
    let mut out = cut(text, cells);
    let used = width(&out);
    out.extend(std::iter::repeat_n(' ', cells.saturating_sub(used)));
    out
}

/// Exactly `cells` wide, at the right: numbers.
pub fn fit_right(text: &str, cells: usize) -> String {
    let text = cut(text, cells);
    let mut out = " ".repeat(cells.saturating_sub(width(&text)));
    out.push_str(&text);
    out
}

/// Exactly `cells` wide, in the middle.
pub fn fit_centre(text: &str, cells: usize) -> String {
    let text = cut(text, cells);
    let left = cells.saturating_sub(width(&text)) / 2;
    fit(&format!("{}{text}", " ".repeat(left)), cells)
}

/// The text broken at spaces into lines of at most `cells`; words that are longer are broken.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut used = 0;
        for (k, word) in clean(paragraph).split(' ').enumerate() {
            if used > 0 && used + 1 + width(word) > cells {
                lines.push(std::mem::take(&mut line));
                used = 0;
            } else if k > 0 && used < cells {
                line.push(' ');
                used += 1;
            }
            for c in word.chars() {
                let wide = c.width().unwrap_or(0);
                if used + wide > cells {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push(c);
                used += wide;
            }
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_cut_and_filled_to_the_cell() {
        assert_eq!(fit("purpose", 10), "purpose   ");
        assert_eq!(fit("personal_status_sex", 10), "personal_…");
        assert_eq!(fit_right("1,000", 8), "   1,000");
        assert_eq!(fit_centre("ab", 5), " ab  ");
        assert_eq!(fit("表表表", 5), "表表…");
        assert_eq!(fit("表表表", 4), "表… ");
        assert_eq!(cut("ab", 1), "…");
        assert_eq!(cut("ab", 0), "");
        assert_eq!(cut_middle("/data/2024/loans.csv", 12), "/data/…s.csv");
    }

    #[test]
    fn nothing_that_commands_the_terminal_gets_through() {
        assert_eq!(clean("\u{1b}[31mred\u{7}"), "·[31mred·");
        assert_eq!(clean("a\tb\r\nc\u{202e}d\u{9b}"), "a b↵c·d·");
        assert!(matches!(clean("plain ü 表"), Cow::Borrowed(_)));
    }

    #[test]
    fn paragraphs_are_broken_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("incomprehensible", 6), ["incomp", "rehens", "ible"]);
        assert_eq!(wrap("a\n\nb", 5), ["a", "", "b"]);
        assert_eq!(wrap("  indented", 20), ["  indented"]);
    }

    proptest! {
        #[test]
        fn a_fitted_text_has_exactly_its_width(text in "\\PC*|.*", cells in 0usize..40) {
            for fitted in [fit(&text, cells), fit_right(&text, cells), fit_centre(&text, cells)] {
                prop_assert_eq!(width(&fitted), cells, "{:?}", fitted);
                prop_assert!(!fitted.chars().any(dangerous));
            }
            prop_assert!(width(&cut_middle(&text, cells)) <= cells);
        }
    }
}
