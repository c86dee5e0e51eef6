//! What is refused, and how.

use super::*;

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
            json!({ "age": 1e18, "debt": 1e18, "job": "smith" }).to_string(),
            422,
            "not finite",
        ),
        (
            "a number beyond all sense",
            score,
            json!({ "age": 1e19, "debt": 1, "job": "smith" }).to_string(),
            400,
            "`age`: a number from -1e18 to 1e18",
        ),
        ("labels without an id", "/v1/feedback", json!({ "label": 1 }).to_string(), 400, "`id`"),
        (
            "a version that is not there",
            "/v1/models/credit/promote",
            json!({ "version": 99 }).to_string(),
            409,
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
fn orders_are_short_and_what_needs_no_body_reads_none() {
    let place = Place::new();
    let bearer = format!("Bearer {}", place.all());
    let long = vec![b' '; 70_000];
    let ask =
        |method: &str, path: &str| place.ask(method, path, &[("authorization", &bearer)], &long).0;
    assert_eq!(ask("POST", "/v2/repository/index"), 413);
    assert_eq!(ask("POST", "/v1/models/credit/promote"), 413);
    assert_eq!(ask("POST", "/v1/models/credit/score"), 400, "rows may be many");
    assert_eq!(ask("GET", "/v2/health/live"), 200);
}
