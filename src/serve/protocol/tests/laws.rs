//! What holds for every request.

use bytes::Bytes;
use proptest::prelude::*;

use super::{binary, json};
use crate::serve::protocol::{
    InferResponse, Limits, OutTensor, OutValues, Parameters, Values, parse_infer, unpack,
};

/// Numbers as nested lists of a shape.
fn nested(numbers: &[f64], shape: &[usize]) -> serde_json::Value {
    match shape {
        [] | [_] => serde_json::json!(numbers),
        [n, rest @ ..] => {
            let step = numbers.len() / n;
            (0..*n).map(|i| nested(&numbers[i * step..(i + 1) * step], rest)).collect()
        }
    }
}

/// A body of one input, as our own answers are written: the fields have the same names.
fn sent(values: OutValues, shape: Vec<u64>, is_binary: bool) -> (Option<usize>, Bytes) {
    let parameters = Parameters::default();
    let output = OutTensor { name: "x".into(), shape, values, is_binary, parameters };
    let response = InferResponse { outputs: vec![output], ..InferResponse::default() };
    let answer = response.write().unwrap();
    let split = answer.header_length.unwrap_or(answer.body.len());
    let head = String::from_utf8(answer.body[..split].to_vec()).unwrap();
    let head = head.replace("\"outputs\"", "\"inputs\"");
    let body = [head.as_bytes(), &answer.body[split..]].concat();
    (answer.header_length.map(|_| head.len()), body.into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn nested_is_flat(
        shape in proptest::collection::vec(1usize..4, 1..4),
        seed in any::<u32>(),
    ) {
        let n: usize = shape.iter().product();
        let numbers: Vec<f64> = (0..n).map(|i| f64::from(seed) / 8.0 + i as f64).collect();
        let of = |data: serde_json::Value| {
            super::with_data("FP64", &format!("{shape:?}"), &data.to_string()).unwrap()
        };
        let (flat, nested) = (of(serde_json::json!(numbers)), of(nested(&numbers, &shape)));
        prop_assert_eq!(&flat, &nested);
        prop_assert_eq!(&*flat.inputs[0].numbers().unwrap(), &numbers[..]);
    }

    #[test]
    fn binary_tensors_come_back_bit_by_bit(bits in proptest::collection::vec(any::<u64>(), 0..50)) {
        let numbers: Vec<f64> = bits.iter().map(|b| f64::from_bits(*b)).collect();
        let (header, body) = sent(OutValues::Fp64(numbers), vec![bits.len() as u64], true);
        let header = header.map(|n| n.to_string());
        let request = parse_infer(header.as_deref(), body, &Limits::default()).unwrap();
        let back = request.inputs[0].numbers().unwrap();
        prop_assert_eq!(back.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), bits);
    }

    #[test]
    fn integers_come_back_from_json_exactly(ints in proptest::collection::vec(any::<i64>(), 1..20)) {
        let (_, body) = sent(OutValues::Int64(ints.clone()), vec![ints.len() as u64], false);
        let request = parse_infer(None, body, &Limits::default()).unwrap();
        prop_assert_eq!(&request.inputs[0].values, &Values::Signed(ints));
    }

    #[test]
    fn texts_come_back_either_way(texts in proptest::collection::vec(".{0,8}", 1..8)) {
        for is_binary in [false, true] {
            let shape = vec![texts.len() as u64];
            let (header, body) = sent(OutValues::Bytes(texts.clone()), shape, is_binary);
            let header = header.map(|n| n.to_string());
            let request = parse_infer(header.as_deref(), body, &Limits::default()).unwrap();
            prop_assert_eq!(request.inputs[0].texts().unwrap(), texts.iter().map(|t| &**t).collect::<Vec<_>>());
        }
    }

    #[test]
    fn json_and_binary_of_singles_agree(bits in proptest::collection::vec(any::<u32>(), 1..20)) {
        let numbers: Vec<f32> =
            bits.iter().map(|b| f32::from_bits(*b)).map(|v| if v.is_finite() { v } else { 0.5 }).collect();
        let shape = vec![numbers.len() as u64];
        let of = |is_binary| {
            let (header, body) = sent(OutValues::Fp32(numbers.clone()), shape.clone(), is_binary);
            let header = header.map(|n| n.to_string());
            let request = parse_infer(header.as_deref(), body, &Limits::default()).unwrap();
            request.inputs[0].numbers().unwrap().into_owned()
        };
        prop_assert_eq!(of(false), of(true));
    }

    #[test]
    fn random_bytes_never_panic(
        body in proptest::collection::vec(any::<u8>(), 0..300),
        header in proptest::option::of("[0-9]{1,3}"),
        encoding in proptest::sample::select(vec!["gzip", "deflate", "identity"]),
    ) {
        let body = Bytes::from(body);
        let _ = parse_infer(header.as_deref(), body.clone(), &Limits::default());
        let _ = unpack(Some(encoding), body, &Limits::default());
    }

    #[test]
    fn damaged_requests_never_panic(at in 0usize..400, byte in any::<u8>(), cut in 0usize..400) {
        let head = r#"{"id":"1","inputs":[{"name":"x","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8}},{"name":"y","shape":[1,2],"datatype":"FP64","data":[[1,2]]}]}"#;
        let mut body = [head.as_bytes(), &[0; 8]].concat();
        let at = at % body.len();
        body[at] = byte;
        body.truncate(cut.max(1));
        let text = String::from_utf8_lossy(&body[..body.len().min(head.len())]).into_owned();
        let _ = json(&text);
        let _ = binary(&text, &body[body.len().min(head.len())..]);
    }
}
