//! An event as the history keeps it, and what filters and pages ask of it.

use crate::api::wire::{EventDetail, Field, JourneyStep, Row};
use crate::feed::event::{self, ConnectionId, Event, Kind};
use crate::feed::{detail, row, unix_millis};
use bytes::Bytes;
use relayscope_domain::filter::{Direction, KindName, KindSet, Outcome, SourceKind, Subject};
use relayscope_domain::id::MessageId;
use relayscope_domain::message::Qos;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::num::NonZeroU64;
use std::time::{Duration, Instant, UNIX_EPOCH};

/// Bytes of a payload that a search for text reaches by its index; of a larger one everything is read.
const INDEXED: usize = 16 * 1024;
/// Three characters that no text has by chance: an event whose payload is not wholly in the index.
pub(super) const CUT: &str = "\u{e000}\u{e000}\u{e000}";

/// What stands in the column `told`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told {
    pub(super) row: Row,
    title: String,
    fields: Vec<Field>,
    words: String,
    detail: String,
    origin: SourceKind,
    direction: Option<Direction>,
    outcome: Option<Outcome>,
    micros: i64,
    // What happened, without the payload; none in files of earlier versions.
    #[serde(default)]
    pub(super) exact: Option<Kind>,
    #[serde(default)]
    connection: Option<NonZeroU64>,
}

impl Told {
    pub(super) fn of(event: &Event) -> Self {
        let (words, said) = detail::step_words(event);
        let since_epoch = event.at.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            row: row(event),
            title: detail::title(&event.kind).to_owned(),
            fields: detail::fields(event),
            words,
            detail: said,
            origin: event.origin,
            direction: Subject::direction(event),
            outcome: Subject::outcome(event),
            micros: since_epoch.as_micros() as i64,
            exact: Some(event.kind.clone()),
            connection: event.connection.and_then(|connection| NonZeroU64::new(connection.number())),
        }
    }
}

/// What the index reads of an event.
pub(super) fn text(event: &Event) -> String {
    let mut text = format!("{}\n{}\n{}\n{}\n", event.topic(), event.client, event.source, event.word());
    match event.payload() {
        Some(payload) => {
            text.push_str(&String::from_utf8_lossy(&payload[..payload.len().min(INDEXED)]));
            if payload.len() > INDEXED {
                text.push_str(CUT);
            }
        }
        None => text.push_str(&event.content()),
    }
    text
}

/// One row of the table.
pub(super) struct Stored {
    pub(super) id: i64,
    pub(super) kinds: KindSet,
    pub(super) payload: Option<Vec<u8>>,
    pub(super) told: Told,
}

impl Stored {
    /// The event as it was recorded. Of one that an earlier version wrote only a message is known, and what else
    /// happened in words.
    pub(super) fn event(self) -> Event {
        let Told { row, origin, direction, micros, exact, connection, .. } = self.told;
        let payload = Bytes::from(self.payload.unwrap_or_default());
        let kind = match exact {
            Some(Kind::Publish {
                direction, topic, qos, retain, dup, packet_id, properties, will, cut_from, ..
            }) => Kind::Publish { direction, topic, payload, qos, retain, dup, packet_id, properties, will, cut_from },
            Some(other) => other,
            None if self.kinds.bits() & KindSet::of(&[KindName::Publish]).bits() != 0 && row.size.is_some() => {
                Kind::Publish {
                    direction: match direction {
                        Some(Direction::Out) if row.kind == "downlink" => event::Direction::Out,
                        Some(Direction::Out) => event::Direction::ToClient,
                        Some(Direction::In) | None => event::Direction::In,
                    },
                    topic: row.topic.as_str().into(),
                    qos: row.qos.and_then(|qos| Qos::try_from(qos).ok()).unwrap_or_default(),
                    retain: row.retain,
                    dup: false,
                    packet_id: None,
                    properties: vec![],
                    will: row.kind == "will",
                    cut_from: row.size.map(|size| size as usize).filter(|size| *size > payload.len()),
                    payload,
                }
            }
            None => Kind::Note { failure: false, text: format!("{}: {} {}", row.kind, row.topic, row.preview) },
        };
        Event {
            seq: self.id.unsigned_abs(),
            at: UNIX_EPOCH + Duration::from_micros(micros.unsigned_abs()),
            instant: Instant::now(),
            origin,
            source: row.source.as_str().into(),
            client: row.client.as_str().into(),
            message_id: row.message_id,
            connection: connection.map(ConnectionId::of),
            kind,
        }
    }

    /// Its line; the number is that of the history.
    pub(super) fn row(self) -> Row {
        Row { seq: self.id.unsigned_abs(), ..self.told.row }
    }

    /// Everything about it. `journey` holds the events of its message, oldest first.
    pub(super) fn detail(self, journey: &[Self]) -> EventDetail {
        let began = journey.first().map_or(0, |first| first.told.micros);
        let step = |step: &Self| JourneyStep {
            seq: step.id.unsigned_abs(),
            after_micros: (step.told.micros - began).max(0).unsigned_abs(),
            words: step.told.words.clone(),
            detail: step.told.detail.clone(),
            tone: step.told.row.tone,
        };
        EventDetail {
            title: self.told.title.clone(),
            fields: self.told.fields.clone(),
            // What was published is read by decoders, when a page asks for it.
            payload: None,
            journey: journey.iter().map(step).collect(),
            row: self.row(),
        }
    }
}

impl Subject for Stored {
    fn kinds(&self) -> KindSet {
        self.kinds
    }

    fn word(&self) -> &str {
        &self.told.row.kind
    }

    fn source(&self) -> SourceKind {
        self.told.origin
    }

    fn name(&self) -> &str {
        &self.told.row.source
    }

    fn client(&self) -> &str {
        &self.told.row.client
    }

    fn topic(&self) -> &str {
        &self.told.row.topic
    }

    fn payload(&self) -> Option<&[u8]> {
        self.payload.as_deref()
    }

    fn content(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.told.row.preview)
    }

    fn qos(&self) -> Option<Qos> {
        self.told.row.qos.and_then(|qos| Qos::try_from(qos).ok())
    }

    fn retained(&self) -> Option<bool> {
        self.payload.is_some().then_some(self.told.row.retain)
    }

    fn direction(&self) -> Option<Direction> {
        self.told.direction
    }

    fn outcome(&self) -> Option<Outcome> {
        self.told.outcome
    }

    fn at(&self) -> i64 {
        self.told.row.at
    }

    fn message(&self) -> Option<MessageId> {
        self.told.row.message_id
    }
}

/// Unix milliseconds of an event.
pub(super) fn at(event: &Event) -> i64 {
    unix_millis(event.at)
}
