//! Events as text for people and programs.
//!
//! NDJSON has one object an event, see [`line`]. CSV has one row a message, with the columns of [`COLUMNS`]. The text is that of
//! TagoIO's inspector: `[time]: title content`, with a line of dashes between what belongs together.

use super::event::{Event, Kind};
use super::line::{self, encoded, time};
use super::{detail, row};
use crate::exports::csv_field;
use relayscope_domain::filter::Subject;
use std::io::{self, Write};

/// Columns of CSV: the time as RFC 3339 in UTC, who saw the message, who sent it or gets it, which way it went, and what it
/// is. `size` is that of the whole payload, also when only its beginning is kept; `encoding` is `utf-8` or
/// `base64`.
const COLUMNS: &str = "at,source,client,direction,topic,qos,retain,dup,message_id,size,encoding,payload";

/// What a text of events looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    /// One JSON object a line; it can be opened again.
    Ndjson,
    /// Messages only, one a row.
    Csv,
    /// As TagoIO's Live Inspector writes it.
    Txt,
}

/// Writes events one by one.
pub(crate) struct Writer<W> {
    out: W,
    format: Text,
    // Message and client of the last event.
    group: Option<String>,
    count: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a file.
    pub(crate) fn new(mut out: W, format: Text) -> io::Result<Self> {
        if format == Text::Csv {
            write!(out, "{COLUMNS}\r\n")?;
        }
        Ok(Self { out, format, group: None, count: 0 })
    }

    /// Writes an event; CSV leaves out what is no message.
    pub(crate) fn write(&mut self, event: &Event) -> io::Result<()> {
        match self.format {
            Text::Ndjson => writeln!(self.out, "{}", line::write(event)?)?,
            Text::Csv => match columns(event) {
                Some(columns) => write!(self.out, "{columns}\r\n")?,
                None => return Ok(()),
            },
            Text::Txt => self.text(event)?,
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

    /// How many events were written, and what to.
    pub(crate) fn finish(self) -> (u64, W) {
        (self.count, self.out)
    }
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
