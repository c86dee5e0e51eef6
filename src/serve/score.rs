//! `POST /v1/models/{model}/score`: karat's own form, made for people and `curl`.

use std::sync::Arc;
use std::time::Instant;

use super::form;
use super::log;
use super::protocol::{Refusal, shown};
use super::route::{Answer, Call, JSON, Outcome, Reply};
use super::scoring::{self, Rows, Taken, Wanted, decision};
use super::served::Served;
use super::server::{Server, new_id};
use super::status::Line;
use super::table::Found;
use super::told::{self, Ids};
use crate::explain::Background;
use crate::features::Given;
use crate::models::{MissingPolicy, REQUIRED, RowInput, RowScorer};
use crate::registry::store::{Scope, now_ms};

/// Rows that are explained at once;
const MOST_EXPLAINED: usize = 1_000;
/// and by models whose explanations take long.
const MOST_SLOWLY: usize = 100;

/// What has to be known to finish an answer.
pub(super) struct Asked {
    pub(super) found: Found,
    pub(super) rows: Box<dyn Rows + Send>,
    pub(super) wanted: Wanted,
    pub(super) ids: Ids,
    /// What the caller calls the request.
    pub(super) request_id: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) key: String,
    pub(super) unknown: Vec<String>,
}

/// What arrived: when the whole request was there, and the length of its body.
#[derive(Clone, Copy)]
struct Arrived {
    since: Instant,
    n_bytes: usize,
}

/// Answers.
pub(super) fn score(server: &Arc<Server>, call: &mut Call) -> Reply {
    let asked = match read(server, call) {
        Ok(asked) => asked,
        Err(refusal) => return server.refused(call, refusal),
    };
    answer(server, call, asked, |asked, taken| {
        let body = told::Body {
            served: &asked.found.served,
            alias: asked.found.alias.as_deref(),
            request_id: asked.request_id.as_deref(),
            ignored: &asked.unknown,
            ids: &asked.ids,
            rows: &*asked.rows,
            wanted: asked.wanted,
        };
        body.write(taken).map(|body| Answer::bytes(JSON, body))
    })
}

fn read(server: &Arc<Server>, call: &mut Call) -> Result<Asked, Refusal> {
    let sticky = call.who.sticky();
    let found = server.find(call, call.param("version"), &sticky)?;
    call.served = Some(Arc::clone(&found.served));
    let content_type = call.header("content-type");
    let limits = &server.options.limits;
    let request = form::parse(content_type, &call.body, &found.served.places, limits)?;
    let background = match request.background.as_deref() {
        None => None,
        Some("all") => Some(Background::All),
        Some("near_threshold") => Some(Background::NearThreshold),
        Some(_) => {
            let what = "`background` is one of `all` and `near_threshold`";
            return Err(Refusal::bad_request(what));
        }
    };
    let wanted = Wanted { reasons: request.reasons, attributions: request.explain, background };
    if wanted.attributions || wanted.reasons {
        call.who.may(Scope::Explain)?;
    }
    if !request.rows.unknown.is_empty() && request.rows.is_empty() {
        let names: Vec<String> = request.rows.unknown.iter().map(|name| shown(name)).collect();
        return Err(Refusal::bad_request(format!(
            "no field of the model is given, but `{}`",
            names.join("`, `")
        )));
    }
    let n_rows = request.rows.n_rows;
    call.who.charge_rows(n_rows)?;
    Ok(Asked {
        unknown: request.rows.unknown.clone(),
        ids: Ids { base: new_id(), n_rows },
        request_id: request_id(request.id)?,
        rows: Box::new(request.rows),
        wanted,
        subject: request.subject,
        key: call.who.id(),
        found,
    })
}

/// What a caller calls a request, if it can be told back as it is.
fn request_id(given: Option<String>) -> Result<Option<String>, Refusal> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    match given.filter(|id| !id.is_empty()) {
        Some(id) if id.len() > 100 || !id.chars().all(is_plain) => Err(Refusal::bad_request(
            "`id` may have up to 100 letters, digits, and `-`, `_`, `.`, `:`",
        )),
        given => Ok(given),
    }
}

/// Scores what was asked, at once or after a network has, and lets `tell` make the answer of it.
pub(super) fn answer(
    server: &Arc<Server>,
    call: &mut Call,
    asked: Asked,
    tell: impl Fn(&Asked, &Taken) -> Outcome + Send + Sync + 'static,
) -> Reply {
    let arrived = Arrived { since: call.since, n_bytes: call.body.len() };
    let served = Arc::clone(&asked.found.served);
    call.line.model = format!("{}/{}", served.name, served.version);
    call.line.rows = asked.rows.n_rows() as u64;
    let n_rows = asked.rows.n_rows();
    let most = if served.is_gathered() { MOST_SLOWLY } else { MOST_EXPLAINED };
    if asked.wanted.attributions && n_rows > most {
        let what = format!("{n_rows} rows are to be explained; up to {most} can be at once");
        return Reply::Now(Err(Refusal::bad_request(what)));
    }
    let taken = scoring::take(&served, &*asked.rows, asked.wanted);
    let mut taken = match taken {
        Ok(taken) => taken,
        Err(mut refusal) => {
            if !asked.unknown.is_empty() && refusal.message.contains(REQUIRED) {
                let names = asked.unknown.join("`, `");
                refusal.message = format!("{}; the model has no field `{names}`", refusal.message);
            }
            served.count(false, 0, arrived.since.elapsed().as_nanos() as u64, now_ms() as u64);
            server.count(&served, refusal.status);
            return Reply::Now(Err(refusal));
        }
    };
    if !served.is_gathered() {
        let outcome = finish(server, asked, taken, arrived, &mut call.line, &tell);
        return Reply::Now(outcome);
    }
    let (server, mut line) = (Arc::clone(server), call.line.clone());
    Reply::Later(Box::pin(async move {
        // Explanations take long: they are made where they hold up no other request.
        let ticket = if asked.wanted.attributions {
            server.explanations.enter(served.explaining.cost(n_rows)).map(Some)
        } else {
            Some(None)
        };
        let scored = match ticket {
            None => Err(Refusal::unavailable("too much waits to be explained", 1)),
            Some(ticket) => {
                scoring::gathered(&served, &server.pool, &mut taken).await.map(|()| ticket)
            }
        };
        match scored {
            Ok(None) => {
                let outcome = finish(&server, asked, taken, arrived, &mut line, &tell);
                (outcome, line)
            }
            Ok(Some(ticket)) => {
                let own = Arc::clone(&server);
                let told = server.explanations.work(ticket, move || {
                    let begun = Instant::now();
                    let outcome = finish(&own, asked, taken, arrived, &mut line, &tell);
                    served.explaining.learn(n_rows, begun.elapsed());
                    (outcome, line)
                });
                let failed = || (Err(Refusal::internal("no explanation")), Line::default());
                told.await.unwrap_or_else(failed)
            }
            Err(refusal) => {
                if refusal.status == 503 {
                    server.metrics.shed.inc();
                }
                let took = arrived.since.elapsed().as_nanos() as u64;
                served.count(false, 0, took, now_ms() as u64);
                server.count(&served, refusal.status);
                (Err(refusal), line)
            }
        }
    }))
}

/// Tells, counts, logs, and lets the shadow have a look.
fn finish(
    server: &Arc<Server>,
    asked: Asked,
    taken: Taken,
    arrived: Arrived,
    line: &mut Line,
    tell: &dyn Fn(&Asked, &Taken) -> Outcome,
) -> Outcome {
    let served = &asked.found.served;
    let outcome = tell(&asked, &taken);
    let took = arrived.since.elapsed();
    let is_good = outcome.is_ok();
    served.count(is_good, taken.n_rows as u64, took.as_nanos() as u64, now_ms() as u64);
    server.count(served, outcome.as_ref().map_or_else(|refusal| refusal.status, |a| a.status));
    if is_good {
        if taken.n_rows > 0 {
            let score = taken.score_of(0);
            line.score = Some(score);
            decision(served, score).unwrap_or_default().clone_into(&mut line.decision);
        }
        shadow(&asked, &taken);
        log::offer(server, asked, taken, arrived.n_bytes, took);
    }
    outcome
}

/// Lets the shadow score the same rows, and notes the differences. Only versions that answer at
/// once are asked here.
fn shadow(asked: &Asked, taken: &Taken) {
    let Some((shadow, differences)) = &asked.found.shadow else { return };
    if shadow.is_gathered() {
        differences.pass_over(taken.n_rows as u64);
        return;
    }
    let served: &Served = &asked.found.served;
    let mut given = Vec::new();
    let mut input = RowInput::default();
    let mut outputs = Vec::new();
    for row in 0..taken.n_rows {
        given.clear();
        asked.rows.put(row, &mut given);
        let own: Vec<Given<'_>> = shadow
            .scorer
            .fields
            .iter()
            .map(|field| served.places.get(&field.name).map_or(Given::Missing, |at| given[*at]))
            .collect();
        let policy = MissingPolicy::Fill;
        if shadow.scorer.take(&own, policy, &mut input, |_, _, _| ()).is_err() {
            differences.pass_over(1);
            continue;
        }
        shadow.scorer.outputs(&input, &mut outputs);
        let (answered, other) = (taken.score_of(row), RowScorer::score(&outputs));
        let is_other = decision(served, answered) != decision(shadow, other);
        differences.add(answered, other, is_other);
    }
}
