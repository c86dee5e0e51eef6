//! The body of a request, read and unpacked within limits: those of one request, and room for all
//! bodies together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::protocol::{Limits, Refusal, unpack};
use super::route::{Access, Route};
use crate::registry::store::Scope;

/// Time for a body to arrive,
const PATIENCE: Duration = Duration::from_secs(30);
/// and for one that is not wanted.
const HASTE: Duration = Duration::from_secs(2);
/// What an operator sends is never larger than this, in bytes;
const ORDERS: usize = 64 << 10;
/// nor are labels;
const LABELS: usize = 8 << 20;
/// nor rows of the old protocol, which are read into a tree.
const TREE: usize = 8 << 20;
/// All bodies that are on their way together, as a multiple of the largest.
const TOGETHER: usize = 16;

/// Room for the bodies that are on their way.
#[derive(Clone, Debug)]
pub(super) struct Room {
    used: Arc<AtomicUsize>,
    most: usize,
}

/// Taken room; it is given back when dropped.
struct Taken<'a>(&'a AtomicUsize, usize);

impl Room {
    /// Room for bodies of which none is larger than `largest`.
    pub(super) fn new(largest: usize) -> Self {
        Self { used: Arc::default(), most: largest.saturating_mul(TOGETHER) }
    }

    fn take(&self, n: usize) -> Option<Taken<'_>> {
        let fits = |used: usize| used.checked_add(n).filter(|used| *used <= self.most);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).ok()?;
        Some(Taken(&self.used, n))
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::Relaxed);
    }
}

/// The bounds of a body on this route: rows may be many, orders are short.
fn limits_of(route: &Route, limits: &Limits) -> Limits {
    let most = match route.access {
        Access::Needs(Scope::Infer) => return *limits,
        Access::Needs(Scope::Feedback) => LABELS,
        Access::AnyKey if route.path.starts_with("/v1/") => TREE,
        _ => ORDERS,
    };
    Limits {
        max_body: limits.max_body.min(most),
        max_decompressed: limits.max_decompressed.min(most),
        ..*limits
    }
}

/// How many bytes will come and have to be looked at, where the request tells: it is none of those
/// that are too long, are packed, or wait to be asked for.
pub(super) fn told(route: &Route, limits: &Limits, headers: &HeaderMap) -> Option<usize> {
    let is_plain =
        [header::CONTENT_ENCODING, header::EXPECT].iter().all(|name| !headers.contains_key(name));
    let told = length(headers).filter(|told| *told <= limits_of(route, limits).max_body);
    told.filter(|_| is_plain)
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Takes a body of so many bytes in and keeps nothing of it, so that the connection stays good for
/// the next request.
pub(super) async fn pass_over(n_bytes: usize, body: Body) {
    let mut body = Limited::new(body, n_bytes);
    let whole = async { while let Some(Ok(_)) = body.frame().await {} };
    // Where it does not come the connection is closed.
    let _ = tokio::time::timeout(HASTE, whole).await;
}

/// Reads the body of a request; of those that have no use for one it is not read at all.
pub(super) async fn read(
    route: &Route,
    room: &Room,
    limits: &Limits,
    headers: &HeaderMap,
    body: Body,
) -> Result<Bytes, Refusal> {
    if route.method != "POST" {
        return Ok(Bytes::new());
    }
    let limits = limits_of(route, limits);
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let told = length(headers);
    let too_large =
        || Refusal::too_large(format!("the body is larger than {} bytes", limits.max_body));
    if told.is_some_and(|told| told > limits.max_body) {
        return Err(too_large());
    }
    let Some(_taken) = room.take(told.unwrap_or(limits.max_body)) else {
        return Err(Refusal::unavailable("too many large requests are on their way", 1));
    };
    let whole = Limited::new(body, limits.max_body).collect();
    let whole = match tokio::time::timeout(PATIENCE, whole).await {
        Err(_) => {
            return Err(Refusal { status: 408, ..Refusal::bad_request("the body took too long") });
        }
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large()),
        Ok(Err(_)) => return Err(Refusal::bad_request("the body broke off")),
        Ok(Ok(whole)) => whole.to_bytes(),
    };
    match text(header::CONTENT_ENCODING) {
        None => Ok(whole),
        encoding => unpack(encoding, whole, &limits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_bounded_and_given_back() {
        let room = Room::new(10);
        let first = room.take(100).unwrap();
        let _second = room.take(60).unwrap();
        assert!(room.take(1).is_none());
        drop(first);
        assert!(room.take(100).is_some());
        assert!(room.take(usize::MAX).is_none());
    }
}
