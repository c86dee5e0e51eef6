//! What a network is fed with: from matrix, tensor and target to plain numbers.

use ndarray::ArrayView2;

use crate::models::Aim;
use crate::models::linear::ClassWeight;
use crate::nn::Rows;
use crate::nn::spec::Shape;

/// What there is to learn from, or to watch.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// What the network looks at, channels-last, row after row; empty when that is the matrix.
    pub tensor: &'a [f32],
    /// Height, width and channels of it.
    pub shape: [usize; 3],
    /// The matrix: static columns, or all there is.
    pub x: ArrayView2<'a, f64>,
    /// The target, as [`Aim`] says.
    pub y: &'a [f64],
    /// How much each row counts.
    pub weights: Option<&'a [f64]>,
}

/// The same as the network takes it.
pub(super) struct Fed {
    pub(super) x: Vec<f32>,
    pub(super) statics: Vec<f32>,
    pub(super) y: Vec<f32>,
    pub(super) weight: Option<Vec<f32>>,
}

impl Fed {
    pub(super) fn rows(&self) -> Rows<'_, f32> {
        let weight = self.weight.as_deref();
        Rows { x: &self.x, statics: &self.statics, y: &self.y, weight }
    }
}

/// What the first layer sees, and how many static columns join.
pub(super) fn shape_of(seen: &Seen<'_>) -> (Shape, usize) {
    let [height, width, channels] = seen.shape;
    if height * width * channels == 0 {
        (Shape::flat(seen.x.ncols()), 0)
    } else {
        (Shape { height, width, channels }, seen.x.ncols())
    }
}

pub(super) fn feed(seen: &Seen<'_>, offset: f64, scale: f64, class_weights: Option<&[f64]>) -> Fed {
    let matrix: Vec<f32> = seen.x.iter().map(|value| *value as f32).collect();
    let (x, statics) = match seen.tensor {
        [] if seen.shape.contains(&0) => (matrix, Vec::new()),
        tensor => (tensor.to_vec(), matrix),
    };
    let class = |y: &f64| class_weights.map_or(1.0, |weights| weights[*y as usize]);
    let weight = match (seen.weights, class_weights) {
        (None, None) => None,
        (weights, _) => {
            let own = |idx: usize| weights.map_or(1.0, |weights| weights[idx]);
            let rows = seen.y.iter().enumerate();
            Some(rows.map(|(idx, y)| (own(idx) * class(y)) as f32).collect())
        }
    };
    let y = seen.y.iter().map(|y| ((y - offset) / scale) as f32).collect();
    Fed { x, statics, y, weight }
}

/// Mean and standard deviation.
pub(super) fn moments(y: &[f64]) -> (f64, f64) {
    let n = y.len() as f64;
    let mean = y.iter().sum::<f64>() / n;
    let squares = y.iter().map(|y| (y - mean).powi(2)).sum::<f64>();
    let deviation = (squares / n).sqrt();
    (mean, if deviation > 0.0 { deviation } else { 1.0 })
}

/// The weight of each class.
pub(super) fn class_weights(kind: ClassWeight, aim: Aim, y: &[f64]) -> Option<Vec<f64>> {
    let n_classes = match aim {
        Aim::Number => return None,
        Aim::Event => 2,
        Aim::Classes(n) => n,
    };
    match kind {
        ClassWeight::None => None,
        ClassWeight::Given { neg, pos } => (n_classes == 2).then(|| vec![neg, pos]),
        ClassWeight::Balanced => {
            let mut counts = vec![0.0; n_classes];
            for y in y {
                counts[*y as usize] += 1.0;
            }
            let seen = counts.iter().filter(|count| **count > 0.0).count() as f64;
            let weight =
                |count: &f64| if *count > 0.0 { y.len() as f64 / (seen * count) } else { 0.0 };
            Some(counts.iter().map(weight).collect())
        }
    }
}

/// The first row with an input that is no finite number.
pub(super) fn not_finite(fed: &Fed, n_rows: usize) -> Option<usize> {
    let row_of = |values: &[f32]| {
        let place = values.iter().position(|value| !value.is_finite())?;
        Some(place * n_rows / values.len())
    };
    row_of(&fed.x).or_else(|| row_of(&fed.statics))
}
