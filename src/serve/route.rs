//! The way of a request: found in the table, allowed, read within limits, answered, counted.
//!
//! [`ROUTES`](super::ROUTES) is the only list of what can be asked, and each entry says who may.
//! What is not in it does not exist.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::routing::{MethodFilter, MethodRouter, on};

use super::ahead::Pace;
use super::body;
use super::caller::Who;
use super::limit::Left;
use super::protocol::{Refusal, pack};
use super::served::Served;
use super::server::Server;
use super::status::Line;
use crate::registry::store::{Scope, now_ms};

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Anyone: it tells nothing but that the server lives.
    Open,
    /// Whoever has a key that is good, whatever it is for.
    AnyKey,
    /// Whoever has a key with this scope.
    Needs(Scope),
}

/// One thing that can be asked.
pub(super) struct Route {
    pub(super) method: &'static str,
    /// With `{model}`, `{version}` and the like for what varies.
    pub(super) path: &'static str,
    pub(super) access: Access,
    pub(super) about: &'static str,
    pub(super) handle: fn(&Arc<Server>, &mut Call) -> Reply,
}

/// A request that has been let in.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) route: &'static Route,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) who: Who,
    /// When the whole request was there.
    pub(super) since: Instant,
    /// The version that is to answer, once it is known.
    pub(super) served: Option<Arc<Served>>,
    /// What the live log will show of it.
    pub(super) line: Line,
}

/// What is sent back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
    pub(super) headers: Vec<(&'static str, String)>,
}

pub(super) type Outcome = Result<Answer, Refusal>;

/// An answer at once, or later.
pub(super) enum Reply {
    Now(Outcome),
    Later(Pin<Box<dyn Future<Output = (Outcome, Line)> + Send>>),
}

impl From<Outcome> for Reply {
    fn from(outcome: Outcome) -> Self {
        Self::Now(outcome)
    }
}

/// Does work that waits for the disk on a thread where it holds up no other request.
pub(super) fn apart(
    server: &Arc<Server>,
    call: &Call,
    work: fn(&Server, &Call) -> Outcome,
) -> Reply {
    let (server, call) = (Arc::clone(server), call.clone());
    Reply::Later(Box::pin(async move {
        let told = tokio::task::spawn_blocking(move || (work(&server, &call), call.line)).await;
        told.unwrap_or_else(|_| (Err(broken()), Line::default()))
    }))
}

/// Exactly this, since clients compare the whole header.
pub(super) const JSON: &str = "application/json";

impl Answer {
    pub(super) fn json(value: &impl serde::Serialize) -> Outcome {
        // Every answer is of types that JSON has.
        let body = serde_json::to_vec(value).map_err(|_| Refusal::internal("no answer"))?;
        Ok(Self::bytes(JSON, body))
    }

    pub(super) fn bytes(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status: 200, content_type, body: body.into(), headers: Vec::new() }
    }
}

impl Call {
    /// What stands in the path for `{name}`.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        let pattern = self.route.path.split('/');
        let is_meant =
            |part: &str| part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) == Some(name);
        pattern.zip(self.path.split('/')).find(|(part, _)| is_meant(part)).map(|(_, own)| own)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Everything that can be asked, as axum takes it.
pub(super) fn router(server: &Arc<Server>, routes: &'static [Route]) -> Router {
    let mut router = Router::new();
    let mut paths: Vec<&str> = routes.iter().map(|route| route.path).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        let allow = allowed(routes, path);
        let mut methods = MethodRouter::new();
        for route in routes.iter().filter(|route| route.path == path) {
            let filter = match route.method {
                "POST" => MethodFilter::POST,
                "DELETE" => MethodFilter::DELETE,
                _ => MethodFilter::GET,
            };
            let server = Arc::clone(server);
            let pace = Arc::new(Pace::default());
            methods = methods.merge(on(filter, move |request: Request| {
                let (server, pace) = (Arc::clone(&server), Arc::clone(&pace));
                async move { answer(&server, route, &pace, request).await }
            }));
        }
        let server = Arc::clone(server);
        methods = methods.fallback(move |request: Request| {
            let server = Arc::clone(&server);
            // A name with a verb behind it takes other methods than the name alone.
            let has_verb = request.uri().path().contains(':');
            let allow = match (path, has_verb) {
                ("/v1/models/{model}", true) => "POST",
                ("/v1/models/{model}", false) => "GET, HEAD",
                _ => allow,
            };
            async move { nowhere(&server, routes, &request, Refusal::method_not_allowed(allow)) }
        });
        router = router.route(path, methods);
    }
    let server = Arc::clone(server);
    router.fallback(move |request: Request| {
        let server = Arc::clone(&server);
        async move { nowhere(&server, routes, &request, Refusal::not_found("Not Found")) }
    })
}

/// The answer to what leads nowhere, which is counted and noted like any other.
fn nowhere(
    server: &Server,
    routes: &[Route],
    request: &Request,
    refusal: Refusal,
) -> Response<Body> {
    let n = server.pulse.beat(refusal.status, Duration::ZERO);
    if n <= ASTRAY {
        // Whoever asks has shown no key, and may have put anything into the path.
        let is_known =
            |word: &&str| routes.iter().any(|own| own.path.split('/').any(|w| w == *word));
        let words = request.uri().path().split('/').skip(1).take(DEEPEST);
        let words = words.map(|word| Some(word).filter(is_known).unwrap_or("…"));
        server.remember(Line {
            at_ms: now_ms(),
            status: refusal.status,
            asked: format!("{} /{}", request.method(), words.collect::<Vec<_>>().join("/")),
            refusal: refusal.message.clone(),
            ..Line::default()
        });
    }
    response(Err(refusal), None, None)
}

/// The methods of a path, for the header `Allow`.
fn allowed(routes: &[Route], path: &str) -> &'static str {
    let has = |method| routes.iter().any(|r| r.path == path && r.method == method);
    match (has("GET"), has("POST"), has("DELETE")) {
        (true, true, true) => "GET, HEAD, POST, DELETE",
        (true, true, false) => "GET, HEAD, POST",
        (true, false, true) => "GET, HEAD, DELETE",
        (true, false, false) => "GET, HEAD",
        (false, true, true) => "POST, DELETE",
        (false, false, true) => "DELETE",
        _ => "POST",
    }
}

/// So many requests of a second are noted even while nobody looks at the live log.
const NOTED: u32 = 50;
/// Of those that lead nowhere so many, so that they drive out no others;
const ASTRAY: u32 = 5;
/// and of their paths so many words.
const DEEPEST: usize = 8;
/// Headers by which clients know their requests again.
const MARKS: [&str; 2] = ["x-request-id", "seldon-puid"];
/// Time for an answer.
const ANSWER: Duration = Duration::from_mins(1);
/// A body of fewer bytes is answered at once: how long it takes says more of the machine than of it.
const SMALL: usize = 4_096;
/// Work that is expected to take less than this, in nanoseconds, is done at once.
const LIGHT: u64 = 100_000;
/// When to come back after the server had too much to do.
const SOON: u32 = 1;

/// Keeps count of the requests that are being answered, however they end.
struct InFlight<'a>(&'a Server);

impl<'a> InFlight<'a> {
    fn enter(server: &'a Server) -> Option<Self> {
        let n = server.metrics.inflight.inc();
        let own = Self(server);
        (n < server.options.max_in_flight).then_some(own)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.metrics.inflight.dec();
    }
}

async fn answer(
    server: &Arc<Server>,
    route: &'static Route,
    pace: &Pace,
    request: Request,
) -> Response<Body> {
    let start = Instant::now();
    let (parts, body) = request.into_parts();
    let marks = MARKS.map(|name| parts.headers.get(name).filter(|own| own.len() <= 200).cloned());
    let accept = parts.headers.get(header::ACCEPT_ENCODING).cloned();
    let mut line = Line { at_ms: now_ms(), ..Line::default() };
    let mut left = None;
    let outcome = 'answered: {
        let Some(in_flight) = InFlight::enter(server) else {
            break 'answered Err(overloaded(server));
        };
        if route.access != Access::Open && server.lag.is_late() {
            break 'answered Err(overloaded(server));
        }
        let who = match server.admit(route.access, &parts.headers) {
            Ok(who) => who,
            Err(refusal) => break 'answered Err(refusal),
        };
        if let Who::Key(caller) = &who {
            line.key.clone_from(&caller.id);
            match caller.charge() {
                Ok(of_key) => left = of_key,
                Err(refusal) => break 'answered Err(refusal),
            }
        }
        let limits = &server.options.limits;
        if is_scored(route)
            && let Some(told) = body::told(route, limits, &parts.headers)
            && told > SMALL
            && !server.workshop.has_room(pace.cost(told), LIGHT)
        {
            // What would be refused anyway is not even kept.
            drop(in_flight);
            body::pass_over(told, body).await;
            break 'answered Err(overloaded(server));
        }
        let body = match body::read(route, &server.room, limits, &parts.headers, body).await {
            Ok(body) => body,
            Err(refusal) => break 'answered Err(refusal),
        };
        let since = Instant::now();
        let units = body.len();
        let is_large = is_scored(route) && units > SMALL;
        let mut call = Call {
            route,
            path: parts.uri.path().to_owned(),
            headers: parts.headers,
            body,
            who,
            since,
            served: None,
            line,
        };
        let cost = if is_large { pace.cost(units) } else { 0 };
        let (reply, handling) = if cost <= LIGHT {
            let begun = Instant::now();
            (handle(server, &mut call), begun.elapsed())
        } else {
            let Some(ticket) = server.workshop.enter(cost) else {
                line = call.line;
                break 'answered Err(overloaded(server));
            };
            let own = Arc::clone(server);
            let work = move || {
                let begun = Instant::now();
                let reply = handle(&own, &mut call);
                (reply, call, begun.elapsed())
            };
            let Some((reply, own, handling)) = server.workshop.work(ticket, work).await else {
                line = Line::default();
                break 'answered Err(broken());
            };
            call = own;
            (reply, handling)
        };
        if is_large {
            pace.learn(units, handling);
        }
        match reply {
            Reply::Now(outcome) => {
                line = call.line;
                outcome
            }
            Reply::Later(later) => {
                if let Ok((outcome, told)) = tokio::time::timeout(ANSWER, caught(later)).await {
                    line = told;
                    outcome
                } else {
                    line = call.line;
                    Err(Refusal::unavailable("the answer took too long", SOON))
                }
            }
        }
    };
    let took = start.elapsed();
    let status = match &outcome {
        Ok(answer) => answer.status,
        Err(refusal) => refusal.status,
    };
    let n = server.pulse.beat(status, took);
    if (n <= NOTED || server.is_watched()) && route.access != Access::Open {
        line.status = status;
        line.asked = format!("{} {}", route.method, route.path);
        line.micros = took.as_micros() as u64;
        if let Err(refusal) = &outcome {
            line.refusal.clone_from(&refusal.message);
        }
        server.remember(line);
    }
    let accept = accept.as_ref().and_then(|accept| accept.to_str().ok());
    let mut response = response(outcome, accept, left);
    // What a client calls its request is told it again.
    for (name, mark) in MARKS.iter().zip(marks) {
        if let Some(mark) = mark {
            response.headers_mut().insert(HeaderName::from_static(name), mark);
        }
    }
    response
}

/// Whether the work of a route grows with what is sent.
fn is_scored(route: &Route) -> bool {
    route.method == "POST" && matches!(route.access, Access::AnyKey | Access::Needs(Scope::Infer))
}

/// What a route answers; should it panic, that is answered too.
fn handle(server: &Arc<Server>, call: &mut Call) -> Reply {
    catch_unwind(AssertUnwindSafe(|| (call.route.handle)(server, call)))
        .unwrap_or_else(|_| Reply::Now(Err(broken())))
}

fn overloaded(server: &Server) -> Refusal {
    server.metrics.shed.inc();
    if let Some(log) = &server.log {
        log.give_way();
    }
    Refusal::unavailable("the server has too much to do", SOON)
}

/// An answer that is made later; should making it panic, that is answered too.
async fn caught(
    mut later: Pin<Box<dyn Future<Output = (Outcome, Line)> + Send>>,
) -> (Outcome, Line) {
    std::future::poll_fn(move |context| {
        catch_unwind(AssertUnwindSafe(|| later.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready((Err(broken()), Line::default())))
    })
    .await
}

/// What is told when the program itself is wrong.
fn broken() -> Refusal {
    Refusal::internal("the server has made a mistake")
}

/// An answer or a refusal as it is sent.
fn response(outcome: Outcome, accept: Option<&str>, left: Option<Left>) -> Response<Body> {
    let (status, content_type, body, headers) = match outcome {
        Ok(answer) => (answer.status, answer.content_type, answer.body, answer.headers),
        Err(refusal) => {
            let body = Bytes::from(refusal.body());
            (refusal.status, JSON, body, refusal.headers())
        }
    };
    let (encoding, body) = if accept.is_some() { pack(accept, body) } else { (None, body) };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let own = response.headers_mut();
    own.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    own.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    own.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(encoding) = encoding {
        own.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    if let Some(left) = left {
        own.insert("ratelimit-limit", left.limit.into());
        own.insert("ratelimit-remaining", left.remaining.into());
        own.insert("ratelimit-reset", left.reset.into());
    }
    for (name, value) in headers {
        // A value that is no header is left out rather than sent.
        if let Ok(value) = HeaderValue::from_str(&value) {
            own.insert(name, value);
        }
    }
    response
}
