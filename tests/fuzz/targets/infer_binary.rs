#![no_main]
//! Requests with tensors behind the JSON. The first line is the header length, or `=` for the
//! place of the first NUL byte.

use bytes::Bytes;
use karat_fuzz::serve::protocol::{Datatype, parse_infer};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|b| *b == b'\n') else { return };
    let (header, body) = (String::from_utf8_lossy(&data[..end]), &data[end + 1..]);
    let split = body.iter().position(|b| *b == 0).unwrap_or(body.len()).to_string();
    let header = if header == "=" { &*split } else { &*header };
    match parse_infer(Some(header), Bytes::copy_from_slice(body), &karat_fuzz::LIMITS) {
        Ok(mut request) if request.raw.is_some() => {
            for datatype in Datatype::all() {
                let mut request = request.clone();
                let _ = request.settle_raw("x", datatype, &[-1, 3]);
            }
            let _ = request.settle_raw("x", Datatype::Uint8, &[-1]);
        }
        Ok(request) => karat_fuzz::check(&request),
        Err(refusal) => assert!(matches!(refusal.status, 400 | 413), "{refusal}"),
    }
});
