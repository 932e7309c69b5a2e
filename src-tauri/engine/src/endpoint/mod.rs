//! The HTTP server that TagoIO and mosquitto-go-auth call: `/publish`, `/status`, `/auth`, `/superuser`, `/acl`, with the
//! routes, status codes and bodies of the official relay (tago-io/mqtt-relay).
//!
//! It listens on 127.0.0.1 only and speaks plain HTTP. `200` to `/publish` means that the broker acknowledged the message;
//! a broker that is away is `503` with `Retry-After`, one that does not answer in time is `504`. It knows relays by what
//! the registry offers of them.

mod auth;

use crate::mqtt::session::{Publication, Standing};
use crate::runtime::Runtime;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use relayscope_domain::id::RelayId;
use relayscope_domain::message::Qos;
use relayscope_domain::secret::Secret;
use relayscope_domain::topic;
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

const BODY_LIMIT: usize = 2 * 1024 * 1024;
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// Why an endpoint does not run.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The port can't be listened on.
    #[error("failed to listen on {address} for downlinks; choose another downlink port in the relay")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It ended.
    #[error("failed to go on serving downlinks")]
    Serve(#[source] std::io::Error),
}

/// A relay behind an endpoint.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EndpointRelay {
    pub(crate) id: RelayId,
    pub(crate) name: String,
    pub(crate) url: Option<String>,
    pub(crate) network_token: Option<Secret>,
}

#[derive(Clone)]
struct Desk {
    relays: Arc<Vec<EndpointRelay>>,
    runtime: Arc<Runtime>,
    http: reqwest::Client,
}

/// Serves the relays behind one port until `stop`.
pub(crate) async fn serve(
    port: u16,
    relays: Vec<EndpointRelay>,
    runtime: Arc<Runtime>,
    http: reqwest::Client,
    stop: CancellationToken,
) -> Result<(), EndpointError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let refused = |source| EndpointError::Listen { address, source };
    let listener = tokio::net::TcpListener::bind(address).await.map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    let desk = Desk { relays: Arc::new(relays), runtime: runtime.clone(), http };
    let routes = Router::new()
        .route("/publish", post(publish))
        .route("/status", get(status))
        .route("/auth", post(auth::auth))
        .route("/superuser", post(auth::superuser))
        .route("/acl", post(auth::acl))
        .fallback(|| async { not_found() })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(desk);
    runtime.endpoint_runs(port, bound);
    axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await.map_err(EndpointError::Serve)
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, axum::Json(json!({ "error": "Not Found" }))).into_response()
}

fn error(status: StatusCode, message: impl Into<String>) -> Response {
    (status, axum::Json(json!({ "error": message.into() }))).into_response()
}

#[derive(Deserialize)]
struct PublishRequest {
    topic: String,
    message: String,
    qos: u8,
    retain: bool,
    #[serde(default)]
    relay_id: Option<String>,
    #[serde(default)]
    encoding: Option<String>,
}

/// Reads a JSON body as the official relay does: 400 without a JSON content type or with broken syntax, 422 when fields
/// are missing or of another type.
fn body<T: serde::de::DeserializeOwned>(headers: &HeaderMap, bytes: &Bytes) -> Result<T, Box<Response>> {
    let is_json = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|kind| {
        kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
    });
    if !is_json {
        let message = "Expected a request with the header Content-Type: application/json.";
        return Err(error(StatusCode::BAD_REQUEST, message).into());
    }
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|e| error(StatusCode::BAD_REQUEST, format!("The body is not JSON: {e}.")))?;
    serde_json::from_value(value)
        .map_err(|e| error(StatusCode::UNPROCESSABLE_ENTITY, format!("Invalid JSON data: {e}")).into())
}

async fn publish(State(desk): State<Desk>, headers: HeaderMap, bytes: Bytes) -> Response {
    let request: PublishRequest = match body(&headers, &bytes) {
        Ok(request) => request,
        Err(refusal) => return *refusal,
    };
    let Some(relay) = desk.relay(request.relay_id.as_deref()) else { return not_found() };
    if let Err(message) = topic::check_topic(&request.topic) {
        return error(StatusCode::UNPROCESSABLE_ENTITY, message);
    }
    let Ok(qos) = Qos::try_from(request.qos) else {
        return error(StatusCode::UNPROCESSABLE_ENTITY, "qos is 0, 1 or 2.");
    };
    let payload = match decode(&request.message, request.encoding.as_deref()) {
        Ok(payload) => payload,
        Err(message) => return error(StatusCode::UNPROCESSABLE_ENTITY, message),
    };
    let Some(at) = desk.runtime.relay(relay.id) else { return away() };
    if at.handles.session.borrow().standing != Standing::Connected {
        return away();
    }
    let (done, answer) = oneshot::channel();
    let publication = Publication { topic: request.topic, payload: payload.into(), qos, retain: request.retain, done };
    if at.handles.publish(publication).is_err() {
        return away();
    }
    match tokio::time::timeout(ANSWER_TIME, answer).await {
        Ok(Ok(Ok(()))) => axum::Json(json!({ "status": "Message published" })).into_response(),
        Ok(Ok(Err(reason))) => {
            let mut refusal = error(StatusCode::SERVICE_UNAVAILABLE, reason);
            refusal.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            refusal
        }
        Ok(Err(_)) => away(),
        Err(_) => error(StatusCode::GATEWAY_TIMEOUT, "The broker did not acknowledge the message in time."),
    }
}

fn away() -> Response {
    let mut refusal = error(StatusCode::SERVICE_UNAVAILABLE, "The relay is not connected to its broker.");
    refusal.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    refusal
}

/// The bytes of a message: text, or bytes written as Base64 or hexadecimal.
fn decode(message: &str, encoding: Option<&str>) -> Result<Vec<u8>, String> {
    use base64::Engine as _;
    match encoding {
        None | Some("text") => Ok(message.as_bytes().to_vec()),
        Some("base64") => base64::engine::general_purpose::STANDARD
            .decode(message)
            .map_err(|e| format!("message is not valid Base64: {e}.")),
        Some("hex") => {
            if !message.len().is_multiple_of(2) || !message.is_ascii() {
                return Err("message is not hexadecimal: two digits a byte.".into());
            }
            (0..message.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&message[at..at + 2], 16))
                .collect::<Result<_, _>>()
                .map_err(|_| "message is not hexadecimal: two digits a byte.".into())
        }
        Some(other) => Err(format!("encoding “{other}” is not known; it is text, base64 or hex.")),
    }
}

/// `ok` only when every relay behind the port is connected; `503` otherwise, so that health checks see it.
async fn status(State(desk): State<Desk>) -> Response {
    let mut all_connected = true;
    let relays: Vec<Value> = desk
        .relays
        .iter()
        .map(|relay| {
            let connected = desk
                .runtime
                .relay(relay.id)
                .is_some_and(|at| at.handles.session.borrow().standing == Standing::Connected);
            all_connected &= connected;
            let (ledger, _) = desk.runtime.meter(relay.id).ledger();
            json!({ "id": relay.id, "name": relay.name, "connected": connected, "waiting": ledger.waiting, "dead": ledger.dead })
        })
        .collect();
    let (code, word) =
        if all_connected { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "not connected") };
    (code, axum::Json(json!({ "status": word, "relays": relays }))).into_response()
}

impl Desk {
    /// The relay a request means: by id or name; without either the first.
    fn relay(&self, id: Option<&str>) -> Option<&EndpointRelay> {
        match id.filter(|id| !id.is_empty()) {
            Some(id) => self.relays.iter().find(|relay| relay.id.to_string() == id || relay.name == id),
            None => self.relays.first(),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn messages_decode() {
        assert_eq!(super::decode("é", None), Ok("é".as_bytes().to_vec()));
        assert_eq!(super::decode("/wA=", Some("base64")), Ok(vec![0xff, 0]));
        assert_eq!(super::decode("fF00", Some("hex")), Ok(vec![0xff, 0]));
        for (message, encoding) in [("f", "hex"), ("zz", "hex"), ("éa", "hex"), ("?", "base64"), ("a", "utf-16")] {
            assert!(super::decode(message, Some(encoding)).is_err(), "{message} {encoding}");
        }
    }
}
