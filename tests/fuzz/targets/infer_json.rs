#![no_main]
//! JSON requests: what is read keeps its promises, and `serde_json` agrees on what JSON is.

use bytes::Bytes;
use karat_fuzz::serve::protocol::parse_infer;
use serde::de::IgnoredAny;
use serde_json::Value;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    match parse_infer(None, Bytes::copy_from_slice(data), &karat_fuzz::LIMITS) {
        Ok(request) => {
            karat_fuzz::check(&request);
            // Not a `Value`: a number beyond all floats in a field that nobody reads is JSON.
            assert!(serde_json::from_slice::<IgnoredAny>(data).is_ok());
        }
        Err(refusal) => {
            assert!(matches!(refusal.status, 400 | 413), "{refusal}");
            let is_json = serde_json::from_slice::<Value>(data).is_ok();
            assert!(!is_json || !refusal.message.contains("not valid JSON"), "{refusal}");
        }
    }
});
