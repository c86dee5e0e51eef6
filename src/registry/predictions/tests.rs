//! What is kept of predictions, and what is not.

use serde_json::json;

use super::*;

fn prediction(id: &str, subject: Option<&str>) -> Prediction {
    Prediction {
        id: id.into(),
        at_ms: 1000,
        model: "credit".into(),
        version: 1,
        key: "k".into(),
        subject: subject.map(str::to_owned),
        score: 0.25,
        decision: "good".into(),
        columns: Arc::new(Columns {
            names: ["age", "name", "sex"].map(str::to_owned).to_vec(),
            policies: vec![ColumnPolicy::Keep, ColumnPolicy::Drop, ColumnPolicy::Hash],
        }),
        inputs: vec![
            LoggedValue::Number(30.5),
            LoggedValue::Text("Ann Smith".into()),
            LoggedValue::Text("f".into()),
        ],
    }
}

/// A log of the far future, so that nothing in it is too old.
fn options() -> LogOptions {
    LogOptions { days: 40_000, ..LogOptions::default() }
}

#[test]
fn columns_are_kept_hashed_or_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let log = PredictionLog::start(dir.path(), &options()).unwrap();
    assert!(log.offer(prediction("a", Some("customer 7"))));
    log.flush();
    assert_eq!(log.counts(), (1, 0));
    let rows = log.between("credit", None, [0, i64::MAX], 10).unwrap();
    let inputs = rows[0].inputs.as_object().unwrap();
    assert_eq!(inputs["age"], json!(30.5));
    assert!(!inputs.contains_key("name"));
    assert_eq!(inputs["sex"].as_str().unwrap().len(), 32);
    let raw = std::fs::read(dir.path().join(NAME)).unwrap_or_default();
    let wal = std::fs::read(dir.path().join("predictions.db-wal")).unwrap_or_default();
    for word in ["Ann Smith", "customer 7"] {
        let has = |bytes: &[u8]| bytes.windows(word.len()).any(|own| own == word.as_bytes());
        assert!(!has(&raw) && !has(&wal), "`{word}` is on disk");
    }
}

#[test]
fn sealed_rows_are_read_back_and_nobody_else_can_read_them() {
    let dir = tempfile::tempdir().unwrap();
    let log =
        PredictionLog::start(dir.path(), &LogOptions { encrypt: true, ..options() }).unwrap();
    log.offer(prediction("a", None));
    log.flush();
    let rows = log.between("credit", Some(1), [0, i64::MAX], 10).unwrap();
    assert_eq!(rows[0].inputs["age"], json!(30.5));
    let bytes = std::fs::read(dir.path().join(NAME)).unwrap();
    let wal = std::fs::read(dir.path().join("predictions.db-wal")).unwrap_or_default();
    assert!(!bytes.windows(4).chain(wal.windows(4)).any(|own| own == b"30.5"));
    std::fs::remove_file(dir.path().join("predictions.key")).unwrap();
    let other = PredictionLog::open(dir.path()).unwrap();
    let rows = other.between("credit", Some(1), [0, i64::MAX], 10).unwrap();
    assert_eq!(rows[0].inputs, json!(null), "with another key nothing can be read");
}

#[test]
fn a_label_counts_once_whenever_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let log = PredictionLog::start(dir.path(), &options()).unwrap();
    assert_eq!(log.label("a", "bad", 5).unwrap(), Recorded::New, "before its prediction");
    log.offer(prediction("a", None));
    log.offer(prediction("b", None));
    log.flush();
    assert_eq!(log.label("a", "bad", 9).unwrap(), Recorded::Same);
    assert_eq!(log.label("a", "good", 9).unwrap(), Recorded::Conflict);
    let labelled = log.labelled("credit", 1, 10).unwrap();
    assert_eq!(labelled, [Labelled { at_ms: 1000, score: 0.25, label: "bad".into() }]);
    assert_eq!(log.made_by("b").unwrap(), Some(("credit".into(), 1)));
}

#[test]
fn a_subject_can_be_erased_and_old_rows_go() {
    let dir = tempfile::tempdir().unwrap();
    let log = PredictionLog::start(dir.path(), &options()).unwrap();
    for (id, subject) in [("a", "x"), ("b", "y"), ("c", "x")] {
        log.offer(prediction(id, Some(subject)));
        log.label(id, "bad", 1).unwrap();
    }
    log.flush();
    assert_eq!(log.erase("x").unwrap(), 2);
    assert_eq!(log.size().unwrap(), (1, 1));
    assert_eq!(log.purge(2000).unwrap(), 1);
    assert_eq!(log.size().unwrap(), (0, 0));
}

#[test]
fn what_does_not_fit_is_counted_and_nobody_waits() {
    let dir = tempfile::tempdir().unwrap();
    let log = PredictionLog::start(dir.path(), &LogOptions { queue: 4, ..options() }).unwrap();
    let taken = (0..2000).filter(|i| log.offer(prediction(&i.to_string(), None))).count();
    log.flush();
    let (written, dropped) = log.counts();
    assert_eq!((written as usize, dropped as usize), (taken, 2000 - taken));
    assert!(dropped > 0);
}
