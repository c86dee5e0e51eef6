//! Alerts, windows and retraining.

use serde_json::json;

use super::*;

#[test]
fn an_alert_stands_once_until_it_is_over() {
    let store = with_versions(0);
    let raise = |value| store.raise("pd", 1, ("drift", "age"), [value, 0.2], "age drifts").unwrap();
    let one = raise(0.3);
    assert!(one.is_new);
    assert_eq!(raise(0.4), Raised { is_new: false, ..one });
    store.acknowledge(one.id, &ann(), "known").unwrap();
    assert!(!raise(0.5).is_new);
    let own = store.alerts(true).unwrap().remove(0);
    assert_eq!((own.state, own.value, &own.by), (AlertState::Acknowledged, 0.5, &ann().who));
    store.resolve(one.id, &ann(), "campaign ended").unwrap();
    assert!(text(store.acknowledge(one.id, &ann(), "")).contains("is resolved already"));
    assert!(store.alerts(true).unwrap().is_empty());
    assert!(raise(0.6).is_new);
    assert_eq!(store.alerts(false).unwrap().len(), 2);
    assert_eq!(store.verify().unwrap(), 2);
}

#[test]
fn what_no_longer_stands_is_resolved() {
    let store = with_versions(0);
    for column in ["age", "income"] {
        store.raise("pd", 1, ("drift", column), [1.0, 0.2], "").unwrap();
    }
    store.raise("pd", 2, ("drift", "age"), [1.0, 0.2], "").unwrap();
    assert_eq!(store.resolve_others("pd", 1, &[("drift".into(), "age".into())]).unwrap(), 1);
    let open = store.alerts(true).unwrap();
    let open: Vec<_> = open.iter().map(|own| (own.version, &own.subject as &str)).collect();
    assert_eq!(open, [(2, "age"), (1, "age")]);
}

#[test]
fn a_column_stands_however_it_is_called() {
    let store = with_versions(0);
    let long = "x".repeat(150);
    let names = ["age ", &long, &format!("{long}y"), "a\u{1b}b"];
    let raise = |name: &str| store.raise("pd", 1, ("drift", name), [1.0, 0.2], "").unwrap();
    assert!(names.iter().all(|name| raise(name).is_new));
    let standing = names.map(|name| ("drift".to_owned(), name.to_owned()));
    assert_eq!(store.resolve_others("pd", 1, &standing).unwrap(), 0);
    assert!(names.iter().all(|name| !raise(name).is_new));
    let shown = store.alerts(true).unwrap();
    assert!(shown.iter().all(|own| own.subject == label(&own.subject)), "{shown:?}");
    assert_eq!(store.resolve_others("pd", 1, &standing[..2]).unwrap(), 2);
}

#[test]
fn alerts_of_an_earlier_version_still_stand() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(crate::registry::DATABASE);
    let before = Connection::open(path).unwrap();
    before
        .execute_batch(
            "CREATE TABLE alerts (id INTEGER PRIMARY KEY, model TEXT NOT NULL, version INTEGER NOT \
             NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, value REAL NOT NULL, threshold REAL \
             NOT NULL, sentence TEXT NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, \
             state TEXT NOT NULL, by TEXT NOT NULL DEFAULT '', by_ms INTEGER);
             CREATE UNIQUE INDEX alerts_open ON alerts (model, version, kind, subject)
                WHERE state != 'resolved';
             INSERT INTO alerts VALUES (7, 'pd', 1, 'drift', 'age', 1, 1, '', 1, 1, 'firing', '', NULL);",
        )
        .unwrap();
    drop(before);
    for _ in 0..2 {
        let store = Store::open(dir.path()).unwrap();
        let raised = store.raise("pd", 1, ("drift", "age"), [1.0, 0.2], "").unwrap();
        assert_eq!(raised, Raised { id: 7, is_new: false });
    }
}

#[test]
fn windows_are_kept_in_order() {
    let store = with_versions(0);
    for at in [3, 1, 2] {
        store.keep_window("pd", 1, at, &json!({ "n": at })).unwrap();
    }
    let windows = store.windows("pd", Some(1), 2).unwrap();
    assert_eq!(windows.iter().map(|w| w.to_ms).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn retraining_is_set_told_and_ended() {
    let store = with_versions(1);
    let job = Retrain { model: "pd".into(), schedule: "every 24h".into(), ..Default::default() };
    store.set_retraining(&job, &ann(), "monthly data").unwrap();
    let after = Retrain { candidate: Some(2), last_ms: Some(5), ..job.clone() };
    store.set_retraining(&after, &Actor::schedule(), "").unwrap();
    assert_eq!(store.retrainings().unwrap(), [after]);
    store.remove_retraining("pd", &ann(), "").unwrap();
    assert!(store.remove_retraining("pd", &ann(), "").is_err());
    let nobody = Retrain { model: "lgd".into(), ..job };
    assert!(store.set_retraining(&nobody, &ann(), "").is_err());
    let filter = EventFilter { action: Some("retraining".into()), ..Default::default() };
    assert_eq!(store.events(&filter).unwrap().len(), 3);
}
