//! The stand-in's HTTP interface: `GET /info` and `POST /integration/network/data`, in TagoIO's envelope.
//!
//! Answers are always JSON: `{"status":true,"result":…}` or `{"status":false,"message":…}`. Tokens come as TagoIO's
//! clients send them: the relay in `Authorization`, the SDKs in `Token`, `Device-Token` and the like, without `Bearer`.
//! TagoIO takes at most 200 kB per request (docs.tago.io, “Sending data”); here it is 4 MB, so that the limits of a relay
//! can be tried out. Repeated slashes in paths are one: TagoIO's relay joins addresses that way.

use super::bucket::{Batch, new_id};
use super::data;
use super::tokens::{PlatformToken, PlatformTokens};
use super::writer::Job;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use relayscope_domain::token::TokenKind;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Largest body.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// Requests at work at a time; more wait. With the largest bodies they take 1 GB.
const AT_WORK: usize = 256;
/// The one network of the stand-in: every network token belongs to it, and every device.
const NETWORK_ID: &str = "6c6f63616c6e6574776f726b";
/// Headers a token may come in.
const TOKEN_HEADERS: [&str; 4] = ["authorization", "token", "device-token", "network-token"];

struct World {
    tokens: PlatformTokens,
    jobs: mpsc::Sender<Job>,
    at_work: Semaphore,
}

/// A refusal: status and message.
struct Refusal(StatusCode, String);

impl Refusal {
    fn denied() -> Self {
        Self(StatusCode::UNAUTHORIZED, "Authorization denied".to_owned())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "status": false, "message": self.1 }))).into_response()
    }
}

/// The whole interface.
pub(super) fn routes(tokens: PlatformTokens, jobs: mpsc::Sender<Job>) -> Router {
    let world = World { tokens, jobs, at_work: Semaphore::new(AT_WORK) };
    Router::new().fallback(answer).with_state(Arc::new(world))
}

async fn answer(State(world): State<Arc<World>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let result = match (head.method, path(&head.uri).as_str()) {
        (Method::GET, "/info") => info(&world, &head.headers),
        (Method::POST, "/integration/network/data") => store(&world, &head.headers, &head.uri, body).await,
        (method, path) => Err(Refusal(StatusCode::NOT_FOUND, format!("Route not found: {method} {path}"))),
    };
    match result {
        Ok(result) => Json(json!({ "status": true, "result": result })).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// The path with single slashes and none at its end.
fn path(uri: &Uri) -> String {
    uri.path()
        .split('/')
        .filter(|segment| !segment.is_empty())
        .fold(String::new(), |path, segment| path + "/" + segment)
}

/// The first known token among the headers.
fn token(world: &World, headers: &HeaderMap) -> Result<PlatformToken, Refusal> {
    let given = TOKEN_HEADERS.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
    given.filter_map(|value| world.tokens.find(value)).next().ok_or_else(Refusal::denied)
}

fn info(world: &World, headers: &HeaderMap) -> Result<Value, Refusal> {
    let token = token(world, headers)?;
    match token.kind {
        TokenKind::Network => Ok(json!({ "id": NETWORK_ID, "name": token.name })),
        TokenKind::Device => {
            let id: String = token.id.0.simple().to_string().chars().take(24).collect();
            Ok(json!({ "id": id, "name": token.name, "network": NETWORK_ID, "active": true }))
        }
        TokenKind::Authorization => Err(Refusal::denied()),
    }
}

#[derive(Deserialize)]
struct StoreQuery {
    authorization_token: Option<String>,
}

async fn store(world: &World, headers: &HeaderMap, uri: &Uri, body: Body) -> Result<Value, Refusal> {
    let bad = |message: String| Refusal(StatusCode::BAD_REQUEST, message);
    let Query(query) = Query::<StoreQuery>::try_from_uri(uri).map_err(|error| bad(error.body_text()))?;
    let authorization = query.authorization_token.and_then(|value| world.tokens.find(&value));
    let network = token(world, headers)?;
    if network.kind != TokenKind::Network || authorization.is_none_or(|token| token.kind != TokenKind::Authorization) {
        return Err(Refusal::denied());
    }
    let unavailable = || Refusal(StatusCode::SERVICE_UNAVAILABLE, "The local stand-in is stopping".to_owned());
    let _permit = world.at_work.acquire().await.map_err(|_| unavailable())?;
    let too_large = format!("The body has more than {} MB", MAX_BODY >> 20);
    let body = to_bytes(body, MAX_BODY).await.map_err(|_| Refusal(StatusCode::PAYLOAD_TOO_LARGE, too_large))?;
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let values = if kind.starts_with("text/plain") {
        data::from_text(std::str::from_utf8(&body).map_err(|_| bad("The text is not UTF-8".to_owned()))?)
    } else {
        let json = serde_json::from_slice(&body).map_err(|error| bad(format!("Invalid JSON: {error}")))?;
        data::from_json(json).map_err(bad)?
    };
    let added = values.len();
    if added > 0 {
        let stored_at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64;
        let batch = Batch { values, group: new_id(stored_at), stored_at };
        // Holds one answer: the writer sends, this handler receives.
        let (done, committed) = oneshot::channel();
        world.jobs.send(Job { batch, done }).await.map_err(|_| unavailable())?;
        let failed = || Refusal(StatusCode::INTERNAL_SERVER_ERROR, "The values could not be stored".to_owned());
        committed.await.map_err(|_| failed())?;
    }
    Ok(Value::from(format!("{added} Data Added")))
}
