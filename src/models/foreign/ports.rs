//! What goes into a foreign model and what comes out.

/// What the values of an input or output are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datatype {
    /// Real numbers of half precision.
    F16,
    /// Real numbers of single precision.
    F32,
    /// Real numbers of double precision.
    F64,
    /// Whole numbers of 32 bits.
    I32,
    /// Whole numbers of 64 bits.
    I64,
    /// True or false.
    Bool,
    /// Texts.
    Text,
    /// Anything else: a table of classes, or numbers that are seldom used.
    Other,
}

/// A part of the matrix that a model looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignInput {
    /// The graph's own name for it.
    pub name: String,
    /// What its values are.
    pub datatype: Datatype,
    /// Its axes, rows first; nothing where the length is open.
    pub shape: Vec<Option<usize>>,
}

impl ForeignInput {
    /// Columns of the matrix that it takes, all axes but the first flattened; nothing when one of
    /// them is open.
    pub fn width(&self) -> Option<usize> {
        self.shape.iter().skip(1).try_fold(1_usize, |product, dim| product.checked_mul((*dim)?))
    }

    /// Its shape for a block of rows.
    pub(super) fn block(&self, n_rows: usize) -> Vec<usize> {
        let others = self.shape.iter().skip(1).map(|dim| dim.unwrap_or(1));
        std::iter::once(n_rows).chain(others).collect()
    }

    pub(super) fn is_whole(&self) -> bool {
        matches!(self.datatype, Datatype::I32 | Datatype::I64)
    }
}

/// Something that a model tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignOutput {
    /// The graph's own name for it.
    pub name: String,
    /// What its values are.
    pub datatype: Datatype,
    /// Its axes, rows first; nothing where the length is open.
    pub shape: Vec<Option<usize>>,
}

/// What the numbers of each row mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// One number: a prediction, or a score of unknown scale.
    Number,
    /// The probability of the positive one of two classes.
    Probability,
    /// The probability of each of several classes.
    Classes(usize),
    /// Several numbers that are no probabilities; [`Apply::Softmax`] makes them such.
    Scores(usize),
}

/// What is done to the numbers of each row after the graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Apply {
    /// Nothing.
    #[default]
    None,
    /// `1 / (1 + exp(-x))` of the one number.
    Sigmoid,
    /// Exponents in proportion, of several numbers.
    Softmax,
}

/// What numbers for some rows mean: (rows, numbers). A single column is a probability only where the
/// graph says so, since a prediction may happen to lie between 0 and 1.
pub(super) fn kind(numbers: &ndarray::Array2<f64>, is_probability: bool) -> OutputKind {
    const TOLERANCE: f64 = 1e-4;
    let finite = || numbers.rows().into_iter().filter(|row| row.iter().all(|x| x.is_finite()));
    let are_shares = finite().next().is_some()
        && finite().all(|row| row.iter().all(|x| (-TOLERANCE..=1.0 + TOLERANCE).contains(x)));
    let sum_to_one = finite().all(|row| (row.sum() - 1.0).abs() < TOLERANCE);
    match numbers.ncols() {
        1 if are_shares && is_probability => OutputKind::Probability,
        1 => OutputKind::Number,
        2 if are_shares && sum_to_one => OutputKind::Probability,
        n if are_shares && sum_to_one => OutputKind::Classes(n),
        n => OutputKind::Scores(n),
    }
}
