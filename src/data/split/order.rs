//! Rows in the order of time, and where to cut them.

use super::{Error, Split, SplitSpec, draw::count, too_few};
use crate::data::parse::date::{Order, parse};
use crate::data::{Kind, Table, calendar};

/// The time of every row as a number.
pub(super) fn times(table: &Table, name: &str) -> Result<Vec<f64>, Error> {
    table.numbers(name).map_err(|error| match error {
        Error::NotNumeric { column } => Error::Split {
            what: format!("`{column}` holds neither dates nor numbers, so it orders nothing"),
            hint: "choose a date column for `time`".into(),
        },
        other => other,
    })
}

/// The rows that have a time, earliest first, and how many have none. Rows of the same time stay
/// in the order of the table.
pub(super) fn sorted(times: &[f64], rows: &[u32]) -> (Vec<u32>, usize) {
    let has_time = |row: &u32| !times[*row as usize].is_nan();
    let mut order: Vec<u32> = rows.iter().copied().filter(has_time).collect();
    order.sort_by(|a, b| times[*a as usize].total_cmp(&times[*b as usize]));
    let n_missing = rows.len() - order.len();
    (order, n_missing)
}

pub(super) fn split(
    table: &Table,
    name: &str,
    times: &[f64],
    order: &[u32],
    spec: &SplitSpec,
) -> Result<Split, Error> {
    let n = order.len();
    let from = match &spec.test_from {
        Some(from) => first_at(table, name, times, order, from)?,
        None if spec.test == 0.0 => n,
        None => between(times, order, n.saturating_sub(count(spec.test, n)))
            .ok_or_else(|| one_moment(name, n))?,
    };
    let (before, test) = order.split_at(from);
    let start = match count(spec.valid, n) {
        0 => from,
        n_valid => between(times, before, from.saturating_sub(n_valid))
            .ok_or_else(|| one_moment(name, from))?,
    };
    let (train, valid) = before.split_at(start);
    let mut split = Split {
        train: train.to_vec(),
        valid: valid.to_vec(),
        test: test.to_vec(),
        ..Split::default()
    };
    if let (Some(first), Some(last)) = (test.first(), test.last()) {
        let is_date = table.column(name).is_some_and(|c| c.kind == Kind::Datetime);
        let (first, last) = (times[*first as usize], times[*last as usize]);
        split.notes.push(format!("tested on {} to {}", text(first, is_date), text(last, is_date)));
    }
    Ok(split)
}

/// The places where rows can be cut in two without parting rows of the same time.
pub(super) fn cuts(times: &[f64], order: &[u32]) -> Vec<usize> {
    let is_cut = |i: &usize| times[order[*i - 1] as usize] < times[order[*i] as usize];
    (1..order.len()).filter(is_cut).collect()
}

/// Which of the ascending `cuts` lies nearest to `wish`; of two equally near ones the later.
pub(super) fn nearest(cuts: &[usize], wish: usize) -> Option<usize> {
    let later = cuts.partition_point(|cut| *cut < wish);
    match (later.checked_sub(1), cuts.get(later)) {
        (Some(earlier), Some(cut)) if wish - cuts[earlier] < cut - wish => Some(earlier),
        (earlier, None) => earlier,
        _ => Some(later),
    }
}

/// The cut nearest to `wish`; `None` if all rows have the same time.
fn between(times: &[f64], order: &[u32], wish: usize) -> Option<usize> {
    let cuts = cuts(times, order);
    nearest(&cuts, wish).map(|i| cuts[i])
}

/// The first place in `order` whose time is not before `from`.
fn first_at(
    table: &Table,
    name: &str,
    times: &[f64],
    order: &[u32],
    from: &str,
) -> Result<usize, Error> {
    let is_date = table.column(name).is_some_and(|c| c.kind == Kind::Datetime);
    let moment = if is_date { date(from) } else { from.trim().parse().ok() };
    let moment = moment.filter(|m: &f64| m.is_finite()).ok_or_else(|| Error::Split {
        what: format!("`{from}` is no {}", if is_date { "date" } else { "number" }),
        hint: if is_date { "write it as 2024-12-31" } else { "time is a number here" }.into(),
    })?;
    let place = order.partition_point(|row| times[*row as usize] < moment);
    if place == 0 || place == order.len() {
        let (Some(first), Some(last)) = (order.first(), order.last()) else {
            return Err(too_few(0));
        };
        let side = if place == 0 { "trained" } else { "tested" };
        let (first, last) = (times[*first as usize], times[*last as usize]);
        return Err(Error::Split {
            what: format!("from `{from}` on, no row would be left to be {side} on"),
            hint: format!("`{name}` runs from {} to {}", text(first, is_date), text(last, is_date)),
        });
    }
    Ok(place)
}

/// A date as a person types it, in days since 1970; a month or a year is its first day.
fn date(typed: &str) -> Option<f64> {
    let typed = typed.trim();
    let is_year = typed.len() == 4 && typed.bytes().all(|b| b.is_ascii_digit());
    let typed = if is_year { format!("{typed}-01-01") } else { typed.to_owned() };
    [Order::YearMonthDay, Order::DayMonthYear, Order::YearMonth, Order::Compact]
        .into_iter()
        .find_map(|order| parse(&typed, order))
        .map(|stamp| stamp.ms as f64 / calendar::MS_PER_DAY)
}

fn text(time: f64, is_date: bool) -> String {
    if is_date { calendar::text(time) } else { time.to_string() }
}

fn one_moment(name: &str, n: usize) -> Error {
    if n < 2 {
        return too_few(n);
    }
    Error::Split {
        what: format!("{n} rows of `{name}` are of the same time, so they cannot be divided by it"),
        hint: "choose another column for `time`, or the method `random`".into(),
    }
}
