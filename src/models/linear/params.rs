//! What a person may set, and the check that stands between typing and fitting.

use std::{fmt, str::FromStr};

use crate::rng::Seed;

/// The families of linear models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Ordinary least squares.
    Linear,
    /// Least squares with a squared penalty on the coefficients.
    Ridge,
    /// Logistic regression of a target of 0 and 1, with a squared penalty when `alpha` is not 0.
    Logistic,
}

impl Family {
    /// The solvers that can fit this family, the default first.
    pub fn solvers(self) -> &'static [Solver] {
        match self {
            Self::Linear | Self::Ridge => &[Solver::Closed, Solver::Gd, Solver::Sgd],
            Self::Logistic => &[Solver::Irls, Solver::Lbfgs, Solver::Gd, Solver::Sgd],
        }
    }
}

/// How the optimum is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Solver {
    /// In one go: the normal equations or the QR triangle.
    Closed,
    /// Iteratively reweighted least squares (Newton's method).
    Irls,
    /// The quasi-Newton method of linfa-logistic.
    Lbfgs,
    /// Gradient descent on all rows at once.
    Gd,
    /// Gradient descent on small batches of shuffled rows.
    Sgd,
}

impl Solver {
    /// Every solver, in the order of the list that a person sees.
    pub const ALL: &[Self] = &[Self::Closed, Self::Irls, Self::Lbfgs, Self::Gd, Self::Sgd];

    /// The `learning_rate` that is taken when none is given; `None` for solvers without one. A
    /// batch may consist of rare rows with large values, which calls for shorter steps.
    pub fn learning_rate(self) -> Option<f64> {
        match self {
            Self::Gd => Some(0.1),
            Self::Sgd => Some(0.01),
            Self::Closed | Self::Irls | Self::Lbfgs => None,
        }
    }

    /// The name that is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Irls => "irls",
            Self::Lbfgs => "lbfgs",
            Self::Gd => "gd",
            Self::Sgd => "sgd",
        }
    }
}

impl fmt::Display for Solver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Solver {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|solver| solver.name() == text);
        found.copied().ok_or_else(|| format!("`{text}` is none of {}", listed(Self::ALL)))
    }
}

/// How much more the rows of one class count than those of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ClassWeight {
    /// Every row counts once.
    #[default]
    None,
    /// Both classes count the same in all: `n / (2 * n_class)`, as scikit-learn has it.
    Balanced,
    /// Rows of class 0 and of class 1 count this much.
    Given {
        /// Of class 0.
        neg: f64,
        /// Of class 1.
        pos: f64,
    },
}

impl fmt::Display for ClassWeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.pad("none"),
            Self::Balanced => f.pad("balanced"),
            Self::Given { neg, pos } => write!(f, "{neg},{pos}"),
        }
    }
}

impl FromStr for ClassWeight {
    type Err = String;

    /// Reads `none`, `balanced`, or the weights of class 0 and class 1 as `1,5`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is none of none, balanced, or two weights such as 1,5");
        match text {
            "none" => Ok(Self::None),
            "balanced" => Ok(Self::Balanced),
            pair => {
                let (neg, pos) = pair.split_once(',').ok_or_else(wrong)?;
                let number = |part: &str| part.trim().parse().map_err(|_| wrong());
                Ok(Self::Given { neg: number(neg)?, pos: number(pos)? })
            }
        }
    }
}

/// What is set, not yet checked. Names follow scikit-learn; `alpha` is its `1 / C`.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// Which model.
    pub family: Family,
    /// The weight of the squared penalty: `alpha * |w|^2` is added to the sum of squares, and
    /// `alpha / 2 * |w|^2` to the sum of log-losses. The intercept is free of it.
    pub alpha: f64,
    /// How the optimum is found.
    pub solver: Solver,
    /// Whether the penalty applies to columns scaled to a standard deviation (divisor n) of 1.
    pub standardize: bool,
    /// Whether there is an intercept.
    pub fit_intercept: bool,
    /// How much the classes count; logistic regression only.
    pub class_weight: ClassWeight,
    /// The most iterations of `irls` and `lbfgs`.
    pub max_iter: usize,
    /// When to stop: `irls` at this relative change of the coefficients; `lbfgs`, `gd` and `sgd`
    /// at this largest component of the gradient of the mean loss, on scaled columns.
    pub tol: f64,
    /// Length of a step of `gd` and `sgd`, on scaled columns; `None` for the solver's own. That of
    /// `sgd` shrinks to 0 along half a cosine.
    pub learning_rate: Option<f64>,
    /// Rows in a step of `sgd`.
    pub batch_size: usize,
    /// Passes of `gd` and `sgd` over the rows.
    pub epochs: usize,
    /// The seed from which `sgd` shuffles.
    pub seed: Seed,
}

impl Params {
    /// The defaults of a family.
    pub fn new(family: Family) -> Self {
        Self {
            family,
            alpha: if family == Family::Linear { 0.0 } else { 1.0 },
            solver: family.solvers()[0],
            standardize: true,
            fit_intercept: true,
            class_weight: ClassWeight::None,
            max_iter: 100,
            tol: 1e-8,
            learning_rate: None,
            batch_size: 32,
            epochs: 200,
            seed: Seed::default(),
        }
    }

    /// Checks every field.
    ///
    /// # Errors
    /// All fields that are wrong, not the first alone.
    ///
    /// ```
    /// use karat::models::linear::{Family, Params};
    ///
    /// let wrong = Params { alpha: -1.0, epochs: 0, ..Params::new(Family::Ridge) };
    /// let fields: Vec<_> = wrong.check().unwrap_err().iter().map(|e| e.field).collect();
    /// assert_eq!(fields, ["alpha", "epochs"]);
    /// ```
    pub fn check(self) -> Result<ValidParams, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut require = |holds: bool, field, message: String| {
            if !holds {
                errors.push(FieldError { field, message });
            }
        };
        let positive = |value: f64| value.is_finite() && 0.0 < value;
        let alpha = self.alpha;
        require(
            alpha.is_finite() && 0.0 <= alpha,
            "alpha",
            format!("`alpha` is {alpha}, but must be 0 or more"),
        );
        require(
            self.family != Family::Linear || alpha == 0.0 || !alpha.is_finite() || alpha < 0.0,
            "alpha",
            "`linear` has no penalty\nhint: use `ridge`".into(),
        );
        require(
            self.family.solvers().contains(&self.solver),
            "solver",
            format!(
                "solver `{}` does not fit this model, but {} do",
                self.solver,
                listed(self.family.solvers())
            ),
        );
        let (weightless, logistic) =
            (self.class_weight == ClassWeight::None, self.family == Family::Logistic);
        require(
            weightless || logistic,
            "class_weight",
            "`class_weight` needs a classifier\nhint: use `logistic`".into(),
        );
        require(
            weightless || self.solver != Solver::Lbfgs,
            "class_weight",
            "solver `lbfgs` knows no weights\nhint: use solver `irls`".into(),
        );
        if let ClassWeight::Given { neg, pos } = self.class_weight {
            require(
                positive(neg) && positive(pos),
                "class_weight",
                format!("`class_weight` is {neg},{pos}, but both must be above 0"),
            );
        }
        require(0 < self.max_iter, "max_iter", "`max_iter` is 0, but must be 1 or more".into());
        require(
            positive(self.tol) && self.tol < 1.0,
            "tol",
            format!("`tol` is {}, but must lie between 0 and 1", self.tol),
        );
        require(
            self.learning_rate.is_none_or(positive),
            "learning_rate",
            format!(
                "`learning_rate` is {}, but must be above 0",
                self.learning_rate.unwrap_or_default()
            ),
        );
        require(
            0 < self.batch_size,
            "batch_size",
            "`batch_size` is 0, but must be 1 or more".into(),
        );
        require(0 < self.epochs, "epochs", "`epochs` is 0, but must be 1 or more".into());
        if errors.is_empty() { Ok(ValidParams(self)) } else { Err(errors) }
    }
}

/// Parameters that were checked; only these can be fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidParams(Params);

impl ValidParams {
    /// What was set.
    pub fn get(&self) -> &Params {
        &self.0
    }
}

/// A field that cannot be what it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FieldError {
    /// The field, as it is typed.
    pub field: &'static str,
    /// What is wrong with it, with a hint where there is a remedy.
    pub message: String,
}

fn listed(solvers: &[Solver]) -> String {
    solvers.iter().map(|solver| solver.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong_fields(params: Params) -> Vec<&'static str> {
        params.check().err().into_iter().flatten().map(|error| error.field).collect()
    }

    #[test]
    fn defaults_are_valid() {
        for family in [Family::Linear, Family::Ridge, Family::Logistic] {
            assert_eq!(wrong_fields(Params::new(family)), Vec::<&str>::new());
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        let params = Params {
            alpha: f64::NAN,
            solver: Solver::Irls,
            class_weight: ClassWeight::Given { neg: -1.0, pos: 1.0 },
            max_iter: 0,
            tol: 0.0,
            learning_rate: Some(-0.1),
            batch_size: 0,
            epochs: 0,
            ..Params::new(Family::Ridge)
        };
        let expected = [
            "alpha",
            "solver",
            "class_weight",
            "class_weight",
            "max_iter",
            "tol",
            "learning_rate",
            "batch_size",
            "epochs",
        ];
        assert_eq!(wrong_fields(params), expected);
        let linear = Params { alpha: 1.0, ..Params::new(Family::Linear) };
        assert_eq!(wrong_fields(linear), ["alpha"]);
    }

    #[test]
    fn what_is_shown_can_be_typed() {
        for solver in Solver::ALL {
            assert_eq!(solver.to_string().parse(), Ok(*solver));
        }
        for weight in
            [ClassWeight::None, ClassWeight::Balanced, ClassWeight::Given { neg: 1.0, pos: 2.5 }]
        {
            assert_eq!(weight.to_string().parse(), Ok(weight));
        }
        assert!("newton".parse::<Solver>().unwrap_err().contains("irls"));
    }
}
