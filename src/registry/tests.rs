//! What is kept is read back as it was, and nothing else is believed.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::data::{Kind, Task};
use crate::features::reference::{ColumnReference, Reference, ScoreReference, Shape};
use crate::features::{Encoding, FittedRecipe, Input, Output, Source};
use crate::jobs::Sheet;
use crate::metrics::Estimate;
use crate::models::{Averages, Link, Model, Near, Predictor};
use crate::train::{Coefficient, Dataset, Experiment, Metrics, Point, Scores};

/// A run with something in every field.
pub(super) fn a_run() -> Run {
    let estimate = |v: f64| Estimate { value: Some(v), low: Some(v - 0.1), high: None };
    let metrics = |v: f64| Metrics::from([("roc_auc".into(), estimate(v))]);
    let scores = |n: u32| Scores {
        rows: (1..=n).collect(),
        truth: (0..n).map(|i| f64::from(i % 2)).collect(),
        score: (0..n).map(|i| 1.0 / (3.0 + f64::from(i))).collect(),
        ..Scores::default()
    };
    let coefficient = Coefficient {
        feature: "age".into(),
        column: "age".into(),
        value: 0.1 + 0.2,
        std_error: Some(1.0 / 3.0),
        note: Some("collinear".into()),
        ..Coefficient::default()
    };
    let predictor =
        Predictor::Linear { intercept: 1e-300, coefficients: vec![1.0 / 7.0], link: Link::Logit };
    let recipe = FittedRecipe {
        inputs: vec![Input {
            name: "age".into(),
            kind: Kind::Number,
            encoding: Encoding::Number,
            special: vec![],
            missing: 0.0,
            min: Some(19.0),
            max: Some(75.0),
            mean: Some(35.546),
            levels: vec![],
        }],
        outputs: vec![Output {
            name: "age".into(),
            column: "age".into(),
            source: Source::Number { fill: 33.0, low: None, high: None },
            offset: 35.546,
            scale: 11.37,
        }],
        ..FittedRecipe::default()
    };
    Run {
        id: RunId::default(),
        experiment: Experiment::default(),
        created: 1_700_000_000,
        dataset: Dataset { path: "a.csv".into(), rows: 9, columns: 2, sha256: "ab".into() },
        task: Task::Binary,
        split_rows: [6, 1, 2],
        train: metrics(0.154_465_311_346_968_42),
        valid: None,
        test: Some(metrics(0.7)),
        cv: Some(metrics(0.6)),
        folds: vec![BTreeMap::from([("roc_auc".into(), Some(0.65)), ("f1".into(), None)])],
        train_scores: scores(6),
        valid_scores: Some(Scores::default()),
        test_scores: Some(Scores { weight: Some(vec![1.0, 2.0]), ..scores(2) }),
        oof_scores: Some(Scores { fold: Some(vec![0, 1, 2, 3, 4, 0]), ..scores(6) }),
        threshold: 0.3,
        history: vec![Point { step: 0.0, loss: Some(0.693), ..Point::default() }],
        sheet: Sheet {
            headings: vec!["weights".into()],
            lines: vec![("conv 8x3".into(), vec![0.1 + 0.2])],
        },
        converged: true,
        iterations: 7,
        intercept: Some(coefficient.clone()),
        coefficients: vec![coefficient],
        no_inference: Some("a penalty".into()),
        notes: vec!["stopped early".into()],
        warnings: vec!["few rows".into()],
        fit_seconds: 0.012,
        model: Model {
            kind: "logistic".into(),
            task: Task::Binary,
            target: "risk".into(),
            classes: vec!["good".into(), "bad".into()],
            threshold: 0.3,
            recipe,
            sight: None,
            predictor,
            averages: Some(Averages {
                all: vec![0.1 + 0.2],
                n: 6,
                below: Some(Near { means: vec![1.0 / 3.0], n: 2, low: 0.1, high: 0.25 }),
                above: None,
                made: 1_700_000_000,
            }),
            reference: Some(Arc::new(Reference {
                columns: vec![
                    ColumnReference::of_numbers("age", vec![0.1 + 0.2, 1.0, f64::NAN, 7.0]),
                    ColumnReference::of_levels(
                        "job",
                        &["a".into(), "b".into()],
                        [0, 1].into_iter(),
                    ),
                ],
                scores: ScoreReference {
                    rows: "test".into(),
                    scores: vec![1.0 / 3.0],
                    truth: vec![1.0],
                },
                made: 1_700_000_000,
            })),
            protected: vec!["age".into()],
        },
    }
}

fn ids(registry: &Registry) -> Vec<String> {
    registry.list().unwrap().into_iter().map(|run| run.id.0).collect()
}

fn files_in(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_kept_is_read_back_bit_for_bit() {
    let dir = tempfile::tempdir().unwrap();
    for registry in [Registry::open(dir.path()).unwrap(), Registry::in_memory("no disk")] {
        let (run, summary) = registry.keep(a_run()).unwrap();
        assert_eq!(run.id.0, "r0001");
        assert_eq!(run, Run { id: run.id.clone(), ..a_run() });
        assert_eq!(registry.load(&run.id).unwrap(), run);
        assert_eq!(registry.list().unwrap(), [summary]);
        let loaded = registry.load_model(&run.id).unwrap();
        assert_eq!(loaded.model, run.model);
        assert_eq!((loaded.run, loaded.test), (run.id, run.test));
    }
    assert_eq!(
        files_in(&dir.path().join("runs/r0001")),
        ["experiment.toml", "model.karat", "run.json", "scores.safetensors"]
    );
    assert_eq!(files_in(&dir.path().join("runs")), ["r0001"], "nothing unfinished is left");
}

/// Edges, counts and sample of the first column.
fn numbers(reference: &mut Reference) -> (&mut Vec<f64>, &mut Vec<u64>, &mut Vec<f64>) {
    let Shape::Numbers { edges, counts, sample, .. } = &mut reference.columns[0].shape else {
        panic!("numbers")
    };
    (edges, counts, sample)
}

#[test]
fn a_reference_that_training_could_not_have_made_is_refused() {
    let check = |spoil: fn(&mut Reference)| {
        let mut run = a_run();
        let mut reference = Reference::clone(run.model.reference.as_ref().unwrap());
        spoil(&mut reference);
        let spoiled = format!("{reference:?}");
        run.model.reference = Some(Arc::new(reference));
        let read = parse_model(Path::new("m.karat"), &model_bytes(&run).unwrap());
        let text = read.err().map_or_else(String::new, |error| error.to_string());
        assert!(text.contains("its reference does not fit together"), "{spoiled}: {text}");
    };
    check(|own| *numbers(own).2 = vec![f64::NAN]);
    check(|own| *numbers(own).2 = vec![2.0, 1.0]);
    check(|own| numbers(own).2.clear());
    check(|own| *numbers(own).2 = vec![1.0; 5]);
    check(|own| {
        let (edges, counts, _) = numbers(own);
        (*edges, *counts) = (vec![f64::NAN], vec![3, 0]);
    });
    check(|own| numbers(own).1[0] += 1);
    check(|own| own.columns[0].missing = 5);
    check(|own| own.columns[1].n = u64::MAX);
    check(|own| {
        (own.columns[1].n, own.columns[1].missing) = (u64::MAX, u64::MAX - 2);
    });
    check(|own| own.scores.scores[0] = f64::NAN);
    check(|own| own.scores.truth.clear());
}

#[test]
fn several_classes_are_read_back_bit_for_bit() {
    let classes: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
    let scores = |n: u32| Scores {
        rows: (1..=n).collect(),
        truth: (0..n).map(|i| f64::from(i % 3)).collect(),
        score: (0..n).map(|i| f64::from(i % 2)).collect(),
        probability: (0..3 * n).map(|i| 1.0 / (3.0 + f64::from(i))).collect(),
        ..Scores::default()
    };
    let softmax = Predictor::Softmax {
        intercepts: vec![1.0 / 7.0, f64::NEG_INFINITY, -0.3],
        coefficients: vec![vec![0.1], vec![0.0], vec![-0.1]],
    };
    let registry = Registry::in_memory("a test");
    for predictor in [softmax, Predictor::Shares(vec![0.2, 0.3, 0.5])] {
        let run = a_run();
        let coefficient = Coefficient { class: Some("b".into()), ..run.coefficients[0].clone() };
        let model = Model {
            task: Task::Multiclass,
            classes: classes.clone(),
            predictor,
            ..run.model.clone()
        };
        let run = Run {
            task: Task::Multiclass,
            coefficients: vec![coefficient],
            train_scores: scores(6),
            test_scores: Some(scores(2)),
            oof_scores: None,
            model,
            ..run
        };
        let (kept, _) = registry.keep(run).unwrap();
        assert_eq!(registry.load(&kept.id).unwrap(), kept);
        assert_eq!(registry.load_model(&kept.id).unwrap().model, kept.model);
    }
}

#[test]
fn an_id_is_never_used_twice() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::open(dir.path()).unwrap();
    let (run, _) = registry.keep(a_run()).unwrap();
    registry.delete(&run.id).unwrap();
    assert!(registry.load(&run.id).is_err());
    assert_eq!(files_in(&dir.path().join("runs")), [""; 0]);
    let other = Registry::open(dir.path()).unwrap();
    assert_eq!(other.keep(a_run()).unwrap().0.id.0, "r0002");
    assert_eq!(registry.keep(a_run()).unwrap().0.id.0, "r0003");
    assert_eq!(ids(&registry), ["r0002", "r0003"]);
    assert_eq!(ids(&other), ["r0002", "r0003"]);
}

#[test]
fn two_threads_keep_runs_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Registry::open(dir.path()).unwrap();
    let keep = |registry: Registry| (0..3).for_each(|_| drop(registry.keep(a_run()).unwrap()));
    std::thread::scope(|scope| {
        scope.spawn(|| keep(open()));
        scope.spawn(|| keep(open()));
    });
    assert_eq!(ids(&open()), ["r0001", "r0002", "r0003", "r0004", "r0005", "r0006"]);
}

#[test]
fn an_id_is_found_in_its_short_forms_and_a_wrong_one_names_the_nearest() {
    let registry = Registry::in_memory("a test");
    let text = registry.find("r1").unwrap_err().to_string();
    assert!(text.contains("no run `r1`\nhint: there are none yet"), "{text}");
    registry.keep(a_run()).unwrap();
    for typed in ["r0001", "r1", "1", "0001"] {
        assert_eq!(registry.find(typed).unwrap().0, "r0001", "{typed}");
    }
    let text = registry.find("r001x").unwrap_err().to_string();
    assert!(text.contains("did you mean `r0001`?"), "{text}");
    assert!(registry.find("../runs/r0001").is_err(), "an id is no path");
}

#[test]
fn a_note_is_kept_beside_the_run() {
    let registry = Registry::in_memory("a test");
    let (run, _) = registry.keep(a_run()).unwrap();
    registry.note(&run.id, "the first good one").unwrap();
    assert_eq!(registry.list().unwrap()[0].note, "the first good one");
    assert_eq!(registry.load(&run.id).unwrap(), run, "the run itself never changes");
}

#[test]
fn runs_are_found_again_when_the_database_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::open(dir.path()).unwrap();
    let (_, first) = registry.keep(a_run()).unwrap();
    let (_, second) = registry.keep(a_run()).unwrap();
    drop(registry);
    for name in files_in(dir.path()).iter().filter(|name| name.starts_with(DATABASE)) {
        fs::remove_file(dir.path().join(name)).unwrap();
    }
    let registry = Registry::open(dir.path()).unwrap();
    assert_eq!(registry.list().unwrap(), [first, second]);
    assert_eq!(registry.keep(a_run()).unwrap().0.id.0, "r0003");
}

#[test]
fn a_run_whose_files_were_altered_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::open(dir.path()).unwrap();
    for file in ["experiment.toml", "model.karat", "run.json", "scores.safetensors"] {
        let (run, _) = registry.keep(a_run()).unwrap();
        let path = dir.path().join("runs").join(&run.id.0).join(file);
        let bytes = fs::read(&path).unwrap();
        files::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let text = registry.load(&run.id).unwrap_err().to_string();
        assert!(text.contains(file) && text.contains("is cut short or was altered"), "{text}");
    }
}

#[test]
#[cfg(unix)]
fn everything_belongs_to_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    fn check(path: &Path) {
        let about = fs::metadata(path).unwrap();
        let mode = about.permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
        if about.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                check(&entry.unwrap().path());
            }
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("project/.karat");
    let registry = Registry::open(&home).unwrap();
    registry.keep(a_run()).unwrap();
    registry.append_history("{}").unwrap();
    registry.save_session(&serde_json::json!({})).unwrap();
    check(&home);
}

#[test]
fn a_folder_that_cannot_be_written_is_said_and_worked_around() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    files::write(&file, b"1").unwrap();
    let (registry, notice) = Registry::open_or_memory(&file.join(".karat"));
    let notice = notice.unwrap();
    assert!(notice.contains("a part of the path is a file"), "{notice}");
    assert!(notice.contains("runs are kept in memory until karat ends"), "{notice}");
    assert!(registry.memory_reason().is_some());
    assert_eq!(registry.keep(a_run()).unwrap().0.id.0, "r0001");
    assert!(!Registry::exists(&file));
}

#[test]
fn session_and_history_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    for registry in [Registry::open(dir.path()).unwrap(), Registry::in_memory("a test")] {
        assert_eq!(registry.load_session(), None);
        let session = serde_json::json!({ "focus": 2 });
        registry.save_session(&session).unwrap();
        assert_eq!(registry.load_session(), Some(session));
        assert_eq!(registry.history().unwrap(), [""; 0]);
        registry.append_history("{\"line\":\"train\"}").unwrap();
        registry.append_history("{\"line\":\"undo\"}\n").unwrap();
        assert_eq!(registry.history().unwrap(), ["{\"line\":\"train\"}", "{\"line\":\"undo\"}"]);
    }
    files::write(&dir.path().join(HISTORY), b"{\"line\":\"tr").unwrap();
    files::write(&dir.path().join(SESSION), b"{\"foc").unwrap();
    let registry = Registry::open(dir.path()).unwrap();
    registry.append_history("{}").unwrap();
    assert_eq!(registry.history().unwrap(), ["{\"line\":\"tr", "{}"]);
    assert_eq!(registry.load_session(), None, "a damaged session is no session");
}

#[test]
fn a_model_file_says_what_is_wrong_with_it() {
    let good = model_file::bytes(&a_run()).unwrap();
    let check = |bytes: &[u8], expected: &str| {
        let text = model_file::parse(Path::new("m.karat"), bytes).unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
    };
    check(b"", "is not a model: it is empty");
    check(b"a,b\n1,2\n", "is not a model: its first bytes");
    check(&good[..good.len() - 1], "is cut short or was altered");
    check(&good[..20], "is cut short or was altered");
    check(&[&good[..], b"x"].concat(), "is cut short or was altered");
    let dir = tempfile::tempdir().unwrap();
    let text = load_model(dir.path()).unwrap_err().to_string();
    assert!(text.contains("it is a folder"), "{text}");
    let path = dir.path().join("m.karat");
    save_model(&a_run(), &path).unwrap();
    assert_eq!(load_model(&path).unwrap().model, a_run().model);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_mutated_model_file_is_refused(at: prop::sample::Index, flip in 1_u8..) {
        let mut bytes = model_file::bytes(&a_run()).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(model_file::parse(Path::new("m.karat"), &bytes).is_err());
    }

    #[test]
    fn a_forged_model_file_never_panics(
        at: prop::sample::Index,
        patch in prop::collection::vec(any::<u8>(), 1..8),
    ) {
        let mut bytes = model_file::bytes(&a_run()).unwrap();
        let at = at.index(bytes.len());
        let end = (at + patch.len()).min(bytes.len());
        bytes[at..end].copy_from_slice(&patch[..end - at]);
        model_file::reseal(&mut bytes);
        let _ = model_file::parse(Path::new("m.karat"), &bytes);
    }
}
