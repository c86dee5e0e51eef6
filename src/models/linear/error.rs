//! Why a fit was refused or failed, in words for a person.

use super::Solver;
use crate::jobs::Cancelled;

/// Why there is no fit.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The work was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// There is no row to learn from.
    #[error("there are no rows to learn from")]
    NoRows,
    /// Matrix, target, weights and names do not belong together.
    #[error("the matrix has {expected} {what}, but {found} were given")]
    Shape {
        /// What was counted.
        what: &'static str,
        /// How many the matrix has.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// A feature holds a value one cannot compute with.
    #[error(
        "column `{column}` has no finite value in row {row}\nhint: add `impute` to the recipe, or drop the column"
    )]
    NotFinite {
        /// The column's name.
        column: String,
        /// The first such row, from 1.
        row: usize,
    },
    /// A feature whose squares overflow.
    #[error("column `{column}` holds values too large to compute with\nhint: change its unit")]
    TooLarge {
        /// The column's name.
        column: String,
    },
    /// The target holds a value one cannot compute with.
    #[error(
        "the target has no finite value in row {row}\nhint: leave out the rows without a target"
    )]
    TargetNotFinite {
        /// The first such row, from 1.
        row: usize,
    },
    /// A weight that is no weight.
    #[error("the weight in row {row} is `{weight}`\nhint: weights are numbers from 0 up")]
    Weight {
        /// The row, from 1.
        row: usize,
        /// What stands there.
        weight: f64,
    },
    /// All weights are zero.
    #[error("every row has the weight 0")]
    NoWeight,
    /// A classifier was given one class.
    #[error(
        "all rows are of one class\nhint: choose a target with two classes, or a split that leaves both in the training rows"
    )]
    OneClass,
    /// A classifier was given a target that is not 0 or 1.
    #[error("the target in row {row} is `{value}`, neither 0 nor 1\nhint: use `linear` or `ridge`")]
    NotBinary {
        /// The row, from 1.
        row: usize,
        /// What stands there.
        value: f64,
    },
    /// A classifier of several classes was given a target that is no index of one.
    #[error("the target in row {row} is `{value}`, but classes are counted from 0 to {}", n_classes - 1)]
    NoClass {
        /// The row, from 1.
        row: usize,
        /// What stands there.
        value: f64,
        /// How many classes there are.
        n_classes: usize,
    },
    /// A solver that tells two classes apart was asked for several.
    #[error("solver `{solver}` tells two classes apart\nhint: use solver `irls` for several")]
    SolverClasses {
        /// Which one.
        solver: Solver,
    },
    /// A pair of class weights was given for several classes.
    #[error(
        "two class weights were given for {n_classes} classes\nhint: set `class_weight` to balanced, or to none"
    )]
    PairOfWeights {
        /// How many classes there are.
        n_classes: usize,
    },
    /// There is nothing to explain.
    #[error(
        "the target is `{value}` in every row\nhint: choose a target that varies in the training rows"
    )]
    ConstantTarget {
        /// The one value.
        value: f64,
    },
    /// There is nothing to explain it with.
    #[error("no feature varies in the training rows\nhint: add a feature")]
    NoFeatures,
    /// More unknowns than rows.
    #[error(
        "{rows} rows cannot determine {unknowns} coefficients\nhint: use a penalty (`ridge`, or `logistic` with `alpha` above 0), or fewer features"
    )]
    TooFewRows {
        /// Rows that count.
        rows: usize,
        /// Unknowns, the intercept included.
        unknowns: usize,
    },
    /// Descent left the valley.
    #[error(
        "the loss grew instead of falling (epoch {epoch}, `learning_rate` = {learning_rate})\nhint: use a smaller `learning_rate`, such as {}", learning_rate / 10.0
    )]
    Diverged {
        /// When it was given up.
        epoch: usize,
        /// The rate that was too large.
        learning_rate: f64,
    },
    /// Row weights were given to a solver that has none.
    #[error("solver `lbfgs` knows no weights\nhint: use solver `irls`")]
    LbfgsWeights,
    /// A call into linfa failed or panicked.
    #[error("the solver gave up: {0}")]
    Linfa(String),
}

/// Calls into linfa, which may panic, and turns whatever goes wrong into an error.
pub(super) fn guarded<T, E: std::fmt::Display>(
    call: impl FnOnce() -> Result<T, E>,
) -> Result<T, Error> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Error::Linfa(error.to_string())),
        Err(_) => Err(Error::Linfa("a numerical routine stopped".into())),
    }
}
