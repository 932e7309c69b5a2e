//! Routes for mosquitto-go-auth's HTTP backend: a device may connect to the user's own broker with its device token.

use super::{Desk, body};
use crate::destination::verify;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Login {
    #[serde(default)]
    #[allow(dead_code, reason = "sent by the plugin; any name is taken, as at TagoIO")]
    username: String,
    password: String,
}

fn answer(allowed: bool) -> Response {
    let code = if allowed { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
    (code, axum::Json(json!({ "ok": allowed }))).into_response()
}

/// Whether the password is a device token of the network of a relay behind this port; TagoIO is asked.
pub(super) async fn auth(State(desk): State<Desk>, headers: HeaderMap, bytes: Bytes) -> Response {
    let login: Login = match body(&headers, &bytes) {
        Ok(login) => login,
        Err(refusal) => return refusal,
    };
    for relay in desk.relays.iter() {
        let (Some(url), Some(network_token)) = (&relay.url, &relay.network_token) else { continue };
        let network = verify::info(&desk.http, url, network_token.expose()).await;
        let device = verify::info(&desk.http, url, &login.password).await;
        let id = network.as_ref().and_then(|info| info["result"]["id"].as_str());
        if id.is_some() && device.as_ref().and_then(|info| info["result"]["network"].as_str()) == id {
            return answer(true);
        }
    }
    answer(false)
}

/// Nobody is above the rules.
pub(super) async fn superuser() -> Response {
    answer(false)
}

/// Every topic is allowed to those who could connect, as in the official relay.
pub(super) async fn acl() -> Response {
    answer(true)
}
