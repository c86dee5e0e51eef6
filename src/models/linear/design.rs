//! The matrix as the solvers see it: checked, without constant columns, centred and scaled chunk
//! by chunk on the way, so that there is never a second copy of it.

use std::ops::Range;

use super::error::Error;
use super::moments::Moments;
use super::params::{ClassWeight, Family, Params};
use super::workers::Workers;
use super::{Problem, Warning};
use crate::jobs::{Cancelled, Ctx};

/// What is fitted: an intercept (if any) in place 0, then one unknown for each column left.
#[derive(Clone, Debug)]
pub(super) struct Design<'a> {
    columns: Vec<&'a [f64]>,
    moments: Vec<Moments>,
    /// For each column the place it has in the matrix.
    places: Vec<usize>,
    n_features: usize,
    names: &'a [String],
    intercept: bool,
    pub(super) y: &'a [f64],
    /// What is taken off the target before it is fitted, and given to the intercept afterwards.
    pub(super) centre: f64,
    /// Mean and spread of the target, by the weights of the rows.
    pub(super) target: Moments,
    weights: Option<&'a [f64]>,
    class_weights: Option<[f64; 2]>,
    /// Rows with a weight above 0.
    pub(super) n_rows: usize,
    /// The sum of the weights, those of the classes included.
    pub(super) total_weight: f64,
    pub(super) workers: Workers,
    /// Passes take every so many-th chunk.
    every: usize,
}

/// Room for one chunk of rows.
pub(super) struct Chunk {
    /// Scaled columns, `stride` apart.
    pub(super) x: Vec<f64>,
    pub(super) stride: usize,
}

impl<'a> Design<'a> {
    /// Checks the problem and looks at every value once.
    pub(super) fn new(
        problem: &Problem<'a>,
        params: &Params,
        workers: Workers,
        ctx: &Ctx,
    ) -> Result<(Self, Vec<Warning>), Error> {
        let columns = problem.check_shape()?;
        let logistic = params.family == Family::Logistic;
        let n_rows = match problem.weights {
            None => problem.y.len(),
            Some(weights) => check_weights(weights)?,
        };
        if let Some(row) = problem.y.iter().position(|y| !y.is_finite()) {
            return Err(Error::TargetNotFinite { row: row + 1 });
        }
        let y_moments = Moments::of(problem.y, problem.weights);
        let mut class_weights = None;
        if logistic {
            class_weights = weigh_classes(problem, params.class_weight)?;
        } else if params.fit_intercept && y_moments.is_constant() {
            return Err(Error::ConstantTarget { value: y_moments.mean });
        }

        let looked_at = workers
            .run(columns.len(), |j| ctx.check().map(|()| Moments::of(columns[j], problem.weights)));
        let mut design = Self {
            columns: Vec::new(),
            moments: Vec::new(),
            places: Vec::new(),
            n_features: columns.len(),
            names: problem.names,
            intercept: params.fit_intercept,
            y: problem.y,
            centre: if logistic || !params.fit_intercept { 0.0 } else { y_moments.mean },
            target: y_moments,
            weights: problem.weights,
            class_weights,
            n_rows,
            total_weight: 0.0,
            workers,
            every: 1,
        };
        let mut constant = Vec::new();
        for (place, moments) in looked_at.into_iter().enumerate() {
            let (moments, column) = (moments?, columns[place]);
            if !moments.std.is_finite() {
                let name = problem.names[place].clone();
                return Err(match column.iter().position(|value| !value.is_finite()) {
                    Some(row) => Error::NotFinite { column: name, row: row + 1 },
                    None => Error::TooLarge { column: name },
                });
            }
            let useful = if params.fit_intercept {
                !moments.is_constant()
            } else {
                moments.std != 0.0 || moments.mean != 0.0
            };
            if useful {
                design.columns.push(column);
                design.moments.push(if params.fit_intercept {
                    moments
                } else {
                    let std = if moments.is_constant() { moments.mean.abs() } else { moments.std };
                    Moments { mean: 0.0, std }
                });
                design.places.push(place);
            } else {
                constant.push(problem.names[place].clone());
            }
        }
        if design.columns.is_empty() {
            return Err(Error::NoFeatures);
        }
        design.total_weight = if design.is_weighted() {
            (0..problem.y.len()).map(|row| design.weight(row)).sum()
        } else {
            problem.y.len() as f64
        };
        let warning = (!constant.is_empty()).then_some(Warning::Constant { columns: constant });
        Ok((design, warning.into_iter().collect()))
    }

    /// How many numbers are sought, the intercept included.
    pub(super) fn n_unknowns(&self) -> usize {
        self.columns.len() + self.first()
    }

    /// The unknown that the first column has: 1 after an intercept, else 0.
    pub(super) fn first(&self) -> usize {
        usize::from(self.intercept)
    }

    pub(super) fn has_intercept(&self) -> bool {
        self.intercept
    }

    pub(super) fn is_weighted(&self) -> bool {
        self.weights.is_some() || self.class_weights.is_some()
    }

    pub(super) fn has_class_weights(&self) -> bool {
        self.class_weights.is_some()
    }

    /// For each column left the place it has in the matrix.
    pub(super) fn places(&self) -> &[usize] {
        &self.places
    }

    /// How many columns the matrix has, those left out included.
    pub(super) fn n_features(&self) -> usize {
        self.n_features
    }

    /// The columns left, as they were given.
    pub(super) fn columns(&self) -> &[&'a [f64]] {
        &self.columns
    }

    /// The name of the column behind an unknown; `None` for the intercept.
    pub(super) fn name(&self, unknown: usize) -> Option<&'a String> {
        let names = self.names;
        unknown.checked_sub(self.first()).map(|column| &names[self.places[column]])
    }

    /// Mean and spread that the column of an unknown is centred and scaled by.
    pub(super) fn moments(&self) -> &[Moments] {
        &self.moments
    }

    /// The same with passes that take every `every`-th chunk of rows only.
    pub(super) fn thinned(&self, every: usize) -> Self {
        Self { every, ..self.clone() }
    }

    /// Keeps only these unknowns, and returns the names of the others.
    pub(super) fn keep(&mut self, unknowns: &[usize]) -> Vec<String> {
        let is_kept = |column: usize| unknowns.contains(&(column + self.first()));
        let mask: Vec<bool> = (0..self.columns.len()).map(is_kept).collect();
        let dropped = (0..self.columns.len())
            .filter(|column| !mask[*column])
            .map(|column| self.names[self.places[column]].clone())
            .collect();
        retain(&mut self.columns, &mask);
        retain(&mut self.moments, &mask);
        retain(&mut self.places, &mask);
        dropped
    }

    /// How much a row counts, its class included.
    pub(super) fn weight(&self, row: usize) -> f64 {
        let own = self.weights.map_or(1.0, |weights| weights[row]);
        self.class_weights.map_or(own, |class| own * class[usize::from(0.5 < self.y[row])])
    }

    /// What the penalty `alpha` means for each unknown of the scaled columns.
    pub(super) fn penalties(&self, alpha: f64, standardize: bool) -> Vec<f64> {
        let of_column = |moments: &Moments| {
            if standardize { alpha } else { alpha / (moments.std * moments.std) }
        };
        let intercept = self.intercept.then_some(0.0);
        intercept.into_iter().chain(self.moments.iter().map(of_column)).collect()
    }

    /// Intercept and coefficients on the scale of the matrix, 0 for the columns left out.
    pub(super) fn unscale(&self, beta: &[f64]) -> (f64, Vec<f64>) {
        let mut coefficients = vec![0.0; self.n_features];
        let mut intercept = if self.intercept { beta[0] + self.centre } else { 0.0 };
        let scaled = &beta[self.first()..];
        for ((value, moments), place) in scaled.iter().zip(&self.moments).zip(&self.places) {
            coefficients[*place] = value / moments.std;
            intercept -= coefficients[*place] * moments.mean;
        }
        (intercept, coefficients)
    }

    /// Unknowns of the scaled columns from coefficients of the columns left, the inverse of
    /// [`Self::unscale`] for them.
    pub(super) fn scale(&self, intercept: f64, coefficients: &[f64]) -> Vec<f64> {
        let mut at_mean = intercept - self.centre;
        let mut beta = vec![0.0; self.first()];
        for (value, moments) in coefficients.iter().zip(&self.moments) {
            at_mean += value * moments.mean;
            beta.push(value * moments.std);
        }
        if self.intercept {
            beta[0] = at_mean;
        }
        beta
    }

    /// Writes the scaled columns of `rows` to `chunk`, the column of ones first.
    pub(super) fn fill(&self, rows: Range<usize>, chunk: &mut Chunk) {
        let mut targets = chunk.x.chunks_mut(chunk.stride);
        if self.intercept
            && let Some(ones) = targets.next()
        {
            ones[..rows.len()].fill(1.0);
        }
        for ((column, moments), target) in self.columns.iter().zip(&self.moments).zip(targets) {
            let (mean, factor) = (moments.mean, 1.0 / moments.std);
            for (to, value) in target.iter_mut().zip(&column[rows.clone()]) {
                *to = (value - mean) * factor;
            }
        }
    }

    /// Writes the scaled values of single rows to `chunk`, as [`Self::fill`] does.
    pub(super) fn gather(&self, rows: &[u32], chunk: &mut Chunk) {
        let mut targets = chunk.x.chunks_mut(chunk.stride);
        if self.intercept
            && let Some(ones) = targets.next()
        {
            ones[..rows.len()].fill(1.0);
        }
        for ((column, moments), target) in self.columns.iter().zip(&self.moments).zip(targets) {
            let (mean, factor) = (moments.mean, 1.0 / moments.std);
            for (to, row) in target.iter_mut().zip(rows) {
                *to = (column[*row as usize] - mean) * factor;
            }
        }
    }

    /// Goes through all rows in chunks, several blocks of chunks at a time, and returns what
    /// each block came to, in order. Borders depend on the shape alone, never on the threads.
    ///
    /// `size` is the number of columns that `step` needs room for.
    pub(super) fn blocks<A: Send>(
        &self,
        size: usize,
        ctx: &Ctx,
        start: impl Fn() -> A + Sync,
        step: impl Fn(&mut A, &mut Chunk, Range<usize>) + Sync,
    ) -> Result<Vec<A>, Cancelled> {
        let n_rows = self.y.len();
        let stride = (65_536 / size).clamp(256, 1024).min(n_rows);
        let n_chunks = n_rows.div_ceil(stride).div_ceil(self.every);
        let n_blocks = (8_000_000 / (size * size)).clamp(4, 16).min(n_chunks);
        let results = self.workers.run(n_blocks, |block| {
            let mut chunk = Chunk { x: vec![0.0; stride * size], stride };
            let mut result = start();
            for idx in block * n_chunks / n_blocks..(block + 1) * n_chunks / n_blocks {
                ctx.check()?;
                let first = idx * self.every * stride;
                let rows = first..(first + stride).min(n_rows);
                step(&mut result, &mut chunk, rows);
            }
            Ok(result)
        });
        results.into_iter().collect()
    }
}

fn retain<T>(items: &mut Vec<T>, mask: &[bool]) {
    let mut kept = mask.iter();
    items.retain(|_| kept.next().copied().unwrap_or(true));
}

/// Returns how many weights are above 0.
fn check_weights(weights: &[f64]) -> Result<usize, Error> {
    let valid = |weight: f64| weight.is_finite() && 0.0 <= weight;
    if let Some(row) = weights.iter().position(|weight| !valid(*weight)) {
        return Err(Error::Weight { row: row + 1, weight: weights[row] });
    }
    match weights.iter().filter(|weight| 0.0 < **weight).count() {
        0 => Err(Error::NoWeight),
        n_rows => Ok(n_rows),
    }
}

/// What each class counts, after making sure that there are two.
fn weigh_classes(problem: &Problem, weight: ClassWeight) -> Result<Option<[f64; 2]>, Error> {
    if let Some(row) = problem.y.iter().position(|y| *y != 0.0 && *y != 1.0) {
        return Err(Error::NotBinary { row: row + 1, value: problem.y[row] });
    }
    let mut totals = [0.0; 2];
    for (row, y) in problem.y.iter().enumerate() {
        totals[usize::from(*y == 1.0)] += problem.weights.map_or(1.0, |weights| weights[row]);
    }
    if totals.contains(&0.0) {
        return Err(Error::OneClass);
    }
    let all = totals[0] + totals[1];
    Ok(match weight {
        ClassWeight::None => None,
        ClassWeight::Balanced => Some(totals.map(|total| all / (2.0 * total))),
        ClassWeight::Given { neg, pos } => Some([neg, pos]),
    })
}
