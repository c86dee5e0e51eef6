//! Series and images found by the names of the columns, and by a look at the first rows.

use std::collections::BTreeMap;

use super::Error;
use crate::data::{Kind, Table};

/// Rows that are looked at.
const LOOK: usize = 1000;
/// A series needs at least so many steps to be found by itself.
const FEWEST_STEPS: usize = 4;
/// An image needs at least so many pixels a side.
const FEWEST_PIXELS: usize = 5;

/// Stems that number features without any order among them, beside single letters.
const GENERIC: &[&str] = &[
    "col",
    "column",
    "feature",
    "feat",
    "var",
    "variable",
    "attr",
    "attribute",
    "field",
    "pc",
    "pca",
    "item",
    "dim",
    "id",
];
/// Stems that number pixels.
const PIXELS: &[&str] = &["pixel", "pixels", "px", "pix", "p", "img", "image", "im"];
/// Stems that number moments.
const MOMENTS: &[&str] = &[
    "t", "time", "ts", "step", "day", "d", "week", "month", "m", "year", "y", "hour", "h",
    "minute", "min", "quarter", "q", "lag", "period",
];

/// Columns that belong together, in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// Their name without the number.
    pub(super) stem: String,
    pub(super) columns: Vec<String>,
}

/// Which names are taken as series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// All that are numbered.
    Any,
    /// Not `x1`, `V2`, `feature_3`: such numbers only tell columns apart.
    Telling,
}

/// The columns that hold numbers, of these.
pub(super) fn numeric(table: &Table, features: &[String]) -> Vec<String> {
    let is_number = |name: &&String| {
        table.column(name).is_some_and(|column| match column.kind {
            Kind::Number => true,
            Kind::Boolean => table.allows(name, Kind::Number),
            _ => false,
        })
    };
    features.iter().filter(is_number).cloned().collect()
}

/// The groups of numbered columns that are series of one length, and those of other lengths.
pub(super) fn series(table: &Table, features: &[String], names: Names) -> (Vec<Group>, Vec<Group>) {
    if names == Names::Telling && table.origin.headerless {
        return (Vec::new(), Vec::new());
    }
    let mut groups: Vec<(String, Vec<(u64, String)>)> = Vec::new();
    for name in numeric(table, features) {
        let Some((stem, number)) = moment(&name) else { continue };
        match groups.iter_mut().find(|(known, _)| *known == stem) {
            Some((_, members)) => members.push((number, name)),
            None => groups.push((stem, vec![(number, name)])),
        }
    }
    let mut series: Vec<Group> = Vec::new();
    for (stem, mut members) in groups {
        let stem = trimmed(&stem);
        let is_generic = names == Names::Telling && is_generic(&stem.to_lowercase());
        if members.len() < FEWEST_STEPS || is_generic {
            continue;
        }
        members.sort();
        let stem = if stem.is_empty() { "series".to_owned() } else { stem };
        series.push(Group { stem, columns: members.into_iter().map(|(_, name)| name).collect() });
    }
    // The length that takes in most columns; of two equal ones the longer.
    let mut by_length: BTreeMap<usize, usize> = BTreeMap::new();
    for group in &series {
        *by_length.entry(group.columns.len()).or_default() += group.columns.len();
    }
    let length = by_length.iter().max_by_key(|(length, n)| (**n, **length)).map(|(l, _)| *l);
    series.into_iter().partition(|group| Some(group.columns.len()) == length)
}

/// Whether a stem says nothing of time: `x`, `s`, `feature`.
fn is_generic(stem: &str) -> bool {
    let is_letter = stem.chars().count() == 1 && !MOMENTS.contains(&stem);
    is_letter || GENERIC.contains(&stem)
}

/// An image: its columns row by row of the picture, with height and width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) group: Group,
    pub(super) height: usize,
    pub(super) width: usize,
    /// Whether its name says that it is one.
    pub(super) is_named: bool,
}

/// The image among these columns; `None` where names or values speak against one.
pub(super) fn image(table: &Table, features: &[String]) -> Result<Option<Picture>, Error> {
    let numeric = numeric(table, features);
    let Some(picture) = grid(&numeric).or_else(|| square(&numeric)) else { return Ok(None) };
    let stem = picture.group.stem.to_lowercase();
    if picture.is_named {
        return Ok(Some(picture));
    }
    if MOMENTS.contains(&stem.as_str()) || !is_bytes(table, &picture.group.columns)? {
        return Ok(None);
    }
    Ok(Some(picture))
}

/// Names with row and column: `p0_0`, `pixel_3_7`, `1x28`.
fn grid(names: &[String]) -> Option<Picture> {
    let mut groups: BTreeMap<String, Vec<(u64, u64, String)>> = BTreeMap::new();
    for name in names {
        let Some((stem, row, column)) = cell(name) else { continue };
        groups.entry(stem).or_default().push((row, column, name.clone()));
    }
    let (stem, mut members) = groups.into_iter().max_by_key(|(_, members)| members.len())?;
    members.sort();
    let (first, last) = (members.first()?, members.last()?);
    let height = usize::try_from(last.0.checked_sub(first.0)?).ok()?.checked_add(1)?;
    let width = usize::try_from(last.1.checked_sub(first.1)?).ok()?.checked_add(1)?;
    let at = |idx: usize| (first.0 + (idx / width) as u64, first.1 + (idx % width) as u64);
    let is_full = height.min(width) >= FEWEST_PIXELS
        && height.checked_mul(width) == Some(members.len())
        && members.iter().enumerate().all(|(idx, (row, column, _))| (*row, *column) == at(idx));
    let columns = members.into_iter().map(|(.., name)| name).collect();
    is_full.then(|| Picture {
        group: Group { stem: named(&trimmed(&stem)), columns },
        height,
        width,
        is_named: true,
    })
}

/// One stem with n x n consecutive numbers.
fn square(names: &[String]) -> Option<Picture> {
    let mut groups: BTreeMap<String, Vec<(u64, String)>> = BTreeMap::new();
    for name in names {
        let Some((stem, number)) = numbered(name) else { continue };
        groups.entry(stem).or_default().push((number, name.clone()));
    }
    let (stem, mut members) = groups.into_iter().max_by_key(|(_, members)| members.len())?;
    members.sort();
    let side = members.len().isqrt();
    let first = members.first()?.0;
    let follow = |(idx, (number, _)): (usize, &(u64, String))| *number == first + idx as u64;
    let is_square = side >= FEWEST_PIXELS
        && side * side == members.len()
        && members.iter().enumerate().all(follow);
    let stem = trimmed(&stem);
    let is_named = PIXELS.contains(&stem.to_lowercase().as_str());
    let columns = members.into_iter().map(|(_, name)| name).collect();
    is_square.then(|| Picture {
        group: Group { stem: named(&stem), columns },
        height: side,
        width: side,
        is_named,
    })
}

fn named(stem: &str) -> String {
    if stem.is_empty() { "image".to_owned() } else { stem.to_owned() }
}

/// Whether the first rows hold nothing but whole numbers from 0 to 255.
fn is_bytes(table: &Table, columns: &[String]) -> Result<bool, Error> {
    let rows: Vec<u32> = (0..table.n_rows().min(LOOK) as u32).collect();
    let first = table.take(&rows)?;
    let is_byte = |v: &f64| v.is_nan() || (v.fract() == 0.0 && (0.0..=255.0).contains(v));
    for name in columns {
        if !first.numbers(name)?.iter().all(is_byte) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The name with `#` for its last number, and the number; a year before it counts too.
fn moment(name: &str) -> Option<(String, u64)> {
    if let Some((stem, year, number)) = cell(name)
        && (1900..2100).contains(&year)
        && number < 1000
    {
        return Some((stem, year * 1000 + number));
    }
    numbered(name)
}

/// The name with `#` for its last number, and the number.
fn numbered(name: &str) -> Option<(String, u64)> {
    let (start, end) = digits_before(name, name.len())?;
    Some((format!("{}#{}", &name[..start], &name[end..]), name[start..end].parse().ok()?))
}

/// The name with `#` for its last two numbers, and the numbers.
fn cell(name: &str) -> Option<(String, u64, u64)> {
    let (start, end) = digits_before(name, name.len())?;
    let (first, last) = digits_before(name, start)?;
    let stem = format!("{}#{}#{}", &name[..first], &name[last..start], &name[end..]);
    Some((stem, name[first..last].parse().ok()?, name[start..end].parse().ok()?))
}

/// Where the last run of digits before this byte starts and ends.
fn digits_before(name: &str, before: usize) -> Option<(usize, usize)> {
    let bytes = &name.as_bytes()[..before];
    let end = bytes.iter().rposition(u8::is_ascii_digit)? + 1;
    let start = bytes[..end].iter().rposition(|b| !b.is_ascii_digit()).map_or(0, |at| at + 1);
    Some((start, end))
}

/// The stem as a person would call it: `BILL_AMT` of `BILL_AMT#`.
fn trimmed(stem: &str) -> String {
    let parts = stem.split('#').map(|part| part.trim_matches(['_', '-', '.', ' ', '[', ']']));
    // The x of `1x28` is no name.
    let is_times = stem.matches('#').count() == 2;
    let is_name = |part: &&str| !(part.is_empty() || is_times && *part == "x");
    parts.filter(is_name).collect::<Vec<_>>().join("_")
}
