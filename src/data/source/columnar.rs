//! Parquet and Arrow IPC, read by polars; their types are brought to the few that a table has.

use std::io::Cursor;

use polars::prelude::{
    AnyValue, DataFrame, DataType, IntoSeries, IpcReader, NewChunkedArray, ParquetReader,
    PolarsError, SerReader, Series, StringChunked, TimeUnit,
};

use super::dialect::unique;
use super::input::Input;
use super::text::Columns;
use crate::data::Error;

/// The columnar formats that are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Parquet,
    Ipc,
}

impl Format {
    /// The format that begins with these bytes.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        if start.starts_with(b"PAR1") {
            Some(Self::Parquet)
        } else if start.starts_with(b"ARROW1") {
            Some(Self::Ipc)
        } else {
            None
        }
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Ipc => "ipc",
        }
    }
}

/// Reads the rows, or the first ones; also says how many there are when that is known.
pub(super) fn read(
    input: &Input,
    label: &str,
    format: Format,
    limit: Option<usize>,
) -> Result<(Columns, Option<usize>), Error> {
    let refused = |source: PolarsError| Error::NotATable {
        label: label.to_owned(),
        what: format!(
            "it cannot be read as {}: {}",
            format.name(),
            first_line(&source.to_string())
        ),
        hint: "the file may be cut off or damaged: fetch it again".to_owned(),
    };
    let io = |err| input.failed(label, super::input::Packing::Plain, err);
    let (frame, n_rows) = match (input, format) {
        (Input::File(path), Format::Parquet) => {
            let mut reader = ParquetReader::new(std::fs::File::open(path).map_err(io)?);
            let n_rows = reader.num_rows().map_err(refused)?;
            (reader.with_slice(limit.map(|n| (0, n))).finish().map_err(refused)?, Some(n_rows))
        }
        (Input::Bytes(bytes), Format::Parquet) => {
            let mut reader = ParquetReader::new(Cursor::new(bytes.to_vec()));
            let n_rows = reader.num_rows().map_err(refused)?;
            (reader.with_slice(limit.map(|n| (0, n))).finish().map_err(refused)?, Some(n_rows))
        }
        (Input::File(path), Format::Ipc) => {
            let file = std::fs::File::open(path).map_err(io)?;
            (IpcReader::new(file).with_n_rows(limit).finish().map_err(refused)?, None)
        }
        (Input::Bytes(bytes), Format::Ipc) => {
            let reader = IpcReader::new(Cursor::new(bytes.to_vec()));
            (reader.with_n_rows(limit).finish().map_err(refused)?, None)
        }
    };
    if frame.height() == 0 || frame.width() == 0 {
        let what = if frame.width() == 0 { "has no columns" } else { "has columns and no rows" };
        return Err(Error::Empty { label: label.to_owned(), what: what.to_owned() });
    }
    Ok((columns(frame)?, n_rows))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn columns(frame: DataFrame) -> Result<Columns, Error> {
    let mut notes = Vec::new();
    let (mut names, mut series, mut readings) = (Vec::new(), Vec::new(), Vec::new());
    for column in frame.into_columns() {
        let name = column.name().to_string();
        match plain(&column.take_materialized_series())? {
            Some((values, reading)) => {
                names.push(name);
                series.push(values.rechunk());
                readings.push(reading);
            }
            None => notes.push(format!("column `{name}` holds raw bytes and was left out")),
        }
    }
    let names = unique(&names, &mut notes);
    for (series, name) in series.iter_mut().zip(&names) {
        series.rename(name.as_str().into());
    }
    Ok(Columns { names, series, readings, notes })
}

/// The values with one of the types that a table has, and what was changed for it.
pub(in crate::data) fn plain(series: &Series) -> Result<Option<(Series, Option<String>)>, Error> {
    let says = |text: &str| Some(text.to_owned());
    Ok(Some(match series.dtype() {
        DataType::Binary | DataType::BinaryOffset => return Ok(None),
        DataType::Int128 | DataType::UInt128 | DataType::UInt64 | DataType::Float16 => {
            (series.cast(&DataType::Float64)?, None)
        }
        DataType::Decimal(_, _) => (series.cast(&DataType::Float64)?, says("decimals as doubles")),
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32 => (series.cast(&DataType::Int64)?, None),
        DataType::Float32 => (series.cast(&DataType::Float64)?, None),
        DataType::Datetime(_, zone) => {
            let reading = zone.as_ref().and_then(|_| says("times in UTC"));
            (series.cast(&DataType::Datetime(TimeUnit::Milliseconds, None))?, reading)
        }
        DataType::Time => {
            let ns = series.cast(&DataType::Int64)?.cast(&DataType::Float64)?;
            (&ns / 1e9, says("seconds since midnight"))
        }
        DataType::Duration(unit) => {
            let per_day = 86_400.0
                * match unit {
                    TimeUnit::Nanoseconds => 1e9,
                    TimeUnit::Microseconds => 1e6,
                    TimeUnit::Milliseconds => 1e3,
                };
            let values = series.cast(&DataType::Int64)?.cast(&DataType::Float64)?;
            (&values / per_day, says("in days"))
        }
        DataType::Categorical(_, _) | DataType::Enum(_, _) => {
            (series.cast(&DataType::String)?, None)
        }
        DataType::Null => (series.cast(&DataType::Float64)?, says("every value is missing")),
        DataType::Boolean
        | DataType::Int64
        | DataType::Float64
        | DataType::String
        | DataType::Date => (series.clone(), None),
        _ => {
            let text = series.iter().map(|v| match v {
                AnyValue::Null => None,
                other => Some(other.to_string()),
            });
            let text = StringChunked::from_iter_options(series.name().clone(), text);
            (text.into_series(), says("nested values as text"))
        }
    }))
}
