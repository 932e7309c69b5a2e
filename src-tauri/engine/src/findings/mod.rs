//! Watches what fronts see and keeps what was found, source by source.
//!
//! It reads the feed a moment after events are recorded, so that nothing waits for it and every finding can name its
//! events. What counts as a finding is `domain`'s to say.

use crate::feed::event::{Ack, Direction, Event, Kind};
use crate::feed::{Feed, unix_millis};
use relayscope_domain::filter::SourceKind;
use relayscope_domain::findings::{Detectors, Finding, Seen, What};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Reason code of MQTT 5: nothing came within the keep-alive (section 2.4).
const KEEP_ALIVE_PASSED: u8 = 0x8d;
/// Brokers and taps that are watched.
const SOURCES: usize = 64;

/// What was found; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Findings(Arc<Mutex<HashMap<Source, Detectors>>>);

/// What kind of part, and its name.
type Source = (SourceKind, Arc<str>);

impl Findings {
    /// What was found at a broker or tap, the newest first.
    pub fn of(&self, kind: SourceKind, name: &str) -> Vec<Finding> {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sources.get(&(kind, Arc::from(name))).map(Detectors::list).unwrap_or_default()
    }

    /// How much was found there.
    pub fn count(&self, kind: SourceKind, name: &str) -> usize {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sources.get(&(kind, Arc::from(name))).map_or(0, Detectors::count)
    }

    /// Looks at what the feed got after the event `after`, and at the clock. Returns the number of the last event.
    pub(crate) fn look(&self, feed: &Feed, after: u64) -> u64 {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = feed.visit(after, |event| {
            let Some(seen) = seen(event) else { return };
            let source = (event.origin, event.source.clone());
            if sources.len() < SOURCES || sources.contains_key(&source) {
                let sees_all = event.origin == SourceKind::Broker;
                sources.entry(source).or_insert_with(|| Detectors::new(sees_all)).see(seen);
            }
        });
        let now = unix_millis(SystemTime::now());
        for detectors in sources.values_mut() {
            detectors.tick(now);
        }
        last
    }
}

/// What detectors want to know of an event of a front.
fn seen(event: &Event) -> Option<Seen<'_>> {
    let connection = event.connection?.number();
    let what = match &event.kind {
        Kind::Connect { facts, .. } => What::Connect(keep_alive(facts)),
        Kind::Connected { .. } => What::Connected,
        Kind::Publish { direction, topic, qos, dup, packet_id, .. } => What::Publish {
            from_client: *direction == Direction::In,
            topic,
            qos: u8::from(*qos),
            dup: *dup,
            packet_id: *packet_id,
        },
        Kind::Acknowledged { ack: Ack::PubAck, direction, packet_id, .. } => {
            What::Acknowledged { from_client: *direction == Direction::ToClient, packet_id: *packet_id }
        }
        Kind::Subscribed { filter, granted: Ok(_), .. } => What::Subscribed(filter),
        Kind::Disconnected { code: Some(KEEP_ALIVE_PASSED), .. } => What::KeepAlivePassed,
        Kind::Closed { .. } => What::Closed,
        _ => return None,
    };
    Some(Seen { at: unix_millis(event.at), event: event.seq, connection, client: &event.client, what })
}

/// The seconds that a CONNECT asks for.
fn keep_alive(facts: &[(String, String)]) -> u16 {
    let fact = facts.iter().find(|(name, _)| name == "keep-alive");
    fact.and_then(|(_, value)| value.strip_suffix(" s")?.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::event::ConnectionId;
    use relayscope_domain::findings::FindingKind;
    use relayscope_domain::message::Qos;
    use std::time::Duration;

    /// What takes a minute is told to have begun a minute ago.
    #[test]
    fn what_takes_its_time_is_found_in_the_events_of_a_front() {
        let feed = Feed::new(1 << 20).of(SourceKind::Broker);
        let connection = Some(ConnectionId::next());
        let publish = |seconds: u64, topic: &str, qos: Qos, packet_id: Option<u16>| {
            let (topic, properties) = (Arc::from(topic), vec![]);
            let kind = Kind::Publish {
                direction: Direction::In,
                topic,
                payload: Default::default(),
                qos,
                retain: false,
                dup: false,
                packet_id,
                properties,
                will: false,
                cut_from: None,
            };
            let at = SystemTime::now() - Duration::from_secs(seconds);
            feed.record(Event { at, connection, ..Event::now(&"inside".into(), &"pump".into(), None, kind) });
        };
        publish(30, "waits", Qos::AtLeastOnce, Some(1));
        for turn in 0..11 {
            publish(100 - turn * 10, "plnt/pump", Qos::AtMostOnce, None);
        }
        let findings = Findings::default();
        assert_eq!(findings.look(&feed, 0), 12);
        let mut found: Vec<_> =
            findings.of(SourceKind::Broker, "inside").into_iter().map(|finding| finding.kind).collect();
        found.sort();
        assert_eq!(found, [FindingKind::Unacknowledged, FindingKind::NobodyReceives]);
        assert_eq!(findings.count(SourceKind::Tap, "inside"), 0);
    }
}
