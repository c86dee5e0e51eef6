use std::collections::BTreeMap;

use super::*;
use crate::data::{OpenOptions, open_bytes, sample};
use crate::jobs::Ctx;

fn read(text: &str) -> Table {
    open_bytes("t.csv", text.as_bytes(), &OpenOptions::default(), &Ctx::quiet()).unwrap()
}

fn target(header: &str, rows: &str) -> Option<String> {
    let table = read(&format!("{header}\n{rows}\n"));
    table.with_role(Role::Target).map(|c| c.name.clone())
}

fn with(overrides: &Overrides) -> Result<Table, Error> {
    let mut table = read(
        "id,zip,flag,when,code\n1,007,0,20240131,-999\n2,012,1,20240229,3\n3,100,1,20240301,5\n",
    );
    apply_overrides(&mut table, overrides)?;
    Ok(table)
}

#[test]
fn targets_are_proposed_by_name_then_by_levels_then_by_place() {
    assert_eq!(target("default,age,y", "yes,1,no\nno,2,yes\nno,3,no").as_deref(), Some("y"));
    assert_eq!(target("Status,a,b", "good,1,2\nbad,3,4\ngood,5,5").as_deref(), Some("Status"));
    assert_eq!(target("a,paid,b", "1,yes,2\n2,no,3\n3,no,4").as_deref(), Some("paid"));
    assert_eq!(target("a,b,c", "1,2,3\n2,3,4\n3,4,5").as_deref(), Some("c"));
    assert_eq!(target("a,TARGET,b", "1,2.5,3\n2,3.5,4\n3,4.5,5").as_deref(), Some("TARGET"));
    assert_eq!(target("only", "1\n2\n3"), None);
}

#[test]
fn kinds_are_guessed_from_values_and_names() {
    let kind = |name: &str, values: &[&str]| {
        let rows: Vec<String> = values.iter().map(|v| format!("{v};1")).collect();
        read(&format!("{name};t\n{}\n", rows.join("\n"))).column(name).unwrap().kind
    };
    assert_eq!(kind("customer_id", &["11", "12", "13", "11"]), Kind::Identifier);
    assert_eq!(kind("loanNo", &["11", "12", "13"]), Kind::Identifier);
    assert_eq!(kind("number_of_children", &["1", "2", "3"]), Kind::Number);
    assert_eq!(kind("zip", &["007", "008", "007"]), Kind::Category);
    assert_eq!(kind("ok", &["Yes", "No", "Yes"]), Kind::Boolean);
    assert_eq!(kind("x", &["0", "1", "1"]), Kind::Number, "a number until told otherwise");
    let keys: Vec<String> = (0..30).map(|i| format!("K{i}")).collect();
    assert_eq!(kind("k", &keys.iter().map(String::as_str).collect::<Vec<_>>()), Kind::Identifier);
    let texts: Vec<String> = (0..30).map(|i| format!("this is long note number {i}")).collect();
    assert_eq!(kind("k", &texts.iter().map(String::as_str).collect::<Vec<_>>()), Kind::Text);
}

#[test]
fn the_only_date_orders_the_rows() {
    let table = read("when,a,y\n2024-01-01,1,0\n2024-01-02,2,1\n");
    assert_eq!(table.column("when").unwrap().role, Role::Time);
    let table = read("when,birth_date,y\n2024-01-01,1990-01-01,0\n2024-01-02,1991-01-01,1\n");
    assert_eq!(table.column("when").unwrap().role, Role::Time);
    assert_ne!(table.column("birth_date").unwrap().role, Role::Time);
}

#[test]
fn what_a_person_says_wins() {
    let mut overrides = Overrides::default();
    overrides.roles.insert("flag".to_owned(), Role::Target);
    overrides.kinds.insert("zip".to_owned(), Kind::Number);
    overrides.kinds.insert("when".to_owned(), Kind::Datetime);
    overrides.kinds.insert("flag".to_owned(), Kind::Boolean);
    overrides.special.insert("*".to_owned(), vec!["-999".to_owned()]);
    let table = with(&overrides).unwrap();
    assert_eq!(table.with_role(Role::Target).unwrap().name, "flag");
    assert!(!table.column("flag").unwrap().role_guessed);
    assert_eq!(table.numbers("zip").unwrap(), [7.0, 12.0, 100.0]);
    assert_eq!(table.text(1, "when").unwrap(), "2024-02-29");
    assert!(table.numbers("code").unwrap()[0].is_nan());
    assert_eq!(table.columns.iter().filter(|c| c.role == Role::Target).count(), 1);
}

#[test]
fn what_cannot_be_is_refused_with_the_value() {
    let mut overrides = Overrides::default();
    overrides.kinds.insert("code".to_owned(), Kind::Datetime);
    let text = with(&overrides).unwrap_err().to_string();
    assert!(text.contains("`code` cannot be a datetime") && text.contains("-999"), "{text}");
    let roles = BTreeMap::from([("falg".to_owned(), Role::Target)]);
    let text = with(&Overrides { roles, ..Overrides::default() }).unwrap_err().to_string();
    assert!(text.contains("did you mean `flag`"), "{text}");
    let kinds = BTreeMap::from([("id".to_owned(), Kind::Boolean)]);
    let text = with(&Overrides { kinds, ..Overrides::default() }).unwrap_err().to_string();
    assert!(text.contains("3 levels"), "{text}");
}

#[test]
fn the_samples_are_described_as_people_would() {
    let of = |name: &str| {
        let sample = sample(name).unwrap();
        open_bytes(sample.file, sample.content, &OpenOptions::default(), &Ctx::quiet()).unwrap()
    };
    let german = of("german_credit");
    let kind = |name: &str| german.column(name).unwrap().kind;
    assert_eq!(kind("foreign_worker"), Kind::Boolean);
    assert_eq!(kind("credit_amount"), Kind::Number);
    assert_eq!(kind("checking_status"), Kind::Category);
    let telephone = german.levels("telephone").unwrap().names;
    assert_eq!(telephone.len(), 2, "`none` is a level among words: {telephone:?}");
    let missing = of("credit_missing");
    let n = missing.numbers("Income").unwrap().iter().filter(|v| v.is_nan()).count();
    assert_eq!(n, 381);
    assert!(of("credit_data").origin.headerless);
}

#[test]
fn series_of_their_own_are_told_by_their_dates() {
    let of = |name: &str| {
        let sample = sample(name).unwrap();
        open_bytes(sample.file, sample.content, &OpenOptions::default(), &Ctx::quiet()).unwrap()
    };
    let stocks = of("us_stocks");
    assert_eq!(stocks.with_role(Role::Time).unwrap().name, "date");
    assert_eq!(stocks.with_role(Role::Group).unwrap().name, "ticker");
    let rates = of("ecb_fx");
    assert_eq!(rates.with_role(Role::Time).unwrap().name, "Date");
    assert!(rates.with_role(Role::Group).is_none());
    // Two loans of one branch on one day: no branch is a series.
    let lines: Vec<String> = (0..40)
        .map(|i| format!("2024-01-{:02},{},{i}", i / 2 % 15 + 1, ["n", "s"][i / 4 % 2]))
        .collect();
    let text = format!("day,branch,amount\n{}\n", lines.join("\n"));
    let loans = open_bytes("t.csv", text.as_bytes(), &OpenOptions::default(), &Ctx::quiet());
    assert!(loans.unwrap().with_role(Role::Group).is_none());
}

#[test]
fn a_word_among_numbers_is_named_and_can_be_a_code_for_missing() {
    let values: Vec<String> = (0..60).map(|i| format!("{},{}", i * 7 % 50, i % 2)).collect();
    let mut own = read(&format!("amount,y\n{}\nn/v,1\n", values.join("\n")));
    let column = own.column("amount").unwrap().clone();
    assert_ne!(column.kind, Kind::Number);
    let found = strays(&own, &column).expect("a stray word");
    assert_eq!((found.words, found.n), (vec![("n/v".to_owned(), 1)], 61));
    let said = Overrides {
        special: [("amount".to_owned(), vec!["n/v".to_owned()])].into(),
        ..Overrides::default()
    };
    apply_overrides(&mut own, &said).unwrap();
    let column = own.column("amount").unwrap();
    assert_eq!((column.kind, column.role), (Kind::Number, Role::Feature));
    let numbers = own.numbers("amount").unwrap();
    assert!(numbers[..60].iter().all(|v| v.is_finite()) && numbers[60].is_nan());
    assert_eq!(strays(&own, column), None);
    // A category that holds a few numbers is none of these.
    let words = read("x,y\na,1\nb,0\n3,1\na,0\n");
    assert_eq!(strays(&words, words.column("x").unwrap()), None);
}
