//! The token check: asks `GET /info` what a token is, and puts the answer into words.
//!
//! TagoIO answers `/info` for network and device tokens with different fields; an authorization can't be asked about
//! alone. A token is only ever sent to the address of its region, and after a refusal to TagoIO's other regions when its
//! own region is one of TagoIO's ([`other_regions`]). The token appears in no message.

use crate::api::wire::{VerifyOutcome, VerifyReport};
use crate::destination::http;
use relayscope_domain::secret::Secret;
use relayscope_domain::token::{Region, TokenKind};
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderValue, LOCATION};
use serde_json::Value;
use std::time::Instant;

/// More than any `/info` answer has; what is longer is not TagoIO's.
const MAX_ANSWER: usize = 1 << 20;

/// The regions worth asking when `region` refuses a token, address and words each. Empty for a private address and the
/// local stand-in: their tokens are nobody else's business.
pub fn other_regions(region: &Region) -> Vec<(String, String)> {
    let all = [Region::UsE1, Region::EuW1, Region::Classic];
    if !all.contains(region) {
        return Vec::new();
    }
    let others = all.iter().filter(|other| *other != region);
    others.filter_map(|other| other.url().map(|url| (url, other.words()))).collect()
}

/// Asks `url` about a token, and `other_regions` (see the function of that name) when it refuses.
pub async fn verify(
    http: &reqwest::Client,
    url: &str,
    kind: TokenKind,
    token: &Secret,
    other_regions: &[(String, String)],
) -> VerifyReport {
    let begun = Instant::now();
    let report = |outcome, message: String, status: Option<StatusCode>| VerifyReport {
        outcome,
        message,
        status: status.map(|status| status.as_u16()),
        millis: u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX),
    };
    match ask(http, url, token).await {
        Answer::Valid(status, info) => judge(kind, status, &info, report),
        Answer::Refused(status, said) => {
            let mut unasked = Vec::new();
            for (other, words) in other_regions {
                match ask(http, other, token).await {
                    Answer::Valid(..) => {
                        let message = format!(
                            "Refused here, but valid in {words}. Choose that region, and the same for the relay."
                        );
                        return report(VerifyOutcome::WrongRegion, message, Some(status));
                    }
                    Answer::Refused(..) => {}
                    Answer::Strange(..) => unasked.push(words.as_str()),
                }
            }
            if kind == TokenKind::Authorization {
                return report(VerifyOutcome::NotCheckable, NOT_CHECKABLE.to_owned(), Some(status));
            }
            let mut message =
                format!("The token is refused{said}. Copy it again from TagoIO, or make a new one there.");
            if !unasked.is_empty() {
                message.push_str(&format!(" Not reached: {}.", unasked.join(", ")));
            }
            report(VerifyOutcome::Refused, message, Some(status))
        }
        Answer::Strange(status, message) => report(VerifyOutcome::Unreachable, message, status),
    }
}

const NOT_CHECKABLE: &str =
    "TagoIO can't be asked about an authorization alone. The relay's first delivery will show whether it is accepted.";

fn judge(
    kind: TokenKind,
    status: StatusCode,
    info: &Info,
    report: impl Fn(VerifyOutcome, String, Option<StatusCode>) -> VerifyReport,
) -> VerifyReport {
    let of = if info.name.is_empty() { String::new() } else { format!(" of “{}”", info.name) };
    let (outcome, message) = match (kind, info.holder) {
        (TokenKind::Network, Holder::Network) => (VerifyOutcome::Ok, format!("Valid: the network token{of}.")),
        (TokenKind::Device, Holder::Device) => (VerifyOutcome::Ok, format!("Valid: a device token{of}.")),
        (_, Holder::Unknown) => (
            VerifyOutcome::Unreachable,
            "Something answered, but not as TagoIO's API does. Check the address.".to_owned(),
        ),
        (wanted, found) => (
            VerifyOutcome::WrongKind,
            format!(
                "Valid, but it is {}{of}, not {}. Choose the right one in TagoIO.",
                found.words(),
                with_article(wanted)
            ),
        ),
    };
    report(outcome, message, Some(status))
}

fn with_article(kind: TokenKind) -> String {
    let article = if kind == TokenKind::Authorization { "an" } else { "a" };
    format!("{article} {}", kind.words())
}

/// What a token turned out to belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Network,
    Device,
    Account,
    /// A 2xx answer that is not TagoIO's.
    Unknown,
}

impl Holder {
    fn words(self) -> &'static str {
        match self {
            Self::Network => "a network token",
            Self::Device => "a device token",
            Self::Account => "an account or profile token",
            Self::Unknown => "something else",
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Info {
    holder: Holder,
    name: String,
    id: String,
    network: String,
}

impl Info {
    fn of(body: &[u8]) -> Self {
        let answer: Value = serde_json::from_slice(body).unwrap_or_default();
        let Some(result) = answer.get("result").and_then(Value::as_object) else {
            return Self { holder: Holder::Unknown, name: String::new(), id: String::new(), network: String::new() };
        };
        let has = |key: &str| result.get(key).is_some_and(|value| !value.is_null());
        let holder = if has("network") || has("connector") || has("bucket") {
            Holder::Device
        } else if has("email") || has("plan") {
            Holder::Account
        } else if result.get("id").and_then(Value::as_str).is_some_and(|id| !id.is_empty()) {
            // The relay needs the id, and nothing else, of a network.
            Holder::Network
        } else {
            Holder::Unknown
        };
        let name = result.get("name").and_then(Value::as_str).unwrap_or_default();
        let text = |key: &str| result.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { holder, name: name.chars().take(80).collect(), id: text("id"), network: text("network") }
    }
}

enum Answer {
    Valid(StatusCode, Info),
    /// With what the server said, as ` (“…”)`.
    Refused(StatusCode, String),
    /// No answer, or one that says nothing about the token; in words.
    Strange(Option<StatusCode>, String),
}

async fn ask(http: &reqwest::Client, url: &str, token: &Secret) -> Answer {
    let Ok(mut header) = HeaderValue::from_str(token.expose().trim()) else {
        return Answer::Strange(None, "The token has characters that can't be sent. Paste it again.".to_owned());
    };
    header.set_sensitive(true);
    let request = http.get(format!("{}/info", url.trim_end_matches('/'))).header(AUTHORIZATION, header);
    let no_answer = |error: &reqwest::Error| {
        let failure = http::explain(error);
        Answer::Strange(None, format!("{} {}", failure.words, failure.advice).trim_end().to_owned())
    };
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => return no_answer(&error),
    };
    let status = response.status();
    if status.is_redirection() {
        let target = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or("elsewhere");
        let target: String = target.chars().take(120).collect();
        return Answer::Strange(Some(status), format!("The address points to {target}. Enter the final address."));
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER => body.extend_from_slice(&chunk),
            Ok(Some(_)) => {
                return Answer::Strange(
                    Some(status),
                    "The answer is too long to be TagoIO's. Check the address.".to_owned(),
                );
            }
            Ok(None) => break,
            Err(error) => return no_answer(&error),
        }
    }
    if status.is_success() {
        return Answer::Valid(status, Info::of(&body));
    }
    let said = said(&body, token);
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Answer::Refused(status, said),
        StatusCode::TOO_MANY_REQUESTS => Answer::Strange(
            Some(status),
            "TagoIO asks to wait (429 too many requests). Try again in a minute.".to_owned(),
        ),
        StatusCode::NOT_FOUND => Answer::Strange(
            Some(status),
            format!("The address answers, but has no TagoIO API (404){said}. Check the address."),
        ),
        other if other.is_server_error() => Answer::Strange(
            Some(status),
            format!("The server has a problem ({}){said}. Try again later.", other.as_u16()),
        ),
        other => Answer::Strange(Some(status), format!("The server answered {}{said}.", other.as_u16())),
    }
}

/// TagoIO's own words, cut, and without the token should it be echoed.
fn said(body: &[u8], token: &Secret) -> String {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let message =
        answer.get("message").or_else(|| answer.pointer("/result/message")).and_then(Value::as_str).unwrap_or_default();
    let message = match token.expose().trim() {
        "" => message.to_owned(),
        value => message.replace(value, "…"),
    };
    let message: String = message.trim().trim_end_matches('.').chars().take(200).collect();
    if message.is_empty() { message } else { format!(" (“{message}”)") }
}

/// What `GET {url}/info` says of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The ids it tells: the token's own, and that of its network; empty where there is none.
    Ids(String, String),
    /// The token is not taken.
    Refused,
    /// No answer, or one that says nothing about the token.
    Nothing,
}

/// Asks `url` for the ids of a token.
pub async fn ids(http: &reqwest::Client, url: &str, token: &Secret) -> Said {
    match ask(http, url, token).await {
        Answer::Valid(_, info) => Said::Ids(info.id, info.network),
        Answer::Refused(..) => Said::Refused,
        Answer::Strange(..) => Said::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_are_told_by_their_fields() {
        let cases = [
            (r#"{"status":true,"result":{"id":"5f","name":"LoRa","device_parameters":[]}}"#, Holder::Network),
            (r#"{"status":true,"result":{"id":"5f","name":"Boiler","network":"6a","connector":"7b"}}"#, Holder::Device),
            (r#"{"status":true,"result":{"id":"5f","name":"Boiler","bucket":{"id":"9"}}}"#, Holder::Device),
            (r#"{"status":true,"result":{"id":"5f","name":"Ann","email":"ann@a.example"}}"#, Holder::Account),
            (r#"{"status":true,"result":{"id":"5f","network":null}}"#, Holder::Network),
            (r#"{"status":true,"result":{}}"#, Holder::Unknown),
            (r#"{"status":true,"result":"ok"}"#, Holder::Unknown),
            ("<html>Welcome to the hotel</html>", Holder::Unknown),
            ("", Holder::Unknown),
        ];
        for (body, holder) in cases {
            assert_eq!(Info::of(body.as_bytes()).holder, holder, "{body}");
        }
    }

    #[test]
    fn only_regions_of_tagoio_have_others() {
        for own in [Region::Local, Region::Own { url: "https://api.plant.example".into() }] {
            assert!(other_regions(&own).is_empty());
        }
        for own in [Region::UsE1, Region::EuW1, Region::Classic] {
            let others = other_regions(&own);
            assert_eq!(others.len(), 2);
            assert!(others.iter().all(|(url, _)| url.ends_with(".tago.io") && Some(url) != own.url().as_ref()));
        }
    }

    #[test]
    fn an_echoed_token_is_not_repeated() {
        let token = Secret::new("0a1b2c3d4e5f");
        assert_eq!(
            said(br#"{"status":false,"message":"Invalid token 0a1b2c3d4e5f."}"#, &token),
            " (“Invalid token …”)"
        );
        assert_eq!(said(br#"{"status":false,"result":{"message":"No"}}"#, &token), " (“No”)");
        assert_eq!(said(b"not json", &token), "");
    }
}
