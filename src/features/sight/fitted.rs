//! Channels with the mean and spread that the training rows have, and the tensor made with them.

use super::{Error, InputKind, Layout, refuse};
use crate::data::{Sequence, Table, nearest};
use crate::features::{Plan, memory_budget};
use crate::jobs::Ctx;

/// What a channel learned from the training rows: a cell is `(value - offset) / scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedChannel {
    /// The mean over all known cells of the training rows; their smallest value for an image.
    pub offset: f64,
    /// The standard deviation (divisor n); the range for an image; 1 where nothing varies.
    pub scale: f64,
    /// What replaces a missing cell, unscaled: the mean.
    pub fill: f64,
}

/// The codes that count as missing in a column.
type Special = (String, Vec<String>);

/// A layout with everything learned from the training rows; replayed on any other table.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedSight {
    /// What the network sees.
    pub layout: Layout,
    /// What each channel learned.
    pub channels: Vec<FittedChannel>,
    /// The codes that count as missing, for the columns of channels that have any.
    pub special: Vec<Special>,
}

/// Learns the channels on these rows, and on no others.
///
/// Of a window that is the value at each of the rows: rows before the first training row that
/// stand in its window do not count.
///
/// # Errors
///
/// When there are no rows, the table lacks columns, or a channel has no value in any row.
pub fn fit(table: &Table, layout: &Layout, rows: &[u32], ctx: &Ctx) -> Result<FittedSight, Error> {
    if rows.is_empty() {
        return Err(Error::NoRows);
    }
    let columns = layout.channels.iter().flat_map(|channel| &channel.columns);
    let special = columns.filter_map(|name| {
        let special = &table.column(name)?.special;
        (!special.is_empty()).then(|| (name.clone(), special.clone()))
    });
    let mut fitted =
        FittedSight { layout: layout.clone(), channels: Vec::new(), special: special.collect() };
    fitted.special.sort();
    fitted.special.dedup();
    fitted.check_columns(table)?;
    let history = fitted.history(table)?;
    for (idx, channel) in layout.channels.iter().enumerate() {
        ctx.check()?;
        let mut all = Moments::default();
        let columns = fitted.columns_of(table, idx, history.as_ref());
        for values in columns {
            let values = values?;
            for row in rows {
                all.add(values[*row as usize]);
            }
        }
        let Some(mean) = all.mean() else {
            let what = format!("channel `{}` has no value in any training row", channel.name);
            return Err(refuse(what, "leave it out, or take other rows to train on"));
        };
        // Spread around the mean, in a second pass over the same numbers.
        let mut squares = 0.0;
        let columns = fitted.columns_of(table, idx, history.as_ref());
        for values in columns {
            let values = values?;
            let known = rows.iter().map(|row| values[*row as usize]).filter(|v| !v.is_nan());
            squares += known.map(|v| (v - mean).powi(2)).sum::<f64>();
        }
        let deviation = (squares / all.n as f64).sqrt();
        let (offset, scale) = match layout.kind {
            InputKind::Image => (all.min, all.max - all.min),
            _ => (mean, deviation),
        };
        // A spread within the rounding of the mean is none.
        let varies = scale > f64::EPSILON * 16.0 * mean.abs();
        fitted.channels.push(FittedChannel {
            offset,
            scale: if varies { scale } else { 1.0 },
            fill: mean,
        });
    }
    Ok(fitted)
}

impl FittedSight {
    /// Height, width, channels.
    pub fn shape(&self) -> [usize; 3] {
        self.layout.shape()
    }

    /// The columns that a table must have: those of the channels, and what orders and groups rows.
    pub fn columns(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        let channels = self.layout.channels.iter().flat_map(|channel| &channel.columns);
        let along = self.layout.along.iter();
        let along = along.flat_map(|along| std::iter::once(&along.time).chain(&along.group));
        for name in channels.chain(along) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// Whether the table has every column that is needed; the error names all that it lacks.
    pub fn check_columns(&self, table: &Table) -> Result<(), Error> {
        let columns = self.columns();
        let lacks = |name: &&str| table.column(name).is_none();
        let names: Vec<&str> = columns.into_iter().filter(lacks).collect();
        let Some(first) = names.first() else { return Ok(()) };
        let there = table.columns.iter().map(|column| column.name.as_str());
        let hint = match nearest(first, there.clone()) {
            Some(near) => format!("is `{near}` meant for `{first}`?"),
            None => format!("the columns are {}", there.collect::<Vec<_>>().join(", ")),
        };
        Err(Error::MissingColumns { names: names.into_iter().map(str::to_owned).collect(), hint })
    }

    /// Which rows of a table can be looked at: all, unless windows need rows before them.
    pub fn usable(&self, table: &Table) -> Result<Vec<bool>, Error> {
        self.layout.usable(table)
    }

    /// The tensor of these rows, row-major `(rows, height, width, channels)`; the windows of a row
    /// may reach to rows of the table that are not among them.
    ///
    /// # Errors
    ///
    /// When the table lacks columns, a row has too few rows before it for a window, or the tensor
    /// would not fit into memory.
    pub fn tensor(&self, table: &Table, rows: &[u32], ctx: &Ctx) -> Result<Vec<f32>, Error> {
        self.check_columns(table)?;
        let [height, width, n_channels] = self.shape();
        let cells = height * width * n_channels;
        let bytes = rows.len() as u64 * cells as u64 * 4;
        Plan { rows: rows.len(), columns: cells, bytes }.check(memory_budget())?;
        let history = self.history(table)?;
        if let Some(history) = &history {
            self.check_history(table, history, rows)?;
        }
        let mut tensor = vec![0.0_f32; rows.len() * cells];
        for idx in 0..n_channels {
            ctx.check()?;
            for (step, values) in self.columns_of(table, idx, history.as_ref()).enumerate() {
                let values = values?;
                for (out, row) in tensor.chunks_exact_mut(cells).zip(rows) {
                    match (&history, &self.layout.along) {
                        (Some(history), Some(along)) => {
                            for step in 0..width {
                                let back = (width - 1 - step) * along.stride;
                                let at = history.earlier(*row, back).unwrap_or(*row);
                                let value = values[at as usize];
                                out[step * n_channels + idx] = self.scaled(idx, value);
                            }
                        }
                        _ => {
                            out[step * n_channels + idx] = self.scaled(idx, values[*row as usize]);
                        }
                    }
                }
            }
        }
        Ok(tensor)
    }

    /// What a cell of the tensor is called: `BILL_AMT3`, `p17`, `close return 4 rows before`.
    pub fn name(&self, at: [usize; 3]) -> String {
        let [y, x, channel] = at;
        let Some(channel) = self.layout.channels.get(channel) else { return String::new() };
        let Some(along) = &self.layout.along else {
            let column = channel.columns.get(y * self.layout.width + x);
            return column.cloned().unwrap_or_default();
        };
        match (self.layout.width - 1).saturating_sub(x) * along.stride {
            0 => channel.name.clone(),
            1 => format!("{} 1 row before", channel.name),
            n => format!("{} {n} rows before", channel.name),
        }
    }

    /// The value that a cell of the tensor stands for, in the unit of its channel.
    pub fn unscaled(&self, channel: usize, cell: f32) -> f64 {
        let of = &self.channels[channel];
        f64::from(cell) * of.scale + of.offset
    }

    pub(super) fn scaled(&self, channel: usize, value: f64) -> f32 {
        let of = &self.channels[channel];
        let value = if value.is_nan() { of.fill } else { value };
        ((value - of.offset) / of.scale) as f32
    }

    fn history(&self, table: &Table) -> Result<Option<Sequence>, Error> {
        self.layout.along.as_ref().map(|along| along.sequence(table)).transpose()
    }

    /// The values of every row of the table, column by column of a channel; NaN where missing.
    fn columns_of<'a>(
        &'a self,
        table: &'a Table,
        channel: usize,
        history: Option<&'a Sequence>,
    ) -> impl Iterator<Item = Result<Vec<f64>, Error>> + 'a {
        let channel = &self.layout.channels[channel];
        channel.columns.iter().map(move |name| {
            let mut values = table.numbers(name)?;
            let codes = self.special.iter().filter(|(column, _)| column == name);
            let codes: Vec<f64> =
                codes.flat_map(|(_, codes)| codes).filter_map(|code| code.parse().ok()).collect();
            let is_missing = |v: &f64| !v.is_finite() || codes.contains(v);
            values.iter_mut().filter(|v| is_missing(v)).for_each(|v| *v = f64::NAN);
            let Some(history) = history else { return Ok(values) };
            let changed = |row: u32| {
                let before = history.earlier(row, 1);
                let before = before.map_or(f64::NAN, |before| values[before as usize]);
                channel.change.of(values[row as usize], before)
            };
            Ok((0..values.len() as u32).map(changed).collect())
        })
    }

    fn check_history(&self, table: &Table, history: &Sequence, rows: &[u32]) -> Result<(), Error> {
        let needed = self.layout.history();
        for row in rows {
            let number = || table.row_number(*row as usize).unwrap_or(row + 1);
            let what = match history.before[*row as usize] {
                Some(before) if before >= needed => continue,
                Some(before) => format!(
                    "the window of row {} needs {needed} earlier rows, and there are {before}",
                    number()
                ),
                None => format!("row {} has no time, so it has no window", number()),
            };
            return Err(refuse(what, "leave such rows out, or choose a smaller window"));
        }
        Ok(())
    }
}

impl Layout {
    /// Which rows of a table can be looked at: all, unless windows need rows before them.
    pub fn usable(&self, table: &Table) -> Result<Vec<bool>, Error> {
        Ok(match &self.along {
            Some(along) => {
                let needed = self.history();
                let before = along.sequence(table)?.before;
                before.into_iter().map(|before| before.is_some_and(|n| n >= needed)).collect()
            }
            None => vec![true; table.n_rows()],
        })
    }
}

/// Sum and range of numbers, missing ones not counted.
struct Moments {
    n: usize,
    sum: f64,
    min: f64,
    max: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self { n: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Moments {
    fn add(&mut self, value: f64) {
        if !value.is_nan() {
            self.n += 1;
            self.sum += value;
            self.min = self.min.min(value);
            self.max = self.max.max(value);
        }
    }

    fn mean(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum / self.n as f64).filter(|mean| mean.is_finite())
    }
}
