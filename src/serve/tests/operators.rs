//! What operators do and see.

use super::*;

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
    let stray = json!({ "id": "of-nothing", "label": "1" });
    let (_, answer) = place.send("POST", "/v1/feedback", &key, &stray);
    assert_eq!(answer["unmatched"], json!(["of-nothing"]), "{answer}");
    assert_eq!(answer["recorded"], 0, "what belongs to nothing is not counted");
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
    for name in ["karat_inference_duration_seconds", "karat_log_dropped", "karat_model_info{"] {
        assert!(text.contains(name), "{name} is missing in {text}");
    }
}

#[test]
fn what_a_client_calls_its_request_is_told_back_and_tells_no_predictions_apart() {
    let place = Place::new();
    let key = place.all();
    let body = json!({ "id": "42", "rows": [row()] });
    let told = || place.send("POST", "/v1/models/credit/score", &key, &body).1;
    let (first, second) = (told(), told());
    assert_eq!((&first["request_id"], &second["request_id"]), (&json!("42"), &json!("42")));
    assert_ne!(first["predictions"][0]["id"], second["predictions"][0]["id"]);
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("x-request-id", "mine")];
    let (status, headers, _) =
        place.ask("POST", "/v1/models/credit/score", &headers, row().to_string().as_bytes());
    assert_eq!((status, headers["x-request-id"].to_str().unwrap()), (200, "mine"));
}

#[test]
fn a_version_that_is_registered_answers_nobody_until_it_is_promoted() {
    let place = Place::new();
    let key = place.all();
    let store = &place.server.store;
    let name = ModelName::new("steep").unwrap();
    let bytes = store.bytes_of(&store.version("credit", Some("1")).unwrap().digest).unwrap();
    store.register(&name, &bytes, &NewVersion::default(), &actor(), "").unwrap();
    place.server.renew();
    let score = |path: &str| place.send("POST", path, &key, &row());
    assert_eq!(score("/v1/models/steep/score").1["version"], 1);
    store.remove_alias("steep", "champion", &actor(), "").unwrap();
    place.server.renew();
    assert_eq!(score("/v1/models/steep/score").0, 503);
}

#[test]
fn an_alarm_is_that_of_its_version_and_what_was_not_measured_is_not_steady() {
    let place = Place::new();
    let store = &place.server.store;
    store.raise("credit", 1, ("drift", "age"), [0.3, 0.1], "age has drifted").unwrap();
    let status = place.server.status();
    let credit = status.models.iter().find(|own| own.name == "credit").unwrap();
    let lights: Vec<_> = credit.versions.iter().map(|own| (own.version, own.light)).collect();
    assert_eq!(lights, [(2, status::Light::Unknown), (1, status::Light::Alarm)]);
    assert_eq!(credit.light_about, "age has drifted");
    store.keep_window("credit", 2, 1_767_258_000_000, &json!({ "n": 500 })).unwrap();
    let status = place.server.status();
    let credit = status.models.iter().find(|own| own.name == "credit").unwrap();
    assert_eq!(credit.versions[0].light, status::Light::Steady);
}
