//! The promise of the whole: few alarms when nothing has changed, and one soon when something has.

use proptest::prelude::*;

use super::*;
use crate::features::reference::{
    ColumnCount, ColumnReference, Reference, ScoreReference, WindowCounts,
};
use crate::metrics::Family;
use crate::rng::{Rng, Seed, stream};

const NUMBERS: usize = 20;
const LEVELS: usize = 4;
const ROWS: usize = 1_000;

/// A world with twenty numbers, some of them whole or skewed, and four columns of levels.
#[derive(Clone, Copy)]
struct World {
    shift: f64,
    missing: f64,
    /// By how much the chance of an event differs from what the model thinks.
    concept: f64,
}

const SAME: World = World { shift: 0.0, missing: 0.02, concept: 0.0 };

struct Rows {
    numbers: Vec<Vec<f64>>,
    levels: Vec<Vec<u32>>,
    scores: Vec<f64>,
    truth: Vec<f64>,
}

fn draw(world: World, n: usize, rng: &mut Rng) -> Rows {
    let mut rows = Rows {
        numbers: vec![vec![]; NUMBERS],
        levels: vec![vec![]; LEVELS],
        scores: vec![],
        truth: vec![],
    };
    for _ in 0..n {
        for (k, column) in rows.numbers.iter_mut().enumerate() {
            let z = rng.normal();
            let value = match k % 4 {
                _ if k == 0 => z + world.shift,
                1 => z.exp(),
                2 => (3.0 * z).round(),
                _ => z,
            };
            column.push(if k == 4 && rng.uniform() < world.missing { f64::NAN } else { value });
        }
        for (k, column) in rows.levels.iter_mut().enumerate() {
            // Many levels, most of them rare.
            let most = [2.0, 6.0, 30.0, 300.0][k];
            column.push((most * rng.uniform().powi(3)) as u32);
        }
        let last = rows.numbers[0].len() - 1;
        let odds = rows.numbers[0][last] + rows.numbers[3][last] - 0.5;
        let p = 1.0 / (1.0 + (-odds).exp());
        rows.scores.push(p);
        rows.truth.push(f64::from(u8::from(rng.uniform() < p + world.concept * (0.5 - p))));
    }
    rows
}

fn names() -> Vec<String> {
    (0..300).map(|level| format!("level {level}")).collect()
}

fn watch(n: usize, seed: u64) -> (Watch, Reference) {
    let rows = draw(SAME, n, &mut stream(Seed(seed), "reference"));
    let numbers = rows.numbers.into_iter().enumerate();
    let mut columns: Vec<ColumnReference> =
        numbers.map(|(k, values)| ColumnReference::of_numbers(&format!("x{k}"), values)).collect();
    for (k, codes) in rows.levels.into_iter().enumerate() {
        columns.push(ColumnReference::of_levels(&format!("l{k}"), &names(), codes.into_iter()));
    }
    let rest = draw(SAME, 2_000, &mut stream(Seed(seed), "test"));
    let scores = ScoreReference { rows: "test".into(), scores: rest.scores, truth: rest.truth };
    let reference = Reference { columns, scores, made: 0 };
    let watch = Watch::new(reference.clone(), Family::Binary, 0.5, Policy::default(), Seed(1));
    (watch, reference)
}

fn look(watch: &mut Watch, reference: &Reference, world: World, rng: &mut Rng) -> WindowReport {
    let rows = draw(world, ROWS, rng);
    let names = names();
    let mut columns = Vec::new();
    for (k, column) in reference.columns.iter().enumerate() {
        let mut count = ColumnCount::new(column, Seed(1));
        if k < NUMBERS {
            rows.numbers[k].iter().for_each(|value| count.add_number(*value));
        } else {
            let codes = &rows.levels[k - NUMBERS];
            for code in codes {
                count.add_level(Some(&names[*code as usize]));
            }
        }
        columns.push(count.window());
    }
    let counts = WindowCounts { n: ROWS as u64, columns, scores: rows.scores.clone() };
    let outcomes = Some(Outcomes { scores: &rows.scores, truth: &rows.truth });
    watch.look(&Window { from_ms: 0, to_ms: 1, counts: &counts, outcomes })
}

fn is_drift(alarm: &Alarm) -> bool {
    !matches!(alarm.kind, AlarmKind::Estimated | AlarmKind::Realised)
}

#[test]
fn unchanged_windows_seldom_raise_an_alarm() {
    let (mut watch, reference) = watch(5_000, 11);
    let mut rng = stream(Seed(12), "windows");
    let (mut any, mut drift) = (0, 0);
    let mut n_windows = 0;
    for _ in 0..WINDOWS {
        let report = look(&mut watch, &reference, SAME, &mut rng);
        n_windows += 1;
        drift += usize::from(report.alarms.iter().any(is_drift));
        any += usize::from(!report.alarms.is_empty());
    }
    // One in a hundred is allowed, and two more.
    assert!(any * 100 <= 3 * n_windows, "{any} of {n_windows}, {drift} of them drift");
}

/// As many as fit into the time of a unit test.
const WINDOWS: usize = 200;

#[test]
fn without_asking_for_size_the_rate_still_holds() {
    // A thousand rows leave many of the 300 levels unseen or seen only once.
    for n in [1_000, 5_000] {
        let (_, reference) = watch(n, 11);
        let policy = Policy { demand: Demand::Significant, least_rate: 0.0, ..Policy::default() };
        let mut watch = Watch::new(reference.clone(), Family::Binary, 0.5, policy, Seed(1));
        let mut rng = stream(Seed(13), "windows");
        let raises = |_: &usize| {
            let report = look(&mut watch, &reference, SAME, &mut rng);
            report.alarms.iter().any(is_drift)
        };
        let alarms = (0..WINDOWS / 2).filter(raises).count();
        assert!(alarms * 100 <= 3 * WINDOWS / 2, "{alarms} for {n} rows");
    }
}

#[test]
fn a_shift_of_a_third_of_a_deviation_is_noticed_in_two_windows() {
    let mut noticed = 0;
    for seed in 0..10 {
        let (mut watch, reference) = watch(2_000, seed);
        let mut rng = stream(Seed(seed), "shifted");
        let world = World { shift: 0.3, ..SAME };
        let any = (0..2).any(|_| {
            let report = look(&mut watch, &reference, world, &mut rng);
            report
                .alarms
                .iter()
                .any(|alarm| alarm.subject == "x0" && alarm.kind == AlarmKind::Drift)
        });
        noticed += usize::from(any);
    }
    assert_eq!(noticed, 10);
}

#[test]
fn missing_values_and_a_changed_concept_are_told_apart() {
    let (mut watch, reference) = watch(3_000, 21);
    let mut rng = stream(Seed(22), "changed");
    let report =
        look(&mut watch, &reference, World { missing: 0.2, concept: 0.8, ..SAME }, &mut rng);
    let told = |kind| report.alarms.iter().any(|alarm| alarm.kind == kind);
    assert!(told(AlarmKind::Missing) && told(AlarmKind::Realised), "{:?}", report.alarms);
    // What only the truth can tell, the estimate cannot see.
    assert!(!told(AlarmKind::Estimated) && !told(AlarmKind::Drift), "{:?}", report.alarms);
    assert!(report.estimate_limits.is_some());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["columns"].as_array().unwrap().len(), NUMBERS + LEVELS);
}

#[test]
fn a_window_without_rows_raises_nothing() {
    let (mut watch, reference) = watch(1_500, 31);
    let columns = reference.columns.iter().map(|own| ColumnCount::new(own, Seed(1)).window());
    let counts = WindowCounts { columns: columns.collect(), ..WindowCounts::default() };
    let window = Window { from_ms: 0, to_ms: 1, counts: &counts, outcomes: None };
    let report = watch.look(&window);
    assert!(report.alarms.is_empty() && report.score.is_none() && report.estimated.is_empty());
}

#[test]
fn distances_are_told_with_how_far_they_scatter_without_drift() {
    let (mut watch, reference) = watch(1_500, 31);
    let mut rng = stream(Seed(32), "windows");
    let report = look(&mut watch, &reference, SAME, &mut rng);
    for column in report.columns.iter().chain(&report.score) {
        let (value, limits) = column.value.zip(column.limits).unwrap();
        // Three standard deviations are seldom passed, and half as much again by none.
        assert!(value < 1.5 * limits.high, "{}: {value} and {limits:?}", column.name);
    }
    let report = look(&mut watch, &reference, World { shift: 0.5, ..SAME }, &mut rng);
    let shifted = &report.columns[0];
    assert!(shifted.limits.unwrap().high < shifted.value.unwrap(), "{shifted:?}");
}

#[test]
fn classes_are_counted_and_not_measured_by_their_index() {
    let mut rng = stream(Seed(51), "classes");
    // In the second mix the middle class gives as much to the one before as to the one behind.
    let mut draw = |n: usize, mix: [f64; 2]| -> Vec<f64> {
        let class = |u: f64| f64::from(u8::from(u > mix[0]) + u8::from(u > mix[1]));
        (0..n).map(|_| class(rng.uniform())).collect()
    };
    let scores = draw(3_000, [0.3, 0.7]);
    let scores = ScoreReference { rows: "test".into(), truth: scores.clone(), scores };
    let reference = Reference { columns: vec![], scores, made: 0 };
    let classes = ["low", "middle", "high"].map(str::to_owned);
    let mut watch = Watch::new(reference, Family::Classes, 0.5, Policy::default(), Seed(1))
        .with_classes(&classes);
    let mut report = |scores: Vec<f64>| {
        let counts = WindowCounts { n: 600, columns: vec![], scores };
        watch.look(&Window { from_ms: 0, to_ms: 1, counts: &counts, outcomes: None })
    };
    let same = report(draw(600, [0.3, 0.7]));
    assert_eq!(same.alarms, []);
    let score = same.score.unwrap();
    assert_eq!((score.bin_names, score.wasserstein, score.ks), (classes.to_vec(), None, None));
    let mixed = report(draw(600, [0.5, 0.5]));
    assert_eq!(mixed.alarms[0].kind, AlarmKind::ScoreDrift);
    let of_others = report([7.0, 2.0, f64::NAN].repeat(200)).score.unwrap();
    assert_eq!(of_others.bin_names.last().map(String::as_str), Some("unseen"));
}

#[test]
fn a_regression_that_errs_more_is_noticed_with_the_truth_and_by_where_it_predicts() {
    let mut rng = stream(Seed(41), "regression");
    let mut draw = |n: usize, from: f64, noise: f64| -> (Vec<f64>, Vec<f64>) {
        let scores: Vec<f64> = (0..n).map(|_| from + (10.0 - from) * rng.uniform()).collect();
        let truth = scores.iter().map(|score| score + noise * score * rng.normal()).collect();
        (scores, truth)
    };
    let (scores, truth) = draw(3_000, 0.0, 1.0);
    let scores = ScoreReference { rows: "test".into(), scores, truth };
    let reference = Reference { columns: vec![], scores, made: 0 };
    let mut watch = Watch::new(reference, Family::Regression, 0.5, Policy::default(), Seed(1));
    let mut kinds = |from, noise| -> Vec<AlarmKind> {
        let (scores, truth) = draw(600, from, noise);
        let counts = WindowCounts { n: 600, columns: vec![], scores: scores.clone() };
        let outcomes = Some(Outcomes { scores: &scores, truth: &truth });
        let report = watch.look(&Window { from_ms: 0, to_ms: 1, counts: &counts, outcomes });
        report.alarms.iter().map(|alarm| alarm.kind).collect()
    };
    assert_eq!(kinds(0.0, 1.0), []);
    let worse = kinds(0.0, 2.0);
    assert!(worse.contains(&AlarmKind::Realised) && !worse.contains(&AlarmKind::Estimated));
    let elsewhere = kinds(6.0, 1.0);
    assert!(
        elsewhere.contains(&AlarmKind::Estimated) && elsewhere.contains(&AlarmKind::ScoreDrift)
    );
}

proptest! {
    #[test]
    fn of_any_window_there_is_a_report(
        values in prop::collection::vec(prop_oneof![any::<f64>(), -3.0..3.0, Just(1.0)], 0..12),
        known in prop::collection::vec(any::<f64>(), 0..12),
    ) {
        let columns = vec![
            ColumnReference::of_numbers("x", known.clone()),
            ColumnReference::of_levels("l", &names()[..2], [0, 1, u32::MAX].into_iter()),
        ];
        let truth: Vec<f64> = (0..known.len()).map(|k| (k % 2) as f64).collect();
        let scores = ScoreReference { rows: "test".into(), scores: vec![0.5; known.len()], truth };
        let mut counts = WindowCounts { n: values.len() as u64, ..WindowCounts::default() };
        for column in &columns {
            let mut count = ColumnCount::new(column, Seed(1));
            for value in &values {
                count.add_number(*value);
                count.add_level(Some("level 1"));
            }
            counts.columns.push(count.window());
        }
        counts.scores.clone_from(&values);
        let reference = Reference { columns, scores, made: 0 };
        for family in [Family::Binary, Family::Regression, Family::Classes] {
            let mut watch = Watch::new(reference.clone(), family, 0.5, Policy::default(), Seed(1));
            let outcomes = Some(Outcomes { scores: &values, truth: &values });
            let window = Window { from_ms: 0, to_ms: 1, counts: &counts, outcomes };
            let report = watch.look(&window);
            prop_assert_eq!(report.columns.len(), 2);
        }
    }
}
