//! What the server tells of itself: its metrics, its routes as OpenAPI, a request to copy.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::ROUTES;
use super::oip::visible;
use super::route::{Access, Answer, Call, Reply};
use super::served::Served;
use super::server::Server;
use crate::data::{Task, date_text};
use crate::models::{Field, FieldKind};

/// `GET /metrics`.
pub(super) fn metrics(server: &Arc<Server>, _: &mut Call) -> Reply {
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
            if is_whole { json!(middle.round() as i64) } else { json!(middle) }
        }
        FieldKind::Truth => json!(true),
        FieldKind::Date => json!(date_text(middle.unwrap_or(20_000.0).round())),
        FieldKind::Level => json!(field.levels.first().map_or("", String::as_str)),
    }
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

/// The schema of a field's values.
fn schema_of(field: &Field, served: &Served) -> Value {
    let mut schema = match field.kind {
        FieldKind::Number => json!({ "type": "number" }),
        FieldKind::Truth => json!({ "type": "boolean" }),
        FieldKind::Date => json!({ "type": "string", "format": "date" }),
        FieldKind::Level => json!({ "type": "string" }),
    };
    let mut about = Vec::new();
    if let (FieldKind::Number, Some(min), Some(max)) = (field.kind, field.min, field.max) {
        about.push(format!("in training from {min} to {max}"));
    }
    if !field.levels.is_empty() {
        about.push(format!("in training one of: {}", field.levels.join(", ")));
    }
    if field.takes_missing(served.policy.missing) {
        schema["type"] = json!([schema["type"], "null"]);
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
            "predictions": { "type": "array", "items": prediction },
        },
        "required": ["model", "version", "predictions"],
    })
}

/// `GET /openapi.json`.
pub(super) fn openapi(server: &Arc<Server>, call: &mut Call) -> Reply {
    let mut paths = Map::new();
    for route in ROUTES {
        let operation = operation(route.about, route.access, route.path, route.method);
        let entry = paths.entry(route.path).or_insert_with(|| json!({}));
        entry[route.method.to_ascii_lowercase()] = operation;
    }
    for named in visible(server, call) {
        let Some(served) = named.versions.values().next_back() else { continue };
        let row = row_schema(served);
        let mut operation = operation(
            &format!("Scores of `{}` for rows", named.name),
            super::INFER,
            "",
            "POST",
        );
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": {
                "type": "object",
                "properties": {
                    "rows": { "type": "array", "items": row, "minItems": 1 },
                    "reasons": { "type": "boolean" },
                    "explain": { "type": "boolean" },
                    "id": { "type": "string", "pattern": "^[A-Za-z0-9._:-]{1,100}$" },
                    "subject": { "type": "string", "maxLength": 256 },
                    "background": { "type": "string", "enum": ["all", "near_threshold"] },
                },
                "required": ["rows"],
            } } },
        });
        operation["responses"]["200"]["content"] =
            json!({ "application/json": { "schema": answer_schema(served) } });
        paths.insert(format!("/v1/models/{}/score", named.name), json!({ "post": operation }));
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

/// What can be refused, and why.
const REFUSALS: &[(u16, &str)] = &[
    (400, "The request is not what is expected"),
    (401, "A key is needed, or this one is not good"),
    (403, "The key lacks the scope"),
    (404, "There is no such thing, or none that the key may know of"),
    (405, "Another method is needed"),
    (408, "The body took too long"),
    (413, "The request is too large"),
    (415, "The encoding of the body is not known"),
    (422, "The request is sound, and still there is no answer to it"),
    (429, "The key has asked for more than it may"),
    (503, "Too much to do at this moment, or not ready"),
];

fn operation(about: &str, access: Access, path: &str, method: &str) -> Value {
    let error = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } });
    let kind = match path {
        "/metrics" => "application/openmetrics-text",
        _ => "application/json",
    };
    let mut responses = Map::new();
    let mut content = json!({ kind: {} });
    if path.ends_with("/infer") {
        content["application/octet-stream"] = json!({});
    }
    responses.insert("200".into(), json!({ "description": "The answer", "content": content }));
    for (status, about) in REFUSALS {
        responses.insert(status.to_string(), json!({ "description": about, "content": error }));
    }
    let mut operation = json!({ "summary": about, "responses": responses });
    let parameters: Vec<Value> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
        })
        .collect();
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    if access != Access::Open {
        operation["security"] = json!([{ "key": [] }]);
    }
    if let Access::Needs(scope) = access {
        operation["description"] = json!(format!("Needs a key with the scope `{}`.", scope.word()));
    }
    if method == "POST" && !path.is_empty() {
        operation["requestBody"] = json!({
            "required": false,
            "content": { "application/json": { "schema": {} } },
        });
    }
    operation
}
