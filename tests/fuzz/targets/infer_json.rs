#![no_main]
//! JSON requests: what is read keeps its promises, and agrees with a JSON tree of serde's.

use bytes::Bytes;
use karat_fuzz::serve::protocol::parse_infer;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    match parse_infer(None, Bytes::copy_from_slice(data), &karat_fuzz::LIMITS) {
        Ok(request) => {
            karat_fuzz::check(&request);
            assert!(serde_json::from_slice::<serde_json::Value>(data).is_ok());
        }
        Err(refusal) => assert!(matches!(refusal.status, 400 | 413), "{refusal}"),
    }
});
