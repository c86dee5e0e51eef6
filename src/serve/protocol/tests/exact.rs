//! JSON is read to the last bit, and nested only so deep.

use std::marker::PhantomData;

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::serve::protocol::read_json;

proptest! {
    #[test]
    fn every_float_is_read_to_the_last_bit(bits: u64) {
        let number = f64::from_bits(bits);
        prop_assume!(number.is_finite());
        let read = read_json(format!("{number:e}").as_bytes(), PhantomData::<f64>).unwrap();
        prop_assert_eq!(read.to_bits(), number.to_bits());
    }
}

#[test]
fn nothing_may_follow() {
    assert!(read_json(b"1 2", PhantomData::<Value>).is_err());
    assert!(read_json(b"{} \n", PhantomData::<Value>).is_ok());
}

#[test]
fn depth_is_bounded_where_it_would_recurse() {
    let deep = "[".repeat(1_000_000);
    assert!(read_json(deep.as_bytes(), PhantomData::<Value>).is_err());
    assert!(read_json(deep.as_bytes(), PhantomData::<IgnoredAny>).is_err());
    let closed = deep + &"]".repeat(1_000_000);
    assert!(read_json(closed.as_bytes(), PhantomData::<IgnoredAny>).is_ok(), "passed over");
}
