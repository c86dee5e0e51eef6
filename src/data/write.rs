//! Tables out: CSV, TSV, Parquet or NDJSON, by the name of the file, never half written and
//! without personal data.

use std::{
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use polars::prelude::{
    CsvWriter, DataFrame, JsonFormat, JsonWriter, NamedFrom, ParquetCompression, ParquetWriter,
    PolarsResult, SerWriter, Series,
};

use super::{Error, Table};
use crate::files::{self, Writer};

/// A column that is written beside those of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Added {
    /// Its name in the file.
    pub name: String,
    /// One value for each row.
    pub values: Values,
}

/// The values of an added column.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Quantities; a missing one stays empty.
    Numbers(Vec<Option<f64>>),
    /// Whole numbers, such as points.
    Integers(Vec<Option<i64>>),
    /// Words, such as the name of a class.
    Words(Vec<Option<String>>),
}

/// The formats that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// Comma separated, with a header.
    Csv,
    /// Separated by tabs.
    Tsv,
    /// Columnar and packed.
    Parquet,
    /// One JSON object a line.
    Ndjson,
}

impl FileFormat {
    /// The format that a file's name asks for; CSV when it asks for none.
    ///
    /// # Errors
    ///
    /// When it asks for a format that is not written.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let end = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        Ok(match end.as_str() {
            "tsv" | "tab" => Self::Tsv,
            "parquet" | "pq" => Self::Parquet,
            "ndjson" | "jsonl" | "json" => Self::Ndjson,
            "" | "csv" | "txt" | "dat" | "data" => Self::Csv,
            _ => {
                return Err(Error::Query {
                    what: format!("no table is written as `.{end}`"),
                    hint: "the ending says the format: .csv, .tsv, .ndjson or .parquet".into(),
                });
            }
        })
    }
}

/// Writes the table with added columns behind its own, in the same order of rows. Personal columns
/// are left out; their names are returned, so that it can be said. An added column whose name is
/// taken gets a number behind it.
///
/// # Errors
///
/// When the file cannot be written; what stood there before is then untouched.
pub fn write(table: &Table, added: &[Added], path: &Path) -> Result<Vec<String>, Error> {
    let format = FileFormat::of(path)?;
    let (frame, left_out) = visible(table, added)?;
    let mut writer = Writer::create(path)?;
    put(frame, format, &mut writer, path)?;
    writer.finish()?;
    Ok(left_out)
}

/// The table with added columns as text in the given format, for standard output or the clipboard.
pub fn to_bytes(table: &Table, added: &[Added], format: FileFormat) -> Result<Vec<u8>, Error> {
    let (frame, _) = visible(table, added)?;
    let mut bytes = Vec::new();
    put(frame, format, &mut bytes, Path::new("memory"))?;
    Ok(bytes)
}

/// The columns that may leave, with the added ones.
fn visible(table: &Table, added: &[Added]) -> Result<(DataFrame, Vec<String>), Error> {
    let (mut columns, mut left_out) = (Vec::new(), Vec::new());
    for column in &table.columns {
        if column.is_masked() {
            left_out.push(column.name.clone());
        } else {
            columns.push(table.frame.column(&column.name)?.clone());
        }
    }
    for new in added {
        let taken = |name: &str| columns.iter().any(|c| c.name() == name);
        let name = if taken(&new.name) {
            let fresh = |n: &u32| !taken(&format!("{}_{n}", new.name));
            format!("{}_{}", new.name, (2..u32::MAX).find(fresh).unwrap_or(2))
        } else {
            new.name.clone()
        };
        let name = name.as_str().into();
        let series = match &new.values {
            Values::Numbers(values) => Series::new(name, values),
            Values::Integers(values) => Series::new(name, values),
            Values::Words(values) => Series::new(name, values),
        };
        columns.push(series.into());
    }
    Ok((DataFrame::new(table.n_rows(), columns)?, left_out))
}

fn put(
    mut frame: DataFrame,
    format: FileFormat,
    out: &mut impl Write,
    path: &Path,
) -> Result<(), Error> {
    let mut failure = None;
    let mut watched = Watched { out, failure: &mut failure };
    let work = || -> PolarsResult<()> {
        match format {
            FileFormat::Csv => CsvWriter::new(&mut watched).finish(&mut frame),
            FileFormat::Tsv => {
                CsvWriter::new(&mut watched).with_separator(b'\t').finish(&mut frame)
            }
            FileFormat::Parquet => ParquetWriter::new(&mut watched)
                .with_compression(ParquetCompression::Snappy)
                .finish(&mut frame)
                .map(|_| ()),
            FileFormat::Ndjson => JsonWriter::new(&mut watched)
                .with_json_format(JsonFormat::JsonLines)
                .finish(&mut frame),
        }
    };
    let result = catch_unwind(AssertUnwindSafe(work));
    if let Some(cause) = failure {
        return Err(files::Error::Write { path: path.to_owned(), cause }.into());
    }
    match result {
        Ok(result) => Ok(result?),
        Err(_) => Err(Error::Query {
            what: format!("the table cannot be written to `{}`", path.display()),
            hint: "choose another format by the name's ending: .csv, .parquet, .ndjson".to_owned(),
        }),
    }
}

/// Keeps the system's own error, which polars would wrap in words of its own.
struct Watched<'a, W> {
    out: &'a mut W,
    failure: &'a mut Option<std::io::Error>,
}

impl<W: Write> Write for Watched<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.out.write(bytes).map_err(|err| {
            let kind = err.kind();
            *self.failure = Some(err);
            kind.into()
        })
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{OpenOptions, Overrides, apply_overrides, open, open_bytes};
    use crate::jobs::Ctx;

    fn table() -> Table {
        let text = "who,day,n\n\"a, b\",2024-01-31,1.5\n\"c \"\"d\"\"\",,2\n";
        open_bytes("t.csv", text.as_bytes(), &OpenOptions::default(), &Ctx::quiet()).unwrap()
    }

    fn scores() -> Vec<Added> {
        let words = vec![Some("bad".to_owned()), None];
        vec![
            Added { name: "prediction".into(), values: Values::Words(words) },
            Added { name: "n".into(), values: Values::Numbers(vec![Some(0.1 + 0.2), None]) },
            Added { name: "points".into(), values: Values::Integers(vec![Some(512), None]) },
        ]
    }

    #[test]
    fn csv_keeps_every_value_and_digit() {
        let text =
            String::from_utf8(to_bytes(&table(), &scores(), FileFormat::Csv).unwrap()).unwrap();
        let expected = "who,day,n,prediction,n_2,points\n\"a, b\",2024-01-31,1.5,bad,0.30000000000000004,512\n\"c \"\"d\"\"\",,2.0,,,\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn every_format_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["t.csv", "t.tsv", "t.parquet", "t.ndjson"] {
            let path = dir.path().join(name);
            assert!(write(&table(), &scores(), &path).unwrap().is_empty());
            let back = open(&path, &OpenOptions::default(), &Ctx::quiet()).unwrap();
            assert_eq!(back.numbers("n").unwrap(), [1.5, 2.0], "{name}");
            assert_eq!(back.text(0, "who").as_deref(), Some("a, b"), "{name}");
            assert_eq!(back.text(0, "day").as_deref(), Some("2024-01-31"), "{name}");
            assert_eq!(back.numbers("points").unwrap()[0], 512.0, "{name}");
        }
    }

    #[test]
    fn personal_columns_stay_here() {
        let mut table = table();
        let mut overrides = Overrides::default();
        overrides.personal.insert("who".to_owned(), true);
        apply_overrides(&mut table, &overrides).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        assert_eq!(write(&table, &[], &path).unwrap(), ["who"]);
        assert!(!std::fs::read_to_string(&path).unwrap().contains("a, b"));
    }

    #[test]
    fn a_folder_that_is_not_there_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let err = write(&table(), &[], &dir.path().join("no/t.csv")).unwrap_err().to_string();
        assert!(err.contains("cannot write") && err.contains("hint:"), "{err}");
    }
}
