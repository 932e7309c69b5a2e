//! Recognises the copies that a broker sends of one message because several filters match it (MQTT 5.0 section 3.3.4):
//! alike in everything, and sent for another subscription. Two messages that are alike both come for each subscription,
//! so that the second of them is none.

use super::super::link::Arrived;
use bytes::Bytes;
use relayscope_domain::message::Qos;
use std::collections::VecDeque;
use std::sync::Arc;

// Messages looked back on.
const SEEN: usize = 64;

/// The last messages that came for a subscription with an identifier.
#[derive(Default)]
pub(super) struct Copies(VecDeque<Seen>);

struct Seen {
    topic: Arc<str>,
    payload: Bytes,
    qos: Qos,
    retain: bool,
    subscriptions: Vec<u32>,
}

impl Copies {
    /// Whether this is a copy; it is noted either way.
    pub(super) fn is_copy(&mut self, arrived: &Arrived) -> bool {
        if arrived.subscriptions.is_empty() {
            return false;
        }
        let other = |seen: &&mut Seen| {
            seen.topic == arrived.topic
                && (seen.qos, seen.retain) == (arrived.qos, arrived.retain)
                && seen.payload == arrived.payload
                && arrived.subscriptions.iter().all(|id| !seen.subscriptions.contains(id))
        };
        // The oldest first: copies come in the order of what they are copies of.
        if let Some(seen) = self.0.iter_mut().find(other) {
            seen.subscriptions.extend(&arrived.subscriptions);
            return true;
        }
        if self.0.len() == SEEN {
            self.0.pop_front();
        }
        self.0.push_back(Seen {
            topic: arrived.topic.clone(),
            payload: arrived.payload.clone(),
            qos: arrived.qos,
            retain: arrived.retain,
            subscriptions: arrived.subscriptions.clone(),
        });
        false
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(payload: &'static str, subscriptions: &[u32]) -> Arrived {
        Arrived {
            topic: "a/b".into(),
            payload: payload.into(),
            qos: Qos::AtLeastOnce,
            retain: false,
            dup: false,
            packet_id: 1,
            properties: vec![],
            correlation: None,
            subscriptions: subscriptions.to_vec(),
        }
    }

    #[test]
    fn a_copy_is_one_and_an_equal_message_is_none() {
        let mut copies = Copies::default();
        let cases = [
            ("x", &[1][..], false),
            ("x", &[2], true),
            ("x", &[1], false),
            ("x", &[1], false),
            ("x", &[2], true),
            ("y", &[2], false),
            ("x", &[2], true),
            ("y", &[1], true),
            ("x", &[2], false),
            ("both", &[1, 2], false),
            ("both", &[1, 2], false),
            ("none", &[], false),
            ("none", &[], false),
        ];
        for (at, (payload, subscriptions, copy)) in cases.into_iter().enumerate() {
            assert_eq!(copies.is_copy(&arrived(payload, subscriptions)), copy, "case {at}");
        }
    }

    #[test]
    fn only_the_last_ones_are_looked_back_on() {
        let mut copies = Copies::default();
        copies.is_copy(&arrived("old", &[1]));
        for _ in 0..SEEN {
            assert!(!copies.is_copy(&arrived("new", &[1])));
        }
        assert!(!copies.is_copy(&arrived("old", &[2])));
    }
}
