//! What the Open Inference Protocol tells of server and models, and how models are loaded.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::oip::{MATRIX, outputs_of};
use super::protocol::{Datatype, Refusal, shown};
use super::route::{Answer, Call, Outcome, Reply, apart};
use super::served::Served;
use super::server::Server;
use super::table::Named;
use crate::models::FieldKind;

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
pub(super) fn ready(server: &Arc<Server>, _: &mut Call) -> Reply {
    let models = server.models.load();
    // A name that is out of service was taken out; one whose version cannot be read is broken.
    if models.by_name.values().any(|named| !named.is_unloaded && !named.is_ready()) {
        return Reply::Now(Err(Refusal::unavailable("a model cannot be served", 5)));
    }
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

fn of_version(server: &Arc<Server>, call: &Call, tell: impl Fn(&Served) -> Value) -> Reply {
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
    let versions: Vec<String> = server
        .models
        .load()
        .by_name
        .get(name)
        .map_or(Vec::new(), |named| named.versions.keys().map(u32::to_string).collect());
    of_version(server, call, |served| {
        let port = |name: &str, datatype: Datatype, shape: &[i64]| json!({ "name": name, "datatype": datatype.name(), "shape": shape });
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
        let port = |name: &str, datatype: Datatype, dims: Vec<i64>| json!({ "name": name, "data_type": datatype.config_name(), "dims": dims });
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
    if !body.is_null() && !body.is_object() {
        return Reply::Now(Err(Refusal::bad_request("the body is no JSON object")));
    }
    let only_ready = body["ready"].as_bool().unwrap_or(false);
    let mut all = Vec::new();
    for named in visible(server, call) {
        if named.is_unloaded && only_ready {
            continue;
        }
        let loaded = named.versions.keys().map(|version| (version, None));
        let broken = named.broken.iter().map(|(version, why)| (version, Some(why.as_str())));
        for (version, wrong) in loaded.chain(broken) {
            let wrong = if named.is_unloaded { Some("unloaded") } else { wrong };
            if wrong.is_some() && only_ready {
                continue;
            }
            all.push(json!({
                "name": named.name,
                "version": version.to_string(),
                "state": if wrong.is_some() { "UNAVAILABLE" } else { "READY" },
                "reason": wrong.unwrap_or(""),
            }));
        }
    }
    Answer::json(&all).into()
}

/// `POST /v2/repository/models/{model}/load`.
pub(super) fn load(server: &Arc<Server>, call: &mut Call) -> Reply {
    apart(server, call, |server, call| set_loaded(server, call, true))
}

/// `POST /v2/repository/models/{model}/unload`.
pub(super) fn unload(server: &Arc<Server>, call: &mut Call) -> Reply {
    apart(server, call, |server, call| set_loaded(server, call, false))
}

fn set_loaded(server: &Server, call: &Call, loaded: bool) -> Outcome {
    let name = call.param("model").unwrap_or_default().to_owned();
    let is_there = server.models.load().by_name.contains_key(&name);
    if !is_there || !call.who.sees(&name) {
        let what = format!("there is no model `{}`", shown(&name));
        return Err(Refusal::not_found(what));
    }
    let is_json = |body: &[u8]| serde_json::from_slice::<Value>(body).is_ok_and(|b| b.is_object());
    if !call.body.is_empty() && !is_json(&call.body) {
        return Err(Refusal::bad_request("the body is no JSON object"));
    }
    server.set_loaded(&name, loaded);
    let models = server.models.load();
    if let Some(named) = models.by_name.get(&name).filter(|own| loaded && !own.is_ready()) {
        let why = named.broken.values().next().map_or("it has no version", String::as_str);
        return Err(Refusal::bad_request(format!("`{name}` cannot be loaded: {}", shown(why))));
    }
    let done = if loaded { "load" } else { "unload" };
    Answer::json(&json!({ "name": name, done: true }))
}
