//! Two persons, and the ways around the second.

use serde_json::json;

use super::*;

/// A store with two versions, the first of them champion, where a second person is asked for.
fn careful() -> Store {
    let store = with_versions(3);
    store.promote("pd", 1, "champion", &ann(), "").unwrap();
    store.set_approval(true, &ann(), "policy 7").unwrap();
    store
}

fn champion(store: &Store) -> u32 {
    store.version("pd", Some("champion")).unwrap().version
}

fn ask(store: &Store) -> i64 {
    match store.promote("pd", 2, "champion", &ann(), "better").unwrap() {
        Outcome::Waits(id) => id,
        Outcome::CarriedOut(seq) => panic!("event {seq} needed nobody"),
    }
}

#[test]
fn someone_else_has_to_approve() {
    let store = careful();
    let id = ask(&store);
    assert_eq!(champion(&store), 1);
    let elsewhere = Actor { who: "ann from 10.9.9.9".into(), via: Via::Login };
    for same in [ann(), elsewhere] {
        assert!(text(store.approve(id, &same, "")).contains("someone else has to approve"));
    }
    store.approve(id, &bob(), "seen").unwrap();
    assert_eq!(champion(&store), 2);
    assert!(text(store.approve(id, &bob(), "")).contains(&format!("no decision `{id}` waits")));
    let events = store.events(&EventFilter { limit: Some(3), ..Default::default() }).unwrap();
    let told: Vec<_> = events.iter().map(|e| (&e.action as &str, &e.who as &str)).collect();
    let asker = &ann().who as &str;
    assert_eq!(told, [("ask approval", asker), ("approve", "bob"), ("promote", asker)]);
    assert_eq!(events[2].why, "better (approved by bob)");
    store.verify().unwrap();
}

#[test]
fn a_key_of_ones_own_is_no_second_person() {
    let store = careful();
    let spec = KeySpec { name: "carl".into(), scopes: vec![Scope::Operate], ..Default::default() };
    let own = store.create_key(&spec, &ann(), "").unwrap().key;
    let others = store.create_key(&spec, &bob(), "").unwrap().key;
    let id = ask(&store);
    let by_key = |key: &Key| Actor::key(&key.id, &key.name);
    assert!(store.approve(id, &by_key(&own), "").is_err());
    store.approve(id, &by_key(&others), "").unwrap();
}

#[test]
fn whoever_stands_behind_a_key_is_no_second_person() {
    let store = careful();
    let make = |name: &str, by: &Actor| {
        let scopes = vec![Scope::Operate, Scope::Admin];
        let spec = KeySpec { name: name.into(), scopes, ..KeySpec::default() };
        let key = store.create_key(&spec, by, "").unwrap().key;
        Actor::key(&key.id, &key.name)
    };
    let promote = |by: &Actor| {
        let asked = store.promote("pd", 2, "champion", by, "").unwrap();
        asked.waits().expect("it waits for a second person")
    };
    // A key that a key of ann's has made is ann's too, whatever both are called.
    let robot = make("robot", &ann());
    let of_robot = make("dave", &robot);
    let id = promote(&of_robot);
    for same in [&ann(), &robot, &of_robot] {
        assert!(text(store.approve(id, same, "")).contains("someone else has to approve"));
    }
    store.reject(id, &ann(), "").unwrap();
    // Whoever turned a key has seen its secret.
    let id = promote(&robot);
    let Via::Key(robot_id) = &robot.via else { panic!("a key") };
    store.rotate_key(robot_id, 0, &bob(), "").unwrap();
    for same in [&ann(), &bob()] {
        assert!(text(store.approve(id, same, "")).contains("someone else has to approve"));
    }
    // A key that is called like someone is not that one.
    let carl = Actor { who: "carl".into(), via: Via::Login };
    let called_carl = make("carl", &ann());
    store.approve(id, &carl, "").unwrap();
    store.promote("pd", 1, "champion", &called_carl, "").unwrap();
    let id = store.pending().unwrap()[0].id;
    store.approve(id, &carl, "").unwrap();
}

#[test]
fn a_schedule_asks_for_whoever_set_it() {
    let store = careful();
    let job = Retrain { model: "pd".into(), schedule: "every 24h".into(), ..Default::default() };
    store.set_retraining(&job, &bob(), "").unwrap();
    store.set_retraining(&job, &ann(), "with data of my own").unwrap();
    store.set_retraining(&job, &Actor::schedule(), "carried out").unwrap();
    let asked = store.promote("pd", 2, "champion", &Actor::schedule(), "better").unwrap();
    let id = asked.waits().expect("it waits for a second person");
    assert_eq!(store.pending().unwrap()[0].who, format!("karat for {}", ann().who));
    // Setting it anew afterwards does not change for whom it asked.
    store.set_retraining(&job, &bob(), "").unwrap();
    assert!(text(store.approve(id, &ann(), "")).contains("someone else has to approve"));
    store.approve(id, &bob(), "").unwrap();
    assert_eq!(champion(&store), 2);
}

#[test]
fn nobody_in_particular_is_neither_the_first_person_nor_the_second() {
    let store = careful();
    let anyone = Actor::key("none", "anyone, since no key was needed");
    assert!(text(store.promote("pd", 2, "champion", &anyone, "")).contains("is nobody"));
    let id = ask(&store);
    assert!(text(store.approve(id, &anyone, "")).contains("is nobody"));
    store.approve(id, &bob(), "").unwrap();
}

#[test]
fn registering_puts_nothing_into_service() {
    let store = careful();
    store.register(&pd(), b"4", &NewVersion::default(), &ann(), "").unwrap();
    assert_eq!(store.version("pd", None).unwrap().version, 1);
    let lgd = ModelName::new("lgd").unwrap();
    let own = store.register(&lgd, b"1", &NewVersion::default(), &ann(), "").unwrap();
    assert_eq!(own.aliases, Vec::<String>::new());
    assert!(text(store.version("lgd", None)).contains("has no champion"));
    let asked = store.promote("lgd", 1, "champion", &ann(), "").unwrap();
    store.approve(asked.waits().unwrap(), &bob(), "").unwrap();
    assert_eq!(store.version("lgd", None).unwrap().version, 1);
}

#[test]
fn a_number_never_stands_for_another_request() {
    let store = careful();
    let one = ask(&store);
    store.reject(one, &bob(), "no").unwrap();
    assert_ne!(ask(&store), one);
    assert_eq!(champion(&store), 1);
}

#[test]
fn what_cannot_be_done_is_not_asked_for() {
    let store = careful();
    assert!(text(store.promote("pd", 9, "champion", &ann(), "")).contains("no version"));
    assert!(text(store.retire("pd", 1, &ann(), "")).contains("is the `champion`"));
    assert_eq!(store.pending().unwrap(), []);
    store.verify().unwrap();
}

#[test]
fn what_has_changed_meanwhile_is_not_carried_out() {
    let store = careful();
    let id = ask(&store);
    let Outcome::Waits(other) = store.promote("pd", 3, "champion", &bob(), "").unwrap() else {
        panic!("it needed nobody")
    };
    store.approve(other, &ann(), "").unwrap();
    assert!(text(store.approve(id, &bob(), "")).contains("things have changed"));
    assert_eq!(champion(&store), 3);
    assert_eq!(store.pending().unwrap().len(), 1, "it still waits to be rejected");
}

#[test]
fn nobody_turns_it_off_alone() {
    let store = careful();
    let Outcome::Waits(id) = store.set_approval(false, &ann(), "in a hurry").unwrap() else {
        panic!("it needed nobody")
    };
    assert!(store.set_setting("approval", "off", &ann(), "").is_err());
    assert!(store.needs_approval().unwrap());
    store.approve(id, &bob(), "").unwrap();
    assert!(!store.needs_approval().unwrap());
}

#[test]
fn a_request_ends_after_a_week() {
    let store = careful();
    let id = ask(&store);
    store.lock().execute("UPDATE pending SET at_ms = at_ms - 7 * 86400000", []).unwrap();
    assert_eq!(store.pending().unwrap(), []);
    // Whatever is asked next tidies up.
    ask(&store);
    assert!(store.approve(id, &bob(), "").is_err());
    let expired = EventFilter { action: Some("expire".into()), ..EventFilter::default() };
    let last = store.events(&expired).unwrap().pop().unwrap();
    assert_eq!((&last.action as &str, &last.subject as &str), ("expire", &id.to_string() as &str));
    assert_eq!(last.before["asked_by"], json!(ann().who));
    assert_eq!(last.model, "pd");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_in_service_moves_without_two_persons(
        steps in proptest::collection::vec((0..5_u8, 1..4_u32, proptest::bool::ANY), 1..25),
    ) {
        let store = careful();
        let persons = [ann(), bob()];
        let mut n_approved = 0;
        for (what, n, first) in steps {
            let actor = &persons[usize::from(first)];
            let before = champion(&store);
            let waiting = store.pending().unwrap();
            match what {
                0 => drop(store.promote("pd", n, "champion", actor, "")),
                1 => drop(store.rollback("pd", "champion", actor, "")),
                2 => drop(store.retire("pd", n, actor, "")),
                3 => drop(store.register(&pd(), b"x", &NewVersion::default(), actor, "")),
                _ => {
                    let Some(own) = waiting.first() else { continue };
                    let done = store.approve(own.id, actor, "");
                    n_approved += usize::from(done.is_ok());
                    proptest::prop_assert!(done.is_err() || own.who != actor.who);
                    continue;
                }
            }
            proptest::prop_assert_eq!(champion(&store), before);
            proptest::prop_assert_eq!(store.version("pd", None).unwrap().version, before);
        }
        let events = store.events(&EventFilter::default()).unwrap();
        let moved = events.iter().filter(|e| ["promote", "rollback", "retire"].contains(&&*e.action));
        // The first version was the champion at once, and then promoted.
        proptest::prop_assert_eq!(moved.count(), n_approved + 2);
        store.verify().unwrap();
    }
}
