//! One way through a text file: blocks of whole records, read ahead while those before are parsed
//! on all processors, and put behind each other in the order of the file.

use std::{collections::BTreeSet, sync::Mutex};

use super::block::{Block, columns};
use super::columns::{Column, Mode};
use super::input::{Meter, Text, into_utf8};
use super::text::{Layout, Source};
use crate::data::Error;
use crate::jobs::{Ctx, each};

/// How many bytes are taken in at once.
const BLOCK: usize = 2 << 20;

/// A record longer than this comes from a quote that is never closed.
const LONGEST: usize = 64 << 20;

/// One way through the file.
pub(super) struct Pass {
    pub(super) columns: Vec<Column>,
    pub(super) n_rows: usize,
    n_lines: usize,
    pub(super) n_repaired: usize,
    pub(super) new_keys: BTreeSet<String>,
}

impl Pass {
    pub(super) fn empty(layout: &Layout, modes: &[Mode], capacity: usize) -> Self {
        Self {
            columns: columns(layout, modes, capacity),
            n_rows: 0,
            n_lines: 0,
            n_repaired: 0,
            new_keys: BTreeSet::new(),
        }
    }

    pub(super) fn failed(&self) -> Vec<bool> {
        self.columns.iter().map(|c| c.failed).collect()
    }

    pub(super) fn run(
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
    pub(super) fn replace(
        &mut self,
        second: Self,
        again: &[Mode],
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
            }
        }
        Ok(())
    }

    /// Adds blocks behind the others.
    pub(super) fn take(
        &mut self,
        blocks: Vec<Block>,
        source: &Source,
        layout: &Layout,
    ) -> Result<(), Error> {
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
                for part in std::mem::take(parts) {
                    all.absorb(part);
                }
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
