//! Text cut into records and fields, by the rules of RFC 4180 read generously: any delimiter, any
//! kind of line end, quotes with delimiters and line ends inside.

/// What stands between two fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delimiter {
    /// One byte, every time.
    Byte(u8),
    /// Any run of spaces and tabs.
    Blanks,
}

impl Delimiter {
    /// The delimiter that a person named by one byte; a space means any run of blanks.
    pub(super) fn from_byte(byte: u8) -> Self {
        if byte == b' ' { Self::Blanks } else { Self::Byte(byte) }
    }

    /// Its name behind the format.
    pub(super) fn name(self) -> String {
        match self {
            Self::Byte(b'\t') => "tab".to_owned(),
            Self::Byte(byte) => format!("`{}`", char::from(byte)),
            Self::Blanks => "blanks".to_owned(),
        }
    }
}

/// A field as it lies in the bytes.
#[expect(clippy::struct_excessive_bools, reason = "four independent findings of one scan")]
struct Raw {
    start: usize,
    end: usize,
    /// Doubled quotes are inside.
    doubled: bool,
    quoted: bool,
    /// Where the next field or record begins.
    next: usize,
    /// The field ends its record.
    last: bool,
    /// A quote was opened and never closed.
    open: bool,
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    if bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n') { at + 2 } else { at + 1 }
}

fn field(bytes: &[u8], start: usize, delimiter: Delimiter) -> Raw {
    let n = bytes.len();
    let (byte, blanks) = match delimiter {
        Delimiter::Byte(byte) => (byte, false),
        Delimiter::Blanks => (b' ', true),
    };
    let is_delimiter = |b: u8| b == byte || (blanks && b == b'\t');
    let mut at = start;
    while at < n
        && (bytes[at] == b' ' || (blanks && bytes[at] == b'\t'))
        && (blanks || byte != b' ')
    {
        at += 1;
    }
    if at < n && bytes[at] == b'"' {
        let open = at + 1;
        let (mut at, mut doubled) = (open, false);
        while at < n {
            if bytes[at] != b'"' {
                at += 1;
                continue;
            }
            if bytes.get(at + 1) == Some(&b'"') {
                doubled = true;
                at += 2;
                continue;
            }
            let end = at;
            let mut after = at + 1;
            while !blanks && after < n && bytes[after] == b' ' && byte != b' ' {
                after += 1;
            }
            if after == n {
                return Raw {
                    start: open,
                    end,
                    doubled,
                    quoted: true,
                    next: n,
                    last: true,
                    open: false,
                };
            }
            match bytes[after] {
                b if is_delimiter(b) => {
                    return closed(bytes, open, end, doubled, true, after, delimiter);
                }
                b'\n' | b'\r' => {
                    let next = line_end(bytes, after);
                    return Raw {
                        start: open,
                        end,
                        doubled,
                        quoted: true,
                        next,
                        last: true,
                        open: false,
                    };
                }
                // A quote in the middle of a quoted field is taken as it stands.
                _ => at += 1,
            }
        }
        return Raw { start: open, end: n, doubled, quoted: true, next: n, last: true, open: true };
    }
    let begin = if blanks { at } else { start };
    while at < n {
        let b = bytes[at];
        if is_delimiter(b) {
            return closed(bytes, begin, at, false, false, at, delimiter);
        }
        if b == b'\n' || b == b'\r' {
            let next = line_end(bytes, at);
            return Raw {
                start: begin,
                end: at,
                doubled: false,
                quoted: false,
                next,
                last: true,
                open: false,
            };
        }
        at += 1;
    }
    Raw { start: begin, end: n, doubled: false, quoted: false, next: n, last: true, open: false }
}

/// A field that a delimiter ends; blanks before a line end are no delimiter.
fn closed(
    bytes: &[u8],
    start: usize,
    end: usize,
    doubled: bool,
    quoted: bool,
    at: usize,
    delimiter: Delimiter,
) -> Raw {
    let mut next = at + 1;
    let mut last = false;
    if delimiter == Delimiter::Blanks {
        while next < bytes.len() && matches!(bytes[next], b' ' | b'\t') {
            next += 1;
        }
        if next == bytes.len() {
            last = true;
        } else if matches!(bytes[next], b'\n' | b'\r') {
            (next, last) = (line_end(bytes, next), true);
        }
    }
    Raw { start, end, doubled, quoted, next, last, open: false }
}

/// Where the record ends, or `None` at an end of the bytes that may be the middle of a record.
pub(super) fn last_record_end(bytes: &[u8], delimiter: Delimiter) -> Option<usize> {
    if !bytes.contains(&b'"') {
        if let Some(at) = bytes.iter().rposition(|b| *b == b'\n') {
            return Some(at + 1);
        }
        let n = bytes.len().saturating_sub(1);
        return bytes[..n].iter().rposition(|b| *b == b'\r').map(|at| at + 1);
    }
    let (mut at, mut end) = (0, None);
    while at < bytes.len() {
        let raw = field(bytes, at, delimiter);
        let by_line = raw.last && raw.next > 0 && matches!(bytes[raw.next - 1], b'\n' | b'\r');
        let whole = by_line && !(raw.next == bytes.len() && bytes[raw.next - 1] == b'\r');
        if whole && !raw.open && raw.end < raw.next {
            end = Some(raw.next);
        }
        at = raw.next;
    }
    end
}

/// What a reader of records does with them.
pub(super) trait Sink {
    /// Takes a field of the current record, counted from 0.
    fn field(&mut self, index: usize, text: &str);

    /// Takes note that a record of `n_fields` ended, which began on this line (from 1). Empty
    /// fields at its end are counted in `n_fields` but not in `n_filled`. Returns whether to go on.
    fn record(&mut self, line: usize, n_fields: usize, n_filled: usize) -> bool;
}

/// Where reading came to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// How many line ends were passed.
    pub(super) n_lines: usize,
    /// The line on which a quote was opened that is never closed.
    pub(super) open_quote: Option<usize>,
}

/// Gives all records of `text` to `sink`, except blank lines and the first `skip` records.
pub(super) fn read(text: &str, delimiter: Delimiter, skip: usize, sink: &mut impl Sink) -> End {
    let bytes = text.as_bytes();
    let (mut at, mut line, mut n_skipped) = (0, 1, 0);
    let mut scratch = String::new();
    while at < bytes.len() {
        if let Some(next) = blank_line(bytes, at) {
            line += usize::from(next > at && matches!(bytes[next - 1], b'\n' | b'\r'));
            at = next;
            continue;
        }
        let (began, mut n_fields, mut n_filled) = (line, 0, 0);
        loop {
            let raw = field(bytes, at, delimiter);
            if raw.open {
                return End { n_lines: line - 1, open_quote: Some(line) };
            }
            let value = &text[raw.start..raw.end];
            if raw.quoted {
                line += breaks(value);
            }
            if n_skipped >= skip {
                if raw.doubled {
                    scratch.clear();
                    scratch.push_str(&value.replace("\"\"", "\""));
                    sink.field(n_fields, &scratch);
                } else {
                    sink.field(
                        n_fields,
                        if raw.quoted { value } else { value.trim_matches(BLANK) },
                    );
                }
            }
            n_fields += 1;
            if raw.quoted || !value.trim_matches(BLANK).is_empty() {
                n_filled = n_fields;
            }
            at = raw.next;
            if raw.last {
                break;
            }
        }
        let by_line = at > 0 && matches!(bytes[at - 1], b'\n' | b'\r');
        line += usize::from(by_line);
        if n_skipped < skip {
            n_skipped += 1;
        } else if !sink.record(began, n_fields, n_filled) {
            break;
        }
    }
    End { n_lines: line - 1, open_quote: None }
}

const BLANK: [char; 2] = [' ', '\t'];

/// Where the next line begins if this one holds nothing but spaces.
fn blank_line(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while at < bytes.len() && bytes[at] == b' ' {
        at += 1;
    }
    match bytes.get(at) {
        None => Some(at),
        Some(b'\n' | b'\r') => Some(line_end(bytes, at)),
        Some(_) => None,
    }
}

/// How many line ends are inside a quoted field.
fn breaks(text: &str) -> usize {
    let bytes = text.as_bytes();
    let lone = |i: &usize| bytes[*i] == b'\r' && bytes.get(i + 1) != Some(&b'\n');
    (0..bytes.len()).filter(|i| bytes[*i] == b'\n' || lone(i)).count()
}

/// Records held in memory, for looking at the first ones.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) list: Vec<Vec<String>>,
    lines: Vec<usize>,
    limit: usize,
    current: Vec<String>,
}

impl Rows {
    /// The first `limit` records of `text`.
    pub(super) fn of(text: &str, delimiter: Delimiter, skip: usize, limit: usize) -> Self {
        let mut rows = Self::up_to(limit);
        read(text, delimiter, skip, &mut rows);
        rows
    }

    /// Room for `limit` records.
    pub(super) fn up_to(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }
}

impl Sink for Rows {
    fn field(&mut self, _: usize, text: &str) {
        self.current.push(text.to_owned());
    }

    fn record(&mut self, line: usize, _: usize, _: usize) -> bool {
        self.list.push(std::mem::take(&mut self.current));
        self.lines.push(line);
        self.list.len() < self.limit
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, delimiter: Delimiter, expected: &[&[&str]]) {
        assert_eq!(Rows::of(text, delimiter, 0, usize::MAX).list, expected, "{text:?}");
    }

    const COMMA: Delimiter = Delimiter::Byte(b',');

    #[test]
    fn every_line_end_ends_a_record() {
        check("a,b\n1,2\r\n3,4\r5,6", COMMA, &[&["a", "b"], &["1", "2"], &["3", "4"], &["5", "6"]]);
        check("\n\na,b\n  \n\r\n1,2\n\n", COMMA, &[&["a", "b"], &["1", "2"]]);
        check("a,\n,b\n", COMMA, &[&["a", ""], &["", "b"]]);
    }

    #[test]
    fn quotes_hold_delimiters_quotes_and_lines() {
        check("\"a,b\",\"c\nd\"\n", COMMA, &[&["a,b", "c\nd"]]);
        check("\"say \"\"hi\"\"\",x\n", COMMA, &[&["say \"hi\"", "x"]]);
        check("1, \"a,b\" ,2\n", COMMA, &[&["1", "a,b", "2"]]);
        check(
            "5\" pipe,\"he said \"hi\" to me\"\n",
            COMMA,
            &[&["5\" pipe", "he said \"hi\" to me"]],
        );
        check("\"\",\"\"\n", COMMA, &[&["", ""]]);
    }

    #[test]
    fn runs_of_blanks_are_one_delimiter() {
        check("  1   2\t3  \n4 5 6\n", Delimiter::Blanks, &[&["1", "2", "3"], &["4", "5", "6"]]);
    }

    #[test]
    fn lines_are_counted_through_quotes() {
        let rows = Rows::of("a,b\n\"x\ny\",2\r\n\n3,4\r5,6\n", COMMA, 0, usize::MAX);
        assert_eq!(rows.lines, [1, 2, 5, 6]);
        let end = read("a\n\"b\nc\n", COMMA, 0, &mut Rows { limit: usize::MAX, ..Rows::default() });
        assert_eq!(end.open_quote, Some(2));
    }

    #[test]
    fn a_block_ends_with_a_whole_record() {
        assert_eq!(last_record_end(b"a,b\n1,2\n3", COMMA), Some(8));
        assert_eq!(last_record_end(b"a,\"b\nc\"\n\"x\ny", COMMA), Some(8));
        assert_eq!(last_record_end(b"a,b\r1,2\r", COMMA), Some(4), "a line feed may follow");
        assert_eq!(last_record_end(b"\"a\nb", COMMA), None);
        assert_eq!(last_record_end(b"a,b", COMMA), None);
    }

    proptest! {
        #[test]
        fn a_cut_between_records_changes_nothing(text in "[a\",\n\r ]{0,60}", delimiter in prop_oneof![Just(COMMA), Just(Delimiter::Blanks)]) {
            let whole = Rows::of(&text, delimiter, 0, usize::MAX).list;
            for cut in 0..text.len() {
                let Some(end) = last_record_end(&text.as_bytes()[..cut], delimiter) else { continue };
                let mut parts = Rows::of(&text[..end], delimiter, 0, usize::MAX).list;
                parts.extend(Rows::of(&text[end..], delimiter, 0, usize::MAX).list);
                prop_assert_eq!(&parts, &whole, "cut at {} of {:?}", end, text);
            }
        }
    }
}
