//! Columns in the making: each takes text, field by field, and keeps values of its type.

use polars::prelude::{
    BooleanChunkedBuilder, ChunkedArray, ChunkedBuilder, DataType, Float64Type, Int32Type,
    Int64Chunked, Int64Type, IntoSeries, PlSmallStr, PolarsNumericType, PrimitiveChunkedBuilder,
    Series, StringChunkedBuilder, TimeUnit,
};

use crate::data::parse::{Missing, Reading, boolean, date, missing, number};

/// How a column is taken in on this pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Not at all.
    Skip,
    /// As values; one that does not make sense fails the column.
    Typed(Reading),
    /// As text that stays text. Whether `NA` is a value there, such as Namibia.
    Text { na_is_value: bool },
    /// As text for now, missing values as they are written.
    Open,
}

/// A part of a column, block by block.
pub(super) struct Column {
    values: Values,
    reading: Reading,
    /// A value did not make sense under the reading.
    pub(super) failed: bool,
    /// Words that were taken as missing because the column holds numbers.
    pub(super) odd: Vec<String>,
}

enum Values {
    Skipped,
    Integers(PrimitiveChunkedBuilder<Int64Type>),
    Floats(PrimitiveChunkedBuilder<Float64Type>),
    Booleans(BooleanChunkedBuilder),
    Days(PrimitiveChunkedBuilder<Int32Type>),
    Moments(PrimitiveChunkedBuilder<Int64Type>),
    Text(StringChunkedBuilder, bool),
    Open(StringChunkedBuilder),
}

impl Column {
    pub(super) fn new(name: &str, mode: Mode, capacity: usize) -> Self {
        let name = PlSmallStr::from(name);
        let mut reading = Reading::Text;
        let values = match mode {
            Mode::Skip => Values::Skipped,
            Mode::Text { na_is_value } => {
                Values::Text(StringChunkedBuilder::new(name, capacity), na_is_value)
            }
            Mode::Open => Values::Open(StringChunkedBuilder::new(name, capacity)),
            Mode::Typed(typed) => {
                reading = typed;
                match typed {
                    Reading::Integer => {
                        Values::Integers(PrimitiveChunkedBuilder::new(name, capacity))
                    }
                    Reading::Decimal | Reading::Formatted(_) => {
                        Values::Floats(PrimitiveChunkedBuilder::new(name, capacity))
                    }
                    Reading::Boolean => {
                        Values::Booleans(BooleanChunkedBuilder::new(name, capacity))
                    }
                    Reading::Date(_) => Values::Days(PrimitiveChunkedBuilder::new(name, capacity)),
                    Reading::Datetime(_) => {
                        Values::Moments(PrimitiveChunkedBuilder::new(name, capacity))
                    }
                    Reading::Text => Values::Text(StringChunkedBuilder::new(name, capacity), false),
                }
            }
        };
        Self { values, reading, failed: false, odd: Vec::new() }
    }

    /// Takes one field.
    pub(super) fn push(&mut self, text: &str) {
        match &mut self.values {
            Values::Skipped => {}
            Values::Integers(builder) => match number::integer(text) {
                Some(value) => builder.append_value(value),
                None if self.missing(text) => self.push_null(),
                None => self.widen(text),
            },
            Values::Floats(builder) => {
                let value = match self.reading {
                    Reading::Formatted(format) => format.parse(text),
                    _ => number::decimal(text),
                };
                match value {
                    Some(value) => builder.append_value(value),
                    None if self.missing(text) => self.push_null(),
                    None => self.fail(),
                }
            }
            Values::Booleans(builder) => match boolean(text) {
                Some(value) => builder.append_value(value),
                None if self.missing(text) => self.push_null(),
                None => self.fail(),
            },
            Values::Days(builder) => match date_of(text, self.reading) {
                Some(stamp) if !stamp.timed => {
                    builder.append_value(stamp.ms.div_euclid(date::DAY) as i32);
                }
                None if self.missing(text) => self.push_null(),
                _ => self.fail(),
            },
            Values::Moments(builder) => match date_of(text, self.reading) {
                Some(stamp) => builder.append_value(stamp.ms),
                None if self.missing(text) => self.push_null(),
                None => self.fail(),
            },
            Values::Text(builder, na_is_value) => {
                if missing(text) == Missing::Always && !(*na_is_value && text == "NA") {
                    builder.append_null();
                } else {
                    builder.append_value(text);
                }
            }
            Values::Open(builder) => {
                if text.is_empty() {
                    builder.append_null();
                } else {
                    builder.append_value(text);
                }
            }
        }
    }

    /// Takes a missing value.
    pub(super) fn push_null(&mut self) {
        match &mut self.values {
            Values::Skipped => {}
            Values::Integers(b) | Values::Moments(b) => b.append_null(),
            Values::Floats(b) => b.append_null(),
            Values::Booleans(b) => b.append_null(),
            Values::Days(b) => b.append_null(),
            Values::Text(b, _) | Values::Open(b) => b.append_null(),
        }
    }

    /// Whether the text counts as missing among typed values; odd words are remembered.
    fn missing(&mut self, text: &str) -> bool {
        match missing(text) {
            Missing::No => false,
            Missing::Always => true,
            Missing::Odd => {
                if self.odd.len() < 4 && !self.odd.iter().any(|w| w == text) {
                    self.odd.push(text.to_owned());
                }
                true
            }
        }
    }

    /// Goes on with decimals where whole numbers ended, as long as no digit is lost.
    fn widen(&mut self, text: &str) {
        match number::decimal(text) {
            Some(value) if self.widen_values() => {
                if let Values::Floats(builder) = &mut self.values {
                    builder.append_value(value);
                }
            }
            _ => self.fail(),
        }
    }

    /// Turns whole numbers into decimals; says no, and fails the column, if a digit would be lost.
    fn widen_values(&mut self) -> bool {
        let Values::Integers(builder) = std::mem::replace(&mut self.values, Values::Skipped) else {
            self.fail();
            return false;
        };
        let integers = builder.finish();
        let mut floats = PrimitiveChunkedBuilder::new(integers.name().clone(), integers.len() + 1);
        let exact = push_widened(&integers, &mut floats);
        if exact {
            self.values = Values::Floats(floats);
            self.reading = Reading::Decimal;
        } else {
            self.fail();
        }
        exact
    }

    /// Adds the values of a later part of the same column.
    pub(super) fn absorb(&mut self, part: Self) {
        for word in part.odd {
            if self.odd.len() < 4 && !self.odd.contains(&word) {
                self.odd.push(word);
            }
        }
        if self.failed || part.failed {
            return self.fail();
        }
        if matches!((&self.values, &part.values), (Values::Integers(_), Values::Floats(_)))
            && !self.widen_values()
        {
            return;
        }
        match (&mut self.values, part.values) {
            (Values::Integers(all), Values::Integers(part))
            | (Values::Moments(all), Values::Moments(part)) => push_all(&part.finish(), all),
            (Values::Floats(all), Values::Floats(part)) => push_all(&part.finish(), all),
            (Values::Floats(all), Values::Integers(part)) => {
                let exact = push_widened(&part.finish(), all);
                self.failed |= !exact;
            }
            (Values::Days(all), Values::Days(part)) => push_all(&part.finish(), all),
            (Values::Booleans(all), Values::Booleans(part)) => {
                part.finish().iter().for_each(|v| all.append_option(v));
            }
            (Values::Text(all, _), Values::Text(part, _))
            | (Values::Open(all), Values::Open(part)) => {
                part.finish().iter().for_each(|v| all.append_option(v));
            }
            _ => {}
        }
    }

    fn fail(&mut self) {
        self.failed = true;
        self.values = Values::Skipped;
    }

    /// The values so far; `None` when the column was skipped or failed.
    pub(super) fn finish(self) -> Option<Series> {
        Some(match self.values {
            Values::Skipped => return None,
            Values::Integers(b) => b.finish().into_series(),
            Values::Floats(b) => b.finish().into_series(),
            Values::Booleans(b) => b.finish().into_series(),
            Values::Days(b) => b.finish().into_series().cast(&DataType::Date).ok()?,
            Values::Moments(b) => {
                let dtype = DataType::Datetime(TimeUnit::Milliseconds, None);
                b.finish().into_series().cast(&dtype).ok()?
            }
            Values::Text(b, _) | Values::Open(b) => b.finish().into_series(),
        })
    }
}

fn push_all<T: PolarsNumericType>(part: &ChunkedArray<T>, all: &mut PrimitiveChunkedBuilder<T>) {
    match part.cont_slice() {
        Ok(values) => values.iter().for_each(|v| all.append_value(*v)),
        Err(_) => part.iter().for_each(|v| all.append_option(v)),
    }
}

/// Adds whole numbers as doubles, unless one is too long for that.
fn push_widened(part: &Int64Chunked, all: &mut PrimitiveChunkedBuilder<Float64Type>) -> bool {
    let exact = part.iter().flatten().all(|v| v.unsigned_abs() <= 1 << 53);
    if exact {
        part.iter().for_each(|v| all.append_option(v.map(|v| v as f64)));
    }
    exact
}

fn date_of(text: &str, reading: Reading) -> Option<date::Stamp> {
    match reading {
        Reading::Date(order) | Reading::Datetime(order) => date::parse(text, order),
        _ => None,
    }
}
