//! Steps that make one table out of another, kept in order and replayed: computed columns,
//! columns that look ahead, filters, SQL.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::expr::{compile, evaluate};
use super::source::plain;
use super::{Ahead, Column, Error, Kind, ROW, Role, Table, ahead, infer, sql};
use crate::jobs::Ctx;

/// One step. It changes no table, but makes a new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Adds a column worked out from others.
    Compute {
        /// The name of the new column.
        name: String,
        /// Such as `credit_amount / duration_months`.
        expr: String,
    },
    /// Adds a column that tells what becomes of another one some rows later.
    Ahead(Ahead),
    /// Puts the result of a query over `data` in the place of the table.
    Sql {
        /// Such as `select * from data where amount > 1000`.
        query: String,
    },
    /// Keeps the rows in which an expression is true.
    Filter {
        /// Such as `amount > 1000 and housing = 'own'`.
        expr: String,
    },
    /// Drops rows that repeat an earlier one in every visible column.
    Dedupe,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compute { name, expr } => write!(f, "compute {name} = {expr}"),
            Self::Ahead(ahead) => write!(f, "ahead {ahead}"),
            Self::Sql { query } => write!(f, "sql {query}"),
            Self::Filter { expr } => write!(f, "filter {expr}"),
            Self::Dedupe => write!(f, "dedupe"),
        }
    }
}

/// The table that a step makes of `table`.
///
/// ```
/// use karat::data::{OpenOptions, Step, apply, open_bytes};
/// use karat::jobs::Ctx;
///
/// let ctx = Ctx::quiet();
/// let table = open_bytes("t.csv", b"a,b\n1,2\n3,0\n", &OpenOptions::default(), &ctx)?;
/// let step = Step::Compute { name: "ratio".into(), expr: "a / b".into() };
/// let ratio = apply(&table, &step, &ctx)?.numbers("ratio")?;
/// assert!(ratio[0] == 0.5 && ratio[1].is_nan());
/// # Ok::<(), karat::data::Error>(())
/// ```
pub fn apply(table: &Table, step: &Step, ctx: &Ctx) -> Result<Table, Error> {
    match step {
        Step::Compute { name, expr } => compute(table, name, expr, ctx),
        Step::Ahead(ahead) => ahead::add(table, ahead, ctx),
        Step::Sql { query } => sql::sql(table, query, ctx),
        Step::Filter { expr } => {
            let positions = keep(table, expr, ctx)?;
            if positions.is_empty() {
                return Err(Error::Query {
                    what: format!("no row fulfils `{expr}`"),
                    hint: "loosen the filter".to_owned(),
                });
            }
            table.take(&positions)
        }
        Step::Dedupe => table.take(&first_of_each(table)?),
    }
}

/// The positions of the rows that repeat no earlier one.
fn first_of_each(table: &Table) -> Result<Vec<u32>, Error> {
    const MIX: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;
    // A 128-bit mix of all columns stands for the row; two rows share one by accident about once
    // in 10^38 pairs.
    let mut keys = vec![0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834_u128; table.n_rows()];
    for column in &table.columns {
        let mut mix = |row: usize, value: u64| {
            let mixed = (keys[row] ^ u128::from(value)).wrapping_mul(MIX);
            keys[row] = mixed ^ (mixed >> 61);
        };
        if table.is_numeric(&column.name) {
            let values = table.numbers(&column.name)?;
            values.into_iter().enumerate().for_each(|(row, v)| mix(row, v.to_bits()));
        } else {
            let codes = table.levels(&column.name)?.codes;
            codes.into_iter().enumerate().for_each(|(row, code)| mix(row, u64::from(code)));
        }
    }
    let mut seen = std::collections::HashSet::with_capacity(keys.len());
    let firsts = keys.into_iter().enumerate().filter(|(_, key)| seen.insert(*key));
    Ok(firsts.map(|(row, _)| row as u32).collect())
}

/// Whether `expr` can filter a table, tried on its first row: names, syntax, and truth.
///
/// # Errors
///
/// Says what is wrong with the expression.
pub fn check_filter(table: &Table, expr: &str) -> Result<(), Error> {
    let first: &[u32] = if table.n_rows() == 0 { &[] } else { &[0] };
    keep(&table.take(first)?, expr, &Ctx::quiet()).map(|_| ())
}

/// The positions of the rows in which `expr` is true.
pub(super) fn keep(table: &Table, expr: &str, ctx: &Ctx) -> Result<Vec<u32>, Error> {
    let series = evaluate(table, &compile(table, expr)?, ctx)?;
    let Ok(truth) = series.bool() else {
        return Err(Error::Query {
            what: format!("`{expr}` is neither true nor false"),
            hint: "compare something: `amount > 1000`, `housing = 'own'`, `income is null`"
                .to_owned(),
        });
    };
    let kept = truth.iter().enumerate().filter(|(_, v)| *v == Some(true));
    Ok(kept.map(|(at, _)| at as u32).collect())
}

fn compute(table: &Table, name: &str, expr: &str, ctx: &Ctx) -> Result<Table, Error> {
    let name = name.trim();
    let wrong = |what: String| Error::Query { what, hint: "choose another name".to_owned() };
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(wrong("a column needs a name".to_owned()));
    }
    if name == ROW || table.column(name).is_some() {
        return Err(wrong(format!("there is already a column `{name}`")));
    }
    let compiled = compile(table, expr)?;
    let series = evaluate(table, &compiled, ctx)?;
    let Some((mut series, reading)) = plain(&series)? else {
        return Err(wrong(format!("`{expr}` gives raw bytes")));
    };
    series.rename(name.into());
    let mut made = table.clone();
    made.frame.with_column(series.into())?;
    // The hidden column stays the last.
    let rows = made.frame.drop_in_place(ROW)?;
    made.frame.with_column(rows)?;
    let mut words = vec![format!("= {expr}")];
    words.extend(reading);
    if compiled.uses_all_rows {
        words.push("draws on all rows, test rows too".to_owned());
    }
    made.columns.push(Column::new(name, Kind::Number));
    let at = made.columns.len() - 1;
    let kind = infer::kind_at(&made, at);
    let column = &mut made.columns[at];
    column.kind = kind;
    let uses = |column: &&Column| compiled.columns.contains(&column.name);
    column.protected = table.columns.iter().filter(uses).find_map(|c| c.protected);
    if table.columns.iter().filter(uses).any(|c| c.role == Role::Target) {
        column.role = Role::Ignored;
        words.push("left out, since it is made of the target".to_owned());
    }
    let ahead = table.columns.iter().filter(uses).filter_map(|c| c.ahead.clone());
    column.ahead = ahead.max_by_key(|ahead| ahead.horizon);
    column.reading = Some(words.join(", "));
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{OpenOptions, Protected, open_bytes};

    fn table() -> Table {
        let text = "age,income,y\n30,100.5,0\n40,,1\n50,300,0\n";
        open_bytes("t.csv", text.as_bytes(), &OpenOptions::default(), &Ctx::quiet()).unwrap()
    }

    fn compute(name: &str, expr: &str) -> Result<Table, Error> {
        let step = Step::Compute { name: name.to_owned(), expr: expr.to_owned() };
        apply(&table(), &step, &Ctx::quiet())
    }

    #[test]
    fn a_computed_column_comes_last_and_says_its_formula() {
        let table = compute("rich", "income > 200").unwrap();
        let column = table.columns.last().unwrap();
        assert_eq!((column.name.as_str(), column.kind), ("rich", Kind::Boolean));
        assert!(column.reading.as_deref().unwrap().starts_with("= income > 200"));
        assert_eq!(table.frame.get_column_names().last().unwrap().as_str(), ROW);
        assert_eq!(table.text(1, "rich"), None);
    }

    #[test]
    fn what_is_made_of_the_target_or_of_a_protected_attribute_carries_the_mark() {
        let table = compute("leak", "y * 2").unwrap();
        assert_eq!(table.column("leak").unwrap().role, Role::Ignored);
        let mut aged = super::tests::table();
        aged.columns[0].protected = Some(Protected::Age);
        let step = Step::Compute { name: "older".into(), expr: "age + 1".into() };
        let aged = apply(&aged, &step, &Ctx::quiet()).unwrap();
        assert_eq!(aged.column("older").unwrap().protected, Some(Protected::Age));
    }

    #[test]
    fn a_filter_keeps_the_source_rows() {
        let step = Step::Filter { expr: "age >= 40".to_owned() };
        assert_eq!(apply(&table(), &step, &Ctx::quiet()).unwrap().rows(), [2, 3]);
        for (expr, word) in [("age > 99", "no row"), ("age + 1", "neither true nor false")] {
            let step = Step::Filter { expr: expr.to_owned() };
            let err = apply(&table(), &step, &Ctx::quiet()).unwrap_err().to_string();
            assert!(err.contains(word), "{err}");
        }
    }

    #[test]
    fn names_that_are_taken_are_refused() {
        for name in ["age", "", ROW, "a\nb"] {
            assert!(compute(name, "age").is_err(), "{name}");
        }
    }

    #[test]
    fn steps_are_kept_as_plain_toml() {
        #[derive(Serialize, Deserialize, PartialEq, Debug)]
        struct File {
            steps: Vec<Step>,
        }
        let steps = vec![
            Step::Compute { name: "r".into(), expr: "a / b".into() },
            Step::Filter { expr: "r > 1".into() },
            Step::Ahead("up = sign of r in 5 along day".parse().unwrap()),
            Step::Sql { query: "select * from data".into() },
        ];
        let text = toml::to_string(&File { steps: steps.clone() }).unwrap();
        assert!(text.contains("step = \"compute\""), "{text}");
        assert_eq!(toml::from_str::<File>(&text).unwrap(), File { steps });
    }
}
