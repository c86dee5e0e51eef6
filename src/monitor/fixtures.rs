//! Expected numbers of scipy, evidently and nannyml, made by `tests/monitor_fixtures/make.py`.

use serde_json::Value;

use super::distance::Cell;

const DRIFT: &str = include_str!("../../tests/monitor_fixtures/drift.json");
const CBPE: &str = include_str!("../../tests/monitor_fixtures/cbpe.json");

pub(super) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

pub(super) fn list(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

pub(super) fn sorted(value: &Value) -> Vec<f64> {
    let mut values = list(value);
    values.sort_by(f64::total_cmp);
    values
}

pub(super) fn cells(case: &Value) -> Vec<Cell> {
    list(&case["reference"]).into_iter().zip(list(&case["window"])).collect()
}

fn cases(text: &str, name: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(text).unwrap();
    all[name].as_array().unwrap().clone()
}

pub(super) fn numbers() -> Vec<Value> {
    cases(DRIFT, "numbers")
}

pub(super) fn levels() -> Vec<Value> {
    cases(DRIFT, "levels")
}

pub(super) fn chosen() -> Vec<Value> {
    cases(DRIFT, "chosen")
}

pub(super) fn proportions() -> Vec<Value> {
    cases(DRIFT, "proportions")
}

pub(super) fn cbpe() -> Vec<Value> {
    let all: Value = serde_json::from_str(CBPE).unwrap();
    all.as_array().unwrap().clone()
}
