//! What can happen: one closed enum. An event carries raw bytes, shared and untouched; words are made in `row` when a
//! page asks for them.

use bytes::Bytes;
use relayscope_domain::id::MessageId;
use relayscope_domain::message::{MqttVersion, Qos};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Something that happened, as the feed keeps it.
#[derive(Clone, Debug)]
pub struct Event {
    /// Number in the feed, ascending without gaps; set by the feed.
    pub seq: u64,
    /// Wall clock.
    pub at: SystemTime,
    /// Monotonic clock, for differences.
    pub instant: Instant,
    /// Where it was seen.
    pub source: Arc<str>,
    /// Who: a client id, or `relay → destination`.
    pub client: Arc<str>,
    /// The message it belongs to.
    pub message_id: Option<MessageId>,
    /// What happened.
    pub kind: Kind,
}

impl Event {
    /// An event of now. `source` is the name of the relay or broker that saw it.
    pub fn now(source: &Arc<str>, client: &Arc<str>, message_id: Option<MessageId>, kind: Kind) -> Self {
        Self {
            seq: 0,
            at: SystemTime::now(),
            instant: Instant::now(),
            source: source.clone(),
            client: client.clone(),
            message_id,
            kind,
        }
    }

    /// Bytes this event holds in memory, its own size included.
    pub fn cost(&self) -> usize {
        // 48: the ring's slot and the allocator's share of it.
        size_of::<Self>() + 48 + self.kind.heap()
    }
}

/// Whether we received a message or sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Came from a client or a broker.
    In,
    /// Sent by us (downlink).
    Out,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A session is established. `detail` names what is worth knowing: `token …a3f9c · keep-alive 30 s · will …`.
    Connected {
        /// Protocol version; `None` for MQTT 3.1.
        version: Option<MqttVersion>,
        /// Whether the broker had kept the session.
        session_present: bool,
        /// Whether a will was given (TagoIO shows it).
        will: bool,
        /// Last five characters of the token, when one was used.
        token_last5: String,
        /// Further details, in words.
        detail: String,
    },
    /// A connection was refused, by us or by a broker.
    Refused {
        /// CONNACK code, when there was one.
        code: Option<u8>,
        /// Why, in words.
        reason: String,
    },
    /// A filter was subscribed to and answered.
    Subscribed {
        /// Filter.
        filter: Arc<str>,
        /// Asked for.
        requested: Qos,
        /// Granted, or why not, in words.
        granted: Result<Qos, String>,
    },
    /// A filter was given up.
    Unsubscribed {
        /// Filter.
        filter: Arc<str>,
    },
    /// An application message.
    Publish {
        /// Which way.
        direction: Direction,
        /// Topic.
        topic: Arc<str>,
        /// Payload.
        payload: Bytes,
        /// Quality of service.
        qos: Qos,
        /// Retain flag.
        retain: bool,
        /// Duplicate flag.
        dup: bool,
        /// Packet identifier, for QoS 1 and 2.
        packet_id: Option<u16>,
        /// MQTT 5 properties in words, name and value.
        properties: Vec<(String, String)>,
        /// Whether it is the will of a client that fell away.
        will: bool,
    },
    /// The message stands in the queue, on disk, and was acknowledged to the broker.
    Queued {
        /// Topic.
        topic: Arc<str>,
        /// Number in the queue.
        entry: i64,
    },
    /// The destination took it.
    Delivered {
        /// Topic.
        topic: Arc<str>,
        /// HTTP status.
        status: u16,
        /// From sending the request to the end of the answer.
        took: Duration,
        /// 1 for the first.
        attempt: u32,
        /// What the destination said.
        answer: Arc<str>,
    },
    /// A dry run: the request that was not made.
    DryRun {
        /// Topic.
        topic: Arc<str>,
        /// Method, address, headers and body; secrets masked.
        request: String,
    },
    /// The destination did not take it; it is tried again.
    Retry {
        /// Topic.
        topic: Arc<str>,
        /// HTTP status, when one came.
        status: Option<u16>,
        /// Duration of the attempt.
        took: Duration,
        /// 1 for the first.
        attempt: u32,
        /// Why, in words.
        reason: String,
        /// When it is tried again.
        next: SystemTime,
    },
    /// Given up and kept in the dead-letter box.
    DeadLetter {
        /// Topic.
        topic: Arc<str>,
        /// HTTP status, when one came.
        status: Option<u16>,
        /// Attempts made.
        attempts: u32,
        /// Why, in words.
        reason: String,
    },
    /// Messages that were lost or left out by a rule, counted.
    Dropped {
        /// Topic, when they have one in common.
        topic: Arc<str>,
        /// How many.
        count: u64,
        /// Why, in words.
        reason: String,
    },
    /// The session ended.
    Disconnected {
        /// Why and by whom, in words.
        reason: String,
        /// Whether it ended as intended.
        clean: bool,
    },
    /// A state change or failure of a part of Relayscope.
    Note {
        /// Whether it needs attention.
        failure: bool,
        /// In words.
        text: String,
    },
}

impl Kind {
    fn heap(&self) -> usize {
        // Shared topics are counted as if owned: the budget errs on the safe side.
        match self {
            Self::Connected { token_last5, detail, .. } => token_last5.len() + detail.len(),
            Self::Refused { reason, .. } | Self::Disconnected { reason, .. } => reason.len(),
            Self::Subscribed { filter, granted, .. } => filter.len() + granted.as_ref().err().map_or(0, String::len),
            Self::Unsubscribed { filter } => filter.len(),
            Self::Publish { topic, payload, properties, .. } => {
                topic.len()
                    + payload.len()
                    + properties.iter().map(|(name, value)| name.len() + value.len() + 48).sum::<usize>()
            }
            Self::Queued { topic, .. } => topic.len(),
            Self::Delivered { topic, answer, .. } => topic.len() + answer.len(),
            Self::DryRun { topic, request } => topic.len() + request.len(),
            Self::Retry { topic, reason, .. }
            | Self::DeadLetter { topic, reason, .. }
            | Self::Dropped { topic, reason, .. } => topic.len() + reason.len(),
            Self::Note { text, .. } => text.len(),
        }
    }
}
