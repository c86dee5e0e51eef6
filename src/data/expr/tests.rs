//! Expressions: what they say, and how they are refused.

use super::*;
use crate::data::{OpenOptions, Overrides, Personal, apply_overrides, open_bytes};

fn table() -> Table {
    let text = "a,b,the name,sex,day,k\n1,2,10,male,2024-01-31,1\n2,0,20,female,2024-02-29,-999\n4,4,40,male,2024-03-31,3\n";
    open_bytes("t.csv", text.as_bytes(), &OpenOptions::default(), &Ctx::quiet()).unwrap()
}

fn value(text: &str) -> Result<Vec<Option<f64>>, Error> {
    let table = table();
    let series = evaluate(&table, &compile(&table, text)?, &Ctx::quiet())?;
    Ok(series.cast(&DataType::Float64)?.f64()?.iter().collect())
}

fn check(text: &str, expected: [Option<f64>; 3]) {
    assert_eq!(value(text).unwrap(), expected, "{text}");
}

#[test]
fn expressions_are_worked_out_in_every_row() {
    check("a / b", [Some(0.5), None, Some(1.0)]);
    check("A + `the name`", [Some(11.0), Some(22.0), Some(44.0)]);
    check("log(a)", [Some(0.0), Some(2_f64.ln()), Some(4_f64.ln())]);
    check("log(b)", [Some(2_f64.ln()), None, Some(4_f64.ln())]);
    check("lag(a)", [None, Some(1.0), Some(2.0)]);
    check("lag(a, 2)", [None, None, Some(1.0)]);
    check("diff(log(a))", [None, Some(2_f64.ln()), Some(4_f64.ln() - 2_f64.ln())]);
    check("a > 1 && sex == \"male\"", [Some(0.0), Some(0.0), Some(1.0)]);
    check("sex = 'female' or a = 4", [Some(0.0), Some(1.0), Some(1.0)]);
    check("day >= '2024-02-29'", [Some(0.0), Some(1.0), Some(1.0)]);
    check("case when a > 1 then 1 else 0 end", [Some(0.0), Some(1.0), Some(1.0)]);
    check("3", [Some(3.0); 3]);
    check("a - mean(a)", [Some(1.0 - 7.0 / 3.0), Some(2.0 - 7.0 / 3.0), Some(4.0 - 7.0 / 3.0)]);
    check("missing(b)", [Some(0.0); 3]);
    check("1 / 0", [None; 3]);
}

#[test]
fn special_codes_are_missing_in_expressions() {
    let mut table = table();
    table.columns[5].special = vec!["-999".to_owned()];
    let expr = compile(&table, "k + 1").unwrap();
    let series = evaluate(&table, &expr, &Ctx::quiet()).unwrap();
    assert_eq!(series.null_count(), 1);
}

#[test]
fn what_is_not_understood_names_the_place_and_an_example() {
    for (text, word) in [
        ("a / c", "no column `c`"),
        ("`the nam` + 1", "did you mean `the name`"),
        ("a +", "hint: write for example"),
        ("(a", "parenthesis"),
        ("a) as x, (b", "parenthesis"),
        ("a as x, b", "hint:"),
        ("'x", "never closed"),
        ("", "empty"),
        ("a; drop table data", "`;`"),
        ("nonsense(a)", "nonsense"),
    ] {
        let err = value(text).unwrap_err().to_string();
        assert!(err.contains(word) && err.contains("hint:"), "{text}: {err}");
    }
}

#[test]
fn personal_data_stays_out_of_expressions() {
    let mut table = table();
    let mut overrides = Overrides::default();
    overrides.personal.insert("sex".to_owned(), true);
    apply_overrides(&mut table, &overrides).unwrap();
    assert_eq!(table.columns[3].personal, Some(Personal::Name));
    let err = compile(&table, "upper(sex)").unwrap_err().to_string();
    assert!(err.contains("personal data"), "{err}");
}
