#![no_main]
//! Requests in karat's own form, as CSV.

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    karat_fuzz::serve::read_form("text/csv", data, &karat_fuzz::LIMITS);
});
