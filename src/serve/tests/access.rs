//! Who may do what.

use super::*;

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
fn a_page_in_a_browser_is_not_answered_without_keys() {
    let place = Place::with(|options| options.needs_key = false);
    let ask = |headers: &[(&str, &str)]| place.ask("GET", "/v2/models", headers, b"").0;
    for host in ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080", "127.0.0.2"] {
        assert_eq!(ask(&[("host", host)]), 200, "{host}");
    }
    for host in ["karat.example", "127.0.0.1.example:8080", "10.0.0.1", ""] {
        assert_eq!(ask(&[("host", host)]), 403, "{host}");
    }
    assert_eq!(ask(&[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8080")]), 403);
}

#[test]
fn a_key_for_some_models_is_not_told_of_the_others() {
    let place = Place::new();
    let some = place.key(&[Scope::Read, Scope::Admin], &["credit"]);
    assert_eq!(place.send("GET", "/metrics", &some, &Value::Null).0, 403);
    let make = |models: Value| {
        let body = json!({ "scopes": ["read"], "models": models });
        place.send("POST", "/v1/keys", &some, &body)
    };
    assert_eq!(make(json!(["*"])).0, 403, "more than the maker knows of");
    let (status, answer) = make(json!([]));
    assert_eq!(status, 200, "as much as the maker knows of: {answer}");
    let made = answer["key"].as_str().unwrap();
    assert_eq!(place.send("GET", "/v2/models/credit", made, &Value::Null).0, 200);
    assert_eq!(place.send("GET", "/v2/models/net", made, &Value::Null).0, 404);
    let all = place.key(&[Scope::Read], &[]);
    let bearer = format!("Bearer {all}");
    assert_eq!(place.ask("GET", "/metrics", &[("authorization", &bearer)], b"").0, 200);
}

#[test]
fn what_a_new_key_may_is_read_as_it_is_written_or_refused() {
    let place = Place::new();
    let key = place.all();
    for (name, value) in [
        ("expires_ms", json!("2027-01-01")),
        ("daily_rows", json!(1.5)),
        ("rate_per_second", json!("5")),
        ("models", json!("credit")),
    ] {
        let body = json!({ "scopes": ["infer"], name: value });
        let (status, answer) = place.send("POST", "/v1/keys", &key, &body);
        assert_eq!(status, 400, "{answer}");
        assert!(answer["error"].as_str().unwrap().contains(name), "{answer}");
    }
}
