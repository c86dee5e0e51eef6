//! The runtime's side: a graph prepared for blocks of rows, and run.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ndarray::{Array2, ArrayView2};
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::{
    DatumType, Framework, InferenceFact, InferenceModelExt, IntoRunnable, TValue, TVec, Tensor,
    TractResult, TypedRunnableModel,
};

use super::limits::at_most;
use super::{Datatype, Error, ForeignInput, Limits, cost, shapes};

/// A graph for blocks of a fixed number of rows.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    runnable: Arc<TypedRunnableModel>,
    /// Rows of a block.
    pub(super) n_rows: usize,
    /// Which inputs the graph kept: those that lead to the output, in its order.
    fed: Vec<usize>,
}

impl Plan {
    /// Prepares a graph for blocks of `n_rows`.
    pub(super) fn new(
        model: &ModelProto,
        inputs: &[ForeignInput],
        n_rows: usize,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let kept = model.graph.iter().flat_map(|graph| &graph.input);
        let fed: Vec<usize> = kept
            .filter_map(|kept| inputs.iter().position(|input| input.name == kept.name))
            .collect();
        let failed = |why: String| Error::Prepare { why };
        let file = model.graph.as_ref().ok_or_else(|| failed("it holds no graph".into()))?;
        let found = guarded(|| {
            let mut graph =
                tract_onnx::onnx().with_ignore_value_info(true).model_for_proto_model(model)?;
            for (at, input) in fed.iter().enumerate() {
                let input = &inputs[*input];
                let fact = InferenceFact::dt_shape(datum_type(input.datatype), input.block(n_rows));
                graph.set_input_fact(at, fact)?;
            }
            shapes::find(&mut graph, file, limits)?;
            Ok(graph)
        })
        .map_err(failed)?;
        shapes::check(&found, limits)?;
        let typed = guarded(|| found.into_typed()).map_err(failed)?;
        cost::check_tensors(&typed, limits)?;
        let n_in_trees = cost::n_tree_nodes(file).saturating_mul(n_rows as u64);
        let n_multiply_adds = guarded(|| cost::n_multiply_adds(&typed)).map_err(failed)?;
        let n_multiply_adds = n_multiply_adds.saturating_add(n_in_trees);
        at_most("multiply-adds for a block of rows", n_multiply_adds, limits.n_multiply_adds)?;
        let runnable = guarded(|| typed.into_optimized()?.into_runnable()).map_err(failed)?;
        Ok(Self { runnable, n_rows, fed })
    }

    /// What the graph gives for one block (rows, columns): (rows, numbers for each row).
    pub(super) fn run(
        &self,
        x: ArrayView2<f64>,
        inputs: &[ForeignInput],
    ) -> Result<Array2<f64>, Error> {
        let failed = |why: String| Error::Run { why };
        let out = guarded(|| {
            let mut starts = Vec::new();
            let mut start = 0;
            for input in inputs {
                let width = input.width().unwrap_or(0);
                starts.push(start..start + width);
                start += width;
            }
            let mut values: TVec<TValue> = TVec::new();
            for input in &self.fed {
                let columns = x.slice(ndarray::s![.., starts[*input].clone()]);
                values.push(tensor(columns, &inputs[*input], self.n_rows)?.into());
            }
            let told = self.runnable.run(values)?;
            let told = told.first().map(|value| value.cast_to::<f64>().map(Cow::into_owned));
            let told = told.transpose()?.unwrap_or_default();
            let numbers = told.to_plain_array_view::<f64>()?.iter().copied().collect::<Vec<f64>>();
            Ok((told.shape().to_vec(), numbers))
        });
        let (shape, numbers) = out.map_err(failed)?;
        let is_whole = self.n_rows == 1 || shape.first() == Some(&self.n_rows);
        if !is_whole || numbers.is_empty() || numbers.len() % self.n_rows != 0 {
            let why = format!("`{}` rows give an output of shape `{shape:?}`", self.n_rows);
            return Err(failed(why));
        }
        let n_outputs = numbers.len() / self.n_rows;
        Array2::from_shape_vec((self.n_rows, n_outputs), numbers).map_err(|e| failed(e.to_string()))
    }
}

/// Runs what may panic, and tells errors and panics alike in one line.
fn guarded<T>(work: impl FnOnce() -> TractResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => {
            let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
            let mut text = chain.join(": ").replace('\n', " ");
            if let Some((end, _)) = text.char_indices().nth(400) {
                text.truncate(end);
            }
            Err(text)
        }
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!("the runtime panicked: {}", said.unwrap_or("without a word")))
        }
    }
}

fn tensor(columns: ArrayView2<f64>, input: &ForeignInput, n_rows: usize) -> TractResult<Tensor> {
    let shape = input.block(n_rows);
    let values = columns.iter();
    match input.datatype {
        Datatype::F64 => Tensor::from_shape(&shape, &values.copied().collect::<Vec<f64>>()),
        Datatype::I64 => {
            Tensor::from_shape(&shape, &values.map(|v| *v as i64).collect::<Vec<i64>>())
        }
        Datatype::I32 => {
            Tensor::from_shape(&shape, &values.map(|v| *v as i32).collect::<Vec<i32>>())
        }
        _ => Tensor::from_shape(&shape, &values.map(|v| *v as f32).collect::<Vec<f32>>()),
    }
}

fn datum_type(datatype: Datatype) -> DatumType {
    match datatype {
        Datatype::F64 => DatumType::F64,
        Datatype::I64 => DatumType::I64,
        Datatype::I32 => DatumType::I32,
        _ => DatumType::F32,
    }
}
