use super::*;
use crate::data::testing::{sample, table};
use crate::data::{Personal, Task};

fn german() -> (Table, Target) {
    let target =
        Target { name: "credit_risk".into(), positive: Some("bad".into()), task: Task::Binary };
    (sample("german_credit.csv"), target)
}

fn of(profiles: &[ColumnProfile], name: &str) -> ColumnProfile {
    profiles.iter().find(|p| p.name == name).unwrap().clone()
}

#[track_caller]
fn close(got: Option<f64>, expected: f64, tolerance: f64) {
    let got = got.expect("defined");
    assert!((got - expected).abs() <= tolerance, "{got} is not {expected}");
}

#[test]
fn information_values_of_german_credit_are_the_published_ones() {
    let (table, target) = german();
    let profiles = profile(&table, Some(&target), None, &Ctx::quiet()).unwrap();
    for (name, iv) in [
        ("checking_status", 0.666_011_503_4),
        ("credit_history", 0.293_233_547_4),
        ("savings_status", 0.196_009_556_9),
        ("purpose", 0.169_195_065_7),
        ("property", 0.112_638_262_4),
        ("employment_since", 0.086_433_631_0),
        ("housing", 0.083_293_433_6),
        ("other_installment_plans", 0.057_614_542_0),
        ("personal_status_sex", 0.044_670_677_6),
        ("foreign_worker", 0.043_877_412_0),
        ("other_debtors", 0.032_019_322_0),
        ("job", 0.008_762_765_7),
        ("telephone", 0.006_377_605_0),
        // A number of four values, by value.
        ("installment_rate_pct", 0.026_322_090_05),
    ] {
        close(of(&profiles, name).relation.unwrap().iv, iv, 5e-11);
    }
    assert_eq!(of(&profiles, "credit_risk").relation, None);
}

#[test]
fn columns_are_scored_as_scikit_learn_scores_them() {
    // roc_auc_score(credit_risk == "bad", column); levels by (bads + 20 * 0.3) / (n + 20)
    let (table, target) = german();
    let profiles = profile(&table, Some(&target), None, &Ctx::quiet()).unwrap();
    for (name, auc, rises) in [
        ("duration_months", 0.628_592_857_142_857_2, Some(true)),
        ("credit_amount", 0.554_857_142_857_142_9, Some(true)),
        ("age_years", 1.0 - 0.429_366_666_666_666_7, Some(false)),
        ("checking_status", 0.707_769_047_619_047_7, None),
    ] {
        let relation = of(&profiles, name).relation.unwrap();
        close(relation.auc, auc, 1e-12);
        assert_eq!((relation.rises, relation.rows, relation.training), (rises, 1000, false));
    }
    let status = of(&profiles, "checking_status").relation.unwrap();
    let rates: Vec<_> = status.bad_rates.iter().map(|b| (b.label.as_str(), b.n, b.bads)).collect();
    assert_eq!(
        rates,
        [
            ("0 <= ... < 200 DM", 269, Some(105)),
            ("< 0 DM", 274, Some(135)),
            (">= 200 DM / salary assignments for at least 1 year", 63, Some(14)),
            ("no checking account", 394, Some(46)),
        ]
    );
}

#[test]
fn moments_and_quantiles_are_those_of_pandas() {
    let (table, _) = german();
    let amount = profile_column(&table, "credit_amount", None, None).unwrap();
    close(amount.mean, 3271.258, 1e-9);
    close(amount.sd, 2_822.736_875_960_440_6, 1e-8);
    close(amount.skew, 1.946_702_018_941_924, 1e-12);
    let expected = [425.83, 708.95, 1365.5, 2319.5, 3972.25, 9162.7, 14180.39];
    for (got, expected) in amount.quantiles.unwrap().into_iter().zip(expected) {
        close(Some(got), expected, 1e-9);
    }
    assert_eq!((amount.min, amount.max, amount.missing), (Some(250.0), Some(18_424.0), 0));
    assert_eq!(amount.histogram.len(), 12);
    assert_eq!(amount.histogram.iter().sum::<u32>(), 1000);
    assert_eq!(amount.labels.len(), 12);
    assert!(amount.labels[11].ends_with("18,424"), "{:?}", amount.labels);
    assert_eq!((amount.distinct, amount.sampled), (921, None));
}

#[test]
fn bars_of_whole_numbers_hold_equally_many_of_them() {
    let values = (0..200).map(|i| format!("{}\n", i % 20)).collect::<Vec<_>>().concat();
    let profile = profile_column(&table(&format!("x\n{values}")), "x", None, None).unwrap();
    assert_eq!(profile.histogram, [20; 10]);
    assert_eq!(profile.labels[..2], ["0 – 1", "2 – 3"]);
}

#[test]
fn missing_values_are_counted_with_the_special_codes() {
    let mut table = table("x,c\n1,a\n-999,NA!\n,a\n3,\n3,b\n");
    table.columns[0].special = vec!["-999".into()];
    table.columns[1].special = vec!["NA!".into()];
    let [x, c] = profile(&table, None, None, &Ctx::quiet()).unwrap().try_into().unwrap();
    assert_eq!((x.missing, x.distinct, x.min, x.zeros), (2, 2, Some(1.0), 0));
    assert_eq!(x.top, [("3".to_owned(), 2)]);
    assert_eq!((c.missing, c.distinct), (2, 2));
    assert_eq!((c.top, c.histogram), (vec![("a".to_owned(), 2)], vec![2, 1]));
    assert_eq!(c.labels, ["a", "b"]);
}

#[test]
fn missing_values_have_a_bin_of_their_own() {
    let table = table("x,c,y\n1,a,bad\n,,bad\n2,b,good\n3,b,good\n");
    let target = Target { name: "y".into(), positive: Some("bad".into()), task: Task::Binary };
    for name in ["x", "c"] {
        let profile = profile_column(&table, name, Some(&target), None).unwrap();
        let bin = profile.relation.unwrap().bad_rates.pop().unwrap();
        let missing = Bin { label: "missing".into(), n: 1, bads: Some(1), rate: Some(1.0) };
        assert_eq!(bin, missing, "{name}");
    }
}

#[test]
fn personal_values_are_not_shown() {
    let mut table = table("who,y\nAnna,1\nAnna,2\n,3\n");
    table.columns[0].personal = Some(Personal::Name);
    let target = Target { name: "y".into(), positive: None, task: Task::Regression };
    let who = profile_column(&table, "who", Some(&target), None).unwrap();
    assert_eq!((who.missing, who.distinct), (1, 1));
    assert!(who.top.is_empty() && who.labels.is_empty() && who.relation.is_none());
}

#[test]
fn training_rows_alone_decide_once_there_is_a_split() {
    let (table, target) = german();
    let rows: Vec<u32> = (0..1000).filter(|i| i % 5 != 4).collect();
    let before = profile_column(&table, "duration_months", Some(&target), Some(&rows)).unwrap();
    let relation = before.relation.clone().unwrap();
    assert_eq!((relation.rows, relation.training), (800, true));
    // A test row that is changed leaves the relation as it is.
    let mut changed = table.take(&(0..1000).collect::<Vec<_>>()).unwrap();
    let mut target_rows: Vec<u32> = (0..1000).collect();
    target_rows.swap(4, 9);
    changed.frame = changed.take(&target_rows).unwrap().frame;
    let after = profile_column(&changed, "duration_months", Some(&target), Some(&rows)).unwrap();
    assert_eq!(after.relation.unwrap(), relation);
}

#[test]
fn numbers_and_classes_have_each_their_measure() {
    // D.bmi.corr(D.target); the root of between over total sum of squares of target by sex
    let diabetes = sample("diabetes.csv");
    let mut target = Target { name: "target".into(), positive: None, task: Task::Regression };
    let bmi = profile_column(&diabetes, "bmi", Some(&target), None).unwrap().relation.unwrap();
    assert_eq!((bmi.measure, bmi.rises, bmi.iv), (Measure::Pearson, Some(true), None));
    close(bmi.correlation, 0.586_450_134_474_688_4, 1e-12);
    let mut by_sex = diabetes;
    by_sex.columns[1].kind = Kind::Category;
    let sex = profile_column(&by_sex, "sex", Some(&target), None).unwrap().relation.unwrap();
    assert_eq!(sex.measure, Measure::Eta);
    close(sex.correlation, 0.043_061_998_451_605_24, 1e-12);
    // Bergsma's correction of scipy.stats.chi2_contingency(crosstab(housing, job))
    let (german, _) = german();
    target = Target { name: "job".into(), positive: None, task: Task::Multiclass };
    let housing = profile_column(&german, "housing", Some(&target), None).unwrap();
    close(housing.relation.unwrap().correlation, 0.115_020_674_934_554_34, 1e-12);
}

#[test]
fn codes_for_missing_values_stand_out() {
    let check = |values: &[f64], expected: &[&str]| {
        let lines = values.iter().map(|v| format!("{v}\n")).collect::<Vec<_>>().concat();
        let profile = profile_column(&table(&format!("x\n{lines}")), "x", None, None).unwrap();
        let codes: Vec<&str> = profile.codes.iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!(codes, expected, "{values:?}");
    };
    check(&[1.0, 2.0, 3.0, 4.0, 5.0, -999.0, -999.0], &["-999"]);
    check(&[0.0, 2.0, 3.0, 4.0, 5.0, -1.0, -1.0], &["-1"]);
    check(&[1.5, 2.0, 3.0, 4.0, 5.0, -1.0], &[]);
    check(&[-2.0, 2.0, 3.0, 4.0, 5.0, -1.0, -1.0], &[]);
    check(&[-1.0, 1.0, -1.0, 1.0], &[]);
    check(&[1.0, 2.0, 3.0, 998.0, 998.0, 999.0, 999.0, 999.0], &["998", "999"]);
    check(&[97.0, 96.0, 95.0, 60.0, 50.0, 99.0, 99.0], &[]);
    check(&[40.0, 38.5, 37.0, 99_999_999.0, 99_999_999.0], &["99999999"]);
    let pdays = profile_column(&sample("bank_marketing.csv"), "pdays", None, None).unwrap();
    assert_eq!(pdays.codes, [("-1".to_owned(), 3705)]);
}

#[test]
fn far_out_numbers_are_counted() {
    let amount = profile_column(&sample("credit_missing.csv"), "Amount", None, None).unwrap();
    assert_eq!(amount.outliers.unwrap().n, 11);
}

#[test]
fn many_levels_share_the_last_bar_and_bin() {
    let lines =
        (0..200).map(|i| format!("l{:02},{}\n", i % 40, i % 2)).collect::<Vec<_>>().concat();
    let table = table(&format!("c,y\n{lines}"));
    let target = Target { name: "y".into(), positive: Some("1".into()), task: Task::Binary };
    let profile = profile_column(&table, "c", Some(&target), None).unwrap();
    assert_eq!((profile.distinct, profile.histogram.len()), (40, 12));
    assert_eq!((profile.histogram[11], profile.labels[11].as_str()), (145, "29 others"));
    let bins = profile.relation.unwrap().bad_rates;
    assert_eq!((bins.len(), bins.iter().map(|b| b.n).sum::<usize>()), (30, 200));
    assert_eq!(bins.iter().filter_map(|b| b.bads).sum::<usize>(), 100);
}

#[test]
fn empty_and_constant_columns_are_no_trouble() {
    let csv = "x,c,k,y\n,,5,1\n,,5,0\n,,5,1\n";
    let target = Target { name: "y".into(), positive: Some("1".into()), task: Task::Binary };
    for task in Task::ALL {
        let target = Target { task: *task, ..target.clone() };
        let profiles = profile(&table(csv), Some(&target), None, &Ctx::quiet()).unwrap();
        let [x, c, k, _] = profiles.try_into().unwrap();
        assert_eq!((x.missing, c.missing, k.distinct), (3, 3, 1));
        assert_eq!((x.mean, k.mean, k.sd, k.skew), (None, Some(5.0), Some(0.0), None));
        assert_eq!(x.relation.unwrap().correlation, None);
        assert_eq!(k.histogram, [3]);
    }
    assert!(profile(&table("x\n"), None, None, &Ctx::quiet()).unwrap()[0].top.is_empty());
}

#[test]
fn a_profile_can_be_cancelled() {
    let ctx = Ctx::quiet();
    ctx.cancel_token().cancel();
    assert!(matches!(profile(&german().0, None, None, &ctx), Err(Error::Cancelled(_))));
}
