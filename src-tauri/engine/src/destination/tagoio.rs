//! TagoIO's network API: `POST {url}/integration/network/data?authorization_token=…` with the network token as header
//! `Authorization` (as tago-io/mqtt-relay sends it). One message per request.

use super::{Delivery, Outcome};
use relayscope_domain::mapping;
use relayscope_domain::secret::Secret;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use std::time::{Duration, Instant};

const ANSWER_BYTES: usize = 64 * 1024;
const ANSWER_SHOWN: usize = 2_000;

/// A network with its credentials.
#[derive(Clone)]
pub struct TagoIo {
    http: reqwest::Client,
    url: reqwest::Url,
    authorization: HeaderValue,
    secrets: [Secret; 2],
}

/// The destination can't be addressed: a token or address that no request can carry.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AddressError(String);

impl TagoIo {
    /// A destination at `base` (`https://api.us-e1.tago.io`).
    pub fn new(
        http: reqwest::Client,
        base: &str,
        network_token: &Secret,
        authorization: &Secret,
    ) -> Result<Self, AddressError> {
        let text = format!("{}/integration/network/data", base.trim_end_matches('/'));
        let mut url =
            reqwest::Url::parse(&text).map_err(|e| AddressError(format!("The address {base} is not valid: {e}.")))?;
        url.query_pairs_mut().append_pair("authorization_token", authorization.expose());
        let mut header = HeaderValue::from_str(network_token.expose())
            .map_err(|_| AddressError("The network token has characters that no HTTP header can carry.".into()))?;
        header.set_sensitive(true);
        Ok(Self { http, url, authorization: header, secrets: [network_token.clone(), authorization.clone()] })
    }

    /// Posts one message and classifies the answer. Bounded by the client's time-outs.
    pub async fn deliver(&self, topic: &str, payload: &[u8], qos: relayscope_domain::message::Qos) -> Delivery {
        let begin = Instant::now();
        let request = self
            .http
            .post(self.url.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(mapping::tagoio_body(topic, payload, qos));
        let (status, headers, body) = match exchange(request).await {
            Ok(answer) => answer,
            Err(error) => {
                let reason = self.masked(&super::http::explain(&error).words);
                let outcome = Outcome::Retry { after: None, reason, everyone: true };
                return Delivery { outcome, status: None, took: begin.elapsed(), answer: String::new() };
            }
        };
        let answer = self.masked(&message_of(&body));
        Delivery {
            outcome: classify(status, &headers, &answer),
            status: Some(status.as_u16()),
            took: begin.elapsed(),
            answer,
        }
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

async fn exchange(request: reqwest::RequestBuilder) -> Result<(StatusCode, HeaderMap, Vec<u8>), reqwest::Error> {
    let mut response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = vec![];
    while let Some(chunk) = response.chunk().await? {
        if body.len() < ANSWER_BYTES {
            body.extend_from_slice(&chunk);
        }
    }
    Ok((status, headers, body))
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
        let tagoio = TagoIo::new(
            super::super::http::http_client().unwrap(),
            "http://127.0.0.1:1/",
            &secret,
            &Secret::new("at00"),
        )
        .unwrap();
        assert_eq!(tagoio.masked("bad token 0123456789abcdef!"), "bad token …bcdef!");
        assert_eq!(tagoio.url.path(), "/integration/network/data");
    }
}
