//! The stored form of a model: `manifest.json` in a model file.

use serde::{Deserialize, Serialize};

use super::averages::{self, StoredAverages};
use super::network::{self, StoredNetwork};
use super::number::Exact;
use super::recipe::StoredRecipe;
use super::reference::{self, StoredReference};
use super::run::{StoredDataset, StoredMetrics, read_metrics, store_metrics};
use super::sight::StoredSight;
use crate::models::foreign::{Apply, ForeignModel, Limits};
use crate::models::{Link, Model, Predictor};
use crate::registry::LoadedModel;
use crate::registry::tensors::{Columns, Reader};
use crate::train::{Run, RunId};

/// The version of the file formats that this program writes; it reads all up to it.
pub(in crate::registry) const FORMAT: u32 = 1;

/// The one field that every version has, and that is read before all others.
#[derive(Deserialize)]
pub(in crate::registry) struct StoredVersion {
    /// The version of the format.
    pub(in crate::registry) format: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "predictor")]
enum StoredPredictor {
    /// Its value stands in the column `constant` of the weights.
    Constant,
    /// Its numbers stand in the columns `intercept` and `coefficients` of the weights.
    Linear { link: String },
    /// The shares of the classes stand in the column `shares` of the weights.
    Shares,
    /// Its numbers stand in the columns `intercepts` and `coefficients` of the weights, those of
    /// one class after the other.
    Softmax,
    /// Its weights stand in columns of their own.
    Network(StoredNetwork),
    /// An ONNX file made elsewhere stands in the column `onnx` of the weights.
    Foreign { output: String, apply: String },
}

/// What `manifest.json` holds.
#[derive(Serialize, Deserialize)]
pub(in crate::registry) struct StoredFile {
    format: u32,
    karat: String,
    run: String,
    created: i64,
    model: String,
    task: String,
    target: String,
    classes: Vec<String>,
    threshold: Exact,
    #[serde(flatten)]
    predictor: StoredPredictor,
    recipe: StoredRecipe,
    #[serde(default)]
    sight: Option<StoredSight>,
    #[serde(default)]
    averages: Option<StoredAverages>,
    #[serde(default)]
    reference: Option<StoredReference>,
    #[serde(default)]
    protected: Vec<String>,
    dataset: StoredDataset,
    train: StoredMetrics,
    valid: Option<StoredMetrics>,
    test: Option<StoredMetrics>,
    cv: Option<StoredMetrics>,
    /// The digest of `weights.safetensors`.
    pub(in crate::registry) weights_sha256: String,
}

impl StoredFile {
    /// The manifest of a run's model, whose numbers go into `weights`.
    pub(in crate::registry) fn new(run: &Run, weights: &mut Columns) -> Self {
        let model = &run.model;
        let predictor = match &model.predictor {
            Predictor::Constant(value) => {
                weights.put_f64("constant", &[*value]);
                StoredPredictor::Constant
            }
            Predictor::Linear { intercept, coefficients, link } => {
                weights.put_f64("intercept", &[*intercept]);
                weights.put_f64("coefficients", coefficients);
                let link = match link {
                    Link::Identity => "identity",
                    Link::Logit => "logit",
                };
                StoredPredictor::Linear { link: link.into() }
            }
            Predictor::Shares(shares) => {
                weights.put_f64("shares", shares);
                StoredPredictor::Shares
            }
            Predictor::Softmax { intercepts, coefficients } => {
                weights.put_f64("intercepts", intercepts);
                weights.put_f64("coefficients", &coefficients.concat());
                StoredPredictor::Softmax
            }
            Predictor::Network(fitted) => StoredPredictor::Network(network::store(fitted, weights)),
            Predictor::Foreign(foreign) => {
                weights.put_u8("onnx", foreign.bytes());
                let apply = match foreign.apply() {
                    Apply::None => "none",
                    Apply::Sigmoid => "sigmoid",
                    Apply::Softmax => "softmax",
                };
                StoredPredictor::Foreign { output: foreign.output.clone(), apply: apply.into() }
            }
        };
        let averages = model.averages.as_ref().map(|averages| averages::store(averages, weights));
        let reference = model.reference.as_ref().map(|own| reference::store(own, weights));
        Self {
            format: FORMAT,
            karat: env!("CARGO_PKG_VERSION").into(),
            run: run.id.0.clone(),
            created: run.created,
            model: model.kind.clone(),
            task: model.task.word().into(),
            target: model.target.clone(),
            classes: model.classes.clone(),
            threshold: Exact(model.threshold),
            predictor,
            recipe: StoredRecipe::from(&model.recipe),
            sight: model.sight.as_ref().map(StoredSight::from),
            averages,
            reference,
            protected: model.protected.clone(),
            dataset: (&run.dataset).into(),
            train: store_metrics(&run.train),
            valid: run.valid.as_ref().map(store_metrics),
            test: run.test.as_ref().map(store_metrics),
            cv: run.cv.as_ref().map(store_metrics),
            weights_sha256: String::new(),
        }
    }

    /// The manifest that vouches for weights with this digest.
    pub(in crate::registry) fn sealed(self, weights_sha256: String) -> Self {
        Self { weights_sha256, ..self }
    }

    /// The model, with its numbers from `weights`.
    pub(in crate::registry) fn into_model(
        self,
        weights: &Reader<'_>,
    ) -> Result<LoadedModel, String> {
        let one = |name: &str| match weights.f64(name)?[..] {
            [value] => Ok(value),
            _ => Err(format!("the column `{name}` does not hold one number")),
        };
        let recipe = self.recipe.into_recipe()?;
        let sight = self.sight.map(StoredSight::into_sight).transpose()?;
        let n_columns = recipe.outputs.len();
        let averages = self.averages.map(|averages| averages.into_averages(n_columns, weights));
        let averages = averages.transpose()?;
        let reference = self.reference.map(|own| own.into_reference(weights)).transpose()?;
        let predictor = match self.predictor {
            StoredPredictor::Constant => Predictor::Constant(one("constant")?),
            StoredPredictor::Linear { link } => {
                let coefficients = weights.f64("coefficients")?;
                if coefficients.len() != recipe.outputs.len() {
                    return Err("it has more or fewer coefficients than columns".into());
                }
                let link = match link.as_str() {
                    "identity" => Link::Identity,
                    "logit" => Link::Logit,
                    _ => return Err(format!("the link `{link}` is not known")),
                };
                Predictor::Linear { intercept: one("intercept")?, coefficients, link }
            }
            StoredPredictor::Shares => {
                let shares = weights.f64("shares")?;
                one_for_each_class(&self.classes, shares.len())?;
                Predictor::Shares(shares)
            }
            StoredPredictor::Softmax => {
                let intercepts = weights.f64("intercepts")?;
                one_for_each_class(&self.classes, intercepts.len())?;
                let all = weights.f64("coefficients")?;
                let n_columns = recipe.outputs.len();
                if all.len() != intercepts.len() * n_columns {
                    return Err("it has more or fewer coefficients than columns".into());
                }
                let own = |class: usize| all[class * n_columns..(class + 1) * n_columns].to_vec();
                let coefficients = (0..intercepts.len()).map(own).collect();
                Predictor::Softmax { intercepts, coefficients }
            }
            StoredPredictor::Foreign { output, apply } => {
                let bytes = weights.u8("onnx")?;
                let foreign = ForeignModel::read_output(&bytes, Some(&output), &Limits::default())
                    .map_err(|error| error.to_string())?;
                let apply = match apply.as_str() {
                    "sigmoid" => Apply::Sigmoid,
                    "softmax" => Apply::Softmax,
                    _ => Apply::None,
                };
                let foreign = foreign.applying(apply).map_err(|error| error.to_string())?;
                if foreign.n_features() != recipe.outputs.len() {
                    return Err("its graph looks at more or less than its columns give".into());
                }
                if foreign.n_outputs() > 1 {
                    one_for_each_class(&self.classes, foreign.n_outputs())?;
                }
                Predictor::Foreign(Box::new(foreign))
            }
            StoredPredictor::Network(stored) => {
                let fitted = stored.into_network(weights)?;
                let network = fitted.network();
                let seen = sight.as_ref().map_or(0, |sight| sight.layout.cells());
                let expected = if seen == 0 { recipe.outputs.len() } else { seen };
                if network.input.len() != expected
                    || seen > 0 && network.n_static != recipe.outputs.len()
                {
                    return Err("its network looks at more or less than its columns give".into());
                }
                if network.n_out > 1 {
                    one_for_each_class(&self.classes, network.n_out)?;
                }
                Predictor::Network(Box::new(fitted))
            }
        };
        Ok(LoadedModel {
            model: Model {
                kind: self.model,
                task: self.task.parse()?,
                target: self.target,
                classes: self.classes,
                threshold: self.threshold.0,
                recipe,
                sight,
                predictor,
                averages,
                reference,
                protected: self.protected,
            },
            run: RunId(self.run),
            created: self.created,
            dataset: self.dataset.into(),
            train: read_metrics(self.train),
            valid: self.valid.map(read_metrics),
            test: self.test.map(read_metrics),
            cv: self.cv.map(read_metrics),
        })
    }
}

/// Several classes need as many numbers, or a score could be the index of none.
fn one_for_each_class(classes: &[String], n: usize) -> Result<(), String> {
    if n == classes.len() && 0 < n {
        Ok(())
    } else {
        Err(format!("it has numbers for {n} classes and names for {}", classes.len()))
    }
}
