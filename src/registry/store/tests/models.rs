//! Versions, aliases, settings, and files that are not what they were.

use std::fs::{self, OpenOptions};

use serde_json::json;

use super::*;

fn aliases(store: &Store) -> Vec<(String, u32)> {
    store.model("pd").unwrap().map_or(vec![], |model| model.aliases.into_iter().collect())
}

#[test]
fn a_version_is_read_back_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let about = NewVersion { run: "r0001".into(), kind: "logistic".into(), ..Default::default() };
    let one = store.register(&pd(), b"model", &about, &ann(), "first").unwrap();
    let two = store.register(&pd(), b"model", &about, &ann(), "again").unwrap();
    assert_eq!((one.version, two.version), (1, 2));
    assert_eq!(one.digest, two.digest);
    assert_eq!(store.bytes_of(&one.digest).unwrap(), b"model");
    let names: Vec<_> = fs::read_dir(dir.path().join("models")).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert_eq!(store.version("pd", None).unwrap().version, 1, "the second answers nobody yet");
    assert_eq!(store.version("pd", Some("1")).unwrap().run, "r0001");
    assert!(text(store.version("pd", Some("9"))).contains("has no version or alias `9`"));
    assert!(text(store.version("lgd", None)).contains("there is no model `lgd`"));
}

#[test]
#[cfg(unix)]
fn everything_belongs_to_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.register(&pd(), b"model", &NewVersion::default(), &ann(), "").unwrap();
    for folder in [dir.path().to_owned(), dir.path().join("models")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o077;
            assert_eq!(mode, 0, "{}", path.display());
        }
    }
}

#[test]
#[cfg(unix)]
fn any_flipped_bit_of_a_model_file_is_refused_by_name() {
    use std::os::unix::fs::FileExt;

    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let bytes: Vec<u8> = (0..64).collect();
    let own = store.register(&pd(), &bytes, &NewVersion::default(), &ann(), "").unwrap();
    let path = dir.path().join(format!("models/{}.karat", own.digest));
    let file = OpenOptions::new().write(true).open(path).unwrap();
    for bit in 0..8 * bytes.len() {
        let at = bit / 8;
        file.write_all_at(&[bytes[at] ^ (1 << (bit % 8))], at as u64).unwrap();
        let text = text(store.bytes_of(&own.digest));
        let start = format!("model file `{}` is altered", &own.digest[..12]);
        assert!(text.starts_with(&start), "{text}");
        file.write_all_at(&bytes[at..=at], at as u64).unwrap();
    }
    file.set_len(3).unwrap();
    assert!(text(store.bytes_of(&own.digest)).contains("is altered"));
    assert!(text(store.bytes_of("../karat.db")).contains("is no digest"));
    // Registering it again heals it.
    store.register(&pd(), &bytes, &NewVersion::default(), &ann(), "").unwrap();
    assert_eq!(store.bytes_of(&own.digest).unwrap(), bytes);
}

#[test]
fn an_alias_goes_forth_and_back() {
    let store = with_versions(3);
    for version in [1, 2, 3] {
        store.promote("pd", version, "champion", &ann(), "").unwrap();
    }
    store.rollback("pd", "champion", &ann(), "worse").unwrap();
    assert_eq!(aliases(&store), [("champion".into(), 2)]);
    store.remove_alias("pd", "champion", &ann(), "").unwrap();
    assert_eq!(aliases(&store), []);
    store.rollback("pd", "champion", &ann(), "it was needed").unwrap();
    assert_eq!(aliases(&store), [("champion".into(), 2)]);
    assert!(text(store.rollback("pd", "shadow", &ann(), "")).contains("never pointed"));
    assert!(text(store.promote("pd", 1, "7", &ann(), "")).contains("cannot be an alias"));
    assert!(text(store.promote("pd", 9, "champion", &ann(), "")).contains("no version"));
}

#[test]
fn what_is_retired_is_not_served() {
    let store = with_versions(2);
    store.promote("pd", 2, "champion", &ann(), "").unwrap();
    assert!(
        text(store.retire("pd", 2, &ann(), "")).contains("version 2 of `pd` is the `champion`")
    );
    store.promote("pd", 1, "champion", &ann(), "").unwrap();
    store.retire("pd", 2, &ann(), "too old").unwrap();
    assert!(text(store.promote("pd", 2, "shadow", &ann(), "")).contains("is retired"));
    assert!(text(store.rollback("pd", "champion", &ann(), "")).contains("is retired"));
    store.remove_alias("pd", "champion", &ann(), "").unwrap();
    assert!(text(store.version("pd", None)).contains("has no champion"));
    store.restore("pd", 2, &ann(), "").unwrap();
    assert!(text(store.version("pd", None)).contains("`karat runs promote v2 --name pd`"));
}

#[test]
fn the_first_version_is_the_champion_and_no_later_one_takes_its_place() {
    let store = with_versions(0);
    let register = || store.register(&pd(), b"x", &NewVersion::default(), &ann(), "why").unwrap();
    assert_eq!(register().aliases, ["champion"]);
    assert_eq!(register().aliases, Vec::<String>::new());
    assert_eq!(store.version("pd", None).unwrap().version, 1);
    let events = store.events(&EventFilter::default()).unwrap();
    let told: Vec<_> = events.iter().map(|own| (&*own.action, &*own.why)).collect();
    assert_eq!(told, [("register", "why"), ("promote", "why"), ("register", "why")]);
    assert_eq!(store.live_at("pd", "champion", now_ms()).unwrap().unwrap().version, 1);
}

#[test]
fn a_clock_that_was_set_back_does_not_change_where_an_alias_was() {
    let store = with_versions(3);
    store.promote("pd", 2, "champion", &ann(), "").unwrap();
    // Until here the clock was a year ahead.
    let ahead = "DROP TRIGGER audit_is_final; UPDATE audit SET at_ms = at_ms + 31536000000";
    store.lock().execute_batch(ahead).unwrap();
    store.promote("pd", 3, "champion", &ann(), "").unwrap();
    store.rollback("pd", "champion", &ann(), "").unwrap();
    assert_eq!(aliases(&store), [("champion".into(), 2)]);
}

#[test]
fn tags_notes_and_settings_are_kept_and_told() {
    let store = with_versions(1);
    store.tag("pd", 1, "owner", Some("risk\u{1b}[31m"), &ann()).unwrap();
    store.tag("pd", 1, "gone", Some("x"), &ann()).unwrap();
    store.tag("pd", 1, "gone", None, &ann()).unwrap();
    store.annotate("pd", 1, &"long ".repeat(1000), &ann()).unwrap();
    let own = store.version("pd", None).unwrap();
    assert_eq!(own.tags.into_iter().collect::<Vec<_>>(), [("owner".into(), "risk[31m".into())]);
    assert!(own.note.len() <= PARAGRAPH);
    store
        .set_settings("pd", &json!({ "missing": "refuse", "log": { "a": 1 } }), &ann(), "")
        .unwrap();
    store.set_settings("pd", &json!({ "log": null, "daily": 5 }), &ann(), "").unwrap();
    let settings = store.model("pd").unwrap().unwrap().settings;
    assert_eq!(settings, json!({ "missing": "refuse", "daily": 5 }));
    assert!(store.set_settings("pd", &json!({ "split": 7 }), &ann(), "").is_err());
    assert!(store.set_settings("lgd", &json!({}), &ann(), "").is_err());
    assert_eq!(store.events(&EventFilter::default()).unwrap().len(), 8);
}

#[test]
fn only_a_challenger_gets_a_share() {
    let store = with_versions(2);
    let split = Split { challenger: 0.1, sticky: true };
    assert!(text(store.set_split("pd", split, &ann(), "")).contains("has no challenger"));
    store.promote("pd", 2, "challenger", &ann(), "").unwrap();
    store.set_split("pd", split, &ann(), "").unwrap();
    assert_eq!(store.model("pd").unwrap().unwrap().split(), split);
    for wrong in [-0.1, 1.1, f64::NAN] {
        let split = Split { challenger: wrong, sticky: true };
        assert!(store.set_split("pd", split, &ann(), "").is_err(), "{wrong}");
    }
    store.remove_alias("pd", "challenger", &ann(), "").unwrap();
    assert_eq!(store.model("pd").unwrap().unwrap().split().challenger, 0.0);
}

#[test]
fn a_change_by_anyone_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let one = Store::open(dir.path()).unwrap();
    let other = Store::open(dir.path()).unwrap();
    let before = one.data_version().unwrap();
    assert_eq!(one.data_version().unwrap(), before);
    other.register(&pd(), b"1", &NewVersion::default(), &ann(), "").unwrap();
    let between = one.data_version().unwrap();
    assert_ne!(between, before);
    one.register(&pd(), b"2", &NewVersion::default(), &ann(), "").unwrap();
    assert_ne!(one.data_version().unwrap(), between);
}

#[test]
fn two_hands_at_once_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let work = || {
        let store = Store::open(dir.path()).unwrap();
        for _ in 0..10 {
            let own = store.register(&pd(), b"model", &NewVersion::default(), &bob(), "").unwrap();
            store.promote("pd", own.version, "champion", &bob(), "").unwrap();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let store = Store::open(dir.path()).unwrap();
    // The first of all versions was the champion at once.
    assert_eq!(store.verify().unwrap(), 41);
    let versions = store.model("pd").unwrap().unwrap().versions;
    assert_eq!(
        versions.iter().map(|v| v.version).collect::<Vec<_>>(),
        (1..=20).collect::<Vec<_>>()
    );
}
