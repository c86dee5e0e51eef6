//! What the server tells of itself: its metrics, its routes as `OpenAPI`, a request to copy.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::ROUTES;
use super::about::visible;
use super::form::LONGEST;
use super::protocol::Refusal;
use super::route::{Access, Answer, Call, Reply, Route};
use super::served::Served;
use super::server::Server;
use crate::data::{Task, date_text};
use crate::models::{Field, FieldKind};
use crate::registry::store::Scope;

/// `GET /metrics`.
pub(super) fn metrics(server: &Arc<Server>, call: &mut Call) -> Reply {
    if !call.who.sees_all() {
        let what = "the metrics tell of all models, and this key knows of some alone";
        return Reply::Now(Err(Refusal::forbidden(what)));
    }
    if let Some(log) = &server.log {
        let counts = log.counts();
        server.metrics.raise_log(counts.written, counts.dropped, counts.failed);
    }
    let text = server.metrics.text();
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Reply::Now(Ok(Answer::bytes(kind, text)))
}

/// A usual value of a field.
fn example(field: &Field) -> Value {
    let middle = field.min.zip(field.max).map(|(min, max)| f64::midpoint(min, max));
    match field.kind {
        FieldKind::Number => {
            let middle = middle.unwrap_or(0.0);
            let is_whole = [field.min, field.max].iter().flatten().all(|v| v.fract() == 0.0);
            if is_whole { json!(middle.round() as i64) } else { json!(short(middle, field)) }
        }
        FieldKind::Truth => json!(true),
        FieldKind::Date => json!(date_text(middle.unwrap_or(20_000.0).round())),
        FieldKind::Level => json!(field.levels.first().map_or("", String::as_str)),
    }
}

/// A number of few digits near this one, where training saw such.
fn short(value: f64, field: &Field) -> f64 {
    let is_seen = |short: &f64| {
        field.min.is_none_or(|min| min <= *short) && field.max.is_none_or(|max| *short <= max)
    };
    format!("{value:.3e}").parse().ok().filter(is_seen).unwrap_or(value)
}

/// A row that a model takes.
pub(super) fn example_row(served: &Served) -> Value {
    let fields = served.scorer.fields.iter();
    Value::Object(fields.map(|field| (field.name.clone(), example(field))).collect())
}

/// A request to copy.
pub(super) fn curl(url: &str, served: &Served) -> String {
    let body = example_row(served).to_string().replace('\'', "'\\''");
    format!(
        "curl {url}/v1/models/{}/score -H \"Authorization: Bearer $KARAT_KEY\" \
         -H 'Content-Type: application/json' -d '{body}'",
        served.name
    )
}

/// The schema of numbers no larger than this, of either sign.
fn number_up_to(largest: f64) -> Value {
    json!({ "type": "number", "minimum": -largest, "maximum": largest })
}

/// The schema of a field's values.
fn schema_of(field: &Field, served: &Served) -> Value {
    let mut schema = match field.kind {
        FieldKind::Number => number_up_to(field.largest()),
        FieldKind::Truth => json!({ "type": "boolean" }),
        FieldKind::Date => json!({ "type": "string", "format": "date" }),
        // Numbers and truth values are levels as they are written.
        FieldKind::Level => json!({ "type": ["string", "number", "boolean"], "minLength": 1 }),
    };
    let mut about = Vec::new();
    if let (FieldKind::Number, Some(min), Some(max)) = (field.kind, field.min, field.max) {
        about.push(format!("in training from {min} to {max}"));
    }
    if !field.levels.is_empty() {
        about.push(format!("in training one of: {}", field.levels.join(", ")));
    }
    if field.takes_missing(served.policy.missing) {
        let mut kinds = match schema["type"].take() {
            Value::Array(kinds) => kinds,
            kind => vec![kind],
        };
        kinds.push(json!("null"));
        schema["type"] = json!(kinds);
        // Of a text nothing is as good as none.
        schema.as_object_mut().and_then(|schema| schema.remove("minLength"));
        about.push("may be missing".to_owned());
    }
    if !about.is_empty() {
        schema["description"] = json!(about.join("; "));
    }
    schema["examples"] = json!([example(field)]);
    schema
}

/// The schema of a row.
fn row_schema(served: &Served) -> Value {
    let fields = &served.scorer.fields;
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.clone(), schema_of(field, served))).collect();
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| !field.takes_missing(served.policy.missing))
        .map(|field| field.name.as_str())
        .collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn answer_schema(served: &Served) -> Value {
    let mut prediction = json!({
        "type": "object",
        "properties": {
            "id": { "type": "string" },
            "warnings": { "type": "array", "items": { "type": "string" } },
            "explanation": { "type": "object" },
        },
        "required": ["id"],
    });
    let own = match served.model().task {
        Task::Regression => json!({ "prediction": { "type": "number" } }),
        Task::Binary => json!({
            "score": { "type": "number" },
            "probability": { "type": "number" },
            "decision": { "type": "string" },
            "reasons": { "type": "array", "items": { "type": "object" } },
        }),
        Task::Multiclass => json!({
            "decision": { "type": "string" },
            "probabilities": { "type": "object", "additionalProperties": { "type": "number" } },
        }),
    };
    if let (Some(to), Some(own)) = (prediction["properties"].as_object_mut(), own.as_object()) {
        to.extend(own.clone());
    }
    json!({
        "type": "object",
        "properties": {
            "model": { "type": "string" },
            "version": { "type": "integer" },
            "alias": { "type": "string" },
            "request_id": { "type": "string" },
            "probability_of": { "type": "string" },
            "ignored_fields": { "type": "array", "items": { "type": "string" } },
            "predictions": { "type": "array", "items": prediction },
        },
        "required": ["model", "version", "predictions"],
    })
}

/// `GET /openapi.json`: every route, once for each model that the key may know of.
pub(super) fn openapi(server: &Arc<Server>, call: &mut Call) -> Reply {
    let models = visible(server, call);
    let mut paths = Map::new();
    for route in ROUTES {
        let mut put = |path: String, model: Option<&Arc<Served>>, versions: &[String]| {
            let operation = operation(route, &path, model, versions);
            let entry = paths.entry(path).or_insert_with(|| json!({}));
            entry[route.method.to_ascii_lowercase()] = operation;
        };
        if !route.path.contains("{model}") {
            put(route.path.to_owned(), None, &[]);
            continue;
        }
        for named in &models {
            let Some(served) = named.versions.values().next_back() else { continue };
            let versions = named.versions.keys().map(u32::to_string);
            let versions: Vec<String> = versions.chain(named.aliases.keys().cloned()).collect();
            let path = route.path.replace("{model}", &named.name);
            if route.path == "/v1/models/{model}" && route.method == "POST" {
                for verb in ["predict", "explain"] {
                    put(format!("{path}:{verb}"), Some(served), &versions);
                }
            } else {
                put(path, Some(served), &versions);
            }
        }
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "karat",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Models in service: scores, reasons, and what is known of them.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } },
            "schemas": { "Error": {
                "type": "object",
                "properties": { "error": { "type": "string" } },
                "required": ["error"],
            } },
        },
    });
    Answer::json(&document).into()
}

/// The body that a route takes.
fn body_schema(route: &Route, served: Option<&Arc<Served>>) -> Option<Value> {
    if route.method != "POST" {
        return None;
    }
    // A model that gives no reasons is not to be asked for them.
    let gives_reasons = served.is_some_and(|served| served.reasoner.is_some());
    let reasons = if gives_reasons { json!([true, false]) } else { json!([false]) };
    let text = || json!({ "type": ["string", "null"], "maxLength": 500 });
    let alias = || json!({ "type": ["string", "null"], "maxLength": 100, "pattern": "^[0-9.]*[A-Za-z_-][A-Za-z0-9._-]*$" });
    let number = || json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX });
    let object = |properties: Value, required: &[&str]| json!({ "type": "object", "properties": properties, "required": required });
    Some(match (route.path, served) {
        (path, Some(served)) if path.ends_with("/score") => object(
            json!({
                "rows": { "type": "array", "items": row_schema(served), "minItems": 1 },
                "reasons": { "type": "boolean", "enum": reasons },
                "explain": { "type": "boolean" },
                "id": { "type": ["string", "null"], "pattern": "^[A-Za-z0-9._:-]{0,100}$" },
                "subject": { "type": ["string", "null"], "maxLength": LONGEST },
                "background": { "enum": ["all", "near_threshold", null] },
            }),
            &["rows"],
        ),
        (path, Some(served)) if path.ends_with("/infer") => infer_schema(served),
        ("/v1/models/{model}", Some(served)) => {
            let rows = json!({ "type": "array", "items": row_schema(served), "minItems": 1 });
            object(json!({ "instances": rows }), &["instances"])
        }
        ("/v1/feedback", _) => {
            let one = object(
                json!({
                    "id": { "type": "string", "pattern": "^[A-Za-z0-9._:-]{1,100}$" },
                    "label": {
                        "type": ["string", "number", "boolean"], "minLength": 1, "maxLength": 100
                    },
                }),
                &["id", "label"],
            );
            let all =
                json!({ "type": "array", "items": one.clone(), "minItems": 1, "maxItems": 10_000 });
            let named = object(json!({ "feedback": all.clone() }), &["feedback"]);
            json!({ "anyOf": [one, all, named] })
        }
        ("/v1/models/{model}/promote", _) => {
            object(json!({ "version": number(), "alias": alias(), "why": text() }), &["version"])
        }
        ("/v1/models/{model}/retire", _) => {
            object(json!({ "version": number(), "why": text() }), &["version"])
        }
        ("/v1/models/{model}/rollback", _) => {
            object(json!({ "alias": alias(), "why": text() }), &[])
        }
        (
            "/v1/alerts/{alert}/acknowledge"
            | "/v1/pending/{pending}/approve"
            | "/v1/pending/{pending}/reject",
            _,
        ) => object(json!({ "why": text() }), &[]),
        ("/v1/keys", _) => {
            let words = json!({ "type": "array", "items": { "type": "string" } });
            let scopes: Vec<&str> = Scope::ALL.iter().map(|(_, word, _)| *word).collect();
            let scopes = json!({ "type": "array", "items": { "enum": scopes }, "minItems": 1 });
            let (whole, number) = (
                json!({ "type": ["integer", "null"], "minimum": 1, "maximum": 9e15 }),
                json!({ "type": ["number", "null"], "exclusiveMinimum": 0 }),
            );
            let all = json!({
                "name": text(), "scopes": scopes, "models": words, "expires_ms": whole,
                "rate_per_second": number, "burst": number, "daily_requests": whole,
                "daily_rows": whole, "why": text(),
            });
            object(all, &["scopes"])
        }
        _ => json!({ "type": "object" }),
    })
}

/// The tensors of one row; more rows are taken just as well.
fn infer_schema(served: &Served) -> Value {
    let named = |name: &str| json!({ "const": name });
    let tensor = |name: Value, datatype: &[&str], shape: Value, values: Value, n: usize| {
        json!({
            "type": "object",
            "properties": {
                "name": name,
                "datatype": { "enum": datatype },
                "shape": { "const": shape },
                "data": { "type": "array", "items": values, "minItems": n, "maxItems": n },
            },
            "required": ["name", "datatype", "shape", "data"],
        })
    };
    let fields = &served.scorer.fields;
    let largest = fields.iter().map(Field::largest).fold(f64::INFINITY, f64::min);
    let number = number_up_to(largest.min(f64::MAX));
    let tensors: Vec<Value> = if served.takes_matrix() {
        let n = fields.len();
        // A tensor with all columns may have any name.
        vec![tensor(
            json!({ "type": "string", "examples": ["x"] }),
            &["FP64"],
            json!([1, n]),
            number,
            n,
        )]
    } else {
        let own = |field: &Field| match field.kind {
            FieldKind::Number => {
                let number = number_up_to(field.largest());
                tensor(named(&field.name), &["FP64"], json!([1]), number, 1)
            }
            FieldKind::Truth => {
                tensor(named(&field.name), &["BOOL"], json!([1]), json!({ "type": "boolean" }), 1)
            }
            FieldKind::Date => {
                let date = json!({ "type": "string", "format": "date" });
                tensor(named(&field.name), &["BYTES"], json!([1]), date, 1)
            }
            FieldKind::Level => {
                let level = json!({ "type": "string", "minLength": 1 });
                tensor(named(&field.name), &["BYTES"], json!([1]), level, 1)
            }
        };
        fields.iter().map(own).collect()
    };
    let n = tensors.len();
    json!({
        "type": "object",
        "properties": {
            "id": { "type": ["string", "null"] },
            "inputs": { "type": "array", "prefixItems": tensors, "items": false, "minItems": n, "maxItems": n },
        },
        "required": ["inputs"],
    })
}

/// What can be refused, and why.
const REFUSALS: &[(u16, &str)] = &[
    (400, "The request is not what is expected"),
    (401, "A key is needed, or this one is not good"),
    (403, "The key lacks the scope"),
    (404, "There is no such thing, or none that the key may know of"),
    (405, "Another method is needed"),
    (408, "The body took too long"),
    (409, "The model is not in the state for it"),
    (413, "The request is too large"),
    (415, "The encoding of the body is not known"),
    (422, "The request is sound, and still there is no answer to it"),
    (429, "The key has asked for more than it may"),
    (503, "Too much to do at this moment, or not ready"),
];

fn operation(
    route: &Route,
    path: &str,
    served: Option<&Arc<Served>>,
    versions: &[String],
) -> Value {
    let error =
        json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } });
    let mut content = match route.path {
        "/metrics" => json!({ "application/openmetrics-text": {} }),
        _ => json!({ "application/json": {} }),
    };
    if route.path.ends_with("/infer") {
        content["application/octet-stream"] = json!({});
    }
    if let Some(served) = served.filter(|_| route.path.ends_with("/score")) {
        content["application/json"] = json!({ "schema": answer_schema(served) });
    }
    let mut responses = Map::new();
    responses.insert("200".into(), json!({ "description": "The answer", "content": content }));
    for (status, about) in REFUSALS {
        responses.insert(status.to_string(), json!({ "description": about, "content": error }));
    }
    let mut operation = json!({ "summary": route.about, "responses": responses });
    let parameters: Vec<Value> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let schema = match name {
                "version" => json!({ "type": "string", "enum": versions }),
                "alert" | "pending" => json!({ "type": "integer", "minimum": 1 }),
                _ => json!({ "type": "string", "minLength": 1 }),
            };
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect();
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    if route.access != Access::Open {
        operation["security"] = json!([{ "key": [] }]);
    }
    if let Access::Needs(scope) = route.access {
        operation["description"] = json!(format!("Needs a key with the scope `{}`.", scope.word()));
    }
    if let Some(schema) = body_schema(route, served) {
        let names = schema["required"].as_array().is_some_and(|names| !names.is_empty());
        let required = names || schema.get("anyOf").is_some();
        operation["requestBody"] = json!({
            "required": required,
            "content": { "application/json": { "schema": schema } },
        });
    }
    operation
}
