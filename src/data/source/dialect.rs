//! How a text file is laid out: delimiter, header, and where the data begin, found by looking.

use std::collections::HashSet;

use super::records::{self, Delimiter, Rows};
use crate::data::ROW;
use crate::data::parse::{Habit, Missing, Reading, infer, missing, number};

/// The layout of a delimited text file.
#[derive(Clone, Debug)]
pub(super) struct Dialect {
    pub(super) delimiter: Delimiter,
    /// How many records stand before the first one with data.
    pub(super) skip: usize,
    /// One name a column, unique.
    pub(super) names: Vec<String>,
    /// The names were made up.
    pub(super) headerless: bool,
    /// What a person should know.
    pub(super) notes: Vec<String>,
}

/// What a person said about the layout.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    pub(super) delimiter: Option<Delimiter>,
    pub(super) header: Option<bool>,
}

/// Why the text is no table.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoTable {
    /// Not one record.
    Empty,
    /// Names and no rows.
    HeaderOnly,
    /// A quote is opened on this line and never closed.
    OpenQuote(usize),
}

const CANDIDATES: [(Delimiter, f64); 6] = [
    (Delimiter::Byte(b','), 1.0),
    (Delimiter::Byte(b';'), 1.0),
    (Delimiter::Byte(b'\t'), 1.0),
    (Delimiter::Byte(b'|'), 0.95),
    (Delimiter::Blanks, 0.6),
    (Delimiter::Byte(b':'), 0.4),
];

/// How many records are looked at for the delimiter, and for the header.
const LOOK: usize = 200;

impl Dialect {
    /// Finds the layout of `text`, the beginning of a file.
    pub(super) fn find(text: &str, said: Said) -> Result<Self, NoTable> {
        let mut notes = Vec::new();
        let (mut skip, mut delimiter) = (0, said.delimiter);
        let mut rest = text;
        // Excel announces its delimiter on a line of its own.
        if let Some(line) = rest.lines().next()
            && let Some(sign) = line.trim().to_lowercase().strip_prefix("sep=")
            && sign.len() <= 1
        {
            let byte = sign.as_bytes().first().copied().unwrap_or(b'\t');
            delimiter = delimiter.or(Some(Delimiter::from_byte(byte)));
            rest = &rest[line.len().min(rest.len())..];
            // With the delimiter itself in the line it still is a single record.
            skip += 1;
        }
        let comments = rest.lines().map(str::trim).filter(|l| !l.is_empty());
        let n_comments = comments.take_while(|l| l.starts_with('#')).count();
        let only_comments =
            rest.lines().map(str::trim).filter(|l| !l.is_empty()).count() == n_comments;
        if n_comments > 0 && !only_comments {
            skip += n_comments;
            notes.push(match n_comments {
                1 => "the first line begins with `#` and was left out".to_owned(),
                n => format!("the first {n} lines begin with `#` and were left out"),
            });
        }
        let delimiter = delimiter.unwrap_or_else(|| delimiter_of(text, skip));
        let sample = Rows::of(text, delimiter, skip, LOOK).list;
        if sample.len() < 2 {
            let mut all = Rows::up_to(usize::MAX);
            let end = records::read(text, delimiter, skip, &mut all);
            if let Some(line) = end.open_quote {
                return Err(NoTable::OpenQuote(line));
            }
        }
        let Some(first) = sample.first() else { return Err(NoTable::Empty) };
        let headerless = match said.header {
            Some(header) => !header,
            None => !has_header(&sample),
        };
        let width = sample[usize::from(sample.len() > 1)..]
            .iter()
            .map(|row| filled(row).max(first.len().min(row.len())))
            .max()
            .unwrap_or(first.len());
        let mut names: Vec<String> = if headerless {
            (1..=first.len().max(1)).map(|i| format!("x{i}")).collect()
        } else {
            if sample.len() < 2 {
                return Err(NoTable::HeaderOnly);
            }
            skip += 1;
            first.clone()
        };
        let unnamed_row = |row: &Vec<String>| row.len() == names.len() + 1;
        if !headerless
            && names.len() > 1
            && width == names.len() + 1
            && sample[1..].iter().all(unnamed_row)
        {
            names.insert(0, "row".to_owned());
            notes.push("the first column has no name and was called `row`".to_owned());
        }
        // A delimiter at the end of every line makes no column.
        let ends_empty =
            |row: &Vec<String>| row.len() < names.len() || row.last().is_some_and(String::is_empty);
        if names.len() > 1 && sample.iter().skip(usize::from(!headerless)).all(ends_empty) {
            let last = names.len() - 1;
            if headerless || names[last].is_empty() {
                names.truncate(last);
            }
        }
        let names = unique(&names, &mut notes);
        Ok(Self { delimiter, skip, names, headerless, notes })
    }
}

/// How many fields there are up to the last one that is not empty.
fn filled(row: &[String]) -> usize {
    row.iter().rposition(|f| !f.is_empty()).map_or(0, |i| i + 1)
}

/// The delimiter under which the records look most like a table: all of one width, many fields,
/// and fields that mean something.
fn delimiter_of(text: &str, skip: usize) -> Delimiter {
    let score = |delimiter: Delimiter, weight: f64| {
        let rows = Rows::of(text, delimiter, skip, LOOK).list;
        let mut widths: Vec<usize> = rows.iter().map(Vec::len).collect();
        let header = *widths.first()?;
        widths.sort_unstable();
        let mode = mode_of(&widths).filter(|w| *w > 1)?;
        let share = widths.iter().filter(|w| **w == mode).count() as f64 / widths.len() as f64;
        let (mut n_typed, mut n) = (0_usize, 0_usize);
        for field in rows.iter().skip(1).flatten() {
            n += 1;
            let typed = missing(field) != Missing::No
                || number::decimal(field).is_some()
                || number::Format::candidates(field).iter().any(|f| f.parse(field).is_some());
            n_typed += usize::from(typed);
        }
        let typed = n_typed as f64 / n.max(1) as f64;
        let even = if header == mode || header + 1 == mode { 1.0 } else { 0.4 };
        Some(share * share * even * (0.5 + typed) * (1.0 + mode as f64).ln() * weight)
    };
    let mut best = (Delimiter::Byte(b','), 0.0);
    for (delimiter, weight) in CANDIDATES {
        if let Some(score) = score(delimiter, weight)
            && score > best.1
            && score > 0.15
        {
            best = (delimiter, score);
        }
    }
    best.0
}

/// The most frequent value of a sorted list.
fn mode_of(sorted: &[usize]) -> Option<usize> {
    sorted.chunk_by(|a, b| a == b).max_by_key(|run| run.len()).map(|run| run[0])
}

/// Whether the first record names the columns.
fn has_header(rows: &[Vec<String>]) -> bool {
    let first = &rows[0];
    let number = |text: &str| {
        number::decimal(text).is_some()
            || number::Format::candidates(text).iter().any(|f| f.parse(text).is_some())
    };
    let present = |f: &&String| missing(f) == Missing::No;
    if first.iter().filter(present).count() == 0 {
        return rows.len() > 1 && first.len() > 1;
    }
    if rows.len() == 1 {
        return !first.iter().filter(present).all(|f| number(f));
    }
    let column = |i: usize| {
        let rest = || rows[1..].iter().filter_map(move |row| row.get(i).map(String::as_str));
        infer("", rest, Habit::default()).map(|u| u.reading)
    };
    let (mut n_numeric, mut n_both, mut n_years) = (0, 0, 0);
    for (i, name) in first.iter().enumerate() {
        if !column(i).is_some_and(Reading::is_number) {
            continue;
        }
        n_numeric += 1;
        if missing(name) == Missing::No && number(name) {
            n_both += 1;
            let year = name.len() == 4 && (name.starts_with("19") || name.starts_with("20"));
            let repeats = rows[1..].iter().any(|row| row.get(i) == Some(name));
            n_years += usize::from(year && !repeats);
        }
    }
    if n_numeric > 0 {
        // Columns that are named by years are named after all.
        let years = n_both > 1 && n_years == n_both && {
            let set: HashSet<&String> = first.iter().collect();
            set.len() == first.len()
        };
        return n_both == 0 || years;
    }
    // Words over words: names do not come again below, and no two are alike.
    let set: HashSet<&String> = first.iter().collect();
    let n_again = first
        .iter()
        .enumerate()
        .filter(|(i, name)| rows[1..].iter().any(|row| row.get(*i) == Some(*name)))
        .count();
    let date = |f: &String| {
        infer("", || std::iter::once(f.as_str()), Habit::default())
            .is_some_and(|u| matches!(u.reading, Reading::Date(_) | Reading::Datetime(_)))
    };
    set.len() == first.len() && n_again * 2 < first.len().max(2) && !first.iter().any(date)
}

/// Names as a person can type them: without control characters, none empty, no two alike.
pub(super) fn unique(names: &[String], notes: &mut Vec<String>) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::from([ROW.to_owned()]);
    let own: HashSet<String> = names.iter().cloned().collect();
    let mut result = Vec::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        let clean: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
        if clean.is_empty() {
            clean = format!("column_{}", i + 1);
            notes.push(format!("column {} has no name and was called `{clean}`", i + 1));
        }
        if taken.contains(&clean) {
            let free = |n: &u32| {
                let name = format!("{clean}_{n}");
                !taken.contains(&name) && !own.contains(&name)
            };
            let fresh = format!("{clean}_{}", (2..u32::MAX).find(free).unwrap_or(2));
            notes.push(format!("the name `{clean}` stands twice; the second is `{fresh}`"));
            clean = fresh;
        }
        taken.insert(clean.clone());
        result.push(clean);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> Dialect {
        Dialect::find(text, Said::default()).unwrap()
    }

    #[test]
    fn the_delimiter_is_found_by_looking() {
        for (text, expected) in [
            ("a,b\n1,2\n3,4\n", Delimiter::Byte(b',')),
            ("a;b;c\n1,5;2,5;x\n3,5;4,5;y\n", Delimiter::Byte(b';')),
            ("a\tb\n1\t2,5\n", Delimiter::Byte(b'\t')),
            ("a|b\n1|2\n", Delimiter::Byte(b'|')),
            ("  1  2  3\n  4  5  6\n", Delimiter::Blanks),
            ("a:b\n1:2\n", Delimiter::Byte(b':')),
            ("time,text\n12:30,good day to you\n12:31,x\n", Delimiter::Byte(b',')),
            ("sep=|\na|b\n1|2\n", Delimiter::Byte(b'|')),
            ("name\nAnna\nBob\n", Delimiter::Byte(b',')),
        ] {
            assert_eq!(find(text).delimiter, expected, "{text}");
        }
    }

    #[test]
    fn the_header_is_found_by_looking() {
        assert!(find("1,2\n3,4\n").headerless);
        assert_eq!(find("1,2\n3,4\n").names, ["x1", "x2"]);
        assert!(!find("a,b\n3,4\n").headerless);
        assert!(find("A11,6,good\nA12,7,bad\n").headerless, "a number over numbers is no name");
        assert!(!find("name,city\nAnna,Bonn\nBob,Ulm\n").headerless);
        assert!(find("yes,no\nno,no\nyes,no\n").headerless);
        assert!(!find("land,2019,2020\nA,1.5,2.5\nB,1.7,2.8\n").headerless);
        let said = Said { header: Some(true), ..Said::default() };
        assert_eq!(Dialect::find("1,2\n3,4\n", said).unwrap().names, ["1", "2"]);
    }

    #[test]
    fn names_are_made_unique_and_said() {
        let found = find("a,a,,b\n1,2,3,4\n");
        assert_eq!(found.names, ["a", "a_2", "column_3", "b"]);
        assert_eq!(found.notes.len(), 2);
        assert_eq!(find("a,__row\n1,2\n").names[1], "__row_2");
        assert_eq!(find("a\u{1b}[2J,b\n1,2\n").names[0], "a [2J");
    }

    #[test]
    fn comments_and_row_names_are_coped_with() {
        let found = find("# made by R\n# today\na b\n1 2\n3 4\n");
        assert_eq!((found.skip, found.names.len()), (3, 2));
        assert_eq!(find("a,b\n1,10,20\n2,11,21\n").names, ["row", "a", "b"]);
        assert_eq!(find("a,b,\n1,2,\n3,4,\n").names, ["a", "b"]);
    }

    #[test]
    fn nothing_and_a_header_alone_are_no_tables() {
        assert_eq!(Dialect::find("", Said::default()).unwrap_err(), NoTable::Empty);
        assert_eq!(Dialect::find("a,b\n", Said::default()).unwrap_err(), NoTable::HeaderOnly);
    }
}
