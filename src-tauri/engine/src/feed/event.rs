//! What can happen: one closed enum. An event carries raw bytes, shared and untouched; words are made in `row` when a
//! page asks for them; `heap` says what it takes in memory.

mod heap;
#[cfg(test)]
pub(crate) mod samples;

use bytes::Bytes;
use relayscope_domain::filter::SourceKind;
use relayscope_domain::id::MessageId;
use relayscope_domain::message::{MqttVersion, Qos};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// A connection to a front, from its socket's first moment to its last; unique in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(NonZeroU64);

impl ConnectionId {
    /// The next one.
    pub fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        Self(NonZeroU64::new(number).unwrap_or(NonZeroU64::MAX))
    }

    /// The one of a number, as a file names it.
    pub(crate) fn of(number: NonZeroU64) -> Self {
        Self(number)
    }

    /// Its number, from 1.
    pub fn number(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

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
    /// The connection it was seen on, when a front saw it.
    pub connection: Option<ConnectionId>,
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
            connection: None,
            kind,
        }
    }

    /// An event of a connection, of the moment its bytes were read.
    pub fn seen(
        source: &Arc<str>,
        client: &Arc<str>,
        connection: ConnectionId,
        (at, instant): (SystemTime, Instant),
        kind: Kind,
    ) -> Self {
        Self {
            seq: 0,
            at,
            instant,
            origin: SourceKind::App,
            source: source.clone(),
            client: client.clone(),
            message_id: None,
            connection: Some(connection),
            kind,
        }
    }

    /// Bytes it holds besides itself, as an allocator gives them out.
    pub fn heap(&self) -> usize {
        self.kind.heap()
    }
}

/// Whether we received a message or sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// Came from a client or a broker.
    In,
    /// Sent by us (downlink).
    Out,
    /// Sent by a broker to one of its clients, as a front saw it.
    ToClient,
}

/// The acknowledgements of a PUBLISH (MQTT 5.0 sections 3.4 to 3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ack {
    /// QoS 1.
    PubAck,
    /// QoS 2, first step.
    PubRec,
    /// QoS 2, second step.
    PubRel,
    /// QoS 2, last step.
    PubComp,
}

/// A CONNECT, or the CONNACK to it, by name and value.
pub type Facts = Box<[(String, String)]>;

/// What happened. In files it is an object with one member, named as the kind; the payload of a message stands beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Kind {
    /// A front accepted a connection.
    Accepted {
        /// `TCP`, `TLS`, `WebSocket` or `WebSocket over TLS`, and where it came in.
        listener: Arc<str>,
    },
    /// A TLS handshake ended.
    Secured {
        /// Version, server name asked for and subject of the client certificate, or why it failed.
        result: Result<Facts, String>,
    },
    /// A client asks to be connected.
    Connect {
        /// Protocol version; `None` for MQTT 3.1.
        version: Option<MqttVersion>,
        /// What it says, without its password.
        facts: Facts,
        /// What is worth knowing, in words.
        detail: Arc<str>,
        /// Payload of its last will.
        #[serde(with = "super::base64::maybe")]
        will: Option<Bytes>,
    },
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
        /// What the broker says of itself and its limits, when a front saw it.
        facts: Facts,
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
        #[serde(skip)]
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
        /// Size of the whole payload in bytes, when only its beginning is kept.
        cut_from: Option<usize>,
    },
    /// A PUBLISH was acknowledged, or a step of it.
    Acknowledged {
        /// Which way: [`Direction::In`] or [`Direction::ToClient`].
        direction: Direction,
        /// Which step.
        ack: Ack,
        /// Packet identifier.
        packet_id: u16,
        /// Topic of the PUBLISH, when it was seen.
        topic: Arc<str>,
        /// Reason code; 0 before MQTT 5.
        code: u8,
        /// The code in words, and what came with it.
        reason: String,
        /// Since its PUBLISH.
        took: Option<Duration>,
    },
    /// PINGREQ, or PINGRESP.
    Ping {
        /// Whether it is the answer.
        answer: bool,
        /// From the question to the answer.
        took: Option<Duration>,
    },
    /// A packet that is none.
    Malformed {
        /// Which way: [`Direction::In`] or [`Direction::ToClient`].
        direction: Direction,
        /// Its first bytes.
        #[serde(with = "super::base64")]
        bytes: Bytes,
        /// Its size.
        size: usize,
        /// Why it can't be read.
        reason: String,
    },
    /// A limit of a listener was passed.
    OverLimit {
        /// What is limited.
        what: Cow<'static, str>,
        /// How much is allowed.
        limit: u64,
        /// How much there was.
        reached: u64,
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
        /// Reason code of MQTT 5 (section 2.4), when there is one to tell.
        code: Option<u8>,
        /// Why and by whom, in words.
        reason: String,
        /// Whether it ended as intended.
        clean: bool,
    },
    /// A socket was closed; the last event of its connection.
    Closed {
        /// How, in words.
        cause: String,
        /// From its first moment.
        lasted: Duration,
        /// Messages and bytes from the client.
        received: (u64, u64),
        /// Messages and bytes to the client.
        sent: (u64, u64),
        /// PINGREQs.
        pings: u64,
    },
    /// A state change or failure of a part of Relayscope.
    Note {
        /// Whether it needs attention.
        failure: bool,
        /// In words.
        text: String,
    },
}
