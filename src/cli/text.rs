//! Plain text for a terminal: tables that line up, numbers of a readable length.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// On which side the cells of a column line up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows and columns of text, with a header.
pub(super) struct TextTable {
    header: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
    long: Long,
    optional: Vec<String>,
}

/// What becomes of words that are longer than their column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Long {
    Cut,
    Wrap,
}

/// A column is not cut below this width.
const NARROWEST: usize = 6;

impl TextTable {
    /// A table with these columns; a title that begins with `>` lines its column up on the right.
    pub(super) fn new(titles: &[&str]) -> Self {
        let column = |title: &&str| match title.strip_prefix('>') {
            Some(title) => (title.to_owned(), Align::Right),
            None => ((*title).to_owned(), Align::Left),
        };
        Self {
            header: titles.iter().map(column).collect(),
            rows: Vec::new(),
            long: Long::Cut,
            optional: Vec::new(),
        }
    }

    /// The same table, from which these columns may be left out, in this order, where the
    /// terminal is too narrow for all.
    pub(super) fn optional(self, titles: &[&str]) -> Self {
        Self { optional: titles.iter().map(|title| (*title).to_owned()).collect(), ..self }
    }

    /// The same table, with long words continued on further lines and never cut.
    pub(super) fn wrapping(self) -> Self {
        Self { long: Long::Wrap, ..self }
    }

    /// Adds a row; missing cells stay empty.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        let mut row: Vec<String> =
            cells.into_iter().map(|c| sanitise(&c.into()).replace('\n', " ")).collect();
        row.resize(self.header.len(), String::new());
        self.rows.push(row);
    }

    /// The lines of the table, at most `width` columns wide as far as its words can be cut.
    pub(super) fn render(&self, width: usize, bold: bool) -> String {
        let mut out = String::new();
        // A column without a word in it is not worth its room.
        let is_used = |i: &usize| self.rows.iter().any(|row| !row[*i].is_empty());
        let mut shown: Vec<usize> = (0..self.header.len()).filter(is_used).collect();
        for title in &self.optional {
            if self.natural(&shown).iter().sum::<usize>() + gaps(&shown) <= width {
                break;
            }
            shown.retain(|i| self.header[*i].0 != *title);
        }
        let widths = self.widths(&shown, width);
        let titles: Vec<&str> = self.header.iter().map(|(title, _)| title.as_str()).collect();
        let header = self.line(&titles, &shown, &widths);
        if !header.is_empty() {
            let (start, end) = if bold { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
            out.extend([start, &header, end, "\n"]);
        }
        for row in &self.rows {
            let cells: Vec<&str> = row.iter().map(String::as_str).collect();
            out += &self.lines(&cells, &shown, &widths);
        }
        out
    }

    /// How wide the columns are when nothing is cut.
    fn natural(&self, shown: &[usize]) -> Vec<usize> {
        let widest = |i: &usize| {
            let cells = self.rows.iter().map(|row| row[*i].width());
            cells.max().unwrap_or(0).max(self.header[*i].0.width())
        };
        shown.iter().map(widest).collect()
    }

    fn widths(&self, shown: &[usize], width: usize) -> Vec<usize> {
        let mut widths = self.natural(shown);
        while widths.iter().sum::<usize>() + gaps(shown) > width {
            let words = (0..shown.len()).filter(|i| self.header[shown[*i]].1 == Align::Left);
            let longest = words.max_by_key(|i| widths[*i]).filter(|i| widths[*i] > NARROWEST);
            let Some(longest) = longest else { break };
            widths[longest] -= 1;
        }
        widths
    }

    fn lines(&self, cells: &[&str], shown: &[usize], widths: &[usize]) -> String {
        if self.long == Long::Cut {
            return self.line(cells, shown, widths) + "\n";
        }
        let mut pieces = vec![Vec::new(); cells.len()];
        for (i, width) in shown.iter().zip(widths) {
            pieces[*i] = wrap(cells[*i], *width);
        }
        let height = pieces.iter().map(Vec::len).max().unwrap_or(0);
        let line = |y: usize| {
            let cells: Vec<&str> =
                pieces.iter().map(|lines| lines.get(y).map_or("", String::as_str)).collect();
            self.line(&cells, shown, widths) + "\n"
        };
        (0..height).map(line).collect()
    }

    fn line(&self, cells: &[&str], shown: &[usize], widths: &[usize]) -> String {
        let pad = |(i, width): (&usize, &usize)| {
            let text = cut(cells[*i], *width);
            let blanks = " ".repeat(width.saturating_sub(text.width()));
            match self.header[*i].1 {
                Align::Left => text + &blanks,
                Align::Right => blanks + &text,
            }
        };
        let cells: Vec<String> = shown.iter().zip(widths).map(pad).collect();
        cells.join("  ").trim_end().to_owned()
    }
}

/// Blanks between so many columns.
fn gaps(shown: &[usize]) -> usize {
    2 * shown.len().saturating_sub(1)
}

/// The text without characters that a terminal obeys instead of showing: control characters and
/// those that turn the direction of writing.
pub(super) fn sanitise(text: &str) -> String {
    let shown = |c: char| {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if (c.is_control() && c != '\n') || turns { '·' } else { c }
    };
    text.chars().map(shown).collect()
}

/// The text cut to a number of columns, with `…` where something is left out.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut room = width.saturating_sub(1);
    let fits = |c: &char| {
        let needed = c.width().unwrap_or(0);
        let fits = needed <= room;
        room = if fits { room - needed } else { 0 };
        fits
    };
    text.chars().take_while(fits).collect::<String>() + "…"
}

/// The text in lines of at most so many columns, broken between words.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let indent = text.len() - text.trim_start().len();
    let mut lines = vec![" ".repeat(indent)];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is one from the start");
        if line.trim().is_empty() {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= width {
            line.extend([" ", word]);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// A number with five significant digits, or in powers of ten where that is shorter.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".into()
    } else if !value.is_finite() {
        value.to_string()
    } else if (1e-4..1e7).contains(&size) {
        let decimals = (4 - size.log10().floor() as i32).clamp(0, 8) as usize;
        let text = format!("{value:.decimals$}");
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        }
    } else {
        format!("{value:.3e}")
    }
}

/// A metric with four decimals, or five significant digits when it is large.
pub(super) fn metric(value: f64) -> String {
    if value.abs() < 10.0 { format!("{value:.4}") } else { number(value) }
}

/// What [`metric`] writes, or `–` for a metric that is undefined.
pub(super) fn maybe(value: Option<f64>) -> String {
    value.map_or("–".into(), metric)
}

/// A p-value.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.001 { "< 0.001".into() } else { format!("{p:.3}") }
}

/// A share in percent.
pub(super) fn percent(share: f64) -> String {
    if 0.0 < share && share < 0.001 { "< 0.1 %".into() } else { format!("{:.1} %", 100.0 * share) }
}

/// A count with a comma between thousands.
pub(super) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time span.
pub(super) fn seconds(s: f64) -> String {
    if s < 0.001 {
        "< 1 ms".into()
    } else if s < 1.0 {
        format!("{:.0} ms", 1000.0 * s)
    } else if s < 60.0 {
        format!("{s:.1} s")
    } else {
        format!("{:.0} min {:.0} s", (s / 60.0).floor(), s % 60.0)
    }
}

/// `1 row`, `2 rows`.
pub(super) fn plural(n: usize, one: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {one}{s}", count(n))
}

/// A moment, in seconds since 1970, as `2024-12-31 23:59` UTC.
pub(super) fn moment(at: i64) -> String {
    let (days, rest) = (at.div_euclid(86_400), at.rem_euclid(86_400));
    let day = crate::data::date_text(days as f64);
    format!("{day} {:02}:{:02}", rest / 3600, rest % 3600 / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_is_in_them() {
        let mut table = TextTable::new(&["column", ">missing", "note"]);
        table.row(["年齢", "1,000", ""]);
        table.row(["age", "7", ""]);
        assert_eq!(table.render(80, false), "column  missing\n年齢      1,000\nage           7\n");
    }

    #[test]
    fn words_give_way_when_the_terminal_is_narrow() {
        let mut table = TextTable::new(&["column", ">n"]);
        table.row(["a_rather_long_name", "12345"]);
        assert_eq!(table.render(17, false), "column          n\na_rather_…  12345\n");
    }

    #[test]
    fn columns_that_matter_less_are_left_out_first() {
        let titles = ["name", "shape", ">n"];
        let mut table = TextTable::new(&titles).optional(&["shape"]);
        table.row(["income", "▁▂▃", "7"]);
        assert_eq!(table.render(20, false), "name    shape  n\nincome  ▁▂▃    7\n");
        assert_eq!(table.render(12, false), "name    n\nincome  7\n");
    }

    #[test]
    fn words_that_may_not_be_cut_are_continued_below() {
        let mut table = TextTable::new(&["name", "about"]).wrapping();
        table.row(["  a", "one two three"]);
        table.row(["b", "four"]);
        assert_eq!(
            table.render(13, false),
            "name  about\n  a   one two\n      three\nb     four\n"
        );
    }

    #[test]
    fn nothing_in_a_table_is_obeyed_by_the_terminal() {
        let mut table = TextTable::new(&["a"]);
        table.row(["red \x1b[31m\u{202e}"]);
        assert_eq!(table.render(80, false), "a\nred ·[31m·\n");
    }

    #[test]
    fn numbers_have_a_readable_length() {
        let check = |value: f64, expected: &str| assert_eq!(number(value), expected);
        check(0.0, "0");
        check(0.154_465_311_346_968_42, "0.15447");
        check(-1234.567, "-1234.6");
        check(1e-9, "1.000e-9");
        check(0.5, "0.5");
        check(100.0, "100");
        check(123_456.7, "123457");
        assert_eq!(metric(0.5), "0.5000");
        assert_eq!(maybe(None), "–");
        assert_eq!((percent(0.086), percent(1e-4)), ("8.6 %".into(), "< 0.1 %".into()));
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(plural(1, "row"), "1 row");
        assert_eq!(seconds(123.4), "2 min 3 s");
    }

    #[test]
    fn moments_are_dates() {
        assert_eq!(moment(0), "1970-01-01 00:00");
        assert_eq!(moment(951_782_399), "2000-02-28 23:59");
        assert_eq!(moment(951_782_400), "2000-02-29 00:00");
        assert_eq!(moment(1_735_689_599), "2024-12-31 23:59");
        assert_eq!(moment(-1), "1969-12-31 23:59");
    }
}
