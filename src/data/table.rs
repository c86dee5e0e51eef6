//! The table: a polars frame, what is known of its columns, and where it came from.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Column, Error, Kind, Role};

/// The hidden column that carries the 1-based row of the source through filter, sort and SQL.
pub const ROW: &str = "__row";

/// Where a table came from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The file, if it was one.
    pub path: Option<PathBuf>,
    /// What to call it: the file's name, `standard input`, or the name of a sample.
    pub label: String,
    /// The digest of the bytes that were read; empty while only the first rows are known.
    pub sha256: String,
    /// How many bytes were read.
    pub bytes: u64,
    /// When the file was changed last, in milliseconds since 1970, if it was one.
    #[serde(default)]
    pub modified: Option<u64>,
    /// `csv`, `parquet`, `ndjson` or `ipc`, with what was found by looking: "csv, delimiter `;`".
    pub format: String,
    /// Whether column names were made up because the file has no header.
    pub headerless: bool,
    /// What a person should know of how the file was read, a sentence each.
    pub notes: Vec<String>,
}

/// Rows and columns in memory with everything known of them.
#[derive(Clone, Debug)]
pub struct Table {
    /// The values, with the hidden column [`ROW`] last.
    pub frame: DataFrame,
    /// The visible columns, in the order of the file.
    pub columns: Vec<Column>,
    /// Where it came from.
    pub origin: Arc<Origin>,
    /// Whether these are all rows, or the first ones of a file that is still being read.
    pub complete: bool,
}

/// A column as levels and codes, for categories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    /// The distinct values, sorted as text (numbers by value).
    pub names: Vec<String>,
    /// For each row the index into `names`, or [`Levels::MISSING`].
    pub codes: Vec<u32>,
}

impl Levels {
    /// The code of a missing value.
    pub const MISSING: u32 = u32::MAX;
}

impl Table {
    /// Wraps a frame; adds the hidden row column when it has none.
    ///
    /// # Errors
    ///
    /// When the columns do not match the frame's.
    pub fn new(
        mut frame: DataFrame,
        columns: Vec<Column>,
        origin: Arc<Origin>,
    ) -> Result<Self, Error> {
        if frame.column(ROW).is_err() {
            let rows: Vec<u32> = (1..=frame.height() as u32).collect();
            frame.with_column(polars::prelude::Column::new(ROW.into(), rows))?;
        }
        for column in &columns {
            frame.column(&column.name)?;
        }
        Ok(Self { frame, columns, origin, complete: true })
    }

    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.frame.height()
    }

    /// How many columns a person sees.
    pub fn n_columns(&self) -> usize {
        self.columns.len()
    }

    /// What is known of the column `name`.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// What is known of the column `name`, or an error that names the nearest one.
    pub fn expect_column(&self, name: &str) -> Result<&Column, Error> {
        self.column(name).ok_or_else(|| Error::no_column(name, &self.columns))
    }

    /// The first column with this role.
    pub fn with_role(&self, role: Role) -> Option<&Column> {
        self.columns.iter().find(|c| c.role == role)
    }

    /// The 1-based source row of every row.
    pub fn rows(&self) -> Vec<u32> {
        self.frame
            .column(ROW)
            .ok()
            .and_then(|c| c.u32().ok().map(|c| c.iter().map(|v| v.unwrap_or(0)).collect()))
            .unwrap_or_else(|| (1..=self.n_rows() as u32).collect())
    }

    /// The 1-based source row of the row at this position.
    pub fn row_number(&self, position: usize) -> Option<u32> {
        self.frame.column(ROW).ok()?.u32().ok()?.get(position)
    }

    /// The positions of these source rows; `None` for those that are not in the table.
    pub fn positions_of(&self, rows: &[u32]) -> Vec<Option<u32>> {
        let own = self.rows();
        if own.is_sorted() {
            let place = |row: &u32| own.binary_search(row).ok().map(|at| at as u32);
            return rows.iter().map(place).collect();
        }
        let places: HashMap<u32, u32> =
            own.into_iter().enumerate().map(|(at, row)| (row, at as u32)).collect();
        rows.iter().map(|row| places.get(row).copied()).collect()
    }

    /// The rows at these positions, in this order.
    pub fn take(&self, positions: &[u32]) -> Result<Self, Error> {
        let idx = IdxCa::from_vec("idx".into(), positions.to_vec());
        Ok(Self { frame: self.frame.take(&idx)?, ..self.clone() })
    }

    /// The values as numbers: missing and declared special codes are NaN, booleans 0 and 1,
    /// dates days since 1970 (with the time of day as a fraction).
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, Error> {
        let column = self.expect_column(name)?;
        let series = self.frame.column(name)?.as_materialized_series().clone();
        let mut values = super::convert::numbers(&series, name)?;
        for code in column.special.iter().filter_map(|c| c.parse::<f64>().ok()) {
            values.iter_mut().filter(|v| **v == code).for_each(|v| *v = f64::NAN);
        }
        Ok(values)
    }

    /// The values as levels; special codes and empty text are missing.
    pub fn levels(&self, name: &str) -> Result<Levels, Error> {
        let column = self.expect_column(name)?;
        let series = self.frame.column(name)?.as_materialized_series().clone();
        super::convert::levels(&series, &column.special)
    }

    /// The value of one cell as a person reads it; `None` when missing, masked when personal.
    pub fn text(&self, position: usize, name: &str) -> Option<String> {
        let column = self.column(name)?;
        let value = self.frame.column(name).ok()?.get(position).ok()?;
        let text = super::convert::text(&value)?;
        Some(match column.personal {
            Some(sort) => super::convert::mask(&text, sort),
            None => text,
        })
    }

    /// Whether the values of `name` are stored as numbers.
    pub fn is_numeric(&self, name: &str) -> bool {
        self.frame.column(name).is_ok_and(|c| c.dtype().is_primitive_numeric())
    }

    /// The names of the columns that enter a model.
    pub fn features(&self, use_protected: bool) -> Vec<String> {
        let is_in = |c: &&Column| c.is_feature(use_protected);
        self.columns.iter().filter(is_in).map(|c| c.name.clone()).collect()
    }

    /// How many bytes the values take in memory.
    pub fn bytes(&self) -> usize {
        self.frame.estimated_size()
    }

    /// Whether a kind can be given to a column as it is stored.
    pub fn allows(&self, name: &str, kind: Kind) -> bool {
        let Ok(column) = self.frame.column(name) else { return false };
        let dtype = column.dtype();
        match kind {
            Kind::Number => dtype.is_primitive_numeric() || dtype.is_bool(),
            Kind::Datetime => dtype.is_temporal(),
            Kind::Category | Kind::Boolean | Kind::Text | Kind::Identifier => true,
        }
    }
}
