//! Reason codes: why a decision went against someone, in at most four columns.
//!
//! Regulation B (12 CFR 1002.9, interpretation 9(b)(2)-5) names two ways to choose the principal
//! reasons: those factors in which the applicant fell furthest below the average of the applicants
//! at or slightly above the minimum passing score, or below the average of all applicants. Both
//! are here for linear families, column by column and on the scale of the linear score. Protected
//! attributes are never told.

use crate::models::{Averages, Model, Near, Predictor};

/// At most so many reasons: more are not likely to help (interpretation 9(b)(2)-1).
pub const MOST: usize = 4;

/// Which outcome goes against the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adverse {
    /// The positive class, such as default or fraud.
    #[default]
    Positive,
    /// The negative class, where the positive one is what is wished for.
    Negative,
}

/// With whom the person is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Background {
    /// Those who passed at or just beyond the threshold: method (A).
    NearThreshold,
    /// Everyone: method (B).
    #[default]
    All,
}

impl Background {
    /// The words for it, as they are told beside reasons.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NearThreshold => {
                "furthest from the average of those who passed at or slightly beyond the threshold"
            }
            Self::All => "furthest from the average of all applicants in training",
        }
    }
}

/// One principal reason.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Reason {
    /// The column.
    pub feature: String,
    /// By how much it moved the linear score against the person, compared with the average.
    pub shortfall: f64,
}

/// The reasons for one decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Reasons {
    /// With whom the person was compared.
    pub background: Background,
    /// The principal reasons, the weightiest first.
    pub reasons: Vec<Reason>,
    /// Whether a protected attribute weighed as much as a reason; it is not named.
    pub withheld: bool,
}

/// Gives reasons for the rows of one linear model.
#[derive(Clone, Debug)]
pub struct Reasoner {
    /// The columns of the table, in the order of the recipe.
    features: Vec<String>,
    is_protected: Vec<bool>,
    /// For each column of the matrix the place of the column of the table.
    columns: Vec<usize>,
    coefficients: Vec<f64>,
    averages: Averages,
    /// Minus one where the negative class is the adverse one.
    sign: f64,
    adverse: Adverse,
}

impl Reasoner {
    /// Prepares a model for decisions at a threshold; `None` where the methods do not apply: it is
    /// not linear, not of two classes, or keeps no averages.
    pub fn new(model: &Model, adverse: Adverse, threshold: f64) -> Option<Self> {
        let Predictor::Linear { coefficients, .. } = &model.predictor else { return None };
        let averages = model.averages.clone()?;
        if model.classes.len() != 2 || averages.all.len() != coefficients.len() {
            return None;
        }
        let mut features: Vec<String> = Vec::new();
        let mut columns = Vec::new();
        for output in &model.recipe.outputs {
            let place = features.iter().position(|name| *name == output.column);
            columns.push(place.unwrap_or(features.len()));
            if place.is_none() {
                features.push(output.column.clone());
            }
        }
        Some(Self {
            is_protected: features.iter().map(|name| model.protected.contains(name)).collect(),
            features,
            columns,
            coefficients: coefficients.clone(),
            averages: about(averages, threshold),
            sign: if adverse == Adverse::Positive { 1.0 } else { -1.0 },
            adverse,
        })
    }

    /// Those who passed just beyond the threshold, where any are known.
    pub fn near(&self) -> Option<&Near> {
        match self.adverse {
            Adverse::Positive => self.averages.below.as_ref(),
            Adverse::Negative => self.averages.above.as_ref(),
        }
    }

    /// How many rows stand behind an average.
    pub fn n_behind(&self, background: Background) -> usize {
        match background {
            Background::All => self.averages.n,
            Background::NearThreshold => self.near().map_or(0, |near| near.n),
        }
    }

    /// The reasons of a row of the matrix; `None` where nobody is known who passed near the
    /// threshold: nobody did in training, or it was moved since.
    pub fn reasons(&self, row: &[f64], background: Background) -> Option<Reasons> {
        let means = match background {
            Background::All => &self.averages.all,
            Background::NearThreshold => &self.near()?.means,
        };
        let mut against = vec![0.0; self.features.len()];
        for (at, column) in self.columns.iter().enumerate() {
            against[*column] += self.sign * self.coefficients[at] * (row[at] - means[at]);
        }
        let mut order: Vec<usize> = (0..against.len()).filter(|at| against[*at] > 0.0).collect();
        // Equal ones stay in the order of the columns.
        order.sort_by(|a, b| against[*b].total_cmp(&against[*a]));
        let withheld = order.iter().take(MOST).any(|at| self.is_protected[*at]);
        let told = order.into_iter().filter(|at| !self.is_protected[*at]).take(MOST);
        let reasons = told
            .map(|at| Reason { feature: self.features[at].clone(), shortfall: against[at] })
            .collect();
        Some(Reasons { background, reasons, withheld })
    }
}

/// The averages as they are at a threshold. Those of the rows near it were taken at the threshold of
/// the training; they still hold where no training row lies between that and this one.
fn about(mut averages: Averages, threshold: f64) -> Averages {
    let is_above = |near: &Near| near.low >= threshold;
    let is_below = |near: &Near| near.high < threshold;
    if !averages.below.as_ref().is_none_or(is_below)
        || !averages.above.as_ref().is_none_or(is_above)
    {
        (averages.below, averages.above) = (None, None);
    }
    averages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Kind, Task};
    use crate::features::{Encoding, FittedRecipe, Input, Output, Source};
    use crate::models::Link;

    fn model() -> Model {
        let input = |name: &str| Input {
            name: name.into(),
            kind: Kind::Number,
            encoding: Encoding::Number,
            special: vec![],
            missing: 0.0,
            min: None,
            max: None,
            mean: None,
            levels: vec![],
        };
        let output = |column: &str, name: &str| Output {
            name: name.into(),
            column: column.into(),
            source: Source::Number { fill: 0.0, low: None, high: None },
            offset: 0.0,
            scale: 1.0,
        };
        let recipe = FittedRecipe {
            inputs: ["income", "job", "sex", "debt"].map(input).to_vec(),
            outputs: vec![
                output("income", "income"),
                output("job", "job = a"),
                output("job", "job = b"),
                output("sex", "sex"),
                output("debt", "debt"),
            ],
            ..FittedRecipe::default()
        };
        Model {
            kind: "logistic".into(),
            task: Task::Binary,
            target: "bad".into(),
            classes: vec!["no".into(), "yes".into()],
            threshold: 0.5,
            recipe,
            sight: None,
            predictor: Predictor::Linear {
                intercept: 0.1,
                coefficients: vec![-1.0, 2.0, -0.5, 3.0, 0.25],
                link: Link::Logit,
            },
            averages: Some(Averages {
                all: vec![0.0, 0.5, 0.5, 0.0, 1.0],
                n: 100,
                below: Some(Near {
                    means: vec![-3.0, 0.5, 0.5, 0.0, 0.0],
                    n: 12,
                    low: 0.45,
                    high: 0.49,
                }),
                above: None,
                made: 0,
            }),
            reference: None,
            protected: vec!["sex".into()],
        }
    }

    fn told(reasons: &Reasons) -> Vec<(&str, f64)> {
        reasons.reasons.iter().map(|r| (r.feature.as_str(), r.shortfall)).collect()
    }

    #[test]
    fn dummies_count_as_one_column_and_protected_ones_are_withheld() {
        let reasoner = Reasoner::new(&model(), Adverse::Positive, 0.5).unwrap();
        let row = [-2.0, 1.0, 0.0, 1.0, 3.0];
        let reasons = reasoner.reasons(&row, Background::All).unwrap();
        // income -1 x (-2 - 0) = 2; job 2 x 0.5 - 0.5 x -0.5 = 1.25; debt 0.25 x 2 = 0.5.
        assert_eq!(told(&reasons), [("income", 2.0), ("job", 1.25), ("debt", 0.5)]);
        assert!(reasons.withheld);
    }

    #[test]
    fn the_two_methods_of_regulation_b_differ_by_whom_one_is_compared_with() {
        let reasoner = Reasoner::new(&model(), Adverse::Positive, 0.5).unwrap();
        let row = [-2.0, 1.0, 0.0, 0.0, 3.0];
        let reasons = reasoner.reasons(&row, Background::NearThreshold).unwrap();
        // Those near the threshold earn -3 on average, so income speaks for the person.
        assert_eq!(told(&reasons), [("job", 1.25), ("debt", 0.75)]);
        assert!(!reasons.withheld);
    }

    #[test]
    fn a_threshold_that_was_moved_has_nobody_near_it() {
        let row = [-2.0, 1.0, 0.0, 0.0, 3.0];
        for (threshold, is_known) in [(0.5, true), (0.495, true), (0.47, false), (0.2, false)] {
            let reasoner = Reasoner::new(&model(), Adverse::Positive, threshold).unwrap();
            let told = reasoner.reasons(&row, Background::NearThreshold);
            assert_eq!(told.is_some(), is_known, "{threshold}");
            assert!(reasoner.reasons(&row, Background::All).is_some());
        }
    }

    #[test]
    fn where_the_positive_class_is_wished_for_the_signs_turn() {
        let reasoner = Reasoner::new(&model(), Adverse::Negative, 0.5).unwrap();
        let row = [2.0, 0.0, 1.0, 0.0, 1.0];
        let reasons = reasoner.reasons(&row, Background::All).unwrap();
        assert_eq!(told(&reasons), [("income", 2.0), ("job", 1.25)]);
        assert_eq!(reasoner.reasons(&row, Background::NearThreshold), None);
    }
}
