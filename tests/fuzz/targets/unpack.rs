#![no_main]
//! Packed bodies: never more than the limit, and what we pack ourselves comes back.

use bytes::Bytes;
use karat_fuzz::serve::protocol::{pack, unpack};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let body = Bytes::copy_from_slice(data);
    for encoding in ["gzip", "deflate", "identity"] {
        match unpack(Some(encoding), body.clone(), &karat_fuzz::LIMITS) {
            Ok(unpacked) => assert!(unpacked.len() <= karat_fuzz::LIMITS.max_decompressed),
            Err(refusal) => assert!(matches!(refusal.status, 400 | 413), "{refusal}"),
        }
        let (name, packed) = pack(Some(encoding), body.clone());
        if body.len() <= karat_fuzz::LIMITS.max_body {
            assert_eq!(unpack(name, packed, &karat_fuzz::LIMITS).as_ref(), Ok(&body));
        }
    }
    let accept = String::from_utf8_lossy(&data[..data.len().min(40)]);
    let _ = pack(Some(&accept), Bytes::from(vec![7; 2000]));
});
