//! What columns that look ahead hold, and how they are written and refused.

use std::fmt::Write as _;

use super::*;
use crate::data::{OpenOptions, Step, Task, apply, open_bytes, task_of};

fn prices() -> Table {
    let text = "share,day,close\nB,2024-01-02,4\nA,2024-01-01,10\nA,2024-01-03,\n\
                A,2024-01-02,11\nB,2024-01-01,8\nA,2024-01-04,22\nB,2024-01-03,4\n";
    open_bytes("t.csv", text.as_bytes(), &OpenOptions::default(), &Ctx::quiet()).unwrap()
}

fn made(words: &str) -> Result<Table, Error> {
    let ahead = words.parse().map_err(|what: String| Error::Query { what, hint: String::new() });
    apply(&prices(), &Step::Ahead(ahead?), &Ctx::quiet())
}

/// The values of the column `y`; NaN for missing.
fn check(words: &str, expected: [f64; 7]) {
    let values = made(words).unwrap().numbers("y").unwrap();
    for (value, expected) in values.iter().zip(expected) {
        let is_same = value.is_nan() && expected.is_nan() || (value - expected).abs() < 1e-12;
        assert!(is_same, "{words}: {values:?}");
    }
}

#[test]
fn it_tells_what_comes_later_within_the_group() {
    const NO: f64 = f64::NAN;
    check("y = return of close in 1 by share along day", [0.0, 0.1, NO, NO, -0.5, NO, NO]);
    check("y = difference of close in 1 by share along day", [0.0, 1.0, NO, NO, -4.0, NO, NO]);
    check("y = sign of close in 1 by share along day", [0.0, 1.0, NO, NO, 0.0, NO, NO]);
    check("y = sign of close in 3 by share along day", [NO, 1.0, NO, NO, NO, NO, NO]);
    let log = (1.1_f64).ln();
    check("y = log_return of close in 1 by share", [0.0, log, NO, NO, -(2.0_f64.ln()), NO, NO]);
}

#[test]
fn the_samples_give_the_numbers_of_pandas() {
    let values = |name: &str, words: &str| {
        let sample = crate::data::sample(name).unwrap();
        let options = OpenOptions::default();
        let table = open_bytes(sample.file, sample.content, &options, &Ctx::quiet()).unwrap();
        let table = apply(&table, &Step::Ahead(words.parse().unwrap()), &Ctx::quiet()).unwrap();
        let mut values = table.numbers("y").unwrap();
        values.retain(|value| !value.is_nan());
        values
    };
    // n = d.groupby("ticker").adj_close.shift(-1); (n > d.adj_close)[n.notna()].sum()
    let up = values("us_stocks", "y = sign of adj_close in 1 by ticker along date");
    assert_eq!((up.len(), up.iter().sum::<f64>()), (12_154 - 5, 6_148.0));
    // (e.USD.shift(-5) / e.USD - 1).dropna().mean()
    let week = values("ecb_fx", "y = return of USD in 5 along Date");
    let mean = week.iter().sum::<f64>() / week.len() as f64;
    assert_eq!(week.len(), 7_121);
    assert!((mean - 4.708_997_167_656_646e-5).abs() < 1e-16, "{mean}");
}

#[test]
fn classes_are_cut_at_fixed_returns_and_sort_as_they_do() {
    let table = made("y = class -0.1, 0.05 of close in 1 by share").unwrap();
    let levels = table.levels("y").unwrap();
    assert_eq!(levels.names, ["1 below -0.1", "2 from -0.1 to 0.05", "3 from 0.05"]);
    assert_eq!(levels.codes[..2], [1, 2]);
    assert_eq!(levels.codes[4], 0);
}

#[test]
fn it_becomes_the_target_and_never_a_feature() {
    let table = made("up = sign of close in 1 by share").unwrap();
    let column = table.column("up").unwrap();
    assert_eq!((column.role, column.kind), (Role::Target, Kind::Number));
    assert_eq!(column.ahead.as_ref().unwrap().time.as_deref(), Some("day"));
    assert!(!table.features(true).contains(&"up".to_owned()));
    let step = Step::Compute { name: "copy".into(), expr: "up * 2".into() };
    let copied = apply(&table, &step, &Ctx::quiet()).unwrap();
    assert!(copied.column("copy").unwrap().ahead.is_some());
    let step = Step::Sql { query: "select close, up as upward, day from data".into() };
    let queried = apply(&table, &step, &Ctx::quiet()).unwrap();
    assert!(queried.column("upward").unwrap().ahead.is_some());
    assert!(queried.column("close").unwrap().ahead.is_none());
    let twice: Ahead = "z = difference of up in 1 by share".parse().unwrap();
    let twice = apply(&table, &Step::Ahead(twice), &Ctx::quiet()).unwrap();
    assert_eq!(twice.column("z").unwrap().ahead.as_ref().unwrap().horizon, 2);
}

#[test]
fn a_change_is_a_quantity_though_few_differ() {
    let check = |words: &str, expected: Task| {
        let table = made(words).unwrap();
        assert_eq!(task_of(&table, "y", None).unwrap(), expected, "{words}");
        let step = Step::Compute { name: "rises".into(), expr: "y > 0".into() };
        let computed = apply(&table, &step, &Ctx::quiet()).unwrap();
        assert_eq!(task_of(&computed, "rises", None).unwrap(), Task::Binary, "{words}");
    };
    check("y = difference of close in 1 by share", Task::Regression);
    check("y = sign of close in 1 by share", Task::Binary);
}

#[test]
fn words_are_read_back() {
    for words in [
        "y = return of close in 1",
        "`a = b` = class -0.1, 0.2 of `the close` in 5 by `the share` along day",
        "y = sign of `in` in 20 along day",
    ] {
        let ahead: Ahead = words.parse().unwrap();
        assert_eq!(ahead.to_string(), words);
    }
    let loose: Ahead = "next return=log_return of adj close in 3".parse().unwrap();
    assert_eq!((loose.name.as_str(), loose.column.as_str()), ("next return", "adj close"));
}

#[test]
fn what_cannot_be_is_said() {
    let check = |words: &str, expected: &str| {
        let said = made(words).unwrap_err().to_string();
        assert!(said.contains(expected), "{words}: {said}");
    };
    check("y = return of close", "`in` and a number of rows are missing");
    check("y = retrun of close in 1", "`retrun` is none of return, log_return");
    check("y = return of close in some", "`some` is no number of rows");
    check("y = return of close in 0", "at least 1 row ahead");
    check("y = class of close in 1", "`class` needs ascending cuts");
    check("y = class 0.1, -0.1 of close in 1", "`class` needs ascending cuts");
    check("y = quantile of close in 1", "`quantile` needs a number of classes");
    check("y = quantile 1.5 of close in 1", "`quantile` needs a number of classes");
    check("y = sign 3 of close in 1", "`sign` takes no `3`");
    check("y = sign of close in 1 for ever", "`for ever` is not understood");
    check("close = sign of close in 1", "there is already a column `close`");
    check("y = sign of clsoe in 1", "did you mean `close`?");
    check("y = sign of share in 1", "`share` does not hold numbers");
    check("y = sign of close in 9", "missing in every row");
    check("y = sign of close in 1 along share", "orders nothing");
}

#[test]
fn a_quantile_learns_from_returns_that_had_ended_by_then() {
    // Returns of the row after: 0.01, 0.02, ... grow, so each is the largest that is known.
    let mut text = "day,close\n".to_owned();
    let mut close = 100.0;
    for day in 0..60 {
        writeln!(text, "{day},{close}").unwrap();
        close *= 1.0 + f64::from(day) / 1000.0;
    }
    let quantiles = |text: &str| {
        let table = open_bytes("t.csv", text.as_bytes(), &OpenOptions::default(), &Ctx::quiet());
        let ahead = "y = quantile 2 of close in 1 along day".parse().unwrap();
        let made = add(&table.unwrap(), &ahead, &Ctx::quiet()).unwrap();
        (0..made.n_rows()).map(|row| made.text(row, "y")).collect::<Vec<_>>()
    };
    let all = quantiles(&text);
    assert_eq!(all[19], None, "19 returns had ended");
    assert!(all[20..59].iter().all(|class| class.as_deref() == Some("2 of 2")), "{all:?}");
    assert_eq!(all[59], None, "what comes next is not known");
    // Later rows change nothing of earlier ones.
    let shorter = text.lines().take(41).collect::<Vec<_>>().join("\n");
    assert_eq!(quantiles(&shorter)[..39], all[..39]);
}
