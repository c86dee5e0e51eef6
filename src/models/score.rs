//! Scoring: the one way from a table, or from a matrix, to scores and predictions.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis, concatenate};

use super::linear::{score_rows, sigmoid, softmax};
use super::{Error, Link, Model, Predictor, foreign};
use crate::data::{Table, Task};
use crate::features::sight::FittedSight;
use crate::jobs::Ctx;

/// Rows whose matrix is made at once, so that memory stays small whatever the table.
const BLOCK: usize = 1 << 16;

/// The one score of each row: its one output, or the index of the largest of several, the first
/// among equals.
pub fn scores_of(outputs: &Array2<f64>) -> Vec<f64> {
    if outputs.ncols() == 1 {
        return outputs.iter().copied().collect();
    }
    let largest = |row: ArrayView1<f64>| {
        if row[0].is_nan() {
            return f64::NAN;
        }
        let mut best = 0;
        for (class, value) in row.iter().enumerate() {
            if row[best] < *value {
                best = class;
            }
        }
        best as f64
    };
    outputs.rows().into_iter().map(largest).collect()
}

impl Predictor {
    /// How many numbers are told of each row: one for each of several classes, else one alone.
    pub fn n_outputs(&self) -> usize {
        match self {
            Self::Constant(_) | Self::Linear { .. } => 1,
            Self::Shares(shares) => shares.len(),
            Self::Softmax { intercepts, .. } => intercepts.len(),
            Self::Network(fitted) => fitted.network().n_out,
            Self::Foreign(foreign) => foreign.n_outputs(),
        }
    }

    /// Everything that is told of each row of a matrix (rows, columns): the probability of each of
    /// several classes, (rows, classes), and else the score in a single column. `seen` is what a
    /// network looks at besides the matrix, and empty for all others. The batch a row comes in
    /// changes no bit. Where [`try_outputs`](Self::try_outputs) fails, no row has a score: all are
    /// NaN, which every caller tells apart.
    pub fn outputs(&self, x: ArrayView2<f64>, seen: &[f32]) -> Array2<f64> {
        let none = |_| Array2::from_elem((x.nrows(), self.n_outputs()), f64::NAN);
        self.try_outputs(x, seen).unwrap_or_else(none)
    }

    /// The same, with the reason where there are none. One refused row takes the whole matrix with
    /// it, so whoever scores for several callers at once then asks again for each of them.
    ///
    /// # Errors
    ///
    /// When a model made elsewhere refuses the matrix: the error names the row and the input of a
    /// value that is not whole, and no other model fails.
    pub fn try_outputs(
        &self,
        x: ArrayView2<f64>,
        seen: &[f32],
    ) -> Result<Array2<f64>, foreign::Error> {
        if let Self::Network(fitted) = self {
            return Ok(fitted.outputs(x, seen));
        }
        if let Self::Foreign(foreign) = self {
            return foreign.outputs(x);
        }
        let mut outputs = Array2::zeros((x.nrows(), self.n_outputs()));
        match self {
            Self::Constant(value) => outputs.fill(*value),
            Self::Network(_) | Self::Foreign(_) => {}
            Self::Linear { intercept, coefficients, link } => {
                let scores = score_rows(x, *intercept, coefficients);
                for (output, score) in outputs.iter_mut().zip(scores) {
                    *output = if *link == Link::Logit { sigmoid(score) } else { score };
                }
            }
            Self::Shares(shares) => {
                for mut row in outputs.rows_mut() {
                    row.iter_mut().zip(shares).for_each(|(output, share)| *output = *share);
                }
            }
            Self::Softmax { intercepts, coefficients } => {
                for (class, (intercept, own)) in intercepts.iter().zip(coefficients).enumerate() {
                    let scores = score_rows(x, *intercept, own);
                    outputs.column_mut(class).iter_mut().zip(scores).for_each(|(to, s)| *to = s);
                }
                for row in outputs
                    .as_slice_mut()
                    .into_iter()
                    .flat_map(|all| all.chunks_exact_mut(intercepts.len()))
                {
                    softmax(row);
                }
            }
        }
        Ok(outputs)
    }

    /// The score of each row of a matrix: what [`scores_of`] makes of the outputs.
    pub fn score(&self, x: ArrayView2<f64>) -> Vec<f64> {
        scores_of(&self.outputs(x, &[]))
    }
}

impl Model {
    /// Whether its score is a probability: that of the positive one of two classes.
    pub fn is_probability(&self) -> bool {
        let is_line = matches!(self.predictor, Predictor::Linear { link: Link::Identity, .. });
        self.task == Task::Binary && !is_line
    }

    /// The prediction, the score of the positive class, or the index of the predicted class among
    /// several, of these rows or of all.
    ///
    /// # Errors
    ///
    /// When the table lacks columns; all of them are named.
    pub fn score(&self, table: &Table, rows: Option<&[u32]>, ctx: &Ctx) -> Result<Vec<f64>, Error> {
        Ok(scores_of(&self.outputs(table, rows, ctx)?))
    }

    /// Everything that the predictor tells of these rows or of all: (rows, classes) for several
    /// classes, else (rows, 1).
    ///
    /// # Errors
    ///
    /// When the table lacks columns; all of them are named.
    pub fn outputs(
        &self,
        table: &Table,
        rows: Option<&[u32]>,
        ctx: &Ctx,
    ) -> Result<Array2<f64>, Error> {
        self.recipe.check_columns(table)?;
        if let Some(sight) = &self.sight {
            return self.outputs_of_network(sight, table, rows, ctx);
        }
        let all: Vec<u32>;
        let rows = if let Some(rows) = rows {
            rows
        } else {
            all = (0..table.n_rows() as u32).collect();
            &all
        };
        if rows.len() <= BLOCK {
            let x = self.recipe.matrix(table, rows, ctx)?;
            return Ok(self.predictor.outputs(x.view(), &[]));
        }
        let mut parts = Vec::new();
        for (idx, block) in rows.chunks(BLOCK).enumerate() {
            ctx.step(idx, rows.len().div_ceil(BLOCK), vec![])?;
            let part = table.take(block).map_err(crate::features::Error::from)?;
            let positions: Vec<u32> = (0..block.len() as u32).collect();
            let x = self.recipe.matrix(&part, &positions, ctx)?;
            parts.push(self.predictor.outputs(x.view(), &[]));
        }
        let views: Vec<_> = parts.iter().map(Array2::view).collect();
        Ok(concatenate(Axis(0), &views).expect("all parts have the same columns"))
    }

    /// The same for a network that looks at more than a matrix; NaN for rows that have too few
    /// rows before them.
    fn outputs_of_network(
        &self,
        sight: &FittedSight,
        table: &Table,
        rows: Option<&[u32]>,
        ctx: &Ctx,
    ) -> Result<Array2<f64>, Error> {
        /// Rows that are looked at together, so that memory stays small whatever the table.
        const BLOCK: usize = 1 << 13;
        sight.check_columns(table)?;
        let usable = sight.usable(table)?;
        let all: Vec<u32>;
        let rows = if let Some(rows) = rows {
            rows
        } else {
            all = (0..table.n_rows() as u32).collect();
            &all
        };
        let mut outputs = Array2::from_elem((rows.len(), self.predictor.n_outputs()), f64::NAN);
        for (idx, block) in rows.chunks(BLOCK).enumerate() {
            ctx.step(idx, rows.len().div_ceil(BLOCK), vec![])?;
            let is_usable = |row: &u32| usable[*row as usize];
            let known: Vec<u32> = block.iter().copied().filter(is_usable).collect();
            let x = self.recipe.matrix(table, &known, ctx)?;
            let told = self.predictor.outputs(x.view(), &sight.tensor(table, &known, ctx)?);
            let places = block.iter().enumerate().filter(|(_, row)| is_usable(row));
            for ((place, _), told) in places.zip(told.rows()) {
                outputs.row_mut(idx * BLOCK + place).assign(&told);
            }
        }
        Ok(outputs)
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
            (Task::Multiclass, classes) if 0.0 <= score && (score as usize) < classes.len() => {
                classes[score as usize].clone()
            }
            _ => score.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn several_classes_have_a_probability_each() {
        let predictor = Predictor::Softmax {
            intercepts: vec![0.0, f64::NEG_INFINITY, 0.0],
            coefficients: vec![vec![1.0], vec![0.0], vec![-1.0]],
        };
        let x = array![[0.0], [2.0], [-800.0]];
        let outputs = predictor.outputs(x.view(), &[]);
        let share = 1.0 / (1.0 + (-4.0_f64).exp());
        assert_eq!(outputs.row(0).to_vec(), [0.5, 0.0, 0.5]);
        assert!((outputs[[1, 0]] - share).abs() < 1e-15, "{outputs}");
        assert_eq!(outputs.row(2).to_vec(), [0.0, 0.0, 1.0]);
        assert_eq!(predictor.score(x.view()), [0.0, 0.0, 2.0], "the first among equals");
    }

    #[test]
    fn shares_are_the_same_for_everyone() {
        let predictor = Predictor::Shares(vec![0.2, 0.5, 0.3]);
        let x = Array2::zeros((2, 0));
        assert_eq!(predictor.outputs(x.view(), &[]), array![[0.2, 0.5, 0.3], [0.2, 0.5, 0.3]]);
        assert_eq!(predictor.score(x.view()), [1.0, 1.0]);
    }

    #[test]
    fn a_refused_row_is_told_and_takes_the_others_with_it() {
        let onnx = include_bytes!("../../tests/foreign_fixtures/logistic_int.onnx");
        let model = foreign::ForeignModel::read(onnx, &foreign::Limits::default()).unwrap();
        let input = model.inputs[0].name.clone();
        let predictor = Predictor::Foreign(Box::new(model));
        let x = array![[1.0, 2.0], [1.5, 3.0], [4.0, 5.0]];
        let error = predictor.try_outputs(x.view(), &[]).unwrap_err();
        let expected =
            foreign::Error::NotWhole { value: "1.5".into(), row: 1, feature: "x0".into(), input };
        assert_eq!(error, expected);
        assert!(predictor.outputs(x.view(), &[]).iter().all(|score| score.is_nan()));
        for row in [0, 2] {
            let alone = predictor.try_outputs(x.slice(ndarray::s![row..=row, ..]), &[]).unwrap();
            assert!(alone[[0, 0]].is_finite(), "row {row}: {alone}");
        }
    }

    #[test]
    fn one_output_is_the_score_itself() {
        let predictor =
            Predictor::Linear { intercept: 0.5, coefficients: vec![2.0], link: Link::Identity };
        let x = array![[1.0], [3.0]];
        assert_eq!(predictor.outputs(x.view(), &[]).dim(), (2, 1));
        assert_eq!(predictor.score(x.view()), [2.5, 6.5]);
    }
}
