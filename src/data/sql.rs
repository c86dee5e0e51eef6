//! SQL over a table, which goes by the names `data` and `t`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::prelude::{
    DataFrame, DataType, IntoLazy, NamedFrom, PlSmallStr, Series, SortMultipleOptions,
};
use polars::sql::SQLContext;

use super::expr::{Token, join, tokens};
use super::source::plain;
use super::{Column, Error, Kind, ROW, Role, Table, describe, nearest};
use crate::jobs::Ctx;

const EXAMPLE: &str =
    "write for example `select housing, avg(credit_amount) as mean from data group by housing`";

/// What stands in the place of personal values while a query runs.
const MASK: &str = "••••";

/// The result of a query as a table. Columns that keep their name keep what is known of them;
/// a query that selects rows keeps their source rows. Personal values take no part: the query sees
/// them masked, and only columns that come out under their own name, row by row, hold them again.
pub fn sql(table: &Table, query: &str, ctx: &Ctx) -> Result<Table, Error> {
    let mut list = tokens(query).map_err(|e| explain(&e, table))?;
    while list.last() == Some(&Token::Other(";".to_owned())) {
        list.pop();
    }
    let words: Vec<String> = list
        .iter()
        .filter_map(|t| if let Token::Word(w) = t { Some(w.to_lowercase()) } else { None })
        .collect();
    match words.first().map(String::as_str) {
        Some("select" | "with" | "from") => {}
        Some(other) => {
            return Err(refuse(format!("a query begins with `select`, not with `{other}`")));
        }
        None => return Err(refuse("the query is empty".to_owned())),
    }
    ctx.note("running the query");
    let hidden = masked(table)?;
    let frame = without_special_codes(table, hidden)?;
    let failed = |err: Error| explain(&err, table);
    let mut result = run(&frame, &join(&list), ctx).map_err(failed)?;
    let has = |any: &[&str]| words.iter().any(|w| any.contains(&w.as_str()));
    let mixes = has(&["group", "distinct", "join", "union", "intersect", "except"]);
    if result.column(ROW).is_err() && !mixes && words[0] == "select" {
        let mut with_row = list.clone();
        with_row.splice(1..1, [Token::Quoted(ROW.to_owned(), '"'), Token::Other(",".to_owned())]);
        // The same rows with their numbers; anything else was no selection of rows.
        if let Ok(rows) = run(&frame, &join(&with_row), &ctx.silent())
            && rows.height() == result.height()
        {
            result = rows;
        }
    }
    if mixes && !has(&["order"]) && result.height() > 1 {
        // Groups come in no order of their own, and every run must give the same table.
        let by: Vec<_> = result.get_column_names_owned().into_iter().filter(|n| n != ROW).collect();
        if !by.is_empty() {
            let options = SortMultipleOptions::default().with_maintain_order(true);
            result = result.sort(by, options.with_nulls_last(true))?;
        }
    }
    if result.height() == 0 {
        return Err(Error::Query {
            what: "the query gives no rows".to_owned(),
            hint: "loosen its `where`".to_owned(),
        });
    }
    let mut made = adopt(table, result)?;
    mark_ahead(table, &mut made, &list);
    Ok(made)
}

/// New columns of a query that names a column that looks ahead are taken to look ahead as well.
fn mark_ahead(table: &Table, made: &mut Table, query: &[Token]) {
    let is_named = |name: &str| {
        query.iter().any(|token| match token {
            Token::Word(word) | Token::Quoted(word, _) => word.eq_ignore_ascii_case(name),
            Token::Text(_) | Token::Other(_) => false,
        })
    };
    let named = table.columns.iter().filter(|column| is_named(&column.name));
    let furthest = named.filter_map(|column| column.ahead.clone()).max_by_key(|a| a.horizon);
    for column in made.columns.iter_mut().filter(|column| table.column(&column.name).is_none()) {
        column.ahead = column.ahead.take().or_else(|| furthest.clone());
    }
}

/// Runs a query on a frame; a panic of polars is an error.
pub(super) fn run(frame: &DataFrame, query: &str, ctx: &Ctx) -> Result<DataFrame, Error> {
    ctx.check()?;
    let work = || {
        let mut context = SQLContext::new();
        context.register("data", frame.clone().lazy());
        context.register("t", frame.clone().lazy());
        context.execute(query).and_then(polars::prelude::LazyFrame::collect)
    };
    let result = catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| refuse("the query cannot be carried out".to_owned()))?
        .map_err(|err| {
            let text = err.to_string();
            let text = text.lines().next().unwrap_or_default();
            refuse(text.trim_start_matches("sql parser error: ").to_owned())
        })?;
    ctx.check()?;
    Ok(result)
}

/// The frame with special codes as missing values, in the columns that it has.
pub(super) fn without_special_codes(
    table: &Table,
    mut frame: DataFrame,
) -> Result<DataFrame, Error> {
    for column in table.columns.iter().filter(|c| !c.special.is_empty() && c.personal.is_none()) {
        let Ok(values) = frame.column(&column.name) else { continue };
        let series = if values.dtype().is_primitive_numeric() {
            let numbers = table.numbers(&column.name)?;
            let numbers: Vec<Option<f64>> =
                numbers.into_iter().map(|v| (!v.is_nan()).then_some(v)).collect();
            let series = Series::new(column.name.as_str().into(), numbers);
            if values.dtype().is_integer() { series.cast(&DataType::Int64)? } else { series }
        } else if values.dtype() == &DataType::String {
            let text = values.str()?.iter();
            let text: Vec<Option<&str>> =
                text.map(|v| v.filter(|v| column.special.iter().all(|s| s != v))).collect();
            Series::new(column.name.as_str().into(), text)
        } else {
            continue;
        };
        frame.with_column(series.into())?;
    }
    Ok(frame)
}

/// The frame with personal values masked.
fn masked(table: &Table) -> Result<DataFrame, Error> {
    let mut frame = table.frame.clone();
    for column in table.columns.iter().filter(|c| c.is_masked()) {
        let missing = frame.column(&column.name)?.is_null();
        let text: Vec<Option<&str>> =
            missing.iter().map(|m| if m == Some(true) { None } else { Some(MASK) }).collect();
        frame.with_column(Series::new(column.name.as_str().into(), text).into())?;
    }
    Ok(frame)
}

/// A result as a table, with what is known of the columns that kept their names.
fn adopt(table: &Table, mut result: DataFrame) -> Result<Table, Error> {
    let mut origin = (*table.origin).clone();
    let rows = result.column(ROW).ok().and_then(|rows| {
        let rows = rows.cast(&DataType::UInt32).ok()?;
        (rows.null_count() == 0 && rows.u32().is_ok()).then_some(rows)
    });
    let _ = result.drop_in_place(ROW);
    if rows.is_none() {
        origin.notes.push("the rows of the query are new ones, numbered from 1".to_owned());
        // Runs on the old rows must not be matched to rows that only share their numbers.
        let names = result.get_column_names();
        let names: Vec<&str> = names.into_iter().map(PlSmallStr::as_str).collect();
        let mixed = format!("{} {} {}", origin.sha256, result.height(), names.join(" "));
        origin.sha256 = crate::files::sha256_hex(mixed.as_bytes());
    }
    let mut frame = DataFrame::empty_with_height(result.height());
    let mut columns = Vec::new();
    for values in result.into_columns() {
        let name = values.name().to_string();
        let Some((mut series, reading)) = plain(&values.take_materialized_series())? else {
            continue;
        };
        let known = table.column(&name);
        if let (Some(known), Some(rows)) = (known.filter(|c| c.is_masked()), &rows)
            && series.str().is_ok_and(|s| s.iter().flatten().all(|v| v == MASK))
        {
            series = restored(table, &known.name, rows)?;
        }
        frame.with_column(series.into())?;
        columns.push(Column { reading, ..Column::new(name, Kind::Category) });
    }
    if columns.is_empty() {
        return Err(refuse("the query gives no columns".to_owned()));
    }
    if let Some(rows) = rows {
        frame.with_column(rows)?;
    }
    let mut made = Table::new(frame, columns, std::sync::Arc::new(origin))?;
    made.complete = table.complete;
    describe(&mut made);
    inherit(table, &mut made);
    Ok(made)
}

/// The personal values of the rows that a query selected.
fn restored(table: &Table, name: &str, rows: &polars::prelude::Column) -> Result<Series, Error> {
    let place: std::collections::HashMap<u32, u32> =
        table.rows().into_iter().enumerate().map(|(i, row)| (row, i as u32)).collect();
    let at: Vec<Option<u32>> =
        rows.u32()?.iter().map(|row| row.and_then(|r| place.get(&r).copied())).collect();
    let at = polars::prelude::IdxCa::new("at".into(), at);
    Ok(table.frame.column(name)?.take(&at)?.take_materialized_series())
}

/// Columns that kept their name and type are what they were.
fn inherit(table: &Table, made: &mut Table) {
    for at in 0..made.columns.len() {
        let name = made.columns[at].name.clone();
        let Some(known) = table.column(&name) else { continue };
        let dtype = |t: &Table| t.frame.column(&name).map(|c| c.dtype().clone()).ok();
        if dtype(table) == dtype(made) || known.is_masked() {
            made.columns[at] = known.clone();
        } else {
            made.columns[at].protected = known.protected;
            made.columns[at].ahead.clone_from(&known.ahead);
        }
    }
    for role in [Role::Target, Role::Time, Role::Weight, Role::Group] {
        let Some(known) = table.with_role(role).map(|c| c.name.clone()) else { continue };
        if made.column(&known).is_some_and(|c| c.role == role) {
            let others = made.columns.iter_mut().filter(|c| c.role == role && c.name != known);
            others.for_each(|c| c.role = Role::Feature);
        }
    }
}

fn refuse(what: String) -> Error {
    Error::Query { what, hint: EXAMPLE.to_owned() }
}

/// Names the nearest column where polars did not find one.
fn explain(err: &Error, table: &Table) -> Error {
    let Error::Query { what, .. } = err else {
        return match err {
            Error::Cancelled(cancelled) => Error::Cancelled(*cancelled),
            other => refuse(other.to_string()),
        };
    };
    let quoted = what.split(['"', '`', '\'']).nth(1);
    if what.contains("column")
        && what.contains("find")
        && let Some(name) = quoted.filter(|name| table.column(name).is_none())
    {
        return Error::no_column(name, &table.columns);
    }
    if what.contains("relation") || what.contains("table") {
        let near = quoted.and_then(|q| nearest(q, ["data", "t"].into_iter())).unwrap_or("data");
        return Error::Query { what: what.clone(), hint: format!("the table is called `{near}`") };
    }
    refuse(what.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{OpenOptions, Overrides, apply_overrides, open_bytes};

    fn table() -> Table {
        let text =
            "who,sex,amount,y\nAnna,f,10,good\nBob,m,20,bad\nCem,m,30,good\nDora,f,40,good\n";
        let mut table =
            open_bytes("t.csv", text.as_bytes(), &OpenOptions::default(), &Ctx::quiet()).unwrap();
        let mut overrides = Overrides::default();
        overrides.personal.insert("who".to_owned(), true);
        overrides.protected.insert("sex".to_owned(), true);
        overrides.roles.insert("y".to_owned(), Role::Target);
        apply_overrides(&mut table, &overrides).unwrap();
        table
    }

    fn ask(query: &str) -> Result<Table, Error> {
        sql(&table(), query, &Ctx::quiet())
    }

    #[test]
    fn a_selection_keeps_rows_and_what_is_known() {
        let table =
            ask("select sex, amount, y from data where amount > 15 order by amount desc").unwrap();
        assert_eq!(table.rows(), [4, 3, 2]);
        assert_eq!(table.with_role(Role::Target).unwrap().name, "y");
        assert!(table.column("sex").unwrap().protected.is_some());
        assert_eq!(table.n_columns(), 3);
        assert_eq!(ask("select * from t where y = 'bad'").unwrap().rows(), [2]);
        assert_eq!(ask("select amount from data limit 2;").unwrap().rows(), [1, 2]);
    }

    #[test]
    fn groups_make_new_rows_in_a_fixed_order() {
        let table =
            ask("select sex, avg(amount) as mean, count(*) as n from data group by sex").unwrap();
        assert_eq!(table.rows(), [1, 2]);
        assert_eq!(table.text(0, "sex").as_deref(), Some("f"));
        assert_eq!(table.numbers("mean").unwrap(), [25.0, 25.0]);
        assert!(table.origin.notes.iter().any(|n| n.contains("new ones")));
        assert_eq!(
            ask("select sum(amount) as s from data").unwrap().numbers("s").unwrap(),
            [100.0]
        );
    }

    #[test]
    fn personal_values_do_not_get_out_by_a_query() {
        for query in [
            "select upper(who) as w, amount from data",
            "select who as w from data",
            "select * from (select who as w, amount from data)",
            "select concat(who, 'x') as w from data",
        ] {
            let table = ask(query).unwrap();
            let text = format!("{:?}", table.frame);
            assert!(!text.contains("Anna") && !text.contains("ANNA"), "{query}: {text}");
        }
        let kept = ask("select who, amount from data where amount > 35").unwrap();
        assert!(kept.column("who").unwrap().is_masked());
        assert_eq!(kept.frame.column("who").unwrap().str().unwrap().get(0), Some("Dora"));
        assert_eq!(kept.text(0, "who").as_deref(), Some("••••"));
    }

    #[test]
    fn mistakes_are_explained() {
        for (query, word) in [
            ("select amnt from data", "did you mean `amount`"),
            ("select amount from loans", "called `data`"),
            ("selct amount from data", "begins with `select`"),
            ("drop table data", "begins with `select`"),
            ("", "empty"),
            ("select from where", "hint:"),
            ("select amount from data where amount > 1000", "no rows"),
        ] {
            let err = ask(query).unwrap_err().to_string();
            assert!(err.contains(word), "{query}: {err}");
        }
    }
}
