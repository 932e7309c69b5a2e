//! A session with a broker: connects, subscribes, hands messages on, acknowledges what was stored, publishes; connects
//! again when the connection falls. One task, and nothing slow is awaited in it.
//!
//! Invariants: an acknowledgement goes out only in the epoch (connection) its message came in; a message of an older
//! epoch is sent again by the broker. When messages can't be handed on, QoS 0 is dropped and counted, and for QoS 1 and 2
//! the connection is given up until there is room, so that the broker keeps them. What was published counts as sent only
//! on the broker's acknowledgement. A message too large to take is acknowledged in its turn, so that the broker does not
//! send it again. Knows nothing of relays and queues.

mod copies;
mod ends;
mod grants;
mod holding;
mod ids;
mod sending;
mod subscriptions;
mod task;

use super::link::{Link, Untaken};
use super::words::Failure;
use crate::feed::Feed;
use bytes::Bytes;
use relayscope_domain::broker::{BrokerSecrets, Connection, Will};
use relayscope_domain::id::MessageId;
use relayscope_domain::message::{MqttVersion, Qos};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::SystemTime;
use task::Task;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

// Sender: this task. Receiver: the relay's uplink. Full: see the module's invariants. One slot per message that an MQTT 5
// broker may have on its way.
const ARRIVALS: usize = 65_536;
// Sender: the uplink, one group per commit. Receiver: this task. Full: the uplink waits.
const ACKS: usize = 64;
// Sender: the downlink endpoint. Receiver: this task. Full: the endpoint answers that the broker is away.
const COMMANDS: usize = 1_024;

// What stands on the status topic.
const ONLINE: &str = "online";
const OFFLINE: &str = "offline";

/// What a session needs to know.
pub struct SessionConfig {
    /// Who it is for, for events: the relay's name.
    pub name: Arc<str>,
    /// The broker's name, for events.
    pub broker: Arc<str>,
    /// Where to connect to.
    pub connection: Connection,
    /// With what.
    pub secrets: BrokerSecrets,
    /// What to subscribe to.
    pub filters: Vec<(Arc<str>, Qos)>,
    /// Filters that an earlier run left in the broker's session and that are no longer wanted.
    pub stale_filters: Vec<Arc<str>>,
    /// Largest packet taken, bytes.
    pub max_packet: u32,
    /// Where the relay says `online` and `offline`, retained. Its will is `offline` then, unless the connection has one.
    pub status_topic: Option<Arc<str>>,
    /// Where events go.
    pub feed: Feed,
}

/// A message on its way to the uplink.
#[derive(Debug)]
pub struct Received {
    /// Its identity.
    pub message_id: MessageId,
    /// Topic.
    pub topic: Arc<str>,
    /// Payload.
    pub payload: Bytes,
    /// QoS.
    pub qos: Qos,
    /// Retain flag.
    pub retain: bool,
    /// When it came.
    pub at: SystemTime,
    /// What to acknowledge once it is stored; `None` with QoS 0.
    pub ack: Option<AckToken>,
    /// It was handed on in an earlier epoch already; only the acknowledgement is still owed, in its turn.
    pub already_stored: bool,
    /// A second copy that the broker sent because filters overlap; only the acknowledgement is owed.
    pub copy: bool,
    /// How many times the filters have been subscribed to in this run: a retained message of a later round may be one that
    /// came before.
    pub round: u32,
}

impl Received {
    /// What a message with so many bytes of topic and payload takes until it is released, bytes.
    pub const fn cost(bytes: usize) -> usize {
        // The message itself, and its place with the uplink.
        bytes + 2 * size_of::<Self>()
    }
}

/// The right to acknowledge one message, in one epoch.
#[derive(Clone, Copy, Debug)]
pub struct AckToken {
    epoch: u64,
    // Ascending in the order of arrival, over all epochs.
    number: u64,
    packet_id: u16,
    qos: Qos,
    digest: u64,
}

/// A message to publish.
pub struct Publication {
    /// Topic.
    pub topic: String,
    /// Payload.
    pub payload: Bytes,
    /// QoS.
    pub qos: Qos,
    /// Retain flag.
    pub retain: bool,
    /// Encoded MQTT 5 properties; empty for none.
    pub properties: Bytes,
    /// Told once the broker acknowledged it (QoS 0: once it was written), or why it did not.
    pub done: oneshot::Sender<Result<(), Unpublished>>,
}

/// Why a message was not published, or may not have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unpublished {
    /// The broker is away, or went away before it acknowledged: another try may do better.
    Away(String),
    /// The broker does not take this message, and would not take it another time either.
    Refused {
        /// Its own word, when it was asked (MQTT 5).
        code: Option<u8>,
        /// In words.
        why: String,
    },
}

impl From<Untaken> for Unpublished {
    fn from(refused: Untaken) -> Self {
        Self::Refused { code: Some(refused.code), why: refused.words }
    }
}

/// How a session stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// On its way, first time.
    Connecting,
    /// Connected and subscribed as far as the broker allows.
    Connected,
    /// Not connected; tries again.
    Retrying(Failure),
    /// Refused; only an edit or the broker's keeper can mend it.
    Refused(Failure),
    /// The queue takes no messages; connects again when it does.
    Blocked,
}

/// A session's state, as watched by others.
#[derive(Clone, Debug)]
pub struct SessionState {
    /// How it stands.
    pub standing: Standing,
    /// Since when.
    pub since: SystemTime,
    /// Each filter with the QoS granted or the refusal in words; empty until answered.
    pub grants: Vec<(Arc<str>, Result<Qos, String>)>,
    /// The version spoken with the broker, once there was a connection.
    pub version: Option<MqttVersion>,
}

/// The outer ends of a running session.
pub struct Session {
    /// Messages, in the order of arrival.
    pub arrivals: mpsc::Receiver<Received>,
    /// Groups of acknowledgements, in the order of arrival.
    pub acks: mpsc::Sender<Vec<AckToken>>,
    /// Messages to publish.
    pub commands: mpsc::Sender<Publication>,
    /// State.
    pub state: watch::Receiver<SessionState>,
    /// To be told of payload bytes that left `arrivals`.
    pub backlog: Backlog,
    /// QoS 0 messages dropped because nothing could take them.
    pub dropped: Arc<AtomicU64>,
    /// Messages skipped because their packet was larger than [`SessionConfig::max_packet`]; each was acknowledged.
    pub oversized: Arc<AtomicU64>,
}

/// Payload bytes between the session and the uplink.
#[derive(Clone, Debug, Default)]
pub struct Backlog(Arc<AtomicUsize>);

impl Backlog {
    /// Notes bytes that were taken out.
    pub fn taken(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Prepares a session; the future is its task and must be polled by the owner until `stop` is cancelled.
pub fn open(
    config: SessionConfig,
    stop: CancellationToken,
) -> Result<(Session, impl Future<Output = ()> + Send), super::tls::TlsError> {
    let mut connection = config.connection.clone();
    if let Some(topic) = &config.status_topic {
        connection.will.get_or_insert_with(|| Will {
            topic: topic.to_string(),
            payload: OFFLINE.into(),
            qos: Qos::AtLeastOnce,
            retain: true,
        });
    }
    let link = Link::new(&connection, &config.secrets, config.max_packet)?;
    let (arrivals_in, arrivals) = mpsc::channel(ARRIVALS);
    let (acks, acks_out) = mpsc::channel(ACKS);
    let (commands, commands_out) = mpsc::channel(COMMANDS);
    let (state_in, state) = watch::channel(SessionState {
        standing: Standing::Connecting,
        since: SystemTime::now(),
        grants: vec![],
        version: None,
    });
    let backlog = Backlog::default();
    let (dropped, oversized) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let task = Task::new(config, link, arrivals_in, state_in, backlog.clone(), [dropped.clone(), oversized.clone()]);
    let session = Session { arrivals, acks, commands, state, backlog, dropped, oversized };
    Ok((session, task.run(acks_out, commands_out, stop)))
}
