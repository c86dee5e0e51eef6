#![no_main]
//! Requests in karat's own form, as JSON.

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    karat_fuzz::serve::read_form("application/json", data, &karat_fuzz::LIMITS);
});
