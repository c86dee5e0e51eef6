//! Every protocol gives the scores of the program.

use super::*;

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
fn a_field_that_the_model_does_not_know_is_told() {
    let place = Place::new();
    let key = place.all();
    let mut asked = row();
    asked["reason"] = json!(true);
    let (status, answer) = place.send("POST", "/v1/models/credit/score", &key, &asked);
    assert_eq!((status, &answer["ignored_fields"]), (200, &json!(["reason"])), "{answer}");
    let (_, answer) = place.send("POST", "/v1/models/credit/score", &key, &row());
    assert_eq!(answer.get("ignored_fields"), None);
    let age = asked.as_object_mut().unwrap().remove("age").unwrap();
    asked["aeg"] = age;
    let (status, answer) = place.send("POST", "/v1/models/credit/score", &key, &asked);
    let said = answer["error"].as_str().unwrap_or_default();
    assert!(status == 400 && said.contains("`age`") && said.contains("`aeg`"), "{answer}");
}
