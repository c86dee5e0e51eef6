//! What an explainer may ask of a model, whatever its family.

use ndarray::{Array2, ArrayView2};

/// How the inputs of a model lie: a picture or a series with channels, then static columns.
///
/// Input `(y, x, channel)` has the place `(y * width + x) * channels + channel`; static columns
/// come after all of them. A plain row of numbers has no positions and is static alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Rows of a picture; 1 for a series.
    pub height: usize,
    /// Columns of a picture, steps of a series; 0 for a plain row.
    pub width: usize,
    /// Values at each position.
    pub channels: usize,
    /// Numbers without a position.
    pub n_static: usize,
}

impl Layout {
    /// A plain row of numbers.
    pub fn flat(n: usize) -> Self {
        Self { height: 1, width: 0, channels: 0, n_static: n }
    }

    /// How many positions there are.
    pub fn positions(self) -> usize {
        self.height * self.width
    }

    /// How many inputs there are.
    pub fn len(self) -> usize {
        self.positions() * self.channels + self.n_static
    }

    /// Whether there is no input.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// What a network saw before its global pooling, already weighted for the explained output.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassMap {
    /// Rows of the map.
    pub height: usize,
    /// Columns of the map.
    pub width: usize,
    /// `sum over channels of weight x activation` at each position, row by row.
    pub values: Vec<f64>,
    /// `weight x value` of each static column.
    pub of_static: Vec<f64>,
    /// What is added to the mean of the map: the bias of the output.
    pub bias: f64,
}

/// One output of a model as a function of numbers.
///
/// The output is a score before any sigmoid or softmax, since only there contributions add up.
pub trait Subject {
    /// How the inputs lie.
    fn layout(&self) -> Layout;

    /// The row that stands for nothing in particular, from which contributions are measured.
    fn reference(&self) -> Vec<f64>;

    /// Ordinary rows (rows, inputs) for methods that compare with several.
    fn background(&self) -> Array2<f64> {
        let reference = self.reference();
        Array2::from_shape_fn((1, reference.len()), |(_, at)| reference[at])
    }

    /// The score of each row (rows, inputs).
    fn scores(&self, rows: ArrayView2<f64>) -> Vec<f64>;

    /// The gradient of the score by each input, at each row; `None` where there is none.
    fn gradients(&self, rows: ArrayView2<f64>) -> Option<Array2<f64>>;

    /// One coefficient for each input, when the score is a weighted sum of them.
    fn coefficients(&self) -> Option<Vec<f64>> {
        None
    }

    /// The map before the global pooling, or why there is none.
    fn class_map(&self, row: &[f64]) -> Result<ClassMap, String> {
        let _ = row;
        Err("it is no network with a global average pooling".to_owned())
    }
}

/// The score of one row.
pub(super) fn one(subject: &dyn Subject, row: &[f64]) -> f64 {
    let rows = ArrayView2::from_shape((1, row.len()), row).expect("a slice is a matrix of one row");
    subject.scores(rows).first().copied().unwrap_or(f64::NAN)
}
