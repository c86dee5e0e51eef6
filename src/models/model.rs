//! A model: a fitted predictor together with its fitted recipe and its input contract.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Averages;
use super::foreign::ForeignModel;
use super::network::FittedNetwork;
use crate::data::Task;
use crate::features::FittedRecipe;
use crate::features::reference::Reference;
use crate::features::sight::FittedSight;

/// How a linear score becomes a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The score is the prediction.
    Identity,
    /// The prediction is the probability `1 / (1 + exp(-score))`.
    Logit,
}

/// What was fitted.
#[derive(Clone, Debug, PartialEq)]
pub enum Predictor {
    /// The same for everyone: the mean, or the share of the positive class.
    Constant(f64),
    /// An intercept and one coefficient for each column of the matrix.
    Linear {
        /// The intercept.
        intercept: f64,
        /// One coefficient for each column that the recipe makes.
        coefficients: Vec<f64>,
        /// From score to prediction.
        link: Link,
    },
    /// The share of each of several classes, the same for everyone.
    Shares(Vec<f64>),
    /// A linear score for each of several classes; their exponents are in proportion to the
    /// probabilities.
    Softmax {
        /// The intercept of each class; minus infinity for one that cannot be.
        intercepts: Vec<f64>,
        /// For each class one coefficient for each column that the recipe makes.
        coefficients: Vec<Vec<f64>>,
    },
    /// A network.
    Network(Box<FittedNetwork>),
    /// A model that was made elsewhere.
    Foreign(Box<ForeignModel>),
}

/// A fitted predictor together with its fitted recipe and what it asks of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The kind, as the catalog names it.
    pub kind: String,
    /// Regression or classification.
    pub task: Task,
    /// The column it predicts.
    pub target: String,
    /// For two classes the negative and the positive one, for several all of them in the order of
    /// the table's levels; empty for regression.
    pub classes: Vec<String>,
    /// Above this score a row is called positive.
    pub threshold: f64,
    /// From table to matrix, which is also the input contract: names, kinds, ranges, levels.
    pub recipe: FittedRecipe,
    /// From table to what a network looks at, besides the matrix; nothing for all other families
    /// and for networks of plain tables.
    pub sight: Option<FittedSight>,
    /// From matrix to score.
    pub predictor: Predictor,
    /// What the columns of the matrix were on average in training; nothing for networks and for
    /// models of earlier versions.
    pub averages: Option<Averages>,
    /// What columns and scores were like in training, against which drift is measured.
    pub reference: Option<Arc<Reference>>,
    /// The features with a protected mark; they are never told as a reason.
    pub protected: Vec<String>,
}
