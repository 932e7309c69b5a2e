//! What can happen: one closed enum. An event carries raw bytes, shared and untouched; words are made in `row` when a
//! page asks for them.

use bytes::Bytes;
use relayscope_domain::filter::SourceKind;
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
    /// What kind of part saw it; set by the feed.
    pub origin: SourceKind,
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
            origin: SourceKind::App,
            source: source.clone(),
            client: client.clone(),
            message_id,
            kind,
        }
    }

    /// Bytes it holds besides itself, as an allocator gives them out.
    pub fn heap(&self) -> usize {
        self.kind.heap()
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
        // Shared texts are counted as if owned: the budget errs on the safe side.
        match self {
            Self::Connected { token_last5, detail, .. } => string(token_last5) + string(detail),
            Self::Refused { reason, .. } | Self::Disconnected { reason, .. } => string(reason),
            Self::Subscribed { filter, granted, .. } => shared(filter) + granted.as_ref().err().map_or(0, string),
            Self::Unsubscribed { filter } => shared(filter),
            Self::Publish { topic, payload, properties, .. } => {
                let properties: usize = properties.iter().map(|(name, value)| string(name) + string(value) + 48).sum();
                // 40: what `Bytes` keeps beside shared bytes.
                shared(topic) + given(payload.len()) + given(40) + properties
            }
            Self::Queued { topic, .. } => shared(topic),
            Self::Delivered { topic, answer, .. } => shared(topic) + shared(answer),
            Self::DryRun { topic, request } => shared(topic) + string(request),
            Self::Retry { topic, reason, .. }
            | Self::DeadLetter { topic, reason, .. }
            | Self::Dropped { topic, reason, .. } => shared(topic) + string(reason),
            Self::Note { text, .. } => string(text),
        }
    }
}

/// What an allocation of `bytes` takes: a word beside it, in steps of 16 bytes (glibc's malloc).
fn given(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + 8).next_multiple_of(16).max(32) }
}

fn string(text: &String) -> usize {
    given(text.capacity())
}

// Two counts stand before the text.
fn shared(text: &Arc<str>) -> usize {
    given(text.len() + 16)
}
