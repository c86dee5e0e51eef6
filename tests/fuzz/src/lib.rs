//! The parts of karat's server that read bytes, without the rest of it.

#![allow(dead_code, missing_docs)]

pub mod features {
    //! What a row's values become; the server's form only needs the type.

    /// A value of a row.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum Given<'a> {
        Missing,
        Number(f64),
        Truth(bool),
        Text(&'a str),
        Written(&'a str),
    }
}

pub mod serve;

use serve::protocol::{InferRequest, Limits};

/// Small enough that whatever grows beyond them is seen.
pub const LIMITS: Limits = Limits {
    max_body: 1 << 16,
    max_decompressed: 1 << 18,
    max_elements: 1 << 12,
    max_inputs: 32,
    max_depth: 6,
    max_name: 64,
};

/// What has to hold for every request that is read.
pub fn check(request: &InferRequest) {
    let mut n = 0;
    for input in &request.inputs {
        let expected: u64 = if input.shape.contains(&0) { 0 } else { input.shape.iter().product() };
        assert_eq!(input.n_elements() as u64, expected);
        assert!(input.nulls.iter().all(|at| *at < input.n_elements()));
        if let Ok(numbers) = input.numbers() {
            assert_eq!(numbers.len() as u64, expected);
        }
        if let Ok(texts) = input.texts() {
            assert_eq!(texts.len() as u64, expected);
        }
        n += input.n_elements();
    }
    assert!(n <= LIMITS.max_elements);
}
