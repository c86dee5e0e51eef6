//! Text files into columns: a plan made on the beginning, then all rows, block by block and on
//! all processors; columns for which the plan did not hold are read once more as text and judged
//! on all their values.

use std::collections::BTreeSet;

use polars::prelude::{DataType, Series};

use super::block::Block;
use super::columns::{Column, Mode};
use super::dialect::Dialect;
use super::input::{Coding, Input, Meter, Packing};
use super::json;
use super::pass::Pass;
use super::records::{self, Rows};
use crate::data::Error;
use crate::data::parse::{Habit, Missing, Reading, infer, missing};
use crate::jobs::Ctx;

/// How many rows decide on the plan.
const SAMPLE_ROWS: usize = 5_000;

/// How records lie in the text.
#[derive(Clone, Debug)]
pub(super) enum Layout {
    /// Fields between delimiters.
    Delimited(Dialect),
    /// A JSON object a line, with these keys.
    Lines(Vec<String>),
}

impl Layout {
    pub(super) fn names(&self) -> &[String] {
        match self {
            Self::Delimited(dialect) => &dialect.names,
            Self::Lines(names) => names,
        }
    }

    pub(super) fn record_end(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Delimited(dialect) => records::last_record_end(bytes, dialect.delimiter),
            Self::Lines(_) => bytes.iter().rposition(|b| *b == b'\n').map(|at| at + 1),
        }
    }

    /// The first rows, in the order of the columns.
    fn rows(&self, text: &str, limit: usize) -> Vec<Vec<String>> {
        match self {
            Self::Delimited(dialect) => Rows::of(text, dialect.delimiter, dialect.skip, limit).list,
            Self::Lines(names) => {
                let mut rows = Vec::new();
                for line in text.lines().filter(|l| !l.trim().is_empty()).take(limit) {
                    let mut row = vec![String::new(); names.len()];
                    let _ = json::fields(line, |key, value| {
                        if let Some(at) = names.iter().position(|n| n == key) {
                            value.unwrap_or_default().clone_into(&mut row[at]);
                        }
                    });
                    rows.push(row);
                }
                rows
            }
        }
    }
}

/// A text file that can be read.
pub(super) struct Source<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) label: String,
    pub(super) packing: Packing,
    pub(super) coding: Coding,
}

/// What was read.
pub(super) struct Columns {
    pub(super) names: Vec<String>,
    pub(super) series: Vec<Series>,
    /// How each column was understood, in words.
    pub(super) readings: Vec<Option<String>>,
    pub(super) notes: Vec<String>,
}

impl Columns {
    /// How many rows were read.
    pub(super) fn n_rows(&self) -> usize {
        self.series.first().map_or(0, |s| s.len())
    }
}

/// How one column is read at first, and what is said of it.
#[derive(Clone)]
struct Plan {
    mode: Mode,
    note: Option<String>,
}

/// Reads all rows.
pub(super) fn read(
    source: &Source,
    mut layout: Layout,
    sample: &str,
    meter: &Meter,
    ctx: &Ctx,
) -> Result<Columns, Error> {
    let mut plan = plan(&layout, sample);
    let size = source.input.size().unwrap_or_default();
    let capacity = if source.packing == Packing::Plain && source.coding == Coding::Utf8 {
        // Pages that are never touched cost nothing; moving a column that has outgrown its place
        // would.
        (size as f64 / bytes_per_row(sample) * 1.02) as usize + 16
    } else {
        0
    };
    let mut pass = Pass::run(source, &layout, &modes(&plan), capacity, meter, ctx)?;
    while !pass.new_keys.is_empty() {
        // A key that first appears late makes a column of its own.
        let Layout::Lines(names) = &mut layout else { break };
        for key in std::mem::take(&mut pass.new_keys) {
            names.push(key);
            plan.push(Plan { mode: Mode::Open, note: None });
        }
        pass = Pass::run(source, &layout, &modes(&plan), capacity, &Meter::default(), ctx)?;
    }
    if let Some(again) = once_more(&pass) {
        ctx.note("reading once more, for columns that are not what they seemed");
        let second = Pass::run(source, &layout, &again, capacity, &Meter::default(), ctx)?;
        pass.replace(second, &again, &source.label)?;
        reopen(&mut plan, &again);
    }
    finish(&layout, plan, pass, source)
}

/// How the columns that failed are to be read, and those only.
fn once_more(pass: &Pass) -> Option<Vec<Mode>> {
    let failed = pass.failed();
    let mode = |failed: &bool| if *failed { Mode::Open } else { Mode::Skip };
    failed.contains(&true).then(|| failed.iter().map(mode).collect())
}

fn reopen(plan: &mut [Plan], again: &[Mode]) {
    for (plan, _) in plan.iter_mut().zip(again).filter(|(_, mode)| **mode == Mode::Open) {
        *plan = Plan { mode: Mode::Open, note: None };
    }
}

fn bytes_per_row(text: &str) -> f64 {
    let ends = |end: u8| text.bytes().filter(|b| *b == end).count();
    text.len() as f64 / ends(b'\n').max(ends(b'\r')).max(1) as f64
}

/// Reads the rows of a text that is in memory and may end in the middle of a record; also says how
/// many bytes a row takes.
pub(super) fn read_head(
    source: &Source,
    layout: &Layout,
    sample: &str,
    whole: bool,
    max_rows: usize,
) -> Result<(Columns, f64), Error> {
    let cut = if whole {
        sample.len()
    } else {
        layout.record_end(sample.as_bytes()).unwrap_or(sample.len())
    };
    let mut plan = plan(layout, &sample[..cut]);
    let once = |modes: &[Mode]| {
        let mut pass = Pass::empty(layout, modes, 64);
        let block = Block::parse(&sample[..cut], layout, modes, true, max_rows);
        pass.take(vec![block], source, layout).map(|()| pass)
    };
    let mut pass = once(&modes(&plan))?;
    if let Some(again) = once_more(&pass) {
        pass.replace(once(&again)?, &again, &source.label)?;
        reopen(&mut plan, &again);
    }
    Ok((finish(layout, plan, pass, source)?, bytes_per_row(&sample[..cut])))
}

fn modes(plan: &[Plan]) -> Vec<Mode> {
    plan.iter().map(|p| p.mode).collect()
}

/// Decides on each column by the first rows.
fn plan(layout: &Layout, sample: &str) -> Vec<Plan> {
    let rows = layout.rows(sample, SAMPLE_ROWS);
    let names = layout.names();
    let column = |i: usize| rows.iter().map(move |row| row.get(i).map_or("", String::as_str));
    let mut habit = Habit::default();
    for (i, name) in names.iter().enumerate() {
        let Some(found) = infer(name, || column(i), Habit::default()) else { continue };
        note_habit(&mut habit, found.reading, found.certain);
    }
    let one = |(i, name): (usize, &String)| match infer(name, || column(i), habit) {
        None => Plan { mode: Mode::Open, note: None },
        Some(found) if found.reading == Reading::Text => {
            Plan { mode: Mode::Text { na_is_value: na_is_value(column(i)) }, note: None }
        }
        Some(found) => Plan { mode: Mode::Typed(found.reading), note: found.note },
    };
    names.iter().enumerate().map(one).collect()
}

fn note_habit(habit: &mut Habit, reading: Reading, certain: bool) {
    use crate::data::parse::Order::{DayMonthYear, MonthDayYear};
    match reading {
        Reading::Formatted(format) if certain => habit.comma |= format.comma,
        Reading::Date(order) | Reading::Datetime(order) if certain => {
            habit.day_first |= order == DayMonthYear;
            habit.month_first |= order == MonthDayYear;
        }
        _ => {}
    }
}

/// Whether `NA` stands among codes of two capitals, where it is Namibia or North America.
fn na_is_value<'a>(values: impl Iterator<Item = &'a str>) -> bool {
    let mut codes = BTreeSet::new();
    for value in values.filter(|v| *v == "NA" || missing(v) == Missing::No) {
        if value.len() != 2 || !value.bytes().all(|b| b.is_ascii_uppercase()) {
            return false;
        }
        codes.insert(value);
    }
    codes.len() >= 10
}

/// Judges the columns that are still open, and puts all together.
fn finish(layout: &Layout, plan: Vec<Plan>, pass: Pass, source: &Source) -> Result<Columns, Error> {
    if pass.n_rows == 0 {
        return Err(Error::Empty {
            label: source.label.clone(),
            what: "has a header and no rows".to_owned(),
        });
    }
    let mut notes = match layout {
        Layout::Delimited(dialect) => dialect.notes.clone(),
        Layout::Lines(_) => Vec::new(),
    };
    if pass.n_repaired > 0 {
        let lines = if pass.n_repaired == 1 { "1 line is" } else { "some lines are" };
        notes.push(format!("{lines} not UTF-8 and were read as Windows-1252"));
    }
    let mut habit = Habit::default();
    for plan in &plan {
        if let Mode::Typed(reading) = plan.mode {
            note_habit(
                &mut habit,
                reading,
                plan.note.as_ref().is_none_or(|n| !n.contains("other way")),
            );
        }
    }
    let (mut series, mut readings) = (Vec::new(), Vec::new());
    for (i, (mut column, plan)) in pass.columns.into_iter().zip(plan).enumerate() {
        let name = &layout.names()[i];
        let odd = std::mem::take(&mut column.odd);
        let values = column
            .finish()
            .unwrap_or_else(|| Series::full_null(name.into(), pass.n_rows, &DataType::Float64));
        let (values, mut note, odd) = if plan.mode == Mode::Open {
            settle(name, &values, habit)
        } else {
            (values, plan.note, odd)
        };
        if !odd.is_empty() {
            let words = odd.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
            let counts = format!("{words} counts as missing");
            note = Some(note.map_or(counts.clone(), |n| format!("{n}, {counts}")));
        }
        series.push(values);
        readings.push(note);
    }
    Ok(Columns { names: layout.names().to_vec(), series, readings, notes })
}

/// A column of which all text is known is given its type.
fn settle(name: &str, values: &Series, habit: Habit) -> (Series, Option<String>, Vec<String>) {
    let Ok(text) = values.str() else { return (values.clone(), None, Vec::new()) };
    let each_value = || text.iter().map(Option::unwrap_or_default);
    let Some(found) = infer(name, each_value, habit) else {
        let empty = Series::full_null(name.into(), values.len(), &DataType::Float64);
        return (empty, Some("every value is missing".to_owned()), Vec::new());
    };
    let mode = match found.reading {
        Reading::Text => Mode::Text { na_is_value: na_is_value(each_value().take(SAMPLE_ROWS)) },
        reading => Mode::Typed(reading),
    };
    let mut column = Column::new(name, mode, values.len());
    each_value().for_each(|v| column.push(v));
    let odd = column.odd.clone();
    (column.finish().unwrap_or_else(|| values.clone()), found.note, odd)
}
