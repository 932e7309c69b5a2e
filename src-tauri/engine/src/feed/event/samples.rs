//! Events of tests, where one is as good as another: what a test is about is its argument, the rest is plain.

use super::{Direction, Kind};
use bytes::Bytes;
use relayscope_domain::message::Qos;

/// A message from a client, QoS 1.
pub(crate) fn publish(topic: &str, payload: &[u8]) -> Kind {
    message(Direction::In, topic, payload, Qos::AtLeastOnce, None)
}

/// A message, neither retained nor repeated.
pub(crate) fn message(direction: Direction, topic: &str, payload: &[u8], qos: Qos, packet_id: Option<u16>) -> Kind {
    Kind::Publish {
        direction,
        topic: topic.into(),
        payload: Bytes::copy_from_slice(payload),
        qos,
        retain: false,
        dup: false,
        packet_id,
        properties: vec![],
        will: false,
        cut_from: None,
    }
}

/// A session without will and token.
pub(crate) fn connected() -> Kind {
    Kind::Connected {
        version: None,
        session_present: false,
        will: false,
        token_last5: String::new(),
        detail: String::new(),
        facts: Box::default(),
    }
}
