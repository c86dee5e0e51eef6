//! How a table is looked at: which rows in which order, and which columns. A view changes nothing
//! in the table.

use std::{cmp::Ordering, collections::BTreeSet};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{OpenOptions, open_bytes};

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
