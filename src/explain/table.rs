//! The table of explainers: one row and one function each.

use super::{Attribution, Error, Subject, exact, families, gradients, map, occlusion, permutation};
use crate::data::nearest;
use crate::jobs::Ctx;
use crate::models::Model;

/// One way to explain a score.
#[derive(Clone, Copy, Debug)]
pub struct Explainer {
    /// The name that is typed.
    pub name: &'static str,
    /// The name as a heading.
    pub label: &'static str,
    /// What a contribution means, in a sentence.
    pub about: &'static str,
    /// Where the method comes from.
    pub source: &'static str,
    /// Whether it is a way to explain such a subject, where a person has the choice.
    pub fits: fn(&dyn Subject) -> bool,
    /// Contributions to the score of one row.
    pub explain: fn(&dyn Subject, &[f64], &Ctx) -> Result<Attribution, Error>,
}

/// Every explainer, the surest first.
pub const EXPLAINERS: &[Explainer] = &[
    Explainer {
        name: "exact",
        label: "exact contributions",
        about: "coefficient x (value - mean of the training rows); for linear families, where \
                nothing is left over",
        source: "the Shapley values of a linear model (Strumbelj and Kononenko, 2014)",
        fits: |subject| subject.coefficients().is_some(),
        explain: exact::exact,
    },
    Explainer {
        name: "integrated_gradients",
        label: "integrated gradients",
        about: "the gradient added up on the straight way from the reference row to this one; \
                contributions sum to the difference of both scores",
        source: "Sundararajan, Taly and Yan, 2017",
        fits: gradients::are_there,
        explain: gradients::integrated,
    },
    Explainer {
        name: "gradient_x_input",
        label: "gradient x input",
        about: "how steeply the score answers to each input here, times the input",
        source: "Shrikumar et al., 2016",
        fits: gradients::are_there,
        explain: gradients::times_input,
    },
    Explainer {
        name: "class_map",
        label: "class activation map",
        about: "what the last convolution saw at each position, weighted for the class; for \
                networks that end in a global average pooling and one dense layer",
        source: "Zhou et al., 2016",
        fits: |subject| subject.class_map(&subject.reference()).is_ok(),
        explain: map::class_map,
    },
    Explainer {
        name: "permutation",
        label: "sampled Shapley values",
        about: "what each input changes of the score when inputs take on this row's values one \
                after the other in random orders, starting from ordinary rows; for any model",
        source: "Castro, Gomez and Tejada, 2009; Strumbelj and Kononenko, 2014",
        // Where there are gradients they tell as much, and sooner.
        fits: |subject| !gradients::are_there(subject),
        explain: permutation::shapley,
    },
    Explainer {
        name: "occlusion",
        label: "occlusion",
        about: "by how much the score falls when a patch of the inputs is replaced by the reference",
        source: "Zeiler and Fergus, 2014",
        fits: |_| true,
        explain: occlusion::occlusion,
    },
];

/// The explainers that fit a model, the surest first; none for a model that looks at nothing.
pub fn fitting(model: &Model) -> Vec<&'static Explainer> {
    match families::subject(model, 0) {
        Ok(subject) => EXPLAINERS.iter().filter(|own| (own.fits)(&*subject)).collect(),
        Err(_) => vec![],
    }
}

/// Looks an explainer up by its name; the error names the nearest one.
///
/// ```
/// use karat::explain::explainer;
///
/// assert_eq!(explainer("occlusion").unwrap().label, "occlusion");
/// let error = explainer("oclusion").unwrap_err().to_string();
/// assert!(error.ends_with("did you mean `occlusion`?"));
/// ```
pub fn explainer(name: &str) -> Result<&'static Explainer, Error> {
    EXPLAINERS.iter().find(|explainer| explainer.name == name).ok_or_else(|| {
        let names = EXPLAINERS.iter().map(|explainer| explainer.name);
        let hint = match nearest(name, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the methods are {}", names.collect::<Vec<_>>().join(", ")),
        };
        Error::NoMethod { name: name.to_owned(), hint }
    })
}
