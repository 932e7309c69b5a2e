//! The token check against a real HTTP server that answers as TagoIO's API does.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use relayscope_domain::secret::Secret;
use relayscope_domain::token::TokenKind;
use relayscope_engine::api::wire::{VerifyOutcome, VerifyReport};
use relayscope_engine::destination::{http, verify::verify};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An API that knows one token.
struct Api {
    url: String,
    asked: Arc<AtomicUsize>,
}

type Answer = (&'static str, u16, &'static str);

async fn info(State((answer, asked)): State<(Answer, Arc<AtomicUsize>)>, headers: HeaderMap) -> Response {
    asked.fetch_add(1, Ordering::SeqCst);
    let (token, status, body) = answer;
    if headers.get(header::AUTHORIZATION).is_some_and(|value| value == token) {
        let status = StatusCode::from_u16(status).unwrap();
        return (status, [(header::LOCATION, "https://elsewhere.example/")], body).into_response();
    }
    (StatusCode::UNAUTHORIZED, r#"{"status":false,"message":"Authorization denied"}"#).into_response()
}

async fn api(token: &'static str, status: u16, body: &'static str) -> Api {
    let asked = Arc::new(AtomicUsize::new(0));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/info", get(info)).with_state(((token, status, body), asked.clone()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Api { url, asked }
}

async fn check(url: &str, kind: TokenKind, token: &str, others: &[(String, String)]) -> VerifyReport {
    let http = http::http_client().unwrap();
    let report = verify(&http, url, kind, &Secret::new(token), others).await;
    assert!(!report.message.contains(token), "the token stands in {:?}", report.message);
    report
}

const NETWORK: &str = r#"{"status":true,"result":{"id":"5bb0ab60","name":"Plant LoRa","device_parameters":[]}}"#;
const DEVICE: &str =
    r#"{"status":true,"result":{"id":"5bb0ab61","name":"Boiler","network":"5bb0","connector":"5bb1"}}"#;

#[tokio::test]
async fn a_network_token_is_valid_as_one_only() {
    let api = api("token-n", 200, NETWORK).await;
    let report = check(&api.url, TokenKind::Network, "token-n", &[]).await;
    assert_eq!((report.outcome, report.status), (VerifyOutcome::Ok, Some(200)));
    assert!(report.message.contains("Plant LoRa"), "{}", report.message);
    let report = check(&format!("{}/", api.url), TokenKind::Device, "token-n", &[]).await;
    assert_eq!(report.outcome, VerifyOutcome::WrongKind);
    assert!(report.message.contains("it is a network token"), "{}", report.message);
}

#[tokio::test]
async fn a_device_token_is_valid_as_one_only() {
    let api = api("token-d", 200, DEVICE).await;
    assert_eq!(check(&api.url, TokenKind::Device, "token-d", &[]).await.outcome, VerifyOutcome::Ok);
    let report = check(&api.url, TokenKind::Network, "token-d", &[]).await;
    assert_eq!(report.outcome, VerifyOutcome::WrongKind);
    assert!(report.message.contains("a device token of “Boiler”, not a network token"), "{}", report.message);
    let report = check(&api.url, TokenKind::Authorization, "token-d", &[]).await;
    assert_eq!(report.outcome, VerifyOutcome::WrongKind);
}

#[tokio::test]
async fn a_refused_token_is_looked_for_in_other_regions() {
    let here = api("other", 200, NETWORK).await;
    let there = api("token-n", 200, NETWORK).await;
    let others = [(there.url.clone(), "TagoIO eu-w1".to_owned())];
    let report = check(&here.url, TokenKind::Network, "token-n", &others).await;
    assert_eq!((report.outcome, report.status), (VerifyOutcome::WrongRegion, Some(401)));
    assert!(report.message.contains("TagoIO eu-w1"), "{}", report.message);
    let report = check(&here.url, TokenKind::Network, "token-x", &others).await;
    assert_eq!(report.outcome, VerifyOutcome::Refused);
    assert!(report.message.contains("Authorization denied"), "{}", report.message);
    // Nobody else hears of a token that is valid, or whose region has no others.
    let before = there.asked.load(Ordering::SeqCst);
    assert_eq!(check(&here.url, TokenKind::Network, "other", &others).await.outcome, VerifyOutcome::Ok);
    assert_eq!(check(&here.url, TokenKind::Network, "token-n", &[]).await.outcome, VerifyOutcome::Refused);
    assert_eq!(there.asked.load(Ordering::SeqCst), before);
}

#[tokio::test]
async fn an_authorization_cannot_be_asked_about() {
    let api = api("other", 200, NETWORK).await;
    let report = check(&api.url, TokenKind::Authorization, "at0123", &[]).await;
    assert_eq!(report.outcome, VerifyOutcome::NotCheckable);
}

#[tokio::test]
async fn answers_that_say_nothing_about_the_token_are_unreachable() {
    for (status, body, words) in [
        (200, "<html>Hotel</html>", "not as TagoIO's API"),
        (302, "", "points to https://elsewhere.example/"),
        (404, "{}", "404"),
        (429, r#"{"status":false,"message":"Too many requests (Retry-After: 8)"}"#, "wait"),
        (503, "", "503"),
    ] {
        let api = api("t0ken", status, body).await;
        let report = check(&api.url, TokenKind::Network, "t0ken", &[]).await;
        assert_eq!((report.outcome, report.status), (VerifyOutcome::Unreachable, Some(status)), "{}", report.message);
        assert!(report.message.contains(words), "{status}: {}", report.message);
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_told_in_words() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = check(&format!("http://{free}"), TokenKind::Network, "t0ken", &[]).await;
    assert_eq!((refused.outcome, refused.status), (VerifyOutcome::Unreachable, None));
    assert!(refused.message.contains("refused"), "{}", refused.message);
    let unknown = check("http://no-such-host.invalid", TokenKind::Network, "t0ken", &[]).await;
    assert!(unknown.message.contains("can't be resolved"), "{}", unknown.message);
    let api = api("t0ken", 200, NETWORK).await;
    let plain = check(&api.url.replace("http://", "https://"), TokenKind::Network, "t0ken", &[]).await;
    assert!(plain.message.contains("not TLS"), "{}", plain.message);
    let unsendable = check("http://127.0.0.1:1", TokenKind::Network, "t0ken\nx", &[]).await;
    assert!(unsendable.message.contains("can't be sent"), "{}", unsendable.message);
}
