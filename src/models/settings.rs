//! From what was typed to parameters that can be fitted.

use std::collections::BTreeMap;

use super::catalog::{KindInfo, ParamInfo, ParamKind, kind};
use super::linear::{ClassWeight, Family, Params};
use super::network::{self, Rate};
use super::{Error, FieldError};
use crate::data::nearest;
use crate::features::sight::InputKind;
use crate::rng::Seed;

/// The parameters of one kind of model, checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Settings {
    /// `baseline` has none.
    Baseline,
    /// Those of the linear families.
    Linear(Params),
    /// Those of the networks.
    Network(Box<network::Params>),
}

impl Settings {
    /// The same with the seed from which the fit draws.
    #[must_use]
    pub fn seeded(self, seed: Seed) -> Self {
        match self {
            Self::Baseline => Self::Baseline,
            Self::Linear(params) => Self::Linear(Params { seed, ..params }),
            Self::Network(params) => Self::Network(Box::new(network::Params { seed, ..*params })),
        }
    }

    /// Whether the score is a probability, and not a fitted number.
    pub fn is_logistic(&self) -> bool {
        matches!(self, Self::Linear(params) if params.family == Family::Logistic)
    }
}

/// Checks what was typed for a kind of model.
///
/// # Errors
///
/// Names every wrong parameter, with its range or the nearest name.
///
/// ```
/// use std::collections::BTreeMap;
/// use karat::models::check;
///
/// let set = BTreeMap::from([("alpha".to_owned(), "-1".to_owned())]);
/// let wrong = check("ridge", &set).unwrap_err().to_string();
/// assert_eq!(wrong, "`alpha` is `-1`\nhint: `alpha` may be 0 … 1e12");
/// ```
pub fn check(kind_name: &str, set: &BTreeMap<String, String>) -> Result<Settings, Error> {
    let info = kind(kind_name)?;
    let mut fields = Vec::new();
    for (name, value) in set {
        match info.param(name) {
            None => fields.push(unknown(info, name)),
            Some(param) if !fits(param.kind, value.trim()) => fields.push(FieldError {
                field: name.clone(),
                message: format!("`{name}` is `{value}`"),
                hint: format!("`{name}` may be {}", param.range),
            }),
            Some(_) => {}
        }
    }
    if !fields.is_empty() {
        return Err(Error::Fields { kind: info.name, fields });
    }
    let typed = Typed { info, set };
    let family = match info.name {
        "linear" => Family::Linear,
        "ridge" => Family::Ridge,
        "logistic" => Family::Logistic,
        "baseline" => return Ok(Settings::Baseline),
        _ => return typed.network().map(|params| Settings::Network(Box::new(params))),
    };
    let params = typed.linear(family);
    // What concerns several parameters at once is known to the family itself.
    match params.clone().check() {
        Ok(_) => Ok(Settings::Linear(params)),
        Err(errors) => {
            let fields = errors.into_iter().map(|error| {
                let (message, hint) = match error.message.split_once("\nhint: ") {
                    Some((message, hint)) => (message.to_owned(), hint.to_owned()),
                    None => (error.message, String::new()),
                };
                FieldError { field: error.field.to_owned(), message, hint }
            });
            Err(Error::Fields { kind: info.name, fields: fields.collect() })
        }
    }
}

fn unknown(info: &KindInfo, name: &str) -> FieldError {
    let names = info.params.iter().map(|param| param.name);
    let hint = match nearest(name, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if info.params.is_empty() => format!("`{}` has no parameters", info.name),
        None => format!("`{}` has {}", info.name, names.collect::<Vec<_>>().join(", ")),
    };
    let message = format!("`{}` has no parameter `{name}`", info.name);
    FieldError { field: name.to_owned(), message, hint }
}

fn fits(kind: ParamKind, text: &str) -> bool {
    match kind {
        ParamKind::Float { min, max } => {
            text.parse::<f64>().is_ok_and(|value| (min..=max).contains(&value))
        }
        ParamKind::AutoOrFloat { min, max } => {
            text == "auto" || fits(ParamKind::Float { min, max }, text)
        }
        ParamKind::Int { min, max } => {
            text.parse::<u64>().is_ok_and(|value| (min..=max).contains(&value))
        }
        ParamKind::Bool => matches!(text, "true" | "false"),
        ParamKind::Choice(words) => words.contains(&text),
        ParamKind::ClassWeight => text.parse::<ClassWeight>().is_ok(),
        ParamKind::Rate => text.parse::<Rate>().is_ok(),
        // What is wrong with these is said by whoever reads them.
        ParamKind::Network | ParamKind::Text => true,
    }
}

/// Values that fit their parameters, with the defaults of those that were not given.
struct Typed<'a> {
    info: &'static KindInfo,
    set: &'a BTreeMap<String, String>,
}

impl Typed<'_> {
    /// Overwrites a field by what was typed or is the default, if the kind has this parameter.
    fn read<T: std::str::FromStr>(&self, name: &str, field: &mut T) {
        let default = |param: &ParamInfo| param.default;
        let text = self.set.get(name).map(|text| text.trim());
        let Some(text) = text.or_else(|| self.info.param(name).map(default)) else { return };
        if let Ok(value) = text.parse() {
            *field = value;
        }
    }

    /// What was typed, or the default.
    fn text(&self, name: &str) -> &str {
        let default = self.info.param(name).map_or("", |param| param.default);
        self.set.get(name).map_or(default, |text| text.trim())
    }

    fn network(&self) -> Result<network::Params, Error> {
        let wrong = |field: &str, message: String, hint: String| Error::Fields {
            kind: self.info.name,
            fields: vec![FieldError { field: field.to_owned(), message, hint }],
        };
        let text = self.text("network");
        let network = network::read(text).map_err(|mistake| {
            let word = text.get(mistake.at.clone()).unwrap_or_default();
            let at = if word.is_empty() || mistake.what.contains(word) {
                String::new()
            } else {
                format!(" at `{word}`")
            };
            let what = format!("`network`, layer {}{at}: {}", mistake.layer + 1, mistake.what);
            wrong("network", what, mistake.hint)
        })?;
        let mut params = network::Params::new(network);
        self.read("epochs", &mut params.epochs);
        self.read("batch_size", &mut params.batch_size);
        self.read("learning_rate", &mut params.learning_rate);
        self.read("optimizer", &mut params.optimizer);
        self.read("schedule", &mut params.schedule);
        self.read("warm_up", &mut params.warm_up);
        self.read("weight_decay", &mut params.weight_decay);
        self.read("clip_norm", &mut params.clip_norm);
        self.read("patience", &mut params.patience);
        self.read("class_weight", &mut params.class_weight);
        self.read("loss", &mut params.loss);
        let kinds = InputKind::ALL;
        let kind = kinds.iter().find(|(_, word)| *word == self.text("input"));
        params.sight.input = kind.map_or(InputKind::Auto, |(kind, _)| *kind);
        self.text("channels").clone_into(&mut params.sight.channels);
        self.text("statics").clone_into(&mut params.sight.statics);
        self.read("window", &mut params.sight.window);
        self.read("stride", &mut params.sight.stride);
        Ok(params)
    }

    fn linear(&self, family: Family) -> Params {
        let mut params = Params::new(family);
        self.read("alpha", &mut params.alpha);
        self.read("solver", &mut params.solver);
        self.read("standardize", &mut params.standardize);
        self.read("fit_intercept", &mut params.fit_intercept);
        self.read("class_weight", &mut params.class_weight);
        self.read("max_iter", &mut params.max_iter);
        self.read("tol", &mut params.tol);
        let rate = self.set.get("learning_rate").and_then(|text| text.trim().parse().ok());
        params.learning_rate = rate.or(params.learning_rate);
        self.read("batch_size", &mut params.batch_size);
        self.read("epochs", &mut params.epochs);
        params
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::CATALOG;
    use crate::models::linear::Solver;

    fn set(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn wrong(kind: &str, pairs: &[(&str, &str)]) -> String {
        check(kind, &set(pairs)).unwrap_err().to_string()
    }

    #[test]
    fn the_catalogs_defaults_are_those_of_the_family() {
        for kind in CATALOG {
            let expected = match kind.name {
                "linear" => Settings::Linear(Params::new(Family::Linear)),
                "ridge" => Settings::Linear(Params::new(Family::Ridge)),
                "logistic" => Settings::Linear(Params::new(Family::Logistic)),
                "baseline" => Settings::Baseline,
                _ => {
                    let default = |name: &str| kind.param(name).unwrap().default;
                    let mut params = network::Params::new(default("network").parse().unwrap());
                    let mut inputs = InputKind::ALL.iter();
                    let input = inputs.find(|(_, word)| *word == default("input"));
                    params.sight.input = input.unwrap().0;
                    Settings::Network(Box::new(params))
                }
            };
            assert_eq!(check(kind.name, &BTreeMap::new()).unwrap(), expected, "{}", kind.name);
        }
    }

    #[test]
    fn what_was_typed_arrives() {
        let typed = set(&[("alpha", "0.5"), ("solver", "gd"), ("class_weight", "1,5")]);
        let Settings::Linear(params) = check("logistic", &typed).unwrap() else { panic!() };
        assert_eq!((params.alpha, params.solver), (0.5, Solver::Gd));
        assert_eq!(params.class_weight, ClassWeight::Given { neg: 1.0, pos: 5.0 });
    }

    #[test]
    fn every_wrong_parameter_is_named_with_a_remedy() {
        let text = wrong("logistic", &[("alpa", "1"), ("max_iter", "0"), ("solver", "closed")]);
        let expected = "`logistic` has no parameter `alpa`; `max_iter` is `0`; `solver` is \
                        `closed`\nhint: did you mean `alpha`?; `max_iter` may be 1 … 1000000; \
                        `solver` may be irls, lbfgs, gd, sgd";
        assert_eq!(text, expected);
        assert!(wrong("ridge", &[("alpha", "NaN")]).contains("0 … 1e12"));
        assert!(wrong("ridge", &[("alpha", "one")]).contains("`alpha` is `one`"));
        assert!(wrong("baseline", &[("zzz", "1")]).contains("`baseline` has no parameters"));
        assert!(wrong("tree", &[]).contains("no model `tree`"));
    }

    #[test]
    fn what_only_the_family_knows_is_said_too() {
        let text = wrong("logistic", &[("solver", "lbfgs"), ("class_weight", "balanced")]);
        assert!(text.contains("lbfgs") && text.contains("hint: use solver `irls`"), "{text}");
    }
}
