//! The server asked without a socket: who may do what, what is refused and how, and that every
//! protocol gives the scores of the program.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};

use super::protocol::Limits;
use super::route::{Access, router};
use super::run::server_of;
use super::server::{Options, Server};
use super::testing::{table, trained};
use super::*;
use crate::jobs::Ctx;
use crate::models::Model;
use crate::registry::model_bytes;
use crate::registry::store::{
    Actor, Done, EventFilter, KeySpec, ModelName, NewVersion, Split, Store, Via,
};

fn actor() -> Actor {
    Actor { who: "ann".into(), via: Via::Login }
}

fn options(dir: &Path) -> Options {
    Options {
        workspace: dir.to_owned(),
        addr: "127.0.0.1:0".parse().unwrap(),
        tls: None,
        needs_key: true,
        limits: Limits { max_body: 100_000, ..Limits::default() },
        max_in_flight: 64,
        max_connections: 64,
        max_lag: std::time::Duration::from_secs(10),
        max_wait: std::time::Duration::from_secs(10),
        log_days: 30,
        encrypt_log: false,
        alert_command: None,
        alert_webhook: None,
    }
}

/// An answer: status, headers, body.
type Told = (u16, HeaderMap, Vec<u8>);

struct Place {
    _dir: tempfile::TempDir,
    server: Arc<Server>,
    router: Router,
    credit: Model,
    runtime: tokio::runtime::Runtime,
}

impl Place {
    /// A server with the models `credit` (logistic, two versions) and `net`.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let register = |name: &str, run: &crate::train::Run| {
            let about = NewVersion { kind: run.model.kind.clone(), ..NewVersion::default() };
            let bytes = model_bytes(run).unwrap();
            let name = ModelName::new(name).unwrap();
            store.register(&name, &bytes, &about, &actor(), "").unwrap();
        };
        let credit = trained("logistic", &[]);
        register("credit", &credit);
        register("credit", &trained("logistic", &[("alpha", "50")]));
        let mut steep = trained("logistic", &[]);
        if let crate::models::Predictor::Linear { coefficients, .. } = &mut steep.model.predictor {
            for own in coefficients {
                *own *= 1e6;
            }
        }
        register("steep", &steep);
        register("net", &trained("mlp", &[("epochs", "3")]));
        for name in ["credit", "net"] {
            let done = Done::Promote { name: name.into(), version: 1, alias: "champion".into() };
            store.decide(&done, &actor(), "").unwrap();
        }
        let server = Arc::new(server_of(options(dir.path()), "http://test".into()).unwrap());
        server.renew();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let router = router(&server, ROUTES);
        Self { _dir: dir, server, router, credit: credit.model, runtime }
    }

    fn key(&self, scopes: &[Scope], models: &[&str]) -> String {
        let spec = KeySpec {
            scopes: scopes.to_vec(),
            models: models.iter().map(|m| (*m).to_owned()).collect(),
            ..KeySpec::default()
        };
        let key = self.server.store.create_key(&spec, &actor(), "").unwrap().shown;
        self.server.renew();
        key
    }

    fn all(&self) -> String {
        self.key(&Scope::ALL.iter().map(|(scope, ..)| *scope).collect::<Vec<_>>(), &[])
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Told {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_vec())).unwrap();
        let service = TowerToHyperService::new(self.router.clone());
        self.runtime.block_on(async {
            let response = service.call(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes().to_vec();
            (parts.status.as_u16(), parts.headers, body)
        })
    }

    fn send(&self, method: &str, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let bearer = format!("Bearer {key}");
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let (status, _, body) = self.ask(method, path, &[("authorization", &bearer)], &body);
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}

fn row() -> Value {
    json!({ "age": 33, "debt": 700, "job": "smith" })
}

/// A path that a route has, with something that is there.
fn path_of(route: &Route) -> String {
    let path =
        route.path.replace("{version}", "1").replace("{alert}", "1").replace("{key}", "none");
    if route.path == "/v1/models/{model}" && route.method == "POST" {
        return path.replace("{model}", "credit:predict");
    }
    path.replace("{model}", "credit")
}

#[test]
fn every_route_is_open_to_those_it_names_and_to_nobody_else() {
    let place = Place::new();
    let keys: Vec<(Scope, String)> =
        Scope::ALL.iter().map(|(scope, ..)| (*scope, place.key(&[*scope], &[]))).collect();
    let elsewhere = place.key(&[Scope::Infer, Scope::Read, Scope::Operate], &["other-*"]);
    for route in ROUTES {
        let path = path_of(route);
        let what = format!("{} {path}", route.method);
        // A body that no route takes to heart, so that nothing is changed by asking.
        let body = json!([]);
        let (without, _) = place.send(route.method, &path, "", &body);
        if route.access == Access::Open {
            assert_eq!(without, 200, "{what}");
            continue;
        }
        assert_eq!(without, 401, "{what} without a key");
        let (wrong, _) = place.send(route.method, &path, "karat_live_nonsense", &body);
        assert_eq!(wrong, 401, "{what} with nonsense");
        for (scope, key) in &keys {
            let (status, answer) = place.send(route.method, &path, key, &body);
            let lacks = match route.access {
                Access::Needs(needed) => needed != *scope,
                // Which scope a verb of KServe needs is told by the verb.
                _ => {
                    route.path == "/v1/models/{model}"
                        && route.method == "POST"
                        && *scope != Scope::Infer
                }
            };
            let refused =
                status == 403 && answer["error"].as_str().is_some_and(|e| e.contains("scope"));
            assert_eq!(refused, lacks, "{what} with {}: {status} {answer}", scope.word());
            assert!(status != 401 && status < 500 || status == 503, "{what}: {status} {answer}");
        }
        if route.path.contains("{model}") && route.access != Access::Needs(Scope::Admin) {
            let (status, answer) = place.send(route.method, &path, &elsewhere, &body);
            assert_eq!(status, 404, "{what} is not told to others: {answer}");
        }
    }
}

#[test]
fn what_is_not_in_the_table_does_not_exist() {
    let place = Place::new();
    let key = place.all();
    for path in [
        "/v3",
        "/v2/models/credit/secret",
        "/v1/models/credit/score/x",
        "/admin",
        "/v2/models/nope/../x",
    ] {
        let (status, answer) = place.send("GET", path, &key, &Value::Null);
        assert_eq!((status, answer["error"].is_string()), (404, true), "{path}");
    }
    let bearer = format!("Bearer {key}");
    let (status, headers, body) =
        place.ask("PUT", "/v2/models/credit/infer", &[("authorization", &bearer)], b"");
    assert_eq!((status, headers["allow"].to_str().unwrap()), (405, "POST"));
    assert!(String::from_utf8(body).unwrap().contains("\"error\""));
}

/// Every row of the table of errors, as any client can cause it.
#[test]
fn errors_are_json_with_the_right_status_and_never_a_500() {
    let place = Place::new();
    let key = place.all();
    let bearer = format!("Bearer {key}");
    let tensors = |inputs: Value| json!({ "inputs": inputs }).to_string();
    let x = |shape: Value, data: Value| json!([{ "name": "age", "shape": shape, "datatype": "FP64", "data": data }]);
    let columns = |age: Value| {
        json!([
            { "name": "age", "shape": [1], "datatype": "FP64", "data": age },
            { "name": "debt", "shape": [1], "datatype": "FP64", "data": [1.0] },
            { "name": "job", "shape": [1], "datatype": "BYTES", "data": ["smith"] },
        ])
    };
    let infer = "/v2/models/credit/infer";
    let score = "/v1/models/credit/score";
    let deep = format!(
        "{{\"inputs\":[{{\"name\":\"age\",\"shape\":[1],\"datatype\":\"FP64\",\"data\":{}",
        "[".repeat(10_000)
    );
    let cases: Vec<(&str, &str, String, u16, &str)> = vec![
        ("bad JSON", infer, "{\"inputs\":".into(), 400, ""),
        ("missing field", infer, "{}".into(), 400, "inputs"),
        (
            "bad datatype",
            infer,
            tensors(json!([{ "name": "age", "shape": [1], "datatype": "FP65", "data": [1] }])),
            400,
            "",
        ),
        ("count is not the shape", infer, tensors(x(json!([2]), json!([1.0]))), 400, "age"),
        (
            "wrong feature count",
            infer,
            tensors(
                json!([{ "name": "z", "shape": [1, 9], "datatype": "FP64", "data": [1,1,1,1,1,1,1,1,1] }]),
            ),
            400,
            "`z`",
        ),
        ("null in data", infer, tensors(columns(json!([null]))), 400, "age"),
        ("NaN literal", infer, tensors(columns(json!([7777]))).replace("7777", "NaN"), 400, ""),
        ("negative shape", infer, tensors(x(json!([-1]), json!([1.0]))), 400, ""),
        (
            "overflowing shape",
            infer,
            tensors(x(json!([4_294_967_296_u64, 4_294_967_296_u64]), json!([1.0]))),
            400,
            "",
        ),
        (
            "another overflowing shape",
            infer,
            tensors(x(json!([16, 1_152_921_504_606_846_978_u64]), json!([1.0]))),
            400,
            "",
        ),
        ("deep nesting", infer, deep, 400, ""),
        ("unknown model", "/v2/models/nope/infer", tensors(columns(json!([1.0]))), 404, "nope"),
        (
            "unknown version",
            "/v2/models/credit/versions/9/infer",
            tensors(columns(json!([1.0]))),
            404,
            "9",
        ),
        (
            "unknown alias",
            "/v2/models/credit/versions/rogue/infer",
            tensors(columns(json!([1.0]))),
            404,
            "rogue",
        ),
        ("body too large", infer, format!("{{\"x\":\"{}\"}}", "y".repeat(200_000)), 413, ""),
        (
            "unknown output",
            infer,
            json!({ "inputs": columns(json!([1.0])), "outputs": [{ "name": "nope" }] }).to_string(),
            400,
            "nope",
        ),
        (
            "a word for a number",
            score,
            json!({ "age": "old", "debt": 1, "job": "smith" }).to_string(),
            400,
            "`age`: a number",
        ),
        (
            "a missing field",
            score,
            json!({ "age": 3, "job": "smith" }).to_string(),
            400,
            "`debt`: a value is required",
        ),
        (
            "a score without end",
            "/v1/models/steep/score",
            json!({ "age": 1e308, "debt": 1e308, "job": "smith" }).to_string(),
            422,
            "not finite",
        ),
        ("labels without an id", "/v1/feedback", json!({ "label": 1 }).to_string(), 400, "`id`"),
        (
            "a version that is not there",
            "/v1/models/credit/promote",
            json!({ "version": 99 }).to_string(),
            400,
            "99",
        ),
        ("no verb", "/v1/models/credit:guess", "{}".into(), 404, "guess"),
        ("instances missing", "/v1/models/credit:predict", "{}".into(), 400, "instances"),
        (
            "short instance",
            "/v1/models/credit:predict",
            json!({ "instances": [[1]] }).to_string(),
            400,
            "instance 0",
        ),
    ];
    for (what, path, body, expected, words) in cases {
        let (status, headers, answer) =
            place.ask("POST", path, &[("authorization", &bearer)], body.as_bytes());
        let text = String::from_utf8(answer).unwrap();
        assert_eq!(status, expected, "{what}: {text}");
        assert_eq!(headers["content-type"], "application/json", "{what}");
        let error: Value = serde_json::from_str(&text).unwrap();
        assert!(error["error"].as_str().unwrap().contains(words), "{what}: {text}");
    }
    let (status, headers, _) = place.ask(
        "POST",
        score,
        &[("authorization", &bearer), ("content-encoding", "br")],
        row().to_string().as_bytes(),
    );
    assert_eq!((status, headers["accept-encoding"].to_str().unwrap()), (415, "gzip, deflate"));
    let (status, headers, _) = place.ask("POST", score, &[], b"{}");
    assert_eq!((status, headers["www-authenticate"].to_str().unwrap()), (401, "Bearer"));
    place.server.set_loaded("credit", false);
    let (status, headers, _) =
        place.ask("POST", score, &[("authorization", &bearer)], row().to_string().as_bytes());
    assert_eq!((status, headers["retry-after"].to_str().unwrap()), (503, "1"), "not ready");
    let (status, _) = place.send("GET", "/v2/models/credit/ready", &key, &Value::Null);
    assert_eq!(status, 503);
}

#[test]
fn a_key_that_asks_too_often_is_told_when_to_come_back() {
    let place = Place::new();
    let spec = KeySpec {
        scopes: vec![Scope::Infer],
        rate_per_second: Some(0.01),
        burst: Some(2.0),
        daily_rows: Some(2),
        ..KeySpec::default()
    };
    let key = place.server.store.create_key(&spec, &actor(), "").unwrap().shown;
    place.server.renew();
    let bearer = format!("Bearer {key}");
    let ask = |body: Value| {
        let headers = [("authorization", bearer.as_str())];
        place.ask("POST", "/v1/models/credit/score", &headers, body.to_string().as_bytes())
    };
    let (status, headers, _) = ask(row());
    assert_eq!((status, headers["ratelimit-remaining"].to_str().unwrap()), (200, "1"));
    assert_eq!(ask(json!([row(), row()])).0, 429, "two rows more than today's");
    let (status, headers, _) = ask(row());
    assert_eq!(status, 429);
    assert_eq!(headers["retry-after"].to_str().unwrap(), "100");
}

#[test]
fn a_revoked_key_is_refused_once_the_server_has_looked() {
    let place = Place::new();
    let key = place.all();
    let id = key[11..21].to_owned();
    assert_eq!(place.send("GET", "/v2", &key, &Value::Null).0, 200);
    let other = place.all();
    assert_eq!(place.send("DELETE", &format!("/v1/keys/{id}"), &other, &Value::Null).0, 200);
    assert_eq!(place.send("GET", "/v2", &key, &Value::Null).0, 401);
    let wish = json!({ "scopes": ["infer"], "why": "one more client" });
    assert_eq!(place.send("POST", "/v1/keys", &other, &wish).0, 200);
    let events = place.server.store.events(&EventFilter::default()).unwrap();
    assert!(events.iter().any(|own| own.why == "one more client"), "{events:?}");
}

#[test]
fn every_protocol_gives_the_scores_of_the_program_to_the_last_bit() {
    let place = Place::new();
    let key = place.all();
    let table = table();
    let expected = place.credit.score(&table, None, &Ctx::quiet()).unwrap();
    let number = |row: usize, name: &str| table.text(row, name).unwrap().parse::<f64>().unwrap();
    let rows: Vec<Value> = (0..table.n_rows())
        .map(|r| json!({ "age": number(r, "age"), "debt": number(r, "debt"), "job": table.text(r, "job").unwrap() }))
        .collect();
    let check = |what: &str, got: Vec<f64>| {
        assert_eq!(got.len(), expected.len(), "{what}");
        for (got, expected) in got.iter().zip(&expected) {
            assert_eq!(got.to_bits(), expected.to_bits(), "{what}: {got} {expected}");
        }
    };
    let numbers = |answer: &Value| {
        answer.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<_>>()
    };
    let (_, answer) = place.send("POST", "/v1/models/credit/score", &key, &json!(rows));
    let told = |answer: &Value| {
        answer["predictions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["probability"].as_f64().unwrap())
            .collect::<Vec<_>>()
    };
    check("rows", told(&answer));
    let alone: Vec<f64> = rows
        .iter()
        .map(|row| told(&place.send("POST", "/v1/models/credit/score", &key, row).1)[0])
        .collect();
    check("row by row", alone);
    let mut csv = "job,debt,age\n".to_owned();
    for row in &rows {
        writeln!(csv, "{},{},{}", row["job"].as_str().unwrap(), row["debt"], row["age"]).unwrap();
    }
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "text/csv")];
    let (_, _, body) = place.ask("POST", "/v1/models/credit/score", &headers, csv.as_bytes());
    check("CSV", told(&serde_json::from_slice(&body).unwrap()));
    let of = |name: &str| rows.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
    let n = rows.len();
    let body = json!({ "id": "7", "inputs": [
        { "name": "age", "shape": [n], "datatype": "INT64", "data": of("age").iter().map(|v| v.as_f64().unwrap() as i64).collect::<Vec<_>>() },
        { "name": "job", "shape": [n, 1], "datatype": "BYTES", "data": of("job") },
        { "name": "debt", "shape": [n], "datatype": "FP64", "data": of("debt") },
    ]});
    let (status, answer) = place.send("POST", "/v2/models/credit/infer", &key, &body);
    assert_eq!((status, answer["id"].as_str()), (200, Some("7")), "{answer}");
    check("tensors", numbers(&answer["outputs"][0]["data"]));
    let (_, answer) =
        place.send("POST", "/v1/models/credit:predict", &key, &json!({ "instances": rows }));
    check("KServe", numbers(&answer["predictions"]));
}

#[test]
fn a_network_answers_as_it_does_elsewhere() {
    let place = Place::new();
    let key = place.all();
    let net = trained("mlp", &[("epochs", "3")]).model;
    let expected = net.score(&table(), Some(&[5]), &Ctx::quiet()).unwrap()[0];
    let table = table();
    let number = |name: &str| table.text(5, name).unwrap().parse::<f64>().unwrap();
    let row = json!({ "age": number("age"), "debt": number("debt"), "job": table.text(5, "job").unwrap(), "explain": true });
    let (status, answer) = place.send("POST", "/v1/models/net/score", &key, &row);
    assert_eq!(status, 200, "{answer}");
    let got = answer["predictions"][0]["probability"].as_f64().unwrap();
    assert!((got - expected).abs() < 1e-6, "{got} {expected}");
    assert_eq!(answer["predictions"][0]["explanation"]["method"], "integrated_gradients");
}

#[test]
fn base_and_attributions_add_up_and_reasons_are_at_most_four() {
    let place = Place::new();
    let key = place.all();
    let body = json!({ "rows": [row()], "explain": true, "reasons": true });
    let (status, answer) = place.send("POST", "/v1/models/credit/score", &key, &body);
    assert_eq!(status, 200, "{answer}");
    let told = &answer["predictions"][0];
    let explanation = &told["explanation"];
    let sum: f64 = explanation["attributions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own["contribution"].as_f64().unwrap())
        .sum();
    let score = told["score"].as_f64().unwrap();
    assert!((explanation["base"].as_f64().unwrap() + sum - score).abs() < 1e-9, "{told}");
    assert!(told["reasons"].as_array().unwrap().len() <= 4);
    assert!(told["reason_method"].as_str().unwrap().contains("all applicants"));
    let infer = place.key(&[Scope::Infer], &[]);
    assert_eq!(place.send("POST", "/v1/models/credit/score", &infer, &body).0, 403);
}

#[test]
fn labels_are_recorded_once_and_operators_are_heard() {
    let place = Place::new();
    let key = place.all();
    let (_, answer) = place.send("POST", "/v1/models/credit/score", &key, &row());
    let id = answer["predictions"][0]["id"].as_str().unwrap().to_owned();
    let label = |label: &str| {
        place.send("POST", "/v1/feedback", &key, &json!({ "id": id, "label": label })).1
    };
    assert_eq!(label("1")["recorded"], 1);
    assert_eq!(label("1")["unchanged"], 1);
    assert_eq!(label("0")["conflicts"][0], id.as_str());
    let champion = |place: &Place| {
        place.send("POST", "/v1/models/credit/score", &key, &row()).1["version"].clone()
    };
    assert_eq!(champion(&place), 1);
    let promote = json!({ "version": 2, "why": "lower loss" });
    assert_eq!(place.send("POST", "/v1/models/credit/promote", &key, &promote).0, 200);
    assert_eq!(champion(&place), 2);
    assert_eq!(place.send("POST", "/v1/models/credit/rollback", &key, &json!({})).0, 200);
    assert_eq!(champion(&place), 1);
    let (_, audit) = place.send("GET", "/v1/audit", &key, &Value::Null);
    let events = audit["events"].as_array().unwrap();
    let last = events.last().unwrap();
    assert_eq!(
        (last["action"].as_str(), last["model"].as_str()),
        (Some("rollback"), Some("credit"))
    );
    assert!(last["via"].as_str().unwrap().starts_with("key "));
}

#[test]
fn challenger_and_shadow_see_their_share() {
    let place = Place::new();
    let key = place.all();
    for alias in ["challenger", "shadow"] {
        let done = Done::Promote { name: "credit".into(), version: 2, alias: alias.into() };
        place.server.store.decide(&done, &actor(), "").unwrap();
    }
    let split = |challenger| Split { challenger, sticky: true };
    place.server.store.set_split("credit", split(1.0), &actor(), "").unwrap();
    place.server.renew();
    let (_, answer) = place.send("POST", "/v1/models/credit/score", &key, &row());
    assert_eq!((&answer["version"], &answer["alias"]), (&json!(2), &json!("challenger")));
    place.server.store.set_split("credit", split(0.0), &actor(), "").unwrap();
    place.server.renew();
    let (_, answer) = place.send("POST", "/v1/models/credit/score", &key, &row());
    assert_eq!(answer["version"], 1);
    let status = place.server.status();
    let credit = status.models.iter().find(|model| model.name == "credit").unwrap();
    let shadow = credit.shadow.as_ref().unwrap();
    assert_eq!((shadow.version, shadow.rows), (2, 1));
    assert!(shadow.most_difference > 0.0);
}

#[test]
fn what_the_server_tells_of_itself_can_be_read() {
    let place = Place::new();
    let key = place.all();
    let (_, document) = place.send("GET", "/openapi.json", &key, &Value::Null);
    let paths: BTreeMap<String, Value> = serde_json::from_value(document["paths"].clone()).unwrap();
    for route in ROUTES {
        let path = route.path.replace("{model}", "credit");
        let method = route.method.to_ascii_lowercase();
        let is_verb = route.path == "/v1/models/{model}" && route.method == "POST";
        let path = if is_verb { "/v1/models/credit:predict".into() } else { path };
        let told = paths.get(&path).is_some_and(|path| path[&method]["summary"].is_string());
        assert!(told, "{method} {path} is not told");
    }
    let schema = &paths["/v1/models/credit/score"]["post"]["requestBody"]["content"]["application/json"]
        ["schema"];
    assert_eq!(schema["properties"]["rows"]["items"]["properties"]["age"]["type"], "number");
    let bearer = format!("Bearer {key}");
    let (_, headers, text) = place.ask("GET", "/metrics", &[("authorization", &bearer)], b"");
    assert!(headers["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    let text = String::from_utf8(text).unwrap();
    for name in ["karat_inference_duration_seconds", "karat_log_dropped", "karat_model{"] {
        assert!(text.contains(name), "{name} is missing in {text}");
    }
}
