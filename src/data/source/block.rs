//! A piece of text with whole records, as columns; or what is wrong with it, by the line.

use std::collections::{BTreeSet, HashMap};

use super::columns::{Column, Mode};
use super::dialect::Dialect;
use super::json;
use super::records::{self, Sink};
use super::text::Layout;
use crate::data::Error;

/// Why a block is no part of a table; lines count from its beginning.
pub(super) enum Trouble {
    Ragged { line: usize, got: usize, at_end: bool },
    OpenQuote { line: usize },
    Zero { line: usize },
    Json { line: usize, what: String },
}

impl Trouble {
    pub(super) fn error(self, label: &str, before: usize, layout: &Layout) -> Error {
        let label = label.to_owned();
        match self {
            Self::Ragged { line, got, at_end } => {
                let want = layout.names().len();
                let hint = if at_end {
                    "the last line is not complete: the file may be cut off"
                } else if got > want {
                    "a field that holds the delimiter needs quotes; or name another delimiter"
                } else {
                    "fill the line up, or name another delimiter"
                };
                Error::Ragged { label, line: before + line, got, want, hint: hint.to_owned() }
            }
            Self::OpenQuote { line } => open_quote(label, before + line),
            Self::Zero { line } => Error::NotATable {
                label,
                what: format!("line {} holds a zero byte", before + line),
                hint: "the file may be damaged, or binary".to_owned(),
            },
            Self::Json { line, what } => Error::NotATable {
                label,
                what: format!("line {}: {what}", before + line),
                hint: "each line must be one JSON object".to_owned(),
            },
        }
    }
}

pub(super) fn columns(layout: &Layout, modes: &[Mode], capacity: usize) -> Vec<Column> {
    let one = |(name, mode): (&String, &Mode)| Column::new(name, *mode, capacity);
    layout.names().iter().zip(modes).map(one).collect()
}

/// A block as columns.
pub(super) struct Block {
    pub(super) columns: Vec<Column>,
    pub(super) n_rows: usize,
    pub(super) n_lines: usize,
    pub(super) n_repaired: usize,
    pub(super) new_keys: BTreeSet<String>,
    pub(super) trouble: Option<Trouble>,
}

impl Block {
    pub(super) fn parse(
        text: &str,
        layout: &Layout,
        modes: &[Mode],
        first: bool,
        max_rows: usize,
    ) -> Self {
        let capacity =
            if max_rows == usize::MAX { text.len() / (8 * modes.len().max(1)) } else { 64 };
        let mut block = Self {
            columns: columns(layout, modes, capacity),
            n_rows: 0,
            n_lines: 0,
            n_repaired: 0,
            new_keys: BTreeSet::new(),
            trouble: None,
        };
        match layout {
            Layout::Delimited(dialect) => block.delimited(text, dialect, first, max_rows),
            Layout::Lines(names) => block.lines(text, names, max_rows),
        }
        block
    }

    fn delimited(&mut self, text: &str, dialect: &Dialect, first: bool, max_rows: usize) {
        if let Some(at) = text.bytes().position(|b| b == 0) {
            let line = 1 + text[..at].bytes().filter(|b| *b == b'\n').count();
            self.trouble = Some(Trouble::Zero { line });
            return;
        }
        let mut filler = Filler { block: self, max_rows, ragged: None };
        let skip = if first { dialect.skip } else { 0 };
        let end = records::read(text, dialect.delimiter, skip, &mut filler);
        let ragged = filler.ragged;
        self.n_lines = end.n_lines;
        if let Some((line, got)) = ragged {
            let at_end =
                line > end.n_lines && !text.ends_with(['\n', '\r']) && got < self.columns.len();
            self.trouble = Some(Trouble::Ragged { line, got, at_end });
        } else if let Some(line) = end.open_quote {
            self.trouble = Some(Trouble::OpenQuote { line });
        }
    }

    fn lines(&mut self, text: &str, names: &[String], max_rows: usize) {
        let index: HashMap<&str, usize> =
            names.iter().enumerate().map(|(i, n)| (n.as_str(), i)).collect();
        let mut row = vec![usize::MAX; names.len()];
        for (i, line) in text.split('\n').enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            if self.n_rows == max_rows {
                break;
            }
            let result = json::fields(line, |key, value| match index.get(key) {
                Some(at) if row[*at] == self.n_rows => {}
                Some(at) => {
                    row[*at] = self.n_rows;
                    match value {
                        Some(value) => self.columns[*at].push(value),
                        None => self.columns[*at].push_null(),
                    }
                }
                None => {
                    self.new_keys.insert(key.to_owned());
                }
            });
            if let Err(what) = result {
                self.trouble = Some(Trouble::Json { line: i + 1, what });
                return;
            }
            for (at, seen) in row.iter().enumerate().filter(|(_, seen)| **seen != self.n_rows) {
                debug_assert!(*seen == usize::MAX || *seen < self.n_rows);
                self.columns[at].push_null();
            }
            self.n_rows += 1;
        }
        self.n_lines = text.bytes().filter(|b| *b == b'\n').count();
    }
}

/// Passes fields on to the columns of a block.
struct Filler<'a> {
    block: &'a mut Block,
    max_rows: usize,
    ragged: Option<(usize, usize)>,
}

impl Sink for Filler<'_> {
    fn field(&mut self, index: usize, text: &str) {
        if let Some(column) = self.block.columns.get_mut(index) {
            column.push(text);
        }
    }

    fn record(&mut self, line: usize, n_fields: usize, n_filled: usize) -> bool {
        let want = self.block.columns.len();
        if n_fields < want || n_filled > want {
            self.ragged = Some((line, if n_fields < want { n_fields } else { n_filled }));
            return false;
        }
        self.block.n_rows += 1;
        self.block.n_rows < self.max_rows
    }
}

/// A quote was opened on this line and never closed.
pub(super) fn open_quote(label: String, line: usize) -> Error {
    Error::NotATable {
        label,
        what: format!("the quote opened on line {line} is never closed"),
        hint: "close it, or double it if it belongs to the text".to_owned(),
    }
}
