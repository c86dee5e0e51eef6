//! The Open Inference Protocol, version 2: tensors in, tensors out, and what is told of models.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::protocol::{
    Datatype, HEADER_LENGTH, InferRequest, InferResponse, OutTensor, OutValues, Parameters, Refusal,
    Scalar, Tensor, Values, parse_infer, shown,
};
use super::route::{Answer, Call, Outcome, Reply};
use super::score::{Asked, answer};
use super::scoring::{self, Rows, Taken, Wanted, decision};
use super::served::Served;
use super::server::Server;
use super::table::Named;
use super::told::Ids;
use crate::data::Task;
use crate::features::Given;
use crate::models::FieldKind;
use crate::registry::store::Scope;

/// What is spoken besides the protocol itself.
const EXTENSIONS: &[&str] = &[
    "binary_tensor_data",
    "model_repository",
    "model_repository(unload_dependents)",
    "statistics",
    "model_configuration",
    "x_explain",
    "x_feedback",
];

/// The one input of models that take a matrix of numbers.
const MATRIX: &str = "x";

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
    Truths(Vec<bool>),
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
            Self::Columns { columns, .. } => given.extend(columns.iter().map(|column| match column {
                Column::Absent => Given::Missing,
                Column::Numbers(values) => number(values[row]),
                Column::Truths(values) => Given::Truth(values[row]),
                Column::Texts(values) => values[row].as_deref().map_or(Given::Missing, Given::Text),
            })),
        }
    }
}

/// `POST /v2/models/{model}/infer`.
pub(super) fn infer(server: &Arc<Server>, call: &mut Call) -> Reply {
    let (asked, request) = match read(server, call) {
        Ok(read) => read,
        Err(refusal) => return Reply::Now(Err(refusal)),
    };
    answer(server, call, asked, move |asked, taken| tell(asked, taken, &request))
}

fn read(server: &Arc<Server>, call: &mut Call) -> Result<(Asked, InferRequest), Refusal> {
    let sticky = call.who.sticky();
    let version = call.param("version").map(str::to_owned);
    let found = server.find(call, version.as_deref(), &sticky)?;
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
        if !names.contains(&output.name.as_str()) && output.name != EXPLAIN && output.name != REASONS {
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
        Some(Scalar::Text(subject)) => Some(subject.clone()),
        _ => None,
    };
    let rows = rows_of(served, &request.inputs)?;
    server.charge_rows(&call.who, rows.n_rows())?;
    let n_rows = rows.n_rows();
    // An id of the protocol may be any text; ours is told beside it where it cannot be the same.
    let base = match request.id.as_deref() {
        Some(id) => server.id_for(Some(id)).or_else(|_| server.id_for(None))?,
        None => server.id_for(None)?,
    };
    let asked = Asked {
        unknown: Vec::new(),
        ids: Ids { base, n_rows },
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
            [_, columns] => columns,
            [columns] => columns,
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
                let text = |(at, text): (usize, &str)| {
                    (!input.nulls.contains(&at)).then(|| text.into())
                };
                Column::Texts(texts.into_iter().enumerate().map(text).collect())
            }
            (_, Datatype::Bool) if input.nulls.is_empty() => {
                Column::Truths(input.numbers()?.iter().map(|value| *value != 0.0).collect())
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
fn outputs_of(served: &Served) -> Vec<(&'static str, Datatype, Option<usize>)> {
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
        if !request.wants(name) && !(request.outputs.iter().all(|o| o.name == EXPLAIN || o.name == REASONS)) {
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

/// `GET /v2`.
pub(super) fn server(_: &Arc<Server>, _: &mut Call) -> Reply {
    Answer::json(&json!({
        "name": "karat",
        "version": env!("CARGO_PKG_VERSION"),
        "extensions": EXTENSIONS,
    }))
    .into()
}

/// `GET /v2/health/live`.
pub(super) fn live(_: &Arc<Server>, _: &mut Call) -> Reply {
    Answer::json(&json!({ "live": true })).into()
}

/// `GET /v2/health/ready`.
pub(super) fn ready(_: &Arc<Server>, _: &mut Call) -> Reply {
    Answer::json(&json!({ "live": true, "ready": true })).into()
}

/// `GET /`.
pub(super) fn alive(_: &Arc<Server>, _: &mut Call) -> Reply {
    Answer::json(&json!({ "status": "alive" })).into()
}

/// The models that someone may know of, by name.
pub(super) fn visible(server: &Server, call: &Call) -> Vec<Arc<Named>> {
    let models = server.models.load();
    let mut own: Vec<_> =
        models.by_name.values().filter(|named| call.who.sees(&named.name)).cloned().collect();
    own.sort_by(|a, b| a.name.cmp(&b.name));
    own
}

/// `GET /v2/models`, `GET /v1/models`.
pub(super) fn list(server: &Arc<Server>, call: &mut Call) -> Reply {
    let names: Vec<String> = visible(server, call).iter().map(|named| named.name.clone()).collect();
    Answer::json(&json!({ "models": names })).into()
}

fn of_version(
    server: &Arc<Server>,
    call: &Call,
    tell: impl Fn(&Served) -> Value,
) -> Reply {
    let version = call.param("version");
    let found = server.find(call, version, &call.who.sticky());
    found.and_then(|found| Answer::json(&tell(&found.served))).into()
}

/// `GET /v2/models/{model}/ready`.
pub(super) fn model_ready(server: &Arc<Server>, call: &mut Call) -> Reply {
    of_version(server, call, |served| json!({ "name": served.name, "ready": true }))
}

/// The inputs as metadata tells them.
fn inputs_of(served: &Served) -> Vec<(String, Datatype, Vec<i64>)> {
    let fields = &served.scorer.fields;
    if served.takes_matrix() {
        return vec![(MATRIX.to_owned(), Datatype::Fp64, vec![-1, fields.len() as i64])];
    }
    let input = |field: &crate::models::Field| {
        let datatype = match field.kind {
            FieldKind::Number => Datatype::Fp64,
            FieldKind::Truth => Datatype::Bool,
            FieldKind::Level | FieldKind::Date => Datatype::Bytes,
        };
        (field.name.clone(), datatype, vec![-1])
    };
    fields.iter().map(input).collect()
}

fn platform(served: &Served) -> String {
    format!("karat_{}", served.model().kind)
}

/// `GET /v2/models/{model}`.
pub(super) fn metadata(server: &Arc<Server>, call: &mut Call) -> Reply {
    let name = call.param("model").unwrap_or_default();
    let versions: Vec<String> = server.models.load().by_name.get(name).map_or(Vec::new(), |named| {
        named.versions.keys().map(u32::to_string).collect()
    });
    of_version(server, call, |served| {
        let port = |name: &str, datatype: Datatype, shape: &[i64]| {
            json!({ "name": name, "datatype": datatype.name(), "shape": shape })
        };
        let inputs: Vec<Value> =
            inputs_of(served).iter().map(|(name, d, shape)| port(name, *d, shape)).collect();
        let outputs: Vec<Value> = outputs_of(served)
            .iter()
            .map(|(name, datatype, width)| {
                let shape: Vec<i64> = std::iter::once(-1).chain(width.map(|w| w as i64)).collect();
                port(name, *datatype, &shape)
            })
            .collect();
        let columns: Vec<&str> = served.scorer.fields.iter().map(|f| f.name.as_str()).collect();
        json!({
            "name": served.name,
            "versions": versions,
            "platform": platform(served),
            "inputs": inputs,
            "outputs": outputs,
            "properties": {
                "columns": columns.join(","),
                "target": served.model().target,
                "classes": served.model().classes.join(","),
                "digest": served.digest,
                "run": served.run,
            },
        })
    })
}

/// `GET /v2/models/{model}/config`.
pub(super) fn config(server: &Arc<Server>, call: &mut Call) -> Reply {
    of_version(server, call, |served| {
        let port = |name: &str, datatype: Datatype, dims: Vec<i64>| {
            json!({ "name": name, "data_type": datatype.config_name(), "dims": dims })
        };
        let inputs: Vec<Value> =
            inputs_of(served).into_iter().map(|(name, d, shape)| port(&name, d, shape)).collect();
        let outputs: Vec<Value> = outputs_of(served)
            .into_iter()
            .map(|(name, datatype, width)| {
                let dims = std::iter::once(-1).chain(width.map(|w| w as i64)).collect();
                port(name, datatype, dims)
            })
            .collect();
        json!({
            "name": served.name,
            "platform": platform(served),
            "backend": "karat",
            "version_policy": { "all": {} },
            "max_batch_size": 0,
            "input": inputs,
            "output": outputs,
        })
    })
}

fn stats_of(served: &Served) -> Value {
    let get = |n: &std::sync::atomic::AtomicU64| n.load(Ordering::Relaxed);
    let counts = &served.counts;
    let (requests, nanos) = (get(&counts.requests), get(&counts.nanos));
    let pair = |count: u64, ns: u64| json!({ "count": count, "ns": ns });
    json!({
        "name": served.name,
        "version": served.version.to_string(),
        "last_inference": get(&counts.last_ms),
        "inference_count": get(&counts.rows),
        "execution_count": requests,
        "inference_stats": {
            "success": pair(requests, nanos),
            "fail": pair(get(&counts.failed), get(&counts.failed_nanos)),
            "queue": pair(requests, 0),
            "compute_input": pair(requests, 0),
            "compute_infer": pair(requests, nanos),
            "compute_output": pair(requests, 0),
            "cache_hit": pair(0, 0),
            "cache_miss": pair(0, 0),
        },
        "batch_stats": [],
    })
}

/// `GET /v2/models/{model}/stats`, and of all models `GET /v2/models/stats`.
pub(super) fn stats(server: &Arc<Server>, call: &mut Call) -> Reply {
    if call.param("model").is_none() {
        let all: Vec<Value> = visible(server, call)
            .iter()
            .flat_map(|named| named.versions.values().map(|own| stats_of(own)).collect::<Vec<_>>())
            .collect();
        return Answer::json(&json!({ "model_stats": all })).into();
    }
    if let Some(version) = call.param("version") {
        let found = server.find(call, Some(version), "");
        return found
            .and_then(|found| Answer::json(&json!({ "model_stats": [stats_of(&found.served)] })))
            .into();
    }
    let name = call.param("model").unwrap_or_default();
    let named = visible(server, call).into_iter().find(|named| named.name == name);
    let none = || Refusal::not_found(format!("there is no model `{}`", shown(name)));
    named
        .ok_or_else(none)
        .and_then(|named| {
            let all: Vec<Value> = named.versions.values().map(|own| stats_of(own)).collect();
            Answer::json(&json!({ "model_stats": all }))
        })
        .into()
}

/// `POST /v2/repository/index`.
pub(super) fn index(server: &Arc<Server>, call: &mut Call) -> Reply {
    let body: Value = if call.body.is_empty() {
        Value::Null
    } else {
        match serde_json::from_slice(&call.body) {
            Ok(body) => body,
            Err(_) => return Reply::Now(Err(Refusal::bad_request("the body is not JSON"))),
        }
    };
    let only_ready = body["ready"].as_bool().unwrap_or(false);
    let mut all = Vec::new();
    for named in visible(server, call) {
        if named.is_unloaded && only_ready {
            continue;
        }
        let state = if named.is_unloaded { "UNAVAILABLE" } else { "READY" };
        let reason = if named.is_unloaded { "unloaded" } else { "" };
        for version in named.versions.keys() {
            all.push(json!({
                "name": named.name,
                "version": version.to_string(),
                "state": state,
                "reason": reason,
            }));
        }
    }
    Answer::json(&all).into()
}

/// `POST /v2/repository/models/{model}/load`.
pub(super) fn load(server: &Arc<Server>, call: &mut Call) -> Reply {
    set_loaded(server, call, true)
}

/// `POST /v2/repository/models/{model}/unload`.
pub(super) fn unload(server: &Arc<Server>, call: &mut Call) -> Reply {
    set_loaded(server, call, false)
}

fn set_loaded(server: &Arc<Server>, call: &Call, loaded: bool) -> Reply {
    let is_json = |body: &[u8]| serde_json::from_slice::<Value>(body).is_ok_and(|b| b.is_object());
    if !call.body.is_empty() && !is_json(&call.body) {
        return Reply::Now(Err(Refusal::bad_request("the body is no JSON object")));
    }
    let name = call.param("model").unwrap_or_default().to_owned();
    let is_there = server.models.load().by_name.contains_key(&name);
    if !is_there || !call.who.sees(&name) {
        let what = format!("there is no model `{}`", shown(&name));
        return Reply::Now(Err(Refusal::not_found(what)));
    }
    server.set_loaded(&name, loaded);
    let done = if loaded { "load" } else { "unload" };
    Answer::json(&json!({ "name": name, done: true })).into()
}
