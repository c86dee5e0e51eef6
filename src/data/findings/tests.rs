use super::*;
use crate::data::testing::{sample, table, with_role};
use crate::data::{Task, privacy, profile};

fn found(table: &Table, target: Option<&Target>) -> Vec<Finding> {
    let ctx = Ctx::quiet();
    let profiles = profile(table, target, None, &ctx).unwrap();
    findings(table, &profiles, target, None, &ctx).unwrap()
}

fn target(name: &str, positive: &str) -> Target {
    Target { name: name.into(), positive: Some(positive.into()), task: Task::Binary }
}

#[track_caller]
fn one(found: &[Finding], kind: FindingKind) -> Finding {
    let of_kind: Vec<_> = found.iter().filter(|f| f.kind == kind).collect();
    assert_eq!(of_kind.len(), 1, "{kind:?} in {found:#?}");
    of_kind[0].clone()
}

fn lacks(found: &[Finding], kind: FindingKind) {
    assert!(found.iter().all(|f| f.kind != kind), "{kind:?} in {found:#?}");
}

/// A table of one column `x` beside a steady target.
fn column(values: impl IntoIterator<Item = String>) -> Table {
    let lines = values
        .into_iter()
        .enumerate()
        .map(|(i, v)| format!("{v},{}\n", i * 7 % 11))
        .collect::<Vec<_>>()
        .concat();
    table(&format!("x,other\n{lines}"))
}

#[test]
fn a_column_that_knows_the_target_is_suspected() {
    let lines = (0..100)
        .map(|i| format!("{i},{},{}\n", i % 7, u8::from(i >= 60)))
        .collect::<Vec<_>>()
        .concat();
    let table = table(&format!("known_after,fair,y\n{lines}"));
    let found = found(&table, Some(&target("y", "1")));
    let leak = one(&found, FindingKind::Leak);
    assert_eq!((leak.severity, leak.column.as_deref()), (Severity::Bad, Some("known_after")));
    assert_eq!(found[0], leak, "what matters most comes first");
    assert_eq!(leak.remedy.unwrap().action, RemedyAction::KeepOut("known_after".into()));
}

#[test]
fn hindsight_is_suspected_by_name_only_if_it_does_well() {
    let bank = sample("bank_marketing.csv");
    let found_in_bank = found(&bank, Some(&target("y", "yes")));
    let leak = one(&found_in_bank, FindingKind::Leak);
    assert_eq!((leak.severity, leak.column.as_deref()), (Severity::Warn, Some("duration")));
    let german = sample("german_credit.csv");
    lacks(&found(&german, Some(&target("credit_risk", "bad"))), FindingKind::Leak);
}

#[test]
fn what_the_samples_are_known_for_is_found() {
    let bank = found(&sample("bank_marketing.csv"), Some(&target("y", "yes")));
    let codes = one(&bank, FindingKind::SpecialCodes);
    assert!(codes.text.starts_with("3,705 values are -1 in `pdays`"), "{}", codes.text);
    let action = RemedyAction::Special("pdays".into(), vec!["-1".into()]);
    assert_eq!(codes.remedy.unwrap().action, action);
    let imbalance = one(&bank, FindingKind::Imbalance);
    assert_eq!(imbalance.text, "the target `y` is `yes` in 521 of 4,521 rows (11.5 %)");

    let missing = found(&sample("credit_missing.csv"), Some(&target("Status", "bad")));
    assert!(one(&missing, FindingKind::Duplicates).text.starts_with("2 of 4,454 rows"));
    let income = missing
        .iter()
        .find(|f| f.column.as_deref() == Some("Income") && f.kind == FindingKind::Missing);
    let income = &income.unwrap().text;
    assert!(
        income.starts_with("`Income` misses 381 of 4,454 values (8.6 %); where it does, "),
        "{income}"
    );
}

#[test]
fn the_protected_attributes_of_german_credit_are_named_together() {
    let mut german = sample("german_credit.csv");
    privacy::mark(&mut german);
    let protected = one(&found(&german, None), FindingKind::Protected);
    assert_eq!(
        protected.text,
        "3 protected attributes are left out of the features: `personal_status_sex` (sex), \
         `age_years` (age) and `foreign_worker` (nationality)"
    );
    let age = german.columns.iter_mut().find(|c| c.name == "age_years").unwrap();
    age.role_guessed = false;
    assert_eq!(one(&found(&german, None), FindingKind::Protected).severity, Severity::Warn);
}

#[test]
fn constants_and_almost_constants_are_found() {
    let constant = one(&found(&column((0..5).map(|_| "7".into())), None), FindingKind::Constant);
    let leave_out = RemedyAction::SetRole("x".into(), Role::Ignored);
    assert_eq!(constant.remedy.unwrap().action, leave_out);
    let almost = column((0..200).map(|i| if i == 3 { "b".into() } else { "a".into() }));
    assert_eq!(
        one(&found(&almost, None), FindingKind::NearConstant).text,
        "`x` is `a` in 99.5 % of the rows"
    );
    let empty = column((0..5).map(|_| String::new()));
    assert_eq!(one(&found(&empty, None), FindingKind::Constant).text, "`x` has no values at all");
}

#[test]
fn identifiers_and_many_levels_are_told_apart() {
    let ids = found(&column((0..60).map(|i| (1000 + i).to_string())), None);
    let id = one(&ids, FindingKind::Identifier);
    assert_eq!(id.remedy.unwrap().action, RemedyAction::SetRole("x".into(), Role::Id));
    let codes = found(&column((0..80).map(|i| format!("k{i}"))), None);
    let code = one(&codes, FindingKind::Identifier);
    let action = RemedyAction::SetKind("x".into(), Kind::Identifier);
    assert_eq!(code.remedy.unwrap().action, action);
    let levels = found(&column((0..600).map(|i| format!("k{}", i % 60))), None);
    assert_eq!(
        one(&levels, FindingKind::Cardinality).text,
        "`x` has 60 levels, about 10 rows for each"
    );
    let amounts = found(&column((0..60).map(|i| (i * i * 31).to_string())), None);
    lacks(&amounts, FindingKind::Identifier);
}

#[test]
fn repeated_rows_and_columns_are_found() {
    let lines = (0..20)
        .map(|i| {
            let i = if i == 19 { 0 } else { i };
            format!("{i},{},{},{}\n", 2 * i + 1, ["a", "b", "a"][i % 3], ["x", "y", "x"][i % 3])
        })
        .collect::<Vec<_>>()
        .concat();
    let table = table(&format!("a,b,c,d\n{lines}"));
    let found = found(&table, None);
    let rows = one(&found, FindingKind::Duplicates);
    assert_eq!(rows.text, "1 of 20 rows (5.0 %) repeats an earlier one in every column");
    assert_eq!(rows.remedy.unwrap().action, RemedyAction::DropDuplicates);
    let columns: Vec<_> = found.iter().filter(|f| f.kind == FindingKind::Redundant).collect();
    let texts: Vec<&str> = columns.iter().map(|f| f.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "`b` follows `a` with a correlation of 1.0000",
            "`d` divides the rows exactly as `c` does"
        ]
    );
}

#[test]
fn rows_are_repeated_only_if_every_value_is() {
    let differ = table("a,b\n1,\n1,x\n2,\n,1\n-0.0,z\n");
    assert_eq!(duplicates::repeated(&differ, &Ctx::quiet()).unwrap(), 0);
    let equal = table("a,b,c\n1.5,,2024-01-01\n1.5,,2024-01-01\n0.0,z,\n-0.0,z,\n");
    assert_eq!(duplicates::repeated(&equal, &Ctx::quiet()).unwrap(), 2);
}

#[test]
fn dates_out_of_order_in_the_future_and_with_gaps_are_found() {
    let day = |i: usize| format!("2020-01-{:02}", i + 1);
    let mut days: Vec<String> = (0..20).map(day).collect();
    days.push("2020-03-15".into());
    days.swap(3, 4);
    let dated = column(days.clone());
    let order = one(&found(&dated, None), FindingKind::TimeOrder);
    assert_eq!(order.text, "rows are out of order by `x`: 1 is earlier than the row before");
    assert_eq!(order.remedy.unwrap().action, RemedyAction::TimeSplit("x".into()));
    let timed = with_role(dated, "x", Role::Time);
    let gap = one(&found(&timed, None), FindingKind::Gaps);
    assert_eq!(gap.text, "1 gap in `x`, the longest from 2020-01-20 to 2020-03-15");
    days.push("9999-01-01".into());
    let future = one(&found(&column(days), None), FindingKind::FutureDates);
    assert_eq!(future.text, "1 date of `x` is yet to come, up to 9999-01-01");
    let backwards = column((0..20).rev().map(day));
    lacks(&found(&backwards, None), FindingKind::TimeOrder);
}

#[test]
fn a_poor_target_is_said() {
    let poor = |csv: &str| found(&table(csv), Some(&target("y", "1")));
    let lacking = poor("y,x\n1,1\n,2\n0,3\n");
    let text = "the target `y` is missing in 1 of 3 rows; they neither train nor test";
    assert_eq!(one(&lacking, FindingKind::MissingTarget).text, text);
    assert_eq!(one(&poor("y,x\n1,1\n1,2\n"), FindingKind::OneClass).severity, Severity::Bad);
    assert_eq!(one(&poor("y,x\n,1\n,2\n"), FindingKind::OneClass).severity, Severity::Bad);
}

#[test]
fn many_findings_of_a_sort_are_one() {
    let names: Vec<String> = (0..8).map(|i| format!("v{i}")).collect();
    let lines = (0..60)
        .map(|i| {
            let values =
                (0..8).map(|j| if i == j { String::new() } else { ((i + j) % 4).to_string() });
            values.collect::<Vec<_>>().join(",") + "\n"
        })
        .collect::<Vec<_>>()
        .concat();
    let found = found(&table(&format!("{}\n{lines}", names.join(","))), None);
    let missing = one(&found, FindingKind::Missing);
    assert_eq!(missing.text, "8 columns miss values: `v0`, `v1`, `v2`, `v3`, `v4` and 3 more");
    assert!(missing.remedy.is_some() && missing.column.is_none());
}
