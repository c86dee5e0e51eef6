//! Text files into columns: a plan made on the beginning, then all rows, block by block and on
//! all processors; columns for which the plan did not hold are read once more as text and judged
//! on all their values.

use std::{collections::BTreeSet, sync::Mutex};

use polars::prelude::{DataType, Series};

use super::super::parse::{Habit, Missing, Reading, infer, missing};
use super::super::Error;
use super::columns::{Column, Mode};
use super::dialect::Dialect;
use super::input::{Coding, Input, Meter, Packing, Text, into_utf8};
use super::json;
use super::records::{self, Rows, Sink};
use crate::jobs::{Ctx, each};

/// How many bytes are taken in at once.
const BLOCK: usize = 2 << 20;

/// A record longer than this comes from a quote that is never closed.
const LONGEST: usize = 64 << 20;

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
    fn names(&self) -> &[String] {
        match self {
            Self::Delimited(dialect) => &dialect.names,
            Self::Lines(names) => names,
        }
    }

    fn record_end(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Delimited(dialect) => records::last_record_end(bytes, dialect.delimiter),
            Self::Lines(_) => bytes.iter().rposition(|b| *b == b'\n').map(|at| at + 1),
        }
    }

    /// The first rows, in the order of the columns.
    fn rows(&self, text: &str, limit: usize) -> Vec<Vec<String>> {
        match self {
            Self::Delimited(dialect) => Rows::of(text, dialect.delimiter, dialect.skip, limit).rows,
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
        pass.replace(second, &again, &mut plan, &source.label)?;
    }
    finish(&layout, plan, pass, source)
}

/// How the columns that failed are to be read, and those only.
fn once_more(pass: &Pass) -> Option<Vec<Mode>> {
    let failed = pass.failed();
    let mode = |failed: &bool| if *failed { Mode::Open } else { Mode::Skip };
    failed.contains(&true).then(|| failed.iter().map(mode).collect())
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
    let cut = if whole { sample.len() } else { layout.record_end(sample.as_bytes()).unwrap_or(sample.len()) };
    let mut plan = plan(layout, &sample[..cut]);
    let once = |modes: &[Mode]| {
        let mut pass = Pass::empty(layout, modes, 64);
        let block = Block::parse(&sample[..cut], layout, modes, true, max_rows);
        pass.take(vec![block], source, layout).map(|()| pass)
    };
    let mut pass = once(&modes(&plan))?;
    if let Some(again) = once_more(&pass) {
        pass.replace(once(&again)?, &again, &mut plan, &source.label)?;
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
    use super::super::parse::Order::{DayMonthYear, MonthDayYear};
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
fn finish(
    layout: &Layout,
    plan: Vec<Plan>,
    pass: Pass,
    source: &Source,
) -> Result<Columns, Error> {
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
            note_habit(&mut habit, reading, plan.note.as_ref().is_none_or(|n| !n.contains("other way")));
        }
    }
    let (mut series, mut readings) = (Vec::new(), Vec::new());
    for (i, (mut column, plan)) in pass.columns.into_iter().zip(plan).enumerate() {
        let name = &layout.names()[i];
        let odd = std::mem::take(&mut column.odd);
        let values = column.finish().unwrap_or_else(|| Series::full_null(name.into(), pass.n_rows, &DataType::Float64));
        let (values, mut note, odd) = if plan.mode == Mode::Open {
            settle(name, &values, habit)?
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
fn settle(
    name: &str,
    values: &Series,
    habit: Habit,
) -> Result<(Series, Option<String>, Vec<String>), Error> {
    let Ok(text) = values.str() else { return Ok((values.clone(), None, Vec::new())) };
    let each_value = || text.iter().map(|v| v.unwrap_or_default());
    let Some(found) = infer(name, each_value, habit) else {
        let empty = Series::full_null(name.into(), values.len(), &DataType::Float64);
        return Ok((empty, Some("every value is missing".to_owned()), Vec::new()));
    };
    let mode = match found.reading {
        Reading::Text => Mode::Text { na_is_value: na_is_value(each_value().take(SAMPLE_ROWS)) },
        reading => Mode::Typed(reading),
    };
    let mut column = Column::new(name, mode, values.len());
    each_value().for_each(|v| column.push(v));
    let odd = column.odd.clone();
    Ok((column.finish().unwrap_or_else(|| values.clone()), found.note, odd))
}

/// One way through the file.
struct Pass {
    columns: Vec<Column>,
    n_rows: usize,
    n_lines: usize,
    n_repaired: usize,
    new_keys: BTreeSet<String>,
}

impl Pass {
    fn empty(layout: &Layout, modes: &[Mode], capacity: usize) -> Self {
        Self {
            columns: columns(layout, modes, capacity),
            n_rows: 0,
            n_lines: 0,
            n_repaired: 0,
            new_keys: BTreeSet::new(),
        }
    }

    fn failed(&self) -> Vec<bool> {
        self.columns.iter().map(|c| c.failed).collect()
    }

    fn run(
        source: &Source,
        layout: &Layout,
        modes: &[Mode],
        capacity: usize,
        meter: &Meter,
        ctx: &Ctx,
    ) -> Result<Self, Error> {
        let Source { input, label, packing, coding } = source;
        let failed = |err| input.failed(label, *packing, err);
        let total = input.size().map_err(failed)? as usize;
        let reader = input.reader(*packing, meter).map_err(failed)?;
        let text = Text::new(reader, *coding);
        let blocks = Mutex::new(Blocks { text, carry: Vec::new(), ended: false });
        let n_at_once = 2 * std::thread::available_parallelism().map_or(1, usize::from);
        let fetch = |n: usize| -> Result<Vec<Vec<u8>>, Error> {
            let mut blocks = blocks.lock().map_err(|_| broken(label))?;
            let mut batch = Vec::with_capacity(n);
            while batch.len() < n {
                match blocks.next(layout).map_err(|e| match e {
                    Fetch::Io(err) => input.failed(label, *packing, err),
                    Fetch::Endless => endless(label),
                })? {
                    Some(block) => batch.push(block),
                    None => break,
                }
            }
            Ok(batch)
        };
        let mut pass = Self::empty(layout, modes, capacity);
        let mut batch = fetch(1)?;
        let mut first = true;
        while !batch.is_empty() {
            let current: Vec<Mutex<Vec<u8>>> = batch.into_iter().map(Mutex::new).collect();
            // While these blocks are parsed, the next ones are read.
            let results = each(current.len() + 1, |i| {
                if i == 0 {
                    return Turn::Read(fetch(n_at_once));
                }
                let bytes = match current[i - 1].lock() {
                    Ok(mut bytes) => std::mem::take(&mut *bytes),
                    Err(_) => Vec::new(),
                };
                let (text, n_repaired) = into_utf8(bytes);
                let mut block = Block::parse(&text, layout, modes, first && i == 1, usize::MAX);
                block.n_repaired = n_repaired;
                Turn::Parsed(block)
            });
            first = false;
            batch = Vec::new();
            let (mut next, mut blocks) = (None, Vec::new());
            for turn in results {
                match turn {
                    Turn::Read(read) => next = Some(read),
                    Turn::Parsed(block) => blocks.push(block),
                }
            }
            pass.take(blocks, source, layout)?;
            if let Some(read) = next {
                batch = read?;
            }
            ctx.step(meter.bytes() as usize, total.max(1), vec![])?;
        }
        Ok(pass)
    }

    /// Puts the columns of a second way through in the place of those that failed.
    fn replace(
        &mut self,
        second: Self,
        again: &[Mode],
        plan: &mut [Plan],
        label: &str,
    ) -> Result<(), Error> {
        if second.n_rows != self.n_rows {
            return Err(Error::NotATable {
                label: label.to_owned(),
                what: "it changed while it was read".to_owned(),
                hint: "wait until the file is complete, then open it again".to_owned(),
            });
        }
        for (i, column) in second.columns.into_iter().enumerate() {
            if again[i] == Mode::Open {
                self.columns[i] = column;
                plan[i] = Plan { mode: Mode::Open, note: None };
            }
        }
        Ok(())
    }

    /// Adds blocks behind the others.
    fn take(&mut self, blocks: Vec<Block>, source: &Source, layout: &Layout) -> Result<(), Error> {
        let mut parts: Vec<Vec<Column>> = self.columns.iter().map(|_| Vec::new()).collect();
        for block in blocks {
            if let Some(trouble) = block.trouble {
                return Err(trouble.error(&source.label, self.n_lines, layout));
            }
            self.n_lines += block.n_lines;
            self.n_rows += block.n_rows;
            self.n_repaired += block.n_repaired;
            self.new_keys.extend(block.new_keys);
            for (parts, column) in parts.iter_mut().zip(block.columns) {
                parts.push(column);
            }
        }
        let work: Vec<Mutex<(&mut Column, Vec<Column>)>> =
            self.columns.iter_mut().zip(parts).map(Mutex::new).collect();
        each(work.len(), |i| {
            if let Ok(mut work) = work[i].lock() {
                let (all, parts) = &mut *work;
                std::mem::take(parts).into_iter().for_each(|part| all.absorb(part));
            }
        });
        Ok(())
    }
}

enum Turn {
    Read(Result<Vec<Vec<u8>>, Error>),
    Parsed(Block),
}

fn broken(label: &str) -> Error {
    Error::NotATable {
        label: label.to_owned(),
        what: "reading it broke off".to_owned(),
        hint: "open it again".to_owned(),
    }
}

fn endless(label: &str) -> Error {
    Error::NotATable {
        label: label.to_owned(),
        what: "a record does not end within 64 MB".to_owned(),
        hint: "a quote may have been opened and never closed".to_owned(),
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

enum Fetch {
    Io(std::io::Error),
    Endless,
}

/// The text in blocks that end with a record.
struct Blocks<'a> {
    text: Text<'a>,
    carry: Vec<u8>,
    ended: bool,
}

impl Blocks<'_> {
    fn next(&mut self, layout: &Layout) -> Result<Option<Vec<u8>>, Fetch> {
        let mut block = Vec::with_capacity(BLOCK + self.carry.len() + 64);
        block.append(&mut self.carry);
        while !self.ended {
            let wanted = if block.len() < BLOCK { BLOCK - block.len() } else { block.len() };
            self.ended = !self.text.more(&mut block, wanted).map_err(Fetch::Io)?;
            if self.ended {
                break;
            }
            if let Some(end) = layout.record_end(&block) {
                self.carry = block[end..].to_vec();
                block.truncate(end);
                return Ok(Some(block));
            }
            if block.len() > LONGEST {
                return Err(Fetch::Endless);
            }
        }
        Ok((!block.is_empty()).then_some(block))
    }
}

/// Why a block is no part of a table; lines count from its beginning.
enum Trouble {
    Ragged { line: usize, got: usize, at_end: bool },
    OpenQuote { line: usize },
    Zero { line: usize },
    Json { line: usize, what: String },
}

impl Trouble {
    fn error(self, label: &str, before: usize, layout: &Layout) -> Error {
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

fn columns(layout: &Layout, modes: &[Mode], capacity: usize) -> Vec<Column> {
    let one = |(name, mode): (&String, &Mode)| Column::new(name, *mode, capacity);
    layout.names().iter().zip(modes).map(one).collect()
}

/// A block as columns.
struct Block {
    columns: Vec<Column>,
    n_rows: usize,
    n_lines: usize,
    n_repaired: usize,
    new_keys: BTreeSet<String>,
    trouble: Option<Trouble>,
}

impl Block {
    fn parse(text: &str, layout: &Layout, modes: &[Mode], first: bool, max_rows: usize) -> Self {
        let capacity = if max_rows == usize::MAX { text.len() / (8 * modes.len().max(1)) } else { 64 };
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
            let at_end = line > end.n_lines && !text.ends_with(['\n', '\r']) && got < self.columns.len();
            self.trouble = Some(Trouble::Ragged { line, got, at_end });
        } else if let Some(line) = end.open_quote {
            self.trouble = Some(Trouble::OpenQuote { line });
        }
    }

    fn lines(&mut self, text: &str, names: &[String], max_rows: usize) {
        let index: std::collections::HashMap<&str, usize> =
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
