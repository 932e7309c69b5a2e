//! TagoIO's network API: `POST {url}/integration/network/data?authorization_token=…` with the network token as header
//! `Authorization` (as tago-io/mqtt-relay sends it). One message per request, or several of one topic.

use super::connection::{Answer, Connection, NoAnswer, Target};
use super::{Delivery, Outcome, http};
use bytes::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{HeaderMap, StatusCode};
use relayscope_domain::delivery::Metadata;
use relayscope_domain::mapping::{self, Sample};
use relayscope_domain::secret::Secret;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_rustls::TlsConnector;
use url::{Position, Url};

const ANSWER_SHOWN: usize = 2_000;
// Of a request kept with a dead letter or shown by a dry run, bytes of the body.
const REQUEST_SHOWN: usize = 16 * 1024;

/// A network with its credentials.
#[derive(Clone)]
pub struct TagoIo {
    target: Arc<Target>,
    address: String,
    secrets: [Secret; 2],
    extras: Metadata,
}

/// The destination can't be addressed: a token or address that no request can carry.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AddressError(String);

impl TagoIo {
    /// A destination at `base` (`https://api.us-e1.tago.io`); `timeout` is that of a whole request.
    pub fn new(
        base: &str,
        network_token: &Secret,
        authorization: &Secret,
        extras: Metadata,
        timeout: Duration,
    ) -> Result<Self, AddressError> {
        let invalid = |why: &dyn std::fmt::Display| AddressError(format!("The address {base} is not valid: {why}."));
        let text = format!("{}/integration/network/data", base.trim_end_matches('/'));
        let mut url = Url::parse(&text).map_err(|error| invalid(&error))?;
        let address = url.to_string();
        url.query_pairs_mut().append_pair("authorization_token", authorization.expose());
        let host = url.host_str().ok_or_else(|| invalid(&"it has no host"))?.trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default().ok_or_else(|| invalid(&"it has no port"))?;
        let tls = match url.scheme() {
            "https" => {
                let config = http::tls_config().map_err(|error| AddressError(error.to_string()))?;
                let name = ServerName::try_from(host.clone()).map_err(|error| invalid(&error))?;
                Some((TlsConnector::from(Arc::new(config)), name))
            }
            _ => None,
        };
        let mut token = HeaderValue::from_str(network_token.expose())
            .map_err(|_| AddressError("The network token has characters that no HTTP header can carry.".into()))?;
        token.set_sensitive(true);
        let authority = url.as_str()[url.scheme().len() + 3..].split('/').next().unwrap_or_default().to_owned();
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(&authority).map_err(|error| invalid(&error))?);
        headers.insert(AUTHORIZATION, token);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(http::USER_AGENT));
        let path = url[Position::BeforePath..Position::AfterQuery].parse().map_err(|error| invalid(&error))?;
        let target = Arc::new(Target { host, port, tls, path, headers, timeout });
        Ok(Self { target, address, secrets: [network_token.clone(), authorization.clone()], extras })
    }

    /// A line to it, for one request at a time.
    pub fn line(&self) -> Line {
        Line { destination: self.clone(), connection: Connection::new(self.target.clone()), last: None }
    }

    /// The body for messages of one topic.
    pub fn body<'a>(&self, samples: impl IntoIterator<Item = Sample<'a>>) -> Bytes {
        let mut body = Vec::with_capacity(512);
        mapping::tagoio_body(samples, self.extras, &mut body);
        body.into()
    }

    /// What the metadata tells besides topic and QoS.
    pub fn extras(&self) -> Metadata {
        self.extras
    }

    /// A request as it goes out, secrets masked, a long body cut.
    pub fn request_words(&self, body: &[u8]) -> String {
        let [network_token, authorization] = &self.secrets;
        let shown = String::from_utf8_lossy(&body[..body.len().min(REQUEST_SHOWN)]);
        let cut = match body.len().saturating_sub(REQUEST_SHOWN) {
            0 => String::new(),
            more => format!("… and {more} bytes more"),
        };
        format!(
            "POST {}?authorization_token={authorization}\nAuthorization: {network_token}\n\
             Content-Type: application/json\nContent-Length: {}\n\n{shown}{cut}",
            self.address,
            body.len(),
        )
    }

    /// A server may echo what it was sent; no secret of ours goes further.
    fn masked(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for secret in &self.secrets {
            if secret.expose().len() >= 4 && out.contains(secret.expose()) {
                out = out.replace(secret.expose(), &secret.to_string());
            }
        }
        out
    }
}

/// One connection to a network, kept alive from request to request.
pub struct Line {
    destination: TagoIo,
    connection: Connection,
    // The last good answer and its words: they are the same again and again.
    last: Option<(Vec<u8>, Arc<str>)>,
}

impl Line {
    /// Waits until the idle connection is closed by the other side; for ever when there is none.
    pub async fn closed(&mut self) {
        self.connection.closed().await;
    }

    /// Posts a body and classifies the answer. Bounded by the destination's time-out.
    pub async fn deliver(&mut self, body: Bytes) -> Delivery {
        let begin = Instant::now();
        let result = self.connection.post(body).await;
        let took = begin.elapsed();
        match result {
            Ok(Answer { status, headers, body }) => {
                let answer = self.answer(status, body);
                let outcome = classify(status, &headers, &answer);
                Delivery { outcome, status: Some(status.as_u16()), took, answer }
            }
            Err(why) => {
                let (reason, everyone) = match why {
                    NoAnswer::Unreachable(words) => (self.destination.masked(&words), true),
                    NoAnswer::Late => ("No answer in time.".into(), true),
                    // The server is there: it may have cut this one only.
                    NoAnswer::Broken(words) => (self.destination.masked(&words), false),
                };
                let outcome = Outcome::Retry { after: None, reason, everyone };
                Delivery { outcome, status: None, took, answer: "".into() }
            }
        }
    }

    fn answer(&mut self, status: StatusCode, body: Vec<u8>) -> Arc<str> {
        match &self.last {
            Some((known, words)) if *known == body => words.clone(),
            _ => {
                let words: Arc<str> = self.destination.masked(&message_of(&body)).into();
                if status.is_success() {
                    self.last = Some((body, words.clone()));
                }
                words
            }
        }
    }
}

/// TagoIO's envelope: `result` or `message`; anything else as it is, cut.
fn message_of(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(json) => ["message", "result"]
            .iter()
            .find_map(|key| json.get(key))
            .map_or_else(|| json.to_string(), |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    };
    if text.chars().count() > ANSWER_SHOWN { text.chars().take(ANSWER_SHOWN).chain(['…']).collect() } else { text }
}

fn classify(status: StatusCode, headers: &HeaderMap, answer: &str) -> Outcome {
    let said = |what: &str| {
        let detail = if answer.is_empty() { String::new() } else { format!(": {answer}") };
        format!("{} {what}{detail}", status.as_u16())
    };
    if status.is_success() {
        return Outcome::Delivered;
    }
    match status.as_u16() {
        401 | 403 => Outcome::Refused { reason: said("the token or authorization was refused") },
        429 => {
            Outcome::Retry { after: retry_after(headers, answer), reason: said("too many requests"), everyone: true }
        }
        503 => {
            Outcome::Retry { after: retry_after(headers, answer), reason: said("service unavailable"), everyone: true }
        }
        408 => Outcome::Retry { after: None, reason: said("the destination gave up waiting"), everyone: false },
        500..=599 => {
            Outcome::Retry { after: retry_after(headers, answer), reason: said("server error"), everyone: false }
        }
        300..=399 => Outcome::Reject { reason: said("the address was moved; check the region's address") },
        404 => Outcome::Reject { reason: said("not found") },
        413 => Outcome::Reject { reason: said("the message is too large for TagoIO") },
        _ => Outcome::Reject { reason: said("refused") },
    }
}

/// `Retry-After` in seconds, from the header or, as TagoIO writes it, from the text: `Too many requests (Retry-After: 8)`.
fn retry_after(headers: &HeaderMap, answer: &str) -> Option<Duration> {
    let from_header =
        headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|text| text.trim().parse().ok());
    let from_text = || {
        let at = answer.find("Retry-After:")? + "Retry-After:".len();
        let digits: String = answer[at..].trim_start().chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    // An hour at most: nobody waits for a mistaken header for days.
    from_header.or_else(from_text).map(|seconds: u64| Duration::from_secs(seconds.min(3_600)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_classified() {
        let outcome =
            |status: u16, answer: &str| classify(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), answer);
        assert_eq!(outcome(200, "1 Data Added"), Outcome::Delivered);
        assert_eq!(outcome(202, ""), Outcome::Delivered);
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(matches!(outcome(status, ""), Outcome::Retry { .. }), "{status}");
        }
        for status in [401, 403] {
            assert!(matches!(outcome(status, ""), Outcome::Refused { .. }), "{status}");
        }
        for status in [301, 400, 404, 413, 422] {
            assert!(matches!(outcome(status, ""), Outcome::Reject { .. }), "{status}");
        }
        let limited = outcome(429, "Too many requests (Retry-After: 8)");
        assert!(
            matches!(limited, Outcome::Retry { after: Some(after), everyone: true, .. } if after == Duration::from_secs(8))
        );
    }

    #[test]
    fn envelopes_are_opened_and_secrets_masked() {
        assert_eq!(message_of(br#"{"status":true,"result":"1 Data Added"}"#), "1 Data Added");
        assert_eq!(message_of(br#"{"status":false,"message":"Authorization denied"}"#), "Authorization denied");
        assert_eq!(message_of(b"plain"), "plain");
        let secret = Secret::new("0123456789abcdef");
        let authorization = Secret::new("at0123456789");
        let time = Duration::from_secs(1);
        let tagoio = TagoIo::new("http://127.0.0.1:81/", &secret, &authorization, Metadata::default(), time).unwrap();
        assert_eq!(tagoio.masked("bad token 0123456789abcdef!"), "bad token …bcdef!");
        assert_eq!(tagoio.target.path.to_string(), "/integration/network/data?authorization_token=at0123456789");
        assert_eq!(tagoio.target.headers[HOST], "127.0.0.1:81");
        let request = tagoio.request_words(b"[]");
        assert!(request.starts_with("POST http://127.0.0.1:81/integration/network/data?authorization_token=…56789\n"));
        assert!(
            request.contains("Authorization: …bcdef\n") && request.ends_with("Content-Length: 2\n\n[]"),
            "{request}"
        );
    }
}
