//! Who is the same person: by login, by key, and as whoever stands behind a key.
//!
//! A key acts for those who made it and turned it, since they have seen its secret; and when those
//! were keys in turn, for those behind them. What the log of decisions says of that counts, and not
//! what a key is called.

use rusqlite::Connection;

use super::actor::Login;
use super::audit::{self, Event};
use super::{Actor, Refusal, Via, chain, plain};

/// Everyone who stands behind an actor.
#[derive(Debug, Default)]
struct Behind {
    ways: Vec<Via>,
    logins: Vec<Login>,
}

/// Whether two may be the same person.
pub(super) fn is_same(
    connection: &Connection,
    one: &Actor,
    other: &Actor,
) -> Result<bool, Refusal> {
    let (ours, theirs) = (behind(connection, one)?, behind(connection, other)?);
    let is_one = |own: &Login| theirs.logins.iter().any(|login| own.may_be(login));
    Ok(ours.ways.iter().any(|way| theirs.ways.contains(way)) || ours.logins.iter().any(is_one))
}

/// Whether anyone is known to stand behind an actor.
pub(super) fn is_known(connection: &Connection, actor: &Actor) -> Result<bool, Refusal> {
    Ok(actor.via == Via::Schedule || !behind(connection, actor)?.logins.is_empty())
}

/// The person who last set when a model is trained again, for whom the schedule acts.
pub(super) fn who_scheduled(
    connection: &Connection,
    model: &str,
) -> Result<Option<Actor>, Refusal> {
    let schedule = Via::Schedule.text();
    let set = audit::told(connection, model, "", &["retraining"])?;
    let last = set.iter().rev().find(|event| event.via != schedule);
    last.map(actor_of).transpose()
}

fn behind(connection: &Connection, actor: &Actor) -> Result<Behind, Refusal> {
    let mut found = Behind::default();
    let mut ahead = vec![actor.clone()];
    while let Some(actor) = ahead.pop() {
        if actor.via == Via::Login {
            found.logins.push(Login::parse(&plain(&actor.who)));
            continue;
        }
        if found.ways.contains(&actor.via) {
            continue;
        }
        if let Via::Key(id) = &actor.via {
            for event in audit::told(connection, "", id, &["create key", "rotate key"])? {
                ahead.push(actor_of(&event)?);
            }
        }
        found.ways.push(actor.via);
    }
    Ok(found)
}

/// Who decided, if the event is as it was written.
fn actor_of(event: &Event) -> Result<Actor, Refusal> {
    if !chain::is_whole(event) {
        return Err(chain::broken(event.seq, "was altered").into());
    }
    Ok(Actor { who: event.who.clone(), via: Via::parse(&event.via) })
}
