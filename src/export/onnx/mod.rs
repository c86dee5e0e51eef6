//! ONNX: a model and its recipe as one graph of standard operators (operator set 19, no domain
//! beside the standard's own), which onnxruntime and tract run.
//!
//! Every column that the recipe needs is an input of its own of shape (rows, 1): f64 for numbers,
//! text for categories. The messages of the format are written by hand ([`proto`]), since the few
//! that a graph needs are smaller than any library for them.

mod cells;
mod graph;
mod linear;
mod network;
mod prepare;
mod proto;
#[cfg(test)]
mod tests;

use graph::{Attribute, Data, Dim, Elem, Graph, Value};
use network::Inputs;

use crate::data::Task;
use crate::export::Error;
use crate::models::network::FittedNetwork;
use crate::models::{Link, Model, Predictor};
use crate::nn::{Loss, Network};

/// How much of a model is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// From the columns of the table to the prediction.
    #[default]
    WholeModel,
    /// From the prepared matrix, the single input `features`, to the prediction.
    PredictorAlone,
}

/// An input or output of the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// What it is called.
    pub name: String,
    /// What its values are: `f64`, `f32` or `text`.
    pub holds: &'static str,
    /// Values for each row.
    pub width: usize,
}

/// A model as the bytes of an ONNX file, and how it is to be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The file.
    pub bytes: Vec<u8>,
    /// What it takes.
    pub inputs: Vec<Port>,
    /// What it gives.
    pub outputs: Vec<Port>,
    /// What a person should know before using it, a sentence each.
    pub notes: Vec<String>,
}

/// Writes a model as ONNX.
///
/// Outputs are `prediction`, the number or the name of the class, and for classes `probability`:
/// that of the positive one of two, or of each of several in the order of the remark
/// `karat.classes`.
///
/// # Errors
///
/// When the recipe has steps without a counterpart among the standard operators (each is named
/// with its column), or when the model is a constant.
pub fn onnx(model: &Model, scope: Scope) -> Result<Exported, Error> {
    let mut graph = Graph::default();
    let mut notes = Vec::new();
    match &model.predictor {
        Predictor::Constant(_) | Predictor::Shares(_) => {
            return Err(Error::Constant { kind: model.kind.clone() });
        }
        Predictor::Linear { intercept, coefficients, link } => {
            let matrix = matrix(&mut graph, model, scope, &mut notes)?;
            let score = linear::score(&mut graph, &matrix, *intercept, coefficients);
            let score = linear::linked(&mut graph, score, *link);
            give_prediction(&mut graph, model, &score);
        }
        Predictor::Softmax { intercepts, coefficients } => {
            let matrix = matrix(&mut graph, model, scope, &mut notes)?;
            let scores = linear::scores(&mut graph, &matrix, intercepts, coefficients);
            let shares = linear::softmax(&mut graph, &scores);
            give_classes(&mut graph, model, &shares);
        }
        Predictor::Foreign(foreign) => {
            return Ok(Exported {
                bytes: foreign.bytes().to_vec(),
                inputs: Vec::new(),
                outputs: Vec::new(),
                notes: vec!["the file is the one that was imported".into()],
            });
        }
        Predictor::Network(fitted) => {
            let inputs = match scope {
                Scope::WholeModel => {
                    notes.extend(prepare::notes(&model.recipe));
                    cells::inputs(&mut graph, model)?
                }
                Scope::PredictorAlone => {
                    notes.push("the recipe is not part of the file: its inputs are scaled".into());
                    network::bare_inputs(&mut graph, fitted.network())
                }
            };
            give_network(&mut graph, model, fitted, inputs);
        }
    }
    Ok(graph.finish(&model.kind, &about(model), &remarks(model), notes))
}

/// The prepared matrix (rows, columns) in f64.
fn matrix(
    graph: &mut Graph,
    model: &Model,
    scope: Scope,
    notes: &mut Vec<String>,
) -> Result<Value, Error> {
    let n_columns = model.recipe.outputs.len();
    match scope {
        Scope::WholeModel => {
            notes.extend(prepare::notes(&model.recipe));
            prepare::matrix(graph, &model.recipe)
        }
        Scope::PredictorAlone => {
            notes.push(format!(
                "the recipe is not part of the file: `features` takes the {n_columns} prepared columns \
                 in the order of the remark `karat.features`"
            ));
            let about = "the prepared columns, in the order of the remark `karat.features`";
            Ok(graph.input("features", Elem::Double, &[Dim::Rows, Dim::Fixed(n_columns)], about))
        }
    }
}

/// The outputs of a network with what leads from them to predictions, in f64.
fn give_network(graph: &mut Graph, model: &Model, fitted: &FittedNetwork, inputs: Inputs) {
    let outputs = network::outputs(graph, fitted.network(), inputs);
    let outputs = prepare::as_doubles(graph, &outputs);
    match fitted.loss {
        Loss::Squared | Loss::Huber { .. } => {
            let [scale, offset] = [fitted.scale, fitted.offset]
                .map(|value| graph.constant(&[1, 1], Data::Doubles(&[value])));
            let spread = graph.node("Mul", &[&outputs, &scale]);
            let value = graph.node("Add", &[&spread, &offset]);
            give_prediction(graph, model, &value);
        }
        Loss::BinaryCrossEntropy => {
            let share = linear::linked(graph, outputs, Link::Logit);
            give_prediction(graph, model, &share);
        }
        Loss::SoftmaxCrossEntropy => {
            let shares = linear::softmax(graph, &outputs);
            give_classes(graph, model, &shares);
        }
    }
}

/// Writes a network alone: from `input` (rows, height, width, channels), or fewer axes for a series
/// or a plain row, and `static` where static columns join, to `outputs` before any link.
///
/// ```
/// use karat::export::onnx_network;
/// use karat::nn::{Network, spec::Shape};
/// use karat::rng::Seed;
///
/// let spec = "conv 4x3 relu | gap | dense out".parse()?;
/// let network = Network::<f32>::new(&spec, Shape::series(8, 1), 0, 2, Seed(1))?;
/// let exported = onnx_network(&network);
/// assert_eq!((exported.inputs[0].width, exported.outputs[0].width), (8, 2));
/// # Ok::<(), karat::nn::spec::Mistake>(())
/// ```
pub fn onnx_network(network: &Network) -> Exported {
    let mut graph = Graph::default();
    let inputs = network::bare_inputs(&mut graph, network);
    let outputs = network::outputs(&mut graph, network, inputs);
    let dims = [Dim::Rows, Dim::Fixed(network.n_out)];
    graph.output("outputs", &outputs, Elem::Float, &dims);
    graph.finish("network", &network.spec.to_string(), &[], Vec::new())
}

/// The outputs of a model whose score is one number for each row, in f64.
fn give_prediction(graph: &mut Graph, model: &Model, score: &Value) {
    let column = [Dim::Rows, Dim::Fixed(1)];
    let (Task::Binary, [negative, positive]) = (model.task, model.classes.as_slice()) else {
        graph.output("prediction", score, Elem::Double, &column);
        return;
    };
    let threshold = graph.constant(&[1, 1], Data::Doubles(&[model.threshold]));
    let is_positive = graph.node("GreaterOrEqual", &[score, &threshold]);
    let [negative, positive] = [negative, positive]
        .map(|class| graph.constant(&[1, 1], Data::Texts(std::slice::from_ref(class))));
    let class = graph.node("Where", &[&is_positive, &positive, &negative]);
    graph.output("prediction", &class, Elem::Text, &column);
    graph.output("probability", score, Elem::Double, &column);
}

/// The outputs of a model that knows the probability of each of several classes, in f64.
fn give_classes(graph: &mut Graph, model: &Model, shares: &Value) {
    let n_classes = model.classes.len();
    let axis = [("axis", Attribute::Int(1)), ("keepdims", Attribute::Int(1))];
    let best = graph.node_with("ArgMax", &[shares], &axis);
    let classes = graph.constant(&[n_classes], Data::Texts(&model.classes));
    let class = graph.node("Gather", &[&classes, &best]);
    graph.output("prediction", &class, Elem::Text, &[Dim::Rows, Dim::Fixed(1)]);
    graph.output("probability", shares, Elem::Double, &[Dim::Rows, Dim::Fixed(n_classes)]);
}

fn about(model: &Model) -> String {
    format!("{} on `{}`, a {} model trained by karat", model.kind, model.target, model.task)
}

/// What a program may want to know of the model, as remarks in the file.
fn remarks(model: &Model) -> Vec<(&'static str, String)> {
    let names = |names: &[String]| serde_json::json!(names).to_string();
    let mut remarks = vec![
        ("karat.kind", model.kind.clone()),
        ("karat.task", model.task.to_string()),
        ("karat.target", model.target.clone()),
        ("karat.features", names(&model.recipe.names())),
    ];
    if !model.classes.is_empty() {
        remarks.push(("karat.classes", names(&model.classes)));
        remarks.push(("karat.threshold", model.threshold.to_string()));
    }
    remarks
}
