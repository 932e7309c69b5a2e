//! Events as text for people and programs.
//!
//! NDJSON has one object an event: `at` (RFC 3339, UTC, microseconds), `kind`, `origin`, `source`, `client`, `topic`,
//! `direction`, `qos`, `retain`, `dup`, `outcome`, `messageId`, `content`, `encoding` (`utf-8` or `base64`) and `payload`;
//! what an event does not have is null. CSV has one row a message, with the columns of [`COLUMNS`]. The text is that of
//! TagoIO's inspector: `[time]: title content`, with a line of dashes between what belongs together.

use super::event::{Event, Kind};
use super::{detail, row};
use crate::api::wire::FeedFormat;
use crate::exports::csv_field;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use relayscope_domain::filter::Subject;
use serde_json::json;
use std::io::{self, Write};

/// Columns of CSV: the time as RFC 3339 in UTC, who saw the message, who sent it or gets it, which way it went, and what it
/// is. `size` is that of the whole payload, also when only its beginning is kept; `encoding` is `utf-8` or
/// `base64`.
const COLUMNS: &str = "at,source,client,direction,topic,qos,retain,dup,message_id,size,encoding,payload";

/// Writes events one by one.
pub(super) struct Writer<W> {
    out: W,
    format: FeedFormat,
    // Message and client of the last event.
    group: Option<String>,
    count: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a file.
    pub(super) fn new(mut out: W, format: FeedFormat) -> io::Result<Self> {
        if format == FeedFormat::Csv {
            write!(out, "{COLUMNS}\r\n")?;
        }
        Ok(Self { out, format, group: None, count: 0 })
    }

    /// Writes an event; CSV leaves out what is no message.
    pub(super) fn write(&mut self, event: &Event) -> io::Result<()> {
        match self.format {
            FeedFormat::Ndjson => writeln!(self.out, "{}", object(event))?,
            FeedFormat::Csv => match columns(event) {
                Some(columns) => write!(self.out, "{columns}\r\n")?,
                None => return Ok(()),
            },
            FeedFormat::Txt => self.text(event)?,
        }
        self.count += 1;
        Ok(())
    }

    fn text(&mut self, event: &Event) -> io::Result<()> {
        let group = event.message_id.map_or_else(|| event.client.to_string(), |id| id.to_string());
        if self.group.as_ref().is_some_and(|last| *last != group) {
            writeln!(self.out, "------")?;
        }
        self.group = Some(group);
        let parts = [&*event.client, row::topic(&event.kind), &event.content()].map(str::to_owned);
        let content: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let time = row::date_and_clock(event.at);
        writeln!(self.out, "[{time}]: {} {}", detail::title(&event.kind), content.join(" - "))?;
        match event.payload() {
            Some(payload) => writeln!(self.out, "[{time}]: Raw payload: {}", encoded(payload).1),
            None => Ok(()),
        }
    }

    /// Everything is written.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.out.flush()?;
        Ok(self.count)
    }
}

fn time(event: &Event) -> String {
    DateTime::<Utc>::from(event.at).to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The payload as a text, and how.
fn encoded(payload: &[u8]) -> (&'static str, String) {
    match std::str::from_utf8(payload) {
        Ok(text) => ("utf-8", text.to_owned()),
        Err(_) => ("base64", STANDARD.encode(payload)),
    }
}

fn object(event: &Event) -> serde_json::Value {
    let payload = event.payload().map(encoded);
    let dup = match &event.kind {
        Kind::Publish { dup, .. } => Some(*dup),
        _ => None,
    };
    json!({
        "at": time(event),
        "kind": event.word(),
        "origin": event.origin.word(),
        "source": &*event.source,
        "client": &*event.client,
        "topic": Some(event.topic()).filter(|topic| !topic.is_empty()),
        "direction": event.direction().map(|direction| direction.word()),
        "qos": event.qos().map(u8::from),
        "retain": event.retained(),
        "dup": dup,
        "outcome": event.outcome().map(|outcome| outcome.word()),
        "messageId": event.message_id,
        "content": if payload.is_some() { None } else { Some(event.content()) },
        "encoding": payload.as_ref().map(|(encoding, _)| encoding),
        "payload": payload.as_ref().map(|(_, text)| text),
    })
}

fn columns(event: &Event) -> Option<String> {
    let Kind::Publish { topic, payload, qos, retain, dup, cut_from, .. } = &event.kind else { return None };
    let (encoding, text) = encoded(payload);
    let id = event.message_id.map(|id| id.to_string()).unwrap_or_default();
    let fields = [
        time(event),
        csv_field(&event.source),
        csv_field(&event.client),
        event.direction().map_or("", |direction| direction.word()).to_owned(),
        csv_field(topic),
        u8::from(*qos).to_string(),
        retain.to_string(),
        dup.to_string(),
        id,
        cut_from.unwrap_or(payload.len()).to_string(),
        encoding.to_owned(),
        csv_field(&text),
    ];
    Some(fields.join(","))
}
