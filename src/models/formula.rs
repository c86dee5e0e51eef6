//! The formula of a fitted model, on the scale of the original columns.

use std::fmt;

use super::{Link, Model, Predictor};
use crate::data::Task;
use crate::features::{Output, Source};

/// A fitted model, written out.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    /// What the sum is equal to: `amount`, or `ln(p / (1 - p)) with p = P(risk = bad)`.
    pub left: String,
    /// The terms of the sum, the intercept first.
    pub terms: Vec<FormulaTerm>,
}

/// One term of a sum.
#[derive(Clone, Debug, PartialEq)]
pub struct FormulaTerm {
    /// The factor, on the scale of the original column.
    pub coefficient: f64,
    /// What it multiplies: `age`, or `[purpose = car]`, which is 1 where that holds and else 0;
    /// nothing for the intercept.
    pub feature: Option<String>,
}

impl Model {
    /// Intercept and coefficients on the scale of the original columns; nothing for a model that
    /// has none.
    pub fn intercept_and_coefficients_on_original_scale(&self) -> Option<(f64, Vec<f64>)> {
        let Predictor::Linear { intercept, coefficients, .. } = &self.predictor else {
            return None;
        };
        Some(self.on_original_scale(*intercept, coefficients))
    }

    /// The formula with the fitted coefficients in it; terms of 0 are left out.
    pub fn formula(&self) -> Formula {
        let what = match (self.task, self.classes.last()) {
            (Task::Binary, Some(positive)) => format!("P({} = {positive})", self.target),
            _ => self.target.clone(),
        };
        let (left, intercept, coefficients) = match &self.predictor {
            Predictor::Constant(value) => (what, *value, Vec::new()),
            Predictor::Foreign(foreign) => {
                let (n, producer) = (foreign.n_nodes, &foreign.producer);
                let left = format!("{what} = an ONNX graph of {n} nodes, made by {producer}");
                return Formula { left, terms: vec![] };
            }
            Predictor::Network(fitted) => {
                return Formula {
                    left: format!("{what} = {}", fitted.network().spec),
                    terms: vec![],
                };
            }
            Predictor::Shares(shares) => return self.formula_of_classes(shares, &[]),
            Predictor::Softmax { .. } => {
                let (intercepts, coefficients) = self.softmax_on_original_scale();
                return self.formula_of_classes(&intercepts, &coefficients);
            }
            Predictor::Linear { link, .. } => {
                let (intercept, coefficients) =
                    self.intercept_and_coefficients_on_original_scale().unwrap_or_default();
                let left = match (link, self.task) {
                    (Link::Logit, _) => format!("ln(p / (1 - p)) with p = {what}"),
                    (Link::Identity, Task::Binary) => format!("score for {what}"),
                    (Link::Identity, _) => what,
                };
                (left, intercept, coefficients)
            }
        };
        let mut terms = vec![FormulaTerm { coefficient: intercept, feature: None }];
        terms.extend(self.terms(&coefficients, ""));
        Formula { left, terms }
    }

    /// For each class the intercept and the coefficients on the scale of the original columns;
    /// nothing for a model that has none.
    pub fn softmax_on_original_scale(&self) -> (Vec<f64>, Vec<Vec<f64>>) {
        let Predictor::Softmax { intercepts, coefficients } = &self.predictor else {
            return (Vec::new(), Vec::new());
        };
        let pairs = intercepts.iter().zip(coefficients);
        pairs.map(|(intercept, own)| self.on_original_scale(*intercept, own)).unzip()
    }

    fn on_original_scale(&self, intercept: f64, coefficients: &[f64]) -> (f64, Vec<f64>) {
        let outputs = &self.recipe.outputs;
        let scaled: Vec<f64> =
            outputs.iter().zip(coefficients).map(|(output, b)| b / output.scale).collect();
        let shift: f64 = outputs.iter().zip(&scaled).map(|(output, b)| b * output.offset).sum();
        (intercept - shift, scaled)
    }

    /// The terms of all classes; each belongs to the class in its braces.
    fn formula_of_classes(&self, intercepts: &[f64], coefficients: &[Vec<f64>]) -> Formula {
        let target = &self.target;
        let left = if coefficients.is_empty() {
            format!("P({target} = class)")
        } else {
            format!("ln P({target} = class), less what makes the probabilities add up to 1,")
        };
        let mut terms = Vec::new();
        for (place, (class, intercept)) in self.classes.iter().zip(intercepts).enumerate() {
            let feature = Some(format!("[{target} = {class}]"));
            terms.push(FormulaTerm { coefficient: *intercept, feature });
            if let Some(own) = coefficients.get(place) {
                terms.extend(self.terms(own, &format!(" [{target} = {class}]")));
            }
        }
        Formula { left, terms }
    }

    /// The terms that are not 0, with something said after each.
    fn terms(&self, coefficients: &[f64], after: &str) -> Vec<FormulaTerm> {
        let named = self.recipe.outputs.iter().zip(coefficients);
        let term = |(output, coefficient): (&Output, &f64)| FormulaTerm {
            coefficient: *coefficient,
            feature: Some(match output.source {
                Source::Number { .. } => format!("{}{after}", output.name),
                _ => format!("[{}]{after}", output.name),
            }),
        };
        named.filter(|(_, coefficient)| **coefficient != 0.0).map(term).collect()
    }
}

impl fmt::Display for FormulaTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.coefficient < 0.0 { '-' } else { '+' };
        write!(f, "{sign} {}", six_digits(self.coefficient.abs()))?;
        match &self.feature {
            Some(feature) => write!(f, " x {feature}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Formula {
    /// One term a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} =", self.left)?;
        self.terms.iter().try_for_each(|term| write!(f, "\n  {term}"))
    }
}

/// Six significant digits without trailing zeros.
fn six_digits(value: f64) -> String {
    if value != 0.0 && !(1e-4..1e9).contains(&value) {
        return format!("{value:.5e}");
    }
    let digits = 5 - if value == 0.0 { 0 } else { value.log10().floor() as i32 };
    let text = format!("{value:.*}", digits.max(0) as usize);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::FittedRecipe;

    fn output(name: &str, source: Source, offset: f64, scale: f64) -> Output {
        Output { name: name.into(), column: name.into(), source, offset, scale }
    }

    fn model() -> Model {
        let number = Source::Number { fill: 0.0, low: None, high: None };
        let level = Source::Level { level: "car".into() };
        Model {
            kind: "logistic".into(),
            task: Task::Binary,
            target: "risk".into(),
            classes: vec!["good".into(), "bad".into()],
            threshold: 0.5,
            sight: None,
            recipe: FittedRecipe {
                outputs: vec![
                    output("age", number, 40.0, 10.0),
                    output("purpose = car", level.clone(), 0.0, 1.0),
                    output("purpose = tv", level, 0.0, 1.0),
                ],
                ..FittedRecipe::default()
            },
            predictor: Predictor::Linear {
                intercept: 1.0,
                coefficients: vec![-0.5, 0.25, 0.0],
                link: Link::Logit,
            },
            averages: None,
            reference: None,
            protected: vec![],
        }
    }

    #[test]
    fn the_formula_speaks_of_the_original_columns() {
        let text = model().formula().to_string();
        let expected = "ln(p / (1 - p)) with p = P(risk = bad) =\n  + 3\n  - 0.05 x age\n  \
                        + 0.25 x [purpose = car]";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_constant_is_a_formula_too() {
        let model = Model { predictor: Predictor::Constant(0.3), ..model() };
        assert_eq!(model.formula().to_string(), "P(risk = bad) =\n  + 0.3");
        assert_eq!(model.intercept_and_coefficients_on_original_scale(), None);
    }

    #[test]
    fn each_of_several_classes_has_terms_of_its_own() {
        let predictor = Predictor::Softmax {
            intercepts: vec![0.5, -0.5],
            coefficients: vec![vec![1.0, 0.0, 0.0], vec![-1.0, 2.0, 0.0]],
        };
        let model = Model { predictor, task: Task::Multiclass, ..model() };
        let expected = "ln P(risk = class), less what makes the probabilities add up to 1, =\n  \
                        - 3.5 x [risk = good]\n  + 0.1 x age [risk = good]\n  \
                        + 3.5 x [risk = bad]\n  - 0.1 x age [risk = bad]\n  \
                        + 2 x [purpose = car] [risk = bad]";
        assert_eq!(model.formula().to_string(), expected);
    }

    #[test]
    fn six_digits_are_shown() {
        for (value, expected) in [
            (0.0, "0"),
            (3.0, "3"),
            (1_234_567.0, "1234567"),
            (0.123_456_789, "0.123457"),
            (12.5, "12.5"),
            (2.5e-7, "2.50000e-7"),
        ] {
            assert_eq!(six_digits(value), expected);
        }
    }

    #[test]
    fn the_threshold_itself_is_positive() {
        let model = model();
        assert_eq!(model.predict(0.5), "bad");
        assert_eq!(model.predict(0.499), "good");
    }
}
