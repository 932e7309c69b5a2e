//! An event as one line of NDJSON, and back.
//!
//! Members: `at` (RFC 3339, UTC, microseconds), `kind` (one word), `origin`, `source`, `client`, `topic`, `direction`,
//! `qos`, `retain`, `dup`, `outcome`, `messageId`, `connection`, `content`. A message also has `packetId`, `properties`
//! (MQTT 5, name and value in words), `size` when only the beginning of the payload was kept, `encoding` (`utf-8` or
//! `base64`) and `payload`. Every other event has `event`: what happened, exactly. What an event does not have is left
//! out. Of a message that is read only `at`, `kind` (`publish`, `downlink`, `receive` or `will`), `topic` and `payload`
//! must be there, so that a line can also be written by hand.

use super::event::{ConnectionId, Direction, Event, Kind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use relayscope_domain::filter::{SourceKind, Subject};
use relayscope_domain::id::MessageId;
use relayscope_domain::message::Qos;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;
use std::time::{Instant, SystemTime};

/// The line of an event: written with everything, read with what is there.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Line {
    at: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<SourceKind>,
    source: String,
    client: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qos: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retain: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dup: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<NonZeroU64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packet_id: Option<u16>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Kind>,
}

/// When it happened, as files say it.
pub(super) fn time(event: &Event) -> String {
    DateTime::<Utc>::from(event.at).to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The payload as a text, and how.
pub(super) fn encoded(payload: &[u8]) -> (&'static str, String) {
    match std::str::from_utf8(payload) {
        Ok(text) => ("utf-8", text.to_owned()),
        Err(_) => ("base64", STANDARD.encode(payload)),
    }
}

/// An event as a line, without its end.
pub(crate) fn write(event: &Event) -> serde_json::Result<String> {
    let mut line = Line {
        at: time(event),
        kind: event.word().to_owned(),
        origin: Some(event.origin),
        source: event.source.to_string(),
        client: event.client.to_string(),
        topic: Some(event.topic().to_owned()).filter(|topic| !topic.is_empty()),
        direction: event.direction().map(|direction| direction.word().to_owned()),
        qos: event.qos().map(u8::from),
        retain: event.retained(),
        outcome: event.outcome().map(|outcome| outcome.word().to_owned()),
        message_id: event.message_id,
        connection: event.connection.and_then(|connection| NonZeroU64::new(connection.number())),
        ..Line::default()
    };
    match &event.kind {
        Kind::Publish { payload, dup, packet_id, properties, cut_from, topic, .. } => {
            let (encoding, text) = encoded(payload);
            // Empty when an alias stood for it.
            line.topic = Some(topic.to_string());
            line.dup = Some(*dup);
            line.packet_id = *packet_id;
            line.properties.clone_from(properties);
            line.size = *cut_from;
            line.encoding = Some(encoding.to_owned());
            line.payload = Some(text);
        }
        other => {
            line.content = Some(event.content().into_owned());
            line.event = Some(other.clone());
        }
    }
    serde_json::to_string(&line)
}

/// Where monotonic times of a file begin: differences between its events are those of their wall clocks.
pub(crate) struct Beginning {
    first: Option<SystemTime>,
    instant: Instant,
}

impl Default for Beginning {
    fn default() -> Self {
        Self { first: None, instant: Instant::now() }
    }
}

/// Reads a line, or says in words why it is none.
pub(crate) fn read(text: &str, beginning: &mut Beginning) -> Result<Event, String> {
    let line: Line = serde_json::from_str(text).map_err(|error| match error.is_data() {
        // The place in the line; its number is told beside it.
        true => format!("it is no event: {}", plain(&error)),
        false => format!("it is not JSON: {}", plain(&error)),
    })?;
    if line.at.is_empty() {
        return Err("the member at is missing: when it happened, as 2026-11-21T14:03:00Z".into());
    }
    let at = DateTime::parse_from_rfc3339(&line.at)
        .map_err(|_| format!("at is “{}”, and not a time as 2026-11-21T14:03:00Z", shortened(&line.at)))?;
    let at = SystemTime::from(at);
    let first = *beginning.first.get_or_insert(at);
    let instant = beginning.instant + at.duration_since(first).unwrap_or_default();
    let (source, client) = (line.source.as_str().into(), line.client.as_str().into());
    let (message_id, origin) = (line.message_id, line.origin.unwrap_or(SourceKind::App));
    let connection = line.connection.map(ConnectionId::of);
    let kind = kind(line)?;
    Ok(Event { seq: 0, at, instant, origin, source, client, message_id, connection, kind })
}

fn kind(line: Line) -> Result<Kind, String> {
    let (direction, will) = match line.kind.as_str() {
        "publish" => (Direction::In, false),
        "downlink" => (Direction::Out, false),
        "receive" => (Direction::ToClient, false),
        "will" => (Direction::In, true),
        "" => return Err("the member kind is missing".into()),
        other => {
            let missing = || format!("the member event is missing, which says what “{}” is", shortened(other));
            return line.event.ok_or_else(missing);
        }
    };
    let topic = line.topic.ok_or("the member topic is missing")?;
    let text = line.payload.ok_or("the member payload is missing")?;
    let payload = match line.encoding.as_deref() {
        None | Some("utf-8") => Bytes::from(text),
        Some("base64") => STANDARD.decode(text).map_err(|error| format!("its payload is no Base64: {error}"))?.into(),
        Some(other) => return Err(format!("encoding is “{}”, and not utf-8 or base64", shortened(other))),
    };
    let qos = Qos::try_from(line.qos.unwrap_or_default()).map_err(|_| "qos is not 0, 1 or 2")?;
    Ok(Kind::Publish {
        direction,
        topic: topic.into(),
        qos,
        retain: line.retain.unwrap_or_default(),
        dup: line.dup.unwrap_or_default(),
        packet_id: line.packet_id,
        properties: line.properties,
        will,
        cut_from: line.size.filter(|size| *size > payload.len()),
        payload,
    })
}

/// serde's words without its place: the line is known.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let words = text.rsplit_once(" at line ").map_or(text.as_str(), |(words, _)| words);
    format!("{words} (column {})", error.column())
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= 40 { text.to_owned() } else { text.chars().take(40).chain(['…']).collect() }
}
