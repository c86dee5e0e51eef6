//! How a table is looked at: which rows in which order, and which columns. A view changes nothing
//! in the table.

use std::{cmp::Ordering, collections::BTreeSet};

use polars::prelude::Series;
use serde::{Deserialize, Serialize};

use super::{Error, Kind, Table, steps};
use crate::jobs::Ctx;

/// What a person chose to see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// Only rows in which this expression is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The order of the rows; that of the table if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<Sort>,
    /// Columns that are not shown.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub hidden: BTreeSet<String>,
    /// How many columns stay in place while the others scroll.
    pub frozen: usize,
}

/// An order of rows by one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// The column whose values are compared.
    pub column: String,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// The positions of the rows that a view shows, in its order. Rows that are equal stay in the
/// order of the table, and missing values come last in either direction.
pub fn order(table: &Table, view: &View, ctx: &Ctx) -> Result<Vec<u32>, Error> {
    let mut positions: Vec<u32> = match &view.filter {
        Some(expr) => steps::keep(table, expr, ctx)?,
        None => (0..table.n_rows() as u32).collect(),
    };
    ctx.check()?;
    if let Some(sort) = &view.sort {
        sort_by(table, sort, &mut positions)?;
    }
    ctx.check()?;
    Ok(positions)
}

fn sort_by(table: &Table, sort: &Sort, positions: &mut [u32]) -> Result<(), Error> {
    let column = table.expect_column(&sort.column)?;
    let missing_last = |a: bool, b: bool| a.cmp(&b);
    if table.allows(&sort.column, Kind::Number) || table.allows(&sort.column, Kind::Datetime) {
        let keys = table.numbers(&sort.column)?;
        positions.sort_by(|a, b| {
            let (a, b) = (keys[*a as usize], keys[*b as usize]);
            let by_value = if sort.descending { b.total_cmp(&a) } else { a.total_cmp(&b) };
            missing_last(a.is_nan(), b.is_nan()).then(if a.is_nan() {
                Ordering::Equal
            } else {
                by_value
            })
        });
        return Ok(());
    }
    let series = table.frame.column(&sort.column)?.as_materialized_series();
    let Ok(text) = series.str() else { return Ok(()) };
    let keys: Vec<Option<&str>> = text
        .iter()
        .map(|v| v.filter(|v| !v.is_empty() && column.special.iter().all(|s| s != v)))
        .collect();
    positions.sort_by(|a, b| {
        let (a, b) = (keys[*a as usize], keys[*b as usize]);
        let by_value = if sort.descending { b.cmp(&a) } else { a.cmp(&b) };
        missing_last(a.is_none(), b.is_none()).then(by_value)
    });
    Ok(())
}

/// The next cell that holds `needle`, in any case, from row `from` of the order on (without it),
/// over the end and round again: its place in the order, and its column. Masked columns are not
/// searched. `columns` are searched from left to right.
pub fn find(
    table: &Table,
    order: &[u32],
    needle: &str,
    from: usize,
    forward: bool,
    columns: &[String],
) -> Option<(usize, String)> {
    let needle = needle.to_lowercase();
    if needle.is_empty() || order.is_empty() {
        return None;
    }
    let searched: Vec<Searched> = columns
        .iter()
        .filter_map(|name| table.column(name).filter(|c| !c.is_masked()))
        .filter_map(|column| Searched::new(table, &column.name, &needle))
        .collect();
    let n = order.len();
    let from = from.min(n - 1);
    (1..=n).find_map(|step| {
        let at = if forward { (from + step) % n } else { (from + n - step) % n };
        let position = order[at] as usize;
        let hit = searched.iter().find(|s| s.holds(table, position, &needle))?;
        Some((at, hit.name.to_owned()))
    })
}

/// A column that is searched, and the quickest way to do it.
struct Searched<'a> {
    name: &'a str,
    values: &'a Series,
    way: Way,
}

enum Way {
    Words,
    /// Whole numbers, when the needle could be a part of one.
    Digits,
    Cells,
}

impl<'a> Searched<'a> {
    fn new(table: &'a Table, name: &'a str, needle: &str) -> Option<Self> {
        let values = table.frame.column(name).ok()?.as_materialized_series();
        let dtype = values.dtype();
        let numeric =
            needle.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'+' | b'e'));
        let way = if values.str().is_ok() {
            Way::Words
        } else if dtype.is_primitive_numeric() && !numeric {
            return None;
        } else if values.i64().is_ok() {
            Way::Digits
        } else {
            Way::Cells
        };
        Some(Self { name, values, way })
    }

    fn holds(&self, table: &Table, position: usize, needle: &str) -> bool {
        match self.way {
            Way::Words => {
                let Ok(text) = self.values.str() else { return false };
                text.get(position).is_some_and(|text| contains(text, needle))
            }
            Way::Digits => {
                let Ok(numbers) = self.values.i64() else { return false };
                numbers.get(position).is_some_and(|v| v.to_string().contains(needle))
            }
            Way::Cells => {
                table.text(position, self.name).is_some_and(|text| contains(&text, needle))
            }
        }
    }
}

/// Whether `text` holds `needle`, which is in lower case.
fn contains(text: &str, needle: &str) -> bool {
    if !text.is_ascii() {
        return text.to_lowercase().contains(needle);
    }
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    text.windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{OpenOptions, Overrides, apply_overrides, open_bytes};

    fn table() -> Table {
        let text =
            "n,w,x,day\n3,b,1.5,2024-01-02\n,a,NA,2024-01-01\n1,,2.5,2024-01-03\n1,Über,0.5,\n";
        open_bytes("t.csv", text.as_bytes(), &OpenOptions::default(), &Ctx::quiet()).unwrap()
    }

    fn sorted(column: &str, descending: bool) -> Vec<u32> {
        let sort = Some(Sort { column: column.to_owned(), descending });
        order(&table(), &View { sort, ..View::default() }, &Ctx::quiet()).unwrap()
    }

    #[test]
    fn rows_are_sorted_with_missing_values_last_and_ties_in_place() {
        assert_eq!(sorted("n", false), [2, 3, 0, 1]);
        assert_eq!(sorted("n", true), [0, 2, 3, 1]);
        assert_eq!(sorted("w", false), [1, 0, 3, 2]);
        assert_eq!(sorted("w", true), [3, 0, 1, 2]);
        assert_eq!(sorted("day", true), [2, 0, 1, 3]);
    }

    #[test]
    fn a_filter_and_an_order_go_together() {
        let view = View {
            filter: Some("n < 3 or n is null".to_owned()),
            sort: Some(Sort { column: "x".to_owned(), descending: false }),
            ..View::default()
        };
        assert_eq!(order(&table(), &view, &Ctx::quiet()).unwrap(), [3, 2, 1]);
        let view = View { filter: Some("q > 1".to_owned()), ..View::default() };
        assert!(order(&table(), &view, &Ctx::quiet()).is_err());
        let sort = Some(Sort { column: "q".to_owned(), descending: false });
        assert!(order(&table(), &View { sort, ..View::default() }, &Ctx::quiet()).is_err());
    }

    #[test]
    fn a_search_goes_round_in_both_directions() {
        let table = table();
        let all: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
        let order: Vec<u32> = (0..4).collect();
        let search =
            |needle: &str, from, forward| find(&table, &order, needle, from, forward, &all);
        assert_eq!(search("B", 3, true), Some((0, "w".to_owned())));
        assert_eq!(search("ÜBER", 0, true), Some((3, "w".to_owned())));
        assert_eq!(search("1", 0, true), Some((1, "day".to_owned())));
        assert_eq!(search("2.5", 3, false), Some((2, "x".to_owned())));
        assert_eq!(search("nowhere", 0, true), None);
        assert_eq!(search("", 0, true), None);
    }

    #[test]
    fn masked_columns_are_not_searched() {
        let mut table = table();
        let mut overrides = Overrides::default();
        overrides.personal.insert("w".to_owned(), true);
        apply_overrides(&mut table, &overrides).unwrap();
        assert_eq!(find(&table, &[0, 1, 2, 3], "b", 1, true, &["w".to_owned()]), None);
    }

    #[test]
    fn a_view_is_kept_as_plain_toml() {
        let view = View {
            filter: Some("n > 1".to_owned()),
            sort: Some(Sort { column: "n".to_owned(), descending: true }),
            hidden: BTreeSet::from(["w".to_owned()]),
            frozen: 1,
        };
        assert_eq!(toml::from_str::<View>(&toml::to_string(&view).unwrap()).unwrap(), view);
    }
}
