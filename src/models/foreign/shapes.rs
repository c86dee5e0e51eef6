//! The shapes of all values, before any of them is made. The runtime computes what depends on no
//! input while it prepares a model, so a file of a few bytes could ask for more memory than there
//! is. Here each operator at first only tells what shapes it will make, and computes nothing but
//! small values, such as shapes themselves. The runtime goes on once all sizes are known and allowed.

use std::collections::HashMap;
use std::ops::Range;

use tract_onnx::pb::GraphProto;
use tract_onnx::tract_hir::infer::{Factoid, InferenceNode, InferenceOp};
use tract_onnx::tract_hir::internal::{
    DatumType, EvalContext, EvalOp, InferenceFact, InferenceModel, InferenceModelExt, Op, OpState,
    OutletId, StaticName, TValue, TVec, TractResult, TypedModel, TypedOp, Validation, bail,
};

use super::limits::Tensors;
use super::{Error, Limits};

/// Elements that an operator may make while shapes are found.
const FEW: u64 = 1 << 12;

/// The largest length that a file may ask for: two of them can be multiplied without overflow.
const LONGEST: u64 = 1 << 31;

/// Finds the shapes of all values. `file` is what `graph` was made of.
pub(super) fn find(
    graph: &mut InferenceModel,
    file: &GraphProto,
    limits: &Limits,
) -> TractResult<()> {
    // The nodes of the file come last, in its order.
    let first = graph.nodes.len().saturating_sub(file.node.len());
    for (node, told) in graph.nodes[first..].iter_mut().zip(&file.node) {
        if !node.inputs.is_empty() {
            let (sizes, longest) = sizes(&told.op_type);
            let op = node.op.clone();
            node.op = Box::new(Careful { op, sizes, longest, n_axes: limits.n_axes });
        }
    }
    graph.analyse(false)?;
    Ok(())
}

/// Fails when a value is too large, all of them are together, or the shape of one was not found.
pub(super) fn check(graph: &InferenceModel, limits: &Limits) -> Result<(), Error> {
    let mut tensors = Tensors::new(limits);
    for node in &graph.nodes {
        for (slot, outlet) in node.outputs.iter().enumerate() {
            if let Some(n) = n_elements(&outlet.fact) {
                let datatype = outlet.fact.datum_type.concretize();
                tensors.add(n, datatype.map_or(8, |datatype| datatype.size_of()))?;
                continue;
            }
            let is_output = graph.outputs.contains(&OutletId::new(node.id, slot));
            if is_output || !outlet.successors.is_empty() {
                return Err(Error::Refused {
                    what: "a shape that is not known before it runs in",
                    name: node.name.clone(),
                    hint: "export with fixed shapes, or simplify the file with `onnxsim`",
                });
            }
        }
    }
    Ok(())
}

/// How many elements a value has; nothing where its shape is unknown or cannot be.
fn n_elements(fact: &InferenceFact) -> Option<u64> {
    fact.shape.concretize()?.iter().try_fold(1_u64, |product, dim| {
        let length = u64::try_from(dim.to_i64().ok()?).ok()?;
        // More than there can be is a size too, and is refused as one.
        Some(product.saturating_mul(length))
    })
}

/// Which inputs of an operator tell it lengths, axes or places, and the largest that is allowed.
fn sizes(operator: &str) -> (Range<usize>, u64) {
    match operator {
        "ConstantOfShape" => (0..1, LONGEST),
        "Expand" | "Pad" | "Reshape" | "Squeeze" | "Tile" | "Unsqueeze" => (1..4, LONGEST),
        // The largest number there is stands for the end.
        "Slice" => (1..5, u64::MAX),
        reduction if reduction.starts_with("Reduce") => (1..2, LONGEST),
        _ => (0..0, LONGEST),
    }
}

/// An operator that computes nothing large while shapes are found, and makes few axes.
#[derive(Clone, Debug)]
struct Careful {
    op: Box<dyn InferenceOp>,
    /// The inputs that tell sizes.
    sizes: Range<usize>,
    longest: u64,
    n_axes: usize,
}

impl Careful {
    /// Fails when the operator is told more lengths than a tensor can have, or one that is too large.
    fn check_sizes(&self, inputs: &[&InferenceFact]) -> TractResult<()> {
        // A start and an end for each axis.
        let most = 2 * self.n_axes as u64;
        let sizes = inputs.iter().enumerate().filter(|(idx, _)| self.sizes.contains(idx));
        for (_, told) in sizes {
            if n_elements(told).is_some_and(|n| most < n) {
                bail!("it is told more than `{most}` lengths");
            }
            let value = told.value.concretize();
            let is_whole = |datatype: DatumType| datatype.is_integer() || datatype.is_tdim();
            let Some(value) = value.filter(|value| is_whole(value.datum_type())) else { continue };
            let numbers = value.cast_to::<i64>()?;
            let mut numbers = numbers.try_as_plain_ram()?.as_slice::<i64>()?.iter();
            if let Some(length) = numbers.find(|n| self.longest < n.unsigned_abs()) {
                bail!("it is told a length of `{length}`");
            }
        }
        Ok(())
    }

    /// Whether all that goes in is known, and little comes out of little.
    fn is_cheap(inputs: &[InferenceFact], outputs: &[InferenceFact]) -> bool {
        let n = |facts: &[InferenceFact]| {
            facts.iter().try_fold(0_u64, |sum, fact| sum.checked_add(n_elements(fact)?))
        };
        inputs.iter().all(|fact| fact.value.is_concrete())
            && n(inputs).is_some_and(|n| n <= 2 * FEW)
            && n(outputs).is_some_and(|n| n <= FEW)
    }
}

type Facts = TVec<InferenceFact>;

impl InferenceOp for Careful {
    fn infer(
        &mut self,
        inputs: TVec<&InferenceFact>,
        outputs: TVec<&InferenceFact>,
        observed: TVec<&InferenceFact>,
    ) -> TractResult<(Facts, Facts, Facts)> {
        self.check_sizes(&inputs)?;
        let told = self.op.infer_facts(inputs.clone(), outputs.clone(), observed.clone())?;
        if told.1.iter().any(|fact| self.n_axes < fact.shape.dims().count()) {
            bail!("it makes more than `{}` axes", self.n_axes);
        }
        if Self::is_cheap(&told.0, &told.1) {
            return self.op.infer(inputs, outputs, observed);
        }
        Ok(told)
    }

    fn infer_facts(
        &mut self,
        inputs: TVec<&InferenceFact>,
        outputs: TVec<&InferenceFact>,
        observed: TVec<&InferenceFact>,
    ) -> TractResult<(Facts, Facts, Facts)> {
        self.op.infer_facts(inputs, outputs, observed)
    }

    fn observe_outlets(
        &self,
        model: &InferenceModel,
        node: &InferenceNode,
    ) -> TractResult<Vec<OutletId>> {
        self.op.observe_outlets(model, node)
    }

    fn nboutputs(&self) -> TractResult<usize> {
        self.op.nboutputs()
    }

    fn as_op(&self) -> &dyn Op {
        self
    }

    fn as_op_mut(&mut self) -> &mut dyn Op {
        self
    }

    fn to_typed(
        &self,
        source: &InferenceModel,
        node: &InferenceNode,
        target: &mut TypedModel,
        mapping: &HashMap<OutletId, OutletId>,
    ) -> TractResult<TVec<OutletId>> {
        self.op.to_typed(source, node, target, mapping)
    }
}

impl Op for Careful {
    fn name(&self) -> StaticName {
        self.op.name()
    }

    fn validation(&self) -> Validation {
        self.op.validation()
    }

    fn as_typed(&self) -> Option<&dyn TypedOp> {
        None
    }
}

impl EvalOp for Careful {
    fn eval(&self, ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        self.op.eval(ctx, inputs)
    }

    fn eval_out_of_plan(&self, inputs: TVec<TValue>) -> TractResult<Option<TVec<TValue>>> {
        self.op.eval_out_of_plan(inputs)
    }

    fn state(&self, ctx: &EvalContext) -> TractResult<Option<Box<dyn OpState>>> {
        self.op.state(ctx)
    }
}

impl PartialEq for Careful {
    /// Operators are not compared; as for the runtime's own, none is taken for another.
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

impl Eq for Careful {}
