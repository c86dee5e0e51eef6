//! Names, versions, aliases, decisions and keys, and the log of all of them.

use std::fs;
use std::thread;

use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::json;

use super::*;

fn actor(who: &str) -> Actor {
    Actor { who: who.into(), via: Via::Login }
}

fn name() -> ModelName {
    ModelName::new("credit").unwrap()
}

fn about() -> NewVersion {
    NewVersion {
        run: "r0001".into(),
        kind: "logistic".into(),
        task: "binary".into(),
        target: "bad".into(),
    }
}

fn promote(store: &Store, version: u32, alias: &str) -> Result<Option<i64>, Error> {
    let done = Done::Promote { name: "credit".into(), version, alias: alias.into() };
    store.decide(&done, &actor("ann"), "better")
}

/// A store in a folder with two versions.
fn two_versions() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for bytes in [b"one", b"two"] {
        store.register(&name(), bytes, &about(), &actor("ann"), "").unwrap();
    }
    (dir, store)
}

#[test]
fn versions_count_up_and_aliases_point_to_them() {
    let (_dir, store) = two_versions();
    promote(&store, 1, "champion").unwrap();
    promote(&store, 2, "champion").unwrap();
    let models = store.models().unwrap();
    assert_eq!(models[0].versions.len(), 2);
    assert_eq!(models[0].aliases["champion"], 2);
    assert_eq!(store.version("credit", None).unwrap().version, 2);
    assert_eq!(store.version("credit", Some("1")).unwrap().version, 1);
    let back = Done::Rollback { name: "credit".into(), alias: "champion".into() };
    store.decide(&back, &actor("bob"), "worse").unwrap();
    assert_eq!(store.version("credit", Some("champion")).unwrap().version, 1);
    let text = promote(&store, 9, "champion").unwrap_err().to_string();
    assert!(text.contains("no version or alias `9`") && text.contains("hint:"), "{text}");
    assert!(promote(&store, 1, "12").is_err(), "a number is no alias");
}

#[test]
fn what_is_aliased_does_not_retire_and_what_is_retired_gets_no_alias() {
    let (_dir, store) = two_versions();
    promote(&store, 1, "champion").unwrap();
    let retire = |version| {
        let done = Done::Retire { name: "credit".into(), version };
        store.decide(&done, &actor("ann"), "old")
    };
    assert!(retire(1).unwrap_err().to_string().contains("is the `champion`"));
    retire(2).unwrap();
    assert!(promote(&store, 2, "champion").unwrap_err().to_string().contains("is retired"));
    let restore = Done::Restore { name: "credit".into(), version: 2 };
    store.decide(&restore, &actor("ann"), "").unwrap();
    promote(&store, 2, "champion").unwrap();
}

#[test]
fn it_is_known_what_was_live_when() {
    let (_dir, store) = two_versions();
    promote(&store, 1, "champion").unwrap();
    let between = now_ms();
    thread::sleep(std::time::Duration::from_millis(3));
    promote(&store, 2, "champion").unwrap();
    let at = |ms| store.live_at("credit", "champion", ms).unwrap().map(|held| held.version);
    assert_eq!((at(0), at(between), at(now_ms())), (None, Some(1), Some(2)));
    store.remove_alias("credit", "champion", &actor("ann"), "").unwrap();
    assert_eq!(at(now_ms()), None);
}

#[test]
fn a_flipped_bit_in_a_model_file_is_refused_by_name() {
    let (dir, store) = two_versions();
    let version = store.version("credit", Some("1")).unwrap();
    assert_eq!(store.bytes_of(&version.digest).unwrap(), b"one");
    let path = dir.path().join(FILES).join(format!("{}.karat", version.digest));
    fs::write(&path, b"onf").unwrap();
    let text = store.bytes_of(&version.digest).unwrap_err().to_string();
    assert!(text.contains(&version.digest) && text.contains("altered"), "{text}");
    // Registering the same bytes again mends the file.
    store.register(&name(), b"one", &about(), &actor("ann"), "").unwrap();
    assert_eq!(store.bytes_of(&version.digest).unwrap(), b"one");
}

#[test]
fn tampering_with_the_log_is_noticed_and_named() {
    let check = |tamper: &str, expected: &str| {
        let (dir, store) = two_versions();
        promote(&store, 1, "champion").unwrap();
        assert_eq!(store.verify().unwrap(), 3);
        let raw = Connection::open(dir.path().join("karat.db")).unwrap();
        assert!(raw.execute("UPDATE audit SET why = 'x' WHERE seq = 2", []).is_err(), "append-only");
        assert!(raw.execute("DELETE FROM audit WHERE seq = 3", []).is_err(), "append-only");
        raw.execute_batch("DROP TRIGGER audit_stays; DROP TRIGGER audit_is_final;").unwrap();
        raw.execute_batch(tamper).unwrap();
        let text = store.verify().unwrap_err().to_string();
        assert!(text.contains(expected), "{tamper}: {text}");
    };
    check("UPDATE audit SET why = 'because' WHERE seq = 2", "event 2 was altered");
    check("UPDATE audit SET who = 'eve' WHERE seq = 3", "event 3 was altered");
    check("DELETE FROM audit WHERE seq = 2", "event 2 is missing");
    check("DELETE FROM audit WHERE seq = 3", "event 3 is missing");
    check("UPDATE audit_head SET hash = 'ab'", "event 3 is not the one");
}

#[test]
fn a_second_person_approves_and_the_same_one_cannot() {
    let (_dir, store) = two_versions();
    store.set_approval(true, &actor("ann"), "policy").unwrap();
    let id = promote(&store, 2, "champion").unwrap().unwrap();
    assert!(store.models().unwrap()[0].aliases.is_empty(), "nothing has been done yet");
    assert_eq!(store.pending().unwrap().len(), 1);
    for same in ["ann", "ann from 10.0.0.1"] {
        let text = store.approve(id, &actor(same), "").unwrap_err().to_string();
        assert!(text.contains("someone else has to approve"), "{text}");
    }
    store.approve(id, &actor("bob"), "looked at it").unwrap();
    assert_eq!(store.models().unwrap()[0].aliases["champion"], 2);
    assert!(store.approve(id, &actor("bob"), "").is_err(), "it is done");
    let id = promote(&store, 1, "champion").unwrap().unwrap();
    store.reject(id, &actor("ann"), "changed my mind").unwrap();
    assert_eq!(store.models().unwrap()[0].aliases["champion"], 2);
    let actions: Vec<String> = store
        .events(&EventFilter { model: Some("credit".into()), ..EventFilter::default() })
        .unwrap()
        .into_iter()
        .map(|event| event.action)
        .collect();
    let expected = [
        "register", "register", "ask approval", "approve", "promote", "ask approval", "reject",
    ];
    assert_eq!(actions, expected);
    store.verify().unwrap();
}

#[test]
fn a_key_is_good_until_it_is_revoked_expired_or_turned() {
    let store = Store::in_memory().unwrap();
    let spec = KeySpec { scopes: vec![Scope::Infer, Scope::Infer], ..KeySpec::default() };
    let new = store.create_key(&spec, &actor("ann")).unwrap();
    assert!(new.shown.starts_with("karat_live_") && !format!("{:?}", new.key).contains(&new.shown));
    let now = now_ms();
    let check = |key: &str, at| store.keyring().unwrap().verify(key, at).map(|key| key.scopes.clone());
    assert_eq!(check(&new.shown, now), Ok(vec![Scope::Infer]));
    let mut wrong = new.shown.clone();
    let last = wrong.pop().unwrap();
    wrong.push(if last == 'a' { 'b' } else { 'a' });
    assert_eq!(check(&wrong, now), Err(Refused::Malformed), "the check digits tell");
    assert_eq!(check("", now), Err(Refused::Malformed));
    assert_eq!(check("karat_live_é", now), Err(Refused::Malformed));
    let other = secret::key(&new.key.id, &"0".repeat(secret::SECRET));
    assert_eq!(check(&other, now), Err(Refused::Unknown));
    let turned = store.rotate_key(&new.key.id, 60_000, &actor("ann")).unwrap();
    assert!(check(&new.shown, now).is_ok() && check(&turned.shown, now).is_ok());
    assert_eq!(check(&new.shown, now + 61_000), Err(Refused::Unknown), "its grace is over");
    store.revoke_key(&new.key.id, &actor("ann"), "lost").unwrap();
    assert_eq!(check(&turned.shown, now), Err(Refused::Revoked));
    let spec = KeySpec { expires_ms: Some(now + 10), name: "short".into(), ..spec };
    let short = store.create_key(&spec, &actor("ann")).unwrap();
    assert!(check(&short.shown, now).is_ok());
    assert_eq!(check(&short.shown, now + 10), Err(Refused::Expired));
    assert!(store.revoke_key("nobody", &actor("ann"), "").is_err());
    store.revoke_key("short", &actor("ann"), "").unwrap();
    let raw = store.read(|c| c.query_row("SELECT group_concat(hash) FROM api_keys", [], |r| r.get::<_, String>(0)));
    assert!(!raw.unwrap().contains(&new.shown[22..52]), "secrets are not stored");
}

#[test]
fn alerts_stand_until_they_are_over() {
    let store = Store::in_memory().unwrap();
    let raise = |value| store.raise("credit", 1, "drift", "age", [value, 0.1], "age has moved");
    assert!(raise(0.2).unwrap());
    assert!(!raise(0.3).unwrap(), "it stands already");
    let id = store.alerts(true).unwrap()[0].id;
    store.acknowledge(id, &actor("ann"), "seen").unwrap();
    let alert = &store.alerts(true).unwrap()[0];
    assert_eq!((alert.state, alert.by.as_str(), alert.value), (AlertState::Acknowledged, "ann", 0.3));
    assert_eq!(store.resolve_others("credit", 1, &[]).unwrap(), 1);
    assert!(store.alerts(true).unwrap().is_empty() && raise(0.2).unwrap());
    assert!(store.acknowledge(99, &actor("ann"), "").is_err());
}

#[test]
fn windows_are_kept_in_order_and_not_for_ever() {
    let store = Store::in_memory().unwrap();
    for at in 0..510 {
        store.keep_window("credit", 1, at, &json!({ "n": at })).unwrap();
    }
    let windows = store.windows("credit", Some(1), 1000).unwrap();
    assert_eq!((windows.len(), windows[0].to_ms, windows[499].to_ms), (500, 10, 509));
    assert_eq!(store.windows("credit", None, 3).unwrap()[0].to_ms, 507);
}

#[test]
fn two_processes_may_use_it_at_once() {
    let (dir, store) = two_versions();
    let other = Store::open(dir.path()).unwrap();
    let before = store.data_version().unwrap();
    let done = Done::Promote { name: "credit".into(), version: 2, alias: "champion".into() };
    other.decide(&done, &actor("bob"), "").unwrap();
    assert_ne!(store.data_version().unwrap(), before, "a change by another is noticed");
    assert_eq!(store.version("credit", None).unwrap().version, 2);
    let threads: Vec<_> = (0..4)
        .map(|who| {
            let store = Store::open(dir.path()).unwrap();
            thread::spawn(move || {
                for version in [1, 2, 1] {
                    let alias = format!("a{who}x");
                    let done = Done::Promote { name: "credit".into(), version, alias };
                    store.decide(&done, &actor("many"), "").unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(store.verify().unwrap(), 3 + 12);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_log_tells_what_the_tables_hold(steps in prop::collection::vec((0..3_u8, 1..4_u32), 1..20)) {
        let store = Store::in_memory().unwrap();
        for bytes in [b"a", b"b", b"c"] {
            store.register(&name(), bytes, &about(), &actor("ann"), "").unwrap();
        }
        for (kind, version) in steps {
            // Some of these are refused, and leave no trace then.
            let _ = match kind {
                0 | 1 => promote(&store, version, if kind == 0 { "champion" } else { "shadow" }),
                _ => {
                    let done = Done::Rollback { name: "credit".into(), alias: "champion".into() };
                    store.decide(&done, &actor("bob"), "")
                }
            };
        }
        store.verify().unwrap();
        let aliases = store.models().unwrap()[0].aliases.clone();
        for alias in ["champion", "shadow"] {
            let live = store.live_at("credit", alias, i64::MAX).unwrap().map(|held| held.version);
            prop_assert_eq!(live, aliases.get(alias).copied());
        }
    }

    #[test]
    fn patterns_match_as_a_shell_does(name in "[ab.-]{0,8}", pattern in "[ab*?]{0,6}") {
        fn slow(p: &[u8], n: &[u8]) -> bool {
            match (p.first(), n.first()) {
                (None, None) => true,
                (Some(b'*'), _) => slow(&p[1..], n) || !n.is_empty() && slow(p, &n[1..]),
                (Some(b'?'), Some(_)) => slow(&p[1..], &n[1..]),
                (Some(p0), Some(n0)) if p0 == n0 => slow(&p[1..], &n[1..]),
                _ => false,
            }
        }
        prop_assert_eq!(matches(&pattern, &name), slow(pattern.as_bytes(), name.as_bytes()));
    }
}
