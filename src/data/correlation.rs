//! How columns go together: correlations of numbers, and associations of categories.

use serde::Serialize;

use super::profile::{cramers_v, pearson, spread};
use super::{Column, Error, Kind, Levels, Table};
use crate::jobs::{Ctx, each};

/// Out of larger tables so many rows are looked at, evenly spread.
const MOST: usize = 200_000;

/// Which correlation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Correlation {
    /// Of the values: how well a straight line fits.
    #[default]
    Pearson,
    /// Of the ranks: how well any rising or falling line fits.
    Spearman,
}

/// A number for each pair of columns.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Matrix {
    /// The columns, in the order of the rows and columns of the matrix.
    pub names: Vec<String>,
    /// Row by row; none where a column is constant or two are never known together.
    pub values: Vec<Option<f64>>,
    /// How many rows were looked at, if not all.
    pub sampled: Option<usize>,
}

impl Matrix {
    /// The number for two columns by their place in [`Matrix::names`].
    pub fn at(&self, row: usize, column: usize) -> Option<f64> {
        self.values[row * self.names.len() + column]
    }
}

/// Correlations between the numbers among `names`, each over the rows where both are known. Truth
/// values and columns of two levels count as 0 and 1; other categories, identifiers, text and
/// personal columns are passed over.
pub fn correlations(
    table: &Table,
    names: &[String],
    correlation: Correlation,
    ctx: &Ctx,
) -> Result<Matrix, Error> {
    let (table, sampled) = looked_at(table)?;
    let mut kept = Vec::new();
    let mut values = Vec::new();
    for name in names {
        ctx.check()?;
        if let Some(numbers) = numbers(&table, table.expect_column(name)?)? {
            kept.push(name.clone());
            values.push(numbers);
        }
    }
    let orders: Vec<Vec<u32>> = match correlation {
        Correlation::Pearson => vec![],
        Correlation::Spearman => each(values.len(), |i| order(&values[i])),
    };
    let pair = |i: usize, j: usize| match correlation {
        Correlation::Pearson => pearson(&values[i], &values[j]),
        Correlation::Spearman => {
            let (x, y) = (&values[i], &values[j]);
            pearson(&ranks(x, y, &orders[i]), &ranks(y, x, &orders[j]))
        }
    };
    Ok(Matrix { values: symmetric(kept.len(), pair, ctx)?, names: kept, sampled })
}

/// Cramér's V, corrected for chance (Bergsma, 2013), between the categories and truth values among
/// `names`, each over the rows where both are known.
pub fn associations(table: &Table, names: &[String], ctx: &Ctx) -> Result<Matrix, Error> {
    let (table, sampled) = looked_at(table)?;
    let mut kept = Vec::new();
    let mut levels = Vec::new();
    for name in names {
        ctx.check()?;
        let column = table.expect_column(name)?;
        if matches!(column.kind, Kind::Category | Kind::Boolean) && !column.is_masked() {
            kept.push(name.clone());
            levels.push(table.levels(name)?);
        }
    }
    let pair = |i: usize, j: usize| {
        let (a, b): (&Levels, &Levels) = (&levels[i], &levels[j]);
        let both = a.codes.iter().zip(&b.codes);
        let (x, y): (Vec<u32>, Vec<u32>) =
            both.filter(|(x, y)| **x != Levels::MISSING && **y != Levels::MISSING).unzip();
        cramers_v(&x, a.names.len(), &y, b.names.len())
    };
    Ok(Matrix { values: symmetric(kept.len(), pair, ctx)?, names: kept, sampled })
}

fn looked_at(table: &Table) -> Result<(Table, Option<usize>), Error> {
    if table.n_rows() <= MOST {
        return Ok((table.clone(), None));
    }
    Ok((table.take(&spread(table.n_rows(), MOST))?, Some(MOST)))
}

/// The values of a column that can be correlated.
fn numbers(table: &Table, column: &Column) -> Result<Option<Vec<f64>>, Error> {
    if column.is_masked() || matches!(column.kind, Kind::Identifier | Kind::Text) {
        return Ok(None);
    }
    if matches!(column.kind, Kind::Number | Kind::Datetime)
        && table.allows(&column.name, column.kind)
    {
        return table.numbers(&column.name).map(Some);
    }
    let levels = table.levels(&column.name)?;
    let number = |code: u32| if code == Levels::MISSING { f64::NAN } else { f64::from(code) };
    let is_two = levels.names.len() == 2;
    Ok(is_two.then(|| levels.codes.into_iter().map(number).collect()))
}

/// Fills both halves of a symmetric matrix; a row is a step.
fn symmetric(
    n: usize,
    pair: impl Fn(usize, usize) -> Option<f64> + Sync,
    ctx: &Ctx,
) -> Result<Vec<Option<f64>>, Error> {
    let mut values = vec![None; n * n];
    for i in 0..n {
        for (ahead, value) in each(n - i, |ahead| pair(i, i + ahead)).into_iter().enumerate() {
            let j = i + ahead;
            values[i * n + j] = value;
            values[j * n + i] = value;
        }
        ctx.step(i + 1, n, vec![])?;
    }
    Ok(values)
}

/// The rows that have a value, smallest first.
fn order(values: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> =
        (0..values.len() as u32).filter(|i| !values[*i as usize].is_nan()).collect();
    order.sort_unstable_by(|a, b| values[*a as usize].total_cmp(&values[*b as usize]));
    order
}

/// The ranks of the values among the rows where `other` is known too; ties share their mean rank.
fn ranks(values: &[f64], other: &[f64], order: &[u32]) -> Vec<f64> {
    let mut ranks = vec![f64::NAN; values.len()];
    let known: Vec<u32> = order.iter().copied().filter(|i| !other[*i as usize].is_nan()).collect();
    let mut before = 0;
    for ties in known.chunk_by(|a, b| values[*a as usize] == values[*b as usize]) {
        let rank = before as f64 + (ties.len() + 1) as f64 / 2.0;
        for i in ties {
            ranks[*i as usize] = rank;
        }
        before += ties.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{sample, table};

    fn names(table: &Table) -> Vec<String> {
        table.columns.iter().map(|c| c.name.clone()).collect()
    }

    fn value(matrix: &Matrix, a: &str, b: &str) -> f64 {
        let place = |name| matrix.names.iter().position(|n| n == name).unwrap();
        assert_eq!(matrix.at(place(a), place(b)), matrix.at(place(b), place(a)));
        matrix.at(place(a), place(b)).unwrap()
    }

    #[test]
    fn correlations_are_those_of_pandas() {
        // m.Income.corr(m.Assets, method=...), D.bmi.corr(D.s5, method="spearman")
        let (m, d) = (sample("credit_missing.csv"), sample("diabetes.csv"));
        let of = |table: &Table, correlation| {
            correlations(table, &names(table), correlation, &Ctx::quiet()).unwrap()
        };
        let check = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-12, "{got}");
        let pearson = of(&m, Correlation::Pearson);
        check(value(&pearson, "Income", "Assets"), 0.237_419_532_078_224_42);
        check(value(&pearson, "Income", "Income"), 1.0);
        assert!(pearson.names.contains(&"Status".to_owned()), "two levels are 0 and 1");
        assert!(!pearson.names.contains(&"Job".to_owned()));
        let spearman = of(&m, Correlation::Spearman);
        check(value(&spearman, "Income", "Assets"), 0.213_279_601_818_732_42);
        check(value(&of(&d, Correlation::Spearman), "bmi", "s5"), 0.491_608_811_761_707_8);
    }

    #[test]
    fn associations_are_those_of_bergsma() {
        let german = sample("german_credit.csv");
        let matrix = associations(&german, &names(&german), &Ctx::quiet()).unwrap();
        assert!((value(&matrix, "housing", "job") - 0.115_020_674_934_554_34).abs() < 1e-12);
        assert_eq!(matrix.names.len(), 14);
    }

    #[test]
    fn what_has_no_correlation_has_none() {
        let table = table("a,k,e,c\n1,5,,x\n2,5,,y\n3,5,,z\n");
        let matrix =
            correlations(&table, &names(&table), Correlation::Pearson, &Ctx::quiet()).unwrap();
        assert_eq!(matrix.names, ["a", "k"]);
        assert_eq!(matrix.values, [Some(1.0), None, None, None]);
        let missing = [String::from("b")];
        let error = correlations(&table, &missing, Correlation::Pearson, &Ctx::quiet());
        assert!(matches!(error, Err(Error::NoColumn { .. })));
    }
}
