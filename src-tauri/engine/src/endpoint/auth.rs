//! Routes for mosquitto-go-auth's HTTP backend: a device may connect to the user's own broker with its device token.

use super::{Desk, body};
use crate::destination::verify;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use relayscope_domain::secret::Secret;
use serde::Deserialize;
use serde_json::json;

// The plugin sends a user name too; any is taken, as at TagoIO.
#[derive(Deserialize)]
struct Login {
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
        Err(refusal) => return *refusal,
    };
    for relay in desk.relays.iter() {
        let (Some(url), Some(network_token)) = (&relay.url, &relay.network_token) else { continue };
        let Some((network, _)) = verify::ids(&desk.http, url, network_token).await else { continue };
        let device = verify::ids(&desk.http, url, &Secret::new(&login.password)).await;
        if !network.is_empty() && device.is_some_and(|(_, of)| of == network) {
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
