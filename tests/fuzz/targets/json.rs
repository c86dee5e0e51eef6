#![no_main]
//! The server's reader of JSON against `serde_json`, which is built to round floats exactly.

use std::marker::PhantomData;

use karat_fuzz::serve::protocol::json;
use serde_json::Value;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let own = json::read(data, PhantomData::<Value>);
    match serde_json::from_slice::<Value>(data) {
        Ok(theirs) => assert_eq!(own.as_ref(), Ok(&theirs)),
        Err(_) => assert!(own.is_err(), "{own:?}"),
    }
});
