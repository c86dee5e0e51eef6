//! The rows of a request as they were sent, whatever they were written in.

use super::protocol::shown;
use super::scoring::Rows;
use crate::features::Given;

/// Names of fields that are not the model's are told, but no more than this.
const MOST_UNKNOWN: usize = 20;

/// A value as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// Nothing was sent, or `null`.
    Missing,
    Number(f64),
    Truth(bool),
    Text(Box<str>),
    /// A value of a CSV, of which nobody says what it is.
    Written(Box<str>),
}

/// The rows of a request, row after row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sent {
    pub(super) cells: Vec<Cell>,
    pub(super) n_columns: usize,
    pub(super) n_rows: usize,
    /// Whom single rows are about, with their rows.
    pub(super) subjects: Vec<(usize, Box<str>)>,
    /// Names that no column has, a few of them.
    pub(super) unknown: Vec<String>,
}

impl Sent {
    /// Notes a name that no column has.
    pub(super) fn note(&mut self, name: &str) {
        if self.unknown.len() < MOST_UNKNOWN && !self.unknown.iter().any(|own| own == name) {
            self.unknown.push(shown(name));
        }
    }

    /// Whether no row has a value for any column.
    pub(super) fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| *cell == Cell::Missing)
    }
}

impl Rows for Sent {
    fn n_rows(&self) -> usize {
        self.n_rows
    }

    fn subject(&self, row: usize) -> Option<&str> {
        let place = self.subjects.binary_search_by_key(&row, |(own, _)| *own).ok()?;
        Some(&self.subjects[place].1)
    }

    fn put<'a>(&'a self, row: usize, given: &mut Vec<Given<'a>>) {
        let own = &self.cells[row * self.n_columns..(row + 1) * self.n_columns];
        given.extend(own.iter().map(|cell| match cell {
            Cell::Missing => Given::Missing,
            Cell::Number(number) => Given::Number(*number),
            Cell::Truth(truth) => Given::Truth(*truth),
            Cell::Text(text) => Given::Text(text),
            Cell::Written(text) => Given::Written(text),
        }));
    }
}
