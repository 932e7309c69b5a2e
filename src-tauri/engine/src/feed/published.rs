//! What was published, whole, for decoders; and the births that a Sparkplug message is read with.

use super::Feed;
use super::event::{Event, Kind};
use bytes::Bytes;
use relayscope_domain::decode::sparkplug;
use relayscope_domain::message::Qos;
use std::sync::Arc;

/// The message of an event.
#[derive(Clone, Debug)]
pub struct Published {
    /// The event's number.
    pub seq: u64,
    /// Where it was seen: a relay's or broker's name.
    pub source: Arc<str>,
    /// Topic.
    pub topic: Arc<str>,
    /// Payload, shared with the feed.
    pub payload: Bytes,
    /// Quality of service.
    pub qos: Qos,
    /// Retain flag.
    pub retain: bool,
}

impl Feed {
    /// What an event published: `None` when it is no longer kept, the inner `None` when it published nothing.
    pub fn published(&self, seq: u64) -> Option<Option<Published>> {
        let (segment, slot) = self.ring().find(seq)?;
        let event = segment.get(slot)?;
        Some(match &event.kind {
            Kind::Publish { topic, payload, qos, retain, .. } => Some(Published {
                seq,
                source: event.source.clone(),
                topic: topic.clone(),
                payload: payload.clone(),
                qos: *qos,
                retain: *retain,
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
