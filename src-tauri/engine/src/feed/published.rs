//! What was published, whole, for decoders; and the births that a Sparkplug message is read with.

use super::Feed;
use super::event::{Event, Kind};
use bytes::Bytes;
use relayscope_domain::decode::sparkplug;
use relayscope_domain::message::Qos;
use std::sync::Arc;

/// Where an event is kept, and its number counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In memory.
    Feed,
    /// On disk.
    History,
}

/// The message of an event.
#[derive(Clone, Debug)]
pub struct Published {
    /// Where the event is kept.
    pub place: Place,
    /// The event's number there.
    pub seq: u64,
    /// Where it was seen: a relay's or broker's name.
    pub source: Arc<str>,
    /// Topic.
    pub topic: Arc<str>,
    /// Payload, shared with the feed.
    pub payload: Bytes,
    /// Bytes of the whole payload, when only its beginning is kept.
    pub cut_from: Option<usize>,
    /// Quality of service.
    pub qos: Qos,
    /// Retain flag.
    pub retain: bool,
    /// MQTT 5 properties in words (`mqtt::properties`).
    pub properties: Vec<(String, String)>,
}

impl Feed {
    /// What an event published: `None` when it is no longer kept, the inner `None` when it published nothing.
    pub fn published(&self, seq: u64) -> Option<Option<Published>> {
        let (segment, slot) = self.ring().find(seq)?;
        let event = segment.get(slot)?;
        Some(match &event.kind {
            Kind::Publish { topic, payload, qos, retain, properties, cut_from, .. } => Some(Published {
                place: Place::Feed,
                seq,
                source: event.source.clone(),
                topic: topic.clone(),
                payload: payload.clone(),
                cut_from: *cut_from,
                qos: *qos,
                retain: *retain,
                properties: properties.clone(),
            }),
            _ => None,
        })
    }

    /// The number of the newest message of the same topic, from the same source, before an event.
    pub fn previous(&self, seq: u64) -> Option<u64> {
        let (segment, slot) = self.ring().find(seq)?;
        let event = segment.get(slot)?;
        let Kind::Publish { topic: wanted, direction: way, .. } = &event.kind else { return None };
        let segments = self.segments(0).0;
        let same = |other: &&Event| {
            other.seq < seq
                && other.source == event.source
                && matches!(&other.kind, Kind::Publish { topic, direction, .. } if topic == wanted && direction == way)
        };
        segments
            .iter()
            .rev()
            .filter(|segment| segment.first < seq)
            .find_map(|segment| segment.events().filter(same).last())
            .map(|found| found.seq)
    }

    /// The births before an event that tell aliases of its topic, oldest first, and the event itself if it is one.
    /// Looks through everything kept, without a lock, for a person who opens one event.
    pub fn births(&self, event: &Published) -> Vec<(Arc<str>, Bytes)> {
        let segments = self.segments(0).0;
        let events = segments.iter().flat_map(|segment| segment.events());
        events
            .take_while(|other| other.seq <= event.seq)
            .filter_map(|other| match &other.kind {
                Kind::Publish { topic, payload, .. } if sparkplug::tells(topic, &event.topic) => {
                    Some((topic.clone(), payload.clone()))
                }
                _ => None,
            })
            .collect()
    }
}
