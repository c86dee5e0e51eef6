//! Keys, presented rightly and wrongly.

use super::*;

fn spec() -> KeySpec {
    KeySpec {
        name: "batch\u{1b}[2J job".into(),
        scopes: vec![Scope::Explain, Scope::Infer, Scope::Infer],
        models: vec!["credit-*".into()],
        ..Default::default()
    }
}

#[test]
fn a_key_opens_what_it_was_made_for() {
    let store = with_versions(0);
    let NewKey { key, shown } = store.create_key(&spec(), &ann(), "").unwrap();
    assert!(shown.starts_with(&format!("karat_live_{}_", key.id)), "{shown}");
    assert_eq!(key.name, "batch[2J job");
    let ring = store.keyring().unwrap();
    let found = ring.verify(&shown, now_ms()).unwrap();
    assert_eq!(*found, key);
    assert!(found.may(Scope::Infer) && !found.may(Scope::Admin));
    assert!(found.knows("credit-pd") && !found.knows("fraud"));
    assert_eq!(store.keys().unwrap(), [key]);
}

#[test]
fn the_secret_is_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let shown = store.create_key(&spec(), &ann(), "").unwrap().shown;
    let secret = &shown[shown.len() - 36..shown.len() - 6];
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        assert!(!bytes.windows(30).any(|w| w == secret.as_bytes()), "{}", path.display());
    }
}

#[test]
fn a_refusal_says_why() {
    let store = with_versions(0);
    let spec = KeySpec { expires_ms: Some(now_ms() + 60_000), ..spec() };
    let own = store.create_key(&spec, &ann(), "").unwrap();
    let check = |presented: &str, at, expected| {
        assert_eq!(
            store.keyring().unwrap().verify(presented, at).map(drop),
            expected,
            "{presented}"
        );
    };
    let now = now_ms();
    check(&own.shown, now, Ok(()));
    check(&own.shown, now + 60_001, Err(Refused::Expired));
    check(&own.shown[..40], now, Err(Refused::Malformed));
    check("Bearer x", now, Err(Refused::Malformed));
    let other = secret::key(&own.key.id, &"A".repeat(secret::SECRET));
    check(&other, now, Err(Refused::Unknown));
    check(&secret::key("0123456789", &"A".repeat(secret::SECRET)), now, Err(Refused::Unknown));
    store.revoke_key(&own.key.id, &ann(), "leaked").unwrap();
    check(&own.shown, now, Err(Refused::Revoked));
    check(&other, now, Err(Refused::Unknown));
    assert!(store.revoke_key(&own.key.id, &ann(), "").is_err());
    assert!(store.rotate_key(&own.key.id, 0, &ann(), "").is_err());
}

#[test]
fn a_turned_key_has_two_secrets_for_a_while() {
    let store = with_versions(0);
    let one = store.create_key(&spec(), &ann(), "for the night").unwrap();
    let two = store.rotate_key("batch[2J job", 60_000, &ann(), "a year is over").unwrap();
    assert_eq!(one.key.id, two.key.id);
    let ring = store.keyring().unwrap();
    let now = now_ms();
    assert!(ring.verify(&one.shown, now).is_ok() && ring.verify(&two.shown, now).is_ok());
    assert_eq!(ring.verify(&one.shown, now + 60_001).map(drop), Err(Refused::Unknown));
    assert!(ring.verify(&two.shown, now + 60_001).is_ok());
    let events = store.events(&EventFilter::default()).unwrap();
    let whys = |action: &str| -> Vec<&str> {
        events.iter().filter(|own| own.action == action).map(|own| &own.why as &str).collect()
    };
    assert_eq!(whys("create key"), ["for the night"]);
    assert_eq!(whys("rotate key"), ["a year is over"]);
}

#[test]
fn wrong_wishes_are_refused() {
    let store = with_versions(0);
    let check = |spec: KeySpec, word: &str| {
        let text = text(store.create_key(&spec, &ann(), ""));
        assert!(text.contains(word), "{text}");
    };
    check(KeySpec { scopes: vec![], ..spec() }, "needs a scope");
    check(KeySpec { models: vec!["a,b".into()], ..spec() }, "`a,b` is no pattern");
    check(KeySpec { rate_per_second: Some(f64::NAN), ..spec() }, "above 0");
    check(
        KeySpec { expires_ms: Some(1), ..spec() },
        "in the past\nhint: for example `--expires 90`",
    );
    assert!(text(store.revoke_key("nobody", &ann(), "")).contains("no key `nobody`"));
}

#[test]
fn use_is_noted_and_never_goes_back() {
    let store = with_versions(0);
    let own = store.create_key(&spec(), &ann(), "").unwrap().key;
    store.touch_keys(&[(own.id.clone(), 7_000), ("gone".into(), 9)]).unwrap();
    store.touch_keys(&[(own.id, 5_000)]).unwrap();
    assert_eq!(store.keys().unwrap()[0].last_used_ms, Some(7_000));
}
