//! What operators do over HTTP: the same that they do at the terminal, with the same events in the
//! log.

use std::sync::Arc;

use serde_json::{Value, json};

use super::caller::Who;
use super::protocol::{Refusal, shown};
use super::route::{Answer, Call, Outcome, Reply, apart};
use super::server::Server;
use crate::registry::Error;
use crate::registry::store::{Actor, Done, EventFilter, KeySpec, Scope, Store, covers};

fn actor(call: &Call) -> Actor {
    match &call.who {
        Who::Nobody => Actor::key("none", "anyone, since no key was needed"),
        Who::Key(caller) => Actor::key(&caller.id, &caller.name),
    }
}

fn refused(error: &Error) -> Refusal {
    match error {
        Error::Denied { what, .. } => Refusal::bad_request(what.clone()),
        _ => Refusal::unavailable("the registry cannot be used at this moment", 1),
    }
}

/// What is asked for is understood, but things are not in the state for it.
fn conflict(error: Error) -> Refusal {
    match error {
        Error::Denied { what, .. } => Refusal { status: 409, ..Refusal::bad_request(what) },
        error => refused(&error),
    }
}

fn body(call: &Call) -> Result<Value, Refusal> {
    if call.body.is_empty() {
        return Ok(json!({}));
    }
    let body: Value = serde_json::from_slice(&call.body)
        .map_err(|_| Refusal::bad_request("the body is not JSON"))?;
    if body.is_object() { Ok(body) } else { Err(Refusal::bad_request("the body is no object")) }
}

fn text<'a>(body: &'a Value, name: &str) -> Result<Option<&'a str>, Refusal> {
    match &body[name] {
        Value::Null => Ok(None),
        Value::String(text) if text.len() <= 500 => Ok(Some(text)),
        _ => Err(Refusal::bad_request(format!("`{name}` is a text"))),
    }
}

fn number(body: &Value, name: &str) -> Result<u32, Refusal> {
    let number =
        body[name].as_f64().filter(|n| n.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(n));
    let number = number.map(|n| n as u32);
    number.ok_or_else(|| Refusal::bad_request(format!("`{name}` is missing: a number")))
}

/// A value that may be left out, but not be of another sort.
fn optional<T>(
    body: &Value,
    name: &str,
    sort: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    match &body[name] {
        Value::Null => Ok(None),
        value => read(value)
            .map(Some)
            .ok_or_else(|| Refusal::bad_request(format!("`{name}` has to be {sort}"))),
    }
}

/// A whole number above 0, which may be written as `5.0`.
fn whole(value: &Value) -> Option<i64> {
    let number = value.as_f64().filter(|n| n.fract() == 0.0 && (1.0..=9e15).contains(n))?;
    Some(number as i64)
}

/// The model of the path, if the key may know of it.
fn name<'a>(server: &Server, call: &'a Call) -> Result<&'a str, Refusal> {
    let name = call.param("model").unwrap_or_default();
    let known = server.store.models().map_err(|error| refused(&error))?;
    if call.who.sees(name) && known.iter().any(|model| model.name == name) {
        return Ok(name);
    }
    Err(Refusal::not_found(format!("there is no model `{}`", shown(name))))
}

fn done(server: &Server, call: &Call, done: &Done, why: &str) -> Outcome {
    let pending = server.store.decide(done, &actor(call), why).map_err(conflict)?.waits();
    server.renew();
    match pending {
        None => Answer::json(&json!({ "done": done })),
        Some(id) => Answer::json(&json!({ "pending": id, "waits_for": "a second person" })),
    }
}

/// `POST /v1/models/{model}/promote`.
pub(super) fn promote(server: &Arc<Server>, call: &mut Call) -> Reply {
    apart(server, call, |server, call| {
        let name = name(server, call)?.to_owned();
        let body = body(call)?;
        let alias = text(&body, "alias")?.unwrap_or("champion").to_owned();
        let version = number(&body, "version")?;
        let why = text(&body, "why")?.unwrap_or_default();
        done(server, call, &Done::Promote { name, version, alias }, why)
    })
}

/// `POST /v1/models/{model}/rollback`.
pub(super) fn rollback(server: &Arc<Server>, call: &mut Call) -> Reply {
    apart(server, call, |server, call| {
        let name = name(server, call)?.to_owned();
        let body = body(call)?;
        let alias = text(&body, "alias")?.unwrap_or("champion").to_owned();
        let why = text(&body, "why")?.unwrap_or_default();
        done(server, call, &Done::Rollback { name, alias }, why)
    })
}

/// `POST /v1/models/{model}/retire`.
pub(super) fn retire(server: &Arc<Server>, call: &mut Call) -> Reply {
    apart(server, call, |server, call| {
        let name = name(server, call)?.to_owned();
        let body = body(call)?;
        let version = number(&body, "version")?;
        let why = text(&body, "why")?.unwrap_or_default();
        done(server, call, &Done::Retire { name, version }, why)
    })
}

/// `GET /v1/audit`.
pub(super) fn audit(server: &Arc<Server>, call: &mut Call) -> Reply {
    apart(server, call, |server, call| {
        let filter = EventFilter { limit: Some(1000), ..EventFilter::default() };
        let mut events = server.store.events(&filter).map_err(|error| refused(&error))?;
        events.retain(|event| event.model.is_empty() || call.who.sees(&event.model));
        Answer::json(&json!({ "events": events }))
    })
}

/// `GET /v1/models/{model}/monitor`.
pub(super) fn monitor(server: &Arc<Server>, call: &mut Call) -> Reply {
    apart(server, call, |server, call| {
        let name = name(server, call)?;
        let windows = server.store.windows(name, None, 50).map_err(|error| refused(&error))?;
        let alerts = server.store.alerts(true).map_err(|error| refused(&error))?;
        let alerts: Vec<_> = alerts.into_iter().filter(|alert| alert.model == name).collect();
        Answer::json(&json!({ "model": name, "windows": windows, "alerts": alerts }))
    })
}

/// `POST /v1/alerts/{alert}/acknowledge`.
pub(super) fn acknowledge(server: &Arc<Server>, call: &mut Call) -> Reply {
    apart(server, call, |server, call| {
        let body = body(call)?;
        let why = text(&body, "why")?.unwrap_or_default();
        let none = || Refusal::not_found("there is no such alert");
        let id: i64 = call.param("alert").and_then(|id| id.parse().ok()).ok_or_else(none)?;
        let known = server.store.alerts(false).map_err(|error| refused(&error))?;
        let is_there = known.iter().any(|own| own.id == id && call.who.sees(&own.model));
        if !is_there {
            return Err(none());
        }
        server.store.acknowledge(id, &actor(call), why).map_err(conflict)?;
        Answer::json(&json!({ "acknowledged": id }))
    })
}

/// `GET /v1/pending`.
pub(super) fn pending(server: &Arc<Server>, call: &mut Call) -> Reply {
    apart(server, call, |server, call| {
        let mut waiting = server.store.pending().map_err(|error| refused(&error))?;
        waiting.retain(|own| call.who.sees(own.done.name()));
        Answer::json(&json!({ "pending": waiting }))
    })
}

/// `POST /v1/pending/{pending}/approve`.
pub(super) fn approve(server: &Arc<Server>, call: &mut Call) -> Reply {
    apart(server, call, |server, call| {
        let (id, why) = asked_for(server, call)?;
        let done = server.store.approve(id, &actor(call), &why).map_err(conflict)?;
        server.renew();
        Answer::json(&json!({ "approved": id, "done": done }))
    })
}

/// `POST /v1/pending/{pending}/reject`.
pub(super) fn reject(server: &Arc<Server>, call: &mut Call) -> Reply {
    apart(server, call, |server, call| {
        let (id, why) = asked_for(server, call)?;
        let done = server.store.reject(id, &actor(call), &why).map_err(conflict)?;
        Answer::json(&json!({ "rejected": id, "not_done": done }))
    })
}

/// The decision of the path, if it waits and the key may know of its model, and why.
fn asked_for(server: &Server, call: &Call) -> Result<(i64, String), Refusal> {
    let none = || Refusal::not_found("no such decision waits");
    let id: i64 = call.param("pending").and_then(|id| id.parse().ok()).ok_or_else(none)?;
    let why = text(&body(call)?, "why")?.unwrap_or_default().to_owned();
    let waiting = server.store.pending().map_err(|error| refused(&error))?;
    let is_there = waiting.iter().any(|own| own.id == id && call.who.sees(own.done.name()));
    if is_there { Ok((id, why)) } else { Err(none()) }
}

/// `GET /v1/keys`.
pub(super) fn keys(server: &Arc<Server>, call: &mut Call) -> Reply {
    apart(server, call, |server, _| {
        let keys = server.store.keys().map_err(|error| refused(&error))?;
        Answer::json(&json!({ "keys": keys }))
    })
}

/// `POST /v1/keys`.
pub(super) fn create_key(server: &Arc<Server>, call: &mut Call) -> Reply {
    apart(server, call, |server, call| {
        let body = body(call)?;
        let words = |name: &str| -> Result<Vec<String>, Refusal> {
            let wrong = || Refusal::bad_request(format!("`{name}` is an array of texts"));
            match &body[name] {
                Value::Null => Ok(Vec::new()),
                Value::Array(all) => all
                    .iter()
                    .map(|own| own.as_str().map(str::to_owned).ok_or_else(wrong))
                    .collect(),
                _ => Err(wrong()),
            }
        };
        let scopes = words("scopes")?
            .iter()
            .map(|word| Scope::parse(word))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| refused(&error))?;
        let mut models = words("models")?;
        // Nobody gives away more than they have.
        if let Who::Key(caller) = &call.who {
            if models.is_empty() {
                models.clone_from(&caller.models);
            } else if !covers(&caller.models, &models) {
                return Err(Refusal::forbidden("`models` go beyond those of this key"));
            }
        }
        let spec = KeySpec {
            name: text(&body, "name")?.unwrap_or_default().to_owned(),
            scopes,
            models,
            expires_ms: optional(&body, "expires_ms", "a whole number", whole)?,
            rate_per_second: optional(&body, "rate_per_second", "a number", Value::as_f64)?,
            burst: optional(&body, "burst", "a number", Value::as_f64)?,
            daily_requests: optional(&body, "daily_requests", "a whole number", whole)?
                .map(i64::cast_unsigned),
            daily_rows: optional(&body, "daily_rows", "a whole number", whole)?
                .map(i64::cast_unsigned),
        };
        for scope in &spec.scopes {
            call.who.may(*scope)?;
        }
        let why = text(&body, "why")?.unwrap_or_default();
        let made = server.store.create_key(&spec, &actor(call), why);
        let new = made.map_err(conflict)?;
        server.renew();
        Answer::json(&json!({ "id": new.key.id, "key": new.shown }))
    })
}

/// `DELETE /v1/keys/{key}`.
pub(super) fn revoke_key(server: &Arc<Server>, call: &mut Call) -> Reply {
    apart(server, call, |server, call| {
        let id = call.param("key").unwrap_or_default();
        let store: &Store = &server.store;
        let known = store.keys().map_err(|error| refused(&error))?;
        if !known.iter().any(|key| key.id == id) {
            return Err(Refusal::not_found("there is no such key"));
        }
        store.revoke_key(id, &actor(call), "").map_err(|error| refused(&error))?;
        server.renew();
        Answer::json(&json!({ "revoked": id }))
    })
}
