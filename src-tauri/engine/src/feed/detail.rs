//! Everything about one event: TagoIO's title, its details (`fields`), payload, and the journey of its message.

use super::event::{Direction, Event, Kind};
pub(super) use super::fields::fields;
use super::payload;
use super::row;
use crate::api::wire::{EventDetail, JourneyStep, PayloadView};

/// The drawer of an event. `journey` holds all events of its message, oldest first.
pub fn detail(event: &Event, journey: &[&Event]) -> EventDetail {
    EventDetail {
        row: row(event),
        title: title(&event.kind).to_owned(),
        fields: fields(event),
        // What was published is read by decoders, when a page asks for it.
        payload: match &event.kind {
            Kind::Malformed { bytes, size, .. } => {
                Some(PayloadView { size: *size as u64, text: None, json: None, ..payload::view_of(bytes) })
            }
            Kind::Connect { will: Some(payload), .. } => Some(payload::view_of(payload)),
            _ => None,
        },
        journey: journey
            .iter()
            .map(|step| JourneyStep {
                seq: step.seq,
                after_micros: step.instant.duration_since(journey[0].instant).as_micros() as u64,
                words: journey_words(&step.kind),
                detail: journey_detail(step),
                tone: row::tone(&step.kind),
            })
            .collect(),
    }
}

/// TagoIO's titles (Live Inspector of TagoIO; wording of TagoCore's MQTT plugin for subscribe, unsubscribe and will).
pub(super) fn title(kind: &Kind) -> &'static str {
    match kind {
        Kind::Accepted { .. } => "[MQTT] Connection accepted",
        Kind::Secured { result: Ok(_) } => "[MQTT] TLS established",
        Kind::Secured { result: Err(_) } => "[MQTT] TLS failed",
        Kind::Connect { .. } => "[MQTT] Device connect",
        Kind::Acknowledged { .. } => "[MQTT] Acknowledgement",
        Kind::Ping { .. } => "[MQTT] Device ping",
        Kind::Malformed { .. } => "[MQTT] Malformed packet",
        Kind::OverLimit { .. } => "[MQTT] Limit exceeded",
        Kind::Closed { .. } => "[MQTT] Connection closed",
        Kind::Connected { .. } => "[MQTT] Device connected",
        Kind::Refused { .. } => "[MQTT] Device refused",
        Kind::Subscribed { .. } => "[MQTT] Device subscribe",
        Kind::Unsubscribed { .. } => "[MQTT] Device unsubscribe",
        Kind::Publish { will: true, .. } => "[MQTT] Device executed will message",
        Kind::Publish { direction: Direction::In, .. } => "[MQTT] Device publish",
        Kind::Publish { direction: Direction::Out, .. } => "[MQTT] Downlink publish",
        Kind::Publish { direction: Direction::ToClient, .. } => "[MQTT] Device receive",
        Kind::Queued { .. } => "Queued",
        Kind::Delivered { .. } => "[POST] HTTP Request",
        Kind::DryRun { .. } => "[POST] HTTP Request, not made",
        Kind::Retry { .. } => "[POST] HTTP Request, to be repeated",
        Kind::DeadLetter { .. } => "Dead letter",
        Kind::Dropped { .. } => "Dropped",
        Kind::Disconnected { .. } => "[MQTT] Device disconnected",
        Kind::Note { .. } => "Note",
    }
}

/// What a step of a journey is called, and what is to be said of it.
pub(super) fn step_words(event: &Event) -> (String, String) {
    (journey_words(&event.kind), journey_detail(event))
}

fn journey_words(kind: &Kind) -> String {
    match kind {
        Kind::Publish { direction: Direction::In, .. } => "received".into(),
        Kind::Publish { direction: Direction::Out, .. } => "published".into(),
        Kind::Publish { direction: Direction::ToClient, .. } => "sent to the client".into(),
        Kind::Queued { .. } => "on disk, acknowledged".into(),
        Kind::Delivered { attempt, .. } | Kind::Retry { attempt, .. } => format!("POST {attempt}"),
        other => row::word(other).into(),
    }
}

fn journey_detail(event: &Event) -> String {
    match &event.kind {
        Kind::Publish { direction: Direction::In, .. } => format!("by {}", event.source),
        Kind::Publish { direction: Direction::Out, .. } => format!("to {}", event.source),
        Kind::Publish { direction: Direction::ToClient, .. } => format!("by {} to {}", event.source, event.client),
        Kind::Queued { entry, .. } => format!("entry {entry}"),
        other => row::preview(other).into_owned(),
    }
}
