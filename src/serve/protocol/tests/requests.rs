//! Requests in JSON: what is read, what is coerced, what is refused, and with which words.

use super::{json, refused, with_data};
use crate::serve::protocol::{Limits, Scalar, Values, parse_infer};

#[test]
fn a_request_of_the_specification_is_read() {
    let request = json(
        r#"{"id":"42","parameters":{"k":1,"f":0.5,"b":true,"t":"a"},"model_name":"m",
            "inputs":[{"name":"x","shape":[2,2],"datatype":"FP32","parameters":{"z":1},
                       "data":[[1,2],[4,5.5]],"more":{"deep":[[[]]]}}],
            "outputs":[{"name":"pd","parameters":{"binary_data":true,"n":3}},{"name":"q"}]}"#,
    )
    .unwrap();
    assert_eq!(request.id.as_deref(), Some("42"));
    assert_eq!(request.parameters.get("k"), Some(&Scalar::Int(1)));
    assert_eq!(request.parameters.get("t"), Some(&Scalar::Text("a".into())));
    assert_eq!(request.inputs[0].shape, [2, 2]);
    assert_eq!(&*request.inputs[0].numbers().unwrap(), [1.0, 2.0, 4.0, 5.5]);
    assert!(request.wants("pd") && request.wants("q") && !request.wants("r"));
    assert!(request.wants_binary("pd") && !request.wants_binary("q"));
    assert_eq!(request.outputs[0].parameters.get("n"), Some(&Scalar::Int(3)));
}

#[test]
fn the_order_of_fields_does_not_matter() {
    let after = with_data("INT64", "[3]", "[1,9007199254740993,-3]").unwrap();
    let before = json(
        r#"{"inputs":[{"data":[1,9007199254740993,-3],"datatype":"INT64","shape":[3],"name":"x"}]}"#,
    )
    .unwrap();
    assert_eq!(after, before);
    assert_eq!(after.inputs[0].values, Values::Signed(vec![1, 9_007_199_254_740_993, -3]));
}

#[test]
fn what_is_not_json_is_refused_by_its_place() {
    for body in ["", "{", "nul", "{\"inputs\":[}", "[1", "\u{feff}{}", "{'a':1}"] {
        refused(json(body), "body");
    }
    refused(json("[]"), "has to be a JSON object");
    refused(json("17"), "has to be a JSON object");
    refused(with_data("FP64", "[1]", "[NaN]"), "is not valid JSON at line 1 column");
    refused(with_data("FP64", "[1]", "[1e999]"), "is not valid JSON at line 1 column");
    refused(with_data("FP64", "[1]", "[-Infinity]"), "is not valid JSON");
}

#[test]
fn what_is_optional_may_be_null() {
    let text = r#"{"id":null,"parameters":null,"outputs":null,"inputs":[
        {"name":"x","shape":[1],"datatype":"FP64","data":[1],"parameters":null}]}"#;
    let request = json(text).unwrap();
    assert_eq!((request.id, request.outputs.len(), request.inputs.len()), (None, 0, 1));
}

#[test]
fn what_is_missing_or_of_the_wrong_type_is_named() {
    refused(json("{}"), "has no `inputs`");
    refused(json(r#"{"inputs":[]}"#), "`inputs` is empty");
    refused(json(r#"{"inputs":7}"#), "`inputs` has to be a list");
    refused(json(r#"{"inputs":[7]}"#), "an input has to be an object");
    refused(json(r#"{"id":7,"inputs":[]}"#), "`id` has to be a string");
    refused(json(r#"{"parameters":{"a":[1]},"inputs":[]}"#), "`parameters` has to be");
    refused(json(r#"{"parameters":{"a":null},"inputs":[]}"#), "`parameters` has to be");
    refused(json(r#"{"inputs":[{"shape":[1],"datatype":"FP64","data":[1]}]}"#), "no `name`");
    refused(json(r#"{"inputs":[{"name":"x","datatype":"FP64","data":[1]}]}"#), "no `shape`");
    refused(json(r#"{"inputs":[{"name":"x","shape":[1],"data":[1]}]}"#), "no `datatype`");
    refused(json(r#"{"inputs":[{"name":"x","shape":[1],"datatype":"FP64"}]}"#), "no `data`");
    refused(json(r#"{"outputs":[{}],"inputs":[]}"#), "an output has no `name`");
    refused(with_data("FP65", "[1]", "[1]"), "`datatype` of input 0 is not a known type");
    refused(with_data("FP64", "[1]", "1"), "`data` of input 0 is no list");
    refused(with_data("FP64", "[1]", r#"[{"a":1}]"#), "`data` has to be a list of values");
}

#[test]
fn what_is_given_twice_is_refused() {
    refused(json(r#"{"id":"a","id":"b","inputs":[]}"#), "`id` is given twice");
    refused(json(r#"{"inputs":[],"inputs":[]}"#), "`inputs` is given twice");
    refused(json(r#"{"parameters":{"a":1,"a":2},"inputs":[]}"#), "`a` is given twice");
    let input = r#"{"name":"x","shape":[1],"datatype":"FP64","data":[1]}"#;
    refused(json(&format!(r#"{{"inputs":[{input},{input}]}}"#)), "input `x` is given twice");
    let outputs = r#"[{"name":"pd"},{"name":"pd"}]"#;
    let body = format!(r#"{{"inputs":[{input}],"outputs":{outputs}}}"#);
    refused(json(&body), "output `pd` is given twice");
    refused(with_data("FP64", "[1]", r#"[1],"data":[1]"#), "`data` is given twice");
}

#[test]
fn a_shape_is_of_whole_numbers_that_can_be_multiplied() {
    for shape in ["[-1]", "[-5,1]", "[1.5]", "[\"1\"]", "[null]", "[18446744073709551616]", "1"] {
        refused(with_data("FP64", shape, "[1]"), "`shape` has to be a list of whole numbers");
    }
    for shape in ["[4294967296,4294967296]", "[16,1152921504606846978]"] {
        refused(with_data("FP64", shape, "[1]"), "has a shape that is too large");
    }
    refused(with_data("FP64", "[4294967296]", "[1]"), "has 1 elements, its shape has 4294967296");
    refused(with_data("FP64", &format!("{:?}", [1; 17]), "[1]"), "more than 16 dimensions");
}

#[test]
fn data_agrees_with_its_shape() {
    refused(with_data("FP32", "[2,2]", "[1,2,3]"), "input `x` has 3 elements, its shape has 4");
    refused(with_data("FP32", "[1]", "[]"), "has 0 elements");
    for nested in [
        "[[1,2],[3,4],[5,6]]",
        "[[1,2,3],[4,5,6,7]]",
        "[[1,2,3],4,5,6]",
        "[1,[2,3,4,5,6]]",
        "[[1,2,3,4,5],[6]]",
        "[[[1,2,3],[4,5,6]]]",
        "[[1],[2,3,4,5,6]]",
        "[[1,2,3],[[4],[5],[6]]]",
    ] {
        let outcome = with_data("FP32", "[2,3]", nested);
        assert_eq!(outcome.expect_err(nested).status, 400, "{nested}");
    }
    for nested in ["[1,2,3,4,5,6]", "[[1,2,3],[4,5,6]]"] {
        let request = with_data("FP32", "[2,3]", nested).unwrap();
        assert_eq!(&*request.inputs[0].numbers().unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }
    for (shape, data) in [("[0]", "[]"), ("[0,3]", "[]"), ("[2,0]", "[[],[]]"), ("[2,0]", "[]")] {
        assert_eq!(with_data("FP64", shape, data).unwrap().inputs[0].n_elements(), 0, "{shape}");
    }
    assert_eq!(with_data("FP64", "[]", "[7]").unwrap().inputs[0].n_elements(), 1);
}

#[test]
fn numbers_are_coerced_where_nothing_is_lost() {
    for (datatype, data, expected) in [
        (
            "FP64",
            "[1, -2, 0.5, 18446744073709551615]",
            [1.0, -2.0, 0.5, 18_446_744_073_709_551_615.0],
        ),
        ("FP32", "[1, -2, 0.1, 16777217]", [1.0, -2.0, f64::from(0.1f32), 16_777_216.0]),
        ("INT32", "[1, -2, 3.0, 2147483647]", [1.0, -2.0, 3.0, 2_147_483_647.0]),
        ("UINT8", "[0, 1, 2.0, 255]", [0.0, 1.0, 2.0, 255.0]),
        ("INT64", "[1, -2, 3e2, 0]", [1.0, -2.0, 300.0, 0.0]),
    ] {
        let request = with_data(datatype, "[4]", data).unwrap();
        assert_eq!(&*request.inputs[0].numbers().unwrap(), expected, "{datatype}");
    }
    let bools = with_data("BOOL", "[2]", "[true,false]").unwrap();
    assert_eq!(&*bools.inputs[0].numbers().unwrap(), [1.0, 0.0]);
    let texts = with_data("BYTES", "[2]", r#"["a","\u00e9\n"]"#).unwrap();
    assert_eq!(texts.inputs[0].texts().unwrap(), ["a", "é\n"]);
    assert_eq!(texts.inputs[0].numbers().unwrap_err().message, "input `x` has to be numeric");
    assert_eq!(bools.inputs[0].texts().unwrap_err().message, "input `x` has to be BYTES");
}

#[test]
fn what_would_be_lost_or_guessed_is_refused_by_its_position() {
    for (datatype, data, words) in [
        ("INT32", "[1, 2.5]", "element 1 has a fraction, INT32 has none"),
        ("INT8", "[1, 128]", "element 1 is out of range of INT8"),
        ("UINT16", "[1, -1]", "element 1 is out of range of UINT16"),
        ("UINT64", "[1, -1]", "element 1 is out of range of UINT64"),
        ("INT64", "[1, 9223372036854775808]", "element 1 is out of range of INT64"),
        ("INT64", "[1, 1e17]", "element 1 is out of range of INT64"),
        ("FP32", "[1, 1e39]", "element 1 is out of range of FP32"),
        ("FP64", r#"[1, "2"]"#, "element 1 is not a value of FP64"),
        ("FP64", "[1, true]", "element 1 is not a value of FP64"),
        ("INT64", "[1, true]", "element 1 is not a value of INT64"),
        ("BOOL", "[true, 1]", "element 1 is not a value of BOOL"),
        ("BYTES", r#"["a", 1]"#, "element 1 is not a value of BYTES"),
        ("FP16", "[1, 2]", "element 0 cannot be FP16 in JSON, send it binary"),
        ("BF16", "[1, 2]", "element 0 cannot be BF16 in JSON, send it binary"),
    ] {
        refused(with_data(datatype, "[2]", data), words);
        let late = format!(
            r#"{{"inputs":[{{"name":"x","data":{data},"shape":[2],"datatype":"{datatype}"}}]}}"#
        );
        refused(json(&late), words);
    }
}

#[test]
fn null_is_kept_for_the_model_to_judge() {
    for (datatype, data) in [("FP64", "[1,null]"), ("INT64", "[1,null]"), ("BOOL", "[true,null]")] {
        let request = with_data(datatype, "[2]", data).unwrap();
        let input = &request.inputs[0];
        assert!(input.has_null());
        assert_eq!(input.nulls, [1]);
        let numbers = input.numbers().unwrap();
        assert!(numbers[0] == 1.0 && numbers[1].is_nan(), "{datatype}");
        let mut more = vec![5.0];
        input.numbers_into(&mut more).unwrap();
        assert!(more[..2] == [5.0, 1.0] && more[2].is_nan(), "{datatype}");
    }
    let texts = with_data("BYTES", "[2]", r#"[null,"b"]"#).unwrap();
    assert_eq!((texts.inputs[0].texts().unwrap(), texts.inputs[0].nulls[0]), (vec!["", "b"], 0));
}

#[test]
fn limits_hold_while_a_request_is_read() {
    let limits =
        Limits { max_elements: 10, max_inputs: 2, max_depth: 3, max_name: 8, ..Limits::default() };
    let status = |body: String| match parse_infer(None, body.into(), &limits) {
        Ok(_) => 200,
        Err(refusal) => refusal.status,
    };
    let one = |name: &str, shape: &str, data: &str| {
        format!(r#"{{"name":"{name}","shape":{shape},"datatype":"FP64","data":{data}}}"#)
    };
    let all = |inputs: &[String]| format!(r#"{{"inputs":[{}]}}"#, inputs.join(","));
    assert_eq!(status(all(&[one("x", "[10]", "[1,2,3,4,5,6,7,8,9,0]")])), 200);
    assert_eq!(status(all(&[one("x", "[11]", "[1,2,3,4,5,6,7,8,9,0,1]")])), 413);
    let six = "[1,2,3,4,5,6]";
    assert_eq!(status(all(&[one("x", "[6]", six), one("y", "[6]", six)])), 413);
    assert_eq!(status(all(&[one("x", "[1,1,1]", "[[[1]]]")])), 200);
    assert_eq!(status(all(&[one("x", "[1,1,1]", "[[[[1]]]]")])), 400);
    let small = |name| one(name, "[1]", "[1]");
    assert_eq!(status(all(&[small("x"), small("y")])), 200);
    assert_eq!(status(all(&[small("x"), small("y"), small("z")])), 400);
    assert_eq!(status(all(&[small("a_long_name")])), 400);
    let deep = "[".repeat(1_000_000);
    assert_eq!(status(all(&[one("x", "[1]", &deep)])), 400);
    assert_eq!(status(format!(r#"{{"unknown":{deep}"#)), 400);
}

#[test]
fn refusals_never_hold_what_was_sent() {
    const SECRET: &str = "4929123456781234";
    for body in [
        format!(r#"{{"id":{SECRET},"inputs":[]}}"#),
        format!(r#"{{"inputs":"{SECRET}"}}"#),
        format!(r#"{{"inputs":["{SECRET}"]}}"#),
        format!(r#"{{"parameters":"{SECRET}","inputs":[]}}"#),
        format!(r#"{{"parameters":{{"a":["{SECRET}"]}},"inputs":[]}}"#),
        format!(r#"{{"inputs":[{{"name":{SECRET}}}]}}"#),
        format!(r#"{{"inputs":[{{"datatype":"{SECRET}"}}]}}"#),
        format!(r#"{{"inputs":[{{"shape":["{SECRET}"]}}]}}"#),
        format!(
            r#"{{"inputs":[{{"name":"x","shape":[1],"datatype":"FP64","data":["{SECRET}"]}}]}}"#
        ),
        format!(r#"{{"inputs":[{{"name":"x","shape":[1],"datatype":"INT8","data":[{SECRET}]}}]}}"#),
        format!(r#"{{"inputs":[{{"name":"x","shape":[1],"datatype":"FP64","data":{SECRET}}}]}}"#),
        SECRET.to_owned(),
        format!(r#"{{"inputs":{SECRET}x"#),
    ] {
        let refusal = json(&body).expect_err(&body);
        assert!(!refusal.message.contains(SECRET), "{refusal}");
    }
}
