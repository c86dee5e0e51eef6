//! The objective of multinomial logistic regression, its slope and its curvature along a direction.
//!
//! The largest score of each row is taken off before exponents are formed, so that no row loses
//! its digits to another. Sums go through the blocks of a [`Design`], whose borders depend on the
//! shape alone.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, ShapeBuilder};

use super::design::{Chunk, Design};
use crate::jobs::{Cancelled, Ctx};

/// Rows of several classes on scaled columns.
pub(super) struct Softmax<'a, 'b> {
    pub(super) design: &'a Design<'b>,
    /// The class of each row, from 0.
    pub(super) class: &'a [usize],
    /// How much each row counts, its class included.
    pub(super) weight: &'a [f64],
    pub(super) n_classes: usize,
    /// Of each unknown of a class; none for the intercept.
    pub(super) penalties: &'a [f64],
    pub(super) total_weight: f64,
}

/// The objective at a place.
pub(super) struct Place {
    /// Summed log-losses without the penalty.
    pub(super) loss: f64,
    /// The loss with the penalty.
    pub(super) objective: f64,
    /// Of the objective, `(unknowns, classes)`.
    pub(super) gradient: Vec<f64>,
    /// The probability of each class, `(rows, classes)`.
    probability: Vec<f64>,
    /// Rows that count and whose most probable class is not theirs.
    pub(super) n_wrong: usize,
}

/// What a block of rows comes to.
#[derive(Default)]
struct Sums {
    loss: f64,
    gradient: Vec<f64>,
    probability: Vec<f64>,
    n_wrong: usize,
}

impl Softmax<'_, '_> {
    /// How many numbers are sought in all.
    pub(super) fn n_unknowns(&self) -> usize {
        self.design.n_unknowns() * self.n_classes
    }

    /// Loss and slope at `beta`, `(unknowns, classes)`.
    pub(super) fn at(&self, beta: &[f64], ctx: &Ctx) -> Result<Place, Cancelled> {
        let (k, size) = (self.n_classes, self.design.n_unknowns());
        let start = || Sums { gradient: vec![0.0; size * k], ..Sums::default() };
        let blocks = self.design.blocks(size, ctx, start, |sums, chunk, rows| {
            self.design.fill(rows.clone(), chunk);
            let x = view(chunk, rows.len(), size);
            let mut scores = Array2::zeros((rows.len(), k));
            general_mat_mul(1.0, &x, &matrix(beta, size, k), 0.0, &mut scores);
            for (row, mut scores) in rows.clone().zip(scores.rows_mut()) {
                let scores = scores.as_slice_mut().expect("the rows lie one after the other");
                let (class, weight) = (self.class[row], self.weight[row]);
                let loss = softmax_loss(scores, class);
                sums.probability.extend_from_slice(scores);
                if 0.0 < weight {
                    sums.loss += weight * loss;
                    let own = scores[class];
                    sums.n_wrong += usize::from(scores.iter().any(|p| own < *p));
                }
                scores[class] -= 1.0;
                for residual in scores {
                    *residual *= weight;
                }
            }
            add_products(&mut sums.gradient, &x, &scores);
        })?;
        let mut place = Place {
            loss: 0.0,
            objective: 0.0,
            gradient: vec![0.0; size * k],
            probability: Vec::with_capacity(self.class.len() * k),
            n_wrong: 0,
        };
        for sums in blocks {
            place.loss += sums.loss;
            place.n_wrong += sums.n_wrong;
            place.probability.extend(sums.probability);
            place.gradient.iter_mut().zip(&sums.gradient).for_each(|(to, part)| *to += part);
        }
        place.objective = place.loss + self.half_penalty(beta);
        self.add_penalty(&mut place.gradient, beta);
        Ok(place)
    }

    /// The curvature at a place along `direction`: the Hessian times it.
    pub(super) fn along(
        &self,
        place: &Place,
        direction: &[f64],
        ctx: &Ctx,
    ) -> Result<Vec<f64>, Cancelled> {
        let (k, size) = (self.n_classes, self.design.n_unknowns());
        let start = || vec![0.0; size * k];
        let blocks = self.design.blocks(size, ctx, start, |sum, chunk, rows| {
            self.design.fill(rows.clone(), chunk);
            let x = view(chunk, rows.len(), size);
            let mut change = Array2::zeros((rows.len(), k));
            general_mat_mul(1.0, &x, &matrix(direction, size, k), 0.0, &mut change);
            for (row, mut change) in rows.clone().zip(change.rows_mut()) {
                let probability = place.of(row..row + 1, k);
                let mean: f64 = probability.iter().zip(&change).map(|(p, c)| p * c).sum();
                let weight = self.weight[row];
                for (change, p) in change.iter_mut().zip(probability) {
                    *change = weight * p * (*change - mean);
                }
            }
            add_products(sum, &x, &change);
        })?;
        let mut sum = vec![0.0; size * k];
        for block in blocks {
            sum.iter_mut().zip(&block).for_each(|(to, part)| *to += part);
        }
        self.add_penalty(&mut sum, direction);
        Ok(sum)
    }

    /// About the diagonal of the Hessian, as it were with columns of the size 1.
    pub(super) fn diagonal(&self, place: &Place) -> Vec<f64> {
        let k = self.n_classes;
        let mut of_class = vec![0.0; k];
        for (row, weight) in self.weight.iter().enumerate() {
            for (sum, p) in of_class.iter_mut().zip(place.of(row..row + 1, k)) {
                *sum += weight * p * (1.0 - p);
            }
        }
        let least = 1e-12 * self.total_weight;
        let mut diagonal = Vec::with_capacity(self.n_unknowns());
        for penalty in self.penalties {
            diagonal.extend(of_class.iter().map(|own| (own + penalty).max(least)));
        }
        diagonal
    }

    fn half_penalty(&self, beta: &[f64]) -> f64 {
        let rows = beta.chunks_exact(self.n_classes).zip(self.penalties);
        rows.map(|(row, penalty)| 0.5 * penalty * row.iter().map(|b| b * b).sum::<f64>()).sum()
    }

    fn add_penalty(&self, to: &mut [f64], beta: &[f64]) {
        let rows = to.chunks_exact_mut(self.n_classes).zip(beta.chunks_exact(self.n_classes));
        for ((to, beta), penalty) in rows.zip(self.penalties) {
            to.iter_mut().zip(beta).for_each(|(to, beta)| *to += penalty * beta);
        }
    }
}

impl Place {
    fn of(&self, rows: Range<usize>, n_classes: usize) -> &[f64] {
        &self.probability[rows.start * n_classes..rows.end * n_classes]
    }
}

/// Turns the scores of a row into probabilities, and returns the log-loss of its class.
fn softmax_loss(scores: &mut [f64], class: usize) -> f64 {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let own = scores[class] - largest;
    softmax(scores);
    // The sum of exponents, from the share that the own class has of it where that has digits.
    if 1e-300 < scores[class] { -scores[class].ln() } else { -own }
}

/// Turns scores into probabilities, whatever their size.
pub(in crate::models) fn softmax(scores: &mut [f64]) {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        sum += *score;
    }
    for score in scores {
        *score /= sum;
    }
}

fn view(chunk: &Chunk, n_rows: usize, size: usize) -> ArrayView2<'_, f64> {
    ArrayView2::from_shape((n_rows, size).strides((1, chunk.stride)), &chunk.x)
        .expect("a chunk has room for its columns")
}

fn matrix(values: &[f64], size: usize, n_classes: usize) -> ArrayView2<'_, f64> {
    ArrayView2::from_shape((size, n_classes), values).expect("one number for unknown and class")
}

/// Adds the products of the columns of `x` and of `residuals` to `sum`.
fn add_products(sum: &mut [f64], x: &ArrayView2<f64>, residuals: &Array2<f64>) {
    let shape = (x.ncols(), residuals.ncols());
    let mut sum = ArrayViewMut2::from_shape(shape, sum).expect("one number for unknown and class");
    general_mat_mul(1.0, &x.t(), residuals, 1.0, &mut sum);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::linear::{Family, Params, Problem, workers::Workers};

    #[test]
    fn far_scores_lose_nothing() {
        let mut scores = [1000.0, 999.0, -2000.0];
        let loss = softmax_loss(&mut scores, 2);
        assert!((loss - 3000.0).abs() < 1e-9, "{loss}");
        let share = 1.0 / (1.0 + (-1.0_f64).exp());
        assert!((scores[0] - share).abs() < 1e-15 && scores[2] == 0.0, "{scores:?}");
    }

    #[test]
    fn a_class_that_cannot_be_has_the_probability_0() {
        let mut scores = [f64::NEG_INFINITY, 0.0, 0.0];
        softmax(&mut scores);
        assert_eq!(scores, [0.0, 0.5, 0.5]);
    }

    #[test]
    fn slope_and_curvature_are_those_of_finite_differences() {
        let x = Array2::from_shape_fn((7, 2).f(), |(i, j)| ((i * 5 + j * 3) % 7) as f64 * 0.3);
        let names = ["a".to_owned(), "b".to_owned()];
        let against: Vec<f64> = (0..7).map(|row| f64::from(u8::from(row % 3 == 0))).collect();
        let problem = Problem { x: x.view(), y: &against, weights: None, names: &names };
        let params = Params::new(Family::Logistic);
        let ctx = Ctx::quiet();
        let (design, _) = Design::new(&problem, &params, Workers::One, &ctx).unwrap();
        let softmax = Softmax {
            design: &design,
            class: &[0, 1, 2, 0, 1, 2, 0],
            weight: &[1.0, 2.0, 0.5, 1.0, 0.0, 3.0, 1.0],
            n_classes: 3,
            penalties: &[0.0, 0.7, 0.2],
            total_weight: 8.5,
        };
        let beta: Vec<f64> = (0..9).map(|i| 0.2 * f64::from(i % 4) - 0.3).collect();
        let place = softmax.at(&beta, &ctx).unwrap();
        let h = 1e-5;
        for unknown in 0..9 {
            let moved = |by: f64| {
                let mut beta = beta.clone();
                beta[unknown] += by;
                softmax.at(&beta, &ctx).unwrap()
            };
            let (up, down) = (moved(h), moved(-h));
            let slope = (up.objective - down.objective) / (2.0 * h);
            assert!((slope - place.gradient[unknown]).abs() < 1e-8, "{slope} at {unknown}");
            let mut direction = vec![0.0; 9];
            direction[unknown] = 1.0;
            let along = softmax.along(&place, &direction, &ctx).unwrap();
            for (other, value) in along.iter().enumerate() {
                let curvature = (up.gradient[other] - down.gradient[other]) / (2.0 * h);
                assert!((curvature - value).abs() < 1e-8, "{unknown} and {other}");
            }
        }
    }
}
