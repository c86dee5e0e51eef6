//! The catalog: every kind of model, with its parameters, their defaults and their ranges.

mod networks;

use super::Error;
use super::network::DEFAULTS;
use crate::data::{Task, nearest};

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParamKind {
    /// A number from `min` to `max`.
    Float {
        /// The smallest.
        min: f64,
        /// The largest.
        max: f64,
    },
    /// The word `auto`, which leaves the choice to the solver, or a number from `min` to `max`.
    AutoOrFloat {
        /// The smallest.
        min: f64,
        /// The largest.
        max: f64,
    },
    /// A whole number from `min` to `max`.
    Int {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
    },
    /// True or false.
    Bool,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `none`, `balanced`, or the weights of the negative and of the positive class as `1,5`.
    ClassWeight,
    /// A learning rate: `auto`, `find`, or a number.
    Rate,
    /// A network in words.
    Network,
    /// Any words, which whoever reads them checks.
    Text,
}

/// One parameter of a kind of model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParamInfo {
    /// The name that is typed; that of scikit-learn where it has one.
    pub name: &'static str,
    /// The value when none is given, as it would be typed.
    pub default: &'static str,
    /// What it may be, in words.
    pub range: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// What it may be, for the check.
    pub kind: ParamKind,
}

impl ParamInfo {
    /// The values to choose from, when those are a short list.
    pub fn choices(&self) -> Vec<String> {
        let words: &[&str] = match self.kind {
            ParamKind::Bool => &["true", "false"],
            ParamKind::Choice(words) => words,
            ParamKind::ClassWeight => &["none", "balanced"],
            ParamKind::Rate => &["auto", "find"],
            ParamKind::Float { .. }
            | ParamKind::AutoOrFloat { .. }
            | ParamKind::Int { .. }
            | ParamKind::Network
            | ParamKind::Text => &[],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}

/// One kind of model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KindInfo {
    /// The name used in files, flags and requests. It never changes.
    pub name: &'static str,
    /// The name as a heading.
    pub label: &'static str,
    /// What carries out the fit.
    pub library: &'static str,
    /// What it is good for.
    pub about: &'static str,
    /// The questions it can answer.
    pub tasks: &'static [Task],
    /// The model as a formula in plain text.
    pub formula: &'static str,
    /// What is minimised, and how the parameters enter it.
    pub objective: &'static str,
    /// Its parameters, most important first.
    pub params: &'static [ParamInfo],
}

impl KindInfo {
    /// What is known of a parameter.
    pub fn param(&self, name: &str) -> Option<&'static ParamInfo> {
        self.params.iter().find(|param| param.name == name)
    }

    /// Whether it can answer such a question.
    pub fn can(&self, task: Task) -> bool {
        self.tasks.contains(&task)
    }
}

/// Looks a kind up by its name; the error names the nearest one.
pub fn kind(name: &str) -> Result<&'static KindInfo, Error> {
    CATALOG.iter().find(|kind| kind.name == name).ok_or_else(|| {
        let names = CATALOG.iter().map(|kind| kind.name);
        let hint = match nearest(name, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the models are {}", names.collect::<Vec<_>>().join(", ")),
        };
        Error::NoKind { kind: name.to_owned(), hint }
    })
}

const ALPHA: ParamInfo = ParamInfo {
    name: "alpha",
    default: "1",
    range: "0 … 1e12",
    about: "weight of the squared penalty on the coefficients, 1/C of scikit-learn; 0 for none",
    kind: ParamKind::Float { min: 0.0, max: 1e12 },
};
const STANDARDIZE: ParamInfo = ParamInfo {
    name: "standardize",
    default: "true",
    range: "true, false",
    about: "whether the penalty sees every column scaled to a standard deviation (divisor n) of 1",
    kind: ParamKind::Bool,
};
const FIT_INTERCEPT: ParamInfo = ParamInfo {
    name: "fit_intercept",
    default: "true",
    range: "true, false",
    about: "whether there is an intercept, which is never penalised",
    kind: ParamKind::Bool,
};
const SOLVER_SQUARES: ParamInfo = ParamInfo {
    name: "solver",
    default: "closed",
    range: "closed, gd, sgd",
    about: "closed solves in one go; gd and sgd go downhill step by step, to be watched",
    kind: ParamKind::Choice(&["closed", "gd", "sgd"]),
};
const SOLVER_LOGISTIC: ParamInfo = ParamInfo {
    name: "solver",
    default: "irls",
    range: "irls, lbfgs, gd, sgd",
    about: "irls is Newton's method; lbfgs knows no weights; gd and sgd go downhill step by step; \
            several classes are always fitted by L-BFGS and then Newton's method",
    kind: ParamKind::Choice(&["irls", "lbfgs", "gd", "sgd"]),
};
const CLASS_WEIGHT: ParamInfo = ParamInfo {
    name: "class_weight",
    default: "none",
    range: "none, balanced, or two weights such as 1,5",
    about: "how much the rows of each class count; other than none it bends the probabilities; \
            several classes take none or balanced",
    kind: ParamKind::ClassWeight,
};
const MAX_ITER: ParamInfo = ParamInfo {
    name: "max_iter",
    default: "100",
    range: "1 … 1000000",
    about: "the most iterations of irls and lbfgs",
    kind: ParamKind::Int { min: 1, max: 1_000_000 },
};
const TOL: ParamInfo = ParamInfo {
    name: "tol",
    default: "1e-8",
    range: "1e-15 … 0.1",
    about: "when to stop: the change of the coefficients (irls), else the gradient of the mean loss",
    kind: ParamKind::Float { min: 1e-15, max: 0.1 },
};
const LEARNING_RATE: ParamInfo = ParamInfo {
    name: "learning_rate",
    default: "auto",
    range: "auto (0.1 for gd, 0.01 for sgd), or 1e-9 … 1000",
    about: "length of a step of gd and sgd, on scaled columns",
    kind: ParamKind::AutoOrFloat { min: 1e-9, max: 1e3 },
};
const BATCH_SIZE: ParamInfo = ParamInfo {
    name: "batch_size",
    default: "32",
    range: "1 … 1000000",
    about: "rows in a step of sgd",
    kind: ParamKind::Int { min: 1, max: 1_000_000 },
};
const EPOCHS: ParamInfo = ParamInfo {
    name: "epochs",
    default: "200",
    range: "1 … 1000000",
    about: "passes of gd and sgd over the rows",
    kind: ParamKind::Int { min: 1, max: 1_000_000 },
};

const NET_OBJECTIVE: &str = "mean squared error, or the mean negative logarithm of the probability \
                             given to what happened, + weight_decay / 2 * sum of w^2";
const NET_FORMULA: &str = "y = layer(... layer(layer(x)))";

const ANY: &[Task] = &[Task::Regression, Task::Binary];
const EVERY: &[Task] = &[Task::Regression, Task::Binary, Task::Multiclass];

/// Every kind of model, simplest first.
pub const CATALOG: &[KindInfo] = &[
    KindInfo {
        name: "baseline",
        label: "Baseline",
        library: "karat",
        about: "the mean of the target, or the share of each class, for every row: what any other \
                model has to beat",
        tasks: &[Task::Regression, Task::Binary, Task::Multiclass],
        formula: "y = b0",
        objective: "b0 = mean of y",
        params: &[],
    },
    KindInfo {
        name: "linear",
        label: "Linear regression",
        library: "linfa-linear",
        about: "a weight for each feature by least squares; for numbers, with standard errors and \
                p-values. On a yes/no target its score ranks well but is no probability",
        tasks: ANY,
        formula: "y = b0 + b1 x1 + b2 x2 + ...",
        objective: "sum of (y - score)^2",
        params: &[SOLVER_SQUARES, FIT_INTERCEPT, TOL, LEARNING_RATE, BATCH_SIZE, EPOCHS],
    },
    KindInfo {
        name: "ridge",
        label: "Ridge regression",
        library: "linfa-linear",
        about: "least squares that shrinks the weights: steadier with many or correlated features, \
                or with more features than rows",
        tasks: ANY,
        formula: "y = b0 + b1 x1 + b2 x2 + ...",
        objective: "sum of (y - score)^2 + alpha * (b1^2 + b2^2 + ...)",
        params: &[
            ALPHA,
            STANDARDIZE,
            SOLVER_SQUARES,
            FIT_INTERCEPT,
            TOL,
            LEARNING_RATE,
            BATCH_SIZE,
            EPOCHS,
        ],
    },
    KindInfo {
        name: "logistic",
        label: "Logistic regression",
        library: "linfa-logistic",
        about: "the probability of each class, of two with an odds ratio for each feature: the standard \
                of credit scoring. With alpha = 0 also standard errors and p-values. Of several \
                classes it is multinomial",
        tasks: &[Task::Binary, Task::Multiclass],
        formula: "ln(p / (1 - p)) = b0 + b1 x1 + b2 x2 + ...; of several classes ln(p_k) = b0_k + \
                  b1_k x1 + b2_k x2 + ... less what makes them add up to 1",
        objective: "sum of log-losses + alpha / 2 * (b1^2 + b2^2 + ...)",
        params: &[
            ALPHA,
            CLASS_WEIGHT,
            STANDARDIZE,
            SOLVER_LOGISTIC,
            FIT_INTERCEPT,
            MAX_ITER,
            TOL,
            LEARNING_RATE,
            BATCH_SIZE,
            EPOCHS,
        ],
    },
    KindInfo {
        name: "mlp",
        label: "Multilayer perceptron",
        library: "karat nn",
        about: "dense layers over all features: finds interactions that a linear model is blind to",
        tasks: EVERY,
        formula: NET_FORMULA,
        objective: NET_OBJECTIVE,
        params: &networks::params(DEFAULTS[0].1, "table"),
    },
    KindInfo {
        name: "fcn",
        label: "Convolutional network for series",
        library: "karat nn",
        about: "kernels that slide along series in columns, or along windows of rows in the order of time: the standard for time-series classification",
        tasks: EVERY,
        formula: NET_FORMULA,
        objective: NET_OBJECTIVE,
        params: &networks::params(DEFAULTS[1].1, "auto"),
    },
    KindInfo {
        name: "resnet1d",
        label: "Residual network for series",
        library: "karat nn",
        about: "three blocks of three convolutions with shortcuts: the strongest for many series, and slow",
        tasks: EVERY,
        formula: NET_FORMULA,
        objective: NET_OBJECTIVE,
        params: &networks::params(DEFAULTS[2].1, "auto"),
    },
    KindInfo {
        name: "lenet",
        label: "Convolutional network for images",
        library: "karat nn",
        about: "two convolutions over small images, as they read the first cheques",
        tasks: EVERY,
        formula: NET_FORMULA,
        objective: NET_OBJECTIVE,
        params: &networks::params(DEFAULTS[3].1, "auto"),
    },
    KindInfo {
        name: "cnn2d",
        label: "Deeper network for images",
        library: "karat nn",
        about: "four convolutions of 3 x 3 with batch norm and dropout",
        tasks: EVERY,
        formula: NET_FORMULA,
        objective: NET_OBJECTIVE,
        params: &networks::params(DEFAULTS[4].1, "auto"),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_entry_says_something() {
        for (idx, kind) in CATALOG.iter().enumerate() {
            assert!(CATALOG[..idx].iter().all(|other| other.name != kind.name), "{}", kind.name);
            assert!(!kind.about.is_empty() && !kind.formula.is_empty() && !kind.tasks.is_empty());
            for (at, param) in kind.params.iter().enumerate() {
                assert!(kind.params[..at].iter().all(|other| other.name != param.name));
                let choices = param.choices();
                assert!(choices.is_empty() || choices.iter().any(|c| c == param.default));
            }
        }
    }

    #[test]
    fn an_unknown_kind_is_answered_with_the_nearest() {
        assert_eq!(kind("ridge").unwrap().label, "Ridge regression");
        let text = kind("logistc").unwrap_err().to_string();
        assert_eq!(text, "no model `logistc`\nhint: did you mean `logistic`?");
        assert!(kind("forest").unwrap_err().to_string().contains("baseline, linear"));
    }
}
