//! The prediction log: what is kept, what is left out, and what it costs.

use serde_json::json;

use super::*;

fn spawn(name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    crate::jobs::service(name, work).map(drop)
}

fn start(dir: &Path, options: LogOptions) -> PredictionLog {
    PredictionLog::start(dir, &options, spawn).unwrap()
}

fn columns() -> Arc<Columns> {
    let policy: LogPolicy = serde_json::from_value(json!({
        "columns": { "name": "drop", "branch": "hash" }
    }))
    .unwrap();
    Arc::new(policy.columns(&["age", "name", "branch", "city"].map(str::to_owned)))
}

fn prediction(n: i64) -> Prediction {
    Prediction {
        id: format!("id-{n:09}"),
        at_ms: n,
        model: "pd".into(),
        version: 1,
        alias: Some("champion".into()),
        key: "0123456789".into(),
        subject: Some(format!("customer {}", n % 3)),
        shadow_of: None,
        micros: 40,
        score: 0.25,
        decision: "good".into(),
        columns: columns(),
        inputs: vec![
            LoggedValue::Number(41.5),
            LoggedValue::Text("Ann Smith".into()),
            LoggedValue::Text("north".into()),
            LoggedValue::Missing,
        ],
    }
}

fn offer(log: &PredictionLog, own: Prediction) -> bool {
    log.offer(1, move |batch| batch.push(own))
}

#[test]
fn a_row_is_kept_as_the_policy_says() {
    let dir = tempfile::tempdir().unwrap();
    for encrypt in [false, true] {
        let log = start(dir.path(), LogOptions { encrypt, days: 100_000, ..Default::default() });
        let n = i64::from(encrypt);
        assert!(offer(&log, prediction(n)));
        log.flush();
        let row = log.prediction(&prediction(n).id).unwrap().unwrap();
        assert_eq!(
            row.inputs.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["age", "branch", "city"]
        );
        assert_eq!((&row.inputs["age"], &row.inputs["city"]), (&json!(41.5), &json!(null)));
        assert_eq!(row.inputs["branch"].as_str().unwrap().len(), 64);
        assert_eq!((row.score, &row.decision as &str), (Some(0.25), "good"));
        assert_eq!(row.subject, Some(log.subject(&format!("customer {n}"))));
        assert_eq!(log.made_by(&row.id).unwrap(), Some(("pd".into(), 1)));
    }
    drop(PredictionLog::open(dir.path(), false).unwrap());
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in ["Ann Smith", "north", "customer"] {
            assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret}");
        }
    }
}

#[test]
fn packed_values_say_what_json_says() {
    use ColumnPolicy::{Drop, Hash, Keep};
    let dir = tempfile::tempdir().unwrap();
    let log = PredictionLog::open(dir.path(), false).unwrap();
    let numbers = [0.1, -0.0, 1e300, f64::NAN].map(LoggedValue::Number);
    let others = ["", "é \"\n", "{"].map(|text| LoggedValue::Text(text.into()));
    let truths = [true, false].map(LoggedValue::Truth);
    let all = numbers.into_iter().chain(others).chain(truths).chain([LoggedValue::Missing]);
    for value in all {
        for policies in [[Keep, Keep], [Hash, Keep], [Drop, Keep], [Keep, Drop], [Drop, Drop]] {
            let names = ["a \"name\"", "b"].map(str::to_owned).to_vec();
            let columns = Columns { names, policies: policies.to_vec() };
            let values = [value.clone(), LoggedValue::Number(2.0)];
            let kept = policy::Kept { columns: &columns, values: &values, seal: &log.seal };
            let packed = packed::unpack(&packed::names(&columns), &packed::pack(&kept));
            assert_eq!(packed, serde_json::to_value(&kept).unwrap(), "{value:?} {policies:?}");
        }
    }
}

#[test]
fn a_writer_that_gives_way_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = start(dir.path(), LogOptions { days: 100_000, ..Default::default() });
    log.give_way();
    assert!((0..600).all(|n| offer(&log, prediction(n))));
    log.flush();
    assert_eq!(log.counts(), LogCounts { written: 600, ..Default::default() });
}

#[test]
fn a_log_of_the_second_layout_is_read_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    drop(start(dir.path(), LogOptions { days: 100_000, ..Default::default() }));
    {
        let old = connect(&dir.path().join(NAME)).unwrap();
        let back = "ALTER TABLE predictions DROP COLUMN columns; DROP TABLE column_sets; \
                    PRAGMA user_version = 2;";
        old.execute_batch(back).unwrap();
        let sql = "INSERT INTO predictions VALUES ('a', 1, 'pd', 1, NULL, 'k', NULL, NULL, 4, 0.5, \
                   'bad', CAST('{\"age\":41.5,\"city\":null}' AS BLOB), 0)";
        old.execute(sql, []).unwrap();
    }
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| drop(PredictionLog::open(dir.path(), false).unwrap()));
        }
    });
    let log = start(dir.path(), LogOptions { days: 100_000, ..Default::default() });
    assert!(offer(&log, prediction(2)));
    log.flush();
    let rows = log.window("pd", None, [0, 10], 10).unwrap();
    assert_eq!(rows[0].inputs, json!({ "age": 41.5, "city": null }));
    assert_eq!((&rows[1].inputs["age"], rows.len()), (&json!(41.5), 2));
    drop(log);
    // What is sealed later says the same.
    let log = start(dir.path(), LogOptions { days: 100_000, encrypt: true, ..Default::default() });
    let sealed = |log: &PredictionLog| {
        let sql = "SELECT count(*) FROM predictions WHERE sealed = 1 AND columns IS NULL";
        log.run(|connection| connection.query_row(sql, [], |row| row.get::<_, u32>(0))).unwrap()
    };
    log.flush();
    let (mut connection, seal) = (connect(&log.path).unwrap(), log.seal.clone());
    let mut rest = sealing::Rest::Predictions(String::new());
    while !matches!(rest, sealing::Rest::Nothing) {
        rest.seal_part(&mut connection, &seal).unwrap();
    }
    assert_eq!(sealed(&log), 2);
    let again = log.window("pd", None, [0, 10], 10).unwrap();
    assert!(rows.iter().zip(&again).all(|(before, after)| before.inputs == after.inputs));
}

#[test]
fn a_sealed_row_cannot_be_read_elsewhere_or_moved() {
    let dir = tempfile::tempdir().unwrap();
    let log = start(dir.path(), LogOptions { encrypt: true, days: 100_000, ..Default::default() });
    offer(&log, prediction(1));
    offer(&log, prediction(2));
    log.flush();
    log.label(&prediction(1).id, "defaulted", 5).unwrap();
    let file = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
    let both = [file("predictions.db"), file("predictions.db-wal")].concat();
    for word in ["good", "41.5", "defaulted"] {
        assert!(!both.windows(word.len()).any(|w| w == word.as_bytes()), "{word}");
    }
    let row = log.prediction(&prediction(1).id).unwrap().unwrap();
    assert_eq!(row.label.as_deref(), Some("defaulted"));
    assert_eq!(log.labelled("pd", 1, [0, i64::MAX], 9).unwrap().len(), 1);
    let swap = "UPDATE predictions SET payload = (SELECT payload FROM predictions WHERE at_ms = 2) \
                WHERE at_ms = 1";
    log.lock().execute(swap, []).unwrap();
    let row = log.prediction(&prediction(1).id).unwrap().unwrap();
    assert_eq!((row.score, row.inputs), (None, serde_json::Value::Null));
}

#[test]
fn a_label_is_kept_once_and_may_come_first() {
    let dir = tempfile::tempdir().unwrap();
    let log = start(dir.path(), LogOptions { days: 100_000, ..Default::default() });
    let id = &prediction(1).id;
    assert_eq!(log.label(id, "1", 10).unwrap(), Recorded::New);
    assert_eq!(log.label(id, "1", 11).unwrap(), Recorded::Same);
    assert_eq!(log.label(id, "0", 12).unwrap(), Recorded::Conflict);
    assert!(log.label("", "1", 10).is_err() && log.label("a\u{1b}", "1", 10).is_err());
    assert_eq!(log.labelled("pd", 1, [0, i64::MAX], 9).unwrap(), []);
    offer(&log, prediction(1));
    log.flush();
    let own = Labelled { at_ms: 1, score: 0.25, label: "1".into() };
    assert_eq!(log.labelled("pd", 1, [0, i64::MAX], 9).unwrap(), [own]);
}

#[test]
fn a_subject_is_erased_with_all_its_traces() {
    let dir = tempfile::tempdir().unwrap();
    let log = start(dir.path(), LogOptions { days: 100_000, ..Default::default() });
    for n in 0..9 {
        offer(&log, prediction(n));
        log.label(&prediction(n).id, "1", n).unwrap();
    }
    let hash = log.subject("customer 1");
    assert_eq!(log.erase("customer 1").unwrap(), 3);
    assert_eq!(log.size().unwrap(), (6, 6));
    let path = dir.path().join("predictions.db");
    let bytes = std::fs::read(path).unwrap();
    assert!(!bytes.windows(hash.len()).any(|w| w == hash.as_bytes()));
    assert_eq!(log.erase("customer 1").unwrap(), 0);
}

#[test]
fn what_is_old_is_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let log = start(dir.path(), LogOptions { days: 100_000, ..Default::default() });
    for n in 0..5_000 {
        offer(&log, prediction(n));
    }
    log.flush();
    log.label("unknown", "1", 3).unwrap();
    log.label(&prediction(4_999).id, "1", 3).unwrap();
    while !read::purge_part(&log.lock(), 4_990).unwrap() {}
    assert_eq!(log.size().unwrap(), (10, 1));
    let window = log.window("pd", Some(1), [4_992, 4_994], 10).unwrap();
    assert_eq!(window.iter().map(|row| row.at_ms).collect::<Vec<_>>(), [4_992, 4_993, 4_994]);
    assert_eq!(log.latest(2).unwrap()[0].at_ms, 4_999);
    drop(log);
    // A log with a short memory tidies up as soon as it is started.
    let log = start(dir.path(), LogOptions::default());
    log.flush();
    assert_eq!(log.size().unwrap(), (0, 0));
}

#[test]
fn an_id_that_is_there_is_not_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let log = start(dir.path(), LogOptions { days: 100_000, ..Default::default() });
    offer(&log, prediction(1));
    offer(&log, Prediction { score: 0.9, ..prediction(1) });
    log.flush();
    assert_eq!(log.prediction(&prediction(1).id).unwrap().unwrap().score, Some(0.25));
    assert_eq!(log.counts(), LogCounts { written: 1, dropped: 0, failed: 1 });
}

#[test]
fn what_does_not_fit_is_counted_and_nobody_waits() {
    let dir = tempfile::tempdir().unwrap();
    let options = LogOptions { queue: 3, ..Default::default() };
    let kept = Mutex::new(None);
    let log = PredictionLog::start(dir.path(), &options, |_, work| {
        *kept.lock().unwrap() = Some(work);
        Ok(())
    })
    .unwrap();
    let n_taken = (0..10).filter(|n| offer(&log, prediction(*n))).count();
    assert_eq!((n_taken, log.counts().dropped), (3, 7));
    let reader = PredictionLog::open(dir.path(), false).unwrap();
    assert!(!offer(&reader, prediction(1)));
    reader.flush();
}

#[test]
fn the_secret_is_made_once_by_however_many() {
    let dir = tempfile::tempdir().unwrap();
    let hash = || PredictionLog::open(dir.path(), false).unwrap().subject("x");
    let all: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(hash)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(all.iter().all(|own| *own == all[0]), "{all:?}");
    let names = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<_> = names.filter_map(|name| name.into_string().ok()).collect();
    assert_eq!(names.iter().filter(|name| name.contains("key")).count(), 1, "{names:?}");
}

#[test]
fn a_lost_secret_is_not_silently_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("predictions.key");
    let open = || PredictionLog::open(dir.path(), false);
    let hash = open().unwrap().subject("customer 1");
    // A log without rows loses nothing.
    std::fs::remove_file(&secret).unwrap();
    assert_ne!(open().unwrap().subject("customer 1"), hash);

    let log = start(dir.path(), LogOptions { encrypt: true, days: 100_000, ..Default::default() });
    offer(&log, prediction(1));
    log.flush();
    drop(log);
    let kept = std::fs::read(&secret).unwrap();
    let refused = |word: &str| {
        let text = open().unwrap_err().to_string();
        assert!(text.contains(word) && text.contains("from a backup"), "{text}");
    };
    std::fs::remove_file(&secret).unwrap();
    refused("is missing");
    assert!(!secret.exists(), "nothing was made in its place");
    crate::files::write(&secret, &[7; 64]).unwrap();
    refused("is not the one");
    crate::files::write(&secret, &kept).unwrap();
    let log = open().unwrap();
    assert_eq!(log.prediction(&prediction(1).id).unwrap().unwrap().score, Some(0.25));
    assert_eq!(log.erase("customer 1").unwrap(), 1);
}

#[test]
fn all_that_fits_is_taken_and_written() {
    const N: i64 = 3_000;
    let dir = tempfile::tempdir().unwrap();
    for encrypt in [false, true] {
        let log = start(dir.path(), LogOptions { encrypt, queue: 4_096, days: 100_000 });
        let mut own =
            (0..N).map(|n| Prediction { id: format!("{encrypt}-{n:09}"), ..prediction(n) });
        assert!(own.all(|own| offer(&log, own)));
        log.flush();
        let written = N.cast_unsigned();
        assert_eq!(log.counts(), LogCounts { written, ..LogCounts::default() });
    }
}

#[test]
fn a_sealed_log_stays_sealed_and_seals_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let options = |encrypt| LogOptions { encrypt, days: 100_000, ..Default::default() };
    let plain = start(dir.path(), options(false));
    for n in 0..700 {
        assert!(offer(&plain, prediction(n)));
    }
    plain.flush();
    plain.label(&prediction(3).id, "bad", 5).unwrap();
    let before: Vec<_> =
        (0..700).map(|n| plain.prediction(&prediction(n).id).unwrap().unwrap()).collect();
    drop(plain);
    for encrypt in [true, false] {
        let log = start(dir.path(), options(encrypt));
        assert!(log.is_sealed());
        let n = 700 + i64::from(encrypt);
        assert!(offer(&log, prediction(n)));
        let n_plain = || -> i64 {
            let sql = "SELECT (SELECT count(*) FROM predictions WHERE sealed = 0 \
                       OR score IS NOT NULL OR decision IS NOT NULL) + \
                       (SELECT count(*) FROM labels WHERE sealed = 0)";
            log.connection.lock().unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
        };
        let begin = std::time::Instant::now();
        while n_plain() > 0 && begin.elapsed().as_secs() < 60 {
            log.flush();
        }
        assert_eq!(n_plain(), 0);
        let done = || -> bool {
            let sql = "SELECT done FROM sealing";
            log.connection.lock().unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
        };
        while !done() && begin.elapsed().as_secs() < 60 {
            log.flush();
        }
        // Neither the file nor its journal holds what was plain.
        for end in ["", "-wal"] {
            let bytes = std::fs::read(dir.path().join(format!("{NAME}{end}"))).unwrap_or_default();
            let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
            assert!(!holds(b"\"age\":41.5"), "{end}");
        }
        for (n, own) in before.iter().enumerate() {
            let label = (n == 3).then(|| "bad".to_owned());
            let now = log.prediction(&own.id).unwrap().unwrap();
            assert_eq!(now, Logged { label, ..own.clone() });
        }
    }
}
