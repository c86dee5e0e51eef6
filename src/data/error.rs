//! What can go wrong with a table, in words that name the value and the remedy.

use std::path::PathBuf;

use super::Column;

/// A table could not be read, or does not have what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not there.
    #[error("no file `{}`\nhint: {hint}", path.display())]
    NoFile {
        /// What was asked for.
        path: PathBuf,
        /// A file with a similar name, or where to look.
        hint: String,
    },
    /// The path names a folder.
    #[error("`{}` is a folder\nhint: name a file in it: {hint}", path.display())]
    Folder {
        /// What was asked for.
        path: PathBuf,
        /// Some of the files in it.
        hint: String,
    },
    /// The file cannot be opened or read.
    #[error("cannot read `{}`: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is nothing in it, or only a header.
    #[error("`{label}` {what}\nhint: a table needs a header and at least one row")]
    Empty {
        /// Which file.
        label: String,
        /// "is empty", "has a header and no rows".
        what: String,
    },
    /// The bytes are no table.
    #[error("`{label}` is not a table: {what}\nhint: {hint}")]
    NotATable {
        /// Which file.
        label: String,
        /// What was found instead.
        what: String,
        /// What is understood.
        hint: String,
    },
    /// A line does not fit the header.
    #[error("line {line} of `{label}` has {got} fields where {want} are expected\nhint: {hint}")]
    Ragged {
        /// Which file.
        label: String,
        /// 1-based line.
        line: usize,
        /// Fields found.
        got: usize,
        /// Fields expected.
        want: usize,
        /// What to do.
        hint: String,
    },
    /// A column is not there.
    #[error("no column `{name}`\nhint: {hint}")]
    NoColumn {
        /// What was asked for.
        name: String,
        /// The nearest name, or the list.
        hint: String,
    },
    /// Numbers were asked of a column that has none.
    #[error("column `{column}` does not hold numbers\nhint: change its kind, or leave it out")]
    NotNumeric {
        /// Which column.
        column: String,
    },
    /// A query, an expression or a filter cannot be carried out.
    #[error("{what}\nhint: {hint}")]
    Query {
        /// What is wrong with it.
        what: String,
        /// How to write it.
        hint: String,
    },
    /// A split cannot be made.
    #[error("{what}\nhint: {hint}")]
    Split {
        /// What is wrong.
        what: String,
        /// What to do.
        hint: String,
    },
    /// The work was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] crate::jobs::Cancelled),
    /// A file could not be written.
    #[error(transparent)]
    File(#[from] crate::files::Error),
    /// polars refused.
    #[error("{0}")]
    Polars(#[from] polars::error::PolarsError),
}

impl Error {
    /// A column is not there; the hint names the nearest one.
    pub fn no_column(name: &str, columns: &[Column]) -> Self {
        let names = columns.iter().map(|c| c.name.as_str());
        let hint = match nearest(name, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the columns are {}", names.collect::<Vec<_>>().join(", ")),
        };
        Self::NoColumn { name: name.to_owned(), hint }
    }
}

/// The candidate closest to what was typed, when it is close enough to be meant.
pub fn nearest<'a>(typed: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    candidates
        .map(|c| (edits(&typed, &c.to_lowercase()), c))
        .filter(|(d, c)| *d <= 1 + typed.chars().count().min(c.chars().count()) / 3)
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let cost = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let names = ["credit_risk", "age_years", "housing"];
        assert_eq!(nearest("credit_rsk", names.into_iter()), Some("credit_risk"));
        assert_eq!(nearest("Housing", names.into_iter()), Some("housing"));
        assert_eq!(nearest("colour", names.into_iter()), None);
    }
}
