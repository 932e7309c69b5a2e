//! Answers: JSON bodies as the official relay's, and the counters of how often each status was given.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};

/// An answer.
pub(super) type Answer = Response<Full<Bytes>>;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer with a body of this kind.
pub(super) fn typed(status: StatusCode, kind: HeaderValue, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, value: &serde_json::Value) -> Answer {
    typed(status, JSON, value.to_string())
}

/// A JSON answer that never changes.
pub(super) fn fixed(status: StatusCode, body: &'static str) -> Answer {
    typed(status, JSON, Bytes::from_static(body.as_bytes()))
}

/// `{"error": …}`.
pub(super) fn error(status: StatusCode, message: impl Into<String>) -> Answer {
    json(status, &json!({ "error": message.into() }))
}

/// As [`error`], with when to ask again.
pub(super) fn later(status: StatusCode, message: impl Into<String>) -> Answer {
    let mut answer = error(status, message);
    answer.headers_mut().insert(hyper::header::RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

/// As the official relay says it.
pub(super) fn not_found() -> Answer {
    fixed(StatusCode::NOT_FOUND, r#"{"error":"Not Found"}"#)
}

/// Statuses that are given; anything else would be counted as 500.
const STATUSES: [u16; 17] = [200, 400, 401, 403, 404, 405, 408, 409, 413, 414, 415, 422, 429, 431, 503, 504, INTERNAL];
const INTERNAL: u16 = 500;

/// How often each status was given, and what never came that far.
#[derive(Default)]
pub(super) struct Tally {
    answers: [AtomicU64; STATUSES.len()],
    /// Connections that are open.
    pub(super) open: AtomicU64,
    /// Connections refused because there were too many.
    pub(super) refused: AtomicU64,
    /// Connections cut because they were slow or their TLS handshake failed.
    pub(super) cut: AtomicU64,
}

impl Tally {
    /// Counts an answer.
    pub(super) fn answered(&self, status: StatusCode) {
        let at = STATUSES.iter().position(|known| *known == status.as_u16()).unwrap_or(STATUSES.len() - 1);
        self.answers[at].fetch_add(1, Ordering::Relaxed);
    }

    /// Every status that was given, with how often.
    pub(super) fn answers(&self) -> impl Iterator<Item = (u16, u64)> {
        let counts = self.answers.iter().map(|count| count.load(Ordering::Relaxed));
        STATUSES.into_iter().zip(counts).filter(|(_, count)| *count > 0)
    }
}
