//! What the server says when it does not answer: a status, a sentence, and the headers it needs.

use serde::Serialize;

/// A name from outside is shown up to so many characters.
const SHOWN: usize = 64;

/// Why a request got no answer; every one of them is sent as `{"error": "…"}`.
///
/// Messages name fields, positions and counts, never the values somebody sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The HTTP status, 400 to 503.
    pub status: u16,
    /// One sentence for the caller.
    pub message: String,
    /// After so many seconds the caller may try again (`Retry-After`).
    pub retry_after: Option<u32>,
    /// The methods that would have been right (`Allow`).
    pub allow: Option<&'static str>,
    /// The encodings that would have been right (`Accept-Encoding`).
    pub accept_encoding: Option<&'static str>,
    /// How to say who one is (`WWW-Authenticate`).
    pub authenticate: Option<&'static str>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
}

impl Refusal {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            retry_after: None,
            allow: None,
            accept_encoding: None,
            authenticate: None,
        }
    }

    /// 400: the request is not what the protocol asks for.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// 401: no key, or one that is not known; says how to send one.
    pub fn unauthorised(message: impl Into<String>) -> Self {
        Self { authenticate: Some("Bearer"), ..Self::new(401, message) }
    }

    /// 403: a known key that may not do this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, message)
    }

    /// 404: no such path, model or version, or one the key may not know of.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, message)
    }

    /// 405: the path exists, but only for the methods in `allow`, as in `GET, HEAD`.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::new(405, format!("method not allowed, use {allow}")) }
    }

    /// 413: more bytes or values than this server takes at once.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(413, message)
    }

    /// 415: a body in an encoding other than gzip or deflate.
    pub fn unsupported_encoding(encoding: &str) -> Self {
        let message = format!("content encoding `{}` is not supported", shown(encoding));
        Self { accept_encoding: Some("gzip, deflate"), ..Self::new(415, message) }
    }

    /// 415: a content type that this path does not read.
    pub fn unsupported_type(content_type: &str) -> Self {
        Self::new(415, format!("content type `{}` is not supported", shown(content_type)))
    }

    /// 422: well formed, but there is no answer to it, as when an output is not finite.
    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(422, message)
    }

    /// 429: this key asked too often; try again in so many seconds.
    pub fn too_many(message: impl Into<String>, retry_after: u32) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(429, message) }
    }

    /// 500: our fault; the message should hold an id to look up and nothing of the request.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(500, message)
    }

    /// 503: the model is not ready or the queue is full; try again in so many seconds.
    pub fn unavailable(message: impl Into<String>, retry_after: u32) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(503, message) }
    }

    /// The bytes to send, as `application/json`.
    pub fn body(&self) -> Vec<u8> {
        serde_json::to_vec(&Body { error: &self.message }).expect("a string is always JSON")
    }

    /// The headers that belong to this refusal beside the content type, names in lower case.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        headers.extend(self.retry_after.map(|s| ("retry-after", s.to_string())));
        headers.extend(self.allow.map(|s| ("allow", s.to_owned())));
        headers.extend(self.accept_encoding.map(|s| ("accept-encoding", s.to_owned())));
        headers.extend(self.authenticate.map(|s| ("www-authenticate", s.to_owned())));
        headers
    }
}

/// A name from outside, fit to be shown: no control or direction characters, at most 64 long.
pub fn shown(name: &str) -> String {
    let mut kept = name.chars().filter(|c| !c.is_control() && !steers_text(*c));
    let mut text: String = kept.by_ref().take(SHOWN).collect();
    if kept.next().is_some() {
        text.push('…');
    }
    text
}

/// Invisible characters that change the order or the width of what stands around them.
fn steers_text(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_an_error_object() {
        let refusal = Refusal::bad_request("input `x\"y` is given twice");
        assert_eq!(refusal.body(), br#"{"error":"input `x\"y` is given twice"}"#);
        assert_eq!(refusal.to_string(), refusal.message);
    }

    #[test]
    fn a_refusal_brings_the_headers_of_its_status() {
        let headers = |refusal: Refusal| (refusal.status, refusal.headers());
        assert_eq!(
            headers(Refusal::method_not_allowed("GET, HEAD")),
            (405, vec![("allow", "GET, HEAD".to_owned())])
        );
        assert_eq!(
            headers(Refusal::unsupported_encoding("br")),
            (415, vec![("accept-encoding", "gzip, deflate".to_owned())])
        );
        assert_eq!(
            headers(Refusal::unauthorised("no key")),
            (401, vec![("www-authenticate", "Bearer".to_owned())])
        );
        for refusal in [Refusal::too_many("slow down", 7), Refusal::unavailable("full", 7)] {
            assert_eq!(refusal.headers(), [("retry-after", "7".to_owned())]);
        }
    }

    #[test]
    fn names_from_outside_cannot_steer_a_terminal() {
        assert_eq!(shown("a\u{1b}]0;x\u{7}b\u{202e}c\r\n\u{9b}d"), "a]0;xbcd");
        assert_eq!(shown(&"é".repeat(500)).chars().count(), SHOWN + 1);
    }
}
