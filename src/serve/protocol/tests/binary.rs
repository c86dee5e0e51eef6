//! The binary tensor data extension: lengths that agree, and those that do not.

use bytes::Bytes;

use super::{binary, json, refused};
use crate::serve::protocol::{
    Datatype, InferResponse, Limits, OutTensor, OutValues, Parameters, Scalar, Values, parse_infer,
};

const HEAD: &str = r#"{"parameters":{"binary_data_output":true,"k":1},"inputs":[
    {"name":"x","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8}},
    {"name":"t","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":6}}]}"#;
const TENSORS: &[u8] = &[0, 0, 0xc0, 0x3f, 0, 0, 0xc0, 0x7f, 2, 0, 0, 0, b'h', b'i'];

fn one(shape: &str, datatype: &str, size: &str) -> String {
    format!(
        r#"{{"inputs":[{{"name":"x","shape":{shape},"datatype":"{datatype}","parameters":{{"binary_data_size":{size}}}}}]}}"#
    )
}

#[test]
fn tensors_are_read_where_they_lie() {
    let request = binary(HEAD, TENSORS).unwrap();
    let numbers = request.inputs[0].numbers().unwrap();
    assert!(numbers[0] == 1.5 && numbers[1].is_nan());
    assert!(!request.inputs[0].has_null());
    assert_eq!(request.inputs[1].texts().unwrap(), ["hi"]);
    assert_eq!(request.inputs[1].n_elements(), 1);
    assert!(request.wants_binary("anything"));
    assert_eq!(request.parameters, Parameters(vec![("k".into(), Scalar::Int(1))]));

    let body = Bytes::from([HEAD.as_bytes(), TENSORS].concat());
    let request = parse_infer(Some(&HEAD.len().to_string()), body.clone(), &Limits::default());
    let Values::Binary(bytes) = &request.unwrap().inputs[0].values else { panic!("copied") };
    assert_eq!(bytes.as_ptr(), body[HEAD.len()..].as_ptr());
}

#[test]
fn an_output_may_differ_from_the_rest() {
    let head = |all: bool, one: bool| {
        format!(
            r#"{{"parameters":{{"binary_data_output":{all}}},
                "outputs":[{{"name":"a","parameters":{{"binary_data":{one}}}}},{{"name":"b"}}],
                "inputs":[{{"name":"x","shape":[1],"datatype":"FP64","data":[1]}}]}}"#
        )
    };
    for (all, one) in [(true, false), (false, true), (true, true), (false, false)] {
        let request = json(&head(all, one)).unwrap();
        assert_eq!((request.wants_binary("a"), request.wants_binary("b")), (one, all));
    }
}

#[test]
fn lengths_that_do_not_agree_are_refused() {
    refused(binary(HEAD, &TENSORS[..13]), "input `t` lacks 1 of its 6 bytes");
    refused(binary(HEAD, &[TENSORS, &[0]].concat()), "1 bytes follow the last input");
    refused(json(HEAD), "input `x` lacks 8 of its 8 bytes");
    refused(binary(&one("[3]", "FP32", "8"), &[0; 8]), "has 8 bytes, its shape has 3 elements");
    refused(binary(&one("[1]", "FP32", "5"), &[0; 5]), "has 5 bytes");
    refused(binary(&one("[2]", "BYTES", "6"), &TENSORS[8..]), "has 1 elements, its shape has 2");
    refused(binary(&one("[1]", "BYTES", "5"), &TENSORS[8..13]), "ends within an element");
    refused(binary(&one("[1]", "BYTES", "4"), &[0xff; 4]), "ends within an element");
    refused(binary(&one("[0]", "BYTES", "1"), &[7]), "ends within an element");
    for size in ["-1", "1.0", "\"8\"", "true"] {
        refused(binary(&one("[1]", "FP64", size), &[0; 8]), "has to be a whole number");
    }
    refused(binary(&one("[16,1152921504606846978]", "FP64", "16"), &[0; 16]), "too large");
    let huge = binary(&one("[2305843009213693952]", "FP64", "0"), &[]).unwrap_err();
    assert_eq!(huge.status, 413);
    let both = r#"{"inputs":[{"name":"x","shape":[1],"datatype":"FP64","data":[1],
        "parameters":{"binary_data_size":8}}]}"#;
    refused(binary(both, &[0; 8]), "has both `data` and `binary_data_size`");
}

#[test]
fn a_tensor_may_be_empty() {
    for datatype in Datatype::all() {
        let request = binary(&one("[0,4]", datatype.name(), "0"), &[]).unwrap();
        assert_eq!(request.inputs[0].n_elements(), 0);
    }
}

#[test]
fn the_header_length_is_a_whole_number_within_the_body() {
    for text in ["", "-1", "+1", " 1", "1.0", "0x10", "2147483648", "99999999999999999999", "one"] {
        let outcome = parse_infer(Some(text), Bytes::from_static(b"{}"), &Limits::default());
        refused(outcome, "has to be a whole number");
    }
    let outcome = parse_infer(Some("3"), Bytes::from_static(b"{}"), &Limits::default());
    refused(outcome, "is 3, the body has 2 bytes");
}

#[test]
fn a_raw_request_is_the_one_input_of_the_model() {
    let raw = |n: usize| {
        parse_infer(Some("0"), vec![0x3f; n].into(), &Limits::default()).expect("raw is read later")
    };
    let mut request = raw(48);
    request.settle_raw("x", Datatype::Fp32, &[-1, 4]).unwrap();
    assert_eq!(request.inputs[0].shape, [3, 4]);
    assert!(request.raw.is_none() && request.wants_binary("pd"));
    refused(raw(47).settle_raw("x", Datatype::Fp32, &[-1, 4]).map(|()| raw(0)), "has 47 bytes");
    refused(raw(48).settle_raw("x", Datatype::Fp32, &[-1, -1]).map(|()| raw(0)), "at most one");
    refused(raw(16).settle_raw("x", Datatype::Fp32, &[3]).map(|()| raw(0)), "has 16 bytes");
    let mut request = raw(5);
    request.settle_raw("t", Datatype::Bytes, &[1]).unwrap();
    assert_eq!(request.inputs[0].texts().unwrap(), ["?????"]);
    refused(raw(5).settle_raw("t", Datatype::Bytes, &[2]).map(|()| raw(0)), "one element");
}

fn response(values: OutValues, is_binary: bool) -> InferResponse {
    let shape = vec![2, 2];
    let output = OutTensor {
        name: "pd".into(),
        shape,
        values,
        is_binary,
        parameters: Parameters::default(),
    };
    InferResponse {
        model_name: "m".into(),
        model_version: Some("3".into()),
        id: "42".into(),
        outputs: vec![output],
        ..InferResponse::default()
    }
}

#[test]
fn json_answers_are_shortest_and_finite() {
    let values = vec![0.1 + 0.2, 1.0, 5e-324, -1.797_693_134_862_315_7e308];
    let answer = response(OutValues::Fp64(values), false).write().unwrap();
    assert_eq!((answer.header_length, answer.content_type()), (None, "application/json"));
    assert_eq!(
        answer.body,
        r#"{"model_name":"m","model_version":"3","id":"42","outputs":[{"name":"pd","shape":[2,2],"datatype":"FP64","data":[0.30000000000000004,1.0,5e-324,-1.7976931348623157e+308]}]}"#
    );
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let outcome = response(OutValues::Fp64(vec![0.0, 0.0, 0.0, bad]), false).write();
        let refusal = outcome.unwrap_err();
        assert_eq!((refusal.status, &*refusal.message), (422, "output pd[3] is not finite"));
        let single = OutValues::Fp32(vec![0.0, bad as f32, 0.0, 0.0]);
        assert_eq!(response(single, false).write().unwrap_err().status, 422);
    }
    let lacking = response(OutValues::Fp64(vec![0.0]), false).write().unwrap_err();
    assert_eq!(lacking.status, 500);
}

#[test]
fn binary_answers_may_be_anything() {
    let answer = response(OutValues::Fp32(vec![f32::NAN, 1.5, 0.0, -0.0]), true).write().unwrap();
    assert_eq!(answer.content_type(), "application/octet-stream");
    let (head, tensors) = answer.body.split_at(answer.header_length.unwrap());
    let head: serde_json::Value = serde_json::from_slice(head).unwrap();
    assert_eq!(head["outputs"][0]["parameters"]["binary_data_size"], 16);
    assert!(head["outputs"][0].get("data").is_none());
    assert_eq!(tensors[4..8], 1.5f32.to_le_bytes());
    let texts = OutValues::Bytes(["a", "", "é", "d"].map(String::from).to_vec());
    let answer = response(texts, true).write().unwrap();
    assert_eq!(
        answer.body[answer.header_length.unwrap()..],
        *b"\x01\0\0\0a\0\0\0\0\x02\0\0\0\xc3\xa9\x01\0\0\0d"
    );
}
