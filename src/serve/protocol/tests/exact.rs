//! JSON is read exactly, and refused where it is none.

use std::marker::PhantomData;

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::serve::protocol::json::{Mistake, read};

fn value(text: &str) -> Result<Value, Mistake> {
    read(text.as_bytes(), PhantomData::<Value>)
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e6..1e6_f64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_float_is_read_to_the_last_bit(bits: u64) {
        let number = f64::from_bits(bits);
        prop_assume!(number.is_finite());
        let read = read(format!("{number:e}").as_bytes(), PhantomData::<f64>).unwrap();
        prop_assert_eq!(read.to_bits(), number.to_bits());
    }

    #[test]
    fn what_is_written_is_read(expected in any_json()) {
        for text in [expected.to_string(), serde_json::to_string_pretty(&expected).unwrap()] {
            let got = value(&text);
            prop_assert_eq!(got.as_ref(), Ok(&expected));
            prop_assert!(read(text.as_bytes(), PhantomData::<IgnoredAny>).is_ok());
        }
    }

    #[test]
    fn bytes_are_json_here_where_they_are_elsewhere(
        text in "[\\[\\]{}:,\"\\\\0-9eE+. \ntrufalsnx-]{0,24}"
    ) {
        let here = value(&text).is_ok();
        prop_assert_eq!(here, serde_json::from_str::<Value>(&text).is_ok(), "{}", text);
        let skipped = read(text.as_bytes(), PhantomData::<IgnoredAny>).is_ok();
        prop_assert!(!here || skipped);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = read(&bytes, PhantomData::<Value>);
        let _ = read(&bytes, PhantomData::<IgnoredAny>);
    }
}

#[test]
fn mistakes_are_told_with_their_place() {
    let place = |text: &str| {
        let mistake = value(text).unwrap_err();
        (mistake.line(), mistake.column(), mistake.is_eof())
    };
    assert_eq!(place("{\n \"a\": x}"), (2, 7, false));
    assert_eq!(place("[1, 2"), (1, 6, true));
    assert_eq!(place("1 2"), (1, 3, false));
    assert!(read(b"\"x\"", PhantomData::<f64>).unwrap_err().is_data());
}

#[test]
fn depth_is_bounded_where_it_would_recurse() {
    let deep = "[".repeat(1_000_000);
    assert!(value(&deep).is_err());
    assert!(read(deep.as_bytes(), PhantomData::<IgnoredAny>).is_err());
    let closed = deep + &"]".repeat(1_000_000);
    assert!(read(closed.as_bytes(), PhantomData::<IgnoredAny>).is_ok(), "passed over");
}
