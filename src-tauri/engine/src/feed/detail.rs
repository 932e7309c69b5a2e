//! Everything about one event: TagoIO's title, packet details, payload, and the journey of its message.

use super::event::{Direction, Event, Kind};
use super::payload;
use super::row::{self, took_words, unix_millis};
use super::sections;
use crate::api::wire::{EventDetail, Field, JourneyStep, PayloadView};

/// The drawer of an event. `journey` holds all events of its message, oldest first.
pub fn detail(event: &Event, journey: &[&Event]) -> EventDetail {
    EventDetail {
        row: row::row(event),
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

pub(super) fn fields(event: &Event) -> Vec<Field> {
    let mut out = vec![];
    let mut add = |label: &str, value: String| {
        let section = sections::of(&event.kind, label).map(str::to_owned);
        out.push(Field { label: label.to_owned(), value, section });
    };
    add("Source", event.source.to_string());
    add("Client", event.client.to_string());
    if let Some(connection) = event.connection {
        add("Connection", connection.to_string());
    }
    if let Some(id) = event.message_id {
        add("Message id", id.to_string());
    }
    match &event.kind {
        Kind::Accepted { listener } => add("Listener", listener.to_string()),
        Kind::Secured { result: Ok(facts) } => facts.iter().for_each(|(name, value)| add(name, value.clone())),
        Kind::Secured { result: Err(reason) } => add("Reason", reason.clone()),
        Kind::Connect { version, facts, .. } => {
            add("Version", row::version_words(*version).to_owned());
            facts.iter().for_each(|(name, value)| add(name, value.clone()));
        }
        Kind::Acknowledged { direction, ack: _, packet_id, topic, code, reason, took } => {
            add("Packet", row::word(&event.kind).to_uppercase());
            add("From", if *direction == Direction::In { "client" } else { "broker" }.to_owned());
            add("Packet id", packet_id.to_string());
            if !topic.is_empty() {
                add("Topic", topic.to_string());
            }
            add("Code", format!("{code} (0x{code:02x})"));
            add("Reason", reason.clone());
            if let Some(took) = took {
                add("Since its PUBLISH", took_words(*took));
            }
        }
        Kind::Ping { took, .. } => {
            if let Some(took) = took {
                add("Duration", took_words(*took));
            }
        }
        Kind::Malformed { direction, size, reason, .. } => {
            add("From", if *direction == Direction::In { "client" } else { "broker" }.to_owned());
            add("Size", format!("{size} B"));
            add("Reason", reason.clone());
        }
        Kind::OverLimit { what, limit, reached } => {
            add("Limit", what.to_string());
            add("Allowed", limit.to_string());
            add("Reached", reached.to_string());
        }
        Kind::Closed { cause, lasted, received, sent, pings } => {
            add("Cause", cause.clone());
            add("Lasted", took_words(*lasted));
            for (label, (messages, bytes)) in [("From the client", received), ("To the client", sent)] {
                add(label, format!("{messages} messages, {bytes} B"));
            }
            add("Pings", pings.to_string());
        }
        Kind::Connected { session_present, will, token_last5, facts, .. } => {
            add("Content", row::preview(&event.kind).into_owned());
            add("Session present", yes(*session_present));
            add("Will message", yes(*will));
            if !token_last5.is_empty() {
                add("Token ending", token_last5.clone());
            }
            facts.iter().for_each(|(name, value)| add(name, value.clone()));
        }
        Kind::Refused { code, reason } => {
            if let Some(code) = code {
                add("Code", format!("{code} (0x{code:02x})"));
            }
            add("Reason", reason.clone());
        }
        Kind::Subscribed { filter, requested, granted } => {
            add("Filter", filter.to_string());
            add("QoS asked for", u8::from(*requested).to_string());
            match granted {
                Ok(granted) => add("QoS granted", u8::from(*granted).to_string()),
                Err(reason) => add("Refused", reason.clone()),
            }
        }
        Kind::Unsubscribed { filter } => add("Filter", filter.to_string()),
        Kind::Publish { topic, payload, qos, retain, dup, packet_id, properties, cut_from, .. } => {
            add("Topic", topic.to_string());
            add("QoS", u8::from(*qos).to_string());
            add("Retained", yes(*retain));
            add("Duplicate", yes(*dup));
            if let Some(packet_id) = packet_id {
                add("Packet id", packet_id.to_string());
            }
            match cut_from {
                None => add("Size", format!("{} B", payload.len())),
                Some(size) => add("Size", format!("{size} B, of which the first {} are kept", payload.len())),
            }
            for (name, value) in properties {
                add(name, value.clone());
            }
        }
        Kind::Queued { topic, entry } => {
            add("Topic", topic.to_string());
            add("Entry", entry.to_string());
        }
        Kind::Delivered { topic, status, took, attempt, answer } => {
            add("Topic", topic.to_string());
            add("HTTP status", status.to_string());
            add("Duration", took_words(*took));
            add("Attempt", attempt.to_string());
            add("Answer", answer.to_string());
        }
        Kind::DryRun { topic, request } => {
            add("Topic", topic.to_string());
            add("Request", request.clone());
        }
        Kind::Retry { topic, status, took, attempt, reason, next } => {
            add("Topic", topic.to_string());
            add("HTTP status", status.map_or_else(|| "none".to_owned(), |status| status.to_string()));
            add("Duration", took_words(*took));
            add("Attempt", attempt.to_string());
            add("Reason", reason.clone());
            add("Next try", row::clock(*next));
        }
        Kind::DeadLetter { topic, status, attempts, reason } => {
            add("Topic", topic.to_string());
            add("HTTP status", status.map_or_else(|| "none".to_owned(), |status| status.to_string()));
            add("Attempts", attempts.to_string());
            add("Reason", reason.clone());
        }
        Kind::Dropped { topic, count, reason } => {
            if !topic.is_empty() {
                add("Topic", topic.to_string());
            }
            add("Count", count.to_string());
            add("Reason", reason.clone());
        }
        Kind::Disconnected { code, reason, clean } => {
            if let Some(code) = code {
                add("Code", format!("{code} (0x{code:02x})"));
            }
            add("Reason", reason.clone());
            add("As intended", yes(*clean));
        }
        Kind::Note { text, .. } => add("Content", text.clone()),
    }
    add("Time", row::date_and_clock(event.at));
    add("Time (Unix ms)", unix_millis(event.at).to_string());
    out
}

fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
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
