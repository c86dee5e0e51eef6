//! The languages of databases, where they differ: names, texts, numbers, dates, and how a value of
//! any type is asked whether it is a number or one of some levels.

use crate::features::Source;

/// The language of a database, where it differs from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    #[default]
    Sqlite,
    /// `PostgreSQL`.
    Postgres,
    /// `DuckDB`.
    Duckdb,
    /// Spark, and engines that speak its language.
    Spark,
}

/// What is written in place of a number that would leave the range of a double.
const FAR: f64 = f64::MAX;

impl Dialect {
    fn double(self) -> &'static str {
        match self {
            Self::Sqlite => "REAL",
            Self::Postgres => "DOUBLE PRECISION",
            Self::Duckdb | Self::Spark => "DOUBLE",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => "TEXT",
            Self::Duckdb => "VARCHAR",
            Self::Spark => "STRING",
        }
    }

    /// The name of a column or a table.
    pub(super) fn name(self, name: &str) -> String {
        match self {
            Self::Spark => format!("`{}`", name.replace('`', "``")),
            _ => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    /// A text as it is.
    pub(super) fn quoted(self, text: &str) -> String {
        // Spark takes a backslash for the beginning of a special character, and two quotes for the
        // end of one text and the beginning of the next.
        match self {
            Self::Spark => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
            _ => format!("'{}'", text.replace('\'', "''")),
        }
    }

    /// A number that is read back as the same double.
    pub(super) fn number(self, value: f64) -> String {
        let value = value.clamp(-FAR, FAR);
        match self {
            // Without an exponent these two would read a decimal of some digits.
            Self::Duckdb | Self::Spark => format!("{value:e}"),
            Self::Sqlite | Self::Postgres => format!("{value:?}"),
        }
    }

    /// The number `value`, from which on an expression is of doubles and nothing else.
    pub(super) fn first(self, value: f64) -> String {
        match self {
            Self::Postgres => format!("CAST({} AS {})", self.number(value), self.double()),
            _ => self.number(value),
        }
    }

    /// What a column holds, as a double.
    pub(super) fn as_double(self, column: &str) -> String {
        format!("CAST({column} AS {})", self.double())
    }

    /// What a column holds, as text.
    pub(super) fn as_text(self, column: &str) -> String {
        format!("CAST({column} AS {})", self.text())
    }

    /// The condition under which a column that holds numbers or dates holds nothing.
    pub(super) fn is_nothing(self, column: &str) -> String {
        match self {
            // A table that was read from a file of text has empty texts in place of nothing.
            Self::Sqlite => format!("{column} IS NULL OR {column} = ''"),
            _ => format!("{column} IS NULL"),
        }
    }

    /// The condition under which a double is none that can be reckoned with.
    pub(super) fn is_not_finite(self, value: &str) -> String {
        match self {
            // SQLite has no NaN; it keeps nothing in its place.
            Self::Sqlite => format!("{value} IN (9e999, -9e999)"),
            Self::Postgres => format!("{value} IN ('NaN', 'Infinity', '-Infinity')"),
            Self::Duckdb => format!("NOT isfinite({value})"),
            // NaN is equal to itself here.
            Self::Spark => {
                format!("{value} IN (double('NaN'), double('Infinity'), double('-Infinity'))")
            }
        }
    }

    /// How doubles that cannot be reckoned with are written as text.
    pub(super) fn not_finite_texts(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &["Inf", "-Inf"],
            Self::Postgres | Self::Spark => &["NaN", "Infinity", "-Infinity"],
            Self::Duckdb => &["nan", "inf", "-inf"],
        }
    }

    /// The condition under which a column, whatever its type, holds one of these numbers; false
    /// for what is no number.
    pub(super) fn is_number_among(self, column: &str, numbers: &[f64]) -> String {
        let list: Vec<String> = numbers.iter().map(|value| self.number(*value)).collect();
        let list = list.join(", ");
        match self {
            // `+` takes its type from a column, so that numbers are compared as such.
            Self::Sqlite => {
                let mut texts: Vec<String> = numbers
                    .iter()
                    .flat_map(|value| [format!("'{value}'"), format!("'{value:?}'")])
                    .collect();
                texts.dedup();
                format!("(+{column} IN ({list}) OR +{column} IN ({}))", texts.join(", "))
            }
            Self::Postgres => {
                let text = self.as_text(column);
                let shape = "^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$";
                format!(
                    "COALESCE(CASE WHEN {text} ~ '{shape}' THEN {} END IN ({list}), FALSE)",
                    self.as_double(&text)
                )
            }
            Self::Duckdb | Self::Spark => {
                format!("COALESCE(TRY_CAST({column} AS DOUBLE) IN ({list}), FALSE)")
            }
        }
    }

    /// Days since 1970 of a date or a moment.
    pub(super) fn days(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("(julianday({column}) - 2440587.5)"),
            Self::Postgres => {
                let seconds = format!("EXTRACT(EPOCH FROM CAST({column} AS TIMESTAMP))");
                format!("({} / 86400.0)", self.as_double(&seconds))
            }
            Self::Duckdb => format!("(epoch(CAST({column} AS TIMESTAMP)) / 86400.0)"),
            // Seconds since 1970 would depend on the time zone of whoever asks; what a calendar
            // and a clock show does not.
            Self::Spark => {
                let moment = format!("CAST({column} AS TIMESTAMP)");
                format!(
                    "(datediff(CAST({column} AS DATE), DATE '1970-01-01') + (hour({moment}) * 3600 \
                     + minute({moment}) * 60 + EXTRACT(SECOND FROM {moment})) / 8.64e4)"
                )
            }
        }
    }

    /// The month from 0 for January, or the weekday from 0 for Monday.
    pub(super) fn part(self, column: &str, source: &Source) -> String {
        let is_month = matches!(source, Source::Month { .. });
        match (self, is_month) {
            (Self::Sqlite, true) => format!("(CAST(strftime('%m', {column}) AS INTEGER) - 1)"),
            (Self::Sqlite, false) => {
                format!("((CAST(strftime('%w', {column}) AS INTEGER) + 6) % 7)")
            }
            (Self::Postgres | Self::Duckdb, true) => {
                format!("(EXTRACT(MONTH FROM CAST({column} AS TIMESTAMP)) - 1)")
            }
            (Self::Postgres | Self::Duckdb, false) => {
                format!("(EXTRACT(ISODOW FROM CAST({column} AS TIMESTAMP)) - 1)")
            }
            (Self::Spark, true) => format!("(month({column}) - 1)"),
            (Self::Spark, false) => format!("weekday({column})"),
        }
    }
}
