//! `GET /status`: how every relay behind the port stands, as it is and not as it should be.

use super::answer::{Answer, json};
use super::desk::{Desk, Place};
use super::words;
use crate::mqtt::session::{SessionState, Standing};
use crate::relay::meter::{Destination, Meter};
use crate::runtime::{UnitKey, UnitStatus};
use chrono::{DateTime, SecondsFormat, Utc};
use hyper::StatusCode;
use serde_json::{Value, json};
use std::time::SystemTime;

/// How one relay stands.
pub(super) struct Standings {
    pub(super) connected: bool,
    words: String,
    since: Option<SystemTime>,
}

/// `ok` only when every relay behind the port is connected; `503` otherwise, so that health checks see it.
pub(super) async fn status(desk: &Desk) -> Answer {
    let mut all_connected = true;
    let mut relays = vec![];
    for place in &desk.places {
        let (connected, relay) = relay(desk, place).await;
        all_connected &= connected;
        relays.push(relay);
    }
    let (code, word) =
        if all_connected { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "not connected") };
    let mut body = json!({ "status": word, "version": env!("CARGO_PKG_VERSION"), "relays": relays });
    if desk.settings().is_unsafe() {
        body["warning"] = words::UNSAFE.into();
    }
    json(code, &body)
}

async fn relay(desk: &Desk, place: &Place) -> (bool, Value) {
    let meter = desk.reach.runtime.meter(place.relay.id);
    let standing = standing(desk, place, &meter);
    let (ledger, _) = meter.ledger();
    let trouble = meter.last_error();
    let relay = json!({
        "id": place.relay.id,
        "name": place.relay.name,
        "connected": standing.connected,
        "state": standing.words,
        "since": standing.since.map(iso),
        "last_error": trouble.map(|trouble| json!({ "message": trouble.message, "at": iso(trouble.at) })),
        "waiting": ledger.waiting,
        "in_flight": ledger.in_flight,
        "oldest_age_seconds": oldest_age(desk, place, ledger.waiting + ledger.in_flight).await,
        "dead": ledger.dead,
    });
    (standing.connected, relay)
}

/// Seconds since the oldest waiting message came; `None` when none waits.
pub(super) async fn oldest_age(desk: &Desk, place: &Place, held: u64) -> Option<f64> {
    if held == 0 {
        return None;
    }
    let oldest = desk.reach.queue.oldest(place.relay.id).await.ok().flatten()?;
    Some((crate::feed::unix_millis(SystemTime::now()) - oldest).max(0) as f64 / 1_000.0)
}

/// How a relay stands: its worst part first.
pub(super) fn standing(desk: &Desk, place: &Place, meter: &Meter) -> Standings {
    let session = desk.handles(place).map(|handles| handles.session.borrow().clone());
    let connected = session.as_ref().is_some_and(|session| session.standing == Standing::Connected);
    let (words, since) = match (desk.reach.runtime.status(UnitKey::Relay(place.relay.id)), session) {
        (UnitStatus::Running { since }, Some(session)) => running(since, &session, meter),
        (UnitStatus::Failed { reason }, _) => (format!("failed: {reason}"), None),
        (UnitStatus::Backoff { reason, .. }, _) => (format!("starts again: {reason}"), None),
        (UnitStatus::Stopped | UnitStatus::Starting | UnitStatus::Running { .. }, _) => ("starting".into(), None),
    };
    Standings { connected, words, since }
}

fn running(since: SystemTime, session: &SessionState, meter: &Meter) -> (String, Option<SystemTime>) {
    if let Some((reason, since)) = meter.storage() {
        return (format!("paused: messages can't be stored: {reason}"), Some(since));
    }
    let broker = match &session.standing {
        Standing::Connected => None,
        Standing::Connecting => Some("connecting to the broker".to_owned()),
        Standing::Retrying(failure) => Some(format!("reconnecting to the broker: {}", failure.words)),
        Standing::Refused(failure) => Some(format!("refused by the broker: {}", failure.words)),
        Standing::Blocked => Some("waiting: the queue is behind".to_owned()),
    };
    match (broker, meter.destination()) {
        (Some(words), _) => (words, Some(session.since)),
        (None, Destination::Paused { reason, since }) => (format!("paused: {reason}"), Some(since)),
        (None, Destination::Waiting { reason, since, .. }) => (format!("waiting for TagoIO: {reason}"), Some(since)),
        (None, Destination::Unknown | Destination::Working { .. }) => ("running".into(), Some(since)),
    }
}

/// ISO 8601 in UTC, with milliseconds.
pub(super) fn iso(at: SystemTime) -> String {
    DateTime::<Utc>::from(at).to_rfc3339_opts(SecondsFormat::Millis, true)
}
