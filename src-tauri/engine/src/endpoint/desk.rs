//! From a request to its answer: pace, access, route, body. One desk per port; connections share it and wait for nothing
//! of each other.

use super::answer::{Answer, Tally, error, fixed, later, not_found};
use super::auth::Logins;
use super::limits::{Pace, Paces};
use super::{EndpointPlan, EndpointRelay, Reach, access, auth, metrics, publish, state};
use crate::relay::Handles;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode};
use relayscope_domain::endpoint::{EndpointAccess, EndpointSettings};
use relayscope_domain::secret::Secret;
use serde::Deserialize;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// The longest body.
const BODY_BYTES: usize = 2 * 1_024 * 1_024;

/// A relay behind the port, and the way to its session.
pub(super) struct Place {
    pub(super) relay: EndpointRelay,
    pub(super) id: String,
    // Read with every request, written when the relay was started again.
    handles: RwLock<Option<Arc<Handles>>>,
}

/// Everything that answers on one port.
pub(super) struct Desk {
    pub(super) plan: EndpointPlan,
    pub(super) reach: Reach,
    pub(super) places: Vec<Place>,
    pub(super) tally: Tally,
    pub(super) paces: Paces,
    pub(super) patience: Duration,
    pub(super) logins: Logins,
}

impl Desk {
    pub(super) fn new(plan: EndpointPlan, reach: Reach) -> Self {
        let place = |relay: &EndpointRelay| Place {
            id: relay.id.to_string(),
            relay: relay.clone(),
            handles: RwLock::default(),
        };
        let settings = &plan.record.settings;
        Self {
            places: plan.relays.iter().map(place).collect(),
            tally: Tally::default(),
            paces: Paces::new(settings.rate),
            patience: Duration::from_secs(settings.patience.into()),
            logins: Logins::default(),
            reach,
            plan,
        }
    }

    pub(super) fn settings(&self) -> &EndpointSettings {
        &self.plan.record.settings
    }

    fn token(&self) -> Option<&Secret> {
        match self.settings().access {
            EndpointAccess::Bearer => self.plan.record.secrets.token.as_ref(),
            EndpointAccess::Open | EndpointAccess::ClientCertificate => None,
        }
    }

    /// Answers a request, and counts the answer.
    pub(super) async fn answer(&self, request: Request<Incoming>, pace: &Pace) -> Answer {
        let answer = if pace.take() {
            self.route(request).await.unwrap_or_else(|refusal| *refusal)
        } else {
            later(StatusCode::TOO_MANY_REQUESTS, "Too many requests in a second from this address.")
        };
        self.tally.answered(answer.status());
        answer
    }

    async fn route(&self, request: Request<Incoming>) -> Result<Answer, Box<Answer>> {
        let (parts, body) = request.into_parts();
        access::check(self.token(), &parts)?;
        let path = parts.uri.path();
        let wanted = match path {
            "/publish" | "/auth" | "/superuser" | "/acl" => Method::POST,
            "/status" | "/metrics" => Method::GET,
            _ => return Err(not_found().into()),
        };
        if parts.method != wanted {
            return Err(wrong_method(path, &wanted).into());
        }
        let whole = || self.whole(body);
        Ok(match path {
            "/publish" => publish::publish(self, &parts.headers, whole().await?).await,
            "/auth" => auth::auth(self, &parts.headers, whole().await?).await,
            "/acl" => auth::acl(self, &parts.headers, whole().await?),
            // Nobody is above the rules.
            "/superuser" => fixed(StatusCode::UNAUTHORIZED, r#"{"ok":false}"#),
            "/status" => state::status(self).await,
            _ => metrics::metrics(self).await,
        })
    }

    /// The whole body, within size and time.
    async fn whole(&self, body: Incoming) -> Result<Bytes, Box<Answer>> {
        let too_long = || {
            let message = format!("The body is longer than {BODY_BYTES} bytes.");
            Box::new(last(error(StatusCode::PAYLOAD_TOO_LARGE, message)))
        };
        if body.size_hint().lower() > BODY_BYTES as u64 {
            return Err(too_long());
        }
        match tokio::time::timeout(self.patience, Limited::new(body, BODY_BYTES).collect()).await {
            Ok(Ok(whole)) => Ok(whole.to_bytes()),
            Ok(Err(failure)) if failure.is::<LengthLimitError>() => Err(too_long()),
            Ok(Err(_)) => Err(error(StatusCode::BAD_REQUEST, "The body broke off.").into()),
            Err(_) => Err(last(error(StatusCode::REQUEST_TIMEOUT, "The body did not come in time.")).into()),
        }
    }

    /// The relay a request means: by id or name; without either the first.
    pub(super) fn place(&self, named: Option<&str>) -> Option<&Place> {
        match named.filter(|named| !named.is_empty()) {
            Some(named) => self.places.iter().find(|place| place.id == named || place.relay.name == named),
            None => self.places.first(),
        }
    }

    /// The way to a relay's session; asks the registry only after the relay was stopped or started.
    pub(super) fn handles(&self, place: &Place) -> Option<Arc<Handles>> {
        let known = place.handles.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| !known.is_closed()) {
            return Some(known);
        }
        let found = self.reach.runtime.relay(place.relay.id).map(|at| Arc::new(at.handles));
        place.handles.write().unwrap_or_else(PoisonError::into_inner).clone_from(&found);
        found
    }
}

/// An answer before the end of its request: the connection can't be used for another one.
fn last(mut refusal: Answer) -> Answer {
    refusal.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    refusal
}

fn wrong_method(path: &str, wanted: &Method) -> Answer {
    let mut refusal = error(StatusCode::METHOD_NOT_ALLOWED, format!("{path} is asked with {wanted}."));
    let allowed = if *wanted == Method::GET { "GET" } else { "POST" };
    refusal.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    refusal
}

/// Reads a JSON body as the official relay does: 400 without a JSON content type or with broken syntax, 422 when fields
/// are missing or of another type.
pub(super) fn parse<'a, T: Deserialize<'a>>(headers: &HeaderMap, body: &'a Bytes) -> Result<T, Box<Answer>> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        let message = "Expected a request with the header Content-Type: application/json.";
        return Err(error(StatusCode::BAD_REQUEST, message).into());
    }
    serde_json::from_slice(body).map_err(|failure| {
        Box::new(match failure.classify() {
            serde_json::error::Category::Data => {
                error(StatusCode::UNPROCESSABLE_ENTITY, format!("Invalid JSON data: {failure}"))
            }
            _ => error(StatusCode::BAD_REQUEST, format!("The body is not JSON: {failure}.")),
        })
    })
}

/// A refusal of what a well-formed request asks for.
pub(super) fn unfit(message: impl Into<String>) -> Answer {
    error(StatusCode::UNPROCESSABLE_ENTITY, message)
}
