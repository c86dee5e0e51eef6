//! What the protocol promises, as requests and answers.

mod binary;
mod exact;
mod golden;
mod laws;
mod requests;

use bytes::Bytes;

use super::{InferRequest, Limits, Refusal, parse_infer};

/// A request in JSON alone.
fn json(body: &str) -> Result<InferRequest, Refusal> {
    parse_infer(None, Bytes::copy_from_slice(body.as_bytes()), &Limits::default())
}

/// A request with one input that holds `data`.
fn with_data(datatype: &str, shape: &str, data: &str) -> Result<InferRequest, Refusal> {
    json(&format!(
        r#"{{"inputs":[{{"name":"x","shape":{shape},"datatype":"{datatype}","data":{data}}}]}}"#
    ))
}

/// A request whose tensors follow the JSON.
fn binary(head: &str, tensors: &[u8]) -> Result<InferRequest, Refusal> {
    let body = [head.as_bytes(), tensors].concat();
    parse_infer(Some(&head.len().to_string()), body.into(), &Limits::default())
}

/// Asserts that a request is refused with 400 and that the message says `words`.
#[track_caller]
fn refused(outcome: Result<InferRequest, Refusal>, words: &str) {
    let refusal = outcome.expect_err(words);
    assert_eq!(refusal.status, 400, "{refusal}");
    assert!(refusal.message.contains(words), "`{refusal}` does not say `{words}`");
}
