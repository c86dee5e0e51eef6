//! Small tables for the tests of this room, read by polars' own reader and nothing else.

use std::{io::Cursor, sync::Arc};

use polars::prelude::*;

use super::{Column, Kind, Origin, Role, Table};

/// A table from CSV text with a header; numbers are numbers, dates dates, the rest categories.
pub(crate) fn table(csv: &str) -> Table {
    read(csv.as_bytes(), true)
}

/// A file of `sample_data`.
pub(crate) fn sample(file: &str) -> Table {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data").join(file);
    read(&std::fs::read(path).unwrap(), file != "credit_data.txt")
}

/// The same table with another role for one column.
pub(crate) fn with_role(mut table: Table, name: &str, role: Role) -> Table {
    let column = table.columns.iter_mut().find(|c| c.name == name).unwrap();
    column.role = role;
    table
}

fn read(bytes: &[u8], header: bool) -> Table {
    let parse = CsvParseOptions::default().with_try_parse_dates(true);
    let options = CsvReadOptions::default()
        .with_has_header(header)
        .with_parse_options(parse)
        .with_infer_schema_length(None);
    let frame = options.into_reader_with_file_handle(Cursor::new(bytes)).finish().unwrap();
    let kind = |dtype: &DataType| match dtype {
        DataType::Boolean => Kind::Boolean,
        dtype if dtype.is_temporal() => Kind::Datetime,
        dtype if dtype.is_primitive_numeric() => Kind::Number,
        _ => Kind::Category,
    };
    let columns =
        frame.columns().iter().map(|c| Column::new(c.name().as_str(), kind(c.dtype()))).collect();
    Table::new(frame, columns, Arc::new(Origin::default())).unwrap()
}
