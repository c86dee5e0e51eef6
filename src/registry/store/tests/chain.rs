//! The chain of the log, and everything that breaks it.

use std::fs::{self, OpenOptions};
use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::registry::store::audit::testing::promotions;

const DROP: &str = "DROP TRIGGER audit_stays; DROP TRIGGER audit_is_final; \
                    DROP TRIGGER audit_follows; DROP TRIGGER audit_head_stays;";

/// A store with ten events, whose log was then tampered with.
fn tampered(script: &str) -> Verdict {
    let store = Store::in_memory().unwrap();
    promotions(&store, 10, &ann());
    assert_eq!(store.check().unwrap(), Verdict::Sound(10));
    store.lock().execute_batch(&format!("{DROP}{script}")).unwrap();
    store.check().unwrap()
}

#[test]
fn whoever_tampers_is_named_by_the_event() {
    let check = |script: &str, seq: i64, word: &str| {
        let Verdict::Broken { seq: found, what } = tampered(script) else {
            panic!("{script} was not noticed")
        };
        assert!(found == seq && what.contains(word), "{script}: event {found} {what}");
    };
    check("UPDATE audit SET who = 'eve' WHERE seq = 4", 4, "altered");
    check("UPDATE audit SET who = CAST(x'ff' AS TEXT) WHERE seq = 4", 4, "altered");
    check("UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 4", 4, "altered");
    check("UPDATE audit SET at_ms = 'noon' WHERE seq = 4", 4, "altered");
    check("UPDATE audit SET model = 'p', subject = 'dchampion' WHERE seq = 4", 4, "altered");
    check("UPDATE audit SET prev = '' WHERE seq = 4", 4, "altered");
    check("UPDATE audit SET hash = 'x' WHERE seq = 10", 10, "altered");
    check("DELETE FROM audit WHERE seq = 4", 4, "missing");
    check("DELETE FROM audit WHERE seq = 1", 1, "missing");
    check("DELETE FROM audit WHERE seq = 10", 10, "missing");
    check("DELETE FROM audit WHERE seq > 3", 4, "missing");
    check("DELETE FROM audit", 1, "missing");
    check("UPDATE audit_head SET n = 9", 10, "written last");
    check("UPDATE audit_head SET hash = ''", 10, "written last");
    check("DELETE FROM audit_head", 10, "written last");
}

#[test]
fn the_database_itself_refuses_changes() {
    let store = Store::in_memory().unwrap();
    promotions(&store, 3, &ann());
    for script in [
        "UPDATE audit SET who = 'eve'",
        "DELETE FROM audit",
        "DELETE FROM audit_head",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 2",
        "INSERT INTO audit SELECT 9, at_ms, who, via, action, model, subject, before, after, why, \
         prev, hash FROM audit WHERE seq = 2",
    ] {
        let text = store.lock().execute_batch(script).unwrap_err().to_string();
        assert!(text.contains("append-only"), "{script}: {text}");
    }
    assert_eq!(store.verify().unwrap(), 3);
}

#[test]
fn a_head_noted_elsewhere_unmasks_a_log_written_anew() {
    let store = Store::in_memory().unwrap();
    promotions(&store, 5, &ann());
    let (n, hash) = store.head().unwrap();
    let anew = Store::in_memory().unwrap();
    promotions(&anew, 9, &bob());
    assert_eq!(anew.verify().unwrap(), 9);
    let is_broken = |verdict| matches!(verdict, Verdict::Broken { seq: 5, .. });
    assert!(is_broken(anew.check_against(n, &hash).unwrap()));
    assert_eq!(store.check_against(n, &hash).unwrap(), Verdict::Sound(5));
}

#[test]
fn a_head_noted_elsewhere_unmasks_a_cut_off_end() {
    let store = Store::in_memory().unwrap();
    promotions(&store, 5, &ann());
    let (n, hash) = store.head().unwrap();
    let cut = format!(
        "{DROP} DELETE FROM audit WHERE seq > 3; UPDATE audit_head SET n = 3, hash = (SELECT hash \
         FROM audit WHERE seq = 3);"
    );
    store.lock().execute_batch(&cut).unwrap();
    assert_eq!(store.verify().unwrap(), 3);
    let said = store.check_against(n, &hash).unwrap().sound().unwrap_err().to_string();
    assert!(said.contains("event `4` is missing"), "{said}");
}

/// With 100,000 of them `live_at` takes 0.1 ms too.
const N_EVENTS: i64 = 2_000;

#[test]
fn a_moment_among_many_events_is_found_in_no_time() {
    let store = Store::in_memory().unwrap();
    promotions(&store, N_EVENTS, &ann());
    let start = Instant::now();
    for at in (1..=100).map(|n| n * N_EVENTS * 10 - 17) {
        let held = store.live_at("pd", "champion", at).unwrap().unwrap();
        assert!(held.event.at_ms <= at && at - held.event.at_ms < 5000, "{at}");
        assert_eq!(i64::from(held.version), held.event.seq);
    }
    let each = start.elapsed().as_secs_f64() * 10.0;
    assert_eq!(store.live_at("nobody", "champion", i64::MAX).unwrap(), None);
    let start = Instant::now();
    assert_eq!(store.verify().unwrap(), N_EVENTS.cast_unsigned());
    println!("{N_EVENTS} events: live_at {each:.3} ms, verify {:?}", start.elapsed());
    assert!(each < 10.0);
}

/// Every so many bytes one is flipped.
const STEP: usize = 509;

#[test]
#[cfg(unix)]
fn no_flipped_byte_of_the_file_passes_unnoticed() {
    use std::os::unix::fs::FileExt;

    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    promotions(&store, 40, &ann());
    store.lock().pragma_update(None, "journal_mode", "DELETE").unwrap();
    let events = store.events(&EventFilter::default()).unwrap();
    let path = store.path.clone();
    drop(store);
    let good = fs::read(&path).unwrap();
    let own = OpenOptions::new().write(true).open(&path).unwrap();
    let open = || {
        let connection = Connection::open(&path).ok()?;
        Store::prepare(path.clone(), connection, Home::Memory(Mutex::default())).ok()
    };
    let (mut n_named, mut n_refused, mut n_elsewhere) = (0, 0, 0);
    // A prime step comes to every kind of place; the first bytes say how the file is journaled.
    for at in (100..good.len()).step_by(STEP) {
        own.write_all_at(&[good[at] ^ 0x20], at as u64).unwrap();
        match open().map(|store| (store.check(), store)) {
            None | Some((Err(_), _)) => n_refused += 1,
            Some((Ok(Verdict::Broken { .. }), _)) => n_named += 1,
            Some((Ok(Verdict::Sound(_)), store)) => {
                let found = store.events(&EventFilter::default()).unwrap();
                assert!(found == events, "byte {at} was flipped, and an event differs");
                n_elsewhere += 1;
            }
        }
        own.write_all_at(&good[at..=at], at as u64).unwrap();
    }
    println!("{n_named} named, {n_refused} refused, {n_elsewhere} in other places");
    assert!(n_named > 10, "{n_named}");
    assert_eq!(open().unwrap().verify().unwrap(), 40);
}

#[derive(Clone, Debug)]
enum Step {
    Register,
    Promote(u32, u8),
    Rollback(u8),
    Remove(u8),
    Retire(u32),
    Restore(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Register),
        4 => (1..6_u32, 0..3_u8).prop_map(|(version, alias)| Step::Promote(version, alias)),
        2 => (0..3_u8).prop_map(Step::Rollback),
        1 => (0..3_u8).prop_map(Step::Remove),
        2 => (1..6_u32).prop_map(Step::Retire),
        1 => (1..6_u32).prop_map(Step::Restore),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_decided_the_log_tells_it(steps in prop::collection::vec(step(), 1..40)) {
        let store = with_versions(1);
        let alias = |n: &u8| ["champion", "challenger", "shadow"][usize::from(*n)];
        for step in &steps {
            let before = store.head().unwrap();
            let models = store.models().unwrap();
            let done = match step {
                Step::Register => store.register(&pd(), b"x", &NewVersion::default(), &ann(), "").map(drop),
                Step::Promote(version, n) => store.promote("pd", *version, alias(n), &ann(), "").map(drop),
                Step::Rollback(n) => store.rollback("pd", alias(n), &ann(), "").map(drop),
                Step::Remove(n) => store.remove_alias("pd", alias(n), &ann(), "").map(drop),
                Step::Retire(version) => store.retire("pd", *version, &ann(), "").map(drop),
                Step::Restore(version) => store.restore("pd", *version, &ann(), "").map(drop),
            };
            if done.is_err() {
                prop_assert_eq!(store.head().unwrap(), before);
                prop_assert_eq!(store.models().unwrap(), models);
            }
            let model = store.model("pd").unwrap().unwrap();
            for n in 0..3 {
                let held = store.live_at("pd", alias(&n), i64::MAX).unwrap();
                prop_assert_eq!(held.map(|h| h.version), model.aliases.get(alias(&n)).copied());
            }
            for number in model.aliases.values() {
                prop_assert!(!model.version(Some(&number.to_string())).unwrap().retired);
            }
        }
        prop_assert_eq!(store.verify().unwrap(), store.head().unwrap().0);
    }
}
