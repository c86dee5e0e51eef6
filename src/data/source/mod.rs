//! Tables in: a file, standard input or bytes in memory become a [`Table`], whatever format,
//! delimiter, encoding or packing they come in.
//!
//! The format is found by looking at the content first and at the file's name second. Text is
//! read by readers of our own, since a value that does not fit its column must never silently
//! become a missing one, and a ragged line must be refused by its number.

mod block;
mod columnar;
mod columns;
mod dialect;
mod input;
mod json;
mod pass;
mod records;
mod refuse;
mod text;

use std::{
    io::Read,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
    time::UNIX_EPOCH,
};

use columnar::Format;
pub(super) use columnar::plain;
use dialect::{Dialect, NoTable, Said};
use input::{Coding, Input, Meter, Packing, Text, into_utf8};
use json::Shape;
use polars::prelude::DataFrame;
use records::Delimiter;
use serde::{Deserialize, Serialize};
use text::{Columns, Layout, Source};

use super::{Column, Error, Kind, Origin, Overrides, Table, infer, nearest};
use crate::jobs::{Ctx, each};

/// What a person said about how a file is to be read; what was left unsaid is found by looking.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OpenOptions {
    /// The byte between fields; a space stands for any run of blanks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<u8>,
    /// Whether the first record names the columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// The name of the text's encoding, such as `latin1` or `utf-16le`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// What was said about single columns.
    pub overrides: Overrides,
}

/// How much of a text is looked at before it is read.
const LOOK: usize = 256 << 10;

/// How much is to be read.
#[derive(Clone, Copy)]
enum Scope {
    All,
    Head(usize),
}

/// Reads the whole file at `path`; `-` is standard input, and `sample:NAME` one of the samples
/// inside the program.
///
/// ```
/// use karat::{data, jobs::Ctx};
///
/// let path = std::path::Path::new("sample_data/german_credit.csv");
/// let table = data::open(path, &data::OpenOptions::default(), &Ctx::quiet())?;
/// assert_eq!((table.n_rows(), table.n_columns()), (1000, 21));
/// # Ok::<(), data::Error>(())
/// ```
pub fn open(path: &Path, options: &OpenOptions, ctx: &Ctx) -> Result<Table, Error> {
    if path == Path::new("-") {
        return open_stdin(options, ctx);
    }
    if let Some(sample) = named_sample(path)? {
        let bytes = sample.content;
        return guarded(sample.file, || {
            load(&Input::Bytes(bytes), sample.file, Some(path), options, Scope::All, ctx)
        });
    }
    refuse::check(path)?;
    let label = label_of(path);
    if path.is_file() {
        let input = Input::File(path.to_owned());
        return guarded(&label, || load(&input, &label, Some(path), options, Scope::All, ctx));
    }
    // A pipe can be read only once.
    let failed = |source| Error::Io { path: path.to_owned(), source };
    let bytes = read_once(std::fs::File::open(path).map_err(failed)?, path, ctx)?;
    guarded(&label, || load(&Input::Bytes(&bytes), &label, None, options, Scope::All, ctx))
}

/// Reads only the first rows, at most `max_rows` and from the first 256 KB of text, so that a
/// file of any size is on screen at once. The table says that it is not complete, and the notes
/// of its origin say about how many rows there are.
///
/// Standard input and pipes cannot be read twice: for them use [`open`].
pub fn head(path: &Path, options: &OpenOptions, max_rows: usize) -> Result<Table, Error> {
    let (scope, ctx) = (Scope::Head(max_rows.max(1)), Ctx::quiet());
    if let Some(sample) = named_sample(path)? {
        let bytes = sample.content;
        return guarded(sample.file, || {
            load(&Input::Bytes(bytes), sample.file, Some(path), options, scope, &ctx)
        });
    }
    refuse::check(path)?;
    let label = label_of(path);
    if !path.is_file() {
        return Err(Error::NotATable {
            label,
            what: "it can be read only once, so there is no looking ahead".to_owned(),
            hint: "open it whole".to_owned(),
        });
    }
    let input = Input::File(path.to_owned());
    guarded(&label, || load(&input, &label, Some(path), options, scope, &ctx))
}

/// Reads all of standard input.
pub fn open_stdin(options: &OpenOptions, ctx: &Ctx) -> Result<Table, Error> {
    let label = "standard input";
    ctx.note("reading standard input");
    let bytes = read_once(std::io::stdin().lock(), Path::new(label), ctx)?;
    guarded(label, || load(&Input::Bytes(&bytes), label, None, options, Scope::All, ctx))
}

/// All that comes through a pipe.
fn read_once(mut pipe: impl Read, path: &Path, ctx: &Ctx) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    loop {
        let got = (&mut pipe).take(4 << 20).read_to_end(&mut bytes).map_err(failed)?;
        ctx.step(bytes.len(), bytes.len() + got, vec![])?;
        if got == 0 {
            return Ok(bytes);
        }
    }
}

/// Reads a table from memory, by the name it goes by.
///
/// ```
/// use karat::{data, jobs::Ctx};
///
/// let text = "betrag;datum\n1.234,56;31.12.2024\n7,50;01.01.2025\n";
/// let options = data::OpenOptions::default();
/// let table = data::open_bytes("umsatz.csv", text.as_bytes(), &options, &Ctx::quiet())?;
/// assert_eq!(table.numbers("betrag")?, [1234.56, 7.5]);
/// assert_eq!(table.column("datum").map(|c| c.kind), Some(data::Kind::Datetime));
/// # Ok::<(), data::Error>(())
/// ```
pub fn open_bytes(
    label: &str,
    bytes: &[u8],
    options: &OpenOptions,
    ctx: &Ctx,
) -> Result<Table, Error> {
    guarded(label, || load(&Input::Bytes(bytes), label, None, options, Scope::All, ctx))
}

impl Table {
    /// Whether the file at `path` still has the size and the time of change that it had when this
    /// table was read from it. A table that came from no file stays the same.
    pub fn still_same(&self, path: &Path) -> bool {
        let Some(modified) = self.origin.modified else { return true };
        std::fs::metadata(path)
            .is_ok_and(|found| found.len() == self.origin.bytes && stamp(&found) == Some(modified))
    }
}

/// When the file was changed, in milliseconds since 1970.
fn stamp(found: &std::fs::Metadata) -> Option<u64> {
    let time = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(time.as_millis()).ok()
}

/// A panic of a reader is an error like any other.
fn guarded(label: &str, work: impl FnOnce() -> Result<Table, Error>) -> Result<Table, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason");
        Err(Error::NotATable {
            label: label.to_owned(),
            what: format!("the reader gave up: {}", said.lines().next().unwrap_or_default()),
            hint: "the file may be damaged; try to save it as CSV".to_owned(),
        })
    })
}

fn label_of(path: &Path) -> String {
    path.file_name()
        .map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
}

fn named_sample(path: &Path) -> Result<Option<&'static super::Sample>, Error> {
    let Some(name) = path.to_str().and_then(|p| p.strip_prefix("sample:")) else { return Ok(None) };
    super::samples::sample(name).map(Some).ok_or_else(|| {
        let names = super::SAMPLES.iter().map(|s| s.name);
        let hint = match nearest(name, names.clone()) {
            Some(near) => format!("did you mean `sample:{near}`?"),
            None => format!("the samples are {}", names.collect::<Vec<_>>().join(", ")),
        };
        Error::NoFile { path: path.to_owned(), hint }
    })
}

fn load(
    input: &Input,
    label: &str,
    path: Option<&Path>,
    options: &OpenOptions,
    scope: Scope,
    ctx: &Ctx,
) -> Result<Table, Error> {
    let mut origin =
        Origin { path: path.map(Path::to_owned), label: label.to_owned(), ..Origin::default() };
    if let Input::File(path) = input {
        let found = std::fs::metadata(path).map_err(|e| input.failed(label, Packing::Plain, e))?;
        origin.modified = if found.is_file() { stamp(&found) } else { None };
    }
    let start = input.start(64).map_err(|e| input.failed(label, Packing::Plain, e))?;
    if start.is_empty() {
        return Err(Error::Empty { label: label.to_owned(), what: "is empty".to_owned() });
    }
    let packing = Packing::of(&start);
    let meter = Meter::default();
    let failed = |err| input.failed(label, packing, err);
    let mut reader = input.reader(packing, &meter).map_err(failed)?;
    let mut look = Vec::new();
    (&mut reader).take(LOOK as u64).read_to_end(&mut look).map_err(failed)?;
    if look.is_empty() {
        return Err(Error::Empty { label: label.to_owned(), what: "is empty".to_owned() });
    }
    ctx.note("reading");
    if let Some(format) = Format::of(&look) {
        let unpacked = if packing == Packing::Plain {
            None
        } else {
            reader.read_to_end(&mut look).map_err(failed)?;
            Some(look)
        };
        drop(reader);
        let found = Found { input, packing, options, scope, ctx };
        return columnar(&found, unpacked.as_deref(), format, origin);
    }
    if let Some((what, hint)) = refuse::foreign(&look) {
        let (label, what, hint) = (label.to_owned(), what.to_owned(), hint.to_owned());
        return Err(Error::NotATable { label, what, hint });
    }
    drop(reader);
    let found = Found { input, packing, options, scope, ctx };
    textual(&found, &look, meter.bytes(), origin)
}

/// What is to be read, and how.
struct Found<'a> {
    input: &'a Input<'a>,
    packing: Packing,
    options: &'a OpenOptions,
    scope: Scope,
    ctx: &'a Ctx,
}

enum Half {
    Digest(Result<String, Error>),
    Values(Result<(Columns, Option<usize>), Error>),
}

fn columnar(
    found: &Found,
    unpacked: Option<&[u8]>,
    format: Format,
    mut origin: Origin,
) -> Result<Table, Error> {
    let &Found { input, packing, options, scope, ctx } = found;
    let label = origin.label.clone();
    let limit = match scope {
        Scope::All => None,
        Scope::Head(n) => Some(n),
    };
    let whole = unpacked.map(Input::Bytes);
    let halves = each(if limit.is_some() { 1 } else { 2 }, |i| {
        if i == 0 {
            Half::Values(columnar::read(whole.as_ref().unwrap_or(input), &label, format, limit))
        } else {
            Half::Digest(digest(input, &label, ctx))
        }
    });
    let mut read = None;
    for half in halves {
        match half {
            Half::Values(values) => read = Some(values?),
            Half::Digest(hex) => origin.sha256 = hex?,
        }
    }
    let Some((columns, n_rows)) = read else { unreachable!("the first half reads the values") };
    origin.bytes = input.size().unwrap_or_default();
    origin.format = format!("{}{}", format.name(), packing.suffix());
    let got = columns.n_rows();
    let complete = match (limit, n_rows) {
        (None, _) => true,
        (Some(_), Some(n)) => got == n,
        (Some(limit), None) => got < limit,
    };
    if let Some(n) = n_rows.filter(|_| !complete) {
        origin.notes.push(format!("{} of {} rows", grouped(got), grouped(n)));
    }
    assemble(columns, origin, options, complete)
}

/// The digest of the stored bytes.
fn digest(input: &Input, label: &str, ctx: &Ctx) -> Result<String, Error> {
    let meter = Meter::digesting();
    let failed = |err| input.failed(label, Packing::Plain, err);
    let mut reader = input.reader(Packing::Plain, &meter).map_err(failed)?;
    let mut block = vec![0; 1 << 20];
    let total = input.size().map_err(failed)? as usize;
    while reader.read(&mut block).map_err(failed)? > 0 {
        ctx.step(meter.bytes() as usize, total, vec![])?;
    }
    Ok(meter.hex())
}

fn textual(found: &Found, look: &[u8], n_packed: u64, mut origin: Origin) -> Result<Table, Error> {
    let &Found { input, packing, options, scope, ctx } = found;
    let whole = look.len() < LOOK;
    let label = origin.label.clone();
    let coding = match &options.encoding {
        Some(name) => Coding::named(name)?,
        None => Coding::of(look),
    };
    let mut sample = Vec::new();
    let mut decoder = Text::new(Box::new(look), coding);
    let failed = |err| input.failed(&label, packing, err);
    while decoder.more(&mut sample, LOOK).map_err(failed)? {}
    if !whole {
        // The last character may be cut.
        let end = sample
            .iter()
            .rposition(|b| *b == b'\n' || *b == b'\r')
            .map_or(sample.len(), |at| at + 1);
        sample.truncate(end);
    }
    let (mut sample, _) = into_utf8(sample);
    refuse::rubbish(&sample, &label)?;

    let said =
        Said { delimiter: options.delimiter.map(Delimiter::from_byte), header: options.header };
    let shape = if said.delimiter.is_none() { json::shape(&sample) } else { None };
    let mut lines = Vec::new();
    let mut whole = whole;
    if shape == Some(Shape::Whole) {
        sample = match scope {
            Scope::Head(_) => json::lines(&sample),
            Scope::All => {
                let mut text =
                    Text::new(input.reader(packing, &Meter::default()).map_err(failed)?, coding);
                let mut all = Vec::new();
                while text.more(&mut all, 8 << 20).map_err(failed)? {
                    ctx.check()?;
                }
                let text = into_utf8(all).0;
                if let Err(err) = serde_json::from_str::<serde::de::IgnoredAny>(&text) {
                    return Err(Error::NotATable {
                        label,
                        what: format!("it begins like JSON but is not valid ({err})"),
                        hint: "an array of objects, or one object a line, is understood".to_owned(),
                    });
                }
                whole = true;
                json::lines(&text)
            }
        };
        lines.extend_from_slice(sample.as_bytes());
    }
    let (layout, name) = if shape.is_some() {
        let keys = json::keys(&sample, usize::MAX);
        if keys.is_empty() {
            return Err(Error::Empty {
                label,
                what: "holds no JSON objects with fields".to_owned(),
            });
        }
        let name = if shape == Some(Shape::Whole) { "json" } else { "ndjson" };
        (Layout::Lines(keys), name.to_owned())
    } else {
        let dialect = Dialect::find(&sample, said).map_err(|why| {
            let label = label.clone();
            match why {
                NoTable::Empty => Error::Empty { label, what: "is empty".to_owned() },
                NoTable::HeaderOnly => {
                    Error::Empty { label, what: "has a header and no rows".to_owned() }
                }
                NoTable::OpenQuote(line) => block::open_quote(label, line),
            }
        })?;
        origin.headerless = dialect.headerless;
        let name = match dialect.delimiter {
            Delimiter::Byte(b'\t') => "tsv".to_owned(),
            Delimiter::Byte(b',') => "csv".to_owned(),
            other => format!("csv, delimiter {}", other.name()),
        };
        (Layout::Delimited(dialect), name)
    };
    origin.format = format!("{name}{}{}", coding.suffix(), packing.suffix());
    let size = input.size().map_err(failed)?;
    origin.bytes = size;

    let converted = Input::Bytes(&lines);
    let plain = (Packing::Plain, Coding::Utf8);
    let is_array = shape == Some(Shape::Whole);
    let (from, (packing, coding)) =
        if is_array { (&converted, plain) } else { (input, (packing, coding)) };
    let source = Source { input: from, label: label.clone(), packing, coding };
    match scope {
        Scope::Head(max_rows) => {
            let (columns, bytes_per_row) =
                text::read_head(&source, &layout, &sample, whole, max_rows)?;
            let got = columns.n_rows();
            let complete = whole && (got < max_rows);
            if !complete {
                let unpacked = size as f64 * look.len() as f64 / n_packed.max(1) as f64;
                let n = (unpacked / bytes_per_row) as usize;
                origin.notes.push(format!(
                    "first {} of about {} rows",
                    grouped(got),
                    grouped(round(n.max(got)))
                ));
            }
            assemble(columns, origin, options, complete)
        }
        Scope::All => {
            let meter = if is_array { Meter::default() } else { Meter::digesting() };
            let columns = text::read(&source, layout, &sample, &meter, ctx)?;
            origin.sha256 = if is_array { digest(input, &label, ctx)? } else { meter.hex() };
            origin.bytes = if is_array { size } else { meter.bytes() };
            assemble(columns, origin, options, true)
        }
    }
}

/// To two digits, since it is a guess.
fn round(n: usize) -> usize {
    let unit = 10_usize.pow(n.max(1).ilog10().saturating_sub(1));
    n / unit * unit
}

/// `1,234,567`.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Puts columns together into a table and finds out what they are.
fn assemble(
    columns: Columns,
    mut origin: Origin,
    options: &OpenOptions,
    complete: bool,
) -> Result<Table, Error> {
    let height = columns.n_rows();
    if columns.series.is_empty() {
        return Err(Error::Empty { label: origin.label, what: "has no columns".to_owned() });
    }
    origin.notes.extend(columns.notes);
    let frame = DataFrame::new(height, columns.series.into_iter().map(Into::into).collect())?;
    let schema = columns
        .names
        .iter()
        .zip(columns.readings)
        .map(|(name, reading)| Column { reading, ..Column::new(name, Kind::Category) });
    let mut table = Table::new(frame, schema.collect(), Arc::new(origin))?;
    table.complete = complete;
    infer::describe(&mut table);
    infer::apply_overrides(&mut table, &options.overrides)?;
    Ok(table)
}

#[cfg(test)]
mod tests;
