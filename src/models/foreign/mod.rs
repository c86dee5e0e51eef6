//! Models made elsewhere: an ONNX file, checked as a stranger's, and scored by a runtime in Rust.
//!
//! Everything is checked before the runtime sees it: sizes ([`Limits`]), the operators, that nothing
//! lies outside of the file, that trees are trees. Before the runtime computes anything large, the
//! shapes of all values are known, and with them the memory and the time that a block of rows takes.
//! A panic of the runtime is an error. What the runtime lacks is written in terms of what it has. The
//! room knows matrices of numbers alone, neither tables nor files.

mod check;
mod cost;
mod error;
mod graph;
mod limits;
mod operators;
mod plan;
mod ports;
mod rewrite;
mod shapes;
#[cfg(test)]
mod tests;
mod trees;
mod wire;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2, Axis, s};
use prost::Message;
use tract_onnx::pb::{GraphProto, ModelProto, StringStringEntryProto};

use limits::at_most;
use plan::Plan;

pub use error::Error;
pub use limits::Limits;
pub use ports::{Apply, Datatype, ForeignInput, ForeignOutput, OutputKind};

/// A model that was made elsewhere.
#[derive(Clone)]
pub struct ForeignModel {
    bytes: Arc<[u8]>,
    /// What goes in, in the order of the matrix's columns.
    pub inputs: Vec<ForeignInput>,
    /// What the file could tell; [`output`](Self::output) is the one that is scored.
    pub outputs: Vec<ForeignOutput>,
    /// The output that is scored.
    pub output: String,
    /// The names of the classes where the file tells them, in the order of the columns.
    pub classes: Vec<String>,
    /// The program that wrote the file, with its version.
    pub producer: String,
    /// The version of the standard operators.
    pub opset: i64,
    /// Nodes of the file's graph.
    pub n_nodes: usize,
    /// The operators of the file, each once, in alphabetical order.
    pub operators: Vec<String>,
    feature_names: Vec<String>,
    kind: OutputKind,
    /// What the numbers of the graph itself mean, and how many there are for a row.
    raw_kind: OutputKind,
    n_raw: usize,
    apply: Apply,
    row: Plan,
    block: Option<Plan>,
}

impl fmt::Debug for ForeignModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignModel")
            .field("producer", &self.producer)
            .field("inputs", &self.inputs)
            .field("output", &self.output)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl PartialEq for ForeignModel {
    /// The same file, read in the same way.
    fn eq(&self, other: &Self) -> bool {
        (&self.bytes, &self.output, self.apply) == (&other.bytes, &other.output, other.apply)
    }
}

impl ForeignModel {
    /// Reads an ONNX file, prepares it and runs it once; the output is the one that tells most.
    ///
    /// # Errors
    ///
    /// When the file is none, is too large, holds what is refused, or does not run.
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        Self::read_output(bytes, None, limits)
    }

    /// The same for the output of this name.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and when there is no such output of numbers.
    pub fn read_output(bytes: &[u8], output: Option<&str>, limits: &Limits) -> Result<Self, Error> {
        at_most("bytes", bytes.len(), limits.n_bytes)?;
        wire::scan(bytes, limits)?;
        let mut file =
            ModelProto::decode(bytes).map_err(|error| Error::NotOnnx { why: error.to_string() })?;
        let opset = check::file(&file, limits)?;
        let whole = file.graph.take().unwrap_or_default();
        let inputs = graph::inputs(&whole, limits)?;
        let chosen = graph::choose(&whole, output)?;
        let mut part = graph::part(&whole, &chosen.value)?;
        check::operators(&part.node, limits)?;
        let is_probability = says_probability(&part, &chosen.output);
        rewrite::rewrite(&mut part, opset, limits)?;
        let n_rows = rows_of_block(&inputs);
        let mut model = Self {
            bytes: bytes.into(),
            outputs: graph::outputs(&whole),
            output: chosen.output,
            classes: chosen.classes,
            producer: format!("{} {}", file.producer_name, file.producer_version).trim().to_owned(),
            opset,
            n_nodes: whole.node.len(),
            operators: whole
                .node
                .iter()
                .map(|node| node.op_type.clone())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
            feature_names: feature_names(&file.metadata_props, &inputs),
            kind: OutputKind::Number,
            raw_kind: OutputKind::Number,
            n_raw: 1,
            apply: Apply::None,
            row: {
                file.graph = Some(part);
                Plan::new(&file, &inputs, 1, limits)?
            },
            block: None,
            inputs,
        };
        let probe = model.probe(n_rows);
        let alone = model.run(probe.slice(s![..PROBED.min(n_rows), ..]))?;
        at_most("outputs", alone.ncols(), limits.n_outputs)?;
        model.raw_kind = ports::kind(&alone, is_probability);
        model.kind = model.raw_kind;
        model.n_raw = alone.ncols();
        model.block = model.block_like(&file, probe.view(), alone.view(), limits);
        let n_classes = if model.kind == OutputKind::Probability { 2 } else { model.n_raw };
        if let Some(classes) = karat_classes(&file).filter(|classes| classes.len() == n_classes) {
            model.classes = classes;
        }
        Ok(model)
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Columns of the matrix that it looks at.
    pub fn n_features(&self) -> usize {
        self.inputs.iter().filter_map(ForeignInput::width).sum()
    }

    /// A name for each column: as the file tells them, or those of the inputs where each is a column,
    /// or `x0`, `x1` and so on.
    pub fn feature_names(&self) -> Vec<String> {
        self.feature_names.clone()
    }

    /// What the numbers of a row mean, by what the graph says and what it gave for some rows.
    pub fn output_kind(&self) -> OutputKind {
        self.kind
    }

    /// What is done to the numbers after the graph.
    pub fn apply(&self) -> Apply {
        self.apply
    }

    /// The same model with something done to the numbers after the graph.
    ///
    /// # Errors
    ///
    /// When a sigmoid is asked of several numbers, or a softmax of one.
    pub fn applying(mut self, apply: Apply) -> Result<Self, Error> {
        let n_outputs = self.n_raw;
        self.kind = match apply {
            Apply::None => self.raw_kind,
            Apply::Sigmoid if n_outputs == 1 => OutputKind::Probability,
            Apply::Softmax if n_outputs == 2 => OutputKind::Probability,
            Apply::Softmax if 2 < n_outputs => OutputKind::Classes(n_outputs),
            Apply::Sigmoid => {
                let hint = "take a softmax";
                return Err(Error::Apply { apply: "sigmoid", n_outputs, hint });
            }
            Apply::Softmax => {
                let hint = "take a sigmoid";
                return Err(Error::Apply { apply: "softmax", n_outputs, hint });
            }
        };
        self.apply = apply;
        Ok(self)
    }

    /// Numbers for each row.
    pub fn n_outputs(&self) -> usize {
        match self.kind {
            OutputKind::Number | OutputKind::Probability => 1,
            OutputKind::Classes(n) | OutputKind::Scores(n) => n,
        }
    }

    /// What the model tells of each row of a matrix (rows, columns): (rows, 1) for a number or the
    /// probability of the positive class, (rows, classes) for several. Any number of threads may ask
    /// at once. The batch a row comes in changes no more than rounding does.
    ///
    /// # Errors
    ///
    /// When the matrix has other columns, a value is not whole where the file wants whole ones, or
    /// the runtime fails.
    pub fn outputs(&self, x: ArrayView2<f64>) -> Result<Array2<f64>, Error> {
        if x.ncols() != self.n_features() {
            return Err(Error::Columns { expected: self.n_features(), found: x.ncols() });
        }
        self.check_whole(x)?;
        if x.nrows() == 0 {
            return Ok(Array2::zeros((0, self.n_outputs())));
        }
        let mut numbers = self.run(x)?;
        for mut row in numbers.rows_mut() {
            match self.apply {
                Apply::None => {}
                Apply::Sigmoid => row.mapv_inplace(|x| 1.0 / (1.0 + (-x).exp())),
                Apply::Softmax => {
                    let largest = row.fold(f64::NEG_INFINITY, |a, b| a.max(*b));
                    row.mapv_inplace(|x| (x - largest).exp());
                    let sum = row.sum();
                    row.mapv_inplace(|x| x / sum);
                }
            }
        }
        if self.kind == OutputKind::Probability && numbers.ncols() == 2 {
            return Ok(numbers.slice_move(s![.., 1..]));
        }
        Ok(numbers)
    }

    /// All numbers of the graph, block by block. The last block is filled up with its last row.
    fn run(&self, x: ArrayView2<f64>) -> Result<Array2<f64>, Error> {
        /// From this part of a block on, filling it up is cheaper than going row by row.
        const FEW: usize = 8;
        let mut numbers: Option<Array2<f64>> = None;
        let mut at = 0;
        while at < x.nrows() {
            let left = x.nrows() - at;
            let block = self.block.as_ref().filter(|block| block.n_rows <= left * FEW);
            let plan = block.unwrap_or(&self.row);
            let n = plan.n_rows.min(left);
            let rows = x.slice(s![at..at + n, ..]);
            let told = if n == plan.n_rows {
                plan.run(rows, &self.inputs)?
            } else {
                let filled: Vec<usize> = (0..plan.n_rows).map(|row| row.min(n - 1)).collect();
                plan.run(rows.select(Axis(0), &filled).view(), &self.inputs)?
            };
            let all = numbers.get_or_insert_with(|| Array2::zeros((x.nrows(), told.ncols())));
            if all.ncols() != told.ncols() {
                let why = format!("`{}` numbers for a row after `{}`", told.ncols(), all.ncols());
                return Err(Error::Run { why });
            }
            all.slice_mut(s![at..at + n, ..]).assign(&told.slice(s![..n, ..]));
            at += n;
        }
        numbers.ok_or(Error::Run { why: "no rows".into() })
    }

    /// A plan for blocks, if the graph gives the same for rows of a block as for each alone: some
    /// files fix the number of rows within, and some mix them.
    fn block_like(
        &self,
        file: &ModelProto,
        probe: ArrayView2<f64>,
        alone: ArrayView2<f64>,
        limits: &Limits,
    ) -> Option<Plan> {
        if probe.nrows() < 2 {
            return None;
        }
        let block = Plan::new(file, &self.inputs, probe.nrows(), limits).ok()?;
        let told = block.run(probe, &self.inputs).ok()?;
        let is_same = |(a, b): (&f64, &f64)| {
            (a - b).abs() <= 1e-6 * (1.0 + b.abs()) || (a.is_nan() && b.is_nan()) || a == b
        };
        let same_width = told.ncols() == alone.ncols();
        let of_probe = told.slice(s![..alone.nrows(), ..]);
        (same_width && of_probe.iter().zip(alone).all(is_same)).then_some(block)
    }

    /// Rows that differ from each other, whole where that is asked for.
    fn probe(&self, n_rows: usize) -> Array2<f64> {
        let whole = self
            .inputs
            .iter()
            .flat_map(|input| std::iter::repeat_n(input.is_whole(), input.width().unwrap_or(0)));
        let whole: Vec<bool> = whole.collect();
        Array2::from_shape_fn((n_rows, whole.len()), |(row, column)| {
            if whole[column] {
                return ((row + column) % 2) as f64;
            }
            let angle = (row * 7 + column * 3 + row * column) as f64;
            angle.sin() * [0.5, 1.0, 2.0][row % 3]
        })
    }

    fn check_whole(&self, x: ArrayView2<f64>) -> Result<(), Error> {
        let mut start = 0;
        for input in &self.inputs {
            let end = start + input.width().unwrap_or(0);
            let largest = if input.datatype == Datatype::I32 { f64::from(i32::MAX) } else { 9e15 };
            for column in (start..end).filter(|_| input.is_whole()) {
                let values = x.column(column);
                let is_whole = |value: &f64| value.fract() == 0.0 && value.abs() <= largest;
                if let Some(row) = values.iter().position(|value| !is_whole(value)) {
                    return Err(Error::NotWhole {
                        value: values[row].to_string(),
                        row,
                        feature: self.feature_names[column].clone(),
                        input: input.name.clone(),
                    });
                }
            }
            start = end;
        }
        Ok(())
    }
}

/// Rows that are run alone and in a block when a file is read.
const PROBED: usize = 6;

/// Fewer rows the more columns there are, so that memory stays small.
fn rows_of_block(inputs: &[ForeignInput]) -> usize {
    let width: usize = inputs.iter().filter_map(ForeignInput::width).sum();
    ((1 << 16) / width.max(1)).clamp(1, 256)
}

/// Whether a single column is a probability: by its name, or since a sigmoid makes it.
fn says_probability(part: &GraphProto, output: &str) -> bool {
    output.to_lowercase().contains("prob")
        || part
            .node
            .last()
            .is_some_and(|node| matches!(node.op_type.as_str(), "Sigmoid" | "Softmax"))
}

/// The names of the columns, as remarks of the file or its inputs tell them.
fn feature_names(remarks: &[StringStringEntryProto], inputs: &[ForeignInput]) -> Vec<String> {
    const KEYS: [&str; 4] = ["karat.features", "feature_names", "feature_names_in_", "features"];
    let n: usize = inputs.iter().filter_map(ForeignInput::width).sum();
    if 1 < n && inputs.iter().all(|input| input.width() == Some(1)) {
        return inputs.iter().map(|input| input.name.clone()).collect();
    }
    let remark = |key| remarks.iter().find(|remark| remark.key == key);
    for remark in KEYS.into_iter().filter_map(remark) {
        let names = serde_json::from_str::<Vec<String>>(&remark.value).unwrap_or_else(|_| {
            remark.value.split(',').map(|name| name.trim().to_owned()).collect()
        });
        let distinct: BTreeSet<&String> = names.iter().collect();
        if names.len() == n && distinct.len() == n && names.iter().all(|name| !name.is_empty()) {
            return names;
        }
    }
    (0..n).map(|idx| format!("x{idx}")).collect()
}

/// The classes of a file that this program wrote.
fn karat_classes(file: &ModelProto) -> Option<Vec<String>> {
    let remark = file.metadata_props.iter().find(|remark| remark.key == "karat.classes")?;
    serde_json::from_str(&remark.value).ok()
}
