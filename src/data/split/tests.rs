use proptest::prelude::*;

use super::*;
use crate::data::testing::{sample, table, with_role};

fn target() -> Target {
    Target { name: "y".into(), positive: Some("bad".into()), task: Task::Binary }
}

fn by(method: Method) -> SplitSpec {
    SplitSpec { method, ..SplitSpec::default() }
}

fn divide(table: &Table, spec: &SplitSpec) -> Split {
    split(table, spec, Some(&target()), &Ctx::quiet()).unwrap()
}

fn refused(table: &Table, spec: &SplitSpec) -> String {
    split(table, spec, Some(&target()), &Ctx::quiet()).unwrap_err().to_string()
}

/// Rows with a class, a customer who has three of them, and a month with two of them; now and
/// then a class or a customer is missing.
fn made(n: usize) -> Table {
    let line = |i: usize| {
        let y = if i % 29 == 28 { "" } else { ["good", "bad", "good", "good"][i * 7 % 4] };
        let who = if i % 31 == 30 { String::new() } else { format!("c{}", i * 5 % n / 3) };
        format!("{y},{who},{}\n", i * 3 % n / 2)
    };
    table(&format!("y,who,when\n{}", (0..n).map(line).collect::<Vec<_>>().concat()))
}

fn sorted(parts: &[&[u32]]) -> Vec<u32> {
    let mut all = parts.concat();
    all.sort_unstable();
    all
}

#[test]
fn scikit_learns_rows_are_taken_in_its_order() {
    // train_test_split(np.arange(1000), test_size=0.2, random_state=42)
    let table = sample("german_credit.csv");
    let split = split(&table, &by(Method::Sklearn), None, &Ctx::quiet()).unwrap();
    assert_eq!((split.train.len(), split.test.len()), (800, 200));
    assert_eq!(split.train[..5], [29, 535, 695, 557, 836]);
    assert_eq!(split.test[..5], [521, 737, 740, 660, 411]);
}

#[test]
fn scikit_learns_folds_are_taken() {
    // KFold(3, shuffle=True, random_state=42).split(np.arange(10))
    let table = table("x\n0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    let rows: Vec<u32> = (0..10).collect();
    let folds = folds(&table, &by(Method::Sklearn), 3, &rows, None).unwrap();
    let tests: Vec<_> = folds.iter().map(|f| f.test.clone()).collect();
    assert_eq!(tests, [vec![0, 1, 5, 8], vec![2, 7, 9], vec![3, 4, 6]]);
    assert_eq!(folds[1].train, [0, 1, 3, 4, 5, 6, 8]);
}

#[test]
fn classes_keep_their_shares() {
    let table = sample("german_credit.csv");
    let target =
        Target { name: "credit_risk".into(), positive: Some("bad".into()), task: Task::Binary };
    let spec = SplitSpec { valid: 0.1, ..SplitSpec::default() };
    let split = split(&table, &spec, Some(&target), &Ctx::quiet()).unwrap();
    let truth = target.truth(&table).unwrap();
    let bads = |rows: &[u32]| rows.iter().map(|r| truth[*r as usize]).sum::<f64>();
    assert_eq!((split.test.len(), bads(&split.test)), (200, 60.0));
    assert_eq!((split.valid.len(), bads(&split.valid)), (100, 30.0));
    assert_eq!((split.train.len(), bads(&split.train)), (700, 210.0));
    assert_eq!(split.left_out, 0);
}

#[test]
fn without_a_test_every_row_trains() {
    let made = made(40);
    for method in Method::ALL {
        let mut spec = by(*method);
        spec.test = 0.0;
        spec.group = Some("who".into());
        spec.time = Some("when".into());
        let split = divide(&made, &spec);
        assert_eq!((split.train.len(), split.left_out), (39, 1), "{method}");
        assert!(split.test.is_empty() && split.valid.is_empty(), "{method}");
        assert_eq!(split.notes, ["1 row without a value of `y` is left out"], "{method}");
    }
}

#[test]
fn the_role_of_a_column_names_groups_and_time() {
    let made = with_role(with_role(made(40), "who", Role::Group), "when", Role::Time);
    let by_name = SplitSpec { group: Some("who".into()), ..by(Method::Group) };
    assert_eq!(divide(&made, &by(Method::Group)), divide(&made, &by_name));
    assert!(!divide(&made, &by(Method::Time)).test.is_empty());
}

#[test]
fn a_date_begins_the_test() {
    let dated = table("y,when\ngood,2024-03-01\nbad,2023-12-31\ngood,2024-01-01\nbad,2024-02-01\n");
    let mut spec = by(Method::Time);
    spec.time = Some("when".into());
    for (typed, test) in
        [("2024-02-01", vec![3, 0]), ("1.2.2024", vec![3, 0]), ("2024", vec![2, 3, 0])]
    {
        spec.test_from = Some(typed.into());
        let split = divide(&dated, &spec);
        assert_eq!(split.test, test, "{typed}");
    }
    let note = divide(&dated, &spec).notes.remove(0);
    assert_eq!(note, "tested on 2024-01-01 to 2024-03-01");
    spec.test_from = Some("2025".into());
    assert!(refused(&dated, &spec).contains("`when` runs from 2023-12-31 to 2024-03-01"));
    spec.test_from = Some("soon".into());
    assert!(refused(&dated, &spec).contains("write it as 2024-12-31"));
}

#[test]
fn what_cannot_be_divided_is_said_in_plain_words() {
    let check = |csv: &str, spec: SplitSpec, expected: &str| {
        let error = refused(&table(csv), &spec);
        assert!(error.contains(expected) && error.contains("\nhint: "), "{error}");
    };
    let lone = "y\ngood\ngood\ngood\nbad\n";
    check(lone, by(Method::Stratified), "class `bad` of `y` has 1 row, too few for 2 parts");
    check("y\ngood\n", by(Method::Random), "1 row is too few");
    check("y\ngood\n", by(Method::Sklearn), "1 row is too few");
    check("y,x\n,1\n,2\n", by(Method::Random), "no row has a value of the target `y`");
    check(lone, by(Method::Group), "no column that names the groups");
    check(lone, by(Method::Time), "no column that orders the rows");
    let group = SplitSpec { group: Some("g".into()), ..by(Method::Group) };
    check("y,g\ngood,a\nbad,a\n", group.clone(), "`g` has 1 group, too few");
    check(lone, group, "no column `g`");
    let time = SplitSpec { time: Some("t".into()), ..by(Method::Time) };
    check("y,t\ngood,1\nbad,1\n", time.clone(), "2 rows of `t` are of the same time");
    check("y,t\ngood,a\nbad,b\n", time, "`t` holds neither dates nor numbers");
    check(lone, SplitSpec { test: 1.5, ..by(Method::Random) }, "a test share of `1.5`");
    check(lone, SplitSpec { test: 0.6, valid: 0.4, ..by(Method::Random) }, "no rows to train on");
    check(lone, SplitSpec { seed: 1 << 33, ..by(Method::Sklearn) }, "too large for scikit-learn");
}

#[test]
fn too_many_folds_are_refused() {
    let made = made(20);
    let rows: Vec<u32> = (0..20).collect();
    let refused = |method, k| {
        let spec = SplitSpec { group: Some("who".into()), time: Some("when".into()), ..by(method) };
        folds(&made, &spec, k, &rows, Some(&target())).unwrap_err().to_string()
    };
    assert!(refused(Method::Random, 1).contains("`1` folds"));
    assert!(refused(Method::Random, 30).contains("20 rows are too few for 30 folds"));
    assert!(refused(Method::Stratified, 9).contains("of class `bad` of `y` are too few"));
    assert!(refused(Method::Group, 15).contains("groups of `who` are too few"));
    assert!(refused(Method::Time, 15).contains("different times of `when` are too few"));
}

#[test]
fn settings_are_read_back_and_have_defaults() {
    let spec: SplitSpec = toml::from_str("method = \"time\"\ntest_from = \"2024\"").unwrap();
    assert_eq!(spec.test, 0.2);
    assert_eq!(toml::from_str::<SplitSpec>(&toml::to_string(&spec).unwrap()).unwrap(), spec);
    assert_eq!("group".parse(), Ok(Method::Group));
}

fn methods() -> impl Strategy<Value = Method> {
    prop::sample::select(Method::ALL)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_split_is_a_partition(
        method in methods(), n in 30_usize..120, test in 0.05..0.4, valid in 0.0..0.4, seed: u32,
    ) {
        let made = made(n);
        let spec = SplitSpec {
            test,
            valid: if valid < 0.1 { 0.0 } else { valid },
            seed: u64::from(seed),
            group: Some("who".into()),
            time: Some("when".into()),
            ..by(method)
        };
        let split = divide(&made, &spec);
        let all = sorted(&[&split.train, &split.valid, &split.test]);
        let known: Vec<u32> = (0..n as u32).filter(|i| i % 29 != 28).collect();
        prop_assert_eq!(all, known);
        prop_assert!(!split.train.is_empty() && !split.test.is_empty());
        prop_assert_eq!(split.valid.is_empty(), spec.valid == 0.0);
        // A group has up to three rows, a moment two, and a class may claim a row more.
        let off = split.test.len() as f64 - test * n as f64;
        prop_assert!(off.abs() < 4.0, "{off}");
        prop_assert_eq!(&divide(&made, &spec), &split);
        if method == Method::Group {
            let groups = made.levels("who").unwrap();
            let of = |rows: &[u32]| -> std::collections::HashSet<u32> {
                rows.iter().map(|r| groups.codes[*r as usize]).filter(|c| *c != u32::MAX).collect()
            };
            prop_assert!(of(&split.train).is_disjoint(&of(&split.test)));
            prop_assert!(of(&split.train).is_disjoint(&of(&split.valid)));
            prop_assert!(of(&split.valid).is_disjoint(&of(&split.test)));
        }
        if method == Method::Time {
            let times = made.numbers("when").unwrap();
            let of = |rows: &[u32]| rows.iter().map(|r| times[*r as usize]).collect::<Vec<_>>();
            let latest = |rows: &[u32]| of(rows).into_iter().fold(-1.0, f64::max);
            let earliest = |rows: &[u32]| of(rows).into_iter().fold(1e9, f64::min);
            prop_assert!(latest(&split.train) < earliest(&split.valid).min(earliest(&split.test)));
            prop_assert!(latest(&split.valid) < earliest(&split.test));
        }
    }

    #[test]
    fn folds_score_every_row_once(
        method in methods(), n in 40_usize..120, k in 2_usize..6, seed: u32,
    ) {
        let made = made(n);
        let spec = SplitSpec {
            seed: u64::from(seed),
            group: Some("who".into()),
            time: Some("when".into()),
            ..by(method)
        };
        let rows: Vec<u32> = (0..n as u32).filter(|i| i % 3 != 0 || n < 60).collect();
        let known: Vec<u32> = rows.iter().copied().filter(|i| i % 29 != 28).collect();
        let folds = folds(&made, &spec, k, &rows, Some(&target())).unwrap();
        prop_assert_eq!(folds.len(), k);
        let tests: Vec<&[u32]> = folds.iter().map(|f| f.test.as_slice()).collect();
        if method == Method::Time {
            let times = made.numbers("when").unwrap();
            for fold in &folds {
                let latest = fold.train.iter().map(|r| times[*r as usize]).fold(-1.0, f64::max);
                prop_assert!(fold.test.iter().all(|r| times[*r as usize] > latest));
                prop_assert!(!fold.train.is_empty() && !fold.test.is_empty());
            }
            let scored = sorted(&tests);
            prop_assert_eq!(sorted(&[&folds[0].train, &scored]), known);
        } else {
            prop_assert_eq!(sorted(&tests), known.clone());
            for fold in &folds {
                prop_assert_eq!(sorted(&[&fold.train, &fold.test]), known.clone());
            }
        }
        if matches!(method, Method::Random | Method::Stratified | Method::Sklearn) {
            let sizes = tests.iter().map(|t| t.len());
            prop_assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1);
        }
    }
}

/// Two shares over 30 days each, with a target that looks `horizon` days ahead.
fn looking_ahead(horizon: usize) -> (Table, Target) {
    let line = |i: usize| {
        let (share, day) = (i % 2, i / 2);
        format!("2024-01-{:02},s{share},{}\n", day + 1, 10 + (i * 7) % 11)
    };
    let mut csv = "day,share,close\n".to_owned();
    csv.extend((0..60).map(line));
    let table = with_role(with_role(table(&csv), "day", Role::Time), "share", Role::Group);
    let step = crate::data::Ahead {
        name: "up".into(),
        column: "close".into(),
        horizon,
        form: crate::data::Form::Sign,
        ..crate::data::Ahead::default()
    };
    let table = crate::data::apply(&table, &crate::data::Step::Ahead(step), &Ctx::quiet());
    let target = Target { name: "up".into(), positive: None, task: Task::Binary };
    (table.unwrap(), target)
}

#[test]
fn rows_whose_target_lies_in_a_later_part_do_not_train() {
    let (table, target) = looking_ahead(3);
    let days = table.numbers("day").unwrap();
    let day = |row: &u32| days[*row as usize];
    let mut spec = by(Method::Time);
    let whole = split(&table, &spec, Some(&target), &Ctx::quiet()).unwrap();
    // 27 days have a target; of the 22 before the test the last three look into it.
    assert_eq!((whole.train.len(), whole.test.len()), (2 * 19, 2 * 5));
    let note = "6 rows whose target looks from the training into the test period are left out";
    assert!(whole.notes.iter().any(|said| said == note), "{:?}", whole.notes);
    assert_eq!(whole.left_out, 2 * 3 + 6);
    spec.valid = 0.2;
    let parts = split(&table, &spec, Some(&target), &Ctx::quiet()).unwrap();
    for (earlier, later) in [(&parts.train, &parts.valid), (&parts.valid, &parts.test)] {
        let last = earlier.iter().map(day).fold(f64::MIN, f64::max);
        let first = later.iter().map(day).fold(f64::MAX, f64::min);
        assert_eq!(last + 3.0 + 1.0, first, "the target of the last day is known before");
    }
    let rows: Vec<u32> = (0..60).collect();
    for fold in folds(&table, &spec, 4, &rows, Some(&target)).unwrap() {
        let last = fold.train.iter().map(day).fold(f64::MIN, f64::max);
        let first = fold.test.iter().map(day).fold(f64::MAX, f64::min);
        assert!(last + 3.0 < first, "{last} {first}");
    }
}

#[test]
fn a_target_that_looks_ahead_is_shouted_about_unless_the_split_is_by_time() {
    let (table, target) = looking_ahead(1);
    for method in [Method::Random, Method::Stratified, Method::Sklearn, Method::Group] {
        let spec = SplitSpec { test: 0.5, ..by(method) };
        let said = split(&table, &spec, Some(&target), &Ctx::quiet()).unwrap().notes;
        let expected =
            format!("a `{method}` split looks into the future: `up` is known 1 row later");
        assert!(said[0].starts_with(&expected), "{said:?}");
    }
    let whole = SplitSpec { test: 0.0, ..by(Method::Random) };
    let said = split(&table, &whole, Some(&target), &Ctx::quiet()).unwrap().notes;
    assert!(!said.iter().any(|said| said.contains("future")), "{said:?}");
    let said = split(&table, &by(Method::Time), Some(&target), &Ctx::quiet()).unwrap().notes;
    assert!(!said.iter().any(|said| said.contains("future")), "{said:?}");
}
