//! The Open Inference Protocol, version 2: tensors in, tensors out.

use std::sync::Arc;

use super::form::LONGEST;
use super::protocol::{
    Datatype, HEADER_LENGTH, InferRequest, InferResponse, OutTensor, OutValues, Parameters,
    Refusal, Scalar, Tensor, Values, parse_infer, shown,
};
use super::route::{Answer, Call, Outcome, Reply};
use super::score::{Asked, answer};
use super::scoring::{self, Rows, Taken, Wanted, decision};
use super::served::Served;
use super::server::{Server, new_id};
use super::told::Ids;
use crate::data::Task;
use crate::features::Given;
use crate::registry::store::Scope;

/// The one input of models that take a matrix of numbers.
pub(super) const MATRIX: &str = "x";

/// Tensors as rows.
enum ByTensor {
    /// Numbers row after row; NaN where missing.
    Matrix { values: Vec<f64>, n_columns: usize },
    /// One tensor for each field.
    Columns { columns: Vec<Column>, n_rows: usize },
}

enum Column {
    Absent,
    Numbers(Vec<f64>),
    Truths(Vec<Option<bool>>),
    Texts(Vec<Option<Box<str>>>),
}

impl Rows for ByTensor {
    fn n_rows(&self) -> usize {
        match self {
            Self::Matrix { values, n_columns } => values.len() / (*n_columns).max(1),
            Self::Columns { n_rows, .. } => *n_rows,
        }
    }

    fn put<'a>(&'a self, row: usize, given: &mut Vec<Given<'a>>) {
        let number =
            |value: f64| if value.is_nan() { Given::Missing } else { Given::Number(value) };
        match self {
            Self::Matrix { values, n_columns } => {
                let own = &values[row * n_columns..(row + 1) * n_columns];
                given.extend(own.iter().map(|value| number(*value)));
            }
            Self::Columns { columns, .. } => {
                given.extend(columns.iter().map(|column| match column {
                    Column::Absent => Given::Missing,
                    Column::Numbers(values) => number(values[row]),
                    Column::Truths(values) => values[row].map_or(Given::Missing, Given::Truth),
                    Column::Texts(values) => {
                        values[row].as_deref().map_or(Given::Missing, Given::Text)
                    }
                }));
            }
        }
    }
}

/// `POST /v2/models/{model}/infer`.
pub(super) fn infer(server: &Arc<Server>, call: &mut Call) -> Reply {
    let (asked, request) = match read(server, call) {
        Ok(read) => read,
        Err(refusal) => return server.refused(call, refusal),
    };
    answer(server, call, asked, move |asked, taken| tell(asked, taken, &request))
}

fn read(server: &Arc<Server>, call: &mut Call) -> Result<(Asked, InferRequest), Refusal> {
    let sticky = call.who.sticky();
    let version = call.param("version").map(str::to_owned);
    let found = server.find(call, version.as_deref(), &sticky)?;
    call.served = Some(Arc::clone(&found.served));
    let header = call.header(HEADER_LENGTH).map(str::to_owned);
    let limits = &server.options.limits;
    let mut request = parse_infer(header.as_deref(), call.body.clone(), limits)?;
    let served = &found.served;
    if request.raw.is_some() {
        if !served.takes_matrix() {
            return Err(Refusal::bad_request("a raw request is for models with one input"));
        }
        let n = served.scorer.fields.len() as i64;
        request.settle_raw(MATRIX, Datatype::Fp64, &[-1, n])?;
    }
    let names: Vec<&str> = outputs_of(served).iter().map(|(name, ..)| *name).collect();
    for output in &request.outputs {
        if !names.contains(&output.name.as_str())
            && output.name != EXPLAIN
            && output.name != REASONS
        {
            let what = format!("there is no output `{}`", shown(&output.name));
            return Err(Refusal::bad_request(what));
        }
    }
    let flag = |name: &str| matches!(request.parameters.get(name), Some(Scalar::Bool(true)));
    let asks = |name: &str| request.outputs.iter().any(|output| output.name == name);
    let wanted = Wanted {
        reasons: flag("reasons") || asks(REASONS),
        attributions: flag("explain") || asks(EXPLAIN),
        background: None,
    };
    if wanted.reasons || wanted.attributions {
        call.who.may(Scope::Explain)?;
    }
    let subject = match request.parameters.get("subject") {
        Some(Scalar::Text(subject)) if subject.chars().count() > LONGEST => {
            let what = format!("`subject` has more than {LONGEST} letters");
            return Err(Refusal::bad_request(what));
        }
        Some(Scalar::Text(subject)) => Some(subject.clone()),
        _ => None,
    };
    let rows = rows_of(served, &request.inputs)?;
    call.who.charge_rows(rows.n_rows())?;
    let n_rows = rows.n_rows();
    let asked = Asked {
        unknown: Vec::new(),
        ids: Ids { base: new_id(), n_rows },
        request_id: None,
        rows: Box::new(rows),
        wanted,
        subject,
        key: call.who.id(),
        found,
    };
    Ok((asked, request))
}

/// One tensor with all fields side by side, or one for each field.
fn rows_of(served: &Served, inputs: &[Tensor]) -> Result<ByTensor, Refusal> {
    let n_fields = served.scorer.fields.len();
    if let [one] = inputs
        && served.takes_matrix()
        && (!served.places.contains_key(&one.name) || one.shape.len() == 2 && one.shape[1] != 1)
    {
        let n_columns = match one.shape[..] {
            [_, columns] | [columns] => columns,
            _ => one.shape.iter().skip(1).product(),
        };
        if n_columns != n_fields as u64 {
            return Err(Refusal::bad_request(format!(
                "input `{}` has {n_columns} columns, and the model takes {n_fields}",
                shown(&one.name)
            )));
        }
        let values = one.numbers()?.into_owned();
        return Ok(ByTensor::Matrix { values, n_columns: n_fields.max(1) });
    }
    let mut columns: Vec<Column> = (0..n_fields).map(|_| Column::Absent).collect();
    let mut n_rows = None;
    for input in inputs {
        let name = shown(&input.name);
        let Some(place) = served.places.get(&input.name) else {
            let expected = if served.takes_matrix() {
                format!("`{MATRIX}` with all {n_fields} columns, or one input for each column")
            } else {
                "one input for each column".to_owned()
            };
            return Err(Refusal::bad_request(format!(
                "there is no input `{name}`; the model takes {expected}"
            )));
        };
        let n = input.shape.first().copied().unwrap_or(1);
        if n != input.n_elements() as u64 {
            return Err(Refusal::bad_request(format!(
                "input `{name}` has {} values for {n} rows",
                input.n_elements()
            )));
        }
        if *n_rows.get_or_insert(n) != n {
            return Err(Refusal::bad_request(format!(
                "input `{name}` has {n} rows, and others have {}",
                n_rows.unwrap_or_default()
            )));
        }
        columns[*place] = match (&input.values, input.datatype) {
            (Values::Texts(_), _) | (Values::Binary(_), Datatype::Bytes) => {
                let texts = input.texts()?;
                let text =
                    |(at, text): (usize, &str)| (!input.nulls.contains(&at)).then(|| text.into());
                Column::Texts(texts.into_iter().enumerate().map(text).collect())
            }
            (_, Datatype::Bool) => {
                let truth = |value: &f64| (!value.is_nan()).then_some(*value != 0.0);
                Column::Truths(input.numbers()?.iter().map(truth).collect())
            }
            _ => Column::Numbers(input.numbers()?.into_owned()),
        };
    }
    let n_rows = n_rows.ok_or_else(|| Refusal::bad_request("the request has no input"))?;
    Ok(ByTensor::Columns { columns, n_rows: n_rows as usize })
}

const EXPLAIN: &str = "attributions";
const REASONS: &str = "reasons";

/// Name, type, and how many values a row has.
pub(super) fn outputs_of(served: &Served) -> Vec<(&'static str, Datatype, Option<usize>)> {
    match served.model().task {
        Task::Regression => vec![("prediction", Datatype::Fp64, None)],
        Task::Binary => {
            vec![("probability", Datatype::Fp64, None), ("prediction", Datatype::Bytes, None)]
        }
        Task::Multiclass => vec![
            ("probability", Datatype::Fp64, Some(served.model().classes.len())),
            ("prediction", Datatype::Bytes, None),
        ],
    }
}

fn tell(asked: &Asked, taken: &Taken, request: &InferRequest) -> Outcome {
    let served = &asked.found.served;
    let n = taken.n_rows as u64;
    let mut outputs = Vec::new();
    let mut give = |name: &str, shape: Vec<u64>, values: OutValues, parameters: Parameters| {
        let is_binary = request.wants_binary(name);
        outputs.push(OutTensor { name: name.to_owned(), shape, values, is_binary, parameters });
    };
    let none = || Parameters::default();
    for (name, datatype, width) in outputs_of(served) {
        if !request.wants(name)
            && !(request.outputs.iter().all(|o| o.name == EXPLAIN || o.name == REASONS))
        {
            continue;
        }
        if datatype == Datatype::Fp64 {
            let shape = width.map_or(vec![n], |width| vec![n, width as u64]);
            give(name, shape, OutValues::Fp64(taken.outputs.clone()), none());
        } else {
            let word = |row| decision(served, taken.score_of(row)).unwrap_or_default().to_owned();
            give(name, vec![n], OutValues::Bytes((0..taken.n_rows).map(word).collect()), none());
        }
    }
    if asked.wanted.reasons {
        let mut words = Vec::new();
        for row in 0..taken.n_rows {
            let told = scoring::reasons(served, taken, row, asked.wanted)?.reasons;
            let mut own: Vec<String> = told.into_iter().map(|reason| reason.feature).collect();
            own.resize(crate::explain::MOST_REASONS, String::new());
            words.extend(own);
        }
        let shape = vec![n, crate::explain::MOST_REASONS as u64];
        give(REASONS, shape, OutValues::Bytes(words), none());
    }
    if asked.wanted.attributions {
        let (mut values, mut names, mut given) = (Vec::new(), String::new(), Vec::new());
        let mut bases = Vec::new();
        for row in 0..taken.n_rows {
            given.clear();
            asked.rows.put(row, &mut given);
            let told = scoring::attributions(served, taken, row, &given, None)?;
            if row == 0 {
                let own: Vec<&str> = told.attributions.iter().map(|a| a.feature.as_str()).collect();
                names = own.join(",");
            }
            values.extend(told.attributions.iter().map(|a| a.contribution));
            bases.push(told.base);
        }
        let width = values.len() as u64 / n.max(1);
        let about = Parameters(vec![("features".into(), Scalar::Text(names))]);
        give(EXPLAIN, vec![n, width], OutValues::Fp64(values), about);
        give("attributions_base", vec![n], OutValues::Fp64(bases), none());
    }
    let id = request.id.clone().unwrap_or_else(|| asked.ids.base.clone());
    let mut parameters = Vec::new();
    if id != asked.ids.base {
        parameters.push(("prediction_id".to_owned(), Scalar::Text(asked.ids.base.clone())));
    }
    if let Some(alias) = &asked.found.alias {
        parameters.push(("alias".to_owned(), Scalar::Text(alias.clone())));
    }
    let response = InferResponse {
        model_name: served.name.clone(),
        model_version: Some(served.version.to_string()),
        id,
        parameters: Parameters(parameters),
        outputs,
    };
    let written = response.write()?;
    let mut answer = Answer::bytes(written.content_type(), written.body.clone());
    let length = written.header_length.map(|length| (HEADER_LENGTH, length.to_string()));
    answer.headers.extend(length);
    Ok(answer)
}
