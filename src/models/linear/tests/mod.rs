//! Fits against published results, scikit-learn and statsmodels, and the laws that hold for all.

mod laws;
mod published;
mod separation;

use ndarray::{Array2, ShapeBuilder};
use proptest::prelude::*;

use super::*;
use crate::jobs::{CancelToken, Report};
use crate::rng::{Seed, stream};

/// A problem that owns its numbers.
struct Owned {
    x: Array2<f64>,
    y: Vec<f64>,
    weights: Option<Vec<f64>>,
    names: Vec<String>,
}

impl Owned {
    fn new(n_columns: usize, columns: Vec<f64>, y: Vec<f64>) -> Self {
        let x = Array2::from_shape_vec((y.len(), n_columns).f(), columns).unwrap();
        Self { x, y, weights: None, names: (1..=n_columns).map(|i| format!("x{i}")).collect() }
    }

    /// Forty rows of three columns, with a linear target.
    fn forty() -> Self {
        let value = |column: usize, i: usize| match column {
            0 => ((i * 7) % 11) as f64 / 3.0,
            1 => ((i * 5) % 13) as f64 / 2.0 - 3.0,
            _ => ((i * i) % 17) as f64,
        };
        let columns = (0..3).flat_map(|column| (0..40).map(move |i| value(column, i))).collect();
        let target = |i: usize| {
            1.5 * value(0, i) - 2.0 * value(1, i) + 0.3 * value(2, i) + 4.0 + (i as f64).sin()
        };
        Self::new(3, columns, (0..40).map(target).collect())
    }

    /// The same rows with classes.
    fn forty_classes() -> Self {
        let class = |i: usize| f64::from(((i * 3) % 7 + (i * 7) % 11) % 5 < 2);
        Self { y: (0..40).map(class).collect(), ..Self::forty() }
    }

    /// Weights of 0.5, 1.5, 2.5 and 3.5 in turn.
    fn weighted(mut self) -> Self {
        self.weights = Some((0..self.y.len()).map(|i| 0.5 + (i % 4) as f64).collect());
        self
    }

    fn problem(&self) -> Problem<'_> {
        let weights = self.weights.as_deref();
        Problem { x: self.x.view(), y: &self.y, weights, names: &self.names }
    }

    fn fit(&self, params: Params) -> Result<Fit, Error> {
        fit(&self.problem(), None, &params.check().unwrap(), &Ctx::quiet())
    }
}

fn linear() -> Params {
    Params::new(Family::Linear)
}

fn ridge(alpha: f64) -> Params {
    Params { alpha, ..Params::new(Family::Ridge) }
}

fn logistic(alpha: f64) -> Params {
    Params { alpha, ..Params::new(Family::Logistic) }
}

fn stats(fit: &Fit) -> &[CoefficientStats] {
    match &fit.inference {
        Inference::Exact(stats) => stats,
        Inference::WhyNot(why) => panic!("{why}"),
    }
}

#[track_caller]
fn near(got: f64, expected: f64, tolerance: f64) {
    let error = (got - expected).abs();
    assert!(error <= tolerance * expected.abs(), "{got} is not {expected} (off by {error:e})");
}

/// Intercept and coefficients, relative to each.
#[track_caller]
fn near_all(fit: &Fit, intercept: f64, coefficients: &[f64], tolerance: f64) {
    near(fit.intercept, intercept, tolerance);
    assert_eq!(fit.coefficients.len(), coefficients.len());
    for (got, expected) in fit.coefficients.iter().zip(coefficients) {
        near(*got, *expected, tolerance);
    }
}

/// Longley (1967), as certified by NIST: employment explained by six nearly collinear columns.
/// Records of a quoted table with a header line.
fn records(text: &str) -> Vec<Vec<String>> {
    text.lines()
        .map(|line| {
            let (mut fields, mut quoted) = (vec![String::new()], false);
            for character in line.trim_end().chars() {
                match character {
                    '"' => quoted = !quoted,
                    ',' if !quoted => fields.push(String::new()),
                    other => fields.last_mut().unwrap().push(other),
                }
            }
            fields
        })
        .collect()
}

/// German credit with every level of every category as a column, without the rows of a fold.
fn german_credit(fold: Option<usize>) -> Owned {
    let mut rows = records(include_str!("../../../../sample_data/german_credit.csv"));
    let header = rows.remove(0);
    let (mut columns, mut names) = (Vec::new(), Vec::new());
    let kept: Vec<&Vec<String>> = rows
        .iter()
        .enumerate()
        .filter(|(i, _)| fold.is_none_or(|fold| i % 10 != fold))
        .map(|(_, row)| row)
        .collect();
    for (j, name) in header.iter().enumerate().take(20) {
        let numbers: Result<Vec<f64>, _> = kept.iter().map(|row| row[j].parse()).collect();
        if let Ok(numbers) = numbers {
            columns.extend(numbers);
            names.push(name.clone());
            continue;
        }
        let levels: std::collections::BTreeSet<&String> = rows.iter().map(|row| &row[j]).collect();
        for level in levels {
            columns.extend(kept.iter().map(|row| f64::from(row[j] == *level)));
            names.push(format!("{name} = {level}"));
        }
    }
    let y = kept.iter().map(|row| f64::from(row[20] == "bad")).collect();
    Owned { names: names.clone(), ..Owned::new(names.len(), columns, y) }
}

/// Efron et al. (2004), in the scaling of scikit-learn.
fn diabetes() -> Owned {
    let text = include_str!("../../../../sample_data/diabetes.csv");
    let rows: Vec<Vec<f64>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|value| value.trim().parse().unwrap()).collect())
        .collect();
    let columns = (0..10).flat_map(|j| rows.iter().map(move |row| row[j])).collect();
    Owned::new(10, columns, rows.iter().map(|row| row[10]).collect())
}
