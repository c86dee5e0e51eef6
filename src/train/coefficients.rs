//! The table of coefficients of a fit, on the scale of the original columns.

use super::Coefficient;
use crate::models::linear::{CoefficientStats, Inference, Warning};
use crate::models::{Fitted, Link, Model, Predictor};

/// Intercept and coefficients; nothing for a model that has none.
pub(super) fn coefficients(
    model: &Model,
    fitted: &Fitted,
) -> (Option<Coefficient>, Vec<Coefficient>) {
    if let Predictor::Softmax { .. } = &model.predictor {
        return (None, of_classes(model, fitted));
    }
    let Some((intercept, values)) = model.intercept_and_coefficients_on_original_scale() else {
        return (None, Vec::new());
    };
    let is_logistic = matches!(&model.predictor, Predictor::Linear { link: Link::Logit, .. });
    let stats: &[CoefficientStats] = match &fitted.inference {
        Some(Inference::Exact(stats)) => stats,
        _ => &[],
    };
    let of = |column: Option<usize>| stats.iter().find(|stats| stats.column == column);
    let outputs = &model.recipe.outputs;
    let all = outputs.iter().zip(values).enumerate().map(|(place, (output, value))| {
        let mut coefficient = Coefficient {
            feature: output.name.clone(),
            column: output.column.clone(),
            value,
            odds_ratio: is_logistic.then(|| value.exp()).filter(|ratio| ratio.is_finite()),
            note: note(&fitted.warnings, &output.name),
            ..Coefficient::default()
        };
        if let Some(stats) = of(Some(place)) {
            tell(&mut coefficient, stats, output.scale);
        }
        coefficient
    });
    let mut first =
        Coefficient { feature: "intercept".into(), value: intercept, ..Coefficient::default() };
    // The error of a shifted intercept would need the covariances with all that shift it.
    if outputs.iter().all(|output| output.offset == 0.0) {
        if let Some(stats) = of(None) {
            tell(&mut first, stats, 1.0);
        }
    } else if !stats.is_empty() {
        first.note = Some("no standard error, since the recipe shifts the columns".into());
    }
    (Some(first), all.collect())
}

/// The intercept and the coefficients of each class.
fn of_classes(model: &Model, fitted: &Fitted) -> Vec<Coefficient> {
    let (intercepts, coefficients) = model.softmax_on_original_scale();
    let mut all = Vec::new();
    for ((class, intercept), own) in model.classes.iter().zip(intercepts).zip(coefficients) {
        let class = Some(class.clone());
        all.push(Coefficient {
            feature: "intercept".into(),
            class: class.clone(),
            value: intercept,
            ..Coefficient::default()
        });
        for (output, value) in model.recipe.outputs.iter().zip(own) {
            all.push(Coefficient {
                feature: output.name.clone(),
                column: output.column.clone(),
                class: class.clone(),
                value,
                note: note(&fitted.warnings, &output.name),
                ..Coefficient::default()
            });
        }
    }
    all
}

fn tell(coefficient: &mut Coefficient, stats: &CoefficientStats, scale: f64) {
    coefficient.std_error = Some(stats.std_error / scale);
    coefficient.statistic = Some(stats.statistic);
    coefficient.p = Some(stats.p);
    coefficient.low = Some(stats.low / scale);
    coefficient.high = Some(stats.high / scale);
}

fn note(warnings: &[Warning], name: &String) -> Option<String> {
    warnings.iter().find_map(|warning| match warning {
        Warning::Constant { columns } if columns.contains(name) => {
            Some("never changes in the training rows".to_owned())
        }
        Warning::Collinear { columns } if columns.contains(name) => {
            Some("follows exactly from other columns".to_owned())
        }
        Warning::Separation { columns, .. } if columns.contains(name) => {
            Some("separates the classes".to_owned())
        }
        _ => None,
    })
}

/// Why there are no standard errors, when there are none.
pub(super) fn no_inference(fitted: &Fitted) -> Option<String> {
    match &fitted.inference {
        Some(Inference::WhyNot(why)) => Some(why.clone()),
        _ => None,
    }
}
