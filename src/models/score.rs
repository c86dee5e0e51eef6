//! Scoring: the one way from a table, or from a matrix, to scores and predictions.

use ndarray::ArrayView2;

use super::linear::{score_rows, sigmoid};
use super::{Error, Link, Model, Predictor};
use crate::data::{Table, Task};
use crate::jobs::Ctx;

/// Rows whose matrix is made at once, so that memory stays small whatever the table.
const BLOCK: usize = 1 << 16;

impl Predictor {
    /// The score of each row of a matrix (rows, columns); the batch a row comes in changes no bit.
    pub fn score(&self, x: ArrayView2<f64>) -> Vec<f64> {
        match self {
            Self::Constant(value) => vec![*value; x.nrows()],
            Self::Linear { intercept, coefficients, link } => {
                let mut scores = score_rows(x, *intercept, coefficients);
                if *link == Link::Logit {
                    for score in &mut scores {
                        *score = sigmoid(*score);
                    }
                }
                scores
            }
        }
    }
}

impl Model {
    /// The prediction, or the score of the positive class, of these rows or of all.
    ///
    /// # Errors
    ///
    /// When the table lacks columns; all of them are named.
    pub fn score(&self, table: &Table, rows: Option<&[u32]>, ctx: &Ctx) -> Result<Vec<f64>, Error> {
        self.recipe.check_columns(table)?;
        let all: Vec<u32>;
        let rows = if let Some(rows) = rows {
            rows
        } else {
            all = (0..table.n_rows() as u32).collect();
            &all
        };
        if rows.len() <= BLOCK {
            let x = self.recipe.matrix(table, rows, ctx)?;
            return Ok(self.predictor.score(x.view()));
        }
        let mut scores = Vec::with_capacity(rows.len());
        for (idx, block) in rows.chunks(BLOCK).enumerate() {
            ctx.step(idx, rows.len().div_ceil(BLOCK), vec![])?;
            let part = table.take(block).map_err(crate::features::Error::from)?;
            let positions: Vec<u32> = (0..block.len() as u32).collect();
            let x = self.recipe.matrix(&part, &positions, ctx)?;
            scores.extend(self.predictor.score(x.view()));
        }
        Ok(scores)
    }

    /// What a score means: the class it is called, or the number itself.
    pub fn predict(&self, score: f64) -> String {
        match (self.task, self.classes.as_slice()) {
            (Task::Binary, [negative, positive]) => {
                if score >= self.threshold {
                    positive.clone()
                } else {
                    negative.clone()
                }
            }
            _ => score.to_string(),
        }
    }
}
