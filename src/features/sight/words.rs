//! Channels in words: `status: PAY_0, PAY_2..PAY_6; bill: BILL_AMT1..BILL_AMT6`, `close: return`.

use super::{Change, Error, refuse};
use crate::data::{Table, nearest};

/// One part of the words, between two `;` or up to a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// What stands before the colon, unless it is columns.
    pub(super) name: Option<String>,
    /// The columns, ranges spelt out.
    pub(super) columns: Vec<String>,
    /// The change asked for.
    pub(super) change: Option<Change>,
}

/// Whether nothing but `auto` is said.
pub(super) fn is_auto(text: &str) -> bool {
    matches!(text.trim(), "" | "auto")
}

/// The parts of the words.
///
/// # Errors
///
/// When a column is not there; the nearest one is named.
pub(super) fn parts(text: &str, table: &Table) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::new();
    for segment in outside(text, ";") {
        let mut part = Part::default();
        let mut is_reversed = false;
        for (idx, item) in outside(segment, ",").into_iter().enumerate() {
            let mut item = item.trim();
            let is_column = table.column(&bare(item)).is_some();
            let halves = outside(item, ":");
            if let ([left, right], false) = (halves.as_slice(), is_column) {
                if let Some(change) = change(right) {
                    part.columns.extend(columns(left, table)?);
                    part.change = Some(change);
                    parts.push(std::mem::take(&mut part));
                    continue;
                }
                if idx > 0 {
                    let what = format!("`{}` stands where a column is expected", item.trim());
                    return Err(refuse(what, "put `;` between two channels"));
                }
                part.name = Some(bare(left)).filter(|name| !name.is_empty());
                item = right.trim();
            }
            if let Some(rest) = item.strip_prefix("reversed ") {
                is_reversed = true;
                item = rest;
            }
            part.columns.extend(columns(item, table)?);
        }
        if is_reversed {
            part.columns.reverse();
        }
        if !part.columns.is_empty() {
            parts.push(part);
        }
    }
    Ok(parts)
}

/// The columns of a list, ranges spelt out.
pub(super) fn list(text: &str, table: &Table) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for item in outside(text, ",") {
        names.extend(columns(item, table)?);
    }
    Ok(names)
}

/// A column, or those of a range in the order of the table.
fn columns(item: &str, table: &Table) -> Result<Vec<String>, Error> {
    let whole = bare(item);
    if whole.is_empty() {
        return Ok(Vec::new());
    }
    let place = |name: &str| table.columns.iter().position(|column| column.name == name);
    let expect = |name: &str| {
        place(name).ok_or_else(|| {
            let there = table.columns.iter().map(|c| c.name.as_str());
            let known = there.chain(Change::ALL.iter().map(|(_, word)| *word));
            let hint = match nearest(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "channels are written as `name: first..last; other: a, b, c`, and those \
                         of windows as `close: return; volume: log_change`"
                    .to_owned(),
            };
            refuse(format!("no column `{name}`"), hint)
        })
    };
    if place(&whole).is_some() {
        return Ok(vec![whole]);
    }
    let ends = outside(item, "..");
    let [first, last] = ends.as_slice() else {
        return expect(&whole).map(|_| vec![whole.clone()]);
    };
    let (first, last) = (expect(&bare(first))?, expect(&bare(last))?);
    let name = |at: usize| table.columns[at].name.clone();
    Ok(if first <= last {
        (first..=last).map(name).collect()
    } else {
        (last..=first).rev().map(name).collect()
    })
}

fn change(word: &str) -> Option<Change> {
    let word = word.trim().to_lowercase().replace([' ', '-'], "_");
    let word = if word == "log_return" { "log_change" } else { word.as_str() };
    Change::ALL.iter().find(|(_, known)| *known == word).map(|(change, _)| *change)
}

/// The name without spaces around it and without its backticks.
fn bare(text: &str) -> String {
    let text = text.trim();
    let inner = text.strip_prefix('`').and_then(|text| text.strip_suffix('`'));
    inner.unwrap_or(text).to_owned()
}

/// The text cut at every `mark` that no backticks hold.
fn outside<'a>(text: &'a str, mark: &str) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let (mut start, mut held) = (0, false);
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with('`') {
            held = !held;
        } else if !held && rest.starts_with(mark) {
            pieces.push(&text[start..at]);
            at += mark.len();
            start = at;
            continue;
        }
        at += rest.chars().next().map_or(1, char::len_utf8);
    }
    pieces.push(&text[start..]);
    pieces
}
