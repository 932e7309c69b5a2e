//! An event as one line: its word, chip, colour, topic and preview. All wording of the feed stands here.

use super::event::{Ack, Direction, Event, Kind};
use super::payload;
use crate::api::wire::{KindGroup, Row, RowTone};
use relayscope_domain::message::MqttVersion;
use std::borrow::Cow;
use std::time::{Duration, SystemTime};

const PREVIEW: usize = 240;

/// The line of an event.
pub fn row(event: &Event) -> Row {
    let (size, qos, retain) = match &event.kind {
        Kind::Publish { payload, qos, retain, cut_from, .. } => {
            (Some(cut_from.unwrap_or(payload.len()) as u32), Some(u8::from(*qos)), *retain)
        }
        Kind::Malformed { size, .. } => (Some(*size as u32), None, false),
        Kind::Subscribed { requested, granted, .. } => {
            (None, Some(u8::from(*granted.as_ref().unwrap_or(requested))), false)
        }
        _ => (None, None, false),
    };
    Row {
        seq: event.seq,
        at: unix_millis(event.at),
        kind: word(&event.kind).to_owned(),
        group: group(&event.kind),
        tone: tone(&event.kind),
        source: event.source.to_string(),
        client: event.client.to_string(),
        topic: topic(&event.kind).to_owned(),
        preview: preview(&event.kind).into_owned(),
        size,
        qos,
        retain,
        message_id: event.message_id,
    }
}

/// Unix milliseconds.
pub fn unix_millis(at: SystemTime) -> i64 {
    match at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => after.as_millis() as i64,
        Err(before) => -(before.duration().as_millis() as i64),
    }
}

/// A wall-clock time of day, local: `14:03:00`.
pub fn clock(at: SystemTime) -> String {
    chrono::DateTime::<chrono::Local>::from(at).format("%H:%M:%S").to_string()
}

/// Unix milliseconds as ISO 8601 in UTC: `2026-11-21T14:03:00.250Z`.
pub fn iso(millis: i64) -> String {
    chrono::DateTime::from_timestamp_millis(millis)
        .map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
        .unwrap_or_default()
}

/// Local date and time to the microsecond: `2026-11-21 14:03:00.250113`.
pub(super) fn date_and_clock(at: SystemTime) -> String {
    chrono::DateTime::<chrono::Local>::from(at).format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

/// One word for the kind.
pub(super) fn word(kind: &Kind) -> &'static str {
    match kind {
        Kind::Accepted { .. } => "accepted",
        Kind::Secured { result: Ok(_) } => "secured",
        Kind::Secured { result: Err(_) } => "not secured",
        Kind::Connect { .. } => "connect",
        Kind::Acknowledged { ack, .. } => ack_word(*ack),
        Kind::Ping { answer: false, .. } => "ping",
        Kind::Ping { answer: true, .. } => "pong",
        Kind::Malformed { .. } => "malformed",
        Kind::OverLimit { .. } => "over limit",
        Kind::Closed { .. } => "closed",
        Kind::Connected { .. } => "connected",
        Kind::Refused { .. } => "refused",
        Kind::Subscribed { granted: Ok(_), .. } => "subscribe",
        Kind::Subscribed { granted: Err(_), .. } => "not subscribed",
        Kind::Unsubscribed { .. } => "unsubscribe",
        Kind::Publish { will: true, .. } => "will",
        Kind::Publish { direction: Direction::In, .. } => "publish",
        Kind::Publish { direction: Direction::Out, .. } => "downlink",
        Kind::Publish { direction: Direction::ToClient, .. } => "receive",
        Kind::Queued { .. } => "queued",
        Kind::Delivered { .. } => "delivered",
        Kind::DryRun { .. } => "dry run",
        Kind::Retry { .. } => "retry",
        Kind::DeadLetter { .. } => "dead letter",
        Kind::Dropped { .. } => "dropped",
        Kind::Disconnected { .. } => "disconnected",
        Kind::Note { failure: true, .. } => "failure",
        Kind::Note { failure: false, .. } => "note",
    }
}

fn ack_word(ack: Ack) -> &'static str {
    match ack {
        Ack::PubAck => "puback",
        Ack::PubRec => "pubrec",
        Ack::PubRel => "pubrel",
        Ack::PubComp => "pubcomp",
    }
}

/// The chip that selects the kind.
pub(super) fn group(kind: &Kind) -> KindGroup {
    match kind {
        Kind::Accepted { .. }
        | Kind::Secured { .. }
        | Kind::Connect { .. }
        | Kind::Connected { .. }
        | Kind::Refused { .. }
        | Kind::Ping { .. } => KindGroup::Connect,
        Kind::Disconnected { .. } | Kind::Closed { .. } => KindGroup::Disconnect,
        Kind::Subscribed { .. } => KindGroup::Subscribe,
        Kind::Unsubscribed { .. } => KindGroup::Unsubscribe,
        Kind::Publish { .. } | Kind::Acknowledged { .. } => KindGroup::Publish,
        Kind::Queued { .. }
        | Kind::Delivered { .. }
        | Kind::DryRun { .. }
        | Kind::Retry { .. }
        | Kind::DeadLetter { .. } => KindGroup::Delivery,
        Kind::Dropped { .. } | Kind::Note { .. } | Kind::Malformed { .. } | Kind::OverLimit { .. } => KindGroup::Error,
    }
}

pub(super) fn tone(kind: &Kind) -> RowTone {
    match kind {
        Kind::Connected { .. } => RowTone::Connect,
        Kind::Acknowledged { code: 0x80.., .. }
        | Kind::Secured { result: Err(_) }
        | Kind::Malformed { .. }
        | Kind::OverLimit { .. }
        | Kind::Refused { .. }
        | Kind::DeadLetter { .. }
        | Kind::Dropped { .. }
        | Kind::Subscribed { granted: Err(_), .. }
        | Kind::Note { failure: true, .. } => RowTone::Bad,
        Kind::Subscribed { .. } | Kind::Unsubscribed { .. } => RowTone::Subscribe,
        Kind::Publish { .. } => RowTone::Publish,
        Kind::Delivered { .. } => RowTone::Delivered,
        Kind::Retry { .. } | Kind::DryRun { .. } => RowTone::Warn,
        Kind::Accepted { .. }
        | Kind::Secured { result: Ok(_) }
        | Kind::Connect { .. }
        | Kind::Acknowledged { .. }
        | Kind::Ping { .. }
        | Kind::Closed { .. }
        | Kind::Queued { .. }
        | Kind::Disconnected { .. }
        | Kind::Note { failure: false, .. } => RowTone::Quiet,
    }
}

/// Topic or filter, or nothing.
pub(super) fn topic(kind: &Kind) -> &str {
    match kind {
        Kind::Subscribed { filter, .. } | Kind::Unsubscribed { filter } => filter,
        Kind::Publish { topic, .. }
        | Kind::Acknowledged { topic, .. }
        | Kind::Queued { topic, .. }
        | Kind::Delivered { topic, .. }
        | Kind::DryRun { topic, .. }
        | Kind::Retry { topic, .. }
        | Kind::DeadLetter { topic, .. }
        | Kind::Dropped { topic, .. } => topic,
        Kind::Accepted { .. }
        | Kind::Secured { .. }
        | Kind::Connect { .. }
        | Kind::Connected { .. }
        | Kind::Refused { .. }
        | Kind::Ping { .. }
        | Kind::Malformed { .. }
        | Kind::OverLimit { .. }
        | Kind::Disconnected { .. }
        | Kind::Closed { .. }
        | Kind::Note { .. } => "",
    }
}

/// A duration as people say it: `850 µs`, `41 ms`, `2.4 s`.
pub(crate) fn took_words(took: Duration) -> String {
    let micros = took.as_micros();
    match micros {
        0..=999 => format!("{micros} µs"),
        1_000..=999_999 => format!("{} ms", micros / 1_000),
        _ => format!("{:.1} s", took.as_secs_f64()),
    }
}

/// A protocol version as people say it; `None` is MQTT 3.1.
pub(super) fn version_words(version: Option<MqttVersion>) -> &'static str {
    match version {
        Some(MqttVersion::V5) => "MQTT 5",
        Some(MqttVersion::Auto) => "MQTT",
        Some(MqttVersion::V311) => "MQTT 3.1.1",
        None => "MQTT 3.1",
    }
}

/// One line of content.
pub(super) fn preview(kind: &Kind) -> Cow<'_, str> {
    match kind {
        Kind::Accepted { listener } => Cow::Borrowed(listener),
        Kind::Secured { result: Ok(facts) } => {
            let parts: Vec<String> = facts.iter().map(|(name, value)| format!("{name} {value}")).collect();
            Cow::Owned(parts.join(" · "))
        }
        Kind::Secured { result: Err(reason) } => Cow::Borrowed(reason),
        Kind::Connect { version, detail, .. } => Cow::Owned(format!("{} · {detail}", version_words(*version))),
        Kind::Acknowledged { packet_id, reason, took, .. } => {
            let took = took.map(|took| format!(" · after {}", took_words(took))).unwrap_or_default();
            Cow::Owned(format!("packet {packet_id} · {reason}{took}"))
        }
        Kind::Ping { took, .. } => {
            Cow::Owned(took.map(|took| format!("after {}", took_words(took))).unwrap_or_default())
        }
        Kind::Malformed { direction, bytes, size, reason } => {
            let from = if *direction == Direction::In { "the client" } else { "the broker" };
            let dots = if bytes.len() < *size { "…" } else { "" };
            let hex: Vec<String> = bytes.iter().take(24).map(|byte| format!("{byte:02x}")).collect();
            Cow::Owned(format!("from {from}, {size} B: {reason} · {}{dots}", hex.join(" ")))
        }
        Kind::OverLimit { what, limit, reached } => Cow::Owned(format!("{what}: {reached}, allowed are {limit}")),
        Kind::Closed { cause, lasted, received, sent, .. } => {
            Cow::Owned(format!("{cause} · after {} · {} messages in, {} out", took_words(*lasted), received.0, sent.0))
        }
        Kind::Connected { version, session_present, detail, .. } => {
            let version = version_words(*version);
            let session = if *session_present { " · session resumed" } else { "" };
            let detail = if detail.is_empty() { String::new() } else { format!(" · {detail}") };
            Cow::Owned(format!("{version}{session}{detail}"))
        }
        Kind::Refused { reason, .. } | Kind::Disconnected { reason, .. } => Cow::Borrowed(reason),
        Kind::Subscribed { requested, granted, .. } => Cow::Owned(match granted {
            Ok(granted) if granted == requested => format!("granted QoS {}", u8::from(*granted)),
            Ok(granted) => format!("granted QoS {} instead of {}", u8::from(*granted), u8::from(*requested)),
            Err(reason) => format!("refused: {reason}"),
        }),
        Kind::Unsubscribed { .. } => Cow::Borrowed(""),
        Kind::Publish { payload, .. } => Cow::Owned(payload::preview(payload, PREVIEW)),
        Kind::Queued { entry, .. } => Cow::Owned(format!("on disk, acknowledged · entry {entry}")),
        Kind::Delivered { status, took, attempt, answer, .. } => {
            let tries = if *attempt > 1 { format!(" · attempt {attempt}") } else { String::new() };
            let answer = if answer.is_empty() { String::new() } else { format!(" · {answer}") };
            Cow::Owned(format!("{status} in {}{answer}{tries}", took_words(*took)))
        }
        Kind::DryRun { request, .. } => Cow::Owned(format!(
            "not sent · {}",
            request.lines().last().unwrap_or_default().chars().take(PREVIEW).collect::<String>()
        )),
        Kind::Retry { reason, attempt, next, .. } => {
            Cow::Owned(format!("{reason} · attempt {attempt} · next try at {}", clock(*next)))
        }
        Kind::DeadLetter { reason, attempts, .. } => {
            let times = if *attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") };
            Cow::Owned(format!("{reason} · {times} · kept"))
        }
        Kind::Dropped { count, reason, .. } => {
            Cow::Owned(format!("{count} {}: {reason}", if *count == 1 { "message" } else { "messages" }))
        }
        Kind::Note { text, .. } => Cow::Borrowed(text),
    }
}
