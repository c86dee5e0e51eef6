//! Requests as clients send them, and what is answered: files that others can be tried on too.
//!
//! Those named `triton_…` are what tritonclient 2.73.0 makes (`generate_request_body`). The answers
//! are of a model that gives every input back and takes no `null`. With `KARAT_GOLDEN` set to a
//! folder, answers are written there rather than compared.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::serve::protocol::{
    Answer, Datatype, InferResponse, Limits, OutTensor, OutValues, Parameters, Refusal, Tensor,
    parse_infer,
};

/// The name of a pair, its request, and its answer.
type Pair = (&'static str, &'static str, &'static str);

macro_rules! pair {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../../../tests/golden/serve/", $name, ".request.json")),
            include_str!(concat!("../../../../tests/golden/serve/", $name, ".answer.json")),
        )
    };
}

const PAIRS: &[Pair] = &[
    pair!("kserve_sends_the_model_name_too"),
    pair!("refused_bad_json"),
    pair!("refused_count_is_not_shape"),
    pair!("refused_missing_datatype"),
    pair!("refused_nan_literal"),
    pair!("refused_negative_shape"),
    pair!("refused_not_finite_output"),
    pair!("refused_null_where_the_model_takes_none"),
    pair!("refused_overflowing_shape"),
    pair!("refused_unexpected_bytes"),
    pair!("triton_default_binary"),
    pair!("triton_empty_tensor"),
    pair!("triton_half_and_bool"),
    pair!("triton_integers_json"),
    pair!("triton_json"),
    pair!("triton_text_and_numbers_binary"),
    pair!("triton_text_json"),
];

#[test]
fn every_request_is_answered_as_its_file_says() {
    for (name, request, expected) in PAIRS {
        let request: Value = serde_json::from_str(request).unwrap();
        let body = match request.get("body") {
            Some(body) => body.as_str().unwrap().as_bytes().to_vec(),
            None => STANDARD.decode(request["body_base64"].as_str().unwrap()).unwrap(),
        };
        let header_length = request["header_length"].as_str();
        let told = match echo(header_length, body) {
            Ok(answer) => answered(&answer),
            Err(refusal) => json!({
                "status": refusal.status,
                "body": String::from_utf8(refusal.body()).unwrap(),
            }),
        };
        if let Some(folder) = std::env::var_os("KARAT_GOLDEN") {
            let path = std::path::Path::new(&folder).join(format!("{name}.answer.json"));
            let text = serde_json::to_string_pretty(&told).unwrap();
            std::fs::write(path, text + "\n").unwrap();
            continue;
        }
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(told, expected, "{name}");
    }
}

fn answered(answer: &Answer) -> Value {
    let mut told = json!({ "status": 200, "content_type": answer.content_type() });
    match answer.header_length {
        None => told["body"] = std::str::from_utf8(&answer.body).unwrap().into(),
        Some(length) => {
            told["header_length"] = length.into();
            told["body_base64"] = STANDARD.encode(&answer.body).into();
        }
    }
    told
}

/// The model that gives every input back.
fn echo(header_length: Option<&str>, body: Vec<u8>) -> Result<Answer, Refusal> {
    let request = parse_infer(header_length, body.into(), &Limits::default())?;
    let mut outputs = Vec::new();
    for input in &request.inputs {
        if input.has_null() {
            return Err(Refusal::bad_request(format!("input `{}` has a null", input.name)));
        }
        if request.wants(&input.name) {
            outputs.push(OutTensor {
                name: input.name.clone(),
                shape: input.shape.clone(),
                values: given_back(input)?,
                is_binary: request.wants_binary(&input.name),
                parameters: Parameters::default(),
            });
        }
    }
    let id = request.id.unwrap_or_else(|| "ours".to_owned());
    let model_version = Some("1".to_owned());
    let parameters = request.parameters;
    InferResponse { model_name: "echo".into(), model_version, id, parameters, outputs }.write()
}

fn given_back(input: &Tensor) -> Result<OutValues, Refusal> {
    Ok(match (input.datatype, &input.values) {
        (Datatype::Bytes, _) => {
            OutValues::Bytes(input.texts()?.into_iter().map(String::from).collect())
        }
        (_, crate::serve::protocol::Values::Signed(values)) => OutValues::Int64(values.clone()),
        (Datatype::Fp32, _) => {
            OutValues::Fp32(input.numbers()?.iter().map(|v| *v as f32).collect())
        }
        (Datatype::Bool, _) => {
            OutValues::Bool(input.numbers()?.iter().map(|v| *v != 0.0).collect())
        }
        _ => OutValues::Fp64(input.numbers()?.into_owned()),
    })
}
